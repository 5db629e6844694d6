// Package basket generates the contents of orders for a load.
package basket

import (
	"math/rand/v2"
	"slices"

	"github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/services/platform/search"
)

// Basket is the customer and the lines of an order. The lines have different products, sorted by id.
type Basket struct {
	Customer   customers.Customer
	SearchText string // the customer's name and email, as the database stores them
	Lines      []orders.OrderLineInput
}

// Make returns n baskets with the given number of lines, of random customers and products. The products must be sorted by id,
// and at least as many as the lines.
func Make(random *rand.Rand, customers []customers.Customer, products []int64, lines, n int) []Basket {
	all := make([]Basket, n)
	for i := range all {
		c := customers[random.IntN(len(customers))]
		all[i].Customer, all[i].SearchText = c, search.Fold(c.Name, c.Email)
		taken := random.Perm(len(products))[:lines]
		slices.Sort(taken)
		for _, at := range taken {
			all[i].Lines = append(all[i].Lines, orders.OrderLineInput{ProductID: products[at], Qty: 1 + random.Int64N(5)})
		}
	}
	return all
}
