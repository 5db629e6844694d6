package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/customers"
	customersservice "github.com/pedidos-hq/pedidos/services/customers"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/server"
)

func TestLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	ids := map[string]bool{}
	for _, test := range []struct{ user, password, role string }{
		{"admin", world.AdminPassword, "admin"},
		{"second", world.AdminPassword, "admin"},
		{"viewer", world.ViewerPassword, "viewer"},
		{"viewer", world.ViewerPassword, "viewer"}, // the same again is another token
	} {
		now := w.Clock.Now().Unix()
		r, err := w.With("").Customers.LoginWithResponse(t.Context(), customers.Credentials{Username: test.user, Password: test.password})
		if err != nil || r.JSON200 == nil {
			t.Fatalf("log in as %s: %v %s", test.user, err, r.Body)
		}
		if r.JSON200.TokenType != customers.Bearer || r.JSON200.ExpiresIn != 3600 || r.Headers200.CacheControl != "no-store" {
			t.Errorf("log in as %s: got %s and Cache-Control %q, want Bearer, 3600 and no-store", test.user, r.Body, r.Headers200.CacheControl)
		}
		header, claims := loginDecode(t, r.JSON200.AccessToken)
		if header["alg"] != "HS256" {
			t.Errorf("header of the token of %s: got %v, want HS256", test.user, header)
		}
		id, _ := claims["jti"].(string)
		if id == "" || ids[id] {
			t.Errorf("claims of %s: got jti %v, want one of its own", test.user, claims["jti"])
		}
		ids[id] = true
		audience := claims["aud"]
		if list, ok := audience.([]any); ok && len(list) == 1 { // both spellings are a JWT's (RFC 7519, 4.1.3)
			audience = list[0]
		}
		for name, pair := range map[string][2]any{
			"sub":  {claims["sub"], test.user},
			"role": {claims["role"], test.role},
			"iss":  {claims["iss"], "pedidos"},
			"aud":  {audience, "pedidos"},
			"iat":  {claims["iat"], float64(now)},
			"exp":  {claims["exp"], float64(now + int64(r.JSON200.ExpiresIn))},
		} {
			if pair[0] != pair[1] {
				t.Errorf("claims of %s: got %s %v, want %v", test.user, name, pair[0], pair[1])
			}
		}
	}
}

// Nobody can tell from the answer whether a user exists.
func TestLoginRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	var first edgeAnswer
	for _, test := range []struct{ name, user, password string }{
		{"a wrong password", "admin", "wrong"},
		{"an unknown user", "nobody", "wrong"},
		{"an unknown user, a known password", "nobody", world.AdminPassword},
		{"the password of another", "viewer", world.AdminPassword},
		{"the name in another case", "Admin", world.AdminPassword},
		{"the password and a blank", "admin", world.AdminPassword + " "},
	} {
		r, err := w.With("").Customers.LoginWithResponse(t.Context(), customers.Credentials{Username: test.user, Password: test.password})
		if err != nil || r.ApplicationProblemJSON401 == nil {
			t.Fatalf("%s: got %v %s, want 401", test.name, err, r.Body)
		}
		if p := r.ApplicationProblemJSON401; p.Code != common.CodeInvalidCredentials || !strings.HasPrefix(r.Headers401.WWWAuthenticate, "Bearer") {
			t.Errorf("%s: got %s and WWW-Authenticate %q, want invalid_credentials and Bearer", test.name, r.Body, r.Headers401.WWWAuthenticate)
		}
		got := edgeAnswer{Status: r.StatusCode(), Header: r.HTTPResponse.Header, Body: []byte(strings.ReplaceAll(string(r.Body), r.ApplicationProblemJSON401.TraceID, "-"))}
		got.Header.Del("Date")
		if first.Body == nil {
			first = got
		}
		if got.String() != first.String() || !maps.EqualFunc(got.Header, first.Header, slices.Equal) {
			t.Errorf("%s: got %s %v, want the same answer as to a wrong password, %s %v", test.name, got, got.Header, first, first.Header)
		}
	}
}

