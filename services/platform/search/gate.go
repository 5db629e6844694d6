package search

import (
	"context"
	"errors"
	"math"
	"runtime"

	"golang.org/x/sync/semaphore"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/page"
)

// windows are the numbers of rows that a search reads in turn until it has a full page. A search with many matches reads few rows. A
// search without a match reads 85,000 for each page.
var windows = [...]int32{250, 750, 2_000, 6_000, 18_000, 58_000}

// Gate limits the number of concurrent searches. They scan rows without an index, and must leave processors to other requests.
type Gate struct{ turns *semaphore.Weighted }

// Turns returns the maximum number of concurrent searches of a service: half of the processors, and at least one.
func Turns() int64 { return int64(max(1, runtime.GOMAXPROCS(0)/2)) }

// NewGate returns a Gate for the searches of one service.
func NewGate() *Gate { return &Gate{semaphore.NewWeighted(Turns())} }

// Enter waits for a turn, which Leave ends. It returns the error of ctx if ctx is done first.
func (g *Gate) Enter(ctx context.Context) error { return g.turns.Acquire(ctx, 1) }

// Leave ends a turn that Enter began.
func (g *Gate) Leave() { g.turns.Release(1) }

// Walk searches a list, beginning at from, until it has found limit entries, reached the end of the list, or read 85,000 rows. It
// calls look for consecutive windows of rows. Look returns up to limit entries, the position behind the window, and whether the
// window reaches the end of the list. Walk returns the entries, and the last position and end of look. It waits until the gate admits
// it, and returns the error of ctx if ctx is done first.
func Walk[T, P any](ctx context.Context, g *Gate, from P, limit int32,
	look func(from P, rows, limit int32) (found []T, behind P, end bool, err error),
) (found []T, behind P, end bool, err error) {
	if err := g.Enter(ctx); err != nil {
		return nil, from, false, err
	}
	defer g.Leave()
	behind = from
	for _, rows := range windows {
		var more []T
		more, behind, end, err = look(behind, rows, limit-int32(len(found)))
		found = append(found, more...)
		if err != nil || end || len(found) >= int(limit) {
			break
		}
	}
	return found, behind, end, err
}

// ByID returns a page of a list that is ordered by id, and the cursor of the next page or nil. The page has up to limit entries with
// ids above after. The string list names the list in the cursor. Read returns up to limit entries with ids above after, up to and
// including until. Position returns the position of an entry.
//
// If searching is set, ByID reads the list in windows, as Walk. The page may then have fewer than limit entries, or none, though
// there is a next page. Behind skips a number of rows behind the id after and returns the id of the next row, or
// database.ErrNotFound if there is none.
func ByID[T any](ctx context.Context, g *Gate, searching bool, after int64, limit int32, list string,
	read func(after, until int64, limit int32) ([]T, error), behind func(after int64, rows int32) (int64, error),
	position func(T) page.Position,
) ([]T, *common.NextCursor, error) {
	if !searching {
		found, err := read(after, math.MaxInt64, limit+1)
		if err != nil {
			return nil, nil, err
		}
		found, next := page.Cut(found, limit, list, position)
		return found, next, nil
	}
	found, at, end, err := Walk(ctx, g, after, limit+1, func(after int64, rows, limit int32) ([]T, int64, bool, error) {
		until, err := behind(after, rows)
		end := errors.Is(err, database.ErrNotFound)
		if end {
			until, err = math.MaxInt64, nil
		}
		if err != nil {
			return nil, after, false, err
		}
		found, err := read(after, until, limit)
		return found, until, end, err
	})
	if err != nil {
		return nil, nil, err
	}
	found, next := page.Cut(found, limit, list, position)
	if next == nil && !end {
		next = new(page.Cursor(list, page.Position{at}))
	}
	return found, next, nil
}
