package idempotency_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"

	"github.com/pedidos-hq/pedidos/gen/ordersdb"
	"github.com/pedidos-hq/pedidos/services/internal/apitest"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/idempotency"
)

func product(sku string) ordersdb.InsertProductParams {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	return ordersdb.InsertProductParams{SKU: sku, Name: sku, SearchText: sku, Stock: 1, CreatedAt: now, UpdatedAt: now}
}

// skus returns the SKUs of the committed products.
func skus(t *testing.T, db *database.DB) (found []string) {
	t.Helper()
	err := db.Read(t.Context(), func(conn database.Conn) error {
		rows, err := ordersdb.New(conn).ListProducts(t.Context(), ordersdb.ListProductsParams{StockBelow: math.MaxInt64, UntilID: math.MaxInt64, Pattern: "%", Limit: 100})
		for _, row := range rows {
			found = append(found, row.SKU)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// batches is a batch operation that adds products by SKU, and records its transactions.
type batches struct {
	*idempotency.Operation[string, struct{}]
	db *database.DB

	mu    sync.Mutex
	tried [][]string    // the items of each transaction
	gate  chan struct{} // the first transaction waits until it is closed
	fault func(ctx context.Context, conn database.Conn, sku string) error
}

// inBubble runs a test in a synctest bubble, with a new database.
func inBubble(t *testing.T, test func(*testing.T, *batches)) {
	t.Helper()
	t.Parallel()
	bubble(t, test)
}

func bubble(t *testing.T, test func(*testing.T, *batches)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		g := &batches{gate: make(chan struct{})}
		db, _ := apitest.NewDB(t)
		g.use(db)
		test(t, g)
	})
}

// use makes the operation run on a database.
func (g *batches) use(db *database.DB) {
	g.db = db
	keeper := idempotency.NewKeeper(db, idempotency.Store{Table: "orders_idempotency"}, time.Hour, time.Now, "test", nil)
	g.Operation = idempotency.NewBatchOperation(keeper, idempotency.Locks[string]{}, g.add, func(struct{}) (idempotency.Answer, error) {
		return idempotency.Answer{Status: http.StatusCreated}, nil
	})
}

func (g *batches) add(ctx context.Context, conn database.Conn, items []string) ([]idempotency.Result[struct{}], error) {
	g.mu.Lock()
	g.tried = append(g.tried, slices.Clone(items))
	first := len(g.tried) == 1
	g.mu.Unlock()
	if first {
		<-g.gate
	}
	for _, sku := range items {
		if g.fault != nil {
			if err := g.fault(ctx, conn, sku); err != nil {
				return nil, err
			}
		}
		if _, err := ordersdb.New(conn).InsertProduct(ctx, product(sku)); err != nil {
			return nil, err
		}
	}
	return make([]idempotency.Result[struct{}], len(items)), nil
}

// start starts an operation for each item, once the one before waits, and returns their outcomes.
func (g *batches) start(ctx context.Context, items ...string) (came map[string]*outcome) {
	came = map[string]*outcome{}
	for _, item := range items {
		o := &outcome{ended: make(chan struct{})}
		came[item] = o
		go func() {
			defer func() {
				o.panicked, o.at = recover(), time.Now()
				close(o.ended)
			}()
			_, o.err = g.Do(ctx, idempotency.Request{}, item)
		}()
		synctest.Wait()
	}
	return came
}

type outcome struct {
	ended    chan struct{}
	err      error
	panicked any
	at       time.Time
}

func (o *outcome) done() bool {
	select {
	case <-o.ended:
		return true
	default:
		return false
	}
}

// want checks the transactions. The order of those after the second does not matter.
func (g *batches) want(t *testing.T, tried ...[]string) {
	t.Helper()
	got := slices.Clone(g.tried)
	if len(got) > 2 {
		slices.SortFunc(got[2:], func(a, b []string) int { return slices.Compare(a, b) })
	}
	if fmt.Sprint(got) != fmt.Sprint(tried) {
		t.Errorf("transactions %q, want %q", got, tried)
	}
}

func wantDone(t *testing.T, came map[string]*outcome, failed ...string) {
	t.Helper()
	for item, o := range came {
		switch {
		case !o.done():
			t.Errorf("%s is not done", item)
		case (o.err != nil) != slices.Contains(failed, item) || o.panicked != nil:
			t.Errorf("%s: %v, panic %v, want an error: %t", item, o.err, o.panicked, slices.Contains(failed, item))
		}
	}
}

func TestBatchOfCallsThatCameMeanwhile(t *testing.T) {
	inBubble(t, func(t *testing.T, g *batches) {
		came := g.start(t.Context(), "a", "b", "c", "d")
		if got := skus(t, g.db); len(got) != 0 || came["a"].done() || came["d"].done() {
			t.Errorf("%q are there before the first transaction has ended", got)
		}
		close(g.gate)
		synctest.Wait()
		g.want(t, []string{"a"}, []string{"b", "c", "d"})
		wantDone(t, came)
		came = g.start(t.Context(), "e") // the batch is done
		wantDone(t, came)
		if got := skus(t, g.db); !slices.Equal(got, []string{"a", "b", "c", "d", "e"}) {
			t.Errorf("%q are there", got)
		}
	})
}

func TestBatchSize(t *testing.T) {
	inBubble(t, func(t *testing.T, g *batches) {
		var items []string
		for i := range 150 {
			items = append(items, fmt.Sprintf("p%03d", i))
		}
		came := g.start(t.Context(), items...)
		close(g.gate)
		synctest.Wait()
		wantDone(t, came)
		g.want(t, items[:1], items[1:65], items[65:129], items[129:])
	})
}

// If one call fails, the others in its batch succeed.
func TestBatchWithOneFailure(t *testing.T) {
	refused := errors.New("refused")
	for _, test := range []struct {
		name  string
		fault func(context.Context, database.Conn, string) error
	}{
		{"an error", func(_ context.Context, _ database.Conn, sku string) error {
			if sku == "c" {
				return refused
			}
			return nil
		}},
		{"a statement", func(ctx context.Context, conn database.Conn, sku string) error {
			if sku != "c" {
				return nil
			}
			_, err := conn.ExecContext(ctx, "INSERT INTO nothing VALUES (1)")
			return err
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, g *batches) {
				g.fault = test.fault
				came := g.start(t.Context(), "a", "b", "c", "d")
				close(g.gate)
				synctest.Wait()
				g.want(t, []string{"a"}, []string{"b", "c", "d"}, []string{"b"}, []string{"c"}, []string{"d"})
				wantDone(t, came, "c")
				if got := skus(t, g.db); len(got) != 3 || slices.Contains(got, "c") {
					t.Errorf("%q are there", got)
				}
			})
		})
	}
}

