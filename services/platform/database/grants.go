package database

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"github.com/go-sql-driver/mysql"
)

// Right is a list of MySQL privileges on a table, as GRANT takes it.
type Right string

// The rights of services.
const (
	ReadWrite  Right = "SELECT, INSERT, UPDATE, DELETE"
	ReadAppend Right = "SELECT, INSERT" // for rows that never change
	read       Right = "SELECT"
)

// userName matches names that need no escaping in a quoted SQL identifier.
var userName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,32}$`)

// Grant grants rights on tables, by table name, to an existing MySQL user, and the right to read the schema version. On a
// ReadAppend table it also revokes UPDATE and DELETE, which earlier versions granted. MySQL grants rights only on tables that
// exist, so call Grant after Migrate. On SQLite, which has no users, Grant does nothing.
func (db *DB) Grant(ctx context.Context, user string, rights map[string]Right) error {
	if db.Engine() != "mysql" {
		return nil
	}
	if !userName.MatchString(user) {
		return fmt.Errorf("%q can't be a service's MySQL user: the name must consist of 1 to 32 letters, digits, and the characters _ . -", user)
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
			return fmt.Errorf("revoke the rights of the user %s to change %s: %w", user, table, err)
		}
	}
	return nil
}

func (db *DB) grant(ctx context.Context, user, table string, right Right) error {
	if _, err := db.write.ExecContext(ctx, fmt.Sprintf("GRANT %s ON `%s` TO `%s`@`%%`", right, table, user)); err != nil {
		return fmt.Errorf("grant rights on %s to the user %s, which must exist (the migrating user needs GRANT OPTION): %w",
			table, user, err)
	}
	return nil
}
