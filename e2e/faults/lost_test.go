package faults

import (
	"context"
	"crypto/rand"
	"fmt"
	"math"
	"net/http"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/wire"
	"github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

// operation is a request under a key.
type operation struct {
	before, after orders.OrderStatus // the status of the order before and after; "" is no order
	status        int                // the HTTP status of the answer
	request       func(*purchase) request
}

// firstResult is what the caller gets at the first try.
type firstResult int

const (
	noAnswer    firstResult = iota
	unavailable             // 503 with Retry-After
	success                 // the services have retried by themselves
)

// lostAnswer is a case of TestLostAnswer.
type lostAnswer struct {
	op    operation
	hop   hop
	kind  wire.Kind
	times int                      // or everyTry
	texts func(*purchase) []string // the request or transaction contains all of them

	first    firstResult
	between  orders.OrderStatus // the status of the order after the first result
	replayed bool               // whether the first success is a replayed answer
}

// everyTry loses every try of a service. A service tries three times, and in each try net/http may retry as well.
const everyTry = math.MaxInt

// TestLostAnswer loses a message or its answer in one hop of a request. The caller gets no answer, or 503, and retries under
// its key at the other replica. The request takes effect exactly once: a retry replays the answer if the request succeeded
// before, and executes the request otherwise.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	db, server := ownMySQL(t)
	s := newWired(t, db, "UPSTREAM_TIMEOUT=1s", "REQUEST_TIMEOUT=5s")
	t.Run("cases", func(t *testing.T) {
		for name, l := range lostAnswers() {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				l.run(t, s, server)
			})
		}
		for name, l := range lostToSDKs() {
			t.Run("SDK: "+name, func(t *testing.T) {
				t.Parallel()
				l.run(t, s, server)
			})
		}
	})
	s.audit(t)
	t.Logf("faults injected: %v", s.injected())
}

