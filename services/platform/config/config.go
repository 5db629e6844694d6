// Package config reads the environment, once, and refuses what is missing or weak with a sentence each.
package config

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/caarlos0/env/v11"

	"github.com/pedidos-hq/pedidos/services/platform/upstream"
)

// Secret is a text that is never printed.
type Secret string

// String hides the text.
func (s Secret) String() string {
	if s == "" {
		return "(not set)"
	}
	return "(set)"
}

// MarshalText hides the text from JSON.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue hides the text from the log.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Reveal returns the text.
func (s Secret) Reveal() string { return string(s) }

// First is the first of a comma-separated list: the one that is sent.
func (s Secret) First() string {
	return s.all()[0]
}

// all returns the secrets of a comma-separated list.
func (s Secret) all() (secrets []string) {
	for one := range strings.SplitSeq(string(s), ",") {
		secrets = append(secrets, strings.TrimSpace(one))
	}
	return secrets
}

// shortest is the length of the shortest of a comma-separated list.
func (s Secret) shortest() int {
	least := len(s)
	for _, one := range s.all() {
		least = min(least, len(one))
	}
	return least
}

// Config is the environment of all services; each reads its part.
type Config struct {
	// Local says that the deployment is on a machine of one's own: secrets that are published with the source are accepted.
	Local bool `env:"LOCAL"`

	Host string `env:"HOST"`
	Port int    `env:"PORT"`

	AdminPort int `env:"ADMIN_PORT"`
	MaxConns  int `env:"MAX_CONNS" envDefault:"1024"`

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

	JWTSecret      Secret        `env:"JWT_SECRET"`
	JWTTTL         time.Duration `env:"JWT_TTL" envDefault:"1h"`
	ServiceToken   Secret        `env:"SERVICE_TOKEN"`
	AdminUser      string        `env:"ADMIN_USER" envDefault:"admin"`
	AdminPassword  Secret        `env:"ADMIN_PASSWORD"`
	ViewerUser     string        `env:"VIEWER_USER"`
	ViewerPassword Secret        `env:"VIEWER_PASSWORD"`
	LoginRate      float64       `env:"LOGIN_RATE" envDefault:"5"`
	LoginBurst     int           `env:"LOGIN_BURST" envDefault:"20"`
	AllowAnonymous bool          `env:"ALLOW_ANONYMOUS"`

	CustomersAPIBase   string        `env:"CUSTOMERS_API_BASE"`
	CustomersAPIURL    string        `env:"CUSTOMERS_API_URL"`
	OrdersAPIBase      string        `env:"ORDERS_API_BASE"`
	OrdersAPIURL       string        `env:"ORDERS_API_URL"`
	CustomersPublicURL string        `env:"CUSTOMERS_PUBLIC_URL"`
	UpstreamTimeout    time.Duration `env:"UPSTREAM_TIMEOUT" envDefault:"2s"`

	CustomerCacheTTL        time.Duration `env:"CUSTOMER_CACHE_TTL" envDefault:"30s"`
	CustomerCacheUnknownTTL time.Duration `env:"CUSTOMER_CACHE_UNKNOWN_TTL" envDefault:"2s"`
	CancelWindow            time.Duration `env:"CANCEL_WINDOW" envDefault:"10m"`
	IdempotencyTTL          time.Duration `env:"IDEMPOTENCY_TTL" envDefault:"24h"`
	StaleOrdersAfter        time.Duration `env:"STALE_ORDERS_AFTER"`
	SweepInterval           time.Duration `env:"SWEEP_INTERVAL" envDefault:"1m"`

	CORSOrigins    []string      `env:"CORS_ORIGINS"`
	TrustedProxies []string      `env:"TRUSTED_PROXIES"`
	RequestTimeout time.Duration `env:"REQUEST_TIMEOUT" envDefault:"10s"`
	DrainDelay     time.Duration `env:"DRAIN_DELAY"`
	LogLevel       slog.Level    `env:"LOG_LEVEL" envDefault:"INFO"`

	Hosts []string // that requests may be for; none takes any. It is not read: up on loopback sets it

	proxies    []*net.IPNet
	unreadable []error
}

