// Package scenario defines the kinds of load on the API, and the baselines that they are compared with.
package scenario

import (
	"context"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/bench/drive"
)

// Scenario is a kind of load.
type Scenario struct {
	Name    string
	Against string // name of the scenario that it is compared with, or ""
	Grown   bool   // it needs tables with many orders
	Places  bool   // each operation places one order through orders-api
	Most    int    // maximum number of clients; 0 means no maximum

	start func(context.Context, *Shop, *Load) (client, error)
}

// client returns the operation of a client, by its number.
type client func(number int) (drive.Operation, error)

// Load is a scenario that is ready to run.
type Load struct {
	Operations []drive.Operation // one for each client

	seed    uint64
	run     string // prefix of the idempotency keys
	closers []func()
}

// Start prepares a load for a number of clients: it logs in, reads the shop and generates requests. Close must be called.
func (s Scenario) Start(ctx context.Context, shop *Shop, clients int, seed uint64) (*Load, error) {
	l := &Load{seed: seed, run: strconv.FormatInt(time.Now().UnixNano(), 36)}
	next, err := s.start(ctx, shop, l)
	for i := 0; i < clients && err == nil; i++ {
		var o drive.Operation
		if o, err = next(i); err == nil {
			l.Operations = append(l.Operations, o)
		}
	}
	if err != nil {
		l.Close()
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	return l, nil
}

// Close closes the connections.
func (l *Load) Close() {
	for _, c := range slices.Backward(l.closers) {
		c()
	}
}

func (l *Load) onClose(c func()) { l.closers = append(l.closers, c) }

// caller returns a caller that Close closes.
func (l *Load) caller(base, token string) *caller {
	c := newCaller(base, token)
	l.onClose(c.Close)
	return c
}

func (l *Load) keys(number int) *keys { return &keys{prefix: l.run + "-" + strconv.Itoa(number) + "-"} }

// random returns the random numbers of a client. The same seed gives the same requests.
func (l *Load) random(number int) *rand.Rand {
	return rand.New(rand.NewPCG(l.seed, 1000+uint64(number)))
}

// All returns the scenarios, each after the one that it is compared with.
func All() []Scenario {
	return slices.Concat([]Scenario{
		{Name: "floor/create-1", start: floorCreate(1)},
		{Name: "create-1", Against: "floor/create-1", Places: true, start: create(1)},
		{Name: "pairs", Against: "create-1", start: pairs},
		{Name: "create-grown", Against: "create-1", Grown: true, Places: true, start: create(1)},
		{Name: "create-watched", Against: "create-grown", Grown: true, Places: true, start: createWatched},
		{Name: "replay", Against: "create-1", Grown: true, start: replay},
		{Name: "floor/create-5", start: floorCreate(5)},
		{Name: "create-5", Against: "floor/create-5", Places: true, start: create(5)},
		{Name: "floor/create-20", start: floorCreate(20)},
		{Name: "create-20", Against: "floor/create-20", Places: true, start: create(20)},
		{Name: "floor/create-confirm", start: floorCreateConfirm},
		{Name: "create-confirm", Against: "floor/create-confirm", Places: true, start: createConfirm},
		{Name: "orchestrated", Against: "floor/create-confirm", Places: true, start: orchestrated},
		{Name: "floor/hot", start: floorHot},
		{Name: "hot", Against: "floor/hot", Places: true, start: hot},
		{Name: "bare/get", Grown: true, start: bareGet},
		{Name: "get", Against: "bare/get", Grown: true, start: get},
		{Name: "list", Grown: true, start: list},
		{Name: "depth", Against: "list", Grown: true, start: depth},
		{Name: "search", Against: "list", Grown: true, start: search},
		{Name: "search-customer", Against: "list", Grown: true, start: searchCustomer},
		{Name: "export", Grown: true, start: export},
		{Name: "sales-by-day", Grown: true, start: sales("day")},
		{Name: "sales-by-customer", Grown: true, start: sales("customer")},
		{Name: "sales-by-product", Grown: true, start: sales("product")},
		{Name: "orders-by-age", Grown: true, start: report("/reports/orders")},
		{Name: "stock-report", Grown: true, start: report("/reports/stock")},
		{Name: "mixed", Grown: true, start: mixed},
		{Name: "login", Most: 32, start: login}, // more would be refused, since passwords are hashed one at a time
	}, filtered(), backofficePages())
}

// Select returns the scenarios whose names match, and their baselines, in the order of All.
func Select(pattern *regexp.Regexp) []Scenario {
	all := All()
	wanted := map[string]bool{}
	for _, s := range slices.Backward(all) {
		if wanted[s.Name] = wanted[s.Name] || pattern.MatchString(s.Name); wanted[s.Name] {
			wanted[s.Against] = true
		}
	}
	return slices.DeleteFunc(all, func(s Scenario) bool { return !wanted[s.Name] })
}
