package faults

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/gofrs/flock"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/engine"
	"github.com/pedidos-hq/pedidos/e2e/load"
	"github.com/pedidos-hq/pedidos/e2e/program"
	"github.com/pedidos-hq/pedidos/e2e/wire"
	"github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

// group is the group of three MySQL servers of deploy/group, as a Compose project of its own.
type group struct {
	project string
	env     []string
	ports   [3]string
	admins  [3]*sql.DB // connections as root
}

const (
	groupProject = "pedidos-test-group"
	none         = -1 // no member
)

// newGroup starts the group and removes it when the test ends. Without Docker it skips the test, or fails it if CI is set. One test
// at a time, of all test programs, has a group.
func newGroup(t *testing.T) *group {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "docker", "compose", "version").CombinedOutput(); err != nil {
		skipWithoutDocker(t, fmt.Errorf("%w: %s", err, out))
	}
	lock := flock.New(filepath.Join(os.TempDir(), groupProject+".lock"))
	if _, err := lock.TryLockContext(t.Context(), 100*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lock.Unlock() })

	g := &group{project: groupProject, env: append(os.Environ(), "DB_PASSWORD="+mysqlPassword, "GROUP_NET=10.214.63")}
	for i := range g.ports {
		g.ports[i] = program.ClosedPort(t)
		g.env = append(g.env, fmt.Sprintf("MYSQL_%d_PORT=%s", i+1, g.ports[i]))
	}
	down := func() error {
		_, err := g.try(context.WithoutCancel(t.Context()), "down", "--volumes", "--remove-orphans", "--timeout", "0")
		return err
	}
	if err := down(); err != nil { // of an earlier run
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			logs, _ := g.try(context.WithoutCancel(t.Context()), "logs", "--tail", "15", "group", "mysql-1", "mysql-2", "mysql-3")
			t.Log(logs)
		}
		if err := down(); err != nil {
			t.Error(err)
		}
	})
	t.Logf("the group:\n%s", g.run(t, "join"))
	for i, port := range g.ports {
		config := mysql.NewConfig()
		config.Net, config.Addr, config.User, config.Passwd = "tcp", "127.0.0.1:"+port, "root", "root_pass"
		config.Timeout, config.ReadTimeout = time.Second, 30*time.Second
		config.Logger = &mysql.NopLogger{}
		to, err := mysql.NewConnector(config)
		if err != nil {
			t.Fatal(err)
		}
		g.admins[i] = sql.OpenDB(to)
		t.Cleanup(func() { _ = g.admins[i].Close() })
	}
	return g
}

// servers returns the address of the whole group, for DB_HOST.
func (g *group) servers() database.MySQL {
	var all []string
	for _, port := range g.ports {
		all = append(all, "127.0.0.1:"+port)
	}
	return database.MySQL{Host: strings.Join(all, ","), Port: 3306, User: "b2b_user", Password: mysqlPassword, Name: "b2b_db"}
}

// run runs a command of group.sh.
func (g *group) run(t *testing.T, args ...string) string {
	t.Helper()
	flags := []string{"run", "--rm", "-T"}
	if args[0] != "join" {
		flags = append(flags, "--no-deps")
	}
	out, err := g.try(t.Context(), append(append(flags, "group"), args...)...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (g *group) try(ctx context.Context, args ...string) (string, error) {
	return g.docker(ctx, append([]string{
		"compose", "--project-name", g.project, "--file", "docker-compose.yml", "--file", "deploy/group/compose.yaml",
	}, args...)...)
}

func (g *group) docker(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "docker", args...)
	cmd.Dir, cmd.Env = "../..", g.env
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("docker %s: %w\n%s%s", strings.Join(args, " "), err, &stdout, &stderr)
	}
	return stdout.String(), nil
}

// do runs a command of docker, such as kill, on a member.
func (g *group) do(t *testing.T, command string, member int) {
	t.Helper()
	if _, err := g.docker(t.Context(), command, fmt.Sprintf("%s-mysql-%d-1", g.project, member+1)); err != nil {
		t.Fatal(err)
	}
}

