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

// TestSearchFloods searches all orders for a text that is in none, many at once and again and again, while another caller reads.
// Every read is answered, every search is answered or told when to come again, and a walk through the pages of a search finds the oldest order.
func TestSearchFloods(t *testing.T) {
	t.Parallel()
	searchers, placed := 16, 90_000 // more than a page of a search looks at
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
		r, err := c.Orders.ListOrdersWithResponse(t.Context(), nil)
		if err != nil || r.StatusCode() != http.StatusOK {
			t.Errorf("a list: %v", err)
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
				r, err := c.Orders.ListOrdersWithResponse(t.Context(), &orders.ListOrdersParams{Search: new("no such customer")})
				if err != nil {
					t.Errorf("a search without a match: %v", err)
					return
				}
				// The searches take turns: on a slow machine the last in line is refused when its time is over.
				if r.StatusCode() == http.StatusServiceUnavailable && r.HTTPResponse.Header.Get("Retry-After") != "" {
					refused.Add(1)
					continue
				}
				if r.JSON200 == nil || len(r.JSON200.Data) > 0 || r.JSON200.NextCursor == nil {
					t.Errorf("a search without a match: %s %s", r.Status(), r.Body)
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
	t.Logf("p99 of a list: %s before, %s during %d searches of %d callers, and %d that were refused",
		p99(before), p99(during), searches.Load(), searchers, refused.Load())
	if searches.Load() == 0 {
		t.Error("every search was refused")
	}

	oldest, err := c.Orders.GetOrderWithResponse(t.Context(), 1)
	if err != nil || oldest.JSON200 == nil {
		t.Fatal(err)
	}
	var found []int64
	params := orders.ListOrdersParams{Search: &oldest.JSON200.Customer.Email}
	for pages := 0; ; pages++ {
		r, err := c.Orders.ListOrdersWithResponse(t.Context(), &params)
		if err != nil || r.JSON200 == nil || pages > placed {
			t.Fatalf("page %d: %v", pages, err)
		}
		for _, o := range r.JSON200.Data {
			found = append(found, o.ID)
		}
		if params.Cursor = r.JSON200.NextCursor; params.Cursor == nil {
			break
		}
	}
	if !slices.Contains(found, 1) {
		t.Errorf("the oldest order is not among the %d that were found", len(found))
	}
}
