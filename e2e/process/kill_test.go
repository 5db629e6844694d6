package process

import (
	"math/rand/v2"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/load"
	"github.com/pedidos-hq/pedidos/e2e/program"
)

// TestKill repeatedly kills `pedidos up` under load and restarts it with the same folder and ports. Eight callers place,
// confirm and cancel orders and retry unanswered requests under their keys. After each restart no acknowledged change is
// missing, and no request took effect twice.
func TestKill(t *testing.T) {
	t.Parallel()
	kills := 3
	if *long {
		kills = 40
	}
	random := rand.New(rand.NewPCG(*seed, 0))
	folder, ports := t.TempDir(), program.FixedPorts(t)

	s := program.Up(t, unlimited(), folder, append(ports, "--no-seed")...)
	client := s.Login(t, call.LocalPassword)
	l := load.New(t, load.Config{Seed: *seed, LoseOneIn: 20}, client)
	for range kills {
		l.Start(t)
		l.AwaitMore(t, 100+random.Int64N(200))
		s.Kill(t)
		s = program.Up(t, unlimited(), folder, append(ports, "--no-seed")...)
		l.AwaitMore(t, 20)
		l.Pause(t)
		client = s.Login(t, call.LocalPassword)
		l.Use(client)
		l.Check(t)
		if t.Failed() {
			t.FailNow()
		}
	}
	l.CheckAll(t)

	client.HangUp()
	s.Interrupt(t)
	if r := program.Run(t, []string{"DATA_DIR=" + folder}, "audit"); r.Code != 0 {
		t.Errorf("violation: audit: exit code %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	t.Logf("seed %d: %d kills, %s", *seed, kills, l.Counts())
}
