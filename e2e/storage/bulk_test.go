package storage

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/engine"
	"github.com/pedidos-hq/pedidos/gen/ordersdb"
	"github.com/pedidos-hq/pedidos/services/orders"
	"github.com/pedidos-hq/pedidos/services/platform/bulk"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

// All queries of a snapshot see one state, whatever is written in between.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	db := engine.Open(t)
	id := product(t, db, "SEEN", 5)
	err := db.Snapshot(t.Context(), func(c database.Conn) error {
		for range 2 {
			row, err := ordersdb.New(c).GetProduct(t.Context(), id)
			if err != nil {
				return err
			}
			if row.Stock != 5 {
				t.Errorf("%d in stock, want 5", row.Stock)
			}
			write(t, db, func(ctx context.Context, q *ordersdb.Queries) error { return setStock(ctx, q, id, 7) })
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := stock(t, db, id); got != 7 {
		t.Errorf("%d in stock after the snapshot, want 7", got)
	}
}

// While orders are placed, a bulk seed and an audit neither break nor miss anything.
func TestSeedAndAuditBesideOrders(t *testing.T) {
	t.Parallel()
	db := engine.Open(t)
	id := product(t, db, "SOLD", 1_000_000)
	write(t, db, func(ctx context.Context, q *ordersdb.Queries) error {
		return q.InsertStockAdjustment(ctx, ordersdb.InsertStockAdjustmentParams{ProductID: id, Delta: 1_000_000, Caller: "test", CreatedAt: start})
	})

	var placed atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	var placing sync.WaitGroup
	for range 2 {
		placing.Go(func() {
			for ctx.Err() == nil {
				err := db.Tx(t.Context(), func(c database.Conn) error { return place(t.Context(), ordersdb.New(c), id) })
				if err != nil {
					t.Error(err)
					return
				}
				placed.Add(1)
				time.Sleep(5 * time.Millisecond) // as customers do; else little but this is done
			}
		})
	}
	audit := func() {
		if _, err := orders.Audit(t.Context(), db, func(sentence string) { t.Error(sentence) }); err != nil {
			t.Error(err)
		}
	}
	size := bulk.Size{Customers: 100, Products: 50, Orders: 1_200}
	if err := bulk.Seed(t.Context(), db, size, 1, func(string, int, int) { audit() }); err != nil {
		t.Error(err)
	}
	stop()
	placing.Wait()
	audit()

	err := db.Read(t.Context(), func(c database.Conn) error {
		bounds, err := ordersdb.New(c).AuditBounds(t.Context())
		if want := int64(size.Orders) + placed.Load(); err == nil && bounds.LastOrder < want {
			t.Errorf("the last order is %d, want %d or more", bounds.LastOrder, want)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if placed.Load() == 0 {
		t.Error("no order was placed meanwhile")
	}
}

// place orders one unit, as the service does.
func place(ctx context.Context, q *ordersdb.Queries, product int64) error {
	if _, err := q.LockProduct(ctx, product); err != nil {
		return err
	}
	id, err := q.InsertOrder(ctx, ordersdb.InsertOrderParams{
		CustomerID: 1, CustomerName: "c", CustomerEmail: "c@example.com", TotalCents: 100, CreatedAt: start,
	})
	if err != nil {
		return err
	}
	line := ordersdb.InsertOrderLineParams{OrderID: id, ProductID: product, Qty: 1, UnitPriceCents: 100, SubtotalCents: 100}
	if err := q.InsertOrderLine(ctx, line); err != nil {
		return err
	}
	placed := ordersdb.InsertOrderEventParams{OrderID: id, Version: 1, ToStatus: "CREATED", CreatedAt: start}
	if err := q.InsertOrderEvent(ctx, placed); err != nil {
		return err
	}
	return q.TakeStock(ctx, ordersdb.TakeStockParams{OrderIds: []int64{id}, ProductIds: []int64{product}, Now: start})
}

// Rows that are inserted together get the ids that they are told, on both engines, and in more than one statement too.
func TestInsert(t *testing.T) {
	t.Parallel()
	db := engine.Open(t)
	order(t, db, 1, start)
	const rows = 1100
	write := func(rows database.Conn, customer int) error {
		_, err := ordersdb.New(rows).InsertOrder(t.Context(), ordersdb.InsertOrderParams{CustomerID: int64(customer), CreatedAt: start})
		return err
	}
	var ids []int64
	err := db.Tx(t.Context(), func(conn database.Conn) (err error) {
		ids, err = db.Insert(t.Context(), conn, func(c database.Conn) error {
			for i := range rows {
				if err := write(c, i); err != nil {
					return err
				}
			}
			return nil
		})
		return err
	})
	if err != nil || len(ids) != rows {
		t.Fatalf("%d ids, %v", len(ids), err)
	}
	err = db.Read(t.Context(), func(conn database.Conn) error {
		for i, id := range ids {
			o, err := ordersdb.New(conn).GetOrder(t.Context(), id)
			if err != nil || o.CustomerID != int64(i) {
				t.Fatalf("row %d has the id %d, which is that of customer %d, %v", i, id, o.CustomerID, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		rows func(database.Conn) error
		want string // in the error
	}{
		{"none", func(database.Conn) error { return nil }, ""},
		{"rows of two tables", func(c database.Conn) error {
			return errors.Join(write(c, 1), ordersdb.New(c).InsertOrderEvent(t.Context(), ordersdb.InsertOrderEventParams{}))
		}, "one INSERT"},
		{"an UPDATE", func(c database.Conn) error {
			return ordersdb.New(c).ConfirmOrders(t.Context(), ordersdb.ConfirmOrdersParams{Now: &start, Ids: ids[:1]})
		}, "not an INSERT"},
		{"a query", func(c database.Conn) error {
			_, err := ordersdb.New(c).ListOrderLines(t.Context(), ids[:1])
			return err
		}, "one INSERT"},
		{"a duplicate", func(c database.Conn) error {
			event := ordersdb.InsertOrderEventParams{OrderID: ids[0], Version: 1, ToStatus: "CREATED", CreatedAt: start}
			return errors.Join(ordersdb.New(c).InsertOrderEvent(t.Context(), event), ordersdb.New(c).InsertOrderEvent(t.Context(), event))
		}, database.ErrDuplicate.Error()},
	} {
		err := db.Tx(t.Context(), func(conn database.Conn) error {
			_, err := db.Insert(t.Context(), conn, test.rows)
			return err
		})
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
}
