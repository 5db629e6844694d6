// Command pedidos is the one executable: all three services on the embedded engine (up), each service on its own, and
// what is done to the database.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/caarlos0/env/v11"
	"golang.org/x/term"

	"github.com/pedidos-hq/pedidos/services/platform/config"
	"github.com/pedidos-hq/pedidos/services/platform/metrics"
	"github.com/pedidos-hq/pedidos/services/platform/telemetry"
)

// process is what a command has of the process it runs in.
type process struct {
	environment map[string]string
	stdout      io.Writer
	stderr      *os.File
	log         *slog.Logger
	config      *config.Config
	metrics     *metrics.Registry
	tracing     *telemetry.Tracing // nil where the environment asks for none
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C does not wait for requests to finish
	if err := run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr); err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			fmt.Fprintln(os.Stderr, "pedidos:", line)
		}
		os.Exit(1)
	}
}

func run(ctx context.Context, args, environ []string, stdout, stderr *os.File) error {
	p := process{environment: env.ToMap(environ), stdout: stdout, stderr: stderr, metrics: metrics.New()}
	var err error
	if p.config, err = config.Read(p.environment); err != nil {
		return err
	}
	p.log = telemetry.NewLogger(stderr, term.IsTerminal(int(stderr.Fd())), p.config.LogLevel)

	root := p.commands()
	root.SetArgs(args)
	return root.ExecuteContext(ctx)
}
