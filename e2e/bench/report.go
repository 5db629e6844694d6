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

// Report is all that was measured, and on what.
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
	ImageBytes int64              `json:"image_bytes,omitempty"` // where there is an image

	Audits int    `json:"audits"` // of both shops, one after each round, that found everything in order
	Rows   []Row  `json:"rows"`
	Cells  []Cell `json:"cells"`
}

// Machine is where it was measured.
type Machine struct {
	Processor string `json:"processor"`
	Cores     int    `json:"cores"`
	Memory    string `json:"memory"`
	Kernel    string `json:"kernel"`
	Go        string `json:"go"`
}

// describe fills in what is known before the load.
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
		say("the size of the image is left out: %v", err)
	}
	return nil
}

// field is the first value of a name in a file of /proc; all of the file where the name is "".
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

// print writes what a reader wants to see: the table, and what is needed to judge it.
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
		line("image: there is none of the name pedidos")
	}
	line("pedidos audit found both shops in order after %d of %d rounds", report.Audits, report.Rounds)
}

// most is the most memory that each process had at the end of any measured time.
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

// list is the values by their names.
func list[T any](values map[string]T, show func(T) string) string {
	var all []string
	for _, name := range names(values) {
		all = append(all, name+" "+show(values[name]))
	}
	return strings.Join(all, ", ")
}

func names[T any](values map[string]T) []string { return slices.Sorted(maps.Keys(values)) }

// measure measures each scenario once in each round, one right after the other, so that whatever else the machine does
// hits those that are compared alike. Every other round goes backwards.
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

// median is the middle of the values, or the mean of the two in the middle.
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
