package server

import (
	"strconv"
	"time"

	"github.com/pedidos-hq/pedidos/services/platform/metrics"
)

// traffic holds the request metrics of one service, by operation.
type traffic struct {
	inFlight metrics.Gauge
	requests *metrics.CounterVec          // by operation and status
	answered map[answered]metrics.Counter // the answers in the contract, bound to their labels
	duration map[string]metrics.Histogram // by operationId
}

type answered struct {
	operationID string
	status      int
}

// none labels requests that match no operation of the contract.
const none = "none"

func newTraffic(service string, operations map[string]*operation, m *metrics.Registry) *traffic {
	t := &traffic{
		inFlight: m.GaugeVec("pedidos_requests_in_flight", "Requests that have no answer yet.", "service").WithLabelValues(service),
		requests: requestCounters(service, m),
		answered: map[answered]metrics.Counter{},
		duration: map[string]metrics.Histogram{},
	}
	durations := m.DurationVec("pedidos_request_duration_seconds", "Time from request to answer, by operation.", "service", "operation")
	t.duration[none] = durations.WithLabelValues(service, none)
	for _, op := range operations {
		t.duration[op.id] = durations.WithLabelValues(service, op.id)
		for _, status := range op.statuses {
			t.answered[answered{op.id, status}] = t.requests.WithLabelValues(op.id, strconv.Itoa(status))
		}
	}
	return t
}

// requestCounters counts the requests of a service, by operation and status.
func requestCounters(service string, m *metrics.Registry) *metrics.CounterVec {
	return m.CounterVec("pedidos_requests_total", "Answered requests, by operation and status.", "service", "operation", "status").
		MustCurryWith(metrics.Labels{"service": service})
}

// count counts an answered request. operationID is empty if the contract has no operation for it.
func (t *traffic) count(operationID string, status int, took time.Duration) {
	if operationID == "" {
		operationID = none
	}
	counter, ok := t.answered[answered{operationID, status}]
	if !ok { // an answer of Echo, or of a limit in front of the contract
		counter = t.requests.WithLabelValues(operationID, strconv.Itoa(status))
	}
	counter.Inc()
	t.duration[operationID].Observe(took.Seconds())
}
