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
	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/orchestrator"
	"github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

const racers = 64

// TestRaces lets many callers want the same at once, from both orders-api, on MySQL. Whatever they get adds up exactly.
func TestRaces(t *testing.T) {
	t.Parallel()
	db, server := ownMySQL(t)
	s := newShop(t, db)
	hurried := newShop(t, db, "CANCEL_WINDOW=1ns") // the same shop, where a confirmed order can't be canceled
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
			n := deadlocks(t, server, db.User) - before
			// Rows are locked in one order, keys first and then products by id: nobody has to give up for another. But where
			// a claim of a key is given up after a wait, all who wait for that key get at it at once.
			if n != 0 && !r.waits {
				t.Errorf("violation: %d deadlocks", n)
			}
			test.shop.audit(t)
			t.Logf("seed %d: %d requests, %d of them told to come back, %d deadlocks", *seed, r.requests.Load(), r.later.Load(), n)
		})
	}
}

// deadlocks is how many transactions of a user the server has given up so far.
func deadlocks(t *testing.T, server *database.DB, user string) (n int) {
	t.Helper()
	const query = "SELECT SUM_ERROR_RAISED FROM performance_schema.events_errors_summary_by_user_by_error WHERE USER = ? AND ERROR_NAME = 'ER_LOCK_DEADLOCK'"
	err := server.Read(t.Context(), func(conn database.Conn) error {
		return conn.QueryRowContext(t.Context(), query, user).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// race is callers at one shop, who buy for a customer of their own.
type race struct {
	clients         [2]*call.Client
	server          *database.DB // past the services
	customer        int64
	sku             string // how those of its products start
	requests, later atomic.Int64
	waits           bool // so long that a transaction gives up
}

func newRace(t *testing.T, s *shop, server *database.DB) *race {
	t.Helper()
	name := strings.ReplaceAll(t.Name(), "/", "-")
	r := &race{clients: s.clients(t), server: server, sku: name}
	r.customer = r.clients[0].CreateCustomer(t, name+"@example.com").ID
	return r
}

// rounds is how often a race is run.
func rounds(n int) int {
	if *long {
		return 20 * n
	}
	return n
}

// products adds so many products.
func (r *race) products(t *testing.T, n int, stock int64) (ids []int64) {
	t.Helper()
	for i := range n {
		ids = append(ids, r.clients[0].CreateProduct(t, fmt.Sprintf("%s-%d", r.sku, i), int64(100+i), stock).ID)
	}
	return ids
}

// together runs callers who all start at once.
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

// ask sends a request, over one client and the other in turn, until it is answered. There is an answer to every try.
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
			t.Errorf("violation: not answered in a minute, but told to come back: %s", a)
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

// decoded is the body of an answer: an order's or a problem's.
func decoded[T any](t *testing.T, a call.Response) (v T) {
	if err := json.Unmarshal(a.Body, &v); err != nil {
		t.Errorf("%v: %s", err, a)
	}
	return v
}

// codeOf is the code of a refusal, "" of a success.
func codeOf(t *testing.T, a call.Response) common.ProblemCode {
	if a.Status < http.StatusBadRequest {
		return ""
	}
	return decoded[common.Problem](t, a).Code
}

// lastUnits sells 500 units of one product, in orders of any quantity, until there is not one left.
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
					if qty == 1 { // nothing is left
						return
					}
					qty = 1 + random.Int64N(qty-1)
				}
			}
		})
		if left := r.clients[1].GetProduct(t, product).Stock; left != 0 || sold.Load() != units {
			t.Errorf("violation: of %d units %d were sold and %d are left", units, sold.Load(), left)
		}
		var there int64
		for _, o := range r.clients[1].AllOrders(t, r.customer) {
			for _, item := range o.Items {
				if item.ProductID == product {
					there += item.Qty
				}
			}
		}
		if there != units {
			t.Errorf("violation: the orders have %d units, want %d", there, units)
		}
	}
}

// linesInAnyOrder places orders of several lines over the same products, confirms some and cancels some.
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

