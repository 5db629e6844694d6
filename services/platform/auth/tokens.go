// Package auth identifies the callers of requests by access tokens (JWT), API keys and service tokens.
//
// It is the only package that reads and writes JWTs, in tokens.go.
package auth

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
	"github.com/lestrrat-go/jwx/v2/jwt"
	"github.com/maypok86/otter/v2"
)

const (
	issuer   = "pedidos"
	audience = "pedidos"
	skew     = 60 * time.Second // tolerated difference between the clocks of two machines
)

// The claims of access tokens beside those of RFC 7519.
const (
	roleClaim    = "role"
	nameClaim    = "name"
	idClaim      = "uid"
	sessionClaim = "sid"
)

// UserPrefix begins the names of callers who are users.
const UserPrefix = "user:"

// SigningKey is a key that signs access tokens with EdDSA (RFC 8037). Its ID is the kid.
type SigningKey struct {
	ID      string
	Private ed25519.PrivateKey
}

// Issuer issues access tokens, which are JWTs (RFC 7519). It is safe for concurrent use.
type Issuer struct {
	sign func(context.Context, jwt.Token) ([]byte, error)
	now  func() time.Time
}

// NewIssuer returns an Issuer that signs with EdDSA and the key that key returns.
func NewIssuer(key func(context.Context) (SigningKey, error), now func() time.Time) *Issuer {
	return &Issuer{now: now, sign: func(ctx context.Context, claims jwt.Token) ([]byte, error) {
		k, err := key(ctx)
		if err != nil {
			return nil, err
		}
		headers := jws.NewHeaders()
		if err := headers.Set(jws.KeyIDKey, k.ID); err != nil {
			return nil, err
		}
		return jwt.Sign(claims, jwt.WithKey(jwa.EdDSA, k.Private, jws.WithProtectedHeaders(headers)))
	}}
}

// NewHMACIssuer returns an Issuer that signs with HS256 and the first of a comma-separated list of secrets.
func NewHMACIssuer(secrets string, now func() time.Time) *Issuer {
	secret := splitSecrets(secrets)[0]
	return &Issuer{now: now, sign: func(_ context.Context, claims jwt.Token) ([]byte, error) {
		return jwt.Sign(claims, jwt.WithKey(jwa.HS256, secret))
	}}
}

func splitSecrets(list string) (secrets [][]byte) {
	for secret := range strings.SplitSeq(list, ",") {
		secrets = append(secrets, []byte(strings.TrimSpace(secret)))
	}
	return secrets
}

// Issue returns a token that is valid for ttl. The caller is a user: its name is "user:" and the user name.
func (i *Issuer) Issue(ctx context.Context, user Caller, ttl time.Duration) (string, error) {
	now := i.now()
	b := jwt.NewBuilder().
		Subject(strings.TrimPrefix(user.Name, UserPrefix)).Claim(roleClaim, string(user.Role)).
		Issuer(issuer).Audience([]string{audience}).
		IssuedAt(now).NotBefore(now).Expiration(now.Add(ttl)).
		JwtID(rand.Text())
	if user.ID != 0 {
		b = b.Claim(idClaim, user.ID).Claim(nameClaim, user.DisplayName)
	}
	if user.Session != 0 {
		b = b.Claim(sessionClaim, user.Session)
	}
	claims, err := b.Build()
	if err != nil {
		return "", fmt.Errorf("build token: %w", err)
	}
	signed, err := i.sign(ctx, claims)
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return string(signed), nil
}

// Verifier verifies access tokens. The algorithm of a token decides the kind of its key: HS256 takes a secret, EdDSA a public key, and
// every other algorithm is refused, so that no key is used with another algorithm than its own (RFC 8725, section 3.1). It tolerates
// clocks that differ by up to 60 seconds. It is safe for concurrent use.
type Verifier struct {
	secrets  [][]byte
	key      func(ctx context.Context, kid string) (ed25519.PublicKey, error)
	now      func() time.Time
	verified *otter.Cache[digest, verified]
}

// digest is the SHA-256 of a token. With digests as keys, the cache holds no tokens, and all entries have the same size.
type digest = [sha256.Size]byte

// verified is the result of a verification and the time in which it is valid.
type verified struct {
	caller      Caller
	from, until time.Time
	kid         string            // of an EdDSA token
	key         ed25519.PublicKey // that verified it
}