func TestLoginBadInput(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	client := w.HTTP("customers")
	for _, test := range []struct {
		body   string
		fields []string
	}{
		{`{}`, []string{"password", "username"}},
		{`{"username":"admin"}`, []string{"password"}},
		{`{"password":"x"}`, []string{"username"}},
		{`{"username":"","password":""}`, []string{"password", "username"}},
		{`{"username":null,"password":"x"}`, []string{"username"}},
		{`{"username":1,"password":["x"]}`, []string{"password", "username"}},
		{`{"username":"` + strings.Repeat("é", 101) + `","password":"` + strings.Repeat("x", 201) + `"}`, []string{"password", "username"}},
		{`{"username":"admin","password":"x","role":"admin"}`, []string{"role"}},
		{`{"username":"viewer","USERNAME":"admin","password":"x"}`, []string{"USERNAME"}},
		{`{"username":"viewer","username":"admin","password":"x"}`, []string{"body"}},
		{`username=admin&password=x`, []string{"body"}},
	} {
		t.Run(test.body[:min(len(test.body), 40)], func(t *testing.T) {
			t.Parallel()
			a := edgeSend(t, client, http.MethodPost, w.CustomersURL+"/auth/login", strings.NewReader(test.body), "Content-Type", "application/json")
			edgeInvalid(t, a, test.fields...)
		})
	}
}

// Passwords can't be tried at speed from one address, and a right one does not get around it. What a client says of its
// address counts only where a proxy that is trusted says it.
// A token that was good is told that its time is over; any other is told nothing.
func TestAnExpiredTokenIsToldSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	token := w.Login("admin").Token
	w.Clock.Advance(2 * time.Hour)
	head, rest, _ := strings.Cut(token, ".")
	payload, _, _ := strings.Cut(rest, ".")
	for service, path := range map[string]string{
		"customers": w.CustomersURL + "/customers", "orders": w.OrdersURL + "/orders",
		"orchestrator": w.OrchestratorURL + "/orchestrator/create-and-confirm-order",
	} {
		for _, test := range []struct{ token, detail string }{
			{token, "The token has expired; log in again."},
			{head + "." + payload + ".", "A valid bearer token is required."},
			{"x", "A valid bearer token is required."},
		} {
			method := http.MethodGet
			if service == "orchestrator" {
				method = http.MethodPost
			}
			a := edgeSend(t, w.HTTP(service), method, path, nil, "Authorization", "Bearer "+test.token)
			if p := edgeRefused(t, a, http.StatusUnauthorized); p.Detail != test.detail || a.Header.Get("WWW-Authenticate") != `Bearer realm="pedidos", error="invalid_token"` {
				t.Errorf("%s: got %s %v, want %q", service, a, a.Header, test.detail)
			}
		}
	}
}

// Tries are counted whatever is in them, and what is too much is not read.
func TestLoginLimitComesBeforeTheBody(t *testing.T) {
	t.Parallel()
	handler := loginHandler(t, customersservice.Config{LoginRate: 1e-9, LoginBurst: 1})
	for _, want := range []struct{ status, reads int }{{http.StatusBadRequest, 1}, {http.StatusTooManyRequests, 0}, {http.StatusTooManyRequests, 0}} {
		body := &loginBody{Reader: strings.NewReader(`{"x":1}`)}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/auth/login", body)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != want.status || min(body.reads, 1) != want.reads {
			t.Errorf("got %d after %d reads of the body, want %d", w.Code, body.reads, want.status)
		}
	}
}

// loginBody counts how often it is read.
type loginBody struct {
	io.Reader
	reads int
}

func (b *loginBody) Read(p []byte) (int, error) {
	b.reads++
	return b.Reader.Read(p)
}

