package process

import (
	"bufio"
	"database/sql"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"github.com/pedidos-hq/pedidos/e2e/engine"
	"github.com/pedidos-hq/pedidos/e2e/program"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	schema "github.com/pedidos-hq/pedidos/sql"
)

// TestMigrateKilledOnMySQL kills `pedidos migrate up` at each of its statements, after MySQL has executed it and before the
// process receives the result. Another run must complete the migration: the schema and the history of the existing orders
// must be complete.
func TestMigrateKilledOnMySQL(t *testing.T) {
	t.Parallel()
	type start struct {
		name         string
		from, orders int // from is the version of the schema
		step         int // kill at every step-th statement
	}
	starts := []start{{"from nothing", 0, 0, 4}, {"with orders", 1, 50, 3}}
	if *long {
		starts = []start{{"from nothing", 0, 0, 1}, {"with orders", 1, 50, 1}, {"with a million orders", 1, 1_000_000, 40}}
	}
	for _, test := range starts {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			at := engine.EmptyMySQL(t)
			env := mysqlEnvironment(at)
			migrate := func(args ...string) {
				t.Helper()
				if r := program.Run(t, env, append([]string{"migrate"}, args...)...); r.Code != 0 {
					t.Fatalf("migrate %v: exit code %d\n%s%s", args, r.Code, r.Stdout, r.Stderr)
				}
			}
			admin := openMySQL(t, at)
			migrate("up")
			if test.from > 0 {
				if r := program.Run(t, env, "seed", "--customers=5", "--products=5", fmt.Sprintf("--orders=%d", test.orders)); r.Code != 0 {
					t.Fatal(r.Stderr)
				}
			}
			whole, events := schemaOf(t, admin), 0
			if test.from > 0 {
				events = number(t, admin, "SELECT COUNT(*) FROM order_events")
			}
			killed := 0
			for n := 1; ; n += test.step {
				for version := newestVersion(t, admin); version > test.from; version-- {
					migrate("down", "--yes")
				}
				wire := newStatementWire(t, at, n)
				p := program.Start(t, append(slices.Clip(env), "DB_PORT="+wire.port), "migrate", "up")
				if !wire.awaitHeld(p) {
					if code := p.Wait(t); code != 0 {
						t.Fatalf("migrate up ends with %d\n%s", code, p.Stderr)
					}
					break
				}
				p.Kill(t)
				wire.close()
				killed++
				migrate("up")
				if got := schemaOf(t, admin); got != whole {
					t.Fatalf("killed at statement %d, %q: the schema is\n%s\nwant\n%s", n, wire.lastStatement(), got, whole)
				}
				if test.from > 0 {
					if got := number(t, admin, "SELECT COUNT(*) FROM order_events"); got != events {
						t.Fatalf("killed at statement %d, %q: there are %d events, want %d", n, wire.lastStatement(), got, events)
					}
				}
				if r := program.Run(t, env, "audit"); r.Code != 0 {
					t.Fatalf("killed at statement %d, %q: audit: exit code %d\n%s%s", n, wire.lastStatement(), r.Code, r.Stdout, r.Stderr)
				}
			}
			if killed < 4 {
				t.Errorf("killed %d times, want 4 at least", killed)
			}
			t.Logf("killed %d times", killed)
		})
	}
}

