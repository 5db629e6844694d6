package main

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed" // the greeting
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pedidos-hq/pedidos/services/orchestrator"
	"github.com/pedidos-hq/pedidos/services/platform/config"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/server"
	"github.com/pedidos-hq/pedidos/services/sample"
)

type upCommand struct {
	host                                        string
	reset, noSeed                               bool
	customersPort, ordersPort, orchestratorPort int
}

// localPassword is the administrator's where none is set and only this machine can connect.
const localPassword = "pedidos-local"

// run starts all three services in this process and stops them in the order in which they call each other.
func (u *upCommand) run(ctx context.Context, p *process) error {
	if p.config.DBHost != "" {
		return errors.New("DB_HOST is set, and up keeps its data in a file: run pedidos customers, pedidos orders and " +
			"pedidos orchestrator for MySQL, or unset DB_HOST")
	}
	p.config.Host = u.host // of ADMIN_PORT too
	local := net.ParseIP(u.host).IsLoopback() || u.host == "localhost"
	secrets := config.Needs{JWTSecret: true, ServiceToken: true, AdminPassword: true}
	if !local { // checked before the folder is touched
		p.config.SampleData = p.config.SampleData && p.environment["SAMPLE_DATA"] != ""
		if err := p.config.Check(secrets); err != nil {
			return err
		}
	}
	release, err := database.LockFolder(p.config.DataDir)
	if err != nil {
		return err
	}
	defer func() { _ = release() }()
	if local {
		p.config.Hosts = []string{"localhost", "127.0.0.1", "::1"}
		if !slices.Contains(p.config.Hosts, u.host) {
			p.config.Hosts = append(p.config.Hosts, u.host)
		}
		if err := p.localDefaults(); err != nil {
			return err
		}
		if err := p.config.Check(secrets); err != nil {
			return err
		}
	}
	var listeners [3]net.Listener
	for i, port := range []struct {
		number int
		flag   string
	}{{u.customersPort, "--customers-port"}, {u.ordersPort, "--orders-port"}, {u.orchestratorPort, "--orchestrator-port"}} {
		if listeners[i], err = listen(u.host, port.number, port.flag); err != nil {
			return err
		}
		defer listeners[i].Close()
	}
	p.config.CustomersAPIBase, p.config.OrdersAPIBase = near(listeners[0]), near(listeners[1])
	if local && p.config.CustomersPublicURL == "" { // the pages of orders-api and of the orchestrator log in there
		p.config.CustomersPublicURL = near(listeners[0])
		p.config.CORSOrigins = append(p.config.CORSOrigins, origins(listeners[1], listeners[2])...)
	}
	p.log.Debug("configuration", "environment", p.config)
	p.config.WarnLocal(p.log)

	stopTracing, err := p.trace(ctx, "pedidos")
	if err != nil {
		return err
	}
	defer stopTracing()
	db, err := u.open(ctx, p)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	handlers, err := p.all(db)
	if err != nil {
		return err
	}
	if err := u.greet(p, listeners, local); err != nil {
		return err
	}
	return p.serveAll(ctx, db, listeners, handlers)
}

