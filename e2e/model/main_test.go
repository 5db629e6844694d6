// Package model tests the whole API against a model. It sends random requests one after another, and the model predicts every
// answer. rapid shrinks a failure to a few requests and prints them.
//
//	go test ./e2e/model                                        thousands of requests, the same ones in each run
//	go test ./e2e/model -rapid.seed=7 -rapid.checks=500        other requests; -rapid.seed=0 draws new ones in each run
//	go test ./e2e/model -timeout=1h -args -long -engine=mysql  twenty times as many requests, on MySQL
package model

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/pedidos-hq/pedidos/e2e/engine"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

var long = flag.Bool("long", false, "send many more requests")

func TestMain(m *testing.M) {
	flag.Parse()
	defaults := map[string]string{
		"rapid.checks": "300", "rapid.steps": "45", "rapid.seed": "1", "rapid.shrinktime": "1m",
		"rapid.nofailfile": "true", // the seed reproduces a failure
	}
	if *long {
		defaults["rapid.checks"] = "6000"
	}
	for name, value := range defaults {
		if os.Getenv(strings.ToUpper(strings.ReplaceAll(name, ".", "_"))) != "" { // rapid has read it from the environment
			continue
		}
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	flag.Parse() // parse again, so that the command line overrides the defaults
	os.Exit(m.Run())
}

func TestModel(t *testing.T) {
	db, outcomes := engine.Open(t), map[string]int{}
	reset := newReset(t, db)
	rapid.Check(t, func(run *rapid.T) {
		reset(run)
		m := newMachine(run, world.New(tb{t, run}, world.Options{DB: db}), outcomes)
		run.Repeat(map[string]func(*rapid.T){
			"buy":             m.action(m.buy, m.hasCustomer, m.hasProduct),
			"cancel":          m.action(m.cancelOrder, m.hasOrder),
			"change customer": m.action(m.changeCustomer, m.hasCustomer),
			"change product":  m.action(m.updateProduct, m.hasProduct),
			"confirm":         m.action(m.confirmOrder, m.hasOrder),
			"create customer": m.action(m.createCustomer),
			"create product":  m.action(m.createProduct),
			"get":             m.action(m.get),
			"list":            m.list,
			"people":          m.people,
			"programs":        m.programs,
			"repeat":          m.action(m.retry, m.hasSent),
			"session":         m.action(m.drawSessions),
			"sweep":           m.sweep,
			"wait":            m.wait,
		})
		m.compare(run)
	})
	requests := 0
	for _, outcome := range slices.Sorted(maps.Keys(outcomes)) {
		t.Logf("%6d %s", outcomes[outcome], outcome)
		requests += outcomes[outcome]
	}
	t.Logf("%6d requests on %s", requests, engine.Name())
}

// These queries return the statements that empty a database and restart its IDs. On SQLite, emptying the table sqlite_sequence
// restarts them.
const (
	emptySQLite = `SELECT 'PRAGMA defer_foreign_keys = ON' UNION ALL
		SELECT 'DELETE FROM ' || name FROM sqlite_master WHERE type = 'table' AND name <> 'goose_db_version'`
	emptyMySQL = `SELECT CONCAT('DELETE /*+ SET_VAR(foreign_key_checks = 0) */ FROM ', table_name) FROM information_schema.tables
		WHERE table_schema = DATABASE() AND table_name <> 'goose_db_version' UNION ALL
		SELECT CONCAT('ALTER TABLE ', table_name, ' AUTO_INCREMENT = 1') FROM information_schema.columns
		WHERE table_schema = DATABASE() AND table_name <> 'goose_db_version' AND extra = 'auto_increment'`
	// TiDB has neither the hint, nor does it set AUTO_INCREMENT back.
	emptyTiDB = `SELECT statement FROM (SELECT 1 AS step, 'SET foreign_key_checks = OFF' AS statement UNION ALL
		SELECT 2, CONCAT('TRUNCATE TABLE ', table_name) FROM information_schema.tables
		WHERE table_schema = DATABASE() AND table_name <> 'goose_db_version' UNION ALL SELECT 3, 'SET foreign_key_checks = ON') AS all_steps ORDER BY step`
)

// newReset returns a function that empties a database. That is much faster than creating a new one, and shrinking a failure
// takes some hundred runs.
func newReset(t *testing.T, db *database.DB) (reset func(*rapid.T)) {
	t.Helper()
	query := emptySQLite
	switch engine.Name() {
	case "mysql":
		query = emptyMySQL
	case "tidb":
		query = emptyTiDB
	}
	var statements []string
	err := db.Read(t.Context(), func(conn database.Conn) error {
		rows, err := conn.QueryContext(t.Context(), query)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			statements = append(statements, "")
			if err := rows.Scan(&statements[len(statements)-1]); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return func(run *rapid.T) {
		err := db.Tx(run.Context(), func(conn database.Conn) error {
			for _, statement := range statements {
				if _, err := conn.ExecContext(run.Context(), statement); err != nil {
					return fmt.Errorf("%s: %w", statement, err)
				}
			}
			return nil
		})
		if err != nil {
			run.Fatal(err)
		}
	}
}

// tb is a testing.TB with which the errors of a world fail a run of rapid, which rapid then shrinks. The messages of the world
// go only to the log: they contain trace IDs, and rapid compares the texts of failures.
type tb struct {
	testing.TB
	run *rapid.T
}

func (t tb) Cleanup(f func())         { t.run.Cleanup(f) }
func (t tb) Context() context.Context { return t.run.Context() }

func (t tb) Error(args ...any) {
	t.run.Log(args...)
	t.run.Error("the world reports an error")
}

func (t tb) Fatal(args ...any) {
	t.run.Log(args...)
	t.run.Fatal("the world reports a fatal error")
}

func (t tb) Errorf(format string, args ...any) { t.Error(fmt.Sprintf(format, args...)) }
func (t tb) Fatalf(format string, args ...any) { t.Fatal(fmt.Sprintf(format, args...)) }
