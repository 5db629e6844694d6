// Package program runs the real executable for tests: it is built once, started as a user would start it, and judged by
// what a user sees of it.
//
// Run such tests with -count=1: the test cache does not know what the executable is built of.
package program

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait. It is far above what anything here takes.
const patience = time.Minute

var (
	given = flag.String("binary", "", "test this executable; one is built where it is not set")

	binary string // the executable under test
)

// Main builds the executable and runs the tests of a package; its TestMain calls it.
func Main(m *testing.M) (code int) {
	flag.Parse()
	if *given != "" {
		var err error
		if binary, err = filepath.Abs(*given); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}
	folder, err := os.MkdirTemp("", "pedidos-program-")
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

// Folder returns a folder that holds the executable, as `pedidos`: for the PATH of a shell.
func Folder(t testing.TB) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.Symlink(binary, filepath.Join(folder, "pedidos")); err != nil {
		t.Fatal(err)
	}
	return folder
}

// Program is a process of the executable.
type Program struct {
	Stdout, Stderr *Output

	cmd     *exec.Cmd
	exited  chan struct{}
	secrets []string // must not be printed
}

// Start starts the executable in a folder of its own, with env and nothing else in its environment. However it ends, its
// output is searched for secrets, for panics and for the race detector's reports.
func Start(t testing.TB, env []string, args ...string) *Program {
	t.Helper()
	p := &Program{
		Stdout: newOutput(), Stderr: newOutput(),
		cmd: exec.Command(binary, args...), exited: make(chan struct{}), secrets: secretsOf(env),
	}
	p.cmd.Dir = t.TempDir()
	p.cmd.Env = append([]string{"LOG_LEVEL=DEBUG", "GORACE=atexit_sleep_ms=0"}, env...)
	p.cmd.Stdout, p.cmd.Stderr = p.Stdout, p.Stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.exited)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.exited
		p.checkOutput(t)
	})
	return p
}

// Result is how a process ended.
type Result struct {
	Code           int
	Stdout, Stderr string
}

// Run runs the executable to its end.
func Run(t testing.TB, env []string, args ...string) Result {
	t.Helper()
	p := Start(t, env, args...)
	code := p.Wait(t)
	return Result{code, p.Stdout.String(), p.Stderr.String()}
}

// String is the command.
func (p *Program) String() string { return p.cmd.String() }

// Hide adds secrets that must not be printed either; those of the environment are known.
func (p *Program) Hide(secrets ...string) { p.secrets = append(p.secrets, secrets...) }

// Kill kills the process, which must not have ended before.
func (p *Program) Kill(t testing.TB) {
	t.Helper()
	if code := p.Stop(t, syscall.SIGKILL); code != -1 {
		t.Fatalf("%s ended with %d before it was killed\n%s", p, code, tail(p.Stderr.String()))
	}
}

// Interrupt stops the process as Ctrl-C does and expects it to end well.
func (p *Program) Interrupt(t testing.TB) {
	t.Helper()
	if code := p.Stop(t, syscall.SIGINT); code != 0 {
		t.Fatalf("%s ended with %d after SIGINT\n%s", p, code, p.Stderr)
	}
}

// PeakMemory is the most memory that the process has held so far, in bytes. It is Linux that counts it.
func (p *Program) PeakMemory(t testing.TB) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Skip(err)
	}
	_, peak, _ := strings.Cut(string(status), "\nVmHWM:")
	var kilobytes int
	if _, err := fmt.Sscan(peak, &kilobytes); err != nil {
		t.Fatalf("VmHWM of %s: %v", p, err)
	}
	return kilobytes << 10
}

// Stop sends a signal and returns the exit code.
func (p *Program) Stop(t testing.TB, signal os.Signal) int {
	t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		t.Fatalf("%s: %v\n%s", p, err, p.Stderr)
	}
	return p.Wait(t)
}

// Wait returns the exit code, -1 for a process that was killed.
func (p *Program) Wait(t testing.TB) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	select {
	case <-p.exited:
		return p.cmd.ProcessState.ExitCode()
	case <-ctx.Done():
		t.Fatalf("%s still runs\n%s", p, p.Stderr)
		return 0
	}
}

// AwaitMatch returns the submatches of the first match in what the process prints.
func (p *Program) AwaitMatch(t testing.TB, from *Output, pattern *regexp.Regexp) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for ended := false; ; {
		text, changed := from.snapshot()
		if match := pattern.FindStringSubmatch(text); match != nil {
			return match
		}
		if ended || ctx.Err() != nil {
			t.Fatalf("%s has not printed %s\n%s%s", p, pattern, p.Stdout, p.Stderr)
		}
		select {
		case <-changed:
		case <-p.exited: // all is printed now
			ended = true
		case <-ctx.Done():
		}
	}
}

var token = regexp.MustCompile(`eyJ[\w-]{8,}`) // how every JWT starts

func (p *Program) checkOutput(t testing.TB) {
	t.Helper()
	printed := p.Stdout.String() + p.Stderr.String()
	for _, secret := range p.secrets {
		if strings.Contains(printed, secret) {
			t.Errorf("%s printed the secret %s", p, secret)
		}
	}
	if found := token.FindString(printed); found != "" {
		t.Errorf("%s printed the token %s", p, found)
	}
	if strings.Contains(printed, "DATA RACE") || strings.Contains(printed, "panic:") {
		t.Errorf("%s has a fault", p)
	}
	if t.Failed() {
		t.Logf("%s\n%s\n%s\n%s", p, tail(p.Stdout.String()), internal(p.Stderr.String()), tail(p.Stderr.String()))
	}
}

// internal returns the log lines with the causes of internal errors.
func internal(log string) string {
	var found strings.Builder
	for line := range strings.Lines(log) {
		if strings.Contains(line, `"code":"internal"`) {
			found.WriteString(line)
		}
	}
	return tail(found.String())
}

// tail returns the end of a text.
func tail(text string) string {
	const most = 5000
	return text[max(0, len(text)-most):]
}

// secretsOf are the values in an environment that must not be printed.
func secretsOf(env []string) (secrets []string) {
	for _, variable := range env {
		name, value, _ := strings.Cut(variable, "=")
		switch name {
		case "JWT_SECRET", "SERVICE_TOKEN", "ADMIN_PASSWORD", "VIEWER_PASSWORD", "DB_PASSWORD":
			for secret := range strings.SplitSeq(value, ",") {
				secrets = append(secrets, strings.TrimSpace(secret))
			}
		}
	}
	return secrets
}

// Output is what a process has printed so far.
type Output struct {
	mu      sync.Mutex
	text    strings.Builder
	changed chan struct{} // closed at the next write
}

func newOutput() *Output { return &Output{changed: make(chan struct{})} }

func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.changed)
	o.changed = make(chan struct{})
	return o.text.Write(p)
}

func (o *Output) snapshot() (text string, changed <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String(), o.changed
}

func (o *Output) String() string {
	text, _ := o.snapshot()
	return text
}
