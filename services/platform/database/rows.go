package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// perStatement is how many rows one INSERT writes. With the twelve columns of orders that makes 6,000 parameters, which
// both engines take.
const perStatement = 500

// Insert writes many rows with one statement, or few. In rows, an INSERT of the generated code writes nothing yet: it adds
// a row, and all must be the same INSERT. What is returned are the ids of the rows, where the table numbers them: those of
// one statement follow each other on both engines.
func (db *DB) Insert(ctx context.Context, conn Conn, rows func(Conn) error) (ids []int64, err error) {
	var c collector
	if err := rows(&c); err != nil || c.rows == 0 {
		return nil, err
	}
	at := strings.LastIndex(c.query, "VALUES ")
	if at < 0 {
		return nil, fmt.Errorf("database: not an INSERT of VALUES: %s", c.query)
	}
	at += len("VALUES ")
	row, width := strings.TrimRight(c.query[at:], "\n"), len(c.args)/c.rows
	ids = make([]int64, 0, c.rows)
	for len(c.args) > 0 {
		n := min(perStatement, len(c.args)/width)
		result, err := conn.ExecContext(ctx, c.query[:at]+row+strings.Repeat(", "+row, n-1), c.args[:n*width]...)
		if err != nil {
			return nil, err
		}
		id, err := result.LastInsertId()
		if err != nil {
			return nil, fmt.Errorf("ids of rows: %w", err)
		}
		for i := range n {
			ids = append(ids, db.engine.first(id, n)+int64(i))
		}
		c.args = c.args[n*width:]
	}
	return ids, nil
}

// collector is a Conn that keeps the rows of one INSERT.
type collector struct {
	query string
	args  []any
	rows  int
}

var errNotRows = errors.New("database: rows are collected of one INSERT alone")

func (c *collector) ExecContext(_ context.Context, query string, args ...any) (sql.Result, error) {
	if c.rows > 0 && query != c.query {
		return nil, errNotRows
	}
	c.query, c.args, c.rows = query, append(c.args, args...), c.rows+1
	return inserted{}, nil
}

func (*collector) PrepareContext(context.Context, string) (*sql.Stmt, error) { return nil, errNotRows }

func (*collector) QueryContext(context.Context, string, ...any) (*sql.Rows, error) {
	return nil, errNotRows
}

func (*collector) QueryRowContext(context.Context, string, ...any) *sql.Row { panic(errNotRows) }

// inserted is the result of a row that is not written yet: it has no id.
type inserted struct{}

func (inserted) LastInsertId() (int64, error) { return 0, nil }
func (inserted) RowsAffected() (int64, error) { return 1, nil }
