package database

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-sql-driver/mysql"
)

const (
	// memberTimeout limits how long one member of a group may take to tell its state. The others are asked at the same time.
	memberTimeout = time.Second
	// lookEvery is the pause between two looks at a group, and reachEvery that between two messages through it.
	lookEvery  = 200 * time.Millisecond
	reachEvery = time.Second
	// findEvery is the pause between two searches for the primary, for all connections of a process.
	findEvery = 100 * time.Millisecond
	// giveUpAfter is the time without writes after which requests no longer wait for a group.
	giveUpAfter = 15 * time.Second
	// cutAfter is how long statements on connections to the previous primary may still run.
	cutAfter = time.Second
	// restAfter is how long reads stay on the primary after a secondary has failed.
	restAfter = 5 * time.Second
)

// servers are the MySQL servers of a DB. If there are several, they are the members of a group, and one of them, the primary, takes
// writes. It knows the primary, and ends the use of connections to the previous one.
type servers struct {
	addresses []string
	finding   chan struct{} // holds an element while a caller searches for the primary

	mu        sync.Mutex
	primary   *generation // nil until a primary is found
	replicas  *generation
	restUntil time.Time
	searched  time.Time // end of the last search that found no primary
	failure   error     // of that search
	seen      standing  // by the primary, at the last look
	err       error     // why nothing can be written, at the last look
	since     time.Time // when that began
}

func newServers(addresses []string) *servers {
	return &servers{addresses: addresses, finding: make(chan struct{}, 1), err: errNotSeen}
}

var errNotSeen = errors.New("the group has not answered yet")

// grouped reports whether there are several servers.
func (s *servers) grouped() bool { return s != nil && len(s.addresses) > 1 }

