package orders_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/orders"
	"github.com/pedidos-hq/pedidos/services/platform/config"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/problem"
	"github.com/pedidos-hq/pedidos/services/platform/process"
)

// directory returns a directory that caches for an hour, over a customers-api that counts its calls.
func directory(t *testing.T, calls *atomic.Int64, answer func(w http.ResponseWriter)) *orders.Directory {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		answer(w)
	}))
	t.Cleanup(s.Close)
	d, err := orders.NewDirectory(process.Process{Config: &config.Config{
		CustomersAPIBase: s.URL, UpstreamTimeout: 10 * time.Second, CustomerCacheTTL: time.Hour, CustomerCacheUnknownTTL: time.Hour,
	}})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func code(err error) common.ProblemCode {
	var e *fault.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func write(w http.ResponseWriter, status int, mediaType, body string) {
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	fmt.Fprint(w, body)
}

const (
	ana     = `{"id":1,"name":"Ana","email":"ana@example.com","phone":null,"created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z"}`
	unknown = `{"type":"x","title":"x","status":404,"detail":"x","code":"customer_not_found","trace_id":"0"}`
)

// The directory finds a customer that is created after it has cached the id as unknown.
func TestDirectoryAsksAgain(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	var created atomic.Bool
	d := directory(t, &calls, func(w http.ResponseWriter) {
		if created.Load() {
			write(w, http.StatusOK, "application/json", ana)
			return
		}
		write(w, http.StatusNotFound, problem.ContentType, unknown)
	})
	get := func(fresh bool, want common.ProblemCode, wantCalls int64) {
		t.Helper()
		if c, err := d.Get(t.Context(), 1, fresh); code(err) != want || err == nil && c.Name != "Ana" {
			t.Errorf("fresh: %t: got %+v, %v, want %q", fresh, c, err, want)
		}
		if n := calls.Load(); n != wantCalls {
			t.Errorf("fresh: %t: %d calls so far, want %d", fresh, n, wantCalls)
		}
	}
	get(true, common.CodeCustomerNotFound, 1) // nothing is cached, so one call is enough
	get(false, common.CodeCustomerNotFound, 1)
	get(true, common.CodeCustomerNotFound, 2)
	created.Store(true)
	get(false, common.CodeCustomerNotFound, 2)
	get(true, "", 3)
	get(false, "", 3)
	get(true, "", 3) // known customers are cached
}

// The directory rejects an answer that is not the customer.
func TestDirectoryInvalidAnswers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		status int
		body   string
	}{
		{"no members", 200, `{}`},
		{"null", 200, `null`},
		{"another customer", 200, strings.Replace(ana, `"id":1`, `"id":2`, 1)},
		{"no name", 200, strings.Replace(ana, `"Ana"`, `""`, 1)},
		{"half of it", 200, ana[:20]},
		{"another success", 204, ``},
		{"more than anybody reads", 200, `{"id":1,"name":"` + strings.Repeat("x", 5<<20) + `"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int64
			d := directory(t, &calls, func(w http.ResponseWriter) { write(w, test.status, "application/json", test.body) })
			if c, err := d.Get(context.WithoutCancel(t.Context()), 1, false); code(err) != common.CodeCustomersUnavailable {
				t.Errorf("got %+v, %v, want customers_unavailable", c, err)
			}
		})
	}
}
