package pedidos

import (
	"context"
	"iter"
)

// Products calls the operations on products and their stock.
type Products struct{ c *Client }

// List returns the products, oldest first, without the archived ones unless the filter asks for them.
func (s Products) List(ctx context.Context, filter ProductFilter) iter.Seq2[Product, error] {
	return list[Product](ctx, s.c, listProducts, filter)
}

// Get returns a product.
func (s Products) Get(ctx context.Context, id ProductID) (Product, error) {
	return call[Product](ctx, s.c, getProduct, request{ids: []any{id}}, nil)
}

// Create creates a product. If another one has the SKU, the code of the error is CodeSKUTaken.
func (s Products) Create(ctx context.Context, product ProductInput, options ...CallOption) (Product, error) {
	return call[Product](ctx, s.c, createProduct, request{body: product}, options)
}

// Update changes some fields of a product. If it has changed since it was read, for example because an order took units, the code of the
// error is CodePreconditionFailed. For a StockDelta this rarely matters: pass Product{ID: id} to add to whatever is there.
func (s Products) Update(ctx context.Context, product Product, change ProductChange, options ...CallOption) (Product, error) {
	return call[Product](ctx, s.c, updateProduct, request{ids: []any{product.ID}, body: change, etag: product.ETag}, options)
}

// StockMovements returns the manual changes of a product's stock, newest first.
func (s Products) StockMovements(ctx context.Context, id ProductID) iter.Seq2[StockMovement, error] {
	return list[StockMovement](ctx, s.c, listStockMovements, struct{}{}, id)
}
