package backoffice

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/call"
)

// TestAPIsDown stops the APIs. The pages say what is missing, in the language of the person, and not why.
func TestAPIsDown(t *testing.T) {
	t.Parallel()
	w, _ := newShop(t)
	v := visit(t, w, "admin", "Accept-Language", "es")
	w.Pause("orders")
	html := page(t, v.get("/orders"), http.StatusServiceUnavailable)
	if !strings.Contains(html, "No disponible por ahora") || strings.Contains(html, "connection refused") || strings.Contains(html, "127.0.0.1") {
		t.Errorf("got %s, want what to do, and no cause", html)
	}
	failures := w.Log.Lines(`"msg":"request failed"`, `"service":"backoffice"`)
	if len(failures) != 1 || !strings.Contains(failures[0], "EOF") {
		t.Errorf("got the log %q, want one line with the cause", failures)
	}
	reference := regexp.MustCompile(`<code>([0-9a-f]{32})</code>`).FindStringSubmatch(html)
	if reference == nil || len(failures) > 0 && !strings.Contains(failures[0], reference[1]) {
		t.Errorf("the page has the reference %q, the log %q", reference, failures)
	}
	page(t, v.get("/customers"), http.StatusOK)
	page(t, v.get("/"), http.StatusOK) // the home page says which parts are missing
	w.Pause("customers")
	page(t, v.get("/customers"), http.StatusServiceUnavailable)
	v.get("/health").Want(t, http.StatusOK)
}

// TestBadQueries checks that a list says what it does not accept in its address, and where it begins.
func TestBadQueries(t *testing.T) {
	t.Parallel()
	w, _ := newShop(t)
	v := visit(t, w, "admin")
	const gone = "This page of the list is gone; start from the first."
	for path, want := range map[string]string{
		"/orders?cursor=x": gone, "/products?cursor=x": gone, "/customers?cursor=x": gone, "/customers/1?cursor=x": gone,
		"/products/1?cursor=x": gone, "/products/1?tab=orders&cursor=x": gone, "/team?cursor=x": gone, "/team/integrators?cursor=x": gone,
		"/team/integrators/1?cursor=x": gone, "/team/audit?cursor=x": gone, "/account?cursor=x": gone,
		"/customers?search=%00":                         "Search: Must not contain control characters.",
		"/customers?search=" + strings.Repeat("x", 500): "Search: Must have at most 100 characters.",
		"/orders?from=xx":                               "From: This is not a day.",
		"/team/audit?from=xx":                           "From: This is not a day.",
		"/team/audit?action=x":                          "What: Must be an action",
	} {
		list := document(t, call.Response{Body: []byte(page(t, v.get(path), http.StatusBadRequest))}).Find("#list [role=alert]")
		if text := list.Text(); !strings.Contains(text, "This filter is not valid") || !strings.Contains(text, want) {
			t.Errorf("%s: the list says %q, want %q", path, text, want)
		}
		to, _ := list.Find("a").Attr("href")
		page(t, v.get(to), http.StatusOK)
	}
	page(t, v.get("/customers/99999?cursor=x"), http.StatusNotFound)
}

// TestFailureKeepsNavigation checks that the page of a failure does not look as if the session had ended.
func TestFailureKeepsNavigation(t *testing.T) {
	t.Parallel()
	w, _ := newShop(t)
	v := visit(t, w, "viewer")
	areas := func(v *visitor, path string, status int) int {
		t.Helper()
		page(t, v.get(path), status)
		return document(t, v.get(path)).Find("header nav a").Length()
	}
	for path, status := range map[string]int{"/nowhere": 404, "/orders/99999": 404, "/customers/new": 403} {
		if n := areas(v, path, status); n != 4 {
			t.Errorf("%s has %d areas, want those of a viewer", path, n)
		}
	}
	if n := areas(visit(t, w, ""), "/nowhere", 404); n != 0 {
		t.Errorf("without a session there are %d areas", n)
	}
	w.Pause("customers")
	if n := areas(v, "/nowhere", 404); n != 0 {
		t.Errorf("without customers-api there are %d areas", n)
	}
}

func TestNotFound(t *testing.T) {
	t.Parallel()
	w, _ := newShop(t)
	v := visit(t, w, "admin")
	for path, status := range map[string]int{
		"/nowhere": 404, "/orders/0": 404, "/orders/x": 404, "/orders/99999": 404, "/customers/99999": 404, "/products/99999999999999999999": 404,
		"/orders/9007199254740992": 404, "/orders?customer_id=9007199254740992": 400, "/orders/1/": 404, "//orders": 404,
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
