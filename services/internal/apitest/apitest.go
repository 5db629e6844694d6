// Package apitest helps to test a service through its HTTP handler: a database, a clock, callers and assertions.
package apitest

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/config"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/problem"
	"github.com/pedidos-hq/pedidos/services/platform/process"
)

// ServiceToken is the token of another service.
const ServiceToken = "service-token"

const (
	jwtSecret = "0123456789abcdef0123456789abcdef"
	tokenTTL  = 10 * 365 * 24 * time.Hour
)

// NewDB returns a new embedded database with the current schema, and its file.
func NewDB(t testing.TB) (db *database.DB, file string) {
	t.Helper()
	migrated, err := template()
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "pedidos.db")
	if err := os.WriteFile(file, migrated, 0o600); err != nil {
		t.Fatal(err)
	}
	return OpenDB(t, file, database.Options{}), file
}

// template returns the content of a migrated database. Copying it takes a tenth of the time of the migrations.
var template = sync.OnceValues(func() (content []byte, err error) {
	folder, err := os.MkdirTemp("", "pedidos-template-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	file := filepath.Join(folder, "pedidos.db")
	db, err := database.OpenSQLite(file, database.Options{})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(db.Migrate(context.Background()), db.Close()); err != nil { // Close leaves everything in the one file
		return nil, err
	}
	return os.ReadFile(file)
})

// OpenDB opens a database file for the length of a test.
func OpenDB(t testing.TB, file string, o database.Options) *database.DB {
	t.Helper()
	db, err := database.OpenSQLite(file, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// NewProcess returns a process with the default configuration, the secrets of NewTokens and ServiceToken, and no log.
func NewProcess(t testing.TB, clock *Clock) process.Process {
	t.Helper()
	c, err := config.Read(map[string]string{})
	if err != nil {
		t.Fatal(err)
	}
	c.JWTSecret, c.JWTTTL, c.ServiceToken = jwtSecret, tokenTTL, ServiceToken
	c.PasswordMemoryKiB = 8 // a hash takes microseconds
	c.CallerRate = 0        // the clock stands still
	return process.Process{Config: c, Log: slog.New(slog.DiscardHandler), Now: clock.Now}
}

// Serve serves a handler for the length of a test and returns its URL. err is the error of the handler's constructor.
func Serve(t testing.TB, handler http.Handler, err error) (url string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s.URL
}

// NewTokens returns an issuer of tokens that the services accept.
func NewTokens(clock *Clock) *auth.Issuer { return auth.NewHMACIssuer(jwtSecret, clock.Now) }

// Token returns a token of a user that outlives every test.
func Token(t testing.TB, tokens *auth.Issuer, user string, role auth.Role) string {
	t.Helper()
	token, err := tokens.Issue(t.Context(), auth.Caller{Name: "user:" + user, Role: role}, tokenTTL)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// Clock stands still until a test moves it. It is safe for concurrent use.
type Clock struct{ micros atomic.Int64 }

// NewClock returns a clock that stands at 2026-01-01T00:00:00Z.
func NewClock() *Clock {
	c := &Clock{}
	c.Set(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	return c
}

// Now returns the time of the clock.
func (c *Clock) Now() time.Time { return time.UnixMicro(c.micros.Load()).UTC() }

// Set moves the clock to t.
func (c *Clock) Set(t time.Time) { c.micros.Store(t.UnixMicro()) }

// Advance moves the clock by d.
func (c *Clock) Advance(d time.Duration) { c.micros.Add(d.Microseconds()) }

// Response is a response of a generated client.
type Response interface {
	StatusCode() int
	GetBody() []byte
}

// WantStatus ends the test if a call failed or its response has another status.
func WantStatus(t testing.TB, r Response, err error, status int) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if r.StatusCode() != status {
		t.Fatalf("got status %d, want %d: %s", r.StatusCode(), status, r.GetBody())
	}
}

// WantProblem ends the test if the response is not the problem with that code about these fields, in any order.
func WantProblem(t testing.TB, r Response, err error, code common.ProblemCode, fields ...string) common.Problem {
	t.Helper()
	WantStatus(t, r, err, problem.Status(fault.New(code, "")))
	var p common.Problem
	if err := json.Unmarshal(r.GetBody(), &p); err != nil {
		t.Fatalf("the response is not a problem document: %v: %s", err, r.GetBody())
	}
	var got []string
	if p.Errors != nil {
		for _, e := range *p.Errors {
			got = append(got, e.Field)
		}
	}
	slices.Sort(got)
	slices.Sort(fields)
	if p.Code != code || !slices.Equal(got, fields) {
		t.Fatalf("got the problem %s about %q, want %s about %q: %s", p.Code, got, code, fields, r.GetBody())
	}
	return p
}