// ask returns the number that a query returns on a member, or -1 if the member does not answer.
func (g *group) ask(t *testing.T, member int, query string) (n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if err := g.admins[member].QueryRowContext(ctx, query).Scan(&n); err != nil {
		return -1
	}
	return n
}

// leads reports whether a member says that it is the primary, takes writes and has a majority.
func (g *group) leads(t *testing.T, member int) bool {
	t.Helper()
	return g.ask(t, member, `SELECT NOT @@GLOBAL.super_read_only AND SUM(member_id = @@GLOBAL.server_uuid AND member_role = 'PRIMARY'
		AND member_state = 'ONLINE') AND 2 * SUM(member_state = 'UNREACHABLE') < COUNT(*) FROM performance_schema.replication_group_members`) == 1
}

// primary waits until a member other than the excluded one leads, and returns it.
func (g *group) primary(t *testing.T, except int) (leader int) {
	t.Helper()
	call.Eventually(t, "a primary", func() bool {
		for member := range g.ports {
			if member != except && g.leads(t, member) {
				leader = member
				return true
			}
		}
		return false
	})
	return leader
}

// awaitWhole waits until all members are online.
func (g *group) awaitWhole(t *testing.T) {
	t.Helper()
	call.Eventually(t, "all members are online", func() bool {
		for member := range g.ports {
			if g.ask(t, member, "SELECT COUNT(*) FROM performance_schema.replication_group_members WHERE member_state = 'ONLINE'") != len(g.ports) {
				return false
			}
		}
		return true
	})
}

// switchTo makes a member the primary, as an operator does before an upgrade of the old one.
func (g *group) switchTo(t *testing.T, member int) {
	t.Helper()
	from := g.primary(t, none)
	var uuid, answer string
	if err := g.admins[member].QueryRowContext(t.Context(), "SELECT @@GLOBAL.server_uuid").Scan(&uuid); err != nil {
		t.Fatal(err)
	}
	if err := g.admins[from].QueryRowContext(t.Context(), fmt.Sprintf("SELECT group_replication_set_as_primary('%s')", uuid)).Scan(&answer); err != nil {
		t.Fatal(err)
	}
}

// notOnTiDB skips a test of several servers in DB_HOST: these are a group of MySQL, which TiDB does not have.
func notOnTiDB(t *testing.T) {
	t.Helper()
	if engine.Name() == "tidb" {
		t.Skip("TiDB has no Group Replication: DB_HOST is one address, of TiDB or of a load balancer before it")
	}
}

// TestGroup runs the services on a group of MySQL servers.
func TestGroup(t *testing.T) {
	notOnTiDB(t)
	g := newGroup(t)
	for _, test := range []struct {
		name string
		run  func(*testing.T, *group)
	}{{"faults", testGroupFaults}, {"read your writes", testReadYourWrites}, {"one address", testOneAddress}} {
		if !t.Run(test.name, func(t *testing.T) { test.run(t, g) }) {
			t.FailNow() // the group may not be whole
		}
	}
}

// testGroupFaults injects faults into the group under load, in an order that depends on the seed. No service is restarted. After each
// fault every acknowledged order exists, no key took effect twice, no unit was sold twice, every retried request got the same answer,
// and the audit passes.
func testGroupFaults(t *testing.T, g *group) {
	rounds := uint64(1)
	if *long {
		rounds = 10
	}
	s := newShop(t, g.servers())
	clients := s.clients(t)
	for seed, last := *seed, *seed+rounds; seed < last; seed++ {
		l := load.New(t, load.Config{Name: fmt.Sprintf("group-%d", seed), Seed: seed, Callers: 16, LoseOneIn: 50, Patience: patience}, clients[:]...)
		random := mathrand.New(mathrand.NewPCG(seed, 2))
		faults := groupFaults()
		for _, i := range random.Perm(len(faults)) {
			t.Run(fmt.Sprintf("%s, seed %d", faults[i].name, seed), func(t *testing.T) {
				l.Start(t)
				l.AwaitMore(t, 50+random.Int64N(100))
				gone := faults[i].inject(t, g, s, l)
				l.AwaitMore(t, 50)
				l.Pause(t)
				t.Logf("at most %s without an acknowledged request", l.Longest().Round(10*time.Millisecond))
				for _, member := range gone {
					g.do(t, "start", member)
				}
				g.awaitWhole(t)
				l.Check(t)
				s.audit(t)
			})
			if t.Failed() {
				t.FailNow()
			}
		}
		l.CheckAll(t)
		t.Logf("seed %d: %s", seed, l.Counts())
	}
}

