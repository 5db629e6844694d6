package orders

import "github.com/pedidos-hq/pedidos/services/platform/metrics"

// outcomes count what becomes of orders. They are counted once it is so, and not again for a repeat.
type outcomes struct {
	placed, short, confirmed, canceled interface{ Inc() }
	unitsShort                         interface{ AddInt64(n int64) }
}

func newOutcomes(m *metrics.Registry) outcomes {
	m.Counter("pedidos_orders_total", "outcome", "expired") // which the sweep counts
	return outcomes{
		placed:     m.Counter("pedidos_orders_total", "outcome", "placed"),
		short:      m.Counter("pedidos_orders_total", "outcome", "short"),
		confirmed:  m.Counter("pedidos_orders_total", "outcome", "confirmed"),
		canceled:   m.Counter("pedidos_orders_total", "outcome", "canceled"),
		unitsShort: m.Counter("pedidos_units_short_total"),
	}
}

func (o outcomes) countPlaced(p *purchase) {
	switch {
	case p.placed:
		o.placed.Inc()
	case p.short > 0:
		o.short.Inc()
		o.unitsShort.AddInt64(p.short)
	}
}
