package api

import (
	"bytes"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/orchestrator"
	"github.com/pedidos-hq/pedidos/gen/orders"
)

// The orchestrator cancels an order that can never be confirmed. Every retry gets a response that says so, even after a
// crash. If confirm may still succeed, the order stays.
func TestOrchestratorWithdraws(t *testing.T) {
	t.Parallel()
	isCancel := func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/cancel") }
	refuse := func(status int, code common.ProblemCode) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(`{"type":"about:blank","title":"x","status":0,"detail":"No.","code":"` + string(code) + `","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"}`))
		}
	}
	for name, test := range map[string]struct {
		refusal http.HandlerFunc
		loses   func(*lossyProxy, func(*http.Request) bool) // at the first try
		status  int
		code    common.ProblemCode
		left    orders.OrderStatus
	}{
		"final":                         {refuse(409, common.CodeOrderCanceled), nil, 409, common.CodeOrderCanceled, orders.StatusCanceled},
		"final: key reused":             {refuse(422, common.CodeIdempotencyKeyReused), nil, 422, common.CodeIdempotencyKeyReused, orders.StatusCanceled},
		"the request of cancel is lost": {refuse(409, common.CodeOrderCanceled), func(p *lossyProxy, when func(*http.Request) bool) { p.loseRequest = when }, 409, common.CodeOrderCanceled, orders.StatusCanceled},
		"the answer of cancel is lost":  {refuse(409, common.CodeOrderCanceled), func(p *lossyProxy, when func(*http.Request) bool) { p.loseAnswer = when }, 409, common.CodeOrderCanceled, orders.StatusCanceled},
		"not final: in progress":        {refuse(409, common.CodeRequestInProgress), nil, 409, common.CodeRequestInProgress, orders.StatusCreated},
		"not final: unavailable":        {refuse(503, common.CodeUnavailable), nil, 503, common.CodeOrdersUnavailable, orders.StatusCreated},
		"not final: a fault":            {refuse(500, common.CodeInternal), nil, 503, common.CodeOrdersUnavailable, orders.StatusCreated},
		"not final: another token":      {refuse(403, common.CodeForbidden), nil, 403, common.CodeForbidden, orders.StatusCreated},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, world.Options{})
			s := w.Login("admin")
			buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 1, 100)
			var losing atomic.Bool
			proxy := &lossyProxy{instead: func(r *http.Request) http.Handler {
				if isConfirm(r) {
					return test.refusal
				}
				return nil
			}}
			if test.loses != nil {
				losing.Store(true)
				test.loses(proxy, func(r *http.Request) bool { return losing.Load() && isCancel(r) })
			}
			o := orchestratorBehind(t, w, s, proxy)
			request := call.OrderRequest("k", buyer.ID, p.ID, 7)
			if losing.Load() {
				lost := o.Orchestrate(t.Context(), request).WantFailure(t, http.StatusServiceUnavailable, common.CodeOrdersUnavailable, orchestrator.StepConfirmOrder)
				if lost.Order != nil {
					t.Errorf("while cancel is lost: got the order %+v", lost.Order)
				}
				losing.Store(false)
			}
			var bodies [][]byte
			for range 2 { // few enough to keep the breaker closed
				r := o.Orchestrate(t.Context(), request)
				bodies = append(bodies, r.Body)
				f := r.WantFailure(t, test.status, test.code, orchestrator.StepConfirmOrder)
				if withdrawn := f.Order != nil && f.Order.ID == 1 && f.Order.Status == "CANCELED"; withdrawn != (test.left == orders.StatusCanceled) {
					t.Errorf("got the order %+v in %s", f.Order, r.Body)
				}
			}
			if test.left == orders.StatusCanceled && !bytes.Equal(bodies[0], bodies[1]) {
				t.Errorf("the tries got different answers: %s", bytes.Join(bodies, nil))
			}
			s.WantOrders(t, 1)
			if got := s.GetOrder(t, 1); got.Status != test.left {
				t.Errorf("the order is %s, want %s", got.Status, test.left)
			}
			if test.left == orders.StatusCanceled {
				s.WantStock(t, p.ID, 100)
				wantHistory(t, s, 1, "- CREATED user:admin: -", "CREATED CANCELED user:admin: can't be confirmed: "+string(test.code))
			} else { // a retry continues with the same order
				proxy.instead = nil
				var rBody orchestrator.Confirmed
				r := o.Orchestrate(t.Context(), request).Want(t, http.StatusCreated, &rBody)
				if rBody.Data.Order.ID != 1 {
					t.Errorf("later: got %s, want order 1", r.Body)
				}
				s.WantStock(t, p.ID, 93)
			}
			audit(t, w)
		})
	}
}
