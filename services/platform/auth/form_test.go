package auth_test

import (
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/services/platform/auth"
)

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
		caller, err := scheme(test.token)
		if caller.Role != test.role || (err == nil) != (test.role != "") || errors.Is(err, auth.ErrExpired) != test.expired {
			t.Errorf("%s: got %+v, %v, want the role %q, expired: %t", test.name, caller, err, test.role, test.expired)
		}
	}
}

func TestExpiredToken(t *testing.T) {
	t.Parallel()
	c := &clock{start}
	tokens := auth.NewTokens(secret, time.Hour, c.now)
	token, _, err := tokens.Issue("ana", auth.Admin)
	if err != nil {
		t.Fatal(err)
	}
	c.at = start.Add(2 * time.Hour)
	if _, err := tokens.Verify(token); !errors.Is(err, auth.ErrExpired) {
		t.Errorf("expired: %v, want ErrExpired", err)
	}
	if _, err := tokens.Verify(token[:len(token)-5] + "AAAAA"); err == nil || errors.Is(err, auth.ErrExpired) {
		t.Errorf("expired and forged: %v, want an error other than ErrExpired", err)
	}
}
