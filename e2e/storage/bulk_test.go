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
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/sample"
)

// TestSnapshot checks that all queries of a snapshot see the same state despite writes in between.
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

// TestSeedAndAuditDuringOrders runs a bulk seed and audits while orders are placed. The seed must not fail, and the audits must
// find no inconsistency.
func TestSeedAndAuditDuringOrders(t *testing.T) {
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
				err := db.Tx(t.Context(), func(c database.Conn) error { return place(t.Context(), db, c, id) })
				if err != nil {
					t.Error(err)
					return
				}
				placed.Add(1)
				time.Sleep(5 * time.Millisecond) // leave time for the seed and the audits
			}
		})
	}
	audit := func() {
		if _, err := orders.Audit(t.Context(), db, func(sentence string) { t.Error(sentence) }); err != nil {
			t.Error(err)
		}
	}
	size := sample.Size{Customers: 100, Products: 50, Orders: 1_200}
	if err := sample.Generate(t.Context(), db, size, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), 1, func(string, int, int) { audit() }); err != nil {
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
		t.Error("no order was placed during the seed")
	}
}

// place creates an order of one unit with the same statements as the service.
func place(ctx context.Context, db *database.DB, conn database.Conn, product int64) error {
	q := ordersdb.New(conn)
	if _, err := q.LockProduct(ctx, product); err != nil {
		return err
	}
	rows := orderRows()
	rows.Add(1, "c", "c@example.com", "", "CREATED", 100, 1, start)
	ids, err := rows.InsertWithIDs(ctx, db, conn)
	if err != nil {
		return err
	}
	rows = database.NewInserter("InsertOrderLines", "INSERT INTO order_lines", "order_id", "product_id", "qty", "unit_price_cents", "subtotal_cents")
	rows.Add(ids[0], product, 1, 100, 100)
	if err := rows.Insert(ctx, conn); err != nil {
		return err
	}
	rows = eventRows()
	rows.Add(ids[0], 1, "CREATED", start)
	if err := rows.Insert(ctx, conn); err != nil {
		return err
	}
	return q.TakeStock(ctx, ordersdb.TakeStockParams{OrderIds: ids, ProductIds: []int64{product}, Now: start})
}

func eventRows() *database.Inserter {
	return database.NewInserter("InsertOrderEvents", "INSERT INTO order_events", "order_id", "version", "to_status", "created_at")
}

// TestInserter checks that InsertWithIDs returns the IDs of the rows in their order on both engines, even with so many rows that it
// needs several statements.
func TestInserter(t *testing.T) {
	t.Parallel()
	db := engine.Open(t)
	order(t, db, 1, start)
	const n = 1100
	insert := func(rows *database.Inserter) (ids []int64, err error) {
		err = db.Tx(t.Context(), func(conn database.Conn) (err error) {
			ids, err = rows.InsertWithIDs(t.Context(), db, conn)
			return err
		})
		return ids, err
	}
	many := orderRows()
	for i := range n {
		many.Add(i, "c", "c@example.com", "", "CREATED", 1, 1, start)
	}
	ids, err := insert(many)
	if err != nil || len(ids) != n {
		t.Fatalf("%d ids, %v", len(ids), err)
	}
	err = db.Read(t.Context(), func(conn database.Conn) error {
		for i, id := range ids {
			o, err := ordersdb.New(conn).GetOrder(t.Context(), id)
			if err != nil || o.CustomerID != int64(i) {
				t.Fatalf("row %d has the ID %d, but that row has the customer %d, %v", i, id, o.CustomerID, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if ids, err := insert(orderRows()); err != nil || len(ids) != 0 {
		t.Errorf("no rows: %v, %v", ids, err)
	}
	short := eventRows()
	short.Add(1, 2, 3)
	if _, err := insert(short); err == nil || !strings.Contains(err.Error(), "do not make rows") {
		t.Errorf("a row without a value: %v", err)
	}
	twice := eventRows()
	twice.Add(ids[0], 1, "CREATED", start)
	twice.Add(ids[0], 1, "CREATED", start)
	if _, err := insert(twice); !errors.Is(err, database.ErrDuplicate) {
		t.Errorf("a row twice: %v, want a duplicate", err)
	}
}

// TestLater checks that the statements of Later take effect in their order, with the transaction or not at all.
func TestLater(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]func(*database.DB) func(context.Context, func(database.Conn) error) error{
		"shared": func(db *database.DB) func(context.Context, func(database.Conn) error) error { return db.Shared.Tx },
		"single": func(db *database.DB) func(context.Context, func(database.Conn) error) error { return db.Tx },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := engine.Open(t)
			id := order(t, db, 1, start)
			events := func(versions ...int) error {
				return in(db)(t.Context(), func(conn database.Conn) error {
					later := database.Later(conn)
					if err := ordersdb.New(later).ConfirmOrders(t.Context(), ordersdb.ConfirmOrdersParams{Now: &start, Ids: []int64{id}}); err != nil {
						return err
					}
					for _, version := range versions {
						row := eventRows()
						row.Add(id, version, "CREATED", start)
						if err := row.Insert(t.Context(), later); err != nil {
							return err
						}
					}
					return nil
				})
			}
			if err := events(1, 2, 1); !errors.Is(err, database.ErrDuplicate) {
				t.Errorf("the third statement repeats the key of the first: %v", err)
			}
			if err := events(1, 2); err != nil {
				t.Error(err)
			}
			err := db.Read(t.Context(), func(conn database.Conn) error {
				o, err := ordersdb.New(conn).GetOrder(t.Context(), id)
				if err != nil || o.Version != 2 {
					t.Errorf("the order has version %d, %v, want 2: it was confirmed once", o.Version, err)
				}
				rows, err := ordersdb.New(conn).ListOrderEvents(t.Context(), ordersdb.ListOrderEventsParams{OrderID: id, Limit: 10})
				if err != nil || len(rows) != 2 {
					t.Errorf("%d events, %v, want 2", len(rows), err)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}
