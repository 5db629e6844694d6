// Package pedidos is the root of the Go SDK of Pedidos, a B2B order backend.
//
// Each service has a package of types and a package with its client, generated from its contract. Package common has the types
// that the services share, such as Problem. The clients import no server code.
//
//	gen/customers     gen/customers/client      customers-api: users, API keys, customers
//	gen/orders        gen/orders/client         orders-api: products, stock, orders
//	gen/orchestrator  gen/orchestrator/client   the order flow in one call
//	gen/common                                  Problem and other shared types
//	gen/contract                                the contracts, OpenAPI 3.0.3 in JSON
//
// Amounts of money are in cents and times in UTC. An error is a common.Problem (RFC 9457), in the field of the response that is
// named after its status. Send every change with an Idempotency-Key, if its operation takes one, and retry it with the same key until
// there is a response; it takes effect once.
//
// This program places an order for the sample data and confirms it. Start the services first, with go run ./services/cmd/pedidos, and
// set PEDIDOS_KEY to an API key, which an administrator creates with CreateKeyWithResponse or as the README shows.
//
//	package main
//
//	import (
//		"context"
//		"fmt"
//		"log"
//		"os"
//		"time"
//
//		pedidos "github.com/pedidos-hq/pedidos/gen"
//		"github.com/pedidos-hq/pedidos/gen/orders"
//		ordersclient "github.com/pedidos-hq/pedidos/gen/orders/client"
//	)
//
//	func main() {
//		ctx := context.Background()
//		api, err := ordersclient.NewClientWithResponses("http://localhost:3002",
//			ordersclient.WithRequestEditorFn(pedidos.Bearer(os.Getenv("PEDIDOS_KEY"))))
//		if err != nil {
//			log.Fatal(err)
//		}
//		// One idempotency key per order. If there is no response, retry with the same key.
//		key := fmt.Sprintf("order-%d", time.Now().UnixNano())
//		placed, err := api.CreateOrderWithResponse(ctx, &orders.CreateOrderParams{IdempotencyKey: &key}, orders.OrderInput{
//			CustomerID: 1,
//			Items:      []orders.OrderLineInput{{ProductID: 1, Qty: 2}},
//		})
//		if err != nil {
//			log.Fatal(err)
//		}
//		if placed.JSON201 == nil {
//			log.Fatalf("place the order: %s", placed.Body)
//		}
//
//		key = "confirm-" + key
//		confirmed, err := api.ConfirmOrderWithResponse(ctx, placed.JSON201.ID,
//			&orders.ConfirmOrderParams{IdempotencyKey: key}, orders.Confirmation{})
//		if err != nil {
//			log.Fatal(err)
//		}
//		if confirmed.JSON200 == nil {
//			log.Fatalf("confirm the order: %s", confirmed.Body)
//		}
//		fmt.Println(placed.JSON201.Status, "then", confirmed.JSON200.Status, confirmed.JSON200.TotalCents, "cents")
//	}
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
