// Package metrics counts what a process does, and shows it in the text format that Prometheus reads.
package metrics

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	vm "github.com/VictoriaMetrics/metrics" // 1.36 and later print a line at the start where the kernel has no PSI
)

// Registry is the metrics of a process. A nil Registry counts nothing.
type Registry struct{ set *vm.Set }

// New returns a registry without metrics.
func New() *Registry { return &Registry{set: vm.NewSet()} }

// Counter returns the counter of that name and labels, which follow each other as name and value. Their values must be
// few and known, never a caller's.
func (r *Registry) Counter(name string, labels ...string) *vm.Counter {
	if r == nil {
		return &vm.Counter{}
	}
	return r.set.GetOrCreateCounter(full(name, labels))
}

// Gauge adds a value that is read when it is asked for.
func (r *Registry) Gauge(name string, read func() float64, labels ...string) {
	if r != nil {
		r.set.NewGauge(full(name, labels), read)
	}
}

// bounds are the upper ends of a histogram's buckets, in seconds.
var bounds = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// Histogram counts durations, in buckets that add up as Prometheus has them.
type Histogram struct {
	counts [14]atomic.Int64 // one more than there are bounds
	sum    atomic.Int64     // ns
}

// Histogram adds a histogram of durations in seconds. Its labels are as those of a counter.
func (r *Registry) Histogram(name string, labels ...string) *Histogram {
	h := &Histogram{}
	for i := range h.counts {
		le := "+Inf"
		if i < len(bounds) {
			le = strconv.FormatFloat(bounds[i], 'g', -1, 64)
		}
		r.Gauge(name+"_bucket", func() float64 { return h.upTo(i) }, append(slices.Clip(labels), "le", le)...)
	}
	r.Gauge(name+"_count", func() float64 { return h.upTo(len(bounds)) }, labels...)
	r.Gauge(name+"_sum", func() float64 { return time.Duration(h.sum.Load()).Seconds() }, labels...)
	return h
}

// Observe counts a duration.
func (h *Histogram) Observe(d time.Duration) {
	i, _ := slices.BinarySearch(bounds, d.Seconds())
	h.counts[i].Add(1)
	h.sum.Add(int64(d))
}

// upTo is how many are in the buckets up to the one at i.
func (h *Histogram) upTo(i int) (n float64) {
	for j := range i + 1 {
		n += float64(h.counts[j].Load())
	}
	return n
}

// ServeHTTP answers with the metrics, and with those of the Go runtime and of the process.
func (r *Registry) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	r.set.WritePrometheus(w)
	vm.WriteProcessMetrics(w)
}

func full(name string, labels []string) string {
	var pairs []string
	for i := 0; i < len(labels); i += 2 {
		pairs = append(pairs, fmt.Sprintf("%s=%q", labels[i], labels[i+1]))
	}
	if len(pairs) == 0 {
		return name
	}
	return name + "{" + strings.Join(pairs, ",") + "}"
}
