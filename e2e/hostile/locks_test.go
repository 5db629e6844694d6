package hostile

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/engine"
	"github.com/pedidos-hq/pedidos/e2e/program"
	"github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/gen/ordersdb"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

// TestHeldProduct locks the row of one product while many requests of every kind need the lock. Requests for other products,
// reads and /ready must succeed as before, and the sweeps must continue. Once the lock is released, orders of the product
// succeed again.
func TestHeldProduct(t *testing.T) {
	t.Parallel()
	const flood, others, queue = 48, 4, 16 // flood exceeds the queue for the database
	rounds := 200
	if *long {
		rounds = 20_000
	}
	root := engine.EmptyMySQL(t)
	at := lockUser(t, root)
	env := []string{
		"DB_HOST=" + at.Host, fmt.Sprintf("DB_PORT=%d", at.Port), "DB_USER=" + at.User, "DB_PASSWORD=" + at.Password, "DB_NAME=" + at.Name,
		fmt.Sprintf("DB_MAX_QUEUE=%d", queue), "SWEEP_INTERVAL=100ms", "LOG_LEVEL=INFO",
		"JWT_SECRET=hostile-jwt-secret-of-more-than-32-bytes", "SERVICE_TOKEN=hostile-service-token", "ADMIN_PASSWORD=" + lockPassword,
	}
	if r := program.Run(t, env, "migrate", "up"); r.Code != 0 {
		t.Fatalf("migrate up: %s", r.Stderr)
	}
	admin := program.ClosedPort(t)
	var urls call.URLs
	_, urls.Customers = program.Serve(t, "customers", env...)
	ordersPort := program.ClosedPort(t)
	urls.Orders = "http://127.0.0.1:" + ordersPort
	urls.Orchestrator = urls.Orders // not called
	program.Start(t, append(env, "HOST=127.0.0.1", "PORT="+ordersPort, "ADMIN_PORT="+admin, "LOG_LEVEL=ERROR", "CUSTOMERS_API_BASE="+urls.Customers), "orders")
	program.AwaitReady(t, urls.Customers, urls.Orders)

	c := urls.Login(t, lockPassword)
	buyer := c.CreateCustomer(t, "buyer@example.com").ID
	held := c.CreateProduct(t, "HELD", 100, 1_000_000).ID
	var free []int64
	for i := range 8 {
		free = append(free, c.CreateProduct(t, fmt.Sprint("FREE-", i), 100, 1_000_000).ID)
	}
	var canceled []int64 // orders of the locked product
	for range flood {
		canceled = append(canceled, c.CreateOrder(t, buyer, held, 1).ID)
	}

	place := func(products ...int64) call.Response {
		var lines []int64
		for _, p := range products {
			lines = append(lines, p, 1)
		}
		return c.TryOrder(t.Context(), "", buyer, lines...)
	}
	// traffic sends requests that do not need the lock.
	traffic := func(when string) {
		times := map[string]*latencies{"orders": {}, "reads": {}, "ready": {}}
		var all sync.WaitGroup
		for i := range others {
			all.Go(func() {
				for n := range rounds {
					times["orders"].expect(t, when+", an order of another product", http.StatusCreated, func() call.Response {
						return place(free[(i+n)%len(free)])
					})
					times["reads"].expect(t, when+", the locked product", http.StatusOK, func() call.Response {
						return call.Read(c.Orders.GetProduct(t.Context(), held))
					})
					times["ready"].expect(t, when+", /ready", http.StatusOK, func() call.Response {
						return call.Read(c.Orders.GetReady(t.Context()))
					})
				}
			})
		}
		all.Wait()
		t.Logf("%s: orders %s; reads %s; /ready %s", when, times["orders"], times["reads"], times["ready"])
	}
	traffic("before")

	release := lockProduct(t, root, held)
	ctx, stop := context.WithCancel(t.Context())
	var flooding sync.WaitGroup
	var refused latencies
	for i := range flood {
		flooding.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				refused.expect(t, "while the product is locked, a request for it", http.StatusServiceUnavailable, func() call.Response {
					switch i % 4 {
					case 0:
						return place(held)
					case 1: // between other products
						return place(free[n%len(free)], held, free[(n+1)%len(free)])
					case 2:
						return call.Read(c.Orders.UpdateProduct(t.Context(), held, nil, orders.ProductChange{PriceCents: new(int64(100))}))
					default:
						return c.TryCancel(t.Context(), "", canceled[i])
					}
				})
				select {
				case <-time.After(100 * time.Millisecond):
				case <-ctx.Done():
				}
			}
		})
	}
	swept := lockMetric(t, admin, `pedidos_sweeps_total{outcome="done",what="orders_idempotency"}`)
	refused.await(t, 1) // the service has noticed the lock
	traffic("while the product is locked")
	for lockMetric(t, admin, `pedidos_sweeps_total{outcome="done",what="orders_idempotency"}`) < swept+3 {
		if t.Context().Err() != nil {
			t.Fatal("the sweeps do not continue")
		}
		time.Sleep(20 * time.Millisecond)
	}
	if n := lockMetric(t, admin, `pedidos_sweeps_total{outcome="failed",what="orders_idempotency"}`); n != 0 {
		t.Errorf("%v sweeps failed", n)
	}
	stop()
	flooding.Wait()
	t.Logf("requests for the locked product: %s", &refused)
	release()

	for i := range 8 {
		(&latencies{}).expect(t, "after the release, an order of the product", http.StatusCreated, func() call.Response { return place(held, free[i]) })
	}
	if r := program.Run(t, env, "audit"); r.Code != 0 {
		t.Errorf("audit: %s%s", r.Stdout, r.Stderr)
	}
}