func TestBatchWithPanic(t *testing.T) {
	inBubble(t, func(t *testing.T, g *batches) {
		g.fault = func(_ context.Context, _ database.Conn, sku string) error {
			if sku == "c" {
				panic("planted")
			}
			return nil
		}
		came := g.start(t.Context(), "a", "b", "c", "d")
		close(g.gate)
		synctest.Wait()
		// b led the batch, so the panic passes through it.
		for _, item := range []string{"b", "c"} {
			if !came[item].done() || came[item].panicked == nil {
				t.Errorf("%s does not panic", item)
			}
		}
		wantDone(t, map[string]*outcome{"a": came["a"], "d": came["d"]})
		wantDone(t, g.start(t.Context(), "e")) // the queue works again
		if got := skus(t, g.db); !slices.Equal(got, []string{"a", "d", "e"}) {
			t.Errorf("%q are there", got)
		}
	})
}

// After a failed COMMIT the outcome is unknown, so no call runs again.
func TestBatchWithFailedCommit(t *testing.T) {
	inBubble(t, func(t *testing.T, g *batches) {
		g.fault = func(ctx context.Context, conn database.Conn, sku string) error {
			if sku != "c" {
				return nil
			}
			if _, err := conn.ExecContext(ctx, "PRAGMA defer_foreign_keys = ON"); err != nil {
				return err
			}
			_, err := conn.ExecContext(ctx, "INSERT INTO order_lines (order_id, product_id, qty, unit_price_cents, subtotal_cents) VALUES (99, 99, 1, 0, 0)")
			return err
		}
		came := g.start(t.Context(), "a", "b", "c", "d")
		close(g.gate)
		synctest.Wait()
		g.want(t, []string{"a"}, []string{"b", "c", "d"})
		wantDone(t, came, "b", "c", "d")
		if err := came["d"].err; !errors.Is(err, database.ErrMissingParent) {
			t.Errorf("d: %v, want the error of COMMIT", err)
		}
		if got := skus(t, g.db); !slices.Equal(got, []string{"a"}) {
			t.Errorf("%q are there", got)
		}
	})
}

func TestCallEndsBeforeItsBatch(t *testing.T) {
	inBubble(t, func(t *testing.T, g *batches) {
		short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		came := g.start(t.Context(), "a", "b")
		gone := g.start(short, "c")
		time.Sleep(200 * time.Millisecond)
		synctest.Wait()
		wantDone(t, gone, "c")
		if !errors.Is(gone["c"].err, context.DeadlineExceeded) || came["a"].done() {
			t.Errorf("c: %v, want %v while a is under way", gone["c"].err, context.DeadlineExceeded)
		}
		close(g.gate)
		synctest.Wait()
		wantDone(t, came)
		g.want(t, []string{"a"}, []string{"b"})
	})
}

