// Package process tests the real executable the way a user runs it. The tests observe its output, exit code, HTTP responses
// and the data that is left after a crash.
//
// Run them with -count=1: Go's test cache does not notice that the executable has changed.
package process

import (
	"flag"
	"os"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/program"
)

var (
	long = flag.Bool("long", false, "kill the process more often")
	seed = flag.Uint64("seed", 1, "seed of the orders and of the moments of the kills")
)

func TestMain(m *testing.M) {
	os.Exit(program.Main(m))
}
