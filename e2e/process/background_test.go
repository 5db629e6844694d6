package process

import (
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/program"
	"github.com/pedidos-hq/pedidos/gen/orders"
)

// TestBackground checks that a sweep cancels an order that is not confirmed in time, and that the metrics, which have a
// port of their own, count it.
func TestBackground(t *testing.T) {
	t.Parallel()
	port := program.ClosedPort(t)
	s := program.Up(t, []string{"STALE_ORDERS_AFTER=50ms", "SWEEP_INTERVAL=20ms", "ADMIN_PORT=" + port}, t.TempDir(),
		append(program.FreePorts(), "--no-seed")...)
	c := s.Login(t, call.LocalPassword)
	product := c.CreateProduct(t, "SAW", 2500, 10)
	placed := c.CreateOrder(t, c.CreateCustomer(t, "buyer@example.com").ID, product.ID, 4)

	call.Eventually(t, "the order is canceled", func() bool { return c.GetOrder(t, placed.ID).Status == orders.StatusCanceled })
	if stock := c.GetProduct(t, product.ID).Stock; stock != 10 {
		t.Errorf("%d saws are in stock, want 10", stock)
	}
	call.Eventually(t, "the metrics count the cancellation", func() bool {
		_, page := program.Get(t, "http://127.0.0.1:"+port+"/metrics")
		return strings.Contains(page, "pedidos_swept_total{what=\"stale_orders\"} 1\n")
	})
	if _, page := program.Get(t, "http://127.0.0.1:"+port+"/metrics"); !strings.Contains(page, "go_goroutines ") {
		t.Errorf("the metrics have no go_goroutines:\n%s", page)
	}
	for _, url := range []string{"http://127.0.0.1:" + port + "/", s.Orders + "/metrics"} {
		if _, page := program.Get(t, url); strings.Contains(page, "pedidos_") {
			t.Errorf("%s serves the metrics:\n%s", url, page)
		}
	}
	c.HangUp()
	s.Interrupt(t)
}
