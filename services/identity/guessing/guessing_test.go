package guessing_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/services/identity/guessing"
	"github.com/pedidos-hq/pedidos/services/internal/apitest"
)

// try makes an attempt with a wrong password, and returns how long it must wait instead.
func try(l *guessing.Limiter, account, address string) time.Duration {
	a, wait := l.Begin(account, address)
	if wait == 0 {
		a.Failed()
	}
	return wait
}

func TestWaitGrows(t *testing.T) {
	t.Parallel()
	clock := apitest.NewClock()
	l := guessing.New(clock.Now, nil)
	for i := range 5 {
		if wait := try(l, "ana", "192.0.2.1"); wait != 0 {
			t.Fatalf("failure %d waits %s", i+1, wait)
		}
	}
	for _, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		want *= time.Second
		if wait := try(l, "ana", "192.0.2.1"); wait != want {
			t.Errorf("waits %s, want %s", wait, want)
		}
		if wait := try(l, "ana", "192.0.2.1"); wait != want { // an early attempt changes nothing
			t.Errorf("waits %s after an early attempt, want %s", wait, want)
		}
		clock.Advance(want)
		if wait := try(l, "ana", "192.0.2.1"); wait != 0 {
			t.Errorf("waits %s after %s", wait, want)
		}
	}
	clock.Advance(time.Hour)
	for i := range 5 {
		if wait := try(l, "ana", "192.0.2.1"); wait != 0 {
			t.Errorf("an hour later, failure %d waits %s", i+1, wait)
		}
	}
}

// The owner gets in from a known address while strangers guess, and a success there forgets the owner's own failures.
func TestOwnerIsNotLockedOut(t *testing.T) {
	t.Parallel()
	clock := apitest.NewClock()
	l := guessing.New(clock.Now, nil)
	login := func() time.Duration {
		a, wait := l.Begin("ana", "198.51.100.7")
		if wait == 0 {
			a.Succeeded()
		}
		return wait
	}
	if wait := login(); wait != 0 {
		t.Fatalf("the first login waits %s", wait)
	}
	for i := range 100 {
		try(l, "ana", fmt.Sprintf("192.0.2.%d", i))
	}
	if wait := try(l, "ana", "203.0.113.1"); wait == 0 {
		t.Fatal("a stranger does not wait: the test proves nothing")
	}
	for range 3 {
		if wait := login(); wait != 0 {
			t.Errorf("the owner waits %s", wait)
		}
		for range 4 { // mistyped
			if wait := try(l, "ana", "198.51.100.7"); wait != 0 {
				t.Errorf("the owner waits %s", wait)
			}
		}
	}
	if wait := try(l, "ana", "203.0.113.1"); wait == 0 {
		t.Error("a login of the owner ends the wait of strangers")
	}
}

// An attacker with an account does not get more guesses from an address by logging in.
func TestSuccessKeepsAddress(t *testing.T) {
	t.Parallel()
	l := guessing.New(apitest.NewClock().Now, nil)
	for i := range 20 {
		if wait := try(l, fmt.Sprint("user", i), "192.0.2.1"); wait != 0 {
			t.Fatalf("failure %d waits %s", i+1, wait)
		}
		if a, wait := l.Begin("own", "192.0.2.1"); wait == 0 {
			a.Succeeded()
		}
	}
	if wait := try(l, "another", "192.0.2.1"); wait != time.Second {
		t.Errorf("waits %s, want 1s", wait)
	}
}

// Concurrent attempts get no more guesses than consecutive ones, and do not refuse a program that logs in many times at once.
func TestConcurrentAttempts(t *testing.T) {
	t.Parallel()
	clock := apitest.NewClock()
	l := guessing.New(clock.Now, nil)
	begin := func(n int) (attempts []*guessing.Attempt) {
		for i := range n {
			if a, wait := l.Begin("ana", fmt.Sprintf("192.0.2.%d", i)); wait == 0 {
				attempts = append(attempts, a)
			}
		}
		return attempts
	}
	first := begin(100)
	if len(first) != 20 {
		t.Errorf("%d attempts at once, want 20", len(first))
	}
	for _, a := range first {
		a.Failed()
		a.Succeeded() // has no effect
	}
	if n := len(begin(100)); n != 0 {
		t.Errorf("%d attempts during the wait, want none", n)
	}
	clock.Advance(time.Minute)
	if n := len(begin(100)); n != 1 {
		t.Errorf("%d attempts at once after failures, want 1", n)
	}

	program, _ := l.Begin("erp", "192.0.2.1")
	program.Succeeded()
	for i := range 200 {
		if _, wait := l.Begin("erp", "192.0.2.1"); wait != 0 {
			t.Fatalf("attempt %d of a known address waits %s", i, wait)
		}
	}
}

// After failures, an address gets no more guesses on many accounts by guessing at once. Those who have logged in from it before still do.
func TestConcurrentAttemptsOfAddress(t *testing.T) {
	t.Parallel()
	const address = "192.0.2.1"
	clock := apitest.NewClock()
	l := guessing.New(clock.Now, nil)
	if a, wait := l.Begin("erp", address); wait == 0 {
		a.Succeeded()
	}
	for i := range 20 {
		try(l, fmt.Sprint("user", i), address)
	}
	clock.Advance(15 * time.Minute)
	var attempts []*guessing.Attempt
	for i := range 20 {
		if a, wait := l.Begin(fmt.Sprint("another", i), address); wait == 0 {
			attempts = append(attempts, a)
		}
	}
	if len(attempts) != 1 {
		t.Fatalf("%d attempts at once after failures, want 1", len(attempts))
	}
	if a, wait := l.Begin("erp", address); wait == 0 {
		a.Succeeded()
	} else {
		t.Errorf("the owner of an account waits %s", wait)
	}
	attempts[0].Abandon()
	if wait := try(l, "another", address); wait != 0 {
		t.Errorf("waits %s after the other attempt", wait)
	}
}

func TestAbandonIsNoFailure(t *testing.T) {
	t.Parallel()
	l := guessing.New(apitest.NewClock().Now, nil)
	for i := range 100 {
		a, wait := l.Begin("ana", "192.0.2.1")
		if wait != 0 {
			t.Fatalf("attempt %d waits %s", i, wait)
		}
		a.Abandon()
	}
}

// The guesses that attackers get in an hour, who try as soon as they may. docs/security.md has these numbers.
func TestGuessesPerHour(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name                string
		addresses, accounts int
		want                int
	}{
		{"one address, one account", 1, 1, 31},
		{"one address, a thousand accounts", 1, 1000, 32},
		{"a thousand addresses, one account", 1000, 1, 69},
		{"a thousand addresses, a thousand accounts", 1000, 1000, 31_620},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			clock := apitest.NewClock()
			l := guessing.New(clock.Now, nil)
			guesses, turn := 0, 0
			start := clock.Now()
			due := make([]time.Time, test.addresses) // when each address may try again, as Retry-After says
			for clock.Now().Sub(start) < time.Hour {
				for address := range due {
					for !due[address].After(clock.Now()) {
						turn++
						wait := try(l, fmt.Sprint("user", turn%test.accounts), fmt.Sprintf("10.0.%d.%d", address/256, address%256))
						if due[address] = clock.Now().Add(wait); wait == 0 {
							guesses++
						}
					}
				}
				clock.Set(slices.MinFunc(due, time.Time.Compare))
			}
			t.Logf("%d guesses in an hour", guesses)
			if guesses != test.want {
				t.Errorf("%d guesses, want %d", guesses, test.want)
			}
		})
	}
}