func TestLoginLimit(t *testing.T) {
	t.Parallel()
	_, trusted, err := net.ParseCIDR("10.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	handler := loginHandler(t, customersservice.Config{
		Server:    server.Config{Edge: server.Edge{TrustedProxies: []*net.IPNet{trusted}}},
		LoginRate: 1e-9, LoginBurst: 2, // none comes back while the test runs
	})
	const from = "Test-Address"
	served := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RemoteAddr = r.Header.Get(from)
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(served.Close)
	held := newWorld(t, world.Options{}).HTTP("customers")
	for _, try := range []struct {
		address, forwarded string
		passes             bool
	}{
		{"192.0.2.1:1001", "", true},
		{"192.0.2.1:1002", "", true},
		{"192.0.2.1:1003", "", false},
		{"192.0.2.1:1004", "198.51.100.1", false},
		{"192.0.2.2:1001", "", true},
		{"192.0.2.2:1002", "198.51.100.2", true},
		{"192.0.2.2:1003", "198.51.100.3", false},
		{"192.0.2.1:1005", "", false},
		{"[2001:db8::1]:1001", "", true},
		{"[2001:db8::2]:1001", "", true},
		{"[2001:db8::ffff:0:0:3]:1001", "", false}, // one client has a /64
		{"[2001:db8:0:1::1]:1001", "", true},
		{"10.0.0.1:1001", "198.51.100.1", true},
		{"10.0.0.2:1001", "198.51.100.1", true},
		{"10.0.0.1:1002", "198.51.100.1", false},
		{"10.0.0.1:1003", "198.51.100.4, 198.51.100.1", false}, // the first is what the client has said
		{"10.0.0.1:1004", "198.51.100.4", true},
		{"10.0.0.1:1005", "", true},
	} {
		a := edgeSend(t, held, http.MethodPost, served.URL+"/auth/login", strings.NewReader(loginRight),
			"Content-Type", "application/json", "X-Forwarded-For", try.forwarded, from, try.address)
		if try.passes {
			if a.Status != http.StatusOK {
				t.Errorf("from %s for %q: got %s, want 200", try.address, try.forwarded, a)
			}
			continue
		}
		if p := edgeRefused(t, a, http.StatusTooManyRequests); p.Code != common.CodeTooManyRequests || a.Header.Get("Retry-After") != "3600" {
			t.Errorf("from %s for %q: got %s %v, want too_many_requests and Retry-After: 3600", try.address, try.forwarded, a, a.Header)
		}
	}
	// The limit is the login's alone.
	edgeRefused(t, edgeSend(t, held, http.MethodGet, served.URL+"/customers", nil, from, "192.0.2.1:1006"), http.StatusUnauthorized)
}

