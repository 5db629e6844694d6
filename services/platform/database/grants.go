package database

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"github.com/go-sql-driver/mysql"
)

// Right is the right of a MySQL user on a table.
type Right string

// The rights that a service may need.
const (
	ReadWrite  Right = "SELECT, INSERT, UPDATE, DELETE"
	ReadAppend Right = "SELECT, INSERT" // rows are written once and never change
	read       Right = "SELECT"
)

// userName matches names that need no escaping between the quotes of SQL.
var userName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,32}$`)

// Grant gives a MySQL user rights on tables, and the right to read the version of the schema. On a ReadAppend table it
// revokes the right to change rows, which earlier versions granted. MySQL grants rights only on tables that exist, so call
// it after Migrate. On the embedded engine, which has no users, Grant does nothing.
func (db *DB) Grant(ctx context.Context, user string, rights map[string]Right) error {
	if db.Engine() != "mysql" {
		return nil
	}
	if !userName.MatchString(user) {
		return fmt.Errorf("%q can't be a service's MySQL user: the name must have 1 to 32 letters, digits or any of _ . -", user)
	}
	if err := db.grant(ctx, user, "goose_db_version", read); err != nil {
		return err
	}
	for table, right := range rights {
		if err := db.grant(ctx, user, table, right); err != nil {
			return err
		}
		if right != ReadAppend {
			continue
		}
		_, err := db.write.ExecContext(ctx, fmt.Sprintf("REVOKE UPDATE, DELETE ON `%s` FROM `%s`@`%%`", table, user))
		if e := (*mysql.MySQLError)(nil); err != nil && (!errors.As(err, &e) || e.Number != 1147) { // ER_NONEXISTING_TABLE_GRANT
			return fmt.Errorf("the rights of %s to change %s can't be revoked: %w", user, table, err)
		}
	}
	return nil
}

func (db *DB) grant(ctx context.Context, user, table string, right Right) error {
	if _, err := db.write.ExecContext(ctx, fmt.Sprintf("GRANT %s ON `%s` TO `%s`@`%%`", right, table, user)); err != nil {
		return fmt.Errorf("the user %s can't be given rights on %s: the user must exist, and the one who migrates needs GRANT OPTION: %w",
			user, table, err)
	}
	return nil
}