// writable returns nil, or why nothing can be written to the group. It does not wait.
func (s *servers) writable() error {
	if !s.grouped() {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// count returns the number of servers.
func (s *servers) count() int {
	if s == nil {
		return 1
	}
	return len(s.addresses)
}

// last returns the last look at the group. A single server counts as online.
func (s *servers) last() standing {
	if !s.grouped() {
		return standing{online: 1}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen
}

// blocked returns why a transaction should not begin. Without a majority, its COMMIT would hang, and keep its locks and its connection.
// Unlike writable, it assumes the best of a group that has not been seen yet.
func (s *servers) blocked() error {
	if err := s.writable(); err != nil && !errors.Is(err, errNotSeen) {
		return fmt.Errorf("%w: nothing can be written: %w", errGone, err)
	}
	return nil
}

// isGivenUp reports whether nothing has been written for so long that there is no use in waiting.
func (s *servers) isGivenUp() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err != nil && !s.since.IsZero() && time.Since(s.since) > giveUpAfter
}

// standing is the state of a server and its group, as the server reports it.
type standing struct {
	readOnly, offline            bool
	connection                   int64  // the id of the connection that asks
	role                         string // "" if the server is not an ONLINE member
	members, online, unreachable int64  // members of the group; 0 if the server knows no group
	behind                       int64  // transactions that the slowest member has yet to apply
}

const lookQuery = `SELECT @@GLOBAL.read_only, @@GLOBAL.offline_mode,
	CONNECTION_ID(), COALESCE(MAX(IF(member_id = @@GLOBAL.server_uuid AND member_state = 'ONLINE', member_role, '')), ''),
	COUNT(*), COALESCE(SUM(member_state = 'ONLINE'), 0), COALESCE(SUM(member_state = 'UNREACHABLE'), 0),
	(SELECT COALESCE(MAX(count_transactions_remote_in_applier_queue), 0) FROM performance_schema.replication_group_member_stats)
FROM performance_schema.replication_group_members`

// takesWrites reports whether the server accepts writes. The primary of a group can only commit with a majority of its members. A
// server that has left its group still knows of it, and then takes no writes, even if it could.
func (s standing) takesWrites() bool {
	return !s.readOnly && !s.offline && (s.members == 0 || s.role == "PRIMARY" && s.majority())
}

// servesReads reports whether the server is a secondary in good standing.
func (s standing) servesReads() bool { return !s.offline && s.role == "SECONDARY" && s.majority() }

// String describes the server in logs and errors.
func (s standing) String() string {
	role := cmp.Or(strings.ToLower(s.role), "not an online member")
	if s.readOnly {
		role += ", read-only"
	}
	if s.offline {
		role += ", offline mode"
	}
	return fmt.Sprintf("%s; %d of %d members online", role, s.online, s.members)
}

func (s standing) majority() bool { return 2*s.unreachable < s.members }

func look(ctx context.Context, conn mysqlConn) (s standing, err error) {
	rows, err := conn.QueryContext(ctx, lookQuery, nil)
	if e := (*mysql.MySQLError)(nil); errors.As(err, &e) && e.Number == 1142 { // ER_TABLEACCESS_DENIED_ERROR
		return s, &settingError{"DB_HOST has several servers, so this MySQL user must be allowed to see their state: GRANT SELECT ON " +
			"performance_schema.replication_group_members, and on performance_schema.replication_group_member_stats", err}
	}
	if err != nil {
		return s, err
	}
	defer func() { _ = rows.Close() }()
	values := make([]driver.Value, len(rows.Columns()))
	if err := rows.Next(values); err != nil {
		return s, err
	}
	fields := []sql.Scanner{
		&sql.Null[bool]{}, &sql.Null[bool]{}, &sql.Null[int64]{}, &sql.Null[string]{},
		&sql.Null[int64]{}, &sql.Null[int64]{}, &sql.Null[int64]{}, &sql.Null[int64]{},
	}
	for i, field := range fields {
		if err := field.Scan(values[i]); err != nil {
			return s, err
		}
	}
	number := func(i int) int64 { return fields[i].(*sql.Null[int64]).V }
	return standing{
		readOnly: fields[0].(*sql.Null[bool]).V, offline: fields[1].(*sql.Null[bool]).V, connection: number(2),
		role: fields[3].(*sql.Null[string]).V, members: number(4), online: number(5), unreachable: number(6), behind: number(7),
	}, nil
}

// generation is a set of connections that end together: those to one primary, from its election to the next.
type generation struct {
	server  int // index of the address
	began   time.Time
	retired atomic.Bool // its connections are not used again

	mu    sync.Mutex
	conns map[*memberConn]struct{}
}

func newGeneration(server int) *generation {
	return &generation{server: server, began: time.Now(), conns: map[*memberConn]struct{}{}}
}

// interrupt ends the statements on all connections, except COMMIT. In a switchover, the old primary holds back new writes and waits for
// those in progress. A transaction that is held back keeps its row locks. A write that waits for such a lock would delay the
// switchover by innodb_lock_wait_timeout.
func (g *generation) interrupt(ctx context.Context, through *memberConn) {
	g.mu.Lock()
	conns := slices.Collect(maps.Keys(g.conns))
	g.mu.Unlock()
	for _, c := range conns {
		if c == through || c.committing.Load() {
			continue
		}
		if _, err := through.ExecContext(ctx, fmt.Sprintf("KILL QUERY %d", c.id), nil); err != nil && ctx.Err() != nil {
			return // cut will follow
		}
	}
}

// cut ends the use of all connections, also of those to a server that hangs.
func (g *generation) cut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for c := range g.conns {
		_ = c.socket.Close()
	}
}

// mysqlConn holds the interfaces of connections of the driver.
type mysqlConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
}

// link is an open connection to a server.
type link struct {
	mysqlConn
	socket net.Conn
	id     int64 // as the server knows it; 0 without a group
}

// memberConn is a connection of a generation.
type memberConn struct {
	link
	of         *generation
	committing atomic.Bool
	reached    time.Time // when a message last went through the group
}

// join makes a connection a member of the generation.
func (g *generation) join(l link) *memberConn {
	c := &memberConn{link: l, of: g}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.conns[c] = struct{}{}
	return c
}

func (c *memberConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	c.committing.Store(strings.HasSuffix(query, "COMMIT"))
	result, err := c.mysqlConn.ExecContext(ctx, query, args)
	c.committing.Store(false)
	c.noteReadOnly(err)
	return result, err
}

