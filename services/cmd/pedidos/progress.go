package main

import (
	"fmt"
	"io"
	"os"
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
		return
	}
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
