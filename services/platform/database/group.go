package database

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/telemetry"
)

// Group runs work of one kind in transactions that are shared. What comes while a transaction is under way goes into the
// next, with all else that has come until then; where none is under way a transaction begins at once: nothing waits for
// company. So the more there is to do, the less each costs.
//
// There are no goroutines behind it. Who finds no transaction under way leads: it takes all who wait into its own, tells
// them how that went and hands on to the first who has come since (Hendler et al., Flat Combining and the
// Synchronization-Parallelism Tradeoff, 2010).
//
// A shared transaction waits for the lock of a row for a moment only. Where somebody holds one for longer, the items that need it
// leave the group and go one at a time, and the others are done without them.
type Group[T any] struct {
	db         *DB
	locks      Locks[T]
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

// Locks says which rows the items of a group lock. The zero value says nothing: such items wait for locks together.
type Locks[T any] struct {
	Held *Held
	Rows func(item T) []int64
}

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

var (
	// errAlone sends an item into a transaction of its own. That of the group has not come to COMMIT.
	errAlone = errors.New("database: the shared transaction failed")

	// errWaited says that a transaction of the group has waited too long for the lock of a row.
	errWaited = errors.New("database: the shared transaction waited for a lock")
)

// NewGroup returns a group. Its statements do the work of all items, or return an error: then none of it takes effect, and
// each item gets a transaction of its own, so that only the one at fault fails. They may be run again from the start. Their
// context lives as long as that of any of the items, and has the values of one of them.
func NewGroup[T any](db *DB, locks Locks[T], statements func(ctx context.Context, conn Conn, items []T) error) *Group[T] {
	return &Group[T]{db: db, locks: locks, statements: statements}
}

// Do returns when the item's transaction has ended, with the error of DB.Tx. Who gives up before knows as little of what came
// of it as with Tx.
func (g *Group[T]) Do(ctx context.Context, item T) error {
	if g.locks.Held == nil {
		return g.together(ctx, item)
	}
	return g.locks.Held.do(ctx, g.locks.Rows(item),
		func() error { return g.together(ctx, item) },
		func() error { return g.alone(ctx, item) })
}

// together does the item in a transaction of the group. It returns errHeld where the item has to leave the group.
func (g *Group[T]) together(ctx context.Context, item T) error {
	err := g.enter(ctx, item)
	if errors.Is(err, errAlone) {
		return g.alone(ctx, item)
	}
	return err
}

// enter is together, for as long as the item has a place among those of the group.
func (g *Group[T]) enter(ctx context.Context, item T) error {
	leave, err := g.db.shared.enter()
	if err != nil {
		return err
	}
	defer leave()
	m := &member[T]{ctx: ctx, item: item, told: make(chan news, 1)}
	told := g.join(m)
	if !told.leads {
		return told.err
	}
	if ctx.Err() != nil {
		g.handOn()
		return ctx.Err()
	}
	g.lead(m)
	return (<-m.told).err
}

// alone does the item in a transaction of its own, which waits for locks as long as any.
func (g *Group[T]) alone(ctx context.Context, item T) error {
	return g.db.Tx(ctx, func(conn Conn) error { return g.statements(ctx, conn, []T{item}) })
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

// lead runs a transaction for the member and all who wait, and tells each of them, the member too, how it went.
func (g *Group[T]) lead(m *member[T]) {
	members := append([]*member[T]{m}, g.take(maxShared-1)...)
	handOn := sync.OnceFunc(g.handOn)
	late := time.AfterFunc(patience, handOn)
	result := errAlone // what they hear where the statements panic
	defer func() {
		late.Stop()
		handOn()
		tell(members, result)
	}()
	for range maxSifts {
		if result = g.share(members); !errors.Is(result, errWaited) {
			return
		}
		result = errAlone
		var held []*member[T]
		members, held = g.sift(members)
		tell(held, errHeld)
		if len(members) == 0 {
			return
		}
	}
}

// maxSifts is how often a transaction is tried without those who need rows that are held, before each is done alone.
const maxSifts = 3

func tell[T any](members []*member[T], result error) {
	for _, m := range members {
		m.told <- news{err: result}
	}
}

// sift finds out which of the members need rows that somebody else has locked.
func (g *Group[T]) sift(members []*member[T]) (free, held []*member[T]) {
	ctx, cancel := outlive(members)
	defer cancel()
	var rows []int64
	for _, m := range members {
		rows = append(rows, g.locks.Rows(m.item)...)
	}
	slices.Sort(rows)
	g.locks.Held.find(ctx, slices.Compact(rows))
	for _, m := range members {
		if g.locks.Held.any(g.locks.Rows(m.item)) {
			held = append(held, m)
		} else {
			free = append(free, m)
		}
	}
	return free, held
}

// share runs a transaction for the members.
func (g *Group[T]) share(members []*member[T]) error {
	ctx, cancel := members[0].ctx, func() {}
	if len(members) > 1 {
		ctx, cancel = outlive(members)
	}
	defer cancel()
	items := make([]T, len(members))
	for i, m := range members {
		items[i] = m.item
		if i > 0 {
			telemetry.Link(m.ctx, ctx) // the spans of the statements are the leader's
		}
	}
	done := false
	err := g.db.transact(ctx, g.db.shared, func(conn Conn) error {
		if g.locks.Held != nil {
			conn = g.db.engine.hurry(conn)
		}
		err := g.statements(ctx, conn, items)
		if g.waited(err) { // the others are not to wait again
			err = errWaited
		}
		done = err == nil
		return err
	})
	if errors.Is(err, errWaited) {
		if g.locks.Held == nil {
			err = errAlone
		}
		return err
	}
	if err != nil && !done && len(members) > 1 { // once it is done, COMMIT may have taken place, whatever came of it
		err = errAlone
	}
	return err
}

// waited reports whether a transaction of the group failed because of a row that somebody has locked. A problem is the
// statements' own word on what they were waiting for.
func (g *Group[T]) waited(err error) bool {
	own := (*fault.Error)(nil)
	return !errors.As(err, &own) && g.db.engine.waited(err)
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
