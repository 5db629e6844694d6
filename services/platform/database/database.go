// Package database opens MySQL and the embedded SQLite engine and hides their differences: connection pools, row locks,
// the format of times, and error numbers. Both engines run the same queries.
package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/metrics"
)

// Conn runs statements on a pool or in a transaction. It satisfies the DBTX interfaces of the generated queries.
type Conn interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Errors of statements, for use with errors.Is. Read, Snapshot, Tx and Classify add them to the error of the driver.
var (
	ErrNotFound      = sql.ErrNoRows
	ErrDuplicate     = errors.New("database: duplicate key")
	ErrMissingParent = errors.New("database: missing parent row")
	ErrCheck         = errors.New("database: check constraint violated")
	ErrLockTimeout   = errors.New("database: waited too long for a lock")
	errDeadlock      = errors.New("database: deadlock")
	errUnavailable   = errors.New("database: not available")

	// errGone is an errUnavailable of a connection or a server that has ended, errReadOnly of one that has become read-only. Another
	// connection may succeed.
	errGone     = fmt.Errorf("%w: the server can't be used", errUnavailable)
	errReadOnly = fmt.Errorf("%w: it is read-only", errGone)
)

// DB is an open database of either engine. It is safe for concurrent use.
type DB struct {
	engine engine
	Shared *Pool // for batches and sweeps; on SQLite, which has one writer, the pool of Tx

	write   *Pool // for transactions of a single caller, which may wait for locks
	read    *Pool
	replica *Pool // of the other members of a group; nil without a group

	writes       writeHealth
	servers      *servers // nil on SQLite
	watching     sync.WaitGroup
	stopWatching func()

	deadlocks, lockTimeouts, failovers metrics.Counter // retried transactions and reads
}

// engine hides the differences between MySQL and SQLite.
type engine interface {
	name() string
	about() string // a query of the version and the time of the server
	commit(ctx context.Context, conn Conn, later []deferred) error
	deadlock() string // the reason for a retry, in the metrics
	wrap(Conn) Conn
	shortWait(Conn) Conn              // limits how long locking reads wait for a lock
	isLockWait(error) bool            // whether a statement waited too long for a lock
	first(last int64, rows int) int64 // the first id of an INSERT of rows, from its LastInsertId
	classify(error) error             // one of the errors above, or nil
}

// Engine returns "mysql" or "sqlite".
func (db *DB) Engine() string { return db.engine.name() }

// Server describes a database server, or the embedded engine.
type Server struct {
	Version string // such as "MySQL 9.7.4" or "TiDB v8.5.6"
	Clock   time.Time
}

// Server reads the version and the clock of the server.
func (db *DB) Server(ctx context.Context) (s Server, err error) {
	var clock float64 // seconds since 1970
	if err := db.Classify(db.read.QueryRowContext(ctx, db.engine.about()).Scan(&s.Version, &clock)); err != nil {
		return s, fmt.Errorf("read the version of the database: %w", err)
	}
	if _, tidb, found := strings.Cut(s.Version, "-TiDB-"); found {
		s.Version = "TiDB " + tidb
	}
	s.Clock = time.UnixMicro(int64(clock * 1e6)).UTC()
	return s, nil
}

// Close closes all connections.
func (db *DB) Close() error {
	db.stopWatching()
	db.watching.Wait()
	var err error
	for _, p := range db.pools() {
		err = errors.Join(p.Close(), err)
	}
	return err
}

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error { return db.Classify(db.read.PingContext(ctx)) }

// Read runs read-only queries outside of a transaction, so each query sees the latest committed data. It fails with
// CodeUnavailable if too many callers wait for a connection, or if the database does not answer. If the primary of a group is
// gone, Read calls queries again until the deadline of ctx.
func (db *DB) Read(ctx context.Context, queries func(Conn) error) error {
	leave, err := db.read.Enter()
	if err != nil {
		return err
	}
	defer leave()
	for try := 1; ; try++ {
		err := db.Classify(queries(db.engine.wrap(db.read)))
		if !db.hasMoved(ctx, err) || !db.pause(ctx, try) {
			return err
		}
	}
}

