package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
)

// txConn runs the statements of a transaction.
type txConn struct {
	Conn

	// The MySQL driver watches the context of each statement in a goroutine, and waits for it before and after. A transaction is
	// watched once instead. done is that of its context; nil leaves the contexts to the driver.
	done <-chan struct{}

	defers bool // statements of Later are sent with COMMIT
	later  []deferred
}

type deferred struct {
	query string
	args  []any
}

// Later returns conn for statements whose results the transaction does not need. In the shared pool of MySQL, they are sent with
// COMMIT, in one round trip. They run in their order, after all others. Their sql.Result has no values.
func Later(conn Conn) Conn {
	if c, ok := conn.(interface{ sendLater() Conn }); ok {
		return c.sendLater()
	}
	return conn
}

func (c *txConn) sendLater() Conn {
	if !c.defers {
		return c
	}
	return laterConn{c}
}

type laterConn struct{ *txConn }

func (c laterConn) ExecContext(_ context.Context, query string, args ...any) (sql.Result, error) {
	c.later = append(c.later, deferred{query, args})
	return driver.ResultNoRows, nil
}

func (c *txConn) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return c.Conn.ExecContext(c.unwatched(ctx), query, args...)
}

func (c *txConn) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	return c.Conn.PrepareContext(c.unwatched(ctx), query)
}

func (c *txConn) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return c.Conn.QueryContext(c.unwatched(ctx), query, args...)
}

func (c *txConn) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return c.Conn.QueryRowContext(c.unwatched(ctx), query, args...)
}

// unwatched returns a context for a statement. The driver handles a context that is done, or that does not end with the transaction.
func (c *txConn) unwatched(ctx context.Context) context.Context {
	if c.done == nil || ctx.Done() != c.done || ctx.Err() != nil {
		return ctx
	}
	return context.WithoutCancel(ctx)
}

// begun returns a txConn for a transaction on conn. If ctx is done before release, the connection is closed, which ends the
// statement under way, as the driver does. Release returns err, or the error of ctx if that has caused it.
func (p *Pool) begun(ctx context.Context, conn *sql.Conn) (_ *txConn, release func(error) error) {
	tx, member := &txConn{Conn: conn, defers: p.defers}, memberOf(conn)
	if member == nil || ctx.Done() == nil {
		return tx, func(err error) error { return err }
	}
	tx.done = ctx.Done()
	stop := context.AfterFunc(ctx, func() { _ = member.socket.Close() })
	return tx, func(err error) error {
		if stop() {
			return err
		}
		_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // keeps the closed connection out of the pool
		switch {
		case !errors.Is(p.db.Classify(err), errGone):
			return err
		case OutcomeUnknown(err):
			return fmt.Errorf("%w: %w", errCommit, ctx.Err())
		}
		return ctx.Err()
	}
}

// memberOf returns the connection to MySQL below conn, or nil.
func memberOf(conn *sql.Conn) (member *memberConn) {
	_ = conn.Raw(func(driverConn any) error {
		if traced, ok := driverConn.(interface{ Raw() driver.Conn }); ok {
			driverConn = traced.Raw()
		}
		member, _ = driverConn.(*memberConn)
		return nil
	})
	return member
}
