package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// commands returns the command line.
func (p *process) commands() *cobra.Command {
	root := p.up("pedidos", "A B2B order backend: customers, stock and orders behind three OpenAPI contracts.")
	root.Long = root.Short + "\n\nWithout a command it is up."
	root.Version = buildVersion()
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	root.SetFlagErrorFunc(badFlag)

	root.AddCommand(
		p.up("up", "Start all three services on this machine, on the embedded engine. The default."),
		p.withData(p.command("customers", "Serve customers-api.", serveCustomers)),
		p.withData(p.command("orders", "Serve orders-api.", serveOrders)),
		p.command("orchestrator", "Serve the orchestrator.", serveOrchestrator),
		p.migrate(),
		p.seed(),
		p.withData(p.command("audit", "Check that stock, totals and statuses add up. Exits with 1 where they don't.", audit)),
		p.backup(),
		p.health(),
		p.command("version", "Show which version this is.", func(context.Context, *process) error {
			_, err := fmt.Fprintln(p.stdout, "pedidos version", buildVersion()) // as --version does
			return err
		}),
	)
	addCompletion(root)
	return root
}

// addCompletion adds the command completion. Arguments complete to nothing unless a command says otherwise, as only few are
// files.
func addCompletion(root *cobra.Command) {
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() != "completion" {
			continue
		}
		c.Args = noArguments
		c.RunE = func(*cobra.Command, []string) error {
			return misused("completion takes bash, fish, powershell or zsh, as in pedidos completion bash")
		}
		for _, shell := range c.Commands() {
			shell.Args = noArguments
		}
	}
}

func (p *process) command(name, short string, run func(context.Context, *process) error) *cobra.Command {
	return &cobra.Command{
		Use: name, Short: short, Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return run(c.Context(), p) },
	}
}

func (p *process) up(name, short string) *cobra.Command {
	u := &upCommand{}
	c := p.command(name, short, u.run)
	f := c.Flags()
	f.SortFlags = false
	p.addDataFlag(c)
	f.BoolVar(&u.reset, "reset", false, "Delete the data first")
	f.BoolVar(&u.noSeed, "no-seed", false, "Put no sample customers and products into an empty database")
	f.StringVar(&u.host, "host", cmp.Or(p.environment["HOST"], "127.0.0.1"), "Listen on `ADDRESS` (HOST)")
	f.IntVar(&u.customersPort, "customers-port", customersPort, "`PORT` of customers-api; 0 takes a free one")
	f.IntVar(&u.ordersPort, "orders-port", ordersPort, "`PORT` of orders-api; 0 takes a free one")
	f.IntVar(&u.orchestratorPort, "orchestrator-port", orchestratorPort, "`PORT` of the orchestrator; 0 takes a free one")
	return c
}

func (p *process) addDataFlag(c *cobra.Command) {
	c.Flags().StringVar(&p.config.DataDir, "data", p.config.DataDir, "Keep the data in the folder `DIR` (DATA_DIR)")
	_ = c.MarkFlagDirname("data") // fails only without the flag
}

// withData adds --data to a command. It is an error beside DB_HOST.
func (p *process) withData(c *cobra.Command) *cobra.Command {
	p.addDataFlag(c)
	c.PreRunE = func(c *cobra.Command, _ []string) error {
		if c.Flags().Changed("data") && p.config.DBHost != "" {
			return fmt.Errorf("--data is for the embedded engine, but DB_HOST is %q: unset DB_HOST, or leave --data out", p.config.DBHost)
		}
		return nil
	}
	return c
}

func (p *process) migrate() *cobra.Command {
	all := p.command("migrate", "Change or show the version of the schema: up, down or status.", func(context.Context, *process) error {
		return misused("migrate takes up, down or status, as in pedidos migrate status")
	})
	m := &migrateUpCommand{}
	up := p.withData(p.command("up", "Bring the schema to the newest version.", m.run))
	up.Flags().StringVar(&m.customersUser, "customers-user", p.environment["DB_CUSTOMERS_USER"],
		"Then give the MySQL user `NAME` the rights that customers-api needs (DB_CUSTOMERS_USER)")
	up.Flags().StringVar(&m.ordersUser, "orders-user", p.environment["DB_ORDERS_USER"],
		"Then give the MySQL user `NAME` the rights that orders-api needs (DB_ORDERS_USER)")
	d := &migrateDownCommand{}
	down := p.withData(p.command("down", "Take back the newest migration. Without --yes it only says what is lost.", d.run))
	down.Flags().BoolVar(&d.yes, "yes", false, "Take it back: what it made is lost")
	all.AddCommand(up, down, p.withData(p.command("status", "Show the migrations and which are applied.", migrateStatus)))
	return all
}

