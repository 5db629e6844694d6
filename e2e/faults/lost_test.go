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

// act is a request under a key.
type act struct {
	needs, leaves orders.OrderStatus // of the order, before and after; "" is none
	status        int                // of the answer
	request       func(*purchase) request
}

// first is what a caller gets at the first try.
type first int

const (
	nothing     first = iota
	unavailable       // 503 with Retry-After
	success           // the services have repeated what was lost themselves
)

// lost is a case of TestLostAnswer.
type lost struct {
	act   act
	hop   hop
	kind  wire.Kind
	times int                      // or each
	where func(*purchase) []string // what is said there

	first    first
	between  orders.OrderStatus // once the caller has that
	replayed bool               // the first success
}

// each is every try of a service's. It tries three times, and net/http some more times in each.
const each = math.MaxInt

// TestLostAnswer loses an answer, or what it would answer, in a hop of a request's way. The caller gets no answer, or 503, and
// repeats the request under its key at the other replica: what took place already is answered with, what did not takes place
// then, and in any case once.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	db, server := ownMySQL(t)
	s := newWired(t, db, "UPSTREAM_TIMEOUT=1s", "REQUEST_TIMEOUT=5s")
	t.Run("cases", func(t *testing.T) {
		for name, l := range lostAnswers() {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				l.lose(t, s, server)
			})
		}
	})
	s.audit(t)
	t.Logf("faults injected: %v", s.injected())
}

func lostAnswers() map[string]lost {
	const none, created, confirmed, canceled = orders.OrderStatus(""), orders.StatusCreated, orders.StatusConfirmed, orders.StatusCanceled
	placing := act{none, created, http.StatusCreated, (*purchase).place}
	confirming := act{created, confirmed, http.StatusOK, (*purchase).confirm}
	canceling := act{created, canceled, http.StatusOK, (*purchase).cancel}
	orchestrating := act{none, confirmed, http.StatusCreated, (*purchase).placeAndConfirm}
	return map[string]lost{
		"create, the answer":                                 {placing, clientToOrders, wire.AnswerLost, 1, itsKey, nothing, created, true},
		"create, COMMIT":                                     {placing, ordersToMySQL, wire.CommitLost, 1, itsInsert, unavailable, none, false},
		"create, COMMIT, half-open":                          {placing, ordersToMySQL, wire.CommitHeld, 1, itsInsert, unavailable, none, false},
		"create, COMMIT's answer":                            {placing, ordersToMySQL, wire.CommitAnswerLost, 1, itsInsert, unavailable, created, true},
		"create, COMMIT's answer, half-open":                 {placing, ordersToMySQL, wire.CommitAnswerHeld, 1, itsInsert, unavailable, created, true},
		"create, the customer":                               {placing, ordersToCustomers, wire.AnswerLost, 1, lookup, success, created, false},
		"create, the customer, at each try":                  {placing, ordersToCustomers, wire.AnswerLost, each, lookup, unavailable, none, false},
		"confirm, the answer":                                {confirming, clientToOrders, wire.AnswerLost, 1, itsKey, nothing, confirmed, true},
		"confirm, COMMIT":                                    {confirming, ordersToMySQL, wire.CommitLost, 1, itsUpdate, unavailable, created, false},
		"confirm, COMMIT's answer":                           {confirming, ordersToMySQL, wire.CommitAnswerLost, 1, itsUpdate, unavailable, confirmed, true},
		"confirm, COMMIT's answer, half-open":                {confirming, ordersToMySQL, wire.CommitAnswerHeld, 1, itsUpdate, unavailable, confirmed, true},
		"cancel, the answer":                                 {canceling, clientToOrders, wire.AnswerLost, 1, itsKey, nothing, canceled, true},
		"cancel, COMMIT":                                     {canceling, ordersToMySQL, wire.CommitLost, 1, itsCancel, unavailable, created, false},
		"cancel, COMMIT's answer":                            {canceling, ordersToMySQL, wire.CommitAnswerLost, 1, itsCancel, unavailable, canceled, true},
		"cancel, COMMIT's answer, half-open":                 {canceling, ordersToMySQL, wire.CommitAnswerHeld, 1, itsCancel, unavailable, canceled, true},
		"orchestrator, the answer":                           {orchestrating, clientToOrchestrator, wire.AnswerLost, 1, itsKey, nothing, confirmed, true},
		"orchestrator, create":                               {orchestrating, orchestratorToOrders, wire.AnswerLost, 1, itsCreate, success, confirmed, false},
		"orchestrator, create, at each try":                  {orchestrating, orchestratorToOrders, wire.AnswerLost, each, itsCreate, unavailable, created, false},
		"orchestrator, confirm":                              {orchestrating, orchestratorToOrders, wire.AnswerLost, 1, itsConfirm, success, confirmed, true},
		"orchestrator, confirm, at each try":                 {orchestrating, orchestratorToOrders, wire.AnswerLost, each, itsConfirm, unavailable, confirmed, true},
		"orchestrator, create's COMMIT":                      {orchestrating, ordersToMySQL, wire.CommitLost, 1, itsInsert, success, confirmed, false},
		"orchestrator, each of create's COMMITs":             {orchestrating, ordersToMySQL, wire.CommitLost, each, itsInsert, unavailable, none, false},
		"orchestrator, create's COMMIT's answer":             {orchestrating, ordersToMySQL, wire.CommitAnswerLost, 1, itsInsert, success, confirmed, false},
		"orchestrator, create's COMMIT's answer, half-open":  {orchestrating, ordersToMySQL, wire.CommitAnswerHeld, 1, itsInsert, success, confirmed, false},
		"orchestrator, confirm's COMMIT":                     {orchestrating, ordersToMySQL, wire.CommitLost, 1, itsUpdate, success, confirmed, false},
		"orchestrator, each of confirm's COMMITs":            {orchestrating, ordersToMySQL, wire.CommitLost, each, itsUpdate, unavailable, created, false},
		"orchestrator, confirm's COMMIT's answer":            {orchestrating, ordersToMySQL, wire.CommitAnswerLost, 1, itsUpdate, success, confirmed, true},
		"orchestrator, confirm's COMMIT's answer, half-open": {orchestrating, ordersToMySQL, wire.CommitAnswerHeld, 1, itsUpdate, success, confirmed, true},
	}
}

