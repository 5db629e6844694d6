package storage

import (
	"regexp"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/engine"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	schema "github.com/pedidos-hq/pedidos/sql"
)

// onTiDB skips the test on other engines.
func onTiDB(t *testing.T) {
	t.Helper()
	if engine.Name() != "tidb" {
		t.Skip("only for TiDB")
	}
}

// TestUnsuitedTiDB checks that Migrate and Ready refuse a TiDB that ignores what the services rely on, and that their errors name
// the statements that help.
func TestUnsuitedTiDB(t *testing.T) {
	t.Parallel()
	onTiDB(t)
	server := engine.StartTiDB(t) // its global variables are for this test alone
	admin, err := database.OpenMySQL(server.MySQL, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	run := func(statements ...string) {
		t.Helper()
		err := admin.Read(t.Context(), func(conn database.Conn) error {
			for _, statement := range statements {
				if _, err := conn.ExecContext(t.Context(), statement); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	run("CREATE DATABASE shop")
	at := server.MySQL
	at.Name = "shop"
	db, err := database.OpenMySQL(at, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()

	for _, test := range []struct{ name, unset, advice string }{
		{"constraints", "SET GLOBAL tidb_enable_check_constraint = OFF", "SET GLOBAL tidb_enable_check_constraint = ON;"},
		{"foreign keys", "SET GLOBAL tidb_enable_foreign_key = OFF", "SET GLOBAL tidb_enable_foreign_key = ON;"},
		{"checks of foreign keys", "SET GLOBAL foreign_key_checks = OFF", "SET GLOBAL foreign_key_checks = ON;"},
		{"locks", "SET GLOBAL tidb_txn_mode = optimistic", "SET GLOBAL tidb_txn_mode = pessimistic;"},
	} {
		run(test.unset)
		if err := db.Migrate(t.Context()); err == nil || !strings.Contains(err.Error(), test.advice) {
			t.Errorf("%s: Migrate = %v, want the advice %q", test.name, err, test.advice)
		}
		run(strings.TrimSuffix(test.advice, ";"))
		if err := db.Migrate(t.Context()); err != nil {
			t.Fatalf("%s, set again: %v", test.name, err)
		}
		if err := db.Ready(t.Context()); err != nil {
			t.Errorf("%s, set again: %v", test.name, err)
		}
		run(test.unset)
		if err := db.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), test.advice) {
			t.Errorf("%s: Ready = %v, want the advice %q", test.name, err, test.advice)
		}
		run(strings.TrimSuffix(test.advice, ";"))
	}

	// A restore while the setting was off leaves no constraints behind.
	run("ALTER TABLE shop.orders DROP CONSTRAINT orders_status", "ALTER TABLE shop.users DROP CONSTRAINT users_role")
	advice := regexp.MustCompile(`ALTER TABLE \w+ ADD CONSTRAINT \w+ CHECK \([^;]*\)`)
	err = db.Ready(t.Context())
	if err == nil {
		t.Fatal("Ready without two constraints")
	}
	found := advice.FindAllString(err.Error(), -1)
	if len(found) != 2 {
		t.Errorf("Ready = %v, want two statements", err)
	}
	if again := db.Migrate(t.Context()); again == nil || !strings.HasSuffix(again.Error(), err.Error()) {
		t.Errorf("Migrate = %v, want the error of Ready: %v", again, err)
	}
	for _, statement := range found {
		if err := db.Read(t.Context(), func(conn database.Conn) error {
			_, err := conn.ExecContext(t.Context(), statement)
			return err
		}); err != nil {
			t.Error(err)
		}
	}
	if err := db.Ready(t.Context()); err != nil {
		t.Errorf("with the constraints: %v", err)
	}
}

// TestIDsInOrderOfTime checks that TiDB assigns the ids of every table in one sequence, whichever of its servers inserts. By default,
// each server takes ids from a range of its own.
func TestIDsInOrderOfTime(t *testing.T) {
	t.Parallel()
	onTiDB(t)
	db := engine.Open(t)
	tables := 0
	err := db.Read(t.Context(), func(conn database.Conn) error {
		for _, table := range regexp.MustCompile(`(?ms)^CREATE TABLE (\w+) \(\n[^;]*AUTO_INCREMENT`).FindAllStringSubmatch(schema.MySQL, -1) {
			tables++
			var name, created string
			if err := conn.QueryRowContext(t.Context(), "SHOW CREATE TABLE "+table[1]).Scan(&name, &created); err != nil {
				return err
			}
			if !strings.Contains(created, "AUTO_ID_CACHE=1 ") {
				t.Errorf("%s has ranges of ids: %s", name, created)
			}
		}
		return nil
	})
	if err != nil || tables < 9 {
		t.Errorf("%d tables with ids, %v, want 9 at least", tables, err)
	}
}
