package auth_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

// signingKey is a key whose private part depends only on its id.
type signingKey struct {
	id      string
	private ed25519.PrivateKey
}

func newKey(id string) signingKey {
	seed := sha256.Sum256([]byte(id))
	return signingKey{id, ed25519.NewKeyFromSeed(seed[:])}
}

func (k signingKey) public() ed25519.PublicKey { return k.private.Public().(ed25519.PublicKey) }

func (k signingKey) current(context.Context) (auth.SigningKey, error) {
	return auth.SigningKey{ID: k.id, Private: k.private}, nil
}

// sign returns a JWT, made without the package under test.
func (k signingKey) sign(t *testing.T, header, claims map[string]any) string {
	t.Helper()
	input := encode(t, header) + "." + encode(t, claims)
	return input + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(k.private, []byte(input)))
}

// keySet holds keys by kid.
type keySet map[string]signingKey

func (s keySet) find(_ context.Context, kid string) (ed25519.PublicKey, error) {
	k, ok := s[kid]
	if !ok {
		return nil, auth.ErrUnknownKey
	}
	return k.public(), nil
}

// No key is used with another algorithm than its own, whatever the header of a token says.
func TestAlgorithmConfusion(t *testing.T) {
	t.Parallel()
	key, other := newKey("k1"), newKey("k2")
	now := (&clock{start}).now
	claims := map[string]any{"sub": "ana", "role": "admin", "iss": "pedidos", "aud": "pedidos", "exp": start.Add(time.Hour).Unix()}
	header := func(members ...any) map[string]any {
		h := map[string]any{"alg": "EdDSA", "kid": "k1"}
		for i := 0; i < len(members); i += 2 {
			h[members[i].(string)] = members[i+1]
		}
		maps.DeleteFunc(h, func(_ string, v any) bool { return v == nil })
		return h
	}
	jwk := map[string]any{"kty": "OKP", "crv": "Ed25519", "x": base64.RawURLEncoding.EncodeToString(other.public())}
	hmacWith := func(secret []byte, members ...any) string {
		return sign(t, "HS256", sha256.New, string(secret), claims, members...)
	}
	both := auth.NewVerifier(secret, keySet{"k1": key}.find, now)
	onlyKeys := auth.NewVerifier("", keySet{"k1": key}.find, now)
	onlySecrets := auth.NewVerifier(secret, nil, now)
	for _, test := range []struct {
		name, token                 string
		both, onlyKeys, onlySecrets bool
	}{
		{"EdDSA", key.sign(t, header(), claims), true, true, false},
		{"HS256 with the secret", hmacWith([]byte(secret)), true, false, true},
		{"HS256 with the secret and a kid", hmacWith([]byte(secret), "kid", "k1"), true, false, true},
		{"HS256 with the public key as the secret", hmacWith(key.public(), "kid", "k1"), false, false, false},
		{"HS256 with the public key in base64", hmacWith([]byte(base64.RawURLEncoding.EncodeToString(key.public())), "kid", "k1"), false, false, false},
		{"HS256 with an empty secret", hmacWith(nil, "kid", "k1"), false, false, false},
		{"EdDSA of another key under this kid", other.sign(t, header(), claims), false, false, false},
		{"EdDSA of a key in the header", other.sign(t, header("jwk", jwk), claims), false, false, false},
		{"EdDSA of a key in the header, without kid", other.sign(t, header("jwk", jwk, "kid", nil), claims), false, false, false},
		{"EdDSA with an unknown kid", key.sign(t, header("kid", "k2"), claims), false, false, false},
		{"EdDSA without kid", key.sign(t, header("kid", nil), claims), false, false, false},
		{"EdDSA signature, alg HS256", key.sign(t, header("alg", "HS256"), claims), false, false, false},
		{"EdDSA signature, alg Ed25519", key.sign(t, header("alg", "Ed25519"), claims), false, false, false},
		{"EdDSA signature, alg none", key.sign(t, header("alg", "none"), claims), false, false, false},
		{"EdDSA signature, alg ES256", key.sign(t, header("alg", "ES256"), claims), false, false, false},
		{"EdDSA signature, no alg", key.sign(t, header("alg", nil), claims), false, false, false},
		{"EdDSA with a critical extension", key.sign(t, header("crit", []string{"exp"}, "exp", 1), claims), false, false, false},
	} {
		for name, of := range map[string]struct {
			verifier *auth.Verifier
			want     bool
		}{"both": {both, test.both}, "only keys": {onlyKeys, test.onlyKeys}, "only secrets": {onlySecrets, test.onlySecrets}} {
			if _, err := of.verifier.Verify(t.Context(), test.token); (err == nil) != of.want {
				t.Errorf("%s, %s: %v, want valid: %t", test.name, name, err, of.want)
			}
		}
	}
}

// A key that leaves the set takes its tokens along, even those that were verified before.
func TestRemovedKey(t *testing.T) {
	t.Parallel()
	keys := keySet{"k1": newKey("k1"), "k2": newKey("k2")}
	now := (&clock{start}).now
	v := auth.NewVerifier("", keys.find, now)
	token, err := auth.NewIssuer(newKey("k1").current, now).Issue(t.Context(), auth.Caller{Name: "user:ana", Role: auth.Admin}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	delete(keys, "k1")
	if _, err := v.Verify(t.Context(), token); !errors.Is(err, auth.ErrUnknownKey) {
		t.Errorf("after the removal of its key: %v, want ErrUnknownKey", err)
	}
	keys["k1"] = newKey("another")
	if _, err := v.Verify(t.Context(), token); err == nil {
		t.Error("valid with another key under the same kid")
	}
}

// If the keys can't be read, the error says so, and not that the token is invalid.
func TestKeysUnavailable(t *testing.T) {
	t.Parallel()
	now := (&clock{start}).now
	token, err := auth.NewIssuer(newKey("k1").current, now).Issue(t.Context(), auth.Caller{Name: "user:ana", Role: auth.Admin}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	v := auth.NewVerifier("", func(context.Context, string) (ed25519.PublicKey, error) {
		return nil, fault.New("customers_unavailable", "customers-api does not answer.")
	}, now)
	if _, err := v.Verify(t.Context(), token); !fault.Is(err, "customers_unavailable") {
		t.Errorf("Verify: %v, want customers_unavailable", err)
	}
}

func TestJWK(t *testing.T) {
	t.Parallel()
	key := newKey("k1")
	jwk := auth.PublicJWK("k1", key.public())
	if got, err := jwk.Key(); err != nil || !got.Equal(key.public()) {
		t.Errorf("Key = %v, %v, want the key itself", got, err)
	}
	for name, change := range map[string]func(*auth.JWK){
		"another type":      func(k *auth.JWK) { k.Type = "EC" },
		"another curve":     func(k *auth.JWK) { k.Curve = "X25519" },
		"another use":       func(k *auth.JWK) { k.Use = "enc" },
		"another algorithm": func(k *auth.JWK) { k.Algorithm = "HS256" },
		"too short":         func(k *auth.JWK) { k.X = k.X[:10] },
		"not base64url":     func(k *auth.JWK) { k.X = "+" + k.X[1:] },
	} {
		changed := jwk
		change(&changed)
		if _, err := changed.Key(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
