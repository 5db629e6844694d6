// Package process holds what the services of one process share, and runs the sweeps beside their requests.
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

// Process is what a service is built from, beside its database. Production, the Lambda and tests fill in their own.
type Process struct {
	Config  *config.Config
	Log     *slog.Logger
	Metrics *metrics.Registry  // nil shows nothing
	Tracing *telemetry.Tracing // nil makes no spans
	Now     func() time.Time
}

// Service is a service that is ready to be served, and the sweeps to run beside it.
type Service struct {
	http.Handler
	Sweeps []Sweep
}

// Sweep removes rows that have expired.
type Sweep struct {
	Name string                               // in logs and metrics
	Run  func(context.Context) (int64, error) // returns the number of removed rows
}

// Sweep runs a sweep every SWEEP_INTERVAL until ctx is done.
func (p Process) Sweep(ctx context.Context, s Sweep) {
	removed := p.Metrics.CounterVec("pedidos_swept_total", "What sweeps removed: expired keys and stale orders.", "what").WithLabelValues(s.Name)
	sweeps := p.Metrics.CounterVec("pedidos_sweeps_total", "Sweeps, by whether they failed.", "what", "outcome")
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
