package database

import (
	"context"
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

// Statement returns one statement that inserts all rows, or the zero value if there are none. Unlike Insert, it does not split
// them.
func (in *Inserter) Statement() Statement {
	if len(in.args) == 0 {
		return Statement{}
	}
	return in.statement(in.args)
}

func (in *Inserter) statement(args []any) Statement {
	return Statement{in.into + in.row + strings.Repeat(", "+in.row, len(args)/in.width-1), args}
}

// Insert inserts the rows in statements of up to 500 rows each, and returns their ids in order. The ids are meaningless if the
// table has no auto-increment column.
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
			return nil, fmt.Errorf("ids of inserted rows: %w", err)
		}
		first := db.engine.first(id, len(args)/in.width) // the ids of one statement are consecutive on both engines
		for i := range len(args) / in.width {
			ids = append(ids, first+int64(i))
		}
	}
	return ids, nil
}
