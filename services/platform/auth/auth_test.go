package auth_test

import (
	"testing"

	"github.com/pedidos-hq/pedidos/services/platform/auth"
)

func TestServiceTokens(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		list, token string
		known       bool
	}{
		{"one", "one", true},
		{"one,two", "one", true},
		{"one,two", "two", true},
		{" one , two ,", "one", true},
		{" one , two ,", "two", true},
		{"one,two", "one,two", false},
		{"one,two", "on", false},
		{"one,two", "ONE", false},
		{"one,two", " one", false},
		{"one,two", "", false},
		{"one,,two,", "", false},
		{"one, ,two", " ", false},
		{"", "", false},
		{" , ,", "", false},
		{",", ",", false},
		{"", "one", false},
	} {
		got, err := auth.ServiceTokens(test.list)(t.Context(), test.token)
		want := auth.Caller{}
		if test.known {
			want = auth.Caller{Name: "service", Role: auth.Service}
		}
		if got != want || (err == nil) != test.known {
			t.Errorf("ServiceTokens(%q)(%q) = %+v, %v, want %+v", test.list, test.token, got, err, want)
		}
	}
}

func TestBearer(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		header, token string
		ok            bool
	}{
		{"Bearer abc", "abc", true},
		{"bearer abc", "abc", true},
		{"BEARER abc", "abc", true},
		{"Bearer   abc  ", "abc", true},
		{"Bearer abc def", "abc def", true}, // not a valid token, which its scheme detects
		{"Bearer", "", false},
		{"Bearer ", "", false},
		{"Bearer    ", "", false},
		{"Bearerabc", "", false},
		{"Basic abc", "", false},
		{" Bearer abc", "", false},
		{"abc", "", false},
		{"", "", false},
	} {
		token, ok := auth.Bearer(test.header)
		if ok != test.ok || (ok && token != test.token) {
			t.Errorf("Bearer(%q) = %q, %t, want %q, %t", test.header, token, ok, test.token, test.ok)
		}
	}
}

func TestFromContext(t *testing.T) {
	t.Parallel()
	if got, ok := auth.From(t.Context()); ok || got != (auth.Caller{}) {
		t.Errorf("From an empty context = %+v, %t", got, ok)
	}
	want := auth.Caller{Name: "user:ana", Role: auth.Viewer}
	if got, ok := auth.From(auth.WithCaller(t.Context(), want)); !ok || got != want {
		t.Errorf("From = %+v, %t, want %+v", got, ok, want)
	}
}
