package pedidos_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// An SDK user gets the client and what it needs, and no server.
func TestClientsPullInNoServer(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps",
		"./customers/client", "./orders/client", "./orchestrator/client").CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	for pkg := range strings.Lines(string(out)) {
		for _, server := range []string{"labstack/echo", "kin-openapi", "/server", "go-sql-driver", "sqlite"} {
			if strings.Contains(pkg, server) {
				t.Errorf("the clients pull in %s", strings.TrimSpace(pkg))
			}
		}
	}
}

// A program outside of this repository can import the SDK.
func TestOutsideProgram(t *testing.T) {
	t.Parallel()
	gen, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile("go.sum")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example.com/outside\n\ngo 1.26.0\n\nrequire github.com/pedidos-hq/pedidos/gen v0.0.0\n\n" +
			"replace github.com/pedidos-hq/pedidos/gen => " + gen + "\n",
		"go.sum": string(sums),
		"main.go": `package main

import (
	"fmt"

	"github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/gen/orders/client"
)

func main() {
	_, err := client.NewClientWithResponses("http://localhost:3002")
	fmt.Print(orders.StatusCreated, err)
}
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := exec.CommandContext(t.Context(), "go", "run", "-mod=mod", ".")
	run.Dir, run.Env = dir, append(os.Environ(), "GOWORK=off")
	out, err := run.CombinedOutput()
	if err != nil || string(out) != "CREATED<nil>" {
		t.Errorf("the outside program printed %q, %v", out, err)
	}
}