// A call whose deadline expires leaves its batch, which continues.
func TestCallEndsDuringItsBatch(t *testing.T) {
	inBubble(t, func(t *testing.T, g *batches) {
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		g.fault = func(_ context.Context, _ database.Conn, sku string) error {
			if sku == "c" {
				time.Sleep(time.Minute)
			}
			return nil
		}
		came := g.start(t.Context(), "a", "b")
		gone := g.start(short, "c")
		close(g.gate)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		wantDone(t, gone, "c")
		if came["b"].done() {
			t.Error("b is done: the transaction that it shares with c is not")
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		wantDone(t, came)
		g.want(t, []string{"a"}, []string{"b", "c"})
	})
}

// A call that is promoted as its deadline expires promotes the next one.
func TestCallEndsAsItIsPromoted(t *testing.T) {
	t.Parallel()
	for range 50 { // few runs hit this race
		bubble(t, func(t *testing.T, g *batches) {
			const patience = 500 * time.Millisecond
			short, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			came := g.start(t.Context(), "a")
			gone := g.start(short, "b")["b"]
			came["c"] = g.start(t.Context(), "c")["c"]
			time.Sleep(2 * patience)
			close(g.gate)
			synctest.Wait()
			wantDone(t, came)
			want := []string{"a", "c"}
			if gone.done() && gone.err == nil {
				want = []string{"a", "b", "c"}
			}
			if got := skus(t, g.db); !gone.done() || !slices.Equal(got, want) {
				t.Errorf("%q are there, want %q", got, want)
			}
		})
	}
}

// A batch continues when the context of its leader ends.
func TestLeaderEndsDuringItsBatch(t *testing.T) {
	inBubble(t, func(t *testing.T, g *batches) {
		long, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		short, end := context.WithTimeout(t.Context(), 5*time.Second)
		defer end()
		g.fault = func(ctx context.Context, _ database.Conn, sku string) error {
			if sku == "b" {
				end()
				time.Sleep(10 * time.Second)
			}
			return ctx.Err()
		}
		first := g.start(t.Context(), "a")
		leader := g.start(short, "b")
		came := g.start(long, "c")
		close(g.gate)
		time.Sleep(time.Minute)
		synctest.Wait()
		wantDone(t, first)
		wantDone(t, leader)
		wantDone(t, came)
		g.want(t, []string{"a"}, []string{"b", "c"})
	})
}

// A batch ends at the latest deadline of its calls.
func TestBatchDeadline(t *testing.T) {
	inBubble(t, func(t *testing.T, g *batches) {
		g.fault = func(ctx context.Context, _ database.Conn, sku string) error {
			if sku == "a" {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		}
		came := g.start(t.Context(), "a")
		for i, item := range []string{"b", "c"} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+i)*10*time.Second)
			defer cancel()
			came[item] = g.start(ctx, item)[item]
		}
		close(g.gate)
		time.Sleep(time.Hour)
		synctest.Wait()
		wantDone(t, came, "b", "c")
		if got := came["b"].at.Sub(came["a"].at); got != 20*time.Second {
			t.Errorf("b and c ended after %s", got)
		}
	})
}

func TestBatchPlaces(t *testing.T) {
	inBubble(t, func(t *testing.T, g *batches) {
		_, file := apitest.NewDB(t)
		g.use(apitest.OpenDB(t, file, database.Options{MaxQueue: new(2)})) // places, besides the call that is served
		came := g.start(t.Context(), "a", "b", "c", "d")
		wantDone(t, map[string]*outcome{"d": came["d"]}, "d") // refused at once
		close(g.gate)
		synctest.Wait()
		wantDone(t, came, "d")
		wantDone(t, g.start(t.Context(), "e", "f"))
	})
}

// The spans of the statements are in the leader's trace; the spans of the other calls link to it.
func TestBatchTraces(t *testing.T) {
	inBubble(t, func(t *testing.T, g *batches) {
		tracer := sdk.NewTracerProvider().Tracer("")
		spans := map[string]sdk.ReadOnlySpan{}
		for _, item := range []string{"a", "b", "c"} { // a goes alone, b leads c
			ctx, span := tracer.Start(t.Context(), item)
			g.start(ctx, item)
			spans[item] = span.(sdk.ReadOnlySpan)
		}
		close(g.gate)
		synctest.Wait()
		g.want(t, []string{"a"}, []string{"b", "c"})
		for _, item := range []string{"a", "b"} {
			if links := spans[item].Links(); len(links) != 0 {
				t.Errorf("the span of %s has the links %v", item, links)
			}
		}
		if links := spans["c"].Links(); len(links) != 1 || !links[0].SpanContext.Equal(spans["b"].SpanContext()) {
			t.Errorf("the span of c has the links %v, want one to that of b", links)
		}
	})
}
