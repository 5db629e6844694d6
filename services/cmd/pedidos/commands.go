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
func (p *program) commands() *cobra.Command {
	root := p.up("pedidos", "A B2B order system: customers, stock and orders behind three OpenAPI contracts, and a backoffice in the browser.")
	root.Long = root.Short + "\n\nWithout a command, pedidos runs up."
	root.Version = buildVersion()
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	root.SetFlagErrorFunc(badFlag)

	root.AddCommand(
		p.up("up", "Run all services on this machine, on the embedded engine (default)."),
		p.withData(p.command("customers", "Run customers-api.", serveCustomers)),
		p.withData(p.command("orders", "Run orders-api.", serveOrders)),
		p.command("orchestrator", "Run the orchestrator.", serveOrchestrator),
		p.command("backoffice", "Run the backoffice, the pages for operators.", serveBackoffice),
		p.migrate(),
		p.seed(),
		p.users(),
		p.keys(),
		p.withData(p.command("audit", "Check that stock, totals and statuses are consistent. Exits with 1 if they are not.", audit)),
		p.backup(),
		p.health(),
		p.withData(p.command("doctor", "Check settings, schema and stock; on the embedded engine also disk and backup, on MySQL the clock. "+
			"Changes nothing; exits with 1 if a check fails.", examine)),
		p.command("version", "Show the version.", func(context.Context, *program) error {
			_, err := fmt.Fprintln(p.stdout, "pedidos version", buildVersion()) // as --version does
			return err
		}),
	)
	addHelp(root)
	addCompletion(root)
	return root
}

// addHelp adds the command help. By default, it shows the general help for a command that does not exist.
func addHelp(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	for _, c := range root.Commands() {
		if c.Name() != "help" {
			continue
		}
		c.Args = func(_ *cobra.Command, args []string) error {
			found, rest, err := root.Find(args)
			if err != nil || !found.HasSubCommands() {
				return err
			}
			return noArguments(found, rest)
		}
	}
}

// addCompletion adds the command completion. By default, arguments do not complete to files, because only few are files.
func addCompletion(root *cobra.Command) {
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() != "completion" {
			continue
		}
		c.Args = noArguments
		c.RunE = func(c *cobra.Command, _ []string) error {
			return misused(c, "completion needs bash, fish, powershell or zsh, for example: pedidos completion bash")
		}
		for _, shell := range c.Commands() {
			shell.Args = noArguments
		}
	}
}

func (p *program) command(name, short string, run func(context.Context, *program) error) *cobra.Command {
	return &cobra.Command{
		Use: name, Short: short, Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return run(c.Context(), p) },
	}
}

// group returns a command that only has subcommands. Without one, it names the choices and an example.
func group(name, short, choices, example string, subcommands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use: name, Short: short, Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			return misused(c, "%s needs %s, for example: %s %s", name, choices, c.CommandPath(), example)
		},
	}
	c.AddCommand(subcommands...)
	return c
}

func (p *program) up(name, short string) *cobra.Command {
	u := &upCommand{}
	c := p.command(name, short, u.run)
	f := c.Flags()
	f.SortFlags = false
	p.addDataFlag(c)
	f.BoolVar(&u.reset, "reset", false, "Delete the data first")
	f.BoolVar(&u.noSeed, "no-seed", false, "Do not add sample customers and products to an empty database")
	f.StringVar(&u.host, "host", cmp.Or(p.environment["HOST"], "127.0.0.1"), "Listen on `ADDRESS` (HOST)")
	f.IntVar(&u.backofficePort, "backoffice-port", backofficePort, "`PORT` of the backoffice; 0 picks a free port")
	f.IntVar(&u.customersPort, "customers-port", customersPort, "`PORT` of customers-api; 0 picks a free port")
	f.IntVar(&u.ordersPort, "orders-port", ordersPort, "`PORT` of orders-api; 0 picks a free port")
	f.IntVar(&u.orchestratorPort, "orchestrator-port", orchestratorPort, "`PORT` of the orchestrator; 0 picks a free port")
	return c
}

func (p *program) addDataFlag(c *cobra.Command) {
	c.Flags().StringVar(&p.Config.DataDir, "data", p.Config.DataDir, "Data folder `DIR` (DATA_DIR)")
	_ = c.MarkFlagDirname("data") // fails only without the flag
}

// withData adds --data to a command. It is an error beside DB_HOST.
func (p *program) withData(c *cobra.Command) *cobra.Command {
	p.addDataFlag(c)
	c.PreRunE = func(c *cobra.Command, _ []string) error {
		if c.Flags().Changed("data") && p.Config.DBHost != "" {
			return fmt.Errorf("--data selects the embedded engine, but DB_HOST is %q: unset DB_HOST, or omit --data", p.Config.DBHost)
		}
		return nil
	}
	return c
}

