package database

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/XSAM/otelsql"
	"github.com/go-sql-driver/mysql"
)

// MySQL is the address of a MySQL database and the account to connect with.
type MySQL struct {
	Host     string
	Port     int
	User     string
	Password string
	Name     string
	Conns    int // maximum connections of this process; less than 3 count as 3, one for each pool
	TLS      TLS
	CA       string // PEM file of the CA, for TLSVerifyCA
	Tool     bool   // no time limit for statements, for migrations and audits
}

// TLS is the encryption of connections. The zero value means TLSOff.
type TLS string

// The modes of TLS.
const (
	TLSOff       TLS = "off"
	TLSPreferred TLS = "preferred" // if the server supports it; an attacker on the network can prevent it
	TLSRequired  TLS = "required"  // always; keeps out listeners, but not an attacker who poses as the server
	TLSVerifyCA  TLS = "verify-ca" // always, with a certificate signed by the CA
)

const (
	// idleTimeout is the time after which the server closes an idle connection. It is longer than any pause within a
	// transaction.
	idleTimeout = 20 * time.Second
	// connectTimeout limits the TCP connection, the TLS handshake and the login together.
	connectTimeout = 5 * time.Second
)

// OpenMySQL returns a DB for a MySQL database. It does not connect; the first query does. It fails if TLS is invalid or CA can't
// be read.
func OpenMySQL(at MySQL, o Options) (*DB, error) {
	config := mysql.NewConfig()
	config.Net, config.Addr = "tcp", net.JoinHostPort(at.Host, strconv.Itoa(at.Port))
	config.User, config.Passwd, config.DBName = at.User, at.Password, at.Name
	config.Collation = "utf8mb4_bin"
	config.ParseTime, config.Loc = true, time.UTC
	config.InterpolateParams = true // one round trip per statement
	config.ClientFoundRows = true   // affected rows are the rows that matched
	config.Timeout, config.ReadTimeout, config.WriteTimeout = connectTimeout, 30*time.Second, 30*time.Second
	if at.Tool {
		config.ReadTimeout = 0 // after a timeout, MySQL would continue the statement without a client
	}
	config.Logger = &mysql.NopLogger{}
	if o.Log != nil {
		config.Logger = slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug)
	}
	config.Params = map[string]string{
		"time_zone": "'+00:00'",
		"sql_mode":  "'STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,ONLY_FULL_GROUP_BY'",
		// Every row that a decision depends on is read FOR UPDATE; the gap locks of REPEATABLE READ only add deadlocks.
		"transaction_isolation":    "'READ-COMMITTED'",
		"innodb_lock_wait_timeout": "2",
		// Inserter relies on consecutive ids within an INSERT.
		"auto_increment_increment": "1",
		// After this time, the server releases the locks of a client that it has lost.
		"wait_timeout": strconv.Itoa(int(idleTimeout.Seconds())),
	}
	var err error
	if config.TLS, err = at.tls(); err != nil {
		return nil, err
	}
	config.AllowFallbackToPlaintext = at.TLS == TLSPreferred
	own, err := mysql.NewConnector(config)
	if err != nil {
		return nil, fmt.Errorf("configure mysql: %w", err)
	}
	// A batch saves round trips: its first statement begins the transaction, and COMMIT is sent with its last statement.
	// Values are always passed as arguments, so no value can add a statement.
	config = config.Clone()
	config.Params["autocommit"], config.MultiStatements = "0", true
	batch, err := mysql.NewConnector(config)
	if err != nil {
		return nil, fmt.Errorf("configure mysql: %w", err)
	}
	open := func(name string, conns int, through driver.Connector, begin string) *Pool {
		db := sql.OpenDB(connector{through, at.TLS})
		if o.Tracing != nil {
			db = otelsql.OpenDB(connector{through, at.TLS}, spans(o.Tracing, "mysql")...)
		}
		db.SetMaxOpenConns(conns)
		db.SetMaxIdleConns(conns)
		db.SetConnMaxLifetime(10 * time.Minute)
		db.SetConnMaxIdleTime(idleTimeout - 5*time.Second)
		return newPool(name, db, begin, o)
	}
	// With separate pools, no kind of work can take all connections.
	shared := max(1, at.Conns/4)
	read := max(1, (at.Conns-shared)/2)
	write := max(1, at.Conns-shared-read)
	db := newDB(mysqlEngine{}, open("write", write, own, "START TRANSACTION"), open("shared", shared, batch, ""), open("read", read, own, ""), o)
	db.writes.check = checkServer(db.read.DB)
	return db, nil
}

