package drive_test

import (
	"context"
	"errors"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/bench/drive"
)

// takes returns an operation of the given duration.
func takes(d time.Duration) drive.Operation {
	return func() error {
		time.Sleep(d)
		return nil
	}
}

func unwatched() (stop func()) { return func() {} }

func run(t *testing.T, plan drive.Plan, operations ...drive.Operation) drive.Result {
	t.Helper()
	result, err := drive.Run(t.Context(), plan, operations, unwatched)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// near checks a latency, within the precision of the histogram.
func near(t *testing.T, what string, micros int64, want time.Duration) {
	t.Helper()
	if off := time.Duration(micros)*time.Microsecond - want; off.Abs() > want/500 {
		t.Errorf("%s is %s, want %s", what, time.Duration(micros)*time.Microsecond, want)
	}
}

func TestClosedLoop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, drive.Plan{WarmUp: time.Second, Duration: 2 * time.Second}, takes(10*time.Millisecond), takes(40*time.Millisecond))
		if n := r.Latency.TotalCount(); n != 250 || r.Throughput() != 125 {
			t.Errorf("%d operations, %v a second, want 200 and 50, without the warm-up", n, r.Throughput())
		}
		near(t, "the median", r.Latency.ValueAtQuantile(50), 10*time.Millisecond)
		near(t, "the longest", r.Latency.Max(), 40*time.Millisecond)
	})
}

// One slow operation delays the only client. The operations that are due meanwhile start late, and their latency includes the delay.
func TestOpenLoopCountsFromTheIntendedBegin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := 0
		stall := func() error {
			if n++; n == 101 { // the first after the warm-up
				time.Sleep(500 * time.Millisecond)
			}
			return nil
		}
		r := run(t, drive.Plan{Rate: 100, WarmUp: time.Second, Duration: time.Second}, stall)
		if n := r.Latency.TotalCount(); n != 100 || r.Elapsed != time.Second || len(r.Failures) != 0 {
			t.Errorf("%d operations in %s, failures %v, want 100 in 1s", n, r.Elapsed, r.Failures)
		}
		near(t, "the longest", r.Latency.Max(), 500*time.Millisecond)
		near(t, "the 60th percentile", r.Latency.ValueAtQuantile(60), 100*time.Millisecond) // 50 were late, by 500 ms to 10 ms
		if r.Latency.ValueAtQuantile(50) != 0 {
			t.Errorf("the median is %d µs, want 0: the other half was on time", r.Latency.ValueAtQuantile(50))
		}
	})
}

func TestOpenLoopSpreadsOverClients(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, drive.Plan{Rate: 100, Duration: time.Second}, takes(15*time.Millisecond), takes(15*time.Millisecond))
		if n := r.Latency.TotalCount(); n != 100 {
			t.Errorf("%d operations, want 100", n)
		}
		near(t, "the longest", r.Latency.Max(), 15*time.Millisecond)
	})
}

// If the clients can't keep up, a backlog may take as long as the measured time, and the throughput is what was achieved, not
// the intended rate.
func TestOpenLoopBacklog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, drive.Plan{Rate: 100, Duration: time.Second}, takes(16*time.Millisecond))
		if n := r.Latency.TotalCount(); n != 100 || r.Elapsed != 1600*time.Millisecond || r.Throughput() != 62.5 {
			t.Errorf("%d operations in %s, want all 100 in 1.6s", n, r.Elapsed)
		}
		r = run(t, drive.Plan{Rate: 100, Duration: time.Second}, takes(50*time.Millisecond))
		if sent, not := r.Latency.TotalCount(), r.Failures[drive.NotSent]; sent+not != 100 || sent != 41 {
			t.Errorf("%d sent, %d not sent, want 41 in two seconds, and the other 59", sent, not)
		}
	})
}

// A backlog of the warm-up does not reach the measured time.
func TestWarmUpLeavesNoBacklog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		slowAtFirst := func() error {
			if time.Since(start) < time.Second {
				time.Sleep(20 * time.Millisecond)
			} else {
				time.Sleep(5 * time.Millisecond)
			}
			return nil
		}
		r := run(t, drive.Plan{Rate: 100, WarmUp: time.Second, Duration: time.Second}, slowAtFirst)
		if n := r.Latency.TotalCount(); n != 100 {
			t.Errorf("%d operations, want 100", n)
		}
		near(t, "the longest", r.Latency.Max(), 5*time.Millisecond)
	})
}

func TestFailures(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := 0
		r := run(t, drive.Plan{WarmUp: time.Second, Duration: time.Second}, func() error {
			time.Sleep(100 * time.Millisecond)
			if n++; n%2 == 0 {
				return errors.New("409 out_of_stock")
			}
			return nil
		})
		if want := map[string]int64{"409 out_of_stock": 5}; !maps.Equal(r.Failures, want) || r.Latency.TotalCount() != 5 {
			t.Errorf("failures %v and %d successes, want %v and 5", r.Failures, r.Latency.TotalCount(), want)
		}
	})
}

func TestWatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var began, ended time.Duration
		plan := drive.Plan{WarmUp: time.Second, Duration: 3 * time.Second}
		_, err := drive.Run(t.Context(), plan, []drive.Operation{takes(700 * time.Millisecond)}, func() func() {
			began = time.Since(start)
			return func() { ended = time.Since(start) }
		})
		if err != nil || began != time.Second || ended != 4*time.Second {
			t.Errorf("watched from %s to %s, %v, want from 1s to 4s", began, ended, err)
		}
	})
}

func TestEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		_, err := drive.Run(ctx, drive.Plan{Duration: time.Hour}, []drive.Operation{takes(time.Millisecond)}, unwatched)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 2*time.Second+time.Millisecond {
			t.Errorf("ended after %s with %v, want 2s", time.Since(start), err)
		}
	})
}
