package requests

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"pgregory.net/rapid"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/engine"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/contract"
	"github.com/pedidos-hq/pedidos/gen/customers"
)

// tally counts responses by the kind of their request and their status. It is safe for concurrent use.
type tally struct {
	mu     sync.Mutex
	counts map[string]map[int]int
}

func (c *tally) add(kind string, status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts[kind] == nil {
		c.counts[kind] = map[int]int{}
	}
	c.counts[kind][status]++
}

// TestOperations sends generated requests to each operation, in a world of its own.
func TestOperations(t *testing.T) {
	total := &tally{counts: map[string]map[int]int{}}
	t.Run("all", func(t *testing.T) {
		for _, service := range []struct {
			name     string
			contract []byte
		}{{"customers", contract.Customers}, {"orders", contract.Orders}, {"orchestrator", contract.Orchestrator}} {
			doc, err := openapi3.NewLoader().LoadFromData(service.contract)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range loadOperations(service.name, doc) {
				t.Run(service.name+"/"+o.OperationID, func(t *testing.T) {
					t.Parallel()
					testOperation(t, o, total)
				})
			}
		}
	})
	requests := 0
	for _, kind := range slices.Sorted(maps.Keys(total.counts)) {
		line := ""
		for _, status := range slices.Sorted(maps.Keys(total.counts[kind])) {
			line += fmt.Sprintf(" %d×%d", status, total.counts[kind][status])
			requests += total.counts[kind][status]
		}
		t.Logf("%-24s%s", kind, line)
	}
	t.Logf("%d requests on %s", requests, engine.Name())
}

// testOperation sends requests to an operation: valid ones, every change of a valid one, or one in ten without -long, and then random ones.
// At least one must succeed.
func testOperation(t *testing.T, o *operation, total *tally) {
	t.Helper()
	s := open(t)
	succeeded := false
	send := func(r *request) (sent bool, failure string) {
		got, sent := s.send(t.Context(), r)
		if !sent {
			return false, ""
		}
		total.add(r.kind, got.Status)
		succeeded = succeeded || got.Err == nil && got.Status < http.StatusBadRequest
		return true, s.fault(r, got)
	}
	for i := range 20 { // before failures, after which a caller has to wait
		r := rapid.Custom(func(run *rapid.T) *request { return o.build(source{run, s.known}, s.tokens, asContract, nil) }).Example(i)
		if _, failure := send(r); failure != "" {
			t.Fatal(failure)
		}
	}
	for i, c := range o.changes() {
		if !*long && i%10 != 0 {
			continue
		}
		r := rapid.Custom(func(run *rapid.T) *request { return o.build(source{run, s.known}, s.tokens, changed, &c) }).Example(i)
		if _, failure := send(r); failure != "" {
			t.Fatalf("%s: %s: %s", c.name, c.what, failure)
		}
	}
	rapid.Check(t, func(run *rapid.T) {
		sent, failure := send(o.draw(source{run, s.known}, s.tokens))
		if !sent {
			run.Skip("net/http does not send it")
		}
		if failure != "" {
			run.Fatal(failure)
		}
	})
	if !succeeded {
		t.Error("no request succeeded")
	}
}

// unsendable reports whether the header has a value that no client may send.
func unsendable(r *request) bool {
	for _, values := range r.header {
		for _, value := range values {
			for _, b := range []byte(value) {
				if b < ' ' && b != '\t' || b == 0x7f {
					return true
				}
			}
		}
	}
	return false
}

// shop is a world with at least two of everything.
type shop struct {
	w      *world.World
	log    *faults
	tokens map[string]string
	known  map[string][]string // as in a source
}

func open(t *testing.T) *shop {
	t.Helper()
	s := &shop{log: &faults{TB: t}}
	t.Cleanup(func() { // after the checks at the end of the world
		for _, fault := range s.log.take() {
			t.Error(fault)
		}
	})
	s.w = world.New(s.log, world.Options{AllowAnonymous: true})
	admin := s.w.Login("admin")
	s.known = map[string][]string{
		"username": {"admin"}, "password": {s.w.Password()}, "current": {s.w.Password()}, "If-Match": {"*", `"1"`},
	}
	for i := range 2 {
		buyer := admin.CreateCustomer(t, fmt.Sprintf("first-%d@example.com", i)).ID
		admin.CreateOrder(t, buyer, admin.CreateProduct(t, fmt.Sprint("FIRST-", i), 100, 1_000_000).ID, 2)
		var user customers.UserSetup
		person := customers.UserInput{Username: fmt.Sprint("first-", i), Name: "First", Role: customers.RoleManager}
		call.Read(admin.Customers.CreateUser(t.Context(), nil, person)).Want(t, http.StatusCreated, &user)
		s.known["token"] = append(s.known["token"], *user.SetupToken)
		program := customers.IntegratorInput{Name: fmt.Sprint("First ", i), Role: customers.RoleManager}
		call.Read(admin.Customers.CreateIntegrator(t.Context(), nil, program)).Want(t, http.StatusCreated)
	}
	var key customers.NewKey
	for range 2 {
		call.Read(admin.Customers.CreateKey(t.Context(), 1, nil, customers.KeyInput{Name: "first"})).Want(t, http.StatusCreated, &key)
	}
	var session customers.NewSession
	for range 2 {
		call.Read(admin.Customers.CreateSession(t.Context(), nil, customers.Credentials{Username: "admin", Password: s.w.Password()})).
			Want(t, http.StatusCreated, &session)
	}
	s.tokens = map[string]string{
		"admin": admin.Token, "viewer": s.w.Login("viewer").Token, "key": *key.Key, "session": session.Token,
		"service": world.ServiceToken, "none": "", "nonsense": "x", "unsigned": "e30.e30.e30",
	}
	return s
}

// send sends a request, unless no client can send it.
func (s *shop) send(ctx context.Context, r *request) (got call.Response, sent bool) {
	headers := []string{}
	for name, values := range r.header {
		for _, value := range values {
			headers = append(headers, name, value)
		}
	}
	if r.token != "" {
		headers = append(headers, "Authorization", "Bearer "+r.token)
	}
	s.w.Clock.Advance(time.Second)
	o := r.operation
	got = call.Try(ctx, s.w.HTTP(o.service), o.method, r.url(s.w.URLs().Of(o.service)), bytes.NewReader(r.body), headers...)
	return got, got.Err == nil || !unsendable(r)
}

// fault returns what is wrong with a response, or "".
func (s *shop) fault(r *request, got call.Response) string {
	faults := s.log.take()
	switch {
	case got.Err != nil:
		faults = append(faults, got.Err.Error())
	case got.Status >= http.StatusInternalServerError:
		faults = append(faults, "the service fails")
	case r.refuse && got.Status/100 != 4:
		faults = append(faults, "the request must be refused")
	}
	if len(faults) == 0 {
		return ""
	}
	return fmt.Sprintf("%s\n%s %s %q\n%.3000q\n%d %s", faults[0], r.operation.method, r.url(""), r.header, r.body, got.Status, got.Body)
}

// faults is a testing.TB that keeps the errors of a world, so that a run of rapid fails with them.
type faults struct {
	testing.TB

	mu  sync.Mutex
	all []string
}

// Errorf keeps an error.
func (f *faults) Errorf(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = append(f.all, fmt.Sprintf(format, args...))
}

// take returns the errors since the last call.
func (f *faults) take() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := f.all
	f.all = nil
	return all
}
