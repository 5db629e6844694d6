package config_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/services/platform/config"
)

var everything = config.Needs{
	Database: true, ServiceToken: true, CustomersAPI: true, OrdersAPI: true, Identity: true, Signing: true, Tokens: true,
}

// complete returns an environment that is valid for every command.
var complete = map[string]string{
	"SIGNING_SECRET":     "planted-signing-secret-of-32-or-more-bytes",
	"JWT_SECRET":         "planted-jwt-secret-of-32-or-more-bytes",
	"SERVICE_TOKEN":      "planted-service-token-1,planted-service-token-2",
	"ADMIN_PASSWORD":     "planted-admin-password",
	"VIEWER_USER":        "viewer",
	"VIEWER_PASSWORD":    "planted-viewer-password",
	"DB_HOST":            "mysql",
	"DB_USER":            "pedidos",
	"DB_PASSWORD":        "planted-db-password",
	"DB_NAME":            "pedidos",
	"CUSTOMERS_API_BASE": "http://customers:3001",
	"ORDERS_API_BASE":    "http://orders:3002",
	"TRUSTED_PROXIES":    "10.0.0.0/8,fd00::/8",
}

// environment returns the complete environment with changes: pairs of a variable and its value.
func environment(changes ...string) map[string]string {
	e := maps.Clone(complete)
	for i := 0; i < len(changes); i += 2 {
		e[changes[i]] = changes[i+1]
	}
	return e
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	unset, err := config.Read(map[string]string{})
	if err != nil {
		t.Fatal(err)
	}
	if unset.DBPort != 3306 || unset.JWTTTL != time.Hour || unset.CancelWindow != 10*time.Minute ||
		unset.IdempotencyTTL != 24*time.Hour || unset.AllowAnonymous || unset.CallerRate != 1000 || unset.LogLevel != slog.LevelInfo || unset.AdminUser != "admin" {
		t.Errorf("defaults: %+v", unset)
	}
	if err := unset.Check(config.Needs{}); err != nil {
		t.Errorf("a command that needs nothing: %v", err)
	}
	// Compose sets unknown variables to the empty string.
	empty, err := config.Read(map[string]string{"DB_PORT": "", "JWT_TTL": "", "CANCEL_WINDOW": "", "ADMIN_USER": "", "ALLOW_ANONYMOUS": ""})
	if err != nil || fmt.Sprint(empty) != fmt.Sprint(unset) {
		t.Errorf("empty variables: %+v, %v, want the defaults", empty, err)
	}
}

func TestMalformedSettings(t *testing.T) {
	t.Parallel()
	const duration = "give a duration such as 60s or 2m"
	for _, test := range []struct{ variable, value, want string }{
		{"PORT", "http", `PORT is "http": give a whole number such as 3001`},
		{"PORT", "3001.5", `PORT is "3001.5": give a whole number such as 3001`},
		{"DB_PORT", "0x", `DB_PORT is "0x": give a whole number such as 3306`},
		{"DB_WAIT", "60", `DB_WAIT is "60": ` + duration},
		{"DB_WAIT", "soon", `DB_WAIT is "soon": ` + duration},
		{"JWT_TTL", "an hour", `JWT_TTL is "an hour": ` + duration},
		{"STALE_ORDERS_AFTER", "2 days", `STALE_ORDERS_AFTER is "2 days": ` + duration},
		{"LOGIN_RATE", "five", `LOGIN_RATE is "five": give a number such as 5`},
		{"LOGIN_BURST", "", ""},
		{"CALLER_RATE", "1k", `CALLER_RATE is "1k": give a number such as 1000`},
		{"ALLOW_ANONYMOUS", "yes please", `ALLOW_ANONYMOUS is "yes please": give true or false`},
		{"LOG_LEVEL", "loud", `LOG_LEVEL is "loud": give DEBUG, INFO, WARN or ERROR`},
		{"LOG_LEVEL", "debug", ""},
	} {
		c, err := config.Read(environment(test.variable, test.value))
		if err != nil {
			t.Errorf("%s=%s: Read: %v", test.variable, test.value, err)
			continue
		}
		if lines := sentences(c.Check(everything)); strings.Join(lines, "\n") != test.want {
			t.Errorf("%s=%s: %q, want %q", test.variable, test.value, lines, test.want)
		}
	}
}

