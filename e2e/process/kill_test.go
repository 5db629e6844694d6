package process

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/pedidos-hq/pedidos/gen/orchestrator"
	"github.com/pedidos-hq/pedidos/gen/orders"
)

// TestKill kills `pedidos up` under load, again and again, and comes back to the same folder and ports. Eight callers
// place, confirm and cancel orders, and after a lost answer repeat the request under its key. In the end nothing that
// was acknowledged is missing, and nothing took place twice.
func TestKill(t *testing.T) {
	t.Parallel()
	kills := 3
	if *long {
		kills = 40
	}
	random := rand.New(rand.NewPCG(*seed, 0))
	folder, ports := t.TempDir(), fixedPorts(t)

	s := up(t, nil, folder, append(ports, "--no-seed")...)
	l := newLoad(t, s.login(t, localPassword))
	for range kills {
		l.run(t, l.acknowledged.Load()+100+random.Int64N(200), func() { _ = s.cmd.Process.Kill() })
		if code := s.wait(t); code != -1 {
			t.Fatalf("the process ended with %d before it was killed", code)
		}
		s = up(t, nil, folder, append(ports, "--no-seed")...)
		l.client = s.login(t, localPassword)
	}
	l.run(t, l.acknowledged.Load()+20, func() {})

	l.check(t)
	l.client.hangUp() // net/http waits 5 seconds for a connection that was opened and not used yet
	s.interrupt(t)
	if r := run(t, []string{"DATA_DIR=" + folder}, "audit"); r.code != 0 {
		l.violation(t, "audit: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	t.Logf("seed %d: %d kills, %d orders, %d requests, %d acknowledged, %d of them done before a kill that took the answer, %d violations",
		*seed, kills, len(l.sales), l.requests.Load(), l.acknowledged.Load(), l.replayed.Load(), l.violations)
}

const callers = 8

// load is what the callers do and what they were told.
type load struct {
	client   *client
	customer int64
	products []*orders.Product

	mu    sync.Mutex
	sales []*sale
	open  [callers]*sale // that a caller is at

	requests, acknowledged, replayed atomic.Int64
	violations                       int
}

func newLoad(t *testing.T, c *client) *load {
	l := &load{client: c, customer: c.customer(t, "buyer@example.com").ID}
	for i, price := range []int64{1, 250, 99_999} {
		l.products = append(l.products, c.product(t, fmt.Sprintf("SKU-%d", i), price, 1_000_000))
	}
	return l
}

// run lets the callers work until so many requests of all are acknowledged, which is when reached is called. Each caller
// ends with its order done, or at the first request that gets no answer: it goes on with that one in the next run.
func (l *load) run(t *testing.T, target int64, reached func()) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 2*patience)
	defer stop()
	var over atomic.Bool
	var working sync.WaitGroup
	for i := range l.open {
		working.Go(func() {
			for l.open[i] != nil || !over.Load() {
				if l.open[i] == nil {
					l.open[i] = l.next()
				}
				for l.open[i].step < len(l.open[i].steps) {
					if err := l.send(ctx, l.open[i]); err != nil {
						if !over.Load() || errors.As(err, new(unexpected)) {
							t.Error(err)
						}
						return
					}
					if l.acknowledged.Add(1) == target {
						over.Store(true)
						reached()
					}
				}
				l.open[i] = nil
			}
		})
	}
	working.Wait()
	if t.Failed() {
		t.FailNow()
	}
}

// sale is an order in its life: the requests that make it, and the answers that were acknowledged.
type sale struct {
	key   string
	units map[int64]int64 // of each product
	total int64
	steps []step
	step  int // the next one
	id    int64
}

// step is one request under a key.
type step struct {
	send   func(context.Context, *client) (answer, error)
	status int                // of the answer
	leaves orders.OrderStatus // what the order is in then
	answer answer
}

type answer struct {
	status   int
	body     []byte
	replayed bool
	order    orders.Order // id, status and total
}

// next makes up a sale. The n-th is the same whoever gets it.
func (l *load) next() *sale {
	l.mu.Lock()
	defer l.mu.Unlock()
	random := rand.New(rand.NewPCG(*seed, uint64(len(l.sales)+1)))
	s := &sale{key: fmt.Sprintf("sale-%d", len(l.sales)), units: map[int64]int64{}}
	in := orders.OrderInput{CustomerID: l.customer}
	for range 1 + random.IntN(4) { // a product may come twice
		p, qty := l.products[random.IntN(len(l.products))], 1+random.Int64N(5)
		in.Items = append(in.Items, orders.OrderLineInput{ProductID: p.ID, Qty: qty})
		s.units[p.ID] += qty
		s.total += qty * p.PriceCents
	}
	switch random.IntN(4) {
	case 0:
		s.steps = []step{s.placeAndConfirm(in)}
	case 1:
		s.steps = []step{s.place(in), s.cancel()}
	default:
		s.steps = []step{s.place(in), s.confirm()}
	}
	l.sales = append(l.sales, s)
	return s
}

func (s *sale) place(in orders.OrderInput) step {
	return step{status: http.StatusCreated, leaves: orders.StatusCreated, send: func(ctx context.Context, c *client) (answer, error) {
		key := s.key + "-place"
		r, err := c.orders.CreateOrderWithResponse(ctx, &orders.CreateOrderParams{IdempotencyKey: &key}, in)
		if err != nil {
			return answer{}, err
		}
		return orderAnswer(r.HTTPResponse, r.Body)
	}}
}

