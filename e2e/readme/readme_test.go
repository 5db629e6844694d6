// Package readme pastes what README.md tells a newcomer to paste.
package readme

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The curl lines give what the README says they give, on a first start.
func TestFlowInCurl(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"bash", "curl", "sed"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("the README's lines need %s, which is not here", tool)
		}
	}
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, flow, _ := strings.Cut(string(text), "## The flow, in curl")
	flow, _, _ = strings.Cut(flow, "\n## ")
	var lines []string
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(flow, -1) {
		lines = append(lines, block[1])
	}
	script := strings.Join(lines, "echo\n")
	for named, url := range start(t) {
		script = strings.ReplaceAll(script, named, url)
	}
	// The README asks to paste the first order twice.
	order := regexp.MustCompile(`(?m)^curl [^\n]*\\\n[^\n]*order-0001[^\n]*\n`).FindString(script)
	script = strings.Replace(script, order, order+"echo\n"+order+"echo\n", 1)

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
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
			t.Errorf("the lines did not print %s", want)
		}
	}
	if n := len(regexp.MustCompile(`"id":1,[^\n]*"status":"CREATED","total_cents":269700`).FindAllString(printed, -1)); order == "" || n != 2 {
		t.Errorf("the first order was answered %d times with the same order, want twice", n)
	}
	if t.Failed() {
		t.Log(printed)
	}
}

// start runs the README's first command, on free ports, and returns what its URLs are in place of the README's.
func start(t *testing.T) map[string]string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "pedidos")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../services/cmd/pedidos").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	up := exec.Command(binary, "--data", filepath.Join(t.TempDir(), "data"),
		"--customers-port", "0", "--orders-port", "0", "--orchestrator-port", "0")
	stdout, err := up.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := up.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = up.Process.Signal(os.Interrupt)
		_ = up.Wait()
	})
	named := map[string]string{
		"customers-api": "http://localhost:3001", "orders-api": "http://localhost:3002", "orchestrator": "http://localhost:3003",
	}
	urls := map[string]string{}
	lines := bufio.NewScanner(stdout)
	for len(urls) < len(named) && lines.Scan() {
		if words := strings.Fields(lines.Text()); len(words) > 1 && named[words[0]] != "" {
			urls[named[words[0]]] = words[1]
		}
	}
	if len(urls) < len(named) {
		t.Fatal("pedidos did not come up")
	}
	go func() {
		for lines.Scan() { // so that it is never blocked on its output
		}
	}()
	return urls
}
