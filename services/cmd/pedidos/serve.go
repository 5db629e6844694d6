package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/pedidos-hq/pedidos/services/customers"
	"github.com/pedidos-hq/pedidos/services/orchestrator"
	"github.com/pedidos-hq/pedidos/services/orders"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/config"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/server"
)

// The ports of the contract's promise.
const (
	customersPort    = 3001
	ordersPort       = 3002
	orchestratorPort = 3003
)

type customersCommand struct{}

func (customersCommand) Run(ctx context.Context, p *process) error {
	if err := p.check(config.Needs{Database: true, JWTSecret: true, ServiceToken: true, AdminPassword: true}); err != nil {
		return err
	}
	return p.serve(ctx, customersPort, true, func(db *database.DB) (http.Handler, error) {
		return newCustomers(p.config, db, p.log)
	}, customers.SweepKeys)
}

type ordersCommand struct{}

func (ordersCommand) Run(ctx context.Context, p *process) error {
	if err := p.check(config.Needs{Database: true, JWTSecret: true, ServiceToken: true, CustomersAPI: true}); err != nil {
		return err
	}
	return p.serve(ctx, ordersPort, true, func(db *database.DB) (http.Handler, error) {
		return newOrders(p.config, db, p.log)
	}, orders.SweepKeys)
}

type orchestratorCommand struct{}

func (orchestratorCommand) Run(ctx context.Context, p *process) error {
	if err := p.check(config.Needs{ServiceToken: p.config.AllowAnonymous, OrdersAPI: true}); err != nil {
		return err
	}
	return p.serve(ctx, orchestratorPort, false, func(*database.DB) (http.Handler, error) {
		return orchestrator.FromConfig(p.config, p.log)
	})
}

// check refuses a configuration that the command can't run with, and prints, masked, the one that it runs with.
func (p *process) check(needs config.Needs) error {
	if err := p.config.Check(needs); err != nil {
		return err
	}
	p.log.Info("configuration", "environment", p.config)
	return nil
}

// serve runs one service on its own until ctx ends.
func (p *process) serve(ctx context.Context, port int, needsDB bool, build func(*database.DB) (http.Handler, error), sweeps ...sweep) error {
	if _, set := p.environment["PORT"]; set {
		port = p.config.Port
	}
	listener, err := listen(p.config.Host, port, "PORT")
	if err != nil {
		return err
	}
	defer listener.Close()
	var db *database.DB
	if needsDB {
		var release func() error
		if db, release, err = p.openDatabase(ctx); err != nil {
			return err
		}
		defer func() { _ = errors.Join(db.Close(), release()) }()
	}
	handler, err := build(db)
	if err != nil {
		return err
	}
	p.log.Info("listening", "address", listener.Addr().String())
	ctx, stop := context.WithCancel(ctx)
	var background sync.WaitGroup
	defer background.Wait()
	defer stop()
	for _, s := range sweeps {
		background.Go(func() { s.run(ctx, db, p.log) })
	}
	return server.Run(ctx, listener, handler, p.log)
}

// openDatabase opens MySQL where DB_HOST is set, and waits for it; else the embedded engine in the data folder, which it
// locks and brings to the newest schema.
func (p *process) openDatabase(ctx context.Context) (db *database.DB, release func() error, err error) {
	release = func() error { return nil }
	c := p.config
	if c.DBHost == "" {
		if release, err = database.LockFolder(c.DataDir); err != nil {
			return nil, nil, err
		}
		db, err := database.OpenSQLite(filepath.Join(c.DataDir, databaseFile))
		if err == nil {
			if err = db.Migrate(ctx); err == nil {
				return db, release, nil
			}
			err = errors.Join(err, db.Close())
		}
		return nil, nil, errors.Join(err, release())
	}
	db, err = database.OpenMySQL(database.MySQL{
		Host: c.DBHost, Port: c.DBPort, User: c.DBUser, Password: c.DBPassword.Reveal(), Name: c.DBName, Conns: c.DBMaxConns,
	}, p.log)
	if err != nil {
		return nil, nil, err
	}
	if err := db.Wait(ctx, c.DBWait, p.log); err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return db, release, nil
}

// databaseFile is the embedded engine's file in the data folder.
const databaseFile = "pedidos.db"

func newCustomers(c *config.Config, db *database.DB, log *slog.Logger) (http.Handler, error) {
	users := []auth.User{{Name: c.AdminUser, Password: c.AdminPassword.Reveal(), Role: auth.Admin}}
	if c.ViewerUser != "" {
		users = append(users, auth.User{Name: c.ViewerUser, Password: c.ViewerPassword.Reveal(), Role: auth.Viewer})
	}
	return customers.New(customers.Config{
		Server: server.FromConfig(c, log.With("service", "customers")), Users: users, ServiceTokens: c.ServiceToken.Reveal(),
		LoginRate: c.LoginRate, LoginBurst: c.LoginBurst, KeyTTL: c.IdempotencyTTL,
	}, db, auth.NewTokens(c.JWTSecret.Reveal(), c.JWTTTL, time.Now), time.Now)
}

func newOrders(c *config.Config, db *database.DB, log *slog.Logger) (http.Handler, error) {
	directory, err := orders.NewDirectory(orders.DirectoryConfig{
		BaseURL: c.CustomersAPIBase, ServiceToken: c.ServiceToken.First(), Timeout: c.UpstreamTimeout,
		Known: c.CustomerCacheTTL, Unknown: c.CustomerCacheUnknownTTL,
	})
	if err != nil {
		return nil, err
	}
	return orders.New(orders.Config{
		Server: server.FromConfig(c, log.With("service", "orders")), ServiceTokens: c.ServiceToken.Reveal(),
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

// sweep forgets what is too old.
type sweep func(context.Context, *database.DB, func() time.Time) (int64, error)

// run sweeps every ten minutes until ctx ends.
func (s sweep) run(ctx context.Context, db *database.DB, log *slog.Logger) {
	ticker := time.NewTicker(10 * time.Minute)
	defer ticker.Stop()
	for {
		if n, err := s(ctx, db, time.Now); err != nil && ctx.Err() == nil {
			log.ErrorContext(ctx, "idempotency keys not swept", "error", err)
		} else if n > 0 {
			log.InfoContext(ctx, "idempotency keys swept", "keys", n)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
