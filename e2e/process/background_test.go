package process

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/program"
	"github.com/pedidos-hq/pedidos/gen/orders"
)

// TestBackground sees what goes on beside the requests: an order that nobody confirms is canceled, and the metrics say so,
// on a port of their own.
func TestBackground(t *testing.T) {
	t.Parallel()
	port := program.ClosedPort(t)
	s := program.Up(t, []string{"STALE_ORDERS_AFTER=50ms", "SWEEP_INTERVAL=20ms", "ADMIN_PORT=" + port}, t.TempDir(),
		append(program.FreePorts(), "--no-seed")...)
	c := s.Login(t, call.LocalPassword)
	product := c.CreateProduct(t, "SAW", 2500, 10)
	placed := c.CreateOrder(t, c.CreateCustomer(t, "buyer@example.com").ID, product.ID, 4)

	await(t, "the order is canceled", func(ctx context.Context) bool {
		r, err := c.Orders.GetOrderWithResponse(ctx, placed.ID)
		if err != nil || r.JSON200 == nil {
			t.Fatalf("get order: %v", err)
		}
		return r.JSON200.Status == orders.StatusCanceled
	})
	if stock := c.GetProduct(t, product.ID).Stock; stock != 10 {
		t.Errorf("%d saws are in stock, want 10", stock)
	}
	await(t, "the metrics say so", func(context.Context) bool {
		_, page := program.Get(t, "http://127.0.0.1:"+port+"/metrics")
		return strings.Contains(page, "pedidos_swept_total{what=\"stale_orders\"} 1\n")
	})
	if _, page := program.Get(t, "http://127.0.0.1:"+port+"/metrics"); !strings.Contains(page, "go_goroutines ") {
		t.Errorf("the metrics are\n%s", page)
	}
	for _, url := range []string{"http://127.0.0.1:" + port + "/", s.Orders + "/metrics"} {
		if _, page := program.Get(t, url); strings.Contains(page, "pedidos_") {
			t.Errorf("%s answers\n%s", url, page)
		}
	}
	c.HangUp()
	s.Interrupt(t)
}

// await waits until something is so.
func await(t *testing.T, what string, is func(context.Context) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for !is(ctx) {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("%s: it is not so after a minute", what)
		}
	}
}
