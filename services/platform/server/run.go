package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/metrics"
)

const (
	drain = 15 * time.Second       // how long requests may still take once the port is closed
	quiet = 500 * time.Millisecond // how long a connection may then still send nothing at all
)

const maxHeader = 32 << 10 // bytes of a request line and the headers

// Listening is how a server listens.
type Listening struct {
	Service  string        // its name in logs and metrics
	MaxConns int           // connections at once; 0 is no bound
	Delay    time.Duration // how long it serves on when it is told to stop
	Log      *slog.Logger
	Metrics  *metrics.Registry
}

// Run serves until ctx ends, then stops so that nobody notices who can go elsewhere: for a delay all is served as before,
// but /ready says no and each answer asks to hang up. Then the port is closed, and the requests under way may finish.
func Run(ctx context.Context, listener net.Listener, handler http.Handler, o Listening) error {
	conns := newConns(listener, o)
	s := &http.Server{
		Handler:                      hangUp(handler),
		ReadHeaderTimeout:            5 * time.Second,
		ReadTimeout:                  15 * time.Second,
		WriteTimeout:                 30 * time.Second,
		IdleTimeout:                  2 * time.Minute,
		MaxHeaderBytes:               maxHeader,
		DisableGeneralOptionsHandler: true, // OPTIONS * goes the way of every request
		ErrorLog:                     slog.NewLogLogger(o.Log.Handler(), slog.LevelWarn),
		BaseContext:                  func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
		ConnContext:                  func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) },
		ConnState:                    conns.track,
	}
	failed := make(chan error, 1)
	go func() { failed <- s.Serve(conns) }()
	fault := func(err error) error { return fmt.Errorf("serve %s: %w", listener.Addr(), err) }
	select {
	case err := <-failed:
		return fault(err)
	case <-ctx.Done():
	}
	conns.over.Store(true)
	select {
	case err := <-failed:
		return fault(err)
	case <-time.After(o.Delay):
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	defer time.AfterFunc(quiet, conns.closeUnused).Stop()
	if err := s.Shutdown(stop); err != nil {
		conns.abandon.Store(true)
		return errors.Join(fmt.Errorf("requests were still under way after %s: %w", drain, err), s.Close())
	}
	return nil
}

// leaving reports whether the server that a request came to is about to stop.
func leaving(ctx context.Context) bool {
	c := connOf(ctx)
	return c != nil && c.conns.over.Load()
}

// errLeaving is the answer of /ready then.
var errLeaving = fault.Unavailable(common.CodeUnavailable, "The service is about to stop.", nil)

// errCrowded is the answer where too many requests are under way.
var errCrowded = fault.Unavailable(common.CodeUnavailable, "The service has as many requests under way as it can have connections.", nil)

// crowded reports whether too many requests are under way in the server that a request came to.
func crowded(ctx context.Context) bool {
	c := connOf(ctx)
	return c != nil && c.conns.crowded()
}

// hangUp asks the client of a server that is about to stop, or is crowded, not to use the connection again. When the server
// stops, the connection would be closed under a request that is on its way. What is idle then stays open, for the same
// reason, until the client lets go of it.
func hangUp(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c := connOf(r.Context()); c != nil {
			if c.conns.over.Load() || c.conns.crowded() {
				w.Header().Set("Connection", "close")
			}
			c.unread.Store(r.ContentLength != 0)
		}
		next.ServeHTTP(w, r)
	})
}
