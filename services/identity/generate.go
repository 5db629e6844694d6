package identity

import (
	"context"
	"fmt"
	"math/rand/v2"

	api "github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/services/platform/bulk"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

// Generate adds total generated users without passwords, so that nobody can log in as one of them. The same random numbers add the
// same users to the same database.
func Generate(ctx context.Context, db *database.DB, random *rand.Rand, year bulk.Year, total int, progress bulk.Progress) error {
	number, err := bulk.LastID(ctx, db, "users")
	if err != nil {
		return err
	}
	names := []string{"Ana", "Bruno", "Carla", "Damián", "Elena", "Fermín", "Gloria", "Hugo", "Inés", "Julián"}
	surnames := []string{"Pérez", "Núñez", "Gómez", "Ibáñez", "López", "Acuña", "Díaz", "Muñoz"}
	roles := []api.Role{api.RoleViewer, api.RoleOperator, api.RoleOperator, api.RoleManager}
	made := 0
	next := func(n int) func(database.Conn) error {
		rows := database.NewInserter("InsertUsers", "INSERT INTO users",
			"username", "username_key", "name", "role", "state", "version", "created_at", "updated_at")
		for range n {
			number++
			username := fmt.Sprintf("user-%d", number)
			name := bulk.Choose(random, names) + " " + bulk.Choose(random, surnames)
			created := year.At(float64(made)/float64(total) - 1)
			rows.Add(username, username, name, string(bulk.Choose(random, roles)), string(api.StateActive), 1, created, created)
			made++
		}
		return func(conn database.Conn) error {
			return rows.Insert(ctx, conn)
		}
	}
	return bulk.Fill(ctx, db, "users", total, next, progress)
}
