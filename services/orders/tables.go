package orders

import "github.com/pedidos-hq/pedidos/services/platform/database"

// Rights returns the tables of orders-api, and its right on each. The tables that record changes are only appended to.
func Rights() map[string]database.Right {
	return map[string]database.Right{
		"products":           database.ReadWrite,
		"stock_adjustments":  database.ReadAppend,
		"orders":             database.ReadWrite,
		"order_lines":        database.ReadWrite,
		"order_events":       database.ReadAppend,
		"orders_idempotency": database.ReadWrite,
	}
}