func (c *memberConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := c.mysqlConn.QueryContext(ctx, query, args)
	c.noteReadOnly(err)
	return rows, err
}

func (c *memberConn) noteReadOnly(err error) {
	if isReadOnly(err) {
		c.of.retire()
	}
}

// retire ends the use of the connections to a server that has become read-only, since another one may take writes now. A new
// generation is not retired, so that a server that stays read-only does not get a new connection for each statement.
func (g *generation) retire() {
	if time.Since(g.began) > time.Second {
		g.retired.Store(true)
	}
}

func (c *memberConn) ResetSession(ctx context.Context) error {
	if c.of.retired.Load() {
		return driver.ErrBadConn
	}
	return c.mysqlConn.ResetSession(ctx)
}

func (c *memberConn) IsValid() bool { return !c.of.retired.Load() && c.mysqlConn.IsValid() }

func (c *memberConn) Close() error {
	c.of.mu.Lock()
	delete(c.of.conns, c)
	c.of.mu.Unlock()
	return c.mysqlConn.Close()
}

// primaryConnector connects to the server that takes writes.
type primaryConnector struct {
	*servers
	to []driver.Connector // by server
}

// replicaConnector connects to a member of the group other than the primary.
type replicaConnector struct {
	*servers
	to []driver.Connector
}

func (c primaryConnector) Driver() driver.Driver { return c.to[0].Driver() }
func (c replicaConnector) Driver() driver.Driver { return c.to[0].Driver() }

func (c primaryConnector) Connect(ctx context.Context) (driver.Conn, error) {
	if !c.grouped() {
		l, err := connect(ctx, c.to[0])
		if err != nil {
			return nil, err
		}
		return c.only().join(l), nil
	}
	conn, err := c.find(ctx, c.to)
	if err != nil {
		return nil, err // not a nil *memberConn
	}
	return conn, nil
}

func connect(ctx context.Context, to driver.Connector) (l link, err error) {
	conn, err := to.Connect(context.WithValue(ctx, socketKey{}, &l.socket))
	if err != nil {
		return l, err
	}
	l.mysqlConn = conn.(mysqlConn)
	return l, nil
}

// socketKey is the key of the *net.Conn in the context of dial.
type socketKey struct{}

// dial connects like the driver does, and passes the socket on to connect.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if at, ok := ctx.Value(socketKey{}).(*net.Conn); ok {
		*at = conn
	}
	return conn, err
}

// only returns the current generation of a single server.
func (s *servers) only() *generation {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.primary == nil || s.primary.retired.Load() {
		s.primary = newGeneration(0)
	}
	return s.primary
}

// known returns the generation of the primary, or nil if the primary has to be found.
func (s *servers) known() *generation {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.primary == nil || s.primary.retired.Load() {
		return nil
	}
	return s.primary
}

// find connects to the primary. If it is not where it was, find asks all members at once. Only one caller at a time does so.
func (s *servers) find(ctx context.Context, to []driver.Connector) (*memberConn, error) {
	from := s.known()
	if from != nil {
		l, err := s.visit(ctx, to, from.server, standing.takesWrites)
		if err == nil {
			return from.join(l), nil
		}
		if ctx.Err() != nil {
			return nil, err
		}
	}
	select {
	case s.finding <- struct{}{}:
		defer func() { <-s.finding }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if now := s.known(); now != nil && now != from { // another caller has found it
		l, err := s.visit(ctx, to, now.server, standing.takesWrites)
		if err != nil {
			return nil, err
		}
		return now.join(l), nil
	}
	if err := s.lastFailure(); err != nil {
		return nil, err
	}
	l, server, err := s.race(ctx, to)
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	return s.moveTo(server).join(l), nil
}

// lastFailure returns the error of a search that has just ended.
func (s *servers) lastFailure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.searched) < findEvery {
		return s.failure
	}
	return nil
}

func (s *servers) fail(ctx context.Context, err error) error {
	err = fmt.Errorf("%w: no server in DB_HOST takes writes: %w", errGone, err)
	if ctx.Err() == nil { // otherwise, the search was given up
		s.mu.Lock()
		defer s.mu.Unlock()
		s.searched, s.failure = time.Now(), err
	}
	return err
}

