package orders

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pedidos-hq/pedidos/gen/ordersdb"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

// staleBatch bounds the orders that a transaction cancels, because it locks their products until its end.
const staleBatch = 20

// CancelStale cancels the orders that were placed longer than age ago and are not confirmed, returns their units to the stock, and
// returns the number of canceled orders. Several processes may call it at the same time: it skips orders that are locked, by
// another process or by a confirmation. It leaves orders of products that are locked for long to the next call.
func CancelStale(ctx context.Context, db *database.DB, age time.Duration, clock func() time.Time) (int64, error) {
	s := staleSweep{db: db, now: database.Now(clock), age: age, reason: fmt.Sprintf("not confirmed within %s", age)}
	s.after.CreatedAt = time.Unix(0, 0)
	for {
		n, err := db.Batches(ctx, func(conn database.Conn) (n int, more bool, err error) {
			n, err = s.batch(ctx, conn)
			return n, false, err
		})
		s.canceled += n
		switch {
		case err == nil && !s.more:
			return s.canceled, nil
		case err == nil: // committed
			s.after = s.last
		case s.skipLocked || !errors.Is(err, database.ErrLockTimeout):
			return s.canceled, err
		default:
			s.skipLocked = true
		}
	}
}

// staleSweep walks the stale orders, oldest first.
type staleSweep struct {
	db     *database.DB
	now    func() time.Time
	age    time.Duration
	reason string

	after      ordersdb.Order // the last order of the previous batch
	last       ordersdb.Order // the last order of this batch
	more       bool           // there may be orders after last
	skipLocked bool           // skip orders with locked products
	canceled   int64
}

// batch cancels the next orders and returns their number. It may run again for the same orders.
func (s *staleSweep) batch(ctx context.Context, conn database.Conn) (canceled int, err error) {
	q := ordersdb.New(conn)
	at := s.now()
	rows, err := q.LockStaleOrders(ctx, ordersdb.LockStaleOrdersParams{
		CreatedBefore: at.Add(-s.age), AfterTime: s.after.CreatedAt, AfterID: s.after.ID, Limit: staleBatch,
	})
	if err != nil {
		return 0, err
	}
	if s.more = len(rows) == staleBatch; len(rows) == 0 {
		return 0, nil
	}
	found, err := withLines(ctx, q, rows)
	if err != nil {
		return 0, err
	}
	stale := make([]*Order, len(found))
	for i := range found {
		stale[i] = &found[i]
	}
	if s.skipLocked {
		if stale, err = unheld(ctx, q, stale); err != nil {
			return 0, err
		}
	}
	if err := cancelAll(ctx, conn, auth.Caller{Name: "sweeper"}, stale, &s.reason, at); err != nil {
		return 0, err
	}
	s.last = rows[len(rows)-1]
	return len(stale), nil
}

// unheld locks the products that are free, and returns the orders that have only these.
func unheld(ctx context.Context, q *ordersdb.Queries, orders []*Order) ([]*Order, error) {
	_, products := contents(orders)
	free, err := q.FreeProducts(ctx, products)
	if err != nil {
		return nil, fmt.Errorf("lock free products: %w", err)
	}
	return slices.DeleteFunc(orders, func(o *Order) bool {
		return slices.ContainsFunc(o.Lines, func(l ordersdb.OrderLine) bool { return !slices.Contains(free, l.ProductID) })
	}), nil
}
