package server_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/metrics"
	"github.com/pedidos-hq/pedidos/services/platform/ratelimit"
	"github.com/pedidos-hq/pedidos/services/platform/server"
)

// newLimited returns a handler of GET /limited, which declares 429, and GET /free, which does not. A token of people is their name.
func newLimited(t testing.TB, limiter *ratelimit.Limiter, m *metrics.Registry) http.Handler {
	t.Helper()
	contract := contractWith(`
  /limited:
    get:
      operationId: getLimited
      security: [{ people: [] }, { serviceToken: [] }, {}]
      x-roles: [viewer]
      responses: { '200': { description: ok }, '429': { description: too many } }
  /free:
    get:
      operationId: getFree
      security: []
      responses: { '200': { description: ok } }
`)
	handler, err := server.New(server.Config{
		Service: "things", Contract: contract, Log: slog.New(slog.DiscardHandler), Metrics: m, Limiter: limiter, AllowAnonymous: true,
		Schemes: map[string]auth.Scheme{
			"people": func(_ context.Context, token string) (auth.Caller, error) {
				name, ok := strings.CutPrefix(token, "token-of-")
				if !ok {
					return auth.Caller{}, errors.New("not a token")
				}
				return auth.Caller{Name: name, Role: auth.Viewer}, nil
			},
			"serviceToken": auth.ServiceTokens("service-token"),
		},
	}, func(router *echo.Echo, prefix string) {
		for _, path := range []string{"/limited", "/free", "/health"} {
			router.GET(prefix+path, func(c echo.Context) error { return c.NoContent(http.StatusOK) })
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return handler
}

func TestCallerLimit(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 15, 9, 30, 0, 0, time.UTC)
	m := metrics.New()
	handler := newLimited(t, ratelimit.New(1, 2, func() time.Time { return now }), m)
	get := func(path, token, address string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		r.RemoteAddr = address
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
	for i, test := range []struct {
		path, token, address string
		status               int
	}{
		{"/limited", "token-of-integrator:7", "192.0.2.1:1001", 200},
		{"/limited", "token-of-integrator:7", "192.0.2.2:1001", 200},
		{"/limited", "token-of-integrator:7", "192.0.2.3:1001", 429}, // wherever from
		{"/limited", "token-of-user:ana", "192.0.2.1:1001", 200},     // nobody else is affected
		{"/limited", "token-of-integrator:7", "192.0.2.1:1001", 429},
		{"/limited", "x", "192.0.2.1:1001", 401}, // not counted for anybody
		{"/limited", "", "192.0.2.1:1001", 200},
		{"/limited", "", "192.0.2.1:1002", 200},
		{"/limited", "", "192.0.2.1:1003", 429},
		{"/limited", "", "192.0.2.2:1001", 200},
		{"/limited", "", "[2001:db8::1]:1001", 200},
		{"/limited", "", "[2001:db8::2]:1001", 200},
		{"/limited", "", "[2001:db8::3]:1001", 429}, // the limit applies to a /64
		{"/free", "", "192.0.2.1:1001", 200},
		{"/health", "", "192.0.2.1:1001", 200},
		{"/docs", "", "192.0.2.1:1001", 200},
		{"/openapi.json", "", "192.0.2.1:1001", 200},
		{"/nowhere", "", "192.0.2.1:1001", 404},
		{"/limited", "service-token", "192.0.2.1:1001", 200},
		{"/limited", "service-token", "192.0.2.1:1001", 200},
		{"/limited", "service-token", "192.0.2.1:1001", 200}, // no limit for services
	} {
		w := get(test.path, test.token, test.address)
		if w.Code != test.status {
			t.Errorf("%d: %s of %q from %s: got %d %s, want %d", i, test.path, test.token, test.address, w.Code, w.Body, test.status)
		}
		if w.Code == 429 && (w.Header().Get("Retry-After") != "1" || !strings.Contains(w.Body.String(), string(common.CodeTooManyRequests))) {
			t.Errorf("%d: got %s %v, want too_many_requests with Retry-After: 1", i, w.Body, w.Header())
		}
	}
	now = now.Add(time.Second)
	for _, want := range []int{200, 429} {
		if w := get("/limited", "token-of-integrator:7", "192.0.2.1:1001"); w.Code != want {
			t.Errorf("a second later: got %d, want %d", w.Code, want)
		}
	}
	w := httptest.NewRecorder()
	m.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	for _, line := range []string{
		`pedidos_requests_limited_total{service="things"} 5`,
		`pedidos_requests_total{operation="getLimited",service="things",status="429"} 5`,
	} {
		if !strings.Contains(w.Body.String(), line+"\n") {
			t.Errorf("the metrics have no line %s:\n%s", line, w.Body)
		}
	}
}

// The time of a request that does nothing else, with a limit. Of-unlimited is the median time divided by that without a limit; the two
// alternate.
func BenchmarkCallerLimit(b *testing.B) {
	limited, unlimited := newLimited(b, ratelimit.New(1e9, 1e9, time.Now), nil), newLimited(b, nil, nil)
	const perTurn = 1000
	turn := func(handler http.Handler) time.Duration {
		start := time.Now()
		for range perTurn {
			r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/limited", nil)
			r.Header.Set("Authorization", "Bearer token-of-integrator:7")
			w := httptest.NewRecorder()
			if handler.ServeHTTP(w, r); w.Code != http.StatusOK {
				b.Fatal(w.Code)
			}
		}
		return time.Since(start)
	}
	var with, without []time.Duration
	for b.Loop() {
		with, without = append(with, turn(limited)), append(without, turn(unlimited))
	}
	median := func(times []time.Duration) float64 {
		slices.Sort(times)
		return float64(times[len(times)/2]) / perTurn
	}
	b.ReportMetric(0, "ns/op") // of a thousand requests of each
	b.ReportMetric(median(with), "ns/request")
	b.ReportMetric(median(with)/median(without), "of-unlimited")
}
