// Package compose tests Dockerfile and docker-compose.yml with the docker command, as users build and start them.
package compose

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/load"
	"github.com/pedidos-hq/pedidos/gen/orders"
)

func TestCompose(t *testing.T) {
	p := newProject(t)
	p.compose(t, "build")

	begin := time.Now()
	p.compose(t, "up", "--detach", "--build")
	p.awaitHealthy(t, running...)
	t.Logf("all services are healthy after %s", time.Since(begin)) // the promised minute assumes an idle machine

	t.Run("defaults", p.testDefaults)
	t.Run("image", p.testImage)
	t.Run("containers", p.testContainers)
	t.Run("rights", p.testRights)
	t.Run("flow", func(t *testing.T) { testFlow(t, "flow", p.urls) })
	t.Run("door", p.testDoor)
	t.Run("restarts", p.testRestarts)
	t.Run("logs", p.testLogs) // before the next tests, since removing a container deletes its logs
	t.Run("backup", p.testBackup)
	t.Run("services before MySQL", p.testServicesBeforeMySQL)
	t.Run("passwords", p.testPasswords)
	t.Run("replicas", p.testReplicas)
	t.Run("audit", func(t *testing.T) { t.Log(p.compose(t, "exec", "-T", "orders-api", "/pedidos", "audit")) })
}

// testDefaults checks the documented ports, which apply without variables, and the documented credentials of MySQL.
func (p *project) testDefaults(t *testing.T) {
	unmoved := p
	for _, port := range portOf {
		unmoved = unmoved.with(port.variable + "=")
	}
	want := map[string]string{"mysql": "3307", "customers-api": "3001", "orders-api": "3002", "orchestrator": "3003", "backoffice": "3000", "door": "8080"}
	for name, service := range unmoved.config(t).Services {
		switch {
		case want[name] == "" && len(service.Ports) == 0:
		case len(service.Ports) != 1 || service.Ports[0].HostIP != "127.0.0.1" || service.Ports[0].Published != want[name]:
			t.Errorf("%s publishes %+v, want port %q on 127.0.0.1", name, service.Ports, want[name])
		}
	}
	tables := strings.Fields(p.compose(t, "exec", "-T", "mysql", "mysql", "-u", "b2b_user", "-pb2b_pass", "-e", "USE b2b_db; SHOW TABLES;"))
	for _, table := range slices.Concat(customersTables, ordersTables) {
		if !slices.Contains(tables, table) {
			t.Errorf("SHOW TABLES: got %q, want %s", tables, table)
		}
	}
}

func (p *project) testImage(t *testing.T) {
	var image struct {
		Size   int64
		Config struct{ User string }
	}
	p.inspect(t, &image, p.name)
	if image.Size >= 40e6 {
		t.Errorf("the image has %d bytes, want less than 40 MB", image.Size)
	}
	if image.Config.User != "65532:65532" { // a number, since Kubernetes can only verify numeric users
		t.Errorf("the image runs as the user %q, want 65532:65532", image.Config.User)
	}
	t.Logf("the image has %.1f MB", float64(image.Size)/1e6)
}

