package ratelimit_test

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/ratelimit"
)

func TestLimiter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 15, 9, 30, 0, 0, time.UTC)
	for _, test := range []struct {
		perSecond float64
		burst     int
		wait      time.Duration // in the error
		later     time.Duration
		then      int // requests that pass after later
	}{
		{10, 3, time.Second, 99 * time.Millisecond, 0},
		{10, 3, time.Second, 100 * time.Millisecond, 1},
		{10, 3, time.Second, 200 * time.Millisecond, 2},
		{10, 3, time.Second, time.Hour, 3},
		{10, 3, time.Second, -time.Hour, 0}, // the clock is set back
		{0.25, 1, 4 * time.Second, 3999 * time.Millisecond, 0},
		{0.25, 1, 4 * time.Second, 4 * time.Second, 1},
		{1e-9, 1, time.Hour, 24 * time.Hour, 0},
	} {
		at := now
		limiter := ratelimit.New(test.perSecond, test.burst, func() time.Time { return at })
		send := func(caller string) (passed int) {
			for {
				err := limiter.Check(caller, "Too many.")
				if err == nil && passed < 100 {
					passed++
					continue
				}
				var e *fault.Error
				if !errors.As(err, &e) || e.Code != common.CodeTooManyRequests || e.Message != "Too many." || e.RetryAfter != test.wait {
					t.Errorf("%v: after %d requests: %v, want too_many_requests and a wait of %s", test, passed, err, test.wait)
				}
				return passed
			}
		}
		if passed := send("one"); passed != test.burst {
			t.Errorf("%v: %d requests at once, want %d", test, passed, test.burst)
		}
		at = at.Add(test.later)
		if passed := send("one"); passed != test.then {
			t.Errorf("%v: %d requests after %s, want %d", test, passed, test.later, test.then)
		}
		if passed := send("another"); passed != test.burst {
			t.Errorf("%v: %d requests of another caller, want %d", test, passed, test.burst)
		}
	}
}

func TestNoLimit(t *testing.T) {
	t.Parallel()
	limiter := ratelimit.New(math.Inf(1), 1, time.Now)
	for range 1000 {
		if err := limiter.Check("one", "Too many."); err != nil {
			t.Fatal(err)
		}
	}
}

// A caller who sends too much stays limited while a million others send one request each.
func TestManyCallers(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 15, 9, 30, 0, 0, time.UTC)
	limiter := ratelimit.New(1, 2, func() time.Time { return now })
	passed := 0
	for i := range 1_000_000 {
		if err := limiter.Check(fmt.Sprint("caller:", i), "Too many."); err != nil {
			t.Fatalf("caller %d: %v", i, err)
		}
		if i%10 == 0 && limiter.Check("the one", "Too many.") == nil {
			passed++
		}
	}
	if passed > 10 {
		t.Errorf("%d of 100,000 requests passed, want 2, or a few more if the caller was forgotten meanwhile", passed)
	}
}

func TestAddress(t *testing.T) {
	t.Parallel()
	for ip, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8::1": "2001:db8::/64", "2001:db8::ffff:1": "2001:db8::/64",
		"2001:db8:0:1::1": "2001:db8:0:1::/64", "fe80::1%eth0": "fe80::/64", "": "invalid IP", "x": "invalid IP",
	} {
		if got := ratelimit.Address(ip); got != want {
			t.Errorf("Address(%q) = %q, want %q", ip, got, want)
		}
	}
}

// The time of a check, with as many callers as there may be at once.
func BenchmarkCheck(b *testing.B) {
	limiter := ratelimit.New(1e9, 1e9, time.Now)
	callers := make([]string, 1000)
	for i := range callers {
		callers[i] = fmt.Sprint("integrator:", i)
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			if err := limiter.Check(callers[i%len(callers)], "Too many."); err != nil {
				b.Fatal(err)
			}
		}
	})
}
