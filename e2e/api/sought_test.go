package api

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/orders"
)

// TestOrdersSought finds orders by number, SKU, product and text.
func TestOrdersSought(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	acme, other := s.CreateCustomer(t, "acme@example.com"), s.CreateCustomer(t, "drill-9@example.com")
	drill, saw := s.CreateProduct(t, "DRILL", 100, 100), s.CreateProduct(t, "4", 100, 100)
	s.CreateOrder(t, acme.ID, drill.ID, 1)            // 1
	s.CreateOrder(t, other.ID, saw.ID, 1)             // 2
	s.CreateOrder(t, acme.ID, drill.ID, 1, saw.ID, 1) // 3
	s.CreateOrder(t, other.ID, drill.ID, 2)           // 4
	s.CreateOrder(t, acme.ID, saw.ID, 1)              // 5
	s.ConfirmOrder(t, 3, "c")
	created := orders.StatusCreated
	for name, test := range map[string]struct {
		params orders.ListOrdersParams
		want   []int64
	}{
		"a number":                           {orders.ListOrdersParams{Search: new("3")}, []int64{3}},
		"a number, spaced":                   {orders.ListOrdersParams{Search: new(" 3 ")}, []int64{3}},
		"a number before a SKU":              {orders.ListOrdersParams{Search: new("4")}, []int64{4}},
		"a number that a filter excludes":    {orders.ListOrdersParams{Search: new("3"), Status: &created}, []int64{}},
		"a number of another customer":       {orders.ListOrdersParams{Search: new("3"), CustomerID: &other.ID}, []int64{}},
		"a number of another product":        {orders.ListOrdersParams{Search: new("1"), ProductID: &saw.ID}, []int64{}},
		"a number in text":                   {orders.ListOrdersParams{Search: new("9")}, []int64{4, 2}},
		"a SKU":                              {orders.ListOrdersParams{Search: new("DRILL")}, []int64{4, 3, 1}},
		"a SKU and a status":                 {orders.ListOrdersParams{Search: new("DRILL"), Status: &created}, []int64{4, 1}},
		"a SKU and a customer":               {orders.ListOrdersParams{Search: new("DRILL"), CustomerID: &acme.ID}, []int64{3, 1}},
		"a SKU in another case is text":      {orders.ListOrdersParams{Search: new("drill")}, []int64{4, 2}},
		"text":                               {orders.ListOrdersParams{Search: new("acme")}, []int64{5, 3, 1}},
		"text and a product":                 {orders.ListOrdersParams{Search: new("acme"), ProductID: &saw.ID}, []int64{5, 3}},
		"a product":                          {orders.ListOrdersParams{ProductID: &saw.ID}, []int64{5, 3, 2}},
		"a product and its SKU":              {orders.ListOrdersParams{ProductID: &drill.ID, Search: new("DRILL")}, []int64{4, 3, 1}},
		"an unknown product":                 {orders.ListOrdersParams{ProductID: new(int64(99))}, []int64{}},
		"a product since a day without any":  {orders.ListOrdersParams{ProductID: &saw.ID, From: new("2026-02-01")}, []int64{}},
		"a product until a day without any":  {orders.ListOrdersParams{ProductID: &saw.ID, To: new("2026-01-01")}, []int64{}},
		"a product on the day of its orders": {orders.ListOrdersParams{ProductID: &saw.ID, From: new("2026-01-15"), To: new("2026-01-15")}, []int64{5, 3, 2}},
	} {
		test.params.Limit = new(int32(2))
		if got := walkOrders(t, s, test.params, func() {}); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %d, want %d", name, got, test.want)
		}
	}
	call.Read(s.Orders.ListOrders(t.Context(), &orders.ListOrdersParams{Search: new("DRILL"), ProductID: &saw.ID})).WantInvalid(t, "search")
}

