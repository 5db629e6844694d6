package process

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/program"
)

// inside matches internals that users must not see: names of Go types and packages, and error numbers of SQLite.
var inside = regexp.MustCompile(`strconv|time\.Duration|slog\.|\bint(64)?\b|float64|\bbool\b|pflag|dial tcp|unsupported protocol|arg\(s\)|\(\d+\)$|%!`)

// TestCommandLine checks that the message for each mistake on the command line or in the environment names the wrong value
// and gives an example of a valid one.
func TestCommandLine(t *testing.T) {
	t.Parallel()
	none := filepath.Join(t.TempDir(), "none")
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, "pedidos.db"), []byte("this is no database, whatever its name says, and goes on for a while"), 0o600); err != nil {
		t.Fatal(err)
	}
	closed := net.JoinHostPort("127.0.0.1", program.ClosedPort(t))
	see := func(command string) string { return " (see " + command + " --help)" }
	for _, tc := range []struct {
		env  string
		args string
		want string // all lines
	}{
		{"DB_WAIT=soon PORT=x", "health", `PORT is "x": give a whole number such as 3001` + "\n" + `DB_WAIT is "soon": give a duration such as 60s or 2m`},
		{"JWT_TTL=1 DB_MAX_QUEUE=-1 CORS_ORIGINS=x JWT_SECRET=hidden", "health",
			`JWT_TTL is "1": give a duration such as 60s or 2m` + "\n" + `DB_MAX_QUEUE is -1: it must not be less than 0`},
		{"LOG_LEVEL=loud", "backup b", `LOG_LEVEL is "loud": give DEBUG, INFO, WARN or ERROR`},
		{"LOG_LEVEL=loud ALLOW_ANONYMOUS=maybe", "orchestrator", `ALLOW_ANONYMOUS is "maybe": give true or false` + "\n" +
			`LOG_LEVEL is "loud": give DEBUG, INFO, WARN or ERROR` + "\n" + `ORDERS_API_BASE is not set: give a URL such as http://127.0.0.1:3002`},
		{"", "seed --orders abc", `--orders is "abc": give a whole number such as 1000` + see("pedidos seed")},
		{"", "seed --orders=1.5", `--orders is "1.5": give a whole number such as 1000` + see("pedidos seed")},
		{"", "seed --orders -5", `--orders is -5: it must be between 0 and 10000000, such as 1000`},
		{"", "seed --customers 10000001", `--customers is 10000001: it must be between 0 and 10000000, such as 1000`},
		{"", "up --orders-port http", `--orders-port is "http": give a whole number such as 3002` + see("pedidos up")},
		{"", "up --backoffice-port 99999", `--backoffice-port is 99999: a port lies between 0 and 65535, such as 3000`},
		{"", "up --customers-port -1", `--customers-port is -1: a port lies between 0 and 65535, such as 3000`},
		{"", "up --reset=perhaps", `--reset is "perhaps": give true or false` + see("pedidos up")},
		{"", "seed --data", `--data has no value: give one, for example --data data` + see("pedidos seed")},
		{"", "seed --ordrs 5", `unknown flag --ordrs; did you mean --orders?` + see("pedidos seed")},
		{"", "migrate up --customer-user x", `unknown flag --customer-user; did you mean --customers-user?` + see("pedidos migrate up")},
		{"", "up --port 3", `unknown flag --port; did you mean --backoffice-port or --customers-port or --orders-port or --orchestrator-port?` + see("pedidos up")},
		{"", "up -z", `unknown flag -z` + see("pedidos up")},
		{"", "up --colour", `unknown flag --colour` + see("pedidos up")},
		{"", "sed", `unknown command "sed"; did you mean seed?` + see("pedidos")},
		{"", "xyz", `unknown command "xyz"` + see("pedidos")},
		{"", "help xyz", `unknown command "xyz"` + see("pedidos")},
		{"", "help migrate stauts", `unknown command "stauts"; did you mean status?` + see("pedidos migrate")},
		{"", "migrate stauts", `unknown command "stauts"; did you mean status?` + see("pedidos migrate")},
		{"", "completion powershel", `unknown command "powershel"; did you mean powershell?` + see("pedidos completion")},
		{"", "completion", `completion needs bash, fish, powershell or zsh, for example: pedidos completion bash` + see("pedidos completion")},
		{"", "completion bash more", `unexpected argument "more": pedidos completion bash takes only flags` + see("pedidos completion bash")},
		{"", "migrate", `migrate needs up, down or status, for example: pedidos migrate status` + see("pedidos migrate")},
		{"", "users", `users needs add, list, disable or reset, for example: pedidos users list` + see("pedidos users")},
		{"", "users add", `users add needs one user name, for example: pedidos users add ana` + see("pedidos users add")},
		{"", "audit everything", `unexpected argument "everything": pedidos audit takes only flags` + see("pedidos audit")},
		{"", "backup", `backup needs one file name, for example: pedidos backup pedidos.backup` + see("pedidos backup")},
		{"", "backup a b", `backup needs one file name, for example: pedidos backup pedidos.backup` + see("pedidos backup")},
		{"", "health a b", `health takes at most one URL, for example: pedidos health http://localhost:3001` + see("pedidos health")},
		{"", "health not-a-url", `"not-a-url" must start with http:// or https://; give a URL such as http://localhost:3001`},
		{"", "health http://" + closed, `http://` + closed + ` does not answer: nothing listens there`},
		{"", "audit --data " + none, `no database in the data folder ` + none + `; name another folder with --data or DATA_DIR`},
		{"", "audit --data " + other, other + `/pedidos.db is not a database`},
		{"", "migrate status --data " + other, other + `/pedidos.db is not a database`},
		{"", "migrate up --data " + other, other + `/pedidos.db is not a database`},
		{"", "backup b --data " + other, other + `/pedidos.db is not a database`},
		{"DB_HOST=mysql", "audit --data x", `--data selects the embedded engine, but DB_HOST is "mysql": unset DB_HOST, or omit --data`},
		{"DB_HOST=mysql", "orders --data x", `--data selects the embedded engine, but DB_HOST is "mysql": unset DB_HOST, or omit --data`},
	} {
		t.Run(tc.env+" "+tc.args, func(t *testing.T) {
			t.Parallel()
			r := program.Run(t, append(strings.Fields(tc.env), "GOTRACEBACK=none"), strings.Fields(tc.args)...)
			if want := "pedidos: " + strings.ReplaceAll(tc.want, "\n", "\npedidos: ") + "\n"; r.Code != 1 || r.Stdout != "" || r.Stderr != want {
				t.Errorf("exit code %d\n%s%swant %s", r.Code, r.Stdout, r.Stderr, want)
			}
			for line := range strings.Lines(r.Stderr) {
				if found := inside.FindString(strings.TrimSpace(line)); found != "" {
					t.Errorf("the message has the internal name %q: %s", found, line)
				}
			}
		})
	}
}