// Unreadable and forbidden values are reported together, each once.
func TestAllFaultsAtOnce(t *testing.T) {
	t.Parallel()
	c, err := config.Read(environment("PORT", "x", "JWT_TTL", "x", "DB_MAX_CONNS", "x", "SIGNING_SECRET", "", "SWEEP_INTERVAL", "-1s"))
	if err != nil {
		t.Fatal(err)
	}
	lines := sentences(c.Check(everything))
	slices.Sort(lines)
	want := []string{"DB_MAX_CONNS is ", "JWT_TTL is ", "PORT is ", "SIGNING_SECRET is not set", "SWEEP_INTERVAL is -1s"}
	if !slices.EqualFunc(lines, want, strings.HasPrefix) {
		t.Errorf("Check = %q, want lines that begin %q", lines, want)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		changes []string
		want    []string // prefixes of the lines
	}{
		{"complete", nil, nil},
		{"embedded engine", []string{"DB_HOST", "", "DB_USER", "", "DB_NAME", ""}, nil},
		{"no viewer", []string{"VIEWER_USER", "", "VIEWER_PASSWORD", ""}, nil},
		{"one token", []string{"SERVICE_TOKEN", "sixteen-bytes-00"}, nil},
		{"infinite login rate", []string{"LOGIN_RATE", "+Inf"}, nil},
		{"no cancel window", []string{"CANCEL_WINDOW", "0s"}, nil},

		{"no signing secret", []string{"SIGNING_SECRET", ""}, []string{"SIGNING_SECRET is not set"}},
		{"short signing secret", []string{"SIGNING_SECRET", "planted-31-bytes-12345678901234"}, []string{"SIGNING_SECRET is too short"}},
		{"one short signing secret of two", []string{"SIGNING_SECRET", complete["SIGNING_SECRET"] + ",planted-2"}, []string{"SIGNING_SECRET is too short"}},
		{"no JWT secret", []string{"JWT_SECRET", ""}, nil},
		{"short JWT secret", []string{"JWT_SECRET", "planted-31-bytes-12345678901234"}, []string{"JWT_SECRET is too short"}},
		{"two JWT secrets", []string{"JWT_SECRET", "planted-32-bytes-123456789012345, planted-32-bytes-678901234567890"}, nil},
		{"one short JWT secret of two", []string{"JWT_SECRET", "planted-jwt-secret-of-32-or-more-bytes, planted-2"}, []string{"JWT_SECRET is too short"}},
		{"no service token", []string{"SERVICE_TOKEN", ""}, []string{"SERVICE_TOKEN is not set"}},
		{"short service token", []string{"SERVICE_TOKEN", "planted-15-byte"}, []string{"SERVICE_TOKEN is too short"}},
		{"one short token of two", []string{"SERVICE_TOKEN", "planted-service-token-1, planted-2"}, []string{"SERVICE_TOKEN is too short"}},
		{"two short tokens", []string{"SERVICE_TOKEN", "planted-1,planted-2"}, []string{"SERVICE_TOKEN is too short"}},
		{"token of blanks", []string{"SERVICE_TOKEN", "                    "}, []string{"SERVICE_TOKEN is too short"}},
		{"no admin password", []string{"ADMIN_PASSWORD", ""}, nil}, // it is needed only for the first start
		{"short admin password", []string{"ADMIN_PASSWORD", "planted-9"}, []string{"ADMIN_PASSWORD is too short"}},
		{"viewer without password", []string{"VIEWER_PASSWORD", ""}, []string{"VIEWER_USER and VIEWER_PASSWORD go together"}},
		{"viewer without name", []string{"VIEWER_USER", ""}, []string{"VIEWER_USER and VIEWER_PASSWORD go together"}},
		{"viewer and admin are one", []string{"VIEWER_USER", "Admin"}, []string{"VIEWER_USER and ADMIN_USER must differ"}},
		{"short viewer password", []string{"VIEWER_PASSWORD", "planted-9"}, []string{"VIEWER_PASSWORD is too short"}},

		{"MySQL without user", []string{"DB_USER", ""}, []string{"DB_HOST is set, so DB_USER and DB_NAME must be set too"}},
		{"MySQL without user and name", []string{"DB_USER", "", "DB_NAME", ""}, []string{"DB_HOST is set, so DB_USER and DB_NAME must be set too"}},
		{"no customers-api", []string{"CUSTOMERS_API_BASE", ""}, []string{"CUSTOMERS_API_BASE is not set: give a URL such as http://127.0.0.1:3001"}},
		{"no orders-api", []string{"ORDERS_API_BASE", ""}, []string{"ORDERS_API_BASE is not set: give a URL such as http://127.0.0.1:3002"}},
		{"bad orders-api by its alias", []string{"ORDERS_API_BASE", "", "ORDERS_API_URL", "orders:3002"}, []string{"ORDERS_API_URL can't be used"}},
		{"password in a base URL", []string{"CUSTOMERS_API_BASE", "http://a:planted@customers"}, []string{"CUSTOMERS_API_BASE can't be used"}},
		{"bad proxies", []string{"TRUSTED_PROXIES", "10.0.0.1,fd00::/8,\n"}, []string{`TRUSTED_PROXIES holds "10.0.0.1"`, `TRUSTED_PROXIES holds "\n"`}},
		{"port too high", []string{"PORT", "65536"}, []string{"PORT is "}},
		{"port below 0", []string{"PORT", "-1"}, []string{"PORT is "}},
		{"several servers", []string{"DB_HOST", "mysql-1:3306, mysql-2, [::1]:3307, 10.0.0.4, ::2"}, nil},
		{"a server without a name", []string{"DB_HOST", "mysql-1,"}, []string{`DB_HOST holds "": give a host such as mysql`}},
		{"a server that is a URL", []string{"DB_HOST", "mysql-1,tcp://mysql-2:3306"}, []string{`DB_HOST holds "tcp://mysql-2:3306": give a host such as mysql`}},
		{"a blank between servers", []string{"DB_HOST", "mysql-1 mysql-2"}, []string{`DB_HOST holds "mysql-1 mysql-2": give a host such as mysql`}},
		{"a server with an empty port", []string{"DB_HOST", "mysql-1:,mysql-2"}, []string{`DB_HOST holds "mysql-1:": its port must be between 1 and 65535`}},
		{"a server with port 0", []string{"DB_HOST", "mysql-1:0"}, []string{`DB_HOST holds "mysql-1:0": its port must be between 1 and 65535`}},
		{"a server with a port too high", []string{"DB_HOST", "mysql-1:65536"}, []string{`DB_HOST holds "mysql-1:65536": its port must be between 1 and 65535`}},
		{"a server twice", []string{"DB_HOST", "mysql-1,mysql-1:3306"}, []string{`DB_HOST holds "mysql-1:3306" twice`}},
		{"too many servers", []string{"DB_HOST", "a,b,c,d,e,f,g,h,i,j"}, []string{"DB_HOST holds 10 servers: a group has at most 9"}},
		{"too few connections", []string{"DB_MAX_CONNS", "2"}, []string{"DB_MAX_CONNS is 2: it must be at least 3, such as 32"}},
		{"unknown TLS mode", []string{"DB_TLS", "on"}, []string{`DB_TLS is "on": it must be one of off, preferred, required, verify-ca`}},
		{"a CA that is not asked for", []string{"DB_TLS_CA", "ca.pem"}, []string{"DB_TLS=verify-ca and DB_TLS_CA go together: DB_TLS_CA is a file in PEM, such as /etc/pedidos/mysql-ca.pem"}},
		{"no CA", []string{"DB_TLS", "verify-ca"}, []string{"DB_TLS=verify-ca and DB_TLS_CA go together: DB_TLS_CA is a file in PEM, such as /etc/pedidos/mysql-ca.pem"}},
		{"no connections of clients", []string{"MAX_CONNS", "0"}, []string{"MAX_CONNS is 0: it must be more than 0"}},
		{"no logins", []string{"LOGIN_RATE", "0"}, []string{"LOGIN_RATE is 0: it must be more than 0"}},
		{"login rate not a number", []string{"LOGIN_RATE", "NaN"}, []string{"LOGIN_RATE is NaN: it must be more than 0"}},
		{"no login burst", []string{"LOGIN_BURST", "0"}, []string{"LOGIN_BURST is 0: it must be more than 0"}},
		{"cancel window below 0", []string{"CANCEL_WINDOW", "-1s"}, []string{"CANCEL_WINDOW is -1s: it must not be less than 0"}},
		{"no waiting", []string{"DB_WAIT", "0"}, []string{"DB_WAIT is 0s: it must be more than 0"}},
		{"no token life", []string{"JWT_TTL", "-1h"}, []string{"JWT_TTL is -1h0m0s: it must be between 1s and 720h"}},
		{"half a second of token life", []string{"JWT_TTL", "500ms"}, []string{"JWT_TTL is 500ms: it must be between"}},
		{"seventy years of token life", []string{"JWT_TTL", "600000h"}, []string{"JWT_TTL is 600000h0m0s: it must be between"}},
		{"thirty days of token life", []string{"JWT_TTL", "720h"}, nil},
		{"long admin password", []string{"ADMIN_PASSWORD", strings.Repeat("añ", 64) + "x"}, []string{"ADMIN_PASSWORD is too long"}},
		{"longest admin password", []string{"ADMIN_PASSWORD", strings.Repeat("añ", 64)}, nil},
		{"long admin", []string{"ADMIN_USER", strings.Repeat("ab", 50) + "x"}, []string{"ADMIN_USER is too long"}},
		{"long viewer", []string{"VIEWER_USER", strings.Repeat("ab", 50) + "x"}, []string{"VIEWER_USER is too long"}},
		{"long viewer password", []string{"VIEWER_PASSWORD", strings.Repeat("ab", 64) + "x"}, []string{"VIEWER_PASSWORD is too long"}},
		{"a password that is not text", []string{"ADMIN_PASSWORD", "planted-\xff\xfe-password"}, []string{"ADMIN_USER and ADMIN_PASSWORD must be valid UTF-8"}},
		{"one port for two", []string{"PORT", "9090", "ADMIN_PORT", "9090"}, []string{"ADMIN_PORT and PORT must differ"}},
		{"port 0 of MySQL", []string{"DB_PORT", "0"}, []string{"DB_PORT must be between 1 and 65535"}},
		{"one character of two bytes, repeated", []string{"JWT_SECRET", strings.Repeat("ñ", 40)}, []string{"JWT_SECRET is one character"}},
		{"no port of MySQL", []string{"DB_PORT", "70000"}, []string{"DB_PORT is 70000: a port lies"}},

		{"published JWT secret", []string{"JWT_SECRET", "local-jwt-secret-that-is-not-for-production"}, []string{"JWT_SECRET is published"}},
		{"published JWT secret as the second", []string{"JWT_SECRET", complete["JWT_SECRET"] + ", local-jwt-secret-that-is-not-for-production"}, []string{"JWT_SECRET is published"}},
		{"published service token", []string{"SERVICE_TOKEN", "local-service-token"}, []string{"SERVICE_TOKEN is published"}},
		{"published admin password", []string{"ADMIN_PASSWORD", "pedidos-local"}, []string{"ADMIN_PASSWORD is published"}},
		{"published viewer password", []string{"VIEWER_PASSWORD", "pedidos-local"}, []string{"VIEWER_PASSWORD is published"}},
		{"published password of MySQL", []string{"DB_PASSWORD", "orders_pass"}, []string{"DB_PASSWORD is published"}},
		{"published password of no MySQL", []string{"DB_PASSWORD", "orders_pass", "DB_HOST", ""}, nil},
		{"one character, repeated", []string{
			"JWT_SECRET", strings.Repeat("a", 40), "SERVICE_TOKEN", complete["SERVICE_TOKEN"] + "," + strings.Repeat("0", 40),
			"ADMIN_PASSWORD", strings.Repeat("x", 40), "DB_PASSWORD", "zzz",
		}, []string{"JWT_SECRET is one character", "SERVICE_TOKEN is one character", "ADMIN_PASSWORD is one character", "DB_PASSWORD is one character"}},
		{"a local deployment", []string{
			"LOCAL", "true", "JWT_SECRET", "local-jwt-secret-that-is-not-for-production", "SERVICE_TOKEN", "local-service-token",
			"ADMIN_PASSWORD", "pedidos-local", "DB_PASSWORD", "b2b_pass",
		}, nil},
		{"published signing secret", []string{"SIGNING_SECRET", "local-signing-secret-that-is-not-for-production"}, []string{"SIGNING_SECRET is published"}},
		{"no memory for passwords", []string{"PASSWORD_MEMORY_KIB", "7"}, []string{"PASSWORD_MEMORY_KIB is 7: it must be between 8 and 1048576"}},
		{"too much memory for passwords", []string{"PASSWORD_MEMORY_KIB", "1048577"}, []string{"PASSWORD_MEMORY_KIB is 1048577: it must be between"}},
		{"no iterations", []string{"PASSWORD_ITERATIONS", "0"}, []string{"PASSWORD_ITERATIONS is 0: it must be between 1 and 100"}},
		{"too many lanes", []string{"PASSWORD_PARALLELISM", "256"}, []string{"PASSWORD_PARALLELISM is 256: it must be between 1 and 100"}},
		{"no idle session", []string{"SESSION_IDLE", "0s"}, []string{"SESSION_IDLE is 0s: it must be more than 0"}},
		{"two years of idle session", []string{"SESSION_IDLE", "17520h"}, []string{"SESSION_IDLE is 17520h0m0s and SESSION_MAX"}},
		{"no session", []string{"SESSION_MAX", "-1h"}, []string{"SESSION_MAX is -1h0m0s: it must be more than 0"}},
		{"no upstream timeout", []string{"UPSTREAM_TIMEOUT", "0s"}, []string{"UPSTREAM_TIMEOUT is 0s: it must be more than 0"}},
		{"no customer cache", []string{"CUSTOMER_CACHE_TTL", "0s"}, []string{"CUSTOMER_CACHE_TTL is 0s: it must be more than 0"}},
		{"no cache of unknown", []string{"CUSTOMER_CACHE_UNKNOWN_TTL", "0s"}, []string{"CUSTOMER_CACHE_UNKNOWN_TTL is 0s: it must be more than 0"}},
		{"no idempotency", []string{"IDEMPOTENCY_TTL", "0s"}, []string{"IDEMPOTENCY_TTL is 0s: it must be more than 0"}},
		{"no limit of callers", []string{"CALLER_RATE", "0"}, nil},
		{"a request in ten seconds", []string{"CALLER_RATE", "0.1"}, nil},
		{"infinite rate of callers", []string{"CALLER_RATE", "+Inf"}, nil},
		{"rate of callers below 0", []string{"CALLER_RATE", "-1"}, []string{"CALLER_RATE is -1: it must not be less than 0"}},
		{"rate of callers not a number", []string{"CALLER_RATE", "NaN"}, []string{"CALLER_RATE is NaN: it must not be less than 0"}},
		{"queue below 0", []string{"DB_MAX_QUEUE", "-1"}, []string{"DB_MAX_QUEUE is -1: it must not be less than 0"}},
		{"stale before they are placed", []string{"STALE_ORDERS_AFTER", "-1s"}, []string{"STALE_ORDERS_AFTER is -1s: it must not be less than 0"}},
		{"no sweep interval", []string{"SWEEP_INTERVAL", "0s"}, []string{"SWEEP_INTERVAL is 0s: it must be more than 0"}},
		{"admin port too high", []string{"ADMIN_PORT", "70000"}, []string{"ADMIN_PORT is 70000: a port lies"}},
		{"a port closed before", []string{"DRAIN_DELAY", "-1s"}, []string{"DRAIN_DELAY is -1s: it must not be less than 0"}},
		{"no request timeout", []string{"REQUEST_TIMEOUT", "0s"}, []string{"REQUEST_TIMEOUT is 0s: it must be more than 0"}},

		{
			"several at once",
			[]string{"JWT_SECRET", "planted-2", "ADMIN_PASSWORD", "planted-9", "DB_NAME", "", "ORDERS_API_BASE", "ftp://orders", "JWT_TTL", "0s"},
			[]string{"JWT_SECRET is too short", "ADMIN_PASSWORD is too short", "JWT_TTL is 0s", "DB_HOST is set", "ORDERS_API_BASE can't be used"},
		},
	} {
		c, err := config.Read(environment(test.changes...))
		if err != nil {
			t.Errorf("%s: Read: %v", test.name, err)
			continue
		}
		err = c.Check(everything)
		lines := sentences(err)
		ok := len(lines) == len(test.want)
		for i := 0; ok && i < len(lines); i++ {
			ok = strings.HasPrefix(lines[i], test.want[i])
		}
		if !ok {
			t.Errorf("%s: Check = %q, want %q", test.name, lines, test.want)
		}
		if err != nil && strings.Contains(err.Error(), "planted") {
			t.Errorf("%s: the error contains a secret: %v", test.name, err)
		}
	}
}

