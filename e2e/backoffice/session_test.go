package backoffice

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/backoffice/browser"
	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/customers"
)

func TestSessionCookie(t *testing.T) {
	t.Parallel()
	w := world.New(t, world.Options{Backoffice: true})
	credentials := url.Values{"username": {"admin"}, "password": {w.Password()}, "next": {"/customers"}}
	v := visit(t, w, "")
	for _, user := range []string{"", "admin"} {
		wantParts(t, page(t, v.post("/login", url.Values{"username": {user}}), http.StatusBadRequest), "Fill in both fields.", `id="password-help"`)
	}
	in := v.post("/login", credentials)
	if in.Status != http.StatusSeeOther || in.Header.Get("Location") != "/customers" {
		t.Fatalf("login: got %s %v, want a redirect to /customers", in, in.Header)
	}
	first := in.Header.Get("Set-Cookie")
	if !strings.HasPrefix(first, "pedidos_session=pes_") || !strings.HasSuffix(first, "; Path=/; Max-Age=604799; HttpOnly; SameSite=Lax") {
		t.Errorf("on loopback: got the cookie %s", first)
	}
	if other := v.post("/login", credentials, "Cookie", first).Header.Get("Set-Cookie"); cookieOf(other) == cookieOf(first) {
		t.Error("a login continued the session of its cookie, which somebody else may have set")
	}

	// Elsewhere, the browser must keep the cookie from other hosts and from plain HTTP.
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.BackofficeURL+"/login", strings.NewReader(credentials.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "pedidos.example.com"
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	public := call.Read(direct.Do(request)).Header.Get("Set-Cookie")
	if !strings.HasPrefix(public, "__Host-pedidos_session=pes_") || !strings.HasSuffix(public, "; Path=/; Max-Age=604799; HttpOnly; Secure; SameSite=Lax") {
		t.Errorf("elsewhere: got the cookie %s", public)
	}
	request, _ = http.NewRequestWithContext(t.Context(), http.MethodGet, w.BackofficeURL+"/login", nil)
	request.Host = "pedidos.example.com"
	if html := page(t, call.Read(direct.Do(request)), http.StatusOK); !strings.Contains(html, "not opened over HTTPS") {
		t.Error("the login over plain HTTP does not say that the browser will not keep the session")
	}
}

func cookieOf(header string) string {
	value, _, _ := strings.Cut(header, ";")
	return value
}

func TestLogoutEndsTheSession(t *testing.T) {
	t.Parallel()
	w := world.New(t, world.Options{Backoffice: true})
	v := visit(t, w, "admin")
	page(t, v.get("/"), http.StatusOK)
	elsewhere := visitor{t: t, base: w.ServeBackoffice(), cookie: v.cookie}
	page(t, elsewhere.get("/"), http.StatusOK)
	out := v.post("/logout", nil)
	if out.Status != http.StatusSeeOther || !strings.HasPrefix(out.Header.Get("Set-Cookie"), "pedidos_session=; Path=/; Max-Age=0;") ||
		out.Header.Get("Clear-Site-Data") != `"cache"` {
		t.Errorf("logout: got %s %v", out, out.Header)
	}
	if stolen := elsewhere.get("/"); stolen.Status != http.StatusSeeOther || stolen.Header.Get("Location") != "/login?next=%2F" {
		t.Errorf("with a copy of the cookie, at another instance: got %s %v, want the login", stolen, stolen.Header)
	}
	if stolen := v.get("/"); stolen.Status != http.StatusSeeOther || stolen.Header.Get("Location") != "/login?next=%2F" {
		t.Errorf("with a copy of the cookie: got %s %v, want the login", stolen, stolen.Header)
	}
	if again := v.post("/logout", nil); again.Status != http.StatusSeeOther {
		t.Errorf("logout again: got %s", again)
	}
}

// A disabled user and a changed role count at the next request.
func TestPeopleChange(t *testing.T) {
	t.Parallel()
	w := world.New(t, world.Options{Backoffice: true})
	s := w.Login("admin")
	v := visit(t, w, "manager")
	page(t, v.get("/customers/new"), http.StatusOK)
	change := func(c customers.UserChange) {
		t.Helper()
		call.Read(s.Customers.UpdateUser(t.Context(), userID(t, s, "manager"), nil, c)).Want(t, http.StatusOK)
	}
	change(customers.UserChange{Role: new(customers.RoleViewer)})
	if r := v.get("/customers/new"); r.Status != http.StatusSeeOther {
		t.Errorf("after a change of the role: got %s, want the login, as all sessions end", r)
	}
	v = visit(t, w, "manager")
	page(t, v.get("/customers"), http.StatusOK)
	page(t, v.get("/customers/new"), http.StatusForbidden)
	change(customers.UserChange{State: new(customers.StateDisabled)})
	if r := v.get("/customers"); r.Status != http.StatusSeeOther {
		t.Errorf("disabled: got %s, want the login", r)
	}
}

func userID(t *testing.T, s *call.Client, username string) int64 {
	t.Helper()
	var all customers.UserPage
	call.Read(s.Customers.ListUsers(t.Context(), nil)).Want(t, http.StatusOK, &all)
	for _, u := range all.Data {
		if u.Username == username {
			return u.ID
		}
	}
	t.Fatalf("no user %s", username)
	return 0
}

func TestRedirectsStayHere(t *testing.T) {
	t.Parallel()
	w := world.New(t, world.Options{Backoffice: true})
	for next, want := range map[string]string{
		"/orders?status=CREATED": "/orders?status=CREATED", "/customers/1": "/customers/1", "": "/",
		"//evil.example": "/", "///evil.example": "/", `/\evil.example`: "/", `\\evil.example`: "/", "https://evil.example": "/", "https:evil.example": "/",
		"javascript:alert(1)": "/", "/\tevil": "/", "/\n/evil.example": "/", "evil.example": "/", "@evil.example": "/", "//user@evil.example/": "/",
		"/%5cevil.example": "/", "/%2f/evil.example": "/", "http:///evil.example": "/", ".//evil.example": "/", "?x=//evil.example": "/",
	} {
		form := url.Values{"username": {"admin"}, "password": {w.Password()}, "next": {next}}
		if got := visit(t, w, "").post("/login", form); got.Status != http.StatusSeeOther || got.Header.Get("Location") != want {
			t.Errorf("next %q: got %d to %q, want %q", next, got.Status, got.Header.Get("Location"), want)
		}
		if got := visit(t, w, "").post("/preferences", url.Values{"lang": {"es"}, "back": {next}}).Header.Get("Location"); got != want {
			t.Errorf("back %q: got %q, want %q", next, got, want)
		}
	}
}

// A form that arrives after the session has ended is carried through the login. It takes effect when the person sends it, with the key
// that it had.
func TestSessionEndsWhileTyping(t *testing.T) {
	t.Parallel()
	w := world.New(t, world.Options{Backoffice: true})
	s := w.Login("admin")
	v := visit(t, w, "admin")
	form := hiddenFields(t, page(t, v.get("/customers/new"), http.StatusOK), "/customers/new")
	typed := with(form, "name", `Ferretería "Norte"`, "email", "norte@example.com")
	page(t, v.post("/customers/new", with(form, "name", "", "email", "")), http.StatusBadRequest)
	v.post("/logout", nil)

	login := page(t, v.post("/customers/new", typed), http.StatusUnauthorized)
	kept := hiddenFields(t, login, "/login")
	if kept.Get("resume") != "/customers/new" || kept.Get("kept.key") != form.Get("key") || kept.Get("kept.name") != `Ferretería "Norte"` {
		t.Fatalf("the login carries %v", kept)
	}
	wrong := page(t, v.post("/login", with(kept, "username", "admin", "password", "wrong")), http.StatusUnauthorized)
	kept = hiddenFields(t, wrong, "/login")
	in := v.post("/login", with(kept, "username", "admin", "password", w.Password()))
	v.cookie = cookieOf(in.Header.Get("Set-Cookie"))
	again := hiddenFields(t, page(t, in, http.StatusOK), "/customers/new")
	wantCustomers(t, s, 0)
	if got := again.Encode(); got != typed.Encode() {
		t.Errorf("after the login the form is %s, want %s", got, typed.Encode())
	}
	for range 2 {
		if done := v.post("/customers/new", again); done.Status != http.StatusSeeOther || done.Header.Get("Location") != "/customers/1?done=customer-created" {
			t.Errorf("sent: got %s %v", done, done.Header)
		}
	}
	wantCustomers(t, s, 1)
	for _, path := range []string{"https://evil.example/x", "//evil.example"} {
		if in := v.post("/login", with(kept, "resume", path, "username", "admin", "password", w.Password())); in.Status != http.StatusSeeOther {
			t.Errorf("a form for %s: got %s, want it dropped", path, in)
		}
	}
}

func wantCustomers(t *testing.T, s *call.Client, want int) {
	t.Helper()
	var all customers.CustomerPage
	call.Read(s.Customers.ListCustomers(t.Context(), nil)).Want(t, http.StatusOK, &all)
	if len(all.Data) != want {
		t.Errorf("there are %d customers, want %d", len(all.Data), want)
	}
}

func TestLoginRefused(t *testing.T) {
	t.Parallel()
	w := world.New(t, world.Options{Backoffice: true})
	v := visit(t, w, "", "Accept-Language", "es")
	html := page(t, v.post("/login", url.Values{"username": {"admin"}, "password": {"not this one"}}), http.StatusUnauthorized)
	if !strings.Contains(html, "El usuario o la contraseña no son correctos.") || strings.Contains(html, "not this one") || !strings.Contains(html, `value="admin"`) {
		t.Errorf("got %s, want the reason in Spanish, the user name, and no password", html)
	}
	for range 10 {
		if r := v.post("/login", url.Values{"username": {"admin"}, "password": {"not this one"}}); r.Status == http.StatusTooManyRequests {
			if html := page(t, r, http.StatusTooManyRequests); !strings.Contains(html, "Demasiados intentos. Esperar") {
				t.Errorf("got %s, want how long to wait", html)
			}
			return
		}
	}
	t.Error("eleven wrong passwords were not slowed down")
}

// The address of the browser is that of the session, not that of the backoffice.
func TestAddressOfTheBrowser(t *testing.T) {
	t.Parallel()
	w := world.New(t, world.Options{Backoffice: true})
	v := visit(t, w, "", "X-Forwarded-For", "192.0.2.44", "User-Agent", "A browser")
	v.post("/login", url.Values{"username": {"admin"}, "password": {w.Password()}})
	var sessions customers.SessionPage
	call.Read(w.With(browser.Session(t, w, "admin").Token).Customers.ListSessions(t.Context(), nil)).Want(t, http.StatusOK, &sessions)
	if first := sessions.Data[0]; first.Address != "192.0.2.44" || first.UserAgent == nil || *first.UserAgent != "A browser" {
		t.Errorf("got the session %+v, want the address and the browser of the person", first)
	}
}
