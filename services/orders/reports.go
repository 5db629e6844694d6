package orders

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
	_ "time/tzdata" // the image has no time zone database

	"github.com/maypok86/otter/v2"
	"golang.org/x/sync/semaphore"

	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/gen/ordersdb"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/page"
	"github.com/pedidos-hq/pedidos/services/platform/search"
)

// maxDays is the longest period of a sales report.
const maxDays = 366

// period is a range of days in a time zone.
type period struct {
	zone        *time.Location
	first, last time.Time // days; their times and time zones do not count
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

// start returns the instant at which the period begins.
func (r period) start() time.Time { return r.midnight(r.first) }

// end returns the instant at which the period has ended.
func (r period) end() time.Time { return r.midnight(r.last.AddDate(0, 0, 1)) }

// midnight returns the first instant of a day.
func (r period) midnight(day time.Time) time.Time { return page.StartOfDay(day, r.zone).UTC() }

// reports makes reports. They read many rows, so they take turns, and each is kept for a short time for further requests.
type reports struct {
	db    *database.DB
	now   func() time.Time
	turns *search.Gate

	products *productSales

	sales  *kept[salesQuery, api.SalesReport]
	stock  *kept[struct{}, api.StockReport]
	orders *kept[struct{}, api.OrdersReport]
}

func newReports(db *database.DB, age time.Duration, now func() time.Time) (*reports, error) {
	r := &reports{db: db, now: now, turns: search.NewGate()}
	var faults [4]error
	r.products, faults[0] = newProductSales()
	r.sales, faults[1] = newKept(age, r.makeSales)
	r.stock, faults[2] = newKept(age, r.makeStock)
	r.orders, faults[3] = newKept(age, r.makeOrders)
	return r, errors.Join(faults[:]...)
}

// kept caches the reports of one kind.
type kept[Query comparable, Report any] struct {
	make   func(context.Context, Query) (Report, error)
	cache  *otter.Cache[Query, Report] // nil if reports are not kept
	places *semaphore.Weighted         // of reports that are made, also for callers that are gone
}

const (
	maxKept       = 100 // reports of a kind, and as many that are made at once
	reportTimeout = 30 * time.Second
)

func newKept[Query comparable, Report any](age time.Duration, make func(context.Context, Query) (Report, error)) (*kept[Query, Report], error) {
	k := &kept[Query, Report]{make: make, places: semaphore.NewWeighted(maxKept)}
	if age == 0 {
		return k, nil
	}
	var err error
	k.cache, err = otter.New(&otter.Options[Query, Report]{MaximumSize: maxKept, ExpiryCalculator: otter.ExpiryCreating[Query, Report](age)})
	return k, err
}

// get returns a kept report, or makes one. Concurrent calls share it, so it continues when the call that started it ends.
func (k *kept[Query, Report]) get(ctx context.Context, q Query) (report Report, err error) {
	if k.cache == nil {
		return k.make(ctx, q)
	}
	done := make(chan struct{})
	var made Report
	var failed error
	go func() {
		defer close(done)
		made, failed = k.cache.Get(ctx, q, otter.LoaderFunc[Query, Report](k.load))
	}()
	select {
	case <-done:
		return made, failed
	case <-ctx.Done():
		return report, ctx.Err()
	}
}

// load makes a report, which takes at most reportTimeout. It runs outside of a request, whose server would recover a panic.
func (k *kept[Query, Report]) load(ctx context.Context, q Query) (report Report, err error) {
	if !k.places.TryAcquire(1) {
		return report, fault.Unavailable(common.CodeUnavailable, "Too many reports are being made; try again later.", nil)
	}
	defer k.places.Release(1)
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reportTimeout)
	defer cancel()
	return k.make(ctx, q)
}

// salesQuery is a request for a sales report, with the defaults filled in.
type salesQuery struct {
	by          api.ReportSalesParamsBy
	status      string // or empty
	limit       int
	zone        string
	first, last time.Time
}

func parseSales(p api.ReportSalesParams, now time.Time) (q salesQuery, err error) {
	q = salesQuery{by: api.SalesByDay}
	if p.By != nil {
		q.by = *p.By
	}
	if q.by != api.SalesByDay { // which returns all days
		q.limit = int(page.Limit(p.Limit))
	}
	if p.Status != nil {
		q.status = string(*p.Status)
	}
	days, err := parsePeriod(p, now)
	if err != nil {
		return q, err
	}
	q.zone, q.first, q.last = days.zone.String(), days.first, days.last
	return q, nil
}

