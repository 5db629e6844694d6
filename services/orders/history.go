package orders

import (
	"context"
	"fmt"
	"time"

	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/gen/ordersdb"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/page"
)

// change is the transition of an order to its current version.
type change struct {
	order        *Order
	from, reason *string
	caller       auth.Caller
}

// record adds changes to the history.
func record(ctx context.Context, conn database.Conn, changes []change, now time.Time) error {
	rows := database.NewInserter("InsertOrderEvents", "INSERT INTO order_events", "order_id", "version", "from_status", "to_status", "caller", "caller_id", "caller_name", "reason", "created_at")
	for _, c := range changes {
		rows.Add(c.order.ID, c.order.Version, c.from, c.order.Status, c.caller.Name, callerID(c.caller), callerDisplayName(c.caller), c.reason, now)
	}
	if err := rows.Insert(ctx, database.Later(conn)); err != nil {
		return fmt.Errorf("record changes of orders: %w", err)
	}
	return nil
}

// callerID returns the id of the user or integrator, or nil if the caller is neither.
func callerID(c auth.Caller) *int64 {
	if c.ID == 0 {
		return nil
	}
	return &c.ID
}

// callerDisplayName returns the current name of the user or integrator, or nil if it is not known.
func callerDisplayName(c auth.Caller) *string {
	if c.DisplayName == "" {
		return nil
	}
	return &c.DisplayName
}

// history returns a page of the changes of an order, oldest first.
func (s *service) history(ctx context.Context, id int64, p api.ListOrderHistoryParams) (rows []ordersdb.ListOrderEventsRow, next *common.NextCursor, err error) {
	limit := page.Limit(p.Limit)
	after, err := page.After(historyList, p.Cursor)
	if err != nil {
		return nil, nil, err
	}
	err = s.db.ReadReplica(ctx, func(conn database.Conn) error {
		q := ordersdb.New(conn)
		if _, err := q.GetOrder(ctx, id); err != nil {
			return missingOrder(err, id)
		}
		rows, err = q.ListOrderEvents(ctx, ordersdb.ListOrderEventsParams{OrderID: id, AfterVersion: after, Limit: limit + 1})
		if err != nil {
			return fmt.Errorf("list changes of order: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	rows, next = page.Cut(rows, limit, historyList, func(r ordersdb.ListOrderEventsRow) page.Position { return page.Position{r.Version} })
	return rows, next, nil
}

// movements returns a page of the manual changes of a product's stock, newest first.
func (s *service) movements(ctx context.Context, product int64, p api.ListStockMovementsParams) (rows []ordersdb.ListStockAdjustmentsRow, next *common.NextCursor, err error) {
	limit := page.Limit(p.Limit)
	before, err := page.Before(movementList, p.Cursor)
	if err != nil {
		return nil, nil, err
	}
	err = s.db.ReadReplica(ctx, func(conn database.Conn) error {
		q := ordersdb.New(conn)
		if _, err := q.GetProduct(ctx, product); err != nil {
			return missingProduct(err, product)
		}
		rows, err = q.ListStockAdjustments(ctx, ordersdb.ListStockAdjustmentsParams{ProductID: product, BeforeID: before, Limit: limit + 1})
		if err != nil {
			return fmt.Errorf("list stock movements: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	rows, next = page.Cut(rows, limit, movementList, func(r ordersdb.ListStockAdjustmentsRow) page.Position { return page.Position{r.ID} })
	return rows, next, nil
}
