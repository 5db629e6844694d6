package backoffice

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/contract"
	"github.com/pedidos-hq/pedidos/services/backoffice"
)

// routeOf returns the route of a request.
func routeOf(method, path string) (backoffice.Route, bool) {
	path, _, _ = strings.Cut(path, "?")
	parts, found := strings.Split(path, "/"), backoffice.Route{}
	for _, r := range backoffice.Routes() {
		if r.Method != method {
			continue
		}
		if r.Path == path { // rather than one with parameters
			return r, true
		}
		if slices.EqualFunc(strings.Split(r.Path, "/"), parts, func(want, got string) bool { return want == got || strings.HasPrefix(want, ":") }) {
			found = r
		}
	}
	return found, found.Path != ""
}

// permissions returns whether a role may use everything that a route needs.
func permissions(t *testing.T) func(role string, r backoffice.Route) bool {
	t.Helper()
	var roles map[string][]string
	if err := json.Unmarshal(contract.Roles, &roles); err != nil {
		t.Fatal(err)
	}
	return func(role string, r backoffice.Route) bool {
		if len(r.Needs) == 0 {
			t.Errorf("%s %s needs nothing", r.Method, r.Path)
		}
		if r.Path == "/products/:id/edit" { // has the fields that the role may change, and is refused without any
			r.Needs = append(r.Needs, "updateProduct.name")
		}
		for _, what := range r.Needs {
			if roles[what] == nil {
				t.Errorf("%s %s needs %s, which no contract has", r.Method, r.Path, what)
			}
			if !slices.Contains(roles[what], role) {
				return false
			}
		}
		return true
	}
}

var parameter = regexp.MustCompile(`:\w+`)

// pathOf returns the path of a route in the shop, where the first of everything has the id 1.
func pathOf(r backoffice.Route) string {
	path := parameter.ReplaceAllString(r.Path, "1")
	if path == "/orders/cancel" {
		path += "?id=1"
	}
	return path
}

// anyForm has a value for each field of the forms.
func anyForm() url.Values {
	return url.Values{
		"key": {"k"}, "name": {"changed"}, "email": {"c@example.com"}, "sku": {"X"}, "price": {"1"}, "stock": {"1"}, "stock_delta": {"1"}, "reorder_level": {"1"},
		"reason": {"x"}, "role": {"admin"}, "state": {"disabled"}, "username": {"y"}, "id": {"1"}, "action": {"confirm"}, "customer": {"1"}, "product": {"1 DRILL"},
		"qty.1": {"1"}, "do": {"place"}, "current": {"x"}, "new": {"y"}, "token": {"z"}, "password": {"y"}, "lang": {"es"},
	}
}

// TestRoles requests every route as every role. It is refused exactly if the contracts do not admit the role to an operation that the
// route needs, and then nothing changes. A page has no form that the role may not send.
func TestRoles(t *testing.T) {
	t.Parallel()
	may := permissions(t)
	w, _ := newShop(t)
	roles := []string{"viewer", "operator", "manager", "admin"}
	visitors := map[string]*visitor{}
	for _, role := range roles {
		visitors[role] = visit(t, w, role)
	}
	before := dump(t, w)
	admitted, refused := 0, 0
	for _, r := range backoffice.Routes() {
		for _, role := range roles {
			switch {
			case !may(role, r):
				refused++
				page(t, visitors[role].send(r.Method, pathOf(r), anyForm()), http.StatusForbidden)
			case r.Method == http.MethodGet:
				admitted++
				got := visitors[role].get(pathOf(r))
				if got.Status != http.StatusOK {
					t.Errorf("%s: GET %s: got %d %.300s, want access", role, pathOf(r), got.Status, got.Body)
				}
				document(t, got).Find("form").Each(func(_ int, form *goquery.Selection) {
					action := form.AttrOr("action", "")
					to, ok := routeOf(method(form, form), action)
					if !ok && !slices.Contains(public(), action) {
						t.Errorf("%s has a form for %s, which is no route", pathOf(r), action)
					}
					if ok && !may(role, to) {
						t.Errorf("%s: %s has a form for %s", role, pathOf(r), action)
					}
				})
			}
		}
	}
	if after := dump(t, w); after != before {
		t.Error("a request that was refused, or a GET, changed the database")
	}
	t.Logf("%d pairs of a page and a role admitted, %d pairs of a route and a role refused", admitted, refused)
	if admitted < 70 || refused < 90 {
		t.Errorf("%d admitted and %d refused are fewer than there are", admitted, refused)
	}
}

