package contracts

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/pedidos-hq/pedidos/gen/contract"
)

// released is the folder with the contracts of the last release. `task contracts:release` writes it.
const released = "../../api/released"

// TestBreaking compares the contracts of the services with those of the last release: a client of that release, and a service of it during an
// upgrade, must still be understood. It also checks that the comparison finds planted changes.
func TestBreaking(t *testing.T) {
	t.Parallel()
	oasdiff := filepath.Join(t.TempDir(), "oasdiff")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", oasdiff, "github.com/oasdiff/oasdiff")
	build.Dir, build.Env = "../../tools", append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", build, err, said)
	}
	// compare returns what is broken between a file and a contract, or "".
	compare := func(t *testing.T, before string, now []byte) string {
		t.Helper()
		file := filepath.Join(t.TempDir(), "now.json")
		if err := os.WriteFile(file, now, 0o600); err != nil {
			t.Fatal(err)
		}
		c := exec.CommandContext(t.Context(), oasdiff, "breaking", "--fail-on=WARN", "--color=never", before, file)
		said, err := c.CombinedOutput()
		if failed := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &failed) || failed.ExitCode() != 1) {
			t.Fatalf("%s: %v\n%s", c, err, said)
		}
		if err == nil {
			return ""
		}
		return string(said)
	}
	for name, document := range map[string][]byte{"customers": contract.Customers, "orders": contract.Orders, "orchestrator": contract.Orchestrator} {
		if broken := compare(t, filepath.Join(released, name+".json"), document); broken != "" {
			t.Errorf("the contract %s breaks clients of the last release:\n%s", name, broken)
		}
	}
	orders := filepath.Join(t.TempDir(), "orders.json")
	if err := os.WriteFile(orders, contract.Orders, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, old, new string }{
		{"a path is gone", `"/orders/{id}/history"`, `"/orders/{id}/events"`},
		{"a field of a response is gone", `"total_cents": {`, `"total": {`},
		{"a field of a request is gone", `"reorder_level": {`, `"level": {`},
		{"a lower maximum", `"maximum": 100000000000`, `"maximum": 1000`},
		{"a new value of a status", `"CANCELED"`, `"ENDED"`},
	} {
		planted := bytes.ReplaceAll(contract.Orders, []byte(test.old), []byte(test.new))
		if bytes.Equal(planted, contract.Orders) || compare(t, orders, planted) == "" {
			t.Errorf("%s: %s for %s is not found", test.name, test.new, test.old)
		}
	}
}

// TestOneValidator checks that all modules read contracts with the same version of kin-openapi.
func TestOneValidator(t *testing.T) {
	t.Parallel()
	modules, err := filepath.Glob("../../*/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	versions := map[string]string{}
	for _, file := range append(modules, "../../deploy/check/go.mod") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if found := regexp.MustCompile(`(?m)^\s*(?:require )?github\.com/getkin/kin-openapi (\S+)`).FindSubmatch(text); found != nil {
			versions[file] = string(found[1])
		}
	}
	if len(versions) < 4 {
		t.Errorf("found only %v, want services, e2e, tools and deploy/check", versions)
	}
	for file, version := range versions {
		if version != versions["../../services/go.mod"] {
			t.Errorf("%s has kin-openapi %s, services has %s", file, version, versions["../../services/go.mod"])
		}
	}
}
