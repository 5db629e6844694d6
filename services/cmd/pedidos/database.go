package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/pedidos-hq/pedidos/services/platform/config"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

// databaseFile is the name of the embedded database in the data folder.
const databaseFile = "pedidos.db"

// usage is the purpose for which a command opens the database.
type usage int

const (
	toServe   usage = iota // the embedded database is migrated first
	toFill                 // as toServe, and statements have no time limit
	toMigrate              // the command itself changes the schema
	toRead                 // read-only; services may keep running
)

// openDatabase opens MySQL if DB_HOST is set, and waits until it answers. Otherwise it opens the embedded database and,
// unless it only reads, locks the data folder.
func (p *program) openDatabase(ctx context.Context, use usage) (db *database.DB, release func() error, err error) {
	release = func() error { return nil }
	c := p.Config
	switch {
	case c.DBHost != "":
		at := database.MySQL{
			Servers: c.DBServers(), User: c.DBUser, Password: c.DBPassword.Reveal(), Name: c.DBName, Conns: c.DBMaxConns,
			TLS: database.TLS(c.DBTLS), CA: c.DBTLSCA,
		}
		if use == toServe {
			at.Timeout = c.RequestTimeout // a tool's statements may take long; MySQL would continue them after a timeout
		}
		db, err = database.OpenMySQL(at, p.databaseOptions())
		if err != nil {
			return nil, nil, err
		}
		if err := db.Wait(ctx, c.DBWait, p.Log); err != nil {
			return nil, nil, errors.Join(err, db.Close())
		}
		return db, release, nil
	case use == toRead:
		db, err = database.ReadSQLite(p.databasePath())
		return db, release, err
	}
	if release, err = database.LockFolder(c.DataDir); err != nil {
		return nil, nil, err
	}
	if db, err = database.OpenSQLite(p.databasePath(), p.databaseOptions()); err != nil {
		return nil, nil, errors.Join(err, release())
	}
	if use != toMigrate {
		if err := db.Migrate(ctx); err != nil {
			return nil, nil, errors.Join(err, db.Close(), release())
		}
	}
	return db, release, nil
}

func (p *program) databaseOptions() database.Options {
	return database.Options{MaxQueue: &p.Config.DBMaxQueue, Log: p.Log, Metrics: p.Metrics, Tracing: p.Tracing}
}

func (p *program) databasePath() string { return filepath.Join(p.Config.DataDir, databaseFile) }

// Whether a command creates an embedded database that is missing.
const (
	create    = true
	mustExist = false // a mistyped folder must not look like an empty shop
)

// withDatabase calls do with the configured database and closes it afterwards.
func (p *program) withDatabase(ctx context.Context, use usage, missing bool, do func(*database.DB) error) error {
	if err := p.Config.Check(config.Needs{Database: true}); err != nil {
		return err
	}
	if !missing && p.Config.DBHost == "" {
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

// checkExists returns an error if the data folder has no database.
func (p *program) checkExists() error {
	if _, err := os.Stat(p.databasePath()); err != nil {
		return fmt.Errorf("no database in the data folder %s; name another folder with --data or DATA_DIR", p.Config.DataDir)
	}
	return nil
}
