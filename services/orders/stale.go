package orders

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pedidos-hq/pedidos/gen/ordersdb"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

// staleBatch is how many orders one transaction cancels: their products stay locked until its end.
const staleBatch = 20

// CancelStale cancels the orders that were placed longer than age ago and are still not confirmed, gives their stock back
// and says how many they were. Any number of processes may do so at once: each takes orders that no other has locked, and
// an order that is being confirmed is left alone. Where somebody holds a product for long, its orders are left for the next
// time.
func CancelStale(ctx context.Context, db *database.DB, age time.Duration, clock func() time.Time) (int64, error) {
	s := staleSweep{db: db, now: database.Now(clock), age: age, reason: fmt.Sprintf("not confirmed within %s", age)}
	s.after.CreatedAt = time.Unix(0, 0)
	for {
		n, err := db.Batches(ctx, func(conn database.Conn) (int, bool, error) { return s.batch(ctx, conn) })
		s.canceled += n
		if s.passing || !errors.Is(err, database.ErrLockTimeout) {
			return s.canceled, err
		}
		s.passing = true
	}
}

// staleSweep walks over the stale orders, from the oldest on.
type staleSweep struct {
	db     *database.DB
	now    func() time.Time
	age    time.Duration
	reason string

	after    ordersdb.Order // the last order of the previous batch
	passing  bool           // whether orders are passed over whose products somebody has locked
	canceled int64
}

// batch cancels the next orders, and says how many and whether there may be more.
func (s *staleSweep) batch(ctx context.Context, conn database.Conn) (canceled int, more bool, err error) {
	q := ordersdb.New(conn)
	at := s.now()
	rows, err := q.LockStaleOrders(ctx, ordersdb.LockStaleOrdersParams{
		CreatedBefore: at.Add(-s.age), AfterTime: s.after.CreatedAt, AfterID: s.after.ID, Limit: staleBatch,
	})
	if err != nil || len(rows) == 0 {
		return 0, false, err
	}
	found, err := withLines(ctx, q, rows)
	if err != nil {
		return 0, false, err
	}
	stale := make([]*Order, len(found))
	for i := range found {
		stale[i] = &found[i]
	}
	if s.passing {
		if stale, err = unheld(ctx, q, stale); err != nil {
			return 0, false, err
		}
	}
	if err := cancelAll(ctx, s.db, conn, "sweeper", stale, &s.reason, at); err != nil {
		return 0, false, err
	}
	s.after = rows[len(rows)-1]
	return len(stale), len(rows) == staleBatch, nil
}

// unheld returns the orders whose products nobody else has locked, and locks these.
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