// patience is how long callers repeat a request while the group has no primary. MySQL takes a minute to go on after a loss of the
// majority while transactions wait.
const patience = 2 * time.Minute

// groupFault is a fault that is injected under load. The members that are gone afterwards are started again.
type groupFault struct {
	name   string
	inject func(*testing.T, *group, *shop, *load.Load) (gone []int)
}

func groupFaults() []groupFault {
	return []groupFault{
		{"primary killed", func(t *testing.T, g *group, _ *shop, _ *load.Load) []int {
			old := g.primary(t, none)
			g.do(t, "kill", old)
			g.primary(t, old)
			return []int{old}
		}},
		{"primary paused", func(t *testing.T, g *group, _ *shop, l *load.Load) []int {
			old := g.primary(t, none)
			g.do(t, "pause", old)
			g.primary(t, old)
			l.AwaitMore(t, 50)
			g.do(t, "unpause", old)
			l.AwaitMore(t, 50)
			g.do(t, "kill", old) // the group has expelled it
			return []int{old}
		}},
		{"switchover", func(t *testing.T, g *group, _ *shop, l *load.Load) []int {
			before := l.Counts()
			for range len(g.ports) {
				old := g.primary(t, none)
				g.switchTo(t, (old+1)%len(g.ports))
				l.AwaitMore(t, 50)
				g.awaitLeft(t, old)
			}
			t.Logf("%d switchovers; requests that had to be repeated: %d (%v)", len(g.ports), l.Counts().Repeats-before.Repeats, l.LastRepeat())
			return nil
		}},
		{"secondary killed", func(t *testing.T, g *group, s *shop, l *load.Load) []int {
			before, failed := l.Counts(), s.failedRequests()
			gone := (g.primary(t, none) + 1) % len(g.ports)
			g.do(t, "kill", gone)
			l.AwaitMore(t, 500)
			// On a busy machine, orders may wait too long for each other's locks, with or without a fault.
			if n := l.Counts().Repeats - before.Repeats; s.failedRequests() > failed || n > 0 && *long {
				t.Errorf("violation: %d requests had to be repeated, though only a secondary was gone: %v", n, l.LastRepeat())
			} else {
				t.Logf("requests that had to be repeated: %d (%v)", n, l.LastRepeat())
			}
			return []int{gone}
		}},
		{"two members gone", func(t *testing.T, g *group, s *shop, _ *load.Load) []int {
			left, failed := g.primary(t, none), s.failedRequests()
			gone := []int{(left + 1) % len(g.ports), (left + 2) % len(g.ports)}
			for _, member := range gone {
				g.do(t, "kill", member)
			}
			began := time.Now()
			for _, url := range []string{s.customers.url, s.orders[0].url, s.orders[1].url} {
				call.Eventually(t, "/ready is 503", func() bool {
					status, _ := program.Get(t, url+"/ready")
					return status == http.StatusServiceUnavailable
				})
			}
			t.Logf("/ready of all services is 503 after %s", time.Since(began).Round(10*time.Millisecond))
			if s.failedRequests() == failed {
				t.Error("the logs of the services show no failed request, so the count of failures is of no use")
			}
			t.Logf("the runbook:\n%s", g.run(t, "force", fmt.Sprintf("mysql-%d", left+1)))
			s.awaitReady(t)
			return gone
		}},
	}
}

