package process

import (
	"context"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/document"
	"github.com/pedidos-hq/pedidos/e2e/program"
)

// TestReadmeInstall installs `pedidos` with the commands of docs/operations.md.
func TestReadmeInstall(t *testing.T) {
	t.Parallel()
	blocks := document.Blocks(document.Section(t, "../../docs/operations.md", "## Commands"), "sh")
	if len(blocks) == 0 {
		t.Fatal("docs/operations.md does not say how to install pedidos")
	}
	bin := t.TempDir()
	install := exec.CommandContext(t.Context(), "bash", "-euc", blocks[0])
	install.Dir = "../.."
	install.Env = append(os.Environ(), "GOBIN="+bin, "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	if out, err := install.CombinedOutput(); err != nil || !strings.Contains(string(out), "pedidos [command]") {
		t.Errorf("%v\n%s\n%s", err, blocks[0], out)
	}
}

// TestReadme runs the commands that the program prints, and then the curl commands of docs/api.md and the README, twice. Both times
// they must do what the text says. Each section sets the variables that it uses.
func TestReadme(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"bash", "curl", "sed"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	var sections []string
	for _, at := range []struct{ file, section string }{
		{"../../docs/api.md", "## The flow, step by step"}, {"../../docs/api.md", "## Users, roles and API keys"}, {"../../README.md", "## An order, in curl"},
	} {
		blocks := document.Blocks(document.Section(t, at.file, at.section), "sh")
		sections = append(sections, "(\n"+strings.Join(blocks, "echo\n")+")\necho\n")
	}
	s := program.Up(t, nil, t.TempDir(), program.FreePorts()...)
	flow := strings.NewReplacer(
		"http://localhost:3001", s.Customers, "http://localhost:3002", s.Orders, "http://localhost:3003", s.Orchestrator,
	).Replace(strings.Join(sections, ""))
	// docs/api.md asks the reader to send the order of the flow twice.
	order := regexp.MustCompile(`(?m)^ORDER=[^\n]*\\\n[^\n]*\n`).FindString(flow)
	if order == "" {
		t.Fatalf("the commands place no order:\n%s", flow)
	}
	flow = strings.Replace(flow, order, order+"echo\n"+order+"echo\n", 1)
	const mark = "== the README\n"
	flow = "echo -n '" + mark + "'\n" + flow

	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	out, err := exec.CommandContext(ctx, "bash", "-euc", "(\n"+s.Script+")\n"+flow+flow).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	parts := strings.Split(string(out), mark)
	if len(parts) != 3 || !strings.Contains(parts[0], `"success":true`) {
		t.Fatalf("got %d parts, want the order of the greeting and the commands twice:\n%s", len(parts), out)
	}
	for _, printed := range parts[1:] {
		for _, want := range []string{
			`"email":"compras-`, `"sku":"SAW-`, `"total_cents":269700`, `"total_cents":449500`,
			`"status":"CREATED"`, `"status":"CONFIRMED"`, `"status":"CANCELED"`,
			`"stock":22`, `"success":true`, `"code":"insufficient_stock"`, `"available":20`,
			`"role":"operator"`, `"total_cents":129900`, `"access_token":"`,
		} {
			if !strings.Contains(printed, want) {
				t.Errorf("the lines did not print %s:\n%s", want, printed)
			}
		}
		placed := regexp.MustCompile(`(?m)^.*"id":(\d+),.*"status":"CREATED","total_cents":269700.*$`).FindAllStringSubmatch(printed, -1)
		if len(placed) != 2 || placed[0][0] != placed[1][0] {
			t.Fatalf("the first order was answered with %q, want the same bytes twice:\n%s", placed, printed)
		}
		for _, want := range []string{
			`"id":` + placed[0][1] + `,.*"status":"CONFIRMED","total_cents":269700`, // the first order of this round
			`"status":"CANCELED","total_cents":449500`,
		} {
			if !regexp.MustCompile(want).MatchString(printed) {
				t.Errorf("the lines did not print %s:\n%s", want, printed)
			}
		}
	}
}
