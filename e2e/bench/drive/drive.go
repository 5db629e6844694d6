// Package drive puts load on something and measures how it bears it.
package drive

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Plan is how the load comes.
type Plan struct {
	// Rate is how many operations of all clients together are to begin each second. A client that is late has nothing
	// taken off its latency, which is counted from the moment at which the operation was to begin. 0 is a closed loop:
	// each client begins its next operation when the last has ended, and the latency is the time of the operation alone.
	Rate float64

	WarmUp   time.Duration // is not measured
	Duration time.Duration // is
}

// Operation does one thing and returns when it is done. Errors that say the same are counted together.
type Operation func() error

// Result is what came of the operations that were to begin in the measured time.
type Result struct {
	Latency  *hdrhistogram.Histogram // of those that succeeded, in microseconds
	Failures map[string]int64        // by what the error says
	Elapsed  time.Duration           // from the first to the end of the measured time, or of a backlog after it
}

// NotSent counts, among the failures, what was to begin and did not, because the clients were too far behind.
const NotSent = "not sent"

const longest = 10 * time.Minute // that a histogram tells apart

// Throughput is how many operations succeeded each second.
func (r Result) Throughput() float64 {
	return float64(r.Latency.TotalCount()) / r.Elapsed.Seconds()
}

// Run drives the operations, one client for each. It calls watch when the measured time begins and stop when it ends.
func Run(ctx context.Context, plan Plan, operations []Operation, watch func() (stop func())) (Result, error) {
	start := time.Now()
	begins, ends := start.Add(plan.WarmUp), start.Add(plan.WarmUp+plan.Duration)
	next := time.Now
	if plan.Rate > 0 {
		next = schedule(start, plan.Rate)
	}
	clients := make([]client, len(operations))
	var running sync.WaitGroup
	for i, operation := range operations {
		c := &clients[i]
		*c = client{begins: begins, ends: ends, giveUp: ends.Add(plan.Duration), last: ends, Result: newResult(plan.Duration)}
		running.Go(func() { c.run(ctx, next, operation) })
	}
	if sleep(ctx, begins) {
		stop := watch()
		sleep(ctx, ends)
		stop()
	}
	running.Wait()
	total := newResult(plan.Duration)
	for _, c := range clients {
		total.Latency.Merge(c.Latency)
		for what, n := range c.Failures {
			total.Failures[what] += n
		}
		if plan.Rate > 0 {
			total.Elapsed = max(total.Elapsed, c.last.Sub(begins))
		}
	}
	return total, ctx.Err()
}

func newResult(elapsed time.Duration) Result {
	return Result{
		Latency:  hdrhistogram.New(1, longest.Microseconds(), 3),
		Failures: map[string]int64{},
		Elapsed:  elapsed,
	}
}

// schedule hands out the moments at which operations are to begin, to whichever client is free for the next.
func schedule(start time.Time, rate float64) (next func() time.Time) {
	var n atomic.Int64
	return func() time.Time {
		return start.Add(time.Duration(float64(n.Add(1)-1) / rate * float64(time.Second)))
	}
}

type client struct {
	begins, ends time.Time // the measured time
	giveUp       time.Time // on a backlog
	last         time.Time // at which an operation ended, where that is after ends
	Result
}

func (c *client) run(ctx context.Context, next func() time.Time, operation Operation) {
	for ctx.Err() == nil {
		due := next()
		if !due.Before(c.ends) {
			return
		}
		now := time.Now()
		if due.Before(c.begins) && !now.Before(c.begins) { // what the warm-up leaves is not the load's
			continue
		}
		if now.After(c.giveUp) {
			c.count(due, NotSent)
			continue
		}
		time.Sleep(due.Sub(now))
		err := operation()
		end := time.Now()
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			c.count(due, err.Error())
		case !due.Before(c.begins):
			_ = c.Latency.RecordValue(min(end.Sub(due), longest).Microseconds()) // fails only above longest
		}
		if end.After(c.last) {
			c.last = end
		}
	}
}

func (c *client) count(due time.Time, failure string) {
	if !due.Before(c.begins) {
		c.Failures[failure]++
	}
}

// sleep reports whether the moment has come before ctx has ended.
func sleep(ctx context.Context, until time.Time) bool {
	select {
	case <-time.After(time.Until(until)):
		return true
	case <-ctx.Done():
		return false
	}
}
