package process

import (
	"database/sql"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/program"
)

// small seeds a small data set.
var small = []string{"seed", "--customers=20", "--products=10", "--orders=200"}

// TestSeedInBulk seeds in bulk twice and checks the numbers of rows and their consistency each time.
func TestSeedInBulk(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	env := []string{"DATA_DIR=" + folder}
	for _, times := range []int{1, 2} {
		r := program.Run(t, env, small...)
		progress := regexp.MustCompile(`^customers: 20 of 20 \(100%\), \d+ rows/s\nproducts: 10 of 10 \(100%\), \d+ rows/s\norders: 200 of 200 \(100%\), \d+ rows/s\n$`)
		if r.Code != 0 || r.Stdout != "" || !progress.MatchString(r.Stderr) {
			t.Fatalf("seed: exit code %d\n%s%s", r.Code, r.Stdout, r.Stderr)
		}
		if r := program.Run(t, env, "audit"); r.Code != 0 || r.Stdout != "Stock and totals add up.\n" {
			t.Errorf("audit: exit code %d\n%s%s", r.Code, r.Stdout, r.Stderr)
		}
		db := databaseFile(t, folder)
		want := map[string]int{"customers": 20 * times, "products": 10 * times, "orders": 200 * times}
		got := map[string]int{}
		for table := range want {
			got[table] = number(t, db, "SELECT COUNT(*) FROM "+table)
		}
		if !maps.Equal(got, want) {
			t.Errorf("seeded %d times: %v, want %v", times, got, want)
		}
		for what, query := range map[string]string{
			"statuses":                         "SELECT 3 - COUNT(DISTINCT status) FROM orders",
			"years":                            "SELECT COUNT(*) FROM orders WHERE created_at NOT LIKE '2025-__-__ __:__:__.______'",
			"months":                           "SELECT 12 - COUNT(DISTINCT SUBSTR(created_at, 1, 7)) FROM orders",
			"orders that go back in time":      "SELECT COUNT(*) FROM orders o JOIN orders p ON p.id = o.id - 1 WHERE o.created_at < p.created_at AND o.id % 200 <> 1",
			"orders with too many lines":       "SELECT COUNT(*) FROM (SELECT 1 FROM order_lines GROUP BY order_id HAVING COUNT(*) > 5)",
			"orders that are not a customer's": "SELECT COUNT(*) FROM orders o WHERE NOT EXISTS (SELECT 1 FROM customers c WHERE c.id = o.customer_id AND c.name = o.customer_name AND c.email = o.customer_email AND c.phone IS o.customer_phone)",
			"orders canceled before confirmed": "SELECT COUNT(*) FROM orders WHERE canceled_at < confirmed_at OR confirmed_at < created_at OR canceled_at < created_at",
			"names with accents in the search": "SELECT COUNT(*) FROM customers WHERE search_text LIKE '%ñ%' OR search_text LIKE '%é%' OR search_text <> LOWER(search_text)",
			"products without stock":           "SELECT COUNT(*) FROM products WHERE stock < 1",
		} {
			if n := number(t, db, query); n != 0 {
				t.Errorf("%s: %d", what, n)
			}
		}
	}
}

// TestSeedIsDeterministic checks that the data depends on --rand-seed alone.
func TestSeedIsDeterministic(t *testing.T) {
	t.Parallel()
	seeded := func(number string) string {
		folder := t.TempDir()
		if r := program.Run(t, []string{"DATA_DIR=" + folder}, append(small, "--rand-seed="+number)...); r.Code != 0 {
			t.Fatalf("seed: exit code %d\n%s", r.Code, r.Stderr)
		}
		db := databaseFile(t, folder)
		return dump(t, db, "customers") + dump(t, db, "products") + dump(t, db, "stock_adjustments") + dump(t, db, "orders") + dump(t, db, "order_lines")
	}
	seven := seeded("7")
	if seven != seeded("7") {
		t.Error("the same seed gives different data")
	}
	if seven == seeded("8") {
		t.Error("another seed gives the same data")
	}
}

func TestSeedOrdersForExistingCustomers(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	env := []string{"DATA_DIR=" + folder}
	if r := program.Run(t, env, "seed", "--orders=5"); r.Code != 1 || !strings.Contains(r.Stderr, "--customers") || strings.Count(r.Stderr, "\n") != 1 {
		t.Errorf("orders without customers: exit code %d\n%s", r.Code, r.Stderr)
	}
	if r := program.Run(t, env, "seed", "--orders=-5"); r.Code != 1 || strings.Count(r.Stderr, "\n") != 1 {
		t.Errorf("a negative number of orders: exit code %d\n%s", r.Code, r.Stderr)
	}
	for _, args := range [][]string{{"seed"}, {"seed", "--orders=50"}, {"audit"}} {
		if r := program.Run(t, env, args...); r.Code != 0 {
			t.Fatalf("%s: exit code %d\n%s%s", args, r.Code, r.Stdout, r.Stderr)
		}
	}
	db := databaseFile(t, folder)
	if n := number(t, db, "SELECT COUNT(*) FROM orders WHERE customer_email IN ('compras@acme.example', 'pedidos@delsur.example')"); n != 50 {
		t.Errorf("the sample customers have %d orders, want 50", n)
	}
}

