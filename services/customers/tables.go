package customers

import "github.com/pedidos-hq/pedidos/services/platform/database"

// Rights returns the tables of customers-api, and its right on each.
func Rights() map[string]database.Right {
	return map[string]database.Right{
		"customers":             database.ReadWrite,
		"customers_idempotency": database.ReadWrite,
	}
}
