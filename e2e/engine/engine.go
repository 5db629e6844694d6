// Package engine creates a database for each test, on SQLite or, with -engine, on MySQL or TiDB.
//
//	go test ./e2e/api                     on SQLite, without Docker
//	go test ./e2e/api -args -engine=mysql on MySQL, in one container for all test programs
//	go test ./e2e/api -args -engine=tidb  on TiDB, in a process for each test program; PEDIDOS_TIDB_SERVER is its executable
//
// Tests that need a server call MySQL, EmptyMySQL or Server. With -engine=tidb, these are on TiDB, and otherwise on MySQL. Without
// Docker, the latter are skipped.
package engine

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	driver "github.com/go-sql-driver/mysql"
	"github.com/gofrs/flock"
	"github.com/testcontainers/testcontainers-go"
	containerlog "github.com/testcontainers/testcontainers-go/log"
	"github.com/testcontainers/testcontainers-go/modules/mysql"
	"github.com/testcontainers/testcontainers-go/wait"

	"github.com/pedidos-hq/pedidos/services/platform/database"
)

var chosen = flag.String("engine", "sqlite", "the engine to run on: sqlite, mysql or tidb")

const (
	image     = "mysql:9.7"
	container = "pedidos-test-mysql" // shared by all test programs, and kept running for the next run
	password  = "root"
	conns     = 16 // connections of one database
)

// discardLogger discards the log of testcontainers.
type discardLogger struct{}

func (discardLogger) Printf(string, ...any) {}

// Name returns the engine that the tests run on: "sqlite", "mysql" or "tidb".
func Name() string { return *chosen }

// IsServer reports whether the tests run on a server, with row locks.
func IsServer() bool { return Name() != "sqlite" }

// Open returns a new database with the newest schema, on the engine that -engine selects.
func Open(t testing.TB) *database.DB {
	t.Helper()
	return OpenWith(t, database.Options{})
}