// A list of changes ends with the last one, and going on from its time returns what has changed since.
func TestUpdatedSince(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, other, p := s.CreateCustomer(t, "a@example.com"), s.CreateCustomer(t, "b@example.com"), s.CreateProduct(t, "P", 100, 100)
	begin := w.Clock.Now().Format(time.RFC3339Nano)
	s.CreateOrder(t, buyer.ID, p.ID, 1) // 1
	s.CreateOrder(t, other.ID, p.ID, 1) // 2
	w.Clock.Advance(time.Hour / 2)
	s.CreateOrder(t, buyer.ID, p.ID, 1) // 3
	confirmed := s.ConfirmOrder(t, 1, "c")
	if confirmed.UpdatedAt != *confirmed.ConfirmedAt || s.GetOrder(t, 1).UpdatedAt != confirmed.UpdatedAt {
		t.Errorf("confirmed %+v, want updated_at to be the time of the confirmation, now and later", confirmed)
	}
	canceled := s.CancelOrder(t, 2)
	if canceled.UpdatedAt != *canceled.CanceledAt || s.GetOrder(t, 2).UpdatedAt != canceled.UpdatedAt {
		t.Errorf("canceled %+v, want updated_at to be the time of the cancellation, now and later", canceled)
	}
	since := func(at string) *string { return &at }
	later := confirmed.UpdatedAt.Format(time.RFC3339Nano)
	status := orders.StatusCanceled
	for name, test := range map[string]struct {
		params orders.ListOrdersParams
		want   []int64
	}{
		"all, by their changes":       {orders.ListOrdersParams{UpdatedSince: &begin}, []int64{3, 1, 2}},
		"from a change on":            {orders.ListOrdersParams{UpdatedSince: since(later)}, []int64{1, 2}},
		"behind the last":             {orders.ListOrdersParams{UpdatedSince: since(canceled.UpdatedAt.Time.Add(time.Microsecond).Format(time.RFC3339Nano))}, []int64{}},
		"a day":                       {orders.ListOrdersParams{UpdatedSince: since("2026-01-15")}, []int64{3, 1, 2}},
		"with a status":               {orders.ListOrdersParams{UpdatedSince: &begin, Status: &status}, []int64{2}},
		"of a customer":               {orders.ListOrdersParams{UpdatedSince: &begin, CustomerID: &buyer.ID}, []int64{3, 1}},
		"of a product":                {orders.ListOrdersParams{UpdatedSince: &begin, ProductID: &p.ID}, []int64{3, 1, 2}},
		"of another product":          {orders.ListOrdersParams{UpdatedSince: &begin, ProductID: new(int64(99))}, []int64{}},
		"of a SKU":                    {orders.ListOrdersParams{UpdatedSince: since(later), Search: new("P")}, []int64{1, 2}},
		"of a number":                 {orders.ListOrdersParams{UpdatedSince: since(later), Search: new("1")}, []int64{1}},
		"of a number, changed before": {orders.ListOrdersParams{UpdatedSince: since(later), Search: new("3")}, []int64{}},
		"placed before a time":        {orders.ListOrdersParams{UpdatedSince: &begin, To: since(later)}, []int64{3, 1, 2}},
		"with text":                   {orders.ListOrdersParams{UpdatedSince: &begin, Search: new("b@")}, []int64{2}},
	} {
		test.params.Limit = new(int32(2))
		if got := walkOrders(t, s, test.params, func() {}); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %d, want %d", name, got, test.want)
		}
	}
	s.Send(t, "orders", http.MethodGet, "/orders?updated_since=2026-02-30", "").WantInvalid(t, "updated_since")

	// A cursor belongs to its list.
	var page orders.OrderPage
	call.Read(s.Orders.ListOrders(t.Context(), &orders.ListOrdersParams{UpdatedSince: &begin, Limit: new(int32(1))})).Want(t, http.StatusOK, &page)
	for _, query := range []string{"", fmt.Sprintf("product_id=%d&", p.ID)} {
		s.Send(t, "orders", http.MethodGet, "/orders?"+query+"cursor="+*page.NextCursor, "").WantInvalid(t, "cursor")
	}
}
