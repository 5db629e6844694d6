// Package sample fills a database with users, customers, products and orders: a few to try out Pedidos, or many for demonstrations, query
// plans and load tests.
package sample

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/pedidos-hq/pedidos/services/customers"
	"github.com/pedidos-hq/pedidos/services/identity"
	"github.com/pedidos-hq/pedidos/services/orders"
	"github.com/pedidos-hq/pedidos/services/platform/bulk"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	schema "github.com/pedidos-hq/pedidos/sql"
)

// Add adds a few customers and products. If the database has customers or products, it adds nothing and returns false.
func Add(ctx context.Context, db *database.DB) (added bool, err error) {
	for _, table := range []string{"customers", "products"} {
		if last, err := bulk.LastID(ctx, db, table); err != nil || last > 0 {
			return false, err
		}
	}
	return true, db.Script(ctx, schema.Seed)
}

// Size is the number of rows to generate.
type Size struct{ Users, Customers, Products, Orders int }

// maxBuyers limits the customers of generated orders, because they are all in memory.
const maxBuyers = 100_000

// Generate adds generated rows to a database, which services may use at the same time. Orders are placed in the 365 days before until,
// and the rest is created in the year before these. The same seed adds the same rows to the same database. Generate returns
// orders.ErrNothingToOrder if there are no customers or products to generate orders with.
func Generate(ctx context.Context, db *database.DB, size Size, until time.Time, seed uint64, progress bulk.Progress) error {
	year := bulk.Year(until)
	// With a stream per table, more customers do not change the products.
	random := func(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) } //nolint:gosec // repeatable
	if size.Users > 0 {
		if err := identity.Generate(ctx, db, random(3), year, size.Users, progress); err != nil {
			return err
		}
	}
	if size.Customers > 0 {
		if err := customers.Generate(ctx, db, random(0), year, size.Customers, progress); err != nil {
			return err
		}
	}
	if size.Products > 0 {
		if err := orders.GenerateProducts(ctx, db, random(1), year, size.Products, progress); err != nil {
			return err
		}
	}
	if size.Orders == 0 {
		return nil
	}
	buyers, err := customers.First(ctx, db, maxBuyers)
	if err != nil {
		return err
	}
	return orders.GenerateOrders(ctx, db, buyers, random(2), year, size.Orders, progress)
}