// cacheSize is the size of the cache of verified tokens, in tokens. Clients send the same token many times.
const cacheSize = 10_000

// Errors of tokens, for use with errors.Is.
var (
	ErrExpired    = errors.New("the token has expired") // only for a token with a valid signature
	ErrUnknownKey = errors.New("unknown key id")
)

// NewVerifier returns a Verifier. It accepts HS256 tokens that are signed with any of a comma-separated list of secrets, so that secrets
// can be rotated, or none if the list is empty. It accepts EdDSA tokens that are signed with the key of their kid, or none if key is
// nil. Key is called for every such token, so it must be fast. It fails with ErrUnknownKey for a kid that is unknown or no longer valid.
func NewVerifier(secrets string, key func(ctx context.Context, kid string) (ed25519.PublicKey, error), now func() time.Time) *Verifier {
	v := &Verifier{key: key, now: now, verified: otter.Must(&otter.Options[digest, verified]{MaximumSize: cacheSize})}
	if secrets != "" {
		v.secrets = splitSecrets(secrets)
	}
	return v
}

// Verify returns the caller of a token, with the name "user:" and the subject. The error wraps ErrExpired if the token has a valid
// signature and has expired.
func (v *Verifier) Verify(ctx context.Context, token string) (Caller, error) {
	now := v.now()
	digest := sha256.Sum256([]byte(token))
	known, ok := v.verified.GetIfPresent(digest)
	if ok && !now.Before(known.from) && now.Before(known.until) && v.current(ctx, known) {
		return known.caller, nil
	}
	known, err := v.verify(ctx, token, now)
	if err != nil {
		return Caller{}, fmt.Errorf("verify token: %w", err)
	}
	v.verified.Set(digest, known)
	return known.caller, nil
}

// current reports whether the key that verified a token is still valid.
func (v *Verifier) current(ctx context.Context, known verified) bool {
	if known.key == nil {
		return true
	}
	key, err := v.key(ctx, known.kid)
	return err == nil && bytes.Equal(key, known.key)
}

func (v *Verifier) verify(ctx context.Context, token string, now time.Time) (verified, error) {
	used := verified{from: now}
	payload, err := v.checkSignature(ctx, token, &used)
	if err != nil {
		return verified{}, err
	}
	if err := checkNumbers(payload); err != nil {
		return verified{}, err
	}
	claims, err := jwt.Parse(payload, jwt.WithVerify(false), // the signature is verified above
		jwt.WithIssuer(issuer), jwt.WithAudience(audience), jwt.WithAcceptableSkew(skew),
		jwt.WithClock(jwt.ClockFunc(func() time.Time { return now })),
	)
	if errors.Is(err, jwt.ErrTokenExpired()) {
		return verified{}, fmt.Errorf("%w: %w", ErrExpired, err)
	}
	if err != nil {
		return verified{}, err
	}
	used.until = claims.Expiration().Add(skew)
	if !used.until.After(now) { // jwx accepts a token without exp, or with exp 0
		return verified{}, ErrExpired
	}
	if claims.Subject() == "" {
		return verified{}, errors.New("no subject")
	}
	role := Role(text(claims, roleClaim))
	if !role.Known() {
		return verified{}, errUnknownRole
	}
	used.caller = Caller{
		Name: UserPrefix + claims.Subject(), Role: role, ID: number(claims, idClaim), DisplayName: text(claims, nameClaim), Session: number(claims, sessionClaim),
	}
	return used, nil
}

// checkSignature returns the payload of a token whose signature is valid, and notes the public key, if there is one, in used. It refuses
// critical extensions, since it supports none (RFC 7515, section 4.1.11).
func (v *Verifier) checkSignature(ctx context.Context, token string, used *verified) ([]byte, error) {
	keys := func(_ context.Context, sink jws.KeySink, signature *jws.Signature, _ *jws.Message) error {
		header := signature.ProtectedHeaders()
		if _, critical := header.Get(jws.CriticalKey); critical {
			return errors.New("unsupported critical extension")
		}
		switch {
		case header.Algorithm() == jwa.HS256 && v.secrets != nil:
			for _, secret := range v.secrets {
				sink.Key(jwa.HS256, secret)
			}
			return nil
		case header.Algorithm() == jwa.EdDSA && v.key != nil && header.KeyID() != "":
			key, err := v.key(ctx, header.KeyID())
			if err != nil {
				return err
			}
			used.kid, used.key = header.KeyID(), key
			sink.Key(jwa.EdDSA, key)
			return nil
		}
		return errors.New("not signed with an accepted algorithm")
	}
	return jws.Verify([]byte(token), jws.WithCompact(), jws.WithKeyProvider(jws.KeyProviderFunc(keys)))
}

