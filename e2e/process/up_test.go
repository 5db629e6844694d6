package process

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/program"
	"github.com/pedidos-hq/pedidos/gen/orchestrator"
	"github.com/pedidos-hq/pedidos/gen/orders"
)

func TestUp(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "new", "data")

	first := program.Up(t, nil, folder, program.FreePorts()...)
	token, sold := runGreeting(t, first.Script)
	first.Interrupt(t)
	if !strings.HasSuffix(first.Stdout.String(), "\nPedidos has stopped. The data is kept.\n") {
		t.Errorf("the last line is missing:\n%s", first.Stdout)
	}

	second := program.Up(t, nil, folder, program.FreePorts()...)
	c := second.Client(t, token) // the stored secret is reused, so the token is still valid
	history := c.AllOrders(t, 0)
	if len(history) != 1 || history[0].ID != sold.ID || history[0].Status != orders.StatusConfirmed || history[0].TotalCents != sold.TotalCents {
		t.Errorf("after a restart the orders are %+v, want order %d", history, sold.ID)
	}
	if stock := c.GetProduct(t, 1).Stock; stock != 48 {
		t.Errorf("after a restart %d drills are in stock, want 48", stock)
	}
	second.Interrupt(t)

	third := program.Up(t, nil, folder, append(program.FreePorts(), "--reset")...)
	c = third.Login(t, call.LocalPassword)
	if history := c.AllOrders(t, 0); len(history) != 0 {
		t.Errorf("after --reset there are %d orders, want none", len(history))
	}
	if stock := c.GetProduct(t, 1).Stock; stock != 50 {
		t.Errorf("after --reset %d drills are in stock, want the 50 of the sample", stock)
	}
	third.Interrupt(t)
}

// runGreeting runs the commands of the greeting and returns the token and the order that they get.
func runGreeting(t *testing.T, script string) (token string, sold orchestrator.ConfirmedOrder) {
	t.Helper()
	for _, tool := range []string{"bash", "curl", "sed"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	lines := strings.SplitAfter(strings.TrimSuffix(script, "\n"), "\n")
	if len(lines) != 5 {
		t.Fatalf("the greeting has %d commands, want 5:\n%s", len(lines), script)
	}
	lines[0] += "echo $TOKEN\n"
	pasted := strings.Join(lines, "") + " -w '%{http_code}'"
	printed, err := exec.CommandContext(t.Context(), "bash", "-c", pasted).Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, printed)
	}
	answers := strings.Split(string(printed), "\n")
	if len(answers) != 4 || answers[3] != "201" {
		t.Fatalf("want a token, products, an order and 201:\n%s", printed)
	}

	var products orders.ProductPage
	if err := json.Unmarshal([]byte(answers[1]), &products); err != nil {
		t.Fatal(err)
	}
	var skus []string
	for _, p := range products.Data {
		skus = append(skus, p.SKU)
	}
	if !slices.Equal(skus, []string{"DRILL-18V", "HAMMER-16", "SCREWS-BOX"}) {
		t.Errorf("the catalogue holds %v, want the sample", skus)
	}
	var confirmed orchestrator.Confirmed
	if err := json.Unmarshal([]byte(answers[2]), &confirmed); err != nil {
		t.Fatal(err)
	}
	if !confirmed.Success || confirmed.Data.Order.TotalCents != 2*129900 {
		t.Errorf("the order is %s", answers[2])
	}
	return answers[0], confirmed.Data.Order
}

// TestUpWithoutSeed also omits the command, as up is the default.
func TestUpWithoutSeed(t *testing.T) {
	t.Parallel()
	p := program.Start(t, []string{"DATA_DIR=" + t.TempDir()}, append(program.FreePorts(), "--no-seed")...)
	found := p.AwaitMatch(t, p.Stdout, program.Greeting)
	c := call.URLs{Customers: found[2], Orders: found[3], Orchestrator: found[4]}.Login(t, call.LocalPassword)
	if products := c.Catalogue(t); len(products) != 0 {
		t.Errorf("the catalogue holds %+v, want no products", products)
	}
	if script := found[5]; strings.Contains(script, "my-first-order") {
		t.Errorf("the greeting places an order, but there are no products:\n%s", script)
	}
	p.Interrupt(t)
}

// TestUpWithEmptySecretFile starts with an empty secret file, as a crash can leave it.
func TestUpWithEmptySecretFile(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := filepath.Join(folder, "signing-secret")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	program.Up(t, nil, folder, program.FreePorts()...).Login(t, call.LocalPassword)
	if kept, err := os.ReadFile(file); err != nil || len(kept) < 32 {
		t.Errorf("the stored secret has %d bytes, %v, want 32 at least", len(kept), err)
	}
}