func (s *sale) confirm() step {
	return step{status: http.StatusOK, leaves: orders.StatusConfirmed, send: func(ctx context.Context, c *client) (answer, error) {
		key := s.key + "-confirm"
		r, err := c.orders.ConfirmOrderWithResponse(ctx, s.id, &orders.ConfirmOrderParams{IdempotencyKey: &key}, orders.Confirmation{})
		if err != nil {
			return answer{}, err
		}
		return orderAnswer(r.HTTPResponse, r.Body)
	}}
}

func (s *sale) cancel() step {
	return step{status: http.StatusOK, leaves: orders.StatusCanceled, send: func(ctx context.Context, c *client) (answer, error) {
		key := s.key + "-cancel"
		r, err := c.orders.CancelOrderWithResponse(ctx, s.id, &orders.CancelOrderParams{IdempotencyKey: &key}, orders.Cancellation{})
		if err != nil {
			return answer{}, err
		}
		return orderAnswer(r.HTTPResponse, r.Body)
	}}
}

func orderAnswer(r *http.Response, body []byte) (answer, error) {
	a := newAnswer(r, body)
	if a.status >= http.StatusMultipleChoices {
		return a, nil
	}
	return a, json.Unmarshal(body, &a.order)
}

// placeAndConfirm is one request to the orchestrator: two to orders-api, and a kill may come between them.
func (s *sale) placeAndConfirm(in orders.OrderInput) step {
	request := orchestrator.OrderRequest{CustomerID: in.CustomerID, IdempotencyKey: s.key, CorrelationID: &s.key}
	for _, item := range in.Items {
		request.Items = append(request.Items, orchestrator.OrderRequestLine(item))
	}
	return step{status: http.StatusCreated, leaves: orders.StatusConfirmed, send: func(ctx context.Context, c *client) (answer, error) {
		r, err := c.orchestrator.CreateAndConfirmOrderWithResponse(ctx, nil, request)
		if err != nil {
			return answer{}, err
		}
		a := newAnswer(r.HTTPResponse, r.Body)
		if r.JSON201 != nil {
			o := r.JSON201.Data.Order
			a.order = orders.Order{ID: o.ID, Status: orders.OrderStatus(o.Status), TotalCents: o.TotalCents}
		}
		return a, nil
	}}
}

func newAnswer(r *http.Response, body []byte) answer {
	return answer{status: r.StatusCode, body: body, replayed: r.Header.Get("Idempotency-Replayed") == "true"}
}

// unexpected is an answer that is not the one that a step gets.
type unexpected string

func (u unexpected) Error() string { return string(u) }

// send sends the request that the sale is at. The error is unexpected, or says that there was no answer.
func (l *load) send(ctx context.Context, s *sale) error {
	l.requests.Add(1)
	at := &s.steps[s.step]
	got, err := at.send(ctx, l.client)
	if err != nil {
		return err
	}
	if got.status != at.status {
		return unexpected(fmt.Sprintf("%s got %d, want %d: %s", s.key, got.status, at.status, got.body))
	}
	if got.replayed {
		l.replayed.Add(1)
	}
	at.answer, s.id = got, got.order.ID
	s.step++
	return nil
}

func (l *load) violation(t *testing.T, format string, args ...any) {
	t.Helper()
	l.violations++
	t.Errorf(format, args...)
}

// check compares what the callers were told with what is there.
func (l *load) check(t *testing.T) {
	t.Helper()
	stored := map[int64]orders.Order{}
	history := l.client.history(t)
	for _, o := range history {
		stored[o.ID] = o
	}
	if len(stored) != len(history) || len(history) != len(l.sales) {
		l.violation(t, "%d orders, %d of them different, were made of %d keys", len(history), len(stored), len(l.sales))
	}
	stock := map[int64]int64{}
	for _, p := range l.products {
		stock[p.ID] = p.Stock
	}
	owner := map[int64]string{}
	for _, s := range l.sales {
		if other, taken := owner[s.id]; taken {
			l.violation(t, "order %d is that of %s and of %s", s.id, other, s.key)
		}
		owner[s.id] = s.key
		last := s.steps[len(s.steps)-1]
		if o, ok := stored[s.id]; !ok || o.Status != last.leaves || o.TotalCents != s.total {
			l.violation(t, "order %d of %s is %s over %d cents, want %s over %d", s.id, s.key, o.Status, o.TotalCents, last.leaves, s.total)
		}
		if last.leaves != orders.StatusCanceled {
			for product, units := range s.units {
				stock[product] -= units
			}
		}
		l.checkReplays(t, s)
	}
	for product, want := range stock {
		if got := l.client.stock(t, product); got != want {
			l.violation(t, "%d units of product %d are in stock, want %d", got, product, want)
		}
	}
	if after := l.client.history(t); !slices.EqualFunc(after, history, func(a, b orders.Order) bool { return a.ID == b.ID && a.Status == b.Status }) {
		l.violation(t, "repeating the requests changed the orders")
	}
}

// checkReplays repeats every request of a sale and expects the answers that were acknowledged.
func (l *load) checkReplays(t *testing.T, s *sale) {
	t.Helper()
	for i, st := range s.steps {
		if st.answer.order.Status != st.leaves || st.answer.order.TotalCents != s.total {
			l.violation(t, "request %d of %s was answered with %s", i+1, s.key, st.answer.body)
		}
		again, err := st.send(t.Context(), l.client)
		if err != nil {
			t.Fatal(err)
		}
		if !again.replayed || again.status != st.answer.status || !bytes.Equal(again.body, st.answer.body) {
			l.violation(t, "request %d of %s was repeated, replayed %t:\n%d %s%d %s",
				i+1, s.key, again.replayed, st.answer.status, st.answer.body, again.status, again.body)
		}
	}
}
