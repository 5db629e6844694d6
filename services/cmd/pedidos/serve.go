package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"go.opentelemetry.io/otel"

	"github.com/pedidos-hq/pedidos/services/customers"
	"github.com/pedidos-hq/pedidos/services/orchestrator"
	"github.com/pedidos-hq/pedidos/services/orders"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/config"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/server"
	"github.com/pedidos-hq/pedidos/services/platform/telemetry"
)

// The ports of the contract's promise.
const (
	customersPort    = 3001
	ordersPort       = 3002
	orchestratorPort = 3003
)

func serveCustomers(ctx context.Context, p *process) error {
	if err := p.check(config.Needs{Database: true, JWTSecret: true, ServiceToken: true, AdminPassword: true}); err != nil {
		return err
	}
	return p.serve(ctx, "customers", customersPort, true, func(db *database.DB) (http.Handler, error) {
		return p.newCustomers(db)
	}, p.customersSweeps()...)
}

func serveOrders(ctx context.Context, p *process) error {
	if err := p.check(config.Needs{Database: true, JWTSecret: true, ServiceToken: true, CustomersAPI: true}); err != nil {
		return err
	}
	return p.serve(ctx, "orders", ordersPort, true, func(db *database.DB) (http.Handler, error) {
		return p.newOrders(db)
	}, p.ordersSweeps()...)
}

func serveOrchestrator(ctx context.Context, p *process) error {
	if err := p.check(config.Needs{ServiceToken: p.config.AllowAnonymous, OrdersAPI: true}); err != nil {
		return err
	}
	return p.serve(ctx, "orchestrator", orchestratorPort, false, func(*database.DB) (http.Handler, error) {
		return orchestrator.FromConfig(p.config, p.log, p.metrics, p.tracing)
	})
}

// check refuses a configuration that the command can't run with, and prints, masked, the one that it runs with.
func (p *process) check(needs config.Needs) error {
	if err := p.config.Check(needs); err != nil {
		return err
	}
	p.log.Info("configuration", "environment", p.config)
	p.config.WarnLocal(p.log)
	return nil
}

// serve runs one service on its own until ctx ends.
func (p *process) serve(ctx context.Context, name string, port int, needsDB bool, build func(*database.DB) (http.Handler, error), sweeps ...sweep) error {
	if p.environment["PORT"] != "" { // PORT=0 takes a free one
		port = p.config.Port
	}
	listener, err := listen(p.config.Host, port, "PORT")
	if err != nil {
		return err
	}
	defer listener.Close()
	stopTracing, err := p.trace(ctx, name)
	if err != nil {
		return err
	}
	defer stopTracing()
	var db *database.DB
	if needsDB {
		var release func() error
		if db, release, err = p.openDatabase(ctx, toServe); err != nil {
			return err
		}
		defer func() { _ = errors.Join(db.Close(), release()) }()
	}
	handler, err := build(db)
	if err != nil {
		return err
	}
	p.log.Info("listening", "address", listener.Addr().String())
	stop, err := p.background(ctx, db, sweeps)
	if err != nil {
		return err
	}
	defer stop()
	return server.Run(ctx, listener, handler, p.listening(name, p.config.DrainDelay))
}

// listening is how a service of this process listens.
func (p *process) listening(service string, delay time.Duration) server.Listening {
	return server.Listening{Service: service, MaxConns: p.config.MaxConns, Delay: delay, Log: p.log, Metrics: p.metrics}
}

// trace makes spans for as long as the process runs, where the environment asks for it. Stop sends what is left.
func (p *process) trace(ctx context.Context, service string) (stop func(), err error) {
	if p.tracing, err = telemetry.NewTracing(ctx, service, p.environment); p.tracing == nil {
		return func() {}, err
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { p.log.WarnContext(ctx, "spans not sent", "error", err) }))
	return func() {
		if err := p.tracing.Stop(ctx); err != nil {
			p.log.WarnContext(ctx, "spans not sent", "error", err)
		}
	}, nil
}

// background starts what goes on beside the services: the sweeps and, where they have a port, metrics and profiles. Stop ends it.
func (p *process) background(ctx context.Context, db *database.DB, sweeps []sweep) (stop func(), err error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // for as long as requests are still answered
	var running sync.WaitGroup
	if p.config.AdminPort != 0 {
		listener, err := listen(p.config.Host, p.config.AdminPort, "ADMIN_PORT")
		if err != nil {
			cancel()
			return nil, err
		}
		p.log.Info("metrics and profiles", "address", listener.Addr().String())
		running.Go(func() {
			if err := server.Run(ctx, listener, server.Admin(p.metrics, p.config.Hosts), p.listening("admin", 0)); err != nil {
				p.log.ErrorContext(ctx, "metrics and profiles are not served", "error", err)
			}
		})
	}
	for _, s := range sweeps {
		running.Go(func() { p.sweep(ctx, db, s) })
	}
	return func() {
		cancel()
		running.Wait()
	}, nil
}

// usage is what a command does with the database.
type usage int

const (
	toServe   usage = iota // the embedded engine is brought to the newest schema first
	toFill                 // so too, and a statement may take long
	toMigrate              // the schema stays as it is until the command changes it
	toRead                 // nothing is changed, and services may go on
)

