package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"

	schema "github.com/pedidos-hq/pedidos/sql"
)

// Migration is one numbered step of the schema.
type Migration struct {
	Version int64
	File    string
	Lost    string // what is lost where the step is taken back
	Applied bool

	begun    bool // recorded, but being taken back
	up, down []statement
}

// statement is one of a migration. One with a table is run for each range of the table's ids, with the bounds of the range
// as its two parameters.
type statement struct{ text, table string }

// idsPerBatch is how many ids a range has: each takes well below a second, and holds no lock for longer.
const idsPerBatch = 10_000

// Migrate takes the schema to the newest version. Processes that start together migrate once.
//
// On SQLite a migration is one transaction. MySQL commits each statement that changes a table, and a process may end
// between any two of them: its version is recorded after its last statement, and until then the next Migrate runs all of
// them again. So each must be repeatable: a change of a table says by its error that it was made before, and a batch
// leaves out the rows that are there.
func (db *DB) Migrate(ctx context.Context) error {
	err := db.alone(ctx, func(conn *sql.Conn) error {
		if err := db.makeLedger(ctx, conn); err != nil {
			return err
		}
		all, _, err := db.migrations(ctx, conn)
		if err != nil {
			return err
		}
		for _, m := range all {
			if m.Applied {
				continue
			}
			err := db.step(ctx, conn, func() error {
				if err := db.run(ctx, conn, m.up); err != nil {
					return err
				}
				return record(ctx, conn, m.Version, true)
			})
			if err != nil {
				return fmt.Errorf("%s: %w", m.File, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// MigrateDown takes back the newest migration. It is marked first: the schema is not ready from then on, and both another
// MigrateDown and Migrate take up a step that was broken off.
func (db *DB) MigrateDown(ctx context.Context) error {
	err := db.alone(ctx, func(conn *sql.Conn) error {
		m, err := db.newest(ctx, conn)
		if err != nil {
			return err
		}
		return db.step(ctx, conn, func() error {
			if err := record(ctx, conn, m.Version, false); err != nil {
				return err
			}
			if err := db.run(ctx, conn, m.down); err != nil {
				return fmt.Errorf("%s: %w", m.File, err)
			}
			_, err := conn.ExecContext(ctx, "DELETE FROM goose_db_version WHERE version_id = ?", m.Version)
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("migrate down: %w", err)
	}
	return nil
}

// ErrNoMigration is returned where there is nothing to take back.
var ErrNoMigration = errors.New("no migration is applied, so there is none to take back")

// Migrations lists the steps and which of them the database has. It changes nothing, and a user who may only read the
// versions may call it.
func (db *DB) Migrations(ctx context.Context) ([]Migration, error) {
	all, _, err := db.migrations(ctx, db.read)
	if err != nil {
		return nil, fmt.Errorf("migration status: %w", err)
	}
	return all, nil
}

// Newest is the migration that MigrateDown would take back.
func (db *DB) Newest(ctx context.Context) (Migration, error) { return db.newest(ctx, db.read) }

func (db *DB) newest(ctx context.Context, conn Conn) (Migration, error) {
	all, unknown, err := db.migrations(ctx, conn)
	if err != nil {
		return Migration{}, err
	}
	if unknown != 0 {
		return Migration{}, fmt.Errorf("the schema has version %d, which this program does not know: use the program that made it", unknown)
	}
	for _, m := range slices.Backward(all) {
		if m.Applied || m.begun {
			return m, nil
		}
	}
	return Migration{}, ErrNoMigration
}

// alone runs changes of the schema on one connection, while no other process does.
func (db *DB) alone(ctx context.Context, changes func(*sql.Conn) error) error {
	conn, err := db.write.Conn(ctx)
	if err != nil {
		return db.Classify(fmt.Errorf("connect: %w", err))
	}
	defer func() { _ = conn.Close() }()
	if db.Engine() == "mysql" {
		// The lock is the connection's: it ends with the process, but not before the statement that the server still runs
		// for it. The session is not given back to the pool, as its settings are its own.
		defer func() { _ = conn.Raw(func(any) error { return driver.ErrBadConn }) }()
		for _, setting := range []string{
			"SET SESSION innodb_lock_wait_timeout = 60", // for rows that a service holds; no request waits for this one
			"SET SESSION wait_timeout = 28800",
		} {
			if _, err := conn.ExecContext(ctx, setting); err != nil {
				return db.Classify(fmt.Errorf("prepare to migrate: %w", err))
			}
		}
		for locked := 0; locked != 1; { // in short waits, so that the end of ctx is seen
			row := conn.QueryRowContext(ctx, "SELECT COALESCE(GET_LOCK(CONCAT('pedidos.', SHA2(DATABASE(), 224)), 5), 0)")
			if err := row.Scan(&locked); err != nil {
				return db.Classify(fmt.Errorf("wait for another migration: %w", err))
			}
		}
	}
	return db.Classify(changes(conn))
}

// step runs a migration: in one transaction where the engine can change tables in one.
func (db *DB) step(ctx context.Context, conn *sql.Conn, do func() error) error {
	if db.Engine() == "mysql" {
		return do()
	}
	if _, err := conn.ExecContext(ctx, db.write.begin); err != nil {
		return err
	}
	if err := do(); err != nil {
		rollback(ctx, conn)
		return err
	}
	_, err := conn.ExecContext(ctx, "COMMIT")
	return err
}

func (db *DB) run(ctx context.Context, conn *sql.Conn, statements []statement) error {
	for _, s := range statements {
		if s.table == "" {
			if _, err := conn.ExecContext(ctx, s.text); err != nil && !madeBefore(err) {
				return err
			}
			continue
		}
		var last int64
		if err := conn.QueryRowContext(ctx, "SELECT COALESCE(MAX(id), 0) FROM "+s.table).Scan(&last); err != nil {
			return err
		}
		for after := int64(0); after < last; after += idsPerBatch {
			if err := db.batch(ctx, conn, s.text, after); err != nil {
				return err
			}
		}
	}
	return nil
}

// batch runs a statement for a range of ids, and again where a service was in its way: had its rows, or wrote them.
func (db *DB) batch(ctx context.Context, conn *sql.Conn, text string, after int64) error {
	for try := 1; ; try++ {
		_, err := conn.ExecContext(ctx, text, after, after+idsPerBatch)
		err = db.Classify(err)
		if err == nil || try == maxTries || !errors.Is(err, errDeadlock) && !errors.Is(err, ErrDuplicate) {
			return err
		}
	}
}

// madeBefore reports whether MySQL refuses to change a table because the change is there. It makes each such change whole
// or not at all, so a migration that was broken off has made it.
func madeBefore(err error) bool {
	e := (*mysql.MySQLError)(nil)
	return errors.As(err, &e) && slices.Contains([]uint16{
		1050, 1060, 1061, // a table, a column or an index is there
		1051, 1091, // there is none to drop
	}, e.Number)
}

// The versions are kept in the table of goose, which earlier programs migrate with: both know what the other has done.

// makeLedger makes the table of the versions where it is missing.
func (db *DB) makeLedger(ctx context.Context, conn *sql.Conn) error {
	create := `CREATE TABLE IF NOT EXISTS goose_db_version (id INTEGER PRIMARY KEY AUTOINCREMENT, version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL, tstamp TIMESTAMP DEFAULT (datetime('now')))`
	if db.Engine() == "mysql" {
		create = `CREATE TABLE IF NOT EXISTS goose_db_version (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
			version_id BIGINT NOT NULL, is_applied BOOLEAN NOT NULL, tstamp DATETIME NULL DEFAULT CURRENT_TIMESTAMP)`
	}
	if _, err := conn.ExecContext(ctx, create); err != nil {
		return err
	}
	// Goose takes a table without a version 0 for broken.
	_, err := conn.ExecContext(ctx, `INSERT INTO goose_db_version (version_id, is_applied)
		SELECT 0, TRUE FROM (SELECT COUNT(*) AS n FROM goose_db_version WHERE version_id = 0) AS zero WHERE zero.n = 0`)
	return err
}

// record says that a version is there, or that it is being taken back.
func record(ctx context.Context, conn *sql.Conn, version int64, applied bool) error {
	result, err := conn.ExecContext(ctx, "UPDATE goose_db_version SET is_applied = ? WHERE version_id = ?", applied, version)
	if err != nil {
		return err
	}
	if rows, err := result.RowsAffected(); err != nil || rows > 0 {
		return err
	}
	_, err = conn.ExecContext(ctx, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (?, ?)", version, applied)
	return err
}

// migrations are those of this program, with what the database says of each. Where it has one that this program does not
// know, unknown is its version.
func (db *DB) migrations(ctx context.Context, conn Conn) (all []Migration, unknown int64, err error) {
	if all, err = files(db.Engine()); err != nil {
		return nil, 0, err
	}
	recorded, err := db.recorded(ctx, conn)
	if err != nil {
		return nil, 0, err
	}
	for i := range all {
		applied, found := recorded[all[i].Version]
		all[i].Applied, all[i].begun = applied, found && !applied
	}
	for version := range recorded {
		if version > all[len(all)-1].Version {
			unknown = max(unknown, version)
		}
	}
	return all, unknown, nil
}

// recorded says of each version that the database has whether it is whole.
func (db *DB) recorded(ctx context.Context, conn Conn) (map[int64]bool, error) {
	recorded := map[int64]bool{}
	if db.Engine() == "sqlite" {
		var tables int
		err := conn.QueryRowContext(ctx, "SELECT COUNT(*) FROM sqlite_master WHERE name = 'goose_db_version'").Scan(&tables)
		if err != nil || tables == 0 {
			return recorded, db.Classify(err)
		}
	}
	rows, err := conn.QueryContext(ctx, "SELECT version_id, is_applied FROM goose_db_version ORDER BY id")
	if e := (*mysql.MySQLError)(nil); errors.As(err, &e) {
		switch e.Number {
		case 1146: // ER_NO_SUCH_TABLE
			return recorded, nil
		case 1142: // ER_TABLEACCESS_DENIED_ERROR, whether the table is there or not
			return nil, fmt.Errorf("this user of MySQL may not read the versions of the schema: ask as the user who migrates, "+
				"or let that one run pedidos migrate up, which lets the services' users read them: %w", err)
		}
	}
	if err != nil {
		return nil, db.Classify(err)
	}
	defer rows.Close()
	for rows.Next() {
		var version int64
		var applied bool
		if err := rows.Scan(&version, &applied); err != nil {
			return nil, err
		}
		recorded[version] = applied
	}
	return recorded, db.Classify(rows.Err())
}

// files are the migrations of an engine, in the order of their numbers.
func files(engine string) ([]Migration, error) {
	folder, err := schema.Migrations(engine)
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	names, err := fs.Glob(folder, "*.sql")
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	var all []Migration
	for _, name := range names {
		text, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, fmt.Errorf("read migrations: %w", err)
		}
		m, err := parse(name, string(text))
		if err != nil {
			return nil, fmt.Errorf("read migrations: %s: %w", name, err)
		}
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b Migration) int { return int(a.Version - b.Version) })
	return all, nil
}

// What a file of a migration has beside its statements, each in a line of its own.
const (
	upMark    = "-- +goose Up\n"
	downMark  = "-- +goose Down\n"
	lostMark  = "-- Lost: "
	batchMark = "-- In batches of the ids of "
)

func parse(name, text string) (m Migration, err error) {
	number, _, _ := strings.Cut(name, "_")
	m.File = name
	if m.Version, err = strconv.ParseInt(number, 10, 64); err != nil {
		return m, errors.New("its name does not begin with a number and _")
	}
	_, text, hasUp := strings.Cut(text, upMark)
	up, down, hasDown := strings.Cut(text, downMark)
	if !hasUp || !hasDown {
		return m, fmt.Errorf("it lacks %q or %q", upMark, downMark)
	}
	for line := range strings.Lines(down) {
		if lost, ok := strings.CutPrefix(line, lostMark); ok {
			m.Lost = strings.TrimSpace(lost)
		}
	}
	m.up, m.down = statements(up), statements(down)
	return m, nil
}

func statements(script string) (all []statement) {
	for text := range strings.SplitSeq(script, ";\n") {
		s, code := statement{text: strings.TrimSpace(text)}, false
		for line := range strings.Lines(text) {
			line = strings.TrimSpace(line)
			if table, ok := strings.CutPrefix(line, batchMark); ok {
				s.table = table
			}
			code = code || line != "" && !strings.HasPrefix(line, "--")
		}
		if code {
			all = append(all, s)
		}
	}
	return all
}

// Ready reports whether the database answers, has the schema version that this program was built with, and takes writes.
func (db *DB) Ready(ctx context.Context) error {
	all, err := files(db.Engine())
	if err != nil {
		return err
	}
	want := all[len(all)-1].Version
	var have int64 // not by Read: a service that has much to do is ready
	err = db.read.QueryRowContext(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version WHERE is_applied").Scan(&have)
	if err = db.Classify(err); err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if have < want {
		return fmt.Errorf("the schema has version %d, version %d is needed: run pedidos migrate up", have, want)
	}
	if err := db.writes.state(ctx); err != nil {
		return fmt.Errorf("writes fail: %w", err)
	}
	return nil
}

// Script runs the statements of an SQL script in one transaction. Each but the last ends with a semicolon and a line feed.
func (db *DB) Script(ctx context.Context, script string) error {
	return db.Tx(ctx, func(c Conn) error {
		for _, s := range statements(script) {
			if _, err := c.ExecContext(ctx, s.text); err != nil {
				return fmt.Errorf("run script: %w", err)
			}
		}
		return nil
	})
}
