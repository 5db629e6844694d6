// Package storage checks that both engines behave as the services require, through the queries of the services.
package storage

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/engine"
	"github.com/pedidos-hq/pedidos/gen/customersdb"
	"github.com/pedidos-hq/pedidos/gen/ordersdb"
	ordersservice "github.com/pedidos-hq/pedidos/services/orders"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/idempotency"
	"github.com/pedidos-hq/pedidos/services/platform/search"
)

var start = time.Date(2026, 1, 15, 9, 30, 0, 123456000, time.UTC)

func write(t *testing.T, db *database.DB, statements func(context.Context, *ordersdb.Queries) error) {
	t.Helper()
	err := db.Tx(t.Context(), func(c database.Conn) error { return statements(t.Context(), ordersdb.New(c)) })
	if err != nil {
		t.Fatal(err)
	}
}

func product(t *testing.T, db *database.DB, sku string, stock int64) (id int64) {
	t.Helper()
	write(t, db, func(ctx context.Context, q *ordersdb.Queries) (err error) {
		id, err = q.InsertProduct(ctx, ordersdb.InsertProductParams{
			SKU: sku, Name: sku, SearchText: search.Fold(sku), PriceCents: 100, Stock: stock, CreatedAt: start, UpdatedAt: start,
		})
		return err
	})
	return id
}

// orderRows returns an Inserter for the table orders.
func orderRows() *database.Inserter {
	return database.NewInserter("InsertOrders", "INSERT INTO orders", "customer_id", "customer_name", "customer_email", "search_text",
		"status", "total_cents", "version", "created_at")
}

func order(t *testing.T, db *database.DB, customer int64, at time.Time) int64 {
	t.Helper()
	rows := orderRows()
	rows.Add(customer, "c", "c@example.com", "", "CREATED", 1, 1, at)
	var ids []int64
	err := db.Tx(t.Context(), func(conn database.Conn) (err error) {
		ids, err = rows.InsertWithIDs(t.Context(), db, conn)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids[0]
}

func setStock(ctx context.Context, q *ordersdb.Queries, id, stock int64) error {
	return q.UpdateProduct(ctx, ordersdb.UpdateProductParams{Stock: stock, UpdatedAt: start, ID: id})
}

func stock(t *testing.T, db *database.DB, id int64) int64 {
	t.Helper()
	var row ordersdb.Product
	err := db.Read(t.Context(), func(c database.Conn) (err error) {
		row, err = ordersdb.New(c).GetProduct(t.Context(), id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return row.Stock
}

// TestRefusals checks that both engines return the same typed error for a refused statement and roll back its transaction.
func TestRefusals(t *testing.T) {
	t.Parallel()
	db := engine.Open(t)
	p := product(t, db, "TAKEN", 5)
	for _, test := range []struct {
		name       string
		want       error
		statements func(context.Context, database.Conn, *ordersdb.Queries) error
	}{
		{"a SKU twice", database.ErrDuplicate, func(ctx context.Context, conn database.Conn, q *ordersdb.Queries) error {
			_, err := q.InsertProduct(ctx, ordersdb.InsertProductParams{SKU: "TAKEN", Name: "x", CreatedAt: start, UpdatedAt: start})
			return err
		}},
		{"a key twice", database.ErrDuplicate, func(ctx context.Context, conn database.Conn, q *ordersdb.Queries) error {
			entry := idempotency.Entry{Caller: "c", Key: "k", Fingerprint: make([]byte, 32), Body: []byte{}, CreatedAt: start, ExpiresAt: start}
			err := ordersservice.Keys().Claims([]idempotency.Entry{entry, entry}).Insert(ctx, conn)
			return err
		}},
		{"a line without an order", database.ErrMissingParent, func(ctx context.Context, conn database.Conn, q *ordersdb.Queries) error {
			rows := database.NewInserter("InsertOrderLines", "INSERT INTO order_lines", "order_id", "product_id", "qty", "unit_price_cents", "subtotal_cents")
			rows.Add(99, p, 1, 0, 0)
			err := rows.Insert(ctx, conn)
			return err
		}},
		{"an adjustment without a product", database.ErrMissingParent, func(ctx context.Context, conn database.Conn, q *ordersdb.Queries) error {
			return q.InsertStockAdjustment(ctx, ordersdb.InsertStockAdjustmentParams{ProductID: 99, Delta: 1, Caller: "c", CreatedAt: start})
		}},
		{"a negative stock", database.ErrCheck, func(ctx context.Context, conn database.Conn, q *ordersdb.Queries) error {
			return setStock(ctx, q, p, -1)
		}},
		{"a missing product", database.ErrNotFound, func(ctx context.Context, conn database.Conn, q *ordersdb.Queries) error {
			_, err := q.LockProduct(ctx, 99)
			return err
		}},
	} {
		err := db.Tx(t.Context(), func(c database.Conn) error {
			q := ordersdb.New(c)
			if err := setStock(t.Context(), q, p, 6); err != nil {
				return err
			}
			return test.statements(t.Context(), c, q)
		})
		if !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, err, test.want)
		}
	}
	if got := stock(t, db, p); got != 5 {
		t.Errorf("stock %d after refused transactions, want 5", got)
	}
}

// TestLockedReadsSerialise checks that concurrent transactions that read for update and then write lose no updates, in whatever
// order they name the rows.
func TestLockedReadsSerialise(t *testing.T) {
	t.Parallel()
	const workers, rounds = 16, 15
	db := engine.Open(t)
	ids := []int64{product(t, db, "A", 1000), product(t, db, "B", 1000), product(t, db, "C", 1000)}
	var all sync.WaitGroup
	errs := make(chan error, workers*rounds)
	for worker := range workers {
		all.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(worker)))
			for range rounds {
				wanted := slices.Clone(ids)
				random.Shuffle(len(wanted), func(i, j int) { wanted[i], wanted[j] = wanted[j], wanted[i] })
				errs <- db.Tx(t.Context(), func(c database.Conn) error {
					q := ordersdb.New(c)
					rows, err := q.LockProductsForOrder(t.Context(), wanted)
					if err != nil {
						return err
					}
					for _, row := range rows { // computed from the value that was read, so that a lost update shows
						err := q.UpdateProduct(t.Context(), ordersdb.UpdateProductParams{
							Name: "x", SearchText: "x", PriceCents: 1, Stock: row.Stock - 1, UpdatedAt: start, ID: row.ID,
						})
						if err != nil {
							return err
						}
					}
					return nil
				})
			}
		})
	}
	all.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range ids {
		if got := stock(t, db, id); got != 1000-workers*rounds {
			t.Errorf("product %d: stock %d, want %d", id, got, 1000-workers*rounds)
		}
	}
}

