package api

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/engine"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/orders"
)

// Requests beyond the limit of waiting requests are refused at once. The waiting ones succeed.
func TestOverload(t *testing.T) {
	t.Parallel()
	const waiting = 5
	w := newWorld(t, world.Options{Waiting: waiting})
	s := w.Login("admin")
	buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 5, 1000)
	known := s.CreateOrder(t, buyer.ID, p.ID, 1).ID

	const pool = "write"
	callers := func() float64 { return w.Metric(fmt.Sprintf(`pedidos_database_callers{pool=%q}`, pool)) }
	release := engine.Busy(t, w.DB) // all connections
	idle := callers()

	var waiters sync.WaitGroup
	for i := range waiting {
		waiters.Go(func() {
			name := fmt.Sprintf("P-%d", i)
			r := call.Read(s.Orders.UpdateProduct(context.WithoutCancel(t.Context()), p.ID, nil, orders.ProductChange{Name: &name}))
			if r.Status != http.StatusOK {
				t.Errorf("got %s, want 200 after waiting", r)
			}
		})
	}
	call.Eventually(t, "all places are taken", func() bool { return callers() == idle+waiting })

	create := func() call.Response {
		return call.Read(s.Orders.CreateProduct(t.Context(), &orders.CreateProductParams{IdempotencyKey: new("k")}, orders.ProductInput{SKU: "B", Name: "B"}))
	}
	for _, refused := range []call.Response{
		call.Read(s.Orders.UpdateProduct(t.Context(), p.ID, nil, orders.ProductChange{PriceCents: new(int64(1))})),
		create(),
		s.TryCancel(t.Context(), "", known),
	} {
		refused.WantProblem(t, http.StatusServiceUnavailable, common.CodeUnavailable)
	}
	if n := w.Metric(fmt.Sprintf(`pedidos_database_refused_total{pool=%q}`, pool)); n < 3 {
		t.Errorf("got %v refused, want 3 or more", n)
	}
	if n := callers(); n != idle+waiting {
		t.Errorf("got %v callers, want %v: refused requests must not count", n, idle+waiting)
	}
	release()
	waiters.Wait()

	if got := s.GetProduct(t, p.ID).PriceCents; got != 5 {
		t.Errorf("got the price %d, want 5: a refused request must have no effect", got)
	}
	if r := create().Want(t, http.StatusCreated); r.Replayed() {
		t.Errorf("got %s, replayed, want the refusal not to be kept", r)
	}
	audit(t, w)
}

// TestUpstreamMetrics checks the metrics of the cache and the circuit breaker in front of customers-api.
func TestUpstreamMetrics(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{Known: time.Minute})
	s := w.Login("admin")
	buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 5, 1000)
	for range 5 {
		s.CreateOrder(t, buyer.ID, p.ID, 1)
	}
	want := func(name string, want float64) {
		t.Helper()
		if got := w.Metric(name); got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	want(`pedidos_customer_cache_total{outcome="hit"}`, 4)
	want(`pedidos_customer_cache_total{outcome="miss"}`, 1)
	want(`pedidos_customer_loads_total{outcome="answered"}`, 1)
	want(`pedidos_customer_cache_entries`, 1)
	want(`pedidos_upstream_tries_total{outcome="answered",upstream="customers"}`, 1)
	want(`pedidos_upstream_breaker_state{upstream="customers"}`, 0)

	w.Pause("customers")
	open := func() bool { return w.Metric(`pedidos_upstream_breaker_state{upstream="customers"}`) == 2 }
	for unknown := int64(1000); !open() && unknown < 1020; unknown++ {
		s.TryOrder(t.Context(), "", unknown, p.ID, 1).WantProblem(t, http.StatusServiceUnavailable, common.CodeCustomersUnavailable)
	}
	if !open() {
		t.Fatal("the breaker does not open")
	}
	want(`pedidos_upstream_breaker_opened_total{upstream="customers"}`, 1)
	tries := w.Metric(`pedidos_upstream_tries_total{outcome="unanswered",upstream="customers"}`)
	s.TryOrder(t.Context(), "", 2000, p.ID, 1).WantProblem(t, http.StatusServiceUnavailable, common.CodeCustomersUnavailable)
	want(`pedidos_upstream_tries_total{outcome="unanswered",upstream="customers"}`, tries) // the open breaker sends no request
	s.CreateOrder(t, buyer.ID, p.ID, 1)                                                    // a cached customer can still order

	w.Resume("customers")
	unknown := int64(3000)
	call.Eventually(t, "the breaker closes", func() bool {
		unknown++ // not cached
		r := s.TryOrder(t.Context(), "", unknown, p.ID, 1)
		return r.Err == nil && w.Metric(`pedidos_upstream_breaker_state{upstream="customers"}`) == 0
	})
}
