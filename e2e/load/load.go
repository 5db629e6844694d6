// Package load generates load: callers that place, confirm and cancel orders and, like a good integration, retry every
// request until it is answered. It then checks the answers against the data of the services.
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

// Config configures a Load.
type Config struct {
	Name      string        // the prefix of the email, SKUs and keys of this load; "" means "load"
	Seed      uint64        // determines the orders
	Callers   int           // 0 means 8
	LoseOneIn int           // one answer in so many is treated as lost; 0 means none
	Once      bool          // a request without an answer at the first try is a violation
	Timeout   time.Duration // of one try; 0 means the client's
	Patience  time.Duration // of a request with all its retries; 0 means a minute
}

const (
	pause = 50 * time.Millisecond // before a retry
	stock = 1_000_000             // units of each product
)

// Load is a group of callers and the answers that they got.
type Load struct {
	config   Config
	clients  []*call.Client
	customer int64
	products []orders.Product

	over    atomic.Bool // callers start no new orders
	working sync.WaitGroup
	stop    context.CancelFunc

	requests, acknowledged, repeats, replays, lost, rechecked atomic.Int64

	mu         sync.Mutex
	why        error         // of the last repeat
	last       time.Time     // of an acknowledged request
	longest    time.Duration // between two
	sales      []*sale
	checked    int // the number of sales that Check has repeated
	violations []string
	reported   int           // the number of violations that were reported
	broken     chan struct{} // closed at the first violation that a caller detects
	markBroken func()
}

// New creates a load with its own customer and products. With several clients, each try of a request uses the next one.
func New(t testing.TB, config Config, clients ...*call.Client) *Load {
	t.Helper()
	config.Name = cmp.Or(config.Name, "load")
	config.Callers = cmp.Or(config.Callers, 8)
	config.Patience = cmp.Or(config.Patience, time.Minute)
	l := &Load{config: config, clients: clients, stop: func() {}, broken: make(chan struct{})}
	l.markBroken = sync.OnceFunc(func() { close(l.broken) })
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

// Use replaces the clients. Call it only after Pause.
func (l *Load) Use(clients ...*call.Client) { l.clients = clients }

// Start starts the callers, which run until Pause.
func (l *Load) Start(t testing.TB) {
	ctx, stop := context.WithCancel(t.Context())
	l.stop = stop
	l.over.Store(false)
	l.mu.Lock()
	l.last, l.longest, l.why = time.Now(), 0, nil
	l.mu.Unlock()
	for range l.config.Callers {
		l.working.Go(func() {
			for !l.over.Load() && !l.isBroken() {
				s := l.next()
				for i := range s.steps {
					if err := l.sendUntilAnswered(ctx, s, &s.steps[i]); err != nil {
						if t.Context().Err() == nil {
							l.violation("request %d of %s %v", i+1, s.key, err)
							l.markBroken()
						}
						return
					}
					l.acknowledge()
				}
			}
		})
	}
}

func (l *Load) acknowledge() {
	l.acknowledged.Add(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.longest, l.last = max(l.longest, now.Sub(l.last)), now
}

func (l *Load) countRepeat(err error) {
	l.repeats.Add(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.why = err
}

// LastRepeat returns why a request was last repeated since Start, or nil.
func (l *Load) LastRepeat() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.why
}

// Longest returns the longest time since Start in which no request was acknowledged.
func (l *Load) Longest() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.longest
}

func (l *Load) isBroken() bool {
	select {
	case <-l.broken:
		return true
	default:
		return false
	}
}

// AwaitMore waits until n more requests are acknowledged.
func (l *Load) AwaitMore(t testing.TB, n int64) {
	t.Helper()
	l.await(t, &l.acknowledged, n, "acknowledged")
}

// AwaitRepeats waits until the callers have had to retry n more times, which shows that a fault has an effect.
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

// Pause waits until every caller has completed its current order, and stops the callers.
func (l *Load) Pause(t testing.TB) {
	t.Helper()
	l.over.Store(true)
	l.working.Wait()
	l.stop()
	if l.report(t) {
		t.FailNow()
	}
}

// Counts holds the statistics of a load.
type Counts struct {
	Orders       int
	Requests     int64 // including those of the checks
	Acknowledged int64
	Lost         int64 // answers treated as lost, see Config.LoseOneIn
	Repeats      int64 // retries of requests without an answer or answered with Retry-After
	Replays      int64 // retries that found the request already executed, although its answer was lost
	Checked      int64 // answers that a check compared with their replay
	Violations   int
}

func (c Counts) String() string {
	return fmt.Sprintf("%d orders, %d requests, %d acknowledged, %d answers lost on purpose, %d retries, %d of them replayed, %d answers checked, %d violations",
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

// report fails the test with the violations since the last report, and returns whether there are any.
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

// sendUntilAnswered retries a request until it is answered. It fails if an answer differs from an earlier one.
func (l *Load) sendUntilAnswered(ctx context.Context, s *sale, at *step) error {
	ctx, stop := context.WithTimeout(ctx, l.config.Patience)
	defer stop()
	first := at.tries == 0
	for again := false; ; again = true {
		got := l.try(ctx, s, at)
		order, err := orderIn(got)
		switch {
		case err != nil: // no answer, or an incomplete one
			l.countRepeat(err)
		case got.Later():
			err = fmt.Errorf("got %s", got)
			l.countRepeat(err)
		case got.Status != at.status:
			return fmt.Errorf("got %s, want %d", got, at.status)
		case at.answered && !got.Same(at.answer):
			return fmt.Errorf("got different answers:\n%s\n%s", at.answer, got)
		case at.answered && !got.Replayed():
			return fmt.Errorf("got an answer that is not marked as replayed: %s", got)
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
			return fmt.Errorf("was not answered in %s: %w", l.config.Patience, cmp.Or(err, ctx.Err()))
		case <-time.After(pause):
		}
	}
}

// try sends a request once, through the clients in turn.
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

// next generates a sale. The n-th sale depends only on the seed, not on the caller that gets it.
func (l *Load) next() *sale {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.sales)
	s := newSale(n, fmt.Sprintf("%s-%d", l.config.Name, n), rand.New(rand.NewPCG(l.config.Seed, uint64(n+1))), l.customer, l.products)
	l.sales = append(l.sales, s)
	return s
}
