package database_test

import (
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/services/platform/database"
)

func TestGrantChecksTheUserName(t *testing.T) {
	t.Parallel()
	db := unreachable(t)
	const refusal = "can't be a service's MySQL user"
	rights := map[string]database.Right{"orders": database.ReadWrite}
	for _, name := range []string{"", "a b", "a`@`%` IDENTIFIED BY 'x", "a@b", "ñ", "a\n", strings.Repeat("a", 33)} {
		if err := db.Grant(t.Context(), name, rights); err == nil || !strings.Contains(err.Error(), refusal) {
			t.Errorf("Grant to %q = %v, want an error about the name", name, err)
		}
	}
	if err := db.Grant(t.Context(), "orders_user-2.x", rights); err == nil || strings.Contains(err.Error(), refusal) {
		t.Errorf("Grant to a valid name = %v, want an error about the connection", err)
	}
}

func TestGrantOnTheEmbeddedEngine(t *testing.T) {
	t.Parallel()
	db, _ := migrated(t)
	if err := db.Grant(t.Context(), "anyone", map[string]database.Right{"customers": database.ReadWrite}); err != nil {
		t.Error(err)
	}
}
