package server_test

import (
	"bytes"
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
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/server"
)

// An error of the service is logged once, even if the client hung up. An error that the hang-up caused is not logged.
func TestErrorsAreLogged(t *testing.T) {
	t.Parallel()
	canceled := fmt.Errorf("read: %w", context.Canceled)
	for _, test := range []struct {
		name       string
		fail       func() error
		here, gone int // lines
		text       string
	}{
		{"panic", func() error { panic("planted fault") }, 1, 1, "planted fault"},
		{"error", func() error { return errors.New("planted fault") }, 1, 1, "planted fault"},
		{"error of the service's own", func() error { return &fault.Error{Code: common.CodeInternal, Cause: errors.New("planted fault")} }, 1, 1, "planted fault"},
		{"unavailable", func() error {
			return fault.Unavailable(common.CodeUnavailable, "The database does not answer.", canceled)
		}, 1, 0, ""},
		{"canceled", func() error { return canceled }, 1, 0, ""},
		{"bad input", func() error { return fault.New(common.CodeNotFound, "There is none.") }, 0, 0, ""},
	} {
		for _, gone := range []bool{false, true} {
			var log bytes.Buffer
			handler, err := server.New(server.Config{
				Title: "any", Contract: contractWith(""), Log: slog.New(slog.NewJSONHandler(&log, nil)),
			}, func(router *echo.Echo, prefix string) {
				router.GET(prefix+"/health", func(echo.Context) error { return test.fail() })
			})
			if err != nil {
				t.Fatal(err)
			}
			ctx, hangUp := context.WithCancel(t.Context())
			defer hangUp()
			want := test.here
			if gone {
				hangUp()
				want = test.gone
			}
			handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "/health", nil))
			if got := log.String(); strings.Count(got, `"msg":"request failed"`) != want || want > 0 && !strings.Contains(got, test.text) {
				t.Errorf("%s, client gone %t: logged\n%s\nwant %d lines about the error", test.name, gone, got, want)
			}
		}
	}
}