// ReadReplica is like Read, but where there is a group, the queries run on a member other than the primary, in a transaction that
// sees everything that was committed before the call. If no such member answers soon, they run on the primary.
func (db *DB) ReadReplica(ctx context.Context, queries func(Conn) error) error {
	if err := db.onReplica(ctx, queries); !errors.Is(err, errNoReplica) {
		return db.Classify(err)
	}
	return db.Read(ctx, queries)
}

// Snapshot is like ReadReplica, but all queries see the database as it was at the first query, on any engine.
func (db *DB) Snapshot(ctx context.Context, queries func(Conn) error) error {
	if err := db.onReplica(ctx, queries); !errors.Is(err, errNoReplica) {
		return db.Classify(err)
	}
	leave, err := db.read.Enter()
	if err != nil {
		return err
	}
	defer leave()
	for try := 1; ; try++ {
		err := db.Classify(db.snapshot(ctx, queries))
		if !db.hasMoved(ctx, err) || !db.pause(ctx, try) {
			return err
		}
	}
}

func (db *DB) snapshot(ctx context.Context, queries func(Conn) error) error {
	// It is not declared READ ONLY, which TiDB refuses and MySQL does not need: InnoDB treats a transaction as such until it writes.
	tx, err := db.read.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead})
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // the queries only read
	return queries(db.engine.wrap(tx))
}

const (
	maxTries = 6
	maxWaits = 2 // attempts that end in a lock timeout; each holds a connection for the whole wait
	backoff  = 5 * time.Millisecond
)

// Tx runs statements in one transaction, which commits if statements returns nil and rolls back otherwise. If the engine
// aborts it because of another transaction (a deadlock, a lock timeout, a busy database), Tx calls statements again, so it must
// have no effects outside the database. Tx fails with CodeUnavailable after six attempts, or after two lock timeouts. If the primary
// of a group is gone before COMMIT, Tx calls statements again until the deadline of ctx. If ctx is done first, or the connection
// fails during COMMIT, the outcome is unknown.
func (db *DB) Tx(ctx context.Context, statements func(Conn) error) error {
	leave, err := db.write.Enter()
	if err != nil {
		return err
	}
	defer leave()
	return db.write.Tx(ctx, statements)
}

// Tx is like DB.Tx, on a connection of this pool. The caller must have called Enter.
func (p *Pool) Tx(ctx context.Context, statements func(Conn) error) error {
	db := p.db
	attempt := func() (err error) { // sql.Tx is not used, because it does not apply the deadline of ctx to BEGIN and COMMIT
		if err := db.servers.blocked(); err != nil {
			return err
		}
		own, err := p.Conn(ctx)
		if err != nil {
			return fmt.Errorf("connect: %w", err)
		}
		defer func() { _ = own.Close() }() // returns it to the pool
		conn, release := p.begun(ctx, own)
		defer func() { err = release(err) }()
		committed := false
		defer func() {
			if !committed { // also if BEGIN fails: a driver may return the error of ctx although it has begun
				rollback(ctx, own)
			}
		}()
		if p.begin != "" {
			if _, err := conn.ExecContext(ctx, p.begin); err != nil {
				return fmt.Errorf("begin: %w", err)
			}
		}
		if err := statements(db.engine.wrap(conn)); err != nil {
			return err
		}
		if err := db.engine.commit(ctx, conn, conn.later); err != nil {
			return fmt.Errorf("%w: %w", errCommit, rolledBack(ctx, memberOf(own), err))
		}
		committed = true
		return nil
	}
	waits, moves := 0, 0
	for try := 1; ; try++ {
		err := db.Classify(attempt())
		if db.hasMoved(ctx, err) {
			if moves++; !db.pause(ctx, moves) {
				return err
			}
			try-- // only the deadline limits these attempts
			continue
		}
		db.writes.record(err)
		if own := (*fault.Error)(nil); errors.As(err, &own) || !errors.Is(err, errDeadlock) {
			return err // a fault.Error is final, whatever its cause
		}
		if errors.Is(err, ErrLockTimeout) {
			waits++
		}
		if try == maxTries || waits == maxWaits {
			return fault.Unavailable(common.CodeUnavailable, "The database is too busy; try again later.", err)
		}
		db.countRetry(err)
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(backoff<<try/2 + rand.N(backoff<<try)): //nolint:gosec // jitter
		}
	}
}

