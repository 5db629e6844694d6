package load

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/gen/orchestrator"
	"github.com/pedidos-hq/pedidos/gen/orders"
)

// sale is the life of an order: its requests and their answers.
type sale struct {
	number int
	key    string
	random *rand.Rand
	units  map[int64]int64 // by product ID
	total  int64           // in cents
	steps  []step
	id     int64
}

// step is one request under a key.
type step struct {
	send        func(context.Context, *call.Client) call.Response
	status      int                // the HTTP status of the answer
	orderStatus orders.OrderStatus // the status of the order after the request
	tries       int
	answered    bool
	answer      call.Response
	order       orders.Order // the order in the answer
}

func newSale(number int, key string, random *rand.Rand, customer int64, products []orders.Product) *sale {
	s := &sale{number: number, key: key, random: random, units: map[int64]int64{}}
	in := orders.OrderInput{CustomerID: customer}
	for range 1 + random.IntN(5) { // the same product may occur twice
		p, qty := products[random.IntN(len(products))], 1+random.Int64N(5)
		in.Items = append(in.Items, orders.OrderLineInput{ProductID: p.ID, Qty: qty})
		s.units[p.ID] += qty
		s.total += qty * p.PriceCents
	}
	switch random.IntN(8) {
	case 0, 1:
		s.steps = []step{s.placeAndConfirm(in)}
	case 2:
		s.steps = []step{s.placeAndConfirm(in), s.cancel()}
	case 3:
		s.steps = []step{s.place(in), s.cancel()}
	case 4:
		s.steps = []step{s.place(in), s.confirm(), s.cancel()}
	default:
		s.steps = []step{s.place(in), s.confirm()}
	}
	return s
}

// finalStatus returns the status of the order after all requests.
func (s *sale) finalStatus() orders.OrderStatus { return s.steps[len(s.steps)-1].orderStatus }

func (s *sale) place(in orders.OrderInput) step {
	key := s.key + "-place"
	return step{status: http.StatusCreated, orderStatus: orders.StatusCreated, send: func(ctx context.Context, c *call.Client) call.Response {
		return call.Read(c.Orders.CreateOrder(ctx, &orders.CreateOrderParams{IdempotencyKey: &key}, in))
	}}
}

func (s *sale) confirm() step {
	return step{status: http.StatusOK, orderStatus: orders.StatusConfirmed, send: func(ctx context.Context, c *call.Client) call.Response {
		return c.TryConfirm(ctx, s.key+"-confirm", s.id)
	}}
}

func (s *sale) cancel() step {
	return step{status: http.StatusOK, orderStatus: orders.StatusCanceled, send: func(ctx context.Context, c *call.Client) call.Response {
		return c.TryCancel(ctx, s.key+"-cancel", s.id)
	}}
}

// orderIn returns the order in a response of orders-api or the orchestrator, or a zero order for a problem.
func orderIn(r call.Response) (orders.Order, error) {
	if r.Err != nil || r.Status >= http.StatusMultipleChoices {
		return orders.Order{}, r.Err
	}
	var body struct {
		orders.Order
		Data *struct{ Order orders.Order }
	}
	err := json.Unmarshal(r.Body, &body)
	if body.Data != nil {
		return body.Data.Order, err
	}
	return body.Order, err
}

// placeAndConfirm is one request to the orchestrator, which sends two to orders-api. A fault may occur between them.
func (s *sale) placeAndConfirm(in orders.OrderInput) step {
	request := orchestrator.OrderRequest{CustomerID: in.CustomerID, IdempotencyKey: s.key, CorrelationID: &s.key}
	for _, item := range in.Items {
		request.Items = append(request.Items, orchestrator.OrderRequestLine(item))
	}
	return step{status: http.StatusCreated, orderStatus: orders.StatusConfirmed, send: func(ctx context.Context, c *call.Client) call.Response {
		return c.Orchestrate(ctx, request)
	}}
}
