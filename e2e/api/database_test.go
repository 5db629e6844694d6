package api

import (
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

// A database that takes connections and never answers, or that is not there at all: every operation gets its 503 with
// Retry-After within the request's deadline, and none hangs.
func TestDeadDatabase(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	absent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := absent.Close(); err != nil {
		t.Fatal(err)
	}
	for name, address := range map[string]net.Addr{"silent": silent.Addr(), "absent": absent.Addr()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, err := database.OpenMySQL(database.MySQL{
				Host: "127.0.0.1", Port: address.(*net.TCPAddr).Port, User: "u", Password: "p", Name: "d", Conns: 2,
			}, database.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = db.Close() })
			w := newWorld(t, world.Options{DB: db, Timeout: 300 * time.Millisecond})
			s := w.Login("admin")
			key := "k"
			ready, err := s.Orders.GetReadyWithResponse(t.Context())
			ordersWantUnavailable(t, "ready", ready.HTTPResponse, ready.ApplicationProblemJSON503, err)
			got, err := s.Orders.GetOrderWithResponse(t.Context(), 1)
			ordersWantUnavailable(t, "get order", got.HTTPResponse, got.ApplicationProblemJSON503, err)
			listed, err := s.Customers.ListCustomersWithResponse(t.Context(), nil)
			ordersWantUnavailable(t, "list customers", listed.HTTPResponse, listed.ApplicationProblemJSON503, err)
			created, err := s.Customers.CreateCustomerWithResponse(t.Context(), nil, customers.CustomerInput{Name: "n", Email: "n@example.com"})
			ordersWantUnavailable(t, "create customer", created.HTTPResponse, created.ApplicationProblemJSON503, err)
			confirmed, err := s.Orders.ConfirmOrderWithResponse(t.Context(), 1, &orders.ConfirmOrderParams{IdempotencyKey: key}, orders.Confirmation{})
			ordersWantUnavailable(t, "confirm", confirmed.HTTPResponse, confirmed.ApplicationProblemJSON503, err)
		})
	}
}

func ordersWantUnavailable(t *testing.T, what string, r *http.Response, doc *common.Problem, err error) {
	t.Helper()
	if err != nil || doc == nil || doc.Code != common.CodeUnavailable || r.Header.Get("Retry-After") == "" {
		t.Errorf("%s: got %v %+v %v, want 503 unavailable with Retry-After", what, r.Status, doc, err)
	}
}
