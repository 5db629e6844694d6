// Package orchestrator implements the service that places and confirms an order in one call. It has no state. Each step is a call to
// orders-api with an idempotency key derived from that of the caller, so a repeat after any failure ends with the same order.
package orchestrator

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"go.opentelemetry.io/otel/trace"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/contract"
	api "github.com/pedidos-hq/pedidos/gen/orchestrator"
	stub "github.com/pedidos-hq/pedidos/gen/orchestrator/server"
	"github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/gen/orders/client"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/problem"
	"github.com/pedidos-hq/pedidos/services/platform/process"
	"github.com/pedidos-hq/pedidos/services/platform/server"
	"github.com/pedidos-hq/pedidos/services/platform/telemetry"
	"github.com/pedidos-hq/pedidos/services/platform/upstream"
)

// New returns the orchestrator, which calls orders-api at Config.OrdersAPIBase.
func New(p process.Process) (process.Service, error) {
	c := p.Config
	s := &service{token: c.ServiceToken.First()}
	policy := upstream.Policy{ // orders-api itself may wait UpstreamTimeout for customers-api
		Name: "orders", Timeout: 2 * c.UpstreamTimeout, Tries: 3, Metrics: p.Metrics, Tracing: p.Tracing,
	}
	var err error
	s.probe, err = client.NewClientWithResponses(c.OrdersAPIBase, client.WithHTTPClient(upstream.NewProbe(policy)))
	if err != nil {
		return process.Service{}, fmt.Errorf("orders probe: %w", err)
	}
	s.orders, err = client.NewClientWithResponses(c.OrdersAPIBase,
		client.WithHTTPClient(upstream.NewClient(policy)),
		client.WithRequestEditorFn(func(ctx context.Context, r *http.Request) error {
			if from, ok := ctx.Value(callerKey{}).(caller); ok {
				r.Header.Set("Authorization", "Bearer "+from.token)
				if from.anonymous {
					r.Header.Set("X-Caller", string(orders.CallerAnonymous))
				}
			}
			return nil
		}))
	if err != nil {
		return process.Service{}, fmt.Errorf("orders client: %w", err)
	}
	config := server.NewConfig(p)
	config.Service, config.Title, config.Contract = "orchestrator", "orchestrator", contract.Orchestrator
	config.Prefixes = []string{"/dev"}
	config.Document = document
	config.AllowAnonymous = c.AllowAnonymous
	// The token is forwarded to orders-api, which verifies it.
	config.Schemes = map[string]auth.Scheme{
		"bearerAuth":   auth.Unverified(p.Now),
		"serviceToken": auth.ServiceTokens(c.ServiceToken.Reveal()),
	}
	routes := stub.NewStrictHandler(s, []stub.StrictMiddlewareFunc{s.forward})
	handler, err := server.New(config, func(router *echo.Echo, prefix string) {
		stub.RegisterHandlersWithBaseURL(router, routes, prefix)
	})
	return process.Service{Handler: handler}, err
}

type service struct {
	orders *client.ClientWithResponses
	probe  *client.ClientWithResponses // asks whether orders-api is ready
	token  string
}

// forward adds to the context what the calls to orders-api send: the correlation id, and the token of the caller or, for an
// anonymous caller, the service token.
func (s *service) forward(next stub.StrictHandlerFunc, operationID string) stub.StrictHandlerFunc {
	if operationID != "CreateAndConfirmOrder" {
		return next
	}
	return func(c echo.Context, request any) (any, error) {
		from := caller{}
		var ok bool
		if from.token, ok = auth.Bearer(c.Request().Header.Get(echo.HeaderAuthorization)); !ok { // only possible with AllowAnonymous
			from = caller{token: s.token, anonymous: true}
		}
		ctx := context.WithValue(c.Request().Context(), callerKey{}, from)
		body := request.(stub.CreateAndConfirmOrderRequestObject).Body
		if body.CorrelationID != nil && *body.CorrelationID != "" {
			ctx = telemetry.WithCorrelationID(ctx, *body.CorrelationID)
		} else if telemetry.CorrelationID(ctx) == "" { // the server has already added that of the header
			ctx = telemetry.WithCorrelationID(ctx, digest("correlation", body.IdempotencyKey)) // so that a repeat gets the same response
		}
		c.SetRequest(c.Request().WithContext(ctx))
		return next(c, request)
	}
}