// moveTo makes a server the primary and retires the connections to the previous one. It returns the generation of the server.
func (s *servers) moveTo(server int) *generation {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := s.primary
	if last != nil && last.server == server && !last.retired.Load() {
		return last
	}
	s.primary = newGeneration(server)
	if last != nil {
		last.retired.Store(true)
		if last.server != server {
			time.AfterFunc(cutAfter, last.cut)
		}
	}
	return s.primary
}

// race connects to all servers at once, and returns the first connection to one that takes writes.
func (s *servers) race(ctx context.Context, to []driver.Connector) (l link, server int, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type arrival struct {
		link
		server int
		err    error
	}
	arrivals := make(chan arrival, len(to))
	for server := range to {
		go func() {
			l, err := s.visit(ctx, to, server, standing.takesWrites)
			arrivals <- arrival{l, server, err}
		}()
	}
	var errs []error
	for n := range to {
		a := <-arrivals
		if a.err == nil {
			go func() {
				for range len(to) - n - 1 {
					if late := <-arrivals; late.err == nil {
						_ = late.Close()
					}
				}
			}()
			return a.link, a.server, nil
		}
		errs = append(errs, a.err)
	}
	return link{}, 0, errors.Join(errs...)
}

// visit connects to a server if it fits.
func (s *servers) visit(ctx context.Context, to []driver.Connector, server int, fits func(standing) bool) (link, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, memberTimeout, errMemberTimeout)
	defer cancel()
	l, err := connect(ctx, to[server])
	if err == nil {
		var seen standing
		seen, err = look(ctx, l)
		if err == nil && fits(seen) {
			l.id = seen.connection
			return l, nil
		}
		if err == nil {
			err = fmt.Errorf("%w: %s", errUnfit, seen)
		}
		_ = l.Close()
	}
	if errors.Is(context.Cause(ctx), errMemberTimeout) {
		err = errMemberTimeout
	}
	return link{}, fmt.Errorf("%s: %w", s.addresses[server], err)
}

var (
	errMemberTimeout = fmt.Errorf("%w: it did not answer within %s", errGone, memberTimeout)
	errUnfit         = fmt.Errorf("%w: it has another role", errGone)
)

// Connect tries the members in turn, beginning with a random one.
func (c replicaConnector) Connect(ctx context.Context) (driver.Conn, error) {
	primary := c.known()
	var errs []error
	for i, first := 0, rand.IntN(len(c.to)); i < len(c.to); i++ { //nolint:gosec // spreads the load
		server := (first + i) % len(c.to)
		if primary != nil && primary.server == server {
			continue
		}
		l, err := c.visit(ctx, c.to, server, standing.servesReads)
		if err == nil {
			return c.reading().join(l), nil
		}
		errs = append(errs, err)
	}
	return nil, fmt.Errorf("%w: no secondary answers: %w", errGone, errors.Join(errs...))
}

// reading returns the current generation of the connections to secondaries.
func (s *servers) reading() *generation {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.replicas == nil || s.replicas.retired.Load() {
		s.replicas = newGeneration(-1)
	}
	return s.replicas
}

// resting reports whether a secondary has failed lately.
func (s *servers) resting() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Before(s.restUntil)
}

// rest drops all connections to secondaries, and keeps reads on the primary for some time.
func (s *servers) rest() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.restUntil = time.Now().Add(restAfter)
	if s.replicas != nil {
		s.replicas.retired.Store(true)
	}
}

