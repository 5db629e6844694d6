package faults

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/program"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

const adminPassword = "faults-admin-password"

// shop is a deployment of the services on one MySQL, each in its own process: one customers-api, and two orders-api with an
// orchestrator each.
type shop struct {
	env           []string // of all services
	customers     *service
	orders        [2]*service
	orchestrators [2]*service
}

func (s *shop) services() []*service {
	return []*service{s.customers, s.orders[0], s.orders[1], s.orchestrators[0], s.orchestrators[1]}
}

// failedRequests returns the number of requests that have failed because the database was not available, according to the logs of
// customers-api and orders-api.
func (s *shop) failedRequests() (n int) {
	for _, service := range []*service{s.customers, s.orders[0], s.orders[1]} {
		for line := range strings.Lines(service.program.Stdout.String() + service.program.Stderr.String()) {
			if strings.Contains(line, `"request failed"`) && (strings.Contains(line, "The database does not answer") || strings.Contains(line, "The database is not ready")) {
				n++
			}
		}
	}
	return n
}

// service is a service of a shop, on a fixed port.
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
	s := newMigratedShop(t, db, env...)
	s.startAll(t)
	return s
}

// startAll starts the services, with more settings for customers-api.
func (s *shop) startAll(t *testing.T, env ...string) {
	t.Helper()
	s.customers = s.serve(t, "customers", env...)
	for i := range s.orders {
		s.orders[i] = s.serve(t, "orders", "CUSTOMERS_API_BASE="+s.customers.url)
		s.orchestrators[i] = s.serve(t, "orchestrator", "ORDERS_API_BASE="+s.orders[i].url)
	}
	s.awaitReady(t)
}

// newMigratedShop migrates the database but starts no services. CUSTOMER_CACHE_TTL is short, so that orders-api depends on
// customers-api throughout.
func newMigratedShop(t *testing.T, db database.MySQL, env ...string) *shop {
	t.Helper()
	s := &shop{env: append([]string{
		"DB_HOST=" + db.Host, fmt.Sprintf("DB_PORT=%d", db.Port), "DB_USER=" + db.User, "DB_PASSWORD=" + db.Password, "DB_NAME=" + db.Name,
		"JWT_SECRET=faults-jwt-secret-of-more-than-32-bytes", "SERVICE_TOKEN=faults-service-token", "ADMIN_PASSWORD=" + adminPassword,
		"JWT_TTL=24h", "LOG_LEVEL=INFO", "CALLER_RATE=0", "CUSTOMER_CACHE_TTL=20ms",
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

// clients returns one client for each orders-api and its orchestrator. They call as the administrator.
func (s *shop) clients(t *testing.T) [2]*call.Client {
	t.Helper()
	return s.clientsWith(t, call.URLs{Customers: s.customers.url}.Token(t, adminPassword))
}

// clientsWith is like clients, with a token.
func (s *shop) clientsWith(t *testing.T, token string) (over [2]*call.Client) {
	t.Helper()
	for i := range over {
		over[i] = s.urls(i).Client(t, token)
	}
	return over
}

// urls returns the URLs of a replica.
func (s *shop) urls(replica int) call.URLs {
	return call.URLs{Customers: s.customers.url, Orders: s.orders[replica].url, Orchestrator: s.orchestrators[replica].url}
}

// audit runs `pedidos audit` and expects it to pass.
func (s *shop) audit(t *testing.T) {
	t.Helper()
	if r := program.Run(t, s.env, "audit"); r.Code != 0 {
		t.Errorf("violation: audit: exit code %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
}
