package api

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/world"
)

// TestMetrics compares the metrics with the requests that were sent. A repeat counts only as a replay.
func TestMetrics(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, p := s.CreateCustomer(t, "metrics@acme.example").ID, s.CreateProduct(t, "METRICS", 100, 5).ID
	place := func(key string, qty int64, status int) {
		t.Helper()
		s.TryOrder(t.Context(), key, buyer, p, qty).Want(t, status)
	}
	place("metrics-1", 2, http.StatusCreated)
	place("metrics-1", 2, http.StatusCreated) // a repeat
	place("metrics-1", 1, http.StatusUnprocessableEntity)
	place("metrics-2", 7, http.StatusConflict) // the stock is 3
	place("metrics-2", 7, http.StatusConflict) // a repeat of that
	other := s.CreateOrder(t, buyer, p, 1)
	for range 2 {
		s.TryConfirm(t.Context(), "metrics-3", other.ID).Want(t, http.StatusOK)
	}
	s.TryConfirm(t.Context(), "metrics-4", other.ID).Want(t, http.StatusOK)
	for range 2 {
		s.CancelOrder(t, other.ID)
	}
	a := call.Send(t, w.HTTP("orders"), http.MethodGet, w.OrdersURL+"/nope", nil)
	if a.Status != http.StatusNotFound {
		t.Errorf("got %s, want 404", a)
	}

	requests := func(operation string, status int) string {
		return fmt.Sprintf(`pedidos_requests_total{operation=%q,service="orders",status="%d"}`, operation, status)
	}
	for name, want := range map[string]float64{
		requests("createOrder", 201):  3,
		requests("createOrder", 409):  2,
		requests("createOrder", 422):  1,
		requests("createOrder", 500):  0,
		requests("confirmOrder", 200): 3,
		requests("cancelOrder", 200):  2,
		requests("none", 404):         1,
		`pedidos_requests_total{operation="getCustomerInternal",service="customers",status="200"}`:    3, // a replay loads no customer
		`pedidos_request_duration_seconds_count{operation="createOrder",service="orders"}`:            6,
		`pedidos_request_duration_seconds_bucket{operation="createOrder",service="orders",le="+Inf"}`: 6,
		`pedidos_request_duration_seconds_bucket{operation="getOrder",service="orders",le="+Inf"}`:    0,
		`pedidos_requests_in_flight{service="orders"}`:                                                0,
		`pedidos_idempotency_replays_total{service="orders"}`:                                         3,
		`pedidos_idempotency_conflicts_total{reason="reused",service="orders"}`:                       1,
		`pedidos_orders_total{outcome="placed"}`:                                                      2,
		`pedidos_orders_total{outcome="short"}`:                                                       1,
		`pedidos_orders_total{outcome="confirmed"}`:                                                   1,
		`pedidos_orders_total{outcome="canceled"}`:                                                    1,
		`pedidos_units_short_total`:                                                                   4,
	} {
		if got := w.Metric(name); got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	if sum := w.Metric(`pedidos_request_duration_seconds_sum{operation="createOrder",service="orders"}`); sum <= 0 || sum > 60 {
		t.Errorf("got a total duration of %v seconds for orders", sum)
	}
}

// A request is in flight until it is answered.
func TestMetricsInFlight(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, p := s.CreateCustomer(t, "flight@acme.example").ID, s.CreateProduct(t, "FLIGHT", 100, 5).ID
	s.CreateOrder(t, buyer, p, 1)
	release := hold(t, w, p, 0)
	done := make(chan error, 1)
	go func() {
		done <- s.TryOrder(t.Context(), "", buyer, p, 1).Err
	}()
	inFlight := func() float64 { return w.Metric(`pedidos_requests_in_flight{service="orders"}`) }
	call.Eventually(t, "a request is in flight", func() bool { return inFlight() == 1 })
	release()
	if err := <-done; err != nil {
		t.Error(err)
	}
	call.Eventually(t, "none is", func() bool { return inFlight() == 0 })
}
