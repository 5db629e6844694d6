package process

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/program"
)

// TestDoctor checks what pedidos doctor says of settings and of an embedded database.
func TestDoctor(t *testing.T) {
	t.Parallel()
	healthy, unsaved, old := t.TempDir(), t.TempDir(), t.TempDir()
	for _, args := range []string{
		"seed --data " + healthy, "backup --data " + healthy + " " + filepath.Join(t.TempDir(), "b"),
		"seed --data " + unsaved,
		"seed --data " + old, "migrate down --yes --data " + old,
	} {
		if r := program.Run(t, nil, strings.Fields(args)...); r.Code != 0 {
			t.Fatalf("%s: %+v", args, r)
		}
	}
	for _, test := range []struct {
		name, folder string
		env          []string
		fails        bool
		want         []string // regular expressions of lines
	}{
		{"healthy", healthy, nil, false, []string{
			`(ok   |-    ) version   .+, Go .+`, `ok    settings  nothing is wrong .+`, `ok    database  SQLite 3\..+`, `ok    schema    version \d+, the newest .+`,
			`ok    disk      \d+ GB free in .+`, `ok    backup    0s ago, to .+/b`, `ok    stock     0 products below .+, 0 without stock`,
		}},
		{"no backup", unsaved, nil, false, []string{`warn  backup    there is none: .+`}},
		{"pending migration", old, nil, true, []string{`fail  schema    migration .+ is pending: run pedidos migrate up`}},
		{"no database", t.TempDir(), nil, true, []string{`fail  database  no database in the data folder .+`}},
		{"unreadable variable", healthy, []string{"CANCEL_WINDOW=soon"}, true, []string{`fail  settings  CANCEL_WINDOW is "soon": .+`}},
		{"invalid variables", healthy, []string{"SIGNING_SECRET=weak-secret-1", "PASSWORD_MEMORY_KIB=1", "ORDERS_API_BASE=foo", "SERVICE_TOKEN=weak-token-2"}, true, []string{
			`fail  settings  SIGNING_SECRET is too short: .+`, `fail  settings  SERVICE_TOKEN is too short: .+`,
			`fail  settings  PASSWORD_MEMORY_KIB is 1: .+`, `fail  settings  ORDERS_API_BASE can't be used: .+`,
		}},
		{"exposed", healthy, []string{"HOST=0.0.0.0", "LOCAL=true", "ALLOW_ANONYMOUS=true", "JWT_SECRET=0123456789abcdef0123456789abcdef"}, false, []string{
			`warn  settings  LOCAL=true .+`, `warn  settings  ALLOW_ANONYMOUS=true .+`, `warn  settings  access tokens are signed with .+`,
		}},
	} {
		r := program.Run(t, test.env, "doctor", "--data", test.folder)
		if (r.Code != 0) != test.fails {
			t.Errorf("%s: exit code %d, %s", test.name, r.Code, r.Stderr)
		}
		for _, want := range test.want {
			if !regexp.MustCompile(`(?m)^` + want + `$`).MatchString(r.Stdout) {
				t.Errorf("%s: got\n%s\nwant the line %s", test.name, r.Stdout, want)
			}
		}
	}
}
