package server_test

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/metrics"
	"github.com/pedidos-hq/pedidos/services/platform/server"
)

// Answers in the contract have metrics from the start, at 0. Others appear with the first request.
func TestRequestMetrics(t *testing.T) {
	t.Parallel()
	m := metrics.New()
	handler, err := server.New(server.Config{
		Service: "things", Contract: things("security: []"), Log: slog.New(slog.DiscardHandler), Metrics: m,
	}, func(router *echo.Echo, prefix string) {
		router.POST(prefix+"/things", func(c echo.Context) error {
			switch c.Request().Header.Get("Fail") {
			case "not found":
				return fault.New(common.CodeNotFound, "There is none.")
			case "error":
				return errors.New("planted error")
			}
			return c.NoContent(http.StatusOK)
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	request := func(method, path, fail string) {
		r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
		r.Header.Set("Fail", fail)
		handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	want := func(lines ...string) {
		t.Helper()
		w := httptest.NewRecorder()
		m.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
		for _, line := range lines {
			if !strings.Contains(w.Body.String(), line+"\n") {
				t.Errorf("the metrics have no line %s:\n%s", line, w.Body)
			}
		}
	}
	want(
		`# TYPE pedidos_requests_total counter`,
		`pedidos_requests_total{operation="makeThing",service="things",status="200"} 0`,
		`pedidos_requests_total{operation="makeThing",service="things",status="400"} 0`,
		`# TYPE pedidos_request_duration_seconds histogram`,
		`pedidos_request_duration_seconds_count{operation="makeThing",service="things"} 0`,
	)
	request(http.MethodPost, "/things", "")
	request(http.MethodPost, "/things", "")
	request(http.MethodPost, "/things?unknown=1", "")
	request(http.MethodPost, "/things", "not found")
	request(http.MethodPost, "/things", "error")
	request(http.MethodGet, "/nowhere", "")
	want(
		`pedidos_requests_total{operation="makeThing",service="things",status="200"} 2`,
		`pedidos_requests_total{operation="makeThing",service="things",status="400"} 1`,
		`pedidos_requests_total{operation="makeThing",service="things",status="404"} 1`,
		`pedidos_requests_total{operation="makeThing",service="things",status="500"} 1`,
		`pedidos_requests_total{operation="none",service="things",status="404"} 1`,
		`pedidos_request_duration_seconds_count{operation="makeThing",service="things"} 5`,
		`pedidos_request_duration_seconds_bucket{operation="makeThing",service="things",le="+Inf"} 5`,
		`pedidos_request_duration_seconds_count{operation="none",service="things"} 1`,
		`pedidos_requests_in_flight{service="things"} 0`,
	)
}
