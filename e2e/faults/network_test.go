package faults

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/load"
	"github.com/pedidos-hq/pedidos/e2e/wire"
)

// TestNetwork injects changing faults into all hops of a shop under load. After each phase it removes the faults and checks
// that every acknowledged order exists, no key took effect twice, no unit was sold twice, every retried request got the same
// answer, and the audit passes.
func TestNetwork(t *testing.T) {
	t.Parallel()
	phases := 6
	if *long {
		phases = 200
	}
	db, _ := ownMySQL(t)
	s := newWired(t, db, "UPSTREAM_TIMEOUT=300ms", "REQUEST_TIMEOUT=1500ms")
	clients := s.callers(t)
	l := load.New(t, load.Config{Seed: *seed, Timeout: 2 * time.Second}, clients[:]...)

	random := rand.New(rand.NewPCG(*seed, 1))
	for phase := range phases {
		l.Start(t)
		l.AwaitMore(t, 10)
		var faults []string
		for _, wires := range s.wires { // the most important faults occur in every phase
			wires[ordersToMySQL].Lose(wire.CommitAnswerLost, 1+random.IntN(3))
			wires[ordersToMySQL].Lose(wire.CommitLost, 1+random.IntN(3))
		}
		for range 2 + random.IntN(4) {
			faults = append(faults, s.disturb(t, random))
			pause(t, time.Duration(100+random.IntN(700))*time.Millisecond)
		}
		s.heal(t)
		l.AwaitMore(t, 10)
		l.Pause(t)
		l.Check(t)
		s.audit(t)
		if t.Failed() {
			t.Fatalf("seed %d, phase %d: %s", *seed, phase+1, strings.Join(faults, "; "))
		}
	}
	l.CheckAll(t)
	s.audit(t)

	injected, sum := s.injected(), 0
	for _, n := range injected {
		sum += n
	}
	t.Logf("seed %d: %d phases, %d faults injected %v; %s", *seed, phases, sum, injected, l.Counts())
}

// disturb injects a random fault into a random hop, replacing the one that is there, and returns its description.
func (w *wiredShop) disturb(t *testing.T, random *rand.Rand) string {
	t.Helper()
	replica, hops := random.IntN(len(w.wires)), slices.Sorted(maps.Keys(w.wires[0]))
	hop := append(hops, ordersToMySQL, ordersToMySQL)[random.IntN(len(hops)+2)] // ordersToMySQL is the most frequent hop
	it, at := w.wires[replica][hop], fmt.Sprintf("%s (%d)", hop, replica)

	between := func(least, most time.Duration) time.Duration {
		return least + time.Duration(random.Int64N(int64(most-least)))
	}
	var f wire.Fault
	switch random.IntN(11) {
	case 0:
		f = wire.Delayed(100*time.Millisecond, 100*time.Millisecond)
	case 1: // messages arrive after their timeout
		f = wire.Delayed(between(time.Second, 3*time.Second), 500*time.Millisecond)
	case 2:
		f = wire.Dripping(1+random.IntN(100), between(time.Millisecond, 10*time.Millisecond))
	case 3:
		f = wire.CutAfter(random.IntN(2000))
	case 4:
		f = wire.ResetAfter(random.IntN(2000))
	case 5:
		f = wire.Silent()
	case 6:
		f = wire.Unheard()
	case 7:
		f = wire.Partitioned()
	default:
		kind, times := wire.AnswerLost, 1+random.IntN(10)
		if hop == ordersToMySQL {
			kind = []wire.Kind{wire.CommitLost, wire.CommitHeld, wire.CommitAnswerLost, wire.CommitAnswerHeld}[random.IntN(4)]
		}
		it.Lose(kind, times)
		return fmt.Sprintf("%s: %s, %d times", at, kind, times)
	}
	it.Inject(t, f)
	return fmt.Sprintf("%s: %s", at, f)
}

// heal removes all faults.
func (w *wiredShop) heal(t *testing.T) {
	t.Helper()
	for _, each := range w.all() {
		each.Heal(t)
	}
}

// pause lets a fault last for d.
func pause(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-t.Context().Done():
		t.Fatal("the test is over")
	}
}
