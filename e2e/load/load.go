// Package load is callers who place, confirm and cancel orders and repeat every request until it is answered, as an
// integrator does, and the check of what they were told against what is there.
package load

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/gen/orders"
)

// Config says what the callers do.
type Config struct {
	Name      string        // sets this load's customer, products and keys apart from another's; "load" where ""
	Seed      uint64        // of the orders
	Callers   int           // 8 where 0
	LoseOneIn int           // one answer in so many counts as lost on its way; none where 0
	Once      bool          // a request that is not answered at the first try is a violation
	Timeout   time.Duration // of one try; the client's where 0
	Patience  time.Duration // how long a request may take with all its repeats; a minute where 0
}

const (
	pause = 50 * time.Millisecond // before a repeat
	stock = 1_000_000             // of each product
)

// Load is what the callers do and what they were told.
type Load struct {
	config   Config
	clients  []*call.Client
	customer int64
	products []orders.Product

	over    atomic.Bool // no new orders
	working sync.WaitGroup
	stop    context.CancelFunc

	requests, acknowledged, repeats, replays, lost, rechecked atomic.Int64

	mu         sync.Mutex
	sales      []*sale
	checked    int // of the sales, by Check
	violations []string
	reported   int           // of the violations
	broken     chan struct{} // closed at the first violation that a caller sees
	breakUp    func()
}

// New adds a customer and products for a load. Where there are several clients, each try of a request goes to the next.
func New(t testing.TB, config Config, clients ...*call.Client) *Load {
	t.Helper()
	config.Name = cmp.Or(config.Name, "load")
	config.Callers = cmp.Or(config.Callers, 8)
	config.Patience = cmp.Or(config.Patience, time.Minute)
	l := &Load{config: config, clients: clients, stop: func() {}, broken: make(chan struct{})}
	l.breakUp = sync.OnceFunc(func() { close(l.broken) })
	l.customer = clients[0].CreateCustomer(t, config.Name+"@example.com").ID
	for i, price := range []int64{1, 250, 1999, 99_999} {
		l.products = append(l.products, clients[0].CreateProduct(t, fmt.Sprintf("%s-%d", config.Name, i), price, stock))
	}
	t.Cleanup(func() {
		l.stop()
		l.working.Wait()
	})
	return l
}

// Use lets the callers go on with other clients; they must be at rest.
func (l *Load) Use(clients ...*call.Client) { l.clients = clients }

// Start lets the callers work until Pause.
func (l *Load) Start(t testing.TB) {
	ctx, stop := context.WithCancel(t.Context())
	l.stop = stop
	l.over.Store(false)
	for range l.config.Callers {
		l.working.Go(func() {
			for !l.over.Load() && !l.isBroken() {
				s := l.next()
				for i := range s.steps {
					if err := l.insist(ctx, s, &s.steps[i]); err != nil {
						if t.Context().Err() == nil {
							l.violation("request %d of %s %v", i+1, s.key, err)
							l.breakUp()
						}
						return
					}
					l.acknowledged.Add(1)
				}
			}
		})
	}
}

func (l *Load) isBroken() bool {
	select {
	case <-l.broken:
		return true
	default:
		return false
	}
}

// AwaitMore returns once n more requests of the callers are acknowledged.
func (l *Load) AwaitMore(t testing.TB, n int64) {
	t.Helper()
	l.await(t, &l.acknowledged, n, "acknowledged")
}

// AwaitRepeats returns once the callers had to repeat n more requests: a fault is felt.
func (l *Load) AwaitRepeats(t testing.TB, n int64) {
	t.Helper()
	l.await(t, &l.repeats, n, "repeated")
}

func (l *Load) await(t testing.TB, count *atomic.Int64, n int64, what string) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 2*l.config.Patience)
	defer stop()
	for target, tick := count.Load()+n, time.NewTicker(time.Millisecond); count.Load() < target; {
		select {
		case <-tick.C:
		case <-l.broken:
			l.report(t)
			t.FailNow()
		case <-ctx.Done():
			t.Fatalf("waited for %d more requests to be %s: %v", n, what, ctx.Err())
		}
	}
}

