// Package call sends requests to the services and checks the responses.
//
//	c := call.At(url).Login(t, call.LocalPassword)
//	order := c.CreateOrder(t, c.CreateCustomer(t, "a@example.com").ID, product, 2)
//	call.Read(c.Orders.GetOrder(t.Context(), order.ID)).Want(t, http.StatusOK, &order)
//	call.Read(c.Orders.GetOrder(t.Context(), 99)).WantProblem(t, http.StatusNotFound, common.CodeOrderNotFound)
package call

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/gen/customers"
	customersclient "github.com/pedidos-hq/pedidos/gen/customers/client"
	"github.com/pedidos-hq/pedidos/gen/orchestrator"
	orchestratorclient "github.com/pedidos-hq/pedidos/gen/orchestrator/client"
	"github.com/pedidos-hq/pedidos/gen/orders"
	ordersclient "github.com/pedidos-hq/pedidos/gen/orders/client"
)

// LocalPassword is the administrator's password in a deployment on this machine.
const LocalPassword = "pedidos-local"

// timeout bounds one request; a service gives up after 10 seconds.
const timeout = 15 * time.Second

// URLs are the base URLs of the three services.
type URLs struct {
	Customers, Orders, Orchestrator string

	Roots *x509.CertPool // trusted for HTTPS; nil means the system's roots
}

// At returns the URLs of three services at one address.
func At(url string) URLs { return URLs{Customers: url, Orders: url, Orchestrator: url} }

// Of returns the base URL of a service: "customers", "orders" or "orchestrator".
func (u URLs) Of(service string) string {
	return map[string]string{"customers": u.Customers, "orders": u.Orders, "orchestrator": u.Orchestrator}[service]
}

// Client calls the three services with one token. Methods that take a testing.TB end the test unless they succeed.
type Client struct {
	Token        string
	Customers    *customersclient.ClientWithResponses
	Orders       *ordersclient.ClientWithResponses
	Orchestrator *orchestratorclient.ClientWithResponses

	urls    URLs
	httpFor func(service string) *http.Client
	hangUp  func()
}