// openDatabase opens MySQL where DB_HOST is set, and waits for it; else the embedded engine in the data folder, which it
// locks where it may write.
func (p *process) openDatabase(ctx context.Context, use usage) (db *database.DB, release func() error, err error) {
	release = func() error { return nil }
	c := p.config
	file := filepath.Join(c.DataDir, databaseFile)
	switch {
	case c.DBHost != "":
		db, err = database.OpenMySQL(database.MySQL{
			Host: c.DBHost, Port: c.DBPort, User: c.DBUser, Password: c.DBPassword.Reveal(), Name: c.DBName, Conns: c.DBMaxConns,
			Tool: use != toServe, TLS: database.TLS(c.DBTLS), CA: c.DBTLSCA,
		}, p.databaseOptions())
		if err != nil {
			return nil, nil, err
		}
		if err := db.Wait(ctx, c.DBWait, p.log); err != nil {
			return nil, nil, errors.Join(err, db.Close())
		}
		return db, release, nil
	case use == toRead:
		db, err = database.ReadSQLite(file)
		return db, release, err
	}
	if release, err = database.LockFolder(c.DataDir); err != nil {
		return nil, nil, err
	}
	if db, err = database.OpenSQLite(file, p.databaseOptions()); err != nil {
		return nil, nil, errors.Join(err, release())
	}
	if use != toMigrate {
		if err := db.Migrate(ctx); err != nil {
			return nil, nil, errors.Join(err, db.Close(), release())
		}
	}
	return db, release, nil
}

func (p *process) databaseOptions() database.Options {
	return database.Options{MaxQueue: &p.config.DBMaxQueue, Log: p.log, Metrics: p.metrics, Tracing: p.tracing}
}

// databaseFile is the embedded engine's file in the data folder.
const databaseFile = "pedidos.db"

func (p *process) newCustomers(db *database.DB) (http.Handler, error) {
	c := p.config
	users := []auth.User{{Name: c.AdminUser, Password: c.AdminPassword.Reveal(), Role: auth.Admin}}
	if c.ViewerUser != "" {
		users = append(users, auth.User{Name: c.ViewerUser, Password: c.ViewerPassword.Reveal(), Role: auth.Viewer})
	}
	return customers.New(customers.Config{
		Server: server.FromConfig(c, p.log, p.metrics, p.tracing), Users: users, ServiceTokens: c.ServiceToken.Reveal(),
		LoginRate: c.LoginRate, LoginBurst: c.LoginBurst, KeyTTL: c.IdempotencyTTL,
	}, db, auth.NewTokens(c.JWTSecret.Reveal(), c.JWTTTL, time.Now), time.Now)
}

func (p *process) newOrders(db *database.DB) (http.Handler, error) {
	c := p.config
	directory, err := orders.NewDirectory(orders.DirectoryConfig{
		BaseURL: c.CustomersAPIBase, ServiceToken: c.ServiceToken.First(), Timeout: c.UpstreamTimeout,
		Known: c.CustomerCacheTTL, Unknown: c.CustomerCacheUnknownTTL, Metrics: p.metrics, Tracing: p.tracing,
	})
	if err != nil {
		return nil, err
	}
	return orders.New(orders.Config{
		Server: server.FromConfig(c, p.log, p.metrics, p.tracing), ServiceTokens: c.ServiceToken.Reveal(),
		CancelWindow: c.CancelWindow, KeyTTL: c.IdempotencyTTL,
	}, db, auth.NewTokens(c.JWTSecret.Reveal(), c.JWTTTL, time.Now), directory, time.Now)
}

// listen takes a port, or says in a sentence why it can't be had.
func listen(host string, port int, setting string) (net.Listener, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("port %d is taken; stop what listens there, or choose another port with %s", port, setting)
	case errors.Is(err, os.ErrPermission):
		return nil, fmt.Errorf("port %d may not be opened by this user; choose another port with %s", port, setting)
	case err != nil:
		return nil, fmt.Errorf("can't listen on %s port %d: %w", host, port, err)
	}
	return listener, nil
}

// sweep takes away what is too old, and says how much it was.
type sweep struct {
	what string
	do   func(context.Context, *database.DB, func() time.Time) (int64, error)
}

func (p *process) customersSweeps() []sweep {
	return []sweep{{"customers_idempotency", customers.SweepKeys}}
}

func (p *process) ordersSweeps() []sweep {
	all := []sweep{{"orders_idempotency", orders.SweepKeys}}
	if age := p.config.StaleOrdersAfter; age > 0 {
		expired := orders.ExpiredCounter(p.metrics)
		all = append(all, sweep{"stale_orders", func(ctx context.Context, db *database.DB, clock func() time.Time) (int64, error) {
			n, err := orders.CancelStale(ctx, db, age, clock)
			expired.Add(float64(n))
			return n, err
		}})
	}
	return all
}

// sweep sweeps again and again until ctx ends.
func (p *process) sweep(ctx context.Context, db *database.DB, s sweep) {
	swept := p.metrics.CounterVec("pedidos_swept_total", "What sweeps removed: expired keys and stale orders.", "what").WithLabelValues(s.what)
	sweeps := p.metrics.CounterVec("pedidos_sweeps_total", "Sweeps, by whether they failed.", "what", "outcome")
	done, failed := sweeps.WithLabelValues(s.what, "done"), sweeps.WithLabelValues(s.what, "failed")
	ticker := time.NewTicker(p.config.SweepInterval)
	defer ticker.Stop()
	for {
		n, err := s.do(ctx, db, time.Now)
		swept.Add(float64(n))
		switch {
		case err == nil:
			done.Inc()
		case ctx.Err() == nil:
			failed.Inc()
			p.log.ErrorContext(ctx, "not swept", "what", s.what, "error", err)
		}
		if n > 0 {
			p.log.InfoContext(ctx, "swept", "what", s.what, "count", n)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