func (p *process) seed() *cobra.Command {
	s := &seedCommand{}
	c := p.command("seed", "Put the sample customers and products into an empty database, or add a large data set.", s.run)
	f := c.Flags()
	f.SortFlags = false
	f.IntVar(&s.size.Customers, "customers", 0, "Add `N` generated customers")
	f.IntVar(&s.size.Products, "products", 0, "Add `N` generated products")
	f.IntVar(&s.size.Orders, "orders", 0, "Add `N` generated orders, of the customers and products that are there then")
	f.Uint64Var(&s.number, "rand-seed", 1, "What is generated: the same `N` gives the same")
	return p.withData(c)
}

func (p *process) backup() *cobra.Command {
	return p.withData(&cobra.Command{
		Use: "backup FILE", Short: "Copy the embedded database to FILE, which must not be there yet, while services use it.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] == "" {
				return misused("backup takes one file to copy to, as in pedidos backup pedidos.backup")
			}
			return nil
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveDefault // a file
		},
		RunE: func(c *cobra.Command, args []string) error { return backup(c.Context(), p, args[0]) },
	})
}

func (p *process) health() *cobra.Command {
	return &cobra.Command{
		Use: "health [URL]", Short: "Ask a service whether it is ready: the one at URL, or on PORT of this machine. Exits with 1 where it is not.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return misused("health asks one service, as in pedidos health http://localhost:3001")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return health(c.Context(), p, append(args, "")[0]) },
	}
}

func noArguments(c *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case c.HasSubCommands():
		c.SuggestionsMinimumDistance = 2 // edits, at most
		return misused("there is no command %q%s", args[0], didYouMean(c.SuggestionsFor(args[0])))
	}
	return misused("%s takes no %q: it has flags alone", c.CommandPath(), args[0])
}

// badFlag describes a bad flag in a sentence, with a suggestion.
func badFlag(c *cobra.Command, err error) error {
	var value *pflag.InvalidValueError
	var missing *pflag.ValueRequiredError
	var unknown *pflag.NotExistError
	switch {
	case errors.As(err, &value):
		return misused("--%s is %q: give %s", value.GetFlag().Name, value.GetValue(), goodValue(value.GetFlag()))
	case errors.As(err, &missing):
		return misused("--%s has no value: give %s", missing.GetFlag().Name, goodValue(missing.GetFlag()))
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "":
		return misused("there is no flag -%s", unknown.GetSpecifiedShortnames())
	case errors.As(err, &unknown):
		// Cobra suggests commands only, so the flags become commands.
		flags := &cobra.Command{SuggestionsMinimumDistance: 2}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			flags.AddCommand(&cobra.Command{Use: "--" + f.Name, Run: func(*cobra.Command, []string) {}})
		})
		name := "--" + unknown.GetSpecifiedName()
		return misused("there is no flag %s%s", name, didYouMean(flags.SuggestionsFor(name)))
	}
	return misused("%w", err)
}

// goodValue describes the values of a flag, with an example.
func goodValue(f *pflag.Flag) string {
	switch f.Value.Type() {
	case "int", "uint64":
		if n, err := strconv.Atoi(f.DefValue); err == nil && n > 1 {
			return "a whole number such as " + f.DefValue
		}
		return "a whole number such as 1000"
	case "bool":
		return "true or false"
	}
	return "one, as in --" + f.Name + " " + cmp.Or(f.DefValue, "NAME")
}

func didYouMean(suggestions []string) string {
	if len(suggestions) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(suggestions, " or ") + "?"
}

// misused returns an error about the command line that points to the help.
func misused(format string, args ...any) error {
	return fmt.Errorf(format+" (see pedidos --help)", args...)
}
