package database

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"github.com/go-sql-driver/mysql"
)

// Service is one that keeps tables.
type Service string

// The services that keep tables.
const (
	Customers Service = "customers"
	Orders    Service = "orders"
)

// Tables says whose each table is. A service reads and writes its own, and no other.
var Tables = map[Service][]string{
	Customers: {"customers", "customers_idempotency"},
	Orders:    {"products", "stock_adjustments", "orders", "order_lines", "order_events", "orders_idempotency"},
}

// userName is a name that means itself between the quotes of SQL.
var userName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,32}$`)

// appended are the tables that record what was done: their rows are written once, and never changed.
var appended = []string{"stock_adjustments", "order_events"}

// Grant lets a user of MySQL do what the service does: read and write its tables, only add to those that record what was
// done, and read the version of the schema. What earlier versions let it do beyond that is taken back. MySQL takes rights
// on tables that are there alone, so this comes after every Migrate. On the embedded engine, which has no users, it does
// nothing.
func (db *DB) Grant(ctx context.Context, service Service, user string) error {
	if db.Engine() != "mysql" {
		return nil
	}
	if !userName.MatchString(user) {
		return fmt.Errorf("%q can't be the %s user: it must have 1 to 32 letters, digits or any of _ . -", user, service)
	}
	rights := map[string]string{"goose_db_version": "SELECT"}
	for _, table := range Tables[service] {
		rights[table] = "SELECT, INSERT, UPDATE, DELETE"
	}
	for _, table := range appended {
		if rights[table] != "" {
			rights[table] = "SELECT, INSERT"
		}
	}
	for table, right := range rights {
		if _, err := db.write.ExecContext(ctx, fmt.Sprintf("GRANT %s ON `%s` TO `%s`@`%%`", right, table, user)); err != nil {
			return fmt.Errorf("the user %s can't be given rights on %s: the user must exist, and the one who migrates needs GRANT OPTION: %w",
				user, table, err)
		}
	}
	for _, table := range appended {
		if rights[table] == "" {
			continue
		}
		_, err := db.write.ExecContext(ctx, fmt.Sprintf("REVOKE UPDATE, DELETE ON `%s` FROM `%s`@`%%`", table, user))
		if e := (*mysql.MySQLError)(nil); err != nil && !(errors.As(err, &e) && e.Number == 1147) { // ER_NONEXISTING_TABLE_GRANT
			return fmt.Errorf("the rights of %s to change %s can't be taken back: %w", user, table, err)
		}
	}
	return nil
}