// Whether a user exists must not show in the time of the answer either. of-wrong is a login's time next to that of one
// with a wrong password, by turns, both as medians.
func BenchmarkLogin(b *testing.B) {
	handler := loginHandler(b, customersservice.Config{LoginRate: 1, LoginBurst: 1e9})
	login := func(b *testing.B, body string, status int) time.Duration {
		r := httptest.NewRequest(http.MethodPost, "/auth/login", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		answer := httptest.NewRecorder()
		start := time.Now()
		handler.ServeHTTP(answer, r)
		took := time.Since(start)
		if answer.Code != status {
			b.Fatalf("got %d: %s", answer.Code, answer.Body)
		}
		return took
	}
	const wrong = `{"username":"admin","password":"not-the-password"}`
	for _, test := range []struct {
		name, body string
		status     int
	}{
		{"unknown", `{"username":"nobody","password":"not-the-password"}`, http.StatusUnauthorized},
		{"wrong", wrong, http.StatusUnauthorized},
		{"right", loginRight, http.StatusOK},
	} {
		b.Run(test.name, func(b *testing.B) {
			var took, beside []time.Duration
			for b.Loop() {
				took = append(took, login(b, test.body, test.status))
				beside = append(beside, login(b, wrong, http.StatusUnauthorized))
			}
			slices.Sort(took)
			slices.Sort(beside)
			median, wrong := float64(took[len(took)/2]), float64(beside[len(beside)/2])
			b.ReportMetric(0, "ns/op") // of both
			b.ReportMetric(median, "ns/login")
			b.ReportMetric(median/wrong, "of-wrong")
		})
	}
}

const loginRight = `{"username":"admin","password":"` + world.AdminPassword + `"}`

// loginHandler is customers-api for logins alone, which need no database.
func loginHandler(t testing.TB, c customersservice.Config) http.Handler {
	t.Helper()
	c.Server.Log = slog.New(slog.DiscardHandler)
	c.Users = []auth.User{
		{Name: "admin", Password: world.AdminPassword, Role: auth.Admin},
		{Name: "viewer", Password: world.ViewerPassword, Role: auth.Viewer},
	}
	handler, err := customersservice.New(c, nil, auth.NewTokens(world.JWTSecret, time.Hour, time.Now), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return handler
}

func TestTokenExpires(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	for _, step := range []struct {
		after time.Duration
		want  int
	}{
		{0, http.StatusOK},
		{time.Hour - time.Minute, http.StatusOK},
		{2 * time.Minute, http.StatusUnauthorized},
	} {
		w.Clock.Advance(step.after)
		onCustomers, err := s.Customers.ListCustomersWithResponse(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		onOrders, err := s.Orders.ListProductsWithResponse(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if onCustomers.StatusCode() != step.want || onOrders.StatusCode() != step.want {
			t.Errorf("%s on: customers got %d, orders got %d, want %d", step.after, onCustomers.StatusCode(), onOrders.StatusCode(), step.want)
		}
		if p := onCustomers.ApplicationProblemJSON401; p != nil && p.Code != common.CodeUnauthorized {
			t.Errorf("an expired token: got %s, want unauthorized", onCustomers.Body)
		}
	}
	if r, err := w.Login("admin").Customers.ListCustomersWithResponse(t.Context(), nil); err != nil || r.JSON200 == nil {
		t.Errorf("a new token after the old one expired: %v %s", err, r.Body)
	}
}

// A token that this service did not sign, or that says less than its tokens do, opens nothing.
func TestForgedTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	now := w.Clock.Now().Unix()
	claims := func(change string, value any) map[string]any {
		c := map[string]any{
			"sub": "admin", "role": "admin", "iss": "pedidos", "aud": "pedidos", "iat": now, "exp": now + 3600, "jti": "x",
		}
		if c[change] = value; value == nil {
			delete(c, change)
		}
		return c
	}
	good := loginSign(world.JWTSecret, "HS256", claims("jti", "y"))
	parts := strings.Split(good, ".")
	_, viewer := loginDecode(t, w.Login("viewer").Token)
	viewer["role"] = "admin"
	for _, test := range []struct {
		name, token string
		want        int
	}{
		{"as the service signs it", good, http.StatusOK}, // or else the others would prove nothing
		{"alg none, unsigned", loginSign("", "none", claims("jti", "y")), http.StatusUnauthorized},
		{"alg none, signed", strings.Join([]string{loginPart(map[string]any{"alg": "none"}), parts[1], parts[2]}, "."), http.StatusUnauthorized},
		{"alg NONE", loginSign("", "NONE", claims("jti", "y")), http.StatusUnauthorized},
		{"alg HS512", loginSign(world.JWTSecret, "HS512", claims("jti", "y")), http.StatusUnauthorized},
		{"another secret", loginSign("another secret, of at least 32 bytes", "HS256", claims("jti", "y")), http.StatusUnauthorized},
		{"no signature", parts[0] + "." + parts[1] + ".", http.StatusUnauthorized},
		{"two parts", parts[0] + "." + parts[1], http.StatusUnauthorized},
		{"the claims of another under its signature", parts[0] + "." + loginPart(viewer) + "." + parts[2], http.StatusUnauthorized},
		{"no expiry", loginSign(world.JWTSecret, "HS256", claims("exp", nil)), http.StatusUnauthorized},
		{"expired", loginSign(world.JWTSecret, "HS256", claims("exp", now-60)), http.StatusUnauthorized},
		{"not yet valid", loginSign(world.JWTSecret, "HS256", claims("nbf", now+1800)), http.StatusUnauthorized},
		{"no subject", loginSign(world.JWTSecret, "HS256", claims("sub", nil)), http.StatusUnauthorized},
		{"another issuer", loginSign(world.JWTSecret, "HS256", claims("iss", "other")), http.StatusUnauthorized},
		{"another audience", loginSign(world.JWTSecret, "HS256", claims("aud", "other")), http.StatusUnauthorized},
		{"no role", loginSign(world.JWTSecret, "HS256", claims("role", nil)), http.StatusUnauthorized},
		{"an unknown role", loginSign(world.JWTSecret, "HS256", claims("role", "root")), http.StatusUnauthorized},
		{"the role of services", loginSign(world.JWTSecret, "HS256", claims("role", "service")), http.StatusUnauthorized},
		{"garbage", "garbage", http.StatusUnauthorized},
		{"dots", "..", http.StatusUnauthorized},
		{"very long", strings.Repeat("a", 20000), http.StatusUnauthorized},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, url := range []string{w.CustomersURL + "/customers", w.OrdersURL + "/products"} {
				service := "customers"
				if strings.HasSuffix(url, "/products") {
					service = "orders"
				}
				a := edgeSend(t, w.HTTP(service), http.MethodGet, url, nil, "Authorization", "Bearer "+test.token)
				if a.Status != test.want {
					t.Errorf("%s: got %s, want %d", service, a, test.want)
				}
				if a.Status == http.StatusUnauthorized && !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Bearer") {
					t.Errorf("%s: got WWW-Authenticate %q, want Bearer", service, a.Header.Get("WWW-Authenticate"))
				}
			}
		})
	}
}