// New returns a client that sends a token, or none if it is "". It calls each service with the http.Client that httpFor
// returns for its name.
func New(t testing.TB, u URLs, token string, httpFor func(service string) *http.Client) *Client {
	t.Helper()
	authorize := func(_ context.Context, r *http.Request) error {
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		return nil
	}
	c := &Client{Token: token, urls: u, httpFor: httpFor, hangUp: func() {}}
	var errs [3]error
	c.Customers, errs[0] = customersclient.NewClientWithResponses(u.Customers,
		customersclient.WithHTTPClient(httpFor("customers")), customersclient.WithRequestEditorFn(authorize))
	c.Orders, errs[1] = ordersclient.NewClientWithResponses(u.Orders,
		ordersclient.WithHTTPClient(httpFor("orders")), ordersclient.WithRequestEditorFn(authorize))
	c.Orchestrator, errs[2] = orchestratorclient.NewClientWithResponses(u.Orchestrator,
		orchestratorclient.WithHTTPClient(httpFor("orchestrator")), orchestratorclient.WithRequestEditorFn(authorize))
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// Client returns a client with a token, or without if it is "".
func (u URLs) Client(t testing.TB, token string) *Client {
	t.Helper()
	transport := u.transport()
	client := &http.Client{Transport: transport, Timeout: timeout}
	c := New(t, u, token, func(string) *http.Client { return client })
	c.hangUp = transport.CloseIdleConnections
	t.Cleanup(c.hangUp)
	return c
}

func (u URLs) transport() *http.Transport {
	return &http.Transport{MaxIdleConnsPerHost: 64, TLSClientConfig: &tls.Config{RootCAs: u.Roots}}
}

// Login returns a client with a token of the administrator.
func (u URLs) Login(t testing.TB, password string) *Client {
	t.Helper()
	return u.Client(t, u.Token(t, password))
}

// Token logs the administrator in and returns the token.
func (u URLs) Token(t testing.TB, password string) string {
	t.Helper()
	c := u.Client(t, "")
	defer c.HangUp()
	return c.LogIn(t, "admin", password)
}

// HangUp closes idle connections, which delay the shutdown of a service.
func (c *Client) HangUp() { c.hangUp() }

// Send sends a request with the client's token to a service: "customers", "orders" or "orchestrator". The body is
// JSON. It ends the test if there is no response.
func (c *Client) Send(t testing.TB, service, method, path, body string, headers ...string) Response {
	t.Helper()
	if c.Token != "" {
		headers = append(headers, "Authorization", "Bearer "+c.Token)
	}
	if body != "" {
		headers = append(headers, "Content-Type", "application/json")
	}
	return Send(t, c.httpFor(service), method, c.urls.Of(service)+path, strings.NewReader(body), headers...)
}

// LogIn returns a new token of a user.
func (c *Client) LogIn(t testing.TB, user, password string) string {
	t.Helper()
	var token customers.Token
	Read(c.Customers.Login(t.Context(), customers.Credentials{Username: user, Password: password})).Want(t, http.StatusOK, &token)
	return token.AccessToken
}

// CreateCustomer adds a customer named "Customer <email>".
func (c *Client) CreateCustomer(t testing.TB, email string) customers.Customer {
	t.Helper()
	var customer customers.Customer
	in := customers.CustomerInput{Name: "Customer " + email, Email: email}
	Read(c.Customers.CreateCustomer(t.Context(), nil, in)).Want(t, http.StatusCreated, &customer)
	return customer
}

// ChangeCustomer changes some of a customer's fields.
func (c *Client) ChangeCustomer(t testing.TB, id int64, change customers.CustomerChange) customers.Customer {
	t.Helper()
	var customer customers.Customer
	Read(c.Customers.ReplaceCustomer(t.Context(), id, nil, change)).Want(t, http.StatusOK, &customer)
	return customer
}

// DeleteCustomer deletes a customer.
func (c *Client) DeleteCustomer(t testing.TB, id int64) {
	t.Helper()
	Read(c.Customers.DeleteCustomer(t.Context(), id, nil)).Want(t, http.StatusNoContent)
}

// CreateProduct adds a product named "Product <sku>". Its price is in cents.
func (c *Client) CreateProduct(t testing.TB, sku string, price, stock int64) orders.Product {
	t.Helper()
	var product orders.Product
	in := orders.ProductInput{SKU: sku, Name: "Product " + sku, PriceCents: price, Stock: stock}
	Read(c.Orders.CreateProduct(t.Context(), nil, in)).Want(t, http.StatusCreated, &product)
	return product
}

// ChangeProduct changes some of a product's fields.
func (c *Client) ChangeProduct(t testing.TB, id int64, change orders.ProductChange) orders.Product {
	t.Helper()
	var product orders.Product
	Read(c.Orders.UpdateProduct(t.Context(), id, nil, change)).Want(t, http.StatusOK, &product)
	return product
}

// GetProduct reads a product.
func (c *Client) GetProduct(t testing.TB, id int64) orders.Product {
	t.Helper()
	var product orders.Product
	Read(c.Orders.GetProduct(t.Context(), id)).Want(t, http.StatusOK, &product)
	return product
}

// WantStock fails the test unless a product has this many units in stock.
func (c *Client) WantStock(t testing.TB, product, want int64) {
	t.Helper()
	if got := c.GetProduct(t, product).Stock; got != want {
		t.Errorf("got %d units of product %d in stock, want %d", got, product, want)
	}
}

// Catalogue reads the first page of products.
func (c *Client) Catalogue(t testing.TB) []orders.Product {
	t.Helper()
	var page orders.ProductPage
	Read(c.Orders.ListProducts(t.Context(), nil)).Want(t, http.StatusOK, &page)
	return page.Data
}

// Lines returns order lines for pairs of a product ID and a number of units.
func Lines(pairs ...int64) []orders.OrderLineInput {
	var lines []orders.OrderLineInput
	for pair := range slices.Chunk(pairs, 2) {
		lines = append(lines, orders.OrderLineInput{ProductID: pair[0], Qty: pair[1]})
	}
	return lines
}

// CreateOrder places an order; see Lines for the pairs.
func (c *Client) CreateOrder(t testing.TB, customer int64, pairs ...int64) orders.Order {
	t.Helper()
	var order orders.Order
	c.TryOrder(t.Context(), "", customer, pairs...).Want(t, http.StatusCreated, &order)
	return order
}

// TryOrder is CreateOrder under an idempotency key, or without one if it is "". It returns the response of any status.
func (c *Client) TryOrder(ctx context.Context, key string, customer int64, pairs ...int64) Response {
	params := &orders.CreateOrderParams{}
	if key != "" {
		params.IdempotencyKey = &key
	}
	return Read(c.Orders.CreateOrder(ctx, params, orders.OrderInput{CustomerID: customer, Items: Lines(pairs...)}))
}

// GetOrder reads an order.
func (c *Client) GetOrder(t testing.TB, id int64) orders.Order {
	t.Helper()
	var order orders.Order
	Read(c.Orders.GetOrder(t.Context(), id)).Want(t, http.StatusOK, &order)
	return order
}

// ConfirmOrder confirms an order.
func (c *Client) ConfirmOrder(t testing.TB, id int64, key string) orders.Order {
	t.Helper()
	var order orders.Order
	c.TryConfirm(t.Context(), key, id).Want(t, http.StatusOK, &order)
	return order
}

// TryConfirm is ConfirmOrder and returns the response of any status.
func (c *Client) TryConfirm(ctx context.Context, key string, id int64) Response {
	return Read(c.Orders.ConfirmOrder(ctx, id, &orders.ConfirmOrderParams{IdempotencyKey: key}, orders.Confirmation{}))
}

// CancelOrder cancels an order.
func (c *Client) CancelOrder(t testing.TB, id int64) orders.Order {
	t.Helper()
	var order orders.Order
	c.TryCancel(t.Context(), "", id).Want(t, http.StatusOK, &order)
	return order
}

// TryCancel is CancelOrder under an idempotency key, or without one if it is "". It returns the response of any status.
func (c *Client) TryCancel(ctx context.Context, key string, id int64) Response {
	params := &orders.CancelOrderParams{}
	if key != "" {
		params.IdempotencyKey = &key
	}
	return Read(c.Orders.CancelOrder(ctx, id, params, orders.Cancellation{}))
}

// AllOrders reads all pages of the orders of a customer, or of all customers if it is 0.
func (c *Client) AllOrders(t testing.TB, customer int64) []orders.Order {
	t.Helper()
	var all []orders.Order
	params := &orders.ListOrdersParams{Limit: new(int32(100))}
	if customer != 0 {
		params.CustomerID = &customer
	}
	for {
		var page orders.OrderPage
		Read(c.Orders.ListOrders(t.Context(), params)).Want(t, http.StatusOK, &page)
		all = append(all, page.Data...)
		if params.Cursor = page.NextCursor; params.Cursor == nil {
			return all
		}
	}
}

// WantOrders fails the test unless there are this many orders.
func (c *Client) WantOrders(t testing.TB, want int) {
	t.Helper()
	if got := len(c.AllOrders(t, 0)); got != want {
		t.Errorf("got %d orders, want %d", got, want)
	}
}

// OrderRequest returns a request to the orchestrator; see Lines for the pairs.
func OrderRequest(key string, customer int64, pairs ...int64) orchestrator.OrderRequest {
	request := orchestrator.OrderRequest{CustomerID: customer, IdempotencyKey: key}
	for _, line := range Lines(pairs...) {
		request.Items = append(request.Items, orchestrator.OrderRequestLine(line))
	}
	return request
}

// CreateAndConfirm places and confirms an order through the orchestrator.
func (c *Client) CreateAndConfirm(t testing.TB, key string, customer int64, pairs ...int64) orchestrator.Confirmed {
	t.Helper()
	var confirmed orchestrator.Confirmed
	c.Orchestrate(t.Context(), OrderRequest(key, customer, pairs...)).Want(t, http.StatusCreated, &confirmed)
	return confirmed
}

// Orchestrate sends a request to the orchestrator and returns the response of any status.
func (c *Client) Orchestrate(ctx context.Context, request orchestrator.OrderRequest) Response {
	return Read(c.Orchestrator.CreateAndConfirmOrder(ctx, nil, request))
}
