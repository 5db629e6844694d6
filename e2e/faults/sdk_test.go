package faults

import (
	"context"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/wire"
	"github.com/pedidos-hq/pedidos/gen/orders"
	pedidos "github.com/pedidos-hq/pedidos/sdk/go"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

// lostToSDK is a case of TestLostAnswer in which the Go SDK calls, and retries by itself.
type lostToSDK struct {
	hop   hop
	kind  wire.Kind
	times int
	texts func(*purchase) []string
	call  func(context.Context, *pedidos.Client, *purchase) (pedidos.OrderID, error)
	after orders.OrderStatus
}

func lostToSDKs() map[string]lostToSDK {
	const created, confirmed, canceled = orders.StatusCreated, orders.StatusConfirmed, orders.StatusCanceled
	return map[string]lostToSDK{
		"create, three answers":       {clientToOrders, wire.AnswerLost, 3, itsKey, sdkPlace, created},
		"create, COMMIT":              {ordersToMySQL, wire.CommitLost, 1, itsInsert, sdkPlace, created},
		"create, COMMIT's answer":     {ordersToMySQL, wire.CommitAnswerLost, 1, itsInsert, sdkPlace, created},
		"confirm, three answers":      {clientToOrders, wire.AnswerLost, 3, itsConfirm, sdkConfirm, confirmed},
		"confirm, COMMIT's answer":    {ordersToMySQL, wire.CommitAnswerLost, 1, itsUpdate, sdkConfirm, confirmed},
		"cancel, COMMIT's answer":     {ordersToMySQL, wire.CommitAnswerLost, 1, itsCancel, sdkCancel, canceled},
		"orchestrator, three answers": {clientToOrchestrator, wire.AnswerLost, 3, itsKey, sdkPlaceAndConfirm, confirmed},
	}
}

func (p *purchase) input() pedidos.OrderInput {
	lines := []pedidos.OrderLineInput{{ProductID: pedidos.ProductID(p.product), Qty: held}}
	return pedidos.OrderInput{CustomerID: pedidos.CustomerID(p.customer), Items: lines}
}

func sdkPlace(ctx context.Context, c *pedidos.Client, p *purchase) (pedidos.OrderID, error) {
	order, err := c.Orders.Create(ctx, p.input(), pedidos.WithKey(p.key))
	return order.ID, err
}

func sdkConfirm(ctx context.Context, c *pedidos.Client, p *purchase) (pedidos.OrderID, error) {
	order, err := c.Orders.Create(ctx, p.input())
	if err != nil {
		return 0, err
	}
	order, err = c.Orders.Confirm(ctx, order.ID, pedidos.WithKey(p.key))
	return order.ID, err
}

func sdkCancel(ctx context.Context, c *pedidos.Client, p *purchase) (pedidos.OrderID, error) {
	order, err := c.Orders.Create(ctx, p.input())
	if err != nil {
		return 0, err
	}
	order, err = c.Orders.Cancel(ctx, order.ID, "", pedidos.WithKey(p.key))
	return order.ID, err
}

func sdkPlaceAndConfirm(ctx context.Context, c *pedidos.Client, p *purchase) (pedidos.OrderID, error) {
	done, err := c.Orders.CreateAndConfirm(ctx, p.input(), pedidos.WithKey(p.key))
	return done.Order.ID, err
}

func (l lostToSDK) run(t *testing.T, s *wiredShop, server *database.DB) {
	p := newPurchase(t, s.callers(t), server)
	client, err := pedidos.New(pedidos.Config{
		CustomersURL: s.customers.url, OrdersURL: "http://" + s.wires[0][clientToOrders].Addr(),
		OrchestratorURL: "http://" + s.wires[0][clientToOrchestrator].Addr(), Username: "admin", Password: adminPassword,
	})
	if err != nil {
		t.Fatal(err)
	}
	stop := s.wires[0][l.hop].Lose(l.kind, l.times, l.texts(p)...)
	id, err := l.call(t.Context(), client, p)
	if err != nil {
		t.Errorf("violation: %v", err)
	}
	if n := stop(); n != l.times {
		t.Errorf("lost %d times, want %d", n, l.times)
	}
	p.expect(t, l.after)
	if stored := p.stored(t); stored.ID != int64(id) {
		t.Errorf("violation: got order %d, but the database has %+v", id, stored)
	}
}
