package hostile

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/program"
	"github.com/pedidos-hq/pedidos/gen/orders"
)

// TestSearchFloods repeats many concurrent searches for a text that no order contains while another caller lists orders.
// Every list must succeed, every search must succeed or be answered with Retry-After, and paging through the results of a
// search must find the oldest order.
func TestSearchFloods(t *testing.T) {
	t.Parallel()
	searchers, placed := 16, 90_000 // more orders than one page of a search scans
	if *long {
		searchers, placed = 64, 300_000
	}
	folder := t.TempDir()
	env := []string{"DATA_DIR=" + folder}
	for _, args := range [][]string{
		{"seed", "--customers=1"}, {"seed", "--products=100"}, {"seed", "--orders=1"}, // the oldest order is the first customer's
		{"seed", "--customers=1000"}, {"seed", fmt.Sprintf("--orders=%d", placed)},
	} {
		if r := program.Run(t, env, args...); r.Code != 0 {
			t.Fatalf("%q: %s", args, r.Stderr)
		}
	}
	s := program.Up(t, nil, folder, program.FreePorts()...)
	c := s.Login(t, call.LocalPassword)
	read := func() time.Duration {
		start := time.Now()
		r := call.Read(c.Orders.ListOrders(t.Context(), nil))
		if r.Status != http.StatusOK {
			t.Errorf("got %s, want 200", r)
		}
		return time.Since(start)
	}
	p99 := func(took []time.Duration) time.Duration {
		slices.Sort(took)
		return took[len(took)*99/100]
	}
	var before, during []time.Duration
	for range 200 {
		before = append(before, read())
	}

	var flood sync.WaitGroup
	var over atomic.Bool
	var searches, refused atomic.Int64
	for range searchers {
		flood.Go(func() {
			for first := true; first || !over.Load(); first = false {
				r := call.Read(c.Orders.ListOrders(t.Context(), &orders.ListOrdersParams{Search: new("no such customer")}))
				// The searches take turns, so on a slow machine some exceed their time limit.
				if r.Later() {
					refused.Add(1)
					continue
				}
				var page orders.OrderPage
				if err := r.Decode(http.StatusOK, &page); err != nil || len(page.Data) > 0 || page.NextCursor == nil {
					t.Errorf("a search without a match: %v: got %s", err, r)
					return
				}
				searches.Add(1)
			}
		})
	}
	for range 200 {
		during = append(during, read())
	}
	over.Store(true)
	flood.Wait()
	t.Logf("p99 of a list: %s before, %s during the flood of %d searches by %d callers, %d more searches were refused",
		p99(before), p99(during), searches.Load(), searchers, refused.Load())
	if searches.Load() == 0 {
		t.Error("every search was refused")
	}

	oldest := c.GetOrder(t, 1)
	var found []int64
	params := orders.ListOrdersParams{Search: &oldest.Customer.Email}
	for pages := 0; ; pages++ {
		var page orders.OrderPage
		if call.Read(c.Orders.ListOrders(t.Context(), &params)).Want(t, http.StatusOK, &page); pages > placed {
			t.Fatalf("the search has more than %d pages", placed)
		}
		for _, o := range page.Data {
			found = append(found, o.ID)
		}
		if params.Cursor = page.NextCursor; params.Cursor == nil {
			break
		}
	}
	if !slices.Contains(found, 1) {
		t.Errorf("the oldest order is not among the %d results", len(found))
	}
}
