package wire

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// timeout bounds every wait.
const timeout = 30 * time.Second

// never is a delay that outlasts every test.
const never = time.Hour

func TestWirePassesAll(t *testing.T) {
	t.Parallel()
	one, other := serve(t, "one"), serve(t, "other")
	w := New(t, one.address)
	if got, err := get(w); got != "one" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	w.MoveTo(t, other.address)
	if got, err := get(w); got != "other" || err != nil {
		t.Errorf("after MoveTo: got %q, %v", got, err)
	}
	if n := w.Injected(); len(n) != 0 {
		t.Errorf("got the faults %v, want none", n)
	}
}

func TestWireMovesWhilePartitioned(t *testing.T) {
	t.Parallel()
	w := New(t, "127.0.0.1:1")
	w.Inject(t, Partitioned())
	w.MoveTo(t, serve(t, "other").address)
	if _, err := get(w); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("got %v, want ECONNREFUSED", err)
	}
	w.Heal(t)
	if got, err := get(w); got != "other" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestDelayed(t *testing.T) {
	t.Parallel()
	p := connect(t)
	p.w.Inject(t, Delayed(never, 0))
	p.send(t, p.client, "request")
	p.await(t, Latency, 1)
	expectNothing(t, p.server)
	p.w.Heal(t)
	p.expectRead(t, p.server, "request")
	p.send(t, p.server, "answer")
	p.expectRead(t, p.client, "answer")
}

func TestDripping(t *testing.T) {
	t.Parallel()
	p := connect(t)
	p.w.Inject(t, Dripping(3, never))
	p.send(t, p.server, "answer")
	p.expectRead(t, p.client, "ans")
	expectNothing(t, p.client)
	p.w.Heal(t)
	p.expectRead(t, p.client, "wer")
	p.expectInjected(t, map[Kind]int{Drip: 1})
}

func TestCutAfter(t *testing.T) {
	t.Parallel()
	p := connect(t)
	p.w.Inject(t, CutAfter(4))
	p.send(t, p.client, "request")
	p.expectRead(t, p.server, "request")
	p.send(t, p.server, "answer")
	if got, err := io.ReadAll(p.client); string(got) != "answ" || err != nil {
		t.Errorf("read %q, %v, want the first 4 bytes and EOF", got, err)
	}
	p.w.Heal(t)
	p.open(t)
	p.send(t, p.server, "answer")
	p.expectRead(t, p.client, "answer")
	p.expectInjected(t, map[Kind]int{Cut: 1})
}

func TestCutAfterNothing(t *testing.T) {
	t.Parallel()
	s := serve(t, "one")
	w := New(t, s.address)
	w.Inject(t, CutAfter(0))
	if _, err := get(w); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want EOF", err)
	}
	if n := s.requests.Load(); n != 1 {
		t.Errorf("%d requests arrived, want 1", n)
	}
}

func TestResetAfter(t *testing.T) {
	t.Parallel()
	p := connect(t)
	p.w.Inject(t, ResetAfter(4))
	p.open(t)
	p.send(t, p.server, "answer")
	got, err := io.ReadAll(p.client)
	if !strings.HasPrefix("answ", string(got)) || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read %q, %v, want a reset after 4 bytes", got, err)
	}
	p.w.Heal(t)
	p.open(t)
	if err := p.server.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(p.client); err != nil {
		t.Errorf("after Heal: the connection ended with %v, want EOF", err)
	}
	p.expectInjected(t, map[Kind]int{Reset: 1})
}

