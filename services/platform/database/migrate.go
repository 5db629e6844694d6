package database

import (
	"context"
	"fmt"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	schema "github.com/pedidos-hq/pedidos/sql"
)

// Migration is one numbered step of the schema.
type Migration struct {
	Version int64
	File    string
	Applied bool
}

// Migrate takes the schema to the newest version. Processes that start together migrate once.
func (db *DB) Migrate(ctx context.Context) error {
	p, err := db.migrations()
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// MigrateDown takes back the newest migration.
func (db *DB) MigrateDown(ctx context.Context) error {
	p, err := db.migrations()
	if err != nil {
		return err
	}
	if _, err := p.Down(ctx); err != nil {
		return fmt.Errorf("migrate down: %w", err)
	}
	return nil
}

// Migrations lists the steps and which of them the database has.
func (db *DB) Migrations(ctx context.Context) ([]Migration, error) {
	p, err := db.migrations()
	if err != nil {
		return nil, err
	}
	steps, err := p.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("migration status: %w", err)
	}
	var all []Migration
	for _, s := range steps {
		all = append(all, Migration{Version: s.Source.Version, File: s.Source.Path, Applied: s.State == goose.StateApplied})
	}
	return all, nil
}

// Ready reports whether the database answers and has the schema version that this program was built with.
func (db *DB) Ready(ctx context.Context) error {
	want, err := db.target()
	if err != nil {
		return err
	}
	var have int64 // not by Read: a service that has much to do is ready
	err = db.read.QueryRowContext(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version WHERE is_applied").Scan(&have)
	if err = db.Classify(err); err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if have < want {
		return fmt.Errorf("the schema has version %d, version %d is needed: run pedidos migrate up", have, want)
	}
	return nil
}

// Seed adds the sample customers and products that are not there yet.
func (db *DB) Seed(ctx context.Context) error {
	return db.Tx(ctx, func(c Conn) error {
		for statement := range strings.SplitSeq(schema.Seed, ";\n") {
			if strings.TrimSpace(statement) == "" {
				continue
			}
			if _, err := c.ExecContext(ctx, statement); err != nil {
				return fmt.Errorf("seed: %w", err)
			}
		}
		return nil
	})
}

func (db *DB) migrations() (*goose.Provider, error) {
	files, err := schema.Migrations(db.Engine())
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	dialect := goose.DialectSQLite3
	var options []goose.ProviderOption
	if db.Engine() == "mysql" {
		dialect = goose.DialectMySQL
		locker, err := lock.NewMySQLTableLocker()
		if err != nil {
			return nil, fmt.Errorf("prepare migrations: %w", err)
		}
		options = append(options, goose.WithLocker(locker))
	}
	p, err := goose.NewProvider(dialect, db.write.DB, files, options...)
	if err != nil {
		return nil, fmt.Errorf("prepare migrations: %w", err)
	}
	return p, nil
}

func (db *DB) target() (int64, error) {
	p, err := db.migrations()
	if err != nil {
		return 0, err
	}
	sources := p.ListSources()
	return sources[len(sources)-1].Version, nil
}
