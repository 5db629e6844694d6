package faults

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The mutations show that the tests detect the faults they are written for. TestMutations builds the executable with each
// mutation and expects the named tests to report it. On the unchanged executable, these tests must pass.
//
//	go test ./e2e/faults -count=1 -run TestMutations -args -mutations
//
// A mutation fails if the source no longer contains its old text; update it then.
var mutate = flag.Bool("mutations", false, "check that the tests detect faults built into the product")

// mutation is a fault in the product.
type mutation struct {
	name  string
	file  string
	edits []edit
	seen  map[string]string // from tests, as patterns for -run, to texts in their output
	slow  bool              // needs -long, because each test starts a group of MySQL servers
}

// edit replaces a text that occurs exactly once in the file.
type edit struct{ old, new string }

func mutations() []mutation {
	const (
		group    = "services/platform/database/group.go"
		pipeline = "services/platform/idempotency/pipeline.go"
		orders   = "services/orders/orders.go"
		products = "gen/ordersdb/products.sql.go"
		keyring  = "services/platform/keyring/keyring.go"
	)
	return []mutation{
		{
			name: "the key is claimed outside of the transaction", file: pipeline,
			edits: []edit{{
				"if err := o.keeper.claim(ctx, conn, claims); err != nil {",
				"if err := o.keeper.db.Tx(ctx, func(own database.Conn) error { return o.keeper.claim(ctx, own, claims) }); err != nil {",
			}},
			seen: map[string]string{
				lostCase("create, COMMIT"): `: 500 {"code":"internal"`,
				"^TestNetwork$":            "violation: request ",
				"^TestCrash$":              "violation: request ",
			},
		},
		{
			name: "the answer is kept outside of the transaction", file: pipeline,
			edits: []edit{
				{"return o.keeper.keep(ctx, conn, claims)", "return nil"},
				{"\t\terr = o.alone(ctx, c)\n\t}\n", "\t\terr = o.alone(ctx, c)\n\t}\n" + `
	if err == nil && c.key != "" && c.stored == nil {
		err = k.db.Tx(ctx, func(own database.Conn) error { return k.keep(ctx, own, []*claim{&c.claim}) })
	}
`},
			},
			seen: map[string]string{lostCase("create, COMMIT's answer"): `: 500 {"code":"internal"`},
		},
		{
			name: "COMMIT is taken to have succeeded", file: "services/platform/database/database.go",
			edits: []edit{{"commit(ctx, conn, conn.later); err != nil {", "commit(ctx, conn, conn.later); false {"}},
			seen: map[string]string{
				lostCase("create, COMMIT"): "want 503 with Retry-After",
				"^TestNetwork$":            "violation: request ",
			},
		},
		{
			name: "a failed COMMIT is repeated", file: "services/platform/database/database.go",
			edits: []edit{{"(!OutcomeUnknown(err) || errors.Is(err, errReadOnly))", "true"}},
			seen:  map[string]string{"^TestSeveralServers$": "violation: there are 2 orders, want 1"},
		},
		{
			name: "a server outside of its group is believed to have rolled back", file: group,
			edits: []edit{{`failed != nil || seen.offline || seen.role == "" || !seen.majority()`, "failed != nil || seen.offline"}},
			seen:  map[string]string{"^TestSeveralServers$": "violation: "},
		},
		{
			name: "connections to a server that has become read-only are kept", file: group,
			edits: []edit{{"if time.Since(g.began) > time.Second {", "if false {"}},
			seen:  map[string]string{"^TestGroup$/^one_address$": "waited a minute for: the services leave the previous primary"},
			slow:  true,
		},
		{
			name: "connections to the previous primary are kept", file: group,
			edits: []edit{{"\t\tlast.retired.Store(true)\n\t\tif last.server != server {", "\t\tif false {"}, {"\t\t\tconn.of.retired.Store(true)\n", ""}},
			seen:  map[string]string{"^TestGroup$/^faults$/^switchover": "waited a minute for: the services leave the previous primary"},
			slow:  true,
		},
		{
			name: "a secondary answers before it has applied what was committed", file: "services/platform/database/mysql.go",
			edits: []edit{{`"'BEFORE'"`, `"'EVENTUAL'"`}},
			seen:  map[string]string{"^TestGroup$/^read_your_writes$": "violation: the list after order "},
			slow:  true,
		},
		{
			name: "the products of an order are not locked", file: products,
			edits: []edit{{"ORDER BY id\nFOR UPDATE\n", "ORDER BY id\n"}},
			seen:  map[string]string{"^TestRaces$/^the_last_units$": "violation: "},
		},
		{
			name: "an order is not locked", file: "gen/ordersdb/orders.sql.go",
			edits: []edit{{"ORDER BY id\nFOR UPDATE\n", "ORDER BY id\n"}},
			seen:  map[string]string{"^TestRaces$/^confirm_or_cancel$": "violation: "},
		},
		{
			name: "calls of one batch get each other's answers", file: pipeline,
			edits: []edit{{"open[i].answer, err = o.encode(result.Value)", "open[len(open)-1-i].answer, err = o.encode(result.Value)"}},
			seen:  map[string]string{"^TestCrash$": "violation: "},
		},
		{
			name: "the orchestrator's keys are random", file: "services/orchestrator/orchestrator.go",
			edits: []edit{{`return "create-and-confirm." + step + "." + digest(step, callerKey)`, `return "create-and-confirm." + step + "." + fmt.Sprintf("%p", new(int))`}},
			seen:  map[string]string{lostCase("orchestrator, the answer"): "violation: there are 2 orders"},
		},
		{
			name: "cancel gives the stock back twice", file: products,
			edits: []edit{{"SET stock = stock + (", "SET stock = stock + 2 * ("}},
			seen:  map[string]string{lostCase("cancel, the answer"): "violation: 103 are in stock, want 100"},
		},
		{
			name: "cancel does not give the stock back", file: products,
			edits: []edit{{"SET stock = stock + (", "SET stock = stock + 0 * ("}},
			seen:  map[string]string{lostCase("cancel, the answer"): "violation: 97 are in stock, want 100"},
		},
		{
			name: "confirm is not idempotent", file: orders,
			edits: []edit{{"\t\tcase c.changes:\n", "\t\tdefault:\n"}},
			seen:  map[string]string{lostCase("confirm, the answer"): "violation: under another key it is"},
		},
		{
			name: "cancel is not idempotent", file: orders,
			edits: []edit{{"\tcase api.StatusCanceled:\n\t\treturn *o, nil\n", ""}},
			seen:  map[string]string{lostCase("cancel, the answer"): "violation: under another key it is"},
		},
		{
			name: "the answer of a new API key is stored with the key", file: "services/identity/api.go",
			edits: []edit{{"createdKey(row, nil)", "createdKey(row, &row.Name)"}},
			seen:  map[string]string{"^TestLostSecret$/^create_key,_the_answer$": "violation: "},
		},
		{
			name: "the answer of a new user is stored with the setup token", file: "services/identity/api.go",
			edits: []edit{{"createdUser(row, nil)", "createdUser(row, &row.Name)"}},
			seen:  map[string]string{"^TestLostSecret$/^create_user,_COMMIT's_answer$": "violation: "},
		},
		{
			name: "the caller is the API key instead of the integrator", file: keyring,
			edits: []edit{{`Name: fmt.Sprintf("integrator:%d", key.IntegratorID)`, `Name: fmt.Sprintf("key:%d", key.ID)`}},
			seen: map[string]string{
				"^TestKeyRotatedBetweenRetries$/^cases$/^place$": "want a replay",
				"^TestKeysRotatedUnderLoad$":                     "violation: ",
			},
		},
		{
			name: "an API key is remembered for an hour", file: keyring,
			edits: []edit{{"fresh   = 5 * time.Second", "fresh   = time.Hour"}, {"stale   = 5 * time.Minute", "stale   = time.Hour"}},
			seen:  map[string]string{"^TestRevokedUnderLoad$": "violation: got "},
		},
		{
			name: "a disabled user can log in", file: "services/identity/passwords.go",
			edits: []edit{{"row.PasswordHash != nil && row.State == string(api.StateActive)", "row.PasswordHash != nil"}},
			seen:  map[string]string{"^TestUserDisabledUnderLoad$": "want 401"},
		},
	}
}

