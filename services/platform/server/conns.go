package server

import (
	"bytes"
	"container/list"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/time/rate"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/metrics"
	"github.com/pedidos-hq/pedidos/services/platform/problem"
	"github.com/pedidos-hq/pedidos/services/platform/telemetry"
)

// conns is a listener with a limited number of connections, its places. If all are taken, a new connection replaces the one that
// has been idle longest, so that no client can lock others out with idle connections. If none is idle, the new one is closed.
type conns struct {
	net.Listener
	Listening
	over    atomic.Bool  // the server is shutting down
	abandon atomic.Bool  // the shutdown no longer waits for clients
	active  atomic.Int64 // connections with a request under way
	warn    rate.Sometimes
	evicted metrics.Counter
	refused metrics.Counter
	mu      sync.Mutex
	open    int
	waiting list.List // of idle *conn, longest first
}

func newConns(l net.Listener, o Listening) *conns {
	o.Log = o.Log.With("service", o.Service)
	cs := &conns{Listener: l, Listening: o, warn: rate.Sometimes{First: 1, Interval: time.Minute}}
	cs.evicted = o.Metrics.CounterVec("pedidos_connections_evicted_total", "Idle connections closed to make room for new ones.", "service").WithLabelValues(o.Service)
	cs.refused = o.Metrics.CounterVec("pedidos_connections_refused_total", "Connections closed at once because all others were busy.", "service").WithLabelValues(o.Service)
	o.Metrics.GaugeFunc("pedidos_connections", "Open connections.", metrics.Labels{"service": o.Service}, func() float64 {
		cs.mu.Lock()
		defer cs.mu.Unlock()
		return float64(cs.open)
	})
	return cs
}

// Accept waits for a connection that gets a place. It closes connections that get none.
func (cs *conns) Accept() (net.Conn, error) {
	for {
		accepted, err := cs.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &conn{Conn: accepted, conns: cs}
		if cs.take(c) {
			return c, nil
		}
		_ = accepted.Close()
	}
}

// take gives a connection a place, and reports whether there was one.
func (cs *conns) take(c *conn) bool {
	var longest *conn
	cs.mu.Lock()
	full := cs.MaxConns > 0 && cs.open >= cs.MaxConns
	if first := cs.waiting.Front(); full && first != nil {
		longest = first.Value.(*conn)
		cs.leave(longest)
	}
	if !full || longest != nil {
		c.open = true
		cs.open++
		c.place = cs.waiting.PushBack(c)
	}
	cs.mu.Unlock()
	if !full {
		return true
	}
	cs.warn.Do(func() {
		cs.Log.Warn("all connections are taken; a new one closes the one that has been idle longest, or is refused if none is idle", "connections", cs.MaxConns)
	})
	if longest == nil {
		cs.refused.Inc()
		return false
	}
	cs.evicted.Inc()
	_ = longest.Conn.Close()
	return true
}

// track is the hook http.Server.ConnState.
func (cs *conns) track(nc net.Conn, state http.ConnState) {
	c := nc.(*conn)
	cs.mu.Lock()
	defer cs.mu.Unlock()
	switch state {
	case http.StateActive:
		c.used = true
		cs.work(c)
	case http.StateIdle:
		c.unread.Store(false)
		cs.wait(c)
	case http.StateClosed, http.StateHijacked:
		cs.leave(c)
	}
}

// The caller of work, wait and leave must hold mu. They ignore a connection that has lost its place.
func (cs *conns) work(c *conn) {
	if c.place != nil {
		cs.waiting.Remove(c.place)
		c.place = nil
		cs.active.Add(1)
	}
}

func (cs *conns) wait(c *conn) {
	if c.open && c.place == nil {
		c.place = cs.waiting.PushBack(c)
		cs.active.Add(-1)
	}
}

func (cs *conns) leave(c *conn) {
	if !c.open {
		return
	}
	cs.wait(c)
	cs.waiting.Remove(c.place)
	c.open, c.place = false, nil
	cs.open--
}

// overloaded reports whether new requests must be refused. The last sixteenth of the places is kept for these answers.
func (cs *conns) overloaded() bool {
	return cs.MaxConns > 0 && cs.active.Load() > int64(cs.MaxConns-cs.MaxConns/16)
}

// closeUnused closes connections that have not sent a byte, as browsers and pools open in advance. http.Server.Shutdown would
// wait five seconds for them.
func (cs *conns) closeUnused() {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	for e := cs.waiting.Front(); e != nil; e = e.Next() {
		if c := e.Value.(*conn); !c.used {
			_ = c.Conn.Close()
		}
	}
}

// Limits of reading after the answer.
const (
	lingerQuiet = 2 * time.Second // without a byte
	lingerMost  = 10 * time.Second
	lingerBytes = 64 << 20
)

// conn is a connection of a server.
type conn struct {
	net.Conn
	conns  *conns
	unread atomic.Bool // the client may still send the rest of a request

	// Guarded by conns.mu:
	open  bool          // has a place
	used  bool          // had a request
	place *list.Element // in conns.waiting
}

