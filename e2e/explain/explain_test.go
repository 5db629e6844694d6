// Package explain checks the plans of all queries. On MySQL with many orders, no query may scan a table, sort rows or fill a
// temporary table, without a listed reason. It explains the statements that the generated code executes.
package explain

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/engine"
	service "github.com/pedidos-hq/pedidos/services/orders"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/sample"
)

var orders = flag.Int("orders", 0, "number of orders in the database; 0 means 200,000 in CI and 50,000 elsewhere")

// TestPlans explains every SELECT, UPDATE and DELETE of sql/queries and of package idempotency. It fails if queries lacks one.
func TestPlans(t *testing.T) {
	verbs, queries := readQueries(t), queries()
	for name, verb := range verbs {
		if _, ok := queries[name]; !ok && verb != "INSERT" && verb != "REPLACE" {
			t.Errorf("%s is missing from the table in queries_test.go", name)
		}
	}
	for name := range queries {
		if verbs[name] == "" {
			t.Errorf("%s is in the table in queries_test.go but not in sql/queries", name)
		}
	}
	maps.Copy(queries, keyQueries())
	db := engine.MySQL(t, database.Options{})
	fill(t, db)
	for _, name := range slices.Sorted(maps.Keys(queries)) {
		q := queries[name]
		seen := ""
		for _, call := range q.calls {
			p := explain(t, db, name, call)
			q.check(t, name, p)
			if seen != p.String() {
				seen = p.String()
				t.Logf("%-46s %s", name, seen)
			}
		}
	}
}

// readQueries returns the verb, such as SELECT, of each query by "file.name".
func readQueries(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../../sql/queries/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("queries: %q, %v", files, err)
	}
	found := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(`(?m)^-- name: (\w+) :\w+\n(\w+)`).FindAllStringSubmatch(string(text), -1) {
			found[strings.TrimSuffix(filepath.Base(file), ".sql")+"."+match[1]] = match[2]
		}
	}
	return found
}

