// Package bulk fills a database with a large, realistic data set, for demonstrations, query plans and load.
package bulk

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/pedidos-hq/pedidos/gen/customersdb"
	"github.com/pedidos-hq/pedidos/gen/ordersdb"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

// Size is how much to add.
type Size struct{ Customers, Products, Orders int }

// Progress hears, after each transaction, how many rows of a table are written.
type Progress func(table string, done, total int)

// ErrNothingToOrder is returned for orders in a database that has no customers or no products.
var ErrNothingToOrder = errors.New("orders need customers and products, and there are none")

const (
	perTransaction = 5_000   // rows of the table that is filled
	pool           = 100_000 // customers, and products, that orders choose from: they are kept in memory
)

// Seed adds to what is there. The same seed adds the same to the same database. Every transaction leaves the invariants
// whole, so that it can be stopped at any time, and services can go on meanwhile.
func Seed(ctx context.Context, db *database.DB, size Size, seed uint64, progress Progress) error {
	for i, part := range []struct {
		table string
		total int
		start func(ctx context.Context, db *database.DB, random *rand.Rand, total int) (batches, error)
	}{
		{"customers", size.Customers, newCustomers}, {"products", size.Products, newProducts}, {"orders", size.Orders, newOrders},
	} {
		if part.total == 0 {
			continue
		}
		random := rand.New(rand.NewPCG(seed, uint64(i))) // one each: more customers don't change the products
		next, err := part.start(ctx, db, random, part.total)
		if err != nil {
			return err
		}
		progress(part.table, 0, part.total)
		for done := 0; done < part.total; {
			n := min(perTransaction, part.total-done)
			if err := db.Tx(ctx, next(n)); err != nil {
				return fmt.Errorf("add %s: %w", part.table, err)
			}
			done += n
			progress(part.table, done, part.total)
		}
	}
	return nil
}

// batches makes the next n customers, products or orders and returns what writes them. That can be run again.
type batches func(n int) (write func(database.Conn) error)

// toOrder reads the customers and products that orders choose from.
func toOrder(ctx context.Context, db *database.DB) (customers []customersdb.ListCustomersRow, products []ordersdb.ListProductsRow, err error) {
	const page = 10_000
	err = db.Read(ctx, func(conn database.Conn) (err error) {
		customers, err = walk(func(c customersdb.ListCustomersRow) int64 { return c.ID }, func(after int64) ([]customersdb.ListCustomersRow, error) {
			return customersdb.New(conn).ListCustomers(ctx, customersdb.ListCustomersParams{UntilID: math.MaxInt64, AfterID: after, Pattern: "%", Limit: page})
		})
		if err != nil {
			return fmt.Errorf("list customers: %w", err)
		}
		products, err = walk(func(p ordersdb.ListProductsRow) int64 { return p.ID }, func(after int64) ([]ordersdb.ListProductsRow, error) {
			return ordersdb.New(conn).ListProducts(ctx, ordersdb.ListProductsParams{UntilID: math.MaxInt64, AfterID: after, Pattern: "%", Limit: page})
		})
		if err != nil {
			return fmt.Errorf("list products: %w", err)
		}
		return nil
	})
	if err == nil && (len(customers) == 0 || len(products) == 0) {
		err = ErrNothingToOrder
	}
	return customers, products, err
}

// walk reads a list page by page, until it ends or the pool is full.
func walk[T any](id func(T) int64, page func(after int64) ([]T, error)) (all []T, err error) {
	for after := int64(0); len(all) < pool; after = id(all[len(all)-1]) {
		rows, err := page(after)
		if err != nil || len(rows) == 0 {
			return all, err
		}
		all = append(all, rows...)
	}
	return all, nil
}

// last is the highest id of a table. What is numbered from there on has no namesake.
func last(ctx context.Context, db *database.DB, table string) (id int64, err error) {
	err = db.Read(ctx, func(conn database.Conn) error {
		return conn.QueryRowContext(ctx, "SELECT COALESCE(MAX(id), 0) FROM "+table).Scan(&id)
	})
	if err != nil {
		return 0, fmt.Errorf("last of %s: %w", table, err)
	}
	return id, nil
}

// year is the one that the data is of: what is there already has its time, and the same seed gives the same.
const year = 2025

// at is the moment, at the precision of the database, when a share of the year has passed; below 0 the year before.
func at(share float64) time.Time {
	first, end := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(year+1, 1, 1, 0, 0, 0, 0, time.UTC)
	return first.Add(time.Duration(share * float64(end.Sub(first)))).Truncate(time.Microsecond)
}

// pick chooses one of all; those in front more often: a tenth of them gets a third of the choices.
func pick[T any](random *rand.Rand, all []T) T {
	f := random.Float64()
	return all[int(f*f*float64(len(all)))]
}
