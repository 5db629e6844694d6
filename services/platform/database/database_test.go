package database_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"modernc.org/sqlite"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/customersdb"
	"github.com/pedidos-hq/pedidos/gen/ordersdb"
	"github.com/pedidos-hq/pedidos/services/internal/apitest"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/search"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func open(t *testing.T, file string) *database.DB {
	t.Helper()
	return apitest.OpenDB(t, file, database.Options{})
}

// migrated returns a new database with the current schema.
func migrated(t *testing.T) (db *database.DB, file string) {
	t.Helper()
	return apitest.NewDB(t)
}

func product(sku string, stock int64) ordersdb.InsertProductParams {
	return ordersdb.InsertProductParams{
		SKU: sku, Name: "A " + sku, SearchText: search.Fold(sku, "A "+sku), Stock: stock, CreatedAt: start, UpdatedAt: start,
	}
}

func addProduct(t *testing.T, db *database.DB, p ordersdb.InsertProductParams) (id int64) {
	t.Helper()
	err := db.Tx(t.Context(), func(conn database.Conn) (err error) {
		id, err = ordersdb.New(conn).InsertProduct(t.Context(), p)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func insertOrder(ctx context.Context, db *database.DB, conn database.Conn, customer int64, at time.Time) (id int64, err error) {
	rows := database.NewInserter("InsertOrders", "INSERT INTO orders", "customer_id", "customer_name", "customer_email", "search_text",
		"status", "total_cents", "version", "created_at")
	rows.Add(customer, "", "", "", "CREATED", 0, 1, at)
	ids, err := rows.InsertWithIDs(ctx, db, conn)
	if err != nil {
		return 0, err
	}
	return ids[0], nil
}

// skus returns the SKUs of the committed products.
func skus(t *testing.T, db *database.DB) (found []string) {
	t.Helper()
	err := db.Read(t.Context(), func(conn database.Conn) error {
		rows, err := ordersdb.New(conn).ListProducts(t.Context(), ordersdb.ListProductsParams{StockBelow: math.MaxInt64, UntilID: math.MaxInt64, Pattern: "%", Limit: 100})
		for _, row := range rows {
			found = append(found, row.SKU)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestTypedErrors(t *testing.T) {
	t.Parallel()
	db, _ := migrated(t)
	id := addProduct(t, db, product("DRILL", 5))
	ctx := t.Context()
	for _, test := range []struct {
		name      string
		statement func(database.Conn) error
		want      error
	}{
		{"duplicate SKU", func(conn database.Conn) error {
			_, err := ordersdb.New(conn).InsertProduct(ctx, product("DRILL", 1))
			return err
		}, database.ErrDuplicate},
		{"duplicate primary key", func(conn database.Conn) error {
			_, err := conn.ExecContext(ctx, "INSERT INTO order_events (order_id, version, to_status, created_at) VALUES (1, 1, '', ?), (1, 1, '', ?)", start, start)
			return err
		}, database.ErrDuplicate},
		{"adjustment without a product", func(conn database.Conn) error {
			return ordersdb.New(conn).InsertStockAdjustment(ctx, ordersdb.InsertStockAdjustmentParams{ProductID: id + 1, CreatedAt: start})
		}, database.ErrMissingParent},
		{"line without an order", func(conn database.Conn) error {
			_, err := conn.ExecContext(ctx, "INSERT INTO order_lines (order_id, product_id, qty, unit_price_cents, subtotal_cents) VALUES (1, ?, 1, 0, 0)", id)
			return err
		}, database.ErrMissingParent},
		{"negative stock", func(conn database.Conn) error {
			return ordersdb.New(conn).UpdateProduct(ctx, ordersdb.UpdateProductParams{Stock: -1, UpdatedAt: start, ID: id})
		}, database.ErrCheck},
		{"missing row", func(conn database.Conn) error {
			_, err := ordersdb.New(conn).GetProduct(ctx, id+1)
			return err
		}, database.ErrNotFound},
	} {
		err := db.Tx(ctx, test.statement)
		for _, known := range []error{database.ErrDuplicate, database.ErrMissingParent, database.ErrCheck, database.ErrNotFound, database.ErrLockTimeout} {
			if errors.Is(err, known) != errors.Is(known, test.want) {
				t.Errorf("%s: %v, want only %v", test.name, err, test.want)
			}
		}
		if cause := (*sqlite.Error)(nil); !errors.Is(test.want, database.ErrNotFound) && !errors.As(err, &cause) {
			t.Errorf("%s: %v does not wrap the error of the driver", test.name, err)
		}
	}
}

func TestFaultErrorIsUnchanged(t *testing.T) {
	t.Parallel()
	db, file := migrated(t)
	own := fault.New(common.CodeRequestInProgress, "The key is in use.")
	err := db.Tx(t.Context(), func(database.Conn) error { // the cause alone would make Tx retry
		if own.Cause != nil {
			t.Error("Tx retries after a fault.Error")
		}
		own.Cause = busy(t, file)
		return own
	})
	if fault.From(err) != own || err.Error() != own.Error() {
		t.Errorf("Tx = %v, want %v", err, own)
	}
	err = db.Read(t.Context(), func(database.Conn) error { return own })
	if fault.From(err) != own || err.Error() != own.Error() {
		t.Errorf("Read = %v, want %v", err, own)
	}
	if err := db.Classify(nil); err != nil {
		t.Errorf("Classify(nil) = %v", err)
	}
}

func TestTxIsAllOrNothing(t *testing.T) {
	t.Parallel()
	stop := errors.New("stop")
	for _, test := range []struct {
		name  string
		after func(cancel context.CancelFunc) error // the insert
		want  error
	}{
		{"committed", func(context.CancelFunc) error { return nil }, nil},
		{"failed", func(context.CancelFunc) error { return stop }, stop},
		{"canceled", func(cancel context.CancelFunc) error { cancel(); return nil }, context.Canceled},
	} {
		db, _ := migrated(t)
		ctx, cancel := context.WithCancel(t.Context())
		err := db.Tx(ctx, func(conn database.Conn) error {
			if _, err := ordersdb.New(conn).InsertProduct(ctx, product("DRILL", 5)); err != nil {
				return err
			}
			return test.after(cancel)
		})
		cancel()
		if !errors.Is(err, test.want) {
			t.Errorf("%s: Tx = %v, want %v", test.name, err, test.want)
		}
		if n := len(skus(t, db)); (n == 1) != (test.want == nil) {
			t.Errorf("%s: %d rows", test.name, n)
		}
	}
}

// TestTxSurvivesACancel ends transactions at any step, also during BEGIN. None may stay open on its connection.
func TestTxSurvivesACancel(t *testing.T) {
	t.Parallel()
	db, _ := migrated(t)
	add := func(ctx context.Context, sku string) error {
		return db.Tx(ctx, func(conn database.Conn) error {
			_, err := ordersdb.New(conn).InsertProduct(ctx, product(sku, 1))
			return err
		})
	}
	for i := range 1000 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%60)*time.Microsecond)
		_ = add(ctx, fmt.Sprint("canceled-", i))
		cancel()
		if err := add(t.Context(), fmt.Sprint("added-", i)); err != nil {
			t.Fatalf("after %d transactions that were canceled: %v", i+1, err)
		}
	}
}

func TestTxSurvivesAPanic(t *testing.T) {
	t.Parallel()
	db, _ := migrated(t)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("Tx swallowed the panic")
			}
		}()
		_ = db.Tx(t.Context(), func(conn database.Conn) error {
			if _, err := ordersdb.New(conn).InsertProduct(t.Context(), product("LOST", 1)); err != nil {
				t.Error(err)
			}
			panic("bug")
		})
	}()
	addProduct(t, db, product("DRILL", 1)) // would hang if the connection had leaked
	if got := skus(t, db); !slices.Equal(got, []string{"DRILL"}) {
		t.Errorf("products %q, want only DRILL", got)
	}
}

// busy returns the engine's error for a second writer.
func busy(t *testing.T, file string) error {
	t.Helper()
	raw, err := sql.Open("sqlite", "file:"+file+"?_txlock=immediate&_pragma=busy_timeout(0)")
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if tx, err := raw.BeginTx(t.Context(), nil); err != nil {
		return err
	} else if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	t.Fatal("two writers run at once")
	return nil
}

func TestTxRetriesWhenTheDatabaseIsBusy(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		failures int
		tries    int
		ok       bool
	}{
		{"once", 1, 2, true},
		{"up to the last try", 5, 6, true},
		{"always", 100, 6, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			db, file := migrated(t)
			tries := 0
			err := db.Tx(t.Context(), func(conn database.Conn) error {
				tries++
				if _, err := ordersdb.New(conn).InsertProduct(t.Context(), product("DRILL", int64(tries))); err != nil {
					return err
				}
				if tries <= test.failures {
					return busy(t, file)
				}
				return nil
			})
			if tries != test.tries || (err == nil) != test.ok {
				t.Errorf("%d tries, %v, want %d", tries, err, test.tries)
			}
			if e := fault.From(err); !test.ok && e.Code != common.CodeUnavailable {
				t.Errorf("error %v, want CodeUnavailable", err)
			}
			if n := len(skus(t, db)); (n == 1) != test.ok {
				t.Errorf("%d rows, want those of the successful attempt only", n)
			}
		})
	}
	t.Run("not after the caller cancels", func(t *testing.T) {
		t.Parallel()
		db, file := migrated(t)
		ctx, cancel := context.WithCancel(t.Context())
		tries := 0
		err := db.Tx(ctx, func(database.Conn) error {
			tries++
			err := busy(t, file)
			cancel()
			return err
		})
		if tries != 1 || !errors.Is(err, context.Canceled) {
			t.Errorf("%d tries, %v, want one and context.Canceled", tries, err)
		}
	})
}

