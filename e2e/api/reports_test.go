package api

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/orders"
)

// reportShop has orders on both sides of a midnight in Buenos Aires, which is 03:00 UTC.
func reportShop(t *testing.T) (w *world.World, s *call.Client, late string) {
	t.Helper()
	w = newWorld(t, world.Options{})
	s = w.Login("admin")
	acme, other := s.CreateCustomer(t, "acme@example.com"), s.CreateCustomer(t, "b@example.com")
	drill, saw := s.CreateProduct(t, "DRILL", 1000, 100), s.CreateProduct(t, "SAW", 10, 100)
	s.CreateOrder(t, acme.ID, drill.ID, 2, saw.ID, 5) // 1: 2050 cents on January 15, 09:31 UTC
	s.CreateOrder(t, other.ID, saw.ID, 7)             // 2: 70
	s.CreateOrder(t, other.ID, drill.ID, 50)          // 3: canceled
	s.CancelOrder(t, 3)
	w.Clock.Advance(17 * time.Hour) // January 16, 02:31 UTC: still the 15th in Buenos Aires
	s = w.Login("admin")
	s.CreateOrder(t, acme.ID, saw.ID, 1) // 4: 10
	s.ConfirmOrder(t, 4, "c")
	w.Clock.Advance(time.Hour) // 03:31 UTC: the 16th
	s = w.Login("admin")
	s.CreateOrder(t, acme.ID, saw.ID, 2) // 5: 20
	return w, s, "America/Argentina/Buenos_Aires"
}

func TestReportSales(t *testing.T) {
	t.Parallel()
	w, s, zone := reportShop(t)
	report := func(p orders.ReportSalesParams) (r orders.SalesReport) {
		t.Helper()
		call.Read(s.Orders.ReportSales(t.Context(), &p)).Want(t, http.StatusOK, &r)
		return r
	}
	byProduct, byCustomer := orders.SalesByProduct, orders.SalesByCustomer
	confirmed := orders.StatusConfirmed

	days := report(orders.ReportSalesParams{From: new("2026-01-14"), To: new("2026-01-16")})
	wantDays(t, "UTC", days, "2026-01-14 0 0", "2026-01-15 2 2120", "2026-01-16 2 30")
	if days.TimeZone != "UTC" || days.Total.Orders != 4 || days.Total.TotalCents != 2150 || days.Total.Units != nil {
		t.Errorf("got the total %+v in %s, want 4 orders of 2150 cents in UTC", days.Total, days.TimeZone)
	}
	wantDays(t, zone, report(orders.ReportSalesParams{From: new("2026-01-14"), To: new("2026-01-16"), TimeZone: &zone}),
		"2026-01-14 0 0", "2026-01-15 3 2130", "2026-01-16 1 20")
	wantDays(t, "confirmed", report(orders.ReportSalesParams{From: new("2026-01-16"), To: new("2026-01-16"), Status: &confirmed}), "2026-01-16 1 10")
	if r := report(orders.ReportSalesParams{}); len(r.Data) != 30 || r.From != "2025-12-18" || r.To != "2026-01-16" || r.Total.Orders != 4 {
		t.Errorf("got %d days from %s to %s with %d orders, want the 30 days until today", len(r.Data), r.From, r.To, r.Total.Orders)
	}
	if r := report(orders.ReportSalesParams{TimeZone: new("Pacific/Auckland"), From: new("2026-01-16")}); r.To != "2026-01-16" {
		t.Errorf("in Auckland: today is %s, want 2026-01-16", r.To)
	}
	if r := report(orders.ReportSalesParams{TimeZone: new("Pacific/Honolulu")}); r.To != "2026-01-15" {
		t.Errorf("in Honolulu: today is %s, want 2026-01-15", r.To)
	}

	products := report(orders.ReportSalesParams{By: &byProduct})
	wantRows(t, products, "DRILL 1 2 2000", "SAW 4 15 150")
	if products.Total.Orders != 4 || products.Total.TotalCents != 2150 || products.Total.Units == nil || *products.Total.Units != 17 {
		t.Errorf("by product: got the total %+v, want 4 orders, 17 units and 2150 cents", products.Total)
	}
	top := report(orders.ReportSalesParams{By: &byProduct, Limit: new(int32(1))})
	wantRows(t, top, "DRILL 1 2 2000")
	if *top.Total.Units != 17 || top.Total.TotalCents != 2150 {
		t.Errorf("by product, the first: got the total %+v, want that of all", top.Total)
	}
	customers := report(orders.ReportSalesParams{By: &byCustomer})
	wantRows(t, customers, "Customer acme@example.com 3 2080", "Customer b@example.com 1 70")
	if customers.Total.Orders != 4 || customers.Total.TotalCents != 2150 || customers.Total.Units != nil {
		t.Errorf("by customer: got the total %+v, want 4 orders and 2150 cents", customers.Total)
	}
	top = report(orders.ReportSalesParams{By: &byCustomer, Limit: new(int32(1))})
	wantRows(t, top, "Customer acme@example.com 3 2080")
	if top.Total.Orders != 4 || top.Total.TotalCents != 2150 {
		t.Errorf("by customer, the first: got the total %+v, want that of all", top.Total)
	}
	for _, by := range []orders.ReportSalesParamsBy{byProduct, byCustomer} {
		r := report(orders.ReportSalesParams{By: &by, From: new("2025-01-01"), To: new("2025-12-31")})
		wantRows(t, r)
		if r.Total.Orders != 0 || r.Total.TotalCents != 0 {
			t.Errorf("without orders: got the total %+v", r.Total)
		}
		r = report(orders.ReportSalesParams{By: &by, Status: &confirmed})
		if r.Total.Orders != 1 || r.Total.TotalCents != 10 {
			t.Errorf("confirmed: got the total %+v, want 1 order of 10 cents", r.Total)
		}
	}

	for query, field := range map[string]string{
		"from=2026-01-17": "from", "from=2026-01-02&to=2026-01-01": "from", "from=2025-01-01&to=2026-01-02": "from", "from=2026-02-30": "from", "to=2026-13-01": "to", "from=2026-01-15T00:00:00Z": "from",
		"time_zone=Mars/Olympus": "time_zone", "time_zone=Local": "time_zone", "time_zone=../etc/passwd": "time_zone", "by=week": "by", "status=CANCELED": "status",
	} {
		s.Send(t, "orders", http.MethodGet, "/reports/sales?"+query, "").WantInvalid(t, field)
	}
	report(orders.ReportSalesParams{From: new("2025-01-16"), To: new("2026-01-16")}) // 366 days
	audit(t, w)
}

