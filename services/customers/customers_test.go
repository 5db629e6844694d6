package customers_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	pedidos "github.com/pedidos-hq/pedidos/gen"
	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/gen/customers/client"
	"github.com/pedidos-hq/pedidos/services/customers"
	"github.com/pedidos-hq/pedidos/services/internal/apitest"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/config"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

const (
	keyTTL     = 24 * time.Hour
	loginBurst = 3
)

// registry is customers-api with a new database.
type registry struct {
	*client.ClientWithResponses // with the token of admin

	t      *testing.T
	clock  *apitest.Clock
	db     *database.DB
	url    string
	tokens *auth.Issuer
}

func newRegistry(t *testing.T) *registry {
	t.Helper()
	clock := apitest.NewClock()
	s := &registry{t: t, clock: clock, tokens: apitest.NewTokens(clock)}
	s.db, _ = apitest.NewDB(t)
	p := apitest.NewProcess(t, clock)
	p.Config.IdempotencyTTL, p.Config.AdminPassword = keyTTL, "a long password"
	p.Config.LoginRate, p.Config.LoginBurst = 1e-9, loginBurst // the limit does not recover during a test
	p.Config.TrustedProxies = []string{"127.0.0.0/8"}
	if err := p.Config.Check(config.Needs{}); err != nil {
		t.Fatal(err)
	}
	handler, err := customers.New(p, s.db)
	s.url = apitest.Serve(t, handler, err)
	s.ClientWithResponses = s.as("admin", auth.Admin)
	return s
}

// as returns a client with the token of a user.
func (s *registry) as(user string, role auth.Role) *client.ClientWithResponses {
	s.t.Helper()
	return s.with(apitest.Token(s.t, s.tokens, user, role))
}

func (s *registry) with(token string) *client.ClientWithResponses {
	s.t.Helper()
	c, err := client.NewClientWithResponses(s.url, client.WithRequestEditorFn(pedidos.Bearer(token)))
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// create creates a customer.
func (s *registry) create(email string) api.Customer {
	s.t.Helper()
	r, err := s.tryCreate(email)
	apitest.WantStatus(s.t, r, err, http.StatusCreated)
	return *r.JSON201
}

func (s *registry) tryCreate(email string) (*client.CreateCustomerResponse, error) {
	return s.CreateCustomerWithResponse(s.t.Context(), nil, api.CustomerInput{Name: "Ana", Email: email})
}

// get returns a customer and its ETag.
func (s *registry) get(id int64) (c api.Customer, etag string) {
	s.t.Helper()
	r, err := s.GetCustomerWithResponse(s.t.Context(), id)
	apitest.WantStatus(s.t, r, err, http.StatusOK)
	return *r.JSON200, r.Headers200.ETag
}

// list returns the ids of a list, read in pages of two.
func (s *registry) list(params api.ListCustomersParams) []int64 {
	s.t.Helper()
	all := []int64{}
	params.Limit = new(int32(2))
	for range 20 {
		r, err := s.ListCustomersWithResponse(s.t.Context(), &params)
		apitest.WantStatus(s.t, r, err, http.StatusOK)
		for _, c := range r.JSON200.Data {
			all = append(all, c.ID)
		}
		if params.Cursor = r.JSON200.NextCursor; params.Cursor == nil {
			return all
		}
	}
	s.t.Fatalf("the list does not end: %v", all)
	return nil
}

func TestEmailIsUnique(t *testing.T) {
	t.Parallel()
	s := newRegistry(t)
	ana, bruno := s.create("Ana@Example.com"), s.create("bruno@example.com")
	if ana.Email != "Ana@Example.com" {
		t.Errorf("the address became %s", ana.Email)
	}
	for _, email := range []string{"Ana@Example.com", "ana@example.com"} {
		r, err := s.tryCreate(email)
		apitest.WantProblem(t, r, err, common.CodeEmailTaken, "email")
		u, err := s.UpdateCustomerWithResponse(t.Context(), bruno.ID, nil, api.CustomerChange{Email: &email})
		apitest.WantProblem(t, u, err, common.CodeEmailTaken, "email")
	}
	if got, _ := s.get(bruno.ID); got != bruno {
		t.Errorf("the refusals changed %+v to %+v", bruno, got)
	}
	// A customer may write its own address in another case.
	r, err := s.UpdateCustomerWithResponse(t.Context(), ana.ID, nil, api.CustomerChange{Email: new("ANA@example.com")})
	apitest.WantStatus(t, r, err, http.StatusOK)
	// The former address of a customer is free.
	r, err = s.UpdateCustomerWithResponse(t.Context(), ana.ID, nil, api.CustomerChange{Email: new("other@example.com")})
	apitest.WantStatus(t, r, err, http.StatusOK)
	s.create("ana@example.com")
}

func TestPhone(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		body string // of a change to a customer with the phone number 555
		want string // "" for none
		ok   bool
	}{
		{"a number", `{"phone":"+54 11 5555-0101"}`, "+54 11 5555-0101", true},
		{"as people write it", `{"phone":"(11) 5555, int. 7"}`, "(11) 5555, int. 7", true},
		{"null", `{"phone":null}`, "", true},
		{"empty", `{"phone":""}`, "", true},
		{"left out", `{"name":"Eva"}`, "555", true},
		{"32 characters", `{"phone":"` + strings.Repeat("5", 32) + `"}`, strings.Repeat("5", 32), true},
		{"33 characters", `{"phone":"` + strings.Repeat("5", 33) + `"}`, "555", false},
		{"two lines", `{"phone":"555\n556"}`, "555", false},
		{"a number of JSON", `{"phone":556}`, "555", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newRegistry(t)
			r, err := s.CreateCustomerWithResponse(t.Context(), nil, api.CustomerInput{Name: "Ana", Email: "ana@example.com", Phone: new("555")})
			apitest.WantStatus(t, r, err, http.StatusCreated)
			u, err := s.UpdateCustomerWithBodyWithResponse(t.Context(), r.JSON201.ID, nil, "application/json", strings.NewReader(test.body))
			if test.ok {
				apitest.WantStatus(t, u, err, http.StatusOK)
			} else {
				apitest.WantProblem(t, u, err, common.CodeInvalidInput, "phone")
			}
			got, _ := s.get(r.JSON201.ID)
			if phone := got.Phone; (phone == nil) != (test.want == "") || phone != nil && *phone != test.want {
				t.Errorf("got the phone number %v, want %q", phone, test.want)
			}
		})
	}
	t.Run("of a new customer", func(t *testing.T) {
		t.Parallel()
		s := newRegistry(t)
		for i, phone := range []*string{nil, new("")} {
			r, err := s.CreateCustomerWithResponse(t.Context(), nil, api.CustomerInput{Name: "Ana", Email: fmt.Sprintf("%d@example.com", i), Phone: phone})
			apitest.WantStatus(t, r, err, http.StatusCreated)
			if r.JSON201.Phone != nil {
				t.Errorf("got the phone number %q, want none", *r.JSON201.Phone)
			}
		}
	})
}

