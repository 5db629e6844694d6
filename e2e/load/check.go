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

// Check compares the answers that the callers got with the data of the services. Every acknowledged order must exist once,
// with its status, total and units. No other order may exist, and the stock must be exact. Check then repeats the requests
// since the last check, which must replay the same answers and change no data, and checks the history of each order. Call it
// only after Pause.
func (l *Load) Check(t testing.TB) {
	t.Helper()
	l.check(t, l.checked)
}

// CheckAll is like Check, but repeats all requests.
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

// compare compares the stored orders and the stock with the acknowledged answers.
func (l *Load) compare(t testing.TB) {
	t.Helper()
	client := l.clients[0]
	stored := map[int64]orders.Order{}
	all := client.AllOrders(t, l.customer)
	for _, o := range all {
		stored[o.ID] = o
	}
	if len(stored) != len(all) || len(all) != len(l.sales) {
		l.violation("%d keys created %d orders with %d distinct IDs", len(l.sales), len(all), len(stored))
	}
	left, owner := map[int64]int64{}, map[int64]string{}
	for _, p := range l.products {
		left[p.ID] = p.Stock
	}
	for _, s := range l.sales {
		if other, taken := owner[s.id]; taken {
			l.violation("order %d was created by both %s and %s", s.id, other, s.key)
		}
		owner[s.id] = s.key
		o, exists := stored[s.id]
		units := map[int64]int64{}
		for _, item := range o.Items {
			units[item.ProductID] += item.Qty
		}
		switch {
		case !exists:
			l.violation("order %d of %s was acknowledged but does not exist", s.id, s.key)
		case o.Status != s.finalStatus() || o.TotalCents != s.total:
			l.violation("order %d of %s is %s over %d cents, want %s over %d", s.id, s.key, o.Status, o.TotalCents, s.finalStatus(), s.total)
		case !maps.Equal(units, s.units) || len(o.Items) != len(s.units):
			l.violation("order %d of %s has the lines %+v, want the units %v", s.id, s.key, o.Items, s.units)
		}
		if s.finalStatus() != orders.StatusCanceled {
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

// repeat sends every request of the sales again and expects it to replay the acknowledged answer.
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
	if at.order.Status != at.orderStatus || at.order.TotalCents != s.total {
		l.violation("request %d of %s was answered with %s", i+1, s.key, at.answer)
	}
	if err := l.sendUntilAnswered(t.Context(), s, at); err != nil {
		l.violation("request %d of %s, repeated, %v", i+1, s.key, err)
		return
	}
	l.rechecked.Add(1)
}

// checkHistory expects exactly one event for each requested change of an order.
func (l *Load) checkHistory(t testing.TB, s *sale) {
	want := []orders.OrderStatus{orders.StatusCreated}
	for _, step := range s.steps {
		if step.orderStatus != orders.StatusCreated {
			want = append(want, step.orderStatus)
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
		l.violation("order %d of %s has the history %v, want %v", s.id, s.key, got, want)
	}
}