// The report by product remembers days. Each change of an order makes it count the day of the order again.
func TestReportSalesAfterChanges(t *testing.T) {
	t.Parallel()
	w, s, _ := reportShop(t) // orders 1 to 5, of which one is canceled; on two days
	byProduct, created, confirmed := orders.SalesByProduct, orders.StatusCreated, orders.StatusConfirmed
	check := func(status *orders.OrderStatus, want ...string) {
		t.Helper()
		for range 2 {
			var r orders.SalesReport
			call.Read(s.Orders.ReportSales(t.Context(), &orders.ReportSalesParams{By: &byProduct, Status: status})).Want(t, http.StatusOK, &r)
			wantRows(t, r, want...)
		}
	}
	all := s.AllOrders(t, 0)
	check(nil, "DRILL 1 2 2000", "SAW 4 15 150")
	last := all[0]
	check(&confirmed, "SAW 1 1 10")
	s.ConfirmOrder(t, last.ID, "again")
	check(&confirmed, "SAW 2 3 30")
	check(&created, "DRILL 1 2 2000", "SAW 2 12 120")
	s.CancelOrder(t, last.ID)
	check(nil, "DRILL 1 2 2000", "SAW 3 13 130")
	check(&confirmed, "SAW 1 1 10")
	placed := s.CreateOrder(t, last.CustomerID, last.Items[0].ProductID, 4)
	check(nil, "DRILL 1 2 2000", "SAW 4 17 170")
	s.CancelOrder(t, placed.ID) // and place another, so that as many wait as before
	s.CreateOrder(t, last.CustomerID, 1, 1)
	check(nil, "DRILL 2 3 3000", "SAW 3 13 130")
	audit(t, w)
}

func wantDays(t *testing.T, what string, r orders.SalesReport, want ...string) {
	t.Helper()
	var got []string
	for _, row := range r.Data {
		got = append(got, sprint(*row.Day, row.Orders, row.TotalCents))
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: got the days %q, want %q", what, got, want)
	}
}

