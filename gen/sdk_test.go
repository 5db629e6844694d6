package pedidos_test

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	pedidos "github.com/pedidos-hq/pedidos/gen"
	"github.com/pedidos-hq/pedidos/gen/customers"
	customersclient "github.com/pedidos-hq/pedidos/gen/customers/client"
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

// TestPrograms runs the program that go doc shows, and the lines of the README, outside of this repository, against the real
// services and with an API key.
func TestPrograms(t *testing.T) {
	t.Parallel()
	customersAPI, ordersAPI := services(t)
	there := strings.NewReplacer("http://localhost:3002", ordersAPI)
	key := newKey(t, customersAPI)

	doc, err := exec.CommandContext(t.Context(), "go", "doc", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	_, program, _ := strings.Cut(string(doc), "\n    package main\n")
	program, _, _ = strings.Cut(program, "\n    }\n")
	program = "package main\n" + strings.ReplaceAll(program, "\n    ", "\n") + "\n}\n"

	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, lines, _ := strings.Cut(string(readme), "\n```go\n")
	lines, _, _ = strings.Cut(lines, "```")
	lines = `package main

import (
	"context"
	"fmt"
	"os"

	pedidos "github.com/pedidos-hq/pedidos/gen"
	"github.com/pedidos-hq/pedidos/gen/orders"
	ordersclient "github.com/pedidos-hq/pedidos/gen/orders/client"
)

func main() {
	ctx := context.Background()
` + lines + `
	_ = err
}
`
	for _, test := range []struct {
		name, program string
		want          *regexp.Regexp
	}{
		{"go doc", program, regexp.MustCompile(`^CREATED then CONFIRMED 259800 cents\n$`)},
		{"README", lines, regexp.MustCompile(`^\d+ 259800\n$`)},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if printed := runOutside(t, there.Replace(test.program), "PEDIDOS_KEY="+key); !test.want.MatchString(printed) {
				t.Errorf("it printed %q, want %s:\n%s", printed, test.want, test.program)
			}
		})
	}
}

// newKey returns an API key that may place orders.
func newKey(t *testing.T, customersAPI string) string {
	t.Helper()
	client := func(token string) *customersclient.ClientWithResponses {
		c, err := customersclient.NewClientWithResponses(customersAPI, customersclient.WithRequestEditorFn(pedidos.Bearer(token)))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	ctx := t.Context()
	login, err := client("").LoginWithResponse(ctx, customers.Credentials{Username: "admin", Password: "pedidos-local"})
	if err != nil {
		t.Fatal(err)
	}
	if login.JSON200 == nil {
		t.Fatalf("log in: %s", login.Body)
	}
	admin := client(login.JSON200.AccessToken)
	integrator, err := admin.CreateIntegratorWithResponse(ctx, nil, customers.IntegratorInput{Name: "ERP", Role: customers.RoleOperator})
	if err != nil {
		t.Fatal(err)
	}
	if integrator.JSON201 == nil {
		t.Fatalf("create an integrator: %s", integrator.Body)
	}
	created, err := admin.CreateKeyWithResponse(ctx, integrator.JSON201.ID, nil, customers.KeyInput{Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	if created.JSON201 == nil || created.JSON201.Key == nil {
		t.Fatalf("create a key: %s", created.Body)
	}
	return *created.JSON201.Key
}

// runOutside runs a program that imports the SDK from another module, and returns what it prints.
func runOutside(t *testing.T, program string, env ...string) string {
	t.Helper()
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
		"go.sum":  string(sums),
		"main.go": program,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := exec.CommandContext(t.Context(), "go", "run", "-mod=mod", ".")
	run.Dir, run.Env = dir, append(append(os.Environ(), "GOWORK=off"), env...)
	out, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, program)
	}
	return string(out)
}

var greeting = regexp.MustCompile(`(?s)customers-api +(\S+) .*orders-api +(\S+) .*my-first-order`)

// services starts the real ones, from the sources beside this module, and returns their base URLs.
func services(t *testing.T) (customersAPI, ordersAPI string) {
	t.Helper()
	dir := t.TempDir()
	binary := filepath.Join(dir, "pedidos")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../services/cmd/pedidos").CombinedOutput(); err != nil {
		t.Fatalf("build pedidos: %v\n%s", err, out)
	}
	up := exec.Command(binary, "up", "--data", filepath.Join(dir, "data"),
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
	printed := ""
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		printed += lines.Text() + "\n"
		if found := greeting.FindStringSubmatch(printed); found != nil {
			go func() { _, _ = io.Copy(io.Discard, stdout) }() // so that it is never blocked on its output
			return found[1], found[2]
		}
	}
	t.Fatalf("pedidos did not come up:\n%s", printed)
	return "", ""
}
