package metrics_test

import (
	"database/sql"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // any driver will do

	"github.com/pedidos-hq/pedidos/services/platform/metrics"
)

func TestRegistryServesPrometheusText(t *testing.T) {
	t.Parallel()
	m := metrics.New()
	answers := m.CounterVec("answers_total", "Answers, by status.", "service", "status")
	answers.WithLabelValues("orders", "200").Add(3)
	answers.WithLabelValues("orders", "500")
	m.GaugeVec("in_flight", "Requests under way.", "service").WithLabelValues("orders").Inc()
	for _, service := range []string{"orders", "customers"} {
		m.GaugeFunc("connections", "Open connections.", metrics.Labels{"service": service}, func() float64 { return float64(len(service)) })
	}
	durations := m.DurationVec("duration_seconds", "Time to answer.", "operation").WithLabelValues("getOrder")
	durations.Observe(0.001) // bounds are inclusive
	durations.Observe(0.3)
	durations.Observe(60)
	m.Database("write", open(t, 7))

	text := scrape(t, m)
	for _, line := range []string{
		"# HELP answers_total Answers, by status.",
		"# TYPE answers_total counter",
		`answers_total{service="orders",status="200"} 3`,
		`answers_total{service="orders",status="500"} 0`,
		"# TYPE in_flight gauge",
		`in_flight{service="orders"} 1`,
		`connections{service="customers"} 9`,
		`connections{service="orders"} 6`,
		"# TYPE duration_seconds histogram",
		`duration_seconds_bucket{operation="getOrder",le="0.001"} 1`,
		`duration_seconds_bucket{operation="getOrder",le="0.25"} 1`,
		`duration_seconds_bucket{operation="getOrder",le="0.5"} 2`,
		`duration_seconds_bucket{operation="getOrder",le="10"} 2`,
		`duration_seconds_bucket{operation="getOrder",le="+Inf"} 3`,
		`duration_seconds_count{operation="getOrder"} 3`,
		`go_sql_max_open_connections{db_name="write"} 7`,
		"# TYPE go_goroutines gauge",
		"# TYPE go_gc_gomemlimit_bytes gauge",
		"# TYPE process_cpu_seconds_total counter",
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("the metrics have no line %q", line)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

// The services of a process share vectors, each with its own label values.
func TestRegistryReturnsTheSameVector(t *testing.T) {
	t.Parallel()
	m := metrics.New()
	for range 2 {
		m.CounterVec("requests_total", "Requests.", "service").WithLabelValues("orders").Inc()
		m.DurationVec("duration_seconds", "Time to answer.", "service").WithLabelValues("orders").Observe(1)
	}
	text := scrape(t, m)
	for _, line := range []string{`requests_total{service="orders"} 2`, `duration_seconds_count{service="orders"} 2`} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("the metrics have no line %q", line)
		}
	}
}

func TestRegistryRefusesContradictions(t *testing.T) {
	t.Parallel()
	m := metrics.New()
	m.CounterVec("requests_total", "Requests.", "service")
	defer func() {
		if recover() == nil {
			t.Error("no panic for the same name with other labels")
		}
	}()
	m.CounterVec("requests_total", "Requests.", "operation")
}

func TestNilRegistry(t *testing.T) {
	t.Parallel()
	var m *metrics.Registry
	m.CounterVec("requests_total", "Requests.", "service").WithLabelValues("orders").Inc()
	m.GaugeVec("in_flight", "Requests under way.", "service").WithLabelValues("orders").Inc()
	m.GaugeFunc("connections", "Open connections.", nil, func() float64 { return 0 })
	m.DurationVec("duration_seconds", "Time to answer.", "service").WithLabelValues("orders").Observe(1)
	m.Database("write", open(t, 1))
}

// open returns a pool that never connects.
func open(t *testing.T, conns int) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "any.db"))
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(conns)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func scrape(t *testing.T, m *metrics.Registry) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	if kind := w.Header().Get("Content-Type"); w.Code != http.StatusOK || !strings.HasPrefix(kind, "text/plain; version=0.0.4") {
		t.Fatalf("GET /metrics: %d %s", w.Code, kind)
	}
	return w.Body.String()
}
