package scenario_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/bench/scenario"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/services/sample"
)

// Each operation of the API succeeds.
func TestScenarios(t *testing.T) {
	t.Parallel()
	w := world.New(t, world.Options{Backoffice: true})
	admin := w.Login("admin")
	until := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 25 {
		admin.CreateProduct(t, fmt.Sprintf("SKU-%d", i), 100, 1_000_000)
	}
	if err := sample.Generate(t.Context(), w.DB, sample.Size{Customers: 5, Orders: 250}, until, 1, func(string, int, int) {}); err != nil {
		t.Fatal(err)
	}
	shop := &scenario.Shop{
		Customers: w.CustomersURL, Orders: w.OrdersURL, Orchestrator: w.OrchestratorURL,
		Backoffice: w.BackofficeURL,
		Bare:       w.OrdersURL, // which gives the same answers
		Until:      until,
		User:       "admin", Password: world.AdminPassword, Depth: 200,
	}
	for _, s := range scenario.All() {
		if strings.HasPrefix(s.Name, "floor/") { // tested in package floor
			continue
		}
		before := w.Metric(`pedidos_customer_cache_total{outcome="hit"}`) + w.Metric(`pedidos_customer_cache_total{outcome="miss"}`)
		const clients, times = 2, 10
		load, err := s.Start(t.Context(), shop, clients, 1)
		if err != nil {
			t.Error(err)
			continue
		}
		for range times {
			for _, operation := range load.Operations {
				if err := operation(); err != nil {
					t.Errorf("%s: %v", s.Name, err)
				}
			}
		}
		load.Close()
		// Each order looks its customer up once.
		placed := w.Metric(`pedidos_customer_cache_total{outcome="hit"}`) + w.Metric(`pedidos_customer_cache_total{outcome="miss"}`) - before
		if s.Places && placed != clients*times {
			t.Errorf("%s placed %v orders, want %d", s.Name, placed, clients*times)
		}
	}
}

func TestFailuresAreTold(t *testing.T) {
	t.Parallel()
	w := world.New(t, world.Options{})
	admin := w.Login("admin")
	admin.CreateCustomer(t, "compras@norte.example")
	admin.CreateProduct(t, "SAW-190", 100, 20)
	shop := &scenario.Shop{Customers: w.CustomersURL, Orders: w.OrdersURL, Orchestrator: w.OrchestratorURL, User: "admin", Password: world.AdminPassword}
	for _, test := range []struct{ scenario, want string }{
		{"create-1", "409 insufficient_stock"},
		{"orchestrated", "409 insufficient_stock"},
	} {
		load, err := one(t, test.scenario).Start(t.Context(), shop, 1, 1)
		if err != nil {
			t.Fatal(err)
		}
		defer load.Close()
		for range 21 { // there are 20 units, and each order takes at least one
			if err = load.Operations[0](); err != nil {
				break
			}
		}
		if fmt.Sprint(err) != test.want {
			t.Errorf("%s: %v, want %s", test.scenario, err, test.want)
		}
	}
	if _, err := one(t, "create-5").Start(t.Context(), shop, 1, 1); err == nil {
		t.Error("orders of five lines are made of one product")
	}
	if _, err := one(t, "depth").Start(t.Context(), shop, 1, 1); err == nil {
		t.Error("there is a page at depth where there are no orders")
	}
}

func one(t *testing.T, name string) scenario.Scenario {
	t.Helper()
	for _, s := range scenario.All() {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("there is no scenario %s", name)
	return scenario.Scenario{}
}

// Select includes the scenario that each is compared with, and puts it first, as the table needs it.
func TestSelect(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string][]string{
		"^replay$":       {"floor/create-1", "create-1", "replay"},
		"^orchestrated$": {"floor/create-confirm", "orchestrated"},
		"depth|login":    {"list", "depth", "login"},
		"nothing":        nil,
	} {
		var got []string
		for _, s := range scenario.Select(regexp.MustCompile(pattern)) {
			got = append(got, s.Name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s selects %v, want %v", pattern, got, want)
		}
	}
	seen := map[string]bool{"": true}
	for _, s := range scenario.All() {
		if !seen[s.Against] {
			t.Errorf("%s comes before %s, which it is compared with", s.Name, s.Against)
		}
		seen[s.Name] = true
	}
}
