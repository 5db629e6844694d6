package pedidos

import (
	"context"
	"iter"
)

// Customers calls the operations on customers.
type Customers struct{ c *Client }

// List returns the customers, oldest first.
func (s Customers) List(ctx context.Context, filter CustomerFilter) iter.Seq2[Customer, error] {
	return list[Customer](ctx, s.c, listCustomers, filter)
}

// Get returns a customer.
func (s Customers) Get(ctx context.Context, id CustomerID) (Customer, error) {
	return call[Customer](ctx, s.c, getCustomer, request{ids: []any{id}}, nil)
}

// Create creates a customer. If another one has the e-mail address, the code of the error is CodeEmailTaken.
func (s Customers) Create(ctx context.Context, customer CustomerInput, options ...CallOption) (Customer, error) {
	return call[Customer](ctx, s.c, createCustomer, request{body: customer}, options)
}

// Update changes some fields of a customer. If it has changed since it was read, the code of the error is CodePreconditionFailed.
func (s Customers) Update(ctx context.Context, customer Customer, change CustomerChange, options ...CallOption) (Customer, error) {
	return call[Customer](ctx, s.c, updateCustomer, request{ids: []any{customer.ID}, body: change, etag: customer.ETag}, options)
}

// Delete deletes a customer. Its orders remain.
func (s Customers) Delete(ctx context.Context, id CustomerID, options ...CallOption) error {
	_, err := call[struct{}](ctx, s.c, deleteCustomer, request{ids: []any{id}}, options)
	return err
}
