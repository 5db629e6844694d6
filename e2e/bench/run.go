package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/bench/drive"
	"github.com/pedidos-hq/pedidos/e2e/bench/floor"
	"github.com/pedidos-hq/pedidos/e2e/bench/scenario"
)

// runOne measures one scenario against running services.
func runOne(ctx context.Context, args []string) error {
	c, err := environment()
	if err != nil {
		return err
	}
	shop := scenario.Shop{Database: mysqlOf(c), Password: c.AdminPassword.Reveal()}
	b := bench{processes: map[string]int{"driver": os.Getpid()}}
	flags := flag.NewFlagSet("bench run", flag.ContinueOnError)
	flags.StringVar(&shop.Customers, "customers", "http://127.0.0.1:3001", "base `URL` of customers-api")
	flags.StringVar(&shop.Orders, "orders", "http://127.0.0.1:3002", "base `URL` of orders-api")
	flags.StringVar(&shop.Orchestrator, "orchestrator", "http://127.0.0.1:3003", "base `URL` of the orchestrator")
	flags.StringVar(&shop.Bare, "bare", "http://127.0.0.1:3004", "base `URL` of the bare handler")
	flags.StringVar(&shop.User, "user", c.AdminUser, "administrator; the password is ADMIN_PASSWORD")
	flags.IntVar(&shop.Depth, "depth", 100_000, "newest orders that the scenarios read; the scenario depth reads the page after them")
	clients := flags.Int("clients", 8, "concurrent clients")
	flags.Float64Var(&b.plan.Rate, "rate", 0, "operations per second, with latency from the time at which each is due; 0 is a closed loop")
	flags.DurationVar(&b.plan.WarmUp, "warmup", 2*time.Second, "load before the measured time")
	flags.DurationVar(&b.plan.Duration, "duration", 10*time.Second, "the measured time")
	flags.Uint64Var(&b.seed, "seed", 1, "seed of the requests")
	flags.Func("pid", "`name=pid` of a process whose CPU and memory to report; repeatable", func(text string) error {
		name, number, _ := strings.Cut(text, "=")
		pid, err := strconv.Atoi(number)
		b.processes[name] = pid
		return err
	})
	file := flags.String("json", "", "write the figures to this `file` too")
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: bench run [flags] SCENARIO\nThe scenarios floor/... take DB_HOST, DB_PORT, DB_USER, DB_PASSWORD and DB_NAME from the environment. The scenarios:")
		for _, s := range scenario.All() {
			fmt.Fprintln(flags.Output(), "  "+s.Name)
		}
		flags.PrintDefaults()
	}
	if err := parse(flags, args, 1); err != nil {
		return err
	}
	if *clients < 1 || b.plan.Duration <= 0 || b.plan.Rate < 0 {
		return errors.New("-clients and -duration must be more than 0, and -rate not negative")
	}
	chosen := scenario.Select(regexp.MustCompile("^" + regexp.QuoteMeta(flags.Arg(0)) + "$"))
	if len(chosen) == 0 {
		return fmt.Errorf("unknown scenario %s; --help lists them", flags.Arg(0))
	}
	cell, err := b.measure(ctx, chosen[len(chosen)-1], &shop, *clients) // the others are those it is compared with
	if err != nil {
		return err
	}
	cell.print(os.Stdout, b.plan)
	return writeJSON(*file, cell)
}

// runBare serves floor.Handler on HOST and PORT, over the configured database.
func runBare(ctx context.Context, args []string) error {
	if err := parse(flag.NewFlagSet("bench bare", flag.ContinueOnError), args, 0); err != nil {
		return err
	}
	c, err := environment()
	if err != nil {
		return err
	}
	db, err := floor.Open(mysqlOf(c), true)
	if err != nil {
		return err
	}
	defer db.Close()
	listener, err := net.Listen("tcp", net.JoinHostPort(c.Host, strconv.Itoa(c.Port)))
	if err != nil {
		return err
	}
	s := &http.Server{Handler: floor.Handler(db), ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { _ = s.Close() })
	if err := s.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// print writes the result of a scenario.
func (c Cell) print(w *os.File, plan drive.Plan) {
	counted := "from the start of each operation (closed loop)"
	if plan.Rate > 0 {
		counted = fmt.Sprintf("from the time at which each operation was due, at %v a second", plan.Rate)
	}
	sayTo(w, "%s, %d clients, %s after %s of warm-up", c.Scenario, c.Clients, plan.Duration, plan.WarmUp)
	sayTo(w, "operations   %d, %.1f a second", c.Operations, c.PerSecond)
	sayTo(w, "latency ms   p50 %.2f  p95 %.2f  p99 %.2f  p99.9 %.2f  max %.2f", c.Latency.P50, c.Latency.P95, c.Latency.P99, c.Latency.P999, c.Latency.Max)
	sayTo(w, "             %s", counted)
	for _, name := range names(c.CPU) {
		sayTo(w, "%-12s %.2f s of CPU, %s MB", name, c.CPU[name], megabytes(c.Resident[name]))
	}
	for _, what := range names(c.Failures) {
		sayTo(w, "failed       %d: %s", c.Failures[what], what)
	}
}
