// Package world starts the three services and the backoffice inside a test with their production constructors, a new database and real
// TCP ports. It checks every request and response of the three services against the contract.
package world

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/engine"
	"github.com/pedidos-hq/pedidos/gen/contract"
	"github.com/pedidos-hq/pedidos/services/backoffice"
	"github.com/pedidos-hq/pedidos/services/customers"
	"github.com/pedidos-hq/pedidos/services/orchestrator"
	"github.com/pedidos-hq/pedidos/services/orders"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/config"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/metrics"
	"github.com/pedidos-hq/pedidos/services/platform/process"
	"github.com/pedidos-hq/pedidos/services/platform/telemetry"
	schema "github.com/pedidos-hq/pedidos/sql"
)

// The secrets of a world. The services send ServiceToken and accept both tokens.
const (
	AdminPassword  = "admin-password"
	ViewerPassword = "viewer-password"
	ServiceToken   = "service-token-one"
	OldToken       = "service-token-two"
	JWTSecret      = "0123456789abcdef0123456789abcdef" // verifies tokens; SigningSecret signs them
	SigningSecret  = "fedcba9876543210fedcba9876543210"
)

// Options holds the settings of a World.
type Options struct {
	Coverage       *Coverage
	AllowAnonymous bool
	CancelWindow   time.Duration // 0 means 10 minutes
	KeyTTL         time.Duration // 0 means 24 hours
	ReportAge      time.Duration // how long reports are kept; 0 keeps none
	Known          time.Duration // how long orders-api caches a customer; 0 means one nanosecond
	CallerRate     float64       // 0 means no limit
	LoginBurst     int           // 0 means one million, in effect no limit
	Timeout        time.Duration // of a request; 0 means 10 seconds
	Waiting        int           // callers that may wait for a connection; 0 means no limit
	Origins        []string
	Backoffice     bool         // also start the backoffice, at BackofficeURL
	DB             *database.DB // nil means a new one on the engine of the tests
	AdminPassword  string       // "" means AdminPassword
}

// World holds the services of one test.
type World struct {
	Clock   *Clock
	DB      *database.DB
	Log     *Log
	Metrics *metrics.Registry

	CustomersURL, OrdersURL, OrchestratorURL string
	BackofficeURL                            string // empty without Options.Backoffice

	t             testing.TB
	process       process.Process
	coverage      *Coverage
	servers       map[string]*httptest.Server
	gates         map[string]*gate
	adminPassword string
	secrets       sync.Map
}

// New starts the services and stops them when the test ends. It then checks that their log contains no secrets.
func New(t testing.TB, o Options) *World {
	t.Helper()
	if o.Coverage == nil {
		o.Coverage = &Coverage{}
	}
	w := &World{
		Clock: NewClock(), Log: &Log{}, Metrics: metrics.New(), t: t, coverage: o.Coverage,
		servers: map[string]*httptest.Server{}, gates: map[string]*gate{}, adminPassword: cmp.Or(o.AdminPassword, AdminPassword),
	}
	if w.DB = o.DB; w.DB == nil {
		options := database.Options{Metrics: w.Metrics}
		if o.Waiting > 0 {
			options.MaxQueue = &o.Waiting
		}
		w.DB = engine.OpenWith(t, options)
	}

	t.Cleanup(w.checkLog)
	t.Cleanup(w.checkDatabase)

	c := w.config(o)
	p := process.Process{Config: c, Log: telemetry.NewLogger(w.Log, false, slog.LevelDebug), Metrics: w.Metrics, Now: w.Clock.Now}
	handler, err := customers.New(p, w.DB)
	c.CustomersAPIBase = w.serve("customers", handler, err)
	handler, err = orders.New(p, w.DB)
	c.OrdersAPIBase = w.serve("orders", handler, err)
	handler, err = orchestrator.New(p)
	w.CustomersURL, w.OrdersURL, w.OrchestratorURL = c.CustomersAPIBase, c.OrdersAPIBase, w.serve("orchestrator", handler, err)
	w.process = p
	if o.Backoffice {
		w.BackofficeURL = w.ServeBackoffice()
	}
	w.Clock.Advance(time.Minute) // from now on, the signing key signs
	return w
}

