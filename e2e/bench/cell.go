package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/pedidos-hq/pedidos/e2e/bench/drive"
	"github.com/pedidos-hq/pedidos/e2e/bench/scenario"
	"github.com/pedidos-hq/pedidos/e2e/bench/usage"
)

// Cell is the result of one scenario under one load.
type Cell struct {
	Scenario   string             `json:"scenario"`
	Clients    int                `json:"clients"`
	Rate       float64            `json:"rate,omitempty"` // intended, in operations per second; 0 is a closed loop
	Round      int                `json:"round,omitempty"`
	Operations int64              `json:"operations"` // successful ones
	PerSecond  float64            `json:"per_second"`
	Latency    Latency            `json:"latency_ms"`
	Failures   map[string]int64   `json:"failures,omitempty"`
	CPU        map[string]float64 `json:"cpu_seconds"` // by process, during the measured time
	Resident   map[string]int64   `json:"resident_bytes"`
	Calls      *float64           `json:"customers_calls_per_order,omitempty"`
}

// Latency holds percentiles over the successful operations, in milliseconds.
type Latency struct {
	P50  float64 `json:"p50"`
	P95  float64 `json:"p95"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p99.9"`
	Max  float64 `json:"max"`
}

func latency(h *hdrhistogram.Histogram) Latency {
	at := func(quantile float64) float64 { return float64(h.ValueAtQuantile(quantile)) / 1000 }
	return Latency{P50: at(50), P95: at(95), P99: at(99), P999: at(99.9), Max: float64(h.Max()) / 1000}
}

// bench measures cells.
type bench struct {
	plan      drive.Plan
	seed      uint64
	processes map[string]int                                   // ids of the processes whose CPU and memory are reported, by name
	calls     func(context.Context) (sofar float64, err error) // counts calls of orders-api to customers-api; may be nil

	// profile takes a CPU profile of the given length and stores it under a name; may be nil.
	profile func(ctx context.Context, shop *scenario.Shop, name string, length time.Duration) error
}

// measure runs a scenario and returns its result.
func (b bench) measure(ctx context.Context, s scenario.Scenario, shop *scenario.Shop, clients int) (Cell, error) {
	load, err := s.Start(ctx, shop, clients, b.seed)
	if err != nil {
		return Cell{}, err
	}
	defer load.Close()
	var before, after sample
	var profiling sync.WaitGroup
	var profiled error
	result, err := drive.Run(ctx, b.plan, load.Operations, func() func() {
		before = b.sample(ctx)
		if b.profile != nil {
			name := fmt.Sprintf("%s-%d", strings.ReplaceAll(s.Name, "/", "-"), clients)
			profiling.Go(func() { profiled = b.profile(ctx, shop, name, b.plan.Duration) })
		}
		return func() { after = b.sample(ctx) }
	})
	profiling.Wait()
	if err == nil {
		err = errors.Join(before.err, after.err, profiled)
	}
	if err != nil {
		return Cell{}, err
	}
	c := Cell{
		Scenario: s.Name, Clients: clients, Rate: b.plan.Rate, Operations: result.Latency.TotalCount(), PerSecond: result.Throughput(),
		Latency: latency(result.Latency), Failures: result.Failures, CPU: map[string]float64{}, Resident: map[string]int64{},
	}
	for name := range after.usage {
		c.CPU[name] = (after.usage[name].CPU - before.usage[name].CPU).Seconds()
		c.Resident[name] = after.usage[name].Resident
	}
	if b.calls != nil && s.Places {
		c.Calls = new(over(after.calls-before.calls, float64(c.Operations)))
	}
	return c, nil
}

// sample holds the totals of the processes up to a moment.
type sample struct {
	usage map[string]usage.Usage
	calls float64
	err   error
}

func (b bench) sample(ctx context.Context) (s sample) {
	s.usage = map[string]usage.Usage{}
	for name, pid := range b.processes {
		u, err := usage.Of(pid)
		s.usage[name], s.err = u, errors.Join(s.err, err)
	}
	if b.calls != nil {
		calls, err := b.calls(ctx)
		s.calls, s.err = calls, errors.Join(s.err, err)
	}
	return s
}
