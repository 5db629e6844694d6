// Package rig starts what the benchmark measures on this machine: MySQL in a container and each service in a process.
package rig

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/bench/scenario"
	"github.com/pedidos-hq/pedidos/e2e/bench/usage"
)

// Config holds the settings of a Rig.
type Config struct {
	Binary     string `json:"binary,omitempty"` // the executable; if empty, it is built
	Logs       string `json:"logs,omitempty"`   // folder for the logs of the services; if empty, /dev/null
	BufferPool string `json:"buffer_pool"`      // bytes of MySQL's buffer pool
	Conns      int    `json:"conns"`            // maximum connections of each service to MySQL
	TLS        string `json:"tls"`              // DB_TLS of the services; the floor has none
	Group      string `json:"group,omitempty"`  // DB_HOST of the services; if empty, the address of the server

	Customers int    `json:"customers"`
	Products  int    `json:"products"`
	Orders    int    `json:"orders"` // of the grown shop
	Seed      uint64 `json:"seed"`
}

// The two databases have the same customers and products. The fresh shop has only the orders of the load.
const (
	fresh = "fresh"
	grown = "grown"
)

// stock is the number of units added to each product, more than a load can take.
const stock = 1_000_000_000

const adminPassword = "pedidos-bench"

// Environment returns the variables that all services have, except for addresses and secrets. It raises the limits of logins
// and of the lifetime of tokens, which a load from one address, or of some hours, would exceed. Reports are made anew for each request.
func Environment() []string {
	return []string{"LOG_LEVEL=INFO", "JWT_TTL=24h", "LOGIN_RATE=1000000", "LOGIN_BURST=1000000", "REPORT_AGE=0s", "CALLER_RATE=0"}
}

// Rig is a set of running services with their database.
type Rig struct {
	Fresh, Grown *scenario.Shop
	Ready        map[string][]time.Duration // time from each start of a service until /ready
	Idle         map[string]int64           // bytes of memory of each service before the load

	config    Config
	starts    int       // of each service, for the median time to /ready
	names     []string  // of the databases
	until     time.Time // the end of the generated orders
	folder    string
	mysql     *server
	processes []*process
}

// Start starts a Rig and reports progress to say. The Rig is never nil and must be closed, even if Start returns an error.
func Start(ctx context.Context, config Config, say func(format string, args ...any)) (*Rig, error) {
	r := newRig(config, time.Now().UTC().Truncate(24*time.Hour))
	r.starts, r.names = 5, []string{fresh, grown}
	return r, r.start(ctx, say)
}

func newRig(config Config, until time.Time) *Rig {
	return &Rig{config: config, until: until, starts: 1, Ready: map[string][]time.Duration{}, Idle: map[string]int64{}}
}

func (r *Rig) start(ctx context.Context, say func(format string, args ...any)) (err error) {
	if err := r.build(ctx, say); err != nil {
		return err
	}
	say("start MySQL")
	if r.mysql, err = startMySQL(ctx, r.config.BufferPool); err != nil {
		return err
	}
	for _, name := range r.names {
		say("fill the database %s", name)
		if err := r.fill(ctx, name); err != nil {
			return err
		}
	}
	say("start the services")
	return r.serve(ctx)
}

// build makes the folder of the Rig, and the executable if there is none.
func (r *Rig) build(ctx context.Context, say func(format string, args ...any)) (err error) {
	if r.folder, err = os.MkdirTemp("", "pedidos-bench-"); err != nil {
		return err
	}
	if r.config.Binary == "" {
		say("build the executable")
		r.config.Binary = filepath.Join(r.folder, "pedidos")
		if err := run(ctx, append(os.Environ(), "CGO_ENABLED=0"), "go", "build", "-tags=grpcnotrace", "-buildvcs=false", "-trimpath", "-ldflags=-s -w", "-o", r.config.Binary,
			"github.com/pedidos-hq/pedidos/services/cmd/pedidos"); err != nil {
			return err
		}
	}
	return nil
}

