package database_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	schema "github.com/pedidos-hq/pedidos/sql"

	"github.com/pedidos-hq/pedidos/services/platform/database"
)

func TestEveryTableHasOneOwner(t *testing.T) {
	t.Parallel()
	var inSchema []string
	for _, found := range regexp.MustCompile(`(?m)^CREATE TABLE (\w+)`).FindAllStringSubmatch(schema.MySQL, -1) {
		inSchema = append(inSchema, found[1])
	}
	owned := slices.Concat(slices.Collect(maps.Values(database.Tables))...)
	slices.Sort(inSchema)
	slices.Sort(owned)
	if !slices.Equal(owned, inSchema) {
		t.Errorf("database.Tables holds\n%q, and schema.sql\n%q", owned, inSchema)
	}
}

func TestGrantRefusesWhatIsNoName(t *testing.T) {
	t.Parallel()
	db := nowhere(t)
	for _, name := range []string{"", "a b", "a`@`%` IDENTIFIED BY 'x", "a@b", "ñ", "a\n", strings.Repeat("a", 33)} {
		if err := db.Grant(t.Context(), database.Orders, name); err == nil || !strings.Contains(err.Error(), "can't be the orders user") {
			t.Errorf("Grant to %q = %v, want a refusal of the name", name, err)
		}
	}
	if err := db.Grant(t.Context(), database.Orders, "orders_user-2.x"); err == nil || strings.Contains(err.Error(), "can't be the orders user") {
		t.Errorf("Grant to a good name = %v, want no refusal of the name", err)
	}
}

func TestGrantOnTheEmbeddedEngine(t *testing.T) {
	t.Parallel()
	db, _ := migrated(t)
	if err := db.Grant(t.Context(), database.Customers, "anyone"); err != nil {
		t.Error(err)
	}
}
