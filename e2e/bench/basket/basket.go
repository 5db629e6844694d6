// Package basket makes what the orders of a load ask for.
package basket

import (
	"math/rand/v2"
	"slices"

	"github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/services/platform/search"
)

// Basket is who orders, and what: the lines are of different products, in the order of their ids.
type Basket struct {
	Customer   customers.Customer
	SearchText string // the customer's name and email, as the database keeps them
	Lines      []orders.OrderLineInput
}

// Make makes n baskets of so many lines, of customers and products taken at random. The products are in the order of their
// ids, and at least as many as the lines.
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
