// Package config reads the settings from environment variables. It reports all missing, weak and unreadable ones together, with
// one message each.
package config

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/caarlos0/env/v11"
	"golang.org/x/text/currency"

	"github.com/pedidos-hq/pedidos/services/platform/upstream"
)

// Secret is a string that is never printed.
type Secret string

// String returns "(set)" or "(not set)".
func (s Secret) String() string {
	if s == "" {
		return "(not set)"
	}
	return "(set)"
}

// MarshalText hides the secret from JSON.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue hides the secret from the log.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Reveal returns the secret.
func (s Secret) Reveal() string { return string(s) }

// First returns the first secret of a comma-separated list, which is the one to send or sign with.
func (s Secret) First() string {
	first, _, _ := strings.Cut(string(s), ",")
	return strings.TrimSpace(first)
}

// All returns the secrets of a comma-separated list, or nil if it is empty.
func (s Secret) All() (secrets []string) {
	if s == "" {
		return nil
	}
	for one := range strings.SplitSeq(string(s), ",") {
		secrets = append(secrets, strings.TrimSpace(one))
	}
	return secrets
}

// shortest returns the length of the shortest secret of a comma-separated list.
func (s Secret) shortest() int {
	shortest := len(s)
	for _, one := range s.All() {
		shortest = min(shortest, len(one))
	}
	return shortest
}

// Config holds the environment variables of all commands. docs/settings.md describes them.
type Config struct {
	Local bool `env:"LOCAL"` // accepts the secrets that are published with the source

	Host string `env:"HOST"`
	Port int    `env:"PORT"`

	AdminPort int `env:"ADMIN_PORT"`
	MaxConns  int `env:"MAX_CONNS" envDefault:"1024"`

	CallerRate float64 `env:"CALLER_RATE" envDefault:"1000"`

	DBHost     string        `env:"DB_HOST"`
	DBPort     int           `env:"DB_PORT" envDefault:"3306"`
	DBUser     string        `env:"DB_USER"`
	DBPassword Secret        `env:"DB_PASSWORD"`
	DBName     string        `env:"DB_NAME"`
	DBMaxConns int           `env:"DB_MAX_CONNS" envDefault:"32"`
	DBMaxQueue int           `env:"DB_MAX_QUEUE" envDefault:"128"`
	DBTLS      string        `env:"DB_TLS" envDefault:"preferred"`
	DBTLSCA    string        `env:"DB_TLS_CA"`
	DBWait     time.Duration `env:"DB_WAIT" envDefault:"60s"`
	DataDir    string        `env:"DATA_DIR" envDefault:"data"`
	SampleData bool          `env:"SAMPLE_DATA" envDefault:"true"`

	SigningSecret       Secret        `env:"SIGNING_SECRET"`
	JWTSecret           Secret        `env:"JWT_SECRET"`
	JWTTTL              time.Duration `env:"JWT_TTL" envDefault:"1h"`
	SessionIdle         time.Duration `env:"SESSION_IDLE" envDefault:"8h"`
	SessionMax          time.Duration `env:"SESSION_MAX" envDefault:"168h"`
	ServiceToken        Secret        `env:"SERVICE_TOKEN"`
	AdminUser           string        `env:"ADMIN_USER" envDefault:"admin"`
	AdminPassword       Secret        `env:"ADMIN_PASSWORD"`
	ViewerUser          string        `env:"VIEWER_USER"`
	ViewerPassword      Secret        `env:"VIEWER_PASSWORD"`
	PasswordMemoryKiB   int           `env:"PASSWORD_MEMORY_KIB" envDefault:"47104"`
	PasswordIterations  int           `env:"PASSWORD_ITERATIONS" envDefault:"1"`
	PasswordParallelism int           `env:"PASSWORD_PARALLELISM" envDefault:"1"`
	LoginRate           float64       `env:"LOGIN_RATE" envDefault:"5"`
	LoginBurst          int           `env:"LOGIN_BURST" envDefault:"20"`
	AllowAnonymous      bool          `env:"ALLOW_ANONYMOUS"`

	CustomersAPIBase    string        `env:"CUSTOMERS_API_BASE"`
	CustomersAPIURL     string        `env:"CUSTOMERS_API_URL"`
	OrdersAPIBase       string        `env:"ORDERS_API_BASE"`
	OrdersAPIURL        string        `env:"ORDERS_API_URL"`
	OrchestratorAPIBase string        `env:"ORCHESTRATOR_API_BASE"`
	Currency            string        `env:"CURRENCY" envDefault:"USD"`
	CustomersPublicURL  string        `env:"CUSTOMERS_PUBLIC_URL"`
	UpstreamTimeout     time.Duration `env:"UPSTREAM_TIMEOUT" envDefault:"2s"`

	CustomerCacheTTL        time.Duration `env:"CUSTOMER_CACHE_TTL" envDefault:"30s"`
	CustomerCacheUnknownTTL time.Duration `env:"CUSTOMER_CACHE_UNKNOWN_TTL" envDefault:"2s"`
	CancelWindow            time.Duration `env:"CANCEL_WINDOW" envDefault:"10m"`
	IdempotencyTTL          time.Duration `env:"IDEMPOTENCY_TTL" envDefault:"24h"`
	StaleOrdersAfter        time.Duration `env:"STALE_ORDERS_AFTER"`
	ReportAge               time.Duration `env:"REPORT_AGE" envDefault:"10s"`
	SweepInterval           time.Duration `env:"SWEEP_INTERVAL" envDefault:"1m"`

	CORSOrigins    []string      `env:"CORS_ORIGINS"`
	TrustedProxies []string      `env:"TRUSTED_PROXIES"`
	RequestTimeout time.Duration `env:"REQUEST_TIMEOUT" envDefault:"10s"`
	DrainDelay     time.Duration `env:"DRAIN_DELAY"`
	LogLevel       slog.Level    `env:"LOG_LEVEL" envDefault:"INFO"`

	Hosts []string // accepted in the Host header; empty accepts all. Set only by pedidos up on loopback, not by a variable

	servers    []string
	proxies    []*net.IPNet
	unreadable []error
}

