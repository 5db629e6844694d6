package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/bench/rig"
	"github.com/pedidos-hq/pedidos/e2e/bench/scenario"
)

// Report holds all measurements, with the machine and the settings.
type Report struct {
	Machine     Machine           `json:"machine"`
	MySQL       map[string]string `json:"mysql"`
	Environment []string          `json:"environment"` // of the services
	Rig         rig.Config        `json:"rig"`
	Rounds      int               `json:"rounds"`
	WarmUp      string            `json:"warm_up"`
	Duration    string            `json:"duration"`

	ReadyMS    map[string]float64 `json:"ready_ms"`
	IdleBytes  map[string]int64   `json:"idle_bytes"`
	ImageBytes int64              `json:"image_bytes,omitempty"` // 0 if there is no image

	Audits int    `json:"audits"` // successful audits of both shops, one after each round
	Rows   []Row  `json:"rows"`
	Cells  []Cell `json:"cells"`
}

// Machine describes the machine that ran the benchmark.
type Machine struct {
	Processor string `json:"processor"`
	Cores     int    `json:"cores"`
	Memory    string `json:"memory"`
	Kernel    string `json:"kernel"`
	Go        string `json:"go"`
}

// describe fills in the fields that are known before the load.
func (report *Report) describe(ctx context.Context, r *rig.Rig) (err error) {
	report.Machine = Machine{
		Processor: field("/proc/cpuinfo", "model name"), Cores: runtime.NumCPU(), Memory: field("/proc/meminfo", "MemTotal"),
		Kernel: field("/proc/sys/kernel/osrelease", ""), Go: runtime.Version(),
	}
	if report.MySQL, err = r.MySQL(ctx); err != nil {
		return err
	}
	report.Environment, report.IdleBytes, report.ReadyMS = rig.Environment(), r.Idle, map[string]float64{}
	for name, took := range r.Ready {
		report.ReadyMS[name] = median(took).Seconds() * 1000
	}
	if report.ImageBytes, err = rig.ImageBytes(ctx); err != nil {
		say("the report lacks the size of the image: %v", err)
	}
	return nil
}

// field returns the first value of a name in a file of /proc, or the first line if the name is empty.
func field(file, name string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			return strings.TrimLeft(strings.TrimSpace(rest), ": \t")
		}
	}
	return ""
}

// print writes the table for readers, with the settings and the memory.
func (report *Report) print(w io.Writer) {
	line := func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
	m := report.Machine
	line("%s, %d cores, %s, Linux %s, %s; everything on this machine, the driver too.", m.Processor, m.Cores, m.Memory, m.Kernel, m.Go)
	for _, name := range names(report.MySQL) {
		line("MySQL: %s %s", name, report.MySQL[name])
	}
	logs := cmp.Or(report.Rig.Logs, os.DevNull)
	line("Services: %s, DB_MAX_CONNS=%d; logs written to %s.", strings.Join(report.Environment, " "), report.Rig.Conns, logs)
	line("%d customers, %d products; the fresh shop without orders, the grown one with %d. Seed %d.",
		report.Rig.Customers, report.Rig.Products, report.Rig.Orders, report.Rig.Seed)
	line("Medians of rounds: %d, each of %s after %s of warm-up. The loop is closed: latency is the time of the operation alone.\n",
		report.Rounds, report.Duration, report.WarmUp)
	line("%s", table(report.Rows))
	line("start to /ready, ms: %s", list(report.ReadyMS, func(ms float64) string { return fmt.Sprintf("%.0f", ms) }))
	line("memory idle, MB: %s", list(report.IdleBytes, megabytes))
	line("memory at most, MB: %s", list(report.most(), megabytes))
	if report.ImageBytes > 0 {
		line("image, MB: %s", megabytes(report.ImageBytes))
	} else {
		line("image: no image is named pedidos")
	}
	line("pedidos audit found both shops in order after %d of %d rounds", report.Audits, report.Rounds)
}

// most returns the most memory of each process, in bytes, at the end of any cell.
func (report *Report) most() map[string]int64 {
	most := map[string]int64{}
	for _, c := range report.Cells {
		for name, bytes := range c.Resident {
			most[name] = max(most[name], bytes)
		}
	}
	return most
}

func megabytes(bytes int64) string { return fmt.Sprintf("%.1f", float64(bytes)/1e6) }

// list formats named values, sorted by name.
func list[T any](values map[string]T, show func(T) string) string {
	var all []string
	for _, name := range names(values) {
		all = append(all, name+" "+show(values[name]))
	}
	return strings.Join(all, ", ")
}

func names[T any](values map[string]T) []string { return slices.Sorted(maps.Keys(values)) }

// measure measures each scenario once per round. Scenarios that are compared run one right after the other, so that other load
// on the machine affects both alike. Every other round runs in reverse order.
func (report *Report) measure(ctx context.Context, b bench, r *rig.Rig, scenarios []scenario.Scenario, concurrency []int) error {
	b.processes, b.calls = r.Processes(), r.CustomerCalls
	b.processes["driver"] = os.Getpid()
	order := slices.Clone(scenarios)
	for round := 1; round <= report.Rounds; round++ {
		for _, clients := range concurrency {
			if err := r.Reset(ctx); err != nil {
				return err
			}
			for _, s := range order {
				if s.Most > 0 && clients > s.Most {
					continue
				}
				shop := r.Fresh
				if s.Grown {
					shop = r.Grown
				}
				cell, err := b.measure(ctx, s, shop, clients)
				if err != nil {
					return err
				}
				cell.Round = round
				report.Cells = append(report.Cells, cell)
				say("round %d of %d, %d clients, %s: %.1f a second", round, report.Rounds, clients, s.Name, cell.PerSecond)
			}
		}
		if err := r.Audit(ctx); err != nil {
			return err
		}
		report.Audits++
		slices.Reverse(order)
	}
	return nil
}

// median returns the median, or 0 without values.
func median[T float64 | time.Duration](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	switch {
	case len(sorted) == 0:
		return 0
	case len(sorted)%2 == 1:
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
