//go:build !race

// Package allocs compares the number of allocations of requests, from the HTTP handler to the embedded engine, with recorded
// numbers. It is excluded under the race detector, which allocates too.
package allocs

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/gen/orders"
)

var record = flag.Bool("record", false, "record the measured numbers")

const (
	file  = "testdata/allocations.json"
	slack = 0.05 // the fraction by which a number may differ from the recorded one
)

// shop sends the requests to a world with a customer and products.
type shop struct {
	*world.World
	token string
	keys  int
}

// request sends a request. It panics on an unexpected response, so that the measured function needs no testing.T.
type request func()

func open(t testing.TB) *shop {
	t.Helper()
	s := &shop{World: world.New(t, world.Options{Known: time.Hour})}
	answer := s.send("customers", http.MethodPost, "/auth/login", "", `{"username":"admin","password":"`+world.AdminPassword+`"}`, http.StatusOK)
	var token customers.Token
	if err := json.Unmarshal(answer.Body.Bytes(), &token); err != nil {
		t.Fatal(err)
	}
	s.token = token.AccessToken
	s.send("customers", http.MethodPost, "/customers", "", `{"name":"Ferretería Núñez","email":"compras@cliente.example"}`, http.StatusCreated)
	for i := range 20 {
		s.send("orders", http.MethodPost, "/products", "", fmt.Sprintf(`{"sku":"P%d","name":"Product %d","price_cents":100,"stock":1000000}`, i, i), http.StatusCreated)
	}
	return s
}

// newKey returns a new idempotency key.
func (s *shop) newKey() string {
	s.keys++
	return fmt.Sprint("key-", s.keys)
}

func (s *shop) send(service, method, path, key, body string, status int) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body == "" {
		r.Body = http.NoBody
	} else {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	w := httptest.NewRecorder()
	s.Handler(service).ServeHTTP(w, r)
	if w.Code != status {
		panic(fmt.Sprintf("%s %s: %d %s", method, path, w.Code, w.Body))
	}
	return w
}

func basket(n int) string {
	var items []string
	for i := range n {
		items = append(items, fmt.Sprintf(`{"product_id":%d,"qty":1}`, 1+i))
	}
	return `{"customer_id":1,"items":[` + strings.Join(items, ",") + `]}`
}

// place places an order of n lines under a key and returns its path.
func (s *shop) place(key string, n int) string {
	return s.send("orders", http.MethodPost, "/orders", key, basket(n), http.StatusCreated).Header().Get("Location")
}

// requests returns the hot paths by name. It prepares what they need, such as n orders to confirm.
func (s *shop) requests(t testing.TB, n int) map[string]request {
	t.Helper()
	var created []string
	for range n {
		created = append(created, s.place(s.newKey(), 1))
	}
	newest := s.place("known", 1)
	var o orders.Order
	if err := json.Unmarshal(s.send("orders", http.MethodGet, newest, "", "", http.StatusOK).Body.Bytes(), &o); err != nil || o.CustomerID != 1 {
		t.Fatal(o, err)
	}
	return map[string]request{
		"create-1":  func() { s.place(s.newKey(), 1) },
		"create-20": func() { s.place(s.newKey(), 20) },
		"replay":    func() { s.place("known", 1) },
		"confirm": func() {
			path := created[0]
			created = created[1:]
			s.send("orders", http.MethodPost, path+"/confirm", s.newKey(), "", http.StatusOK)
		},
		"get":       func() { s.send("orders", http.MethodGet, newest, "", "", http.StatusOK) },
		"list":      func() { s.send("orders", http.MethodGet, "/orders", "", "", http.StatusOK) },
		"bad input": func() { s.send("orders", http.MethodPost, "/orders", "", `{"customer_id":0}`, http.StatusBadRequest) },
		"login": func() {
			s.send("customers", http.MethodPost, "/auth/login", "", `{"username":"admin","password":"`+world.AdminPassword+`"}`, http.StatusOK)
		},
	}
}

func BenchmarkRequests(b *testing.B) {
	for _, name := range slices.Sorted(maps.Keys(open(b).requests(b, 0))) {
		b.Run(name, func(b *testing.B) {
			do := open(b).requests(b, b.N)[name]
			b.ReportAllocs()
			for b.Loop() {
				do()
			}
		})
	}
}

// TestAllocations fails if a request allocates more than recorded. It also fails if a request allocates less, so that an
// improvement is recorded and kept.
func TestAllocations(t *testing.T) {
	const runs = 200
	measured := map[string]float64{}
	s := open(t)
	requests := s.requests(t, runs+1)
	for _, name := range slices.Sorted(maps.Keys(requests)) {
		measured[name] = testing.AllocsPerRun(runs, requests[name])
	}
	if *record {
		write(t, measured)
		return
	}
	recorded := read(t)
	for _, name := range slices.Sorted(maps.Keys(measured)) {
		got, want := measured[name], recorded[name]
		t.Logf("%-10s %5.0f, recorded %5.0f", name, got, want)
		if cmp.Compare(max(got-want, want-got), slack*want) > 0 {
			t.Errorf("%s: got %.0f allocations, recorded %.0f; if this is intended, run go test ./e2e/allocs -args -record", name, got, want)
		}
	}
}

func read(t *testing.T) (recorded map[string]float64) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &recorded)
	}
	if err != nil {
		t.Fatal(err)
	}
	return recorded
}

func write(t *testing.T, measured map[string]float64) {
	t.Helper()
	text, err := json.MarshalIndent(measured, "", "  ")
	if err == nil {
		err = os.WriteFile(file, append(text, '\n'), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(os.Stdout, string(text)+"\n")
}