type connKey struct{}

// connOf returns the connection of a request, or nil if it did not come through Run.
func connOf(ctx context.Context) *conn {
	c, _ := ctx.Value(connKey{}).(*conn)
	return c
}

// CloseWrite ends the answer and reads until the client hangs up. Meanwhile the connection counts as idle. Closing it while the
// client still sends would reset it, and the client might not see the answer. net/http calls CloseWrite if it has not read the
// whole request.
func (c *conn) CloseWrite() error {
	c.unread.Store(false)
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok {
		return nil
	}
	if err := half.CloseWrite(); err != nil {
		return err
	}
	c.conns.mu.Lock()
	c.conns.wait(c)
	c.conns.mu.Unlock()
	end, piece := time.Now().Add(lingerMost), make([]byte, 8<<10)
	for read := 0; read < lingerBytes; {
		deadline := time.Now().Add(lingerQuiet)
		if deadline.After(end) {
			deadline = end
		}
		if err := c.SetReadDeadline(deadline); err != nil {
			return err
		}
		n, err := c.Read(piece)
		if err != nil {
			break
		}
		read += n
	}
	return nil
}

// Close closes the connection after the client had time to read the answer.
func (c *conn) Close() error {
	if c.unread.Load() && !c.conns.abandon.Load() {
		_ = c.CloseWrite()
	}
	return c.Conn.Close()
}

// Write sends an answer. net/http answers malformed requests itself, in plain text; Write sends a problem document instead.
func (c *conn) Write(b []byte) (int, error) {
	e := refusal(b)
	if e == nil {
		return c.Conn.Write(b)
	}
	if err := c.refuse(e); err != nil {
		return 0, err
	}
	return len(b), c.CloseWrite()
}

// refuse answers with a problem document and ends the connection.
func (c *conn) refuse(e *fault.Error) error {
	ctx := telemetry.Receive(&http.Request{Header: http.Header{}})
	body, err := json.Marshal(problem.Document(e, telemetry.TraceID(ctx)))
	if err != nil {
		return err
	}
	var text bytes.Buffer
	answer := http.Response{
		StatusCode: problem.Status(e), ProtoMajor: 1, ProtoMinor: 1, Close: true,
		Header:        http.Header{echo.HeaderContentType: {problem.ContentType}, "Date": {time.Now().UTC().Format(http.TimeFormat)}},
		ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body)),
	}
	if err := answer.Write(&text); err != nil {
		return err
	}
	requestCounters(c.conns.Service, c.conns.Metrics).WithLabelValues(none, strconv.Itoa(problem.Status(e))).Inc()
	ip, _, _ := net.SplitHostPort(c.RemoteAddr().String())
	c.conns.Log.LogAttrs(ctx, slog.LevelInfo, "malformed request",
		slog.Int("status", problem.Status(e)),
		slog.String("reason", e.Error()),
		slog.String("ip", ip),
		slog.String("trace_id", telemetry.TraceID(ctx)),
	)
	_, err = c.Conn.Write(text.Bytes())
	return err
}

// refusal returns the error for an answer that net/http itself wrote, or nil for the answer of a handler. net/http's own answers
// have exactly these headers, except for 417, which it writes as a handler would.
func refusal(b []byte) *fault.Error {
	if len(b) < len("HTTP/1.1 400") || b[9] != '4' && b[9] != '5' || !bytes.HasPrefix(b, []byte("HTTP/1.")) {
		return nil
	}
	line, rest, _ := bytes.Cut(b, []byte("\r\n"))
	status, err := strconv.Atoi(string(line[9:12]))
	own := bytes.HasPrefix(rest, []byte("Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n")) ||
		status == http.StatusExpectationFailed && bytes.Contains(rest, []byte("\r\nContent-Length: 0\r\n"))
	if err != nil || !own {
		return nil
	}
	switch status {
	case http.StatusBadRequest:
		_, reason, ok := strings.Cut(string(line), ": ")
		if !ok {
			reason = "has a request line or a header that can't be read"
		}
		e := fault.Invalid(common.FieldError{Field: "request", Message: reason})
		e.Message = "The request is not well-formed HTTP."
		return e
	case http.StatusExpectationFailed:
		return fault.New(common.CodeExpectationFailed, "The only expectation that is met is 100-continue.")
	case http.StatusRequestHeaderFieldsTooLarge:
		return fault.New(common.CodeHeadersTooLarge, "The request line and the headers hold at most "+strconv.Itoa(maxHeader)+" bytes.")
	case http.StatusNotImplemented:
		return fault.New(common.CodeNotImplemented, "The only transfer encoding is chunked.")
	case http.StatusHTTPVersionNotSupported:
		return fault.New(common.CodeHTTPVersionNotSupported, "The service speaks HTTP/1.1 and HTTP/1.0.")
	}
	return nil
}
