package check

import (
	"context"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/services/platform/config"
)

var (
	executable string // path of the executable, built from the work tree
	taken      string // a local port that is open but never answers
)

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	folder, err := os.MkdirTemp("", "pedidos-check-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	executable = filepath.Join(folder, "pedidos")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", executable, "./cmd/pedidos")
	build.Dir, build.Env = "../../services", append(os.Environ(), "GOWORK=") // the workspace, to use its build cache
	if output, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n%s", build, err, output)
		return 1
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer listener.Close()
	_, taken, _ = net.SplitHostPort(listener.Addr().String())
	return m.Run()
}

// configVariables is the set of variables of config.Config.
var configVariables = func() map[string]bool {
	names := map[string]bool{}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[config.Config]()) {
		if name := field.Tag.Get("env"); name != "" {
			names[name] = true
		}
	}
	return names
}()

// start runs the executable with the environment and arguments of a container. It returns "" if the configuration is valid,
// and the error otherwise. A valid start ends at the database, which does not answer, or at the metrics port, which is taken.
func start(env map[string]string, args ...string) string {
	settings, err := config.Read(env)
	if err == nil {
		err = settings.Check(config.Needs{})
	}
	if err != nil { // also in the variables that are replaced below
		return err.Error()
	}
	env = maps.Clone(env)
	env["HOST"], env["PORT"], env["ADMIN_PORT"] = "127.0.0.1", "0", taken
	if env["DB_HOST"] != "" {
		env["DB_HOST"], env["DB_PORT"], env["DB_WAIT"] = "127.0.0.1", taken, "1ms"
	}
	output := execute(env, args...)
	if strings.Contains(output, "pedidos: the database did not answer") || strings.Contains(output, "pedidos: port "+taken+" is taken") {
		return ""
	}
	return output
}

// execute runs the executable and returns its output, or an error message if it writes to its folder, which is read-only in
// a pod.
func execute(env map[string]string, args ...string) string {
	folder, err := os.MkdirTemp("", "pedidos-check-")
	if err != nil {
		return err.Error()
	}
	defer os.RemoveAll(folder)
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	cmd := exec.CommandContext(ctx, executable, args...)
	cmd.Dir = folder
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	output, _ := cmd.CombinedOutput() // the output explains a failure better than the exit status
	if files, err := os.ReadDir(folder); err != nil || len(files) > 0 {
		return fmt.Sprintf("it writes to its folder: %v", files)
	}
	return string(output)
}
