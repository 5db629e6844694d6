// Command pedidos is the one executable: all three services on the embedded engine (up), each service on its own, and
// what is done to the database.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/caarlos0/env/v11"
	"golang.org/x/term"

	"github.com/pedidos-hq/pedidos/services/platform/config"
	"github.com/pedidos-hq/pedidos/services/platform/metrics"
	"github.com/pedidos-hq/pedidos/services/platform/telemetry"
)

type commands struct {
	Up           upCommand           `cmd:"" default:"withargs" help:"Start all three services on this machine, on the embedded engine. The default."`
	Customers    customersCommand    `cmd:"" help:"Serve customers-api."`
	Orders       ordersCommand       `cmd:"" help:"Serve orders-api."`
	Orchestrator orchestratorCommand `cmd:"" help:"Serve the orchestrator."`
	Migrate      migrateCommand      `cmd:"" help:"Change or show the version of the schema."`
	Seed         seedCommand         `cmd:"" help:"Add the sample customers and products that are not there yet, or a large data set."`
	Audit        auditCommand        `cmd:"" help:"Check that stock, totals and statuses add up. Exits with 1 where they don't."`
	Health       healthCommand       `cmd:"" help:"Ask a service whether it is ready. Exits with 1 where it is not."`
}

// process is what a command has of the process it runs in.
type process struct {
	environment map[string]string
	stdout      io.Writer
	stderr      *os.File
	log         *slog.Logger
	config      *config.Config
	metrics     *metrics.Registry
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

	var c commands
	parser, err := kong.New(&c,
		kong.Name("pedidos"),
		kong.Description("A B2B order backend: customers, stock and orders behind three OpenAPI contracts."),
		kong.Writers(stdout, stderr),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true}),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(&p),
	)
	if err != nil {
		return err
	}
	chosen, err := parser.Parse(args)
	if err != nil {
		return errors.New(err.Error() + "; see pedidos --help")
	}
	return chosen.Run()
}