func TestSilent(t *testing.T) {
	t.Parallel()
	p := connect(t)
	p.w.Inject(t, Silent())
	p.send(t, p.client, "request")
	p.send(t, p.server, "answer")
	p.await(t, HalfOpen, 1)
	expectNothing(t, p.client)
	if err := p.client.Close(); err != nil {
		t.Fatal(err)
	}
	expectNothing(t, p.server)
	first := p.server

	p.open(t)
	p.send(t, p.client, "request")
	p.await(t, HalfOpen, 2)
	expectNothing(t, p.server)
	p.w.Heal(t)
	for name, end := range map[string]net.Conn{"server of the first": first, "client": p.client, "server": p.server} {
		if got, err := io.ReadAll(end); len(got) != 0 || err != nil {
			t.Errorf("the %s read %q, %v, want only EOF", name, got, err)
		}
	}
	p.open(t)
	p.send(t, p.client, "request")
	p.expectRead(t, p.server, "request")
	p.expectInjected(t, map[Kind]int{HalfOpen: 2})
}

func TestUnheard(t *testing.T) {
	t.Parallel()
	p := connect(t)
	p.w.Inject(t, Unheard())
	p.send(t, p.client, "request")
	p.expectRead(t, p.server, "request")
	p.send(t, p.server, "answer")
	expectNothing(t, p.client)
	p.w.Heal(t)
	if got, err := io.ReadAll(p.client); len(got) != 0 || err != nil {
		t.Errorf("read %q, %v, want only EOF", got, err)
	}
	p.expectInjected(t, map[Kind]int{Unanswered: 1})
}

func TestPartitioned(t *testing.T) {
	t.Parallel()
	p := connect(t)
	before := p.w.Addr()
	p.w.Inject(t, Partitioned())
	for name, end := range map[string]net.Conn{"client": p.client, "server": p.server} {
		if got, err := io.ReadAll(end); len(got) != 0 || err != nil {
			t.Errorf("the %s read %q, %v, want only EOF", name, got, err)
		}
	}
	if _, err := net.Dial("tcp", p.w.Addr()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("got %v, want ECONNREFUSED", err)
	}
	p.w.Heal(t)
	if p.w.Addr() != before {
		t.Errorf("after Heal: the address is %s, want %s", p.w.Addr(), before)
	}
	p.open(t)
	p.send(t, p.client, "request")
	p.expectRead(t, p.server, "request")
	p.expectInjected(t, map[Kind]int{Partition: 1})
}

func TestInjectReplaces(t *testing.T) {
	t.Parallel()
	p := connect(t)
	p.w.Inject(t, Partitioned())
	p.w.Inject(t, Delayed(0, 0))
	p.open(t)
	p.send(t, p.client, "request")
	p.expectRead(t, p.server, "request")
	p.w.Inject(t, Delayed(never, 0))
	p.w.Inject(t, CutAfter(2))
	p.send(t, p.server, "answer")
	p.expectRead(t, p.client, "an")
	p.expectInjected(t, map[Kind]int{Partition: 1, Latency: 1, Cut: 1})
}

func TestAnswerLost(t *testing.T) {
	t.Parallel()
	s := serve(t, "one")
	w := New(t, s.address)
	w.Lose(AnswerLost, 2, "X-Name: this")
	for i, test := range []struct {
		name string
		lost bool
	}{{"that", false}, {"this", true}, {"that", false}, {"this", true}, {"this", false}} {
		_, err := get(w, "X-Name", test.name)
		if lost := errors.Is(err, io.EOF); lost != test.lost || (err != nil) != lost {
			t.Errorf("request %d, of %s: got %v, want it lost: %t", i+1, test.name, err, test.lost)
		}
	}
	if n := s.requests.Load(); n != 5 {
		t.Errorf("%d requests arrived, want 5", n)
	}
	for range 2 {
		stop := w.Lose(AnswerLost, 2)
		if _, err := get(w); err == nil {
			t.Error("the answer was not lost")
		}
		if n := stop(); n != 1 {
			t.Errorf("stop returned %d, want 1", n)
		}
		if _, err := get(w); err != nil {
			t.Errorf("after stop: got %v", err)
		}
	}
	w.Lose(AnswerLost, 1)
	w.Heal(t)
	if _, err := get(w); err != nil {
		t.Errorf("after Heal: got %v", err)
	}
	if got := w.Injected(); !maps.Equal(got, map[Kind]int{AnswerLost: 4}) {
		t.Errorf("got the faults %v, want 4 lost answers", got)
	}
}

