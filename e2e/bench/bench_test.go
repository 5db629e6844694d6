package main

import (
	"maps"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/bench/scenario"
)

func TestMedian(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		values []time.Duration
		want   time.Duration
	}{
		{nil, 0}, {[]time.Duration{7}, 7}, {[]time.Duration{9, 1, 5}, 5}, {[]time.Duration{8, 1, 100, 2}, 5},
	} {
		if got := median(test.values); got != test.want {
			t.Errorf("the median of %v is %d, want %d", test.values, got, test.want)
		}
	}
}

func TestSummarize(t *testing.T) {
	t.Parallel()
	scenarios := []scenario.Scenario{{Name: "floor"}, {Name: "api", Against: "floor"}, {Name: "stopped", Against: "api"}}
	cell := func(name string, clients int, perSecond, p99, calls float64) Cell {
		c := Cell{
			Scenario: name, Clients: clients, Operations: int64(perSecond), PerSecond: perSecond,
			Latency: Latency{P99: p99}, CPU: map[string]float64{"mysql": 0.5, "orders": 0.25}, Calls: &calls,
		}
		if p99 > 30 {
			c.Failures = map[string]int64{"503 unavailable": 2}
		}
		return c
	}
	rows := summarize([]Cell{
		cell("api", 1, 50, 20, 0.1), cell("floor", 1, 100, 8, 0), cell("api", 8, 300, 33, 0.2), cell("floor", 8, 400, 10, 0),
		cell("floor", 1, 300, 9, 0), cell("api", 1, 150, 21, 0.3), cell("floor", 8, 500, 20, 0), cell("api", 8, 90, 35, 0.1),
		cell("floor", 1, 200, 10, 0), cell("api", 1, 100, 24, 0.2), cell("floor", 8, 300, 30, 0), cell("api", 8, 200, 31, 0.4),
	}, scenarios)
	want := []Row{
		{Scenario: "floor", Clients: 1, PerSecond: 200, Spread: 1, Latency: Latency{P99: 9}},
		{Scenario: "floor", Clients: 8, PerSecond: 400, Spread: 0.5, Latency: Latency{P99: 20}},
		{Scenario: "api", Clients: 1, PerSecond: 100, Spread: 1, Latency: Latency{P99: 21}, Against: "floor", Ratio: 0.5, P99Ratio: 21.0 / 9},
		{Scenario: "api", Clients: 8, PerSecond: 200, Spread: 1.05, Latency: Latency{P99: 33}, Against: "floor", Ratio: 0.5, P99Ratio: 1.65},
	}
	if len(rows) != len(want) {
		t.Fatalf("%d rows, want %d: %+v", len(rows), len(want), rows)
	}
	for i, w := range want {
		r := rows[i]
		if r.Scenario != w.Scenario || r.Clients != w.Clients || r.PerSecond != w.PerSecond || r.Latency != w.Latency || r.Against != w.Against ||
			differ(r.Spread, w.Spread) || differ(r.Ratio, w.Ratio) || differ(r.P99Ratio, w.P99Ratio) {
			t.Errorf("row %d is %+v\nwant %+v", i, r, w)
		}
	}
	last := rows[3]
	if failures := map[string]int64{"503 unavailable": 6}; !maps.Equal(last.Failures, failures) || differ(*last.Calls, 0.2) ||
		differ(last.CPU["mysql"], 2.5) || differ(last.services(), 1.25) {
		t.Errorf("failures %v, calls %v, CPU %v: want %v, 0.2, and 2.5 ms of MySQL and 1.25 of orders", last.Failures, *last.Calls, last.CPU, failures)
	}
}

func differ(a, b float64) bool { return math.Abs(a-b) > 1e-9 }

func TestTable(t *testing.T) {
	t.Parallel()
	calls := 0.0123
	got := table([]Row{
		{Scenario: "floor/create", Clients: 8, PerSecond: 1000},
		{
			Scenario: "create", Clients: 128, PerSecond: 731.26, Spread: 0.125, Latency: Latency{1, 2, 3, 4, 5}, Against: "floor/create",
			Ratio: 0.7312, P99Ratio: 1.5, CPU: map[string]float64{"orders": 1, "customers": 0.25, "mysql": 2, "driver": 0.1}, Calls: &calls,
			Failures: map[string]int64{"409 ñ": 3, "503 b": 1},
		},
	})
	want := `
| scenario     | clients |  per s | spread | against      | ratio | p50 ms |  p95 |  p99 | p99 ratio | p99.9 |  max | CPU ms: services | MySQL | driver | calls/order | failures         |
| ------------ | ------: | -----: | -----: | ------------ | ----: | -----: | ---: | ---: | --------: | ----: | ---: | ---------------: | ----: | -----: | ----------: | ---------------- |
| floor/create |       8 | 1000.0 |    0 % |              |       |   0.00 | 0.00 | 0.00 |           |  0.00 | 0.00 |             0.00 |  0.00 |   0.00 |             |                  |
| create       |     128 |  731.3 |   12 % | floor/create |  0.73 |   1.00 | 2.00 | 3.00 |      1.50 |  4.00 | 5.00 |             1.25 |  2.00 |   0.10 |       0.012 | 409 ñ 3, 503 b 1 |
`
	if want = strings.TrimPrefix(want, "\n"); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