// outcome is what became of an order that several callers confirmed and canceled at once.
type outcome struct {
	confirmed, canceled []call.Response // that succeeded
	refused             map[common.ProblemCode]int
	became              []orders.OrderStatus
	stock               int64
}

const (
	perOrder = 8 // callers who confirm, and as many who cancel
	held     = 3 // units
	inStock  = 100
)

// decide places orders and lets callers confirm and cancel each at once, under a key of its own each.
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
		o.became, o.stock = r.history(t, placed.ID), r.clients[0].GetProduct(t, product).Stock
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

func (r *race) history(t *testing.T, id int64) (became []orders.OrderStatus) {
	t.Helper()
	var page orders.OrderEventPage
	call.Read(r.clients[0].Orders.ListOrderHistory(t.Context(), id, nil)).Want(t, http.StatusOK, &page)
	for _, event := range page.Data {
		became = append(became, event.To)
	}
	return became
}

// confirmAndCancel: a confirmed order can be canceled, so in the end each order is, and its units are back. Some were
// confirmed before.
func confirmAndCancel(t *testing.T, r *race) {
	confirmedFirst := 0
	r.decide(t, func(id int64, o outcome) {
		became := []orders.OrderStatus{orders.StatusCreated, orders.StatusCanceled}
		if len(o.confirmed) > 0 {
			became = slices.Insert(became, 1, orders.StatusConfirmed)
			confirmedFirst++
		}
		if len(o.canceled) != perOrder || o.refused[common.CodeOrderCanceled] != perOrder-len(o.confirmed) ||
			!slices.Equal(o.became, became) || o.stock != inStock {
			t.Errorf("violation: order %d was confirmed by %d, canceled by %d, refused with %v; it became %v, with %d in stock",
				id, len(o.confirmed), len(o.canceled), o.refused, o.became, o.stock)
		}
	})
	t.Logf("%d of %d orders were confirmed first", confirmedFirst, rounds(8))
}

// confirmOrCancel: a confirmed order can't be canceled any more, so there is exactly one outcome.
func confirmOrCancel(t *testing.T, r *race) {
	confirmed := 0
	r.decide(t, func(id int64, o outcome) {
		want := outcome{became: []orders.OrderStatus{orders.StatusCreated, orders.StatusCanceled}, stock: inStock}
		code, winners, losers := common.CodeOrderCanceled, o.canceled, o.confirmed
		if len(o.confirmed) > 0 {
			want.became[1], want.stock = orders.StatusConfirmed, inStock-held
			code, winners, losers = common.CodeCancelWindowOver, o.confirmed, o.canceled
			confirmed++
		}
		if len(winners) != perOrder || len(losers) != 0 || o.refused[code] != perOrder ||
			!slices.Equal(o.became, want.became) || o.stock != want.stock {
			t.Errorf("violation: order %d was confirmed by %d, canceled by %d, refused with %v; it became %v, with %d in stock",
				id, len(o.confirmed), len(o.canceled), o.refused, o.became, o.stock)
		}
	})
	t.Logf("%d of %d orders were confirmed", confirmed, rounds(8))
}

// oneKey sends the same request under the same key from all callers. It takes effect once, and all get one answer.
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
			if became := r.history(t, id); !slices.Equal(became, want) {
				t.Errorf("violation: order %d became %v, want %v", id, became, want)
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

// oneKeyHeldUp is oneKey while nobody gets at the product: who waits too long is told to come back, and gets the answer
// then.
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

// allSame sends a request from all callers at once and expects one answer, given once and replayed to all others.
func (r *race) allSame(t *testing.T, status int, send request) call.Response {
	t.Helper()
	answers := make([]call.Response, racers)
	together(racers, func(i int) { answers[i] = r.ask(t, i, send) })
	given := 0
	for _, a := range answers {
		if a.Status != status || !a.Same(answers[0]) {
			t.Errorf("violation: one key was answered with\n%s\n%s", answers[0], a)
		}
		if !a.Replayed() {
			given++
		}
	}
	if given != 1 {
		t.Errorf("violation: %d answers are not replayed", given)
	}
	return answers[0]
}
