// Package process holds tests over the real executable: it is built once, started as a user would start it, and judged
// by what a user sees of it: output, exit code, HTTP, and what is still there after a crash.
//
// Run them with -count=1: the test cache does not know what the executable is built of.
package process

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"testing"
)

var (
	long = flag.Bool("long", false, "kill the process more often")
	seed = flag.Uint64("seed", 1, "of the orders that are placed and of the moments of the kills")
)

// binary is the executable under test.
var binary string

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	folder, err := os.MkdirTemp("", "pedidos-process-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	binary = filepath.Join(folder, "pedidos")
	args := []string{"build", "-buildvcs=false", "-o", binary}
	if raceEnabled() {
		args = append(args, "-race")
	}
	build := exec.Command("go", append(args, "github.com/pedidos-hq/pedidos/services/cmd/pedidos")...)
	if output, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n%s", build, err, output)
		return 1
	}
	return m.Run()
}

// raceEnabled reports whether these tests run under the race detector; then the executable does too.
func raceEnabled() bool {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return false
	}
	for _, s := range info.Settings {
		if s.Key == "-race" {
			return s.Value == "true"
		}
	}
	return false
}
