package process

import (
	"database/sql"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/program"
)

// TestUpRefusesMySQL sets DB_HOST, which up would ignore.
func TestUpRefusesMySQL(t *testing.T) {
	t.Parallel()
	r := program.Run(t, []string{"DB_HOST=127.0.0.1", "DB_USER=u", "DB_NAME=n"}, append([]string{"up"}, program.FreePorts()...)...)
	if r.Code != 1 || !strings.Contains(r.Stderr, "DB_HOST is set") || !strings.Contains(r.Stderr, "pedidos customers") {
		t.Errorf("exit code %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
}

// TestSampleData checks that seed adds the sample data only to an empty database, and not with SAMPLE_DATA=false.
func TestSampleData(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	seed := func(want string, env ...string) {
		t.Helper()
		if r := program.Run(t, append(env, "DATA_DIR="+folder), "seed"); r.Code != 0 || !strings.Contains(r.Stdout, want) {
			t.Errorf("exit code %d, printed %q %q, want %q", r.Code, r.Stdout, r.Stderr, want)
		}
	}
	seed("SAMPLE_DATA is false", "SAMPLE_DATA=false")
	seed("were added")
	db, err := sql.Open("sqlite", filepath.Join(folder, "pedidos.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	count := func() (n int) {
		t.Helper()
		if err := db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM customers").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := count()
	if _, err := db.ExecContext(t.Context(), "UPDATE customers SET email = 'another@example.com' WHERE id = 1"); err != nil {
		t.Fatal(err)
	}
	seed("no sample data was added")
	if after := count(); before == 0 || after != before {
		t.Errorf("%d customers became %d", before, after)
	}
}

// TestUpWithoutSampleData starts with SAMPLE_DATA=false.
func TestUpWithoutSampleData(t *testing.T) {
	t.Parallel()
	p := program.Start(t, []string{"SAMPLE_DATA=false"}, append([]string{"up", "--data", t.TempDir()}, program.FreePorts()...)...)
	found := p.AwaitMatch(t, p.Stdout, regexp.MustCompile(`(?s)customers-api +(\S+) .*orders-api +(\S+) .*orchestrator +(\S+) `))
	c := call.URLs{Customers: found[1], Orders: found[2], Orchestrator: found[3]}.Login(t, call.LocalPassword)
	if products := c.Catalogue(t); len(products) != 0 {
		t.Errorf("the catalogue has %d products, want none", len(products))
	}
}

// TestPublishedSecrets starts a service with the published secrets of docker-compose.yml, which it accepts only with LOCAL=true.
func TestPublishedSecrets(t *testing.T) {
	t.Parallel()
	published := []string{
		"JWT_SECRET=local-jwt-secret-that-is-not-for-production", "SERVICE_TOKEN=local-service-token", "ADMIN_PASSWORD=" + call.LocalPassword,
	}
	r := program.Run(t, append(published, "LOG_LEVEL=ERROR", "DATA_DIR="+t.TempDir()), "customers")
	for _, want := range []string{"JWT_SECRET is published", "SERVICE_TOKEN is published", "ADMIN_PASSWORD is published"} {
		if r.Code != 1 || !strings.Contains(r.Stderr, want) {
			t.Errorf("exit code %d, want %q:\n%s", r.Code, want, r.Stderr)
		}
	}
	p, url := program.Serve(t, "customers", append(published, "LOCAL=true", "DATA_DIR="+t.TempDir())...)
	program.AwaitReady(t, url)
	if logged := p.Stderr.String(); strings.Count(logged, "local deployment") != 1 {
		t.Errorf("want one log line about the local deployment:\n%s", logged)
	}
	up := program.Up(t, nil, t.TempDir(), program.FreePorts()...)
	if logged := up.Stderr.String(); strings.Count(logged, "local deployment") != 1 {
		t.Errorf("want one log line of up about the local deployment:\n%s", logged)
	}
}

// TestEmptyPort checks that an empty PORT means the default port of the service, which another process may have taken.
func TestEmptyPort(t *testing.T) {
	t.Parallel()
	p := program.Start(t, append(planted, "HOST=127.0.0.77", "PORT=", "DATA_DIR="+t.TempDir()), "customers")
	p.AwaitMatch(t, p.Stderr, regexp.MustCompile(`"address":"127\.0\.0\.77:3001"|port 3001 is taken`))
}
