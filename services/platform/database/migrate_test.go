package database_test

import (
	"maps"
	"path/filepath"
	"strings"
	"testing"

	schema "github.com/pedidos-hq/pedidos/sql"

	"github.com/pedidos-hq/pedidos/services/orders"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

// tables is the statement behind each table and index, but for those of the engine and of the migrations themselves.
func tables(t *testing.T, db *database.DB) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := db.Read(t.Context(), func(conn database.Conn) error {
		rows, err := conn.QueryContext(t.Context(), `SELECT type || ' ' || name, COALESCE(sql, '') FROM sqlite_master
			WHERE tbl_name NOT IN ('goose_db_version', 'sqlite_sequence')`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var name, statement string
			if err := rows.Scan(&name, &statement); err != nil {
				return err
			}
			found[name] = statement
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestMigrationsEndInTheSchema(t *testing.T) {
	t.Parallel()
	truth := open(t, filepath.Join(t.TempDir(), "truth.db"))
	err := truth.Tx(t.Context(), func(conn database.Conn) error {
		_, err := conn.ExecContext(t.Context(), schema.SQLite)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	want := tables(t, truth)
	if len(want) < 7 {
		t.Fatalf("the schema has %d tables and indexes", len(want))
	}
	same := func(when string, db *database.DB) {
		t.Helper()
		got := tables(t, db)
		for name := range want {
			if got[name] != want[name] {
				t.Errorf("%s: %s is\n%s\nand in sqlite.sql\n%s", when, name, got[name], want[name])
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s: there are %d tables and indexes, in sqlite.sql %d", when, len(got), len(want))
		}
	}

	db, _ := migrated(t)
	same("from nothing", db)
	if err := db.Migrate(t.Context()); err != nil {
		t.Errorf("migrate once more: %v", err)
	}
	same("once more", db)

	all, err := db.Migrations(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range all {
		if err := db.MigrateDown(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if left := tables(t, db); len(left) != 0 {
		t.Errorf("down to nothing leaves %v", left)
	}
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	same("down and up", db)
}

func TestReady(t *testing.T) {
	t.Parallel()
	db := open(t, filepath.Join(t.TempDir(), "test.db"))
	if err := db.Ping(t.Context()); err != nil {
		t.Errorf("Ping = %v", err)
	}
	if err := db.Ready(t.Context()); err == nil {
		t.Error("a database without a schema is ready")
	}
	state := func(applied bool) {
		t.Helper()
		all, err := db.Migrations(t.Context())
		if err != nil || len(all) == 0 {
			t.Fatalf("Migrations = %v, %v", all, err)
		}
		for i, m := range all {
			if m.Applied != applied || m.Version != int64(i+1) || !strings.HasSuffix(m.File, ".sql") {
				t.Errorf("migration %d: %+v, want applied: %t", i+1, m, applied)
			}
		}
	}
	state(false)
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	state(true)
	if err := db.Ready(t.Context()); err != nil {
		t.Errorf("Ready = %v", err)
	}
	if err := db.MigrateDown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := db.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "run pedidos migrate up") {
		t.Errorf("Ready after a step down = %v, want what to do", err)
	}
}

func TestSeedTwiceDoesNotDouble(t *testing.T) {
	t.Parallel()
	db, _ := migrated(t)
	rows := func() map[string]int {
		t.Helper()
		counts := map[string]int{}
		err := db.Read(t.Context(), func(conn database.Conn) error {
			for _, table := range []string{"customers", "products", "stock_adjustments", "orders"} {
				var n int
				if err := conn.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&n); err != nil {
					return err
				}
				counts[table] = n
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return counts
	}
	want := map[string]int{"customers": 2, "products": 3, "stock_adjustments": 3, "orders": 0}
	for _, when := range []string{"once", "twice"} {
		if err := db.Seed(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := rows(); !maps.Equal(got, want) {
			t.Errorf("seeded %s: %v, want %v", when, got, want)
		}
	}
	broken, err := orders.Audit(t.Context(), db, func(sentence string) { t.Error(sentence) })
	if err != nil || broken != 0 {
		t.Errorf("the audit finds %d, %v", broken, err)
	}
}