// config returns the defaults of production with the secrets and the options of the world.
func (w *World) config(o Options) *config.Config {
	w.t.Helper()
	c, err := config.Read(map[string]string{})
	if err != nil {
		w.t.Fatal(err)
	}
	c.Local = true // accept published secrets
	c.SigningSecret, c.JWTSecret, c.ServiceToken = SigningSecret, JWTSecret, ServiceToken+","+OldToken
	c.PasswordMemoryKiB = 8 // a hash takes microseconds
	c.AdminPassword, c.ViewerUser, c.ViewerPassword = config.Secret(w.adminPassword), "viewer", ViewerPassword
	c.CallerRate = o.CallerRate
	c.LoginRate, c.LoginBurst = 1, cmp.Or(o.LoginBurst, 1e6)
	c.AllowAnonymous, c.CORSOrigins = o.AllowAnonymous, o.Origins
	c.CancelWindow = cmp.Or(o.CancelWindow, c.CancelWindow)
	c.IdempotencyTTL = cmp.Or(o.KeyTTL, c.IdempotencyTTL)
	c.RequestTimeout = cmp.Or(o.Timeout, c.RequestTimeout)
	c.CustomerCacheTTL, c.CustomerCacheUnknownTTL = cmp.Or(o.Known, time.Nanosecond), time.Nanosecond
	c.ReportAge = o.ReportAge
	if o.Backoffice {
		c.TrustedProxies = []string{"127.0.0.0/8"} // the backoffice forwards the addresses of browsers
	}
	if err := c.Check(config.Needs{ServiceToken: true, Identity: true}); err != nil {
		w.t.Fatal(err)
	}
	return c
}

// ServeBackoffice starts another backoffice over the three services and returns its URL. Its exchanges with them are checked against the
// contracts, as those of World.HTTP are.
func (w *World) ServeBackoffice() string {
	w.t.Helper()
	c := *w.process.Config
	c.CustomersAPIBase, c.OrdersAPIBase, c.OrchestratorAPIBase = w.Checked("customers"), w.Checked("orders"), w.Checked("orchestrator")
	p := w.process
	p.Config = &c
	if w.BackofficeURL != "" { // another process
		p.Metrics = metrics.New()
	}
	handler, err := backoffice.New(p)
	return w.serve("backoffice", handler, err)
}

// Checked returns the URL of a proxy that checks the exchanges with a service against its contract, and hangs up if the service does.
func (w *World) Checked(service string) string {
	at, err := url.Parse(w.servers[service].URL)
	if err != nil {
		w.t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(at)
			r.Out.Header["X-Forwarded-For"] = r.In.Header["X-Forwarded-For"]
		},
		Transport:    w.HTTP(service).Transport,
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	s := httptest.NewServer(proxy)
	w.t.Cleanup(s.Close)
	return s.URL
}

func (w *World) serve(name string, handler http.Handler, err error) string {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	g := &gate{next: handler, secrets: &w.secrets}
	s := httptest.NewServer(g)
	w.t.Cleanup(s.Close)
	w.servers[name], w.gates[name] = s, g
	return s.URL
}

// checkDatabase checks that no table contains a password, token or API key of the test. It skips a database that the test has closed.
func (w *World) checkDatabase() {
	dump, err := Dump(context.Background(), w.DB)
	if err != nil {
		return
	}
	w.secrets.Range(func(secret, kind any) bool {
		if text := secret.(string); kind == isCredential && len(text) >= 8 && strings.Contains(dump, text) {
			w.t.Errorf("the database contains %s, which is %s", text, kind)
		}
		return true
	})
}

// isCredential is the kind of secrets that no table may contain.
const isCredential = "a password, token or API key"

// Dump returns the rows of all tables as text.
func Dump(ctx context.Context, db *database.DB) (string, error) {
	var text strings.Builder
	err := db.Read(ctx, func(conn database.Conn) error {
		for _, found := range tables.FindAllStringSubmatch(schema.MySQL, -1) {
			if err := dumpTable(ctx, conn, found[1], &text); err != nil {
				return err
			}
		}
		return nil
	})
	return text.String(), err
}

