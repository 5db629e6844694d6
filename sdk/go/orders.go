package pedidos

import (
	"context"
	"iter"
)

// Orders calls the operations on orders.
type Orders struct{ c *Client }

// List returns the orders, newest first. With UpdatedSince they are sorted by their last change, oldest first.
func (s Orders) List(ctx context.Context, filter OrderFilter) iter.Seq2[Order, error] {
	return list[Order](ctx, s.c, listOrders, filter)
}

// Get returns an order.
func (s Orders) Get(ctx context.Context, id OrderID) (Order, error) {
	return call[Order](ctx, s.c, getOrder, request{ids: []any{id}}, nil)
}

// Create places an order, at the prices of the catalogue, and takes its units from stock. If there are too few, the code of the error is
// CodeInsufficientStock, Shortages has the products, and no units are taken.
func (s Orders) Create(ctx context.Context, order OrderInput, options ...CallOption) (Order, error) {
	return call[Order](ctx, s.c, createOrder, request{body: order}, options)
}

// Confirm confirms an order. An order that is already confirmed is returned as it is; for a canceled one, the code of the error is
// CodeOrderCanceled.
func (s Orders) Confirm(ctx context.Context, id OrderID, options ...CallOption) (Order, error) {
	return call[Order](ctx, s.c, confirmOrder, request{ids: []any{id}, body: struct{}{}}, options)
}

// Cancel cancels an order and returns its units to stock. The reason may be empty. A confirmed order can be canceled for 10 minutes by
// default; later, the code of the error is CodeCancelWindowOver. An order that is already canceled is returned as it is.
func (s Orders) Cancel(ctx context.Context, id OrderID, reason string, options ...CallOption) (Order, error) {
	return call[Order](ctx, s.c, cancelOrder, request{ids: []any{id}, body: Cancellation{Reason: reason}}, options)
}

// CreateAndConfirm places an order and confirms it, in one call. If it fails, Error.Step says where.
func (s Orders) CreateAndConfirm(ctx context.Context, order OrderInput, options ...CallOption) (ConfirmedData, error) {
	type keyedOrder struct {
		OrderInput
		Key string `json:"idempotency_key"`
	}
	done, err := call[struct {
		Data ConfirmedData `json:"data"`
	}](ctx, s.c, createAndConfirmOrder, request{bodyWith: func(key string) any { return keyedOrder{order, key} }}, options)
	return done.Data, err
}

// History returns the changes of an order's status, oldest first.
func (s Orders) History(ctx context.Context, id OrderID) iter.Seq2[OrderEvent, error] {
	return list[OrderEvent](ctx, s.c, listOrderHistory, struct{}{}, id)
}
