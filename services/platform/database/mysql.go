package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/XSAM/otelsql"
	"github.com/go-sql-driver/mysql"

	"github.com/pedidos-hq/pedidos/services/platform/telemetry"
)

// MySQL says where a MySQL server is and who connects.
type MySQL struct {
	Host     string
	Port     int
	User     string
	Password string
	Name     string
	Conns    int  // at most, of this process
	Tool     bool // a statement may take as long as it does: a migration, an audit, a large data set
}

// vanished is how long the server keeps a connection on which nothing is said. No transaction pauses for so long.
const vanished = 20 * time.Second

// OpenMySQL prepares connections to a MySQL server; it does not connect yet.
func OpenMySQL(at MySQL, log *slog.Logger, tracing *telemetry.Tracing) (*DB, error) {
	config := mysql.NewConfig()
	config.Net, config.Addr = "tcp", net.JoinHostPort(at.Host, strconv.Itoa(at.Port))
	config.User, config.Passwd, config.DBName = at.User, at.Password, at.Name
	config.Collation = "utf8mb4_bin"
	config.ParseTime, config.Loc = true, time.UTC
	config.InterpolateParams = true // one round trip a statement
	config.ClientFoundRows = true   // affected rows are the rows that matched
	config.Timeout, config.ReadTimeout, config.WriteTimeout = 5*time.Second, 30*time.Second, 30*time.Second
	if at.Tool {
		config.ReadTimeout = 0 // the connection would be given up, and MySQL go on with the statement
	}
	config.Logger = slog.NewLogLogger(log.Handler(), slog.LevelDebug)
	config.Params = map[string]string{
		"time_zone": "'+00:00'",
		"sql_mode":  "'STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,ONLY_FULL_GROUP_BY'",
		// Every row that a decision rests on is read FOR UPDATE; the gap locks of REPEATABLE READ would only add deadlocks.
		"transaction_isolation":    "'READ-COMMITTED'",
		"innodb_lock_wait_timeout": "2",
		// The ids of the rows of one INSERT follow each other.
		"auto_increment_increment": "1",
		// How long the locks of a client stay that has vanished without a word.
		"wait_timeout": strconv.Itoa(int(vanished.Seconds())),
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, fmt.Errorf("configure mysql: %w", err)
	}
	pool := sql.OpenDB(connector)
	if tracing != nil {
		pool = otelsql.OpenDB(connector, spans(tracing, "mysql")...)
	}
	pool.SetMaxOpenConns(at.Conns)
	pool.SetMaxIdleConns(at.Conns)
	pool.SetConnMaxLifetime(10 * time.Minute)
	pool.SetConnMaxIdleTime(vanished - 5*time.Second)
	shared := newPool("all", pool)
	return &DB{engine: server{}, write: shared, read: shared, writes: writes{check: checkServer(pool)}}, nil
}

type server struct{}

func (server) name() string { return "mysql" }

func (server) begin() string { return "START TRANSACTION" }

func (server) deadlock() string { return "deadlock" }

func (server) wrap(c Conn) Conn { return c }

func (server) first(last int64, _ int) int64 { return last } // LAST_INSERT_ID() is the first

// The numbers are those of MySQL's server error reference.
func (server) classify(err error) error {
	if e := (*mysql.MySQLError)(nil); errors.As(err, &e) {
		switch e.Number {
		case 1062: // ER_DUP_ENTRY
			return ErrDuplicate
		case 1452: // ER_NO_REFERENCED_ROW_2
			return ErrMissingParent
		case 3819: // ER_CHECK_CONSTRAINT_VIOLATED
			return ErrCheck
		case 1213: // ER_LOCK_DEADLOCK
			return errDeadlock
		case 1205: // ER_LOCK_WAIT_TIMEOUT
			return errors.Join(ErrLockTimeout, errDeadlock)
		case 1040, 1053, 1203, 3024, 3100: // too many connections, shutdown, out of time
			return errUnavailable
		}
		if slices.Contains(unwritable, e.Number) {
			return errUnavailable
		}
		return nil
	}
	var network net.Error
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn) ||
		(errors.As(err, &network) && !errors.Is(err, context.DeadlineExceeded)) {
		return errUnavailable
	}
	return nil
}
