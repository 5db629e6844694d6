package database

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// rowsPerStatement bounds the parameters of one statement: both engines take 6,000, and the widest table has twelve columns.
const rowsPerStatement = 500

// Inserter writes many rows with one statement.
type Inserter struct {
	into  string
	row   string // placeholders
	width int
	args  []any
}

// NewInserter returns an Inserter without rows. Into is what stands before the columns: INSERT INTO or REPLACE INTO, and the
// table. The name is that of the statement in traces.
func NewInserter(name, into string, columns ...string) *Inserter {
	return &Inserter{
		into:  "-- name: " + name + " :exec\n" + into + " (" + strings.Join(columns, ", ") + ")\nVALUES ",
		row:   "(" + Placeholders(len(columns)) + ")",
		width: len(columns),
	}
}

// Placeholders returns n question marks, separated by commas.
func Placeholders(n int) string { return strings.TrimPrefix(strings.Repeat(", ?", n), ", ") }

// Add adds a row. There must be a value for each column.
func (in *Inserter) Add(values ...any) { in.args = append(in.args, values...) }

// Statement returns one statement that writes all rows, or the zero value if there are none.
func (in *Inserter) Statement() Statement {
	if len(in.args) == 0 {
		return Statement{}
	}
	return in.statement(in.args)
}

func (in *Inserter) statement(args []any) Statement {
	return Statement{in.into + in.row + strings.Repeat(", "+in.row, len(args)/in.width-1), args}
}

// Insert writes the rows, with more than one statement if there are more than 500, and returns their ids in order. The ids
// mean nothing if the table does not number its rows.
func (in *Inserter) Insert(ctx context.Context, db *DB, conn Conn) (ids []int64, err error) {
	if len(in.args)%in.width != 0 {
		return nil, fmt.Errorf("database: %d values do not make rows of %d columns", len(in.args), in.width)
	}
	for args := range slices.Chunk(in.args, rowsPerStatement*in.width) {
		s := in.statement(args)
		result, err := conn.ExecContext(ctx, s.Query, s.Args...)
		if err != nil {
			return nil, err
		}
		id, err := result.LastInsertId()
		if err != nil {
			return nil, fmt.Errorf("ids of rows: %w", err)
		}
		first := db.engine.first(id, len(args)/in.width) // the ids of one statement are consecutive on both engines
		for i := range len(args) / in.width {
			ids = append(ids, first+int64(i))
		}
	}
	return ids, nil
}
