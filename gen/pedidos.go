// Package pedidos is the root of the code that is generated from the contracts and the SQL. Programs outside of this repository use the SDK,
// github.com/pedidos-hq/pedidos/sdk/go.
//
// Each service has a package of types, and beside it one with its client and one with its server. Package common has the types that the
// services share, such as Problem.
//
//	gen/customers     client/  server/  customers-api: users, API keys, customers
//	gen/orders        client/  server/  orders-api: products, stock, orders
//	gen/orchestrator  client/  server/  the order flow in one call
//	gen/common                          Problem and other shared types
//	gen/contract                        the contracts, OpenAPI 3.0.3 in JSON
//	gen/customersdb  gen/ordersdb  gen/identitydb  the queries
package pedidos

import (
	"context"
	"net/http"
)

// Bearer returns a request editor that sends an API key or an access token with every request. Pass it to a client's WithRequestEditorFn.
func Bearer(token string) func(context.Context, *http.Request) error {
	return func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+token)
		return nil
	}
}