func TestPutAndPatchChangeSomeFields(t *testing.T) {
	t.Parallel()
	s := newRegistry(t)
	for method, change := range map[string]func(id int64, c api.CustomerChange) (apitest.Response, error){
		"PUT": func(id int64, c api.CustomerChange) (apitest.Response, error) {
			return s.ReplaceCustomerWithResponse(t.Context(), id, nil, c)
		},
		"PATCH": func(id int64, c api.CustomerChange) (apitest.Response, error) {
			return s.UpdateCustomerWithResponse(t.Context(), id, nil, c)
		},
	} {
		want := s.create(strings.ToLower(method) + "@example.com")
		for _, step := range []struct {
			change api.CustomerChange
			apply  func()
		}{
			{api.CustomerChange{Name: new("Eva")}, func() { want.Name = "Eva" }},
			{api.CustomerChange{Email: new(method + "-2@example.com")}, func() { want.Email = method + "-2@example.com" }},
		} {
			s.clock.Advance(time.Minute)
			r, err := change(want.ID, step.change)
			apitest.WantStatus(t, r, err, http.StatusOK)
			step.apply()
			want.UpdatedAt.Time = s.clock.Now()
			got, _ := s.get(want.ID)
			if got != want {
				t.Errorf("%s: got %+v, want %+v", method, got, want)
			}
		}
		r, err := change(want.ID, api.CustomerChange{})
		apitest.WantProblem(t, r, err, common.CodeInvalidInput, "body")
		r, err = change(99, api.CustomerChange{Name: new("Eva")})
		apitest.WantProblem(t, r, err, common.CodeCustomerNotFound)
	}
}

