// Package drive generates load and measures latency and throughput.
package drive

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Plan describes a load.
type Plan struct {
	// Rate is the intended number of operations per second of all clients together. Latency counts from the time at which
	// an operation was due, so it includes the delay of a client that was still busy. 0 is a closed loop: each client
	// starts its next operation when the last has ended, and latency is the duration of the operation.
	Rate float64

	WarmUp   time.Duration // load before the measured time
	Duration time.Duration // the measured time
}

// Operation performs one operation. Errors with the same text are counted together.
type Operation func() error

// Result summarizes the operations that were due in the measured time.
type Result struct {
	Latency  *hdrhistogram.Histogram // of successful operations, in microseconds
	Failures map[string]int64        // by error text
	Elapsed  time.Duration           // the measured time; in an open loop, until the last operation ended, if that is later
}

// NotSent is the key in Failures of operations that were due but not started, because the clients were too far behind.
const NotSent = "not sent"

const longest = 10 * time.Minute // latency that a histogram can record

// Throughput returns the number of successful operations per second.
func (r Result) Throughput() float64 {
	return float64(r.Latency.TotalCount()) / r.Elapsed.Seconds()
}

// Run repeats each operation in a client of its own. It calls watch when the measured time begins and stop when it ends. If ctx
// is done first, Run returns its error.
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

// schedule returns a function that returns the time at which the next operation is due, for whichever client is free.
func schedule(start time.Time, rate float64) (next func() time.Time) {
	var n atomic.Int64
	return func() time.Time {
		return start.Add(time.Duration(float64(n.Add(1)-1) / rate * float64(time.Second)))
	}
}

type client struct {
	begins, ends time.Time // the measured time
	giveUp       time.Time // when overdue operations are no longer started
	last         time.Time // the end of the last operation, or ends if that is later
	Result
}

func (c *client) run(ctx context.Context, next func() time.Time, operation Operation) {
	for ctx.Err() == nil {
		due := next()
		if !due.Before(c.ends) {
			return
		}
		now := time.Now()
		if due.Before(c.begins) && !now.Before(c.begins) { // a backlog of the warm-up is not measured
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

// sleep waits until a time, and reports false if ctx is done first.
func sleep(ctx context.Context, until time.Time) bool {
	select {
	case <-time.After(time.Until(until)):
		return true
	case <-ctx.Done():
		return false
	}
}
