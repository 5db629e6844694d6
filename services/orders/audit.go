package orders

import (
	"context"
	"fmt"
	"strings"

	api "github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/gen/ordersdb"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

// auditRange is the number of ids that a statement of the audit reads, which takes well below a second.
const auditRange = 10_000

// Audit checks the invariants of a snapshot of the database, to which services may write meanwhile. Every order has lines, the sum
// of their subtotals as its total, the times of its status, and a history that leads to that status. The stock of every product
// is the sum of its adjustments minus the units in orders that are not canceled. Audit calls report with a sentence for each row
// that breaks an invariant, and returns the number of these rows. Its memory grows with the number of products, not of orders.
func Audit(ctx context.Context, db *database.DB, report func(sentence string)) (broken int64, err error) {
	found := func(sentence string) {
		broken++
		report(sentence)
	}
	err = db.Snapshot(ctx, func(conn database.Conn) error {
		q := ordersdb.New(conn)
		bounds, err := q.AuditBounds(ctx)
		if err != nil {
			return fmt.Errorf("audit bounds: %w", err)
		}
		taken := map[int64]int64{} // units, by product
		for after := int64(0); after < bounds.LastOrder; after += auditRange {
			if err := auditOrders(ctx, q, after, taken, found); err != nil {
				return err
			}
		}
		for after := int64(0); after < bounds.LastProduct; after += auditRange {
			if err := auditStock(ctx, q, after, taken, found); err != nil {
				return err
			}
		}
		return nil
	})
	return broken, err
}

// auditOrders checks a range of orders and adds their units to taken.
func auditOrders(ctx context.Context, q *ordersdb.Queries, after int64, taken map[int64]int64, found func(string)) error {
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
		taken[p.ProductID] += p.Units
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
