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
	"syscall"
	"time"

	"github.com/pedidos-hq/pedidos/services/customers"
	"github.com/pedidos-hq/pedidos/services/orders"
	"github.com/pedidos-hq/pedidos/services/platform/config"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/upstream"
	"github.com/pedidos-hq/pedidos/services/sample"
)

type migrateUpCommand struct{ customersUser, ordersUser string }

func (m *migrateUpCommand) run(ctx context.Context, p *process) error {
	return p.withDatabase(ctx, toMigrate, created, func(db *database.DB) error {
		if err := db.Migrate(ctx); err != nil {
			return err
		}
		for _, grant := range []struct {
			user   string
			rights map[string]database.Right
		}{{m.customersUser, customers.Rights()}, {m.ordersUser, orders.Rights()}} {
			if grant.user == "" {
				continue
			}
			if err := db.Grant(ctx, grant.user, grant.rights); err != nil {
				return err
			}
		}
		return p.printMigrations(ctx, db)
	})
}

type migrateDownCommand struct{ yes bool }

func (m *migrateDownCommand) run(ctx context.Context, p *process) error {
	use := toRead
	if m.yes {
		use = toMigrate
	}
	return p.withDatabase(ctx, use, existing, func(db *database.DB) error {
		newest, err := db.Newest(ctx)
		if err != nil {
			return err
		}
		if !m.yes {
			return fmt.Errorf("migrate down takes back %s, and with it is lost %s; to do it, add --yes", newest.File, newest.Lost)
		}
		if err := db.MigrateDown(ctx); err != nil {
			return err
		}
		fmt.Fprintf(p.stdout, "%s is taken back, and with it is lost %s.\n", newest.File, newest.Lost)
		return p.printMigrations(ctx, db)
	})
}

func migrateStatus(ctx context.Context, p *process) error {
	return p.withDatabase(ctx, toRead, existing, func(db *database.DB) error { return p.printMigrations(ctx, db) })
}

func (p *process) printMigrations(ctx context.Context, db *database.DB) error {
	all, err := db.Migrations(ctx)
	if err != nil {
		return err
	}
	for _, m := range all {
		state := "pending"
		if m.Applied {
			state = "applied"
		}
		fmt.Fprintf(p.stdout, "%5d  %s  %s\n", m.Version, state, m.File)
	}
	return nil
}

type seedCommand struct {
	size   sample.Size
	number uint64
}

func (s *seedCommand) run(ctx context.Context, p *process) error {
	for _, flag := range []struct {
		name string
		n    int
	}{{"customers", s.size.Customers}, {"products", s.size.Products}, {"orders", s.size.Orders}} {
		if flag.n < 0 {
			return fmt.Errorf("--%s is %d: it must not be less than 0, such as 1000", flag.name, flag.n)
		}
	}
	if s.size == (sample.Size{}) && !p.config.SampleData {
		fmt.Fprintln(p.stdout, "SAMPLE_DATA is false: the sample data was not added.")
		return nil
	}
	return p.withDatabase(ctx, toFill, created, func(db *database.DB) error {
		if s.size != (sample.Size{}) {
			progress := newProgress(p.stderr)
			err := sample.Generate(ctx, db, s.size, s.number, progress.report)
			if errors.Is(err, orders.ErrNothingToOrder) {
				return fmt.Errorf("%w: add some with --customers and --products", err)
			}
			return err
		}
		added, err := sample.Add(ctx, db)
		if err != nil {
			return err
		}
		if !added {
			fmt.Fprintln(p.stdout, "The database has customers or products already: the sample data was not added.")
			return nil
		}
		fmt.Fprintln(p.stdout, "The sample customers and products were added.")
		return nil
	})
}

func audit(ctx context.Context, p *process) error {
	return p.withDatabase(ctx, toRead, existing, func(db *database.DB) error {
		if err := auditable(ctx, db); err != nil {
			return err
		}
		const shown = 100
		printed := 0
		broken, err := orders.Audit(ctx, db, func(sentence string) {
			if printed++; printed <= shown {
				fmt.Fprintln(p.stdout, sentence)
			}
		})
		if err != nil {
			return err
		}
		if broken > shown {
			fmt.Fprintf(p.stdout, "and %d more\n", broken-shown)
		}
		if broken > 0 {
			return fmt.Errorf("the audit found broken rows: %d", broken)
		}
		fmt.Fprintln(p.stdout, "Stock and totals add up.")
		return nil
	})
}

// auditable refuses a schema that lacks what the audit reads. It is not brought up: a backup stays as it is.
func auditable(ctx context.Context, db *database.DB) error {
	all, err := db.Migrations(ctx)
	if err != nil {
		return err
	}
	for _, m := range all {
		if !m.Applied {
			return fmt.Errorf("the schema lacks %s, which the audit needs: run pedidos migrate up, on a copy where this one must stay as it is", m.File)
		}
	}
	return nil
}

// backup does not lock the data folder: it is made while the services go on.
func backup(ctx context.Context, p *process, file string) error {
	if err := p.config.Check(config.Needs{}); err != nil {
		return err
	}
	if p.config.DBHost != "" {
		return errors.New("the database is MySQL: back it up with mysqldump, as docs/operations.md says")
	}
	if err := p.checkExists(); err != nil {
		return err
	}
	counts, err := database.BackupSQLite(ctx, filepath.Join(p.config.DataDir, databaseFile), file, "customers", "products", "orders")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "The backup is in %s. It is whole: customers: %d, products: %d, orders: %d, version of the schema: %d.\n",
		file, counts.Rows[0], counts.Rows[1], counts.Rows[2], counts.Version)
	return err
}

// How a command takes an embedded database that is not there.
const (
	created  = true  // as a new one
	existing = false // not at all: a mistyped folder must not look like an empty shop
)

func (p *process) withDatabase(ctx context.Context, use usage, mayCreate bool, do func(*database.DB) error) error {
	if err := p.config.Check(config.Needs{Database: true}); err != nil {
		return err
	}
	if !mayCreate && p.config.DBHost == "" {
		if err := p.checkExists(); err != nil {
			return err
		}
	}
	db, release, err := p.openDatabase(ctx, use)
	if err != nil {
		return err
	}
	return errors.Join(do(db), db.Close(), release())
}

// checkExists refuses a data folder that has no database in it.
func (p *process) checkExists() error {
	if _, err := os.Stat(filepath.Join(p.config.DataDir, databaseFile)); err != nil {
		return fmt.Errorf("there is no database in the data folder %s; --data says where it is, or DATA_DIR", p.config.DataDir)
	}
	return nil
}

func health(ctx context.Context, p *process, url string) error {
	if err := p.config.Check(config.Needs{}); err != nil {
		return err
	}
	if url == "" {
		if p.config.Port == 0 {
			return errors.New("PORT is not set; say which service to ask, as in pedidos health http://localhost:3001")
		}
		url = "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(p.config.Port))
	}
	base, err := upstream.BaseURL(url)
	if err != nil {
		return fmt.Errorf("%w; give a URL such as http://localhost:3001", err)
	}
	const patience = 3 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/ready", nil)
	if err != nil {
		return fmt.Errorf("%s can't be asked: %w", url, err)
	}
	response, err := http.DefaultClient.Do(r)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s did not answer within %s", url, patience)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%s does not answer: nothing listens there", url)
	case err != nil:
		return fmt.Errorf("%s does not answer: %w", url, errors.Unwrap(err)) // the request that http.Client names is said already
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s is not ready: it answered %s", url, response.Status)
	}
	return nil
}