var tables = regexp.MustCompile(`(?m)^CREATE TABLE (\w+)`)

func dumpTable(ctx context.Context, conn database.Conn, table string, text *strings.Builder) error {
	rows, err := conn.QueryContext(ctx, "SELECT * FROM "+table)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	values, into := make([]sql.RawBytes, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for _, value := range values {
			text.Write(value)
			text.WriteByte('\n')
		}
	}
	return rows.Err()
}

var address = regexp.MustCompile(`[\w.+-]{2,}@[\w-]+\.[\w.-]+`)

// checkLog checks that the log contains no secret, idempotency key, token or email address.
func (w *World) checkLog() {
	log := strings.ReplaceAll(w.Log.String(), "%40", "@")
	for _, secret := range []string{w.adminPassword, ViewerPassword, ServiceToken, OldToken, JWTSecret, SigningSecret} {
		w.secrets.Store(secret, "a secret of the deployment")
	}
	w.secrets.Range(func(secret, kind any) bool {
		const short = 8 // a shorter text may occur by chance
		if text := secret.(string); len(text) >= short && strings.Contains(log, text) {
			w.t.Errorf("the log contains %s, which is %s", text, kind)
		}
		return true
	})
	if found := address.FindString(log); found != "" {
		w.t.Errorf("the log contains the email address %s", found)
	}
	if found := token.FindString(log); found != "" {
		w.t.Errorf("the log contains the token %s", found)
	}
}

var token = regexp.MustCompile(`eyJ[\w-]{8,}|p(ed_\d+|es|et)_[A-Z2-7]{8,}`)

// Handler returns the handler of a service: "customers", "orders", "orchestrator" or "backoffice".
func (w *World) Handler(name string) http.Handler { return w.gates[name].next }

// Metric returns the value of a metric, or 0 if it is absent. The name includes the labels as /metrics writes them.
func (w *World) Metric(name string) float64 {
	w.t.Helper()
	answer := httptest.NewRecorder()
	w.Metrics.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for line := range strings.Lines(answer.Body.String()) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				w.t.Fatalf("%s: %v", name, err)
			}
			return n
		}
	}
	return 0
}

// Stop shuts down a service: "customers", "orders", "orchestrator" or "backoffice".
func (w *World) Stop(name string) { w.servers[name].Close() }

// Pause makes a service drop every connection without an answer, as if it were down, until Resume.
func (w *World) Pause(name string) { w.gates[name].shut.Store(true) }

// Resume ends a Pause.
func (w *World) Resume(name string) { w.gates[name].shut.Store(false) }

// gate is a handler in front of a service that can drop its requests.
type gate struct {
	next    http.Handler
	shut    atomic.Bool
	secrets *sync.Map // values of headers that must not be logged
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if g.shut.Load() {
		panic(http.ErrAbortHandler)
	}
	for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
		for _, value := range r.Header[name] {
			g.secrets.Store(strings.Trim(value, `"`), name)
		}
	}
	for _, value := range r.Header["Authorization"] {
		g.secrets.Store(strings.TrimPrefix(value, "Bearer "), isCredential)
	}
	for _, prefix := range []string{"/auth/", "/users", "/integrators"} {
		if strings.HasPrefix(r.URL.Path, prefix) {
			g.serveSecrets(w, r)
			return
		}
	}
	g.next.ServeHTTP(w, r)
}

