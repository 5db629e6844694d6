package server

import (
	"strconv"
	"sync/atomic"
	"time"

	"github.com/pedidos-hq/pedidos/services/platform/metrics"
)

// traffic is the metrics of a service's requests: how many, with which status, how long they took, by operation.
type traffic struct {
	service  string
	metrics  *metrics.Registry
	inFlight atomic.Int64
	answered map[answered]interface{ Inc() } // those that the contract knows, from the start
	duration map[string]*metrics.Histogram   // by operationId
}

type answered struct {
	operationID string
	status      int
}

// none stands for what is not an operation of the contract.
const none = "none"

func newTraffic(service string, operations map[string]*operation, m *metrics.Registry) *traffic {
	t := &traffic{service: service, metrics: m, answered: map[answered]interface{ Inc() }{}, duration: map[string]*metrics.Histogram{}}
	m.Gauge("pedidos_requests_in_flight", func() float64 { return float64(t.inFlight.Load()) }, "service", service)
	t.add(none)
	for _, op := range operations {
		id := op.route.Operation.OperationID
		t.add(id)
		for code := range op.route.Operation.Responses.Map() {
			if status, err := strconv.Atoi(code); err == nil {
				t.answered[answered{id, status}] = t.counter(id, status)
			}
		}
	}
	return t
}

func (t *traffic) add(operationID string) {
	t.duration[operationID] = t.metrics.Histogram("pedidos_request_duration_seconds", "service", t.service, "operation", operationID)
}

func (t *traffic) counter(operationID string, status int) interface{ Inc() } {
	return t.metrics.Counter("pedidos_requests_total", "service", t.service, "operation", operationID, "status", strconv.Itoa(status))
}

// count counts a request, of no operation where the id is empty.
func (t *traffic) count(operationID string, status int, took time.Duration) {
	if operationID == "" {
		operationID = none
	}
	n, ok := t.answered[answered{operationID, status}]
	if !ok { // there are as many as Echo and the limits before the contract make of them
		n = t.counter(operationID, status)
	}
	n.Inc()
	t.duration[operationID].Observe(took)
}
