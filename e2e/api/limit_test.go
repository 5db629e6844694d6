package api

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/orchestrator"
)

// manyCalls is a rate of calls that is above what a test needs to prepare.
const manyCalls = 200

// TestCallerRate calls each operation until its caller has sent too many requests. Only the operations of health checks, documentation
// and services have no limit, and neither has the key set, which services read without a token.
func TestCallerRate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{CallerRate: manyCalls})
	admin := w.Login("admin")
	people, viewer := newPeople(t, w, admin), w.Login("viewer")
	for _, o := range allOperations(t, w) {
		limited := o.Responses.Value("429") != nil
		if exempt := o.OperationID == "getKeySet" || slices.ContainsFunc(o.Tags, func(tag string) bool {
			return slices.Contains([]string{"service", "docs", "internal"}, tag)
		}); limited == exempt {
			t.Errorf("%s %q declares 429: %t, want %t", o.OperationID, o.Tags, limited, !exempt)
		}
		send := func() call.Response {
			var body io.Reader
			if example := o.example(t); example != nil {
				body = encode(t, example)
			}
			return call.Send(t, o.service.client, o.method, o.url(), body, o.headers(o.token(admin.Token, people))...)
		}
		calls := 1
		got := send()
		for ; got.Status != http.StatusTooManyRequests && calls <= manyCalls; calls++ {
			got = send()
		}
		if !limited && got.Status == http.StatusTooManyRequests {
			t.Errorf("%s: got %s, want no limit", o.OperationID, got)
		}
		if !limited {
			continue
		}
		if got.WantProblem(t, http.StatusTooManyRequests, common.CodeTooManyRequests); got.Header.Get("Retry-After") != "1" {
			t.Errorf("%s: got %v, want Retry-After: 1", o.OperationID, got.Header)
		}
	}
	call.Read(viewer.Orders.ListOrders(t.Context(), nil)).Want(t, http.StatusOK)
}

// TestCallerRateBehindOrchestrator lets the orders of a caller exceed the limit at orders-api, which gets two calls for each.
func TestCallerRateBehindOrchestrator(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{CallerRate: manyCalls})
	s := w.Login("admin")
	buyer, product := s.CreateCustomer(t, "compras@acme.example").ID, s.CreateProduct(t, "DRILL", 100, 1_000_000).ID
	var limited call.Response
	last := 0
	for ; last < manyCalls; last++ {
		limited = s.Orchestrate(t.Context(), call.OrderRequest(fmt.Sprint("k-", last), buyer, product, 1))
		if limited.Status != http.StatusCreated {
			break
		}
	}
	limited.WantFailure(t, http.StatusTooManyRequests, common.CodeTooManyRequests, orchestrator.StepConfirmOrder)
	if limited.Header.Get("Retry-After") != "1" {
		t.Errorf("got %v, want Retry-After: 1", limited.Header)
	}
	w.Clock.Advance(time.Second)
	s.CreateAndConfirm(t, fmt.Sprint("k-", last), buyer, product, 1)
	s.WantStock(t, product, int64(1_000_000-last-1))
	audit(t, w)
}
