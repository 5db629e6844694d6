package bulk

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pedidos-hq/pedidos/services/platform/database"
)

// insert writes many rows. Into names the table and its columns; the rows' values follow each other. It returns the ids of
// the rows where the table numbers them.
func insert(ctx context.Context, db *database.DB, conn database.Conn, into string, values []any) (ids []int64, err error) {
	width := strings.Count(into, ",") + 1
	row := "INSERT INTO " + into + " VALUES (?" + strings.Repeat(", ?", width-1) + ")"
	ids, err = db.Insert(ctx, conn, func(rows database.Conn) error {
		for values := range slices.Chunk(values, width) {
			if _, err := rows.ExecContext(ctx, row, values...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("insert into %s: %w", into, err)
	}
	return ids, nil
}
