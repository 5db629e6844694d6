package api

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/engine"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/customers"
	customersservice "github.com/pedidos-hq/pedidos/services/customers"
	"github.com/pedidos-hq/pedidos/services/platform/config"
	"github.com/pedidos-hq/pedidos/services/platform/process"
)

func TestLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	ids := map[string]bool{}
	for _, test := range []struct{ user, password, role string }{
		{"admin", world.AdminPassword, "admin"},
		{"viewer", world.ViewerPassword, "viewer"},
		{"viewer", world.ViewerPassword, "viewer"}, // a second login gets another token
	} {
		now := w.Clock.Now().Unix()
		var token customers.Token
		r := call.Read(w.With("").Customers.Login(t.Context(), customers.Credentials{Username: test.user, Password: test.password})).Want(t, http.StatusOK, &token)
		if token.TokenType != customers.Bearer || token.ExpiresIn != 3600 || r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("log in as %s: got %s and Cache-Control %q, want Bearer, 3600 and no-store", test.user, r.Body, r.Header.Get("Cache-Control"))
		}
		header, claims := decodeToken(t, token.AccessToken)
		if kid, _ := header["kid"].(string); header["alg"] != "EdDSA" || kid == "" {
			t.Errorf("header of the token of %s: got %v, want EdDSA and a kid", test.user, header)
		}
		id, _ := claims["jti"].(string)
		if id == "" || ids[id] {
			t.Errorf("claims of %s: got jti %v, want a unique one", test.user, claims["jti"])
		}
		ids[id] = true
		audience := claims["aud"]
		if list, ok := audience.([]any); ok && len(list) == 1 { // aud may be a string or an array (RFC 7519, 4.1.3)
			audience = list[0]
		}
		for name, pair := range map[string][2]any{
			"sub":  {claims["sub"], test.user},
			"name": {claims["name"], test.user},
			"role": {claims["role"], test.role},
			"iss":  {claims["iss"], "pedidos"},
			"aud":  {audience, "pedidos"},
			"iat":  {claims["iat"], float64(now)},
			"exp":  {claims["exp"], float64(now + int64(token.ExpiresIn))},
		} {
			if pair[0] != pair[1] {
				t.Errorf("claims of %s: got %s %v, want %v", test.user, name, pair[0], pair[1])
			}
		}
	}
}

// TestLoginRefused expects the same response whether or not a user exists.
func TestLoginRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	var first call.Response
	for _, test := range []struct{ name, user, password string }{
		{"a wrong password", "admin", "wrong"},
		{"an unknown user", "nobody", "wrong"},
		{"an unknown user, a known password", "nobody", world.AdminPassword},
		{"the password of another", "viewer", world.AdminPassword},
		{"the password in another case", "admin", strings.ToUpper(world.AdminPassword)},
		{"the password and a blank", "admin", world.AdminPassword + " "},
	} {
		t.Log(test.name)
		got := call.Read(w.With("").Customers.Login(t.Context(), customers.Credentials{Username: test.user, Password: test.password}))
		p := got.WantProblem(t, http.StatusUnauthorized, common.CodeInvalidCredentials)
		if got := got.Header.Get("WWW-Authenticate"); !strings.HasPrefix(got, "Bearer") {
			t.Errorf("got WWW-Authenticate %q, want Bearer", got)
		}
		got.Body = bytes.ReplaceAll(got.Body, []byte(p.TraceID), []byte("-"))
		if first.Body == nil {
			first = got
		}
		if !got.Same(first) {
			t.Errorf("got %s %v, want the same as for a wrong password: %s %v", got, got.Header, first, first.Header)
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
			a := call.Send(t, client, http.MethodPost, w.CustomersURL+"/auth/login", strings.NewReader(test.body), "Content-Type", "application/json")
			a.WantInvalid(t, test.fields...)
		})
	}
}

// Only the holder of a correctly signed, expired token learns that it has expired.
func TestExpiredToken(t *testing.T) {
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
			a := call.Send(t, w.HTTP(service), method, path, nil, "Authorization", "Bearer "+test.token)
			if p := a.WantProblem(t, http.StatusUnauthorized, common.CodeUnauthorized); p.Detail != test.detail || a.Header.Get("WWW-Authenticate") != `Bearer realm="pedidos", error="invalid_token"` {
				t.Errorf("%s: got %s %v, want %q", service, a, a.Header, test.detail)
			}
		}
	}
}

