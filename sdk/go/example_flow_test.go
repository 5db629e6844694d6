package pedidos_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	pedidos "github.com/pedidos-hq/pedidos/sdk/go"
)

// From the login to the list of orders. PEDIDOS_URL is the address and PEDIDOS_PASSWORD the administrator's password.
func Example_flow() {
	client, err := pedidos.New(pedidos.Config{URL: os.Getenv("PEDIDOS_URL"), Username: "admin", Password: os.Getenv("PEDIDOS_PASSWORD")})
	if err != nil {
		log.Fatal(err)
	}
	ctx, run := context.Background(), time.Now().UnixNano()
	customer, err := client.Customers.Create(ctx, pedidos.CustomerInput{
		Name: "Ferretería Norte", Email: fmt.Sprintf("compras-%d@norte.example", run),
	})
	if err != nil {
		log.Fatal(err)
	}
	product, err := client.Products.Create(ctx, pedidos.ProductInput{
		SKU: fmt.Sprintf("SAW-%d", run), Name: "Circular saw 190 mm", PriceCents: 89900, Stock: 25,
	})
	if err != nil {
		log.Fatal(err)
	}
	order, err := client.Orders.Create(ctx, pedidos.OrderInput{
		CustomerID: customer.ID, Items: []pedidos.OrderLineInput{{ProductID: product.ID, Qty: 3}},
	})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := client.Orders.Confirm(ctx, order.ID); err != nil {
		log.Fatal(err)
	}
	for order, err := range client.Orders.List(ctx, pedidos.OrderFilter{CustomerID: customer.ID}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(order.Customer.Name, order.Status, order.TotalCents)
	}
	// Output: Ferretería Norte CONFIRMED 269700
}
