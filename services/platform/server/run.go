package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/problem"
)

const (
	drain = 15 * time.Second       // how long requests may still take once the port is closed
	quiet = 500 * time.Millisecond // how long a connection may then still send nothing at all
)

// Run serves until ctx ends, then stops so that nobody notices who can go elsewhere: for delay all is served as before,
// but /ready says no and each answer asks to hang up. Then the port is closed, and the requests under way may finish.
func Run(ctx context.Context, listener net.Listener, handler http.Handler, delay time.Duration, log *slog.Logger) error {
	var over atomic.Bool
	s := &http.Server{
		Handler:                      hangUp(handler),
		ReadHeaderTimeout:            5 * time.Second,
		ReadTimeout:                  15 * time.Second,
		WriteTimeout:                 30 * time.Second,
		IdleTimeout:                  2 * time.Minute,
		MaxHeaderBytes:               32 << 10,
		DisableGeneralOptionsHandler: true, // OPTIONS * goes the way of every request
		ErrorLog:                     slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		BaseContext: func(net.Listener) context.Context {
			return context.WithValue(context.WithoutCancel(ctx), leavingKey{}, &over)
		},
	}
	var unused unusedConns
	s.ConnState = unused.track
	failed := make(chan error, 1)
	go func() { failed <- s.Serve(listener) }()
	fault := func(err error) error { return fmt.Errorf("serve %s: %w", listener.Addr(), err) }
	select {
	case err := <-failed:
		return fault(err)
	case <-ctx.Done():
	}
	over.Store(true)
	select {
	case err := <-failed:
		return fault(err)
	case <-time.After(delay):
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	defer time.AfterFunc(quiet, unused.close).Stop()
	if err := s.Shutdown(stop); err != nil {
		return errors.Join(fmt.Errorf("requests were still under way after %s: %w", drain, err), s.Close())
	}
	return nil
}

type leavingKey struct{}

// leaving reports whether the server that a request came to is about to stop.
func leaving(ctx context.Context) bool {
	is, ok := ctx.Value(leavingKey{}).(*atomic.Bool)
	return ok && is.Load()
}

// errLeaving is the answer of /ready then.
var errLeaving = problem.Unavailable(common.CodeUnavailable, "The service is about to stop.", nil)

// hangUp asks the client of a server that is about to stop not to use the connection again, since it would be closed
// under a request that is on its way. What is idle stays open, for the same reason, until the client lets go of it.
func hangUp(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if leaving(r.Context()) {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// unusedConns are the connections that no byte has come on, as browsers and pools open ahead. Shutdown would wait five
// seconds for each.
type unusedConns struct {
	mu    sync.Mutex
	conns map[net.Conn]bool
}

func (u *unusedConns) track(c net.Conn, state http.ConnState) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.conns == nil {
		u.conns = map[net.Conn]bool{}
	}
	if state == http.StateNew {
		u.conns[c] = true
	} else {
		delete(u.conns, c)
	}
}

func (u *unusedConns) close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for c := range u.conns {
		_ = c.Close()
	}
}