// Needs selects the variables that a command requires.
type Needs struct {
	Database, ServiceToken, CustomersAPI, OrdersAPI, OrchestratorAPI bool

	Anonymous bool // SERVICE_TOKEN, if ALLOW_ANONYMOUS is set
	Identity  bool // users and their passwords, and a secret with which access tokens are signed
	Signing   bool // SIGNING_SECRET
	Tokens    bool // JWT_SECRET, if it is set, with which access tokens are verified
	Set       bool // every other variable, if it is set
}

// Read reads the environment. A variable that can't be parsed keeps its default, and Check reports it with all other faults, so
// that a command can set its own defaults before Check, and a command that does not call Check runs in any environment.
func Read(environment map[string]string) (*Config, error) {
	readable := maps.Clone(environment)
	var unreadable []error
	for {
		c := &Config{unreadable: unreadable}
		err := env.ParseWithOptions(c, env.Options{Environment: readable})
		var all env.AggregateError
		if !errors.As(err, &all) {
			return c, err
		}
		for _, e := range all.Errors {
			parse := env.ParseError{}
			if !errors.As(e, &parse) {
				return nil, e
			}
			field, _ := reflect.TypeFor[Config]().FieldByName(parse.Name)
			name := field.Tag.Get("env")
			unreadable = append(unreadable, fmt.Errorf("%s is %q: give %s", name, readable[name], validValue(field)))
			delete(readable, name)
		}
	}
}

// validValue describes the values of a field, with an example.
func validValue(field reflect.StructField) string {
	switch reflect.New(field.Type).Interface().(type) {
	case *time.Duration:
		return "a duration such as 60s or 2m"
	case *slog.Level:
		return "DEBUG, INFO, WARN or ERROR"
	case *bool:
		return "true or false"
	case *int:
		return "a whole number such as " + cmp.Or(field.Tag.Get("envDefault"), "3001") // only ports have no default
	}
	return "a number such as " + field.Tag.Get("envDefault")
}

