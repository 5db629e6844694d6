package database_test

import (
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	schema "github.com/pedidos-hq/pedidos/sql"

	"github.com/pedidos-hq/pedidos/services/orders"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

// tables returns the CREATE statement of each table and index, without SQLite's own tables and the table of versions.
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
			found[name] = normalize(statement)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

var (
	comment     = regexp.MustCompile(`--.*`)
	punctuation = regexp.MustCompile(`\s*([(),])\s*`)
	space       = regexp.MustCompile(`\s+`)
)

// normalize removes comments and layout, because SQLite stores the text of statements as the schema or the migration writes it.
func normalize(statement string) string {
	statement = punctuation.ReplaceAllString(comment.ReplaceAllString(statement, ""), "$1")
	return strings.TrimSpace(space.ReplaceAllString(statement, " "))
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
	wantSchema := func(when string, db *database.DB) {
		t.Helper()
		got := tables(t, db)
		for name := range want {
			if got[name] != want[name] {
				t.Errorf("%s: %s is\n%s\nbut in sqlite.sql\n%s", when, name, got[name], want[name])
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s: %d tables and indexes, but %d in sqlite.sql", when, len(got), len(want))
		}
	}

	db, _ := migrated(t)
	wantSchema("up", db)
	if err := db.Migrate(t.Context()); err != nil {
		t.Errorf("Migrate, again: %v", err)
	}
	wantSchema("up again", db)

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
		t.Errorf("after all migrations down, the database has %v", left)
	}
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantSchema("down and up", db)
}

// The second migration derives the history of existing orders from their columns.
func TestMigrationWritesHistory(t *testing.T) {
	t.Parallel()
	db, _ := migrated(t)
	for reverted := ""; reverted != "00002_history.sql"; {
		newest, err := db.Newest(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := db.MigrateDown(t.Context()); err != nil {
			t.Fatal(err)
		}
		reverted = newest.File
	}
	exec := func(statement string) {
		t.Helper()
		err := db.Tx(t.Context(), func(conn database.Conn) error {
			_, err := conn.ExecContext(t.Context(), statement)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	exec(`INSERT INTO products (id, sku, name, search_text, price_cents, stock, version, created_at, updated_at)
		VALUES (1, 'A', 'A', 'a', 5, 8, 1, '2026-01-01 00:00:00.000000', '2026-01-01 00:00:00.000000')`)
	exec(`INSERT INTO stock_adjustments (product_id, delta, caller, created_at) VALUES (1, 10, 'user:admin', '2026-01-01 00:00:00.000000')`)
	exec(`INSERT INTO orders (id, customer_id, customer_name, customer_email, search_text, status, total_cents, version, cancel_reason, created_at, confirmed_at, canceled_at)
		VALUES (1, 1, 'x', 'x', 'x', 'CREATED', 5, 1, NULL, '2026-01-01 00:00:00.000000', NULL, NULL),
		       (2, 1, 'x', 'x', 'x', 'CONFIRMED', 5, 2, NULL, '2026-01-01 00:00:00.000000', '2026-01-02 00:00:00.000000', NULL),
		       (3, 1, 'x', 'x', 'x', 'CANCELED', 5, 2, 'why', '2026-01-01 00:00:00.000000', NULL, '2026-01-03 00:00:00.000000'),
		       (4, 1, 'x', 'x', 'x', 'CANCELED', 5, 3, NULL, '2026-01-01 00:00:00.000000', '2026-01-02 00:00:00.000000', '2026-01-03 00:00:00.000000')`)
	exec(`INSERT INTO order_lines (order_id, product_id, qty, unit_price_cents, subtotal_cents) VALUES (1, 1, 1, 5, 5), (2, 1, 1, 5, 5), (3, 1, 1, 5, 5), (4, 1, 1, 5, 5)`)
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"1 1 - CREATED - 2026-01-01", "2 1 - CREATED - 2026-01-01", "2 2 CREATED CONFIRMED - 2026-01-02",
		"3 1 - CREATED - 2026-01-01", "3 2 CREATED CANCELED why 2026-01-03",
		"4 1 - CREATED - 2026-01-01", "4 2 CREATED CONFIRMED - 2026-01-02", "4 3 CONFIRMED CANCELED - 2026-01-03",
	}
	if got := history(t, db); !slices.Equal(got, want) {
		t.Errorf("the history is %q, want %q", got, want)
	}
	if _, err := orders.Audit(t.Context(), db, func(sentence string) { t.Error(sentence) }); err != nil {
		t.Error(err)
	}
}

// history returns the order events without a caller. The migration writes such events for older orders.
func history(t *testing.T, db *database.DB) (rows []string) {
	t.Helper()
	err := db.Read(t.Context(), func(conn database.Conn) error {
		found, err := conn.QueryContext(t.Context(), `SELECT order_id || ' ' || version || ' ' || COALESCE(from_status, '-') || ' ' || to_status ||
			' ' || COALESCE(reason, '-') || ' ' || substr(created_at, 1, 10) FROM order_events WHERE caller IS NULL ORDER BY order_id, version`)
		if err != nil {
			return err
		}
		defer found.Close()
		for found.Next() {
			var row string
			if err := found.Scan(&row); err != nil {
				return err
			}
			rows = append(rows, row)
		}
		return found.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
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
	wantApplied := func(applied bool) {
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
	wantApplied(false)
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantApplied(true)
	if err := db.Ready(t.Context()); err != nil {
		t.Errorf("Ready = %v", err)
	}
	if err := db.MigrateDown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := db.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "run pedidos migrate up") {
		t.Errorf("Ready after MigrateDown = %v, want advice to run pedidos migrate up", err)
	}
}

// A script takes effect completely or not at all, and comments are not statements.
func TestScript(t *testing.T) {
	t.Parallel()
	db, _ := migrated(t)
	const start = "-- A table.\nCREATE TABLE scripted (n INTEGER NOT NULL);\n\n-- Its row.\nINSERT INTO scripted (n) VALUES (1);\n"
	if err := db.Script(t.Context(), start+"INSERT INTO scripted (n) VALUES (NULL);\n"); err == nil {
		t.Fatal("a script with a failing statement succeeds")
	}
	if err := db.Script(t.Context(), start+"-- The end.\n"); err != nil {
		t.Fatalf("the failed script left a change: %v", err)
	}
	if err := db.Script(t.Context(), start); err == nil {
		t.Error("the table of the script is missing")
	}
}

// Each migration changes or fills at most one table on MySQL, so that an interrupted one can be repeated, and names the data that
// is lost when it is reverted. The first two migrations are older than the first rule.
func TestMigrationFiles(t *testing.T) {
	t.Parallel()
	change := regexp.MustCompile(`(?m)^(CREATE|ALTER|DROP|RENAME)\b`)
	for _, engine := range []string{"mysql", "sqlite"} {
		folder, err := schema.Migrations(engine)
		if err != nil {
			t.Fatal(err)
		}
		names, err := fs.Glob(folder, "*.sql")
		if err != nil || len(names) < 2 {
			t.Fatalf("%s: %q, %v", engine, names, err)
		}
		for i, name := range names {
			text, err := fs.ReadFile(folder, name)
			if err != nil {
				t.Fatal(err)
			}
			up, down, _ := strings.Cut(string(text), "-- +goose Down\n")
			if n := len(change.FindAllString(up, -1)); engine == "mysql" && i >= 2 && n > 1 {
				t.Errorf("%s/%s has %d changes of tables, want one per file", engine, name, n)
			}
			if !strings.Contains(down, "-- Lost: ") {
				t.Errorf("%s/%s has no line \"-- Lost: \"", engine, name)
			}
		}
	}
}