// dump returns all rows of the database.
func dump(t *testing.T, w *world.World) string {
	t.Helper()
	rows, err := world.Dump(t.Context(), w.DB)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// public are the forms for people who may not be logged in.
func public() []string { return []string{"/login", "/logout", "/setup", "/preferences"} }

// TestOtherSites sends every form as a browser sends those of other sites.
func TestOtherSites(t *testing.T) {
	t.Parallel()
	w, s := newShop(t)
	v := visit(t, w, "admin")
	paths := public()
	for _, r := range backoffice.Routes() {
		if r.Method == http.MethodPost {
			paths = append(paths, pathOf(r))
		}
	}
	before := dump(t, w)
	for name, headers := range map[string][]string{
		"another site":                     {"Sec-Fetch-Site", "cross-site"},
		"another site, as if from here":    {"Sec-Fetch-Site", "cross-site", "Origin", w.BackofficeURL},
		"a site of the same domain":        {"Sec-Fetch-Site", "same-site", "Origin", "http://127.0.0.1:1"},
		"an old browser on another site":   {"Origin", "https://evil.example"},
		"an old browser, another port":     {"Origin", "http://127.0.0.1:1"},
		"an old browser, a document: null": {"Origin", "null"},
		"an old browser, a longer name":    {"Origin", w.BackofficeURL + ".evil.example"},
	} {
		for _, path := range paths {
			r := v.post(path, anyForm(), headers...)
			if html := page(t, r, http.StatusForbidden); !strings.Contains(html, "came from another site") || r.Header.Get("Set-Cookie") != "" {
				t.Errorf("%s: POST %s: got %s %v, want the reason and no cookie", name, path, html, r.Header)
			}
		}
	}
	if after := dump(t, w); after != before {
		t.Error("a form of another site changed the database")
	}
	page(t, v.get("/"), http.StatusOK) // the session goes on

	form := with(hiddenFields(t, page(t, v.get("/customers/new"), http.StatusOK), "/customers/new"), "name", "x", "email", "x@example.com")
	for name, headers := range map[string][]string{"this site": {"Sec-Fetch-Site", "same-origin", "Origin", w.BackofficeURL}, "an old browser": {"Origin", w.BackofficeURL}} {
		if r := v.post("/customers/new", form, headers...); r.Status != http.StatusSeeOther {
			t.Errorf("%s: got %s, want the form accepted", name, r)
		}
	}
	wantCustomers(t, s, 2)
}

// TestHeaders checks what protects a page, on every route, whether it is answered with a page, a redirect or an error.
func TestHeaders(t *testing.T) {
	t.Parallel()
	w, _ := newShop(t)
	type request struct{ method, path string }
	all := []request{{http.MethodGet, "/login"}, {http.MethodGet, "/setup"}, {http.MethodGet, "/nowhere"}, {http.MethodGet, "/static/x/y"},
		{http.MethodPost, "/orders"}, {http.MethodGet, "/orders/99999"}}
	for _, path := range public() {
		all = append(all, request{http.MethodPost, path})
	}
	for _, r := range backoffice.Routes() {
		all = append(all, request{r.Method, pathOf(r)})
	}
	const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	for _, role := range []string{"", "viewer", "admin"} {
		v := visit(t, w, role)
		for _, r := range all {
			if role == "admin" && r.method == http.MethodPost { // has effects; those of other people are refused
				continue
			}
			if role == "viewer" && slices.Contains(public(), r.path) || strings.HasPrefix(r.path, "/account/") { // ends the session
				continue
			}
			got := v.send(r.method, r.path, nil)
			h := got.Header
			if h.Get("Content-Security-Policy") != policy || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "same-origin" ||
				h.Get("Cross-Origin-Opener-Policy") != "same-origin" || h.Get("Vary") != "Accept-Language, Cookie" {
				t.Errorf("%s %s as %q: %d with %v", r.method, r.path, role, got.Status, h)
			}
			if cache := h.Get("Cache-Control"); cache != "private, no-cache" && cache != "no-store" {
				t.Errorf("%s %s as %q: %d may be cached: %q", r.method, r.path, role, got.Status, cache)
			}
			if h.Get("Www-Authenticate") != "" {
				t.Errorf("%s %s as %q makes the browser ask for a password", r.method, r.path, role)
			}
			if role == "" && r.method == http.MethodGet && h.Get("Location") != "" && h.Get("Location") != "/login?next="+url.QueryEscape(r.path) {
				t.Errorf("GET %s without a session leads to %s", r.path, h.Get("Location"))
			}
		}
	}
	html := page(t, visit(t, w, "").get("/login"), http.StatusOK)
	files := regexp.MustCompile(`/static/[^"]+`).FindAllString(html, -1)
	if len(files) != 3 {
		t.Fatalf("the login has the files %q, want a style, a script and an icon", files)
	}
	for _, file := range files {
		got := visit(t, w, "").get(file)
		if got.Status != http.StatusOK || got.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" {
			t.Errorf("%s: got %d %v", file, got.Status, got.Header)
		}
	}
}