// TestClaimOnce claims one key many times at once. Exactly one claim must succeed, and its answer is the stored one.
func TestClaimOnce(t *testing.T) {
	t.Parallel()
	const claims = 16
	db, keys := engine.Open(t), ordersservice.Keys()
	var all sync.WaitGroup
	won := make(chan int, claims)
	for i := range claims {
		all.Go(func() {
			entry := idempotency.Entry{
				Caller: "c", Key: "k", Fingerprint: make([]byte, 32), Status: 201, Headers: "{}", Body: fmt.Append(nil, i),
				CreatedAt: start, ExpiresAt: start.Add(time.Hour),
			}
			err := db.Tx(t.Context(), func(c database.Conn) error {
				if err := keys.Claims([]idempotency.Entry{entry}).Insert(t.Context(), c); err != nil {
					return err
				}
				return keys.Answers([]idempotency.Entry{entry}).Insert(t.Context(), c)
			})
			switch {
			case err == nil:
				won <- i
			case !errors.Is(err, database.ErrDuplicate):
				t.Errorf("claim %d: got %v, want a duplicate", i, err)
			}
		})
	}
	all.Wait()
	close(won)
	var winners []int
	for i := range won {
		winners = append(winners, i)
	}
	if len(winners) != 1 {
		t.Fatalf("claims %v all succeeded, want one", winners)
	}
	err := db.Read(t.Context(), func(c database.Conn) error {
		stored, err := keys.Find(t.Context(), c, "c", "k")
		if err == nil && (len(stored) != 1 || string(stored[0].Body) != fmt.Sprint(winners[0])) {
			t.Errorf("stored %+v, want %d", stored, winners[0])
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestReadDuringWrite checks that a reader neither waits for a writer nor sees uncommitted data.
func TestReadDuringWrite(t *testing.T) {
	t.Parallel()
	db := engine.Open(t)
	p := product(t, db, "P", 5)
	write(t, db, func(ctx context.Context, q *ordersdb.Queries) error {
		if err := setStock(ctx, q, p, 3); err != nil {
			return err
		}
		if got := stock(t, db, p); got != 5 {
			t.Errorf("during the write: stock %d, want 5", got)
		}
		return nil
	})
	if got := stock(t, db, p); got != 3 {
		t.Errorf("after the write: stock %d, want 3", got)
	}
}

// TestTimes checks that times are stored to the microsecond, are returned in UTC, and determine the order of a list.
func TestTimes(t *testing.T) {
	t.Parallel()
	db := engine.Open(t)
	offsets := []time.Duration{0, 1, 9, 10, 99, 100, 1000, 999999, 1000000, 1000001, 59 * 1000000, 3600 * 1000000}
	random := rand.New(rand.NewPCG(1, 2))
	whole := time.Date(2026, 1, 15, 9, 30, 0, 0, time.UTC)
	want := map[int64]time.Time{}
	for _, i := range random.Perm(len(offsets)) {
		at := whole.Add(offsets[i] * time.Microsecond)
		want[order(t, db, 1, at.In(time.FixedZone("east", 7200)))] = at
	}
	rows := list(t, db, start.AddDate(-1, 0, 0), start.AddDate(1, 0, 0), 0, 100)
	for i, row := range rows {
		if at := want[row.ID]; !row.CreatedAt.Equal(at) || row.CreatedAt.Location() != time.UTC {
			t.Errorf("order %d: %s, want %s", row.ID, row.CreatedAt, at)
		}
		if i > 0 && !rows[i-1].CreatedAt.After(row.CreatedAt) {
			t.Errorf("%s is before %s, want the newest first", rows[i-1].CreatedAt, row.CreatedAt)
		}
	}
	if len(rows) != len(offsets) {
		t.Errorf("got %d orders, want %d", len(rows), len(offsets))
	}
}

func list(t *testing.T, db *database.DB, from, before time.Time, beforeID int64, limit int32) (rows []ordersdb.Order) {
	t.Helper()
	err := db.Read(t.Context(), func(c database.Conn) (err error) {
		rows, err = ordersdb.New(c).ListOrders(t.Context(), ordersdb.ListOrdersParams{
			CreatedFrom: from, BeforeTime: before, BeforeID: beforeID, Pattern: "%", Limit: limit,
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestKeyset checks the bounds of a list: from is inclusive, the position of a page is exclusive, and the ID orders rows with
// equal times.
func TestKeyset(t *testing.T) {
	t.Parallel()
	db := engine.Open(t)
	var ids []int64 // newest first
	for i := range 9 {
		ids = append([]int64{order(t, db, int64(i%2), start.Add(time.Duration(i/3)*time.Second))}, ids...)
	}
	at := func(i int) time.Time { return start.Add(time.Duration((8-i)/3) * time.Second) }
	var seen []int64
	before, beforeID := start.AddDate(1, 0, 0), int64(0)
	for {
		rows := list(t, db, start, before, beforeID, 2)
		for _, row := range rows {
			seen, before, beforeID = append(seen, row.ID), row.CreatedAt, row.ID
		}
		if len(rows) < 2 {
			break
		}
	}
	if !slices.Equal(seen, ids) {
		t.Errorf("by pages: got %v, want %v", seen, ids)
	}
	for _, test := range []struct {
		name         string
		from, before time.Time
		want         []int64
	}{
		{"from is inclusive", at(3), start.AddDate(1, 0, 0), ids[:6]},
		{"before is exclusive", start, at(2), ids[3:]},
		{"a microsecond later", at(3).Add(time.Microsecond), start.AddDate(1, 0, 0), ids[:3]},
		{"an empty range", at(3), at(3), nil},
	} {
		var got []int64
		for _, row := range list(t, db, test.from, test.before, 0, 100) {
			got = append(got, row.ID)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}

// TestText checks that search and uniqueness do not depend on the collation of the engine.
func TestText(t *testing.T) {
	t.Parallel()
	db := engine.Open(t)
	names := []string{"José Ñandú", "JOSE", "100% cotton", "100_cotton", `back\slash`, "bang!", "Straße", "日本", "smile 😀", "İstanbul"}
	err := db.Tx(t.Context(), func(c database.Conn) error {
		q := customersdb.New(c)
		for i, name := range names {
			email := fmt.Sprintf("C%d@Example.com", i)
			lower := strings.ToLower(email)
			_, err := q.InsertCustomer(t.Context(), customersdb.InsertCustomerParams{
				Name: name, Email: email, ActiveEmail: &lower, SearchText: search.Fold(name, email), CreatedAt: start, UpdatedAt: start,
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string][]string{
		"jose": {names[0], names[1]}, "JOSÉ": {names[0], names[1]}, "nandu": {names[0]}, "%": {names[2]}, "100_": {names[3]},
		`k\s`: {names[4]}, "!": {names[5]}, "STRASSE": {names[6]}, "本": {names[7]}, "😀": {names[8]}, "istanbul": {names[9]},
		"C3@EXAMPLE": {names[3]}, "cottonc": nil, "nobody": nil,
	} {
		var got []string
		err := db.Read(t.Context(), func(c database.Conn) error {
			rows, err := customersdb.New(c).ListCustomers(t.Context(), customersdb.ListCustomersParams{UntilID: math.MaxInt64, Pattern: search.Pattern(&text), Limit: 100})
			for _, row := range rows {
				got = append(got, row.Name)
			}
			return err
		})
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("search %q: got %q, %v, want %q", text, got, err, want)
		}
	}
	if lower, upper := product(t, db, "abc", 1), product(t, db, "ABC", 1); lower == upper {
		t.Error("abc and ABC are the same SKU")
	}
}