const lockPassword = "hostile-admin-password"

// lockUser creates a database user for the services.
func lockUser(t *testing.T, root database.MySQL) (at database.MySQL) {
	t.Helper()
	at = root
	at.User, at.Password = root.Name, "hostile-database-password"
	db, err := database.OpenMySQL(root, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	run := func(ctx context.Context, statement string) error {
		return db.Read(ctx, func(conn database.Conn) error {
			_, err := conn.ExecContext(ctx, statement)
			return err
		})
	}
	t.Cleanup(func() {
		if err := errors.Join(run(context.WithoutCancel(t.Context()), "DROP USER IF EXISTS "+at.User), db.Close()); err != nil {
			t.Error(err)
		}
	})
	for _, statement := range []string{
		fmt.Sprintf("CREATE USER %s IDENTIFIED BY '%s'", at.User, at.Password),
		fmt.Sprintf("GRANT ALL ON %s.* TO %s", at.Name, at.User),
	} {
		if err := run(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	return at
}

// lockProduct locks a product in a transaction that stays open until release is called, as a manual session might.
func lockProduct(t *testing.T, at database.MySQL, id int64) (release func()) {
	t.Helper()
	db, err := database.OpenMySQL(at, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	locked, end, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	ctx := context.WithoutCancel(t.Context())
	go func() {
		done <- db.Tx(ctx, func(conn database.Conn) error {
			if _, err := conn.ExecContext(ctx, "SET wait_timeout = 3600"); err != nil {
				return err
			}
			_, err := ordersdb.New(conn).LockProductsForOrder(ctx, []int64{id})
			close(locked)
			<-end
			return err
		})
	}()
	<-locked
	return func() {
		t.Helper()
		close(end)
		if err := errors.Join(<-done, db.Close()); err != nil {
			t.Error(err)
		}
	}
}

// latencies collects the durations of requests.
type latencies struct {
	mu  sync.Mutex
	all []time.Duration
}

// expect sends a request, checks its status and records its duration.
func (l *latencies) expect(t *testing.T, what string, status int, send func() call.Response) {
	began := time.Now()
	r := send()
	took := time.Since(began)
	switch {
	case r.Status != status:
		t.Errorf("%s: got %s, want %d", what, r, status)
	case status == http.StatusServiceUnavailable && r.Header.Get("Retry-After") == "":
		t.Errorf("%s: got %s without Retry-After", what, r)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, took)
}

func (l *latencies) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.all)
}

// await waits until n requests are answered.
func (l *latencies) await(t *testing.T, n int) {
	t.Helper()
	for l.count() < n {
		if t.Context().Err() != nil {
			t.Fatal("no request was answered")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (l *latencies) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.all) == 0 {
		return "none"
	}
	slices.Sort(l.all)
	n := len(l.all)
	return fmt.Sprintf("%d, p50 %s, p99 %s, max %s", n, l.all[n/2].Round(time.Millisecond/10), l.all[n*99/100].Round(time.Millisecond/10),
		l.all[n-1].Round(time.Millisecond/10))
}

// lockMetric returns the value of a metric, or 0 if it is absent.
func lockMetric(t *testing.T, port, name string) float64 {
	t.Helper()
	_, text := program.Get(t, "http://127.0.0.1:"+port+"/metrics")
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	return 0
}
