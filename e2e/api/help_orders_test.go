package api

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/orders"
	ordersservice "github.com/pedidos-hq/pedidos/services/orders"
)

// ordersReply is an answer, of a generated client or of ordersRaw.
type ordersReply interface {
	StatusCode() int
	GetBody() []byte
}

// ordersWant ends the test where the answer has another status.
func ordersWant(t *testing.T, what string, r ordersReply, err error, status int) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if r.StatusCode() != status {
		t.Fatalf("%s: got %d, want %d: %s", what, r.StatusCode(), status, r.GetBody())
	}
}

// ordersRefused ends the test where the answer is not that problem, about those fields.
func ordersRefused(t *testing.T, what string, r ordersReply, err error, status int, code common.ProblemCode, fields ...string) common.Problem {
	t.Helper()
	ordersWant(t, what, r, err, status)
	var p common.Problem
	if err := json.Unmarshal(r.GetBody(), &p); err != nil {
		t.Fatalf("%s: not a problem document: %v: %s", what, err, r.GetBody())
	}
	var got []string
	if p.Errors != nil {
		for _, e := range *p.Errors {
			got = append(got, e.Field)
		}
	}
	slices.Sort(got)
	slices.Sort(fields)
	if p.Code != code || !slices.Equal(got, fields) {
		t.Fatalf("%s: got code %s about %q, want %s about %q: %s", what, p.Code, got, code, fields, r.GetBody())
	}
	return p
}

// ordersAnswer is an answer as it came over the wire.
type ordersAnswer struct {
	status int
	header http.Header
	body   []byte
}

func (a ordersAnswer) StatusCode() int { return a.status }
func (a ordersAnswer) GetBody() []byte { return a.body }

// ordersRaw sends to orders-api what its generated client can't. A body of nil is none.
func ordersRaw(t *testing.T, w *world.World, s *call.Client, method, path string, header map[string]string, body []byte) ordersAnswer {
	t.Helper()
	return apiRaw(t, w, s, "orders", method, w.OrdersURL+path, header, body)
}

// apiRaw sends bytes to a service, with the session's token.
func apiRaw(t *testing.T, w *world.World, s *call.Client, service, method, url string, header map[string]string, body []byte) ordersAnswer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	r.Header.Set("Authorization", "Bearer "+s.Token)
	for name, value := range header {
		r.Header.Set(name, value)
	}
	response, err := w.HTTP(service).Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	defer func() { _ = response.Body.Close() }()
	received, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	return ordersAnswer{response.StatusCode, response.Header, received}
}

// ordersLines are lines of an order: product, units, product, units, …
func ordersLines(pairs ...int64) (lines []orders.OrderLineInput) {
	for pair := range slices.Chunk(pairs, 2) {
		lines = append(lines, orders.OrderLineInput{ProductID: pair[0], Qty: pair[1]})
	}
	return lines
}

// ordersPlace sends an order. The key may be "".
func ordersPlace(t *testing.T, s *call.Client, key string, customer int64, lines []orders.OrderLineInput) (ordersReply, error) {
	t.Helper()
	return s.Orders.CreateOrderWithResponse(t.Context(), &orders.CreateOrderParams{IdempotencyKey: ordersKey(key)},
		orders.OrderInput{CustomerID: customer, Items: lines})
}

// ordersPlaced sends an order that must be placed.
func ordersPlaced(t *testing.T, s *call.Client, customer int64, pairs ...int64) orders.Order {
	t.Helper()
	r, err := s.Orders.CreateOrderWithResponse(t.Context(), nil, orders.OrderInput{CustomerID: customer, Items: ordersLines(pairs...)})
	ordersWant(t, "place order", r, err, http.StatusCreated)
	return *r.JSON201
}

// ordersConfirmed confirms an order, which must work.
func ordersConfirmed(t *testing.T, s *call.Client, id int64, key string) orders.Order {
	t.Helper()
	r, err := s.Orders.ConfirmOrderWithResponse(t.Context(), id, &orders.ConfirmOrderParams{IdempotencyKey: key}, orders.Confirmation{})
	ordersWant(t, "confirm", r, err, http.StatusOK)
	return *r.JSON200
}

// ordersCanceled cancels an order, which must work.
func ordersCanceled(t *testing.T, s *call.Client, id int64) orders.Order {
	t.Helper()
	r, err := s.Orders.CancelOrderWithResponse(t.Context(), id, nil, orders.Cancellation{})
	ordersWant(t, "cancel", r, err, http.StatusOK)
	return *r.JSON200
}

// ordersKey is nil for "".
func ordersKey(key string) *string {
	if key == "" {
		return nil
	}
	return &key
}

func ordersGet(t *testing.T, s *call.Client, id int64) orders.Order {
	t.Helper()
	r, err := s.Orders.GetOrderWithResponse(t.Context(), id)
	ordersWant(t, "get order", r, err, http.StatusOK)
	return *r.JSON200
}

func ordersProduct(t *testing.T, s *call.Client, id int64) orders.Product {
	t.Helper()
	r, err := s.Orders.GetProductWithResponse(t.Context(), id)
	ordersWant(t, "get product", r, err, http.StatusOK)
	return *r.JSON200
}

func ordersPatched(t *testing.T, s *call.Client, id int64, change orders.ProductChange) orders.Product {
	t.Helper()
	r, err := s.Orders.UpdateProductWithResponse(t.Context(), id, nil, change)
	ordersWant(t, "change product", r, err, http.StatusOK)
	return *r.JSON200
}

func ordersWantStock(t *testing.T, s *call.Client, product, want int64) {
	t.Helper()
	if got := ordersProduct(t, s, product).Stock; got != want {
		t.Errorf("stock of product %d: got %d, want %d", product, got, want)
	}
}

// ordersCount is how many orders there are, at most 100.
func ordersCount(t *testing.T, s *call.Client) int {
	t.Helper()
	r, err := s.Orders.ListOrdersWithResponse(t.Context(), &orders.ListOrdersParams{Limit: new(int32(100))})
	ordersWant(t, "list orders", r, err, http.StatusOK)
	return len(r.JSON200.Data)
}

// ordersAudit asks what `pedidos audit` asks: does everything add up?
func ordersAudit(t *testing.T, w *world.World) {
	t.Helper()
	_, err := ordersservice.Audit(t.Context(), w.DB, func(sentence string) { t.Error("audit: ", sentence) })
	if err != nil {
		t.Fatalf("audit: %v", err)
	}
}

// ordersEventually waits for what happens after an answer, such as its line in the access log.
func ordersEventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: not within 10 seconds", what)
		}
	}
}
