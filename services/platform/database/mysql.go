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
	Servers  []string // instead of Host and Port: host:port of one server, or of each member of a group
	User     string
	Password string
	Name     string
	Conns    int // maximum connections to the server that takes writes; less than 3 count as 3, one for each pool
	TLS      TLS
	CA       string        // PEM file of the CA, for TLSVerifyCA
	Timeout  time.Duration // of each read and write on a connection; 0 means none, for migrations, audits and backups
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

// OpenMySQL returns a DB for a MySQL database. With one server, it does not connect; the first query does. With the members of a
// group, it watches them until the DB is closed. It fails if TLS is invalid or CA can't be read.
func OpenMySQL(at MySQL, o Options) (*DB, error) {
	config := mysql.NewConfig()
	config.Net, config.DialFunc = "tcp", dial
	config.User, config.Passwd, config.DBName = at.User, at.Password, at.Name
	config.Collation = "utf8mb4_bin"
	config.ParseTime, config.Loc = true, time.UTC
	config.InterpolateParams = true // one round trip per statement
	config.ClientFoundRows = true   // affected rows are the rows that matched
	config.Timeout, config.ReadTimeout, config.WriteTimeout = connectTimeout, at.Timeout, at.Timeout
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

	members := newServers(at.Servers)
	if len(at.Servers) == 0 {
		members = newServers([]string{net.JoinHostPort(at.Host, strconv.Itoa(at.Port))})
	}
	own, err := connectors(config, members.addresses, at.TLS)
	if err != nil {
		return nil, err
	}
	// A batch saves round trips: its first statement begins the transaction, and COMMIT is sent with its last statements.
	// Values are always passed as arguments, so no value can add a statement.
	config = config.Clone()
	config.Params["autocommit"], config.MultiStatements = "0", true
	batch, err := connectors(config, members.addresses, at.TLS)
	if err != nil {
		return nil, err
	}
	open := func(name string, conns int, through driver.Connector, begin string) *Pool {
		db := sql.OpenDB(through)
		if o.Tracing != nil {
			db = otelsql.OpenDB(through, spans(o.Tracing, "mysql")...)
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
	db := newDB(mysqlEngine{}, open("write", write, primaryConnector{members, own}, "START TRANSACTION"),
		open("shared", shared, primaryConnector{members, batch}, ""), open("read", read, primaryConnector{members, own}, ""), o)
	db.servers = members
	db.Shared.defers = true
	if !members.grouped() {
		db.writes.check = checkServer(db.read.DB, members)
		return db, nil
	}

	// A transaction on a secondary begins with a wait for everything that was committed before.
	config = config.Clone()
	config.Params["transaction_isolation"], config.Params["group_replication_consistency"] = "'REPEATABLE-READ'", "'BEFORE'"
	delete(config.Params, "autocommit")
	config.MultiStatements = false
	replicas, err := connectors(config, members.addresses, at.TLS)
	if err != nil {
		return nil, err
	}
	db.addReplicas(open("replica", read, replicaConnector{members, replicas}, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"))
	db.writes.check = func(context.Context, error) error { return nil } // the watch reports a group that takes no writes
	ctx, stop := context.WithCancel(context.Background())
	db.watching.Go(func() { members.watch(ctx, own) })
	db.stopWatching = stop
	return db, nil
}

// connectors returns a connector for each server.
func connectors(config *mysql.Config, addresses []string, mode TLS) (all []driver.Connector, err error) {
	for _, address := range addresses {
		config = config.Clone()
		config.Addr = address
		one, err := mysql.NewConnector(config)
		if err != nil {
			return nil, fmt.Errorf("configure mysql: %w", err)
		}
		all = append(all, connector{one, mode})
	}
	return all, nil
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
		err = fmt.Errorf("%w: %w", errGone, err) // the server may go away at any step, with many kinds of errors
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
var errConnectTimeout = fmt.Errorf("the database did not complete the connection within %s: %w", connectTimeout, errGone)

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

func (mysqlEngine) commit(ctx context.Context, conn Conn, later []deferred) error {
	var query strings.Builder
	var args []any
	for _, s := range later {
		query.WriteString(s.query)
		query.WriteString(";\n")
		args = append(args, s.args...)
	}
	query.WriteString("COMMIT")
	_, err := conn.ExecContext(ctx, query.String(), args...)
	return err
}

func (mysqlEngine) deadlock() string { return "deadlock" }

func (mysqlEngine) wrap(c Conn) Conn { return c }

func (mysqlEngine) shortWait(c Conn) Conn { return shortWaitConn{c} }

func (mysqlEngine) isLockWait(err error) bool {
	e := (*mysql.MySQLError)(nil)
	return errors.As(err, &e) && (isLockTimeout(e) || e.Number == 3024 || isCanceled(e)) // ER_QUERY_TIMEOUT
}

// isCanceled reports whether TiDB has ended a statement, such as one that waits for a lock longer than its MAX_EXECUTION_TIME.
func isCanceled(e *mysql.MySQLError) bool { return e.Number == 1105 && e.Message == "context canceled" }

// isLockTimeout reports whether a lock was not granted in time: ER_LOCK_WAIT_TIMEOUT, ER_LOCK_NOWAIT, or TiDB's error for a wait that
// ends within its storage.
func isLockTimeout(e *mysql.MySQLError) bool {
	return e.Number == 1205 || e.Number == 3572 || e.Number == 1105 && e.Message == "lock wait timeout"
}

func (mysqlEngine) first(last int64, _ int) int64 { return last } // MySQL returns the first id

// classify maps the error numbers of the MySQL server.
func (mysqlEngine) classify(err error) error {
	if setting := (*settingError)(nil); errors.As(err, &setting) {
		return errUnavailable
	}
	if errors.Is(err, errGone) {
		return errGone
	}
	if e := (*mysql.MySQLError)(nil); errors.As(err, &e) {
		switch {
		case e.Number == 1062: // ER_DUP_ENTRY
			return ErrDuplicate
		case e.Number == 1452: // ER_NO_REFERENCED_ROW_2
			return ErrMissingParent
		case e.Number == 3819: // ER_CHECK_CONSTRAINT_VIOLATED
			return ErrCheck
		case e.Number == 1213: // ER_LOCK_DEADLOCK
			return errDeadlock
		case slices.Contains(again, e.Number), e.Number == 1105 && strings.Contains(e.Message, "pessimistic lock retry limit reached"):
			return errDeadlock
		case e.Number == rolledBackAtCommit: // by a member in good standing: a new primary has changed the same rows
			return errDeadlock
		case isLockTimeout(e):
			return errors.Join(ErrLockTimeout, errDeadlock)
		case slices.Contains(nowReadOnly, e.Number):
			return errReadOnly
		case slices.Contains(gone, e.Number):
			return errGone
		case slices.Contains(busy, e.Number), slices.Contains(unwritable, e.Number), isCanceled(e):
			return errUnavailable
		}
		return nil
	}
	var network net.Error
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn) ||
		(errors.As(err, &network) && !errors.Is(err, context.DeadlineExceeded)) {
		return errGone
	}
	return nil
}

// again holds the error numbers of TiDB for a transaction that it has rolled back, even if the error is that of its COMMIT:
// ErrForUpdateCantRetry, ErrWriteConflictInTiDB, ErrTxnRetryable, ErrInfoSchemaChanged, ErrWriteConflict.
var again = []uint16{8002, 8005, 8022, 8028, 9007}

// Error numbers of a server that cannot serve the statement, though it may be correct.
var (
	// busy: too many connections or resources in use, or a statement out of time.
	busy = []uint16{
		1040, 1203, 1226, // ER_CON_COUNT_ERROR, ER_TOO_MANY_USER_CONNECTIONS, ER_USER_LIMIT_REACHED
		1129, 1135, // ER_HOST_IS_BLOCKED, ER_CANT_CREATE_THREAD
		3024,                         // ER_QUERY_TIMEOUT
		8027, 9001, 9002, 9003, 9005, // TiDB: ErrInfoSchemaExpired, ErrPDServerTimeout, ErrTiKVServerTimeout, ErrTiKVServerBusy, ErrRegionUnavailable
	}

	// gone: the connection or the server is about to end, or its group has lost it. A COMMIT that fails so may have taken effect.
	gone = []uint16{
		1053, 1184, 1317, // ER_SERVER_SHUTDOWN, ER_NEW_ABORTING_CONNECTION, ER_QUERY_INTERRUPTED
		1158, 1159, 1160, 1161, // ER_NET_READ_ERROR to ER_NET_WRITE_INTERRUPTED
		2003, 2006, 2013, // a router in between has lost the server: CR_CONN_HOST_ERROR, CR_SERVER_GONE_ERROR, CR_SERVER_LOST
		3032, 3168, // ER_SERVER_OFFLINE_MODE, ER_SERVER_ISNT_AVAILABLE
		3100,             // ER_RUN_HOOK_ERROR: the member could not send the transaction, or lost the group's answer
		3781, 3782, 3783, // ER_GR_HOLD_...: a new primary has not caught up in time
		3796, 3797, 3798, 3799, // ER_GRP_TRX_CONSISTENCY_...: the member could not catch up, or has left the group
		4031, // ER_CLIENT_INTERACTION_TIMEOUT
		4094, // ER_OPERATION_NOT_ALLOWED_WHILE_PRIMARY_CHANGE_IS_RUNNING
	}

	rolledBackAtCommit uint16 = 3101 // ER_TRANSACTION_ROLLBACK_DURING_COMMIT

	// nowReadOnly: the server accepts reads alone. The transaction has no effect, even if the error is that of its COMMIT.
	nowReadOnly = []uint16{1290, 1836} // ER_OPTION_PREVENTS_STATEMENT, ER_READ_ONLY_MODE
)

// shortWaitConn limits how long a locking read waits; then it fails with ER_QUERY_TIMEOUT. It does not use
// innodb_lock_wait_timeout, which is in whole seconds.
type shortWaitConn struct{ Conn }

func (c shortWaitConn) sendLater() Conn { return Later(c.Conn) }

const selectShortWait = "SELECT /*+ MAX_EXECUTION_TIME(250) */ "

func (c shortWaitConn) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if strings.HasSuffix(strings.TrimRight(query, "\n"), "\nFOR UPDATE") {
		query = strings.Replace(query, "SELECT ", selectShortWait, 1)
	}
	return c.Conn.QueryContext(ctx, query, args...)
}
