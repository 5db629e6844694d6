package database

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

// Held isolates work on rows that somebody keeps locked, such as a person with a SELECT … FOR UPDATE. Of all requests that
// need such a row one at a time, the probe, tries to lock it; the others wait for its outcome. A held row so costs one
// connection, and delays only the requests that need it.
//
// Held decides when work runs, never what it does: what it remembers may be wrong at any time.
type Held struct {
	db    *DB
	free  func(ctx context.Context, conn Conn, rows []int64) ([]int64, error)
	slots chan struct{} // one for each probe that may run at once

	mu   sync.Mutex
	rows map[int64]*Probe // rows found locked; nil if no probe is running
}

// Probe is one request's try to lock held rows.
type Probe struct {
	of      *Held
	rows    []int64
	waiting int

	ended  chan struct{}
	locked []int64 // rows that the probe could not lock; set before ended is closed
}

// maxWaiting bounds the requests that wait for one probe. The next one fails at once.
const maxWaiting = 128

// NewHeld returns a Held for the rows of one table. Free returns those of the rows that are not locked now.
func NewHeld(db *DB, free func(ctx context.Context, conn Conn, rows []int64) ([]int64, error)) *Held {
	return &Held{
		db: db, free: free, rows: map[int64]*Probe{},
		slots: make(chan struct{}, max(1, db.write.Stats().MaxOpenConnections/4)),
	}
}

// Do runs work that locks rows in a transaction of its own. It asks for the rows only if something is held.
func (h *Held) Do(ctx context.Context, rows func(context.Context) ([]int64, error), work func(context.Context) error) error {
	if h.empty() {
		return h.watch(ctx, rows, work)
	}
	needed, err := rows(ctx)
	if err != nil {
		return err
	}
	probe, err := h.Admit(ctx, needed)
	switch {
	case err != nil:
		return err
	case probe != nil:
		return probe.Run(ctx, func() error { return work(ctx) })
	}
	return h.watch(ctx, rows, work)
}

// watch runs work, and remembers the rows that are locked if it waited too long for one.
func (h *Held) watch(ctx context.Context, rows func(context.Context) ([]int64, error), work func(context.Context) error) error {
	err := work(ctx)
	if !h.db.engine.waited(err) || ctx.Err() != nil {
		return err
	}
	if needed, failed := rows(ctx); failed == nil {
		h.Find(ctx, needed)
	}
	return err
}

// Admit returns at once if none of the rows is held. Otherwise it returns a new probe for the caller to run, or waits for
// the probe that is running; if that could not lock one of the rows, Admit fails with CodeUnavailable.
func (h *Held) Admit(ctx context.Context, rows []int64) (*Probe, error) {
	for {
		probe, own, err := h.look(rows)
		if probe == nil || own {
			return probe, err
		}
		select {
		case <-probe.ended:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if slices.ContainsFunc(rows, func(row int64) bool { return slices.Contains(probe.locked, row) }) {
			return nil, errLocked()
		}
	}
}

func errLocked() error {
	return fault.Unavailable(common.CodeUnavailable, "The request changes something that is locked at the moment; try again later.", nil)
}

func (h *Held) empty() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.rows) == 0
}

// look returns the probe to wait for, or a new one of the caller's own, or nil if none of the rows is held.
func (h *Held) look(rows []int64) (probe *Probe, own bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var held []int64
	for _, row := range rows {
		running, found := h.rows[row]
		switch {
		case !found:
		case running == nil:
			held = append(held, row)
		case running.waiting == maxWaiting:
			return nil, false, errLocked()
		default:
			running.waiting++
			return running, false, nil
		}
	}
	if len(held) == 0 {
		return nil, false, nil
	}
	probe = &Probe{of: h, rows: held, ended: make(chan struct{})}
	for _, row := range held {
		h.rows[row] = probe
	}
	return probe, true, nil
}

// Run runs the work of the probe, and tells the waiting requests how it ended.
func (p *Probe) Run(ctx context.Context, work func() error) error {
	h := p.of
	locked := p.rows // the assumption if work panics or ctx is done first
	refused := false
	defer func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, row := range p.rows {
			if slices.Contains(locked, row) {
				h.rows[row] = nil
			} else {
				delete(h.rows, row)
			}
		}
		if refused {
			p.locked = locked
		}
		close(p.ended)
	}()
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	err := work()
	if err == nil {
		locked = nil
		return nil
	}
	if free, failed := h.ask(ctx, p.rows); failed == nil {
		locked = slices.DeleteFunc(slices.Clone(p.rows), func(row int64) bool { return slices.Contains(free, row) })
	}
	refused = h.db.engine.waited(err)
	return err
}

// Find asks the database which of the rows are locked, and remembers them.
func (h *Held) Find(ctx context.Context, rows []int64) {
	free, err := h.ask(ctx, rows)
	if err != nil {
		return // then all take the usual way
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, row := range rows {
		if _, known := h.rows[row]; !known && !slices.Contains(free, row) {
			h.rows[row] = nil
		}
	}
}

// ask returns the rows that are free. It releases the locks that it takes for that.
func (h *Held) ask(ctx context.Context, rows []int64) ([]int64, error) {
	conn, err := h.db.Shared.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		rollback(ctx, conn)
		_ = conn.Close()
	}()
	return h.free(ctx, h.db.engine.wrap(conn), rows)
}

// Any reports whether one of the rows is held.
func (h *Held) Any(rows []int64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.ContainsFunc(rows, func(row int64) bool {
		_, held := h.rows[row]
		return held
	})
}

// ErrHeld says that a row the work needs was found to be held: admit the work again.
var ErrHeld = errors.New("database: a row is held")
