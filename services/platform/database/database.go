// Package database opens the two engines, MySQL and the embedded SQLite, and hides what differs between them: pools,
// row locks, times and error numbers. The queries are the same on both.
package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/metrics"
)

// Conn runs statements: a pool or a transaction. It is what the generated query code takes.
type Conn interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// What a statement can be refused for. Errors that Read and Tx return match these with errors.Is.
var (
	ErrNotFound      = sql.ErrNoRows
	ErrDuplicate     = errors.New("database: duplicate key")
	ErrMissingParent = errors.New("database: missing parent row")
	ErrCheck         = errors.New("database: check constraint violated")
	ErrLockTimeout   = errors.New("database: waited too long for a lock")
	errDeadlock      = errors.New("database: deadlock")
	errUnavailable   = errors.New("database: not available")
)

// DB is an open database of either engine.
type DB struct {
	engine engine
	Shared *Pool // for the transactions of batches, and for sweeps; on SQLite, which has one writer, the same as write

	write *Pool // for the transactions of one caller, which may wait for locks
	read  *Pool

	writes writes

	deadlocks, lockTimeouts metrics.Counter // retried transactions
}

// engine is what differs between MySQL and SQLite.
type engine interface {
	name() string
	commit(ctx context.Context, conn *sql.Conn, last Statement) error
	deadlock() string // what makes a transaction run again
	wrap(Conn) Conn
	hurry(Conn) Conn                  // a Conn of wrap whose locking reads wait for a lock for a moment only
	waited(error) bool                // whether a statement failed because it waited too long for a lock
	first(last int64, rows int) int64 // id of the first of the rows that one INSERT wrote, by what it says is the last
	classify(error) error             // one of the errors above, or nil
}

// Engine is "mysql" or "sqlite".
func (db *DB) Engine() string { return db.engine.name() }

// Close closes the pools.
func (db *DB) Close() error {
	var err error
	for _, p := range db.pools() {
		err = errors.Join(p.Close(), err)
	}
	return err
}

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error { return db.Classify(db.read.PingContext(ctx)) }

// Read runs queries that change nothing, outside of a transaction.
func (db *DB) Read(ctx context.Context, queries func(Conn) error) error {
	leave, err := db.read.Enter()
	if err != nil {
		return err
	}
	defer leave()
	return db.Classify(queries(db.engine.wrap(db.read)))
}

// Snapshot runs queries that change nothing and that all see the database as it was at the first of them.
func (db *DB) Snapshot(ctx context.Context, queries func(Conn) error) error {
	leave, err := db.read.Enter()
	if err != nil {
		return err
	}
	defer leave()
	tx, err := db.read.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return db.Classify(fmt.Errorf("begin: %w", err))
	}
	defer func() { _ = tx.Rollback() }() // there is nothing to commit
	return db.Classify(queries(db.engine.wrap(tx)))
}

const (
	maxTries = 6
	maxWaits = 2 // tries that end in a lock timeout: each takes the whole wait, and a connection
	backoff  = 5 * time.Millisecond
)

// Statement is SQL with its arguments. The zero value does nothing.
type Statement struct {
	Query string
	Args  []any
}

// Tx runs statements in one transaction: all of them take effect, or none. If the engine aborts it because of another
// transaction (deadlock, busy), it runs again from the start, so statements must change nothing but the database. If ctx is
// done first, or the connection fails during COMMIT, the outcome is unknown.
func (db *DB) Tx(ctx context.Context, statements func(Conn) error) error {
	leave, err := db.write.Enter()
	if err != nil {
		return err
	}
	defer leave()
	return db.write.Tx(ctx, func(conn Conn) (Statement, error) { return Statement{}, statements(conn) })
}

// Tx is DB.Tx on a connection of the pool, for a caller that has entered it. Last goes to the server together with COMMIT; in
// the shared pool that is one round trip.
func (p *Pool) Tx(ctx context.Context, statements func(Conn) (last Statement, err error)) error {
	db := p.db
	attempt := func() error { // by statements, since sql.Tx does not hold begin and commit to the deadline of ctx
		conn, err := p.Conn(ctx)
		if err != nil {
			return fmt.Errorf("connect: %w", err)
		}
		defer func() { _ = conn.Close() }() // back into the pool
		if p.begin != "" {
			if _, err := conn.ExecContext(ctx, p.begin); err != nil {
				return fmt.Errorf("begin: %w", err)
			}
		}
		committed := false
		defer func() {
			if !committed {
				rollback(ctx, conn)
			}
		}()
		last, err := statements(db.engine.wrap(conn))
		if err != nil {
			return err
		}
		if err := db.engine.commit(ctx, conn, last); err != nil {
			return fmt.Errorf("%w: %w", errCommit, err)
		}
		committed = true
		return nil
	}
	waits := 0
	for try := 1; ; try++ {
		err := db.Classify(attempt())
		db.writes.note(err)
		if own := (*fault.Error)(nil); errors.As(err, &own) || !errors.Is(err, errDeadlock) {
			return err // an error of the domain is final, whatever its cause
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

// errCommit says that COMMIT failed: the transaction may have taken effect.
var errCommit = errors.New("commit")

// OutcomeUnknown reports whether err left open if a transaction has taken effect.
func OutcomeUnknown(err error) bool { return errors.Is(err, errCommit) }

// LockWait reports whether err is the database's own, about a lock that took too long to get.
func (db *DB) LockWait(err error) bool {
	own := (*fault.Error)(nil)
	return !errors.As(err, &own) && db.engine.waited(err)
}

// Hurry returns conn with locking reads that give up on a lock after 250 ms. LockWait reports that they did.
func (db *DB) Hurry(conn Conn) Conn { return db.engine.hurry(conn) }

func (db *DB) countRetry(err error) {
	if errors.Is(err, ErrLockTimeout) {
		db.lockTimeouts.Inc()
	} else {
		db.deadlocks.Inc()
	}
}

// rollback ends a transaction, or the connection where that fails: then the server ends the transaction.
func rollback(ctx context.Context, conn *sql.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if _, err := conn.ExecContext(ctx, "ROLLBACK"); err != nil {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn })
	}
}

// Batches runs transactions that each do a part of something large, and say how much and whether there may be more, until
// there is not. It returns how much was done by those that were committed. It is not refused where there is much to do:
// a sweep must get on, and it takes one connection.
func (db *DB) Batches(ctx context.Context, part func(Conn) (n int, more bool, err error)) (done int64, err error) {
	for {
		var n int
		var more bool
		err := db.Shared.Tx(ctx, func(conn Conn) (_ Statement, err error) {
			n, more, err = part(conn)
			return Statement{}, err
		})
		if err != nil {
			return done, err
		}
		if done += int64(n); !more {
			return done, nil
		}
	}
}

// Classify adds the error of this package that err is, and makes a problem of a database that does not answer.
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
		return fault.Unavailable(common.CodeUnavailable, "The database does not answer.", err)
	}
	return fmt.Errorf("%w: %w", known, err)
}

// Wait returns once the database answers, and says what it is waiting for in between. It gives up after patience.
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
			return setting // waiting does not help
		}
		log.InfoContext(ctx, "waiting for the database", "engine", db.Engine(), "next_try", pause.String(), "error", err)
		select {
		case <-ctx.Done():
			return fmt.Errorf("the database did not answer within %s: %w", patience, err)
		case <-time.After(pause):
		}
	}
}

// Now returns a clock at the precision that both engines keep: microseconds, UTC.
func Now(clock func() time.Time) func() time.Time {
	return func() time.Time { return clock().UTC().Truncate(time.Microsecond) }
}
