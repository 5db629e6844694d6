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

	"github.com/pedidos-hq/pedidos/services/platform/telemetry"
)

// MySQL says where a MySQL server is and who connects.
type MySQL struct {
	Host     string
	Port     int
	User     string
	Password string
	Name     string
	Conns    int // at most, of this process; with fewer than 3 there are 3, one for each pool
	TLS      TLS
	CA       string // a file in PEM; with TLSVerifyCA, which certificates the server's must be signed by
	Tool     bool   // a statement may take as long as it does: a migration, an audit, a large data set
}

// TLS says how connections are encrypted.
type TLS string

// The zero value is TLSOff.
const (
	TLSOff       TLS = "off"
	TLSPreferred TLS = "preferred" // where the server can; whoever sits in between may prevent it
	TLSRequired  TLS = "required"  // always; nobody can listen, but whoever sits in between may pose as the server
	TLSVerifyCA  TLS = "verify-ca" // always, with a certificate that the CA has signed
)

// vanished is how long the server keeps a connection on which nothing is said. No transaction pauses for so long.
const vanished = 20 * time.Second

// greeting is how long a server may take to greet a new connection, encrypt it and let the user in.
const greeting = 5 * time.Second

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
	var err error
	if config.TLS, err = at.tls(); err != nil {
		return nil, err
	}
	config.AllowFallbackToPlaintext = at.TLS == TLSPreferred
	plain, err := mysql.NewConnector(config)
	if err != nil {
		return nil, fmt.Errorf("configure mysql: %w", err)
	}
	open := func(name string, conns int) *pool {
		var db *sql.DB
		if tracing != nil {
			db = otelsql.OpenDB(connector{plain, at.TLS}, spans(tracing, "mysql")...)
		} else {
			db = sql.OpenDB(connector{plain, at.TLS})
		}
		db.SetMaxOpenConns(conns)
		db.SetMaxIdleConns(conns)
		db.SetConnMaxLifetime(10 * time.Minute)
		db.SetConnMaxIdleTime(vanished - 5*time.Second)
		return newPool(name, db)
	}
	// Each kind of work has connections that the others can't take.
	shared := max(1, at.Conns/4)
	read := max(1, (at.Conns-shared)/2)
	write := max(1, at.Conns-shared-read)
	db := &DB{engine: server{}, write: open("write", write), shared: open("shared", shared), read: open("read", read)}
	db.writes.check = checkServer(db.read.DB)
	return db, nil
}

// tls returns how connections are encrypted; nil is not at all.
func (at MySQL) tls() (*tls.Config, error) {
	switch at.TLS {
	case "", TLSOff:
		return nil, nil
	case TLSPreferred, TLSRequired:
		return &tls.Config{InsecureSkipVerify: true}, nil //nolint:gosec // MySQL makes its own certificate; verify-ca is the setting that checks it
	case TLSVerifyCA:
	default:
		return nil, fmt.Errorf("database: there is no TLS mode %q", at.TLS)
	}
	pem, err := os.ReadFile(at.CA)
	if err != nil {
		return nil, fmt.Errorf("DB_TLS_CA is %s, which can't be read: %w", at.CA, cause(err))
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("DB_TLS_CA is %s, which holds no certificate in PEM, such as MySQL's own ca.pem", at.CA)
	}
	return &tls.Config{
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection checks all but the host's name, which MySQL's own certificates don't have
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

// connector opens connections within the time of greeting, and says in a sentence what DB_TLS has to do with a failure.
type connector struct {
	driver.Connector
	tls TLS
}

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, greeting, errGreeting)
	defer cancel()
	conn, err := c.Connector.Connect(ctx)
	if err == nil {
		return conn, nil
	}
	if errors.Is(context.Cause(ctx), errGreeting) {
		return nil, errGreeting
	}
	if sentence := c.explain(err); sentence != "" {
		return nil, &settingError{sentence, err}
	}
	if number := (*mysql.MySQLError)(nil); !errors.As(err, &number) && ctx.Err() == nil {
		err = fmt.Errorf("%w: %w", errUnavailable, err) // the server went away in the middle of it, by whatever error
	}
	return nil, err
}

// explain returns what is to be set where a failure is one of DB_TLS, or "".
func (c connector) explain(err error) string {
	certificate := (*tls.CertificateVerificationError)(nil)
	number := (*mysql.MySQLError)(nil)
	switch {
	case errors.As(err, &number) && number.Number == 3159 && c.tls == TLSPreferred: // ER_SECURE_TRANSPORT_REQUIRED
		return "the database takes encrypted connections alone, and it offers no encryption to DB_TLS=preferred: something in between prevents it"
	case errors.As(err, &number) && number.Number == 3159:
		return "the database takes encrypted connections alone, and DB_TLS is off: set it to preferred, required or verify-ca"
	case errors.Is(err, mysql.ErrNoTLS):
		return fmt.Sprintf("DB_TLS is %s, and the database offers no encryption: set up TLS there, or set DB_TLS to preferred or off", c.tls)
	case errors.As(err, &certificate):
		return "the certificate of the database is not signed by the CA in DB_TLS_CA: " + certificate.Err.Error()
	}
	return ""
}

// errGreeting says that the server has taken a connection and then kept silent.
var errGreeting = fmt.Errorf("the database did not let the connection in within %s: %w", greeting, errUnavailable)

// settingError is a connection that can't be had before somebody changes a setting.
type settingError struct {
	sentence string
	cause    error
}

func (e *settingError) Error() string { return e.sentence }
func (e *settingError) Unwrap() error { return e.cause }

type server struct{}

func (server) name() string { return "mysql" }

func (server) begin() string { return "START TRANSACTION" }

func (server) deadlock() string { return "deadlock" }

func (server) wrap(c Conn) Conn { return c }

func (server) hurry(c Conn) Conn { return hurriedConn{c} }

func (server) waited(err error) bool {
	e := (*mysql.MySQLError)(nil)
	return errors.As(err, &e) && (e.Number == 1205 || e.Number == 3024) // ER_LOCK_WAIT_TIMEOUT, ER_QUERY_TIMEOUT
}

func (server) first(last int64, _ int) int64 { return last } // LAST_INSERT_ID() is the first

// The numbers are those of MySQL's server error reference.
func (server) classify(err error) error {
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

// hurriedConn bounds how long a locking read takes. A lock that is not had by then fails with ER_QUERY_TIMEOUT;
// innodb_lock_wait_timeout has whole seconds only.
type hurriedConn struct{ Conn }

const hurry = "SELECT /*+ MAX_EXECUTION_TIME(250) */ "

func (c hurriedConn) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if strings.HasSuffix(strings.TrimRight(query, "\n"), "\nFOR UPDATE") {
		query = strings.Replace(query, "SELECT ", hurry, 1)
	}
	return c.Conn.QueryContext(ctx, query, args...)
}