func TestConcurrentWritersLoseNothing(t *testing.T) {
	t.Parallel()
	const writers, each = 16, 20
	first, file := migrated(t)
	pools := []*database.DB{first, open(t, file)} // like two processes
	id := addProduct(t, first, product("DRILL", 0))
	var group sync.WaitGroup
	for i := range writers {
		group.Go(func() {
			for range each {
				err := pools[i%len(pools)].Tx(t.Context(), func(conn database.Conn) error {
					q := ordersdb.New(conn)
					p, err := q.LockProduct(t.Context(), id)
					if err != nil {
						return err
					}
					return q.UpdateProduct(t.Context(), ordersdb.UpdateProductParams{Name: p.Name, Stock: p.Stock + 1, UpdatedAt: start, ID: id})
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if got := stock(t, first, id); got != writers*each {
		t.Errorf("stock %d, want %d", got, writers*each)
	}
}

func TestReadersDoNotWaitForAWriter(t *testing.T) {
	t.Parallel()
	db, _ := migrated(t)
	id := addProduct(t, db, product("DRILL", 5))
	err := db.Tx(t.Context(), func(conn database.Conn) error {
		if err := ordersdb.New(conn).UpdateProduct(t.Context(), ordersdb.UpdateProductParams{Stock: 2, UpdatedAt: start, ID: id}); err != nil {
			return err
		}
		var group sync.WaitGroup
		for range 16 {
			group.Go(func() {
				if got := stock(t, db, id); got != 5 {
					t.Errorf("a reader sees a stock of %d, want the committed 5", got)
				}
			})
		}
		group.Wait()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := stock(t, db, id); got != 2 {
		t.Errorf("after the commit the stock is %d, want 2", got)
	}
}

func stock(t *testing.T, db *database.DB, id int64) (n int64) {
	t.Helper()
	err := db.Read(t.Context(), func(conn database.Conn) error {
		p, err := ordersdb.New(conn).GetProduct(t.Context(), id)
		n = p.Stock
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return n
}

func TestLockingQueriesRun(t *testing.T) {
	t.Parallel()
	db, _ := migrated(t)
	ctx := t.Context()
	err := db.Tx(ctx, func(conn database.Conn) error {
		customers, orders := customersdb.New(conn), ordersdb.New(conn)
		customerID, err := customers.InsertCustomer(ctx, customersdb.InsertCustomerParams{Name: "ACME", Email: "a@acme.example", CreatedAt: start, UpdatedAt: start})
		if err != nil {
			return err
		}
		if c, err := customers.LockCustomer(ctx, customerID); err != nil || c.Name != "ACME" {
			t.Errorf("LockCustomer = %+v, %v", c, err)
		}
		var ids []int64
		for _, sku := range []string{"B", "A"} {
			id, err := orders.InsertProduct(ctx, product(sku, 1))
			if err != nil {
				return err
			}
			ids = append(ids, id)
		}
		if p, err := orders.LockProduct(ctx, ids[0]); err != nil || p.SKU != "B" {
			t.Errorf("LockProduct = %+v, %v", p, err)
		}
		if rows, err := orders.LockProductsForOrder(ctx, []int64{ids[1], ids[0], 99}); err != nil || len(rows) != 2 || rows[0].ID != ids[0] {
			t.Errorf("LockProductsForOrder = %+v, %v, want both, ordered by id", rows, err)
		}
		if rows, err := orders.LockProductsForOrder(ctx, nil); err != nil || len(rows) != 0 {
			t.Errorf("LockProductsForOrder of none = %+v, %v", rows, err)
		}
		orderID, err := insertOrder(ctx, db, conn, customerID, start)
		if err != nil {
			return err
		}
		if o, err := orders.LockOrders(ctx, []int64{orderID, 99}); err != nil || len(o) != 1 || o[0].Status != "CREATED" {
			t.Errorf("LockOrders = %+v, %v, want the existing one", o, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	db, _ := migrated(t)
	ctx := t.Context()
	montevideo := time.FixedZone("UYT", -3*60*60)
	ordered := []time.Time{
		time.Date(999, 12, 31, 23, 59, 59, 0, time.UTC),
		start.Add(-time.Microsecond),
		start, // a whole second
		start.Add(time.Microsecond),
		start.Add(100 * time.Millisecond),
		start.Add(123456 * time.Microsecond).In(montevideo),
		start.Add(time.Second - time.Microsecond),
		start.Add(time.Second).In(montevideo),
		start.Add(10 * time.Second),
		start.Add(24 * time.Hour).In(montevideo),
		time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
	}
	for _, i := range []int{3, 0, 10, 7, 5, 1, 9, 2, 8, 4, 6} {
		at := ordered[i]
		err := db.Tx(ctx, func(conn database.Conn) error {
			q := ordersdb.New(conn)
			id, err := insertOrder(ctx, db, conn, int64(i), at)
			if err != nil {
				return err
			}
			return q.ConfirmOrders(ctx, ordersdb.ConfirmOrdersParams{Now: &at, Ids: []int64{id}})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	err := db.Read(ctx, func(conn database.Conn) error {
		q := ordersdb.New(conn)
		rows, err := q.ListOrders(ctx, ordersdb.ListOrdersParams{BeforeTime: ordered[10], BeforeID: 100, Limit: 100})
		if err != nil {
			return err
		}
		if len(rows) != len(ordered) {
			t.Fatalf("%d orders, want %d", len(rows), len(ordered))
		}
		slices.Reverse(rows) // the list is newest first
		for i, row := range rows {
			if !row.CreatedAt.Equal(ordered[i]) || row.CreatedAt.Location() != time.UTC {
				t.Errorf("place %d: created at %s, want %s in UTC", i, row.CreatedAt, ordered[i].UTC())
			}
			if row.ConfirmedAt == nil || !row.ConfirmedAt.Equal(ordered[i]) || row.ConfirmedAt.Location() != time.UTC || row.CanceledAt != nil {
				t.Errorf("place %d: confirmed at %v, canceled at %v, want only confirmed at %s", i, row.ConfirmedAt, row.CanceledAt, ordered[i].UTC())
			}
		}
		// The lower bound is inclusive, in any time zone.
		from, err := q.ListOrders(ctx, ordersdb.ListOrdersParams{CreatedFrom: start.In(montevideo), BeforeTime: ordered[7], BeforeID: 100, Limit: 100})
		if err != nil || len(from) != 6 || !from[5].CreatedAt.Equal(start) {
			t.Errorf("%d orders from %s, %v, want 6 from there", len(from), start, err)
		}
		var text string
		if err := conn.QueryRowContext(ctx, "SELECT CAST(created_at AS TEXT) FROM orders WHERE customer_id = 2").Scan(&text); err != nil {
			return err
		}
		if want := "2026-03-01 12:00:00.000000"; text != want {
			t.Errorf("stored as %q, want %q", text, want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestNow(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 9, 0, 0, 123_456_789, time.FixedZone("UYT", -3*60*60))
	now := database.Now(func() time.Time { return at })()
	if want := start.Add(123456 * time.Microsecond); !now.Equal(want) || now.Location() != time.UTC {
		t.Errorf("Now = %s, want %s", now, want)
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	db, _ := migrated(t)
	for _, sku := range []string{"ÑANDÚ-1", "50%-OFF", "A_B", "AXB", `A\B`, "HEY!"} {
		addProduct(t, db, product(sku, 1))
	}
	for _, test := range []struct {
		text string
		want []string
	}{
		{"ñandú", []string{"ÑANDÚ-1"}},
		{"NANDU", []string{"ÑANDÚ-1"}},
		{"0%", []string{"50%-OFF"}},
		{"%", []string{"50%-OFF"}},
		{"a_b", []string{"A_B"}},
		{`a\b`, []string{`A\B`}},
		{"!", []string{"HEY!"}},
		{"a_b\na", []string{"A_B"}}, // across SKU and name, which a line feed separates
		{"nothing", nil},
	} {
		var got []string
		err := db.Read(t.Context(), func(conn database.Conn) error {
			rows, err := ordersdb.New(conn).ListProducts(t.Context(), ordersdb.ListProductsParams{StockBelow: math.MaxInt64, UntilID: math.MaxInt64, Pattern: search.Pattern(&test.text), Limit: 10})
			for _, row := range rows {
				got = append(got, row.SKU)
			}
			return err
		})
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("search %q: %q, %v, want %q", test.text, got, err, test.want)
		}
	}
}

func TestReadChangesNothing(t *testing.T) {
	t.Parallel()
	db, _ := migrated(t)
	err := db.Read(t.Context(), func(conn database.Conn) error {
		_, err := ordersdb.New(conn).InsertProduct(t.Context(), product("DRILL", 1))
		return err
	})
	if err == nil || len(skus(t, db)) != 0 {
		t.Errorf("a Read inserted a product: %v", err)
	}
}

func TestReadOnlyDatabaseIsUnavailable(t *testing.T) {
	t.Parallel()
	db, _ := migrated(t)
	err := db.Tx(t.Context(), func(conn database.Conn) error {
		if _, err := conn.ExecContext(t.Context(), "PRAGMA max_page_count = 1"); err != nil { // SQLite raises this to the current number of pages
			return err
		}
		p := product("DRILL", 1)
		p.Name = string(make([]byte, 1<<20))
		_, err := ordersdb.New(conn).InsertProduct(t.Context(), p)
		return err
	})
	if e := fault.From(err); e.Code != common.CodeUnavailable {
		t.Errorf("full disk: %v, want CodeUnavailable", err)
	}
}

func TestQueryEndsWithContext(t *testing.T) {
	t.Parallel()
	db, _ := migrated(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	err := db.Read(ctx, func(conn database.Conn) error {
		var n int
		return conn.QueryRowContext(ctx, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n").Scan(&n)
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("endless query: %v, want context.DeadlineExceeded", err)
	}
}
