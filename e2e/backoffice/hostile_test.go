package backoffice

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/world"
)

// TestOtherSites sends forms as a browser sends those of other sites.
func TestOtherSites(t *testing.T) {
	t.Parallel()
	w := world.New(t, world.Options{Backoffice: true})
	s, v := w.Login("admin"), visit(t, w, "admin")
	form := with(hiddenFields(t, page(t, v.get("/customers/new"), http.StatusOK), "/customers/new"), "name", "x", "email", "x@example.com")
	for name, headers := range map[string][]string{
		"another site":                     {"Sec-Fetch-Site", "cross-site"},
		"a site of the same domain":        {"Sec-Fetch-Site", "same-site", "Origin", "http://127.0.0.1:1"},
		"an old browser on another site":   {"Origin", "https://evil.example"},
		"an old browser, another port":     {"Origin", "http://127.0.0.1:1"},
		"an old browser, a document: null": {"Origin", "null"},
	} {
		for _, path := range []string{"/customers/new", "/login", "/logout", "/preferences"} {
			if html := page(t, v.post(path, form, headers...), http.StatusForbidden); !strings.Contains(html, "came from another site") {
				t.Errorf("%s: POST %s: got %s, want the reason", name, path, html)
			}
		}
	}
	wantCustomers(t, s, 0)
	page(t, v.get("/"), http.StatusOK) // the session goes on
	for name, headers := range map[string][]string{"this site": {"Sec-Fetch-Site", "same-origin", "Origin", w.BackofficeURL}, "an old browser": {"Origin", w.BackofficeURL}} {
		if r := v.post("/customers/new", form, headers...); r.Status != http.StatusSeeOther {
			t.Errorf("%s: got %s, want the form accepted", name, r)
		}
	}
	wantCustomers(t, s, 1)
}

var (
	links = regexp.MustCompile(` href="(/[^"#]*)"`)
	forms = regexp.MustCompile(`<form[^>]* method="post"[^>]* action="(/[^"]*)"|<form[^>]* action="(/[^"]*)"[^>]* method="post"`)
)

// crawl opens all pages that links lead to and returns them by path.
func crawl(t *testing.T, v *visitor) map[string]string {
	t.Helper()
	pages, todo := map[string]string{}, []string{"/"}
	for len(todo) > 0 {
		path := todo[0]
		todo = todo[1:]
		if _, seen := pages[path]; seen || len(pages) > 300 {
			continue
		}
		r := v.get(path)
		if r.Status != http.StatusOK {
			t.Errorf("a link leads to %s: %d %.200s", path, r.Status, r.Body)
			continue
		}
		pages[path] = string(r.Body)
		if !strings.HasPrefix(r.Header.Get("Content-Type"), "text/html") {
			continue
		}
		for _, link := range links.FindAllStringSubmatch(string(r.Body), -1) {
			todo = append(todo, strings.ReplaceAll(link[1], "&amp;", "&"))
		}
	}
	return pages
}

