package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/call"
)

// Shop is a running `pedidos up`.
type Shop struct {
	*Program
	call.URLs
	Backoffice string // base URL
	Script     string // the shell commands that the greeting shows
}

// Greeting matches what up prints once all services are ready. Its submatches are the base URLs of the backoffice, customers-api,
// orders-api and the orchestrator, and the shell commands.
var Greeting = regexp.MustCompile(`(?s)in a browser:\n\n +(\S+) +log in as .*customers-api +(\S+) .*orders-api +(\S+) .*orchestrator +(\S+) .*\n(TOKEN=.*?\n)\n`)

// Up starts all services on a data folder and waits for the greeting.
func Up(t testing.TB, env []string, folder string, args ...string) *Shop {
	t.Helper()
	p := Start(t, env, append([]string{"up", "--data", folder}, args...)...)
	found := p.AwaitMatch(t, p.Stdout, Greeting)
	for _, name := range []string{"signing-secret", "service-token"} {
		kept, err := os.ReadFile(filepath.Join(folder, name))
		if err == nil {
			p.Hide(string(kept))
		} else if !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	return &Shop{Program: p, Backoffice: found[1], URLs: call.URLs{Customers: found[2], Orders: found[3], Orchestrator: found[4]}, Script: found[5]}
}

var listening = regexp.MustCompile(`(?m)^{.*"msg":"listening","address":"([^"]+)"}$`)

// Serve starts one service on 127.0.0.1, on the PORT in env or a free port, and returns its base URL.
func Serve(t testing.TB, service string, env ...string) (p *Program, url string) {
	t.Helper()
	p = Start(t, append([]string{"HOST=127.0.0.1", "PORT=0"}, env...), service)
	return p, "http://" + p.AwaitMatch(t, p.Stderr, listening)[1]
}

// AwaitReady waits until /ready of all base URLs answers 200.
func AwaitReady(t testing.TB, urls ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, url := range urls {
		for !ready(ctx, url) {
			select {
			case <-time.After(20 * time.Millisecond):
			case <-ctx.Done():
				t.Fatalf("%s is not ready", url)
			}
		}
	}
}

// Get returns the status and the body of a response. It closes the connection, which would delay the shutdown of the service.
func Get(t testing.TB, url string) (status int, body string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Close = true
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func ready(ctx context.Context, url string) bool {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/ready", nil)
	if err != nil {
		return false
	}
	r.Close = true // an open connection would delay the shutdown of the service
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	_ = answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// FreePorts returns flags with which up listens on free ports.
func FreePorts() (args []string) {
	return []string{"--customers-port", "0", "--orders-port", "0", "--orchestrator-port", "0", "--backoffice-port", "0"}
}

// FixedPorts returns flags with closed ports, which up can use again after a restart.
func FixedPorts(t testing.TB) (args []string) {
	t.Helper()
	for _, service := range []string{"customers", "orders", "orchestrator", "backoffice"} {
		args = append(args, fmt.Sprintf("--%s-port=%s", service, ClosedPort(t)))
	}
	return args
}

var portsTaken atomic.Int64

// ClosedPort returns a port without a listener. It is below the range from which the kernel assigns ports to outgoing
// connections and to listeners on port 0, so that no other process takes it.
func ClosedPort(t testing.TB) string {
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
