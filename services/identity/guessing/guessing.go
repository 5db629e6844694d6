// Package guessing slows down password guessing without locking out the owner of an account.
package guessing

import (
	"sync"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/pedidos-hq/pedidos/services/platform/metrics"
	"github.com/pedidos-hq/pedidos/services/platform/ratelimit"
)

// rule determines the wait after a number of failures.
type rule struct {
	free   int           // failures without a wait
	max    time.Duration // the wait doubles from a second up to this
	forget time.Duration // failures are forgotten after this time without one
}

const (
	size     = 100_000 // accounts, addresses, and known pairs of both
	knownFor = 30 * 24 * time.Hour

	// maxAtOnce limits the concurrent attempts on an account from addresses that are not known.
	maxAtOnce = 20
)

// Limiter counts failed attempts to log in, in the memory of one process. It is safe for concurrent use.
//
// An address from which the owner of an account has logged in does not wait for the failures of others on the account, so nobody can
// keep the owner out by failing.
type Limiter struct {
	now                    func() time.Time
	perAccount, perAddress rule

	mu       sync.Mutex
	failures *otter.Cache[key, failures]
	known    *otter.Cache[key, time.Time] // pairs of account and address, with the last login

	failed                          metrics.Counter
	refusedByAddress, refusedByName metrics.Counter
}

// key is an account, an address, or both.
type key struct{ account, address string }

type failures struct {
	count  int
	last   time.Time
	atOnce int // attempts in progress
}

// New returns a Limiter. m may be nil.
func New(now func() time.Time, m *metrics.Registry) *Limiter {
	refused := m.CounterVec("pedidos_logins_refused_total", "Login attempts refused because of earlier failures, by account or address.", "by")
	return &Limiter{
		now: now,
		// An attacker with many addresses gets about one guess a minute on an account; an address gets about one guess in 15 minutes
		// on all accounts together.
		perAccount:       rule{free: 5, max: time.Minute, forget: time.Hour},
		perAddress:       rule{free: 20, max: 15 * time.Minute, forget: 24 * time.Hour},
		failures:         otter.Must(&otter.Options[key, failures]{MaximumSize: size}),
		known:            otter.Must(&otter.Options[key, time.Time]{MaximumSize: size}),
		failed:           m.CounterVec("pedidos_logins_failed_total", "Attempts to log in with a wrong user name or password.").WithLabelValues(),
		refusedByAddress: refused.WithLabelValues("address"), refusedByName: refused.WithLabelValues("account"),
	}
}

// Attempt is an attempt to log in. Call Succeeded, Failed or Abandon; only the first call has an effect.
type Attempt struct {
	limiter *Limiter
	address key
	account key // the pair if the address is known
	pair    key
	alone   bool // no other attempt from the address may be in progress
	ended   bool
}

// Begin starts an attempt to log in to an account from an address, or returns how long to wait. Whether the account exists makes no
// difference. An attempt that comes too soon changes nothing. After failures, only one attempt at a time is possible on an account, so that
// concurrent attempts get no more guesses than consecutive ones. The same holds for an address, except for accounts known there.
func (l *Limiter) Begin(account, address string) (a *Attempt, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	from := ratelimit.Address(address)
	a = &Attempt{limiter: l, address: key{address: from}, account: key{account: account}, pair: key{account, from}}
	last, known := l.known.GetIfPresent(a.pair)
	if known = known && now.Sub(last) < knownFor; known {
		a.account = a.pair
	}
	source := l.get(a.address, l.perAddress, now)
	a.alone = !known && source.count >= l.perAddress.free
	wait = l.wait(a.address, l.perAddress, now)
	if wait == 0 && a.alone && source.atOnce > 0 {
		wait = time.Second
	}
	if wait > 0 {
		l.refusedByAddress.Inc()
		return nil, wait
	}
	f := l.get(a.account, l.perAccount, now)
	wait = l.wait(a.account, l.perAccount, now)
	if wait == 0 && (f.count >= l.perAccount.free && f.atOnce > 0 || !known && f.atOnce >= maxAtOnce) {
		wait = time.Second
	}
	if wait > 0 {
		l.refusedByName.Inc()
		return nil, wait
	}
	f.atOnce++
	l.failures.Set(a.account, f)
	if a.alone {
		source.atOnce++
		l.failures.Set(a.address, source)
	}
	return a, 0
}

// Failed ends an attempt with a wrong password.
func (a *Attempt) Failed() {
	a.end(func(l *Limiter, f failures) failures {
		l.failed.Inc()
		now := l.now()
		source := l.get(a.address, l.perAddress, now)
		source.count, source.last = source.count+1, now
		l.failures.Set(a.address, source)
		f.count, f.last = f.count+1, now
		return f
	})
}

// Succeeded ends an attempt with the right password. The failures of the account are forgotten, but not those of the address, because an
// attacker may have an account too.
func (a *Attempt) Succeeded() {
	a.end(func(l *Limiter, f failures) failures {
		l.known.Set(a.pair, l.now())
		f.count = 0
		return f
	})
}

// Abandon ends an attempt whose outcome is not known, such as for a database that does not answer.
func (a *Attempt) Abandon() {
	a.end(func(_ *Limiter, f failures) failures { return f })
}

// end ends an attempt, unless it has ended, and changes the failures of its account.
func (a *Attempt) end(change func(*Limiter, failures) failures) {
	l := a.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	if a.ended {
		return
	}
	a.ended = true
	f := change(l, l.get(a.account, l.perAccount, l.now()))
	f.atOnce = max(0, f.atOnce-1) // 0 if the cache has dropped it
	l.failures.Set(a.account, f)
	if a.alone {
		source := l.get(a.address, l.perAddress, l.now())
		source.atOnce = max(0, source.atOnce-1)
		l.failures.Set(a.address, source)
	}
}

// wait returns how long the next attempt has to wait.
func (l *Limiter) wait(k key, r rule, now time.Time) time.Duration {
	f := l.get(k, r, now)
	if f.count < r.free {
		return 0
	}
	wait := r.max
	if doublings := f.count - r.free; doublings < 30 {
		wait = min(r.max, time.Second<<doublings)
	}
	return max(0, wait-now.Sub(f.last))
}

func (l *Limiter) get(k key, r rule, now time.Time) failures {
	f, _ := l.failures.GetIfPresent(k)
	if now.Sub(f.last) >= r.forget {
		f.count = 0
	}
	return f
}