// open opens the database of the data folder, new where it is not there.
func (u *upCommand) open(ctx context.Context, p *process) (*database.DB, error) {
	file := filepath.Join(p.config.DataDir, databaseFile)
	if u.reset {
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if err := os.Remove(file + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, fmt.Errorf("delete the data: %w", err)
			}
		}
	}
	db, err := database.OpenSQLite(file, p.databaseOptions())
	if err != nil {
		return nil, err
	}
	if err = db.Migrate(ctx); err == nil && !u.noSeed && p.config.SampleData {
		_, err = sample.Add(ctx, db)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func (p *process) all(db *database.DB) (handlers [3]http.Handler, err error) {
	if handlers[0], err = p.newCustomers(db); err != nil {
		return handlers, err
	}
	if handlers[1], err = p.newOrders(db); err != nil {
		return handlers, err
	}
	handlers[2], err = orchestrator.FromConfig(p.config, p.log, p.metrics, p.tracing)
	return handlers, err
}

// serveAll serves until ctx ends or a service fails, then stops the callers before the called.
func (p *process) serveAll(ctx context.Context, db *database.DB, listeners [3]net.Listener, handlers [3]http.Handler) error {
	failing, fail := context.WithCancel(ctx)
	defer fail()
	stop, err := p.background(ctx, db, slices.Concat(p.customersSweeps(), p.ordersSweeps()))
	if err != nil {
		return err
	}
	defer stop()

	var stops [3]context.CancelFunc
	var done [3]chan error
	for i := range handlers {
		serving, stop := context.WithCancel(context.WithoutCancel(ctx))
		defer stop()
		stops[i], done[i] = stop, make(chan error, 1)
		go func() {
			defer fail()
			done[i] <- server.Run(serving, listeners[i], handlers[i], p.listening([]string{"customers", "orders", "orchestrator"}[i], 0))
		}()
	}
	<-failing.Done()
	var errs []error
	for _, i := range []int{2, 1, 0} {
		stops[i]()
		errs = append(errs, <-done[i])
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	fmt.Fprintln(p.stdout, "\nPedidos has stopped. The data is kept.")
	return nil
}

// localDefaults are for a machine that nobody else can connect to: a known password, anonymous orders through the
// orchestrator, and secrets that are made once and kept beside the data.
func (p *process) localDefaults() error {
	c := p.config
	c.Local = true
	if c.AdminPassword == "" {
		c.AdminPassword = localPassword
	}
	if p.environment["ALLOW_ANONYMOUS"] == "" {
		c.AllowAnonymous = true
	}
	for _, s := range []struct {
		secret *config.Secret
		file   string
	}{{&c.JWTSecret, "jwt-secret"}, {&c.ServiceToken, "service-token"}} {
		if *s.secret != "" {
			continue
		}
		file := filepath.Join(c.DataDir, s.file)
		kept, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) || err == nil && len(bytes.TrimSpace(kept)) == 0 { // empty: a crash came between
			kept = []byte(rand.Text() + rand.Text())
			err = os.WriteFile(file, kept, 0o600)
		}
		if err == nil {
			err = database.Private(file)
		}
		if err != nil {
			return fmt.Errorf("keep a secret in the data folder: %w", err)
		}
		*s.secret = config.Secret(strings.TrimSpace(string(kept)))
	}
	return nil
}

//go:embed greeting.txt
var greeting string

// greet prints what a newcomer needs.
func (u *upCommand) greet(p *process, listeners [3]net.Listener, local bool) error {
	password, typed := "(ADMIN_PASSWORD)", `'"$ADMIN_PASSWORD"'` // leaves the quotes, for the shell to fill in
	if local && p.config.AdminPassword == localPassword {
		password, typed = localPassword, localPassword
	}
	text := greeting
	if u.noSeed || !p.config.SampleData { // then there may be nothing to order
		text, _, _ = strings.Cut(text, "CUSTOMER=")
		text += "\n"
	}
	_, err := strings.NewReplacer(
		"{customers}", near(listeners[0]), "{orders}", near(listeners[1]), "{orchestrator}", near(listeners[2]),
		"{data}", p.config.DataDir, "{user}", p.config.AdminUser, "{password}", password, "{typed password}", typed,
	).WriteString(p.stdout, text)
	return err
}

// origins are those of listeners on loopback, by each name that a browser may use.
func origins(listeners ...net.Listener) (all []string) {
	for _, l := range listeners {
		host, port, _ := net.SplitHostPort(l.Addr().String())
		for _, name := range []string{host, "localhost"} {
			all = append(all, "http://"+net.JoinHostPort(name, port))
		}
	}
	return all
}

// near is the base URL of a listener for callers on this machine: its own address, or 127.0.0.1 where it listens on all. It
// is never localhost, which may lead to ::1 first: there anybody may listen, and would be sent the service token and the
// operator's password.
func near(l net.Listener) string {
	host, port, _ := net.SplitHostPort(l.Addr().String())
	if net.ParseIP(host).IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}