// OpenWith is like Open, with options.
func OpenWith(t testing.TB, o database.Options) *database.DB {
	t.Helper()
	switch Name() {
	case "sqlite":
	case "mysql", "tidb":
		return MySQL(t, o)
	default:
		t.Fatalf("-engine=%s: unknown engine; use sqlite, mysql or tidb", Name())
	}
	db, err := database.OpenSQLite(filepath.Join(t.TempDir(), "pedidos.db"), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}

// MySQL returns a new database on the server with the newest schema. Without Docker it skips or fails the test, as Server does.
func MySQL(t testing.TB, o database.Options) *database.DB {
	t.Helper()
	at := Server(t)
	template, err := migrated()
	if err != nil {
		t.Fatal(err)
	}
	at.Name = create(t, at)
	if err := template.copyTo(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	return open(t, at, o)
}

// EmptyMySQL creates a database on the server without tables and returns its address.
func EmptyMySQL(t testing.TB) database.MySQL {
	t.Helper()
	at := Server(t)
	at.Name = create(t, at)
	return at
}

// Server returns the address of the server, with the credentials of its administrator. Without Docker it skips the
// test, or fails it with -engine=mysql or if CI is set.
func Server(t testing.TB) database.MySQL {
	t.Helper()
	at, err := start()
	if err == nil {
		return at
	}
	if IsServer() || os.Getenv("CI") != "" {
		t.Fatal(err)
	}
	t.Skipf("MySQL needs Docker and the image %s: %v", image, err)
	return at
}

// Busy occupies all connections that can write to db until release is called.
func Busy(t testing.TB, db *database.DB) (release func()) {
	t.Helper()
	writers, sharers := 1, 0
	if db.Engine() == "mysql" {
		sharers = conns / 4
		writers = conns - sharers - (conns-sharers)/2 // the others are reserved for reads
	}
	end := make(chan struct{})
	var holding, done sync.WaitGroup
	hold := func(n int, do func(context.Context, func()) error) {
		holding.Add(n)
		for range n {
			done.Go(func() {
				err := do(context.WithoutCancel(t.Context()), func() {
					holding.Done()
					<-end
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
	hold(writers, func(ctx context.Context, wait func()) error {
		return db.Tx(ctx, func(database.Conn) error {
			wait()
			return nil
		})
	})
	hold(sharers, func(ctx context.Context, wait func()) error {
		_, err := db.Batches(ctx, func(database.Conn) (int, bool, error) {
			wait()
			return 0, false, nil
		})
		return err
	})
	holding.Wait()
	return func() {
		close(end)
		done.Wait()
	}
}

// start starts the server of the tests.
func start() (database.MySQL, error) {
	if Name() == "tidb" {
		return startTiDB()
	}
	return startMySQL()
}

// startMySQL starts the container, or returns the address of the one that another test program started.
var startMySQL = sync.OnceValues(func() (database.MySQL, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	containerlog.SetDefault(discardLogger{})
	// The reaper would remove the container together with the program that started it.
	if err := os.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true"); err != nil {
		return database.MySQL{}, err
	}
	lock := flock.New(filepath.Join(os.TempDir(), container+".lock"))
	if err := lock.Lock(); err != nil {
		return database.MySQL{}, fmt.Errorf("lock container: %w", err)
	}
	defer func() { _ = lock.Unlock() }()
	c, err := mysql.Run(ctx, image,
		mysql.WithUsername("root"), mysql.WithPassword(password), mysql.WithDatabase("template"),
		testcontainers.WithReuseByName(container),
		// The tests create and drop many databases; none of them needs a write to survive a crash of the machine.
		testcontainers.WithCmd("mysqld", "--max-connections=1000", "--skip-log-bin", "--innodb-flush-log-at-trx-commit=0"),
		testcontainers.WithWaitStrategy(wait.ForNop(func(context.Context, wait.StrategyTarget) error { return nil })), // reach waits
	)
	if err != nil {
		return database.MySQL{}, fmt.Errorf("start %s: %w", image, err)
	}
	host, err := c.Host(ctx)
	if err != nil {
		return database.MySQL{}, fmt.Errorf("find %s: %w", image, err)
	}
	port, err := c.MappedPort(ctx, "3306/tcp")
	if err != nil {
		return database.MySQL{}, fmt.Errorf("find %s: %w", image, err)
	}
	return reach(ctx, database.MySQL{Port: int(port.Num()), User: "root", Password: password, Name: "mysql", Conns: conns}, host, "127.0.0.1")
})

// reach waits until the server answers on one of the hosts. In a container, testcontainers returns the address of the
// gateway, which does not always reach the server.
func reach(ctx context.Context, at database.MySQL, hosts ...string) (database.MySQL, error) {
	for tries := 0; ; tries++ {
		at.Host = hosts[tries%len(hosts)]
		db, err := database.OpenMySQL(at, database.Options{})
		if err != nil {
			return at, err
		}
		attempt, stop := context.WithTimeout(ctx, time.Second)
		err = errors.Join(db.Ping(attempt), db.Close())
		stop()
		if err == nil {
			return at, nil
		}
		select {
		case <-ctx.Done():
			return at, fmt.Errorf("the database does not answer: %w", err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// template holds the statements that create a migrated database.
type template []string

// migrated migrates a database and reads the statements that create its tables.
var migrated = sync.OnceValues(func() (_ template, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	at, err := start()
	if err != nil {
		return nil, err
	}
	admin, err := connect(at)
	if err != nil {
		return nil, err
	}
	defer admin.Close()
	at.Name = fmt.Sprintf("template_%d", os.Getpid())
	if _, err := admin.ExecContext(ctx, "CREATE DATABASE "+at.Name); err != nil {
		return nil, err
	}
	defer func() {
		_, dropped := admin.ExecContext(ctx, "DROP DATABASE "+at.Name)
		err = errors.Join(err, dropped)
	}()
	db, err := database.OpenMySQL(at, database.Options{})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(db.Migrate(ctx), db.Close()); err != nil {
		return nil, err
	}
	return readTemplate(ctx, admin, at.Name)
})

func readTemplate(ctx context.Context, admin *sql.DB, name string) (template, error) {
	rows, err := admin.QueryContext(ctx, "SELECT table_name FROM information_schema.tables WHERE table_schema = ?", name)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var statements template
	for rows.Next() {
		var table, statement string
		if err := rows.Scan(&table); err != nil {
			return nil, err
		}
		if err := admin.QueryRowContext(ctx, "SHOW CREATE TABLE "+name+"."+table).Scan(&table, &statement); err != nil {
			return nil, err
		}
		statements = append(statements, statement)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	var newest int64
	err = admin.QueryRowContext(ctx, "SELECT MAX(version_id) FROM "+name+".goose_db_version").Scan(&newest)
	for version := range newest + 1 {
		statements = append(statements, fmt.Sprintf("INSERT INTO goose_db_version (version_id, is_applied) VALUES (%d, TRUE)", version))
	}
	return statements, err
}

func (t template) copyTo(ctx context.Context, at database.MySQL) error {
	admin, err := connect(at)
	if err != nil {
		return err
	}
	defer admin.Close()
	conn, err := admin.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	// A table may be created before one that it references.
	for _, statement := range append(template{"SET foreign_key_checks = 0"}, t...) {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("copy template: %w", err)
		}
	}
	return nil
}

// create creates an empty database, drops it after the test, and returns its name.
func create(t testing.TB, at database.MySQL) string {
	t.Helper()
	admin, err := connect(at)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("test_%d_%d", os.Getpid(), time.Now().UnixNano())
	if _, err := admin.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, err := admin.ExecContext(context.WithoutCancel(t.Context()), "DROP DATABASE "+name)
		if err := errors.Join(err, admin.Close()); err != nil {
			t.Error(err)
		}
	})
	return name
}

func open(t testing.TB, at database.MySQL, o database.Options) *database.DB {
	t.Helper()
	db, err := database.OpenMySQL(at, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// connect opens a plain connection, for statements that package database does not allow.
func connect(at database.MySQL) (*sql.DB, error) {
	config := driver.NewConfig()
	config.Net, config.Addr = "tcp", fmt.Sprintf("%s:%d", at.Host, at.Port)
	config.User, config.Passwd, config.DBName = at.User, at.Password, at.Name
	connector, err := driver.NewConnector(config)
	if err != nil {
		return nil, fmt.Errorf("configure mysql: %w", err)
	}
	return sql.OpenDB(connector), nil
}
