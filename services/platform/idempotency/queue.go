package idempotency

import (
	"slices"
	"sync"
)

// queue forms batches without goroutines of its own. A call that finds no batch under way leads the next one: it takes the
// waiting calls into its transaction, reports the outcome to them and promotes the first call that arrived since (Hendler et
// al., Flat Combining and the Synchronization-Parallelism Tradeoff, 2010).
type queue[In any] struct {
	mu      sync.Mutex
	led     bool // a batch is under way, and not late
	waiting []*call[In]
}

// signal promotes a waiting call, or ends it with the outcome of its batch.
type signal struct {
	promoted bool
	outcome  error
}

// wait returns when the call is to lead the next batch, or with the outcome of the batch that it was in.
func (q *queue[In]) wait(c *call[In]) (promoted bool, outcome error) {
	q.mu.Lock()
	if !q.led {
		q.led = true
		q.mu.Unlock()
		return true, nil
	}
	q.waiting = append(q.waiting, c)
	q.mu.Unlock()
	select {
	case s := <-c.signal:
		return s.promoted, s.outcome
	case <-c.ctx.Done():
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if at := slices.Index(q.waiting, c); at >= 0 {
		q.waiting = slices.Delete(q.waiting, at, at+1)
	}
	select {
	case s := <-c.signal: // arrived as ctx ended; a promotion must not be lost
		return s.promoted, s.outcome
	default:
		return false, c.ctx.Err()
	}
}

// take removes up to n calls from the queue, in the order in which they came.
func (q *queue[In]) take(n int) []*call[In] {
	q.mu.Lock()
	defer q.mu.Unlock()
	n = min(n, len(q.waiting))
	taken := slices.Clone(q.waiting[:n])
	q.waiting = slices.Delete(q.waiting, 0, n)
	return taken
}

// promote lets the first waiting call lead the next batch.
func (q *queue[In]) promote() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.led = len(q.waiting) > 0; q.led {
		q.waiting[0].signal <- signal{promoted: true}
		q.waiting = slices.Delete(q.waiting, 0, 1)
	}
}

// settle reports the outcome of their batch to calls.
func settle[In any](calls []*call[In], outcome error) {
	for _, c := range calls {
		c.signal <- signal{outcome: outcome}
	}
}
