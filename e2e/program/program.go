// Package program builds the real executable once for the tests of a package and runs it as a user does.
//
// Run such tests with -count=1: Go's test cache does not notice that the executable has changed.
package program

import (
	"context"
	"errors"
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

// patience bounds every wait. It is far longer than any step takes.
const patience = time.Minute

var (
	given = flag.String("binary", "", "test this executable instead of building one")

	binary string // the executable under test
)

// Main builds the executable and runs the tests of a package. Call it from TestMain.
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

// raceEnabled reports whether the tests are built with the race detector. The executable then is, too.
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

// Folder returns a folder for PATH that contains the executable as `pedidos`.
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
	secrets []string // texts that the process must not print
}

// Start starts the executable in an empty folder, at LOG_LEVEL=DEBUG and with no environment but env. When the test ends, it
// kills the process and checks its output for secrets, panics and reports of the race detector.
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

// Result holds the exit code and the output of a process.
type Result struct {
	Code           int
	Stdout, Stderr string
}

// Run runs the executable and waits until it exits.
func Run(t testing.TB, env []string, args ...string) Result {
	t.Helper()
	p := Start(t, env, args...)
	code := p.Wait(t)
	return Result{code, p.Stdout.String(), p.Stderr.String()}
}

// String returns the command line.
func (p *Program) String() string { return p.cmd.String() }

// Hide adds secrets that the process must not print. Start already adds those in its environment.
func (p *Program) Hide(secrets ...string) { p.secrets = append(p.secrets, secrets...) }

// Kill kills the process, which must not have ended before.
func (p *Program) Kill(t testing.TB) {
	t.Helper()
	if code := p.Stop(t, syscall.SIGKILL); code != -1 {
		t.Fatalf("%s ended with %d before it was killed\n%s", p, code, tail(p.Stderr.String()))
	}
}

// Interrupt stops the process as Ctrl-C does and expects exit code 0.
func (p *Program) Interrupt(t testing.TB) {
	t.Helper()
	if code := p.Stop(t, syscall.SIGINT); code != 0 {
		t.Fatalf("%s ended with %d after SIGINT\n%s", p, code, p.Stderr)
	}
}

// PeakMemory returns the peak resident memory of the process in bytes. It skips the test on systems without /proc.
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

// Stop sends a signal, waits until the process exits and returns its exit code.
func (p *Program) Stop(t testing.TB, signal os.Signal) int {
	t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatalf("%s: %v\n%s", p, err, p.Stderr)
	}
	return p.Wait(t)
}

// Wait waits until the process exits and returns its exit code, or -1 if a signal ended it.
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

// AwaitMatch waits for the first match of pattern in the output and returns its submatches.
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
		case <-p.exited: // the output is complete
			ended = true
		case <-ctx.Done():
		}
	}
}

var (
	token  = regexp.MustCompile(`eyJ[\w-]{8,}`)                 // the start of every JWT
	opaque = regexp.MustCompile(`p(ed_\d+|es|et)_[A-Z2-7]{8,}`) // API keys, session tokens, setup tokens
)

func (p *Program) checkOutput(t testing.TB) {
	t.Helper()
	printed := p.Stdout.String() + p.Stderr.String()
	for _, secret := range p.secrets {
		if strings.Contains(printed, secret) {
			t.Errorf("%s printed the secret %s", p, secret)
		}
	}
	if found := opaque.FindString(p.Stderr.String()); found != "" { // users add and reset print a setup token
		t.Errorf("%s logged the token %s", p, found)
	}
	if found := token.FindString(printed); found != "" {
		t.Errorf("%s printed the token %s", p, found)
	}
	if strings.Contains(printed, "DATA RACE") || strings.Contains(printed, "panic:") {
		t.Errorf("%s panicked or has a data race", p)
	}
	if t.Failed() {
		t.Logf("%s\n%s\n%s\n%s", p, tail(p.Stdout.String()), internal(p.Stderr.String()), tail(p.Stderr.String()))
	}
}

// internal returns the log lines of internal errors.
func internal(log string) string {
	var found strings.Builder
	for line := range strings.Lines(log) {
		if strings.Contains(line, `"code":"internal"`) {
			found.WriteString(line)
		}
	}
	return tail(found.String())
}

// tail returns the last 5000 bytes of a text.
func tail(text string) string {
	const most = 5000
	return text[max(0, len(text)-most):]
}

// secretsOf returns the secrets in an environment.
func secretsOf(env []string) (secrets []string) {
	for _, variable := range env {
		name, value, _ := strings.Cut(variable, "=")
		switch name {
		case "SIGNING_SECRET", "JWT_SECRET", "SERVICE_TOKEN", "ADMIN_PASSWORD", "VIEWER_PASSWORD", "DB_PASSWORD":
			for secret := range strings.SplitSeq(value, ",") {
				secrets = append(secrets, strings.TrimSpace(secret))
			}
		}
	}
	return secrets
}

// Output collects the output of a process. It is safe for concurrent use.
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
