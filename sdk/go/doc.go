// Package pedidos is the Go SDK of Pedidos, a B2B order system: customers, products, stock and orders.
//
//	client, err := pedidos.New(pedidos.Config{URL: "https://pedidos.example", APIKey: os.Getenv("PEDIDOS_KEY")})
//	order, err := client.Orders.Create(ctx, pedidos.OrderInput{
//		CustomerID: 7, Items: []pedidos.OrderLineInput{{ProductID: 3, Qty: 2}},
//	}, pedidos.WithKey("erp-4711"))
//
// # Retries and keys
//
// A call is retried if there is no response, and if the response is 429, 502, 503, 504, or 409 because the same call is still in
// progress. The waits double, have jitter, and are at least as long as Retry-After asks. They end with the context, after
// [Config.MaxAttempts], and before a wait longer than [Config.MaxWait].
//
// Each change has an idempotency key, so that it takes effect once however often it is sent. [WithKey] sets a key that survives a
// restart of the program.
//
// # Values
//
// Amounts of money are in cents and times in UTC. A field without a value is the zero value, such as the ConfirmedAt of an order that is
// not confirmed. In changes, the zero value leaves a field as it is; fields for which 0, false or "" is a value of its own are [Optional].
//
// Update sends the ETag of the value that it is given. Entries of a list have no ETag, so updating them is unconditional; call Get first to
// detect concurrent changes.
//
// # Errors
//
// The error of a call is an [*Error], with a code for programs:
//
//	var failed *pedidos.Error
//	if errors.As(err, &failed) && failed.Code == pedidos.CodeInsufficientStock {
//		fmt.Println(failed.Shortages)
//	}
//
// The error of a list is the second value of its iterator, and ends it.
package pedidos
