package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// progress prints the progress of a long command. On a terminal it redraws one line; elsewhere it prints a line every few
// seconds.
type progress struct {
	out         io.Writer
	begin, end  string // of every line but the last
	every       time.Duration
	since, last time.Time
	added       []string // the rows of each table, such as "orders: 5000"
}

func newProgress(stderr *os.File) *progress {
	if term.IsTerminal(int(stderr.Fd())) {
		return &progress{out: stderr, begin: "\r\x1b[K", every: 100 * time.Millisecond}
	}
	return &progress{out: stderr, end: "\n", every: 5 * time.Second}
}

// report starts the clock at done = 0 and always prints done = total.
func (p *progress) report(table string, done, total int) {
	now := time.Now()
	if done == 0 {
		p.since, p.last = now, now
		p.added = append(p.added, table+": 0")
		return
	}
	p.added[len(p.added)-1] = fmt.Sprintf("%s: %d", table, done)
	end := p.end
	if done == total {
		end = "\n"
	} else if now.Sub(p.last) < p.every {
		return
	}
	p.last = now
	fmt.Fprintf(p.out, "%s%s: %d of %d (%d%%), %.0f rows/s%s", p.begin, table, done, total, done*100/total,
		float64(done)/now.Sub(p.since).Seconds(), end)
}

// interrupted returns an error that says what was added until the command was stopped.
func (p *progress) interrupted() error {
	if p.begin != "" {
		fmt.Fprintln(p.out)
	}
	return fmt.Errorf("interrupted; rows that were added: %s", cmp.Or(strings.Join(p.added, ", "), "none"))
}
