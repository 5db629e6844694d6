// Command bench measures Pedidos. bench run measures one scenario against running services. bench all starts MySQL and the
// services itself, and measures all scenarios and, interleaved with them, the bare SQL that they are compared with. bench sizes compares databases with few and many orders, and bench
// replicas one database behind one and several orders-api.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/caarlos0/env/v11"

	"github.com/pedidos-hq/pedidos/services/platform/config"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

const help = `usage: bench run [flags] SCENARIO    measure one scenario against running services
       bench all [flags]             start everything, measure all scenarios, print one table
       bench sizes [flags] DATABASE...  compare databases of different sizes
       bench replicas [flags]        compare numbers of orders-api over one database
       bench bare                    the bare handler that reads are compared with, on PORT
Each command lists its flags with --help.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop() // deferred, so that a second Ctrl-C does not interrupt the removal of the container and the processes
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	commands := map[string]func(context.Context, []string) error{"run": runOne, "all": runAll, "sizes": runSizes, "replicas": runReplicas, "bare": runBare}
	if len(args) > 0 {
		if command := commands[args[0]]; command != nil {
			return command(ctx, args[1:])
		}
	}
	fmt.Fprint(os.Stderr, help)
	return errors.New("missing or unknown command")
}

// environment reads the variables that the executable reads.
func environment() (*config.Config, error) { return config.Read(env.ToMap(os.Environ())) }

// mysqlOf returns the settings of the configured database.
func mysqlOf(c *config.Config) database.MySQL {
	return database.MySQL{
		Host: c.DBHost, Port: c.DBPort, User: c.DBUser, Password: c.DBPassword.Reveal(), Name: c.DBName, Conns: c.DBMaxConns,
		TLS: database.TLS(c.DBTLS), CA: c.DBTLSCA,
	}
}

// parse parses flags and checks the number of arguments after them.
func parse(flags *flag.FlagSet, args []string, arguments int) error {
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != arguments {
		return fmt.Errorf("%s takes %d arguments; see --help", flags.Name(), arguments)
	}
	return nil
}

// writeJSON writes a document to a file, unless its name is empty.
func writeJSON(file string, document any) error {
	if file == "" {
		return nil
	}
	text, err := json.MarshalIndent(document, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

// say prints a line of progress.
func say(format string, args ...any) { sayTo(os.Stderr, format, args...) }

func sayTo(w io.Writer, format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
