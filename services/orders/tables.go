package orders

import "github.com/pedidos-hq/pedidos/services/platform/database"

// Rights returns the rights of orders-api by table, for database.DB.Grant. The tables that record changes are append-only.
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
