package api

import (
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/orchestrator"
	"github.com/pedidos-hq/pedidos/gen/orders"
)

// The main flow: an operator logs in, creates a customer and a product, places and confirms an order, and cancels another.
// An integrator creates and confirms an order in one call.
func TestFlow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer := s.CreateCustomer(t, "compras@acme.example")
	drill := s.CreateProduct(t, "DRILL", 129900, 10)

	first := s.CreateOrder(t, buyer.ID, drill.ID, 3)
	if first.Status != orders.StatusCreated || first.TotalCents != 3*129900 {
		t.Errorf("placed %+v, want CREATED with a total of %d", first, 3*129900)
	}
	key := "confirm-1"
	confirmed, err := s.Orders.ConfirmOrderWithResponse(t.Context(), first.ID, &orders.ConfirmOrderParams{IdempotencyKey: key}, orders.Confirmation{})
	if err != nil || confirmed.JSON200 == nil || confirmed.JSON200.Status != orders.StatusConfirmed {
		t.Fatalf("confirm: %v %s", err, confirmed.Body)
	}
	second := s.CreateOrder(t, buyer.ID, drill.ID, 4)
	canceled, err := s.Orders.CancelOrderWithResponse(t.Context(), second.ID, nil, orders.Cancellation{})
	if err != nil || canceled.JSON200 == nil || canceled.JSON200.Status != orders.StatusCanceled {
		t.Fatalf("cancel: %v %s", err, canceled.Body)
	}
	done, err := s.Orchestrator.CreateAndConfirmOrderWithResponse(t.Context(), nil, orchestrator.OrderRequest{
		CustomerID: buyer.ID, Items: []orchestrator.OrderRequestLine{{ProductID: drill.ID, Qty: 2}}, IdempotencyKey: "erp-1",
	})
	if err != nil || done.JSON201 == nil || done.JSON201.Data.Order.Status != orchestrator.CONFIRMED {
		t.Fatalf("create and confirm: %v %s", err, done.Body)
	}
	product, err := s.Orders.GetProductWithResponse(t.Context(), drill.ID)
	if err != nil || product.JSON200 == nil || product.JSON200.Stock != 10-3-2 {
		t.Errorf("stock after 3 confirmed, 4 canceled and 2 orchestrated of 10: %v %s", err, product.Body)
	}
}
