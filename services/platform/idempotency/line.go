package idempotency

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// waiting is how long a request waits for another one with its key.
const waiting = 2 * time.Second

// lines are the requests of this process that have keys, in a line for each key: one of a line is served at a time.
type lines struct {
	mu sync.Mutex
	of map[lineKey]*line
}

type lineKey struct{ caller, key string }

// line is the requests with one key.
type line struct {
	members int           // under lines.mu
	turn    chan struct{} // has one element while one is being served
	served  atomic.Int64  // how many were
}

func newLines() *lines { return &lines{of: map[lineKey]*line{}} }

// join adds a request to the line of its key.
func (all *lines) join(caller, key string) (l *line, leave func()) {
	of := lineKey{caller, key}
	all.mu.Lock()
	defer all.mu.Unlock()
	if l = all.of[of]; l == nil {
		l = &line{turn: make(chan struct{}, 1)}
		all.of[of] = l
	}
	l.members++
	return l, func() {
		all.mu.Lock()
		defer all.mu.Unlock()
		if l.members--; l.members == 0 {
			delete(all.of, of)
		}
	}
}

// enter waits until nobody of the line is being served.
func (l *line) enter(ctx context.Context) error {
	select {
	case l.turn <- struct{}{}:
		return nil
	default:
	}
	patience := time.NewTimer(waiting)
	defer patience.Stop()
	select {
	case l.turn <- struct{}{}:
		return nil
	case <-patience.C:
		return inProgress(nil)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// exit ends the turn of one who was served.
func (l *line) exit() {
	l.served.Add(1)
	l.pass()
}

// pass ends the turn of one who was not.
func (l *line) pass() { <-l.turn }