// Needs is which parts of the environment a command reads, and so checks.
type Needs struct {
	Database, JWTSecret, ServiceToken, AdminPassword, CustomersAPI, OrdersAPI bool
}

// Read reads the environment. A variable that can't be read keeps its default, and Check refuses it together with all
// else that is wrong; so a command can put its own defaults in first, and one that needs no environment runs in any.
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
			unreadable = append(unreadable, fmt.Errorf("%s is %q: give %s", name, readable[name], good(field)))
			delete(readable, name)
		}
	}
}

// good describes a value that a field can be read from, with an example.
func good(field reflect.StructField) string {
	switch reflect.New(field.Type).Interface().(type) {
	case *time.Duration:
		return "a duration such as 60s or 2m"
	case *slog.Level:
		return "DEBUG, INFO, WARN or ERROR"
	case *bool:
		return "true or false"
	case *int:
		return "a whole number such as " + cmp.Or(field.Tag.Get("envDefault"), "3001") // one without a default is a port
	}
	return "a number such as " + field.Tag.Get("envDefault")
}

// The least lengths of what protects a deployment.
const (
	minSecret   = 32
	minToken    = 16
	minPassword = 10
)

// The most characters that the contract takes at a login.
const (
	maxUser        = 100
	maxPassword    = 200
	longestJWTTTL  = 30 * 24 * time.Hour // as expires_in of the contract
	shortestJWTTTL = time.Second
)

// published are the secrets that stand in this repository, for machines of one's own: in docker-compose.yml and in the local
// overlay for Kubernetes.
var published = []string{
	"local-jwt-secret-that-is-not-for-production", "local-service-token", "pedidos-local",
	"b2b_pass", "customers_pass", "orders_pass", "root_pass",
}

// guessable reports why a secret is worth nothing, or "".
func (c *Config) guessable(secret string) string {
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
	minConns = 3 // of a process to MySQL
	verifyCA = "verify-ca"
)

var tlsModes = []string{"off", "preferred", "required", verifyCA}

