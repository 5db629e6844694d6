package backoffice

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/orders"
)

// wantParts fails the test unless a page has all parts.
func wantParts(t *testing.T, html string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(html, part) {
			t.Errorf("the page lacks %q: %s", part, html)
		}
	}
}

// wantRedirect fails the test unless a form led to a path.
func wantRedirect(t *testing.T, r call.Response, path string) {
	t.Helper()
	if to, _, _ := strings.Cut(r.Header.Get("Location"), "?"); r.Status != http.StatusSeeOther || to != path {
		t.Fatalf("got %s %v, want a redirect to %s", r, r.Header, path)
	}
}

// TestNewProduct types products as people write numbers in each language. Sent twice, it is one product; after a refusal, everything typed
// is there, with what is wrong with it.
func TestNewProduct(t *testing.T) {
	t.Parallel()
	for language, typed := range map[string]struct{ price, stock, wrongPrice, wrongStock, most, taken string }{
		"en": {"1,299.50", "1,200", "A price has at most two decimals.", "Type a whole number, such as 12.", "1,000,000,000", "has this SKU."},
		"es": {"$ 1.299,50", "1.200", "Un precio tiene como máximo dos decimales.", "Escribir un número entero, como 12.", "1.000.000.000", "tiene ese SKU."},
	} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			w := world.New(t, world.Options{Backoffice: true})
			s, v := w.Login("admin"), visit(t, w, "manager", "Accept-Language", language)
			form := hiddenFields(t, page(t, v.get("/products/new"), http.StatusOK), "/products/new")

			html := page(t, v.post("/products/new", with(form, "sku", "SAW", "name", markup, "price", "1.2345", "stock", "a few")), http.StatusBadRequest)
			wantParts(t, html, typed.wrongPrice, typed.wrongStock, `value="1.2345"`, `value="a few"`, `value="SAW"`, "&lt;img src=x")
			if len(s.Catalogue(t)) != 0 {
				t.Error("a refused form made a product")
			}
			html = page(t, v.post("/products/new", with(form, "sku", "?", "name", "", "price", "free", "stock", "many", "reorder_level", "1000000001")), http.StatusBadRequest)
			if n := strings.Count(html, `class="error"`); n != 5 || !strings.Contains(html, typed.most) {
				t.Errorf("%d fields are marked, want all 5, and that the level is at most %s: %s", n, typed.most, html)
			}
			form = hiddenFields(t, html, "/products/new")
			filled := with(form, "sku", "SAW", "name", "Saw", "price", typed.price, "stock", typed.stock, "reorder_level", "")
			for range 2 {
				wantRedirect(t, v.post("/products/new", filled), "/products/1")
			}
			made := s.Catalogue(t)
			if len(made) != 1 || made[0].PriceCents != 129950 || made[0].Stock != 1200 || made[0].ReorderLevel != 0 {
				t.Errorf("got %+v, want one product as typed", made)
			}
			form = hiddenFields(t, page(t, v.get("/products/new"), http.StatusOK), "/products/new")
			html = page(t, v.post("/products/new", with(form, "sku", "SAW", "name", "Another", "price", "0")), http.StatusConflict)
			wantParts(t, html, typed.taken, `value="Another"`)
			html = page(t, v.post("/products/new", with(form, "sku", "B", "name", "B", "price", "1000000001", "stock", "-1")), http.StatusBadRequest)
			if n := strings.Count(html, `class="error"`); n != 2 {
				t.Errorf("%d fields are marked, want the price and the stock: %s", n, html)
			}
		})
	}
}

