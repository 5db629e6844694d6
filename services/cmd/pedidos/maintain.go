package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
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

func (m *migrateUpCommand) run(ctx context.Context, p *program) error {
	return p.withDatabase(ctx, toMigrate, create, func(db *database.DB) error {
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

func (m *migrateDownCommand) run(ctx context.Context, p *program) error {
	use := toRead
	if m.yes {
		use = toMigrate
	}
	return p.withDatabase(ctx, use, mustExist, func(db *database.DB) error {
		newest, err := db.Newest(ctx)
		if err != nil {
			return err
		}
		if !m.yes {
			return fmt.Errorf("migrate down reverts %s, which loses %s; add --yes to do it", newest.File, newest.Lost)
		}
		if err := db.MigrateDown(ctx); err != nil {
			return err
		}
		fmt.Fprintf(p.stdout, "Reverted %s, which lost %s.\n", newest.File, newest.Lost)
		return p.printMigrations(ctx, db)
	})
}

func migrateStatus(ctx context.Context, p *program) error {
	return p.withDatabase(ctx, toRead, mustExist, func(db *database.DB) error { return p.printMigrations(ctx, db) })
}

func (p *program) printMigrations(ctx context.Context, db *database.DB) error {
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
	until  string // the last day of generated orders
	number uint64
}

// maxRows limits the rows that one command generates in a table.
const maxRows = 10_000_000

func (s *seedCommand) run(ctx context.Context, p *program) error {
	for _, flag := range []struct {
		name string
		n    int
	}{{"users", s.size.Users}, {"customers", s.size.Customers}, {"products", s.size.Products}, {"orders", s.size.Orders}} {
		if flag.n < 0 || flag.n > maxRows {
			return fmt.Errorf("--%s is %d: it must be between 0 and %d, such as 1000", flag.name, flag.n, maxRows)
		}
	}
	last, err := time.Parse(time.DateOnly, s.until)
	if err != nil {
		return fmt.Errorf("--until is %q: it must be a date, such as 2025-12-31", s.until)
	}
	if s.size == (sample.Size{}) && !p.Config.SampleData {
		fmt.Fprintln(p.stdout, "SAMPLE_DATA is false: no sample data was added.")
		return nil
	}
	return p.withDatabase(ctx, toFill, create, func(db *database.DB) error {
		if s.size != (sample.Size{}) {
			progress := newProgress(p.stderr)
			err := sample.Generate(ctx, db, s.size, last.AddDate(0, 0, 1), s.number, progress.report)
			switch {
			case errors.Is(err, orders.ErrNothingToOrder):
				return fmt.Errorf("%w: add some with --customers and --products", err)
			case err != nil && ctx.Err() != nil:
				return progress.interrupted()
			}
			return err
		}
		added, err := sample.Add(ctx, db)
		if err != nil {
			return err
		}
		if !added {
			fmt.Fprintln(p.stdout, "The database already has customers or products: no sample data was added.")
			return nil
		}
		fmt.Fprintln(p.stdout, "The sample customers and products were added.")
		return nil
	})
}

func audit(ctx context.Context, p *program) error {
	return p.withDatabase(ctx, toRead, mustExist, func(db *database.DB) error {
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
			return fmt.Errorf("the audit found inconsistent rows: %d", broken)
		}
		fmt.Fprintln(p.stdout, "Stock and totals add up.")
		return nil
	})
}

// auditable returns an error if a migration is pending. It applies none, so that a backup stays unchanged.
func auditable(ctx context.Context, db *database.DB) error {
	all, err := db.Migrations(ctx)
	if err != nil {
		return err
	}
	for _, m := range all {
		if !m.Applied {
			return fmt.Errorf("the audit needs migration %s: run pedidos migrate up, on a copy if this database must not change", m.File)
		}
	}
	return nil
}

// backup copies the embedded database. It takes no lock on the data folder, so services can keep running.
func backup(ctx context.Context, p *program, file string) error {
	if err := p.Config.Check(config.Needs{}); err != nil {
		return err
	}
	if p.Config.DBHost != "" {
		return errors.New("the database is MySQL: back it up with mysqldump, as docs/operations.md describes")
	}
	if err := p.checkExists(); err != nil {
		return err
	}
	counts, err := database.BackupSQLite(ctx, p.databasePath(), file, "customers", "products", "orders")
	if err != nil {
		return err
	}
	if err := p.recordBackup(file); err != nil {
		p.Log.WarnContext(ctx, "pedidos doctor will not know of this backup", "error", err)
	}
	_, err = fmt.Fprintf(p.stdout, "Backed up to %s and verified: customers: %d, products: %d, orders: %d, schema version: %d.\n",
		file, counts.Rows[0], counts.Rows[1], counts.Rows[2], counts.Version)
	return err
}

func health(ctx context.Context, p *program, url string) error {
	if err := p.Config.Check(config.Needs{}); err != nil {
		return err
	}
	if url == "" {
		if p.Config.Port == 0 {
			return errors.New("PORT is not set: give the URL of a service, for example pedidos health http://localhost:3001")
		}
		url = "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(p.Config.Port))
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
		return fmt.Errorf("create a request for %s: %w", url, err)
	}
	response, err := http.DefaultClient.Do(r)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s did not answer within %s", url, patience)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%s does not answer: nothing listens there", url)
	case err != nil:
		return fmt.Errorf("%s does not answer: %w", url, errors.Unwrap(err)) // without the URL, which the message already has
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s is not ready: it answered %s", url, response.Status)
	}
	return nil
}
