package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/XSAM/otelsql"
	"github.com/gofrs/flock"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/pedidos-hq/pedidos/services/platform/telemetry"
)

// readers is how many queries the embedded engine runs beside its one writer.
const readers = 8

// OpenSQLite opens the database file of that name, which it makes where it is missing. It is durable: a transaction
// that was committed is on the disk (WAL, synchronous=FULL).
func OpenSQLite(file string, tracing *telemetry.Tracing) (*DB, error) {
	open := func(dsn string) (*sql.DB, error) {
		if tracing != nil {
			return otelsql.Open("sqlite", dsn, spans(tracing, "sqlite")...)
		}
		return sql.Open("sqlite", dsn)
	}
	write, err := open(sqliteDSN(file, "immediate",
		"journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)", "busy_timeout(10000)"))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", file, err)
	}
	write.SetMaxOpenConns(1)
	read, err := open(sqliteDSN(file, "deferred",
		"query_only(ON)", "foreign_keys(ON)", "busy_timeout(10000)"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", file, err), write.Close())
	}
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	db := &DB{engine: embedded{}, write: newPool("write", write), read: newPool("read", read)}
	if err := write.PingContext(context.Background()); err != nil { // makes the file, in WAL mode, before a reader comes
		return nil, errors.Join(fmt.Errorf("open %s: %w", file, err), db.Close())
	}
	return db, nil
}

// BackupSQLite copies a database file as it is at one moment, while others may write to it. There is a copy only once it is
// whole and on the disk.
func BackupSQLite(ctx context.Context, file, to string) (err error) {
	if _, err := os.Lstat(to); err == nil {
		return fmt.Errorf("%s is there already; a backup does not replace what is there", to)
	}
	part := to + ".part"
	copied, err := os.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // empty, which SQLite takes
	if err != nil {
		return fmt.Errorf("%s can't be made: %w", part, cause(err))
	}
	defer func() { err = errors.Join(err, copied.Close()) }()
	defer func() {
		if err != nil {
			_ = os.Remove(part)
		}
	}()
	db, err := sql.Open("sqlite", sqliteDSN(file, "deferred", "busy_timeout(10000)"))
	if err != nil {
		return fmt.Errorf("open %s: %w", file, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", part); err != nil {
		return fmt.Errorf("copy %s: %w", file, err)
	}
	if err := copied.Sync(); err != nil {
		return fmt.Errorf("write %s: %w", part, cause(err))
	}
	if err := os.Rename(part, to); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(to))
}

// syncFolder makes the names in a folder durable.
func syncFolder(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return fmt.Errorf("open %s: %w", folder, cause(err))
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", folder, err)
	}
	return nil
}

func sqliteDSN(file, lock string, pragmas ...string) string {
	query := url.Values{"_txlock": {lock}, "_pragma": pragmas}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(file)}).EscapedPath(), RawQuery: query.Encode()}).String()
}

// LockFolder takes a folder for this process alone and makes it where it is missing. The error says in a sentence why
// it can't be had.
func LockFolder(folder string) (release func() error, err error) {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return nil, fmt.Errorf("the data folder %s can't be made: %w", folder, cause(err))
	}
	lock := flock.New(filepath.Join(folder, "pedidos.lock"))
	ok, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("the data folder %s can't be written: %w", folder, cause(err))
	}
	if !ok {
		return nil, fmt.Errorf("the data folder %s is in use by another pedidos; stop it, or choose another folder", folder)
	}
	return lock.Unlock, nil
}

// cause takes the path off an error whose sentence names it already.
func cause(err error) error {
	if path := (*os.PathError)(nil); errors.As(err, &path) {
		return path.Err
	}
	return err
}

type embedded struct{}

func (embedded) name() string { return "sqlite" }

func (embedded) begin() string { return "BEGIN IMMEDIATE" } // the writer's lock at once: no other to wait for later

func (embedded) deadlock() string { return "busy" } // another process has the file

func (embedded) wrap(c Conn) Conn { return embeddedConn{c} }

func (embedded) first(last int64, rows int) int64 { return last - int64(rows-1) }

func (embedded) classify(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return nil
	}
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return ErrDuplicate
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return ErrMissingParent
	case sqlite3.SQLITE_CONSTRAINT_CHECK:
		return ErrCheck
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return errDeadlock
	case sqlite3.SQLITE_INTERRUPT:
		return context.DeadlineExceeded
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY:
		return errUnavailable
	}
	return nil
}

// embeddedConn drops row locks, which the one writer makes needless, and writes times as text whose order is theirs.
type embeddedConn struct{ Conn }

func (c embeddedConn) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return c.Conn.ExecContext(ctx, query, times(args)...)
}

// PrepareContext refuses: what a prepared statement is given later would go past this wrapper.
func (embeddedConn) PrepareContext(context.Context, string) (*sql.Stmt, error) {
	return nil, errors.New("database: statements are not prepared on the embedded engine")
}

func (c embeddedConn) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return c.Conn.QueryContext(ctx, unlocked(query), times(args)...)
}

func (c embeddedConn) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return c.Conn.QueryRowContext(ctx, unlocked(query), times(args)...)
}

func unlocked(query string) string {
	query = strings.TrimSuffix(strings.TrimRight(query, "\n"), " SKIP LOCKED")
	return strings.TrimSuffix(query, "\nFOR UPDATE")
}

const timeLayout = "2006-01-02 15:04:05.000000"

func times(args []any) []any {
	for i, arg := range args {
		switch t := arg.(type) {
		case time.Time:
			args[i] = t.UTC().Format(timeLayout)
		case *time.Time:
			if t != nil {
				args[i] = t.UTC().Format(timeLayout)
			}
		}
	}
	return args
}
