package orders

import (
	"context"
	"fmt"
	"time"
	_ "time/tzdata" // the image has no time zone database

	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/gen/ordersdb"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/page"
)

// maxDays is the longest period of a sales report.
const maxDays = 366

// period is a range of days in a time zone.
type period struct {
	zone        *time.Location
	first, last time.Time // the midnights, UTC, of the days without their zone
}

func parsePeriod(p api.ReportSalesParams, now time.Time) (r period, err error) {
	name := "UTC"
	if p.TimeZone != nil {
		name = *p.TimeZone
	}
	if r.zone, err = time.LoadLocation(name); err != nil || name == "Local" {
		return r, fault.Invalid(common.FieldError{Field: "time_zone", Message: "is not in the IANA time zone database"})
	}
	y, m, d := now.In(r.zone).Date()
	r.last = time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	if p.To != nil {
		if r.last, err = parseDay("to", *p.To); err != nil {
			return r, err
		}
	}
	r.first = r.last.AddDate(0, 0, -29)
	if p.From != nil {
		if r.first, err = parseDay("from", *p.From); err != nil {
			return r, err
		}
	}
	switch {
	case r.first.After(r.last):
		return r, fault.Invalid(common.FieldError{Field: "from", Message: "must not be after to"})
	case r.first.AddDate(0, 0, maxDays).Before(r.last.AddDate(0, 0, 1)):
		return r, fault.Invalid(common.FieldError{Field: "from", Message: fmt.Sprintf("must be at most %d days before to", maxDays-1)})
	}
	return r, nil
}

func parseDay(field, text string) (time.Time, error) {
	day, err := time.Parse(time.DateOnly, text)
	first, last := page.Limits()
	if err != nil || day.Before(first) || !day.Before(last) {
		return day, fault.Invalid(common.FieldError{Field: field, Message: "must be a valid date, such as 2026-01-15"})
	}
	return day, nil
}

// start returns the instant at which a day begins. If clocks skip midnight, that is the first instant after the gap.
func (r period) start(day time.Time) time.Time {
	y, m, d := day.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, r.zone).UTC()
}

// sales returns the rows of a sales report and their total.
func (s *service) sales(ctx context.Context, p api.ReportSalesParams) (report api.SalesReport, err error) {
	r, err := parsePeriod(p, s.now())
	if err != nil {
		return report, err
	}
	status := ""
	if p.Status != nil {
		status = string(*p.Status)
	}
	report = api.SalesReport{From: r.first.Format(time.DateOnly), To: r.last.Format(time.DateOnly), TimeZone: r.zone.String()}
	from, before := r.start(r.first), r.start(r.last.AddDate(0, 0, 1))
	limit := int(page.Limit(p.Limit))
	if err := s.reports.Enter(ctx); err != nil {
		return report, err
	}
	defer s.reports.Leave()
	err = s.db.Snapshot(ctx, func(conn database.Conn) (err error) {
		q := ordersdb.New(conn)
		switch by(p) {
		case api.SalesByProduct:
			report.Total.Units = new(int64)
			report.Data, err = salesByProduct(ctx, q, from, before, status, report.Total.Units, limit)
		case api.SalesByCustomer:
			report.Data, err = salesByCustomer(ctx, q, from, before, status, limit)
		default:
			report.Data, err = salesByDay(ctx, q, r, status)
			for _, row := range report.Data {
				report.Total.Orders += row.Orders
				report.Total.TotalCents = min(report.Total.TotalCents+row.TotalCents, maxTotal)
			}
			return err
		}
		if err != nil {
			return err
		}
		total, err := q.Sales(ctx, ordersdb.SalesParams{PlacedFrom: from, PlacedBefore: before, Status: status})
		report.Total.Orders, report.Total.TotalCents = total.Orders, exact(total.TotalCents)
		return err
	})
	if err != nil {
		return report, fmt.Errorf("report sales: %w", err)
	}
	return report, nil
}

func by(p api.ReportSalesParams) api.ReportSalesParamsBy {
	if p.By == nil {
		return api.SalesByDay
	}
	return *p.By
}

// exact returns a sum of integers, which is exact up to maxTotal, and maxTotal for a larger one.
func exact(sum float64) int64 { return int64(min(sum, maxTotal)) }

// salesByDay adds up one day after the other, because the engines have no time zones in common.
func salesByDay(ctx context.Context, q *ordersdb.Queries, r period, status string) (rows []api.SalesRow, err error) {
	for day := r.first; !day.After(r.last); day = day.AddDate(0, 0, 1) {
		sum, err := q.Sales(ctx, ordersdb.SalesParams{PlacedFrom: r.start(day), PlacedBefore: r.start(day.AddDate(0, 0, 1)), Status: status})
		if err != nil {
			return nil, err
		}
		rows = append(rows, api.SalesRow{Day: new(day.Format(time.DateOnly)), Orders: sum.Orders, TotalCents: exact(sum.TotalCents)})
	}
	return rows, nil
}

