package orders

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	api "github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/gen/ordersdb"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

// staleBatch bounds the orders that a transaction cancels, because it locks their products until its end.
const staleBatch = 20

// CancelStale cancels the orders that were placed longer than age ago and are not confirmed, returns their units to the stock, and
// returns the number of canceled orders. Several processes may call it at the same time. It leaves orders that are locked, and orders
// of products that are locked for long, to the next call.
func CancelStale(ctx context.Context, db *database.DB, age time.Duration, clock func() time.Time) (canceled int64, err error) {
	s := staleSweep{db: db, now: database.Now(clock), reason: fmt.Sprintf("not confirmed within %s", age)}
	s.before = s.now().Add(-age)
	after := ordersdb.StaleOrdersRow{CreatedAt: time.Unix(0, 0)}
	for {
		found, err := s.find(ctx, after)
		if err != nil || len(found) == 0 {
			return canceled, err
		}
		n, err := s.cancel(ctx, found)
		if errors.Is(err, database.ErrLockTimeout) && !s.skipLocked {
			s.skipLocked = true
			n, err = s.cancel(ctx, found)
		}
		canceled += n
		if err != nil || len(found) < staleBatch {
			return canceled, err
		}
		after = found[len(found)-1]
	}
}

// staleSweep walks the stale orders, oldest first.
type staleSweep struct {
	db         *database.DB
	now        func() time.Time
	before     time.Time // orders placed before are stale, unless they are confirmed
	reason     string
	skipLocked bool // skip orders with locked products
}

// find returns the next stale orders. It locks none of them, so another process may confirm or cancel them meanwhile. It
// runs as a batch, because an overloaded service must not refuse a sweep.
func (s *staleSweep) find(ctx context.Context, after ordersdb.StaleOrdersRow) (found []ordersdb.StaleOrdersRow, err error) {
	_, err = s.db.Batches(ctx, func(conn database.Conn) (_ int, more bool, err error) {
		found, err = ordersdb.New(conn).StaleOrders(ctx, ordersdb.StaleOrdersParams{
			CreatedBefore: s.before, AfterTime: after.CreatedAt, AfterID: after.ID, Limit: staleBatch,
		})
		return 0, false, err
	})
	if err != nil {
		return nil, fmt.Errorf("find stale orders: %w", err)
	}
	return found, nil
}

// cancel cancels the orders that are still stale once they are locked, and returns their number.
func (s *staleSweep) cancel(ctx context.Context, found []ordersdb.StaleOrdersRow) (int64, error) {
	at := s.now()
	ids := make([]int64, len(found))
	for i, row := range found {
		ids[i] = row.ID
	}
	return s.db.Batches(ctx, func(conn database.Conn) (canceled int, more bool, err error) {
		free, err := s.db.Free(ctx, conn, ids, lockFreeOrders) // saves the wait for the others
		if err != nil || len(free) == 0 {
			return 0, false, err
		}
		locked, err := lockOrders(ctx, conn, unique(free))
		if err != nil {
			return 0, false, err
		}
		var stale []*Order
		for _, row := range found {
			if o := locked[row.ID]; o != nil && o.Status == string(api.StatusCreated) {
				stale = append(stale, o)
			}
		}
		if s.skipLocked {
			if stale, err = s.unheld(ctx, conn, stale); err != nil {
				return 0, false, err
			}
		}
		return len(stale), false, cancelAll(ctx, conn, auth.Caller{Name: "sweeper"}, stale, &s.reason, at)
	})
}

// unheld returns the orders without a locked product.
func (s *staleSweep) unheld(ctx context.Context, conn database.Conn, orders []*Order) ([]*Order, error) {
	_, products := contents(orders)
	free, err := s.db.Free(ctx, conn, products, lockFreeProducts)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(orders, func(o *Order) bool {
		return slices.ContainsFunc(o.Lines, func(l ordersdb.OrderLine) bool { return !slices.Contains(free, l.ProductID) })
	}), nil
}
