package load

import (
	"testing"

	"github.com/pedidos-hq/pedidos/gen/orders"
)

// Kept reports a violation for every order in before that is missing in after, has other data or an earlier status.
func Kept(t testing.TB, before, after []orders.Order) {
	t.Helper()
	found := map[int64]orders.Order{}
	for _, o := range after {
		found[o.ID] = o
	}
	if len(before) == 0 || len(found) != len(after) {
		t.Errorf("got %d orders before, want some; got %d orders with %d distinct IDs after", len(before), len(after), len(found))
	}
	for _, o := range before {
		now, kept := found[o.ID]
		switch {
		case !kept:
			t.Errorf("violation: order %d is missing", o.ID)
		case now.TotalCents != o.TotalCents || now.CustomerID != o.CustomerID || now.CreatedAt != o.CreatedAt:
			t.Errorf("violation: order %d is\n%+v, was\n%+v", o.ID, now, o)
		case rank[now.Status] < rank[o.Status]:
			t.Errorf("violation: order %d is %s, and was %s", o.ID, now.Status, o.Status)
		}
	}
}

// rank orders the statuses by their sequence: an order never changes to a lower one.
var rank = map[orders.OrderStatus]int{orders.StatusCreated: 0, orders.StatusConfirmed: 1, orders.StatusCanceled: 2}
