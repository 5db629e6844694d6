package main

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed" // greeting.txt
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pedidos-hq/pedidos/services/backoffice"
	"github.com/pedidos-hq/pedidos/services/customers"
	"github.com/pedidos-hq/pedidos/services/orchestrator"
	"github.com/pedidos-hq/pedidos/services/orders"
	"github.com/pedidos-hq/pedidos/services/platform/config"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/sample"
)

type upCommand struct {
	host          string
	reset, noSeed bool

	customersPort, ordersPort, orchestratorPort, backofficePort int
}

// localPassword is the default password of the administrator if only this machine can connect.
const localPassword = "pedidos-local" //nolint:gosec // public, and refused where others can connect

// run starts all services in this process, over one embedded database.
func (u *upCommand) run(ctx context.Context, p *program) error {
	c := p.Config
	if c.DBHost != "" {
		return errors.New("DB_HOST is set, but up keeps its data in a file: unset DB_HOST, or run pedidos customers, pedidos orders, " +
			"pedidos orchestrator and pedidos backoffice on MySQL")
	}
	for _, port := range u.ports() {
		if port.number < 0 || port.number > 65535 {
			return fmt.Errorf("%s is %d: a port lies between 0 and 65535, such as 3000", port.flag, port.number)
		}
	}
	c.Host = u.host // also for ADMIN_PORT
	local := loopback(u.host)
	secrets := config.Needs{ServiceToken: true, Identity: true}
	c.TrustedProxies = append(c.TrustedProxies, "127.0.0.0/8", "::1/128") // the backoffice forwards the addresses of browsers
	if !local {                                                           // checked before the data folder is created
		c.SampleData = c.SampleData && p.environment["SAMPLE_DATA"] != ""
		if err := u.checkPublic(p, secrets); err != nil {
			return err
		}
	}
	release, err := database.LockFolder(c.DataDir)
	if err != nil {
		return err
	}
	defer func() { _ = release() }()
	if local {
		if err := u.localDefaults(p); err != nil {
			return err
		}
		if err := c.Check(secrets); err != nil {
			return err
		}
	}
	c.DrainDelay = 0 // no load balancer is in front of up

	var listeners [4]net.Listener
	for i, port := range u.ports() {
		if listeners[i], err = listen(u.host, port.number, port.flag); err != nil {
			return err
		}
		defer listeners[i].Close()
	}
	c.CustomersAPIBase, c.OrdersAPIBase, c.OrchestratorAPIBase = baseURL(listeners[0]), baseURL(listeners[1]), baseURL(listeners[2])
	if local && c.CustomersPublicURL == "" { // the pages of the other services log in there
		c.CustomersPublicURL = baseURL(listeners[0])
		c.CORSOrigins = append(c.CORSOrigins, origins(listeners[1], listeners[2])...)
	}
	p.Log.Debug("configuration", "environment", c)
	c.WarnLocal(p.Log)

	stopTracing, err := p.startTracing(ctx, "pedidos")
	if err != nil {
		return err
	}
	defer stopTracing()
	db, err := u.open(ctx, p)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	services, err := p.allServices(db, listeners)
	if err != nil {
		return err
	}
	if err := u.greet(p, listeners, local); err != nil {
		return err
	}
	if err := p.serveAll(ctx, services...); err != nil {
		return err
	}
	fmt.Fprintln(p.stdout, "\nPedidos has stopped. The data is kept.")
	return nil
}

// port is a port with the flag that chooses it.
type port struct {
	number int
	flag   string
}

// ports returns the ports in the order in which the services start.
func (u *upCommand) ports() [4]port {
	return [...]port{
		{u.customersPort, "--customers-port"}, {u.ordersPort, "--orders-port"}, {u.orchestratorPort, "--orchestrator-port"}, {u.backofficePort, "--backoffice-port"},
	}
}

// checkPublic checks the settings of services that others can reach. A new database needs an administrator too; customers-api checks that
// of an existing one.
func (u *upCommand) checkPublic(p *program, secrets config.Needs) error {
	err := p.Config.Check(secrets)
	if p.Config.AdminPassword == "" && (u.reset || p.checkExists() != nil) {
		err = errors.Join(err, errors.New("ADMIN_PASSWORD is not set, and a new database has no administrator: "+
			"set it, or run pedidos migrate up and pedidos users add NAME --role admin before"))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("others can connect to %s (--host or HOST), so up has no default secrets there", u.host), err)
	}
	return nil
}

