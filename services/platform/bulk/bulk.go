// Package bulk writes large numbers of generated rows, and reads long lists.
package bulk

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/pedidos-hq/pedidos/services/platform/database"
)

// Progress is called at the start and after each transaction, with the number of rows written to a table so far.
type Progress func(table string, done, total int)

// Next generates the next n rows and returns a function that writes them. The function may be called more than once, because a
// transaction may be retried.
type Next func(n int) (write func(database.Conn) error)

// perTransaction is the number of rows of a transaction.
const perTransaction = 5_000

// Fill writes total rows to a table. If ctx is done or a transaction fails, the rows of earlier transactions remain.
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

// Walk reads a list in pages, in order of ids, until the list ends or Walk has at least limit rows. It calls page with the id of the
// last row, or 0; page returns the next rows, or none at the end of the list.
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

// LastID returns the highest id of a table, or 0. Generated names are numbered from there, so that they are new.
func LastID(ctx context.Context, db *database.DB, table string) (id int64, err error) {
	err = db.Read(ctx, func(conn database.Conn) error {
		return conn.QueryRowContext(ctx, "SELECT COALESCE(MAX(id), 0) FROM "+table).Scan(&id)
	})
	if err != nil {
		return 0, fmt.Errorf("last id of %s: %w", table, err)
	}
	return id, nil
}

// Year is a year of 365 days in which generated orders are placed, by its end. It does not follow the clock, so that the same seed
// generates the same data.
type Year time.Time

// At returns the time at which a share of the year has passed, from 0 to 1, truncated to microseconds. A negative share means a time in
// the year before.
func (y Year) At(share float64) time.Time {
	const length = 365 * 24 * time.Hour
	return time.Time(y).UTC().Add(time.Duration((share - 1) * float64(length))).Truncate(time.Microsecond)
}

// Choose returns a random element of all.
func Choose[T any](random *rand.Rand, all []T) T { return all[random.IntN(len(all))] }

// ChooseSkewed returns a random element of all, and prefers the first ones: the first tenth gets about a third of the choices.
func ChooseSkewed[T any](random *rand.Rand, all []T) T {
	f := random.Float64()
	return all[int(f*f*float64(len(all)))]
}
