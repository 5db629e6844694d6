package hostile

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/program"
	"github.com/pedidos-hq/pedidos/gen/common"
)

const password = "planted-password"

// limitedService is a customers-api with a low MAX_CONNS.
type limitedService struct {
	*program.Program
	base, admin string
	maxConns    int
}

func serveLimited(t *testing.T, maxConns int) limitedService {
	t.Helper()
	admin := program.ClosedPort(t)
	p, base := program.Serve(t, "customers",
		"JWT_SECRET=planted-jwt-secret-of-more-than-32-bytes", "SERVICE_TOKEN=planted-service-token", "ADMIN_PASSWORD="+password,
		"DATA_DIR="+t.TempDir(), "ADMIN_PORT="+admin, "MAX_CONNS="+strconv.Itoa(maxConns))
	program.AwaitReady(t, base)
	return limitedService{p, base, "http://127.0.0.1:" + admin, maxConns}
}

// metric returns the value of a metric of the process.
func (b limitedService) metric(t *testing.T, name string) int {
	t.Helper()
	status, text := program.Get(t, b.admin+"/metrics")
	found := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + ` (\S+)$`).FindStringSubmatch(text)
	if status != http.StatusOK || found == nil {
		t.Fatalf("/metrics answered %d without %s", status, name)
	}
	value, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return int(value)
}

// hold opens a connection, sends the text and keeps the connection open. If answered is set, it waits for the answer.
func (b limitedService) hold(t *testing.T, text string, answered bool) net.Conn {
	t.Helper()
	conn := dial(t, b.base)
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	if answered {
		if a := receive(t, conn, text); a.Status != http.StatusOK {
			t.Errorf("%s: %d", clip(text), a.Status)
		}
	}
	return conn
}

const getHealth = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"

// TestIdleConnections holds far more than MAX_CONNS connections in each state in which a connection waits for a request. The
// service must answer all other clients, keep to MAX_CONNS by closing idle connections, and log that once.
func TestIdleConnections(t *testing.T) {
	t.Parallel()
	maxConns, conns := 32, 200
	if *long {
		maxConns, conns = 1024, 10_000
	}
	for name, attack := range map[string]struct {
		text     string
		answered bool
	}{
		"nothing sent":          {"", false},
		"half a request":        {"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", false},
		"kept alive":            {getHealth, true},
		"half a second request": {getHealth + "GET /he", true},
	} {
		t.Run(name, func(t *testing.T) {
			if !*long {
				t.Parallel()
			}
			b := serveLimited(t, maxConns)
			memory := b.metric(t, "process_resident_memory_bytes")
			var held []net.Conn
			for i := range conns {
				held = append(held, b.hold(t, attack.text, attack.answered))
				if i%(conns/20) == 0 {
					if status, _ := program.Get(t, b.base+"/ready"); status != http.StatusOK {
						t.Errorf("with %d connections /ready answers %d", i, status)
					}
				}
			}
			call.URLs{Customers: b.base}.Token(t, password)
			t.Logf("%d connections with MAX_CONNS=%d take %.1f MB", conns, maxConns, float64(b.metric(t, "process_resident_memory_bytes")-memory)/1e6)
			for i, conn := range held[:conns-maxConns-maxConns/16] { // the service may accept connections in another order
				if rest, err := io.ReadAll(conn); len(rest) > 0 || os.IsTimeout(err) {
					t.Fatalf("connection %d: %d bytes, %v, want it closed", i, len(rest), err)
				}
			}
			if open := b.metric(t, `pedidos_connections{service="customers"}`); open > maxConns {
				t.Errorf("%d connections are open, want %d at most", open, maxConns)
			}
			if evicted := b.metric(t, `pedidos_connections_evicted_total{service="customers"}`); evicted < conns-maxConns {
				t.Errorf("%d connections were evicted, want %d at least", evicted, conns-maxConns)
			}
			if refused := b.metric(t, `pedidos_connections_refused_total{service="customers"}`); refused != 0 {
				t.Errorf("%d connections were refused, want 0", refused)
			}
			if lines := strings.Count(b.Stderr.String(), "all connections are taken"); lines != 1 {
				t.Errorf("%d log lines about taken connections, want 1", lines)
			}
		})
	}
}

// TestSlowHeaders checks that the service closes a connection that sends no complete request header in time, even while
// other connections are free.
func TestSlowHeaders(t *testing.T) {
	t.Parallel()
	b := serveLimited(t, 32)
	for _, text := range []string{"", "GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: "} {
		conn := b.hold(t, text, false)
		if rest, err := io.ReadAll(conn); len(rest) > 0 || os.IsTimeout(err) {
			t.Errorf("%q: %q, %v, want the connection closed", text, rest, err)
		}
	}
}

// TestSlowBodies keeps a request in progress on each connection, except for the few that the service needs to answer others
// with 503. The service must stay alive and ready, and recover once these requests end.
func TestSlowBodies(t *testing.T) {
	t.Parallel()
	b := serveLimited(t, 32)
	urls := call.URLs{Customers: b.base}
	token := urls.Token(t, password)
	text := fmt.Sprintf("POST /customers HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAuthorization: Bearer %s\r\n"+
		"Content-Length: 1000\r\n\r\n{", token)
	list := "GET /customers HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer " + token + "\r\n\r\n"

	var held []net.Conn
	for range b.maxConns - b.maxConns/16 {
		held = append(held, b.hold(t, text, false))
	}
	var a answer
	call.Eventually(t, "a request is answered with 503", func() bool {
		a = exchange(t, b.base, list)
		return a.Status != http.StatusOK
	})
	a.WantProblem(t, http.StatusServiceUnavailable, common.CodeUnavailable)
	if a.Header.Get("Retry-After") == "" || !a.Close {
		t.Errorf("got %s, want Retry-After and the connection closed", a.Header)
	}
	for _, path := range []string{"/health", "/ready"} {
		if status, _ := program.Get(t, b.base+path); status != http.StatusOK {
			t.Errorf("%s answers %d meanwhile", path, status)
		}
	}
	for _, conn := range held {
		_ = conn.Close()
	}
	call.Eventually(t, "requests succeed again", func() bool { return exchange(t, b.base, list).Status == http.StatusOK })
	if strings.Contains(b.Stderr.String(), "request failed") {
		t.Errorf("the behavior of a client is logged as a failure:\n%s", b.Stderr)
	}
}