// awaitLeft waits until the services have closed their connections to a member, apart from those of the pool that reads from
// secondaries. It probes /ready at the given URLs until then, as Kubernetes does.
func (g *group) awaitLeft(t *testing.T, member int, probed ...string) {
	t.Helper()
	call.Eventually(t, "the services leave the previous primary", func() bool {
		for _, url := range probed {
			program.Get(t, url+"/ready")
		}
		return g.ask(t, member, `SELECT COUNT(*) FROM performance_schema.threads JOIN performance_schema.variables_by_thread USING (thread_id)
			WHERE processlist_user = 'b2b_user' AND variable_name = 'group_replication_consistency' AND variable_value <> 'BEFORE'`) == 0
	})
}

// testReadYourWrites places orders through one orders-api and lists them through the other, which reads from secondaries that lag.
// Every list has the order that was placed before.
func testReadYourWrites(t *testing.T, g *group) {
	pairs := 300
	if *long {
		pairs = 10_000
	}
	g.awaitWhole(t)
	s := newShop(t, g.servers())
	clients := s.clients(t)
	product := clients[0].CreateProduct(t, "read-your-writes", 100, 1_000_000).ID
	primary := g.primary(t, none)
	lagging, stop := context.WithCancel(t.Context())
	var lags sync.WaitGroup
	defer lags.Wait()
	defer stop()
	for member := range g.ports {
		if member != primary {
			lags.Go(func() { g.lag(lagging, member) })
		}
	}
	transactions := func() (n int) {
		for member := range g.ports {
			if member != primary {
				n += g.ask(t, member, "SELECT count_star FROM performance_schema.events_statements_summary_global_by_event_name WHERE event_name = 'statement/sql/begin'")
			}
		}
		return n
	}
	before := transactions()

	var next, behind atomic.Int64
	var working sync.WaitGroup
	for range 8 {
		customer := clients[0].CreateCustomer(t, rand.Text()+"@example.com").ID
		working.Go(func() {
			for n := next.Add(1); n <= int64(pairs) && t.Context().Err() == nil; n = next.Add(1) {
				var placed orders.Order
				if err := clients[n%2].TryOrder(t.Context(), rand.Text(), customer, product, 1).Decode(http.StatusCreated, &placed); err != nil {
					t.Error(err)
					return
				}
				there := g.ask(t, (primary+1)%len(g.ports), fmt.Sprintf("SELECT COUNT(*) FROM b2b_db.orders WHERE id = %d", placed.ID))
				if there == 0 {
					behind.Add(1)
				}
				var page orders.OrderPage
				limit := int32(1)
				list := call.Read(clients[(n+1)%2].Orders.ListOrders(t.Context(), &orders.ListOrdersParams{CustomerID: &customer, Limit: &limit}))
				if err := list.Decode(http.StatusOK, &page); err != nil {
					t.Error(err)
					return
				}
				if len(page.Data) != 1 || page.Data[0].ID != placed.ID {
					t.Errorf("violation: the list after order %d begins with %+v", placed.ID, page.Data)
				}
			}
		})
	}
	working.Wait()
	reads := transactions() - before
	t.Logf("%d pairs; %d transactions on the secondaries, one of which lacked the order just placed %d times", pairs, reads, behind.Load())
	if behind.Load() == 0 || reads < pairs {
		t.Error("the secondaries did not lag, or did not serve the lists, so the test shows nothing")
	}
}

// lag keeps a member from applying transactions for some milliseconds at a time.
func (g *group) lag(ctx context.Context, member int) {
	conn, err := g.admins[member].Conn(ctx)
	if err != nil {
		return
	}
	defer conn.Close()
	for ctx.Err() == nil {
		for _, statement := range []string{"LOCK TABLES b2b_db.orders READ", "DO SLEEP(0.02)", "UNLOCK TABLES", "DO SLEEP(0.02)"} {
			if _, err := conn.ExecContext(ctx, statement); err != nil {
				return
			}
		}
	}
}

