// Package metrics holds the metrics of a process and serves them to Prometheus. It is the only package that imports the Prometheus
// client.
package metrics

import (
	"database/sql"
	"errors"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Types of the Prometheus client.
type (
	Counter      = prometheus.Counter
	CounterVec   = prometheus.CounterVec
	Gauge        = prometheus.Gauge
	GaugeVec     = prometheus.GaugeVec
	Histogram    = prometheus.Observer
	HistogramVec = prometheus.HistogramVec
	Labels       = prometheus.Labels
)

// Registry holds the metrics of a process. The metrics of a nil Registry work, but are not served.
//
// A metric has a name, a help text and labels. A second request for the same vector returns the first, so that the services of a
// process can share it. A metric that contradicts an earlier one with the same name is a programming error and panics.
//
// Label values must be from a small set, never from a caller. Call WithLabelValues when a service is created, not for each
// request, since it takes a look-up.
type Registry struct {
	prometheus *prometheus.Registry
}

// New returns a Registry with the metrics of the Go runtime and of the process.
func New() *Registry {
	r := &Registry{prometheus: prometheus.NewRegistry()}
	r.prometheus.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// CounterVec returns the counters with a name, one for each combination of label values.
func (r *Registry) CounterVec(name, help string, labels ...string) *CounterVec {
	return register(r, prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels))
}

// GaugeVec returns the gauges with a name, one for each combination of label values.
func (r *Registry) GaugeVec(name, help string, labels ...string) *GaugeVec {
	return register(r, prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels))
}

// GaugeFunc adds a gauge whose value is read at each request for the metrics. It panics if the name and labels are already in use.
func (r *Registry) GaugeFunc(name, help string, labels Labels, read func() float64) {
	if r != nil {
		r.prometheus.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels}, read))
	}
}

// DurationVec returns the histograms with a name, one for each combination of label values. Observations are in seconds; the
// buckets range from 1 ms to 10 s.
func (r *Registry) DurationVec(name, help string, labels ...string) *HistogramVec {
	return register(r, prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: name, Help: help,
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
	}, labels))
}

// Database adds the statistics of a connection pool (go_sql_*), with name as the label db_name. It panics if the name is already in
// use.
func (r *Registry) Database(name string, db *sql.DB) {
	if r != nil {
		r.prometheus.MustRegister(collectors.NewDBStatsCollector(db, name))
	}
}

// ServeHTTP serves all metrics, in the Prometheus format that the client accepts. It panics if r is nil.
func (r *Registry) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	promhttp.HandlerFor(r.prometheus, promhttp.HandlerOpts{}).ServeHTTP(w, request)
}

// register adds a collector, or returns the equal one that is already registered.
func register[C prometheus.Collector](r *Registry, c C) C {
	if r == nil {
		return c
	}
	err := r.prometheus.Register(c)
	if already := (prometheus.AlreadyRegisteredError{}); errors.As(err, &already) {
		return already.ExistingCollector.(C)
	}
	if err != nil {
		panic(err)
	}
	return c
}