// salesByProduct returns the products with the largest amounts, and adds the units of all products to units.
func salesByProduct(ctx context.Context, q *ordersdb.Queries, from, before time.Time, status string, units *int64, limit int) ([]api.SalesRow, error) {
	sums, err := q.SalesByProduct(ctx, ordersdb.SalesByProductParams{PlacedFrom: from, PlacedBefore: before, Status: status})
	if err != nil {
		return nil, err
	}
	for _, sum := range sums {
		*units += sum.Units
	}
	sums = sums[:min(len(sums), limit)]
	rows, ids := make([]api.SalesRow, len(sums)), make([]int64, len(sums))
	for i, sum := range sums {
		ids[i] = sum.ProductID
	}
	titles, err := productTitles(ctx, q, ids)
	if err != nil {
		return nil, err
	}
	for i, sum := range sums {
		title := titles[sum.ProductID]
		rows[i] = api.SalesRow{
			Product: &api.SalesProduct{ID: sum.ProductID, SKU: title.SKU, Name: title.Name},
			Orders:  sum.Orders, Units: &sum.Units, TotalCents: exact(sum.TotalCents),
		}
	}
	return rows, nil
}

// salesByCustomer returns the customers with the largest amounts.
func salesByCustomer(ctx context.Context, q *ordersdb.Queries, from, before time.Time, status string, limit int) ([]api.SalesRow, error) {
	sums, err := q.SalesByCustomer(ctx, ordersdb.SalesByCustomerParams{PlacedFrom: from, PlacedBefore: before, Status: status, Limit: int32(limit)})
	if err != nil || len(sums) == 0 {
		return []api.SalesRow{}, err
	}
	rows, lastOrders := make([]api.SalesRow, len(sums)), make([]int64, len(sums))
	for i, sum := range sums {
		lastOrders[i] = sum.LastOrder
	}
	found, err := q.CustomerNames(ctx, lastOrders)
	if err != nil {
		return nil, err
	}
	names := make(map[int64]string, len(found))
	for _, row := range found {
		names[row.CustomerID] = row.CustomerName
	}
	for i, sum := range sums {
		rows[i] = api.SalesRow{
			Customer: &api.SalesCustomer{ID: sum.CustomerID, Name: names[sum.CustomerID]},
			Orders:   sum.Orders, TotalCents: exact(sum.TotalCents),
		}
	}
	return rows, nil
}

// stock returns the stock report.
func (s *service) stock(ctx context.Context) (report api.StockReport, err error) {
	if err := s.reports.Enter(ctx); err != nil {
		return report, err
	}
	defer s.reports.Leave()
	err = s.db.Read(ctx, func(conn database.Conn) error {
		row, err := ordersdb.New(conn).Stock(ctx)
		report = api.StockReport{Products: row.Products, Low: row.Low, Out: row.Gone, Units: exact(row.Units), ValueCents: exact(row.ValueCents)}
		return err
	})
	if err != nil {
		return report, fmt.Errorf("report stock: %w", err)
	}
	return report, nil
}

// maxOldest is the number of waiting orders in the report of orders.
const maxOldest = 10

// ordersByAge returns the counts of the orders report and the orders that wait longest.
func (s *service) ordersByAge(ctx context.Context) (counts []api.StatusCount, oldest []Order, err error) {
	if err := s.reports.Enter(ctx); err != nil {
		return nil, nil, err
	}
	defer s.reports.Leave()
	now := s.now()
	err = s.db.Snapshot(ctx, func(conn database.Conn) error {
		q := ordersdb.New(conn)
		for _, status := range []api.OrderStatus{api.StatusCreated, api.StatusConfirmed, api.StatusCanceled} {
			count := api.StatusCount{Status: status}
			if count.Ages, err = countByAge(ctx, q, status, now); err != nil {
				return err
			}
			count.Orders = count.Ages.Hour + count.Ages.Day + count.Ages.Week + count.Ages.Month + count.Ages.Older
			counts = append(counts, count)
		}
		rows, err := q.OldestCreatedOrders(ctx, maxOldest)
		if err != nil {
			return err
		}
		oldest, err = withLines(ctx, q, rows)
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("report orders: %w", err)
	}
	return counts, oldest, nil
}

// countByAge counts the orders with a status. Orders from clocks that are ahead count as less than an hour old.
func countByAge(ctx context.Context, q *ordersdb.Queries, status api.OrderStatus, now time.Time) (ages api.OrderAges, err error) {
	const day = 24 * time.Hour
	first, before := page.Limits()
	for _, age := range []struct {
		count *int64
		from  time.Time
	}{
		{&ages.Hour, now.Add(-time.Hour)}, {&ages.Day, now.Add(-day)}, {&ages.Week, now.Add(-7 * day)}, {&ages.Month, now.Add(-30 * day)}, {&ages.Older, first},
	} {
		*age.count, err = q.CountOrders(ctx, ordersdb.CountOrdersParams{Status: string(status), PlacedFrom: age.from, PlacedBefore: before})
		if err != nil {
			return ages, err
		}
		before = age.from
	}
	return ages, nil
}

// productTitles returns the SKUs and names of products by id.
func productTitles(ctx context.Context, q *ordersdb.Queries, ids []int64) (map[int64]ordersdb.ProductTitlesRow, error) {
	titles := make(map[int64]ordersdb.ProductTitlesRow, len(ids))
	if len(ids) == 0 {
		return titles, nil
	}
	rows, err := q.ProductTitles(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read titles of products: %w", err)
	}
	for _, row := range rows {
		titles[row.ID] = row
	}
	return titles, nil
}