func TestDBServers(t *testing.T) {
	t.Parallel()
	for host, want := range map[string][]string{
		"mysql":            {"mysql:3307"},
		"mysql:3308":       {"mysql:3308"},
		"::1":              {"[::1]:3307"},
		"a:3306,b, [::2]":  {"a:3306", "b:3307", "[::2]:3307"},
		"10.0.0.1,my_host": {"10.0.0.1:3307", "my_host:3307"},
	} {
		c, err := config.Read(environment("DB_HOST", host, "DB_PORT", "3307"))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Check(everything); err != nil {
			t.Fatal(err)
		}
		if got := c.DBServers(); !slices.Equal(got, want) {
			t.Errorf("DB_HOST=%q: DBServers = %q, want %q", host, got, want)
		}
	}
}

// The orchestrator uses the service token for anonymous callers.
func TestCheckRequiresServiceTokenForAnonymousCallers(t *testing.T) {
	t.Parallel()
	for anonymous, want := range map[string]string{"true": "SERVICE_TOKEN is not set", "false": ""} {
		c, err := config.Read(environment("ALLOW_ANONYMOUS", anonymous, "SERVICE_TOKEN", ""))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(sentences(c.Check(config.Needs{OrdersAPI: true, Anonymous: true})), "\n"); !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("ALLOW_ANONYMOUS=%s: Check = %q, want %q", anonymous, got, want)
		}
	}
}

