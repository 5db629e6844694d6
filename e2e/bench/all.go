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

// runAll starts MySQL and the services, and measures the selected scenarios.
func runAll(ctx context.Context, args []string) error {
	var report Report
	var b bench
	c := &report.Rig
	concurrency := counts{1, 8, 32, 128}
	flags := flag.NewFlagSet("bench all", flag.ContinueOnError)
	flags.DurationVar(&b.plan.Duration, "duration", 3*time.Second, "the measured time of each cell")
	flags.DurationVar(&b.plan.WarmUp, "warmup", time.Second, "load before the measured time")
	flags.IntVar(&report.Rounds, "rounds", 3, "measurements of each cell; the table shows the medians")
	flags.Var(&concurrency, "clients", "`numbers` of concurrent clients")
	pattern := flags.String("scenarios", ".", "measure the scenarios that match this `regexp`, and those they are compared with")
	flags.IntVar(&c.Orders, "orders", 20_000, "orders in the grown shop; the scenario depth reads the page after a tenth of them")
	flags.IntVar(&c.Customers, "customers", 100, "customers")
	flags.IntVar(&c.Products, "products", 1_000, "products")
	flags.IntVar(&c.Conns, "conns", 32, "maximum connections of each service to MySQL")
	flags.StringVar(&c.TLS, "tls", "off", "DB_TLS of the services; the floor has no TLS")
	flags.Uint64Var(&c.Seed, "seed", 1, "seed of the data and of the requests")
	flags.StringVar(&c.BufferPool, "buffer-pool", "1073741824", "`bytes` of MySQL's buffer pool")
	flags.StringVar(&c.Binary, "binary", "", "measure this executable `file` (default: build it)")
	flags.StringVar(&c.Logs, "logs", "", "write the logs of the services to this `folder` (default: /dev/null)")
	profiles := flags.String("profiles", "", "write a CPU profile of orders-api under each load to this `folder`; profiling costs some CPU")
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
	if err := writeJSON(*file, report); err != nil { // fails now if the file is not writable
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
	if len(report.Cells) > 0 { // also of an interrupted run
		report.Rows = summarize(report.Cells, scenarios)
		report.print(os.Stdout)
		err = errors.Join(err, writeJSON(*file, report))
	}
	return err
}

// counts is a flag with comma-separated numbers of clients.
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
