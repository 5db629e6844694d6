// Package metrics holds the test that deploy/prometheus and deploy/grafana name nothing that the services do not show.
//
// Run it with -count=1: the test cache does not know what the executable is built of.
package metrics

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/VictoriaMetrics/metricsql"
	"go.yaml.in/yaml/v3"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/document"
	"github.com/pedidos-hq/pedidos/e2e/program"
)

const (
	rulesFile     = "../../deploy/prometheus/alerts.yaml"
	dashboardFile = "../../deploy/grafana/dashboard.json"
	operations    = "../../docs/operations.md"
)

func TestMain(m *testing.M) {
	os.Exit(program.Main(m))
}

// TestNames runs the services, has each metric appear, and looks for all that the rules and the dashboard name. What counts
// must be there from the start: of a counter that comes with its first count, Prometheus sees no increase.
func TestNames(t *testing.T) {
	t.Parallel()
	started, after := run(t)
	for where, expr := range expressions(t) {
		for _, fault := range after.check(expr.text, expr.shown...) {
			t.Errorf("%s: %s", where, fault)
		}
		e, err := metricsql.Parse(expr.text)
		if err != nil {
			continue // told above
		}
		metricsql.VisitAll(e, func(e metricsql.Expr) {
			m, ok := e.(*metricsql.MetricExpr)
			if !ok {
				return
			}
			name := m.LabelFilterss[0][0].Value
			if !strings.HasSuffix(name, "_total") || name == "pedidos_requests_total" { // of which there are too many
				return
			}
			for _, fault := range started.check(string(m.AppendString(nil))) {
				t.Errorf("%s: at the start, %s", where, fault)
			}
		})
	}
}

// run returns the series at the start, and after requests that make all of them.
func run(t *testing.T) (started, after scrape) {
	t.Helper()
	env := []string{
		"JWT_SECRET=planted-jwt-secret-of-more-than-32-bytes", "SERVICE_TOKEN=planted-service-token", "ADMIN_PASSWORD=planted-password",
		"STALE_ORDERS_AFTER=1h", "UPSTREAM_TIMEOUT=1s",
	}
	admin := map[string]string{}
	serve := func(service string, more ...string) (*program.Program, string) {
		port := program.ClosedPort(t)
		admin[service] = "http://127.0.0.1:" + port + "/metrics"
		return program.Serve(t, service, append(append(more, env...), "ADMIN_PORT="+port, "DATA_DIR="+t.TempDir())...)
	}
	customersAPI, customersURL := serve("customers")
	_, ordersURL := serve("orders", "CUSTOMERS_API_BASE="+customersURL)
	_, orchestratorURL := serve("orchestrator", "ORDERS_API_BASE="+ordersURL)
	program.AwaitReady(t, customersURL, ordersURL, orchestratorURL)
	for service, url := range admin {
		started.add(t, page(t, url), service)
	}

	c := call.URLs{Customers: customersURL, Orders: ordersURL, Orchestrator: orchestratorURL}.Login(t, "planted-password")
	buyer, product := c.CreateCustomer(t, "buyer@example.com").ID, c.CreateProduct(t, "SAW", 2500, 10).ID
	place := func(key string, customer, qty int64, want int) {
		t.Helper()
		c.TryOrder(t.Context(), key, customer, product, qty).Want(t, want)
	}
	call.Read(c.Customers.GetHealth(t.Context())).Want(t, http.StatusOK)
	c.CreateAndConfirm(t, "at-once", buyer, product, 1)
	place("key", buyer, 1, http.StatusCreated)
	place("key", buyer, 1, http.StatusCreated) // a repeat
	place("key", buyer, 2, http.StatusUnprocessableEntity)
	place("short", buyer, 1000, http.StatusConflict)
	after.add(t, page(t, admin["customers"]), "customers")
	c.HangUp()
	customersAPI.Interrupt(t)
	place("unknown", buyer+1, 1, http.StatusServiceUnavailable) // customers-api is down
	for _, service := range []string{"orders", "orchestrator"} {
		after.add(t, page(t, admin[service]), service)
	}
	return started, after
}

func page(t *testing.T, url string) string {
	t.Helper()
	status, body := program.Get(t, url)
	if status != http.StatusOK {
		t.Fatalf("%s: %d", url, status)
	}
	return body
}

// rule is an alert.
type rule struct {
	Alert, Expr         string
	Labels, Annotations map[string]string
}

func rules(t *testing.T) []rule {
	t.Helper()
	text, err := os.ReadFile(rulesFile)
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Groups []struct{ Rules []rule } }
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Groups) != 1 || len(file.Groups[0].Rules) == 0 {
		t.Fatalf("%s has %d groups, want one with rules", rulesFile, len(file.Groups))
	}
	return file.Groups[0].Rules
}

