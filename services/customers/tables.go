package customers

import "github.com/pedidos-hq/pedidos/services/platform/database"

// Rights returns the rights of customers-api by table, for database.DB.Grant.
func Rights() map[string]database.Right {
	return map[string]database.Right{
		"customers":             database.ReadWrite,
		"customers_idempotency": database.ReadWrite,
	}
}
