// Package process holds tests over the real executable: started as a user would start it, and judged by what a user sees
// of it: output, exit code, HTTP, and what is still there after a crash.
//
// Run them with -count=1: the test cache does not know what the executable is built of.
package process

import (
	"flag"
	"os"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/program"
)

var (
	long = flag.Bool("long", false, "kill the process more often")
	seed = flag.Uint64("seed", 1, "of the orders that are placed and of the moments of the kills")
)

func TestMain(m *testing.M) {
	os.Exit(program.Main(m))
}
