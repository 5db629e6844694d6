package server_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/server"
)

func TestAuthorize(t *testing.T) {
	t.Parallel()
	// Each user's token is the name of the role.
	users := func(_ context.Context, token string) (auth.Caller, error) {
		switch role := auth.Role(token); {
		case token == "undecided":
			return auth.Caller{}, fmt.Errorf("verify: %w", fault.Unavailable(common.CodeCustomersUnavailable, "customers-api does not answer.", nil))
		case token == "forwarded":
			return auth.Caller{Name: "bearer", Role: auth.Forwarded}, nil
		case token == "expired":
			return auth.Caller{}, fmt.Errorf("verify: %w", auth.ErrExpired)
		case !role.Known():
			return auth.Caller{}, errors.New("not a token")
		default:
			return auth.Caller{Name: "user:" + token, Role: role}, nil
		}
	}
	const (
		open     = "security: []"
		admins   = "security: [{ people: [] }]\nx-roles: [admin]"
		all      = "security: [{ people: [] }]\nx-roles: [admin, viewer]"
		services = "security: [{ serviceToken: [] }]"
		both     = "security: [{ serviceToken: [] }, { people: [] }]\nx-roles: [admin]"
		optional = "security: [{ people: [] }, {}]\nx-roles: [admin]"
	)
	for _, test := range []struct {
		name, access  string
		anonymous     bool
		authorization string
		status        int
		has           string // a part of the answer: the caller, or the code
	}{
		{"anybody", open, false, "", 200, "caller="},
		{"anybody, whatever the token", open, false, "Bearer x", 200, "caller="},
		{"the role", admins, false, "Bearer admin", 200, "caller=user:admin"},
		{"the scheme in another case", admins, false, "bearer admin", 200, "caller=user:admin"},
		{"another role", admins, false, "Bearer viewer", 403, string(common.CodeForbidden)},
		{"one of two roles", all, false, "Bearer viewer", 200, "caller=user:viewer"},
		{"no token", admins, false, "", 401, string(common.CodeUnauthorized)},
		{"another scheme of HTTP", admins, false, "Basic admin", 401, string(common.CodeUnauthorized)},
		{"a bad token", admins, false, "Bearer x", 401, "A valid bearer token is required."},
		{"an expired token", admins, false, "Bearer expired", 401, "has expired"},
		{"a token of unknown validity", admins, false, "Bearer undecided", 503, string(common.CodeCustomersUnavailable)},
		{"a token that another service verifies", admins, false, "Bearer forwarded", 200, "caller=bearer"},
		{"a service where only users may", admins, false, "Bearer service-token", 401, string(common.CodeUnauthorized)},
		{"a service", services, false, "Bearer service-token", 200, "caller=service"},
		{"a user where only services may", services, false, "Bearer admin", 401, string(common.CodeUnauthorized)},
		{"a service where both may", both, false, "Bearer service-token", 200, "caller=service"},
		{"a user where both may", both, false, "Bearer admin", 200, "caller=user:admin"},
		{"another role where both may", both, false, "Bearer viewer", 403, string(common.CodeForbidden)},
		{"no token, where the contract and the deployment allow it", optional, true, "", 200, "caller="},
		{"no token, where only the contract allows it", optional, false, "", 401, string(common.CodeUnauthorized)},
		{"no token, where only the deployment allows it", admins, true, "", 401, string(common.CodeUnauthorized)},
		{"a bad token where none is needed", optional, true, "Bearer x", 401, string(common.CodeUnauthorized)},
		{"another role where no token is needed", optional, true, "Bearer viewer", 403, string(common.CodeForbidden)},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			handler, err := server.New(server.Config{
				Contract: things(test.access), Log: slog.New(slog.DiscardHandler), AllowAnonymous: test.anonymous,
				Schemes: map[string]auth.Scheme{"people": users, "serviceToken": auth.ServiceTokens("service-token")},
			}, func(router *echo.Echo, prefix string) {
				router.POST(prefix+"/things", func(c echo.Context) error {
					caller, _ := auth.From(c.Request().Context())
					return c.String(http.StatusOK, "caller="+caller.Name+".")
				})
			})
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/things", nil)
			if test.authorization != "" {
				r.Header.Set("Authorization", test.authorization)
			}
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if strings.HasPrefix(test.has, "caller=") {
				test.has += "."
			}
			if w.Code != test.status || !strings.Contains(w.Body.String(), test.has) {
				t.Errorf("got %d %s, want %d with %q", w.Code, w.Body, test.status, test.has)
			}
			if challenge := w.Header().Get("WWW-Authenticate"); (challenge != "") != (test.status == 401) {
				t.Errorf("%d has WWW-Authenticate %q", w.Code, challenge)
			}
		})
	}
}

func TestHosts(t *testing.T) {
	t.Parallel()
	hosts := []string{"localhost", "127.0.0.1", "::1", "shop.example"}
	config := server.Config{Contract: things("security: []"), Log: slog.New(slog.DiscardHandler)}
	config.Hosts = hosts
	service, err := server.New(config, func(router *echo.Echo, prefix string) {
		router.POST(prefix+"/things", func(c echo.Context) error { return c.NoContent(http.StatusOK) })
	})
	if err != nil {
		t.Fatal(err)
	}
	admin := server.Admin(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), hosts)
	for host, ok := range map[string]bool{
		"localhost": true, "LocalHost:3001": true, "127.0.0.1:3001": true, "[::1]:3001": true, "[::1]": true,
		"[0:0:0:0:0:0:0:1]:3001": true, "shop.example": true,
		"": false, "evil.example": false, "localhost.evil.example": false, "shop.example.": false, "127.0.0.2": false, "[::2]:3001": false,
	} {
		want := http.StatusOK
		if !ok {
			want = http.StatusMisdirectedRequest
		}
		for name, request := range map[string]struct {
			handler      http.Handler
			method, path string
		}{"service": {service, http.MethodPost, "/things"}, "admin": {admin, http.MethodGet, "/metrics"}} {
			r := httptest.NewRequestWithContext(t.Context(), request.method, request.path, nil)
			r.Host = host
			w := httptest.NewRecorder()
			request.handler.ServeHTTP(w, r)
			if w.Code != want {
				t.Errorf("%s: a request for %q got %d, want %d", name, host, w.Code, want)
			}
		}
	}
}
