package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/engine"
	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/orchestrator"
	"github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

const racers = 64

// TestRaces lets many callers compete for the same stock, order or key through both orders-api on MySQL, and checks that the
// results add up.
func TestRaces(t *testing.T) {
	t.Parallel()
	db, server := ownMySQL(t)
	s := newShop(t, db)
	hurried := newShop(t, db, "CANCEL_WINDOW=1ns") // the same database, but confirmed orders can't be canceled
	for _, test := range []struct {
		name string
		run  func(*testing.T, *race)
		shop *shop
	}{
		{"the last units", lastUnits, s},
		{"lines in any order", linesInAnyOrder, s},
		{"confirm and cancel", confirmAndCancel, s},
		{"confirm or cancel", confirmOrCancel, hurried},
		{"one key", oneKey, s},
		{"one key held up", oneKeyHeldUp, s},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRace(t, test.shop, server)
			before := deadlocks(t, server, db.User)
			test.run(t, r)
			n := deadlocks(t, server, db.User) - before // on TiDB always 0
			// All transactions lock rows in the same order, keys first and then products by ID, so they cannot deadlock. An
			// exception is a claim of a key that is rolled back: all transactions that wait for the key then try to claim it.
			if n != 0 && !r.waits {
				t.Errorf("violation: %d deadlocks", n)
			}
			test.shop.audit(t)
			t.Logf("seed %d: %d requests, %d of them answered with Retry-After, %d deadlocks", *seed, r.requests.Load(), r.later.Load(), n)
		})
	}
}

