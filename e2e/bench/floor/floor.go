// Package floor does what orders-api does with nothing around it: what is left is what the database charges.
//
// An order is placed, or confirmed, in the fewest statements that have the same effect, row for row, with the same locks
// and the same durability. Each is a round trip of its own; no two are sent together. To place takes seven, whatever the
// number of lines: the products are locked and read, the units of all are taken, the order, its lines, its event and the
// key with the answer are inserted, COMMIT. To confirm takes five: the order is locked and read with its lines, changed,
// the event and the key are inserted, COMMIT. There is no BEGIN, since the connections don't commit by themselves, and no
// look for a key: one that is taken shows when it is inserted.
package floor

import (
	"database/sql"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/pedidos-hq/pedidos/services/platform/database"
)

// Open prepares connections to a database. They are as those of the services; only autocommit is the caller's.
func Open(at database.MySQL, autocommit bool) (*sql.DB, error) {
	config := mysql.NewConfig()
	config.Net, config.Addr = "tcp", net.JoinHostPort(at.Host, strconv.Itoa(at.Port))
	config.User, config.Passwd, config.DBName = at.User, at.Password, at.Name
	config.Collation = "utf8mb4_bin"
	config.ParseTime, config.Loc = true, time.UTC
	config.InterpolateParams = true
	config.ClientFoundRows = true
	config.Params = map[string]string{
		"time_zone":                "'+00:00'",
		"sql_mode":                 "'STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,ONLY_FULL_GROUP_BY'",
		"transaction_isolation":    "'READ-COMMITTED'",
		"innodb_lock_wait_timeout": "2",
		"autocommit":               strconv.FormatBool(autocommit),
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, fmt.Errorf("configure mysql: %w", err)
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(at.Conns)
	db.SetMaxIdleConns(at.Conns)
	return db, nil
}
