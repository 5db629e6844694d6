// Package process defines what the services of a process share, and runs their sweeps.
package process

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/pedidos-hq/pedidos/services/platform/config"
	"github.com/pedidos-hq/pedidos/services/platform/metrics"
	"github.com/pedidos-hq/pedidos/services/platform/telemetry"
)

// Process holds the dependencies of the services of a process, except for their databases. All fields are required, unless noted.
type Process struct {
	Config  *config.Config
	Log     *slog.Logger
	Metrics *metrics.Registry  // may be nil
	Tracing *telemetry.Tracing // may be nil
	Now     func() time.Time
}

// Service is the HTTP handler of a service with its sweeps, which a process runs in the background.
type Service struct {
	http.Handler
	Sweeps []Sweep
}

// Sweep is a periodic task such as the deletion of expired idempotency keys.
type Sweep struct {
	Name string                               // in logs and metrics
	Run  func(context.Context) (int64, error) // returns the number of rows deleted or orders canceled
}

// Sweep runs a sweep at once, and then every Config.SweepInterval until ctx is done. It logs errors, and continues.
func (p Process) Sweep(ctx context.Context, s Sweep) {
	removed := p.Metrics.CounterVec("pedidos_swept_total", "Rows deleted and orders canceled by sweeps.", "what").WithLabelValues(s.Name)
	sweeps := p.Metrics.CounterVec("pedidos_sweeps_total", "Sweeps, by outcome.", "what", "outcome")
	done, failed := sweeps.WithLabelValues(s.Name, "done"), sweeps.WithLabelValues(s.Name, "failed")
	ticker := time.NewTicker(p.Config.SweepInterval)
	defer ticker.Stop()
	for {
		n, err := s.Run(ctx)
		removed.Add(float64(n))
		switch {
		case err == nil:
			done.Inc()
		case ctx.Err() == nil:
			failed.Inc()
			p.Log.ErrorContext(ctx, "sweep failed", "what", s.Name, "error", err)
		}
		if n > 0 {
			p.Log.InfoContext(ctx, "swept", "what", s.Name, "count", n)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
