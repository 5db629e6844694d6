package database

import (
	"database/sql"
	"log/slog"
	"slices"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/metrics"
	"github.com/pedidos-hq/pedidos/services/platform/telemetry"
)

// Options holds what a process sets for a database. The zero value sets no limit and reports nothing.
type Options struct {
	MaxQueue *int               // limit of the callers that wait for a connection, for each pool; nil means no limit
	Log      *slog.Logger       // for messages of the MySQL driver; nil discards them
	Metrics  *metrics.Registry  // may be nil
	Tracing  *telemetry.Tracing // may be nil
}

// Pool is a set of connections with a limited number of callers.
type Pool struct {
	*sql.DB
	db      *DB
	begin   string        // statement that begins a transaction; "" if any statement does
	defers  bool          // statements of Later are sent with COMMIT
	slots   chan struct{} // limits the callers that use a connection or wait for one; nil means no limit
	refused metrics.Counter
}

// newPool returns a Pool of db, whose maximum number of connections must be set.
func newPool(name string, db *sql.DB, begin string, o Options) *Pool {
	m, labels := o.Metrics, metrics.Labels{"pool": name}
	p := &Pool{
		DB: db, begin: begin,
		refused: m.CounterVec("pedidos_database_refused_total", "Callers refused because too many wait for a connection.", "pool").WithLabelValues(name),
	}
	if o.MaxQueue != nil {
		p.slots = make(chan struct{}, p.Stats().MaxOpenConnections+*o.MaxQueue)
	}
	m.Database(name, db)
	m.GaugeFunc("pedidos_database_callers", "Callers that use a connection or wait for one.", labels, func() float64 { return float64(len(p.slots)) })
	m.GaugeFunc("pedidos_database_callers_limit", "Maximum number of callers; further ones are refused.", labels, func() float64 { return float64(cap(p.slots)) })
	return p
}

// Enter admits a caller, who must call leave when done. It fails with CodeUnavailable if too many callers use the pool, since a
// longer queue would only delay all of them.
func (p *Pool) Enter() (leave func(), err error) {
	if p.slots == nil {
		return func() {}, nil
	}
	select {
	case p.slots <- struct{}{}:
		return func() { <-p.slots }, nil
	default:
		p.refused.Inc()
		return nil, fault.Unavailable(common.CodeUnavailable, "The service is overloaded; try again later.", nil)
	}
}

func newDB(e engine, write, shared, read *Pool, o Options) *DB {
	retries := o.Metrics.CounterVec("pedidos_database_retries_total", "Transactions run again, by reason.", "reason")
	db := &DB{
		engine: e, write: write, Shared: shared, read: read,
		deadlocks: retries.WithLabelValues(e.deadlock()), lockTimeouts: retries.WithLabelValues("lock_timeout"),
		failovers: retries.WithLabelValues("failover"), stopWatching: func() {},
	}
	group := func(name, help string, value func(standing) int64) {
		o.Metrics.GaugeFunc(name, help, nil, func() float64 { return float64(value(db.servers.last())) })
	}
	group("pedidos_database_members", "Servers of the database, from DB_HOST.", func(standing) int64 { return int64(db.servers.count()) })
	group("pedidos_database_members_online", "Servers that the primary sees online; 0 if nothing can be written.", func(s standing) int64 { return s.online })
	group("pedidos_database_members_behind", "Transactions that the slowest member has yet to apply.", func(s standing) int64 { return s.behind })
	for _, p := range db.pools() {
		p.db = db
	}
	return db
}

// addReplicas adds the pool of connections to secondaries.
func (db *DB) addReplicas(replica *Pool) { db.replica, replica.db = replica, db }

// pools returns the distinct pools.
func (db *DB) pools() []*Pool {
	all := []*Pool{db.write}
	for _, p := range []*Pool{db.Shared, db.read, db.replica} {
		if p != nil && !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	return all
}