// deadlocks returns how many transactions of a user the server has rolled back because of a deadlock. TiDB does not count them, and
// locks the rows of one statement in any order; it returns 0.
func deadlocks(t *testing.T, server *database.DB, user string) (n int) {
	t.Helper()
	if engine.Name() == "tidb" {
		return 0
	}
	const query = "SELECT SUM_ERROR_RAISED FROM performance_schema.events_errors_summary_by_user_by_error WHERE USER = ? AND ERROR_NAME = 'ER_LOCK_DEADLOCK'"
	err := server.Read(t.Context(), func(conn database.Conn) error {
		return conn.QueryRowContext(t.Context(), query, user).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// race is a group of callers that order for the same customer, which no other race uses.
type race struct {
	clients         [2]*call.Client
	server          *database.DB // a direct connection to the database
	customer        int64
	sku             string // the prefix of the SKUs of its products
	requests, later atomic.Int64
	waits           bool // callers wait for locks until their transactions time out
}

func newRace(t *testing.T, s *shop, server *database.DB) *race {
	t.Helper()
	name := strings.ReplaceAll(t.Name(), "/", "-")
	r := &race{clients: s.clients(t), server: server, sku: name}
	r.customer = r.clients[0].CreateCustomer(t, name+"@example.com").ID
	return r
}

// rounds returns how often a race runs: n times, or 20n with -long.
func rounds(n int) int {
	if *long {
		return 20 * n
	}
	return n
}

// products creates n products.
func (r *race) products(t *testing.T, n int, stock int64) (ids []int64) {
	t.Helper()
	for i := range n {
		ids = append(ids, r.clients[0].CreateProduct(t, fmt.Sprintf("%s-%d", r.sku, i), int64(100+i), stock).ID)
	}
	return ids
}

// together runs do for each caller, and starts all callers at the same moment.
func together(callers int, do func(i int)) {
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	for i := range callers {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-start
			do(i)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
}

// request is sent over one of the clients.
type request func(context.Context, *call.Client) call.Response

// ask sends a request through the two clients in turn until the answer is final. Every try must get an answer.
func (r *race) ask(t *testing.T, caller int, send request) call.Response {
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	for try := 0; ; try++ {
		r.requests.Add(1)
		a := send(ctx, r.clients[(caller+try)%2])
		if a.Err != nil {
			t.Errorf("violation: no answer: %v", a.Err)
			return a
		}
		if !a.Later() {
			if a.Status >= http.StatusInternalServerError {
				t.Errorf("violation: got %s", a)
			}
			return a
		}
		r.later.Add(1)
		select {
		case <-ctx.Done():
			t.Errorf("violation: no final answer within a minute: %s", a)
			return a
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (r *race) place(key string, lines ...orders.OrderLineInput) request {
	return func(ctx context.Context, c *call.Client) call.Response {
		return call.Read(c.Orders.CreateOrder(ctx, &orders.CreateOrderParams{IdempotencyKey: &key}, orders.OrderInput{CustomerID: r.customer, Items: lines}))
	}
}

func (r *race) placeAndConfirm(key string, product, qty int64) request {
	return func(ctx context.Context, c *call.Client) call.Response {
		return c.Orchestrate(ctx, call.OrderRequest(key, r.customer, product, qty))
	}
}

func confirm(key string, id int64) request {
	return func(ctx context.Context, c *call.Client) call.Response { return c.TryConfirm(ctx, key, id) }
}

func cancel(key string, id int64) request {
	return func(ctx context.Context, c *call.Client) call.Response { return c.TryCancel(ctx, key, id) }
}

// decoded returns the body of an answer, such as an order or a problem.
func decoded[T any](t *testing.T, a call.Response) (v T) {
	if err := json.Unmarshal(a.Body, &v); err != nil {
		t.Errorf("%v: %s", err, a)
	}
	return v
}

// codeOf returns the code of a problem, or "" for a success.
func codeOf(t *testing.T, a call.Response) common.ProblemCode {
	if a.Status < http.StatusBadRequest {
		return ""
	}
	return decoded[common.Problem](t, a).Code
}

// lastUnits sells all 500 units of one product, in orders of random quantities.
func lastUnits(t *testing.T, r *race) {
	const units = 500
	for round, product := range r.products(t, rounds(3), units) {
		var sold atomic.Int64
		together(racers, func(i int) {
			random := rand.New(rand.NewPCG(*seed, uint64(round*racers+i)))
			for n, qty := 0, 1+random.Int64N(9); ; n++ {
				a := r.ask(t, i, r.place(fmt.Sprintf("%s-last-%d-%d-%d", r.sku, round, i, n), orders.OrderLineInput{ProductID: product, Qty: qty}))
				switch {
				case a.Status == http.StatusCreated:
					sold.Add(qty)
					qty = 1 + random.Int64N(9)
				case codeOf(t, a) != common.CodeInsufficientStock:
					t.Errorf("violation: an order was refused with %s", a)
					return
				default:
					short := decoded[common.Problem](t, a).Shortages
					if short == nil || len(*short) != 1 || (*short)[0].ProductID != product || (*short)[0].Requested != qty || (*short)[0].Available >= qty {
						t.Errorf("violation: an order of %d was refused with %s", qty, a)
					}
					if qty == 1 { // the product is sold out
						return
					}
					qty = 1 + random.Int64N(qty-1)
				}
			}
		})
		if left := r.clients[1].GetProduct(t, product).Stock; left != 0 || sold.Load() != units {
			t.Errorf("violation: of %d units %d were sold and %d are left", units, sold.Load(), left)
		}
		var ordered int64
		for _, o := range r.clients[1].AllOrders(t, r.customer) {
			for _, item := range o.Items {
				if item.ProductID == product {
					ordered += item.Qty
				}
			}
		}
		if ordered != units {
			t.Errorf("violation: the orders have %d units, want %d", ordered, units)
		}
	}
}

// linesInAnyOrder places orders with lines for the same products in random order, and confirms or cancels some of them.
func linesInAnyOrder(t *testing.T, r *race) {
	const stock, each = 1_000_000, 6
	products := r.products(t, 8, stock)
	var mu sync.Mutex
	left := map[int64]int64{}
	for _, p := range products {
		left[p] = stock
	}
	together(racers, func(i int) {
		random := rand.New(rand.NewPCG(*seed, uint64(i)))
		for n := range rounds(each) {
			var lines []orders.OrderLineInput
			want := map[int64]int64{}
			for _, at := range append(random.Perm(len(products)), random.Perm(len(products))[:3]...)[random.IntN(8):] { // some twice
				line := orders.OrderLineInput{ProductID: products[at], Qty: 1 + random.Int64N(3)}
				lines = append(lines, line)
				want[line.ProductID] += line.Qty
			}
			key := fmt.Sprintf("%s-lines-%d-%d", r.sku, i, n)
			a := r.ask(t, i, r.place(key, lines...))
			if a.Status != http.StatusCreated {
				t.Errorf("violation: an order was refused with %s", a)
				return
			}
			placed := decoded[orders.Order](t, a)
			got := map[int64]int64{}
			for _, item := range placed.Items {
				got[item.ProductID] += item.Qty
			}
			if !maps.Equal(got, want) || len(placed.Items) != len(want) {
				t.Errorf("violation: an order of the units %v has the lines %+v", want, placed.Items)
			}
			switch random.IntN(3) {
			case 0:
				a = r.ask(t, i, confirm(key+"-confirm", placed.ID))
			case 1:
				a = r.ask(t, i, cancel(key+"-cancel", placed.ID))
				clear(want)
			}
			if a.Status >= http.StatusBadRequest {
				t.Errorf("violation: order %d got %s", placed.ID, a)
			}
			mu.Lock()
			for product, units := range want {
				left[product] -= units
			}
			mu.Unlock()
		}
	})
	for product, want := range left {
		if got := r.clients[0].GetProduct(t, product).Stock; got != want {
			t.Errorf("violation: %d units of product %d are in stock, want %d", got, product, want)
		}
	}
}

// outcome is the result for an order that several callers confirmed and canceled at once.
type outcome struct {
	confirmed, canceled []call.Response // the successful answers
	refused             map[common.ProblemCode]int
	history             []orders.OrderStatus
	stock               int64
}

const (
	perOrder = 8 // callers that confirm, and as many that cancel
	held     = 3 // units of an order
	inStock  = 100
)

// decide places orders and lets callers confirm and cancel each at once, every caller under its own key.
func (r *race) decide(t *testing.T, judge func(id int64, o outcome)) {
	for round, product := range r.products(t, rounds(8), inStock) {
		placed := r.clients[0].CreateOrder(t, r.customer, product, held)
		o := outcome{refused: map[common.ProblemCode]int{}}
		var mu sync.Mutex
		together(2*perOrder, func(i int) {
			send, succeeded := confirm, &o.confirmed
			if i < perOrder {
				send, succeeded = cancel, &o.canceled
			}
			a := r.ask(t, i+i/2, send(fmt.Sprintf("%s-%d-%d", r.sku, round, i), placed.ID))
			mu.Lock()
			defer mu.Unlock()
			if a.Status == http.StatusOK {
				*succeeded = append(*succeeded, a)
			} else {
				o.refused[codeOf(t, a)]++
			}
		})
		o.history, o.stock = r.history(t, placed.ID), r.clients[0].GetProduct(t, product).Stock
		for _, same := range [][]call.Response{o.confirmed, o.canceled} {
			for i := range same {
				if !same[i].Same(same[0]) {
					t.Errorf("violation: order %d was answered with\n%s\n%s", placed.ID, same[0], same[i])
				}
			}
		}
		judge(placed.ID, o)
	}
}

// history returns the statuses that an order has had.
func (r *race) history(t *testing.T, id int64) (statuses []orders.OrderStatus) {
	t.Helper()
	var page orders.OrderEventPage
	call.Read(r.clients[0].Orders.ListOrderHistory(t.Context(), id, nil)).Want(t, http.StatusOK, &page)
	for _, event := range page.Data {
		statuses = append(statuses, event.To)
	}
	return statuses
}

// confirmAndCancel allows the cancellation of confirmed orders. Every order must end up canceled and its units back in
// stock, whether it was confirmed first or not.
func confirmAndCancel(t *testing.T, r *race) {
	confirmedFirst := 0
	r.decide(t, func(id int64, o outcome) {
		history := []orders.OrderStatus{orders.StatusCreated, orders.StatusCanceled}
		if len(o.confirmed) > 0 {
			history = slices.Insert(history, 1, orders.StatusConfirmed)
			confirmedFirst++
		}
		if len(o.canceled) != perOrder || o.refused[common.CodeOrderCanceled] != perOrder-len(o.confirmed) ||
			!slices.Equal(o.history, history) || o.stock != inStock {
			t.Errorf("violation: order %d was confirmed by %d, canceled by %d, refused with %v; its history is %v, %d are in stock",
				id, len(o.confirmed), len(o.canceled), o.refused, o.history, o.stock)
		}
	})
	t.Logf("%d of %d orders were confirmed first", confirmedFirst, rounds(8))
}

// confirmOrCancel forbids the cancellation of confirmed orders, so each order is either confirmed or canceled.
func confirmOrCancel(t *testing.T, r *race) {
	confirmed := 0
	r.decide(t, func(id int64, o outcome) {
		want := outcome{history: []orders.OrderStatus{orders.StatusCreated, orders.StatusCanceled}, stock: inStock}
		code, winners, losers := common.CodeOrderCanceled, o.canceled, o.confirmed
		if len(o.confirmed) > 0 {
			want.history[1], want.stock = orders.StatusConfirmed, inStock-held
			code, winners, losers = common.CodeCancelWindowOver, o.confirmed, o.canceled
			confirmed++
		}
		if len(winners) != perOrder || len(losers) != 0 || o.refused[code] != perOrder ||
			!slices.Equal(o.history, want.history) || o.stock != want.stock {
			t.Errorf("violation: order %d was confirmed by %d, canceled by %d, refused with %v; its history is %v, %d are in stock",
				id, len(o.confirmed), len(o.canceled), o.refused, o.history, o.stock)
		}
	})
	t.Logf("%d of %d orders were confirmed", confirmed, rounds(8))
}

// oneKey sends the same request under the same key from all callers. It takes effect once, and all callers get the same answer.
func oneKey(t *testing.T, r *race) {
	for round, product := range r.products(t, rounds(3), inStock) {
		line := orders.OrderLineInput{ProductID: product, Qty: held}
		key := fmt.Sprintf("%s-%d", r.sku, round)
		before := len(r.clients[0].AllOrders(t, r.customer))

		placed := decoded[orders.Order](t, r.allSame(t, http.StatusCreated, r.place(key+"-place", line)))
		r.allSame(t, http.StatusOK, confirm(key+"-confirm", placed.ID))
		r.allSame(t, http.StatusOK, cancel(key+"-cancel", placed.ID))
		atOnce := decoded[orchestrator.Confirmed](t, r.allSame(t, http.StatusCreated, r.placeAndConfirm(key, product, held))).Data.Order

		for id, want := range map[int64][]orders.OrderStatus{
			placed.ID: {orders.StatusCreated, orders.StatusConfirmed, orders.StatusCanceled},
			atOnce.ID: {orders.StatusCreated, orders.StatusConfirmed},
		} {
			if history := r.history(t, id); !slices.Equal(history, want) {
				t.Errorf("violation: order %d has the history %v, want %v", id, history, want)
			}
		}
		if made := len(r.clients[0].AllOrders(t, r.customer)) - before; made != 2 {
			t.Errorf("violation: two keys made %d orders", made)
		}
		if stock := r.clients[0].GetProduct(t, product).Stock; stock != inStock-held {
			t.Errorf("violation: %d are in stock, want %d", stock, inStock-held)
		}
	}
}

// oneKeyHeldUp is like oneKey while the product is locked. Callers that wait too long get an answer with Retry-After, and the
// final answer when they retry.
func oneKeyHeldUp(t *testing.T, r *race) {
	r.waits = true
	product := r.products(t, 1, inStock)[0]
	locked, over := make(chan struct{}), make(chan error, 1)
	go func() {
		over <- r.server.Tx(t.Context(), func(conn database.Conn) error {
			var id int64
			if err := conn.QueryRowContext(t.Context(), "SELECT id FROM products WHERE id = ? FOR UPDATE", product).Scan(&id); err != nil {
				return err
			}
			close(locked)
			for tick := time.NewTicker(10 * time.Millisecond); r.later.Load() == 0; {
				select {
				case <-tick.C:
				case <-t.Context().Done():
					return t.Context().Err()
				}
			}
			return nil
		})
	}()
	<-locked
	placed := decoded[orders.Order](t, r.allSame(t, http.StatusCreated, r.place(r.sku, orders.OrderLineInput{ProductID: product, Qty: held})))
	if err := <-over; err != nil {
		t.Error(err)
	}
	if made := r.clients[0].AllOrders(t, r.customer); len(made) != 1 || made[0].ID != placed.ID {
		t.Errorf("violation: one key made the orders %+v", made)
	}
	if stock := r.clients[0].GetProduct(t, product).Stock; stock != inStock-held {
		t.Errorf("violation: %d are in stock, want %d", stock, inStock-held)
	}
}

// allSame sends a request from all callers at once. All must get the same answer, replayed for all but one.
func (r *race) allSame(t *testing.T, status int, send request) call.Response {
	t.Helper()
	answers := make([]call.Response, racers)
	together(racers, func(i int) { answers[i] = r.ask(t, i, send) })
	executed := 0
	for _, a := range answers {
		if a.Status != status || !a.Same(answers[0]) {
			t.Errorf("violation: one key was answered with\n%s\n%s", answers[0], a)
		}
		if !a.Replayed() {
			executed++
		}
	}
	if executed != 1 {
		t.Errorf("violation: %d answers are not replayed, want 1", executed)
	}
	return answers[0]
}
