package customers

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	api "github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/gen/customersdb"
	"github.com/pedidos-hq/pedidos/services/platform/bulk"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/search"
)

// Generate adds total generated customers. The same random numbers add the same customers to the same database.
func Generate(ctx context.Context, db *database.DB, random *rand.Rand, year bulk.Year, total int, progress bulk.Progress) error {
	number, err := bulk.LastID(ctx, db, "customers")
	if err != nil {
		return err
	}
	trades := []string{"Ferretería", "Construcciones", "Materiales", "Pinturería", "Electricidad", "Sanitarios", "Corralón", "Herrajes"}
	names := []string{"Núñez", "del Sur", "San Martín", "El Águila", "Peña e Hijos", "Córdoba", "La Estación", "Rivadavia", "Güemes", "Norte"}
	made := 0
	next := func(n int) func(database.Conn) error {
		rows := database.NewInserter("InsertCustomers", "INSERT INTO customers",
			"name", "email", "phone", "active_email", "search_text", "version", "created_at", "updated_at")
		for range n {
			number++
			name := fmt.Sprintf("%s %s %d", bulk.Choose(random, trades), bulk.Choose(random, names), number)
			email := fmt.Sprintf("compras@cliente-%d.example", number)
			var phone *string
			if random.IntN(4) > 0 {
				phone = new(fmt.Sprintf("+54 11 %04d-%04d", random.IntN(10_000), random.IntN(10_000)))
			}
			created := year.At(float64(made)/float64(total) - 1)
			rows.Add(name, email, phone, email, search.Fold(name, email), 1, created, created)
			made++
		}
		return func(conn database.Conn) error {
			return rows.Insert(ctx, conn)
		}
	}
	return bulk.Fill(ctx, db, "customers", total, next, progress)
}

// First returns up to limit customers, in order of ids.
func First(ctx context.Context, db *database.DB, limit int) (all []api.Customer, err error) {
	const pageSize = 10_000
	err = db.Read(ctx, func(conn database.Conn) error {
		rows, err := bulk.Walk(limit, func(c customersdb.Customer) int64 { return c.ID }, func(after int64) ([]customersdb.Customer, error) {
			return customersdb.New(conn).ListCustomers(ctx, customersdb.ListCustomersParams{
				AfterID: after, UntilID: math.MaxInt64, Pattern: "%", Limit: int32(min(limit, pageSize)),
			})
		})
		if err != nil {
			return fmt.Errorf("list customers: %w", err)
		}
		for _, row := range rows {
			all = append(all, customer(row))
		}
		return nil
	})
	return all, err
}