func TestCheckRequiresOnlyWhatIsNeeded(t *testing.T) {
	t.Parallel()
	for variable, needs := range map[string]config.Needs{
		"SIGNING_SECRET":     {Identity: true},
		"SERVICE_TOKEN":      {ServiceToken: true},
		"CUSTOMERS_API_BASE": {CustomersAPI: true},
		"ORDERS_API_BASE":    {OrdersAPI: true},
	} {
		c, err := config.Read(map[string]string{})
		if err != nil {
			t.Fatal(err)
		}
		if lines := sentences(c.Check(needs)); len(lines) != 1 || !strings.HasPrefix(lines[0], variable+" ") {
			t.Errorf("needs %+v: %q, want one line about %s", needs, lines, variable)
		}
	}
}

// A deployment that signs with HS256 has JWT_SECRET and no SIGNING_SECRET, and a service that only verifies needs neither.
func TestSigningSecrets(t *testing.T) {
	t.Parallel()
	const good = "planted-jwt-secret-of-32-or-more-bytes"
	for _, test := range []struct {
		name         string
		signing, jwt string
		needs        config.Needs
		want         string // the prefix of the line
	}{
		{"only HS256", "", good, config.Needs{Identity: true}, ""},
		{"only EdDSA", good, "", config.Needs{Identity: true}, ""},
		{"neither", "", "", config.Needs{Identity: true}, "SIGNING_SECRET is not set"},
		{"a weak one beside a good one", good, "weak", config.Needs{Identity: true}, "JWT_SECRET is too short"},
		{"a service that verifies", "", "", config.Needs{Tokens: true}, ""},
		{"a service that verifies HS256", "", "weak", config.Needs{Tokens: true}, "JWT_SECRET is too short"},
		{"rotation without a secret", "", good, config.Needs{Signing: true}, "SIGNING_SECRET is not set"},
	} {
		c, err := config.Read(map[string]string{"SIGNING_SECRET": test.signing, "JWT_SECRET": test.jwt})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(sentences(c.Check(test.needs)), "\n"); !strings.HasPrefix(got, test.want) || test.want == "" && got != "" {
			t.Errorf("%s: Check = %q, want %q", test.name, got, test.want)
		}
	}
}

