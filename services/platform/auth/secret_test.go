package auth_test

import (
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/services/platform/auth"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	secret := auth.NewSecret()
	if other := auth.NewSecret(); other == secret || len(secret) != 52 {
		t.Errorf("secrets %q and %q, want 52 characters, and different ones", secret, other)
	}
	for _, id := range []int64{1, 17, 1<<63 - 1} {
		key := auth.FormatKey(id, secret)
		got, hash, ok := auth.ParseKey(key)
		if !ok || got != id || hash != auth.Hash(secret) || !auth.IsKey(key) {
			t.Errorf("ParseKey(%q) = %d, %x, %t", key, got, hash, ok)
		}
	}
	good := auth.FormatKey(17, secret)
	for i := range good { // each character in turn
		for _, other := range []byte{'A', 'a', '2', '_', ' '} {
			if typed := good[:i] + string(other) + good[i+1:]; typed != good {
				if _, _, ok := auth.ParseKey(typed); ok {
					t.Errorf("ParseKey accepts %q in place of %q", typed, good)
				}
			}
		}
	}
	for _, bad := range []string{
		"", "ped_", "ped_17_", "ped_17", good[:len(good)-1], good + "A", " " + good, good + "\n", strings.ToLower(good),
		strings.Replace(good, "_17_", "_017_", 1), strings.Replace(good, "_17_", "_+17_", 1), strings.Replace(good, "_17_", "__", 1),
		auth.FormatKey(0, secret), auth.FormatKey(-1, secret), auth.FormatToken(auth.SessionPrefix, secret), "ped_99999999999999999999_" + secret,
	} {
		if _, _, ok := auth.ParseKey(bad); ok {
			t.Errorf("ParseKey accepts %q", bad)
		}
	}
}

func TestOpaqueTokens(t *testing.T) {
	t.Parallel()
	secret := auth.NewSecret()
	token := auth.FormatToken(auth.SessionPrefix, secret)
	if hash, ok := auth.ParseToken(auth.SessionPrefix, token); !ok || hash != auth.Hash(secret) {
		t.Errorf("ParseToken(%q) = %x, %t", token, hash, ok)
	}
	for _, bad := range []string{auth.FormatToken(auth.SetupPrefix, secret), token[1:], token + "A", token[:len(token)-1] + "!", ""} {
		if _, ok := auth.ParseToken(auth.SessionPrefix, bad); ok {
			t.Errorf("ParseToken accepts %q", bad)
		}
	}
}
