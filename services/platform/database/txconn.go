package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
)

// txConn runs the statements of a transaction on MySQL. The driver watches the context of each statement in a goroutine, and waits
// for it before and after; a transaction with a txConn is watched once instead.
type txConn struct {
	Conn
	done <-chan struct{} // of the context of the transaction
}

func (c txConn) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return c.Conn.ExecContext(c.unwatched(ctx), query, args...)
}

func (c txConn) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	return c.Conn.PrepareContext(c.unwatched(ctx), query)
}

func (c txConn) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return c.Conn.QueryContext(c.unwatched(ctx), query, args...)
}

func (c txConn) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return c.Conn.QueryRowContext(c.unwatched(ctx), query, args...)
}

// unwatched returns a context for a statement. The driver handles a context that is done, or that does not end with the transaction.
func (c txConn) unwatched(ctx context.Context) context.Context {
	if ctx.Done() != c.done || ctx.Err() != nil {
		return ctx
	}
	return context.WithoutCancel(ctx)
}

// watchOnce returns a Conn for a transaction on conn. If ctx is done before release, the connection is closed, which ends the
// statement under way, as the driver does. Release returns err, or the error of ctx if that has caused it.
func (db *DB) watchOnce(ctx context.Context, conn *sql.Conn) (_ Conn, release func(error) error) {
	member := memberOf(conn)
	if member == nil || ctx.Done() == nil {
		return conn, func(err error) error { return err }
	}
	stop := context.AfterFunc(ctx, func() { _ = member.socket.Close() })
	return txConn{conn, ctx.Done()}, func(err error) error {
		if stop() {
			return err
		}
		_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // keeps the closed connection out of the pool
		switch {
		case !errors.Is(db.Classify(err), errGone):
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
