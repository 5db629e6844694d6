package faults

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/load"
)

// victim is a process that the test kills and restarts.
type victim struct {
	name        string
	kill, start func(*testing.T)
}

// TestCrash kills the processes of a shop under load at random moments, sometimes two at once, and restarts them. After
// each recovery every acknowledged order exists, no key took effect twice, no unit was sold twice, every retried request got
// the same answer, and the audit passes.
func TestCrash(t *testing.T) {
	mysql := newKillable(t)
	t.Parallel()
	rounds := 2 // each kills every victim once
	if *long {
		rounds = 34
	}
	s := newShop(t, mysql.MySQL)
	var victims []victim // in the order of their restarts
	if mysql.kill != nil {
		victims = append(victims, victim{"MySQL", mysql.kill, mysql.start})
	}
	for _, service := range s.services() {
		victims = append(victims, victim{service.name, service.kill, service.start})
	}
	clients := s.clients(t)
	l := load.New(t, load.Config{Seed: *seed, Callers: 16, LoseOneIn: 50, Patience: 30 * time.Second}, clients[:]...)

	random, kills := rand.New(rand.NewPCG(*seed, 0)), map[string]int{}
	for range rounds {
		for order := random.Perm(len(victims)); len(order) > 0; {
			n := min(1+random.IntN(4)/3, len(order))
			down := order[:n]
			order = order[n:]

			l.Start(t)
			l.AwaitMore(t, 20+random.Int64N(100))
			for _, i := range down {
				victims[i].kill(t)
				kills[victims[i].name]++
			}
			l.AwaitRepeats(t, 1+random.Int64N(10))
			slices.Sort(down)
			for _, i := range down {
				victims[i].start(t)
			}
			s.awaitReady(t)
			l.Pause(t)
			l.Check(t)
			s.audit(t)
			if t.Failed() {
				t.FailNow()
			}
		}
	}
	l.CheckAll(t)
	s.audit(t)

	t.Logf("seed %d: %d kills %v; %s", *seed, rounds*len(victims), kills, l.Counts())
}
