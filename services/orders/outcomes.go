package orders

import "github.com/pedidos-hq/pedidos/services/platform/metrics"

// outcomes counts the outcomes of orders, after the commit, and only once if a request is repeated.
type outcomes struct {
	placed, short, confirmed, canceled, unitsShort metrics.Counter
}

func newOutcomes(m *metrics.Registry) outcomes {
	all := outcomeCounters(m)
	all.WithLabelValues("expired") // so that it starts at 0
	return outcomes{
		placed:     all.WithLabelValues("placed"),
		short:      all.WithLabelValues("short"),
		confirmed:  all.WithLabelValues("confirmed"),
		canceled:   all.WithLabelValues("canceled"),
		unitsShort: m.CounterVec("pedidos_units_short_total", "Units that were missing in orders refused for lack of stock.").WithLabelValues(),
	}
}

// expiredCounter counts the orders that CancelStale cancels.
func expiredCounter(m *metrics.Registry) metrics.Counter {
	return outcomeCounters(m).WithLabelValues("expired")
}

func outcomeCounters(m *metrics.Registry) *metrics.CounterVec {
	return m.CounterVec("pedidos_orders_total", "Orders, by outcome.", "outcome")
}

func (o outcomes) countPlaced(p *purchase) {
	switch {
	case p.placed:
		o.placed.Inc()
	case p.missingUnits > 0:
		o.short.Inc()
		o.unitsShort.Add(float64(p.missingUnits))
	}
}