func (p *project) testContainers(t *testing.T) {
	for _, service := range slices.Concat(running, []string{"migrate", "seed"}) {
		c := p.container(t, service)
		restart := "unless-stopped"
		if !slices.Contains(running, service) {
			restart = "no"
			if c.State.Status != "exited" || c.State.ExitCode != 0 {
				t.Errorf("%s is %s with the exit code %d, want exited with 0", service, c.State.Status, c.State.ExitCode)
			}
		}
		h := c.HostConfig
		if h.RestartPolicy.Name != restart {
			t.Errorf("%s has the restart policy %q, want %q", service, h.RestartPolicy.Name, restart)
		}
		if h.Memory == 0 || h.Memory > 1<<30 {
			t.Errorf("%s has a memory limit of %d bytes, want at most 1 GiB", service, h.Memory)
		}
		if !slices.Equal(h.CapDrop, []string{"ALL"}) || !slices.Contains(h.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s drops the capabilities %q, with the security options %q", service, h.CapDrop, h.SecurityOpt)
		}
		if service == "mysql" { // its image must start as root
			status := p.compose(t, "exec", "-T", service, "cat", "/proc/1/status")
			if strings.Contains(status, "Uid:\t0") || !strings.Contains(status, "CapEff:\t0000000000000000") {
				t.Errorf("mysqld runs as root or with capabilities:\n%s", status)
			}
			continue
		}
		if service == "door" { // it runs as root, which owns its volume, with one capability
			if !h.ReadonlyRootfs || !slices.Equal(h.CapAdd, []string{"CAP_NET_BIND_SERVICE"}) {
				t.Errorf("door: read-only root %t, capabilities %q", h.ReadonlyRootfs, h.CapAdd)
			}
			continue
		}
		if !h.ReadonlyRootfs || len(h.CapAdd) != 0 || c.Config.User != "65532:65532" || len(c.Mounts) != 0 {
			t.Errorf("%s: read-only root %t, capabilities %q, user %q, mounts %v", service, h.ReadonlyRootfs, h.CapAdd, c.Config.User, c.Mounts)
		}
	}
}

var (
	customersTables = []string{
		"api_keys", "audit_log", "customers", "customers_idempotency", "integrators", "signing_keys", "user_sessions", "users",
	}
	ordersTables = []string{"order_events", "order_lines", "orders", "orders_idempotency", "products", "stock_adjustments"}
)

func (p *project) testRights(t *testing.T) {
	for _, test := range []struct {
		user, password string
		own, others    []string
	}{
		{"customers_user", "customers_pass", customersTables, ordersTables},
		{"orders_user", "orders_pass", ordersTables, customersTables},
	} {
		sql := func(statement string) (string, error) {
			return p.try(t, "exec", "-T", "mysql", "mysql", "-N", "-u", test.user, "-p"+test.password, "b2b_db", "-e", statement)
		}
		want := []string{
			"GRANT SELECT ON `b2b_db`.`goose_db_version` TO `" + test.user + "`@`%`",
			"GRANT USAGE ON *.* TO `" + test.user + "`@`%`", // no privileges
		}
		for _, table := range test.own {
			rights := "SELECT, INSERT, UPDATE, DELETE"
			if slices.Contains([]string{"audit_log", "order_events", "stock_adjustments"}, table) { // the history is append-only
				rights = "SELECT, INSERT"
			}
			want = append(want, "GRANT "+rights+" ON `b2b_db`.`"+table+"` TO `"+test.user+"`@`%`")
		}
		printed, err := sql("SHOW GRANTS")
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Split(strings.TrimSpace(printed), "\n")
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s has the privileges\n%s\nwant\n%s", test.user, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		for _, table := range test.others {
			if printed, err := sql("SELECT * FROM " + table); err == nil || !strings.Contains(err.Error(), "SELECT command denied") {
				t.Errorf("%s reads %s: got %v, want SELECT command denied\n%s", test.user, table, err, printed)
			}
		}
		if _, err := sql("DROP TABLE " + test.own[0]); err == nil || !strings.Contains(err.Error(), "DROP command denied") {
			t.Errorf("%s drops %s: got %v, want DROP command denied", test.user, test.own[0], err)
		}
	}
}

// testFlow places orders through all three services. The name makes its data unique.
func testFlow(t *testing.T, name string, urls call.URLs) {
	c := urls.Login(t, call.LocalPassword)
	buyer, product := c.CreateCustomer(t, name+"@example.com").ID, c.CreateProduct(t, name, 250, 10).ID
	placed := c.CreateOrder(t, buyer, product, 2)
	if confirmed := c.ConfirmOrder(t, placed.ID, name+"-confirm"); confirmed.Status != orders.StatusConfirmed {
		t.Errorf("confirmed %+v, want CONFIRMED", confirmed)
	}
	anyone := urls.Client(t, "") // the local configuration allows anonymous callers
	if both := anyone.CreateAndConfirm(t, name, buyer, product, 2); both.Data.Customer.ID != buyer {
		t.Errorf("created and confirmed %+v, want it for customer %d", both, buyer)
	}
	if stock := c.GetProduct(t, product).Stock; stock != 10-2-2 {
		t.Errorf("got %d units in stock, want 6", stock)
	}
}