// fill creates, migrates and seeds a database.
func (r *Rig) fill(ctx context.Context, name string) error {
	if err := r.mysql.do(ctx, r.mysql.at.Name, "CREATE DATABASE "+name); err != nil {
		return err
	}
	if err := r.pedidos(ctx, name, "migrate", "up"); err != nil {
		return err
	}
	seed := []string{
		"seed", "--rand-seed", strconv.FormatUint(r.config.Seed, 10),
		"--customers", strconv.Itoa(r.config.Customers), "--products", strconv.Itoa(r.config.Products),
	}
	if name == grown && r.config.Orders > 0 {
		seed = append(seed, "--orders", strconv.Itoa(r.config.Orders), "--until", r.until.AddDate(0, 0, -1).Format(time.DateOnly))
	}
	if err := r.pedidos(ctx, name, seed...); err != nil {
		return err
	}
	return r.restock(ctx, name)
}

// restock adds units to each product.
func (r *Rig) restock(ctx context.Context, name string) error {
	return r.mysql.do(ctx, name,
		fmt.Sprintf(`INSERT INTO stock_adjustments (product_id, delta, caller, created_at, from_stock, to_stock, reason)
SELECT id, %[1]d, 'bench', UTC_TIMESTAMP(6), stock, stock + %[1]d, 'for the load' FROM products`, stock),
		fmt.Sprintf("UPDATE products SET stock = stock + %d, version = version + 1", stock))
}

// pedidos runs a command of the executable on a database.
func (r *Rig) pedidos(ctx context.Context, name string, args ...string) error {
	return run(ctx, r.database(name), r.config.Binary, args...)
}

// database returns the variables that select a database.
func (r *Rig) database(name string) []string {
	at := r.mysql.at
	return []string{
		"DB_HOST=" + cmp.Or(r.config.Group, at.Host), "DB_PORT=" + strconv.Itoa(at.Port), "DB_USER=" + at.User, "DB_PASSWORD=" + at.Password,
		"DB_NAME=" + name, "DB_MAX_CONNS=" + strconv.Itoa(r.config.Conns),
		"DB_TLS=" + r.config.TLS,
	}
}

// serve starts the services: orders-api twice, once for each shop.
func (r *Rig) serve(ctx context.Context) (err error) {
	secrets := secrets()
	f := scenario.Shop{User: "admin", Password: adminPassword, Depth: r.config.Orders / 10, Until: r.until, Database: r.mysql.at}
	f.Database.Name = fresh
	if f.Customers, err = r.launch(ctx, "customers", "customers", secrets, r.database(fresh), []string{"ADMIN_PASSWORD=" + adminPassword}); err != nil {
		return err
	}
	directory := []string{"CUSTOMERS_API_BASE=" + f.Customers}
	if f.Orders, err = r.launch(ctx, "orders", "orders", secrets, r.database(fresh), directory); err != nil {
		return err
	}
	if f.Orchestrator, err = r.launch(ctx, "orchestrator", "orchestrator", secrets, []string{"ORDERS_API_BASE=" + f.Orders}); err != nil {
		return err
	}
	g := f
	g.Database.Name = grown
	if g.Orders, err = r.launch(ctx, "orders-grown", "orders", secrets, r.database(grown), directory); err != nil {
		return err
	}
	if g.Bare, err = r.launch(ctx, "bare", bare, r.database(grown)); err != nil {
		return err
	}
	backoffice := []string{"CUSTOMERS_API_BASE=" + g.Customers, "ORDERS_API_BASE=" + g.Orders, "ORCHESTRATOR_API_BASE=" + g.Orchestrator}
	if g.Backoffice, err = r.launch(ctx, "backoffice", "backoffice", secrets, backoffice); err != nil {
		return err
	}
	r.Fresh, r.Grown = &f, &g
	return r.settle(ctx)
}

// secrets returns the environment of a service with the secrets that all share.
func secrets() []string {
	return append(Environment(), "JWT_SECRET=0123456789abcdef0123456789abcdef", "SERVICE_TOKEN=bench-service-token")
}

// settle waits until the services are idle, and measures their memory.
func (r *Rig) settle(ctx context.Context) error {
	select {
	case <-time.After(2 * time.Second): // the runtime returns memory that only the start needed
	case <-ctx.Done():
		return ctx.Err()
	}
	for _, p := range r.processes {
		u, err := usage.Of(p.pid())
		if err != nil {
			return err
		}
		r.Idle[p.name] = u.Resident
	}
	return nil
}

const bare = "bare" // a command of this executable, not of the one under test

