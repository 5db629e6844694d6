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

// Migration is a numbered change of the schema.
type Migration struct {
	Version int64
	File    string
	Lost    string // a text that names the data that MigrateDown deletes
	Applied bool

	reverting bool // recorded, but MigrateDown has begun to revert it
	up, down  []statement
}

// statement is an SQL statement of a migration. If table is set, the statement is run for each range of the table's ids, with
// the bounds of the range as its two parameters.
type statement struct{ text, table string }

// idsPerBatch is the number of ids of a range. A range takes well below a second, so services do not wait long for its locks.
const idsPerBatch = 10_000

// Migrate migrates the schema to the newest version. Processes may call it at the same time; a lock makes one of them migrate.
//
// On SQLite, a migration is one transaction. MySQL commits each statement that changes a table, and the process may end between
// two statements. The version is recorded after the last statement; until then, the next Migrate runs all statements again.
// They must therefore be repeatable: Migrate ignores the error of a table change that was made before, and a batch must skip the
// rows that exist.
func (db *DB) Migrate(ctx context.Context) error {
	err := db.exclusive(ctx, func(conn *sql.Conn) error {
		tidb, err := db.isTiDB(ctx, conn)
		if err != nil {
			return err
		}
		if tidb {
			if err := checkSettings(ctx, conn); err != nil {
				return err
			}
		}
		if err := db.createVersions(ctx, conn); err != nil {
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
		if tidb {
			return checkConstraints(ctx, conn)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// MigrateDown reverts the newest migration and deletes the data that its Lost field names. It first records the version as
// not applied, so the schema is not ready from then on. After an interruption, another MigrateDown completes it, and Migrate
// applies the migration again. MigrateDown returns ErrNoMigration if no migration is applied.
func (db *DB) MigrateDown(ctx context.Context) error {
	err := db.exclusive(ctx, func(conn *sql.Conn) error {
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

// ErrNoMigration reports that there is no migration to revert.
var ErrNoMigration = errors.New("no migration is applied")

// Migrations returns all migrations of this program, ordered by version, and whether each is applied. It only needs the right to
// read the schema version, which Grant grants.
func (db *DB) Migrations(ctx context.Context) ([]Migration, error) {
	all, _, err := db.migrations(ctx, db.read)
	if err != nil {
		return nil, fmt.Errorf("migration status: %w", err)
	}
	return all, nil
}

// Newest returns the migration that MigrateDown would revert, or ErrNoMigration.
func (db *DB) Newest(ctx context.Context) (Migration, error) { return db.newest(ctx, db.read) }

func (db *DB) newest(ctx context.Context, conn Conn) (Migration, error) {
	all, unknown, err := db.migrations(ctx, conn)
	if err != nil {
		return Migration{}, err
	}
	if unknown != 0 {
		return Migration{}, fmt.Errorf("the schema has version %d, which this program does not know: use the release that created it", unknown)
	}
	for _, m := range slices.Backward(all) {
		if m.Applied || m.reverting {
			return m, nil
		}
	}
	return Migration{}, ErrNoMigration
}

// exclusive changes the schema on one connection, while no other process does.
func (db *DB) exclusive(ctx context.Context, changes func(*sql.Conn) error) error {
	conn, err := db.write.Conn(ctx)
	if err != nil {
		return db.Classify(fmt.Errorf("connect: %w", err))
	}
	defer func() { _ = conn.Close() }()
	if db.Engine() == "mysql" {
		// The lock belongs to the connection. If the process ends, the server releases it once it has completed the statement
		// under way. The connection is not returned to the pool, because its session settings differ.
		defer func() { _ = conn.Raw(func(any) error { return driver.ErrBadConn }) }()
		for _, setting := range []string{
			"SET SESSION innodb_lock_wait_timeout = 60", // services may hold rows, and no request waits for this session
			"SET SESSION wait_timeout = 28800",
		} {
			if _, err := conn.ExecContext(ctx, setting); err != nil {
				return db.Classify(fmt.Errorf("prepare to migrate: %w", err))
			}
		}
		for locked := 0; locked != 1; { // waits are short, so that the loop notices when ctx is done
			row := conn.QueryRowContext(ctx, "SELECT COALESCE(GET_LOCK(CONCAT('pedidos.', SHA2(DATABASE(), 224)), 5), 0)")
			err := db.Classify(row.Scan(&locked))
			if err != nil && !errors.Is(err, errDeadlock) { // TiDB gives up early if several wait
				return fmt.Errorf("wait for another migration: %w", err)
			}
		}
	}
	return db.Classify(changes(conn))
}

// step runs a migration, on SQLite in one transaction. MySQL can't change tables in a transaction.
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
			if _, err := conn.ExecContext(ctx, s.text); err != nil && !alreadyChanged(err) {
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

// batch runs a statement for a range of ids. It retries if a service locks or inserts the same rows.
func (db *DB) batch(ctx context.Context, conn *sql.Conn, text string, after int64) error {
	for try := 1; ; try++ {
		_, err := conn.ExecContext(ctx, text, after, after+idsPerBatch)
		err = db.Classify(err)
		if err == nil || try == maxTries || !errors.Is(err, errDeadlock) && !errors.Is(err, ErrDuplicate) {
			return err
		}
	}
}

// alreadyChanged reports whether MySQL refuses to change a table because the change has been made, by a migration that was
// interrupted. Each such change is atomic.
func alreadyChanged(err error) bool {
	e := (*mysql.MySQLError)(nil)
	return errors.As(err, &e) && slices.Contains([]uint16{
		1050, 1060, 1061, // the table, column or index exists
		1051, 1091, // there is nothing to drop
		1176, // there is no index to rename
	}, e.Number)
}

// createVersions creates the table of versions if it is missing. It is the table of goose, which earlier releases use, so that
// either can continue the migrations of the other.
func (db *DB) createVersions(ctx context.Context, conn *sql.Conn) error {
	create := `CREATE TABLE IF NOT EXISTS goose_db_version (id INTEGER PRIMARY KEY AUTOINCREMENT, version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL, tstamp TIMESTAMP DEFAULT (datetime('now')))`
	if db.Engine() == "mysql" {
		create = `CREATE TABLE IF NOT EXISTS goose_db_version (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
			version_id BIGINT NOT NULL, is_applied BOOLEAN NOT NULL, tstamp DATETIME NULL DEFAULT CURRENT_TIMESTAMP)`
	}
	if _, err := conn.ExecContext(ctx, create); err != nil {
		return err
	}
	// Goose rejects a table without a version 0.
	_, err := conn.ExecContext(ctx, `INSERT INTO goose_db_version (version_id, is_applied)
		SELECT 0, TRUE FROM (SELECT COUNT(*) AS n FROM goose_db_version WHERE version_id = 0) AS zero WHERE zero.n = 0`)
	return err
}

// record records that a version is applied, or that it is being reverted.
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

// migrations returns the migrations of this program with their state in the database. If the database has newer ones, unknown is
// the newest version.
func (db *DB) migrations(ctx context.Context, conn Conn) (all []Migration, unknown int64, err error) {
	if all, err = readMigrations(db.Engine()); err != nil {
		return nil, 0, err
	}
	recorded, err := db.recorded(ctx, conn)
	if err != nil {
		return nil, 0, err
	}
	for i := range all {
		applied, found := recorded[all[i].Version]
		all[i].Applied, all[i].reverting = applied, found && !applied
	}
	for version := range recorded {
		if version > all[len(all)-1].Version {
			unknown = max(unknown, version)
		}
	}
	return all, unknown, nil
}

// recorded returns the versions that the database records: true if applied, false if being reverted.
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
		case 1142: // ER_TABLEACCESS_DENIED_ERROR, even if the table does not exist
			return nil, fmt.Errorf("this MySQL user may not read the schema version: connect as the user who migrates, "+
				"or run pedidos migrate up as that user, which grants the right to the users of the services: %w", err)
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

// readMigrations reads the migrations of an engine, ordered by version.
func readMigrations(engine string) ([]Migration, error) {
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
		m, err := parseMigration(name, string(text))
		if err != nil {
			return nil, fmt.Errorf("read migrations: %s: %w", name, err)
		}
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b Migration) int { return int(a.Version - b.Version) })
	return all, nil
}

// The directives of a migration file. Each takes a line of its own.
const (
	upMark    = "-- +goose Up\n"
	downMark  = "-- +goose Down\n"
	lostMark  = "-- Lost: "
	batchMark = "-- In batches of the ids of "
)

func parseMigration(name, text string) (m Migration, err error) {
	number, _, _ := strings.Cut(name, "_")
	m.File = name
	if m.Version, err = strconv.ParseInt(number, 10, 64); err != nil {
		return m, errors.New("the name does not begin with a number and _")
	}
	_, text, hasUp := strings.Cut(text, upMark)
	up, down, hasDown := strings.Cut(text, downMark)
	if !hasUp || !hasDown {
		return m, fmt.Errorf("the file lacks %q or %q", upMark, downMark)
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

// Ready returns nil if the database answers, has at least the schema version of this program, is suited, and accepts writes. A newer schema
// is ready too, because migrations only add to it.
func (db *DB) Ready(ctx context.Context) error {
	all, err := readMigrations(db.Engine())
	if err != nil {
		return err
	}
	if err := db.servers.writable(); err != nil { // first, as the statements below may hang
		return fmt.Errorf("writes fail: %w", err)
	}
	want := all[len(all)-1].Version
	var have int64 // without Read, which fails on an overloaded service: that one is ready
	err = db.read.QueryRowContext(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version WHERE is_applied").Scan(&have)
	if err = db.Classify(err); err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if have < want {
		return fmt.Errorf("the schema has version %d, but version %d is needed: run pedidos migrate up", have, want)
	}
	if err := db.Suited(ctx); err != nil {
		return err
	}
	if err := db.writes.state(ctx); err != nil {
		return fmt.Errorf("writes fail: %w", err)
	}
	return nil
}

// Script runs the statements of an SQL script in one transaction. A semicolon and a line feed separate statements.
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
