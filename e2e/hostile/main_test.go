// Package hostile attacks the real executable the way strangers on the network do: bodies full of faults, hang-ups, idle
// connections, foreign hosts, floods of searches, wrong clocks and full disks. Each test holds the damage to what the
// attacker's own requests cost.
//
// Run it with -count=1: the test cache does not know what the executable is built of.
package hostile

import (
	"flag"
	"os"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/program"
)

var long = flag.Bool("long", false, "attack harder and for longer")

func TestMain(m *testing.M) {
	os.Exit(program.Main(m))
}
