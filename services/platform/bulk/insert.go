package bulk

import (
	"context"
	"fmt"
	"strings"

	"github.com/pedidos-hq/pedidos/services/platform/database"
)

// perStatement is how many rows one INSERT writes. With the eleven columns of orders that makes 5,500
// parameters, which both engines take.
const perStatement = 500

// insert is what sqlc has no query for: an INSERT of many rows. Into names the table and its columns; the rows' values
// follow each other. It returns the ids of the rows where the table numbers them: those of one statement follow each
// other on both engines, and MySQL tells the first, SQLite the last.
func insert(ctx context.Context, conn database.Conn, engine, into string, values []any) (ids []int64, err error) {
	width := strings.Count(into, ",") + 1
	row := "(?" + strings.Repeat(", ?", width-1) + ")"
	for len(values) > 0 {
		n := min(perStatement, len(values)/width)
		result, err := conn.ExecContext(ctx, "INSERT INTO "+into+" VALUES "+row+strings.Repeat(", "+row, n-1), values[:n*width]...)
		if err != nil {
			return nil, fmt.Errorf("insert into %s: %w", into, err)
		}
		id, err := result.LastInsertId()
		if err != nil {
			return nil, fmt.Errorf("insert into %s: %w", into, err)
		}
		if engine == "sqlite" {
			id -= int64(n - 1)
		}
		for i := range n {
			ids = append(ids, id+int64(i))
		}
		values = values[n*width:]
	}
	return ids, nil
}
