package backoffice

import (
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/world"
)

var tags = regexp.MustCompile(`<[^>]*>`)

// shown returns the text of the main part of a page, with single spaces.
func shown(body string) string {
	_, body, _ = strings.Cut(body, "<main")
	body, _, _ = strings.Cut(body, "</main>")
	return html.UnescapeString(strings.Join(strings.Fields(tags.ReplaceAllString(body, " ")), " "))
}

func wantShown(t *testing.T, body string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if got := shown(body); !strings.Contains(got, text) {
			t.Errorf("the page shows %q, want %q in it", got, text)
		}
	}
}

func TestHome(t *testing.T) {
	t.Parallel()
	w, _ := newShop(t) // has an order to confirm and one that is confirmed of $1,299.00 each, a canceled one, and a product with 7 of 20
	v := visit(t, w, "viewer")
	body := page(t, v.get("/"), http.StatusOK)
	wantShown(t, body, "1 to confirm", "1 low in stock · 0 out of stock", "$2,598.00 placed today · 2 orders", "$9,093.00 value of the stock · 7 units",
		"DRILL 7 level 20", "Total 2 $2,598.00")
	if n := strings.Count(body, "<rect"); n != 30 {
		t.Errorf("the chart has %d bars, want 30", n)
	}
	if strings.Contains(body, `href="/orders/new"`) {
		t.Error("a viewer has a link to place an order")
	}
	body = page(t, visit(t, w, "operator", "Accept-Language", "es").get("/"), http.StatusOK)
	wantShown(t, body, "1 a confirmar", "hechos hoy · 2 pedidos", "Nuevo pedido")

	w.Pause("orders")
	body = page(t, v.get("/"), http.StatusOK)
	wantShown(t, body, "to confirm · can't be read right now", "placed today · can't be read right now", "value of the stock · can't be read right now")
}

func TestHomeWithoutOrders(t *testing.T) {
	t.Parallel()
	w := world.New(t, world.Options{Backoffice: true, ReportAge: time.Hour})
	s := w.Login("admin")
	body := page(t, visit(t, w, "manager").get("/"), http.StatusOK)
	for _, path := range []string{"/products/new", "/customers/new", "/orders/new"} {
		if !strings.Contains(body, `href="`+path+`"`) {
			t.Errorf("the first steps have no link to %s: %s", path, shown(body))
		}
	}
	product, customer := s.CreateProduct(t, "SAW", 100, 1), s.CreateCustomer(t, "a@example.com")
	wantShown(t, page(t, visit(t, w, "viewer").get("/"), http.StatusOK), "Create a product Done Create a customer Done Place an order (needs another role)")

	s.CreateOrder(t, customer.ID, product.ID, 1)
	if got := shown(page(t, visit(t, w, "manager").get("/"), http.StatusOK)); strings.Contains(got, "There are no orders yet") {
		t.Errorf("there is an order, and the page shows %q", got)
	}
}