// launch starts a service several times, keeps the last process and returns its base URL.
func (r *Rig) launch(ctx context.Context, name, command string, env ...[]string) (url string, err error) {
	executable := r.config.Binary
	if command == bare {
		if executable, err = os.Executable(); err != nil {
			return "", err
		}
	}
	for n := 1; ; n++ {
		p, err := start(ctx, r.config.Logs, name, executable, command, slices.Concat(env...))
		if err != nil {
			return "", err
		}
		r.Ready[name] = append(r.Ready[name], p.ready)
		if n == r.starts {
			r.processes = append(r.processes, p)
			return p.url, nil
		}
		if err := p.stop(); err != nil {
			return "", err
		}
	}
}

// Close stops the services and removes the container and the files.
func (r *Rig) Close() error {
	var failed []error
	for _, p := range slices.Backward(r.processes) {
		failed = append(failed, p.stop())
	}
	if r.mysql != nil && r.mysql.container != "" {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		failed = append(failed, r.mysql.remove(ctx))
	}
	return errors.Join(append(failed, os.RemoveAll(r.folder))...)
}

// Processes returns the process ids by name, including MySQL.
func (r *Rig) Processes() map[string]int {
	ids := map[string]int{"mysql": r.mysql.pid}
	for _, p := range r.processes {
		ids[p.name] = p.pid()
	}
	return ids
}

// CustomerCalls returns the number of calls of both orders-api to customers-api.
func (r *Rig) CustomerCalls(ctx context.Context) (calls float64, err error) {
	for _, p := range r.processes {
		if p.name == "orders" || p.name == "orders-grown" {
			n, err := p.metric(ctx, "pedidos_upstream_tries_total", `upstream="customers"`)
			if err != nil {
				return 0, err
			}
			calls += n
		}
	}
	return calls, nil
}

// Profile takes a CPU profile of the orders-api of a shop, for at least a second, and returns it in the format of pprof.
func (r *Rig) Profile(ctx context.Context, shop *scenario.Shop, length time.Duration) (string, error) {
	for _, p := range r.processes {
		if p.url == shop.Orders {
			return fetch(ctx, fmt.Sprintf("%s/debug/pprof/profile?seconds=%.0f", p.admin, max(1, length.Seconds())))
		}
	}
	return "", errors.New("no orders-api serves this shop")
}

// Reset deletes all orders and keys of the fresh shop and restores the stock.
func (r *Rig) Reset(ctx context.Context) error {
	return r.mysql.do(ctx, fresh, "SET foreign_key_checks = 0",
		"TRUNCATE order_events", "TRUNCATE order_lines", "TRUNCATE orders", "TRUNCATE orders_idempotency",
		`UPDATE products JOIN (SELECT product_id, SUM(delta) AS stock FROM stock_adjustments GROUP BY product_id) AS given ON given.product_id = products.id
SET products.stock = given.stock`)
}

// Audit runs pedidos audit on all databases. It fails if the load, or the floor, has written inconsistent rows.
func (r *Rig) Audit(ctx context.Context) error {
	for _, name := range r.names {
		if err := r.pedidos(ctx, name, "audit"); err != nil {
			return fmt.Errorf("audit of %s: %w", name, err)
		}
	}
	return nil
}

// MySQL returns the version and the settings of MySQL that matter for performance, and the command that started it.
func (r *Rig) MySQL(ctx context.Context) (map[string]string, error) {
	settings, err := r.mysql.settings(ctx, "version", "innodb_flush_log_at_trx_commit", "log_bin", "sync_binlog", "innodb_doublewrite",
		"innodb_flush_method", "innodb_redo_log_capacity", "innodb_buffer_pool_size")
	if err != nil {
		return nil, err
	}
	settings["command"] = r.mysql.command
	return settings, nil
}

// ImageBytes returns the size of the Docker image pedidos, in bytes. It fails if there is none.
func ImageBytes(ctx context.Context) (int64, error) {
	size, err := docker(ctx, "image", "inspect", "--format", "{{.Size}}", "pedidos")
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(size, 10, 64)
}

// run runs a command, and adds its output to the error.
func run(ctx context.Context, env []string, name string, args ...string) error {
	command := exec.CommandContext(ctx, name, args...)
	command.Env = env
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	if err := command.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", command, err, &output)
	}
	return nil
}
