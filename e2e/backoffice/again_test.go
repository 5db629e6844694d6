package backoffice

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/gen/orders"
)

// formTo returns the form of a page that posts to an action, as it is.
func formTo(t *testing.T, r call.Response, action string) url.Values {
	t.Helper()
	form := document(t, r).Find(fmt.Sprintf("form[action=%q]", action))
	if form.Length() == 0 {
		t.Fatalf("no form posts to %s: %s", action, r)
	}
	return fillings(form.First()).plain
}

// TestSentAtOnce sends the same form several times at once, as from copies of a tab, to two instances. It takes effect once, and a copy
// that finds it in progress keeps its key.
func TestSentAtOnce(t *testing.T) {
	t.Parallel()
	w, s := newShop(t)
	v := visit(t, w, "manager")
	elsewhere := &visitor{t: t, base: w.ServeBackoffice(), cookie: v.cookie}
	before := len(s.AllOrders(t, 0))
	for _, test := range []struct {
		page, path string
		typed      []string
	}{
		{"/customers/new", "/customers/new", []string{"name", "Twice", "email", "twice@example.com"}},
		{"/products/new", "/products/new", []string{"sku", "TWICE", "name", "Twice", "price", "12.50"}},
		{"/products/1/stock", "/products/1/stock", []string{"how", "units", "stock_delta", "+12", "reason", "delivery"}},
		{"/orders/1", "/orders/1/confirm", nil},
		{"/orders/new?customer=1", "/orders/new", []string{"do", "place", "product", "1 DRILL", "qty.1", "1"}},
		{"/customers/1/delete", "/customers/1/delete", nil},
	} {
		form := with(formTo(t, v.get(test.page), test.path), test.typed...)
		answers := make([]call.Response, 6)
		var copies errgroup.Group
		for i := range answers {
			copies.Go(func() error {
				answers[i] = []*visitor{v, elsewhere}[i%2].try(http.MethodPost, test.path, form)
				return answers[i].Err
			})
		}
		if err := copies.Wait(); err != nil {
			t.Fatal(err)
		}
		done := 0
		for _, r := range answers {
			switch {
			case r.Status == http.StatusSeeOther:
				done++
			case r.Status == http.StatusConflict && formTo(t, r, test.path).Get("key") == form.Get("key"): // in progress
			default:
				t.Errorf("POST %s: got %s, want a redirect, or the form again with its key", test.path, r)
			}
		}
		if again := v.post(test.path, form); done == 0 || again.Status != http.StatusSeeOther {
			t.Errorf("POST %s: %d copies were accepted, and then got %s", test.path, done, again)
		}
	}
	wantCustomers(t, s, 1)
	if got := len(s.AllOrders(t, 0)); got != before+1 {
		t.Errorf("%d orders were placed, want one", got-before)
	}
	var found orders.ProductPage
	call.Read(s.Orders.ListProducts(t.Context(), &orders.ListProductsParams{Search: new("TWICE")})).Want(t, http.StatusOK, &found)
	if len(found.Data) != 1 || found.Data[0].PriceCents != 1250 {
		t.Errorf("got the products %+v, want one of 12.50", found.Data)
	}
	s.WantStock(t, 1, 10-1-2+12-1) // as delivered, minus the adjustment and the orders of the shop, plus the delivery, minus the order
}

// TestCustomerChangedMeanwhile changes a customer while a person has its form open. The form is not saved, shows what is there now beside
// what was typed, and can be sent again.
func TestCustomerChangedMeanwhile(t *testing.T) {
	t.Parallel()
	w := world.New(t, world.Options{Backoffice: true})
	s := w.Login("admin")
	s.CreateCustomer(t, "acme@example.com")
	email := func() string {
		var c customers.Customer
		call.Read(s.Customers.GetCustomer(t.Context(), 1)).Want(t, http.StatusOK, &c)
		return c.Email
	}
	v := visit(t, w, "manager")
	const path = "/customers/1/edit"
	form := with(formTo(t, v.get(path), path), "email", "mine@example.com")
	s.ChangeCustomer(t, 1, customers.CustomerChange{Name: new("Customer acme@example.com"), Email: new("theirs@example.com")})
	refused := v.post(path, form)
	page(t, refused, http.StatusPreconditionFailed)
	if got := email(); got != "theirs@example.com" {
		t.Errorf("the address %s was saved over theirs", got)
	}
	shown := document(t, refused)
	if typed, now := shown.Find("#email").AttrOr("value", ""), shown.Find("#email-help").Text(); typed != "mine@example.com" || now != "Now: theirs@example.com" {
		t.Errorf("the form has %q with %q beside it", typed, now)
	}
	if beside := shown.Find("#name-help").Text(); beside != "" {
		t.Errorf("the name, which is as typed, has %q beside it", beside)
	}
	again := formTo(t, refused, path)
	if again.Get("key") == form.Get("key") {
		t.Error("the form has the key of the one that was refused")
	}
	if done := v.post(path, again); done.Status != http.StatusSeeOther || email() != "mine@example.com" {
		t.Errorf("sent again: got %s, and the address is %s", done, email())
	}
}