func wantRows(t *testing.T, r orders.SalesReport, want ...string) {
	t.Helper()
	var got []string
	for _, row := range r.Data {
		if row.Product != nil {
			got = append(got, sprint(row.Product.SKU, row.Orders, *row.Units, row.TotalCents))
		} else {
			got = append(got, sprint(row.Customer.Name, row.Orders, row.TotalCents))
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got the rows %q, want %q", got, want)
	}
}

func TestReportStock(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	report := func() (r orders.StockReport) {
		t.Helper()
		call.Read(s.Orders.ReportStock(t.Context())).Want(t, http.StatusOK, &r)
		return r
	}
	if r := report(); r.Products != 0 || r.Low != 0 || r.Out != 0 || r.Units != 0 || r.ValueCents != 0 {
		t.Errorf("empty: got %+v", r)
	}
	for _, p := range []orders.ProductInput{
		{SKU: "A", Name: "a", PriceCents: 100, Stock: 10, ReorderLevel: 10}, {SKU: "B", Name: "b", PriceCents: 7, Stock: 3, ReorderLevel: 4}, {SKU: "C", Name: "c", PriceCents: 1, ReorderLevel: 1}, {SKU: "D", Name: "d", PriceCents: 1},
	} {
		call.Read(s.Orders.CreateProduct(t.Context(), nil, p)).Want(t, http.StatusCreated)
	}
	if r := report(); r.Products != 4 || r.Low != 2 || r.Out != 2 || r.Units != 13 || r.ValueCents != 1021 {
		t.Errorf("got %+v, want 4 products, 2 low, 2 out, 13 units, 1021 cents", r)
	}
	s.ChangeProduct(t, 1, orders.ProductChange{Archived: new(true)})
	if r := report(); r.Products != 3 || r.Units != 3 || r.ValueCents != 21 {
		t.Errorf("with an archived product: got %+v, want the other 3", r)
	}
	call.Read(s.Orders.CreateProduct(t.Context(), nil, orders.ProductInput{SKU: "E", Name: "e", PriceCents: 1e11, Stock: 1e9})).Want(t, http.StatusCreated)
	if r := report(); r.ValueCents != 1<<53-1 {
		t.Errorf("a value beyond 2^53: got %d, want 2^53 - 1", r.ValueCents)
	}
}

func TestReportOrders(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{CancelWindow: 24 * 365 * time.Hour})
	s := w.Login("admin")
	buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "P", 100, 100)
	const day = 24 * time.Hour
	for _, step := range []time.Duration{40 * day, 20 * day, 5 * day, 20 * time.Hour, 30 * time.Minute} { // ages at the end: 66 days, 26, 6, 20.5 h, 30 min, 0
		s.CreateOrder(t, buyer.ID, p.ID, 1)
		w.Clock.Advance(step)
		s = w.Login("admin")
	}
	s.CreateOrder(t, buyer.ID, p.ID, 1)
	s.ConfirmOrder(t, 2, "c")
	s.CancelOrder(t, 5)
	var r orders.OrdersReport
	call.Read(s.Orders.ReportOrders(t.Context())).Want(t, http.StatusOK, &r)
	want := []orders.StatusCount{
		{Status: orders.StatusCreated, Orders: 4, Ages: orders.OrderAges{Hour: 1, Day: 1, Week: 1, Older: new(int64(1))}},
		{Status: orders.StatusConfirmed, Orders: 1, Ages: orders.OrderAges{Month: 1}},
		{Status: orders.StatusCanceled, Orders: 1, Ages: orders.OrderAges{Hour: 1}},
	}
	if !reflect.DeepEqual(r.Data, want) {
		t.Errorf("got %+v, want %+v", r.Data, want)
	}
	var oldest []int64
	for _, o := range r.Oldest {
		oldest = append(oldest, o.ID)
	}
	if want := []int64{1, 3, 4, 6}; !slices.Equal(oldest, want) {
		t.Errorf("got the waiting orders %d, want %d", oldest, want)
	}
}

// A report is kept for its age, and says when it was made.
func TestReportAge(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{ReportAge: time.Hour})
	s := w.Login("admin")
	first := call.Read(s.Orders.ReportStock(t.Context())).Want(t, http.StatusOK)
	s.CreateProduct(t, "P", 100, 100)
	if again := call.Read(s.Orders.ReportStock(t.Context())); string(again.Body) != string(first.Body) {
		t.Errorf("got %s, want the kept report %s", again, first)
	}
}

func sprint(values ...any) string { return strings.TrimSuffix(fmt.Sprintln(values...), "\n") }
