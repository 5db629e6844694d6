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

type counter interface{ Inc() }

func newPool(name string, db *sql.DB) *pool {
	return &pool{DB: db, name: name, refused: (*metrics.Registry)(nil).Counter("")}
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
	db.deadlocks = m.Counter("pedidos_database_retries_total", "reason", db.engine.deadlock())
	db.lockTimeouts = m.Counter("pedidos_database_retries_total", "reason", "lock_timeout")
	for _, p := range db.pools() {
		p.refused = m.Counter("pedidos_database_refused_total", "pool", p.name)
		m.Gauge("pedidos_database_connections", func() float64 { return float64(p.Stats().InUse) }, "pool", p.name, "state", "in_use")
		m.Gauge("pedidos_database_connections", func() float64 { return float64(p.Stats().Idle) }, "pool", p.name, "state", "idle")
		m.Gauge("pedidos_database_connections_limit", func() float64 { return float64(p.Stats().MaxOpenConnections) }, "pool", p.name)
		m.Gauge("pedidos_database_waits_total", func() float64 { return float64(p.Stats().WaitCount) }, "pool", p.name)
		m.Gauge("pedidos_database_wait_seconds_total", func() float64 { return p.Stats().WaitDuration.Seconds() }, "pool", p.name)
		m.Gauge("pedidos_database_callers", func() float64 { return float64(len(p.places)) }, "pool", p.name)
		m.Gauge("pedidos_database_callers_limit", func() float64 { return float64(cap(p.places)) }, "pool", p.name)
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
