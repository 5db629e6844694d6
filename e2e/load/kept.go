package load

import (
	"testing"

	"github.com/pedidos-hq/pedidos/gen/orders"
)

// Kept compares orders of two moments, and fails where one of the first is not among the second, or went back.
func Kept(t testing.TB, before, after []orders.Order) {
	t.Helper()
	there := map[int64]orders.Order{}
	for _, o := range after {
		there[o.ID] = o
	}
	if len(before) == 0 || len(there) != len(after) {
		t.Errorf("there were %d orders; there are %d, %d of them different", len(before), len(after), len(there))
	}
	for _, o := range before {
		now, kept := there[o.ID]
		switch {
		case !kept:
			t.Errorf("violation: order %d is not there any more", o.ID)
		case now.TotalCents != o.TotalCents || now.CustomerID != o.CustomerID || now.CreatedAt != o.CreatedAt:
			t.Errorf("violation: order %d is\n%+v, was\n%+v", o.ID, now, o)
		case rank[now.Status] < rank[o.Status]:
			t.Errorf("violation: order %d is %s, and was %s", o.ID, now.Status, o.Status)
		}
	}
}

// rank is how far an order is.
var rank = map[orders.OrderStatus]int{orders.StatusCreated: 0, orders.StatusConfirmed: 1, orders.StatusCanceled: 2}