func TestCheckWritesBaseURLsInOneWay(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		changes           []string
		customers, orders string
	}{
		{nil, "http://customers:3001", "http://orders:3002"},
		{[]string{"CUSTOMERS_API_BASE", "http://gw/dev/customers/"}, "http://gw/dev", "http://orders:3002"},
		{[]string{"ORDERS_API_BASE", "http://gw/dev/orders/"}, "http://customers:3001", "http://gw/dev"},
		{[]string{"ORDERS_API_BASE", "http://gw/products"}, "http://customers:3001", "http://gw"},
		{[]string{"ORDERS_API_BASE", "", "ORDERS_API_URL", "http://alias/orders"}, "http://customers:3001", "http://alias"},
		{[]string{"CUSTOMERS_API_BASE", "", "CUSTOMERS_API_URL", "http://alias/customers"}, "http://alias", "http://orders:3002"},
		{[]string{"ORDERS_API_URL", "http://alias"}, "http://customers:3001", "http://orders:3002"}, // the base takes precedence
	} {
		c, err := config.Read(environment(test.changes...))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Check(everything); err != nil || c.CustomersAPIBase != test.customers || c.OrdersAPIBase != test.orders {
			t.Errorf("%q: %q and %q, %v, want %q and %q", test.changes, c.CustomersAPIBase, c.OrdersAPIBase, err, test.customers, test.orders)
		}
	}
}

