package api

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/gen/ordersdb"
	ordersservice "github.com/pedidos-hq/pedidos/services/orders"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/idempotency"
)

// hold locks a product and orders until release is called. On the embedded engine it blocks all writes.
func hold(t *testing.T, w *world.World, product int64, orders ...int64) (release func()) {
	t.Helper()
	held, end, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	ctx := context.WithoutCancel(t.Context())
	go func() {
		done <- w.DB.Tx(ctx, func(conn database.Conn) error {
			q := ordersdb.New(conn)
			_, err := q.LockProductsForOrder(ctx, []int64{product})
			if err == nil {
				_, err = q.LockOrders(ctx, orders)
			}
			close(held)
			<-end
			return err
		})
	}()
	<-held
	return func() {
		t.Helper()
		close(end)
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func callers(w *world.World) float64 {
	pool := "write"
	if w.DB.Engine() == "mysql" {
		pool = "shared"
	}
	return w.Metric(fmt.Sprintf(`pedidos_database_callers{pool=%q}`, pool))
}

// Orders that wait for the same product share transactions. Each still gets its own response, idempotency key, caller and,
// if the stock does not suffice, refusal.
func TestOrdersShareTransactions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{Waiting: 100, Known: time.Minute})
	s, second := w.Login("admin"), w.Login("second")
	buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 5, 7)
	s.CreateOrder(t, buyer.ID, p.ID, 1) // caches the customer

	const clients, left = 16, 6
	outcomes := make([]call.Response, clients)
	sender := func(i int) *call.Client {
		if i%2 == 0 {
			return s
		}
		return second
	}
	send := func(i int) call.Response {
		lines := []int64{p.ID, 1}
		if i%4 == 3 {
			lines = append(lines, p.ID+100, 1)
		}
		return sender(i).TryOrder(t.Context(), fmt.Sprint("k", i/2), buyer.ID, lines...)
	}
	release := hold(t, w, p.ID, 0)
	idle := callers(w)
	var sending sync.WaitGroup
	for i := range clients {
		sending.Go(func() { outcomes[i] = send(i) })
	}
	call.Eventually(t, "all wait", func() bool { return callers(w) == idle+clients })
	release()
	sending.Wait()

	placed, transactions := 0, map[time.Time]bool{}
	for i, o := range outcomes {
		what := fmt.Sprint("order ", i)
		switch {
		case i%4 == 3:
			o.WantProblem(t, http.StatusNotFound, common.CodeProductNotFound, "items")
		case o.Status == http.StatusCreated:
			var order orders.Order
			o.Want(t, http.StatusCreated, &order)
			placed++
			transactions[order.CreatedAt.Time] = true // the clock moves whenever it is read
			var history orders.OrderEventPage
			call.Read(s.Orders.ListOrderHistory(t.Context(), order.ID, nil)).Want(t, http.StatusOK, &history)
			if by := *history.Data[0].Caller; by != map[*call.Client]string{s: "user:admin", second: "user:second"}[sender(i)] {
				t.Errorf("%s was placed by %s", what, by)
			}
		default:
			refused := o.WantProblem(t, http.StatusConflict, common.CodeInsufficientStock)
			if short := *refused.Shortages; len(short) != 1 || short[0] != (common.Shortage{ProductID: p.ID, Requested: 1, Available: 0}) {
				t.Errorf("%s: got shortages %v, want 1 requested and 0 available", what, short)
			}
		}
		send(i).WantReplay(t, o)
	}
	if placed != left {
		t.Errorf("%d orders were placed, want %d", placed, left)
	}
	if len(transactions) >= left {
		t.Errorf("%d orders were placed in %d transactions", placed, len(transactions))
	}
	s.WantStock(t, p.ID, 0)
	s.WantOrders(t, 1+left)
	audit(t, w)
}

