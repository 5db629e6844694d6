// Package faults holds the fault harness: the real executables on a real MySQL, under a load that repeats what is not
// answered, while processes are killed, connections break and callers race. After each fault the load is checked, and
// `pedidos audit` too.
//
// Run it with -count=1: the test cache does not know what the executable is built of. What must never be so is reported in
// lines with "violation: ".
package faults

import (
	"flag"
	"os"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/program"
)

var (
	long = flag.Bool("long", false, "inject more faults, for longer")
	seed = flag.Uint64("seed", 1, "of the orders that are placed and of the faults")
)

func TestMain(m *testing.M) {
	os.Exit(program.Main(m))
}
