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
	executable string // of this repository, as it is now
	taken      string // a port of this machine where nobody answers
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
	build.Dir, build.Env = "../../services", append(os.Environ(), "GOWORK=") // with what the workspace has built before
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

// configVariables are those that the configuration reads.
var configVariables = func() map[string]bool {
	names := map[string]bool{}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[config.Config]()) {
		if name := field.Tag.Get("env"); name != "" {
			names[name] = true
		}
	}
	return names
}()

// start returns why the executable does not start with what a container has, or "" where it does. Here it does not get far:
// its database does not answer, and the port of its metrics is taken.
func start(env map[string]string, args ...string) string {
	settings, err := config.Read(env)
	if err == nil {
		err = settings.Check(config.Needs{})
	}
	if err != nil { // of what is replaced below too
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

// execute returns what the executable prints, and which files it leaves, as none can in a pod.
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
	output, _ := cmd.CombinedOutput() // how it exits says less than what it prints
	if files, err := os.ReadDir(folder); err != nil || len(files) > 0 {
		return fmt.Sprintf("it writes to its folder: %v", files)
	}
	return string(output)
}