// caller identifies the caller to orders-api, by their own token or by the service token.
type caller struct {
	token     string
	anonymous bool
}

type callerKey struct{}

func (s *service) CreateAndConfirmOrder(ctx context.Context, r stub.CreateAndConfirmOrderRequestObject) (stub.CreateAndConfirmOrderResponseObject, error) {
	placed, err := s.place(ctx, *r.Body)
	if err != nil {
		refusal := fault.From(err)
		return nil, &stepError{step: stepOf(refusal.Code), cause: refusal}
	}
	confirmed, replayed, err := s.confirm(ctx, placed.ID, r.Body.IdempotencyKey)
	if err != nil {
		return nil, s.withdraw(ctx, placed.ID, r.Body.IdempotencyKey, fault.From(err))
	}
	correlation := telemetry.CorrelationID(ctx)
	response := stub.CreateAndConfirmOrder201JSONResponse{
		Body: api.Confirmed{
			Success:       true,
			CorrelationID: correlation,
			Data:          api.ConfirmedData{Customer: customer(confirmed), Order: order(confirmed)},
		},
		Headers: stub.CreateAndConfirmOrder201ResponseHeaders{XCorrelationID: correlation},
	}
	if replayed {
		yes := "true"
		response.Headers.IdempotencyReplayed = &yes
	}
	return response, nil
}

// place performs the step create_order, in which orders-api also validates the customer.
func (s *service) place(ctx context.Context, in api.OrderRequest) (*orders.Order, error) {
	key := childKey(in.IdempotencyKey, "create")
	body := orders.OrderInput{CustomerID: in.CustomerID, Items: make([]orders.OrderLineInput, len(in.Items))}
	for i, item := range in.Items {
		body.Items[i] = orders.OrderLineInput(item)
	}
	r, err := s.orders.CreateOrderWithResponse(ctx, &orders.CreateOrderParams{IdempotencyKey: &key}, body)
	switch {
	case err != nil:
		return nil, unavailable(err)
	case r.JSON201 != nil && complete(r.JSON201):
		return r.JSON201, nil
	}
	return nil, refused(r.HTTPResponse, r.Body)
}

// complete reports whether an answer holds an order. The generated client also returns an Order for the body {}.
func complete(o *orders.Order) bool {
	return o.ID > 0 && o.CustomerID > 0 && o.Customer.Name != "" && o.Status.Valid() && len(o.Items) > 0 && !o.CreatedAt.IsZero()
}

// confirm performs the step confirm_order. Its key contains the id of the order: the key of create expires first, and a repeat after
// that creates another order, which needs another key.
func (s *service) confirm(ctx context.Context, id int64, callerKey string) (o *orders.Order, replayed bool, err error) {
	key := childKey(callerKey, fmt.Sprintf("confirm.%d", id))
	r, err := s.orders.ConfirmOrderWithResponse(ctx, id, &orders.ConfirmOrderParams{IdempotencyKey: key}, orders.ConfirmOrderJSONRequestBody{})
	switch {
	case err != nil:
		return nil, false, unavailable(err)
	case r.JSON200 != nil && complete(r.JSON200) && r.JSON200.ID == id && r.JSON200.ConfirmedAt != nil:
		return r.JSON200, r.HTTPResponse.Header.Get("Idempotency-Replayed") == "true", nil
	}
	return nil, false, refusedStep(r.HTTPResponse, r.Body)
}

