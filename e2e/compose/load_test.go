package compose

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	pedidos "github.com/pedidos-hq/pedidos/gen"
	"github.com/pedidos-hq/pedidos/gen/customers"
	customersclient "github.com/pedidos-hq/pedidos/gen/customers/client"
	"github.com/pedidos-hq/pedidos/gen/orchestrator"
	orchestratorclient "github.com/pedidos-hq/pedidos/gen/orchestrator/client"
	"github.com/pedidos-hq/pedidos/gen/orders"
	ordersclient "github.com/pedidos-hq/pedidos/gen/orders/client"
)

// client calls the three services through the SDK.
type client struct {
	customers    *customersclient.ClientWithResponses
	orders       *ordersclient.ClientWithResponses
	orchestrator *orchestratorclient.ClientWithResponses
}

// login returns a client with a token of the administrator's.
func (p *project) login(t *testing.T) *client {
	t.Helper()
	r, err := p.client(t, "").customers.LoginWithResponse(t.Context(), customers.Credentials{Username: "admin", Password: "pedidos-local"})
	if err != nil {
		t.Fatal(err)
	}
	if r.JSON200 == nil {
		t.Fatalf("login: %s\n%s", r.Status(), r.Body)
	}
	return p.client(t, r.JSON200.AccessToken)
}

// client returns a client with a token, or with none where it is "".
func (p *project) client(t *testing.T, token string) *client {
	t.Helper()
	through := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: callers}, Timeout: 15 * time.Second}
	t.Cleanup(through.CloseIdleConnections)
	authorize := pedidos.Bearer(token)
	if token == "" {
		authorize = func(context.Context, *http.Request) error { return nil }
	}
	var c client
	var err error
	if c.customers, err = customersclient.NewClientWithResponses(p.urls["customers"],
		customersclient.WithHTTPClient(through), customersclient.WithRequestEditorFn(authorize)); err != nil {
		t.Fatal(err)
	}
	if c.orders, err = ordersclient.NewClientWithResponses(p.urls["orders"],
		ordersclient.WithHTTPClient(through), ordersclient.WithRequestEditorFn(authorize)); err != nil {
		t.Fatal(err)
	}
	if c.orchestrator, err = orchestratorclient.NewClientWithResponses(p.urls["orchestrator"],
		orchestratorclient.WithHTTPClient(through), orchestratorclient.WithRequestEditorFn(authorize)); err != nil {
		t.Fatal(err)
	}
	return &c
}

func (c *client) customer(t *testing.T, email string) (id int64) {
	t.Helper()
	r, err := c.customers.CreateCustomerWithResponse(t.Context(), nil, customers.CustomerInput{Name: "Buyer", Email: email})
	if err != nil {
		t.Fatal(err)
	}
	if r.JSON201 == nil {
		t.Fatalf("create customer: %s\n%s", r.Status(), r.Body)
	}
	return r.JSON201.ID
}

func (c *client) product(t *testing.T, sku string, stock int64) (id int64) {
	t.Helper()
	r, err := c.orders.CreateProductWithResponse(t.Context(), nil, orders.ProductInput{SKU: sku, Name: sku, PriceCents: 250, Stock: stock})
	if err != nil {
		t.Fatal(err)
	}
	if r.JSON201 == nil {
		t.Fatalf("create product: %s\n%s", r.Status(), r.Body)
	}
	return r.JSON201.ID
}

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

