package backoffice

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/pedidos-hq/pedidos/gen/common"
	customers "github.com/pedidos-hq/pedidos/gen/customers/client"
	orchestrator "github.com/pedidos-hq/pedidos/gen/orchestrator/client"
	orders "github.com/pedidos-hq/pedidos/gen/orders/client"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/problem"
	"github.com/pedidos-hq/pedidos/services/platform/process"
	"github.com/pedidos-hq/pedidos/services/platform/upstream"
)

// apis holds the clients of the three APIs. They send the token and the address of the caller in the context.
type apis struct {
	customers    *customers.ClientWithResponses
	orders       *orders.ClientWithResponses
	orchestrator *orchestrator.ClientWithResponses
}

func newAPIs(p process.Process) (*apis, error) {
	c := p.Config
	doer := func(api string) *http.Client {
		policy := upstream.Policy{Name: name + "-" + api, Timeout: c.RequestTimeout, Tries: tries, Metrics: p.Metrics, Tracing: p.Tracing}
		return &http.Client{Transport: transport{retry: upstream.NewClient(policy).Transport, once: upstream.NewProbe(policy).Transport}}
	}
	a := &apis{}
	var faults [3]error
	a.customers, faults[0] = customers.NewClientWithResponses(c.CustomersAPIBase, customers.WithHTTPClient(doer("customers")), customers.WithRequestEditorFn(identify))
	a.orders, faults[1] = orders.NewClientWithResponses(c.OrdersAPIBase, orders.WithHTTPClient(doer("orders")), orders.WithRequestEditorFn(identify))
	a.orchestrator, faults[2] = orchestrator.NewClientWithResponses(c.OrchestratorAPIBase, orchestrator.WithHTTPClient(doer("orchestrator")), orchestrator.WithRequestEditorFn(identify))
	if err := errors.Join(faults[:]...); err != nil {
		return nil, fmt.Errorf("clients: %w", err)
	}
	return a, nil
}

// tries is the maximum number of attempts of a call that is safe to repeat.
const tries = 2

// transport retries requests that are safe to repeat: reads, and writes with an idempotency key.
type transport struct{ retry, once http.RoundTripper }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodGet || r.Header.Get("Idempotency-Key") != "" {
		return t.retry.RoundTrip(r)
	}
	return t.once.RoundTrip(r)
}

// identity identifies the person for whom a call is made.
type identity struct {
	token   string // session or access token; empty before the login
	address string
}

type identityKey struct{}

func withIdentity(ctx context.Context, i identity) context.Context {
	return context.WithValue(ctx, identityKey{}, i)
}

// identify adds the token and the address of the person to a call.
func identify(ctx context.Context, r *http.Request) error {
	i, _ := ctx.Value(identityKey{}).(identity)
	if i.token != "" {
		r.Header.Set("Authorization", "Bearer "+i.token)
	}
	if i.address != "" {
		r.Header.Set("X-Forwarded-For", i.address)
	}
	return nil
}

// answer is a response of a generated client.
type answer interface {
	StatusCode() int
	GetBody() []byte
}

// read returns the value of an answer with status 200. The error of any other is a fault.Error, with the problem document of the answer if it
// has one.
func read[R interface {
	answer
	GetJSON200() *T
}, T any](r R, err error) (T, error) {
	if err != nil {
		return *new(T), unreachable(err)
	}
	return value(r.GetJSON200(), r)
}

// created returns the value of an answer with status 201. Its errors are those of read.
func created[R interface {
	answer
	GetJSON201() *T
}, T any](r R, err error) (T, error) {
	if err != nil {
		return *new(T), unreachable(err)
	}
	return value(r.GetJSON201(), r)
}

// finished returns nil for an answer with status 204. Its errors are those of read.
func finished(r answer, err error) error {
	switch {
	case err != nil:
		return unreachable(err)
	case r.StatusCode() == http.StatusNoContent:
		return nil
	}
	return refusal(r)
}

func value[T any](v *T, r answer) (T, error) {
	if v == nil {
		return *new(T), refusal(r)
	}
	return *v, nil
}

func unreachable(err error) error {
	return fault.Unavailable(common.CodeUnavailable, "An API does not answer.", err)
}

// refusal returns the problem document of an answer as an error.
func refusal(a answer) error {
	var doc common.Problem
	if err := json.Unmarshal(a.GetBody(), &doc); err != nil || !doc.Code.Valid() || a.StatusCode() < http.StatusBadRequest {
		return unreachable(fmt.Errorf("unexpected answer with status %d", a.StatusCode()))
	}
	if a.StatusCode() >= http.StatusInternalServerError && doc.Code == common.CodeInternal {
		return unreachable(fmt.Errorf("an API failed: trace %s", doc.TraceID))
	}
	e := &fault.Error{Code: doc.Code, Message: doc.Detail, TraceID: doc.TraceID}
	if doc.Errors != nil {
		e.Fields = *doc.Errors
	}
	if doc.Shortages != nil {
		e.Shortages = *doc.Shortages
	}
	return e
}

// unclear reports whether a failed request may have taken effect, or may succeed if it is sent again.
func unclear(e *fault.Error) bool {
	status := problem.Status(e)
	return status >= http.StatusInternalServerError || status == http.StatusTooManyRequests || e.Code == common.CodeRequestInProgress
}