const (
	minSecret   = 32 // bytes
	minToken    = 16
	minPassword = 10

	maxUser     = 100 // characters, as in the contract
	maxPassword = 128

	maxPasswordWork   = 100 // iterations, and lanes
	minPasswordMemory = 8   // KiB; the default is the advice of OWASP
	maxPasswordMemory = 1 << 20

	minJWTTTL = time.Second
	maxJWTTTL = 30 * 24 * time.Hour // as expires_in in the contract

	maxSession = 365 * 24 * time.Hour // as idle_seconds in the contract
)

// published holds the secrets of docker-compose.yml and of the local overlay for Kubernetes.
var published = []string{
	"local-jwt-secret-that-is-not-for-production", "local-signing-secret-that-is-not-for-production", "local-service-token", "pedidos-local",
	"b2b_pass", "customers_pass", "orders_pass", "root_pass",
}

// weakness returns why a secret is easy to guess, or "".
func (c *Config) weakness(secret string) string {
	switch {
	case c.Local || secret == "":
		return ""
	case slices.Contains(published, secret):
		return "published with the source of this program"
	case strings.Trim(secret, string([]rune(secret)[0])) == "":
		return "one character, repeated"
	}
	return ""
}

const (
	minConns = 3 // connections of a process to MySQL
	verifyCA = "verify-ca"
)

var tlsModes = []string{"off", "preferred", "required", verifyCA}