// TestMigrateKilledOnSQLite kills `pedidos migrate up` later each time, measured by the size of the write-ahead log. Another
// run must complete the migration.
func TestMigrateKilledOnSQLite(t *testing.T) {
	t.Parallel()
	orders, kills := 8_000, int64(4)
	if *long {
		orders, kills = 1_000_000, 20
	}
	old := t.TempDir()
	for _, args := range []string{"seed --customers=5 --products=5 " + fmt.Sprintf("--orders=%d", orders), "audit"} {
		if r := program.Run(t, []string{"DATA_DIR=" + old}, strings.Fields(args)...); r.Code != 0 {
			t.Fatal(r.Stderr)
		}
	}
	events := number(t, databaseFile(t, old), "SELECT COUNT(*) FROM order_events")
	if r := program.Run(t, []string{"DATA_DIR=" + old}, "migrate", "down", "--yes"); r.Code != 0 {
		t.Fatal(r.Stderr)
	}
	killed := 0
	for i := range kills {
		folder := copied(t, databaseFile(t, old))
		p := program.Start(t, []string{"DATA_DIR=" + folder}, "migrate", "up")
		enough := i * int64(orders) * 20 // bytes of the write-ahead log
		for end := time.Now().Add(time.Minute); time.Now().Before(end); {
			wal, err := os.Stat(filepath.Join(folder, "pedidos.db-wal"))
			if err == nil && wal.Size() > enough || p.Stdout.String() != "" {
				break
			}
		}
		if p.Stop(t, syscall.SIGKILL) == -1 {
			killed++
		}
		if r := program.Run(t, []string{"DATA_DIR=" + folder}, "migrate", "up"); r.Code != 0 {
			t.Fatalf("after a kill: exit code %d\n%s%s", r.Code, r.Stdout, r.Stderr)
		}
		if got := number(t, databaseFile(t, folder), "SELECT COUNT(*) FROM order_events"); got != events {
			t.Errorf("there are %d events, want %d", got, events)
		}
		if r := program.Run(t, []string{"DATA_DIR=" + folder}, "audit"); r.Code != 0 {
			t.Errorf("audit: exit code %d\n%s%s", r.Code, r.Stdout, r.Stderr)
		}
	}
	t.Logf("killed %d times", killed)
}

// TestReadOnlyCommandsChangeNothing checks that commands that only read do not change a byte of an old database, and that they name the
// migration it needs.
func TestReadOnlyCommandsChangeNothing(t *testing.T) {
	t.Parallel()
	made := t.TempDir()
	commands := append([]string{"seed"}, slices.Repeat([]string{"migrate down --yes"}, newest(t)-1)...)
	for _, args := range append(commands, "backup old.db") {
		if r := program.Run(t, []string{"DATA_DIR=" + made}, strings.Fields(args)...); r.Code != 0 {
			t.Fatalf("%s: exit code %d\n%s%s", args, r.Code, r.Stdout, r.Stderr)
		}
	}
	folder := copied(t, databaseFile(t, made))
	file := filepath.Join(folder, "pedidos.db")
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		args   string
		code   int
		prints string
	}{
		{"migrate status", 0, "    1  applied  00001_init.sql\n    2  pending  00002_history.sql\n"},
		{"migrate down", 1, "pedidos: migrate down reverts 00001_init.sql, which loses everything: customers, products, stock, orders and idempotency keys; add --yes to do it\n"},
		{"audit", 1, "pedidos: the audit needs migration 00002_history.sql: run pedidos migrate up, on a copy if this database must not change\n"},
		{"backup b", 0, "schema version: 1.\n"},
	} {
		r := program.Run(t, []string{"DATA_DIR=" + folder}, strings.Fields(tc.args)...)
		if r.Code != tc.code || !strings.Contains(r.Stdout+r.Stderr, tc.prints) {
			t.Errorf("%s: exit code %d, want %q:\n%s%s", tc.args, r.Code, tc.prints, r.Stdout, r.Stderr)
		}
	}
	if got := number(t, databaseFile(t, folder), "SELECT MAX(version_id) FROM goose_db_version"); got != 1 {
		t.Errorf("the schema has version %d, want 1", got)
	}
	if after, err := os.ReadFile(file); err != nil || !slices.Equal(after, before) {
		t.Errorf("the file was changed: %v", err)
	}
}

