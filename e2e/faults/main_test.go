// Package faults is the fault harness. It runs the real executables on a real MySQL under a load that retries unanswered
// requests, while it kills processes, breaks connections and lets callers race. After each fault it checks the orders of the
// load and runs `pedidos audit`.
//
// Run it with -count=1: Go's test cache does not notice that the executable has changed. Messages about broken guarantees
// contain "violation: ".
package faults

import (
	"flag"
	"os"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/program"
)

var (
	long = flag.Bool("long", false, "inject more faults, for longer")
	seed = flag.Uint64("seed", 1, "seed of the orders and of the faults")
)

func TestMain(m *testing.M) {
	os.Exit(program.Main(m))
}
