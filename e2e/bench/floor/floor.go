// Package floor places and confirms orders with bare SQL. It measures the cost of the database alone.
//
// It uses the fewest statements with the same effect, row for row, the same locks and the same durability. Each statement is
// one round trip. Placing an order takes seven for any number of lines: lock and read the products, take the units, insert
// the order, its lines, its event and the key with the answer, COMMIT. Confirming takes five: lock and read the order with its
// lines, update it, insert the event and the key, COMMIT. There is no BEGIN, because autocommit is off, and no look-up of the
// key, because inserting a used key fails.
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

// Open prepares connections to a database, with the settings of the services except for autocommit.
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
