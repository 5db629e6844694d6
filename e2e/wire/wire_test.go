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

// patience bounds every wait.
const patience = 30 * time.Second

// never is a delay that does not end within a test.
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
		t.Errorf("after the move got %q, %v", got, err)
	}
	if n := w.Injected(); len(n) != 0 {
		t.Errorf("faults %v, want none", n)
	}
}

func TestWireMovesWhilePartitioned(t *testing.T) {
	t.Parallel()
	w := New(t, "127.0.0.1:1")
	w.Inject(t, Partitioned())
	w.MoveTo(t, serve(t, "other").address)
	if _, err := get(w); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("got %v, want that the connection is refused", err)
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
	p.say(t, p.client, "request")
	p.await(t, Latency, 1)
	expectSilence(t, p.server)
	p.w.Heal(t)
	p.hear(t, p.server, "request")
	p.say(t, p.server, "answer")
	p.hear(t, p.client, "answer")
}

func TestDripping(t *testing.T) {
	t.Parallel()
	p := connect(t)
	p.w.Inject(t, Dripping(3, never))
	p.say(t, p.server, "answer")
	p.hear(t, p.client, "ans")
	expectSilence(t, p.client)
	p.w.Heal(t)
	p.hear(t, p.client, "wer")
	p.expectInjected(t, map[Kind]int{Drip: 1})
}

func TestCutAfter(t *testing.T) {
	t.Parallel()
	p := connect(t)
	p.w.Inject(t, CutAfter(4))
	p.say(t, p.client, "request")
	p.hear(t, p.server, "request")
	p.say(t, p.server, "answer")
	if got, err := io.ReadAll(p.client); string(got) != "answ" || err != nil {
		t.Errorf("heard %q, %v, want the first 4 bytes and the end", got, err)
	}
	p.w.Heal(t)
	p.open(t)
	p.say(t, p.server, "answer")
	p.hear(t, p.client, "answer")
	p.expectInjected(t, map[Kind]int{Cut: 1})
}

func TestCutAfterNothing(t *testing.T) {
	t.Parallel()
	s := serve(t, "one")
	w := New(t, s.address)
	w.Inject(t, CutAfter(0))
	if _, err := get(w); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want that nothing came", err)
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
	p.say(t, p.server, "answer")
	got, err := io.ReadAll(p.client)
	if !strings.HasPrefix("answ", string(got)) || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("heard %q, %v, want a reset after 4 bytes", got, err)
	}
	p.w.Heal(t)
	p.open(t)
	if err := p.server.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(p.client); err != nil {
		t.Errorf("healed, a connection ends with %v", err)
	}
	p.expectInjected(t, map[Kind]int{Reset: 1})
}

func TestSilent(t *testing.T) {
	t.Parallel()
	p := connect(t)
	p.w.Inject(t, Silent())
	p.say(t, p.client, "request")
	p.say(t, p.server, "answer")
	p.await(t, HalfOpen, 1)
	expectSilence(t, p.client)
	if err := p.client.Close(); err != nil {
		t.Fatal(err)
	}
	expectSilence(t, p.server)
	first := p.server

	p.open(t)
	p.say(t, p.client, "request")
	p.await(t, HalfOpen, 2)
	expectSilence(t, p.server)
	p.w.Heal(t)
	for name, end := range map[string]net.Conn{"server of the first": first, "client": p.client, "server": p.server} {
		if got, err := io.ReadAll(end); len(got) != 0 || err != nil {
			t.Errorf("the %s heard %q, %v, want the end alone", name, got, err)
		}
	}
	p.open(t)
	p.say(t, p.client, "request")
	p.hear(t, p.server, "request")
	p.expectInjected(t, map[Kind]int{HalfOpen: 2})
}

func TestUnheard(t *testing.T) {
	t.Parallel()
	p := connect(t)
	p.w.Inject(t, Unheard())
	p.say(t, p.client, "request")
	p.hear(t, p.server, "request")
	p.say(t, p.server, "answer")
	expectSilence(t, p.client)
	p.w.Heal(t)
	if got, err := io.ReadAll(p.client); len(got) != 0 || err != nil {
		t.Errorf("heard %q, %v, want the end alone", got, err)
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
			t.Errorf("the %s heard %q, %v, want the end", name, got, err)
		}
	}
	if _, err := net.Dial("tcp", p.w.Addr()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("got %v, want that the connection is refused", err)
	}
	p.w.Heal(t)
	if p.w.Addr() != before {
		t.Errorf("healed, the wire is at %s, want %s", p.w.Addr(), before)
	}
	p.open(t)
	p.say(t, p.client, "request")
	p.hear(t, p.server, "request")
	p.expectInjected(t, map[Kind]int{Partition: 1})
}

