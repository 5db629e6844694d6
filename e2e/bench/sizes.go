package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/bench/rig"
	"github.com/pedidos-hq/pedidos/e2e/bench/scenario"
	"github.com/pedidos-hq/pedidos/services/platform/config"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

// variant is a scenario on one of several shops that are compared.
type variant struct {
	scenario.Scenario
	shop *scenario.Shop
}

// variants returns the scenarios on each shop, compared with the first. Labels name the shops.
func variants(scenarios []scenario.Scenario, shops []*scenario.Shop, labels []string) (all []variant) {
	for _, s := range scenarios {
		for i, shop := range shops {
			v := variant{s, shop}
			v.Name, v.Against = s.Name+" "+labels[i], ""
			if i > 0 {
				v.Against = s.Name + " " + labels[0]
			}
			all = append(all, v)
		}
	}
	return all
}

// rounds measures each variant once per round. The shops of a scenario come one right after the other, in reverse order every other
// round. It returns the medians.
func (b bench) rounds(ctx context.Context, all []variant, concurrency counts, rounds int) ([]Row, error) {
	var cells []Cell
	scenarios := make([]scenario.Scenario, len(all))
	for i, v := range all {
		scenarios[i] = v.Scenario
	}
	order := slices.Clone(all)
	for round := 1; round <= rounds; round++ {
		for _, clients := range concurrency {
			for _, v := range order {
				cell, err := b.measure(ctx, v.Scenario, v.shop, clients)
				if err != nil {
					return summarize(cells, scenarios), err
				}
				cells = append(cells, cell)
				say("round %d of %d, %d clients, %s: %.1f a second", round, rounds, clients, v.Name, cell.PerSecond)
			}
		}
		slices.Reverse(order)
	}
	return summarize(cells, scenarios), nil
}

// flagsOf returns the flags that the comparisons share.
func (b *bench) flagsOf(name string, concurrency *counts, rounds *int, pattern, binary *string) *flag.FlagSet {
	flags := flag.NewFlagSet("bench "+name, flag.ContinueOnError)
	flags.DurationVar(&b.plan.Duration, "duration", 3*time.Second, "the measured time of each cell")
	flags.DurationVar(&b.plan.WarmUp, "warmup", time.Second, "load before the measured time")
	flags.IntVar(rounds, "rounds", 3, "measurements of each cell; the table shows the medians")
	flags.Var(concurrency, "clients", "`numbers` of concurrent clients")
	flags.StringVar(pattern, "scenarios", *pattern, "measure the scenarios that match this `regexp`")
	flags.StringVar(binary, "binary", "", "measure this executable `file` (default: build it)")
	flags.Uint64Var(&b.seed, "seed", 1, "seed of the requests")
	return flags
}

// chosen returns the scenarios that match and need only orders-api.
func chosen(pattern string) ([]scenario.Scenario, error) {
	match, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err
	}
	all := slices.DeleteFunc(scenario.All(), func(s scenario.Scenario) bool {
		return !match.MatchString(s.Name) || strings.HasPrefix(s.Name, "floor/") || strings.HasPrefix(s.Name, "bare/") ||
			strings.HasPrefix(s.Name, "page-") || s.Name == "orchestrated"
	})
	if len(all) == 0 {
		return nil, fmt.Errorf("no scenario of orders-api matches %q", pattern)
	}
	return all, nil
}