// Every operation of every contract asks for what its contract says, and for nothing less.
func TestEveryOperationIsGuarded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	admin, viewer := w.Login("admin").Token, w.Login("viewer").Token
	guarded := 0
	for _, o := range edgeOperations(t, w) {
		schemes, anyone := o.schemes()
		if !anyone {
			guarded++
		}
		t.Run(o.service.name+" "+o.OperationID, func(t *testing.T) {
			t.Parallel()
			for _, test := range []struct {
				name, header string
				opens        bool
			}{
				{"no token", "", anyone && len(schemes) == 0}, // the services of this world let nobody be nobody
				{"an empty token", "Bearer ", anyone && len(schemes) == 0},
				{"another scheme", "Basic YWRtaW46YWRtaW4=", anyone && len(schemes) == 0},
				{"a token without a scheme", admin, anyone && len(schemes) == 0},
				{"the user's token", "Bearer " + admin, anyone || slices.Contains(schemes, "bearerAuth")},
				{"the user's token, scheme in lower case", "bearer " + admin, anyone || slices.Contains(schemes, "bearerAuth")},
				{"the service token", "Bearer " + world.ServiceToken, anyone || slices.Contains(schemes, "serviceToken")},
				{"the service token before the last rotation", "Bearer " + world.OldToken, anyone || slices.Contains(schemes, "serviceToken")},
				{"both service tokens", "Bearer " + world.ServiceToken + "," + world.OldToken, anyone && len(schemes) == 0},
				{"the beginning of a service token", "Bearer " + world.ServiceToken[:8], anyone && len(schemes) == 0},
			} {
				var headers []string
				if test.header != "" {
					headers = []string{"Authorization", test.header}
				}
				a := edgeSend(t, o.service.client, o.method, o.url(), nil, headers...)
				if opened := a.Status != http.StatusUnauthorized; opened != test.opens {
					t.Errorf("%s: got %s, want it to open: %t", test.name, a, test.opens)
				}
				if a.Status == http.StatusUnauthorized && !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Bearer") {
					t.Errorf("%s: got WWW-Authenticate %q, want Bearer", test.name, a.Header.Get("WWW-Authenticate"))
				}
			}
			if roles := o.roles(); slices.Contains(schemes, "bearerAuth") && len(roles) > 0 {
				a := edgeSend(t, o.service.client, o.method, o.url(), nil, "Authorization", "Bearer "+viewer)
				if may := slices.Contains(roles, "viewer"); (a.Status != http.StatusForbidden) != may {
					t.Errorf("the viewer: got %s, want it to open: %t", a, may)
				}
				if a.Status == http.StatusForbidden {
					if p := edgeRefused(t, a, http.StatusForbidden); p.Code != common.CodeForbidden {
						t.Errorf("the viewer: got %s, want forbidden", a)
					}
				}
				if may := slices.Contains(roles, "viewer"); may != (o.method == http.MethodGet) {
					t.Errorf("the contract lets the viewer do %s: %t, want it to read and no more", o.OperationID, may)
				}
			}
		})
	}
	if guarded < 10 {
		t.Errorf("%d operations ask for a token, want the contracts' ten and more", guarded)
	}
}

