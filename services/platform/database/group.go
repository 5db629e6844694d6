package database

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/pedidos-hq/pedidos/services/platform/telemetry"
)

// Group runs work of one kind in transactions that are shared. What comes while a transaction is under way goes into the
// next, with all else that has come until then; where none is under way a transaction begins at once: nothing waits for
// company. So the more there is to do, the less each costs.
//
// There are no goroutines behind it. Who finds no transaction under way leads: it takes all who wait into its own, tells
// them how that went and hands on to the first who has come since (Hendler et al., Flat Combining and the
// Synchronization-Parallelism Tradeoff, 2010).
type Group[T any] struct {
	db         *DB
	statements func(ctx context.Context, conn Conn, items []T) error

	mu      sync.Mutex
	led     bool // a transaction is under way, for not too long
	waiting []*member[T]
}

const (
	maxShared = 64 // items in one transaction

	// How long the next transaction waits for the one before. It goes on beside one that takes longer: for a lock that
	// somebody holds, or a server that does not answer.
	patience = 500 * time.Millisecond
)

// member is who takes part.
type member[T any] struct {
	ctx  context.Context
	item T
	told chan news // once
}

// news is what a member hears: that it leads, or how its transaction has ended.
type news struct {
	leads bool
	err   error
}

// errAlone sends an item into a transaction of its own. That of the group has not come to COMMIT.
var errAlone = errors.New("database: the shared transaction failed")

// NewGroup returns a group. Its statements do the work of all items, or return an error: then none of it takes effect, and
// each item gets a transaction of its own, so that only the one at fault fails. They may be run again from the start. Their
// context lives as long as that of any of the items, and has the values of one of them.
func NewGroup[T any](db *DB, statements func(ctx context.Context, conn Conn, items []T) error) *Group[T] {
	return &Group[T]{db: db, statements: statements}
}

// Do returns when the item's transaction has ended, with the error of DB.Tx. Who gives up before knows as little of what came
// of it as with Tx.
func (g *Group[T]) Do(ctx context.Context, item T) error {
	leave, err := g.db.write.enter()
	if err != nil {
		return err
	}
	defer leave()
	m := &member[T]{ctx: ctx, item: item, told: make(chan news, 1)}
	told := g.join(m)
	switch {
	case told.leads && ctx.Err() != nil:
		g.handOn()
		return ctx.Err()
	case told.leads:
		told.err = g.lead(m)
	}
	if errors.Is(told.err, errAlone) {
		return g.run(ctx, []T{item})
	}
	return told.err
}

// join returns when there is news for the member.
func (g *Group[T]) join(m *member[T]) news {
	g.mu.Lock()
	if !g.led {
		g.led = true
		g.mu.Unlock()
		return news{leads: true}
	}
	g.waiting = append(g.waiting, m)
	g.mu.Unlock()
	select {
	case told := <-m.told:
		return told
	case <-m.ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if at := slices.Index(g.waiting, m); at >= 0 {
		g.waiting = slices.Delete(g.waiting, at, at+1)
	}
	select {
	case told := <-m.told: // that it leads, perhaps, in this very moment
		return told
	default:
		return news{err: m.ctx.Err()}
	}
}

// lead runs a transaction for the member and all who wait.
func (g *Group[T]) lead(m *member[T]) error {
	others := g.take(maxShared - 1)
	handOn := sync.OnceFunc(g.handOn)
	late := time.AfterFunc(patience, handOn)
	result := errAlone // what the others hear where the statements panic
	defer func() {
		late.Stop()
		handOn()
		for _, other := range others {
			other.told <- news{err: result}
		}
	}()
	if len(others) == 0 {
		return g.run(m.ctx, []T{m.item})
	}
	result = g.share(append([]*member[T]{m}, others...))
	return result
}

// share runs a transaction for several members.
func (g *Group[T]) share(members []*member[T]) error {
	ctx, cancel := outlive(members)
	defer cancel()
	items := make([]T, len(members))
	for i, m := range members {
		items[i] = m.item
		if i > 0 {
			telemetry.Link(m.ctx, ctx) // the spans of the statements are the leader's
		}
	}
	done := false
	err := g.db.transact(ctx, func(conn Conn) error {
		err := g.statements(ctx, conn, items)
		if errors.Is(g.db.Classify(err), ErrLockTimeout) { // the others are not to wait again
			err = errAlone
		}
		done = err == nil
		return err
	})
	if err != nil && !done { // once it is done, COMMIT may have taken place, whatever came of it
		err = errAlone
	}
	return err
}

func (g *Group[T]) run(ctx context.Context, items []T) error {
	return g.db.transact(ctx, func(conn Conn) error { return g.statements(ctx, conn, items) })
}

// outlive returns a context that ends at the last of the members' deadlines, and not before.
func outlive[T any](members []*member[T]) (context.Context, context.CancelFunc) {
	ctx := context.WithoutCancel(members[0].ctx)
	var last time.Time
	for _, m := range members {
		deadline, ok := m.ctx.Deadline()
		if !ok {
			return ctx, func() {}
		}
		if deadline.After(last) {
			last = deadline
		}
	}
	return context.WithDeadline(ctx, last)
}

// take takes those who wait, the first first.
func (g *Group[T]) take(most int) []*member[T] {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := min(most, len(g.waiting))
	taken := slices.Clone(g.waiting[:n])
	g.waiting = slices.Delete(g.waiting, 0, n)
	return taken
}

// handOn lets the first who waits lead.
func (g *Group[T]) handOn() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.led = len(g.waiting) > 0; g.led {
		g.waiting[0].told <- news{leads: true}
		g.waiting = slices.Delete(g.waiting, 0, 1)
	}
}
