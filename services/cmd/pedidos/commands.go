package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

// commands are what the command line may say. They are Cobra's, as it does not look for methods by their names: where
// anything does, text/template too, the linker keeps all methods of all types, which are 10 MB.
func (p *process) commands() *cobra.Command {
	root := p.up("pedidos", "A B2B order backend: customers, stock and orders behind three OpenAPI contracts.")
	root.Long = root.Short + "\n\nWithout a command it is up."
	root.CompletionOptions.DisableDefaultCmd = true
	root.DisableSuggestions = true
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	root.SetHelpCommand(&cobra.Command{Hidden: true})
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return misused(err) })

	root.AddCommand(
		p.up("up", "Start all three services on this machine, on the embedded engine. The default."),
		p.command("customers", "Serve customers-api.", serveCustomers),
		p.command("orders", "Serve orders-api.", serveOrders),
		p.command("orchestrator", "Serve the orchestrator.", serveOrchestrator),
		p.migrate(),
		p.seed(),
		p.command("audit", "Check that stock, totals and statuses add up. Exits with 1 where they don't.", audit),
		p.backup(),
		p.health(),
	)
	return root
}

func (p *process) command(name, short string, run func(context.Context, *process) error) *cobra.Command {
	return &cobra.Command{
		Use: name, Short: short, Args: only(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return run(c.Context(), p) },
	}
}

func (p *process) up(name, short string) *cobra.Command {
	u := &upCommand{}
	c := p.command(name, short, u.run)
	f := c.Flags()
	f.SortFlags = false
	f.StringVar(&u.data, "data", cmp.Or(p.environment["DATA_DIR"], "data"), "Keep the data in the folder `DIR` (DATA_DIR)")
	f.BoolVar(&u.reset, "reset", false, "Delete the data first")
	f.BoolVar(&u.noSeed, "no-seed", false, "Put no sample customers and products into an empty database")
	f.StringVar(&u.host, "host", cmp.Or(p.environment["HOST"], "127.0.0.1"), "Listen on `ADDRESS` (HOST)")
	f.IntVar(&u.customersPort, "customers-port", customersPort, "`PORT` of customers-api; 0 takes a free one")
	f.IntVar(&u.ordersPort, "orders-port", ordersPort, "`PORT` of orders-api; 0 takes a free one")
	f.IntVar(&u.orchestratorPort, "orchestrator-port", orchestratorPort, "`PORT` of the orchestrator; 0 takes a free one")
	return c
}

func (p *process) migrate() *cobra.Command {
	all := p.command("migrate", "Change or show the version of the schema: up, down or status.", func(context.Context, *process) error {
		return misused(errors.New("migrate takes up, down or status"))
	})
	m := &migrateUpCommand{}
	up := p.command("up", "Bring the schema to the newest version.", m.run)
	up.Flags().StringVar(&m.customersUser, "customers-user", p.environment["DB_CUSTOMERS_USER"],
		"Then give the MySQL user `NAME` the rights that customers-api needs (DB_CUSTOMERS_USER)")
	up.Flags().StringVar(&m.ordersUser, "orders-user", p.environment["DB_ORDERS_USER"],
		"Then give the MySQL user `NAME` the rights that orders-api needs (DB_ORDERS_USER)")
	all.AddCommand(up,
		p.command("down", "Take back the newest migration. What it made is lost.", migrateDown),
		p.command("status", "Show the migrations and which are applied.", migrateStatus),
	)
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
	return c
}

func (p *process) backup() *cobra.Command {
	return &cobra.Command{
		Use: "backup FILE", Short: "Copy the embedded database to FILE, which must not be there yet, while services use it.",
		Args: only(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error { return backup(c.Context(), p, args[0]) },
	}
}

func (p *process) health() *cobra.Command {
	return &cobra.Command{
		Use: "health [URL]", Short: "Ask a service whether it is ready: the one at URL, or on PORT of this machine. Exits with 1 where it is not.",
		Args: only(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error { return health(c.Context(), p, append(args, "")[0]) },
	}
}

func only(args cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, given []string) error {
		if err := args(c, given); err != nil {
			return misused(err)
		}
		return nil
	}
}

func misused(err error) error { return fmt.Errorf("%w; see pedidos --help", err) }
