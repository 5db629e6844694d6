package main

import (
	"slices"

	"github.com/pedidos-hq/pedidos/e2e/bench/scenario"
)

// Row holds the medians of a scenario over all rounds.
type Row struct {
	Scenario  string             `json:"scenario"`
	Clients   int                `json:"clients"`
	PerSecond float64            `json:"per_second"`
	Spread    float64            `json:"spread"` // range of PerSecond over the rounds, divided by PerSecond
	Latency   Latency            `json:"latency_ms"`
	CPU       map[string]float64 `json:"cpu_ms_per_operation"` // by process
	Calls     *float64           `json:"customers_calls_per_order,omitempty"`
	Failures  map[string]int64   `json:"failures,omitempty"` // sum over all rounds

	Against  string  `json:"against,omitempty"`
	Ratio    float64 `json:"ratio,omitempty"`     // of PerSecond to PerSecond of Against
	P99Ratio float64 `json:"p99_ratio,omitempty"` // of the 99th percentile to that of Against
}

// summarize returns a row for each scenario and number of clients, in the order of the scenarios.
func summarize(cells []Cell, scenarios []scenario.Scenario) []Row {
	type load struct {
		scenario string
		clients  int
	}
	rounds := map[load][]Cell{}
	var concurrency []int
	for _, c := range cells {
		at := load{c.Scenario, c.Clients}
		rounds[at] = append(rounds[at], c)
		if !slices.Contains(concurrency, c.Clients) {
			concurrency = append(concurrency, c.Clients)
		}
	}
	var rows []Row
	done := map[load]Row{}
	for _, s := range scenarios {
		for _, clients := range concurrency {
			at := load{s.Name, clients}
			if len(rounds[at]) == 0 { // the run was interrupted
				continue
			}
			row := newRow(rounds[at])
			if other, ok := done[load{s.Against, clients}]; ok {
				row.Against, row.Ratio, row.P99Ratio = s.Against, over(row.PerSecond, other.PerSecond), over(row.Latency.P99, other.Latency.P99)
			}
			rows, done[at] = append(rows, row), row
		}
	}
	return rows
}

// newRow summarizes the rounds of one load.
func newRow(rounds []Cell) Row {
	of := func(value func(Cell) float64) float64 {
		values := make([]float64, len(rounds))
		for i, c := range rounds {
			values[i] = value(c)
		}
		return median(values)
	}
	row := Row{
		Scenario: rounds[0].Scenario, Clients: rounds[0].Clients,
		PerSecond: of(func(c Cell) float64 { return c.PerSecond }),
		Latency: Latency{
			P50:  of(func(c Cell) float64 { return c.Latency.P50 }),
			P95:  of(func(c Cell) float64 { return c.Latency.P95 }),
			P99:  of(func(c Cell) float64 { return c.Latency.P99 }),
			P999: of(func(c Cell) float64 { return c.Latency.P999 }),
			Max:  of(func(c Cell) float64 { return c.Latency.Max }),
		},
		CPU: map[string]float64{}, Failures: map[string]int64{},
	}
	worst, best := rounds[0].PerSecond, rounds[0].PerSecond
	for _, c := range rounds {
		worst, best = min(worst, c.PerSecond), max(best, c.PerSecond)
		for what, n := range c.Failures {
			row.Failures[what] += n
		}
	}
	row.Spread = over(best-worst, row.PerSecond)
	for process := range rounds[0].CPU {
		row.CPU[process] = of(func(c Cell) float64 { return over(1000*c.CPU[process], float64(c.Operations)) })
	}
	if rounds[0].Calls != nil {
		row.Calls = new(of(func(c Cell) float64 { return *c.Calls }))
	}
	return row
}

// over returns a / b, or 0 if b is 0.
func over(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
