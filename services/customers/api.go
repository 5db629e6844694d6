// Package customers is customers-api: the login, and who may order.
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
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/etag"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/idempotency"
	"github.com/pedidos-hq/pedidos/services/platform/page"
	"github.com/pedidos-hq/pedidos/services/platform/search"
	"github.com/pedidos-hq/pedidos/services/platform/server"
)

// name is the service's own, in logs and metrics.
const name = "customers"

// Config is what customers-api needs to be told.
type Config struct {
	Server        server.Config // Service, Title, Contract and Schemes are set by New
	Users         []auth.User
	ServiceTokens string        // comma-separated
	LoginRate     float64       // tries a second from one address, on average
	LoginBurst    int           // tries at once from one address
	KeyTTL        time.Duration // how long idempotency keys are kept
}

// New returns the service over a database. The clock is read at the precision of the database.
func New(config Config, db *database.DB, tokens *auth.Tokens, clock func() time.Time) (http.Handler, error) {
	now := database.Now(clock)
	s := &service{
		db:     db,
		tokens: tokens,
		users:  config.Users,
		now:    now,

		searches: search.NewGate(),
	}
	keeper := idempotency.NewKeeper(db, Keys(), config.KeyTTL, now, name, config.Server.Metrics)
	s.creating = idempotency.NewOperation(keeper, s.create, answerCreated)
	config.Server.Service, config.Server.Title, config.Server.Contract = name, "customers-api", contract.Customers
	config.Server.Login = "/auth/login"
	config.Server.Schemes = map[string]auth.Scheme{
		"bearerAuth":   tokens.Verify,
		"serviceToken": auth.ServiceTokens(config.ServiceTokens),
	}
	config.Server.Admit = map[string]func(echo.Context) error{"login": limitLogin(config.LoginRate, config.LoginBurst)}
	handler := stub.NewStrictHandler(s, nil)
	return server.New(config.Server, func(router *echo.Echo, prefix string) {
		stub.RegisterHandlersWithBaseURL(router, handler, prefix)
	})
}

// Keys is the store of the service's idempotency keys.
func Keys() idempotency.Store { return idempotency.Store{Table: "customers_idempotency"} }

// SweepKeys deletes expired idempotency keys and returns how many. Any number of processes may do so at once.
func SweepKeys(ctx context.Context, db *database.DB, clock func() time.Time) (int64, error) {
	return idempotency.Sweep(ctx, db, Keys(), database.Now(clock)())
}

type service struct {
	db     *database.DB
	tokens *auth.Tokens
	users  []auth.User
	now    func() time.Time

	searches *search.Gate
	creating *idempotency.Operation[api.CustomerInput, api.Customer]
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
	limit := page.Limit(r.Params.Limit)
	after, err := page.After(listName, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	rows, next, err := s.list(ctx, after, limit, r.Params.Search)
	if err != nil {
		return nil, err
	}
	customers := make([]api.Customer, len(rows))
	for i, row := range rows {
		customers[i] = customer(customersdb.GetCustomerRow(row))
	}
	return stub.ListCustomers200JSONResponse{Data: customers, NextCursor: next}, nil
}

func (s *service) CreateCustomer(ctx context.Context, r stub.CreateCustomerRequestObject) (stub.CreateCustomerResponseObject, error) {
	key, err := idempotency.ParseKey(r.Params.IdempotencyKey, r.Params.XIdempotencyKey)
	if err != nil {
		return nil, err
	}
	fingerprint, err := idempotency.Fingerprint(http.MethodPost, "/customers", r.Body)
	if err != nil {
		return nil, err
	}
	done, err := s.creating.Do(ctx, idempotency.Request{Key: key, Fingerprint: fingerprint}, *r.Body)
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

// answer is a kept response, on the operations that take an idempotency key.
type answer idempotency.Answer

func (a answer) VisitCreateCustomerResponse(w http.ResponseWriter) error {
	return idempotency.Answer(a).Write(w)
}

func answerCreated(created api.Customer) (idempotency.Answer, error) {
	return idempotency.Record(stub.CreateCustomer201JSONResponse{
		Body: created,
		Headers: stub.CreateCustomer201ResponseHeaders{
			Location: fmt.Sprintf("/customers/%d", created.ID),
			ETag:     etag.Of(1),
		},
	}.VisitCreateCustomerResponse)
}

func response(row customersdb.GetCustomerRow) stub.CustomerJSONResponse {
	return stub.CustomerJSONResponse{
		Body:    customer(row),
		Headers: stub.CustomerResponseHeaders{ETag: etag.Of(row.Version)},
	}
}

func customer(row customersdb.GetCustomerRow) api.Customer {
	return api.Customer{
		ID:        row.ID,
		Name:      row.Name,
		Email:     row.Email,
		Phone:     row.Phone,
		CreatedAt: common.Time{Time: row.CreatedAt},
		UpdatedAt: common.Time{Time: row.UpdatedAt},
	}
}
