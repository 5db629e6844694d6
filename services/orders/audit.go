package orders

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	api "github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/gen/ordersdb"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

// auditRange is the number of ids that a statement of the audit reads, which takes well below a second.
const auditRange = 10_000

// Audit checks the invariants of a snapshot of the database, to which services may write meanwhile. Every order has lines, the sum
// of their subtotals as its total, the times of its status, and a history that leads to that status. The stock of every product
// is the sum of its adjustments minus the units in orders that are not canceled. The sales report of all time is the sum of the orders
// that are not canceled. Audit calls report with a sentence for each row
// that breaks an invariant, and returns the number of these rows. Its memory grows with the number of products, not of orders.
func Audit(ctx context.Context, db *database.DB, report func(sentence string)) (broken int64, err error) {
	found := func(sentence string) {
		broken++
		report(sentence)
	}
	err = db.Snapshot(ctx, func(conn database.Conn) error {
		broken = 0 // the snapshot of a server that goes away is read again on another
		q := ordersdb.New(conn)
		bounds, err := q.AuditBounds(ctx)
		if err != nil {
			return fmt.Errorf("audit bounds: %w", err)
		}
		sold := sold{units: map[int64]int64{}}
		for after := int64(0); after < bounds.LastOrder; after += auditRange {
			if err := auditOrders(ctx, q, after, &sold, found); err != nil {
				return err
			}
		}
		if err := auditSales(ctx, q, sold, found); err != nil {
			return err
		}
		for after := int64(0); after < bounds.LastProduct; after += auditRange {
			if err := auditStock(ctx, q, after, sold.units, found); err != nil {
				return err
			}
		}
		return nil
	})
	return broken, err
}

// sold is the sum of the orders that are not canceled.
type sold struct {
	orders, cents int64
	units         map[int64]int64 // by product
}

// auditOrders checks a range of orders and adds them to sum.
func auditOrders(ctx context.Context, q *ordersdb.Queries, after int64, sum *sold, found func(string)) error {
	orders, err := q.AuditOrders(ctx, ordersdb.AuditOrdersParams{AfterID: after, LastID: after + auditRange})
	if err != nil {
		return fmt.Errorf("audit orders: %w", err)
	}
	for _, o := range orders {
		found(fmt.Sprintf("order %d: %s", o.ID, strings.Join(faults(o), "; ")))
	}
	histories, err := q.AuditHistory(ctx, ordersdb.AuditHistoryParams{AfterID: after, LastID: after + auditRange})
	if err != nil {
		return fmt.Errorf("audit history: %w", err)
	}
	for _, o := range histories {
		found(fmt.Sprintf("order %d: its history does not lead to %s: it has %d changes, at version %d", o.ID, o.Status, o.Events, o.Version))
	}
	products, err := q.AuditTaken(ctx, ordersdb.AuditTakenParams{AfterID: after, LastID: after + auditRange})
	if err != nil {
		return fmt.Errorf("audit units: %w", err)
	}
	for _, p := range products {
		sum.units[p.ProductID] += p.Units
	}
	sales, err := q.AuditSales(ctx, ordersdb.AuditSalesParams{AfterID: after, LastID: after + auditRange})
	if err != nil {
		return fmt.Errorf("audit sales: %w", err)
	}
	sum.orders, sum.cents = sum.orders+sales.Orders, min(sum.cents+bounded(sales.TotalCents), maxTotal)
	return nil
}

// auditSales compares the sales report of all time, which reads the orders by an index, with the sum of all orders. It reads the report
// by days.
func auditSales(ctx context.Context, q *ordersdb.Queries, want sold, found func(string)) error {
	first, err := q.AuditFirstPlaced(ctx)
	if errors.Is(err, database.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("audit sales: %w", err)
	}
	last, err := q.AuditLastPlaced(ctx)
	if err != nil {
		return fmt.Errorf("audit sales: %w", err)
	}
	got := sold{units: map[int64]int64{}}
	for day := first; !day.After(last); day = day.AddDate(0, 0, 1) {
		next := day.AddDate(0, 0, 1)
		sum, err := q.Sales(ctx, ordersdb.SalesParams{PlacedFrom: day, PlacedBefore: next})
		if err != nil {
			return fmt.Errorf("audit sales: %w", err)
		}
		got.orders, got.cents = got.orders+sum.Orders, min(got.cents+bounded(sum.TotalCents), maxTotal)
		products, err := q.SalesByProduct(ctx, ordersdb.SalesByProductParams{PlacedFrom: day, PlacedBefore: next})
		if err != nil {
			return fmt.Errorf("audit sales: %w", err)
		}
		for _, p := range products {
			got.units[p.ProductID] += p.Units
		}
	}
	if got.orders != want.orders || got.cents != want.cents {
		found(fmt.Sprintf("sales report: it has %d orders of %d cents, but there are %d of %d", got.orders, got.cents, want.orders, want.cents))
	}
	if !maps.Equal(got.units, want.units) {
		found("sales report: its units by product are not those of the orders")
	}
	return nil
}

// faults describes the broken invariants of an order.
func faults(o ordersdb.AuditOrdersRow) (all []string) {
	status := api.OrderStatus(o.Status)
	if o.LineCount == 0 {
		all = append(all, "it has no lines")
	}
	if o.TotalCents != o.LinesCents {
		all = append(all, fmt.Sprintf("its total is %d cents, its lines are %d", o.TotalCents, o.LinesCents))
	}
	if o.WrongLines > 0 {
		all = append(all, fmt.Sprintf("lines whose subtotal is not quantity times price: %d", o.WrongLines))
	}
	switch {
	case status == api.StatusCreated && o.ConfirmedAt != nil:
		all = append(all, "it is CREATED, but has a time of confirmation")
	case status == api.StatusConfirmed && o.ConfirmedAt == nil:
		all = append(all, "it is CONFIRMED, but has no time of confirmation")
	}
	switch {
	case status == api.StatusCanceled && o.CanceledAt == nil:
		all = append(all, "it is CANCELED, but has no time of cancellation")
	case status != api.StatusCanceled && o.CanceledAt != nil:
		all = append(all, fmt.Sprintf("it is %s, but has a time of cancellation", status))
	}
	return all
}

// auditStock checks a range of products.
func auditStock(ctx context.Context, q *ordersdb.Queries, after int64, taken map[int64]int64, found func(string)) error {
	products, err := q.AuditStock(ctx, ordersdb.AuditStockParams{AfterID: after, LastID: after + auditRange})
	if err != nil {
		return fmt.Errorf("audit stock: %w", err)
	}
	for _, p := range products {
		if p.Stock != p.Adjusted-taken[p.ID] {
			found(fmt.Sprintf("product %d: %d in stock, but %d put in and %d taken by orders", p.ID, p.Stock, p.Adjusted, taken[p.ID]))
		}
		if p.WrongMovements > 0 {
			found(fmt.Sprintf("product %d: stock movements with a wrong number of units: %d", p.ID, p.WrongMovements))
		}
	}
	return nil
}
