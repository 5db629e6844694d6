package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// progress tells how far a long command is: in a line that is redrawn on a terminal, elsewhere in a line now and then.
type progress struct {
	out         io.Writer
	begin, end  string // of a line, while there is more to come
	every       time.Duration
	since, told time.Time
}

func newProgress(stderr *os.File) *progress {
	if term.IsTerminal(int(stderr.Fd())) {
		return &progress{out: stderr, begin: "\r\x1b[K", every: 100 * time.Millisecond}
	}
	return &progress{out: stderr, end: "\n", every: 5 * time.Second}
}

// report is called with done = 0 first, where the time starts, and with done = total at last, which is always told.
func (p *progress) report(table string, done, total int) {
	now := time.Now()
	if done == 0 {
		p.since, p.told = now, now
		return
	}
	end := p.end
	if done == total {
		end = "\n"
	} else if now.Sub(p.told) < p.every {
		return
	}
	p.told = now
	fmt.Fprintf(p.out, "%s%s: %d of %d (%d%%), %.0f rows/s%s", p.begin, table, done, total, done*100/total,
		float64(done)/now.Sub(p.since).Seconds(), end)
}
