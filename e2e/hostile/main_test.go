// Package hostile attacks the real executable as untrusted clients can: with invalid bodies, hang-ups, idle connections,
// foreign hosts, floods of searches, row locks and full disks. The tests check that an attack affects only the
// attacker's own requests.
//
// Run it with -count=1: Go's test cache does not notice that the executable has changed.
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