// tls returns the TLS configuration, or nil for none.
func (at MySQL) tls() (*tls.Config, error) {
	switch at.TLS {
	case "", TLSOff:
		return nil, nil
	case TLSPreferred, TLSRequired:
		return &tls.Config{InsecureSkipVerify: true}, nil //nolint:gosec // MySQL's default certificate is self-signed; DB_TLS=verify-ca checks it
	case TLSVerifyCA:
	default:
		return nil, fmt.Errorf("database: unknown TLS mode %q", at.TLS)
	}
	pem, err := os.ReadFile(at.CA)
	if err != nil {
		return nil, fmt.Errorf("read DB_TLS_CA %s: %w", at.CA, cause(err))
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("DB_TLS_CA %s holds no PEM certificate; use a file such as MySQL's ca.pem", at.CA)
	}
	return &tls.Config{
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection verifies all but the host name, which MySQL's own certificates lack
		VerifyConnection: func(state tls.ConnectionState) error {
			intermediates := x509.NewCertPool()
			for _, c := range state.PeerCertificates[1:] {
				intermediates.AddCert(c)
			}
			_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates})
			if err != nil {
				return &tls.CertificateVerificationError{UnverifiedCertificates: state.PeerCertificates, Err: err}
			}
			return nil
		},
	}, nil
}

// connector opens connections within connectTimeout, and explains failures that a different DB_TLS fixes.
type connector struct {
	driver.Connector
	tls TLS
}

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, connectTimeout, errConnectTimeout)
	defer cancel()
	conn, err := c.Connector.Connect(ctx)
	if err == nil {
		return conn, nil
	}
	if errors.Is(context.Cause(ctx), errConnectTimeout) {
		return nil, errConnectTimeout
	}
	if sentence := c.explain(err); sentence != "" {
		return nil, &settingError{sentence, err}
	}
	if number := (*mysql.MySQLError)(nil); !errors.As(err, &number) && ctx.Err() == nil {
		err = fmt.Errorf("%w: %w", errUnavailable, err) // the server may go away at any step, with many kinds of errors
	}
	return nil, err
}

// explain returns advice for a failure caused by DB_TLS, or "".
func (c connector) explain(err error) string {
	certificate := (*tls.CertificateVerificationError)(nil)
	number := (*mysql.MySQLError)(nil)
	switch {
	case errors.As(err, &number) && number.Number == 3159 && c.tls == TLSPreferred: // ER_SECURE_TRANSPORT_REQUIRED
		return "the database requires encryption, but offers none to DB_TLS=preferred: something on the network prevents it"
	case errors.As(err, &number) && number.Number == 3159:
		return "the database requires encryption, but DB_TLS is off: set it to preferred, required or verify-ca"
	case errors.Is(err, mysql.ErrNoTLS):
		return fmt.Sprintf("DB_TLS is %s, but the database offers no encryption: set up TLS there, or set DB_TLS to preferred or off", c.tls)
	case errors.As(err, &certificate):
		return "the certificate of the database is not signed by the CA in DB_TLS_CA: " + certificate.Err.Error()
	}
	return ""
}

// errConnectTimeout reports that a server does not complete a connection, for example because it accepts it and stays silent.
var errConnectTimeout = fmt.Errorf("the database did not complete the connection within %s: %w", connectTimeout, errUnavailable)

// settingError is a connection error that only different settings fix.
type settingError struct {
	sentence string
	cause    error
}

func (e *settingError) Error() string { return e.sentence }
func (e *settingError) Unwrap() error { return e.cause }

type mysqlEngine struct{}

func (mysqlEngine) name() string { return "mysql" }

func (mysqlEngine) about() string {
	return "SELECT CONCAT('MySQL ', VERSION()), CAST(UNIX_TIMESTAMP(NOW(6)) AS DOUBLE)"
}

func (mysqlEngine) commit(ctx context.Context, conn *sql.Conn, last Statement) error {
	query := "COMMIT"
	if last.Query != "" {
		query = last.Query + ";\nCOMMIT"
	}
	_, err := conn.ExecContext(ctx, query, last.Args...)
	return err
}

func (mysqlEngine) deadlock() string { return "deadlock" }

func (mysqlEngine) wrap(c Conn) Conn { return c }

func (mysqlEngine) shortWait(c Conn) Conn { return shortWaitConn{c} }

func (mysqlEngine) isLockWait(err error) bool {
	e := (*mysql.MySQLError)(nil)
	return errors.As(err, &e) && (e.Number == 1205 || e.Number == 3024) // ER_LOCK_WAIT_TIMEOUT, ER_QUERY_TIMEOUT
}

func (mysqlEngine) first(last int64, _ int) int64 { return last } // MySQL returns the first id

// classify maps the error numbers of the MySQL server.
func (mysqlEngine) classify(err error) error {
	if setting := (*settingError)(nil); errors.As(err, &setting) || errors.Is(err, errUnavailable) {
		return errUnavailable
	}
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

// shortWaitConn limits how long a locking read waits; then it fails with ER_QUERY_TIMEOUT. It does not use
// innodb_lock_wait_timeout, which is in whole seconds.
type shortWaitConn struct{ Conn }

const selectShortWait = "SELECT /*+ MAX_EXECUTION_TIME(250) */ "

func (c shortWaitConn) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if strings.HasSuffix(strings.TrimRight(query, "\n"), "\nFOR UPDATE") {
		query = strings.Replace(query, "SELECT ", selectShortWait, 1)
	}
	return c.Conn.QueryContext(ctx, query, args...)
}
