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
	drain = 15 * time.Second       // time for requests under way, after the port is closed
	quiet = 500 * time.Millisecond // time until connections without a first byte are closed
)

const maxHeader = 32 << 10 // bytes of the request line and the headers

// Listening holds the settings of Run.
type Listening struct {
	Service  string        // name in logs and metrics
	MaxConns int           // limit of open connections; 0 means no limit
	Delay    time.Duration // from the end of the context until the port is closed
	Log      *slog.Logger
	Metrics  *metrics.Registry
}

// Run serves until ctx is done, and then shuts down gracefully without dropping requests. For the duration o.Delay, it continues to
// serve, but /ready responds with 503, and every response asks the client to close the connection. Then Run closes the port and waits
// up to 15 seconds for the requests under way. It fails if some are not complete by then.
func Run(ctx context.Context, listener net.Listener, handler http.Handler, o Listening) error {
	conns := newConns(listener, o)
	s := &http.Server{
		Handler:                      closeWhenOverloaded(handler),
		ReadHeaderTimeout:            5 * time.Second,
		ReadTimeout:                  15 * time.Second,
		WriteTimeout:                 30 * time.Second,
		IdleTimeout:                  2 * time.Minute,
		MaxHeaderBytes:               maxHeader,
		DisableGeneralOptionsHandler: true, // OPTIONS * is handled as any request
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

// leaving reports whether the server of a request is shutting down.
func leaving(ctx context.Context) bool {
	c := connOf(ctx)
	return c != nil && c.conns.over.Load()
}

// errLeaving is the answer of /ready during the shutdown.
var errLeaving = fault.Unavailable(common.CodeUnavailable, "The service is shutting down.", nil)

// errOverloaded is the answer if almost all connections have a request under way.
var errOverloaded = fault.Unavailable(common.CodeUnavailable, "The service is overloaded; try again later.", nil)

// overloaded reports whether the server of a request is overloaded.
func overloaded(ctx context.Context) bool {
	c := connOf(ctx)
	return c != nil && c.conns.overloaded()
}

// closeWhenOverloaded asks clients not to reuse their connections if the server is overloaded or shuts down. It does
// not close idle connections, because that may lose a request on its way.
func closeWhenOverloaded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c := connOf(r.Context()); c != nil {
			if c.conns.over.Load() || c.conns.overloaded() {
				w.Header().Set("Connection", "close")
			}
			c.unread.Store(r.ContentLength != 0)
		}
		next.ServeHTTP(w, r)
	})
}