// TestSeedInterrupted checks that a seed that is stopped says what it has added.
func TestSeedInterrupted(t *testing.T) {
	t.Parallel()
	p := program.Start(t, nil, "seed", "--customers=10", "--products=5000000")
	p.AwaitMatch(t, p.Stderr, regexp.MustCompile(`customers: 10 of 10`))
	code := p.Stop(t, syscall.SIGTERM)
	if want := regexp.MustCompile(`\npedidos: interrupted; rows that were added: customers: 10(, products: \d+)?\n$`); code != 1 || !want.MatchString(p.Stderr.String()) {
		t.Errorf("exit code %d\n%swant %s", code, p.Stderr, want)
	}
}

// TestAuditFindsInconsistencies tampers with a copy of the database in each case.
func TestAuditFindsInconsistencies(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	env := []string{"DATA_DIR=" + folder}
	if r := program.Run(t, env, small...); r.Code != 0 {
		t.Fatalf("seed: exit code %d\n%s", r.Code, r.Stderr)
	}
	db := databaseFile(t, folder)
	created, confirmed, canceled := number(t, db, "SELECT MIN(id) FROM orders WHERE status = 'CREATED'"),
		number(t, db, "SELECT MIN(id) FROM orders WHERE status = 'CONFIRMED'"), number(t, db, "SELECT MIN(id) FROM orders WHERE status = 'CANCELED'")
	for _, test := range []struct {
		name, tamper string
		id           int
		want         string // a pattern
	}{
		{"stock", "UPDATE products SET stock = stock + 1 WHERE id = ?", 3, `product 3: \d+ in stock, but \d+ put in and \d+ taken by orders\n`},
		{"an adjustment", "UPDATE stock_adjustments SET delta = delta - 1 WHERE id = ?", 4,
			`product 4: \d+ in stock, .*\nproduct 4: stock movements with a wrong number of units: 1\n`},
		{"an adjustment that is gone", "DELETE FROM stock_adjustments WHERE id = ?", 4, `product 4: .*\n`},
		{"the total", "UPDATE orders SET total_cents = total_cents + 1 WHERE id = ?", 7, `order 7: its total is \d+ cents, its lines are \d+\n`},
		{"a subtotal", "UPDATE order_lines SET subtotal_cents = subtotal_cents + 1 WHERE order_id = ? AND product_id = (SELECT MIN(product_id) FROM order_lines WHERE order_id = ?1)", 7,
			`order 7: its total is \d+ cents, its lines are \d+; lines whose subtotal is not quantity times price: 1\n`},
		{"a price", "UPDATE order_lines SET unit_price_cents = unit_price_cents + 1 WHERE order_id = ?", canceled,
			`order ` + fmt.Sprint(canceled) + `: lines whose subtotal is not quantity times price: \d\n`},
		{"the lines", "DELETE FROM order_lines WHERE order_id = ?", canceled, fmt.Sprintf(`order %d: it has no lines; its total is \d+ cents, its lines are 0\n`, canceled)},
		{"a confirmation without its time", "UPDATE orders SET confirmed_at = NULL WHERE id = ?", confirmed, fmt.Sprintf("order %d: it is CONFIRMED, but has no time of confirmation\n", confirmed)},
		{"a time without its confirmation", "UPDATE orders SET confirmed_at = created_at WHERE id = ?", created, fmt.Sprintf("order %d: it is CREATED, but has a time of confirmation\n", created)},
		{"a cancellation without its time", "UPDATE orders SET canceled_at = NULL WHERE id = ?", canceled, fmt.Sprintf("order %d: it is CANCELED, but has no time of cancellation\n", canceled)},
		{"a time without its cancellation", "UPDATE orders SET canceled_at = created_at WHERE id = ?", confirmed, fmt.Sprintf("order %d: it is CONFIRMED, but has a time of cancellation\n", confirmed)},
		{"more than a screen holds", "UPDATE orders SET total_cents = total_cents + ?", 1, `(order \d+: its total .*\n){100}and 100 more\n`},
	} {
		t.Run(test.name, func(t *testing.T) {
			folder := copied(t, db)
			tampered := databaseFile(t, folder)
			if _, err := tampered.ExecContext(t.Context(), test.tamper, test.id); err != nil {
				t.Fatal(err)
			}
			r := program.Run(t, []string{"DATA_DIR=" + folder}, "audit")
			if r.Code != 1 || !regexp.MustCompile("^"+test.want+"$").MatchString(r.Stdout) || !strings.HasPrefix(r.Stderr, "pedidos: the audit found inconsistent rows: ") {
				t.Errorf("exit code %d\n%s%swant %s", r.Code, r.Stdout, r.Stderr, test.want)
			}
		})
	}
}

// databaseFile opens the database of a data folder directly, without the checks of foreign keys that the services enable.
func databaseFile(t *testing.T, folder string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(folder, "pedidos.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// copied copies a database into a new data folder.
func copied(t *testing.T, db *sql.DB) (folder string) {
	t.Helper()
	folder = t.TempDir()
	if _, err := db.ExecContext(t.Context(), "VACUUM INTO ?", filepath.Join(folder, "pedidos.db")); err != nil {
		t.Fatal(err)
	}
	return folder
}

func number(t *testing.T, db *sql.DB, query string) (n int) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// dump returns all rows of a table as text.
func dump(t *testing.T, db *sql.DB, table string) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT * FROM "+table+" ORDER BY 1, 2")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&text, values...)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return text.String()
}
