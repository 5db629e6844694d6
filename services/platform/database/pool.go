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

// Options says how a process uses a database. The zero value sets no bound and reports nothing.
type Options struct {
	MaxQueue *int         // callers that may wait for a connection of one pool; nil is no bound
	Log      *slog.Logger // nil logs nothing
	Metrics  *metrics.Registry
	Tracing  *telemetry.Tracing
}

// Pool is a set of connections with a bound on its callers.
type Pool struct {
	*sql.DB
	db      *DB
	begin   string        // begins a transaction; "" if the first statement does
	places  chan struct{} // one for each caller that may use or wait for a connection; nil is no bound
	refused metrics.Counter
}

// newPool returns a pool of connections whose number is set already.
func newPool(name string, db *sql.DB, begin string, o Options) *Pool {
	m, labels := o.Metrics, metrics.Labels{"pool": name}
	p := &Pool{
		DB: db, begin: begin,
		refused: m.CounterVec("pedidos_database_refused_total", "Callers refused because too many wait for a connection.", "pool").WithLabelValues(name),
	}
	if o.MaxQueue != nil {
		p.places = make(chan struct{}, p.Stats().MaxOpenConnections+*o.MaxQueue)
	}
	m.Database(name, db)
	m.GaugeFunc("pedidos_database_callers", "Callers that use a connection or wait for one.", labels, func() float64 { return float64(len(p.places)) })
	m.GaugeFunc("pedidos_database_callers_limit", "Callers at most; one more is refused.", labels, func() float64 { return float64(cap(p.places)) })
	return p
}

// Enter takes a place, or refuses the caller if there is none: a longer queue would only make every caller later.
func (p *Pool) Enter() (leave func(), err error) {
	if p.places == nil {
		return func() {}, nil
	}
	select {
	case p.places <- struct{}{}:
		return func() { <-p.places }, nil
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
	}
	for _, p := range db.pools() {
		p.db = db
	}
	return db
}

// pools returns each pool once.
func (db *DB) pools() []*Pool {
	all := []*Pool{db.write}
	for _, p := range []*Pool{db.Shared, db.read} {
		if !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	return all
}