func (p *program) migrate() *cobra.Command {
	m := &migrateUpCommand{}
	up := p.withData(p.command("up", "Apply all pending migrations.", m.run))
	up.Flags().StringVar(&m.customersUser, "customers-user", p.environment["DB_CUSTOMERS_USER"],
		"Afterwards grant the MySQL user `NAME` the privileges of customers-api (DB_CUSTOMERS_USER)")
	up.Flags().StringVar(&m.ordersUser, "orders-user", p.environment["DB_ORDERS_USER"],
		"Afterwards grant the MySQL user `NAME` the privileges of orders-api (DB_ORDERS_USER)")
	d := &migrateDownCommand{}
	down := p.withData(p.command("down", "Revert the newest migration. Without --yes, only show what would be lost.", d.run))
	down.Flags().BoolVar(&d.yes, "yes", false, "Revert it; its tables and columns are lost")
	status := p.withData(p.command("status", "List the migrations and whether they are applied.", migrateStatus))
	return group("migrate", "Change or show the schema version: up, down or status.", "up, down or status", "status", up, down, status)
}

func (p *program) seed() *cobra.Command {
	s := &seedCommand{}
	c := p.command("seed", "Add sample data to an empty database, or generate a large data set.", s.run)
	f := c.Flags()
	f.SortFlags = false
	f.IntVar(&s.size.Users, "users", 0, "Add `N` generated users, who have no passwords")
	f.IntVar(&s.size.Customers, "customers", 0, "Add `N` generated customers")
	f.IntVar(&s.size.Products, "products", 0, "Add `N` generated products")
	f.IntVar(&s.size.Orders, "orders", 0, "Add `N` generated orders of the existing customers and products")
	f.StringVar(&s.until, "until", "2025-12-31", "The last `DAY` of generated orders, in UTC, which span 365 days; for today: --until $(date -u +%F)")
	f.Uint64Var(&s.number, "rand-seed", 1, "Seed of the generator: the same `N` generates the same data")
	return p.withData(c)
}

func (p *program) backup() *cobra.Command {
	return p.withData(&cobra.Command{
		Use: "backup FILE", Short: "Copy the embedded database to a new FILE. Services may keep running.",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] == "" {
				return misused(c, "backup needs one file name, for example: pedidos backup pedidos.backup")
			}
			return nil
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveDefault // a file
		},
		RunE: func(c *cobra.Command, args []string) error { return backup(c.Context(), p, args[0]) },
	})
}

func (p *program) health() *cobra.Command {
	return &cobra.Command{
		Use: "health [URL]", Short: "Check whether the service at URL, or on PORT of this machine, is ready. Exits with 1 if it is not.",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return misused(c, "health takes at most one URL, for example: pedidos health http://localhost:3001")
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
		c.SuggestionsMinimumDistance = 2 // at most 2 edits
		return misused(c, "unknown command %q%s", args[0], didYouMean(c.SuggestionsFor(args[0])))
	}
	return misused(c, "unexpected argument %q: %s takes only flags", args[0], c.CommandPath())
}

// badFlag describes a flag error in a sentence, with a suggestion.
func badFlag(c *cobra.Command, err error) error {
	var value *pflag.InvalidValueError
	var missing *pflag.ValueRequiredError
	var unknown *pflag.NotExistError
	switch {
	case errors.As(err, &value):
		return misused(c, "--%s is %q: give %s", value.GetFlag().Name, value.GetValue(), validValue(value.GetFlag()))
	case errors.As(err, &missing):
		return misused(c, "--%s has no value: give %s", missing.GetFlag().Name, validValue(missing.GetFlag()))
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "":
		return misused(c, "unknown flag -%s", unknown.GetSpecifiedShortnames())
	case errors.As(err, &unknown):
		// Cobra suggests only commands, so the flags become commands.
		flags := &cobra.Command{SuggestionsMinimumDistance: 2}
		var meant []string // --port is closer to --orders-port than to --host
		c.Flags().VisitAll(func(f *pflag.Flag) {
			flags.AddCommand(&cobra.Command{Use: "--" + f.Name, Run: func(*cobra.Command, []string) {}})
			if strings.HasSuffix(f.Name, "-"+unknown.GetSpecifiedName()) {
				meant = append(meant, "--"+f.Name)
			}
		})
		name := "--" + unknown.GetSpecifiedName()
		if meant == nil {
			meant = flags.SuggestionsFor(name)
		}
		return misused(c, "unknown flag %s%s", name, didYouMean(meant))
	}
	return misused(c, "%w", err)
}

// validValue describes the values of a flag, with an example.
func validValue(f *pflag.Flag) string {
	switch f.Value.Type() {
	case "int", "uint64":
		if n, err := strconv.Atoi(f.DefValue); err == nil && n > 1 {
			return "a whole number such as " + f.DefValue
		}
		return "a whole number such as 1000"
	case "bool":
		return "true or false"
	}
	return "one, for example --" + f.Name + " " + cmp.Or(f.DefValue, "NAME")
}

func didYouMean(suggestions []string) string {
	if len(suggestions) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(suggestions, " or ") + "?"
}

// misused returns an error about the command line of c that points to its help.
func misused(c *cobra.Command, format string, args ...any) error {
	return fmt.Errorf(format+" (see %s --help)", append(args, c.CommandPath())...)
}