// TestAdjustStock changes the stock by units and by a count.
func TestAdjustStock(t *testing.T) {
	t.Parallel()
	w := world.New(t, world.Options{Backoffice: true})
	s, v := w.Login("admin"), visit(t, w, "operator")
	s.CreateProduct(t, "SAW", 1000, 10)
	const path = "/products/1/stock"
	for _, test := range []struct {
		name, how, delta, count, reason string
		status                          int // of the answer
		part                            string
		want                            int64 // stock
	}{
		{"a delivery", "units", "+12", "", "delivery", http.StatusSeeOther, "", 22},
		{"a loss", "units", "−3", "999", "damaged", http.StatusSeeOther, "", 19}, // the choice that is not made is ignored
		{"a count", "count", "999", "17", markup, http.StatusSeeOther, "", 17},
		{"no reason", "units", "1", "", " ", http.StatusBadRequest, "Fill this in.", 17},
		{"no units", "units", "", "5", "x", http.StatusBadRequest, "Type how many units, such as +12 or −3.", 17},
		{"no change", "units", "0", "", "x", http.StatusBadRequest, "Type how many units, such as +12 or −3.", 17},
		{"no count", "count", "5", "", "x", http.StatusBadRequest, "Type a whole number, such as 12.", 17},
		{"a negative count", "count", "", "-1", "x", http.StatusBadRequest, "Must be at least 0.", 17},
		{"a fraction", "units", "1.5", "", "x", http.StatusBadRequest, "Type how many units, such as +12 or −3.", 17},
		{"too little stock", "units", "-18", "", "x", http.StatusConflict, "Only 17 in stock.", 17},
		{"too much stock", "units", "1000000000", "", "x", http.StatusBadRequest, "stock_delta-help", 17},
	} {
		form := hiddenFields(t, page(t, v.get(path), http.StatusOK), path)
		filled := with(form, "how", test.how, "stock_delta", test.delta, "stock", test.count, "reason", test.reason)
		for range 2 { // pressed twice, it is done once
			r := v.post(path, filled)
			if r.Status != test.status {
				t.Fatalf("%s: got %s, want %d", test.name, r, test.status)
			}
			if test.status != http.StatusSeeOther {
				wantParts(t, page(t, r, test.status), test.part, fmt.Sprintf(`value="%s"`, test.delta), fmt.Sprintf(`value="%s"`, test.count))
				if again := hiddenFields(t, string(r.Body), path); again.Get("key") == form.Get("key") {
					t.Errorf("%s: the refused form has the same key", test.name)
				}
			}
		}
		s.WantStock(t, 1, test.want)
	}
	wantParts(t, page(t, v.get("/products/1"), http.StatusOK), "10 → 22", "22 → 19", "19 → 17", "−3", "damaged", "&lt;img src=x")
}

// TestStockChangedMeanwhile sends a count after an order took units. It is refused with the present stock, and can be sent again.
func TestStockChangedMeanwhile(t *testing.T) {
	t.Parallel()
	w := world.New(t, world.Options{Backoffice: true})
	s, v := w.Login("admin"), visit(t, w, "operator")
	product := s.CreateProduct(t, "SAW", 1000, 10)
	const path = "/products/1/stock"
	form := hiddenFields(t, page(t, v.get(path), http.StatusOK), path)
	s.CreateOrder(t, s.CreateCustomer(t, "a@example.com").ID, product.ID, 4)
	html := page(t, v.post(path, with(form, "how", "count", "stock", "9", "reason", "count")), http.StatusPreconditionFailed)
	wantParts(t, html, "This has changed since you opened it.", "Now: 6", "In stock: 6", `value="9"`, `value="count"`)
	s.WantStock(t, product.ID, 6)
	wantRedirect(t, v.post(path, with(hiddenFields(t, html, path), "how", "count", "stock", "9", "reason", "count")), "/products/1")
	s.WantStock(t, product.ID, 9)
}

// TestEditProduct edits a product while orders and other people change it.
func TestEditProduct(t *testing.T) {
	t.Parallel()
	w := world.New(t, world.Options{Backoffice: true})
	s, v := w.Login("admin"), visit(t, w, "manager")
	product := s.CreateProduct(t, "SAW", 1000, 10)
	customer := s.CreateCustomer(t, "a@example.com")
	const path = "/products/1/edit"

	form := hiddenFields(t, page(t, v.get(path), http.StatusOK), path)
	s.CreateOrder(t, customer.ID, product.ID, 4) // changes the ETag, but nothing that the form shows
	wantRedirect(t, v.post(path, with(form, "name", "Saw", "price", "12.50", "reorder_level", "5")), "/products/1")
	if p := s.GetProduct(t, product.ID); p.Name != "Saw" || p.PriceCents != 1250 || p.ReorderLevel != 5 || p.Stock != 6 {
		t.Errorf("got %+v, want it as typed", p)
	}

	form = hiddenFields(t, page(t, v.get(path), http.StatusOK), path)
	s.ChangeProduct(t, product.ID, orders.ProductChange{PriceCents: new(int64(2000)), ReorderLevel: new(int64(7))})
	html := page(t, v.post(path, with(form, "name", "Saw 2", "price", "13", "reorder_level", "7")), http.StatusPreconditionFailed)
	wantParts(t, html, "This has changed since you opened it.", "Now: $20.00", `value="13"`, `value="Saw 2"`)
	if strings.Contains(html, "Now: Saw") || strings.Contains(html, "Now: 7") {
		t.Errorf("the page has present values that are as before, or as typed: %s", html)
	}
	if p := s.GetProduct(t, product.ID); p.Name != "Saw" || p.PriceCents != 2000 {
		t.Errorf("got %+v, want it as it was", p)
	}
	wantRedirect(t, v.post(path, with(hiddenFields(t, html, path), "name", "Saw 2", "price", "13", "reorder_level", "7")), "/products/1")
	if p := s.GetProduct(t, product.ID); p.Name != "Saw 2" || p.PriceCents != 1300 {
		t.Errorf("got %+v, want it as typed", p)
	}

	operator := visit(t, w, "operator")
	page(t, operator.get(path), http.StatusForbidden)
	page(t, operator.post(path, with(form, "price", "1")), http.StatusForbidden)
	if html := page(t, operator.get("/products/1"), http.StatusOK); strings.Contains(html, "/archive") || strings.Contains(html, "/edit") || !strings.Contains(html, `action="/products/1/stock"`) {
		t.Errorf("an operator sees %s, want only the stock to change", html)
	}
	if html := page(t, visit(t, w, "viewer").get("/products/1"), http.StatusOK); strings.Contains(html, "/stock") {
		t.Errorf("a viewer sees %s, want nothing to change", html)
	}
}

