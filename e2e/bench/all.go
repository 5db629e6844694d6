package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/bench/rig"
	"github.com/pedidos-hq/pedidos/e2e/bench/scenario"
)

// runAll measures everything.
func runAll(ctx context.Context, args []string) error {
	var report Report
	var b bench
	c := &report.Rig
	concurrency := counts{1, 8, 32, 128}
	flags := flag.NewFlagSet("bench all", flag.ContinueOnError)
	flags.DurationVar(&b.plan.Duration, "duration", 3*time.Second, "the measured time of each cell")
	flags.DurationVar(&b.plan.WarmUp, "warmup", time.Second, "the time before it")
	flags.IntVar(&report.Rounds, "rounds", 3, "how often each is measured; the table has the medians")
	flags.Var(&concurrency, "clients", "`numbers` of operations at a time")
	pattern := flags.String("scenarios", ".", "measure those that match this `regexp`, and what they are compared with")
	flags.IntVar(&c.Orders, "orders", 20_000, "orders in the tables of the grown shop; the page at depth comes after a tenth of them")
	flags.IntVar(&c.Customers, "customers", 100, "customers")
	flags.IntVar(&c.Products, "products", 1_000, "products")
	flags.IntVar(&c.Conns, "conns", 32, "connections of each service to MySQL, at most")
	flags.StringVar(&c.TLS, "tls", "off", "DB_TLS of the services; the floor has no TLS")
	flags.Uint64Var(&c.Seed, "seed", 1, "of the data and of what is sent")
	flags.StringVar(&c.BufferPool, "buffer-pool", "1073741824", "`bytes` of MySQL's buffer pool")
	flags.StringVar(&c.Binary, "binary", "", "measure this executable `file`; one is built where it is not set")
	flags.StringVar(&c.Logs, "logs", "", "keep the services' logs in this `folder`; they are written to /dev/null where it is not set")
	profiles := flags.String("profiles", "", "keep a CPU profile of orders-api under each load in this `folder`; it takes a little of the machine")
	file := flags.String("json", "", "write all figures to this `file`")
	if err := parse(flags, args, 0); err != nil {
		return err
	}
	chosen, err := regexp.Compile(*pattern)
	if err != nil {
		return err
	}
	if b.plan.Duration <= 0 || report.Rounds < 1 || c.Orders < 10 {
		return errors.New("-duration and -rounds must be more than 0, and -orders at least 10")
	}
	if err := writeJSON(*file, report); err != nil { // rather than at the end
		return err
	}
	scenarios := scenario.Select(chosen)
	report.WarmUp, report.Duration = b.plan.WarmUp.String(), b.plan.Duration.String()
	b.seed = report.Rig.Seed
	r, err := rig.Start(ctx, report.Rig, say)
	if err == nil {
		err = report.describe(ctx, r)
	}
	if *profiles != "" {
		b.profile = func(ctx context.Context, shop *scenario.Shop, name string, length time.Duration) error {
			profile, err := r.Profile(ctx, shop, length)
			return errors.Join(err, os.WriteFile(filepath.Join(*profiles, name+".pprof"), []byte(profile), 0o644))
		}
	}
	if err == nil {
		err = report.measure(ctx, b, r, scenarios, concurrency)
	}
	err = errors.Join(err, r.Close())
	if len(report.Cells) > 0 { // what there is, where it was stopped
		report.Rows = summarize(report.Cells, scenarios)
		report.print(os.Stdout)
		err = errors.Join(err, writeJSON(*file, report))
	}
	return err
}

// counts is a flag of comma-separated numbers.
type counts []int

func (c *counts) String() string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint([]int(*c)), "[]"), " ", ",")
}

func (c *counts) Set(text string) error {
	*c = nil
	for part := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(part)
		if err != nil || n < 1 {
			return fmt.Errorf("%q is not a number of clients", part)
		}
		*c = append(*c, n)
	}
	return nil
}
