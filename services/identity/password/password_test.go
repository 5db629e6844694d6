package password_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/identity/password"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

// cheap are costs for tests.
var cheap = password.Params{MemoryKiB: 8, Iterations: 1, Parallelism: 1}

func TestHashAndCheck(t *testing.T) {
	t.Parallel()
	h := password.NewHasher(cheap, nil)
	hash, err := h.Hash(t.Context(), "contraseña larga")
	if err != nil {
		t.Fatal(err)
	}
	again, err := h.Hash(t.Context(), "contraseña larga")
	if err != nil || again == hash {
		t.Errorf("the second hash is %q, %v, want another salt", again, err)
	}
	costlier := password.NewHasher(password.Params{MemoryKiB: 16, Iterations: 1, Parallelism: 1}, nil)
	for _, test := range []struct {
		name         string
		hasher       *password.Hasher
		typed, hash  string
		ok, outdated bool
		fails        bool
	}{
		{"right", h, "contraseña larga", hash, true, false, false},
		{"right, typed as n and tilde", h, "contrasen\u0303a larga", hash, true, false, false},
		{"wrong", h, "contraseña corta", hash, false, false, false},
		{"another case", h, "Contraseña larga", hash, false, false, false},
		{"empty", h, "", hash, false, false, false},
		{"no password set", h, "contraseña larga", "", false, false, false},
		{"no password set, empty", h, "", "", false, false, false},
		{"made with other costs", costlier, "contraseña larga", hash, true, true, false},
		{"not a hash", h, "contraseña larga", "contraseña larga", false, false, true},
		{"absurd memory", h, "x", strings.Replace(hash, "m=8,", "m=1048577,", 1), false, false, true},
		{"absurd iterations", h, "x", strings.Replace(hash, "t=1,", "t=101,", 1), false, false, true},
	} {
		ok, outdated, err := test.hasher.Check(t.Context(), test.typed, test.hash)
		if ok != test.ok || outdated != test.outdated || (err != nil) != test.fails {
			t.Errorf("%s: Check = %t, %t, %v, want %t, %t, an error: %t", test.name, ok, outdated, err, test.ok, test.outdated, test.fails)
		}
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	h := password.NewHasher(cheap, nil)
	for _, test := range []struct{ password, want string }{
		{"correct horse battery", ""},
		{"          ", ""}, // ten blanks: any characters
		{strings.Repeat("ñ", 128), ""},
		{strings.Repeat("n\u0303", 128), ""}, // 128 characters in NFC
		{"123456789", "must have at least 10 characters"},
		{strings.Repeat("ñ", 129), "must have at most 128 characters"},
		{"1234567890", "is one of the most common passwords"},
		{"manchester", "is one of the most common passwords"},
		{"ManChester", "is one of the most common passwords"},
		{"ana.perez.1985", "must not be your name"},
		{"Ana.Perez.1985", "must not be your name"},
		{"planted-\xff-password", "must be valid UTF-8"},
	} {
		got := h.Validate("password", test.password, "ana.perez.1985")
		if test.want == "" && got != nil || test.want != "" && (got == nil || got.Message != test.want || got.Field != "password") {
			t.Errorf("Validate(%q) = %v, want %q", test.password, got, test.want)
		}
	}
}

// Callers beyond the one at work and the 100 that wait are refused at once, and a caller who leaves stops waiting.
func TestWaiting(t *testing.T) {
	t.Parallel()
	h := password.NewHasher(password.Params{MemoryKiB: 16 << 10, Iterations: 100, Parallelism: 1}, nil) // seconds
	ctx, cancel := context.WithCancel(t.Context())
	results := make(chan error)
	const callers = 150
	for range callers {
		go func() {
			_, err := h.Hash(ctx, "correct horse battery")
			results <- err
		}()
	}
	refused := 0
	for range callers - 101 {
		err := <-results
		if !fault.Is(err, common.CodeUnavailable) {
			t.Errorf("got %v, want unavailable", err)
		}
		refused++
	}
	cancel()
	for range 100 {
		if err := <-results; !errors.Is(err, context.Canceled) {
			t.Errorf("a caller who left: %v, want Canceled", err)
		}
	}
	if err := <-results; err != nil { // the one at work
		t.Error(err)
	}
	if refused != callers-101 {
		t.Errorf("%d refused, want %d", refused, callers-101)
	}
}

// One hash with the default costs.
func BenchmarkHash(b *testing.B) {
	h := password.NewHasher(password.Params{MemoryKiB: 46 << 10, Iterations: 1, Parallelism: 1}, nil)
	for b.Loop() {
		if _, err := h.Hash(b.Context(), "correct horse battery"); err != nil {
			b.Fatal(err)
		}
	}
}
