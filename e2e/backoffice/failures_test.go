package backoffice

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/gen/orders"
)

// TestFormTooLarge sends a form with very many short values, which would be many times as large in a page that shows it again.
func TestFormTooLarge(t *testing.T) {
	t.Parallel()
	w, _ := newShop(t)
	values := url.Values{}
	for i := range 2000 {
		values.Set(fmt.Sprint(i), "")
	}
	page(t, visit(t, w, "admin").post("/customers/new", values), http.StatusRequestEntityTooLarge)
	page(t, visit(t, w, "").post("/login", values), http.StatusRequestEntityTooLarge)
	if r := visit(t, w, "").post("/customers/new", values); r.Status != http.StatusSeeOther || r.Header.Get("Location") != "/login" {
		t.Errorf("without a session: got %s, want the login, without the form", r)
	}
	ids := strings.Repeat("id=1&", 1000) + "id=2"
	page(t, visit(t, w, "admin").get("/orders/cancel?"+ids), http.StatusOK)
	for i := range 101 {
		ids += fmt.Sprintf("&id=%d", 100+i)
	}
	page(t, visit(t, w, "admin").get("/orders/cancel?"+ids), http.StatusBadRequest)
}

// TestUnclearForm sends a form while an API is down. The page keeps the form with its key, and the log has the cause once.
func TestUnclearForm(t *testing.T) {
	t.Parallel()
	w, s := newShop(t)
	v := visit(t, w, "admin")
	form := with(hiddenFields(t, page(t, v.get("/products/new"), http.StatusOK), "/products/new"), "sku", "SAW", "name", "Saw", "price", "1.00")
	w.Pause("orders")
	html := page(t, v.post("/products/new", form), http.StatusServiceUnavailable)
	if !strings.Contains(html, `value="SAW"`) || hiddenFields(t, html, "/products/new").Get("key") != form.Get("key") {
		t.Errorf("got %s, want the form with its key", html)
	}
	if lines := w.Log.Lines(`"msg":"request failed"`, `"service":"backoffice"`); len(lines) != 1 || !strings.Contains(lines[0], "EOF") {
		t.Errorf("got the log %q, want one line with the cause", lines)
	}
	w.Resume("orders")
	if r := v.post("/products/new", form); r.Status != http.StatusSeeOther {
		t.Fatalf("sent again: got %s", r)
	}
	var found orders.ProductPage
	call.Read(s.Orders.ListProducts(t.Context(), &orders.ListProductsParams{SKU: &[]string{"SAW"}})).Want(t, http.StatusOK, &found)
	if len(found.Data) != 1 {
		t.Errorf("got %d products with the SKU, want 1", len(found.Data))
	}

	w.Pause("orders")
	page(t, v.get("/orders?search=a@example.com"), http.StatusServiceUnavailable) // World checks that the log has no e-mail address
	page(t, v.get("/"), http.StatusOK)
	if lines := w.Log.Lines(`"msg":"page is incomplete"`); len(lines) == 0 || !strings.Contains(lines[0], "EOF") {
		t.Errorf("got the log %q, want the cause of what the home page lacks", lines)
	}
}

// TestFilterOfDeleted checks that a link to the orders of a deleted customer or of an unknown product still works.
func TestFilterOfDeleted(t *testing.T) {
	t.Parallel()
	w, s := newShop(t)
	call.Read(s.Customers.DeleteCustomer(t.Context(), 1, nil)).Want(t, http.StatusNoContent)
	v := visit(t, w, "viewer")
	list := document(t, v.get("/orders?customer_id=1"))
	if got := list.Find(".tag").Text(); !strings.Contains(got, markup) {
		t.Errorf("the filter is %q, want the name that the orders have", got)
	}
	if got := list.Find("#list tbody tr").Length(); got != 3 {
		t.Errorf("got %d orders, want 3", got)
	}
	if got := document(t, v.get("/orders?product_id=99")).Find(".tag").Text(); !strings.Contains(got, "99") {
		t.Errorf("the filter is %q, want the id", got)
	}
}
