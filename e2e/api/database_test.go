package api

import (
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

// The database accepts connections but never answers, or does not exist. Every operation must answer 503 with Retry-After
// within the deadline of the request.
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
			s := w.Login("second") // whose token needs no database
			for _, r := range []call.Response{
				call.Read(s.Customers.Login(t.Context(), customers.Credentials{Username: "admin", Password: world.AdminPassword})),
				call.Read(s.Orders.GetReady(t.Context())),
				call.Read(s.Orders.GetOrder(t.Context(), 1)),
				call.Read(s.Customers.ListCustomers(t.Context(), nil)),
				call.Read(s.Customers.CreateCustomer(t.Context(), nil, customers.CustomerInput{Name: "n", Email: "n@example.com"})),
				s.TryConfirm(t.Context(), "k", 1),
			} {
				r.WantProblem(t, http.StatusServiceUnavailable, common.CodeUnavailable)
				if r.Header.Get("Retry-After") == "" {
					t.Errorf("got %s without Retry-After", r)
				}
			}
		})
	}
}
