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
)

// readers is the maximum number of concurrent queries. SQLite runs them beside its single writer.
const readers = 8

// OpenSQLite opens a database file, and creates it if it is missing. Commits are durable (WAL, synchronous=FULL). The file gets
// mode 0600, whatever the mode of the folder.
func OpenSQLite(file string, o Options) (*DB, error) {
	open := func(dsn string) (*sql.DB, error) {
		if o.Tracing != nil {
			return otelsql.Open("sqlite", dsn, spans(o.Tracing, "sqlite")...)
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
	writer := newPool("write", write, "BEGIN IMMEDIATE", o) // IMMEDIATE takes the write lock at the start
	db := newDB(sqliteEngine{}, writer, writer, newPool("read", read, "", o), o)
	db.writes.check = checkFile(file, write)
	if err := write.PingContext(context.Background()); err != nil { // switches to WAL mode, before the first reader opens the file
		return nil, errors.Join(openError(file, err), db.Close())
	}
	return db, nil
}

// ReadSQLite opens an existing database file read-only. Other processes may write to it at the same time.
func ReadSQLite(file string) (*DB, error) {
	db, err := readOnly(file)
	if err != nil {
		return nil, err
	}
	all := newPool("read", db, "", Options{})
	return newDB(sqliteEngine{}, all, all, all, Options{}), nil
}

// readOnly opens an existing database file read-only. SQLite needs to create files beside it. In a read-only folder, readOnly
// opens the file as immutable instead, unless a non-empty write-ahead log shows that there is a writer.
func readOnly(file string) (*sql.DB, error) {
	if _, err := os.Stat(file); err != nil {
		return nil, fmt.Errorf("open %s: %w", file, cause(err))
	}
	db, err := openReadOnly(file, "&mode=ro")
	if e := (*sqlite.Error)(nil); errors.As(err, &e) && slices.Contains([]int{sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}, e.Code()&0xff) {
		if wal, statErr := os.Stat(file + "-wal"); errors.Is(statErr, fs.ErrNotExist) || statErr == nil && wal.Size() == 0 {
			db, err = openReadOnly(file, "&immutable=1")
		}
	}
	if err != nil {
		return nil, openError(file, err)
	}
	return db, nil
}

func openReadOnly(file, mode string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", sqliteDSN(file, "deferred", "busy_timeout(10000)")+mode)
	if err != nil {
		return nil, err
	}
	var tables int
	if err := db.QueryRowContext(context.Background(), "SELECT COUNT(*) FROM sqlite_master").Scan(&tables); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// openError explains why a file can't be opened as a database.
func openError(file string, err error) error {
	if e := (*sqlite.Error)(nil); errors.As(err, &e) {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_NOTADB:
			return fmt.Errorf("%s is not a database", file)
		case sqlite3.SQLITE_CORRUPT:
			return fmt.Errorf("%s is damaged: restore a backup", file)
		case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN:
			return fmt.Errorf("no permission to write %s or its folder", file)
		}
	}
	return fmt.Errorf("open %s: %w", file, err)
}

// makePrivate creates a database file if it is missing, and sets the mode of it and of SQLite's files beside it to 0600. Files that
// SQLite creates later get the mode of the database.
func makePrivate(file string) error {
	created, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err == nil {
		err = created.Close()
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

// Private sets the mode of a file to 0600. It leaves folders alone.
func Private(file string) error {
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	if info.Mode().Perm() == 0o600 || info.IsDir() {
		return nil
	}
	if err := os.Chmod(file, 0o600); err != nil {
		return fmt.Errorf("%s is readable by others, and its mode can't be changed to 0600: %w", file, cause(err))
	}
	return nil
}

// BackupSQLite writes a consistent copy of a database file, which may be in use, to a new file. It verifies the integrity of the
// copy and the row counts of tables, from which no rows may ever be deleted. It writes to a file with the suffix .part and renames
// it once it is verified and on disk. It returns the counts of the copy.
func BackupSQLite(ctx context.Context, file, to string, tables ...string) (counts Counts, err error) {
	// SQLite reads a name that begins with "file:" as a URI; an absolute path never does.
	target, err := filepath.Abs(to)
	if err != nil {
		return counts, fmt.Errorf("absolute path of %s: %w", to, err)
	}
	if _, err := os.Lstat(target); err == nil {
		return counts, fmt.Errorf("%s exists already: a backup replaces no file", to)
	}
	part := target + ".part"
	copied, err := os.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // VACUUM INTO accepts an empty file
	if errors.Is(err, fs.ErrExist) {
		return counts, fmt.Errorf("%s.part exists already: delete it if no other backup is running", to)
	}
	if err != nil {
		return counts, fmt.Errorf("create %s.part: %w", to, cause(err))
	}
	defer func() { err = errors.Join(err, copied.Close()) }()
	defer func() {
		if err != nil {
			_ = os.Remove(part)
		}
	}()
	if err := Private(part); err != nil { // the umask may have removed permissions of the owner
		return counts, err
	}
	db, err := readOnly(file)
	if err != nil {
		return counts, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if counts, err = copyVerified(ctx, db, part, tables); err != nil {
		return counts, fmt.Errorf("copy %s: %w", file, err)
	}
	if err := copied.Sync(); err != nil {
		return counts, fmt.Errorf("write %s: %w", part, cause(err))
	}
	if err := os.Rename(part, target); err != nil {
		return counts, err
	}
	return counts, syncFolder(filepath.Dir(target))
}

// Counts holds the schema version of a database and the row counts of tables.
type Counts struct {
	Version int64
	Rows    []int64 // in the order of the tables passed to BackupSQLite
}

// copyVerified copies a database to a file and verifies the copy. Rows of the tables are never deleted, so each count of the copy
// must lie between the counts before and after it is made.
func copyVerified(ctx context.Context, db *sql.DB, to string, tables []string) (counts Counts, err error) {
	before, err := count(ctx, db, tables)
	if err != nil {
		return counts, err
	}
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", to); err != nil {
		return counts, err
	}
	after, err := count(ctx, db, tables)
	if err != nil {
		return counts, err
	}
	copied, err := readOnly(to)
	if err != nil {
		return counts, fmt.Errorf("the copy: %w", err)
	}
	defer func() { err = errors.Join(err, copied.Close()) }()
	var result string
	if err := copied.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&result); err != nil || result != "ok" {
		return counts, errors.Join(fmt.Errorf("the copy is damaged: %s", result), err)
	}
	if counts, err = count(ctx, copied, tables); err != nil {
		return counts, fmt.Errorf("the copy: %w", err)
	}
	if !before.atMost(counts) || !counts.atMost(after) {
		return counts, fmt.Errorf("the copy does not match the database: it has %+v, but the database had %+v before and %+v after", counts, before, after)
	}
	return counts, nil
}

// count counts with a single statement, so that all counts are of the same moment.
func count(ctx context.Context, db *sql.DB, tables []string) (Counts, error) {
	counts := Counts{Rows: make([]int64, len(tables))}
	query, into := "SELECT (SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version WHERE is_applied)", []any{&counts.Version}
	for i, table := range tables {
		query += ", (SELECT COUNT(*) FROM " + table + ")"
		into = append(into, &counts.Rows[i])
	}
	err := db.QueryRowContext(ctx, query).Scan(into...)
	return counts, err
}

// atMost reports whether no count of c exceeds that of other.
func (c Counts) atMost(other Counts) bool {
	for i := range c.Rows {
		if c.Rows[i] > other.Rows[i] {
			return false
		}
	}
	return c.Version <= other.Version
}

// syncFolder makes the file names of a folder durable.
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

// LockFolder creates a folder if it is missing, and locks it until release is called or the process ends. It fails if another
// process holds the lock.
func LockFolder(folder string) (release func() error, err error) {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return nil, fmt.Errorf("create the data folder %s: %w", folder, cause(err))
	}
	lock := flock.New(filepath.Join(folder, "pedidos.lock"))
	ok, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the data folder %s: %w", folder, cause(err))
	}
	if !ok {
		return nil, fmt.Errorf("the data folder %s is in use by another pedidos: stop it, or choose another folder", folder)
	}
	return lock.Unlock, nil
}

// cause returns the cause of an os.PathError, for messages that already contain the path.
func cause(err error) error {
	if path := (*os.PathError)(nil); errors.As(err, &path) {
		return path.Err
	}
	return err
}

type sqliteEngine struct{}

func (sqliteEngine) name() string { return "sqlite" }

func (sqliteEngine) about() string {
	return "SELECT 'SQLite ' || sqlite_version(), (julianday('now') - 2440587.5) * 86400"
}

func (sqliteEngine) commit(ctx context.Context, conn Conn, _ []deferred) error {
	_, err := conn.ExecContext(ctx, "COMMIT")
	return err
}

func (sqliteEngine) deadlock() string { return "busy" } // another process holds the write lock

func (sqliteEngine) wrap(c Conn) Conn { return sqliteConn{c} }

func (sqliteEngine) shortWait(c Conn) Conn { return c } // SQLite has no row locks

func (sqliteEngine) isLockWait(error) bool { return false }

func (sqliteEngine) first(last int64, rows int) int64 { return last - int64(rows-1) }

func (sqliteEngine) classify(err error) error {
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

// sqliteConn removes the locking clauses of queries, which a single writer does not need, and formats times as text that sorts
// chronologically.
type sqliteConn struct{ Conn }

func (c sqliteConn) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return c.Conn.ExecContext(ctx, query, times(args)...)
}

// PrepareContext fails, because the arguments of a prepared statement would bypass the formatting of times.
func (sqliteConn) PrepareContext(context.Context, string) (*sql.Stmt, error) {
	return nil, errors.New("database: prepared statements are not supported on SQLite")
}

func (c sqliteConn) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return c.Conn.QueryContext(ctx, unlocked(query), times(args)...)
}

func (c sqliteConn) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return c.Conn.QueryRowContext(ctx, unlocked(query), times(args)...)
}

// unlocked returns query without its locking clause.
func unlocked(query string) string {
	query = strings.TrimSuffix(strings.TrimRight(query, "\n"), " SKIP LOCKED")
	return strings.TrimSuffix(query, "\nFOR UPDATE")
}

// timeLayout has a fixed width, so that text order is time order.
const timeLayout = "2006-01-02 15:04:05.000000"

// times replaces the times in args by their text.
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
