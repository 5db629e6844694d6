package process

import (
	"context"
	"net/http"
	"testing"

	"github.com/pedidos-hq/pedidos/gen/customers"
	customersclient "github.com/pedidos-hq/pedidos/gen/customers/client"
	orchestratorclient "github.com/pedidos-hq/pedidos/gen/orchestrator/client"
	"github.com/pedidos-hq/pedidos/gen/orders"
	ordersclient "github.com/pedidos-hq/pedidos/gen/orders/client"
)

// localPassword is the administrator's in a shop on this machine.
const localPassword = "pedidos-local"

// client calls the three services through the generated clients, as one user.
type client struct {
	customers    *customersclient.ClientWithResponses
	orders       *ordersclient.ClientWithResponses
	orchestrator *orchestratorclient.ClientWithResponses
	hangUp       func() // closes the connections that are idle
}

// login returns a client with a token of the administrator's.
func (u urls) login(t *testing.T, password string) *client {
	t.Helper()
	anyone := u.client(t, "")
	r, err := anyone.customers.LoginWithResponse(t.Context(), customers.Credentials{Username: "admin", Password: password})
	if err != nil {
		t.Fatal(err)
	}
	if r.JSON200 == nil {
		t.Fatalf("login: %s\n%s", r.Status(), r.Body)
	}
	return u.client(t, r.JSON200.AccessToken)
}

// client returns a client with a token, or with none where it is "".
func (u urls) client(t *testing.T, token string) *client {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 16}
	t.Cleanup(transport.CloseIdleConnections)
	through := &http.Client{Transport: transport, Timeout: patience}
	authorize := func(_ context.Context, r *http.Request) error {
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		return nil
	}
	c := client{hangUp: transport.CloseIdleConnections}
	var err error
	if c.customers, err = customersclient.NewClientWithResponses(u.customers,
		customersclient.WithHTTPClient(through), customersclient.WithRequestEditorFn(authorize)); err != nil {
		t.Fatal(err)
	}
	if c.orders, err = ordersclient.NewClientWithResponses(u.orders,
		ordersclient.WithHTTPClient(through), ordersclient.WithRequestEditorFn(authorize)); err != nil {
		t.Fatal(err)
	}
	if c.orchestrator, err = orchestratorclient.NewClientWithResponses(u.orchestrator,
		orchestratorclient.WithHTTPClient(through), orchestratorclient.WithRequestEditorFn(authorize)); err != nil {
		t.Fatal(err)
	}
	return &c
}

// product puts a product into the catalogue.
func (c *client) product(t *testing.T, sku string, price, stock int64) *orders.Product {
	t.Helper()
	r, err := c.orders.CreateProductWithResponse(t.Context(), nil,
		orders.ProductInput{SKU: sku, Name: "Product " + sku, PriceCents: price, Stock: stock})
	if err != nil {
		t.Fatal(err)
	}
	if r.JSON201 == nil {
		t.Fatalf("create product: %s\n%s", r.Status(), r.Body)
	}
	return r.JSON201
}

// customer adds a customer.
func (c *client) customer(t *testing.T, email string) *customers.Customer {
	t.Helper()
	r, err := c.customers.CreateCustomerWithResponse(t.Context(), nil, customers.CustomerInput{Name: "Buyer", Email: email})
	if err != nil {
		t.Fatal(err)
	}
	if r.JSON201 == nil {
		t.Fatalf("create customer: %s\n%s", r.Status(), r.Body)
	}
	return r.JSON201
}

// order places an order of one line.
func (c *client) order(t *testing.T, customer, product, qty int64) *orders.Order {
	t.Helper()
	r, err := c.orders.CreateOrderWithResponse(t.Context(), nil,
		orders.OrderInput{CustomerID: customer, Items: []orders.OrderLineInput{{ProductID: product, Qty: qty}}})
	if err != nil {
		t.Fatal(err)
	}
	if r.JSON201 == nil {
		t.Fatalf("create order: %s\n%s", r.Status(), r.Body)
	}
	return r.JSON201
}

// stock is how many units of a product are there.
func (c *client) stock(t *testing.T, product int64) int64 {
	t.Helper()
	r, err := c.orders.GetProductWithResponse(t.Context(), product)
	if err != nil {
		t.Fatal(err)
	}
	if r.JSON200 == nil {
		t.Fatalf("get product: %s\n%s", r.Status(), r.Body)
	}
	return r.JSON200.Stock
}

// catalogue is the first page of products.
func (c *client) catalogue(t *testing.T) []orders.Product {
	t.Helper()
	r, err := c.orders.ListProductsWithResponse(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.JSON200 == nil {
		t.Fatalf("list products: %s\n%s", r.Status(), r.Body)
	}
	return r.JSON200.Data
}

// history is all orders, page by page.
func (c *client) history(t *testing.T) (all []orders.Order) {
	t.Helper()
	limit := int32(100)
	for page := (&orders.ListOrdersParams{Limit: &limit}); ; {
		r, err := c.orders.ListOrdersWithResponse(t.Context(), page)
		if err != nil {
			t.Fatal(err)
		}
		if r.JSON200 == nil {
			t.Fatalf("list orders: %s\n%s", r.Status(), r.Body)
		}
		all = append(all, r.JSON200.Data...)
		if page.Cursor = r.JSON200.NextCursor; page.Cursor == nil {
			return all
		}
	}
}