// watch looks at the group until ctx is done. It finds a new primary even while all statements wait for one that hangs.
func (s *servers) watch(ctx context.Context, to []driver.Connector) {
	var conn *memberConn
	defer func() {
		if conn != nil {
			_ = conn.Close()
		}
	}()
	for {
		pause := lookEvery
		if conn = s.check(ctx, conn, to); conn == nil {
			pause = findEvery // requests wait
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// check looks at the group through a connection to its primary, and returns the connection for the next check, or nil. The primary
// may have lost its group without knowing yet, so it has to reach a majority.
func (s *servers) check(ctx context.Context, conn *memberConn, to []driver.Connector) *memberConn {
	var err error
	if conn == nil || conn.of.retired.Load() {
		if conn != nil {
			_ = conn.Close()
		}
		if conn, err = s.find(ctx, to); err != nil {
			s.report(standing{}, err)
			return nil
		}
	}
	ctx, cancel := context.WithTimeout(ctx, memberTimeout)
	defer cancel()
	seen, err := look(ctx, conn)
	if err == nil && !seen.takesWrites() {
		err = fmt.Errorf("%w: %s", errUnfit, seen)
		if seen.role == "SECONDARY" {
			conn.of.retired.Store(true)
			conn.of.interrupt(ctx, conn)
		}
	}
	if err == nil && seen.members > 0 && time.Since(conn.reached) >= reachEvery {
		err = reachMajority(ctx, conn)
	}
	if err != nil {
		s.report(standing{}, fmt.Errorf("%s: %w", s.addresses[conn.of.server], err))
		_ = conn.Close()
		return nil
	}
	s.report(seen, nil)
	return conn
}

// reachMajority sends a message through the group and waits for it. START TRANSACTION does so with this consistency.
func reachMajority(ctx context.Context, conn *memberConn) error {
	statements := []string{"START TRANSACTION READ ONLY", "ROLLBACK"}
	if conn.reached.IsZero() {
		statements = append([]string{"SET SESSION group_replication_consistency = 'BEFORE'"}, statements...)
	}
	for _, statement := range statements {
		if _, err := conn.ExecContext(ctx, statement, nil); err != nil {
			return fmt.Errorf("reach the majority of the group: %w", err)
		}
	}
	conn.reached = time.Now()
	return nil
}

func (s *servers) report(seen standing, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil && (s.err == nil || s.since.IsZero()) {
		s.since = time.Now()
	}
	s.seen, s.err = seen, err
}

// rolledBack returns the error of a failed COMMIT. With 3101, a member reports that the group has refused the transaction, which then
// has no effect. But it reports the same if it gives up on the answer of the group because it is leaving, and the group may still
// commit the transaction. So an error 3101 is an errGone unless the member is in good standing.
func rolledBack(ctx context.Context, conn *memberConn, err error) error {
	if e := (*mysql.MySQLError)(nil); conn == nil || !errors.As(err, &e) || e.Number != rolledBackAtCommit {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, memberTimeout)
	defer cancel()
	if seen, failed := look(ctx, conn); failed != nil || seen.offline || seen.role == "" || !seen.majority() {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return err
}

// isReadOnly reports whether a server refused a write because it is read-only, such as a former primary.
func isReadOnly(err error) bool {
	e := (*mysql.MySQLError)(nil)
	return errors.As(err, &e) && slices.Contains(nowReadOnly, e.Number)
}

// onReplica runs queries in a read-only transaction on a secondary, which first applies everything that was committed before. It
// returns errNoReplica if the queries have to run on the primary instead. They may have run before.
func (db *DB) onReplica(ctx context.Context, queries func(Conn) error) error {
	if db.replica == nil || db.servers.resting() {
		return errNoReplica
	}
	leave, err := db.replica.Enter()
	if err != nil {
		return err
	}
	defer leave()
	err = db.replicaSnapshot(ctx, queries)
	if lost := db.Classify(err); errors.Is(lost, errGone) && ctx.Err() == nil {
		db.servers.rest()
		return fmt.Errorf("%w: %w", errNoReplica, lost)
	}
	return err
}

var errNoReplica = errors.New("database: no secondary to read from")

func (db *DB) replicaSnapshot(ctx context.Context, queries func(Conn) error) error {
	conn, err := db.replica.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close() }()
	begin, cancel := context.WithTimeoutCause(ctx, memberTimeout, errMemberTimeout)
	defer cancel()
	if _, err := conn.ExecContext(begin, db.replica.begin); err != nil {
		if errors.Is(context.Cause(begin), errMemberTimeout) {
			return errMemberTimeout
		}
		return fmt.Errorf("begin: %w", err)
	}
	defer rollback(ctx, conn)
	return queries(db.engine.wrap(conn))
}
