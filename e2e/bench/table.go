package main

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// column is a column of the table.
type column struct {
	head string
	text bool // aligned left; numbers are aligned right
	show func(Row) string
}

func columns() []column {
	number := func(head, format string, value func(Row) float64) column {
		return column{head: head, show: func(r Row) string { return fmt.Sprintf(format, value(r)) }}
	}
	compared := func(head string, value func(Row) float64) column {
		return column{head: head, show: func(r Row) string {
			if r.Against == "" {
				return ""
			}
			return fmt.Sprintf("%.2f", value(r))
		}}
	}
	return []column{
		{head: "scenario", text: true, show: func(r Row) string { return r.Scenario }},
		{head: "clients", show: func(r Row) string { return strconv.Itoa(r.Clients) }},
		number("per s", "%.1f", func(r Row) float64 { return r.PerSecond }),
		number("spread", "%.0f %%", func(r Row) float64 { return 100 * r.Spread }),
		{head: "against", text: true, show: func(r Row) string { return r.Against }},
		compared("ratio", func(r Row) float64 { return r.Ratio }),
		number("p50 ms", "%.2f", func(r Row) float64 { return r.Latency.P50 }),
		number("p95", "%.2f", func(r Row) float64 { return r.Latency.P95 }),
		number("p99", "%.2f", func(r Row) float64 { return r.Latency.P99 }),
		compared("p99 ratio", func(r Row) float64 { return r.P99Ratio }),
		number("p99.9", "%.2f", func(r Row) float64 { return r.Latency.P999 }),
		number("max", "%.2f", func(r Row) float64 { return r.Latency.Max }),
		number("CPU ms: services", "%.2f", Row.services),
		number("MySQL", "%.2f", func(r Row) float64 { return r.CPU["mysql"] }),
		number("driver", "%.2f", func(r Row) float64 { return r.CPU["driver"] }),
		{head: "calls/order", show: func(r Row) string {
			if r.Calls == nil {
				return ""
			}
			return fmt.Sprintf("%.3f", *r.Calls)
		}},
		{head: "failures", text: true, show: func(r Row) string {
			return list(r.Failures, func(n int64) string { return strconv.FormatInt(n, 10) })
		}},
	}
}

// services returns the CPU time of the services, without MySQL and the driver, in milliseconds per operation.
func (r Row) services() (ms float64) {
	for process, used := range r.CPU {
		if process != "mysql" && process != "driver" {
			ms += used
		}
	}
	return ms
}

// table formats the rows as a Markdown table.
func table(rows []Row) string {
	columns := columns()
	cells := make([][]string, len(rows)+2) // with the header and the line below it
	for _, c := range columns {
		shown := []string{c.head, ""}
		for _, r := range rows {
			shown = append(shown, c.show(r))
		}
		width := 0
		for _, text := range shown {
			width = max(width, utf8.RuneCountInString(text))
		}
		shown[1] = strings.Repeat("-", width-1) + ":"
		if c.text {
			shown[1] = strings.Repeat("-", width)
		}
		for i, text := range shown {
			pad := strings.Repeat(" ", width-utf8.RuneCountInString(text))
			if c.text {
				text += pad
			} else {
				text = pad + text
			}
			cells[i] = append(cells[i], text)
		}
	}
	var b strings.Builder
	for _, line := range cells {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(line, " | "))
	}
	return b.String()
}