// hasMoved reports whether err, from Classify, means that the primary is gone or read-only, and that the statements can run again: they
// had no effect, and ctx has a deadline.
func (db *DB) hasMoved(ctx context.Context, err error) bool {
	_, limited := ctx.Deadline()
	return limited && db.servers.grouped() && !db.servers.isGivenUp() && fault.Is(err, common.CodeUnavailable) && errors.Is(err, errGone) &&
		(!OutcomeUnknown(err) || errors.Is(err, errReadOnly))
}

// pause waits before another try to reach the primary of a group. It returns false if there is no time left for one.
func (db *DB) pause(ctx context.Context, try int) bool {
	d := min(backoff<<min(try, 5), findEvery)
	d += rand.N(d) //nolint:gosec // jitter
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < d {
		return false
	}
	db.failovers.Inc()
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// errCommit is in the error of a failed COMMIT. The transaction may have taken effect.
var errCommit = errors.New("commit")

// OutcomeUnknown reports whether err is from a failed COMMIT, after which the transaction may or may not have taken effect.
func OutcomeUnknown(err error) bool { return errors.Is(err, errCommit) }

// LockWait reports whether err is an error of the database about a lock that was not granted in time. It is false for every
// fault.Error, whatever its cause.
func (db *DB) LockWait(err error) bool {
	own := (*fault.Error)(nil)
	return !errors.As(err, &own) && db.engine.isLockWait(err)
}

// ShortWait returns conn with locking reads that fail after waiting 250 ms for a lock. LockWait is true for their error. SQLite has
// no row locks; there, ShortWait returns conn.
func (db *DB) ShortWait(conn Conn) Conn { return db.engine.shortWait(conn) }

func (db *DB) countRetry(err error) {
	if errors.Is(err, ErrLockTimeout) {
		db.lockTimeouts.Inc()
	} else {
		db.deadlocks.Inc()
	}
}

// rollback rolls back the transaction of conn. If this fails, it drops the connection, and the server rolls back.
func rollback(ctx context.Context, conn *sql.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if _, err := conn.ExecContext(ctx, "ROLLBACK"); err != nil {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn })
	}
}

// Batches runs a large task as a series of transactions. Each call of part does a limited part of the task and returns the
// number of rows that it handled and whether there may be more. Batches returns the total of the committed transactions, also if
// a later one fails. Unlike Tx, it is never refused on an overloaded service: sweeps must make progress, and need one connection.
func (db *DB) Batches(ctx context.Context, part func(Conn) (n int, more bool, err error)) (done int64, err error) {
	for {
		var n int
		var more bool
		err := db.Shared.Tx(ctx, func(conn Conn) (err error) {
			n, more, err = part(conn)
			return err
		})
		if err != nil {
			return done, err
		}
		if done += int64(n); !more {
			return done, nil
		}
	}
}

// Classify returns err wrapped in the error of this package that describes it, such as ErrDuplicate. If the database is not
// available, it returns a fault.Error with CodeUnavailable. Other errors, and any fault.Error, are returned unchanged.
func (db *DB) Classify(err error) error {
	if err == nil {
		return nil
	}
	if own := (*fault.Error)(nil); errors.As(err, &own) {
		return err
	}
	known := db.engine.classify(err)
	switch {
	case known == nil:
		return err
	case errors.Is(known, errUnavailable):
		return fault.Unavailable(common.CodeUnavailable, "The database does not answer.", fmt.Errorf("%w: %w", known, err))
	}
	return fmt.Errorf("%w: %w", known, err)
}

// Wait returns nil once the database answers, and logs each failed attempt. It fails after patience, and at once if only a change
// of settings can help.
func (db *DB) Wait(ctx context.Context, patience time.Duration, log *slog.Logger) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		attempt, stop := context.WithTimeout(ctx, 5*time.Second)
		err := db.Ping(attempt)
		stop()
		if err == nil {
			return nil
		}
		if setting := (*settingError)(nil); errors.As(err, &setting) {
			return setting
		}
		log.InfoContext(ctx, "waiting for the database", "engine", db.Engine(), "next_try", pause.String(), "error", err)
		select {
		case <-ctx.Done():
			return fmt.Errorf("the database did not answer within %s: %w", patience, err)
		case <-time.After(pause):
		}
	}
}

// Now returns clock in UTC, truncated to microseconds, which is the precision of both engines.
func Now(clock func() time.Time) func() time.Time {
	return func() time.Time { return clock().UTC().Truncate(time.Microsecond) }
}