// testOneAddress moves an address, such as a virtual IP, to a new primary. Connections to the old one, which has become read-only,
// are not used any more.
func testOneAddress(t *testing.T, g *group) {
	g.awaitWhole(t)
	at, move := g.virtual(t)
	move(g.primary(t, none))
	s := newShop(t, at)
	clients := s.clients(t)
	l := load.New(t, load.Config{Name: "virtual", Seed: *seed, Patience: patience}, clients[:]...)
	l.Start(t)
	for range 2 {
		l.AwaitMore(t, 50)
		old := g.primary(t, none)
		next := (old + 1) % len(g.ports)
		g.switchTo(t, next)
		move(next)
		g.awaitLeft(t, old, s.customers.url, s.orders[0].url, s.orders[1].url)
	}
	l.AwaitMore(t, 200)
	l.Pause(t)
	l.CheckAll(t)
	s.audit(t)
	t.Log(l.Counts())
}

// virtual returns an address that leads to one member, and a function that moves it to another. Connections stay where they are.
func (g *group) virtual(t *testing.T) (at database.MySQL, move func(member int)) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	var to atomic.Int64
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", "127.0.0.1:"+g.ports[to.Load()])
			if err != nil {
				_ = client.Close()
				continue
			}
			for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
				go func() {
					_, _ = io.Copy(way[0], way[1])
					_ = way[0].Close()
				}()
			}
		}
	}()
	at = g.servers()
	at.Host = listener.Addr().String()
	return at, func(member int) { to.Store(int64(member)) }
}

// TestSeveralServers loses statements and COMMITs on the way to the first of two servers in DB_HOST; the second does not answer. A
// request without a key takes effect at most once: it is run again only if it has not reached COMMIT. A server that is not in a group
// can not say that a transaction was rolled back.
func TestSeveralServers(t *testing.T) {
	t.Parallel()
	notOnTiDB(t)
	db, server := ownMySQL(t)
	for _, table := range []string{"replication_group_members", "replication_group_member_stats"} {
		err := server.Read(t.Context(), func(conn database.Conn) error {
			_, err := conn.ExecContext(t.Context(), fmt.Sprintf("GRANT SELECT ON performance_schema.%s TO %s", table, db.User))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	s := newMigratedShop(t, db)
	s.customers = s.serve(t, "customers")
	to := wire.NewMySQL(t, fmt.Sprintf("%s:%d", db.Host, db.Port))
	for i := range s.orders { // both behind the same wire
		s.orders[i] = s.serve(t, "orders", fmt.Sprintf("DB_HOST=127.0.0.1:%s,%s", program.ClosedPort(t), to.Addr()), "DB_TLS=off",
			"CUSTOMERS_API_BASE="+s.customers.url)
		s.orchestrators[i] = s.serve(t, "orchestrator", "ORDERS_API_BASE="+s.orders[i].url)
	}
	s.awaitReady(t)
	clients := s.clients(t)
	for _, test := range []struct {
		name   string
		kind   wire.Kind
		status int // of the answer
		orders int // afterwards
	}{
		{"COMMIT lost", wire.CommitLost, http.StatusServiceUnavailable, 0},
		{"COMMIT's answer lost", wire.CommitAnswerLost, http.StatusServiceUnavailable, 1},
		{"COMMIT taken back by a server outside of its group", wire.CommitRefused, http.StatusServiceUnavailable, 1},
		{"a statement lost", wire.StatementLost, http.StatusCreated, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPurchase(t, clients, server)
			stop := to.Lose(test.kind, 1, "INSERT INTO orders ", p.key)
			in := orders.OrderInput{CustomerID: p.customer, Items: []orders.OrderLineInput{{ProductID: p.product, Qty: held}}}
			got := call.Read(clients[0].Orders.CreateOrder(t.Context(), &orders.CreateOrderParams{}, in))
			if stop() != 1 {
				t.Error("nothing was lost")
			}
			if got.Err != nil || got.Status != test.status {
				t.Errorf("violation: got %s, want %d", got, test.status)
			}
			var n int
			err := server.Read(t.Context(), func(conn database.Conn) error {
				return conn.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM orders WHERE customer_id = ?", p.customer).Scan(&n)
			})
			if err != nil {
				t.Fatal(err)
			}
			if n != test.orders {
				t.Errorf("violation: there are %d orders, want %d", n, test.orders)
			}
		})
	}
	s.audit(t)
}
