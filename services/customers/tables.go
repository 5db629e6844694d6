package customers

import (
	"maps"

	"github.com/pedidos-hq/pedidos/services/identity"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

// Rights returns the rights of customers-api by table, for database.DB.Grant.
func Rights() map[string]database.Right {
	rights := identity.Rights()
	maps.Copy(rights, map[string]database.Right{
		"customers":             database.ReadWrite,
		"customers_idempotency": database.ReadWrite,
	})
	return rights
}
