package database

import (
	"database/sql"
	"slices"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/metrics"
)

// pool is connections, and a bound on how many may use or wait for them.
type pool struct {
	*sql.DB
	name    string
	places  chan struct{} // one each; nil is no bound
	refused counter
}

type counter = metrics.Counter

func newPool(name string, db *sql.DB) *pool {
	return &pool{DB: db, name: name, refused: refusedCounter(nil, name)}
}

func refusedCounter(m *metrics.Registry, pool string) counter {
	return m.CounterVec("pedidos_database_refused_total", "Callers refused because too many wait for a connection.", "pool").WithLabelValues(pool)
}

// enter takes a place. Where there is none, more waiting would only make everyone late: the caller may come back.
func (p *pool) enter() (leave func(), err error) {
	if p.places == nil {
		return func() {}, nil
	}
	select {
	case p.places <- struct{}{}:
		return func() { <-p.places }, nil
	default:
		p.refused.Inc()
		return nil, fault.Unavailable(common.CodeUnavailable, "The service has more to do than it can. Try again in a moment.", nil)
	}
}

// Limit bounds how many callers may wait for a connection of each pool; one more is refused at once. It must come before
// the first use.
func (db *DB) Limit(waiting int) {
	for _, p := range db.pools() {
		p.places = make(chan struct{}, p.Stats().MaxOpenConnections+waiting)
	}
}

// Report adds the metrics of the pools, and of the transactions that were run again. It must come before the first use.
func (db *DB) Report(m *metrics.Registry) {
	retries := m.CounterVec("pedidos_database_retries_total", "Transactions run again, by reason.", "reason")
	db.deadlocks = retries.WithLabelValues(db.engine.deadlock())
	db.lockTimeouts = retries.WithLabelValues("lock_timeout")
	for _, p := range db.pools() {
		labels := metrics.Labels{"pool": p.name}
		p.refused = refusedCounter(m, p.name)
		m.Database(p.name, p.DB)
		m.GaugeFunc("pedidos_database_callers", "Callers that use a connection or wait for one.", labels, func() float64 { return float64(len(p.places)) })
		m.GaugeFunc("pedidos_database_callers_limit", "Callers at most; one more is refused.", labels, func() float64 { return float64(cap(p.places)) })
	}
}

func (db *DB) pools() []*pool {
	all := []*pool{db.write}
	for _, p := range []*pool{db.shared, db.read} {
		if !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	return all
}
