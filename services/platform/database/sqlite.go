package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
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
// that was committed is on the disk (WAL, synchronous=FULL). Its owner alone may read it, whatever the folder's mode.
func OpenSQLite(file string, tracing *telemetry.Tracing) (*DB, error) {
	open := func(dsn string) (*sql.DB, error) {
		if tracing != nil {
			return otelsql.Open("sqlite", dsn, spans(tracing, "sqlite")...)
		}
		return sql.Open("sqlite", dsn)
	}
	if err := makePrivate(file); err != nil {
		return nil, err
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
	writer := newPool("write", write)
	db := &DB{engine: embedded{}, write: writer, shared: writer, read: newPool("read", read), writes: writes{check: checkFile(file, write)}}
	if err := write.PingContext(context.Background()); err != nil { // puts it in WAL mode before a reader comes
		return nil, errors.Join(openError(file, err), db.Close())
	}
	return db, nil
}

// ReadSQLite opens a database file that is there, to read it and change nothing, while others may write to it.
func ReadSQLite(file string) (*DB, error) {
	shared, err := readOnly(file)
	if err != nil {
		return nil, err
	}
	pool := newPool("read", shared)
	return &DB{engine: embedded{}, write: pool, shared: pool, read: pool}, nil
}

// readOnly opens a database file that is there, to read it. Its folder may be one that can't be written: then SQLite, which
// would keep files there, is told that nobody else writes, unless there is a log that somebody has written.
func readOnly(file string) (*sql.DB, error) {
	if _, err := os.Stat(file); err != nil {
		return nil, fmt.Errorf("open %s: %w", file, cause(err))
	}
	db, err := readBy(file, "&mode=ro")
	if e := (*sqlite.Error)(nil); errors.As(err, &e) && slices.Contains([]int{sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}, e.Code()&0xff) {
		if wal, statErr := os.Stat(file + "-wal"); errors.Is(statErr, fs.ErrNotExist) || statErr == nil && wal.Size() == 0 {
			db, err = readBy(file, "&immutable=1")
		}
	}
	if err != nil {
		return nil, openError(file, err)
	}
	return db, nil
}

func readBy(file, way string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", sqliteDSN(file, "deferred", "busy_timeout(10000)")+way)
	if err != nil {
		return nil, err
	}
	var tables int
	if err := db.QueryRowContext(context.Background(), "SELECT COUNT(*) FROM sqlite_master").Scan(&tables); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// openError says in a sentence why a file can't be opened as a database.
func openError(file string, err error) error {
	if e := (*sqlite.Error)(nil); errors.As(err, &e) {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_NOTADB:
			return fmt.Errorf("%s is not a database: there is something else in the file", file)
		case sqlite3.SQLITE_CORRUPT:
			return fmt.Errorf("%s is damaged: restore a backup", file)
		case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN:
			return fmt.Errorf("this user may not write %s, or the folder that it is in", file)
		}
	}
	return fmt.Errorf("open %s: %w", file, err)
}

// makePrivate makes a database file where it is missing, and lets nobody but its owner read it and what SQLite keeps beside
// it. SQLite gives the files that it makes later the mode of the database.
func makePrivate(file string) error {
	made, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err == nil {
		err = made.Close()
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("open %s: %w", file, cause(err))
	}
	for _, name := range []string{file, file + "-wal", file + "-shm"} {
		if err := Private(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Private takes the right to read a file from all but its owner.
func Private(file string) error {
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	if info.Mode().Perm() == 0o600 || info.IsDir() {
		return nil
	}
	if err := os.Chmod(file, 0o600); err != nil {
		return fmt.Errorf("others may read %s, and its mode can't be changed to 0600: %w", file, cause(err))
	}
	return nil
}

// BackupSQLite copies a database file as it is at one moment, while others may write to it, and opens the copy to see that
// it is whole. There is a copy of that name only once it is, and is on the disk.
func BackupSQLite(ctx context.Context, file, to string) (counts Counts, err error) {
	// SQLite takes a name that begins with "file:" for a URI. An absolute one never does.
	whole, err := filepath.Abs(to)
	if err != nil {
		return counts, fmt.Errorf("%s can't be found: %w", to, err)
	}
	if _, err := os.Lstat(whole); err == nil {
		return counts, fmt.Errorf("%s is there already; a backup does not replace what is there", to)
	}
	part := whole + ".part"
	copied, err := os.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // empty, which SQLite takes
	if errors.Is(err, fs.ErrExist) {
		return counts, fmt.Errorf("%s.part is there already, of a backup that is under way or was broken off: delete it if none is", to)
	}
	if err != nil {
		return counts, fmt.Errorf("%s.part can't be made: %w", to, cause(err))
	}
	defer func() { err = errors.Join(err, copied.Close()) }()
	defer func() {
		if err != nil {
			_ = os.Remove(part)
		}
	}()
	if err := Private(part); err != nil { // the umask may have taken the owner's rights
		return counts, err
	}
	db, err := readOnly(file)
	if err != nil {
		return counts, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if counts, err = copyWhole(ctx, db, part); err != nil {
		return counts, fmt.Errorf("copy %s: %w", file, err)
	}
	if err := copied.Sync(); err != nil {
		return counts, fmt.Errorf("write %s: %w", part, cause(err))
	}
	if err := os.Rename(part, whole); err != nil {
		return counts, err
	}
	return counts, syncFolder(filepath.Dir(whole))
}

// Counts is what a database holds.
type Counts struct{ Version, Customers, Products, Orders int64 }

// copyWhole copies a database to a file, and opens that to see that it is whole: that its pages and indexes are sound, and
// that it holds no less than there was before it was made, and no more than there was after. None of what is counted is
// ever deleted.
func copyWhole(ctx context.Context, db *sql.DB, to string) (counts Counts, err error) {
	before, err := count(ctx, db)
	if err != nil {
		return counts, err
	}
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", to); err != nil {
		return counts, err
	}
	after, err := count(ctx, db)
	if err != nil {
		return counts, err
	}
	copied, err := readOnly(to)
	if err != nil {
		return counts, fmt.Errorf("the copy: %w", err)
	}
	defer func() { err = errors.Join(err, copied.Close()) }()
	var sound string
	if err := copied.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&sound); err != nil || sound != "ok" {
		return counts, errors.Join(fmt.Errorf("the copy is damaged: %s", sound), err)
	}
	if counts, err = count(ctx, copied); err != nil {
		return counts, fmt.Errorf("the copy: %w", err)
	}
	for _, n := range [][3]int64{
		{before.Version, counts.Version, after.Version}, {before.Customers, counts.Customers, after.Customers},
		{before.Products, counts.Products, after.Products}, {before.Orders, counts.Orders, after.Orders},
	} {
		if n[1] < n[0] || n[1] > n[2] {
			return counts, fmt.Errorf("the copy is not of this database: it holds %+v, and there were %+v before and %+v after", counts, before, after)
		}
	}
	return counts, nil
}

func count(ctx context.Context, db *sql.DB) (c Counts, err error) {
	err = db.QueryRowContext(ctx, `SELECT (SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version WHERE is_applied),
		(SELECT COUNT(*) FROM customers), (SELECT COUNT(*) FROM products), (SELECT COUNT(*) FROM orders)`,
	).Scan(&c.Version, &c.Customers, &c.Products, &c.Orders)
	return c, err
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

func (embedded) hurry(c Conn) Conn { return c } // there are no locks of rows

func (embedded) waited(error) bool { return false }

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
