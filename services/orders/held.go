package orders

import (
	"context"

	"github.com/pedidos-hq/pedidos/gen/ordersdb"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

// lockFreeProducts is a database.Lock.
func lockFreeProducts(ctx context.Context, conn database.Conn, ids []int64) ([]int64, error) {
	return ordersdb.New(conn).LockFreeProducts(ctx, ids)
}

// lockFreeOrders is a database.Lock.
func lockFreeOrders(ctx context.Context, conn database.Conn, ids []int64) ([]int64, error) {
	return ordersdb.New(conn).LockFreeOrders(ctx, ids)
}

func (p *purchase) products() []int64 {
	ids := make([]int64, len(p.lines))
	for i, l := range p.lines {
		ids[i] = l.product
	}
	return ids
}

func (c *confirmation) orders() []int64 { return []int64{c.id} }

// withStockOf runs work that locks an order and changes the stock of its products. If another transaction holds one of these
// rows for long, the work waits for a probe of the row.
func (s *service) withStockOf(ctx context.Context, order int64, work func(context.Context) error) error {
	id := func(context.Context) ([]int64, error) { return []int64{order}, nil }
	return s.heldOrders.Do(ctx, id, func(ctx context.Context) error {
		return s.heldProducts.Do(ctx, func(ctx context.Context) (ids []int64, err error) {
			err = s.db.Read(ctx, func(conn database.Conn) error {
				ids = nil
				lines, err := ordersdb.New(conn).ListOrderLines(ctx, []int64{order})
				for _, l := range lines {
					ids = append(ids, l.ProductID)
				}
				return err
			})
			return ids, err
		}, work)
	})
}
