package bulk

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pedidos-hq/pedidos/services/platform/database"
)

// Insert writes many rows. Into names the table and its columns, as in SQL; the values of the rows follow each other. It
// returns the ids of the rows if the table numbers them.
func Insert(ctx context.Context, db *database.DB, conn database.Conn, into string, values []any) (ids []int64, err error) {
	table, columns, _ := strings.Cut(strings.TrimSuffix(into, ")"), " (")
	names := strings.Split(columns, ", ")
	rows := database.NewInserter("Insert", "INSERT INTO "+table, names...)
	for row := range slices.Chunk(values, len(names)) {
		rows.Add(row...)
	}
	if ids, err = rows.Insert(ctx, db, conn); err != nil {
		return nil, fmt.Errorf("insert into %s: %w", into, err)
	}
	return ids, nil
}