// testRestarts kills MySQL, each service and the door in turn while orders are placed through the door. In the end, every
// acknowledged order must exist exactly once. One response in ten is discarded, since restarts alone lose too few.
func (p *project) testRestarts(t *testing.T) {
	l := load.New(t, load.Config{LoseOneIn: 10, Patience: timeout}, call.At(p.door).Login(t, call.LocalPassword))
	l.Start(t)
	const some = 40 // requests
	l.AwaitMore(t, some)
	for _, service := range running {
		begin := time.Now()
		p.compose(t, "restart", "--timeout", "0", service)
		p.awaitHealthy(t, running...)
		l.AwaitMore(t, some)
		t.Logf("%s restarted; orders succeed again after %s", service, time.Since(begin).Round(time.Millisecond))
	}
	l.Pause(t)
	l.CheckAll(t)
	t.Log(l.Counts())
}

// testServicesBeforeMySQL starts the services before MySQL. They must exit, be restarted, and become healthy once MySQL
// runs.
func (p *project) testServicesBeforeMySQL(t *testing.T) {
	p.compose(t, "stop", "--timeout", "20")
	impatient := p.with("DB_WAIT=1s")
	for _, service := range running[1:] { // one by one: services of one command wait for each other
		impatient.compose(t, "up", "--detach", "--no-deps", service)
	}
	for _, service := range []string{"customers-api", "orders-api"} {
		await(t, service+" is restarted", func() bool { return p.container(t, service).RestartCount > 1 })
	}
	p.compose(t, "start", "mysql")
	p.awaitHealthy(t, running...)
	c := p.urls.Login(t, call.LocalPassword)
	c.CreateCustomer(t, "late@example.com")
	c.CreateProduct(t, "LATE", 250, 1)
}

// testLogs checks that every log line is a JSON object and that the logs contain no secrets.
func (p *project) testLogs(t *testing.T) {
	log := p.compose(t, "logs", "--no-color", "--no-log-prefix", "customers-api", "orders-api", "orchestrator", "backoffice", "door")
	requests := 0
	for line := range strings.Lines(log) {
		var entry struct {
			Msg, OperationID, Caller, Service string
			Status                            int
			DurationMS                        *float64 `json:"duration_ms"`
			Bytes                             *int64
			TraceID                           string  `json:"trace_id"`
			CorrelationID                     *string `json:"correlation_id"`
		}
		if strings.HasPrefix(line, "pedidos: ") { // the error of a start without MySQL
			continue
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Errorf("%v in %s", err, line)
		}
		if entry.Msg != "request" {
			continue
		}
		requests++
		if entry.Service == "" || entry.Status == 0 || entry.DurationMS == nil || entry.Bytes == nil || len(entry.TraceID) != 32 || entry.CorrelationID == nil {
			t.Errorf("the log line of a request lacks a field: %s", line)
		}
	}
	if requests < 100 {
		t.Errorf("got %d logged requests, want 100 or more", requests)
	}
	for _, secret := range []string{
		"pedidos-local", "local-jwt-secret", "local-service-token", "b2b_pass", "root_pass", "customers_pass", "orders_pass", // passwords
		"flow-confirm", `-[0-9]+-(place|confirm|cancel)`, // keys
		`eyJ[\w-]{8,}`, `pes_\w{8,}`, `[\w.+-]{2,}@[\w-]+\.[\w.-]+`, // tokens, addresses
	} {
		if found := regexp.MustCompile(secret).FindString(log); found != "" {
			t.Errorf("the logs contain %s", found)
		}
	}
}
