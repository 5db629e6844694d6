package database

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	schema "github.com/pedidos-hq/pedidos/sql"
)

// tidbSetting is a global variable of TiDB on which the services rely. TiDB has other defaults, or lets others be set, and then
// silently accepts what MySQL refuses.
type tidbSetting struct{ name, want, without string }

var tidbSettings = []tidbSetting{
	{"tidb_enable_check_constraint", "ON", "CHECK constraints are ignored"},
	{"tidb_enable_foreign_key", "ON", "foreign keys are ignored"},
	{"foreign_key_checks", "ON", "foreign keys are ignored"},
	{"tidb_txn_mode", "pessimistic", "SELECT … FOR UPDATE locks nothing"},
}

// Suited returns nil unless the server is a TiDB that does not enforce what the services rely on. Its error names the statements that
// change this. It only sees the constraints of tables on which the user has rights.
func (db *DB) Suited(ctx context.Context) error { return db.Classify(db.suited(ctx, db.read)) }

func (db *DB) suited(ctx context.Context, conn Conn) error {
	tidb, err := db.isTiDB(ctx, conn)
	if err != nil || !tidb {
		return err
	}
	if err := checkSettings(ctx, conn); err != nil {
		return err
	}
	return checkConstraints(ctx, conn)
}

func (db *DB) isTiDB(ctx context.Context, conn Conn) (bool, error) {
	if db.Engine() != "mysql" {
		return false, nil
	}
	var version string
	if err := conn.QueryRowContext(ctx, "SELECT VERSION()").Scan(&version); err != nil {
		return false, fmt.Errorf("read the version of the database: %w", err)
	}
	return strings.Contains(version, "TiDB"), nil
}

// checkSettings returns an error that names the variables with other values, and the statements that set them.
func checkSettings(ctx context.Context, conn Conn) error {
	var lost, statements []string
	for _, s := range tidbSettings {
		var name, value string
		if err := conn.QueryRowContext(ctx, "SHOW GLOBAL VARIABLES LIKE '"+s.name+"'").Scan(&name, &value); err != nil {
			return fmt.Errorf("read %s of TiDB: %w", s.name, err)
		}
		if strings.EqualFold(value, s.want) {
			continue
		}
		if !slices.Contains(lost, s.without) {
			lost = append(lost, s.without)
		}
		statements = append(statements, fmt.Sprintf("SET GLOBAL %s = %s;", s.name, s.want))
	}
	if len(lost) == 0 {
		return nil
	}
	return fmt.Errorf("with the settings of this TiDB, %s: run %s Then run pedidos migrate up again, which names the constraints that were lost meanwhile",
		strings.Join(lost, ", and "), strings.Join(statements, " "))
}

var (
	createTable = regexp.MustCompile(`(?ms)^CREATE TABLE (\w+) \(\n(.*?)\n\)`)
	checkClause = regexp.MustCompile(`(?m)^  (CONSTRAINT (\w+) CHECK \(.*\)),?$`)
)

// checkConstraints returns an error if tables lack constraints of the schema. TiDB does not keep a constraint that was added while
// tidb_enable_check_constraint was OFF, for example by a restore.
func checkConstraints(ctx context.Context, conn Conn) error {
	tables, err := column(ctx, conn, "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()")
	if err != nil {
		return err
	}
	constraints, err := column(ctx, conn, "SELECT constraint_name FROM information_schema.check_constraints WHERE constraint_schema = DATABASE()")
	if err != nil {
		return err
	}
	var missing []string
	for _, table := range createTable.FindAllStringSubmatch(schema.MySQL, -1) {
		if !slices.Contains(tables, table[1]) {
			continue
		}
		for _, check := range checkClause.FindAllStringSubmatch(table[2], -1) {
			if !slices.Contains(constraints, check[2]) {
				missing = append(missing, fmt.Sprintf("ALTER TABLE %s ADD %s;", table[1], check[1]))
			}
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("this TiDB lacks CHECK constraints, which it does not keep while tidb_enable_check_constraint is OFF: run %s", strings.Join(missing, " "))
}

// column returns the values of a query with one column.
func column(ctx context.Context, conn Conn, query string) (values []string, err error) {
	rows, err := conn.QueryContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("read the schema of TiDB: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var value string
		if err := rows.Scan(&value); err != nil {
			return nil, fmt.Errorf("read the schema of TiDB: %w", err)
		}
		values = append(values, value)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the schema of TiDB: %w", err)
	}
	return values, nil
}