// withdraw returns the error for an order that was placed and not confirmed. If the refusal is final, it first cancels the order.
// Otherwise, a repeat of the call continues at confirm.
func (s *service) withdraw(ctx context.Context, id int64, callerKey string, refusal *fault.Error) error {
	failed := &stepError{step: api.StepConfirmOrder, cause: refusal}
	if _, final := problem.Final(refusal); !final {
		return failed
	}
	key := childKey(callerKey, fmt.Sprintf("cancel.%d", id))
	reason := "can't be confirmed: " + string(refusal.Code)
	r, err := s.orders.CancelOrderWithResponse(ctx, id, &orders.CancelOrderParams{IdempotencyKey: &key}, orders.Cancellation{Reason: &reason})
	switch {
	case err != nil:
		failed.cause = fault.From(unavailable(err))
	case r.JSON200 != nil && complete(r.JSON200) && r.JSON200.ID == id && r.JSON200.CanceledAt != nil:
		failed.withdrawn = r.JSON200
	default:
		// After a final refusal there is nothing to cancel: the order does not exist, or it was confirmed and stays so.
		canceled := fault.From(refusedStep(r.HTTPResponse, r.Body))
		if _, final := problem.Final(canceled); !final {
			failed.cause = canceled
		}
	}
	return failed
}

// childKey derives the idempotency key of a step from that of the caller. It is the same for each repeat, and differs between
// steps.
func childKey(callerKey, step string) string {
	return "create-and-confirm." + step + "." + digest(step, callerKey)
}

// digest returns a name that is derived from the caller's key and does not reveal it.
func digest(what, callerKey string) string {
	sum := sha256.Sum256([]byte(what + "\n" + callerKey))
	return hex.EncodeToString(sum[:])
}

func unavailable(cause error) error {
	return fault.Unavailable(common.CodeOrdersUnavailable, "orders-api does not answer.", cause)
}

// refused returns the error for an unsuccessful answer of orders-api. Refusals are passed on. Failures of orders-api become
// orders_unavailable, so that the caller may retry.
func refused(r *http.Response, body []byte) error {
	var doc common.Problem
	switch err := json.Unmarshal(body, &doc); {
	case r.StatusCode == http.StatusServiceUnavailable && err == nil && doc.Code == common.CodeCustomersUnavailable:
		return &fault.Error{
			Code: doc.Code, Message: doc.Detail, RetryAfter: problem.RetryAfter(r.Header), Cause: errors.New("orders-api answered " + r.Status),
		}
	case r.StatusCode < http.StatusBadRequest || r.StatusCode >= http.StatusInternalServerError ||
		err != nil || !doc.Code.Valid() || misdirected(doc.Code):
		return unavailable(errors.New("orders-api answered " + r.Status))
	}
	e := fault.New(doc.Code, doc.Detail)
	e.RetryAfter = problem.RetryAfter(r.Header)
	if traceID, err := trace.TraceIDFromHex(doc.TraceID); err == nil {
		e.TraceID = traceID.String() // so that a repeat gets the same response
	}
	if doc.Errors != nil {
		e.Fields = *doc.Errors
		for i := range e.Fields {
			if e.Fields[i].Field == "Idempotency-Key" { // callers of the orchestrator send the key in the body
				e.Fields[i].Field = "idempotency_key"
			}
		}
	}
	if doc.Shortages != nil {
		e.Shortages = *doc.Shortages
	}
	return e
}

// refusedStep is like refused, for a call without input of the caller. If it is invalid, this is not the caller's fault.
func refusedStep(r *http.Response, body []byte) error {
	err := refused(r, body)
	if fault.From(err).Code == common.CodeInvalidInput {
		return unavailable(fmt.Errorf("orders-api answered %s: %w", r.Status, err))
	}
	return err
}

// misdirected reports whether an answer concerns the call itself, which the caller can't change: another service answers at the address.
func misdirected(code common.ProblemCode) bool {
	switch code {
	case common.CodeNotFound, common.CodeMethodNotAllowed, common.CodeMisdirectedRequest,
		common.CodeBodyTooLarge, common.CodeUnsupportedMediaType, common.CodeExpectationFailed, common.CodeHeadersTooLarge:
		return true
	}
	return false
}

func (s *service) GetHealth(context.Context, stub.GetHealthRequestObject) (stub.GetHealthResponseObject, error) {
	return stub.GetHealth200JSONResponse{HealthyJSONResponse: stub.HealthyJSONResponse{Status: common.HealthOK}}, nil
}

func (s *service) GetReady(ctx context.Context, _ stub.GetReadyRequestObject) (stub.GetReadyResponseObject, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second) // readiness is checked again soon
	defer cancel()
	r, err := s.probe.GetReadyWithResponse(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	if r.JSON200 == nil {
		return nil, unavailable(errors.New("orders-api answered " + r.Status()))
	}
	return stub.GetReady200JSONResponse{HealthyJSONResponse: stub.HealthyJSONResponse{Status: common.HealthOK}}, nil
}

