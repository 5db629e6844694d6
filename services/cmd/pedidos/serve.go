package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"sync"
	"syscall"

	"go.opentelemetry.io/otel"

	"github.com/pedidos-hq/pedidos/services/backoffice"
	"github.com/pedidos-hq/pedidos/services/customers"
	"github.com/pedidos-hq/pedidos/services/orchestrator"
	"github.com/pedidos-hq/pedidos/services/orders"
	"github.com/pedidos-hq/pedidos/services/platform/config"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/process"
	"github.com/pedidos-hq/pedidos/services/platform/server"
	"github.com/pedidos-hq/pedidos/services/platform/telemetry"
)

// The default ports.
const (
	customersPort    = 3001
	ordersPort       = 3002
	orchestratorPort = 3003
	backofficePort   = 3000
)

// running is a service with its listener.
type running struct {
	process.Service
	name     string
	listener net.Listener
}

func serveCustomers(ctx context.Context, p *program) error {
	needs := config.Needs{Database: true, ServiceToken: true, Identity: true}
	return p.serve(ctx, "customers", customersPort, needs, customers.New)
}

func serveOrders(ctx context.Context, p *program) error {
	needs := config.Needs{Database: true, ServiceToken: true, CustomersAPI: true, Tokens: true}
	return p.serve(ctx, "orders", ordersPort, needs, orders.New)
}

func serveOrchestrator(ctx context.Context, p *program) error {
	return p.serve(ctx, "orchestrator", orchestratorPort, config.Needs{OrdersAPI: true, Anonymous: true},
		func(p process.Process, _ *database.DB) (process.Service, error) { return orchestrator.New(p) })
}

func serveBackoffice(ctx context.Context, p *program) error {
	return p.serve(ctx, "backoffice", backofficePort, config.Needs{CustomersAPI: true, OrdersAPI: true, OrchestratorAPI: true},
		func(p process.Process, _ *database.DB) (process.Service, error) { return backoffice.New(p) })
}

// serve runs one service until ctx is done. build gets the database that needs asks for, or nil.
func (p *program) serve(ctx context.Context, name string, port int, needs config.Needs,
	build func(process.Process, *database.DB) (process.Service, error),
) error {
	if err := p.Config.Check(needs); err != nil {
		return err
	}
	p.Log.Info("configuration", "environment", p.Config)
	p.Config.WarnLocal(p.Log)
	if p.environment["PORT"] != "" { // PORT=0 takes a free port
		port = p.Config.Port
	}
	listener, err := listen(p.Config.Host, port, "PORT")
	if err != nil {
		return err
	}
	defer listener.Close()
	stopTracing, err := p.startTracing(ctx, name)
	if err != nil {
		return err
	}
	defer stopTracing()
	var db *database.DB
	if needs.Database {
		var release func() error
		if db, release, err = p.openDatabase(ctx, toServe); err != nil {
			return err
		}
		defer func() { _ = errors.Join(db.Close(), release()) }()
	}
	service, err := build(p.Process, db)
	if err != nil {
		return err
	}
	p.Log.Info("listening", "address", listener.Addr().String())
	return p.serveAll(ctx, running{service, name, listener})
}

// serveAll serves until ctx is done or a service fails. It then stops the services from the last to the first, because each may
// call those before it.
func (p *program) serveAll(ctx context.Context, services ...running) error {
	stopBackground, err := p.startBackground(ctx, services)
	if err != nil {
		return err
	}
	defer stopBackground()

	failing, fail := context.WithCancel(ctx)
	defer fail()
	stops, done := make([]context.CancelFunc, len(services)), make([]chan error, len(services))
	for i, s := range services {
		serving, stop := context.WithCancel(context.WithoutCancel(ctx))
		defer stop()
		stops[i], done[i] = stop, make(chan error, 1)
		listening := p.listening(s.name)
		listening.Delay = p.Config.DrainDelay
		go func() {
			defer fail()
			done[i] <- server.Run(serving, s.listener, s, listening)
		}()
	}
	<-failing.Done()
	var errs []error
	for i := range slices.Backward(services) {
		stops[i]()
		errs = append(errs, <-done[i])
	}
	return errors.Join(errs...)
}

func (p *program) listening(service string) server.Listening {
	return server.Listening{Service: service, MaxConns: p.Config.MaxConns, Log: p.Log, Metrics: p.Metrics}
}

// startTracing sends spans if the environment asks for it. stop sends the remaining ones.
func (p *program) startTracing(ctx context.Context, service string) (stop func(), err error) {
	if p.Tracing, err = telemetry.NewTracing(ctx, service, p.environment); p.Tracing == nil {
		return func() {}, err
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { p.Log.WarnContext(ctx, "spans not sent", "error", err) }))
	return func() {
		if err := p.Tracing.Stop(ctx); err != nil {
			p.Log.WarnContext(ctx, "spans not sent", "error", err)
		}
	}, nil
}

// startBackground runs the sweeps of the services and, if ADMIN_PORT is set, serves metrics and profiles. stop ends both.
func (p *program) startBackground(ctx context.Context, services []running) (stop func(), err error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // continues while the last requests are answered
	var background sync.WaitGroup
	if p.Config.AdminPort != 0 {
		listener, err := listen(p.Config.Host, p.Config.AdminPort, "ADMIN_PORT")
		if err != nil {
			cancel()
			return nil, err
		}
		p.Log.Info("metrics and profiles", "address", listener.Addr().String())
		background.Go(func() {
			if err := server.Run(ctx, listener, server.Admin(p.Metrics, p.Config.Hosts), p.listening("admin")); err != nil {
				p.Log.ErrorContext(ctx, "metrics and profiles are not served", "error", err)
			}
		})
	}
	for _, s := range services {
		for _, sweep := range s.Sweeps {
			background.Go(func() { p.Sweep(ctx, sweep) })
		}
	}
	return func() {
		cancel()
		background.Wait()
	}, nil
}

// listen opens a port and explains a failure. setting is the flag or variable that chooses the port.
func listen(host string, port int, setting string) (net.Listener, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("port %d is taken: stop the process that listens there, or choose another port with %s", port, setting)
	case errors.Is(err, os.ErrPermission):
		return nil, fmt.Errorf("no permission to listen on port %d: choose another port with %s", port, setting)
	case err != nil:
		return nil, fmt.Errorf("can't listen on %s port %d: %w", host, port, err)
	}
	return listener, nil
}
