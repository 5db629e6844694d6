package auth_test

import (
	"slices"
	"testing"
	"time"

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
		got, err := auth.ServiceTokens(test.list)(test.token)
		want := auth.Caller{}
		if test.known {
			want = auth.Caller{Name: "service", Role: auth.Service}
		}
		if got != want || (err == nil) != test.known {
			t.Errorf("ServiceTokens(%q)(%q) = %+v, %v, want %+v", test.list, test.token, got, err, want)
		}
	}
}

func TestLogin(t *testing.T) {
	t.Parallel()
	users := []auth.User{
		{Name: "ana", Password: "correct horse", Role: auth.Admin},
		{Name: "víctor", Password: "ñandú 123", Role: auth.Viewer},
	}
	for _, test := range []struct {
		name, password string
		want           string // the user, or "" for a refusal
	}{
		{"ana", "correct horse", "ana"},
		{"víctor", "ñandú 123", "víctor"},
		{"ana", "ñandú 123", ""}, // another user's password
		{"víctor", "correct horse", ""},
		{"ana", "correct hors", ""},
		{"ana", "Correct horse", ""},
		{"ana", "correct horse ", ""},
		{"ana", "", ""},
		{"Ana", "correct horse", ""},
		{"", "correct horse", ""},
		{"", "", ""},
		{"anacorrect", " horse", ""},
	} {
		got, ok := auth.Login(users, test.name, test.password)
		if got.Name != test.want || ok != (test.want != "") {
			t.Errorf("Login(%q, %q) = %+v, %t, want %q", test.name, test.password, got, ok, test.want)
		}
	}
	if got, ok := auth.Login(nil, "", ""); ok {
		t.Errorf("Login without users = %+v", got)
	}
}

// The time of a login must not reveal whether the user exists. The metric of-wrong is the median time of a login divided by that of
// a login with a wrong password. The two alternate.
func BenchmarkLogin(b *testing.B) {
	users := []auth.User{
		{Name: "ana", Password: "correct horse", Role: auth.Admin},
		{Name: "víctor", Password: "ñandú 123", Role: auth.Viewer},
	}
	const perTurn = 100 // a single login is too short to measure
	logins := func(b *testing.B, name, password string, want bool) time.Duration {
		start := time.Now()
		for range perTurn {
			if _, ok := auth.Login(users, name, password); ok != want {
				b.Fatalf("Login(%q, %q) = %t", name, password, ok)
			}
		}
		return time.Since(start)
	}
	for _, test := range []struct {
		kind, name, password string
		ok                   bool
	}{
		{"unknown", "eva", "battery staple", false},
		{"wrong", "ana", "battery staple", false},
		{"right", "ana", "correct horse", true},
	} {
		b.Run(test.kind, func(b *testing.B) {
			var times, wrongTimes []time.Duration
			for b.Loop() {
				times = append(times, logins(b, test.name, test.password, test.ok))
				wrongTimes = append(wrongTimes, logins(b, "ana", "battery staple", false))
			}
			slices.Sort(times)
			slices.Sort(wrongTimes)
			median, wrong := float64(times[len(times)/2]), float64(wrongTimes[len(wrongTimes)/2])
			b.ReportMetric(0, "ns/op") // hides the default, which covers both
			b.ReportMetric(median/perTurn, "ns/login")
			b.ReportMetric(median/wrong, "of-wrong")
		})
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
