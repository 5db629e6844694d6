package faults

import (
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/wire"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

// hop is the connection from one process to another.
type hop string

const (
	clientToOrders       hop = "client→orders-api"
	clientToOrchestrator hop = "client→orchestrator"
	orchestratorToOrders hop = "orchestrator→orders-api"
	ordersToCustomers    hop = "orders-api→customers-api"
	ordersToMySQL        hop = "orders-api→MySQL"
)

// wiredShop is a shop with a wire in every hop of the requests through each orders-api.
type wiredShop struct {
	*shop
	token string
	wires [2]map[hop]*wire.Wire
}

// newWired is like newShop, with the wires. The connections to MySQL are not encrypted, as their wires read the statements.
func newWired(t *testing.T, db database.MySQL, env ...string) *wiredShop {
	t.Helper()
	w := &wiredShop{shop: newMigratedShop(t, db, env...)}
	before := func(s *service) *wire.Wire { return wire.New(t, strings.TrimPrefix(s.url, "http://")) }
	w.customers = w.serve(t, "customers")
	for i := range w.wires {
		mysql, customers := wire.NewMySQL(t, net.JoinHostPort(db.Host, strconv.Itoa(db.Port))), before(w.customers)
		host, port, err := net.SplitHostPort(mysql.Addr())
		if err != nil {
			t.Fatal(err)
		}
		w.orders[i] = w.serve(t, "orders", "DB_HOST="+host, "DB_PORT="+port, "DB_TLS=off", "CUSTOMERS_API_BASE=http://"+customers.Addr())
		orders := before(w.orders[i])
		w.orchestrators[i] = w.serve(t, "orchestrator", "ORDERS_API_BASE=http://"+orders.Addr())
		w.wires[i] = map[hop]*wire.Wire{
			clientToOrders: before(w.orders[i]), clientToOrchestrator: before(w.orchestrators[i]),
			orchestratorToOrders: orders, ordersToCustomers: customers, ordersToMySQL: mysql,
		}
	}
	w.awaitReady(t)
	w.token = call.URLs{Customers: w.customers.url}.Token(t, adminPassword)
	return w
}

// callers returns one client for each orders-api and its orchestrator, connected through the wires.
func (w *wiredShop) callers(t *testing.T) [2]*call.Client {
	t.Helper()
	return w.callersWith(t, w.token)
}

// callersWith is like callers, with another token than the administrator's.
func (w *wiredShop) callersWith(t *testing.T, token string) (over [2]*call.Client) {
	t.Helper()
	for i, wires := range w.wires {
		over[i] = call.URLs{
			Customers: w.customers.url, Orders: "http://" + wires[clientToOrders].Addr(), Orchestrator: "http://" + wires[clientToOrchestrator].Addr(),
		}.Client(t, token)
	}
	return over
}

// all returns all wires.
func (w *wiredShop) all() (all []*wire.Wire) {
	for _, wires := range w.wires {
		all = slices.AppendSeq(all, maps.Values(wires))
	}
	return all
}

// injected returns how often each kind of fault occurred.
func (w *wiredShop) injected() map[wire.Kind]int {
	sum := map[wire.Kind]int{}
	for _, each := range w.all() {
		for kind, n := range each.Injected() {
			sum[kind] += n
		}
	}
	return sum
}
