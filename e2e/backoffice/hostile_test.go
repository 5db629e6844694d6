package backoffice

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
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