// history is all orders of a customer, page by page.
func (c *client) history(t *testing.T, customer int64) (all []orders.Order) {
	t.Helper()
	limit := int32(100)
	for page := (&orders.ListOrdersParams{CustomerID: &customer, Limit: &limit}); ; {
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

const (
	callers = 8
	stock   = 1_000_000
)

// load is callers who place and confirm orders of one unit, one after the other. They repeat each request under its key
// until it is answered.
type load struct {
	client            *client
	customer, product int64
	over              atomic.Bool // no new orders

	answers, repeats, sold atomic.Int64

	mu    sync.Mutex
	keyOf map[int64]string // of each order that was acknowledged
}

func newLoad(t *testing.T, c *client) *load {
	t.Helper()
	return &load{client: c, customer: c.customer(t, "load@example.com"), product: c.product(t, "LOAD", stock), keyOf: map[int64]string{}}
}

// start lets the callers work until over is set. Once the orders under way are done then, or ctx ends, finished is closed.
func (l *load) start(ctx context.Context, t *testing.T) (finished <-chan struct{}) {
	var working sync.WaitGroup
	for i := range callers {
		working.Go(func() {
			for n := 0; !l.over.Load(); n++ {
				key, sell := fmt.Sprintf("load-%d-%d", i, n), l.inTwoCalls
				if n%2 == 1 {
					sell = l.atOnce
				}
				id, err := sell(ctx, key)
				if ctx.Err() != nil {
					return
				}
				if err != nil {
					t.Errorf("%s: %v", key, err)
					return
				}
				l.acknowledge(t, id, key)
			}
		})
	}
	done := make(chan struct{})
	go func() {
		working.Wait()
		close(done)
	}()
	return done
}

func (l *load) acknowledge(t *testing.T, id int64, key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if other, taken := l.keyOf[id]; taken {
		t.Errorf("order %d is that of %s and of %s", id, other, key)
	}
	l.keyOf[id] = key
	l.sold.Add(1)
}

func (l *load) inTwoCalls(ctx context.Context, key string) (id int64, err error) {
	err = l.insist(ctx, func() (*http.Response, []byte, error) {
		r, err := l.client.orders.CreateOrderWithResponse(ctx, &orders.CreateOrderParams{IdempotencyKey: &key},
			orders.OrderInput{CustomerID: l.customer, Items: []orders.OrderLineInput{{ProductID: l.product, Qty: 1}}})
		if err != nil {
			return nil, nil, err
		}
		if r.JSON201 != nil {
			id = r.JSON201.ID
		}
		return r.HTTPResponse, r.Body, nil
	})
	if err != nil {
		return 0, err
	}
	key += "-confirm"
	return id, l.insist(ctx, func() (*http.Response, []byte, error) {
		r, err := l.client.orders.ConfirmOrderWithResponse(ctx, id, &orders.ConfirmOrderParams{IdempotencyKey: &key}, orders.Confirmation{})
		if err != nil {
			return nil, nil, err
		}
		return r.HTTPResponse, r.Body, nil
	})
}

func (l *load) atOnce(ctx context.Context, key string) (id int64, err error) {
	err = l.insist(ctx, func() (*http.Response, []byte, error) {
		r, err := l.client.orchestrator.CreateAndConfirmOrderWithResponse(ctx, nil, orchestrator.OrderRequest{
			CustomerID: l.customer, IdempotencyKey: key, Items: []orchestrator.OrderRequestLine{{ProductID: l.product, Qty: 1}},
		})
		if err != nil {
			return nil, nil, err
		}
		if r.JSON201 != nil {
			id = r.JSON201.Data.Order.ID
		}
		return r.HTTPResponse, r.Body, nil
	})
	return id, err
}

// insist repeats a request until it succeeds. One success in ten counts as lost on its way, as a restart makes it too
// rarely. The error is an answer that does not ask for another try.
func (l *load) insist(ctx context.Context, send func() (*http.Response, []byte, error)) error {
	for {
		r, body, err := send()
		switch {
		case err != nil: // no answer, or half of one
		case r.StatusCode < http.StatusMultipleChoices:
			if l.answers.Add(1)%10 != 0 {
				return nil
			}
		case r.Header.Get("Retry-After") == "":
			return fmt.Errorf("%s %s", r.Status, body)
		}
		l.repeats.Add(1)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// awaitMore returns once n more orders were acknowledged.
func (l *load) awaitMore(t *testing.T, n int64) {
	t.Helper()
	target := l.sold.Load() + n
	await(t, fmt.Sprintf("%d more orders", n), func() bool { return t.Failed() || l.sold.Load() >= target })
	if t.Failed() {
		t.FailNow()
	}
}

// check compares what was acknowledged with what is there.
func (l *load) check(t *testing.T) {
	t.Helper()
	history := l.client.history(t, l.customer)
	stored := map[int64]orders.Order{}
	for _, o := range history {
		stored[o.ID] = o
	}
	if len(stored) != len(history) || len(history) != len(l.keyOf) {
		t.Errorf("%d orders, %d of them different, were made of %d keys", len(history), len(stored), len(l.keyOf))
	}
	for id, key := range l.keyOf {
		if o, there := stored[id]; !there || o.Status != orders.StatusConfirmed {
			t.Errorf("order %d of %s was acknowledged, and is there: %t %s", id, key, there, o.Status)
		}
	}
	if left, want := l.client.stock(t, l.product), stock-l.sold.Load(); left != want {
		t.Errorf("%d units are in stock, want %d", left, want)
	}
	t.Logf("%d orders, %d requests repeated", l.sold.Load(), l.repeats.Load())
}
