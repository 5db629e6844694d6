package backoffice

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/backoffice/browser"
	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/services/sample"
)

// TestFirstPage opens the home page of a busy shop, which must be small. With -screenshots, it saves the picture of the README.
func TestFirstPage(t *testing.T) {
	t.Parallel()
	w := world.New(t, world.Options{Backoffice: true})
	if err := sample.Generate(t.Context(), w.DB, sample.Size{Customers: 60, Products: 80, Orders: 4000}, w.Clock.Now(), 7, func(string, int, int) {}); err != nil {
		t.Fatal(err)
	}
	s := w.Login("admin")
	for id := range int64(4) {
		p := s.GetProduct(t, id+1)
		s.ChangeProduct(t, p.ID, orders.ProductChange{ReorderLevel: new(p.Stock + 5*(id+1))})
	}
	created := &orders.ListOrdersParams{Status: new(orders.StatusCreated), Limit: new(int32(100))}
	for waiting := (orders.OrderPage{Data: make([]orders.Order, 1)}); len(waiting.Data) > 0; {
		call.Read(s.Orders.ListOrders(t.Context(), created)).Want(t, http.StatusOK, &waiting)
		for _, o := range waiting.Data {
			s.ConfirmOrder(t, o.ID, fmt.Sprint(o.ID))
		}
	}
	for i := range int64(6) {
		s.CreateOrder(t, 1+5*i, 6+7*i, 2+i%3, 20+9*i, 1+i%2)
		w.Clock.Advance(8 * time.Minute)
	}
	tab := browser.Open(t, w, browser.As{Role: "admin"})
	tab.Go("/")
	tab.Await(`[...document.querySelectorAll("main svg rect")].filter(bar => bar.height.baseVal.value > 0).length === 30`)
	tab.Keep("backoffice")
	bytes := browser.Eval[int](tab, `performance.getEntries().reduce((sum, entry) => sum + (entry.transferSize ?? 0), 0)`)
	const most = 100_000
	if bytes == 0 || bytes > most {
		t.Errorf("the first page and its files have %d bytes, want at most %d", bytes, most)
	}
	t.Logf("the first page has %d bytes with its files", bytes)
}
