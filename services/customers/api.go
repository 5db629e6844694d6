// Package customers implements customers-api: the customers who place orders, and the operations of package identity.
package customers

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/contract"
	api "github.com/pedidos-hq/pedidos/gen/customers"
	stub "github.com/pedidos-hq/pedidos/gen/customers/server"
	"github.com/pedidos-hq/pedidos/gen/customersdb"
	"github.com/pedidos-hq/pedidos/services/identity"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/etag"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/idempotency"
	"github.com/pedidos-hq/pedidos/services/platform/process"
	"github.com/pedidos-hq/pedidos/services/platform/search"
	"github.com/pedidos-hq/pedidos/services/platform/server"
)

// name is the name of the service in logs and metrics.
const name = "customers"

// New returns customers-api, which keeps its data in db.
func New(p process.Process, db *database.DB) (process.Service, error) {
	c, now := p.Config, database.Now(p.Now)
	keeper := idempotency.NewKeeper(db, Keys(), c.IdempotencyTTL, now, name, p.Metrics)
	people, err := identity.New(context.Background(), p, db, keeper)
	if err != nil {
		return process.Service{}, err
	}
	s := &service{
		Service:  people,
		db:       db,
		now:      now,
		searches: search.NewGate(),
	}
	s.creating = idempotency.NewOperation(keeper, s.create, answerCreated)
	s.updating = idempotency.NewOperation(keeper, s.update, answerUpdated)
	s.deleting = idempotency.NewOperation(keeper, s.delete, answerDeleted)
	config := server.NewConfig(p)
	config.Service, config.Title, config.Contract = name, "customers-api", contract.Customers
	config.Login = "/auth/login"
	config.Schemes = map[string]auth.Scheme{
		"bearerAuth":   people.Bearer,
		"sessionToken": people.Session,
		"serviceToken": auth.ServiceTokens(c.ServiceToken.Reveal()),
	}
	limit := limitLogin(c.LoginRate, c.LoginBurst, p.Now)
	config.Admit = map[string]func(echo.Context) error{"login": limit, "createSession": limit, "setPassword": limit, "changePassword": limit}
	routes := stub.NewStrictHandler(s, []stub.StrictMiddlewareFunc{identity.WithAddress})
	handler, err := server.New(config, func(router *echo.Echo, prefix string) {
		stub.RegisterHandlersWithBaseURL(router, routes, prefix)
	})
	sweepKeys := func(ctx context.Context) (int64, error) { return SweepKeys(ctx, db, p.Now) }
	sweeps := append(people.Sweeps(), process.Sweep{Name: "customers_idempotency", Run: sweepKeys})
	return process.Service{Handler: handler, Sweeps: sweeps}, err
}

// Keys returns the store of idempotency keys of customers-api.
func Keys() idempotency.Store { return idempotency.Store{Table: "customers_idempotency"} }

// SweepKeys deletes expired idempotency keys and returns their number. Several processes may call it at the same time.
func SweepKeys(ctx context.Context, db *database.DB, clock func() time.Time) (int64, error) {
	return idempotency.Sweep(ctx, db, Keys(), database.Now(clock)())
}

type service struct {
	*identity.Service // serves users, sessions, integrators and the audit log

	db       *database.DB
	now      func() time.Time
	searches *search.Gate
	creating *idempotency.Operation[api.CustomerInput, customersdb.Customer]
	updating *idempotency.Operation[customerChange, customersdb.Customer]
	deleting *idempotency.Operation[int64, struct{}]
}

func (s *service) ListCustomers(ctx context.Context, r stub.ListCustomersRequestObject) (stub.ListCustomersResponseObject, error) {
	rows, next, err := s.list(ctx, r.Params)
	if err != nil {
		return nil, err
	}
	customers := make([]api.Customer, len(rows))
	for i, row := range rows {
		customers[i] = customer(row)
	}
	return stub.ListCustomers200JSONResponse{Data: customers, NextCursor: next}, nil
}

func (s *service) CreateCustomer(ctx context.Context, r stub.CreateCustomerRequestObject) (stub.CreateCustomerResponseObject, error) {
	request, err := idempotency.Parse(http.MethodPost, r.Params.IdempotencyKey, r.Params.XIdempotencyKey, "/customers", r.Body)
	if err != nil {
		return nil, err
	}
	done, err := s.creating.Do(ctx, request, *r.Body)
	return answer(done), err
}

