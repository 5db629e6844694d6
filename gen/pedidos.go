// Package pedidos is the root of the Go SDK of Pedidos, a B2B order backend.
//
// Each service has a package of types with a client beside it, generated from its contract; the types that they share,
// Problem among them, are in common. A client pulls in no server.
//
//	gen/customers     gen/customers/client      customers-api: login, customers
//	gen/orders        gen/orders/client         orders-api: products, stock, orders
//	gen/orchestrator  gen/orchestrator/client   the order flow in one call
//	gen/common                                  Problem and what else they share
//	gen/contract                                the contracts, OpenAPI 3.0.3 in JSON
//
// Money is in whole cents and times are UTC. An answer that is not a success is a common.Problem (RFC 9457), in the
// field of the response that is named after its status. Give every POST an Idempotency-Key and repeat it, with the same
// key, until there is an answer: it takes effect once.
package pedidos

import (
	"context"
	"net/http"
)

// Bearer sends an access token with every request: pass it to a client's WithRequestEditorFn.
func Bearer(token string) func(context.Context, *http.Request) error {
	return func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+token)
		return nil
	}
}
