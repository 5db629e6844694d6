//go:build !race

// Package allocs counts what requests allocate, on their way through a service and down to the embedded engine, and holds
// that to what is on record. The race detector allocates too: with it nothing is counted.
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

var record = flag.Bool("record", false, "put what is measured on record")

const (
	file  = "testdata/allocations.json"
	slack = 0.05 // what a figure may differ from the one on record
)

// shop is a world in which the requests are made.
type shop struct {
	*world.World
	token string
	keys  int
}

// request sends something, and panics where the answer is not that: the loop that measures is to do nothing else.
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

// newKey is a key that was not used before.
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

func basket(lines int) string {
	var items []string
	for i := range lines {
		items = append(items, fmt.Sprintf(`{"product_id":%d,"qty":1}`, 1+i))
	}
	return `{"customer_id":1,"items":[` + strings.Join(items, ",") + `]}`
}

// place places an order under a key, and returns its path.
func (s *shop) place(key string, lines int) string {
	return s.send("orders", http.MethodPost, "/orders", key, basket(lines), http.StatusCreated).Header().Get("Location")
}

// requests are the hot paths. What comes before a request, such as the order that is to be confirmed, is made ahead.
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

// TestAllocations fails where a request allocates more than is on record, and where it allocates less: then that is to be
// the record.
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
		t.Logf("%-10s %5.0f, %5.0f on record", name, got, want)
		if cmp.Compare(max(got-want, want-got), slack*want) > 0 {
			t.Errorf("%s allocates %.0f times, %.0f on record; where that is meant: go test ./e2e/allocs -args -record", name, got, want)
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
