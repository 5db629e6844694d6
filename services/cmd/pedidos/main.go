// Command pedidos runs all services on the embedded engine (pedidos up) or one service, and maintains the database.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/caarlos0/env/v11"
	"golang.org/x/term"

	"github.com/pedidos-hq/pedidos/services/platform/config"
	"github.com/pedidos-hq/pedidos/services/platform/metrics"
	"github.com/pedidos-hq/pedidos/services/platform/process"
	"github.com/pedidos-hq/pedidos/services/platform/telemetry"
)

// program is one run of the executable.
type program struct {
	process.Process
	environment map[string]string
	stdout      io.Writer
	stderr      *os.File
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once
	if err := run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr); err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			fmt.Fprintln(os.Stderr, "pedidos:", line)
		}
		os.Exit(1)
	}
}

func run(ctx context.Context, args, environ []string, stdout, stderr *os.File) error {
	environment := env.ToMap(environ)
	c, err := config.Read(environment)
	if err != nil {
		return err
	}
	p := program{
		Process: process.Process{
			Config:  c,
			Log:     telemetry.NewLogger(stderr, term.IsTerminal(int(stderr.Fd())), c.LogLevel),
			Metrics: metrics.New(),
			Now:     time.Now,
		},
		environment: environment, stdout: stdout, stderr: stderr,
	}
	root := p.commands()
	root.SetArgs(args)
	return root.ExecuteContext(ctx)
}