// Confirmations share transactions too: of the same order, of other orders and of a missing one.
func TestConfirmationsShareTransactions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{Waiting: 100, Known: time.Minute})
	s := w.Login("admin")
	buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 5, 100)
	var ids []int64
	for range 4 {
		ids = append(ids, s.CreateOrder(t, buyer.ID, p.ID, 1).ID)
	}
	s.CancelOrder(t, ids[3])
	ids = append(ids, ids[0], ids[0], ids[3]+100)

	replies := make([]call.Response, len(ids))
	release := hold(t, w, p.ID, ids[:4]...)
	idle := callers(w)
	var sending sync.WaitGroup
	var answered atomic.Int64
	for i, id := range ids {
		sending.Go(func() {
			replies[i] = s.TryConfirm(t.Context(), fmt.Sprint("k", i), id)
			answered.Add(1)
		})
	}
	// On MySQL, the confirmation of the missing order may be answered at once, since it has no lock to wait for.
	call.Eventually(t, "all wait", func() bool { return callers(w)-idle+float64(answered.Load()) == float64(len(ids)) })
	release()
	sending.Wait()

	for i, id := range ids {
		what := fmt.Sprintf("confirmation %d, of order %d", i, id)
		switch i {
		case 3:
			replies[i].WantProblem(t, http.StatusConflict, common.CodeOrderCanceled)
		case len(ids) - 1:
			replies[i].WantProblem(t, http.StatusNotFound, common.CodeOrderNotFound)
		default:
			var got orders.Order
			if replies[i].Want(t, http.StatusOK, &got); got.ID != id || got.Status != orders.StatusConfirmed {
				t.Errorf("%s: got order %d, %s", what, got.ID, got.Status)
			}
		}
	}
	for _, i := range []int{4, 5} { // the same order
		if string(replies[i].Body) != string(replies[0].Body) {
			t.Errorf("confirmation %d: got %s, want %s", i, replies[i].Body, replies[0].Body)
		}
	}
	audit(t, w)
}

// While a transaction locks a product, orders of other products are placed.
func TestHeldProduct(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{Waiting: 100, Known: time.Minute})
	if w.DB.Engine() != "mysql" {
		t.Skip("the embedded engine has one writer")
	}
	s := w.Login("admin")
	buyer, held, free := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 5, 100), s.CreateProduct(t, "B", 5, 100)
	s.CreateOrder(t, buyer.ID, free.ID, 1)
	release := hold(t, w, held.ID, 0)
	idle := callers(w)
	var waiting, others sync.WaitGroup
	place := func(sending *sync.WaitGroup, product int64) {
		sending.Go(func() {
			if r := s.TryOrder(t.Context(), "", buyer.ID, product, 1); r.Status != http.StatusCreated {
				t.Errorf("got %s, want 201", r)
			}
		})
	}
	place(&waiting, held.ID)
	call.Eventually(t, "the first waits", func() bool { return callers(w) == idle+1 })
	for range 5 {
		place(&waiting, held.ID)
		place(&others, free.ID)
	}
	others.Wait()
	release()
	waiting.Wait()
	s.WantStock(t, held.ID, 94)
	s.WantStock(t, free.ID, 94)
	audit(t, w)
}

// holdConnections takes all connections of shared transactions until release is called. One of them then runs last and
// commits before the others end.
func holdConnections(t *testing.T, w *world.World, last func(context.Context, database.Conn) error) (release func()) {
	t.Helper()
	pool := "write"
	if w.DB.Engine() == "mysql" {
		pool = "shared"
	}
	ctx := context.WithoutCancel(t.Context())
	end, done := make(chan struct{}), make(chan struct{})
	var holding, ended sync.WaitGroup
	for i := range int(w.Metric(fmt.Sprintf(`go_sql_max_open_connections{db_name=%q}`, pool))) {
		holding.Add(1)
		ended.Go(func() {
			_, err := w.DB.Batches(ctx, func(conn database.Conn) (int, bool, error) {
				holding.Done()
				<-end
				if i == 0 {
					return 0, false, last(ctx, conn)
				}
				<-done // wait for the commit of last
				return 0, false, nil
			})
			if err != nil {
				t.Error(err)
			}
			if i == 0 {
				close(done)
			}
		})
	}
	holding.Wait()
	return func() {
		close(end)
		ended.Wait()
	}
}

