package hostile

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/program"
	"github.com/pedidos-hq/pedidos/gen/customers"
)

// TestRunaway lets an integrator place orders and read lists from many connections, without a pause and without a regard for Retry-After,
// beside one that sends a request every few milliseconds. With CALLER_RATE, every request of the calm one succeeds, and the runaway gets
// what its rate allows, and 429 with Retry-After for the rest. The log has the times of the calm one; without a limit there is nothing
// else to check.
func TestRunaway(t *testing.T) {
	t.Parallel()
	rates, connections, rounds := []int{100}, 32, 100
	if *long {
		rates, connections, rounds = []int{0, 100, 1000}, 64, 1000
	}
	for _, rate := range rates { // one after the other, so that the times can be compared
		t.Run(fmt.Sprint("CALLER_RATE=", rate), func(t *testing.T) { testRunaway(t, rate, connections, rounds) })
	}
}

func testRunaway(t *testing.T, rate, connections, rounds int) {
	s := program.Up(t, []string{fmt.Sprint("CALLER_RATE=", rate)}, t.TempDir(), program.FreePorts()...)
	admin := s.Login(t, call.LocalPassword)
	buyer, product := admin.CreateCustomer(t, "runaway@example.com").ID, admin.CreateProduct(t, "RUNAWAY", 100, 100_000_000).ID
	calm, runaway := integrator(t, s.URLs, admin, "Calm"), integrator(t, s.URLs, admin, "Runaway")
	// request sends the next request of an integrator, and returns the response and the status of a success.
	request := func(c *call.Client, n int) (call.Response, int) {
		if n%2 == 0 {
			return call.Read(c.Orders.ListOrders(t.Context(), nil)), http.StatusOK
		}
		return c.TryOrder(t.Context(), "", buyer, product, 1), http.StatusCreated
	}
	// work sends the requests of the calm integrator, at most 50 a second.
	work := func(when string) {
		var took latencies
		pace := time.NewTicker(20 * time.Millisecond)
		defer pace.Stop()
		for n := range rounds {
			<-pace.C
			began := time.Now()
			r, want := request(calm, n)
			took.all = append(took.all, time.Since(began))
			if refused := rate == 0 && r.Later(); r.Status != want && !refused {
				t.Errorf("%s, the calm integrator got %s, want %d", when, r, want)
			}
		}
		t.Logf("CALLER_RATE=%d, %s: the calm integrator %s", rate, when, &took)
	}
	work("alone")

	var flood sync.WaitGroup
	var over atomic.Bool
	var passed, limited, busy atomic.Int64
	start := time.Now()
	for i := range connections {
		flood.Go(func() {
			for n := i; !over.Load(); n++ {
				switch r, want := request(runaway, n); {
				case r.Status == want:
					passed.Add(1)
				case r.Status == http.StatusTooManyRequests && r.Header.Get("Retry-After") == "1" && strings.Contains(string(r.Body), `"too_many_requests"`):
					limited.Add(1)
				case r.Later():
					busy.Add(1)
				default:
					t.Errorf("the runaway got %s", r)
					return
				}
			}
		})
	}
	for passed.Load()+limited.Load() < int64(max(rate, 1)) && t.Context().Err() == nil { // it has used up what it may send at once
		time.Sleep(10 * time.Millisecond)
	}
	work("beside the runaway")
	over.Store(true)
	flood.Wait()
	took := time.Since(start)
	t.Logf("CALLER_RATE=%d: in %s, the runaway got %d successes, %d × 429, %d × 503", rate, took.Round(time.Millisecond), passed.Load(), limited.Load(), busy.Load())
	if rate == 0 {
		return
	}
	// The limiter counts the time between requests that arrive together twice, now and then: 0.2 % more in a long run.
	if most := 1.02 * float64(rate) * (1 + took.Seconds()); limited.Load() == 0 || float64(passed.Load()) > most {
		t.Errorf("%d requests of the runaway succeeded and %d were limited, want at most %.0f successes", passed.Load(), limited.Load(), most)
	}
}

// integrator creates an integrator and returns its client.
func integrator(t *testing.T, at call.URLs, admin *call.Client, name string) *call.Client {
	t.Helper()
	var created customers.Integrator
	in := customers.IntegratorInput{Name: name, Role: customers.RoleOperator}
	call.Read(admin.Customers.CreateIntegrator(t.Context(), nil, in)).Want(t, http.StatusCreated, &created)
	var key customers.NewKey
	call.Read(admin.Customers.CreateKey(t.Context(), created.ID, nil, customers.KeyInput{Name: "test"})).Want(t, http.StatusCreated, &key)
	return at.Client(t, *key.Key)
}
