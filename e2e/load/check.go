package load

import (
	"maps"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/gen/orders"
)

// Check compares what the callers were told with what is there: every order that was acknowledged is there once, with its
// status, total and units, the stock is exact, and there are no other orders. It repeats the requests that are new since
// the last check and expects the same answers, that nothing changes by it, and a history of nothing but what was asked
// for. The callers must be at rest.
func (l *Load) Check(t testing.TB) {
	t.Helper()
	l.check(t, l.checked)
}

// CheckAll is Check which repeats all requests.
func (l *Load) CheckAll(t testing.TB) {
	t.Helper()
	l.check(t, 0)
}

func (l *Load) check(t testing.TB, first int) {
	t.Helper()
	l.compare(t)
	l.repeat(t, l.sales[first:])
	l.compare(t)
	l.checked = len(l.sales)
	l.report(t)
}

// compare reads what is there.
func (l *Load) compare(t testing.TB) {
	t.Helper()
	client := l.clients[0]
	stored := map[int64]orders.Order{}
	all := client.AllOrders(t, l.customer)
	for _, o := range all {
		stored[o.ID] = o
	}
	if len(stored) != len(all) || len(all) != len(l.sales) {
		l.violation("%d orders, %d of them different, were made of %d keys", len(all), len(stored), len(l.sales))
	}
	left, owner := map[int64]int64{}, map[int64]string{}
	for _, p := range l.products {
		left[p.ID] = p.Stock
	}
	for _, s := range l.sales {
		if other, taken := owner[s.id]; taken {
			l.violation("order %d is that of %s and of %s", s.id, other, s.key)
		}
		owner[s.id] = s.key
		o, there := stored[s.id]
		units := map[int64]int64{}
		for _, item := range o.Items {
			units[item.ProductID] += item.Qty
		}
		switch {
		case !there:
			l.violation("order %d of %s was acknowledged and is not there", s.id, s.key)
		case o.Status != s.leaves() || o.TotalCents != s.total:
			l.violation("order %d of %s is %s over %d cents, want %s over %d", s.id, s.key, o.Status, o.TotalCents, s.leaves(), s.total)
		case !maps.Equal(units, s.units) || len(o.Items) != len(s.units):
			l.violation("order %d of %s has the lines %+v, want the units %v", s.id, s.key, o.Items, s.units)
		}
		if s.leaves() != orders.StatusCanceled {
			for product, units := range s.units {
				left[product] -= units
			}
		}
	}
	for product, want := range left {
		if got := client.GetProduct(t, product).Stock; got != want {
			l.violation("%d units of product %d are in stock, want %d", got, product, want)
		}
	}
}

// repeat sends every request of the sales once more and expects the answer that was acknowledged, replayed.
func (l *Load) repeat(t testing.TB, sales []*sale) {
	t.Helper()
	queue := make(chan *sale)
	var working sync.WaitGroup
	for range l.config.Callers {
		working.Go(func() {
			for s := range queue {
				for i := range s.steps {
					l.repeatStep(t, s, i)
				}
				l.checkHistory(t, s)
			}
		})
	}
	for _, s := range sales {
		queue <- s
	}
	close(queue)
	working.Wait()
}

func (l *Load) repeatStep(t testing.TB, s *sale, i int) {
	at := &s.steps[i]
	if at.order.Status != at.leaves || at.order.TotalCents != s.total {
		l.violation("request %d of %s was answered with %s", i+1, s.key, at.answer)
	}
	if err := l.insist(t.Context(), s, at); err != nil {
		l.violation("request %d of %s, once more, %v", i+1, s.key, err)
		return
	}
	l.rechecked.Add(1)
}

// checkHistory expects the changes of an order that were asked for, each once.
func (l *Load) checkHistory(t testing.TB, s *sale) {
	want := []orders.OrderStatus{orders.StatusCreated}
	for _, step := range s.steps {
		if step.leaves != orders.StatusCreated {
			want = append(want, step.leaves)
		}
	}
	var page orders.OrderEventPage
	if err := call.Read(l.clients[0].Orders.ListOrderHistory(t.Context(), s.id, nil)).Decode(http.StatusOK, &page); err != nil {
		t.Error(err)
		return
	}
	var got []orders.OrderStatus
	for _, event := range page.Data {
		got = append(got, event.To)
	}
	if !slices.Equal(got, want) {
		l.violation("order %d of %s became %v, want %v", s.id, s.key, got, want)
	}
}
