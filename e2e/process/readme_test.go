package process

import (
	"context"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/document"
	"github.com/pedidos-hq/pedidos/e2e/program"
)

// The curl lines of the README give what it says they give, on a first start.
func TestReadme(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"bash", "curl", "sed"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not here, so the lines of the README can't be pasted", tool)
		}
	}
	blocks := document.Blocks(document.Section(t, "../../README.md", "## The flow, in curl"), "sh")
	s := program.Up(t, nil, t.TempDir(), program.FreePorts()...)
	script := strings.NewReplacer(
		"http://localhost:3001", s.Customers, "http://localhost:3002", s.Orders, "http://localhost:3003", s.Orchestrator,
	).Replace(strings.Join(blocks, "echo\n"))
	// The README asks to paste the first order twice.
	order := regexp.MustCompile(`(?m)^curl [^\n]*\\\n[^\n]*order-0001[^\n]*\n`).FindString(script)
	script = strings.Replace(script, order, order+"echo\n"+order+"echo\n", 1)

	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	out, err := exec.CommandContext(ctx, "bash", "-euc", script).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, script, out)
	}
	printed := string(out)
	for _, want := range []string{
		`"email":"compras@norte.example"`, `"id":3`, `"sku":"SAW-190"`, `"id":4`,
		`"total_cents":269700`, `"status":"CREATED"`, `"status":"CONFIRMED"`, `"status":"CANCELED"`,
		`"stock":22`, `"success":true`, `"code":"insufficient_stock"`, `"available":20`,
	} {
		if !strings.Contains(printed, want) {
			t.Errorf("the lines did not print %s:\n%s", want, printed)
		}
	}
	again := regexp.MustCompile(`"id":1,[^\n]*"status":"CREATED","total_cents":269700`).FindAllString(printed, -1)
	if order == "" || len(again) != 2 {
		t.Errorf("the first order was answered %d times with the same order, want twice:\n%s", len(again), printed)
	}
}