func lostCase(name string) string {
	return "^TestLostAnswer$/^cases$/^" + strings.ReplaceAll(name, " ", "_") + "$"
}

func TestMutations(t *testing.T) {
	if !*mutate {
		t.Skip("needs -args -mutations, and takes several minutes")
	}
	unchanged := buildWith(t, "", nil)
	checked := map[string]bool{}
	for _, m := range mutations() {
		if m.slow && !*long {
			continue
		}
		for test := range m.seen {
			if checked[test] || !strings.Contains(test, "/") || m.slow { // whole tests run without the mutations anyway
				continue
			}
			checked[test] = true
			t.Run("none/"+test, func(t *testing.T) {
				t.Parallel()
				if printed, err := runOn(t, unchanged, test); err != nil {
					t.Errorf("%v\n%s", err, printed)
				}
			})
		}
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			mutant := buildWith(t, m.file, m.edits)
			for test, report := range m.seen {
				printed, err := runOn(t, mutant, test)
				switch {
				case err == nil:
					t.Errorf("%s does not detect it", test)
				case !strings.Contains(printed, report):
					t.Errorf("%s ends in %v, but does not report %q:\n%s", test, err, report, printed)
				default:
					t.Logf("detected by %s: %s", test, lineWith(printed, report))
				}
			}
		})
	}
}