func TestProxies(t *testing.T) {
	t.Parallel()
	c, err := config.Read(environment("TRUSTED_PROXIES", " 10.0.0.0/8 , fd00::/8"))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Check(everything); err != nil {
		t.Fatal(err)
	}
	proxies := c.Proxies()
	if len(proxies) != 2 || !proxies[0].Contains(net.IPv4(10, 1, 2, 3)) || !proxies[1].Contains(net.ParseIP("fd00::1")) {
		t.Errorf("Proxies = %v, want 10.0.0.0/8 and fd00::/8", proxies)
	}
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	t.Parallel()
	c, err := config.Read(environment())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Check(everything); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewJSONHandler(&log, nil), slog.NewTextHandler(&log, nil)} {
		slog.New(handler).Info("configuration", "environment", c, "copy", *c, "secret", c.JWTSecret, "list", []any{c.DBPassword})
	}
	fmt.Fprintf(&log, "%v %+v %s %q\n", c, c, c.AdminPassword, c.ServiceToken)
	if strings.Contains(log.String(), "planted") {
		t.Errorf("a secret is printed:\n%s", &log)
	}
	for _, want := range []string{`"JWT_SECRET":"(set)"`, `"ORDERS_API_BASE":"http://orders:3002"`, `"JWT_TTL":"1h0m0s"`, `"LOG_LEVEL":"INFO"`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, &log)
		}
	}
}

func TestSecret(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		secret      config.Secret
		first, text string
	}{
		{"", "", "(not set)"},
		{"one", "one", "(set)"},
		{"one,two", "one", "(set)"},
		{" one , two", "one", "(set)"},
	} {
		if test.secret.First() != test.first || test.secret.String() != test.text || test.secret.Reveal() != string(test.secret) {
			t.Errorf("Secret(%q): First %q, String %q, want %q, %q", string(test.secret), test.secret.First(), test.secret, test.first, test.text)
		}
	}
}

// sentences returns the lines of an error.
func sentences(err error) []string {
	if err == nil {
		return nil
	}
	return strings.Split(err.Error(), "\n")
}