// placeAtOnce places concurrent orders under keys while no shared transaction can begin. It returns the responses and the
// number of transactions that placed orders.
func placeAtOnce(t *testing.T, w *world.World, keys []string, last func(context.Context, database.Conn) error) (replies []call.Response, transactions int) {
	t.Helper()
	s := w.Login("admin")
	buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 5, 1000)
	s.CreateOrder(t, buyer.ID, p.ID, 1) // caches the customer
	replies = make([]call.Response, len(keys))
	release := holdConnections(t, w, last)
	var sending sync.WaitGroup
	for i, key := range keys {
		sending.Go(func() {
			for replies[i].Status == 0 || replies[i].Header.Get("Retry-After") != "" {
				if replies[i] = s.TryOrder(t.Context(), key, buyer.ID, p.ID, 1); replies[i].Err != nil {
					t.Error(replies[i].Err)
					return
				}
			}
		})
	}
	under := fmt.Sprintf(`pedidos_requests_in_flight{service=%q}`, "orders")
	call.Eventually(t, "all are there", func() bool { return w.Metric(under) == float64(len(keys)) })
	release()
	sending.Wait()
	at := map[time.Time]bool{} // the clock moves whenever it is read, which is once in each transaction
	for _, r := range replies {
		var order orders.Order
		if r.Decode(http.StatusCreated, &order) == nil {
			at[order.CreatedAt.Time] = true
		}
	}
	audit(t, w)
	return replies, len(at)
}

// TestPairsShareTransactions sends every request twice. Duplicates must share transactions like single requests.
func TestPairsShareTransactions(t *testing.T) {
	t.Parallel()
	const pairs = 30
	w := newWorld(t, world.Options{Waiting: 200, Known: time.Minute})
	var keys []string
	for i := range 2 * pairs {
		keys = append(keys, fmt.Sprint("k", i/2))
	}
	replies, transactions := placeAtOnce(t, w, keys, func(context.Context, database.Conn) error { return nil })
	for i := 0; i < len(replies); i += 2 {
		a, b := replies[i], replies[i+1]
		if a.Status != http.StatusCreated || string(a.Body) != string(b.Body) {
			t.Errorf("one key was answered with\n%s\n%s", a.Body, b.Body)
		}
		if ra, rb := a.Header.Get("Idempotency-Replayed"), b.Header.Get("Idempotency-Replayed"); ra == rb {
			t.Errorf("one key got Idempotency-Replayed %q and %q, want it once", ra, rb)
		}
	}
	if transactions > pairs/3 {
		t.Errorf("%d pairs took %d transactions", pairs, transactions)
	}
}

// If another process has claimed and used a key meanwhile, the other orders of the transaction still share one.
func TestTakenKeyKeepsBatch(t *testing.T) {
	t.Parallel()
	const n = 30
	w := newWorld(t, world.Options{Waiting: 200, Known: time.Minute})
	var keys []string
	for i := range n {
		keys = append(keys, fmt.Sprint("k", i))
	}
	now := w.Clock.Now()
	replies, transactions := placeAtOnce(t, w, keys, func(ctx context.Context, conn database.Conn) error {
		return ordersservice.Keys().Claims([]idempotency.Entry{{
			Caller: "user:admin", Key: keys[n/2], Fingerprint: []byte("of another request"), Status: http.StatusCreated, Headers: "{}", Body: []byte{},
			CreatedAt: now, ExpiresAt: now.Add(time.Hour),
		}}).Insert(ctx, conn)
	})
	for i, r := range replies {
		if i == n/2 {
			r.WantProblem(t, http.StatusUnprocessableEntity, common.CodeIdempotencyKeyReused, "Idempotency-Key")
		} else if r.Status != http.StatusCreated {
			t.Errorf("key %d: got %s", i, r.Body)
		}
	}
	if transactions > n/3 {
		t.Errorf("%d orders took %d transactions", n-1, transactions)
	}
}

// TestSweepSkipsHeldProduct locks the product of the oldest stale orders. The sweep must cancel the stale
// orders of other products.
func TestSweepSkipsHeldProduct(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{Known: time.Minute})
	if w.DB.Engine() != "mysql" {
		t.Skip("the embedded engine has one writer")
	}
	s := w.Login("admin")
	buyer, held, free := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 5, 100), s.CreateProduct(t, "B", 5, 100)
	const each = 25 // more than a batch
	for _, p := range []int64{held.ID, free.ID} {
		for range each {
			s.CreateOrder(t, buyer.ID, p, 1)
		}
	}
	w.Clock.Advance(time.Hour)
	sweep := func() {
		t.Helper()
		n, err := ordersservice.CancelStale(t.Context(), w.DB, time.Minute, w.Clock.Now)
		if n != each || err != nil {
			t.Errorf("%d orders were canceled, %v, want %d", n, err, each)
		}
	}
	release := hold(t, w, held.ID, 0)
	sweep()
	release()
	sweep()
	s = w.Login("admin")
	s.WantStock(t, held.ID, 100)
	s.WantStock(t, free.ID, 100)
	audit(t, w)
}
