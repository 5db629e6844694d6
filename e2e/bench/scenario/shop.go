package scenario

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/bench/basket"
	pedidos "github.com/pedidos-hq/pedidos/gen"
	"github.com/pedidos-hq/pedidos/gen/customers"
	customersclient "github.com/pedidos-hq/pedidos/gen/customers/client"
	"github.com/pedidos-hq/pedidos/gen/orders"
	ordersclient "github.com/pedidos-hq/pedidos/gen/orders/client"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

// Shop holds the addresses of the services, and the customers, products and orders that loads use. These are read when they
// are first needed.
type Shop struct {
	Customers, Orders, Orchestrator, Backoffice string // base URLs

	Replicas []string       // base URLs of all orders-api of the shop; clients that place orders take them in turn. Empty means Orders
	Bare     string         // base URL of the bare handler
	Database database.MySQL // for the floor
	User     string
	Password string
	Until    time.Time // the end of the 365 days of the generated orders
	Depth    int       // number of newest orders to read; the scenario depth reads the page after them

	token     string
	session   string // token of a session of the backoffice
	customers []customers.Customer
	products  []int64
	skus      []string
	orders    []int64 // the newest, Depth of them
	cursor    string  // of the page after orders
}

const (
	page = 100   // page size of lists
	most = 1_000 // customers and products to read
)

// logIn gets a token, once.
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

// browse reads customers and products, once.
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
		s.products, s.skus = append(s.products, p.ID), append(s.skus, p.SKU)
	}
	if s.customers = all; len(s.customers) == 0 {
		return errors.New("there are no customers; add some with pedidos seed")
	}
	return nil
}

// remember reads the ids of the newest Depth orders and the cursor of the next page, once.
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
		return fmt.Errorf("there are only %d orders, not more than the depth of %d; add some with pedidos seed", len(found), s.Depth)
	}
	s.cursor = *cursor
	for _, o := range found {
		s.orders = append(s.orders, o.ID)
	}
	return nil
}

// baskets generates orders with the given number of lines.
func (s *Shop) baskets(ctx context.Context, seed uint64, lines int) ([]basket.Basket, error) {
	if err := s.browse(ctx); err != nil {
		return nil, err
	}
	if len(s.products) < lines {
		return nil, fmt.Errorf("there are %d products, too few for orders of %d lines; add some with pedidos seed", len(s.products), lines)
	}
	return basket.Make(rand.New(rand.NewPCG(seed, uint64(lines))), s.customers, s.products, lines, prepared), nil
}

// hotBaskets generates orders of one line, all of the same product.
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

// walk reads a list page by page until it has read enough. It returns the cursor of the next page, or nil at the end.
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

// refused returns the error of a call that failed or got another status than 200.
func refused(what string, r interface{ Status() string }, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return fmt.Errorf("%s: %s", what, r.Status())
}
