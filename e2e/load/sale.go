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

// sale is an order in its life: the requests that make it, and the answers to them.
type sale struct {
	number int
	key    string
	random *rand.Rand
	units  map[int64]int64 // of each product
	total  int64
	steps  []step
	id     int64
}

// step is one request under a key.
type step struct {
	send     func(context.Context, *call.Client) (Answer, error)
	status   int                // of the answer
	leaves   orders.OrderStatus // what the order is in then
	tries    int
	answered bool
	answer   Answer
}

func newSale(number int, key string, random *rand.Rand, customer int64, products []orders.Product) *sale {
	s := &sale{number: number, key: key, random: random, units: map[int64]int64{}}
	in := orders.OrderInput{CustomerID: customer}
	for range 1 + random.IntN(5) { // a product may come twice
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

// leaves is the status in which the order is in the end.
func (s *sale) leaves() orders.OrderStatus { return s.steps[len(s.steps)-1].leaves }

func (s *sale) place(in orders.OrderInput) step {
	key := s.key + "-place"
	return step{status: http.StatusCreated, leaves: orders.StatusCreated, send: func(ctx context.Context, c *call.Client) (Answer, error) {
		r, err := c.Orders.CreateOrderWithResponse(ctx, &orders.CreateOrderParams{IdempotencyKey: &key}, in)
		if err != nil {
			return Answer{}, err
		}
		return orderAnswer(r.HTTPResponse, r.Body)
	}}
}

func (s *sale) confirm() step {
	key := s.key + "-confirm"
	return step{status: http.StatusOK, leaves: orders.StatusConfirmed, send: func(ctx context.Context, c *call.Client) (Answer, error) {
		r, err := c.Orders.ConfirmOrderWithResponse(ctx, s.id, &orders.ConfirmOrderParams{IdempotencyKey: key}, orders.Confirmation{})
		if err != nil {
			return Answer{}, err
		}
		return orderAnswer(r.HTTPResponse, r.Body)
	}}
}

func (s *sale) cancel() step {
	key := s.key + "-cancel"
	return step{status: http.StatusOK, leaves: orders.StatusCanceled, send: func(ctx context.Context, c *call.Client) (Answer, error) {
		r, err := c.Orders.CancelOrderWithResponse(ctx, s.id, &orders.CancelOrderParams{IdempotencyKey: &key}, orders.Cancellation{})
		if err != nil {
			return Answer{}, err
		}
		return orderAnswer(r.HTTPResponse, r.Body)
	}}
}

func orderAnswer(r *http.Response, body []byte) (Answer, error) {
	a := NewAnswer(r, body)
	if a.Status >= http.StatusMultipleChoices {
		return a, nil
	}
	return a, json.Unmarshal(body, &a.order)
}

// placeAndConfirm is one request to the orchestrator: two to orders-api, and a fault may come between them.
func (s *sale) placeAndConfirm(in orders.OrderInput) step {
	request := orchestrator.OrderRequest{CustomerID: in.CustomerID, IdempotencyKey: s.key, CorrelationID: &s.key}
	for _, item := range in.Items {
		request.Items = append(request.Items, orchestrator.OrderRequestLine(item))
	}
	return step{status: http.StatusCreated, leaves: orders.StatusConfirmed, send: func(ctx context.Context, c *call.Client) (Answer, error) {
		r, err := c.Orchestrator.CreateAndConfirmOrderWithResponse(ctx, nil, request)
		if err != nil {
			return Answer{}, err
		}
		a := NewAnswer(r.HTTPResponse, r.Body)
		if r.JSON201 != nil {
			o := r.JSON201.Data.Order
			a.order = orders.Order{ID: o.ID, Status: orders.OrderStatus(o.Status), TotalCents: o.TotalCents}
		}
		return a, nil
	}}
}
