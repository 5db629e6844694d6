// Package metrics counts what a process does, and shows it in the text format that Prometheus reads.
package metrics

import (
	"fmt"
	"net/http"
	"strings"

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
