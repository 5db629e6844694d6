// Package bulk writes many generated rows, in transactions of moderate size.
package bulk

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/pedidos-hq/pedidos/services/platform/database"
)

// Progress receives, after each transaction, how many rows of a table are written.
type Progress func(table string, done, total int)

// Next generates the next n rows and returns the function that writes them, which may run more than once.
type Next func(n int) (write func(database.Conn) error)

const perTransaction = 5_000 // rows

// Fill writes rows until the total is reached. It may be stopped at any time: each transaction is complete in itself.
func Fill(ctx context.Context, db *database.DB, table string, total int, next Next, progress Progress) error {
	progress(table, 0, total)
	for done := 0; done < total; {
		n := min(perTransaction, total-done)
		if err := db.Tx(ctx, next(n)); err != nil {
			return fmt.Errorf("add %s: %w", table, err)
		}
		done += n
		progress(table, done, total)
	}
	return nil
}

// Walk reads a list page by page, from the lowest id, until it ends or has limit rows.
func Walk[T any](limit int, id func(T) int64, page func(after int64) ([]T, error)) (all []T, err error) {
	for after := int64(0); len(all) < limit; after = id(all[len(all)-1]) {
		rows, err := page(after)
		if err != nil || len(rows) == 0 {
			return all, err
		}
		all = append(all, rows...)
	}
	return all, nil
}

// LastID returns the highest id of a table. Names that are numbered from there on are new.
func LastID(ctx context.Context, db *database.DB, table string) (id int64, err error) {
	err = db.Read(ctx, func(conn database.Conn) error {
		return conn.QueryRowContext(ctx, "SELECT COALESCE(MAX(id), 0) FROM "+table).Scan(&id)
	})
	if err != nil {
		return 0, fmt.Errorf("last id of %s: %w", table, err)
	}
	return id, nil
}

// year is when generated orders are placed. It is fixed, so that the same seed generates the same data.
const year = 2025

// Time returns the time at which a share of the year has passed, at the precision of the database. A negative share is in
// the year before.
func Time(share float64) time.Time {
	first, end := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(year+1, 1, 1, 0, 0, 0, 0, time.UTC)
	return first.Add(time.Duration(share * float64(end.Sub(first)))).Truncate(time.Microsecond)
}

// Choose returns one of all, each with the same probability.
func Choose[T any](random *rand.Rand, all []T) T { return all[random.IntN(len(all))] }

// ChooseSkewed prefers the first of all: the first tenth gets a third of the choices.
func ChooseSkewed[T any](random *rand.Rand, all []T) T {
	f := random.Float64()
	return all[int(f*f*float64(len(all)))]
}
