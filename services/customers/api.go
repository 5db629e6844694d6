// Package customers implements customers-api: the login of users, and the customers who place orders.
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
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/config"
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
	s := &service{
		db:       db,
		tokens:   auth.NewTokens(c.JWTSecret.Reveal(), c.JWTTTL, p.Now),
		users:    users(c),
		now:      now,
		searches: search.NewGate(),
	}
	keeper := idempotency.NewKeeper(db, Keys(), c.IdempotencyTTL, now, name, p.Metrics)
	s.creating = idempotency.NewOperation(keeper, s.create, answerCreated)
	config := server.NewConfig(p)
	config.Service, config.Title, config.Contract = name, "customers-api", contract.Customers
	config.Login = "/auth/login"
	config.Schemes = map[string]auth.Scheme{
		"bearerAuth":   s.tokens.Verify,
		"serviceToken": auth.ServiceTokens(c.ServiceToken.Reveal()),
	}
	config.Admit = map[string]func(echo.Context) error{"login": limitLogin(c.LoginRate, c.LoginBurst)}
	routes := stub.NewStrictHandler(s, nil)
	handler, err := server.New(config, func(router *echo.Echo, prefix string) {
		stub.RegisterHandlersWithBaseURL(router, routes, prefix)
	})
	sweepKeys := func(ctx context.Context) (int64, error) { return SweepKeys(ctx, db, p.Now) }
	return process.Service{Handler: handler, Sweeps: []process.Sweep{{Name: "customers_idempotency", Run: sweepKeys}}}, err
}

// users returns the users who may log in.
func users(c *config.Config) []auth.User {
	all := []auth.User{{Name: c.AdminUser, Password: c.AdminPassword.Reveal(), Role: auth.Admin}}
	if c.ViewerUser != "" {
		all = append(all, auth.User{Name: c.ViewerUser, Password: c.ViewerPassword.Reveal(), Role: auth.Viewer})
	}
	return all
}

// Keys returns the store of idempotency keys of customers-api.
func Keys() idempotency.Store { return idempotency.Store{Table: "customers_idempotency"} }

// SweepKeys deletes expired idempotency keys and returns their number. Several processes may call it at the same time.
func SweepKeys(ctx context.Context, db *database.DB, clock func() time.Time) (int64, error) {
	return idempotency.Sweep(ctx, db, Keys(), database.Now(clock)())
}

type service struct {
	db     *database.DB
	tokens *auth.Tokens
	users  []auth.User
	now    func() time.Time

	searches *search.Gate
	creating *idempotency.Operation[api.CustomerInput, customersdb.Customer]
}

func (s *service) Login(_ context.Context, r stub.LoginRequestObject) (stub.LoginResponseObject, error) {
	user, ok := auth.Login(s.users, r.Body.Username, r.Body.Password)
	if !ok {
		return nil, fault.New(common.CodeInvalidCredentials, "The user name or the password is wrong.")
	}
	token, ttl, err := s.tokens.Issue(user.Name, user.Role)
	if err != nil {
		return nil, err
	}
	return stub.Login200JSONResponse{
		Headers: stub.Login200ResponseHeaders{CacheControl: "no-store"},
		Body: api.Token{
			AccessToken: token,
			TokenType:   api.Bearer,
			ExpiresIn:   int32(ttl.Seconds()),
		},
	}, nil
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
	request, err := idempotency.ParsePost(r.Params.IdempotencyKey, r.Params.XIdempotencyKey, "/customers", r.Body)
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
	row, err := s.update(ctx, r.ID, etag.ParseMatch(r.Params.IfMatch), *r.Body)
	if err != nil {
		return nil, err
	}
	return stub.ReplaceCustomer200JSONResponse{CustomerJSONResponse: response(row)}, nil
}

func (s *service) UpdateCustomer(ctx context.Context, r stub.UpdateCustomerRequestObject) (stub.UpdateCustomerResponseObject, error) {
	row, err := s.update(ctx, r.ID, etag.ParseMatch(r.Params.IfMatch), *r.Body)
	if err != nil {
		return nil, err
	}
	return stub.UpdateCustomer200JSONResponse{CustomerJSONResponse: response(row)}, nil
}

func (s *service) DeleteCustomer(ctx context.Context, r stub.DeleteCustomerRequestObject) (stub.DeleteCustomerResponseObject, error) {
	if err := s.delete(ctx, r.ID); err != nil {
		return nil, err
	}
	return stub.DeleteCustomer204Response{}, nil
}

func (s *service) GetHealth(context.Context, stub.GetHealthRequestObject) (stub.GetHealthResponseObject, error) {
	return stub.GetHealth200JSONResponse{HealthyJSONResponse: stub.HealthyJSONResponse{Status: common.HealthOK}}, nil
}

func (s *service) GetReady(ctx context.Context, _ stub.GetReadyRequestObject) (stub.GetReadyResponseObject, error) {
	if err := s.db.Ready(ctx); err != nil {
		return nil, fault.Unavailable(common.CodeUnavailable, "The database is not ready.", err)
	}
	return stub.GetReady200JSONResponse{HealthyJSONResponse: stub.HealthyJSONResponse{Status: common.HealthOK}}, nil
}

// answer is a stored response of an operation with an idempotency key.
type answer idempotency.Answer

func (a answer) VisitCreateCustomerResponse(w http.ResponseWriter) error {
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