// The limit counts attempts with any body. The body of a refused attempt is not read.
func TestLoginLimitPrecedesBody(t *testing.T) {
	t.Parallel()
	handler := loginHandler(t, func(c *config.Config) { c.LoginRate, c.LoginBurst = 1e-9, 1 })
	for _, want := range []struct{ status, reads int }{{http.StatusBadRequest, 1}, {http.StatusTooManyRequests, 0}, {http.StatusTooManyRequests, 0}} {
		body := &countedBody{Reader: strings.NewReader(`{"x":1}`)}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/auth/login", body)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != want.status || min(body.reads, 1) != want.reads {
			t.Errorf("got %d after %d reads of the body, want %d", w.Code, body.reads, want.status)
		}
	}
}

// countedBody counts the calls of Read.
type countedBody struct {
	io.Reader
	reads int
}

func (b *countedBody) Read(p []byte) (int, error) {
	b.reads++
	return b.Reader.Read(p)
}

// TestLoginLimit sends logins from several addresses. Correct passwords count against the limit too. X-Forwarded-For counts
// only if it comes from a trusted proxy.
func TestLoginLimit(t *testing.T) {
	t.Parallel()
	handler := loginHandler(t, func(c *config.Config) {
		c.TrustedProxies = []string{"10.0.0.0/8"}
		c.LoginRate, c.LoginBurst = 1e-9, 2 // slow enough to restore no attempt during the test
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
		{"[2001:db8::ffff:0:0:3]:1001", "", false}, // the limit applies to a /64
		{"[2001:db8:0:1::1]:1001", "", true},
		{"10.0.0.1:1001", "198.51.100.1", true},
		{"10.0.0.2:1001", "198.51.100.1", true},
		{"10.0.0.1:1002", "198.51.100.1", false},
		{"10.0.0.1:1003", "198.51.100.4, 198.51.100.1", false}, // the client may have forged the first address
		{"10.0.0.1:1004", "198.51.100.4", true},
		{"10.0.0.1:1005", "", true},
	} {
		a := call.Send(t, held, http.MethodPost, served.URL+"/auth/login", strings.NewReader(rightLogin), "Content-Type", "application/json", "X-Forwarded-For", try.forwarded, from, try.address)
		if try.passes {
			if a.Status != http.StatusOK {
				t.Errorf("from %s for %q: got %s, want 200", try.address, try.forwarded, a)
			}
			continue
		}
		if a.WantProblem(t, http.StatusTooManyRequests, common.CodeTooManyRequests); a.Header.Get("Retry-After") != "3600" {
			t.Errorf("from %s for %q: got %s %v, want too_many_requests and Retry-After: 3600", try.address, try.forwarded, a, a.Header)
		}
	}
	// Other operations have no limit.
	elsewhere := call.Send(t, held, http.MethodGet, served.URL+"/customers", nil, from, "192.0.2.1:1006")
	elsewhere.WantProblem(t, http.StatusUnauthorized, common.CodeUnauthorized)
}

// The response time must not reveal whether a user exists. of-wrong is the median time of a login divided by that of a login
// with a wrong password; both are measured in turns.
func BenchmarkLogin(b *testing.B) {
	handler := loginHandler(b, func(c *config.Config) { c.LoginRate, c.LoginBurst = 1, 1e9 })
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
		{"right", rightLogin, http.StatusOK},
	} {
		b.Run(test.name, func(b *testing.B) {
			var times, wrongTimes []time.Duration
			for b.Loop() {
				times = append(times, login(b, test.body, test.status))
				wrongTimes = append(wrongTimes, login(b, wrong, http.StatusUnauthorized))
			}
			slices.Sort(times)
			slices.Sort(wrongTimes)
			median, wrong := float64(times[len(times)/2]), float64(wrongTimes[len(wrongTimes)/2])
			b.ReportMetric(0, "ns/op") // meaningless, since it mixes both logins
			b.ReportMetric(median, "ns/login")
			b.ReportMetric(median/wrong, "of-wrong")
		})
	}
}

const rightLogin = `{"username":"admin","password":"` + world.AdminPassword + `"}`

