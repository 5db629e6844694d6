// Package metrics holds the metrics of a process and serves them to Prometheus. It is the only package that knows the
// Prometheus client.
package metrics

import (
	"database/sql"
	"errors"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// The types of the Prometheus client that users of a Registry hold.
type (
	Counter      = prometheus.Counter
	CounterVec   = prometheus.CounterVec
	Gauge        = prometheus.Gauge
	GaugeVec     = prometheus.GaugeVec
	Histogram    = prometheus.Observer
	HistogramVec = prometheus.HistogramVec
	Labels       = prometheus.Labels
)

// Registry holds the metrics of a process. Metrics of a nil Registry count as usual, and nothing shows them.
//
// A metric has a name, a help text and labels. A vector that is asked for twice is made once, so the services of one
// process can share it. Label values must be few and known in advance, never a caller's. Take the metric of a label value
// once, when a service is built: WithLabelValues costs a look-up. A metric whose names and labels contradict an earlier
// one is a programming error and panics.
type Registry struct {
	prometheus *prometheus.Registry
}

// New returns a registry with the metrics of the Go runtime and of the process.
func New() *Registry {
	r := &Registry{prometheus: prometheus.NewRegistry()}
	r.prometheus.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// CounterVec returns the counters of a name, one for each combination of label values.
func (r *Registry) CounterVec(name, help string, labels ...string) *CounterVec {
	return register(r, prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels))
}

// GaugeVec returns the gauges of a name, one for each combination of label values.
func (r *Registry) GaugeVec(name, help string, labels ...string) *GaugeVec {
	return register(r, prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels))
}

// GaugeFunc adds a gauge that is read whenever Prometheus asks. The same name and labels may be added only once.
func (r *Registry) GaugeFunc(name, help string, labels Labels, read func() float64) {
	if r != nil {
		r.prometheus.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels}, read))
	}
}

// DurationVec returns the histograms of a name, in seconds, one for each combination of label values.
func (r *Registry) DurationVec(name, help string, labels ...string) *HistogramVec {
	return register(r, prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: name, Help: help,
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
	}, labels))
}

// Database adds the statistics of a connection pool (go_sql_*), with its name as the label db_name.
func (r *Registry) Database(name string, db *sql.DB) {
	if r != nil {
		r.prometheus.MustRegister(collectors.NewDBStatsCollector(db, name))
	}
}

// ServeHTTP answers with all metrics in the format that the client asks for.
func (r *Registry) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	promhttp.HandlerFor(r.prometheus, promhttp.HandlerOpts{}).ServeHTTP(w, request)
}

// register adds a collector, or returns the equal one that was added before.
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