// Check reports all faults at once: unreadable and invalid variables, and variables of the command that are missing or weak.
// It also normalizes the base URLs.
func (c *Config) Check(needs Needs) error {
	faults := slices.Clone(c.unreadable)
	signing := needs.Signing || needs.Identity && (c.SigningSecret != "" || c.JWTSecret == "")
	if needs.Set {
		needs.Identity = true
		signing = signing || c.SigningSecret != ""
		needs.ServiceToken = needs.ServiceToken || c.ServiceToken != ""
		needs.CustomersAPI = needs.CustomersAPI || c.CustomersAPIBase != "" || c.CustomersAPIURL != ""
		needs.OrdersAPI = needs.OrdersAPI || c.OrdersAPIBase != "" || c.OrdersAPIURL != ""
		needs.OrchestratorAPI = needs.OrchestratorAPI || c.OrchestratorAPIBase != ""
	}
	needs.ServiceToken = needs.ServiceToken || needs.Anonymous && c.AllowAnonymous
	refuse := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }

	needs.Tokens = needs.Tokens || needs.Identity
	if signing && c.SigningSecret.shortest() < minSecret {
		refuse("SIGNING_SECRET is %s: each secret must have at least %d bytes", missingOrShort(c.SigningSecret), minSecret)
	}
	if needs.Tokens && c.JWTSecret != "" && c.JWTSecret.shortest() < minSecret {
		refuse("JWT_SECRET is %s: each secret must have at least %d bytes", missingOrShort(c.JWTSecret), minSecret)
	}
	if needs.ServiceToken && c.ServiceToken.shortest() < minToken {
		refuse("SERVICE_TOKEN is %s: each token must have at least %d characters", missingOrShort(c.ServiceToken), minToken)
	}
	for _, s := range []struct {
		name   string
		needed bool
		value  Secret
	}{
		{"SIGNING_SECRET", signing, c.SigningSecret},
		{"JWT_SECRET", needs.Tokens, c.JWTSecret},
		{"SERVICE_TOKEN", needs.ServiceToken, c.ServiceToken},
		{"ADMIN_PASSWORD", needs.Identity, c.AdminPassword},
		{"VIEWER_PASSWORD", needs.Identity, c.ViewerPassword},
		{"DB_PASSWORD", needs.Database && c.DBHost != "", c.DBPassword},
	} {
		secrets := []string{s.value.Reveal()} // a password may have commas
		if !strings.HasSuffix(s.name, "_PASSWORD") {
			secrets = s.value.All()
		}
		for _, secret := range secrets {
			if why := c.weakness(secret); s.needed && why != "" {
				refuse("%s is %s: generate another, for example with `openssl rand -hex 32`, or set LOCAL=true on a machine that nobody else can reach", s.name, why)
			}
		}
	}
	if needs.Identity {
		for _, u := range []struct {
			prefix, name string
			password     Secret
		}{{"ADMIN", c.AdminUser, c.AdminPassword}, {"VIEWER", c.ViewerUser, c.ViewerPassword}} {
			if utf8.RuneCountInString(u.name) > maxUser {
				refuse("%s_USER is too long: it must have at most %d characters", u.prefix, maxUser)
			}
			if utf8.RuneCountInString(u.password.Reveal()) > maxPassword {
				refuse("%s_PASSWORD is too long: it must have at most %d characters", u.prefix, maxPassword)
			}
			if !utf8.ValidString(u.name) || !utf8.ValidString(u.password.Reveal()) {
				refuse("%s_USER and %s_PASSWORD must be valid UTF-8", u.prefix, u.prefix)
			}
		}
		if c.AdminPassword != "" && utf8.RuneCountInString(c.AdminPassword.Reveal()) < minPassword {
			refuse("ADMIN_PASSWORD is too short: it must have at least %d characters", minPassword)
		}
		if c.SessionIdle > maxSession || c.SessionMax > maxSession {
			refuse("SESSION_IDLE is %s and SESSION_MAX %s: they must be at most 8760h", c.SessionIdle, c.SessionMax)
		}
		if c.JWTTTL < minJWTTTL || c.JWTTTL > maxJWTTTL {
			refuse("JWT_TTL is %s: it must be between 1s and 720h", c.JWTTTL)
		}
		if strings.EqualFold(c.ViewerUser, c.AdminUser) {
			refuse("VIEWER_USER and ADMIN_USER must differ, and not only in case")
		}
		work := map[string]int{"PASSWORD_ITERATIONS": c.PasswordIterations, "PASSWORD_PARALLELISM": c.PasswordParallelism}
		for _, name := range slices.Sorted(maps.Keys(work)) {
			if value := work[name]; value < 1 || value > maxPasswordWork {
				refuse("%s is %d: it must be between 1 and %d, such as 1", name, value, maxPasswordWork)
			}
		}
		if c.PasswordMemoryKiB < minPasswordMemory || c.PasswordMemoryKiB > maxPasswordMemory {
			refuse("PASSWORD_MEMORY_KIB is %d: it must be between %d and %d, such as 47104", c.PasswordMemoryKiB, minPasswordMemory, maxPasswordMemory)
		}
		if (c.ViewerUser == "") != (c.ViewerPassword == "") {
			refuse("VIEWER_USER and VIEWER_PASSWORD go together: set both or neither")
		} else if c.ViewerUser != "" && utf8.RuneCountInString(c.ViewerPassword.Reveal()) < minPassword {
			refuse("VIEWER_PASSWORD is too short: it must have at least %d characters", minPassword)
		}
	}
	if needs.Database && c.DBHost != "" && (c.DBUser == "" || c.DBName == "") {
		refuse("DB_HOST is set, so DB_USER and DB_NAME must be set too")
	}
	if needs.Database && c.DBHost != "" {
		var err error
		if c.servers, err = parseServers(c.DBHost, c.DBPort); err != nil {
			refuse("%w", err)
		}
		if !slices.Contains(tlsModes, c.DBTLS) {
			refuse("DB_TLS is %q: it must be one of %s", c.DBTLS, strings.Join(tlsModes, ", "))
		}
		if (c.DBTLS == verifyCA) != (c.DBTLSCA != "") {
			refuse("DB_TLS=%s and DB_TLS_CA go together: DB_TLS_CA is a file in PEM, such as /etc/pedidos/mysql-ca.pem", verifyCA)
		}
		if c.DBMaxConns < minConns {
			refuse("DB_MAX_CONNS is %d: it must be at least %d, such as 32", c.DBMaxConns, minConns)
		}
	}
	base := func(needed bool, name string, url *string, alias, aliasURL, example string, resources ...string) {
		if !needed {
			return
		}
		if *url == "" && aliasURL != "" {
			name, *url = alias, aliasURL
		}
		if *url == "" {
			refuse("%s is not set: give a URL such as %s", name, example)
			return
		}
		good, err := upstream.BaseURL(*url, resources...)
		if err != nil {
			refuse("%s can't be used: %w; give a URL such as %s", name, err, example)
		}
		*url = good
	}
	base(needs.CustomersAPI, "CUSTOMERS_API_BASE", &c.CustomersAPIBase, "CUSTOMERS_API_URL", c.CustomersAPIURL, "http://127.0.0.1:3001", "customers")
	base(needs.OrdersAPI, "ORDERS_API_BASE", &c.OrdersAPIBase, "ORDERS_API_URL", c.OrdersAPIURL, "http://127.0.0.1:3002", "orders", "products")
	base(needs.OrchestratorAPI, "ORCHESTRATOR_API_BASE", &c.OrchestratorAPIBase, "", "", "http://127.0.0.1:3003", "orchestrator")
	if _, err := currency.ParseISO(c.Currency); err != nil || strings.ToUpper(c.Currency) != c.Currency {
		refuse("CURRENCY is %q: give a code of ISO 4217, such as USD", c.Currency)
	}
	base(c.CustomersPublicURL != "", "CUSTOMERS_PUBLIC_URL", &c.CustomersPublicURL, "", "", "http://localhost:3001", "customers", "auth")
	c.proxies = nil // Check may be called again
	for _, cidr := range c.TrustedProxies {
		_, network, err := net.ParseCIDR(strings.TrimSpace(cidr))
		if err != nil {
			refuse("TRUSTED_PROXIES holds %q, which is not a network such as 10.0.0.0/8", cidr)
			continue
		}
		c.proxies = append(c.proxies, network)
	}
	positive := map[string]float64{
		"MAX_CONNS":  float64(c.MaxConns),
		"LOGIN_RATE": c.LoginRate, "LOGIN_BURST": float64(c.LoginBurst),
		"DB_WAIT": c.DBWait.Seconds(), "UPSTREAM_TIMEOUT": c.UpstreamTimeout.Seconds(),
		"CUSTOMER_CACHE_TTL": c.CustomerCacheTTL.Seconds(), "CUSTOMER_CACHE_UNKNOWN_TTL": c.CustomerCacheUnknownTTL.Seconds(),
		"IDEMPOTENCY_TTL": c.IdempotencyTTL.Seconds(), "REQUEST_TIMEOUT": c.RequestTimeout.Seconds(),
		"SWEEP_INTERVAL": c.SweepInterval.Seconds(), "SESSION_IDLE": c.SessionIdle.Seconds(), "SESSION_MAX": c.SessionMax.Seconds(),
	}
	for _, name := range slices.Sorted(maps.Keys(positive)) {
		if !(positive[name] > 0) { // also rejects NaN
			refuse("%s is %v: it must be more than 0, such as %s", name, c.shown(name), example(name))
		}
	}
	notNegative := map[string]float64{
		"DB_MAX_QUEUE": float64(c.DBMaxQueue), "CANCEL_WINDOW": c.CancelWindow.Seconds(), "STALE_ORDERS_AFTER": c.StaleOrdersAfter.Seconds(),
		"DRAIN_DELAY": c.DrainDelay.Seconds(), "REPORT_AGE": c.ReportAge.Seconds(), "CALLER_RATE": c.CallerRate,
	}
	for _, name := range slices.Sorted(maps.Keys(notNegative)) {
		if !(notNegative[name] >= 0) { // also rejects NaN
			refuse("%s is %v: it must not be less than 0", name, c.shown(name))
		}
	}
	if c.AdminPort != 0 && c.AdminPort == c.Port {
		refuse("ADMIN_PORT and PORT must differ")
	}
	if c.DBHost != "" && c.DBPort == 0 {
		refuse("DB_PORT must be between 1 and 65535")
	}
	ports := map[string]int{"ADMIN_PORT": c.AdminPort, "PORT": c.Port, "DB_PORT": c.DBPort}
	for _, name := range slices.Sorted(maps.Keys(ports)) {
		if ports[name] < 0 || ports[name] > 65535 {
			refuse("%s is %d: a port lies between 0 and 65535, such as 3001", name, ports[name])
		}
	}
	return errors.Join(faults...)
}