// newest returns the number of the newest migration.
func newest(t *testing.T) int {
	t.Helper()
	folder, err := schema.Migrations("sqlite")
	if err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(folder, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}

// TestReadOnlyCommandsDuringUp runs commands that only read on a data folder that a running service has locked.
func TestReadOnlyCommandsDuringUp(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := program.Up(t, nil, folder, program.FreePorts()...)
	for _, args := range []string{"audit", "migrate status", "backup b"} {
		if r := program.Run(t, []string{"DATA_DIR=" + folder}, strings.Fields(args)...); r.Code != 0 {
			t.Errorf("%s: exit code %d\n%s%s", args, r.Code, r.Stdout, r.Stderr)
		}
	}
	s.Interrupt(t)
}

// TestServicesUsersOfMySQL checks the rights of the users that the services connect as. They may read the version of the
// schema and append to the audit trail, but not change the trail, even if an earlier version granted that.
func TestServicesUsersOfMySQL(t *testing.T) {
	t.Parallel()
	at := engine.EmptyMySQL(t)
	env, admin := mysqlEnvironment(at), openMySQL(t, at)
	exec := func(statement string) {
		t.Helper()
		if _, err := admin.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	users := map[string]string{"customers": at.Name[len(at.Name)-12:] + "_c", "orders": at.Name[len(at.Name)-12:] + "_o"}
	for _, user := range users {
		exec(fmt.Sprintf("CREATE USER `%s`@`%%` IDENTIFIED BY 'planted-password'", user))
		t.Cleanup(func() { _, _ = admin.Exec(fmt.Sprintf("DROP USER `%s`@`%%`", user)) })
		exec(fmt.Sprintf("GRANT USAGE ON *.* TO `%s`@`%%`", user))
	}
	if r := program.Run(t, env, "migrate", "up"); r.Code != 0 {
		t.Fatal(r.Stderr)
	}
	as := func(user string) []string {
		return []string{"DB_HOST=" + at.Host, fmt.Sprintf("DB_PORT=%d", at.Port), "DB_USER=" + user, "DB_PASSWORD=planted-password", "DB_NAME=" + at.Name, "DB_WAIT=1s"}
	}
	exec(fmt.Sprintf("GRANT SELECT, INSERT, UPDATE, DELETE ON `%s`.audit_log TO `%s`@`%%`", at.Name, users["customers"]))
	for _, table := range []string{"order_events", "stock_adjustments"} { // as earlier versions granted
		exec(fmt.Sprintf("GRANT SELECT, INSERT, UPDATE, DELETE ON `%s`.%s TO `%s`@`%%`", at.Name, table, users["orders"]))
	}
	if r := program.Run(t, as(users["orders"]), "migrate", "status"); r.Code != 1 || !strings.Contains(r.Stderr, "connect as the user who migrates") {
		t.Errorf("migrate status of a user without rights: exit code %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	for range 2 {
		if r := program.Run(t, env, "migrate", "up", "--customers-user", users["customers"], "--orders-user", users["orders"]); r.Code != 0 {
			t.Fatal(r.Stderr)
		}
	}
	for service, user := range users {
		r := program.Run(t, as(user), "migrate", "status")
		if r.Code != 0 || !strings.Contains(r.Stdout, "2  applied  00002_history.sql\n") {
			t.Errorf("migrate status as the %s user: exit code %d\n%s%s", service, r.Code, r.Stdout, r.Stderr)
		}
		own := at
		own.User, own.Password = user, "planted-password"
		db := openMySQL(t, own)
		for _, statement := range []string{
			"UPDATE order_events SET reason = 'x'", "DELETE FROM order_events", "UPDATE stock_adjustments SET delta = 1", "DELETE FROM stock_adjustments",
			"UPDATE audit_log SET actor = 'x'", "DELETE FROM audit_log",
		} {
			_, err := db.ExecContext(t.Context(), statement)
			if refused, ok := err.(*driver.MySQLError); !ok || refused.Number != 1142 { //nolint:errorlint // as the driver returns it
				t.Errorf("%s as the %s user: %v, want 1142", statement, service, err)
			}
		}
	}
	db := openMySQL(t, database.MySQL{Host: at.Host, Port: at.Port, User: users["orders"], Password: "planted-password", Name: at.Name})
	for _, query := range []string{"SELECT COUNT(*) FROM order_events", "SELECT COUNT(*) FROM stock_adjustments"} {
		number(t, db, query)
	}
	exec("INSERT INTO products (sku, name, search_text, price_cents, stock, version, created_at, updated_at) VALUES ('A', 'A', 'a', 1, 1, 1, NOW(6), NOW(6))")
	if _, err := db.ExecContext(t.Context(), "INSERT INTO stock_adjustments (product_id, delta, caller, created_at) VALUES (1, 1, 'x', NOW(6))"); err != nil {
		t.Error(err)
	}
}

// schemaOf returns the columns of all tables of the database.
func schemaOf(t *testing.T, db *sql.DB) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT table_name, column_name, column_type, is_nullable FROM information_schema.columns
		WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var text strings.Builder
	for rows.Next() {
		var table, column, kind, nullable string
		if err := rows.Scan(&table, &column, &kind, &nullable); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&text, table, column, kind, nullable)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

func newestVersion(t *testing.T, db *sql.DB) int {
	t.Helper()
	return number(t, db, "SELECT MAX(version_id) FROM goose_db_version")
}

func mysqlEnvironment(at database.MySQL) []string {
	return []string{
		"DB_HOST=" + at.Host, fmt.Sprintf("DB_PORT=%d", at.Port), "DB_USER=" + at.User, "DB_PASSWORD=" + at.Password, "DB_NAME=" + at.Name,
		"DB_TLS=off", // statementWire reads the statements
	}
}

func openMySQL(t *testing.T, at database.MySQL) *sql.DB {
	t.Helper()
	config := driver.NewConfig()
	config.Net, config.Addr = "tcp", net.JoinHostPort(at.Host, strconv.Itoa(at.Port))
	config.User, config.Passwd, config.DBName = at.User, at.Password, at.Name
	connector, err := driver.NewConnector(config)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// statementWire is a proxy in front of MySQL that counts statements. It withholds the answer to the last one, and all that follow.
type statementWire struct {
	port     string
	listener net.Listener
	last     int64
	n        atomic.Int64
	held     chan struct{} // closed once MySQL has answered the last statement
	once     sync.Once
	text     atomic.Value
}

func newStatementWire(t *testing.T, at database.MySQL, last int) *statementWire {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(at.Host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	w := &statementWire{port: port, listener: listener, last: int64(last), held: make(chan struct{})}
	t.Cleanup(w.close)
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", net.JoinHostPort(at.Host, strconv.Itoa(at.Port)))
			if err != nil {
				_ = near.Close()
				continue
			}
			var stop atomic.Bool
			go w.answers(near, far, &stop)
			go w.statements(near, far, &stop)
		}
	}()
	return w
}

// statements forwards the packets of the client and counts the COM_QUERY packets.
func (w *statementWire) statements(near, far net.Conn, stop *atomic.Bool) {
	defer far.Close()
	from := bufio.NewReader(near)
	for {
		header := make([]byte, 4)
		if _, err := io.ReadFull(from, header); err != nil {
			return
		}
		body := make([]byte, int(binary.LittleEndian.Uint32([]byte{header[0], header[1], header[2], 0})))
		if _, err := io.ReadFull(from, body); err != nil {
			return
		}
		if header[3] == 0 && len(body) > 0 && body[0] == 3 && !strings.HasPrefix(string(body[1:]), "SET ") {
			n := w.n.Add(1)
			if n == w.last {
				w.text.Store(string(body[1:]))
				stop.Store(true)
			}
		}
		if _, err := far.Write(append(header, body...)); err != nil {
			return
		}
	}
}

func (w *statementWire) answers(near, far net.Conn, stop *atomic.Bool) {
	defer near.Close()
	answer := make([]byte, 1<<16)
	for {
		n, err := far.Read(answer)
		if err != nil {
			return
		}
		if stop.Load() {
			w.once.Do(func() { close(w.held) })
			continue
		}
		if _, err := near.Write(answer[:n]); err != nil {
			return
		}
	}
}

// awaitHeld waits until the answer to the last statement is withheld. It returns false if the process ends before.
func (w *statementWire) awaitHeld(p *program.Program) bool {
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		select {
		case <-w.held:
			return true
		case <-time.After(time.Millisecond):
			if p.Stdout.String() != "" || p.Stderr.String() != "" && strings.Contains(p.Stderr.String(), "pedidos: ") {
				return false
			}
		}
	}
	return false
}

func (w *statementWire) lastStatement() string {
	text, _ := w.text.Load().(string)
	return text
}

func (w *statementWire) close() { _ = w.listener.Close() }
