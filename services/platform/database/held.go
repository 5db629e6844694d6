package database

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

// Held isolates work on rows that another transaction keeps locked, such as a SELECT … FOR UPDATE in a database console. Of all
// requests that need such a row, one at a time, the probe, tries to lock it, and the others wait for its outcome. A held row
// therefore occupies one connection, and delays only the requests that need it.
//
// The recorded rows may be out of date at any time. They affect when work runs, never its result.
type Held struct {
	db    *DB
	lock  Lock
	slots chan struct{} // limits the probes that run at once

	mu   sync.Mutex
	rows map[int64]*Probe // the held rows, each with its running probe or nil
}

// Probe is the attempt of one request to lock held rows.
type Probe struct {
	held    *Held
	rows    []int64
	waiting int // requests

	ended  chan struct{}
	locked []int64 // rows that the probe could not lock; set before ended is closed
}

// maxWaiting limits the requests that wait for one probe. Further requests fail at once.
const maxWaiting = 128

// Lock locks rows of one table, given by id, and returns the ids of those that exist. It does not wait: if another transaction has
// locked one of the rows, it fails, and LockWait is true for its error.
type Lock func(ctx context.Context, conn Conn, rows []int64) ([]int64, error)

// NewHeld returns a Held for the rows that lock locks.
func NewHeld(db *DB, lock Lock) *Held {
	return &Held{
		db: db, lock: lock, rows: map[int64]*Probe{},
		slots: make(chan struct{}, max(1, db.write.Stats().MaxOpenConnections/4)),
	}
}

// Do calls work, which locks rows in its own transaction, as soon as Admit allows. The function rows returns the ids of the rows
// that work locks. Do calls it only while a row is held, or after work has waited too long for a lock.
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

// watch calls work. If work waits too long for a lock, watch records the locked rows as held.
func (h *Held) watch(ctx context.Context, rows func(context.Context) ([]int64, error), work func(context.Context) error) error {
	err := work(ctx)
	if !h.db.engine.isLockWait(err) || ctx.Err() != nil {
		return err
	}
	if needed, rowsErr := rows(ctx); rowsErr == nil {
		h.Record(ctx, needed)
	}
	return err
}

// Admit returns nil if none of the rows is held. Otherwise it returns a new probe, which the caller must run, or waits for the
// probe that is running. It fails with CodeUnavailable if that probe could not lock one of the rows, or if too many requests wait
// for it.
func (h *Held) Admit(ctx context.Context, rows []int64) (*Probe, error) {
	for {
		probe, isNew, err := h.probe(rows)
		if probe == nil || isNew {
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
	return fault.Unavailable(common.CodeUnavailable, "The request changes data that is locked at the moment; try again later.", nil)
}

func (h *Held) empty() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.rows) == 0
}

// probe returns the running probe to wait for, or a new one to run, or nil if none of the rows is held.
func (h *Held) probe(rows []int64) (probe *Probe, isNew bool, err error) {
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
	probe = &Probe{held: h, rows: held, ended: make(chan struct{})}
	for _, row := range held {
		h.rows[row] = probe
	}
	return probe, true, nil
}

// Run calls work and releases the waiting requests. If work fails because a row is locked, so do the requests that need the row.
func (p *Probe) Run(ctx context.Context, work func() error) error {
	h := p.held
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
	if free, askErr := h.freeRows(ctx, p.rows); askErr == nil {
		locked = slices.DeleteFunc(slices.Clone(p.rows), func(row int64) bool { return slices.Contains(free, row) })
	}
	refused = h.db.engine.isLockWait(err)
	return err
}

// Record marks the rows that are locked in the database as held.
func (h *Held) Record(ctx context.Context, rows []int64) {
	free, err := h.freeRows(ctx, rows)
	if err != nil {
		return // without a record, requests wait for the lock itself
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, row := range rows {
		if _, known := h.rows[row]; !known && !slices.Contains(free, row) {
			h.rows[row] = nil
		}
	}
}

// freeRows returns the rows that are not locked. It locks them to find out, and releases these locks.
func (h *Held) freeRows(ctx context.Context, rows []int64) ([]int64, error) {
	conn, err := h.db.Shared.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		rollback(ctx, conn)
		_ = conn.Close()
	}()
	return h.db.Free(ctx, h.db.engine.wrap(conn), rows, h.lock)
}

// Free locks the rows that no other transaction has locked, and returns their ids. It finds the others by halves, because TiDB ignores
// SKIP LOCKED.
func (db *DB) Free(ctx context.Context, conn Conn, rows []int64, lock Lock) ([]int64, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	free, err := lock(ctx, conn, rows)
	if !db.LockWait(err) {
		return free, err
	}
	if len(rows) == 1 {
		return nil, nil
	}
	half := len(rows) / 2
	first, err := db.Free(ctx, conn, rows[:half], lock)
	if err != nil {
		return nil, err
	}
	second, err := db.Free(ctx, conn, rows[half:], lock)
	return append(first, second...), err
}

// Contains reports whether one of the rows is held.
func (h *Held) Contains(rows []int64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.ContainsFunc(rows, func(row int64) bool {
		_, held := h.rows[row]
		return held
	})
}

// ErrHeld reports that work was given up because it needs a held row. Call Admit for the work again.
var ErrHeld = errors.New("database: a row is held")
