// Package sdk calls the three services through the generated clients, as one user, for tests.
package sdk

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"testing"
	"time"

	pedidos "github.com/pedidos-hq/pedidos/gen"
	"github.com/pedidos-hq/pedidos/gen/customers"
	customersclient "github.com/pedidos-hq/pedidos/gen/customers/client"
	orchestratorclient "github.com/pedidos-hq/pedidos/gen/orchestrator/client"
	"github.com/pedidos-hq/pedidos/gen/orders"
	ordersclient "github.com/pedidos-hq/pedidos/gen/orders/client"
)

// LocalPassword is the administrator's in a shop on this machine.
const LocalPassword = "pedidos-local"

// timeout is of one request; a service itself gives up after 10 seconds.
const timeout = 15 * time.Second

// URLs are the base URLs of the three services.
type URLs struct {
	Customers, Orders, Orchestrator string

	Roots *x509.CertPool // who vouches for them over HTTPS; the machine's where nil
}

// At are the three services at one address.
func At(url string) URLs { return URLs{Customers: url, Orders: url, Orchestrator: url} }

// Client calls the three services as one user.
type Client struct {
	Customers    *customersclient.ClientWithResponses
	Orders       *ordersclient.ClientWithResponses
	Orchestrator *orchestratorclient.ClientWithResponses

	transport *http.Transport
}

// Login returns a client with a token of the administrator's.
func (u URLs) Login(t testing.TB, password string) *Client {
	t.Helper()
	return u.Client(t, u.Token(t, password))
}

// Token returns a token of the administrator's.
func (u URLs) Token(t testing.TB, password string) string {
	t.Helper()
	anyone := u.Client(t, "")
	defer anyone.HangUp()
	r, err := anyone.Customers.LoginWithResponse(t.Context(), customers.Credentials{Username: "admin", Password: password})
	if err != nil {
		t.Fatal(err)
	}
	if r.JSON200 == nil {
		t.Fatalf("login: %s\n%s", r.Status(), r.Body)
	}
	return r.JSON200.AccessToken
}

// Client returns a client with a token, or with none where it is "".
func (u URLs) Client(t testing.TB, token string) *Client {
	t.Helper()
	c := Client{transport: &http.Transport{MaxIdleConnsPerHost: 64, TLSClientConfig: &tls.Config{RootCAs: u.Roots}}}
	t.Cleanup(c.HangUp)
	through := &http.Client{Transport: c.transport, Timeout: timeout}
	authorize := pedidos.Bearer(token)
	if token == "" {
		authorize = func(context.Context, *http.Request) error { return nil }
	}
	var err error
	if c.Customers, err = customersclient.NewClientWithResponses(u.Customers,
		customersclient.WithHTTPClient(through), customersclient.WithRequestEditorFn(authorize)); err != nil {
		t.Fatal(err)
	}
	if c.Orders, err = ordersclient.NewClientWithResponses(u.Orders,
		ordersclient.WithHTTPClient(through), ordersclient.WithRequestEditorFn(authorize)); err != nil {
		t.Fatal(err)
	}
	if c.Orchestrator, err = orchestratorclient.NewClientWithResponses(u.Orchestrator,
		orchestratorclient.WithHTTPClient(through), orchestratorclient.WithRequestEditorFn(authorize)); err != nil {
		t.Fatal(err)
	}
	return &c
}

// HangUp closes the connections that are idle, which a service that is told to stop would wait for.
func (c *Client) HangUp() { c.transport.CloseIdleConnections() }

// Product puts a product into the catalogue.
func (c *Client) Product(t testing.TB, sku string, price, stock int64) *orders.Product {
	t.Helper()
	r, err := c.Orders.CreateProductWithResponse(t.Context(), nil,
		orders.ProductInput{SKU: sku, Name: "Product " + sku, PriceCents: price, Stock: stock})
	if err != nil {
		t.Fatal(err)
	}
	if r.JSON201 == nil {
		t.Fatalf("create product: %s\n%s", r.Status(), r.Body)
	}
	return r.JSON201
}

// Customer adds a customer.
func (c *Client) Customer(t testing.TB, email string) *customers.Customer {
	t.Helper()
	r, err := c.Customers.CreateCustomerWithResponse(t.Context(), nil, customers.CustomerInput{Name: "Buyer", Email: email})
	if err != nil {
		t.Fatal(err)
	}
	if r.JSON201 == nil {
		t.Fatalf("create customer: %s\n%s", r.Status(), r.Body)
	}
	return r.JSON201
}

// Order places an order of one line.
func (c *Client) Order(t testing.TB, customer, product, qty int64) *orders.Order {
	t.Helper()
	r, err := c.Orders.CreateOrderWithResponse(t.Context(), nil,
		orders.OrderInput{CustomerID: customer, Items: []orders.OrderLineInput{{ProductID: product, Qty: qty}}})
	if err != nil {
		t.Fatal(err)
	}
	if r.JSON201 == nil {
		t.Fatalf("create order: %s\n%s", r.Status(), r.Body)
	}
	return r.JSON201
}

// Stock is how many units of a product are there.
func (c *Client) Stock(t testing.TB, product int64) int64 {
	t.Helper()
	r, err := c.Orders.GetProductWithResponse(t.Context(), product)
	if err != nil {
		t.Fatal(err)
	}
	if r.JSON200 == nil {
		t.Fatalf("get product: %s\n%s", r.Status(), r.Body)
	}
	return r.JSON200.Stock
}

// Catalogue is the first page of products.
func (c *Client) Catalogue(t testing.TB) []orders.Product {
	t.Helper()
	r, err := c.Orders.ListProductsWithResponse(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.JSON200 == nil {
		t.Fatalf("list products: %s\n%s", r.Status(), r.Body)
	}
	return r.JSON200.Data
}

// AllOrders is all orders, or all of one customer where it is not 0, page by page.
func (c *Client) AllOrders(t testing.TB, customer int64) (all []orders.Order) {
	t.Helper()
	page := &orders.ListOrdersParams{Limit: new(int32(100))}
	if customer != 0 {
		page.CustomerID = &customer
	}
	for {
		r, err := c.Orders.ListOrdersWithResponse(t.Context(), page)
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