// stepError is an error with the step that failed.
type stepError struct {
	step      api.Step
	cause     *fault.Error
	withdrawn *orders.Order // the order that was placed and then canceled, or nil
}

func (e *stepError) Error() string { return string(e.step) + ": " + e.cause.Error() }
func (e *stepError) Unwrap() error { return e.cause }

// stepOf returns the step in which orders-api refused to create an order, by the code of the refusal.
func stepOf(code common.ProblemCode) api.Step {
	switch code {
	case common.CodeInvalidInput, common.CodeUnauthorized, common.CodeForbidden:
		return api.StepValidateInput
	case common.CodeCustomerNotFound, common.CodeCustomersUnavailable:
		return api.StepValidateCustomer
	}
	return api.StepCreateOrder
}

// maxBody limits how many bytes of an invalid body document reads.
const maxBody = 1 << 20

// document returns the Failure for a problem of the order call, and of unknown routes. Problems of other operations stay as they are.
func document(c echo.Context, operationID string, cause error, doc common.Problem) any {
	if operationID != "" && operationID != "createAndConfirmOrder" {
		return doc
	}
	r := c.Request()
	correlation := telemetry.CorrelationID(r.Context())
	if doc.Code == common.CodeInvalidInput { // the invalid body may still have a valid correlation id
		var body struct {
			CorrelationID  string `json:"correlation_id"`
			IdempotencyKey string `json:"idempotency_key"`
		}
		err := json.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(&body)
		switch {
		case err == nil && server.ValidCorrelationID(body.CorrelationID):
			correlation = body.CorrelationID
		case err == nil && correlation == "" && body.IdempotencyKey != "":
			correlation = digest("correlation", body.IdempotencyKey)
		}
	}
	failure := Failure(doc, correlation)
	if at := (*stepError)(nil); errors.As(cause, &at) {
		failure.Error.Step = at.step
		failure.Order = withdrawn(at.withdrawn)
	}
	c.Response().Header().Set(telemetry.CorrelationHeader, failure.CorrelationID)
	return failure
}

// Failure returns the body of an error response for a call that failed in the step validate_input. If correlation is empty, the
// correlation id is the trace id.
func Failure(doc common.Problem, correlation string) api.Failure {
	if correlation == "" {
		correlation = doc.TraceID
	}
	return api.Failure{
		Type: doc.Type, Title: doc.Title, Status: doc.Status, Detail: doc.Detail, Code: doc.Code, TraceID: doc.TraceID,
		Errors: doc.Errors, Shortages: doc.Shortages,
		CorrelationID: correlation,
		Error: api.StepError{
			Code: doc.Code, Message: doc.Detail, Step: api.StepValidateInput, Errors: doc.Errors, Shortages: doc.Shortages,
		},
	}
}

func withdrawn(o *orders.Order) *api.WithdrawnOrder {
	if o == nil || o.CanceledAt == nil {
		return nil
	}
	return &api.WithdrawnOrder{ID: o.ID, Status: api.WithdrawnOrderStatus(o.Status), CanceledAt: *o.CanceledAt}
}

func customer(o *orders.Order) api.ConfirmedCustomer {
	return api.ConfirmedCustomer{
		ID: o.CustomerID, Name: o.Customer.Name, Email: o.Customer.Email, Phone: o.Customer.Phone,
	}
}

func order(o *orders.Order) api.ConfirmedOrder {
	items := make([]api.ConfirmedLine, len(o.Items))
	for i, item := range o.Items {
		items[i] = api.ConfirmedLine(item)
	}
	confirmed := api.ConfirmedOrder{
		ID: o.ID, CustomerID: o.CustomerID, Status: api.ConfirmedOrderStatus(o.Status),
		TotalCents: o.TotalCents, Items: items, CreatedAt: o.CreatedAt,
	}
	if o.ConfirmedAt != nil {
		confirmed.ConfirmedAt = *o.ConfirmedAt
	}
	return confirmed
}
