// Package metrics checks that deploy/prometheus and deploy/grafana use only metrics and labels that the services export.
//
// Run it with -count=1: Go's test cache does not notice that the executable has changed.
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

// TestNames runs the services, sends requests that produce every metric, and checks the names in the rules and the dashboard.
// Counters must exist from the start: if a counter appears only with its first count, Prometheus sees no increase.
func TestNames(t *testing.T) {
	t.Parallel()
	started, after := run(t)
	for _, series := range []string{
		`pedidos_requests_total{service="backoffice",operation="home",status="303"}`,
		`pedidos_upstream_tries_total{upstream="backoffice-customers",outcome="answered"}`,
		`pedidos_upstream_breaker_state{upstream="backoffice-orders"}`, `pedidos_upstream_breaker_state{upstream="backoffice-orchestrator"}`,
	} {
		for _, fault := range after.check(series) {
			t.Error(fault)
		}
	}
	for where, expr := range expressions(t) {
		for _, fault := range after.check(expr.text, expr.shown...) {
			t.Errorf("%s: %s", where, fault)
		}
		e, err := metricsql.Parse(expr.text)
		if err != nil {
			continue // check has reported it
		}
		metricsql.VisitAll(e, func(e metricsql.Expr) {
			m, ok := e.(*metricsql.MetricExpr)
			if !ok {
				return
			}
			name := m.LabelFilterss[0][0].Value
			if !strings.HasSuffix(name, "_total") || name == "pedidos_requests_total" { // it has too many combinations of labels
				return
			}
			for _, fault := range started.check(string(m.AppendString(nil))) {
				t.Errorf("%s: at the start, %s", where, fault)
			}
		})
	}
}

// run returns the series of all services at the start, and after requests that produce every metric.
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
	_, backofficeURL := serve("backoffice", "CUSTOMERS_API_BASE="+customersURL, "ORDERS_API_BASE="+ordersURL, "ORCHESTRATOR_API_BASE="+orchestratorURL)
	program.AwaitReady(t, customersURL, ordersURL, orchestratorURL, backofficeURL)
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
	call.Send(t, call.URLs{}.Browser(t), http.MethodGet, backofficeURL+"/", nil).Want(t, http.StatusSeeOther)
	c.CreateAndConfirm(t, "at-once", buyer, product, 1)
	place("key", buyer, 1, http.StatusCreated)
	place("key", buyer, 1, http.StatusCreated) // replayed
	place("key", buyer, 2, http.StatusUnprocessableEntity)
	place("short", buyer, 1000, http.StatusConflict)
	after.add(t, page(t, admin["customers"]), "customers")
	c.HangUp()
	customersAPI.Interrupt(t)
	place("unknown", buyer+1, 1, http.StatusServiceUnavailable) // customers-api is down
	for _, service := range []string{"orders", "orchestrator", "backoffice"} {
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

// panel is a panel of the dashboard.
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

// expression is a PromQL expression, and the labels of its result that a legend or an annotation shows.
type expression struct {
	text  string
	shown []string
}

// grafana replaces the variables that Grafana fills in.
var grafana = strings.NewReplacer("$service", ".*", "$__rate_interval", "5m")

// expressions returns the expressions of the rules and the dashboard by alert, or by panel and target.
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

// TestAlertsAreExplained checks that each alert has a severity, a description and a section in docs/operations.md, and that
// each such section has an alert.
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
			t.Errorf("%s has no summary or no description", r.Alert)
		}
		if r.Annotations["runbook"] != "docs/operations.md#"+strings.ToLower(r.Alert) || !sections[r.Alert] {
			t.Errorf("%s has the runbook %q; the document has the sections %v", r.Alert, r.Annotations["runbook"], sections)
		}
		delete(sections, r.Alert)
	}
	if len(sections) > 0 {
		t.Errorf("the document has sections without an alert: %v", sections)
	}
}

// TestPromtool checks the files with Prometheus' own tool, as Prometheus may refuse what the other parser accepts.
func TestPromtool(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("promtool"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("promtool, of Debian's package prometheus, is not installed")
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
		t.Errorf("the document has %d example configurations, want 2", len(configs))
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

// TestDashboard checks that the panels have unique IDs and expressions, and use the data source that the user selects.
func TestDashboard(t *testing.T) {
	t.Parallel()
	seen := map[int]bool{}
	for _, p := range panels(t) {
		if seen[p.ID] {
			t.Errorf("%s has the ID of another panel", p.Title)
		}
		seen[p.ID] = true
		if p.Type != "row" && (p.Datasource.UID != "${datasource}" || len(p.Targets) == 0) {
			t.Errorf("%s has the data source %q and %d expressions", p.Title, p.Datasource.UID, len(p.Targets))
		}
	}
	if len(seen) < 20 {
		t.Errorf("the dashboard has %d panels, want 20 at least", len(seen))
	}
}