// Pause returns once every caller has done the order that it is at.
func (l *Load) Pause(t testing.TB) {
	t.Helper()
	l.over.Store(true)
	l.working.Wait()
	l.stop()
	if l.report(t) {
		t.FailNow()
	}
}

// Counts is how much a load did.
type Counts struct {
	Orders       int
	Requests     int64 // those of the checks included
	Acknowledged int64
	Lost         int64 // answers, on purpose
	Repeats      int64 // of requests that were not answered, or told to come back
	Replays      int64 // answers to these that say that all was done by a request whose answer was not heard
	Checked      int64 // answers that a check compared with one more
	Violations   int
}

func (c Counts) String() string {
	return fmt.Sprintf("%d orders, %d requests, %d acknowledged, %d answers lost on purpose, %d repeats, %d of them of what was done, %d answers checked, %d violations",
		c.Orders, c.Requests, c.Acknowledged, c.Lost, c.Repeats, c.Replays, c.Checked, c.Violations)
}

// Counts returns the counts so far.
func (l *Load) Counts() Counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Counts{
		Orders: len(l.sales), Requests: l.requests.Load(), Acknowledged: l.acknowledged.Load(), Lost: l.lost.Load(),
		Repeats: l.repeats.Load(), Replays: l.replays.Load(), Checked: l.rechecked.Load(), Violations: len(l.violations),
	}
}

func (l *Load) violation(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.violations = append(l.violations, fmt.Sprintf(format, args...))
}

// report fails the test with the violations that are new, and says whether there are any.
func (l *Load) report(t testing.TB) bool {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	const most = 20
	found := l.violations[l.reported:]
	for _, v := range found[:min(most, len(found))] {
		t.Errorf("violation: %s", v)
	}
	if len(found) > most {
		t.Errorf("violation: and %d more", len(found)-most)
	}
	l.reported = len(l.violations)
	return len(found) > 0
}

// insist sends a request until it is answered. Whatever answers it gets, now and before, are one and the same.
func (l *Load) insist(ctx context.Context, s *sale, at *step) error {
	ctx, stop := context.WithTimeout(ctx, l.config.Patience)
	defer stop()
	first := at.tries == 0
	for again := false; ; again = true {
		got := l.try(ctx, s, at)
		order, err := orderIn(got)
		switch {
		case err != nil: // no answer, or half of one
			l.repeats.Add(1)
		case got.Later():
			l.repeats.Add(1)
			err = fmt.Errorf("got %s", got)
		case got.Status != at.status:
			return fmt.Errorf("got %s, want %d", got, at.status)
		case at.answered && !got.Same(at.answer):
			return fmt.Errorf("got two answers:\n%s\n%s", at.answer, got)
		case at.answered && !got.Replayed():
			return fmt.Errorf("got an answer that is not said to be replayed: %s", got)
		default:
			if again && got.Replayed() && !at.answered {
				l.replays.Add(1)
			}
			at.answer, at.order, at.answered, s.id = got, order, true, order.ID
			if !first || l.config.LoseOneIn == 0 || s.random.IntN(l.config.LoseOneIn) > 0 {
				return nil
			}
			l.lost.Add(1)
		}
		if err != nil && l.config.Once {
			return fmt.Errorf("was not answered at the first try: %w", err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("was not answered in %s: %w", l.config.Patience, err)
		case <-time.After(pause):
		}
	}
}

// try sends a request once, to the client whose turn it is.
func (l *Load) try(ctx context.Context, s *sale, at *step) call.Response {
	if l.config.Timeout > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, l.config.Timeout)
		defer stop()
	}
	l.requests.Add(1)
	at.tries++
	return at.send(ctx, l.clients[(s.number+at.tries)%len(l.clients)])
}

// next makes up a sale. The n-th is the same whoever gets it.
func (l *Load) next() *sale {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.sales)
	s := newSale(n, fmt.Sprintf("%s-%d", l.config.Name, n), rand.New(rand.NewPCG(l.config.Seed, uint64(n+1))), l.customer, l.products)
	l.sales = append(l.sales, s)
	return s
}
