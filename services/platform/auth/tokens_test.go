package auth_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"hash"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/services/platform/auth"
)

const secret = "0123456789abcdef0123456789abcdef"

var start = time.Date(2026, 3, 1, 12, 0, 0, 500_000_000, time.UTC)

// clock is a clock that tests set.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func TestIssueAndVerify(t *testing.T) {
	t.Parallel()
	now := (&clock{start}).now
	key := newKey("k1")
	for _, want := range []auth.Caller{
		{Name: "user:ana", Role: auth.Admin},
		{Name: "user:ana", Role: auth.Viewer, ID: 7, DisplayName: "Ana Pérez"},
		{Name: "user:user:x", Role: auth.Operator, ID: 1<<53 - 1, DisplayName: "x", Session: 9},
		{Name: "user:víctor", Role: auth.Manager, ID: 8, DisplayName: "Víctor", Session: 1},
	} {
		for _, test := range []struct {
			name     string
			issuer   *auth.Issuer
			verifier *auth.Verifier
		}{
			{"HS256", auth.NewHMACIssuer(secret, now), auth.NewVerifier(secret, nil, now)},
			{"EdDSA", auth.NewIssuer(key.current, now), auth.NewVerifier("", keySet{"k1": key}.find, now)},
		} {
			token, err := test.issuer.Issue(t.Context(), want, time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			for _, when := range []string{"first", "cached"} {
				if got, err := test.verifier.Verify(t.Context(), token); err != nil || got != want {
					t.Errorf("%s, %s: Verify = %+v, %v, want %+v", test.name, when, got, err, want)
				}
			}
		}
	}
}

func TestTokenLifetime(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		after time.Duration
		valid bool
	}{
		{"at once", 0, true},
		{"at its expiry, by a clock 59 s ahead", time.Hour + 59*time.Second, true},
		{"at its expiry, by a clock 60 s ahead", time.Hour + 60*time.Second, false},
		{"a day later", 24 * time.Hour, false},
		{"by a clock 2 s behind", -2 * time.Second, true},
		{"by a clock 60 s behind", -60 * time.Second, true},
		{"by a clock 62 s behind", -62 * time.Second, false},
	} {
		for _, cached := range []bool{false, true} {
			c := &clock{start}
			tokens := auth.NewVerifier(secret, nil, c.now)
			token := issue(t, secret, c.now)
			if cached {
				if _, err := tokens.Verify(t.Context(), token); err != nil {
					t.Fatal(err)
				}
			}
			c.at = start.Add(test.after)
			got, err := tokens.Verify(t.Context(), token)
			if want := (auth.Caller{Name: "user:ana", Role: auth.Admin}); (err == nil) != test.valid || test.valid && got != want {
				t.Errorf("%s, cached: %t: Verify = %+v, %v, want valid: %t", test.name, cached, got, err, test.valid)
			}
		}
	}
}

// To rotate, an operator puts a new secret before the old one, and removes the old one once its tokens have expired.
func TestRotation(t *testing.T) {
	t.Parallel()
	const another = "another-secret-that-has-32-bytes-or-more"
	issued := func(secrets string) string {
		t.Helper()
		return issue(t, secrets, (&clock{start}).now)
	}
	before, after := issued(secret), issued(another+", "+secret)
	for _, test := range []struct {
		secrets       string
		before, after bool
	}{
		{secret, true, false},
		{another + ", " + secret, true, true},
		{secret + "," + another, true, true}, // the old process must accept tokens of a new one
		{another, false, true},
	} {
		tokens := auth.NewVerifier(test.secrets, nil, (&clock{start}).now)
		for token, want := range map[string]bool{before: test.before, after: test.after} {
			if _, err := tokens.Verify(t.Context(), token); (err == nil) != want {
				t.Errorf("%q: Verify of a token of the old secret: %t: %v, want valid: %t", test.secrets, token == before, err, want)
			}
		}
	}
}