// serveSecrets passes a request on and notes the secrets in both bodies.
func (g *gate) serveSecrets(w http.ResponseWriter, r *http.Request) {
	if body, err := io.ReadAll(r.Body); err == nil { // otherwise the service sees the same error
		g.note(body)
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	copied := &copying{ResponseWriter: w}
	g.next.ServeHTTP(copied, r)
	g.note(copied.body.Bytes())
}

// note notes the secrets among the members of a JSON object.
func (g *gate) note(body []byte) {
	var members map[string]any
	_ = json.Unmarshal(body, &members) // otherwise it has no members
	for _, name := range []string{"password", "current", "new", "token", "access_token", "setup_token", "key"} {
		if secret, ok := members[name].(string); ok {
			g.secrets.Store(secret, isCredential)
		}
	}
}

// copying keeps a copy of the body.
type copying struct {
	http.ResponseWriter
	body bytes.Buffer
}

func (c *copying) Write(p []byte) (int, error) {
	c.body.Write(p)
	return c.ResponseWriter.Write(p)
}

// Unwrap returns the writer, for http.ResponseController.
func (c *copying) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// Password returns the password of the administrator.
func (w *World) Password() string { return w.adminPassword }

// HTTP returns an HTTP client that checks requests and responses against the contract of a service: "customers", "orders" or
// "orchestrator".
func (w *World) HTTP(service string) *http.Client {
	w.t.Helper()
	return newClient(w.t, service, w.coverage, w.servers[service].Client().Transport)
}

// HTTP returns an HTTP client that checks requests and responses against the contract of a service that runs elsewhere, or against that of
// the front door, "public".
func HTTP(t testing.TB, service string, next http.RoundTripper) *http.Client {
	t.Helper()
	return newClient(t, service, &Coverage{}, next)
}

func newClient(t testing.TB, service string, coverage *Coverage, next http.RoundTripper) *http.Client {
	t.Helper()
	c, err := contracts[service]()
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Transport: transport{t: t, contract: c, coverage: coverage, next: next}}
}

// contracts parses each contract once, as parsing takes longer than a test.
var contracts = map[string]func() (*Contract, error){
	"customers":    sync.OnceValues(func() (*Contract, error) { return LoadContract(contract.Customers) }),
	"orders":       sync.OnceValues(func() (*Contract, error) { return LoadContract(contract.Orders) }),
	"orchestrator": sync.OnceValues(func() (*Contract, error) { return LoadContract(contract.Orchestrator) }),
	"public":       sync.OnceValues(func() (*Contract, error) { return LoadContract(contract.Public) }),
}

// With returns a client that sends a token, or none if it is "".
func (w *World) With(token string) *call.Client {
	w.t.Helper()
	return call.New(w.t, w.URLs(), token, w.HTTP)
}

// URLs returns the base URLs of the services.
func (w *World) URLs() call.URLs {
	return call.URLs{Customers: w.CustomersURL, Orders: w.OrdersURL, Orchestrator: w.OrchestratorURL}
}

// Login returns a client with the token of a user: "admin", "second" or "viewer". The second one is an administrator of another
// deployment with the same JWT_SECRET, so that Login issues the token itself.
func (w *World) Login(user string) *call.Client {
	w.t.Helper()
	switch user {
	case "second":
		token, err := auth.NewHMACIssuer(JWTSecret, w.Clock.Now).Issue(w.t.Context(), auth.Caller{Name: "user:" + user, Role: auth.Admin}, time.Hour)
		if err != nil {
			w.t.Fatal(err)
		}
		return w.With(token)
	case "viewer":
		return w.With(w.With("").LogIn(w.t, user, ViewerPassword))
	}
	return w.With(w.With("").LogIn(w.t, user, w.adminPassword))
}

// Clock is a clock that a test moves. Each reading is a microsecond later than the one before, so that no two readings are
// equal. It is safe for concurrent use.
type Clock struct{ micros atomic.Int64 }

// NewClock returns a clock that starts at 2026-01-15 09:30 UTC.
func NewClock() *Clock {
	c := &Clock{}
	c.micros.Store(time.Date(2026, 1, 15, 9, 30, 0, 0, time.UTC).UnixMicro())
	return c
}

// Now advances the clock by a microsecond and returns the time in UTC.
func (c *Clock) Now() time.Time { return time.UnixMicro(c.micros.Add(1)).UTC() }

// Advance moves the clock forward by d.
func (c *Clock) Advance(d time.Duration) { c.micros.Add(d.Microseconds()) }

// Log collects the log of the services. It is safe for concurrent use.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write appends a line.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns the whole log.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Lines returns the lines that contain all of the texts.
func (l *Log) Lines(texts ...string) (found []string) {
	for line := range strings.Lines(l.String()) {
		all := true
		for _, text := range texts {
			all = all && strings.Contains(line, text)
		}
		if all {
			found = append(found, line)
		}
	}
	return found
}