// buildWith builds the executable with the edits in a source file, or unchanged if file is "".
func buildWith(t *testing.T, file string, edits []edit) (binary string) {
	t.Helper()
	folder := t.TempDir()
	binary = filepath.Join(folder, "pedidos")
	args := []string{"build", "-buildvcs=false", "-o", binary}
	if file != "" {
		args = append(args, "-overlay", overlay(t, folder, file, edits))
	}
	build := exec.CommandContext(t.Context(), "go", append(args, "github.com/pedidos-hq/pedidos/services/cmd/pedidos")...)
	if printed, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", build, err, printed)
	}
	return binary
}

// overlay writes an overlay for go build that replaces the file by its edited copy.
func overlay(t *testing.T, folder, file string, edits []edit) (path string) {
	t.Helper()
	original, err := filepath.Abs(filepath.Join("..", "..", filepath.FromSlash(file)))
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(original)
	if err != nil {
		t.Fatal(err)
	}
	text := string(source)
	for _, e := range edits {
		if n := strings.Count(text, e.old); n != 1 {
			t.Fatalf("%s contains this text %d times, want once:\n%s", file, n, e.old)
		}
		text = strings.Replace(text, e.old, e.new, 1)
	}
	mutant := filepath.Join(folder, "mutant.go")
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{original: mutant}})
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(folder, "overlay.json")
	for name, content := range map[string][]byte{mutant: []byte(text), path: replace} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// runOn runs a test of this package on an executable, in another process. It returns an error if the test fails.
func runOn(t *testing.T, binary, test string) (printed string, failed error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	child := exec.CommandContext(ctx, os.Args[0], "-test.run="+test, "-test.v", "-test.count=1", "-binary="+binary, fmt.Sprintf("-seed=%d", *seed))
	output, err := child.CombinedOutput()
	printed = string(output)
	switch {
	case ctx.Err() != nil:
		t.Fatalf("%s did not end\n%s", child, printed)
	case !strings.Contains(printed, "\n--- FAIL: ") && !strings.Contains(printed, "\n--- PASS: "), strings.Contains(printed, "--- SKIP: "):
		t.Fatalf("%s ran no test: %v\n%s", child, err, printed)
	}
	return printed, err
}

// lineWith returns the first line that contains text.
func lineWith(printed, text string) string {
	for line := range strings.Lines(printed) {
		if strings.Contains(line, text) {
			return strings.TrimSpace(line)
		}
	}
	return ""
}