// TestAnswerLostOfARequestOnTheSameConnection matches a loss with the current request, not with earlier ones.
func TestAnswerLostOfARequestOnTheSameConnection(t *testing.T) {
	t.Parallel()
	p := connect(t)
	for _, request := range []string{"first", "second"} {
		p.send(t, p.client, request)
		p.expectRead(t, p.server, request)
		p.send(t, p.server, "answer")
		p.expectRead(t, p.client, "answer")
		p.w.Lose(AnswerLost, 1, "first")
	}
	p.send(t, p.client, "first")
	p.expectRead(t, p.server, "first")
	p.send(t, p.server, "answer")
	if got, err := io.ReadAll(p.client); len(got) != 0 || err != nil {
		t.Errorf("read %q, %v, want only EOF", got, err)
	}
}

// pair holds both ends of a connection through a wire.
type pair struct {
	w              *Wire
	client, server net.Conn
	accepted       <-chan net.Conn
}

func connect(t *testing.T) *pair {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan net.Conn)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-ended
	})
	p := &pair{w: New(t, l.Addr().String()), accepted: accepted}
	p.open(t)
	return p
}

// open replaces the connection with a new one.
func (p *pair) open(t *testing.T) {
	t.Helper()
	var err error
	if p.client, err = net.DialTimeout("tcp", p.w.Addr(), timeout); err != nil {
		t.Fatal(err)
	}
	select {
	case p.server = <-p.accepted:
	case <-time.After(timeout):
		t.Fatal("the server accepts no connection")
	}
	for _, end := range []net.Conn{p.client, p.server} {
		t.Cleanup(func() { _ = end.Close() })
		if err := end.SetDeadline(time.Now().Add(timeout)); err != nil {
			t.Fatal(err)
		}
	}
}

func (p *pair) send(t *testing.T, end net.Conn, what string) {
	t.Helper()
	if _, err := io.WriteString(end, what); err != nil {
		t.Fatal(err)
	}
}

func (p *pair) expectRead(t *testing.T, end net.Conn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(end, got); err != nil || !bytes.Equal(got, []byte(want)) {
		t.Fatalf("read %q, %v, want %q", got[:n], err, want)
	}
}

// expectNothing fails the test if end can read data, or its end, within 50 milliseconds.
func expectNothing(t *testing.T, end net.Conn) {
	t.Helper()
	if err := end.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 1)
	if n, err := end.Read(got); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read %q, %v, want nothing", got[:n], err)
	}
	if err := end.SetReadDeadline(time.Now().Add(timeout)); err != nil {
		t.Fatal(err)
	}
}

// await waits until a fault has affected n connections.
func (p *pair) await(t *testing.T, kind Kind, n int) {
	t.Helper()
	await(t, func() bool { return p.w.Injected()[kind] == n })
}

func await(t *testing.T, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(timeout); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the condition does not become true")
		}
	}
}

func (p *pair) expectInjected(t *testing.T, want map[Kind]int) {
	t.Helper()
	if got := p.w.Injected(); !maps.Equal(got, want) {
		t.Errorf("got the faults %v, want %v", got, want)
	}
}

// server answers every request with its name.
type server struct {
	address  string
	requests atomic.Int64
}

func serve(t *testing.T, name string) *server {
	t.Helper()
	s := &server{}
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.requests.Add(1)
		_, _ = io.WriteString(w, name)
	}))
	t.Cleanup(h.Close)
	s.address = h.Listener.Addr().String()
	return s
}

// get sends a request with these headers on a new connection and returns the body of the response.
func get(w *Wire, headers ...string) (string, error) {
	r, err := http.NewRequest(http.MethodGet, "http://"+w.Addr(), nil)
	if err != nil {
		return "", err
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: timeout}).Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return string(text), err
}