// Where something is lost: the key is in every request, and in every transaction, at least as the customer's address.
func itsKey(p *purchase) []string     { return []string{p.key} }
func itsCreate(p *purchase) []string  { return []string{"POST /orders ", p.key} }
func itsConfirm(p *purchase) []string { return []string{"/confirm ", p.key} }
func itsInsert(p *purchase) []string  { return []string{"INSERT INTO orders ", p.key} }
func itsUpdate(p *purchase) []string  { return []string{"SET status = 'CONFIRMED'", p.key} }
func itsCancel(p *purchase) []string  { return []string{"SET status = 'CANCELED'", p.key} }
func lookup(p *purchase) []string {
	return []string{fmt.Sprintf("/internal/customers/%d ", p.customer)}
}

func (l lost) lose(t *testing.T, s *wired, server *database.DB) {
	p := newPurchase(t, s.callers(t), server)
	if l.act.needs != "" {
		p.order = p.clients[1].CreateOrder(t, p.customer, p.product, held).ID
	}
	good := newPurchase(t, s.callers(t), server)
	for range 10 { // so many good answers that those which are lost do not open the orchestrator's circuit breaker
		good.ask(t, 0, good.placeAndConfirm())
	}
	send := l.act.request(p)
	stop := s.wires[0][l.hop].Lose(l.kind, l.times, l.where(p)...)

	// The connection is new: on another one net/http would repeat a request with a key by itself.
	got := send(t.Context(), p.clients[0])
	switch {
	case l.first == nothing && got.Err == nil:
		t.Errorf("the answer was not lost: %s", got)
	case l.first != nothing && got.Err != nil:
		t.Fatalf("violation: no answer: %v", got.Err)
	case l.first == unavailable && (got.Status != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == ""):
		t.Errorf("violation: got %s, want 503 with Retry-After", got)
	}
	if n := stop(); n != l.times && (l.times != each || n < 3) {
		t.Errorf("lost %d times, want %d", n, l.times)
	}
	p.expect(t, l.between)

	if l.first != success {
		got = p.ask(t, 1, send)
	}
	p.expect(t, l.act.leaves)
	if got.Status != l.act.status || got.Replayed() != l.replayed {
		t.Errorf("violation: got %s, want %d, replayed %t", got, l.act.status, l.replayed)
	}
	if there := p.stored(t); shown(t, got) != there {
		t.Errorf("violation: got %s, but there is %+v", got, there)
	}
	for replica := range p.clients {
		if again := p.ask(t, replica, send); !again.Same(got) || !again.Replayed() {
			t.Errorf("violation: once more, replica %d answered with\n%s\nwant, replayed,\n%s", replica, again, got)
		}
	}
	p.expect(t, l.act.leaves)

	if l.act.needs != "" { // an order that is what it is to become stays as it is, whatever the key
		p.key = rand.Text()
		if again := p.ask(t, 0, l.act.request(p)); !again.Same(got) || again.Replayed() {
			t.Errorf("violation: under another key it is\n%s\nwant\n%s", again, got)
		}
		p.expect(t, l.act.leaves)
	}
}

// purchase is one order of a customer and a product of its own.
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

// placeAndConfirm has the key in the correlation id too, which goes on to orders-api.
func (p *purchase) placeAndConfirm() request {
	in := call.OrderRequest(p.key, p.customer, p.product, held)
	in.CorrelationID = &p.key
	return func(ctx context.Context, c *call.Client) call.Response { return c.Orchestrate(ctx, in) }
}

// row is an order, as far as it matters here.
type row struct {
	ID         int64              `json:"id"`
	Status     orders.OrderStatus `json:"status"`
	TotalCents int64              `json:"total_cents"`
}

// shown is the order in an answer, of orders-api or of the orchestrator.
func shown(t *testing.T, a call.Response) row {
	o := decoded[struct {
		row
		Data struct{ Order row }
	}](t, a)
	if o.ID == 0 {
		return o.Data.Order
	}
	return o.row
}

// stored is the purchase's orders in the database: one at most.
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

// expect expects the order in that status, or that there is none, and the stock that goes with it.
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