// loginHandler returns a customers-api with a new database.
func loginHandler(t testing.TB, change func(*config.Config)) http.Handler {
	t.Helper()
	c, err := config.Read(map[string]string{})
	if err != nil {
		t.Fatal(err)
	}
	c.JWTSecret, c.AdminPassword, c.ViewerUser, c.ViewerPassword = world.JWTSecret, world.AdminPassword, "viewer", world.ViewerPassword
	c.PasswordMemoryKiB = 8
	change(c)
	if err := c.Check(config.Needs{Identity: true}); err != nil {
		t.Fatal(err)
	}
	handler, err := customersservice.New(process.Process{Config: c, Log: slog.New(slog.DiscardHandler), Now: time.Now}, engine.Open(t))
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
		for _, r := range []call.Response{call.Read(s.Customers.ListCustomers(t.Context(), nil)), call.Read(s.Orders.ListProducts(t.Context(), nil))} {
			if step.want == http.StatusUnauthorized {
				r.WantProblem(t, step.want, common.CodeUnauthorized)
			} else {
				r.Want(t, step.want)
			}
		}
	}
	call.Read(w.Login("admin").Customers.ListCustomers(t.Context(), nil)).Want(t, http.StatusOK)
}

// A token that the service did not sign, or that lacks a claim, is refused.
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
	good := signToken(world.JWTSecret, "HS256", claims("jti", "y"))
	parts := strings.Split(good, ".")
	_, viewer := decodeToken(t, w.Login("viewer").Token)
	viewer["role"] = "admin"
	for _, test := range []struct {
		name, token string
		want        int
	}{
		{"as the service signs it", good, http.StatusOK}, // a control: it must be accepted
		{"alg none, unsigned", signToken("", "none", claims("jti", "y")), http.StatusUnauthorized},
		{"alg none, signed", strings.Join([]string{tokenPart(map[string]any{"alg": "none"}), parts[1], parts[2]}, "."), http.StatusUnauthorized},
		{"alg NONE", signToken("", "NONE", claims("jti", "y")), http.StatusUnauthorized},
		{"alg HS512", signToken(world.JWTSecret, "HS512", claims("jti", "y")), http.StatusUnauthorized},
		{"another secret", signToken("another secret, of at least 32 bytes", "HS256", claims("jti", "y")), http.StatusUnauthorized},
		{"no signature", parts[0] + "." + parts[1] + ".", http.StatusUnauthorized},
		{"two parts", parts[0] + "." + parts[1], http.StatusUnauthorized},
		{"the claims of another under its signature", parts[0] + "." + tokenPart(viewer) + "." + parts[2], http.StatusUnauthorized},
		{"no expiry", signToken(world.JWTSecret, "HS256", claims("exp", nil)), http.StatusUnauthorized},
		{"expired", signToken(world.JWTSecret, "HS256", claims("exp", now-60)), http.StatusUnauthorized},
		{"not yet valid", signToken(world.JWTSecret, "HS256", claims("nbf", now+1800)), http.StatusUnauthorized},
		{"no subject", signToken(world.JWTSecret, "HS256", claims("sub", nil)), http.StatusUnauthorized},
		{"another issuer", signToken(world.JWTSecret, "HS256", claims("iss", "other")), http.StatusUnauthorized},
		{"another audience", signToken(world.JWTSecret, "HS256", claims("aud", "other")), http.StatusUnauthorized},
		{"no role", signToken(world.JWTSecret, "HS256", claims("role", nil)), http.StatusUnauthorized},
		{"an unknown role", signToken(world.JWTSecret, "HS256", claims("role", "root")), http.StatusUnauthorized},
		{"the role of services", signToken(world.JWTSecret, "HS256", claims("role", "service")), http.StatusUnauthorized},
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
				a := call.Send(t, w.HTTP(service), http.MethodGet, url, nil, "Authorization", "Bearer "+test.token)
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

// Every operation requires the credentials that its contract declares.
func TestEveryOperationIsGuarded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	admin := w.Login("admin").Token
	people := newPeople(t, w, w.With(admin))
	guarded := 0
	for _, o := range allOperations(t, w) {
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
				{"no token", "", anyone && len(schemes) == 0}, // the services of this world refuse anonymous callers
				{"an empty token", "Bearer ", anyone && len(schemes) == 0},
				{"another scheme", "Basic YWRtaW46YWRtaW4=", anyone && len(schemes) == 0},
				{"a token without a scheme", admin, anyone && len(schemes) == 0},
				{"the user's token", "Bearer " + admin, anyone || slices.Contains(schemes, "bearerAuth")},
				{"the user's token, scheme in lower case", "bearer " + admin, anyone || slices.Contains(schemes, "bearerAuth")},
				{"a session token", "Bearer " + people.session, anyone && len(schemes) == 0 || slices.Contains(schemes, "sessionToken")},
				{"an API key", "Bearer " + people.key, anyone || slices.Contains(schemes, "bearerAuth")},
				{"a setup token", "Bearer " + people.setup, anyone && len(schemes) == 0},
				{"the service token", "Bearer " + world.ServiceToken, anyone || slices.Contains(schemes, "serviceToken")},
				{"the service token before the last rotation", "Bearer " + world.OldToken, anyone || slices.Contains(schemes, "serviceToken")},
				{"both service tokens", "Bearer " + world.ServiceToken + "," + world.OldToken, anyone && len(schemes) == 0},
				{"the beginning of a service token", "Bearer " + world.ServiceToken[:8], anyone && len(schemes) == 0},
			} {
				var headers []string
				if test.header != "" {
					headers = []string{"Authorization", test.header}
				}
				a := call.Send(t, o.service.client, o.method, o.url(), nil, headers...)
				if opened := a.Status != http.StatusUnauthorized; opened != test.opens {
					t.Errorf("%s: got %s, want access: %t", test.name, a, test.opens)
				}
				if a.Status == http.StatusUnauthorized && !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Bearer") {
					t.Errorf("%s: got WWW-Authenticate %q, want Bearer", test.name, a.Header.Get("WWW-Authenticate"))
				}
			}
		})
	}
	if guarded < 10 {
		t.Errorf("got %d operations that require a token, want 10 or more", guarded)
	}
}

