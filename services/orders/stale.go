package orders

import (
	"context"
	"fmt"
	"time"

	"github.com/pedidos-hq/pedidos/gen/ordersdb"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

// staleBatch is how many orders one transaction cancels: their products stay locked until its end.
const staleBatch = 20

// CancelStale cancels the orders that were placed longer than age ago and are still not confirmed, gives their stock back
// and says how many they were. Any number of processes may do so at once: each takes orders that no other has locked, and
// an order that is being confirmed is left alone.
func CancelStale(ctx context.Context, db *database.DB, age time.Duration, clock func() time.Time) (int64, error) {
	now := database.Now(clock)
	reason := fmt.Sprintf("not confirmed within %s", age)
	return db.Batches(ctx, staleBatch, func(conn database.Conn) (int, error) {
		q := ordersdb.New(conn)
		at := now()
		rows, err := q.LockStaleOrders(ctx, ordersdb.LockStaleOrdersParams{CreatedBefore: at.Add(-age), Limit: staleBatch})
		if err != nil {
			return 0, fmt.Errorf("lock stale orders: %w", err)
		}
		found, err := withLines(ctx, q, rows)
		if err != nil {
			return 0, err
		}
		stale := make([]*Order, len(found))
		for i := range found {
			stale[i] = &found[i]
		}
		return len(stale), cancelAll(ctx, db, conn, "sweeper", stale, &reason, at)
	})
}