func (r *reports) makeSales(ctx context.Context, in salesQuery) (report api.SalesReport, err error) {
	zone, err := time.LoadLocation(in.zone)
	if err != nil {
		return report, fmt.Errorf("report sales: %w", err)
	}
	days := period{zone, in.first, in.last}
	report = api.SalesReport{
		AsOf: common.Time{Time: r.now()},
		From: in.first.Format(time.DateOnly), To: in.last.Format(time.DateOnly), TimeZone: in.zone,
	}
	err = r.read(ctx, func(q *ordersdb.Queries) (err error) {
		switch in.by {
		case api.SalesByProduct:
			report.Data, report.Total, err = r.salesByProduct(ctx, q, days, in.status, in.limit)
		case api.SalesByCustomer:
			report.Data, report.Total, err = salesByCustomer(ctx, q, days, in.status, in.limit)
		default:
			report.Data, report.Total, err = salesByDay(ctx, q, days, in.status)
		}
		return err
	})
	if err != nil {
		return report, fmt.Errorf("report sales: %w", err)
	}
	return report, nil
}

// read runs queries on a snapshot when it has a turn.
func (r *reports) read(ctx context.Context, queries func(*ordersdb.Queries) error) error {
	if err := r.turns.Enter(ctx); err != nil {
		return err
	}
	defer r.turns.Leave()
	return r.db.Snapshot(ctx, func(conn database.Conn) error { return queries(ordersdb.New(conn)) })
}

// bounded returns a sum of integers that the database computed as a float: exact up to maxTotal, and maxTotal beyond.
func bounded(sum float64) int64 { return int64(min(sum, maxTotal)) }

// salesByDay adds up one day after the other, because the engines have no time zones in common.
func salesByDay(ctx context.Context, q *ordersdb.Queries, days period, status string) (rows []api.SalesRow, total api.SalesFigures, err error) {
	cents := 0.0
	for day := days.first; !day.After(days.last); day = day.AddDate(0, 0, 1) {
		sum, err := q.Sales(ctx, ordersdb.SalesParams{PlacedFrom: days.midnight(day), PlacedBefore: days.midnight(day.AddDate(0, 0, 1)), Status: status})
		if err != nil {
			return nil, total, err
		}
		rows = append(rows, api.SalesRow{Day: new(day.Format(time.DateOnly)), Orders: sum.Orders, TotalCents: bounded(sum.TotalCents)})
		total.Orders += sum.Orders
		cents += sum.TotalCents
	}
	total.TotalCents = bounded(cents)
	return rows, total, nil
}

// salesByProduct returns the products with the largest amounts, and the sums of all.
func (r *reports) salesByProduct(ctx context.Context, q *ordersdb.Queries, days period, status string, limit int) (rows []api.SalesRow, total api.SalesFigures, err error) {
	sums, total, err := r.products.sums(ctx, q, days, status)
	if err != nil {
		return nil, total, err
	}
	sums = sums[:min(len(sums), limit)]
	rows, ids := make([]api.SalesRow, len(sums)), make([]int64, len(sums))
	for i, sum := range sums {
		ids[i] = sum.ProductID
	}
	titles, err := productTitles(ctx, q, ids)
	if err != nil {
		return nil, total, err
	}
	for i, sum := range sums {
		title := titles[sum.ProductID]
		rows[i] = api.SalesRow{
			Product: &api.SalesProduct{ID: sum.ProductID, SKU: title.SKU, Name: title.Name},
			Orders:  sum.Orders, Units: &sum.Units, TotalCents: bounded(sum.TotalCents),
		}
	}
	return rows, total, nil
}

// salesByCustomer returns the customers with the largest amounts, and the sums of all. Sums by a
// window function over the groups take as long as the second query.
func salesByCustomer(ctx context.Context, q *ordersdb.Queries, days period, status string, limit int) (_ []api.SalesRow, total api.SalesFigures, err error) {
	sums, err := q.SalesByCustomer(ctx, ordersdb.SalesByCustomerParams{PlacedFrom: days.start(), PlacedBefore: days.end(), Status: status, Limit: int32(limit)})
	if err != nil || len(sums) == 0 {
		return []api.SalesRow{}, total, err
	}
	all, err := q.Sales(ctx, ordersdb.SalesParams{PlacedFrom: days.start(), PlacedBefore: days.end(), Status: status})
	if err != nil {
		return nil, total, err
	}
	total.Orders, total.TotalCents = all.Orders, bounded(all.TotalCents)
	rows, lastOrders := make([]api.SalesRow, len(sums)), make([]int64, len(sums))
	for i, sum := range sums {
		lastOrders[i] = sum.LastOrder
	}
	found, err := q.CustomerNames(ctx, lastOrders)
	if err != nil {
		return nil, total, err
	}
	names := make(map[int64]string, len(found))
	for _, row := range found {
		names[row.CustomerID] = row.CustomerName
	}
	for i, sum := range sums {
		rows[i] = api.SalesRow{
			Customer: &api.SalesCustomer{ID: sum.CustomerID, Name: names[sum.CustomerID]},
			Orders:   sum.Orders, TotalCents: bounded(sum.TotalCents),
		}
	}
	return rows, total, nil
}