func TestViewer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	created := w.Login("admin").CreateCustomer(t, "compras@acme.example")
	s := w.Login("viewer").Customers

	var page customers.CustomerPage
	if r := call.Read(s.ListCustomers(t.Context(), nil)).Want(t, http.StatusOK, &page); len(page.Data) != 1 {
		t.Errorf("got %s, want the one customer", r)
	}
	call.Read(s.GetCustomer(t.Context(), created.ID)).Want(t, http.StatusOK)
	input, change := customers.CustomerInput{Name: "N", Email: "n@acme.example"}, customers.CustomerChange{Name: new("N")}
	for _, r := range []call.Response{
		call.Read(s.CreateCustomer(t.Context(), nil, input)),
		call.Read(s.ReplaceCustomer(t.Context(), created.ID, nil, change)),
		call.Read(s.UpdateCustomer(t.Context(), created.ID, nil, change)),
		call.Read(s.DeleteCustomer(t.Context(), created.ID, nil)),
	} {
		r.WantProblem(t, http.StatusForbidden, common.CodeForbidden)
	}
	if r := call.Read(s.GetCustomer(t.Context(), created.ID)).Want(t, http.StatusOK); r.Header.Get("ETag") != `"1"` {
		t.Errorf("got %s with ETag %s, want the customer unchanged", r, r.Header.Get("ETag"))
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
		t.Log(test.name)
		r := call.Read(w.With(test.token).Customers.GetCustomerInternal(t.Context(), created.ID)).Want(t, test.want)
		if test.want == http.StatusOK {
			var got customers.Customer
			if r.Want(t, http.StatusOK, &got); got != created {
				t.Errorf("got %s, want %+v", r, created)
			}
		}
	}
	unknown := call.Read(w.With(world.ServiceToken).Customers.GetCustomerInternal(t.Context(), created.ID+1))
	unknown.WantProblem(t, http.StatusNotFound, common.CodeCustomerNotFound)
	for _, token := range []string{world.ServiceToken, world.OldToken} { // on a route for users
		call.Read(w.With(token).Customers.GetCustomer(t.Context(), created.ID)).WantProblem(t, http.StatusUnauthorized, common.CodeUnauthorized)
	}
}

// tokenPart is one part of a JWT.
func tokenPart(v any) string {
	encoded, _ := json.Marshal(v) // maps of plain values always have an encoding
	return base64.RawURLEncoding.EncodeToString(encoded)
}

// signToken builds a JWT without a library, so that it can be invalid. Without a secret, it is unsigned.
func signToken(secret, alg string, claims map[string]any) string {
	signed := tokenPart(map[string]any{"alg": alg, "typ": "JWT"}) + "." + tokenPart(claims)
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

func decodeToken(t *testing.T, token string) (header, claims map[string]any) {
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