// WarnLocal warns that a local deployment must not be exposed.
func (c *Config) WarnLocal(log *slog.Logger) {
	if c.Local {
		log.Warn("local deployment: secrets that are published with the source are accepted; do not expose it to others")
	}
}

// DBServers returns the servers of DB_HOST as host:port: one, or the members of a group. Check parses them.
func (c *Config) DBServers() []string { return c.servers }

// maxServers is the largest number of members of a group of MySQL servers.
const maxServers = 9

var hostName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,253}$`)

// parseServers parses DB_HOST. Hosts without a port have the given one.
func parseServers(list string, port int) (servers []string, err error) {
	for entry := range strings.SplitSeq(list, ",") {
		entry = strings.TrimSpace(entry)
		host, number, err := net.SplitHostPort(entry)
		hasPort := err == nil
		if !hasPort {
			host, number = strings.TrimSuffix(strings.TrimPrefix(entry, "["), "]"), strconv.Itoa(port)
		}
		if !hostName.MatchString(host) && net.ParseIP(host) == nil {
			return nil, fmt.Errorf("DB_HOST holds %q: give a host such as mysql, or the members of a group such as mysql-1:3306,mysql-2:3306,mysql-3:3306", entry)
		}
		if n, err := strconv.ParseUint(number, 10, 16); hasPort && (err != nil || n == 0) {
			return nil, fmt.Errorf("DB_HOST holds %q: its port must be between 1 and 65535", entry)
		}
		server := net.JoinHostPort(host, number)
		if slices.Contains(servers, server) {
			return nil, fmt.Errorf("DB_HOST holds %q twice", server)
		}
		servers = append(servers, server)
	}
	if len(servers) > maxServers {
		return nil, fmt.Errorf("DB_HOST holds %d servers: a group has at most %d", len(servers), maxServers)
	}
	return servers, nil
}

// Proxies returns the networks of TRUSTED_PROXIES. Check parses them.
func (c *Config) Proxies() []*net.IPNet { return c.proxies }

// LogValue returns the values by the names of their variables, with secrets hidden.
func (c *Config) LogValue() slog.Value {
	var attrs []slog.Attr
	for field := range reflect.TypeFor[Config]().Fields() {
		if name := field.Tag.Get("env"); name != "" {
			attrs = append(attrs, slog.Any(name, c.shown(name)))
		}
	}
	return slog.GroupValue(attrs...)
}

// shown returns the value of a variable as it is written in the environment.
func (c *Config) shown(variable string) any {
	value := reflect.ValueOf(*c).FieldByIndex(fieldOf(variable).Index).Interface()
	if d, ok := value.(time.Duration); ok {
		return d.String()
	}
	return value
}

// example returns a valid value of a variable: its default.
func example(variable string) string { return fieldOf(variable).Tag.Get("envDefault") }

// fieldOf returns the field that holds a variable.
func fieldOf(variable string) reflect.StructField {
	for field := range reflect.TypeFor[Config]().Fields() {
		if field.Tag.Get("env") == variable {
			return field
		}
	}
	panic("config: no field for " + variable)
}

func missingOrShort(s Secret) string {
	if s == "" {
		return "not set"
	}
	return "too short"
}