func lostAnswers() map[string]lostAnswer {
	const none, created, confirmed, canceled = orders.OrderStatus(""), orders.StatusCreated, orders.StatusConfirmed, orders.StatusCanceled
	placing := operation{none, created, http.StatusCreated, (*purchase).place}
	confirming := operation{created, confirmed, http.StatusOK, (*purchase).confirm}
	canceling := operation{created, canceled, http.StatusOK, (*purchase).cancel}
	orchestrating := operation{none, confirmed, http.StatusCreated, (*purchase).placeAndConfirm}
	return map[string]lostAnswer{
		"create, the answer":                                 {placing, clientToOrders, wire.AnswerLost, 1, itsKey, noAnswer, created, true},
		"create, COMMIT":                                     {placing, ordersToMySQL, wire.CommitLost, 1, itsInsert, unavailable, none, false},
		"create, COMMIT, half-open":                          {placing, ordersToMySQL, wire.CommitHeld, 1, itsInsert, unavailable, none, false},
		"create, COMMIT's answer":                            {placing, ordersToMySQL, wire.CommitAnswerLost, 1, itsInsert, unavailable, created, true},
		"create, COMMIT's answer, half-open":                 {placing, ordersToMySQL, wire.CommitAnswerHeld, 1, itsInsert, unavailable, created, true},
		"create, the customer":                               {placing, ordersToCustomers, wire.AnswerLost, 1, lookup, success, created, false},
		"create, the customer, at each try":                  {placing, ordersToCustomers, wire.AnswerLost, everyTry, lookup, unavailable, none, false},
		"confirm, the answer":                                {confirming, clientToOrders, wire.AnswerLost, 1, itsKey, noAnswer, confirmed, true},
		"confirm, COMMIT":                                    {confirming, ordersToMySQL, wire.CommitLost, 1, itsUpdate, unavailable, created, false},
		"confirm, COMMIT's answer":                           {confirming, ordersToMySQL, wire.CommitAnswerLost, 1, itsUpdate, unavailable, confirmed, true},
		"confirm, COMMIT's answer, half-open":                {confirming, ordersToMySQL, wire.CommitAnswerHeld, 1, itsUpdate, unavailable, confirmed, true},
		"cancel, the answer":                                 {canceling, clientToOrders, wire.AnswerLost, 1, itsKey, noAnswer, canceled, true},
		"cancel, COMMIT":                                     {canceling, ordersToMySQL, wire.CommitLost, 1, itsCancel, unavailable, created, false},
		"cancel, COMMIT's answer":                            {canceling, ordersToMySQL, wire.CommitAnswerLost, 1, itsCancel, unavailable, canceled, true},
		"cancel, COMMIT's answer, half-open":                 {canceling, ordersToMySQL, wire.CommitAnswerHeld, 1, itsCancel, unavailable, canceled, true},
		"orchestrator, the answer":                           {orchestrating, clientToOrchestrator, wire.AnswerLost, 1, itsKey, noAnswer, confirmed, true},
		"orchestrator, create":                               {orchestrating, orchestratorToOrders, wire.AnswerLost, 1, itsCreate, success, confirmed, false},
		"orchestrator, create, at each try":                  {orchestrating, orchestratorToOrders, wire.AnswerLost, everyTry, itsCreate, unavailable, created, false},
		"orchestrator, confirm":                              {orchestrating, orchestratorToOrders, wire.AnswerLost, 1, itsConfirm, success, confirmed, true},
		"orchestrator, confirm, at each try":                 {orchestrating, orchestratorToOrders, wire.AnswerLost, everyTry, itsConfirm, unavailable, confirmed, true},
		"orchestrator, create's COMMIT":                      {orchestrating, ordersToMySQL, wire.CommitLost, 1, itsInsert, success, confirmed, false},
		"orchestrator, each of create's COMMITs":             {orchestrating, ordersToMySQL, wire.CommitLost, everyTry, itsInsert, unavailable, none, false},
		"orchestrator, create's COMMIT's answer":             {orchestrating, ordersToMySQL, wire.CommitAnswerLost, 1, itsInsert, success, confirmed, false},
		"orchestrator, create's COMMIT's answer, half-open":  {orchestrating, ordersToMySQL, wire.CommitAnswerHeld, 1, itsInsert, success, confirmed, false},
		"orchestrator, confirm's COMMIT":                     {orchestrating, ordersToMySQL, wire.CommitLost, 1, itsUpdate, success, confirmed, false},
		"orchestrator, each of confirm's COMMITs":            {orchestrating, ordersToMySQL, wire.CommitLost, everyTry, itsUpdate, unavailable, created, false},
		"orchestrator, confirm's COMMIT's answer":            {orchestrating, ordersToMySQL, wire.CommitAnswerLost, 1, itsUpdate, success, confirmed, true},
		"orchestrator, confirm's COMMIT's answer, half-open": {orchestrating, ordersToMySQL, wire.CommitAnswerHeld, 1, itsUpdate, success, confirmed, true},
	}
}

// These texts select the request or the transaction. Each contains the key, a transaction at least in the customer's email.
func itsKey(p *purchase) []string     { return []string{p.key} }
func itsCreate(p *purchase) []string  { return []string{"POST /orders ", p.key} }
func itsConfirm(p *purchase) []string { return []string{"/confirm ", p.key} }
func itsInsert(p *purchase) []string  { return []string{"INSERT INTO orders ", p.key} }
func itsUpdate(p *purchase) []string  { return []string{"SET status = 'CONFIRMED'", p.key} }
func itsCancel(p *purchase) []string  { return []string{"SET status = 'CANCELED'", p.key} }
func lookup(p *purchase) []string {
	return []string{fmt.Sprintf("/internal/customers/%d ", p.customer)}
}