// panel is one of the dashboard.
type panel struct {
	ID         int
	Type       string
	Title      string
	Datasource struct{ UID string }
	Targets    []struct{ Expr, LegendFormat string }
}

func panels(t *testing.T) (all []panel) {
	t.Helper()
	text, err := os.ReadFile(dashboardFile)
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Panels []panel }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	return file.Panels
}

// expression is PromQL, and the labels of its result that a text shows.
type expression struct {
	text  string
	shown []string
}

// grafana fills in what Grafana does.
var grafana = strings.NewReplacer("$service", ".*", "$__rate_interval", "5m")

// expressions are those of the rules and of the dashboard, by where they are.
func expressions(t *testing.T) map[string]expression {
	t.Helper()
	all := map[string]expression{}
	for _, r := range rules(t) {
		text := r.Annotations["summary"] + r.Annotations["description"]
		all[r.Alert] = expression{r.Expr, found(`\$labels\.(\w+)`, text)}
	}
	for _, p := range panels(t) {
		for i, target := range p.Targets {
			all[fmt.Sprintf("%s, %d", p.Title, i+1)] = expression{grafana.Replace(target.Expr), found(`{{(\w+)}}`, target.LegendFormat)}
		}
	}
	return all
}

func found(pattern, text string) (all []string) {
	for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		all = append(all, match[1])
	}
	return all
}

// Each alert says how bad it is, what is wrong, and where there is what to do; and each section of that kind has its alert.
func TestAlertsAreExplained(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(operations)
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]bool{}
	for _, heading := range found(`(?m)^### (Pedidos\w+)$`, string(text)) {
		sections[heading] = true
	}
	for _, r := range rules(t) {
		if severity := r.Labels["severity"]; severity != "critical" && severity != "warning" {
			t.Errorf("%s has the severity %q", r.Alert, severity)
		}
		if r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
			t.Errorf("%s does not say what is wrong", r.Alert)
		}
		if r.Annotations["runbook"] != "docs/operations.md#"+strings.ToLower(r.Alert) || !sections[r.Alert] {
			t.Errorf("%s has the runbook %q, and the document the sections %v", r.Alert, r.Annotations["runbook"], sections)
		}
		delete(sections, r.Alert)
	}
	if len(sections) > 0 {
		t.Errorf("the document has sections that no alert is for: %v", sections)
	}
}

// TestPromtool has Prometheus' own tool read what another parser may take and Prometheus would not.
func TestPromtool(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("promtool"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("promtool, of Debian's package prometheus, is not here")
	}
	folder := t.TempDir()
	var recorded []map[string]string
	for _, p := range panels(t) {
		for _, target := range p.Targets {
			recorded = append(recorded, map[string]string{"record": fmt.Sprintf("panel_%d", p.ID), "expr": grafana.Replace(target.Expr)})
		}
	}
	file, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboard", "rules": recorded}}})
	if err != nil {
		t.Fatal(err)
	}
	promtool(t, folder, "dashboard.yaml", string(file), "check", "rules", "--lint=none")

	alerts, err := os.ReadFile(rulesFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "alerts.yaml"), alerts, 0o600); err != nil {
		t.Fatal(err)
	}
	configs := document.Blocks(document.Section(t, operations, "## Watch"), "yaml")
	if len(configs) != 2 {
		t.Errorf("there are %d examples of a configuration, want two", len(configs))
	}
	for _, config := range configs { // Debian's tool is built without Kubernetes
		config = regexp.MustCompile(`(?s)kubernetes_sd_configs:.*?(\n    relabel_configs:)`).ReplaceAllString(config, "static_configs: [{ targets: [pod:9090] }]$1")
		promtool(t, folder, "prometheus.yaml", config, "check", "config")
	}
}

func promtool(t *testing.T, folder, name, text string, args ...string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "promtool", append(args, name)...)
	command.Dir = folder
	if printed, err := command.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s\n%s", command, err, printed, text)
	}
}

// Each panel asks the data source that is chosen at the top.
func TestDashboard(t *testing.T) {
	t.Parallel()
	seen := map[int]bool{}
	for _, p := range panels(t) {
		if seen[p.ID] {
			t.Errorf("%s has the id of another panel", p.Title)
		}
		seen[p.ID] = true
		if p.Type != "row" && (p.Datasource.UID != "${datasource}" || len(p.Targets) == 0) {
			t.Errorf("%s asks %q for %d expressions", p.Title, p.Datasource.UID, len(p.Targets))
		}
	}
	if len(seen) < 20 {
		t.Errorf("there are %d panels", len(seen))
	}
}