// fill generates orders, and as many idempotency keys as a busy day leaves.
func fill(t *testing.T, db *database.DB) {
	t.Helper()
	n := *orders
	if n == 0 {
		n = 50_000
		if os.Getenv("CI") != "" {
			n = 200_000
		}
	}
	size := sample.Size{Users: 1000, Customers: max(1000, n/20), Products: max(1000, n/200), Orders: n}
	if err := sample.Generate(t.Context(), db, size, today().AddDate(0, 0, 1), 1, func(string, int, int) {}); err != nil {
		t.Fatal(err)
	}
	yesterday := today().AddDate(0, 0, -1)
	err := db.Tx(t.Context(), func(conn database.Conn) error {
		for _, table := range []string{"customers_idempotency", "orders_idempotency"} {
			if _, err := conn.ExecContext(t.Context(), "INSERT INTO "+table+
				" (caller, idem_key, fingerprint, status, headers, body, created_at, expires_at)"+
				" SELECT 'user:erp', CONCAT('key-', id), '', 201, '{}', REPEAT('x', 300),"+
				" ? + INTERVAL id SECOND, ? + INTERVAL 1 DAY + INTERVAL id SECOND FROM orders WHERE id <= 80000", yesterday, yesterday); err != nil {
				return fmt.Errorf("fill %s: %w", table, err)
			}
		}
		for _, insert := range []string{
			`INSERT INTO user_sessions (user_id, hash, address, created_at, used_at, expires_at, ends_at)
			SELECT id, UNHEX(SHA2(id, 256)), '192.0.2.7', created_at, created_at, created_at + INTERVAL 7 DAY, created_at + INTERVAL 8 HOUR FROM users`,
			`UPDATE users SET setup_hash = UNHEX(SHA2(id, 256)), setup_expires_at = created_at`,
			`INSERT INTO integrators (name, name_key, role, state, version, created_at, updated_at)
			SELECT name, CONCAT(name, id), 'operator', 'active', 1, created_at, created_at FROM users`,
			`INSERT INTO api_keys (integrator_id, name, hash, created_by, created_at) SELECT id, name, UNHEX(SHA2(id, 256)), 'user:admin', created_at FROM integrators`,
			`INSERT INTO audit_log (actor, action, target, changes, created_at)
			SELECT CONCAT('user:user-', id % 1000), IF(id % 50 = 0, 'key.created', 'session.started'), 'session:1', '[]', created_at FROM orders`,
		} {
			if _, err := conn.ExecContext(t.Context(), insert); err != nil {
				return fmt.Errorf("%s: %w", insert, err)
			}
		}
		for _, table := range []string{
			"customers", "products", "stock_adjustments", "orders", "order_lines", "order_events", "customers_idempotency", "orders_idempotency",
			"users", "user_sessions", "integrators", "api_keys", "audit_log",
		} {
			if _, err := conn.ExecContext(t.Context(), "ANALYZE TABLE "+table); err != nil {
				return fmt.Errorf("analyze %s: %w", table, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d orders, %d customers, %d products", size.Orders, size.Customers, size.Products)
	started := time.Now()
	if _, err := service.Audit(t.Context(), db, func(finding string) { t.Error(finding) }); err != nil {
		t.Error(err)
	}
	t.Logf("the audit took %s", time.Since(started).Round(time.Millisecond))
}

// explain returns the plan of the single statement that call executes.
func explain(t *testing.T, db *database.DB, name string, call call) plan {
	t.Helper()
	var p plan
	err := db.Tx(t.Context(), func(conn database.Conn) error {
		// Version 2 of the format has no plans of UPDATE and DELETE.
		if _, err := conn.ExecContext(t.Context(), "SET SESSION explain_json_format_version = 1"); err != nil {
			return err
		}
		e := &explainer{Conn: conn}
		if err := call(t.Context(), e); !errors.Is(err, errExplained) && !errors.Is(err, sql.ErrNoRows) && err != nil {
			return err
		}
		if _, query, _ := strings.Cut(name, "."); !strings.HasPrefix(e.query, "-- name: "+query+" ") {
			return fmt.Errorf("%s executed another query: %s", name, e.query)
		}
		var block any
		if err := json.Unmarshal(e.plan, &block); err != nil {
			return fmt.Errorf("read plan: %w", err)
		}
		p.read(block)
		return nil
	})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return p
}

// explainer is a connection that explains queries instead of executing them.
type explainer struct {
	database.Conn
	query string
	plan  []byte
}

var errExplained = errors.New("explained, not executed")

func (e *explainer) explain(ctx context.Context, query string, args []any) error {
	e.query = query
	if err := e.Conn.QueryRowContext(ctx, "EXPLAIN FORMAT=JSON "+query, args...).Scan(&e.plan); err != nil {
		return fmt.Errorf("explain %s: %w", query, err)
	}
	return errExplained
}

func (e *explainer) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return driver.RowsAffected(0), e.explain(ctx, query, args)
}

func (e *explainer) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return nil, e.explain(ctx, query, args)
}

// QueryRowContext returns a row that scans to sql.ErrNoRows, since it can't return errExplained.
func (e *explainer) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if err := e.explain(ctx, query, args); !errors.Is(err, errExplained) {
		return e.Conn.QueryRowContext(ctx, "EXPLAIN "+query, args...) // fails again
	}
	return e.Conn.QueryRowContext(ctx, "SELECT 1 WHERE FALSE")
}

// plan is the part of an EXPLAIN that the test checks.
type plan struct {
	tables              []access
	filesort, temporary bool
}

// access describes how MySQL finds rows of a table.
type access struct {
	table, how, key string
	rows            float64
}

// read collects the tables from a node of the plan and its children.
func (p *plan) read(node any) {
	switch node := node.(type) {
	case []any:
		for _, child := range node {
			p.read(child)
		}
	case map[string]any:
		if name, ok := node["table_name"].(string); ok {
			a := access{table: name}
			a.how, _ = node["access_type"].(string)
			a.key, _ = node["key"].(string)
			a.rows, _ = node["rows_examined_per_scan"].(float64)
			p.tables = append(p.tables, a)
		}
		p.filesort = p.filesort || node["using_filesort"] == true
		p.temporary = p.temporary || node["using_temporary_table"] == true
		for _, key := range slices.Sorted(maps.Keys(node)) {
			p.read(node[key])
		}
	}
}

// scans reports whether the whole table, or a whole index, is read.
func (a access) scans() bool { return a.how == "ALL" || a.how == "index" }

func (p plan) String() string {
	var s strings.Builder
	for _, a := range p.tables {
		fmt.Fprintf(&s, "%s: %s %s, %.0f rows; ", a.table, a.how, a.key, a.rows)
	}
	if p.filesort {
		s.WriteString("filesort; ")
	}
	if p.temporary {
		s.WriteString("temporary table; ")
	}
	if s.Len() == 0 {
		return "reads no table"
	}
	return strings.TrimSuffix(s.String(), "; ")
}

func (q query) check(t *testing.T, name string, p plan) {
	t.Helper()
	var faults []string
	for i, a := range p.tables {
		if a.scans() && q.small == "" {
			faults = append(faults, "scans "+a.table)
		}
		if i == 0 && a.key != q.key && q.small == "" {
			faults = append(faults, fmt.Sprintf("finds %s by %q, want %q", a.table, a.key, q.key))
		}
	}
	if p.filesort && q.sorts == "" {
		faults = append(faults, "sorts")
	}
	if p.temporary && q.temporary == "" {
		faults = append(faults, "fills a temporary table")
	}
	for _, fault := range faults {
		t.Errorf("%s: %s\n%s", name, fault, p)
	}
}