func TestViewer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	created := w.Login("admin").CreateCustomer(t, "compras@acme.example")
	s := w.Login("viewer").Customers

	if r, err := s.ListCustomersWithResponse(t.Context(), nil); err != nil || r.JSON200 == nil || len(r.JSON200.Data) != 1 {
		t.Errorf("the viewer lists: got %v %s, want the one customer", err, r.Body)
	}
	if r, err := s.GetCustomerWithResponse(t.Context(), created.ID); err != nil || r.JSON200 == nil {
		t.Errorf("the viewer reads: got %v %s, want 200", err, r.Body)
	}
	input := customers.CustomerInput{Name: "N", Email: "n@acme.example"}
	if r, err := s.CreateCustomerWithResponse(t.Context(), nil, input); err != nil || r.ApplicationProblemJSON403 == nil {
		t.Errorf("the viewer creates: got %v %s, want 403", err, r.Body)
	}
	if r, err := s.ReplaceCustomerWithResponse(t.Context(), created.ID, nil, customers.CustomerChange{Name: new("N")}); err != nil || r.ApplicationProblemJSON403 == nil {
		t.Errorf("the viewer puts: got %v %s, want 403", err, r.Body)
	}
	if r, err := s.UpdateCustomerWithResponse(t.Context(), created.ID, nil, customers.CustomerChange{Name: new("N")}); err != nil || r.ApplicationProblemJSON403 == nil {
		t.Errorf("the viewer patches: got %v %s, want 403", err, r.Body)
	}
	if r, err := s.DeleteCustomerWithResponse(t.Context(), created.ID); err != nil || r.ApplicationProblemJSON403 == nil {
		t.Errorf("the viewer deletes: got %v %s, want 403", err, r.Body)
	}
	if r, err := s.GetCustomerWithResponse(t.Context(), created.ID); err != nil || r.JSON200 == nil || r.Headers200.ETag != `"1"` {
		t.Errorf("after what the viewer tried: got %v %s, want the customer as it was", err, r.Body)
	}
}

func TestInternalCustomer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	admin := w.Login("admin")
	created := admin.CreateCustomer(t, "compras@acme.example")
	for _, test := range []struct {
		name, token string
		want        int
	}{
		{"the service token", world.ServiceToken, http.StatusOK},
		{"the one before, while it is rotated out", world.OldToken, http.StatusOK},
		{"a user's token", admin.Token, http.StatusUnauthorized},
		{"another token", "service-token-three", http.StatusUnauthorized},
		{"no token", "", http.StatusUnauthorized},
	} {
		r, err := w.With(test.token).Customers.GetCustomerInternalWithResponse(t.Context(), created.ID)
		if err != nil || r.StatusCode() != test.want {
			t.Errorf("%s: got %v %s, want %d", test.name, err, r.Body, test.want)
			continue
		}
		if test.want == http.StatusOK && *r.JSON200 != created {
			t.Errorf("%s: got %s, want %+v", test.name, r.Body, created)
		}
	}
	if r, err := w.With(world.ServiceToken).Customers.GetCustomerInternalWithResponse(t.Context(), created.ID+1); err != nil || r.ApplicationProblemJSON404 == nil {
		t.Errorf("an unknown customer: got %v %s, want 404", err, r.Body)
	}
	for _, token := range []string{world.ServiceToken, world.OldToken} {
		if r, err := w.With(token).Customers.GetCustomerWithResponse(t.Context(), created.ID); err != nil || r.ApplicationProblemJSON401 == nil {
			t.Errorf("a service token on a route of users: got %v %s, want 401", err, r.Body)
		}
	}
}

// loginPart is one part of a JWT.
func loginPart(v any) string {
	encoded, _ := json.Marshal(v) // maps of plain values
	return base64.RawURLEncoding.EncodeToString(encoded)
}

// loginSign makes a JWT by hand, so that it can be one that no library would make. Without a secret it is not signed.
func loginSign(secret, alg string, claims map[string]any) string {
	signed := loginPart(map[string]any{"alg": alg, "typ": "JWT"}) + "." + loginPart(claims)
	if secret == "" {
		return signed + "."
	}
	hash := sha256.New
	if alg == "HS512" {
		hash = sha512.New
	}
	mac := hmac.New(hash, []byte(secret))
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func loginDecode(t *testing.T, token string) (header, claims map[string]any) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("got the token %s, want three parts", token)
	}
	for i, into := range []*map[string]any{&header, &claims} {
		decoded, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(decoded, into); err != nil {
			t.Fatal(err)
		}
	}
	return header, claims
}
