// Package contracts checks the contracts themselves: with the linters Spectral and Redocly, for changes that break clients of the last
// release, and the contract of the front door against those of the services.
package contracts

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/pedidos-hq/pedidos/e2e/npm"
	"github.com/pedidos-hq/pedidos/gen/contract"
)

// The versions of the linters.
const (
	spectral = "@stoplight/spectral-cli@6.16.3"
	owasp    = "@stoplight/spectral-owasp-ruleset@2.0.1"
	redocly  = "@redocly/cli@2.77.0"
)

// exceptions has the findings that are right as they are, with their reasons.
const exceptions = "../../api/exceptions.yaml"

// documents returns the contracts by name.
func documents() map[string][]byte {
	return map[string][]byte{
		"customers": contract.Customers, "orders": contract.Orders, "orchestrator": contract.Orchestrator, "public": contract.Public,
	}
}

// finding is what a linter reports about a place in a contract.
type finding struct{ linter, document, rule, at, message string }

func (f finding) String() string {
	return fmt.Sprintf("%s: %s: %s: %s: %s", f.linter, f.rule, f.document, f.at, f.message)
}

// exception says why findings of a rule are right as they are. At is a regular expression for the place, with the names on the way to it
// separated by blanks, and matches all of it.
type exception struct {
	Rule, At, Reason string

	place *regexp.Regexp
	used  bool
}

func readExceptions(t *testing.T) map[string][]*exception {
	t.Helper()
	text, err := os.ReadFile(exceptions)
	if err != nil {
		t.Fatal(err)
	}
	var all map[string][]*exception
	if err := yaml.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	for linter, list := range all {
		for _, e := range list {
			if e.Rule == "" || e.At == "" || e.Reason == "" {
				t.Errorf("%s: %s: %+v needs rule, at and reason", exceptions, linter, *e)
			}
			if e.place, err = regexp.Compile("^(" + e.At + ")$"); err != nil {
				t.Fatalf("%s: %v", exceptions, err)
			}
		}
	}
	return all
}

// linters returns a function for each linter. It reports everything that the linter, with all of its rules, finds in a document.
func linters(t *testing.T) map[string]func(t *testing.T, name string, document []byte) []finding {
	t.Helper()
	folder := npm.Install(t, spectral, owasp, redocly)
	rules := filepath.Join(folder, "rules.yaml")
	if err := os.WriteFile(rules, []byte("extends: [[spectral:oas, all], ['@stoplight/spectral-owasp-ruleset', all]]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// lint runs a linter on a document and decodes its report. A linter exits with 1 if it finds something.
	lint := func(t *testing.T, document []byte, report any, name string, args ...string) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "openapi.json")
		if err := os.WriteFile(file, document, 0o600); err != nil {
			t.Fatal(err)
		}
		c := exec.CommandContext(t.Context(), filepath.Join(folder, "node_modules/.bin", name), append(args, file)...)
		c.Dir, c.Env = folder, append(os.Environ(), "REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true")
		var said bytes.Buffer
		c.Stderr = &said
		out, err := c.Output()
		if failed := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &failed) || failed.ExitCode() != 1) {
			t.Fatalf("%s: %v\n%s", c, err, said.String())
		}
		if err := json.Unmarshal(out, report); err != nil {
			t.Fatalf("%s: %v\n%s%s", c, err, out, said.String())
		}
	}
	return map[string]func(*testing.T, string, []byte) []finding{
		"spectral": func(t *testing.T, name string, document []byte) (all []finding) {
			t.Helper()
			var report []struct {
				Code, Message string
				Path          []any
			}
			lint(t, document, &report, "spectral", "lint", "--quiet", "--format=json", "--ruleset="+rules)
			for _, r := range report {
				all = append(all, finding{"spectral", name, r.Code, strings.Trim(fmt.Sprint(r.Path), "[]"), r.Message})
			}
			return all
		},
		"redocly": func(t *testing.T, name string, document []byte) (all []finding) {
			t.Helper()
			var report struct {
				Problems []struct {
					RuleID, Message string
					Location        []struct{ Pointer string }
				}
			}
			lint(t, document, &report, "redocly", "lint", "--extends=recommended-strict", "--format=json", "--max-problems=10000")
			for _, r := range report.Problems {
				parts := strings.Split(strings.TrimPrefix(r.Location[0].Pointer, "#/"), "/")
				for i, part := range parts {
					parts[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
				}
				all = append(all, finding{"redocly", name, r.RuleID, strings.Join(parts, " "), r.Message})
			}
			return all
		},
	}
}

// TestLint runs the linters on the contracts. Each finding needs an exception, and each exception a finding.
func TestLint(t *testing.T) {
	t.Parallel()
	for linter, run := range linters(t) {
		t.Run(linter, func(t *testing.T) {
			t.Parallel()
			excepted := readExceptions(t)[linter]
			counts := map[string]int{}
			for name, document := range documents() {
				for _, f := range run(t, name, document) {
					counts[f.rule]++
					i := slices.IndexFunc(excepted, func(e *exception) bool { return e.Rule == f.rule && e.place.MatchString(f.at) })
					if i < 0 {
						t.Error(f)
						continue
					}
					excepted[i].used = true
				}
			}
			for _, rule := range slices.Sorted(maps.Keys(counts)) {
				t.Logf("%4d %s", counts[rule], rule)
			}
			for _, e := range excepted {
				if !e.used {
					t.Errorf("%s: %s: nothing is found at %s any more", exceptions, e.Rule, e.At)
				}
			}
			checkFinds(t, linter, run)
		})
	}
}

// checkFinds plants faults in a contract that a linter must find.
func checkFinds(t *testing.T, linter string, run func(*testing.T, string, []byte) []finding) {
	t.Helper()
	planted := contract.Orders
	faults := map[string][]struct{ rule, old, new string }{
		"spectral": {
			{"owasp:api4:2023-rate-limit-responses-429", `"429": {`, `"430": {`},
			{"owasp:api4:2023-string-limit", `"maxLength": 514,`, ``},
			{"operation-description", `"description": "Returns an order with its lines, ordered by product id.",`, ``},
		},
		"redocly": {
			{"operation-operationId-unique", `"operationId": "getOrder"`, `"operationId": "listOrders"`},
			{"no-unresolved-refs", `"#/components/schemas/OrderInput"`, `"#/components/schemas/NoSuchInput"`},
			{"no-invalid-schema-examples", `"example": "DRILL-18V"`, `"example": "?"`},
		},
	}[linter]
	for _, fault := range faults {
		if !bytes.Contains(planted, []byte(fault.old)) {
			t.Errorf("%s: the contract has no %s", fault.rule, fault.old)
		}
		planted = bytes.ReplaceAll(planted, []byte(fault.old), []byte(fault.new))
	}
	before, after := run(t, "orders", contract.Orders), run(t, "planted", planted)
	for _, fault := range faults {
		count := func(findings []finding) (n int) {
			for _, f := range findings {
				if f.rule == fault.rule {
					n++
				}
			}
			return n
		}
		if count(after) <= count(before) {
			t.Errorf("%d findings of %s, and %d without the fault, want more", count(after), fault.rule, count(before))
		}
	}
}