func (l lostAnswer) run(t *testing.T, s *wiredShop, server *database.DB) {
	p := newPurchase(t, s.callers(t), server)
	if l.op.before != "" {
		p.order = p.clients[1].CreateOrder(t, p.customer, p.product, held).ID
	}
	good := newPurchase(t, s.callers(t), server)
	for range 10 { // enough successes to keep the lost answers from opening the orchestrator's circuit breaker
		good.ask(t, 0, good.placeAndConfirm())
	}
	send := l.op.request(p)
	stop := s.wires[0][l.hop].Lose(l.kind, l.times, l.texts(p)...)

	// The connection is new: on a reused one, net/http would itself retry a request with a key.
	got := send(t.Context(), p.clients[0])
	switch {
	case l.first == noAnswer && got.Err == nil:
		t.Errorf("the answer was not lost: %s", got)
	case l.first != noAnswer && got.Err != nil:
		t.Fatalf("violation: no answer: %v", got.Err)
	case l.first == unavailable && (got.Status != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == ""):
		t.Errorf("violation: got %s, want 503 with Retry-After", got)
	}
	if n := stop(); n != l.times && (l.times != everyTry || n < 3) {
		t.Errorf("lost %d times, want %d", n, l.times)
	}
	p.expect(t, l.between)

	if l.first != success {
		got = p.ask(t, 1, send)
	}
	p.expect(t, l.op.after)
	if got.Status != l.op.status || got.Replayed() != l.replayed {
		t.Errorf("violation: got %s, want %d, replayed %t", got, l.op.status, l.replayed)
	}
	if stored := p.stored(t); orderIn(t, got) != stored {
		t.Errorf("violation: got %s, but the database has %+v", got, stored)
	}
	for replica := range p.clients {
		if again := p.ask(t, replica, send); !again.Same(got) || !again.Replayed() {
			t.Errorf("violation: retried, replica %d answered\n%s\nwant it to replay\n%s", replica, again, got)
		}
	}
	p.expect(t, l.op.after)

	if l.op.before != "" { // confirm and cancel are idempotent under any key
		p.key = rand.Text()
		if again := p.ask(t, 0, l.op.request(p)); !again.Same(got) || again.Replayed() {
			t.Errorf("violation: under another key it is\n%s\nwant\n%s", again, got)
		}
		p.expect(t, l.op.after)
	}
}

// purchase is a single order, with a customer and a product that no other purchase uses.
type purchase struct {
	*race
	key            string
	product, order int64
}

func newPurchase(t *testing.T, clients [2]*call.Client, server *database.DB) *purchase {
	t.Helper()
	r := &race{clients: clients, server: server, sku: rand.Text()}
	r.customer = clients[1].CreateCustomer(t, r.sku+"@example.com").ID
	return &purchase{race: r, key: r.sku, product: clients[1].CreateProduct(t, r.sku, 1250, inStock).ID}
}

func (p *purchase) place() request {
	return p.race.place(p.key, orders.OrderLineInput{ProductID: p.product, Qty: held})
}
func (p *purchase) confirm() request { return confirm(p.key, p.order) }
func (p *purchase) cancel() request  { return cancel(p.key, p.order) }

// placeAndConfirm also sends the key as the correlation ID, which the orchestrator passes on to orders-api.
func (p *purchase) placeAndConfirm() request {
	in := call.OrderRequest(p.key, p.customer, p.product, held)
	in.CorrelationID = &p.key
	return func(ctx context.Context, c *call.Client) call.Response { return c.Orchestrate(ctx, in) }
}

// row holds the fields of an order that the test compares.
type row struct {
	ID         int64              `json:"id"`
	Status     orders.OrderStatus `json:"status"`
	TotalCents int64              `json:"total_cents"`
}

// orderIn returns the order in an answer of orders-api or of the orchestrator.
func orderIn(t *testing.T, a call.Response) row {
	o := decoded[struct {
		row
		Data struct{ Order row }
	}](t, a)
	if o.ID == 0 {
		return o.Data.Order
	}
	return o.row
}

// stored returns the purchase's order from the database, or a zero row. It reports a violation if there are more.
func (p *purchase) stored(t *testing.T) (o row) {
	t.Helper()
	var n int
	err := p.server.Read(t.Context(), func(conn database.Conn) error {
		return conn.QueryRowContext(t.Context(),
			"SELECT COUNT(*), COALESCE(MAX(id), 0), COALESCE(MAX(status), ''), COALESCE(MAX(total_cents), 0) FROM orders WHERE customer_id = ?",
			p.customer).Scan(&n, &o.ID, &o.Status, &o.TotalCents)
	})
	if err != nil {
		t.Fatal(err)
	}
	if n > 1 {
		t.Errorf("violation: there are %d orders", n)
	}
	return o
}

// expect checks the status of the order, "" meaning no order, and the stock that follows from it.
func (p *purchase) expect(t *testing.T, status orders.OrderStatus) {
	t.Helper()
	if o := p.stored(t); o.Status != status {
		t.Errorf("violation: the order is %q, want %q", o.Status, status)
	}
	left := int64(inStock)
	if status == orders.StatusCreated || status == orders.StatusConfirmed {
		left -= held
	}
	if got := p.clients[1].GetProduct(t, p.product).Stock; got != left {
		t.Errorf("violation: %d are in stock, want %d", got, left)
	}
}