// runSizes measures scenarios on databases of different sizes.
func runSizes(ctx context.Context, args []string) (err error) {
	c, err := environment()
	if err != nil {
		return err
	}
	b, concurrency, rounds, pattern := bench{}, counts{1, 32}, 3, "."
	config := rig.Config{TLS: "off"}
	flags := b.flagsOf("sizes", &concurrency, &rounds, &pattern, &config.Binary)
	flags.IntVar(&config.Orders, "depth", 90_000, "newest orders that the scenarios read; the scenario depth reads the page after them")
	flags.IntVar(&config.Conns, "conns", 32, "maximum connections of each service to MySQL")
	pid := flags.Int("mysql-pid", os.Getpid(), "process `id` of MySQL, to report its CPU time (default: that of bench)")
	last := flags.String("until", time.Now().UTC().AddDate(0, 0, -1).Format(time.DateOnly), "the last `day` of the generated orders")
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: bench sizes [flags] DATABASE...\nThe databases are on the server that DB_HOST, DB_PORT, DB_USER and DB_PASSWORD name. The first is what the others are compared with.\nTheir stock and orders change.")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	names := flags.Args()
	day, err := time.Parse(time.DateOnly, *last)
	if err != nil || len(names) == 0 || rounds < 1 || b.plan.Duration <= 0 {
		return errors.New("bench sizes takes the names of databases, a day as -until, and -rounds and -duration above 0")
	}
	scenarios, err := chosen(pattern)
	if err != nil {
		return err
	}
	r, shops, err := rig.Attach(ctx, config, mysqlOf(c), *pid, names, day.AddDate(0, 0, 1), say)
	defer func() { err = errors.Join(err, r.Close()) }()
	if err != nil {
		return err
	}
	b.processes = r.Processes()
	b.processes["driver"] = os.Getpid()
	rows, err := b.rounds(ctx, variants(scenarios, shops, names), concurrency, rounds)
	fmt.Print(table(rows))
	return err
}

// runReplicas measures one database behind different numbers of orders-api.
func runReplicas(ctx context.Context, args []string) (err error) {
	b, concurrency, numbers, rounds, pattern := bench{}, counts{32}, counts{1, 2, 4}, 3, "^(create-1|pairs)$"
	config := rig.Config{TLS: "off"}
	flags := b.flagsOf("replicas", &concurrency, &rounds, &pattern, &config.Binary)
	flags.Var(&numbers, "replicas", "`numbers` of orders-api")
	flags.IntVar(&config.Customers, "customers", 100, "customers")
	flags.IntVar(&config.Products, "products", 1_000, "products")
	flags.IntVar(&config.Conns, "conns", 32, "maximum connections of each service to MySQL")
	flags.StringVar(&config.BufferPool, "buffer-pool", "1073741824", "`bytes` of MySQL's buffer pool")
	flags.StringVar(&config.Logs, "logs", "", "write the logs of the services to this `folder` (default: /dev/null)")
	attach := flags.Bool("attach", false, "use the running server that DB_HOST, DB_PORT, DB_USER, DB_PASSWORD and DB_NAME name, or the group whose primary is the first in DB_HOST")
	pid := flags.Int("mysql-pid", os.Getpid(), "process `id` of that server, to report its CPU time (default: that of bench)")
	if err := parse(flags, args, 0); err != nil {
		return err
	}
	if rounds < 1 || b.plan.Duration <= 0 {
		return errors.New("-duration and -rounds must be more than 0")
	}
	scenarios, err := chosen(pattern)
	if err != nil {
		return err
	}
	var at *database.MySQL
	if *attach {
		if at, config.Group, err = running(); err != nil {
			return err
		}
	}
	r, shops, err := rig.StartReplicas(ctx, config, at, *pid, numbers, say)
	defer func() { err = errors.Join(err, r.Close()) }()
	if err != nil {
		return err
	}
	b.processes = r.Processes()
	b.processes["driver"] = os.Getpid()
	labels := make([]string, len(numbers))
	for i, n := range numbers {
		labels[i] = fmt.Sprintf("×%d", n)
	}
	rows, err := b.rounds(ctx, variants(scenarios, shops, labels), concurrency, rounds)
	fmt.Print(table(rows))
	if err != nil {
		return err
	}
	orders, keys, answered, err := r.Placed(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("%d orders, %d keys with an answer, %d orders in these answers\n", orders, keys, answered)
	if orders != keys || orders != answered {
		return errors.New("a key has placed no order or two")
	}
	if err := r.Audit(ctx); err != nil {
		return err
	}
	fmt.Println("pedidos audit found the database in order")
	return nil
}

// running returns the configured server, and the addresses of its group, if it has one. The primary must be the first.
func running() (at *database.MySQL, group string, err error) {
	c, err := environment()
	if err != nil {
		return nil, "", err
	}
	if err := c.Check(config.Needs{Database: true}); err != nil {
		return nil, "", err
	}
	servers, server := c.DBServers(), mysqlOf(c)
	if len(servers) < 2 {
		return &server, "", nil
	}
	host, port, err := net.SplitHostPort(servers[0])
	if err != nil {
		return nil, "", err
	}
	server.Host = host
	server.Port, err = strconv.Atoi(port)
	return &server, c.DBHost, err
}