// TestArchiveProduct archives and restores a product, and filters the list.
func TestArchiveProduct(t *testing.T) {
	t.Parallel()
	w := world.New(t, world.Options{Backoffice: true})
	s, v := w.Login("admin"), visit(t, w, "manager")
	s.CreateProduct(t, "SAW", 1000, 10)
	low := s.CreateProduct(t, "DRILL", 1000, 3)
	s.ChangeProduct(t, low.ID, orders.ProductChange{ReorderLevel: new(int64(5))})
	listed := func(query string, want ...string) {
		t.Helper()
		html := page(t, v.get("/products"+query), http.StatusOK)
		for _, sku := range []string{"SAW", "DRILL"} {
			if got := strings.Contains(html, ">"+sku+"<"); got != strings.Contains(strings.Join(want, " "), sku) {
				t.Errorf("%s: %s is listed: %t", query, sku, got)
			}
		}
	}
	listed("", "SAW", "DRILL")
	listed("?low_stock=true", "DRILL")
	listed("?search=dri", "DRILL")
	wantParts(t, page(t, v.get("/products?archived=only"), http.StatusOK), "No archived products")
	wantParts(t, page(t, v.get("/products?archived=x"), http.StatusBadRequest), "This filter is not valid", "Archived: ")

	form := hiddenFields(t, page(t, v.get("/products/1/archive"), http.StatusOK), "/products/1/archive")
	for range 2 {
		wantRedirect(t, v.post("/products/1/archive", form), "/products/1")
	}
	listed("", "DRILL")
	listed("?archived=only", "SAW")
	listed("?archived=include", "SAW", "DRILL")
	wantParts(t, page(t, v.get("/products/1"), http.StatusOK), "Archived on ", `href="/products/1/restore"`)
	form = hiddenFields(t, page(t, v.get("/products/1/restore"), http.StatusOK), "/products/1/restore")
	wantRedirect(t, v.post("/products/1/restore", form), "/products/1")
	if p := s.GetProduct(t, 1); p.ArchivedAt != nil {
		t.Errorf("got %+v, want it restored", p)
	}
}

// TestCustomerTotals checks the totals on the page of a customer: of orders that are not canceled, and of at most the newest 100.
func TestCustomerTotals(t *testing.T) {
	t.Parallel()
	w := world.New(t, world.Options{Backoffice: true})
	s, v := w.Login("admin"), visit(t, w, "viewer")
	product := s.CreateProduct(t, "SAW", 1000, 1000)
	customer, other := s.CreateCustomer(t, "a@example.com"), s.CreateCustomer(t, "b@example.com")
	s.CreateOrder(t, other.ID, product.ID, 100)
	for range 3 {
		s.CreateOrder(t, customer.ID, product.ID, 2)
	}
	s.ConfirmOrder(t, 2, "confirm")
	s.CancelOrder(t, 3)
	wantParts(t, page(t, v.get("/customers/1"), http.StatusOK), "<b>2</b>", "orders in the last 12 months", "<b>$40.00</b>", "<b>1</b>", `href="/customers/1?status=CREATED"`)
	html := page(t, v.get("/customers/1?status=CANCELED"), http.StatusOK)
	if wantParts(t, html, `href="/orders/3"`); strings.Contains(html, `href="/orders/2"`) || strings.Contains(html, `href="/orders/4"`) || strings.Contains(html, "/orders/new") {
		t.Errorf("got %s, want only the canceled order, and no new one for a viewer", html)
	}
	for range 98 {
		s.CreateOrder(t, customer.ID, product.ID, 1)
	}
	wantParts(t, page(t, v.get("/customers/1"), http.StatusOK), "<b>99</b>", "of the newest 100 orders", "<b>$1,000.00</b>")
}
