package process

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/program"
)

// TestRefusals checks that a command that cannot run prints one line for each reason and exits with a code that is not 0.
func TestRefusals(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	_, takenPort, _ := net.SplitHostPort(taken.Addr().String())

	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	held := t.TempDir()
	program.Up(t, nil, held, program.FreePorts()...)
	migrated := t.TempDir()
	program.Run(t, nil, "migrate", "up", "--data", migrated)
	upWith := func(args ...string) []string {
		return slices.Concat([]string{"up"}, program.FreePorts(), args)
	}

	for _, tc := range []struct {
		name string
		env  []string
		args []string
		want []string // one per line of the output
	}{
		{"port that is taken", nil, upWith("--orders-port", takenPort), []string{takenPort + " is taken"}},
		{"port out of range", nil, upWith("--orders-port", "70000"), []string{"70000"}},
		{"port of a service that is taken", append(planted, "PORT="+takenPort, "HOST=127.0.0.1"), []string{"customers"}, []string{takenPort + " is taken"}},
		{"folder below a file", nil, upWith("--data", filepath.Join(file, "data")), []string{filepath.Join(file, "data")}},
		{"folder that is in use", nil, upWith("--data", held), []string{held + " is in use"}},
		{"folder that is in use, for a service", append(planted, "DATA_DIR="+held, "PORT=0"), []string{"customers"}, []string{held + " is in use"}},
		{"folder that is in use, for migrate down", []string{"DATA_DIR=" + held}, []string{"migrate", "down", "--yes"}, []string{held + " is in use"}},
		{"unknown flag", nil, []string{"up", "--colour"}, []string{"--colour"}},
		{"unknown command", nil, []string{"sell"}, []string{"sell"}},
		{"customers without secrets", nil, []string{"customers"}, []string{"SIGNING_SECRET is not set", "SERVICE_TOKEN is not set"}},
		{"customers with weak secrets", []string{"JWT_SECRET=weak-secret-1", "SERVICE_TOKEN=weak-token-2", "ADMIN_PASSWORD=weak-pw-3"},
			[]string{"customers"}, []string{"JWT_SECRET is too short", "SERVICE_TOKEN is too short", "ADMIN_PASSWORD is too short"}},
		{"up for other machines without secrets", []string{"HOST=0.0.0.0"}, upWith(),
			[]string{"others can connect to 0.0.0.0", "SIGNING_SECRET", "SERVICE_TOKEN", "pedidos users add NAME --role admin"}},
		{"up for other machines with some secrets", []string{"HOST=0.0.0.0", "SERVICE_TOKEN=planted-service-token", "ADMIN_PASSWORD=planted-password"},
			upWith(), []string{"others can connect", "SIGNING_SECRET"}},
		{"up for other machines without an administrator", []string{
			"HOST=0.0.0.0", "SERVICE_TOKEN=planted-service-token", "SIGNING_SECRET=planted-signing-secret-of-32-bytes",
		}, upWith(), []string{"others can connect", "ADMIN_PASSWORD is not set"}},
		{"up for other machines without an administrator in its database", []string{
			"HOST=0.0.0.0", "SERVICE_TOKEN=planted-service-token", "SIGNING_SECRET=planted-signing-secret-of-32-bytes", "DATA_DIR=" + migrated,
		}, upWith(), []string{"there is no active administrator"}},
		{"orders with a base URL that is not HTTP", append(planted, "CUSTOMERS_API_BASE=ftp://x"), []string{"orders"}, []string{"CUSTOMERS_API_BASE"}},
		{"orders without a base URL", planted, []string{"orders"}, []string{"CUSTOMERS_API_BASE"}},
		{"backoffice without base URLs", nil, []string{"backoffice"}, []string{"CUSTOMERS_API_BASE", "ORDERS_API_BASE", "ORCHESTRATOR_API_BASE"}},
		{"backoffice with a currency that does not exist", []string{
			"CUSTOMERS_API_BASE=http://127.0.0.1:1", "ORDERS_API_BASE=http://127.0.0.1:2", "ORCHESTRATOR_API_BASE=http://127.0.0.1:3", "CURRENCY=pesos",
		}, []string{"backoffice"}, []string{"CURRENCY"}},
		{"orchestrator without a base URL", nil, []string{"orchestrator"}, []string{"ORDERS_API_BASE"}},
		{"variable that can't be read", []string{"JWT_TTL=soon", "PORT=x"}, []string{"health"}, []string{"PORT", "JWT_TTL"}},
		{"health without a URL", nil, []string{"health"}, []string{"PORT"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := program.Run(t, append(tc.env, "LOG_LEVEL=ERROR"), tc.args...)
			if r.Code == 0 || r.Stdout != "" {
				t.Errorf("exit code %d, printed %q", r.Code, r.Stdout)
			}
			lines := strings.SplitAfter(strings.TrimSuffix(r.Stderr, "\n"), "\n")
			if len(lines) != len(tc.want) {
				t.Fatalf("got %d lines, want %d:\n%s", len(lines), len(tc.want), r.Stderr)
			}
			for i, line := range lines {
				if !strings.HasPrefix(line, "pedidos: ") || !strings.Contains(line, tc.want[i]) {
					t.Errorf("line %d does not name %s: %s", i+1, tc.want[i], line)
				}
			}
		})
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		args []string
		want []string
	}{
		{[]string{"--help"}, []string{"up", "customers", "orders", "orchestrator", "migrate", "seed", "audit", "backup", "health", "backoffice"}},
		{[]string{"up", "--help"}, []string{"--data", "--reset", "--no-seed", "--customers-port", "--orders-port", "--orchestrator-port", "--backoffice-port"}},
	} {
		r := program.Run(t, nil, tc.args...)
		if r.Code != 0 || r.Stderr != "" {
			t.Errorf("%v: exit code %d\n%s", tc.args, r.Code, r.Stderr)
		}
		for _, want := range tc.want {
			if !strings.Contains(r.Stdout, want) {
				t.Errorf("%v does not mention %s:\n%s", tc.args, want, r.Stdout)
			}
		}
	}
}
