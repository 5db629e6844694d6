package process

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait. It is far above what anything here takes.
const patience = 30 * time.Second

// pedidos is a process of the executable.
type pedidos struct {
	cmd            *exec.Cmd
	stdout, stderr *output
	exited         chan struct{}
	secrets        []string // must not be printed
}

// start starts the executable in a folder of its own, with env and nothing else in its environment. However it ends, its
// output is searched for secrets and for the race detector's reports.
func start(t *testing.T, env []string, args ...string) *pedidos {
	t.Helper()
	p := &pedidos{
		cmd: exec.Command(binary, args...), stdout: newOutput(), stderr: newOutput(),
		exited: make(chan struct{}), secrets: secretsOf(env),
	}
	p.cmd.Dir = t.TempDir()
	p.cmd.Env = append([]string{"LOG_LEVEL=DEBUG", "GORACE=atexit_sleep_ms=0"}, env...)
	p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stderr
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

// result is how a process ended.
type result struct {
	code           int
	stdout, stderr string
}

// run runs the executable to its end.
func run(t *testing.T, env []string, args ...string) result {
	t.Helper()
	p := start(t, env, args...)
	code := p.wait(t)
	return result{code, p.stdout.String(), p.stderr.String()}
}

// stop sends a signal and returns the exit code.
func (p *pedidos) stop(t *testing.T, signal os.Signal) int {
	t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		t.Fatalf("%s: %v\n%s", p.cmd, err, p.stderr)
	}
	return p.wait(t)
}

// wait returns the exit code, -1 for a process that was killed.
func (p *pedidos) wait(t *testing.T) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	select {
	case <-p.exited:
		return p.cmd.ProcessState.ExitCode()
	case <-ctx.Done():
		t.Fatalf("%s still runs\n%s", p.cmd, p.stderr)
		return 0
	}
}

// awaitMatch returns the submatches of the first match in what the process prints.
func (p *pedidos) awaitMatch(t *testing.T, from *output, pattern *regexp.Regexp) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for ended := false; ; {
		text, changed := from.snapshot()
		if match := pattern.FindStringSubmatch(text); match != nil {
			return match
		}
		if ended || ctx.Err() != nil {
			t.Fatalf("%s has not printed %s\n%s%s", p.cmd, pattern, p.stdout, p.stderr)
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

func (p *pedidos) checkOutput(t *testing.T) {
	t.Helper()
	printed := p.stdout.String() + p.stderr.String()
	for _, secret := range p.secrets {
		if strings.Contains(printed, secret) {
			t.Errorf("%s printed the secret %s", p.cmd, secret)
		}
	}
	if found := token.FindString(printed); found != "" {
		t.Errorf("%s printed the token %s", p.cmd, found)
	}
	if strings.Contains(printed, "DATA RACE") || strings.Contains(printed, "panic:") {
		t.Errorf("%s has a fault", p.cmd)
	}
	if t.Failed() {
		t.Logf("%s\n%s\n%s", p.cmd, tail(p.stdout.String()), tail(p.stderr.String()))
	}
}

// tail is the end of a text.
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

// output is what a process has printed so far.
type output struct {
	mu      sync.Mutex
	text    strings.Builder
	changed chan struct{} // closed at the next write
}

func newOutput() *output { return &output{changed: make(chan struct{})} }

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.changed)
	o.changed = make(chan struct{})
	return o.text.Write(p)
}

func (o *output) snapshot() (text string, changed <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String(), o.changed
}

func (o *output) String() string {
	text, _ := o.snapshot()
	return text
}

// shop is a running `pedidos up`.
type shop struct {
	*pedidos
	urls
	script string // the lines of the greeting that are there to be pasted
}

// urls are the base URLs of the three services.
type urls struct{ customers, orders, orchestrator string }

var greeting = regexp.MustCompile(`(?s)customers-api +(\S+) .*orders-api +(\S+) .*orchestrator +(\S+) .*\n(TOKEN=.*my-first-order"}'\n)`)

// freePorts lets up take any ports.
var freePorts = []string{"--customers-port", "0", "--orders-port", "0", "--orchestrator-port", "0"}

// up starts all three services on a data folder and waits for the greeting.
func up(t *testing.T, env []string, folder string, args ...string) *shop {
	t.Helper()
	p := start(t, env, append([]string{"up", "--data", folder}, args...)...)
	found := p.awaitMatch(t, p.stdout, greeting)
	for _, name := range []string{"jwt-secret", "service-token"} {
		kept, err := os.ReadFile(filepath.Join(folder, name))
		if err == nil {
			p.secrets = append(p.secrets, string(kept))
		} else if !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	return &shop{pedidos: p, urls: urls{found[1], found[2], found[3]}, script: found[4]}
}

// serve starts one service on a free port of this machine and returns its base URL.
func serve(t *testing.T, service string, env ...string) (p *pedidos, url string) {
	t.Helper()
	p = start(t, append(env, "HOST=127.0.0.1", "PORT=0"), service)
	address := p.awaitMatch(t, p.stderr, regexp.MustCompile(`(?m)^{.*"msg":"listening","address":"([^"]+)"}$`))[1]
	return p, "http://" + address
}

// interrupt stops a process as Ctrl-C does and expects it to end well.
func (p *pedidos) interrupt(t *testing.T) {
	t.Helper()
	if code := p.stop(t, syscall.SIGINT); code != 0 {
		t.Fatalf("%s ended with %d after SIGINT\n%s", p.cmd, code, p.stderr)
	}
}

var portsTaken atomic.Int64

// closedPort returns a port on which nobody listens, and nobody will: it lies below those that the kernel gives to
// listeners on port 0 and to outgoing connections.
func closedPort(t *testing.T) string {
	t.Helper()
	for range 1000 {
		port := strconv.FormatInt(20_000+(int64(os.Getpid())*100+portsTaken.Add(1))%10_000, 10)
		if l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port)); err == nil {
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
}

// fixedPorts are three ports that a process can come back to.
func fixedPorts(t *testing.T) (args []string) {
	t.Helper()
	for _, service := range []string{"customers", "orders", "orchestrator"} {
		args = append(args, fmt.Sprintf("--%s-port=%s", service, closedPort(t)))
	}
	return args
}