func TestInjectReplaces(t *testing.T) {
	t.Parallel()
	p := connect(t)
	p.w.Inject(t, Partitioned())
	p.w.Inject(t, Delayed(0, 0))
	p.open(t)
	p.say(t, p.client, "request")
	p.hear(t, p.server, "request")
	p.w.Inject(t, Delayed(never, 0))
	p.w.Inject(t, CutAfter(2))
	p.say(t, p.server, "answer")
	p.hear(t, p.client, "an")
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
			t.Errorf("request %d, of %s, got %v; lost %t", i+1, test.name, err, test.lost)
		}
	}
	if n := s.requests.Load(); n != 5 {
		t.Errorf("%d requests arrived, want 5", n)
	}
	for range 2 {
		stop := w.Lose(AnswerLost, 2)
		if _, err := get(w); err == nil {
			t.Error("no answer was lost")
		}
		if n := stop(); n != 1 {
			t.Errorf("stopped after %d times, want once", n)
		}
		if _, err := get(w); err != nil {
			t.Errorf("stopped, got %v", err)
		}
	}
	w.Lose(AnswerLost, 1)
	w.Heal(t)
	if _, err := get(w); err != nil {
		t.Errorf("healed, got %v", err)
	}
	if got := w.Injected(); !maps.Equal(got, map[Kind]int{AnswerLost: 4}) {
		t.Errorf("faults %v, want 4 answers lost", got)
	}
}

// TestAnswerLostOfARequestOnTheSameConnection expects that a request is not taken for the one before it.
func TestAnswerLostOfARequestOnTheSameConnection(t *testing.T) {
	t.Parallel()
	p := connect(t)
	for _, request := range []string{"first", "second"} {
		p.say(t, p.client, request)
		p.hear(t, p.server, request)
		p.say(t, p.server, "answer")
		p.hear(t, p.client, "answer")
		p.w.Lose(AnswerLost, 1, "first")
	}
	p.say(t, p.client, "first")
	p.hear(t, p.server, "first")
	p.say(t, p.server, "answer")
	if got, err := io.ReadAll(p.client); len(got) != 0 || err != nil {
		t.Errorf("heard %q, %v, want the end alone", got, err)
	}
}

// pair is the two ends of a connection through a wire.
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

// open opens a connection more.
func (p *pair) open(t *testing.T) {
	t.Helper()
	var err error
	if p.client, err = net.DialTimeout("tcp", p.w.Addr(), patience); err != nil {
		t.Fatal(err)
	}
	select {
	case p.server = <-p.accepted:
	case <-time.After(patience):
		t.Fatal("the connection does not arrive")
	}
	for _, end := range []net.Conn{p.client, p.server} {
		t.Cleanup(func() { _ = end.Close() })
		if err := end.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
	}
}

func (p *pair) say(t *testing.T, end net.Conn, what string) {
	t.Helper()
	if _, err := io.WriteString(end, what); err != nil {
		t.Fatal(err)
	}
}

func (p *pair) hear(t *testing.T, end net.Conn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(end, got); err != nil || !bytes.Equal(got, []byte(want)) {
		t.Fatalf("heard %q, %v, want %q", got[:n], err, want)
	}
}

// expectSilence expects that for a while nothing is heard and nothing ends.
func expectSilence(t *testing.T, end net.Conn) {
	t.Helper()
	if err := end.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 1)
	if n, err := end.Read(got); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("heard %q, %v, want nothing", got[:n], err)
	}
	if err := end.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
}

// await waits until a fault has met so many connections.
func (p *pair) await(t *testing.T, kind Kind, n int) {
	t.Helper()
	await(t, func() bool { return p.w.Injected()[kind] == n })
}

func await(t *testing.T, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited in vain")
		}
	}
}

func (p *pair) expectInjected(t *testing.T, want map[Kind]int) {
	t.Helper()
	if got := p.w.Injected(); !maps.Equal(got, want) {
		t.Errorf("faults %v, want %v", got, want)
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

// get sends a request with these headers, on a connection of its own.
func get(w *Wire, headers ...string) (body string, err error) {
	r, err := http.NewRequest(http.MethodGet, "http://"+w.Addr(), nil)
	if err != nil {
		return "", err
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}).Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return string(text), err
}
