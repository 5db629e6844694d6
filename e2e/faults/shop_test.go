package faults

import (
	"fmt"
	"slices"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/program"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

const adminPassword = "faults-admin-password"

// shop is the services as a deployment runs them, each a process of its own, on one MySQL: customers-api, and two times
// orders-api with an orchestrator in front of it.
type shop struct {
	env           []string // of all
	customers     *service
	orders        [2]*service
	orchestrators [2]*service
}

func (s *shop) services() []*service {
	return []*service{s.customers, s.orders[0], s.orders[1], s.orchestrators[0], s.orchestrators[1]}
}

// service is one of them, on a port that it comes back to.
type service struct {
	name    string
	env     []string
	program *program.Program
	url     string
}

func (s *service) start(t *testing.T) {
	t.Helper()
	s.program, s.url = program.Serve(t, s.name, s.env...)
}

func (s *service) kill(t *testing.T) {
	t.Helper()
	s.program.Kill(t)
}

// newShop migrates the database and starts the services.
func newShop(t *testing.T, db database.MySQL, env ...string) *shop {
	t.Helper()
	s := migrated(t, db, env...)
	s.customers = s.serve(t, "customers")
	for i := range s.orders {
		s.orders[i] = s.serve(t, "orders", "CUSTOMERS_API_BASE="+s.customers.url)
		s.orchestrators[i] = s.serve(t, "orchestrator", "ORDERS_API_BASE="+s.orders[i].url)
	}
	s.awaitReady(t)
	return s
}

// migrated is a shop with a database and without services yet. Customers will be remembered so shortly that orders-api
// feels it when customers-api is down.
func migrated(t *testing.T, db database.MySQL, env ...string) *shop {
	t.Helper()
	s := &shop{env: append([]string{
		"DB_HOST=" + db.Host, fmt.Sprintf("DB_PORT=%d", db.Port), "DB_USER=" + db.User, "DB_PASSWORD=" + db.Password, "DB_NAME=" + db.Name,
		"JWT_SECRET=faults-jwt-secret-of-more-than-32-bytes", "SERVICE_TOKEN=faults-service-token", "ADMIN_PASSWORD=" + adminPassword,
		"JWT_TTL=24h", "LOG_LEVEL=INFO", "CUSTOMER_CACHE_TTL=20ms",
	}, env...)}
	if r := program.Run(t, s.env, "migrate", "up"); r.Code != 0 {
		t.Fatalf("migrate up: exit code %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	return s
}

// serve starts a service of the shop.
func (s *shop) serve(t *testing.T, name string, env ...string) *service {
	t.Helper()
	started := &service{name: name, env: slices.Concat(s.env, env, []string{"PORT=" + program.ClosedPort(t)})}
	started.start(t)
	return started
}

func (s *shop) awaitReady(t *testing.T) {
	t.Helper()
	for _, service := range s.services() {
		program.AwaitReady(t, service.url)
	}
}

// clients call the shop as its administrator, each over one orders-api and the orchestrator of that.
func (s *shop) clients(t *testing.T) (over [2]*call.Client) {
	t.Helper()
	token := call.URLs{Customers: s.customers.url}.Token(t, adminPassword)
	for i := range over {
		over[i] = call.URLs{Customers: s.customers.url, Orders: s.orders[i].url, Orchestrator: s.orchestrators[i].url}.Client(t, token)
	}
	return over
}

// audit expects that all adds up in the database.
func (s *shop) audit(t *testing.T) {
	t.Helper()
	if r := program.Run(t, s.env, "audit"); r.Code != 0 {
		t.Errorf("violation: audit: exit code %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
}
