package database_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"

	"github.com/pedidos-hq/pedidos/gen/ordersdb"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

// grouped is a group that adds products of these SKUs, and what it does.
type grouped struct {
	*database.Group[string]
	db *database.DB

	mu    sync.Mutex
	tried [][]string    // the items of each transaction
	gate  chan struct{} // the first transaction waits for it to be closed
	fault func(ctx context.Context, conn database.Conn, sku string) error
}

// inBubble runs a test whose clock stands still while anything is done, on a new database.
func inBubble(t *testing.T, test func(*testing.T, *grouped)) {
	t.Helper()
	t.Parallel()
	bubble(t, test)
}

func bubble(t *testing.T, test func(*testing.T, *grouped)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		g := &grouped{gate: make(chan struct{})}
		g.db, _ = migrated(t)
		g.Group = database.NewGroup(g.db, database.Locks[string]{}, g.add)
		test(t, g)
	})
}

func (g *grouped) add(ctx context.Context, conn database.Conn, items []string) error {
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
				return err
			}
		}
		if _, err := ordersdb.New(conn).InsertProduct(ctx, product(sku, 1)); err != nil {
			return err
		}
	}
	return nil
}

// start begins to do items, each after the one before it waits, and returns what has come of each, later.
func (g *grouped) start(ctx context.Context, items ...string) (came map[string]*outcome) {
	came = map[string]*outcome{}
	for _, item := range items {
		o := &outcome{ended: make(chan struct{})}
		came[item] = o
		go func() {
			defer func() {
				o.panicked, o.at = recover(), time.Now()
				close(o.ended)
			}()
			o.err = g.Do(ctx, item)
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

// want checks what was tried, without the order of transactions of one item that come after the shared one.
func (g *grouped) want(t *testing.T, tried ...[]string) {
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

func TestGroupSharesWhatComesMeanwhile(t *testing.T) {
	inBubble(t, func(t *testing.T, g *grouped) {
		came := g.start(t.Context(), "a", "b", "c", "d")
		if got := skus(t, g.db); len(got) != 0 || came["a"].done() || came["d"].done() {
			t.Errorf("%q are there before the first transaction has ended", got)
		}
		close(g.gate)
		synctest.Wait()
		g.want(t, []string{"a"}, []string{"b", "c", "d"})
		wantDone(t, came)
		came = g.start(t.Context(), "e") // nothing is under way any more
		wantDone(t, came)
		if got := skus(t, g.db); !slices.Equal(got, []string{"a", "b", "c", "d", "e"}) {
			t.Errorf("%q are there", got)
		}
	})
}

func TestGroupTakesSoManyAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, g *grouped) {
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

// One at fault does not take the others with it.
func TestGroupOfWhichOneFails(t *testing.T) {
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
			inBubble(t, func(t *testing.T, g *grouped) {
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

func TestGroupWherePanicStaysWithItsCause(t *testing.T) {
	inBubble(t, func(t *testing.T, g *grouped) {
		g.fault = func(_ context.Context, _ database.Conn, sku string) error {
			if sku == "c" {
				panic("planted")
			}
			return nil
		}
		came := g.start(t.Context(), "a", "b", "c", "d")
		close(g.gate)
		synctest.Wait()
		// b has led: it can't be told from the one at fault.
		for _, item := range []string{"b", "c"} {
			if !came[item].done() || came[item].panicked == nil {
				t.Errorf("%s does not panic", item)
			}
		}
		wantDone(t, map[string]*outcome{"a": came["a"], "d": came["d"]})
		wantDone(t, g.start(t.Context(), "e")) // the lane is free again
		if got := skus(t, g.db); !slices.Equal(got, []string{"a", "d", "e"}) {
			t.Errorf("%q are there", got)
		}
	})
}

// Once COMMIT was tried nobody knows what came of it: nothing is done a second time.
func TestGroupWhoseCommitFails(t *testing.T) {
	inBubble(t, func(t *testing.T, g *grouped) {
		g.fault = func(ctx context.Context, conn database.Conn, sku string) error {
			if sku != "c" {
				return nil
			}
			if _, err := conn.ExecContext(ctx, "PRAGMA defer_foreign_keys = ON"); err != nil {
				return err
			}
			return ordersdb.New(conn).InsertOrderLine(ctx, ordersdb.InsertOrderLineParams{OrderID: 99, ProductID: 99, Qty: 1})
		}
		came := g.start(t.Context(), "a", "b", "c", "d")
		close(g.gate)
		synctest.Wait()
		g.want(t, []string{"a"}, []string{"b", "c", "d"})
		wantDone(t, came, "b", "c", "d")
		if err := came["d"].err; !errors.Is(err, database.ErrMissingParent) {
			t.Errorf("d: %v, want what COMMIT was refused for", err)
		}
		if got := skus(t, g.db); !slices.Equal(got, []string{"a"}) {
			t.Errorf("%q are there", got)
		}
	})
}

func TestGroupWhoGivesUp(t *testing.T) {
	inBubble(t, func(t *testing.T, g *grouped) {
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

// Who is in a transaction that takes too long for it does not wait for its end.
func TestGroupWhoGivesUpLate(t *testing.T) {
	inBubble(t, func(t *testing.T, g *grouped) {
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

// Who is to lead at the moment at which it gives up hands on, if it does not lead in time after all.
func TestGroupWhoGivesUpAsItIsToLead(t *testing.T) {
	t.Parallel()
	for range 50 { // few of them come to it
		bubble(t, func(t *testing.T, g *grouped) {
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

// Who leads may give up: the others have their own time.
func TestGroupWhoseLeaderGivesUp(t *testing.T) {
	inBubble(t, func(t *testing.T, g *grouped) {
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

// A transaction that is shared ends with the last of those in it, at the latest.
func TestGroupHasItsDeadline(t *testing.T) {
	inBubble(t, func(t *testing.T, g *grouped) {
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

func TestGroupHasPlaces(t *testing.T) {
	inBubble(t, func(t *testing.T, g *grouped) {
		_, file := migrated(t)
		g.db = openWith(t, file, database.Options{MaxQueue: new(2)}) // one more has the writer
		g.Group = database.NewGroup(g.db, database.Locks[string]{}, g.add)
		came := g.start(t.Context(), "a", "b", "c", "d")
		wantDone(t, map[string]*outcome{"d": came["d"]}, "d") // at once
		close(g.gate)
		synctest.Wait()
		wantDone(t, came, "d")
		wantDone(t, g.start(t.Context(), "e", "f"))
	})
}

// The statements' spans are in the trace of who leads; the others' spans lead there.
func TestGroupLinksItsTraces(t *testing.T) {
	inBubble(t, func(t *testing.T, g *grouped) {
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
