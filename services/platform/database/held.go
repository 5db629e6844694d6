package database

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

// Held keeps work apart that needs rows which somebody has locked for long, such as a person with a SELECT … FOR UPDATE.
// Of those who need such a row one at a time finds out whether it is free again, and the others wait for what that one
// finds. So a row that is held costs one connection, and only those who need it wait.
//
// What it knows decides who runs when and never what is done: it may be wrong at any time.
type Held struct {
	db    *DB
	free  func(ctx context.Context, conn Conn, rows []int64) ([]int64, error)
	slots chan struct{} // one for each probe that may run at once

	mu   sync.Mutex
	rows map[int64]*probe // the rows that were found locked; nil where nobody is finding out
}

// probe is a transaction that finds out whether rows are free again.
type probe struct {
	rows    []int64
	waiting int

	ended chan struct{}
	held  []int64 // those of the rows that were not free after all; set before ended is closed
}

// maxWaiting is how many wait for one probe. One more is refused at once.
const maxWaiting = 128

// NewHeld returns a Held for the rows of one table. Free returns those of the rows that nobody has locked now.
func NewHeld(db *DB, free func(ctx context.Context, conn Conn, rows []int64) ([]int64, error)) *Held {
	return &Held{
		db: db, free: free, rows: map[int64]*probe{},
		slots: make(chan struct{}, max(1, db.write.Stats().MaxOpenConnections/4)),
	}
}

// errHeld sends work back that was found to need rows which are held.
var errHeld = errors.New("database: a row is held")

// Do runs work that locks rows, in a transaction of its own. Rows are asked for only where something is held.
func (h *Held) Do(ctx context.Context, rows func(context.Context) ([]int64, error), work func(context.Context) error) error {
	usual := func() error {
		err := work(ctx)
		if !h.db.engine.waited(err) || ctx.Err() != nil {
			return err
		}
		if needed, failed := rows(ctx); failed == nil {
			h.find(ctx, needed)
		}
		return err
	}
	if h.empty() {
		return usual()
	}
	needed, err := rows(ctx)
	if err != nil {
		return err
	}
	return h.do(ctx, needed, usual, func() error { return work(ctx) })
}

// do runs usual where none of the rows is held, and again where that returns errHeld. Otherwise it waits for the probe
// that is under way, or runs alone as one.
func (h *Held) do(ctx context.Context, rows []int64, usual, alone func() error) error {
	for {
		p, own, err := h.look(rows)
		switch {
		case err != nil:
			return err
		case own:
			return h.probe(ctx, p, alone)
		case p == nil:
			if err := usual(); !errors.Is(err, errHeld) {
				return err
			}
			continue
		}
		select {
		case <-p.ended:
		case <-ctx.Done():
			return ctx.Err()
		}
		if slices.ContainsFunc(rows, func(row int64) bool { return slices.Contains(p.held, row) }) {
			return heldUp(nil)
		}
	}
}

func heldUp(cause error) error {
	return fault.Unavailable(common.CodeUnavailable, "Something that the request changes is locked for long. Try again in a moment.", cause)
}

func (h *Held) empty() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.rows) == 0
}

// look returns the probe to wait for, or a new one that is the caller's own, or neither where none of the rows is held.
func (h *Held) look(rows []int64) (p *probe, own bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var held []int64
	for _, row := range rows {
		under, found := h.rows[row]
		switch {
		case !found:
		case under == nil:
			held = append(held, row)
		case under.waiting == maxWaiting:
			return nil, false, heldUp(nil)
		default:
			under.waiting++
			return under, false, nil
		}
	}
	if len(held) == 0 {
		return nil, false, nil
	}
	p = &probe{rows: held, ended: make(chan struct{})}
	for _, row := range held {
		h.rows[row] = p
	}
	return p, true, nil
}

// probe runs work as a probe.
func (h *Held) probe(ctx context.Context, p *probe, work func() error) (err error) {
	still := p.rows // what is known where the work panics, or where the caller gives up
	refused := false
	defer func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, row := range p.rows {
			if slices.Contains(still, row) {
				h.rows[row] = nil
			} else {
				delete(h.rows, row)
			}
		}
		if refused {
			p.held = still
		}
		close(p.ended)
	}()
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if err = work(); err == nil {
		still = nil
		return nil
	}
	if free, failed := h.ask(ctx, p.rows); failed == nil {
		still = slices.DeleteFunc(slices.Clone(p.rows), func(row int64) bool { return slices.Contains(free, row) })
	}
	refused = h.db.engine.waited(err)
	return err
}

// find looks which of the rows are locked, and remembers them.
func (h *Held) find(ctx context.Context, rows []int64) {
	free, err := h.ask(ctx, rows)
	if err != nil {
		return // nothing is known; everybody goes the usual way
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, row := range rows {
		if _, known := h.rows[row]; !known && !slices.Contains(free, row) {
			h.rows[row] = nil
		}
	}
}

// ask returns which of the rows are free. The locks that it takes for that end with the statement.
func (h *Held) ask(ctx context.Context, rows []int64) ([]int64, error) {
	return h.free(ctx, h.db.engine.wrap(h.db.shared), rows)
}

// any reports whether one of the rows is held.
func (h *Held) any(rows []int64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.ContainsFunc(rows, func(row int64) bool {
		_, held := h.rows[row]
		return held
	})
}
