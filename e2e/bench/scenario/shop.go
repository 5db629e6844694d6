package scenario

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/pedidos-hq/pedidos/e2e/bench/basket"
	pedidos "github.com/pedidos-hq/pedidos/gen"
	"github.com/pedidos-hq/pedidos/gen/customers"
	customersclient "github.com/pedidos-hq/pedidos/gen/customers/client"
	"github.com/pedidos-hq/pedidos/gen/orders"
	ordersclient "github.com/pedidos-hq/pedidos/gen/orders/client"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

// Shop is where the services are that are measured, and what a load has to know of them. That is read when it is first
// needed, and kept.
type Shop struct {
	Customers, Orders, Orchestrator string // base URLs

	Bare     string         // base URL of the bare handler
	Database database.MySQL // of the floor
	User     string
	Password string
	Depth    int // how many orders are walked: the list at depth begins after them

	token     string
	customers []customers.Customer
	products  []int64
	orders    []int64 // the newest, Depth of them
	cursor    string  // of the page after them
}

const (
	page = 100   // of the lists that are read
	most = 1_000 // customers, and products, that orders choose from
)

// logIn gets a token.
func (s *Shop) logIn(ctx context.Context) error {
	if s.token != "" {
		return nil
	}
	c, err := customersclient.NewClientWithResponses(s.Customers)
	if err != nil {
		return err
	}
	r, err := c.LoginWithResponse(ctx, customers.Credentials{Username: s.User, Password: s.Password})
	if err != nil {
		return err
	}
	if r.JSON200 == nil {
		return fmt.Errorf("log in at %s: %s", s.Customers, r.Status())
	}
	s.token = r.JSON200.AccessToken
	return nil
}

// browse reads who can order, and what.
func (s *Shop) browse(ctx context.Context) error {
	if err := s.logIn(ctx); err != nil || s.customers != nil {
		return err
	}
	c, err := customersclient.NewClientWithResponses(s.Customers, customersclient.WithRequestEditorFn(pedidos.Bearer(s.token)))
	if err != nil {
		return err
	}
	all, _, err := walk(most, func(cursor *string) ([]customers.Customer, *string, error) {
		r, err := c.ListCustomersWithResponse(ctx, &customers.ListCustomersParams{Limit: new(int32(page)), Cursor: cursor})
		if err != nil || r.JSON200 == nil {
			return nil, nil, refused("list customers", r, err)
		}
		return r.JSON200.Data, r.JSON200.NextCursor, nil
	})
	if err != nil {
		return err
	}
	o, err := s.ordersClient()
	if err != nil {
		return err
	}
	products, _, err := walk(most, func(cursor *string) ([]orders.Product, *string, error) {
		r, err := o.ListProductsWithResponse(ctx, &orders.ListProductsParams{Limit: new(int32(page)), Cursor: cursor})
		if err != nil || r.JSON200 == nil {
			return nil, nil, refused("list products", r, err)
		}
		return r.JSON200.Data, r.JSON200.NextCursor, nil
	})
	if err != nil {
		return err
	}
	for _, p := range products {
		s.products = append(s.products, p.ID)
	}
	if s.customers = all; len(s.customers) == 0 {
		return errors.New("there are no customers; pedidos seed makes some")
	}
	return nil
}

// remember walks the list of orders down to Depth.
func (s *Shop) remember(ctx context.Context) error {
	if err := s.logIn(ctx); err != nil || s.orders != nil {
		return err
	}
	c, err := s.ordersClient()
	if err != nil {
		return err
	}
	found, cursor, err := walk(s.Depth, func(cursor *string) ([]orders.Order, *string, error) {
		r, err := c.ListOrdersWithResponse(ctx, &orders.ListOrdersParams{Limit: new(int32(page)), Cursor: cursor})
		if err != nil || r.JSON200 == nil {
			return nil, nil, refused("list orders", r, err)
		}
		return r.JSON200.Data, r.JSON200.NextCursor, nil
	})
	if err != nil {
		return err
	}
	if cursor == nil {
		return fmt.Errorf("there are only %d orders, and the load is to read at a depth of %d; pedidos seed makes more", len(found), s.Depth)
	}
	s.cursor = *cursor
	for _, o := range found {
		s.orders = append(s.orders, o.ID)
	}
	return nil
}

// baskets makes orders of so many lines.
func (s *Shop) baskets(ctx context.Context, seed uint64, lines int) ([]basket.Basket, error) {
	if err := s.browse(ctx); err != nil {
		return nil, err
	}
	if len(s.products) < lines {
		return nil, fmt.Errorf("there are %d products, and an order is to have %d lines; pedidos seed makes more", len(s.products), lines)
	}
	return basket.Make(rand.New(rand.NewPCG(seed, uint64(lines))), s.customers, s.products, lines, prepared), nil
}

// hotBaskets are orders of one line, all of the same product.
func (s *Shop) hotBaskets(ctx context.Context, seed uint64) ([]basket.Basket, error) {
	all, err := s.baskets(ctx, seed, 1)
	for _, b := range all {
		b.Lines[0].ProductID = s.products[0]
	}
	return all, err
}

func (s *Shop) ordersClient() (*ordersclient.ClientWithResponses, error) {
	return ordersclient.NewClientWithResponses(s.Orders, ordersclient.WithRequestEditorFn(pedidos.Bearer(s.token)))
}

// walk reads a list page by page until it has read enough, or all. It returns the cursor of the next page.
func walk[T any](enough int, read func(cursor *string) ([]T, *string, error)) (all []T, cursor *string, err error) {
	for len(all) < enough {
		var data []T
		if data, cursor, err = read(cursor); err != nil {
			return nil, nil, err
		}
		if all = append(all, data...); cursor == nil {
			break
		}
	}
	return all, cursor, nil
}

// refused is the error of a call that did not get what it wants.
func refused(what string, r interface{ Status() string }, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return fmt.Errorf("%s: %s", what, r.Status())
}
