package orders_test

import (
	"net/http"
	"testing"
	"time"

	api "github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/services/internal/apitest"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

// A day lasts from its first instant to that of the next day, also where clocks skip or repeat midnight.
func TestReportSalesDays(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		zone, day   string
		first, last string // the first and the last microsecond of the day
	}{
		{"UTC", "2026-01-15", "2026-01-15T00:00:00Z", "2026-01-15T23:59:59.999999Z"},
		{"Asia/Kathmandu", "2026-01-15", "2026-01-14T18:15:00Z", "2026-01-15T18:14:59.999999Z"},
		{"America/Santiago", "2026-09-06", "2026-09-06T04:00:00Z", "2026-09-07T02:59:59.999999Z"}, // 00:00 becomes 01:00
		{"America/Santiago", "2026-04-04", "2026-04-04T03:00:00Z", "2026-04-05T03:59:59.999999Z"}, // 24:00 becomes 23:00
		{"Asia/Amman", "2021-10-29", "2021-10-28T21:00:00Z", "2021-10-29T21:59:59.999999Z"},       // 01:00 becomes 00:00
		{"Europe/Madrid", "2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T21:59:59.999999Z"},    // 02:00 becomes 03:00
		{"Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z", "2011-12-31T09:59:59.999999Z"},     // there is no December 30
	} {
		s := newShop(t)
		product := s.product(100, 100)
		first, last := instant(t, test.first), instant(t, test.last)
		for _, at := range []time.Time{first.Add(-time.Microsecond), first, last, last.Add(time.Microsecond)} {
			s.clock.Set(at)
			s.ClientWithResponses = s.as(s.token("admin", auth.Admin)) // the token of before is not valid at this time
			s.place(product, 1)
		}
		r, err := s.ReportSalesWithResponse(t.Context(), &api.ReportSalesParams{TimeZone: &test.zone, From: &test.day, To: &test.day})
		apitest.WantStatus(t, r, err, http.StatusOK)
		if got := r.JSON200.Total.Orders; got != 2 {
			t.Errorf("%s in %s: got %d orders, want 2: those from %s to %s", test.day, test.zone, got, test.first, test.last)
		}
	}
}

func instant(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// Of the CREATED orders of 30 days and more, 10,000 are counted.
func TestReportOrdersOlder(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.place(s.product(100, 1), 1)
	copies := func(n int) {
		t.Helper()
		err := s.db.Tx(t.Context(), func(conn database.Conn) error {
			_, err := conn.ExecContext(t.Context(), `
WITH RECURSIVE copies (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copies WHERE n < ?)
INSERT INTO orders (customer_id, customer_name, customer_email, search_text, status, total_cents, version, created_at)
SELECT customer_id, customer_name, customer_email, search_text, status, total_cents, version, created_at FROM orders, copies WHERE id = 1`, n)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	s.clock.Advance(31 * 24 * time.Hour)
	for _, test := range []struct{ more, want int64 }{{0, 1}, {9_998, 9_999}, {1, 10_000}, {1, 10_000}} {
		if test.more > 0 {
			copies(int(test.more))
		}
		s.url = s.serve(s.db, s.customers) // another process, which has kept no report
		s.ClientWithResponses = s.as(s.token("admin", auth.Admin))
		r, err := s.ReportOrdersWithResponse(t.Context())
		apitest.WantStatus(t, r, err, http.StatusOK)
		if created := r.JSON200.Data[0]; *created.Ages.Older != test.want || created.Orders != test.want {
			t.Errorf("got %d older orders of %d, want %d of as many", *created.Ages.Older, created.Orders, test.want)
		}
	}
}