// Check refuses what is missing, weak or unreadable of what the command needs, all at once, and writes the base URLs in
// one way.
func (c *Config) Check(needs Needs) error {
	faults := slices.Clone(c.unreadable)
	refuse := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }

	if needs.JWTSecret && c.JWTSecret.shortest() < minSecret {
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
		{"JWT_SECRET", needs.JWTSecret, c.JWTSecret},
		{"SERVICE_TOKEN", needs.ServiceToken, c.ServiceToken},
		{"ADMIN_PASSWORD", needs.AdminPassword, c.AdminPassword},
		{"VIEWER_PASSWORD", needs.AdminPassword, c.ViewerPassword},
		{"DB_PASSWORD", needs.Database && c.DBHost != "", c.DBPassword},
	} {
		secrets := []string{s.value.Reveal()} // a password may have commas
		if s.name == "JWT_SECRET" || s.name == "SERVICE_TOKEN" {
			secrets = s.value.all()
		}
		for _, secret := range secrets {
			if why := c.guessable(secret); s.needed && why != "" {
				refuse("%s is %s: set one of your own, such as `openssl rand -hex 32` prints, or LOCAL=true on a machine that nobody else can reach", s.name, why)
			}
		}
	}
	if needs.AdminPassword {
		for _, u := range []struct {
			prefix, name string
			password     Secret
		}{{"ADMIN", c.AdminUser, c.AdminPassword}, {"VIEWER", c.ViewerUser, c.ViewerPassword}} {
			if utf8.RuneCountInString(u.name) > maxUser {
				refuse("%s_USER is too long to log in with: it must have at most %d characters", u.prefix, maxUser)
			}
			if utf8.RuneCountInString(u.password.Reveal()) > maxPassword {
				refuse("%s_PASSWORD is too long to log in with: it must have at most %d characters", u.prefix, maxPassword)
			}
			if !utf8.ValidString(u.name) || !utf8.ValidString(u.password.Reveal()) {
				refuse("%s_USER and %s_PASSWORD must be UTF-8, or nobody can log in with them", u.prefix, u.prefix)
			}
		}
		if len(c.AdminPassword) < minPassword {
			refuse("ADMIN_PASSWORD is %s: it must have at least %d characters", missingOrShort(c.AdminPassword), minPassword)
		}
		if c.JWTTTL < shortestJWTTTL || c.JWTTTL > longestJWTTTL {
			refuse("JWT_TTL is %s: it must be between 1s and 720h", c.JWTTTL)
		}
		if c.ViewerUser == c.AdminUser {
			refuse("VIEWER_USER and ADMIN_USER are the same: each must be a user of its own")
		}
		if (c.ViewerUser == "") != (c.ViewerPassword == "") {
			refuse("VIEWER_USER and VIEWER_PASSWORD go together: set both or neither")
		} else if c.ViewerUser != "" && len(c.ViewerPassword) < minPassword {
			refuse("VIEWER_PASSWORD is too short: it must have at least %d characters", minPassword)
		}
	}
	if needs.Database && c.DBHost != "" && (c.DBUser == "" || c.DBName == "") {
		refuse("DB_HOST is set, so DB_USER and DB_NAME must be set too")
	}
	if needs.Database && c.DBHost != "" {
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
	base(c.CustomersPublicURL != "", "CUSTOMERS_PUBLIC_URL", &c.CustomersPublicURL, "", "", "http://localhost:3001", "customers", "auth")
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
		"SWEEP_INTERVAL": c.SweepInterval.Seconds(),
	}
	for _, name := range slices.Sorted(maps.Keys(positive)) {
		if !(positive[name] > 0) { // as NaN
			refuse("%s is %v: it must be more than 0, such as %s", name, c.shown(name), example(name))
		}
	}
	notNegative := map[string]float64{
		"DB_MAX_QUEUE": float64(c.DBMaxQueue), "CANCEL_WINDOW": c.CancelWindow.Seconds(), "STALE_ORDERS_AFTER": c.StaleOrdersAfter.Seconds(),
		"DRAIN_DELAY": c.DrainDelay.Seconds(),
	}
	for _, name := range slices.Sorted(maps.Keys(notNegative)) {
		if notNegative[name] < 0 {
			refuse("%s is %v: it must not be less than 0", name, c.shown(name))
		}
	}
	if c.AdminPort != 0 && c.AdminPort == c.Port {
		refuse("ADMIN_PORT and PORT are the same: each must be a port of its own")
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

// WarnLocal logs that a local deployment is not for others.
func (c *Config) WarnLocal(log *slog.Logger) {
	if c.Local {
		log.Warn("local deployment: secrets that are published with the source are accepted; nobody else must be able to reach it")
	}
}

// Proxies are the networks of TRUSTED_PROXIES.
func (c *Config) Proxies() []*net.IPNet { return c.proxies }

// LogValue is the configuration by the names of its variables, secrets hidden.
func (c *Config) LogValue() slog.Value {
	var attrs []slog.Attr
	for field := range reflect.TypeFor[Config]().Fields() {
		if name := field.Tag.Get("env"); name != "" {
			attrs = append(attrs, slog.Any(name, c.shown(name)))
		}
	}
	return slog.GroupValue(attrs...)
}

// shown is the value of a variable, as people write it.
func (c *Config) shown(variable string) any {
	value := reflect.ValueOf(*c).FieldByIndex(behind(variable).Index).Interface()
	if d, ok := value.(time.Duration); ok {
		return d.String()
	}
	return value
}

// example is a good value of a variable: its default.
func example(variable string) string { return behind(variable).Tag.Get("envDefault") }

// behind is the field that holds a variable.
func behind(variable string) reflect.StructField {
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