// allServices builds the services for their listeners. Each calls only those before it.
func (p *program) allServices(db *database.DB, listeners [4]net.Listener) ([]running, error) {
	c, err := customers.New(p.Process, db)
	if err != nil {
		return nil, err
	}
	o, err := orders.New(p.Process, db)
	if err != nil {
		return nil, err
	}
	both, err := orchestrator.New(p.Process)
	if err != nil {
		return nil, err
	}
	pages, err := backoffice.New(p.Process)
	return []running{
		{c, "customers", listeners[0]}, {o, "orders", listeners[1]}, {both, "orchestrator", listeners[2]}, {pages, "backoffice", listeners[3]},
	}, err
}

// open opens the embedded database and creates, migrates and seeds it as needed.
func (u *upCommand) open(ctx context.Context, p *program) (*database.DB, error) {
	if u.reset {
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if err := os.Remove(p.databasePath() + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, fmt.Errorf("delete the data: %w", err)
			}
		}
	}
	db, err := database.OpenSQLite(p.databasePath(), p.databaseOptions())
	if err != nil {
		return nil, err
	}
	if err = db.Migrate(ctx); err == nil && !u.noSeed && p.Config.SampleData {
		_, err = sample.Add(ctx, db)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// localDefaults sets defaults for missing settings if only this machine can connect: a known password, anonymous callers of the
// orchestrator, and generated secrets that are stored in the data folder.
func (u *upCommand) localDefaults(p *program) error {
	c := p.Config
	c.Local = true
	c.Hosts = []string{"localhost", "127.0.0.1", "::1"}
	if !slices.Contains(c.Hosts, u.host) {
		c.Hosts = append(c.Hosts, u.host)
	}
	if c.AdminPassword == "" {
		c.AdminPassword = localPassword
	}
	if p.environment["ALLOW_ANONYMOUS"] == "" {
		c.AllowAnonymous = true
	}
	for _, s := range []struct {
		secret *config.Secret
		file   string
	}{{&c.SigningSecret, "signing-secret"}, {&c.ServiceToken, "service-token"}} {
		if *s.secret != "" || s.secret == &c.SigningSecret && c.JWTSecret != "" { // JWT_SECRET keeps HS256
			continue
		}
		file := filepath.Join(c.DataDir, s.file)
		kept, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) || err == nil && len(bytes.TrimSpace(kept)) == 0 { // empty after a crash
			kept = []byte(rand.Text() + rand.Text())
			err = os.WriteFile(file, kept, 0o600)
		}
		if err == nil {
			err = database.Private(file)
		}
		if err != nil {
			return fmt.Errorf("store a secret in the data folder: %w", err)
		}
		*s.secret = config.Secret(strings.TrimSpace(string(kept)))
	}
	return nil
}

//go:embed greeting.txt
var greeting string

// greet prints the URLs, the login and commands for a first order.
func (u *upCommand) greet(p *program, listeners [4]net.Listener, local bool) error {
	password, typed := "(ADMIN_PASSWORD)", `'"$ADMIN_PASSWORD"'` // ends the quotes, so that the shell expands it
	if local && p.Config.AdminPassword == localPassword {
		password, typed = localPassword, localPassword
	}
	text := greeting
	if u.noSeed || !p.Config.SampleData { // there may be nothing to order
		text, _, _ = strings.Cut(text, "CUSTOMER=")
		text += "\n"
	}
	_, err := strings.NewReplacer(
		"{backoffice}", baseURL(listeners[3]), "{customers}", baseURL(listeners[0]), "{orders}", baseURL(listeners[1]), "{orchestrator}", baseURL(listeners[2]),
		"{data}", p.Config.DataDir, "{user}", p.Config.AdminUser, "{password}", password, "{typed password}", typed,
	).WriteString(p.stdout, text)
	return err
}

// origins returns the origins of listeners on loopback, under each name that a browser may use.
func origins(listeners ...net.Listener) (all []string) {
	for _, l := range listeners {
		host, port, _ := net.SplitHostPort(l.Addr().String())
		for _, name := range []string{host, "localhost"} {
			all = append(all, "http://"+net.JoinHostPort(name, port))
		}
	}
	return all
}

// baseURL returns the URL of a listener for callers on this machine. It names an address and never localhost, which may
// resolve to ::1: another process could listen there and receive the service token and the operator's password.
func baseURL(l net.Listener) string {
	host, port, _ := net.SplitHostPort(l.Addr().String())
	if net.ParseIP(host).IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}
