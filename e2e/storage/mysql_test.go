package storage

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/engine"
	"github.com/pedidos-hq/pedidos/gen/ordersdb"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/problem"
	schema "github.com/pedidos-hq/pedidos/sql"
)

// onMySQL skips the test on other engines.
func onMySQL(t *testing.T) {
	t.Helper()
	if engine.Name() != "mysql" {
		t.Skip("only for MySQL")
	}
}

// TestMigrationsEndInSchema checks that the migrations produce exactly sql/schema.sql, and that they do so again after they are
// all reverted.
func TestMigrationsEndInSchema(t *testing.T) {
	t.Parallel()
	onMySQL(t)
	declared, migrated := engine.EmptyMySQL(t), engine.EmptyMySQL(t)
	want := describe(t, declared, func(db *database.DB) error {
		for statement := range statements(schema.MySQL) {
			err := db.Tx(t.Context(), func(c database.Conn) error {
				_, err := c.ExecContext(t.Context(), statement)
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if got := describe(t, migrated, func(db *database.DB) error { return db.Migrate(t.Context()) }); !slices.Equal(got, want) {
		t.Errorf("migrated:\n%q\nwant, as in schema.sql:\n%q", got, want)
	}
	if len(want) < 50 {
		t.Errorf("compared %d facts, want 50 at least", len(want))
	}
	down := func(db *database.DB) error {
		all, err := db.Migrations(t.Context())
		for range all {
			err = errors.Join(err, db.MigrateDown(t.Context()))
		}
		return err
	}
	if left := describe(t, migrated, down); len(left) > 0 {
		t.Errorf("migrating down leaves %q", left)
	}
	if got := describe(t, migrated, func(db *database.DB) error { return db.Migrate(t.Context()) }); !slices.Equal(got, want) {
		t.Errorf("up after down:\n%q\nwant:\n%q", got, want)
	}
}

func statements(script string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for _, statement := range bytes.Split([]byte(script), []byte(";\n")) {
			if len(bytes.TrimSpace(statement)) > 0 && !yield(string(statement)) {
				return
			}
		}
	}
}

// describe applies change to a database and returns a description of its columns, indexes, constraints and tables.
func describe(t *testing.T, at database.MySQL, change func(*database.DB) error) (facts []string) {
	t.Helper()
	db, err := database.OpenMySQL(at, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := change(db); err != nil {
		t.Fatal(err)
	}
	err = db.Read(t.Context(), func(c database.Conn) error {
		for _, query := range []string{
			`SELECT CONCAT_WS(' ', table_name, ordinal_position, column_name, column_type, is_nullable, column_default, collation_name, extra)
			 FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name NOT LIKE 'goose%' ORDER BY 1`,
			`SELECT CONCAT_WS(' ', table_name, index_name, seq_in_index, column_name, non_unique)
			 FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name NOT LIKE 'goose%' ORDER BY 1`,
			`SELECT CONCAT_WS(' ', table_name, constraint_name, constraint_type)
			 FROM information_schema.table_constraints WHERE table_schema = DATABASE() AND table_name NOT LIKE 'goose%' ORDER BY 1`,
			`SELECT CONCAT_WS(' ', constraint_name, check_clause)
			 FROM information_schema.check_constraints WHERE constraint_schema = DATABASE() ORDER BY 1`,
			`SELECT CONCAT_WS(' ', table_name, engine, table_collation)
			 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name NOT LIKE 'goose%' ORDER BY 1`,
		} {
			rows, err := c.QueryContext(t.Context(), query)
			if err != nil {
				return err
			}
			for rows.Next() {
				var fact string
				if err := rows.Scan(&fact); err != nil {
					return err
				}
				facts = append(facts, fact)
			}
			if err := errors.Join(rows.Err(), rows.Close()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return facts
}

// TestMigrateTogether migrates one database from several replicas at once. All must succeed.
func TestMigrateTogether(t *testing.T) {
	t.Parallel()
	onMySQL(t)
	at := engine.EmptyMySQL(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			db, err := database.OpenMySQL(at, database.Options{})
			if err == nil {
				err = errors.Join(db.Migrate(t.Context()), db.Ready(t.Context()), db.Close())
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// TestSession checks that each session sets its own SQL mode, time zone, isolation and timeouts, whatever the defaults of the
// server are.
func TestSession(t *testing.T) {
	t.Parallel()
	onMySQL(t)
	db := engine.MySQL(t, database.Options{})
	err := db.Read(t.Context(), func(c database.Conn) error {
		for query, want := range map[string]string{
			"SELECT @@time_zone":             "+00:00",
			"SELECT @@transaction_isolation": "READ-COMMITTED",
			"SELECT @@wait_timeout":          "20", // in seconds; a vanished client keeps its locks that long
			"SELECT @@collation_connection":  "utf8mb4_bin",
			"SELECT @@sql_mode LIKE '%STRICT_TRANS_TABLES%' AND @@sql_mode LIKE '%ONLY_FULL_GROUP_BY%'": "1",
		} {
			var got string
			if err := c.QueryRowContext(t.Context(), query).Scan(&got); err != nil || got != want {
				t.Errorf("%s: got %q, %v, want %q", query, got, err, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestSilentServer connects to a server that accepts connections and never answers. Calls must return at their deadline.
func TestSilentServer(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	db := openAt(t, listener.Addr())
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	for name, use := range map[string]func(context.Context, func(database.Conn) error) error{"read": db.Read, "tx": db.Tx} {
		err := use(ctx, func(c database.Conn) error {
			_, err := ordersdb.New(c).GetOrder(ctx, 1)
			return err
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: got %v, want the deadline", name, err)
		}
	}
}

// TestAbsentServer checks that a server that does not run counts as unavailable, and that Wait connects once it runs.
func TestAbsentServer(t *testing.T) {
	t.Parallel()
	onMySQL(t)
	server := engine.Server(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	db := openAt(t, address)
	err = db.Ping(t.Context())
	if e := (*fault.Error)(nil); !errors.As(err, &e) || problem.Status(e) != 503 {
		t.Errorf("ping: got %v, want a 503 with Retry-After", err)
	}
	if err := db.Wait(t.Context(), 300*time.Millisecond, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("Wait succeeded without a server")
	}
	found := make(chan error, 1)
	waiting := &firstWrite{first: make(chan struct{})}
	go func() { found <- db.Wait(t.Context(), time.Minute, slog.New(slog.NewTextHandler(waiting, nil))) }()
	<-waiting.first
	forward(t, address.String(), net.JoinHostPort(server.Host, strconv.Itoa(server.Port)))
	if err := <-found; err != nil {
		t.Error(err)
	}
}

func openAt(t *testing.T, address net.Addr) *database.DB {
	t.Helper()
	db, err := database.OpenMySQL(database.MySQL{
		Host: "127.0.0.1", Port: address.(*net.TCPAddr).Port, User: "root", Password: "root", Name: "mysql", Conns: 2,
	}, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// firstWrite is a writer that closes first at the first write.
type firstWrite struct {
	once  sync.Once
	first chan struct{}
}

func (l *firstWrite) Write(p []byte) (int, error) {
	l.once.Do(func() { close(l.first) })
	return len(p), nil
}

// forward listens on one address and forwards connections to another.
func forward(t *testing.T, from, to string) {
	t.Helper()
	listener, err := net.Listen("tcp", from)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				_ = near.Close()
				continue
			}
			for _, pair := range [][2]net.Conn{{near, far}, {far, near}} {
				go func() {
					_, _ = pair[0].(*net.TCPConn).WriteTo(pair[1])
					_ = pair[1].Close()
				}()
			}
		}
	}()
}

// TestTransactionEnds ends the context of a transaction while a statement waits for a lock, and before its COMMIT. Tx must return the
// error of the context and not wait for the lock, nothing may take effect, and the next transaction must succeed.
func TestTransactionEnds(t *testing.T) {
	t.Parallel()
	onMySQL(t)
	insert := func(ctx context.Context, c database.Conn, key string) error {
		_, err := c.ExecContext(ctx, `INSERT INTO orders_idempotency (caller, idem_key, fingerprint, status, headers, body, created_at, expires_at)
VALUES ('caller', ?, '', 0, '', '', NOW(6), NOW(6))`, key)
		return err
	}
	for name, statements := range map[string]func(context.Context, context.CancelFunc, database.Conn) error{
		"within a statement": func(ctx context.Context, cancel context.CancelFunc, c database.Conn) error {
			time.AfterFunc(50*time.Millisecond, cancel)
			return insert(ctx, c, "locked")
		},
		"within a query": func(ctx context.Context, cancel context.CancelFunc, c database.Conn) error {
			time.AfterFunc(50*time.Millisecond, cancel)
			var status int
			return c.QueryRowContext(ctx, "SELECT status FROM orders_idempotency WHERE caller = 'caller' AND idem_key = 'locked' FOR UPDATE").Scan(&status)
		},
		"before COMMIT": func(_ context.Context, cancel context.CancelFunc, _ database.Conn) error {
			cancel()
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := engine.MySQL(t, database.Options{})
			locked, release, released := make(chan struct{}), make(chan struct{}), make(chan error, 1)
			go func() {
				released <- db.Shared.Tx(t.Context(), func(c database.Conn) error {
					err := insert(t.Context(), c, "locked")
					close(locked)
					<-release
					return err
				})
			}()
			<-locked
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			err := db.Tx(ctx, func(c database.Conn) error {
				if err := insert(ctx, c, "own"); err != nil {
					return err
				}
				return statements(ctx, cancel, c)
			})
			if !errors.Is(err, context.Canceled) || errors.Is(err, database.ErrLockTimeout) {
				t.Errorf("got %v, want that the context was canceled", err)
			}
			close(release)
			if err := <-released; err != nil {
				t.Error(err)
			}
			if err := db.Tx(t.Context(), func(c database.Conn) error { return insert(t.Context(), c, "own") }); err != nil {
				t.Errorf("the same statement in the next transaction: %v", err) // a duplicate, if it took effect before
			}
		})
	}
}