func TestClaimsOfIssuedToken(t *testing.T) {
	t.Parallel()
	tokens := auth.NewHMACIssuer(secret, (&clock{start}).now)
	seen := map[string]bool{}
	for range 3 {
		token, err := tokens.Issue(t.Context(), auth.Caller{Name: "user:ana", Role: auth.Viewer, ID: 7, DisplayName: "Ana", Session: 9}, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(token, ".")
		if len(parts) != 3 {
			t.Fatalf("token has %d parts: %s", len(parts), token)
		}
		if header := decode(t, parts[0]); header["alg"] != "HS256" {
			t.Errorf("alg = %v, want HS256", header["alg"])
		}
		claims := decode(t, parts[1])
		for name, want := range map[string]any{
			"sub": "ana", "role": "viewer", "iss": "pedidos", "uid": 7.0, "name": "Ana", "sid": 9.0,
			"iat": float64(start.Unix()), "exp": float64(start.Add(time.Hour).Unix()),
		} {
			if claims[name] != want {
				t.Errorf("%s = %v, want %v", name, claims[name], want)
			}
		}
		if aud, ok := claims["aud"].([]any); !ok || len(aud) != 1 || aud[0] != "pedidos" {
			t.Errorf("aud = %v, want [pedidos]", claims["aud"])
		}
		jti, _ := claims["jti"].(string)
		if jti == "" || seen[jti] {
			t.Errorf("jti = %q, want a unique one", jti)
		}
		seen[jti] = true
	}
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	valid := map[string]any{
		"sub": "ana", "role": "admin", "iss": "pedidos", "aud": "pedidos", "jti": "1",
		"iat": start.Unix(), "nbf": start.Unix(), "exp": start.Add(time.Hour).Unix(),
	}
	with := func(name string, value any) string {
		claims := maps.Clone(valid)
		claims[name] = value
		return sign(t, "HS256", sha256.New, secret, claims)
	}
	without := func(name string) string {
		claims := maps.Clone(valid)
		delete(claims, name)
		return sign(t, "HS256", sha256.New, secret, claims)
	}
	good := sign(t, "HS256", sha256.New, secret, valid)
	head, rest, _ := strings.Cut(good, ".")
	payload, signature, _ := strings.Cut(rest, ".")

	tokens := auth.NewVerifier(secret, nil, (&clock{start}).now)
	if _, err := tokens.Verify(t.Context(), good); err != nil { // otherwise the refusals below would prove nothing
		t.Fatalf("the valid token: %v", err)
	}
	if _, err := tokens.Verify(t.Context(), with("aud", []string{"other", "pedidos"})); err != nil {
		t.Errorf("one audience of several: %v", err)
	}
	for _, test := range []struct{ name, token string }{
		{"alg none, unsigned", encode(t, map[string]any{"alg": "none", "typ": "JWT"}) + "." + payload + "."},
		{"alg none, HS256 signature", encode(t, map[string]any{"alg": "none", "typ": "JWT"}) + "." + payload + "." + signature},
		{"alg None, unsigned", encode(t, map[string]any{"alg": "None"}) + "." + payload + "."},
		{"alg HS512, same secret", sign(t, "HS512", sha512.New, secret, valid)},
		{"alg RS256 in the header, signed HS256", sign(t, "RS256", sha256.New, secret, valid)},
		{"alg HS512 in the header, signed HS256", sign(t, "HS512", sha256.New, secret, valid)},
		{"alg HS384, same secret", sign(t, "HS384", sha512.New384, secret, valid)},
		{"alg changed to HS512, HS256 signature", encode(t, map[string]any{"alg": "HS512"}) + "." + payload + "." + signature},
		{"alg changed to RS256, HS256 signature", encode(t, map[string]any{"alg": "RS256", "typ": "JWT"}) + "." + payload + "." + signature},
		{"key in the header", sign(t, "HS256", sha256.New, "another secret", valid, "jwk", map[string]any{
			"kty": "oct", "k": base64.RawURLEncoding.EncodeToString([]byte("another secret")),
		})},
		{"wrong secret", sign(t, "HS256", sha256.New, strings.ToUpper(secret), valid)},
		{"empty secret", sign(t, "HS256", sha256.New, "", valid)},
		{"unsigned", head + "." + payload + "."},
		{"claims swapped", head + "." + encode(t, map[string]any{"sub": "eve", "role": "admin"}) + "." + signature},
		{"wrong issuer", with("iss", "somebody")},
		{"no issuer", without("iss")},
		{"wrong audience", with("aud", "somebody")},
		{"no audience", without("aud")},
		{"no exp", without("exp")},
		{"exp 0", with("exp", 0)},
		{"exp null", with("exp", nil)},
		{"exp of a wrong type", with("exp", "soon")},
		{"exp a string of digits", with("exp", strconv.FormatInt(start.Add(time.Hour).Unix(), 10))},
		{"nbf a string of digits", with("nbf", strconv.FormatInt(start.Unix(), 10))},
		{"iat a string of digits", with("iat", strconv.FormatInt(start.Unix(), 10))},
		{"exp negative", with("exp", -1)},
		{"no sub", without("sub")},
		{"sub null", with("sub", nil)},
		{"sub empty", with("sub", "")},
		{"sub of a wrong type", with("sub", 7)},
		{"uid a string", with("uid", "7")},
		{"sid a string", with("sid", "9")},
		{"expired", with("exp", start.Add(-time.Minute).Unix())},
		{"not yet valid", with("nbf", start.Add(62*time.Second).Unix())},
		{"issued in the future", with("iat", start.Add(62*time.Second).Unix())},
		{"a critical extension", sign(t, "HS256", sha256.New, secret, valid, "crit", []string{"exp"}, "exp", start.Unix())},
		{"an unencoded payload", sign(t, "HS256", sha256.New, secret, valid, "crit", []string{"b64"}, "b64", true)},
		{"empty list of critical extensions", sign(t, "HS256", sha256.New, secret, valid, "crit", []string{})},
		{"no role", without("role")},
		{"unknown role", with("role", "root")},
		{"role in another case", with("role", "Admin")},
		{"role of the service token", with("role", "service")},
		{"role a number", with("role", 1)},
		{"role a list", with("role", []string{"admin"})},
		{"role null", with("role", nil)},
		{"claims not JSON", signRaw("HS256", sha256.New, secret, "not json")},
		{"claims a list", signRaw("HS256", sha256.New, secret, `["admin"]`)},
		{"bare claims", `{"sub":"ana","role":"admin"}`},
		{"garbage", "garbage"},
		{"dots", ".."},
		{"empty", ""},
		{"truncated signature", good[:len(good)-1]},
		{"truncated after the claims", head + "." + payload},
		{"truncated in the claims", good[:len(head)+10]},
	} {
		if got, err := tokens.Verify(t.Context(), test.token); err == nil || got != (auth.Caller{}) {
			t.Errorf("%s: Verify = %+v, %v, want an error and no caller", test.name, got, err)
		}
	}
}

// A service without the keys refuses malformed and expired tokens, and accepts all others.
func TestUnverified(t *testing.T) {
	t.Parallel()
	scheme := auth.Unverified((&clock{start}).now)
	claims := func(name string, value any) map[string]any {
		c := map[string]any{"sub": "ana", "role": "admin", "iss": "pedidos", "aud": "pedidos", "exp": start.Add(time.Hour).Unix()}
		if c[name] = value; value == nil {
			delete(c, name)
		}
		return c
	}
	signed := func(name string, value any) string {
		return sign(t, "HS256", sha256.New, "the secret of another service", claims(name, value))
	}
	good := signed("role", "viewer")
	head, rest, _ := strings.Cut(good, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	names := map[string]string{}
	for _, test := range []struct {
		name, token string
		role        auth.Role // "" for a refusal
		expired     bool
	}{
		{"admin", signed("role", "admin"), auth.Admin, false},
		{"viewer", good, auth.Viewer, false},
		{"another algorithm", sign(t, "ES256", sha256.New, "x", claims("role", "admin")), auth.Admin, false},
		{"expired within the clock skew", signed("exp", start.Add(-59*time.Second).Unix()), auth.Admin, false},
		{"a fraction of a second", signed("exp", float64(start.Unix())+0.5), auth.Admin, false},
		{"expired", signed("exp", start.Add(-61*time.Second).Unix()), "", true},
		{"no exp", signed("exp", nil), "", true},
		{"exp a word", signed("exp", "tomorrow"), "", false},
		{"exp a string of digits", signed("exp", "99999999999"), "", false},
		{"no role", signed("role", nil), "", false},
		{"role of services", signed("role", "service"), "", false},
		{"unknown role", signed("role", "root"), "", false},
		{"role a number", signed("role", 1), "", false},
		{"unsigned", encode(t, map[string]any{"alg": "none"}) + "." + payload + "." + signature, "", false},
		{"no algorithm", encode(t, map[string]any{"typ": "JWT"}) + "." + payload + "." + signature, "", false},
		{"no signature", head + "." + payload + ".", "", false},
		{"an API key", auth.FormatKey(7, auth.NewSecret()), auth.Forwarded, false},
		{"a mistyped API key", auth.FormatKey(7, auth.NewSecret()) + "X", "", false},
		{"two parts", head + "." + payload, "", false},
		{"four parts", good + "." + signature, "", false},
		{"not base64url", head + "." + payload + ".+/=", "", false},
		{"claims not JSON", signRaw("HS256", sha256.New, "x", "not json"), "", false},
		{"claims a list", signRaw("HS256", sha256.New, "x", "[]"), "", false},
		{"JSON serialization", `{"payload":"` + payload + `","protected":"` + head + `","signature":"` + signature + `"}`, "", false},
		{"a word", "x", "", false},
		{"three words", "x.y.z", "", false},
		{"dots", "..", "", false},
		{"nothing", "", "", false},
	} {
		caller, err := scheme(t.Context(), test.token)
		if caller.Role != test.role || (err == nil) != (test.role != "") || errors.Is(err, auth.ErrExpired) != test.expired {
			t.Errorf("%s: got %+v, %v, want the role %q, expired: %t", test.name, caller, err, test.role, test.expired)
		}
		if again, _ := scheme(t.Context(), test.token); err == nil && (again.Name != caller.Name || names[caller.Name] != "") {
			t.Errorf("%s: got the names %q and %q, want one of its own", test.name, caller.Name, again.Name)
		}
		names[caller.Name] = test.name
	}
}

func TestExpiredToken(t *testing.T) {
	t.Parallel()
	c := &clock{start}
	tokens := auth.NewVerifier(secret, nil, c.now)
	token := issue(t, secret, c.now)
	c.at = start.Add(2 * time.Hour)
	if _, err := tokens.Verify(t.Context(), token); !errors.Is(err, auth.ErrExpired) {
		t.Errorf("expired: %v, want ErrExpired", err)
	}
	if _, err := tokens.Verify(t.Context(), token[:len(token)-5]+"AAAAA"); err == nil || errors.Is(err, auth.ErrExpired) {
		t.Errorf("expired and forged: %v, want an error other than ErrExpired", err)
	}
}

// The cache keeps most of a set of tokens that is slightly larger than it. The number of allocations shows that Verify does not
// parse cached tokens.
func TestVerifiedTokensAreCached(t *testing.T) {
	tokens := auth.NewVerifier(secret, nil, (&clock{start}).now)
	many := make([]string, 10_200)
	for i := range many { // ten times faster than Issue
		many[i] = sign(t, "HS256", sha256.New, secret, map[string]any{
			"sub": "ana", "role": "admin", "iss": "pedidos", "aud": "pedidos", "jti": strconv.Itoa(i), "exp": start.Add(time.Hour).Unix(),
		})
	}
	verify := func(some []string) {
		for _, token := range some {
			if _, err := tokens.Verify(t.Context(), token); err != nil {
				t.Error(err)
				return
			}
		}
	}
	var first sync.WaitGroup
	for some := range slices.Chunk(many, len(many)/runtime.GOMAXPROCS(0)+1) {
		first.Go(func() { verify(some) })
	}
	first.Wait()
	allocations := testing.AllocsPerRun(1, func() { verify(many) }) // of the second run; the first one warms up
	if allocations > 125*float64(len(many)) {                       // half of what parsing allocates
		t.Errorf("verifying %d cached tokens took %.0f allocations", len(many), allocations)
	}
}

// issue returns a token that is signed with HS256.
func issue(t *testing.T, secrets string, now func() time.Time) string {
	t.Helper()
	token, err := auth.NewHMACIssuer(secrets, now).Issue(t.Context(), auth.Caller{Name: "user:ana", Role: auth.Admin}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// sign returns a JWT, made without the package under test. Header holds pairs of names and values of header fields.
func sign(t *testing.T, alg string, hash func() hash.Hash, secret string, claims map[string]any, header ...any) string {
	t.Helper()
	fields := map[string]any{"alg": alg, "typ": "JWT"}
	for i := 0; i < len(header); i += 2 {
		fields[header[i].(string)] = header[i+1]
	}
	return seal(encode(t, fields)+"."+encode(t, claims), hash, secret)
}

func signRaw(alg string, hash func() hash.Hash, secret, payload string) string {
	b64 := base64.RawURLEncoding
	return seal(b64.EncodeToString([]byte(`{"alg":"`+alg+`"}`))+"."+b64.EncodeToString([]byte(payload)), hash, secret)
}

func seal(input string, hash func() hash.Hash, secret string) string {
	mac := hmac.New(hash, []byte(secret))
	mac.Write([]byte(input))
	return input + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func encode(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

func decode(t *testing.T, part string) (v map[string]any) {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}