// TestCommandsWithoutConfiguration checks the commands that run in any environment.
func TestCommandsWithoutConfiguration(t *testing.T) {
	t.Parallel()
	bad := []string{"DB_WAIT=soon", "PORT=x", "LOG_LEVEL=loud"}
	for _, tc := range []struct{ args, want string }{
		{"--version", `^pedidos version \S.*, Go \d+\.\d+\S*\n$`},
		{"version", `^pedidos version \S.*, Go \d+\.\d+\S*\n$`},
		{"--help", `(?s)^A B2B order system.* completion .* help .* version `},
		{"help", `(?s)^A B2B order system.* completion .* help .* version `},
		{"help migrate down", `(?s)^Revert the newest migration.*--yes`},
		{"completion bash", `(?s)^# bash completion`},
		{"completion zsh", `(?s)^#compdef pedidos`},
		{"completion fish", `(?s)^# fish completion`},
		{"completion powershell", `(?s)^# powershell completion`},
		{"__complete migrate s", `^status\t`},
		{"__complete seed --ord", `^--orders\t`},
		{"__complete audit --data d", `^:16\n`}, // folders
		{"__complete backup b", `^:0\n`},        // files
		{"__complete health h", `^:4\n`},        // nothing
		{"__complete up --host h", `^:4\n`},
	} {
		r := program.Run(t, bad, strings.Fields(tc.args)...)
		if r.Code != 0 || !regexp.MustCompile(tc.want).MatchString(r.Stdout) {
			t.Errorf("%s: exit code %d, want %s:\n%s%s", tc.args, r.Code, tc.want, r.Stdout, r.Stderr)
		}
	}
}

// TestDataOnEachCommand checks that each command that opens a database accepts --data.
func TestDataOnEachCommand(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "shop")
	for _, args := range []string{"migrate up", "seed", "migrate status", "audit", "backup b"} {
		if r := program.Run(t, nil, append(strings.Fields(args), "--data", folder)...); r.Code != 0 || r.Stderr != "" {
			t.Errorf("%s: exit code %d\n%s%s", args, r.Code, r.Stdout, r.Stderr)
		}
	}
	for _, args := range []string{"up", "customers", "orders", "migrate down"} {
		if r := program.Run(t, nil, append(strings.Fields(args), "--help")...); r.Code != 0 || !strings.Contains(r.Stdout, "--data DIR") {
			t.Errorf("%s has no --data: exit code %d\n%s%s", args, r.Code, r.Stdout, r.Stderr)
		}
	}
}