// TestPages opens every page that a link leads to, for each role and language. No link leads to a page that the role may not open, every
// page has the headers that protect it, and markup in names stays text.
func TestPages(t *testing.T) {
	t.Parallel()
	w, _ := newShop(t)
	for role, least := range map[string]int{"viewer": 12, "operator": 18, "manager": 25, "admin": 40} {
		for _, language := range []string{"en", "es"} {
			t.Run(role+" "+language, func(t *testing.T) {
				t.Parallel()
				v := visit(t, w, role, "Accept-Language", language)
				pages := crawl(t, v)
				t.Logf("%d pages", len(pages))
				if len(pages) < least {
					t.Errorf("%d pages, want %d or more", len(pages), least)
				}
				for path, html := range pages {
					if strings.HasPrefix(path, "/static/") || strings.HasPrefix(path, "/orders.csv") {
						continue
					}
					if !strings.Contains(html, `<html lang="`+language+`"`) {
						t.Errorf("%s is not in %s", path, language)
					}
					if strings.Contains(html, "<img src=x") || strings.Contains(html, "<b>11</b>") || strings.Contains(html, " style=\"") || strings.Contains(html, "<script>") {
						t.Errorf("%s has markup in a name, or inline style or script", path)
					}
					for _, area := range []string{"/team", "/account/keys"} {
						if role != "admin" && strings.Contains(html, `href="`+area) {
							t.Errorf("%s leads a %s to %s", path, role, area)
						}
					}
				}
			})
		}
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	w, _ := newShop(t)
	v := visit(t, w, "admin")
	for _, path := range []string{"/login", "/", "/orders", "/orders/1", "/customers/9999", "/nowhere", "/setup", "/static/x/y"} {
		h := v.get(path).Header
		csp := h.Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'none'; ") || strings.Contains(csp, "unsafe") || !strings.Contains(csp, "frame-ancestors 'none'") ||
			!strings.Contains(csp, "base-uri 'none'") || !strings.Contains(csp, "form-action 'self'") {
			t.Errorf("%s: got the policy %q", path, csp)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") == "" || !strings.Contains(h.Get("Cache-Control"), "private") && !strings.Contains(h.Get("Cache-Control"), "no-store") {
			t.Errorf("%s: got %v", path, h)
		}
		if h.Get("Www-Authenticate") != "" {
			t.Errorf("%s makes the browser ask for a password", path)
		}
	}
}

// TestForms sends every form that an administrator sees as people with fewer rights. Nothing changes.
func TestForms(t *testing.T) {
	t.Parallel()
	w, s := newShop(t)
	var actions []string
	for _, html := range crawl(t, visit(t, w, "admin")) {
		for _, found := range forms.FindAllStringSubmatch(html, -1) {
			actions = append(actions, found[1]+found[2])
		}
	}
	slices.Sort(actions)
	actions = slices.Compact(actions)
	if len(actions) < 20 {
		t.Errorf("found only the forms %q", actions)
	}
	own := []string{"/login", "/logout", "/preferences", "/account/password", "/setup"}
	before := snapshot(t, s)
	for _, role := range []string{"viewer", "operator"} {
		v := visit(t, w, role)
		for _, action := range actions {
			if slices.Contains(own, action) || strings.HasPrefix(action, "/account/") {
				continue
			}
			if role == "operator" && (strings.HasPrefix(action, "/orders") || strings.HasSuffix(action, "/stock")) {
				continue
			}
			r := v.post(action, url.Values{"key": {"k"}, "name": {"changed"}, "email": {"c@example.com"}, "sku": {"X"}, "price": {"1"}, "stock": {"1"}, "reason": {"x"}, "role": {"admin"}, "ids": {"1"}, "action": {"confirm"}})
			if r.Status != http.StatusForbidden {
				t.Errorf("%s: POST %s: got %s, want 403", role, action, r)
			}
		}
	}
	if after := snapshot(t, s); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

// snapshot returns what the APIs list.
func snapshot(t *testing.T, s *call.Client) string {
	t.Helper()
	var all strings.Builder
	for _, path := range []string{"customers /customers", "orders /orders", "orders /products", "orders /products/1/stock-movements", "customers /integrators", "customers /integrators/1/keys"} {
		service, at, _ := strings.Cut(path, " ")
		all.Write(s.Send(t, service, http.MethodGet, at, "").Want(t, http.StatusOK).Body)
	}
	return all.String()
}

// TestAPIsDown stops the APIs. The pages say what is missing, in the language of the person, and not why.
func TestAPIsDown(t *testing.T) {
	t.Parallel()
	w, _ := newShop(t)
	v := visit(t, w, "admin", "Accept-Language", "es")
	w.Stop("orders")
	html := page(t, v.get("/orders"), http.StatusServiceUnavailable)
	if !strings.Contains(html, "No disponible por ahora") || strings.Contains(html, "connection refused") || strings.Contains(html, "127.0.0.1") {
		t.Errorf("got %s, want what to do, and no cause", html)
	}
	page(t, v.get("/customers"), http.StatusOK)
	page(t, v.get("/"), http.StatusOK) // the home page says which parts are missing
	w.Stop("customers")
	page(t, v.get("/customers"), http.StatusServiceUnavailable)
	v.get("/health").Want(t, http.StatusOK)
}

func TestNotFound(t *testing.T) {
	t.Parallel()
	w, _ := newShop(t)
	v := visit(t, w, "admin")
	for path, status := range map[string]int{
		"/nowhere": 404, "/orders/0": 404, "/orders/x": 404, "/orders/99999": 404, "/customers/99999": 404, "/products/99999999999999999999": 404, "/orders/1/": 404, "//orders": 404,
		"/orders?cursor=x": 400, "/orders?status=LOST": 400,
	} {
		if html := page(t, v.get(path), status); !strings.Contains(html, "<h1>") {
			t.Errorf("%s: got %s", path, html)
		}
	}
	page(t, v.post("/nowhere", nil), 404)
	page(t, v.post("/customers", nil), 405)
	large := page(t, v.post("/customers/new", url.Values{"name": {strings.Repeat("x", 2<<20)}}), 413)
	if !strings.Contains(large, "too large") {
		t.Errorf("a large form: got %s", large)
	}
}