func (r *reports) makeStock(ctx context.Context, _ struct{}) (report api.StockReport, err error) {
	report.AsOf = common.Time{Time: r.now()}
	err = r.read(ctx, func(q *ordersdb.Queries) error {
		row, err := q.Stock(ctx)
		report.Products, report.Low, report.Out = row.Products, row.Low, row.Gone
		report.Units, report.ValueCents = bounded(row.Units), bounded(row.ValueCents)
		return err
	})
	if err != nil {
		return report, fmt.Errorf("report stock: %w", err)
	}
	return report, nil
}

// LowStock counts the products below their reorder level, and those without stock. Archived products do not count.
func LowStock(ctx context.Context, db *database.DB) (low, out int64, err error) {
	err = db.Read(ctx, func(conn database.Conn) error {
		row, err := ordersdb.New(conn).Stock(ctx)
		low, out = row.Low, row.Gone
		return err
	})
	if err != nil {
		return 0, 0, fmt.Errorf("count low stock: %w", err)
	}
	return low, out, nil
}

const (
	maxOldest = 10     // waiting orders in the report of orders
	maxOlder  = 10_000 // limit of the count of CREATED orders of 30 days and more; there may be millions
)

func (r *reports) makeOrders(ctx context.Context, _ struct{}) (report api.OrdersReport, err error) {
	now := r.now()
	report.AsOf = common.Time{Time: now}
	err = r.read(ctx, func(q *ordersdb.Queries) error {
		report.Data = nil
		for _, status := range []api.OrderStatus{api.StatusCreated, api.StatusConfirmed, api.StatusCanceled} {
			ages, err := countByAge(ctx, q, status, now)
			if err != nil {
				return err
			}
			report.Data = append(report.Data, api.StatusCount{
				Status: status, Orders: ages.Hour + ages.Day + ages.Week + ages.Month + deref(ages.Older), Ages: ages,
			})
		}
		rows, err := q.OldestCreatedOrders(ctx, maxOldest)
		if err != nil {
			return err
		}
		oldest, err := withLines(ctx, q, rows)
		report.Oldest = orders(oldest)
		return err
	})
	if err != nil {
		return report, fmt.Errorf("report orders: %w", err)
	}
	return report, nil
}

// countByAge counts the orders with a status. Orders from clocks that are ahead count as less than an hour old.
func countByAge(ctx context.Context, q *ordersdb.Queries, status api.OrderStatus, now time.Time) (ages api.OrderAges, err error) {
	const day = 24 * time.Hour
	first, before := page.Limits()
	for _, age := range []struct {
		count *int64
		from  time.Time
	}{{&ages.Hour, now.Add(-time.Hour)}, {&ages.Day, now.Add(-day)}, {&ages.Week, now.Add(-7 * day)}, {&ages.Month, now.Add(-30 * day)}} {
		*age.count, err = q.CountOrders(ctx, ordersdb.CountOrdersParams{Status: string(status), PlacedFrom: age.from, PlacedBefore: before})
		if err != nil {
			return ages, err
		}
		before = age.from
	}
	if status == api.StatusCreated {
		ages.Older, err = countOlder(ctx, q, ordersdb.CountOrdersParams{Status: string(status), PlacedFrom: first, PlacedBefore: before})
	}
	return ages, err
}

// countOlder counts up to maxOlder orders.
func countOlder(ctx context.Context, q *ordersdb.Queries, p ordersdb.CountOrdersParams) (*int64, error) {
	_, err := q.OlderOrderBehind(ctx, ordersdb.OlderOrderBehindParams{Status: p.Status, PlacedBefore: p.PlacedBefore, Offset: maxOlder - 1})
	if err == nil {
		return new(int64(maxOlder)), nil
	}
	if !errors.Is(err, database.ErrNotFound) {
		return nil, err
	}
	n, err := q.CountOrders(ctx, p)
	return &n, err
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

// deref returns the number, or 0 for nil.
func deref(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}
