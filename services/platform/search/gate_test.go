package search_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/page"
	"github.com/pedidos-hq/pedidos/services/platform/search"
)

// table has the ids 1 to n, of which every match-th matches. It counts the scanned rows.
type table struct {
	n, match, scanned int64
}

func (r *table) read(after, until int64, limit int32) (found []int64, err error) {
	for id := after + 1; id <= min(until, r.n) && len(found) < int(limit); id++ {
		r.scanned++
		if id%r.match == 0 {
			found = append(found, id)
		}
	}
	return found, nil
}

func (r *table) behind(after int64, n int32) (int64, error) {
	if after+int64(n)+1 > r.n {
		return 0, database.ErrNotFound
	}
	return after + int64(n) + 1, nil
}

// The pages have every match once, and no page reads more rows than the limit.
func TestByID(t *testing.T) {
	t.Parallel()
	const maxRows = 85_006 // 85,000, and the row behind each of the six windows
	for _, test := range []struct {
		n, match int64
		pages    int
	}{
		{0, 1, 1}, {50, 1, 3}, {249, 250, 1}, {250, 250, 1}, {251, 250, 1}, {1_001, 1_000, 1}, {85_005, 1 << 40, 1}, {85_007, 1 << 40, 2},
		{300_000, 1 << 40, 4}, {300_000, 100_000, 4}, {300_000, 299_999, 4}, {300_000, 7_000, 4},
	} {
		table := &table{n: test.n, match: test.match}
		var all []int64
		pages := 0
		for after := int64(0); ; {
			before := table.scanned
			found, next, err := search.ByID(t.Context(), search.NewGate(), true, after, 20, "x", table.read, table.behind,
				func(id int64) page.Position { return page.Position{id} })
			if err != nil {
				t.Fatal(err)
			}
			pages++
			all = append(all, found...)
			if scanned := table.scanned - before; scanned > maxRows {
				t.Errorf("%+v: a page scanned %d rows, want at most %d", test, scanned, maxRows)
			}
			if next == nil {
				break
			}
			if after, err = page.After("x", next); err != nil {
				t.Fatal(err)
			}
		}
		var want []int64
		for id := test.match; id <= test.n; id += test.match {
			want = append(want, id)
		}
		if !slices.Equal(all, want) || pages != test.pages {
			t.Errorf("%+v: found %d in %d pages, want %d in %d", test, len(all), pages, len(want), test.pages)
		}
	}
}

// At most Turns searches run at once. A search whose context ends while it waits does not run.
func TestGate(t *testing.T) {
	t.Parallel()
	g := search.NewGate()
	var running, most atomic.Int64
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			_, _, _, err := search.Walk(t.Context(), g, 0, 1, func(int, int32, int32) ([]int, int, bool, error) {
				now := running.Add(1)
				defer running.Add(-1)
				for {
					seen := most.Load()
					if now <= seen || most.CompareAndSwap(seen, now) {
						break
					}
				}
				return nil, 0, true, nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if turns := search.Turns(); most.Load() > turns {
		t.Errorf("%d searches ran at once, want at most %d", most.Load(), turns)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	held := make(chan struct{})
	release := make(chan struct{})
	for range search.Turns() {
		all.Go(func() {
			_, _, _, _ = search.Walk(t.Context(), g, 0, 1, func(int, int32, int32) ([]int, int, bool, error) {
				held <- struct{}{}
				<-release
				return nil, 0, true, nil
			})
		})
		<-held
	}
	_, _, _, err := search.Walk(ctx, g, 0, 1, func(int, int32, int32) ([]int, int, bool, error) { return nil, 0, true, nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("search with a canceled context: %v, want context.Canceled", err)
	}
	close(release)
	all.Wait()
}
