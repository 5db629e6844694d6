package view

import (
	"fmt"
	"strconv"

	"github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/services/backoffice/locale"
)

// The numbers of entries on the home page.
const (
	ShownWaiting = 5
	ShownLow     = 5
)

// Part is a part of a page that is read by itself.
type Part[T any] struct {
	Value  *T   // nil if the role may not read it, or if Failed
	Failed bool // whether it could not be read
}

// Overview is the data of the home page.
type Overview struct {
	Orders Part[orders.OrdersReport]
	Sales  Part[orders.SalesReport] // by day, up to today
	Stock  Part[orders.StockReport]
	Low    Part[[]orders.Product]
	First  *FirstSteps // nil unless there are no orders yet
}

// FirstSteps says whether there is a product, a customer and an order already.
type FirstSteps struct{ Product, Customer, Order bool }

// NoOrders reports whether the report of orders was read and counts none.
func (o *Overview) NoOrders() bool {
	if o.Orders.Value == nil {
		return false
	}
	for _, status := range o.Orders.Value.Data {
		if status.Orders > 0 {
			return false
		}
	}
	return true
}

// maxOlder is the number up to which the report counts the older orders.
const maxOlder = 10_000

// waiting returns the number of orders to confirm, with a plus sign if not all are counted.
func waiting(p *Page, r *orders.OrdersReport) string {
	for _, status := range r.Data {
		switch {
		case status.Status != orders.StatusCreated:
		case status.Ages.Older != nil && *status.Ages.Older == maxOlder:
			return p.Locale.Number(status.Orders) + "+"
		default:
			return p.Locale.Number(status.Orders)
		}
	}
	return p.Locale.Number(0)
}

// stockValue returns the value of the stock. The report counts no further than the largest amount of the contract.
func stockValue(p *Page, r *orders.StockReport) string {
	value := p.Locale.Money(r.ValueCents)
	if r.ValueCents == locale.MaxCents {
		return p.Text.MoreThan(value)
	}
	return value
}

// today returns the last day of a report.
func today(r *orders.SalesReport) (row orders.SalesRow) {
	if len(r.Data) > 0 {
		row = r.Data[len(r.Data)-1]
	}
	return row
}

// bar is a day in a chart. Its lengths are in percent of the width and height of the chart.
type bar struct {
	x, width, y, height string
	label               string
	today               bool
}

// The top and the bottom of the bars in a chart, in percent of its height. Above is space for the largest number, below for the days.
const (
	chartTop    = 12.0
	chartBottom = 88.0
)

// bars returns the bars of a report by day, and the largest number of their scale, in cents.
func bars(p *Page, r *orders.SalesReport) (all []bar, top int64) {
	for _, row := range r.Data {
		top = max(top, row.TotalCents)
	}
	top = roundUp(top)
	step := 100 / float64(max(1, len(r.Data)))
	for i, row := range r.Data {
		height := (chartBottom - chartTop) * float64(row.TotalCents) / float64(top)
		all = append(all, bar{
			x: percent(step * (float64(i) + 0.15)), width: percent(step * 0.7), y: percent(chartBottom - height), height: percent(height),
			label: fmt.Sprintf("%s: %s, %s", p.Locale.Day(str(row.Day)), p.Locale.Money(row.TotalCents), p.Text.HomeOrders(row.Orders, p.Locale.Number(row.Orders))),
			today: i == len(r.Data)-1,
		})
	}
	return all, top
}

// roundUp rounds an amount in cents up to a number that is easy to read, at least 100.
func roundUp(n int64) int64 {
	for scale := int64(10); ; scale *= 10 {
		for _, first := range []int64{10, 15, 20, 30, 40, 50, 60, 80} {
			if n <= first*scale || scale >= 1e16 {
				return first * scale
			}
		}
	}
}

func percent(n float64) string { return strconv.FormatFloat(n, 'f', 2, 64) + "%" }