func (s *service) GetCustomer(ctx context.Context, r stub.GetCustomerRequestObject) (stub.GetCustomerResponseObject, error) {
	row, err := s.get(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	return stub.GetCustomer200JSONResponse{CustomerJSONResponse: response(row)}, nil
}

func (s *service) GetCustomerInternal(ctx context.Context, r stub.GetCustomerInternalRequestObject) (stub.GetCustomerInternalResponseObject, error) {
	row, err := s.get(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	return stub.GetCustomerInternal200JSONResponse{CustomerJSONResponse: response(row)}, nil
}

func (s *service) ReplaceCustomer(ctx context.Context, r stub.ReplaceCustomerRequestObject) (stub.ReplaceCustomerResponseObject, error) {
	return s.change(ctx, http.MethodPut, r.ID, api.UpdateCustomerParams(r.Params), r.Body)
}

func (s *service) UpdateCustomer(ctx context.Context, r stub.UpdateCustomerRequestObject) (stub.UpdateCustomerResponseObject, error) {
	return s.change(ctx, http.MethodPatch, r.ID, r.Params, r.Body)
}

// change serves PUT and PATCH, which differ only in the fingerprint.
func (s *service) change(ctx context.Context, method string, id int64, p api.UpdateCustomerParams, body *api.CustomerChange) (answer, error) {
	request, err := idempotency.Parse(method, p.IdempotencyKey, p.XIdempotencyKey, fmt.Sprintf("/customers/%d", id), body)
	if err != nil {
		return answer{}, err
	}
	done, err := s.updating.Do(ctx, request, customerChange{id, etag.ParseMatch(p.IfMatch), *body})
	return answer(done), err
}

func (s *service) DeleteCustomer(ctx context.Context, r stub.DeleteCustomerRequestObject) (stub.DeleteCustomerResponseObject, error) {
	request, err := idempotency.Parse(http.MethodDelete, r.Params.IdempotencyKey, r.Params.XIdempotencyKey, fmt.Sprintf("/customers/%d", r.ID), struct{}{})
	if err != nil {
		return nil, err
	}
	done, err := s.deleting.Do(ctx, request, r.ID)
	return answer(done), err
}

func (s *service) GetHealth(context.Context, stub.GetHealthRequestObject) (stub.GetHealthResponseObject, error) {
	return stub.GetHealth200JSONResponse{HealthyJSONResponse: stub.HealthyJSONResponse{Status: common.HealthOK}}, nil
}

func (s *service) GetReady(ctx context.Context, _ stub.GetReadyRequestObject) (stub.GetReadyResponseObject, error) {
	if err := s.db.Ready(ctx); err != nil {
		return nil, fault.Unavailable(common.CodeUnavailable, "The database is not ready.", err)
	}
	if err := s.Ready(ctx); err != nil {
		return nil, fault.Unavailable(common.CodeUnavailable, "The first user or the signing key can't be created.", err)
	}
	return stub.GetReady200JSONResponse{HealthyJSONResponse: stub.HealthyJSONResponse{Status: common.HealthOK}}, nil
}

// answer is the response of an operation that takes an idempotency key. It may be a stored one.
type answer idempotency.Answer

func (a answer) VisitCreateCustomerResponse(w http.ResponseWriter) error {
	return idempotency.Answer(a).Write(w)
}

func (a answer) VisitReplaceCustomerResponse(w http.ResponseWriter) error {
	return idempotency.Answer(a).Write(w)
}

func (a answer) VisitUpdateCustomerResponse(w http.ResponseWriter) error {
	return idempotency.Answer(a).Write(w)
}

func (a answer) VisitDeleteCustomerResponse(w http.ResponseWriter) error {
	return idempotency.Answer(a).Write(w)
}

func answerCreated(created customersdb.Customer) (idempotency.Answer, error) {
	return idempotency.Record(stub.CreateCustomer201JSONResponse{
		Body: customer(created),
		Headers: stub.CreateCustomer201ResponseHeaders{
			Location: fmt.Sprintf("/customers/%d", created.ID),
			ETag:     etag.Of(created.Version),
		},
	}.VisitCreateCustomerResponse)
}

// answerUpdated returns the answer of PUT and PATCH.
func answerUpdated(row customersdb.Customer) (idempotency.Answer, error) {
	return idempotency.Record(stub.UpdateCustomer200JSONResponse{CustomerUpdatedJSONResponse: stub.CustomerUpdatedJSONResponse{
		Body: customer(row), Headers: stub.CustomerUpdatedResponseHeaders{ETag: etag.Of(row.Version)},
	}}.VisitUpdateCustomerResponse)
}

func answerDeleted(struct{}) (idempotency.Answer, error) {
	return idempotency.Record(stub.DeleteCustomer204Response{}.VisitDeleteCustomerResponse)
}

func response(row customersdb.Customer) stub.CustomerJSONResponse {
	return stub.CustomerJSONResponse{
		Body:    customer(row),
		Headers: stub.CustomerResponseHeaders{ETag: etag.Of(row.Version)},
	}
}

func customer(row customersdb.Customer) api.Customer {
	return api.Customer{
		ID:        row.ID,
		Name:      row.Name,
		Email:     row.Email,
		Phone:     row.Phone,
		CreatedAt: common.Time{Time: row.CreatedAt},
		UpdatedAt: common.Time{Time: row.UpdatedAt},
	}
}
