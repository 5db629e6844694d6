package database

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// rowsPerStatement limits the parameters of a statement to 6,000, since the widest table has twelve columns. Both engines accept
// that many.
const rowsPerStatement = 500

// Inserter inserts many rows with one statement.
type Inserter struct {
	into  string
	row   string // placeholders
	width int
	args  []any
}

// NewInserter returns an Inserter without rows. The name identifies the statement in traces. Into is the beginning of the
// statement, up to the table, such as "INSERT INTO orders". None of the arguments is escaped.
func NewInserter(name, into string, columns ...string) *Inserter {
	return &Inserter{
		into:  "-- name: " + name + " :exec\n" + into + " (" + strings.Join(columns, ", ") + ")\nVALUES ",
		row:   "(" + Placeholders(len(columns)) + ")",
		width: len(columns),
	}
}

// Placeholders returns n question marks, separated by commas.
func Placeholders(n int) string { return strings.TrimPrefix(strings.Repeat(", ?", n), ", ") }

// Add adds a row, with one value for each column.
func (in *Inserter) Add(values ...any) { in.args = append(in.args, values...) }

func (in *Inserter) query(rows int) string {
	return in.into + in.row + strings.Repeat(", "+in.row, rows-1)
}

// Insert inserts the rows in statements of up to 500 rows each.
func (in *Inserter) Insert(ctx context.Context, conn Conn) error {
	return in.insert(ctx, conn, func(sql.Result, int) error { return nil })
}

// InsertWithIDs is like Insert, for a table with an auto-increment column. It returns the ids of the rows in order.
func (in *Inserter) InsertWithIDs(ctx context.Context, db *DB, conn Conn) (ids []int64, err error) {
	return ids, in.insert(ctx, conn, func(result sql.Result, rows int) error {
		id, err := result.LastInsertId()
		if err != nil {
			return fmt.Errorf("ids of inserted rows: %w", err)
		}
		first := db.engine.first(id, rows) // the ids of one statement are consecutive on both engines
		for i := range rows {
			ids = append(ids, first+int64(i))
		}
		return nil
	})
}

func (in *Inserter) insert(ctx context.Context, conn Conn, inserted func(result sql.Result, rows int) error) error {
	if len(in.args)%in.width != 0 {
		return fmt.Errorf("database: %d values do not make rows of %d columns", len(in.args), in.width)
	}
	for args := range slices.Chunk(in.args, rowsPerStatement*in.width) {
		rows := len(args) / in.width
		result, err := conn.ExecContext(ctx, in.query(rows), args...)
		if err != nil {
			return err
		}
		if err := inserted(result, rows); err != nil {
			return err
		}
	}
	return nil
}
