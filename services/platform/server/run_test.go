package server_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/server"
)

// slow is an operation whose duration the test sets.
const slow = "  /customers/{id}: { get: { operationId: slow, security: [], responses: { '200': { description: ok } } } }"

// delay is the time from the signal to stop until the port is closed.
const delay = 5 * time.Second

// During the delay, /ready is 503, everything else is served, and every answer closes its connection. Then the port is closed
// and the requests under way finish.
func TestStop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, delay)
		slow := s.begin("/customers/1", delay+7*time.Second)
		if r := s.get(t, "/ready"); r.status != http.StatusOK || r.close {
			t.Errorf("ready: %+v, want 200 and a connection that stays open", r)
		}
		s.stop()
		for range 3 {
			synctest.Wait()
			if r := s.get(t, "/ready"); r.status != http.StatusServiceUnavailable || r.code != common.CodeUnavailable || r.retryAfter != "1" || !r.close {
				t.Errorf("ready during the shutdown: %+v, want 503 with Retry-After and a closed connection", r)
			}
			if r := s.get(t, "/health"); r.status != http.StatusOK || !r.close {
				t.Errorf("health during the shutdown: %+v, want 200 and a closed connection", r)
			}
			time.Sleep(delay / 3)
		}
		time.Sleep(time.Second)
		if _, err := s.client.Get("http://service/health"); err == nil || !strings.Contains(err.Error(), net.ErrClosed.Error()) {
			t.Errorf("the port is open after the delay: %v", err)
		}
		if r := <-slow; r.err != nil || r.status != http.StatusOK {
			t.Errorf("the request under way: %+v, want 200", r)
		}
		if err := <-s.done; err != nil {
			t.Error(err)
		}
	})
}

// A request that hangs delays the shutdown by at most 15 seconds.
func TestStopCutsHangingRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, delay)
		hanging := s.begin("/customers/1", time.Hour)
		begin := time.Now()
		s.stop()
		if err := <-s.done; err == nil || !strings.Contains(err.Error(), "requests were still under way after 15s") {
			t.Errorf("Run = %v, want an error about requests under way", err)
		}
		if took := time.Since(begin); took != delay+15*time.Second {
			t.Errorf("Run returned after %s, want %s", took, delay+15*time.Second)
		}
		if r := <-hanging; r.err == nil {
			t.Errorf("the request that hangs: %+v, want it cut", r)
		}
		s.release()
	})
}

// Without a delay, as in a terminal, Run stops at once.
func TestStopWithoutDelay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, 0)
		s.get(t, "/health")
		synctest.Wait() // now the connection is idle
		begin := time.Now()
		s.stop()
		if err := <-s.done; err != nil {
			t.Error(err)
		}
		if took := time.Since(begin); took != 0 {
			t.Errorf("Run returned after %s, want at once", took)
		}
	})
}

// running is a service under test. begin sets the duration of requests for a customer.
type running struct {
	client  *http.Client
	stop    context.CancelFunc
	done    chan error
	takes   chan time.Duration
	release func() // ends hanging requests
}

func start(t *testing.T, delay time.Duration) *running {
	t.Helper()
	hanging, release := context.WithCancel(context.Background())
	s := &running{done: make(chan error, 1), takes: make(chan time.Duration, 1), release: release}
	healthy := func(c echo.Context) error { return c.JSON(http.StatusOK, common.Health{Status: common.HealthOK}) }
	log := slog.New(slog.DiscardHandler)
	handler, err := server.New(server.Config{Title: "any", Contract: contractWith(slow), Log: log}, func(router *echo.Echo, prefix string) {
		router.GET(prefix+"/health", healthy)
		router.GET(prefix+"/ready", healthy)
		router.GET(prefix+"/customers/:id", func(c echo.Context) error {
			select {
			case <-time.After(<-s.takes):
			case <-hanging.Done():
			}
			return healthy(c)
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	port := &port{conns: make(chan net.Conn), closed: make(chan struct{})}
	transport := &http.Transport{DialContext: port.dial}
	s.client = &http.Client{Transport: transport}
	t.Cleanup(transport.CloseIdleConnections)
	ctx, stop := context.WithCancel(t.Context())
	s.stop = stop
	go func() { s.done <- server.Run(ctx, port, handler, server.Listening{Delay: delay, Log: log}) }()
	return s
}

// answer is the part of an answer that tests check.
type answer struct {
	status     int
	close      bool
	retryAfter string
	code       common.ProblemCode
	err        error
}

// begin sends a request and returns when the handler runs.
func (s *running) begin(path string, takes time.Duration) <-chan answer {
	answers := make(chan answer, 1)
	go func() { answers <- s.send(path) }()
	s.takes <- takes
	synctest.Wait()
	return answers
}

func (s *running) get(t *testing.T, path string) answer {
	t.Helper()
	a := s.send(path)
	if a.err != nil {
		t.Errorf("GET %s: %v", path, a.err)
	}
	return a
}

func (s *running) send(path string) answer {
	r, err := s.client.Get("http://service" + path)
	if err != nil {
		return answer{err: err}
	}
	defer r.Body.Close()
	var doc common.Problem
	if r.StatusCode != http.StatusOK {
		err = json.NewDecoder(r.Body).Decode(&doc)
	}
	return answer{r.StatusCode, r.Close, r.Header.Get("Retry-After"), doc.Code, err}
}

// port is a listener without a network, as synctest needs.
type port struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *port) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.conns <- far:
		return near, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *port) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *port) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *port) Addr() net.Addr { return &net.TCPAddr{} }