func TestIfMatch(t *testing.T) {
	t.Parallel()
	s := newRegistry(t)
	id := s.create("ana@example.com").ID
	_, old := s.get(id)
	rename := func(etag, name string) (*client.UpdateCustomerResponse, error) {
		return s.UpdateCustomerWithResponse(t.Context(), id, &api.UpdateCustomerParams{IfMatch: &etag}, api.CustomerChange{Name: &name})
	}
	r, err := rename(old, "Eva")
	apitest.WantStatus(t, r, err, http.StatusOK)
	r, err = rename(old, "Bruno")
	apitest.WantProblem(t, r, err, common.CodePreconditionFailed)
	p, err := s.ReplaceCustomerWithResponse(t.Context(), id, &api.ReplaceCustomerParams{IfMatch: &old}, api.CustomerChange{Name: new("Bruno")})
	apitest.WantProblem(t, p, err, common.CodePreconditionFailed)
	got, etag := s.get(id)
	if got.Name != "Eva" {
		t.Errorf("after the refused changes, the name is %s", got.Name)
	}
	r, err = rename(etag, "Bruno")
	apitest.WantStatus(t, r, err, http.StatusOK)
}

func TestDelete(t *testing.T) {
	t.Parallel()
	s := newRegistry(t)
	ana, bruno := s.create("ana@example.com"), s.create("bruno@example.com")
	r, err := s.DeleteCustomerWithResponse(t.Context(), ana.ID, nil)
	apitest.WantStatus(t, r, err, http.StatusNoContent)

	// No operation finds the customer.
	get, err := s.GetCustomerWithResponse(t.Context(), ana.ID)
	apitest.WantProblem(t, get, err, common.CodeCustomerNotFound)
	internal, err := s.with(apitest.ServiceToken).GetCustomerInternalWithResponse(t.Context(), ana.ID)
	apitest.WantProblem(t, internal, err, common.CodeCustomerNotFound)
	update, err := s.UpdateCustomerWithResponse(t.Context(), ana.ID, nil, api.CustomerChange{Name: new("Eva")})
	apitest.WantProblem(t, update, err, common.CodeCustomerNotFound)
	r, err = s.DeleteCustomerWithResponse(t.Context(), ana.ID, nil)
	apitest.WantProblem(t, r, err, common.CodeCustomerNotFound)
	for _, search := range []*string{nil, new("ana")} {
		if got := s.list(api.ListCustomersParams{Search: search}); slices.Contains(got, ana.ID) {
			t.Errorf("the list has the deleted customer: %v", got)
		}
	}

	// The address is free, the id is not reused, and the row remains.
	if again := s.create("ana@example.com"); again.ID <= bruno.ID {
		t.Errorf("a new customer has the id %d, want one above %d", again.ID, bruno.ID)
	}
	err = s.db.Read(t.Context(), func(conn database.Conn) error {
		var email string
		return conn.QueryRowContext(t.Context(), "SELECT email FROM customers WHERE id = ? AND deleted_at IS NOT NULL", ana.ID).Scan(&email)
	})
	if err != nil {
		t.Errorf("the row of the deleted customer: %v", err)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	s := newRegistry(t)
	for _, c := range []api.CustomerInput{
		{Name: "ACME Ferretería", Email: "compras@acme.example"},
		{Name: "100% Madera", Email: "ventas@madera.example"},
		{Name: "Ñandú", Email: "acme-sur@nandu.example"},
		{Name: "Último", Email: "u@ultimo.example"},
	} {
		r, err := s.CreateCustomerWithResponse(t.Context(), nil, c)
		apitest.WantStatus(t, r, err, http.StatusCreated)
	}
	for search, want := range map[string][]int64{
		"acme": {1, 3}, "FERRETERIA": {1}, "nandu": {3}, "%": {2}, "_": {}, "madera.example": {2}, "nobody": {},
	} {
		if got := s.list(api.ListCustomersParams{Search: &search}); !slices.Equal(got, want) {
			t.Errorf("the search for %q found %v, want %v", search, got, want)
		}
	}
	if got := s.list(api.ListCustomersParams{}); !slices.Equal(got, []int64{1, 2, 3, 4}) {
		t.Errorf("the list is %v", got)
	}
	for _, cursor := range []string{"x", "bzox"} { // bzox is o:1, a cursor of another list
		r, err := s.ListCustomersWithResponse(t.Context(), &api.ListCustomersParams{Cursor: &cursor})
		apitest.WantProblem(t, r, err, common.CodeInvalidInput, "cursor")
	}
}

func TestCallers(t *testing.T) {
	t.Parallel()
	s := newRegistry(t)
	id := s.create("ana@example.com").ID
	for _, test := range []struct {
		name                    string
		client                  *client.ClientWithResponses
		read, write, internally int
	}{
		{"admin", s.ClientWithResponses, 200, 200, 401},
		{"viewer", s.as("eva", auth.Viewer), 200, 403, 401},
		{"service", s.with(apitest.ServiceToken), 401, 401, 200},
		{"nobody", s.with("x"), 401, 401, 401},
	} {
		t.Run(test.name, func(t *testing.T) {
			read, err := test.client.GetCustomerWithResponse(t.Context(), id)
			apitest.WantStatus(t, read, err, test.read)
			write, err := test.client.UpdateCustomerWithResponse(t.Context(), id, nil, api.CustomerChange{Name: new("Eva")})
			apitest.WantStatus(t, write, err, test.write)
			internal, err := test.client.GetCustomerInternalWithResponse(t.Context(), id)
			apitest.WantStatus(t, internal, err, test.internally)
		})
	}
}

func TestCreateIsIdempotent(t *testing.T) {
	t.Parallel()
	s := newRegistry(t)
	create := func(email string) *client.CreateCustomerResponse {
		t.Helper()
		r, err := s.CreateCustomerWithResponse(t.Context(), &api.CreateCustomerParams{IdempotencyKey: new("k")}, api.CustomerInput{Name: "Ana", Email: email})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	first := create("ana@example.com")
	apitest.WantStatus(t, first, nil, http.StatusCreated)
	again := create("ana@example.com")
	apitest.WantStatus(t, again, nil, http.StatusCreated)
	if string(again.Body) != string(first.Body) || again.HTTPResponse.Header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("the repeat got %v %s, want a replay of %s", again.HTTPResponse.Header, again.Body, first.Body)
	}
	apitest.WantProblem(t, create("eva@example.com"), nil, common.CodeIdempotencyKeyReused, "Idempotency-Key")

	s.clock.Advance(keyTTL)
	if n, err := customers.SweepKeys(t.Context(), s.db, s.clock.Now); err != nil || n != 1 {
		t.Errorf("SweepKeys = %d, %v, want 1", n, err)
	}
	apitest.WantStatus(t, create("eva@example.com"), nil, http.StatusCreated)
}

// login logs in as admin from an address.
func (s *registry) login(address, password string) (*client.LoginResponse, error) {
	return s.LoginWithResponse(s.t.Context(), api.Credentials{Username: "admin", Password: password},
		func(_ context.Context, r *http.Request) error {
			r.Header.Set("X-Forwarded-For", address)
			r.Header.Del("Authorization")
			return nil
		})
}

func TestLogin(t *testing.T) {
	t.Parallel()
	s := newRegistry(t)
	r, err := s.login("192.0.2.1", "a long password")
	apitest.WantStatus(t, r, err, http.StatusOK)
	me, err := s.with(r.JSON200.AccessToken).GetMeWithResponse(t.Context())
	apitest.WantStatus(t, me, err, http.StatusOK)
	if got := me.JSON200; got.Caller != "user:admin" || got.Role != api.RoleAdmin || got.Kind != api.KindUser {
		t.Errorf("the caller of the token is %s", me.Body)
	}
	if r.JSON200.TokenType != api.Bearer || r.HTTPResponse.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("got %v %s", r.HTTPResponse.Header, r.Body)
	}
	r, err = s.login("192.0.2.1", "another password")
	apitest.WantProblem(t, r, err, common.CodeInvalidCredentials)
}

func TestLoginLimit(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, first, second string
		shared              bool // whether both addresses share a limit
	}{
		{"the same IPv4 address", "192.0.2.1", "192.0.2.1", true},
		{"two IPv4 addresses", "192.0.2.1", "192.0.2.2", false},
		{"IPv4 written as IPv6", "192.0.2.1", "::ffff:192.0.2.1", true},
		{"one /64 of IPv6", "2001:db8::1", "2001:db8::ffff:1", true},
		{"two /64 of IPv6", "2001:db8::1", "2001:db8:0:1::1", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newRegistry(t)
			for range loginBurst {
				r, err := s.login(test.first, "wrong")
				apitest.WantProblem(t, r, err, common.CodeInvalidCredentials)
			}
			r, err := s.login(test.second, "a long password")
			if !test.shared {
				apitest.WantStatus(t, r, err, http.StatusOK)
				return
			}
			apitest.WantProblem(t, r, err, common.CodeTooManyRequests)
			if wait := r.HTTPResponse.Header.Get("Retry-After"); wait != "3600" {
				t.Errorf("got Retry-After %q, want 3600, the maximum", wait)
			}
		})
	}
}