var errUnknownRole = errors.New("unknown role")

// checkNumbers refuses dates and ids that are not numbers (RFC 7519, section 2). jwx also accepts strings as dates.
func checkNumbers(payload []byte) error {
	var numbers struct {
		Expiry    *float64 `json:"exp"`
		NotBefore *float64 `json:"nbf"`
		IssuedAt  *float64 `json:"iat"`
		ID        *int64   `json:"uid"`
		Session   *int64   `json:"sid"`
	}
	if err := json.Unmarshal(payload, &numbers); err != nil {
		return fmt.Errorf("read claims: %w", err)
	}
	return nil
}

// text returns a claim, or "" if it is not a string.
func text(claims jwt.Token, name string) string {
	value, _ := claims.Get(name)
	s, _ := value.(string)
	return s
}

// number returns a claim, or 0 if it is absent. jwx reads numbers as float64, which is exact for ids below 2^53.
func number(claims jwt.Token, name string) int64 {
	value, _ := claims.Get(name)
	f, _ := value.(float64)
	return int64(f)
}

// Unverified returns a scheme for a service that forwards tokens and has no key to verify them. It refuses a token that is neither a
// well-formed API key nor a JWT with a signature and a role that has not expired, with the tolerance of Verifier for clocks that
// differ. The caller's name is "bearer:" and the start of the token's digest, as nothing in the token is certain. The role of a JWT may
// be forged, so the service that receives the token must verify it.
func Unverified(now func() time.Time) Scheme {
	return KeysOrTokens(forwardKey, func(_ context.Context, token string) (Caller, error) {
		message, err := jws.Parse([]byte(token), jws.WithCompact())
		if err != nil {
			return Caller{}, fmt.Errorf("read token: %w", err)
		}
		signature := message.Signatures()[0]
		if alg := signature.ProtectedHeaders().Algorithm(); alg == "" || alg == jwa.NoSignature || len(signature.Signature()) == 0 {
			return Caller{}, errors.New("the token is not signed")
		}
		var claims struct {
			Expiry float64 `json:"exp"` // Unix time in seconds; 0, if absent, is in the past
			Role   Role
		}
		if err := json.Unmarshal(message.Payload(), &claims); err != nil {
			return Caller{}, fmt.Errorf("read claims: %w", err)
		}
		if float64(now().Add(-skew).Unix()) >= claims.Expiry {
			return Caller{}, ErrExpired
		}
		if !claims.Role.Known() {
			return Caller{}, errUnknownRole
		}
		return Caller{Name: bearerName(token), Role: claims.Role}, nil
	})
}

func forwardKey(_ context.Context, key string) (Caller, error) {
	if _, _, ok := ParseKey(key); !ok {
		return Caller{}, errors.New("not an API key")
	}
	return Caller{Name: bearerName(key), Role: Forwarded}, nil
}

// bearerName returns a name for the holder of a token that is not verified.
func bearerName(token string) string {
	sum := sha256.Sum256([]byte(token))
	return "bearer:" + hex.EncodeToString(sum[:8])
}

// JWK is a public key in a JWK set (RFC 7517, and RFC 8037 for Ed25519).
type JWK struct {
	KeyID, Type, Curve, X, Use, Algorithm string
}

// PublicJWK returns a public key with its kid.
func PublicJWK(kid string, key ed25519.PublicKey) JWK {
	return JWK{KeyID: kid, Type: "OKP", Curve: "Ed25519", X: base64.RawURLEncoding.EncodeToString(key), Use: "sig", Algorithm: "EdDSA"}
}

// Key returns the key of a JWK. It fails if the JWK is not an Ed25519 key for signatures.
func (k JWK) Key() (ed25519.PublicKey, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(k.X)
	if err != nil || len(raw) != ed25519.PublicKeySize || k.Type != "OKP" || k.Curve != "Ed25519" || k.Use != "sig" || k.Algorithm != "EdDSA" {
		return nil, fmt.Errorf("the key %q is not an Ed25519 key for signatures", k.KeyID)
	}
	return ed25519.PublicKey(raw), nil
}
