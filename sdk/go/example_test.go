package pedidos_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"testing"

	pedidos "github.com/pedidos-hq/pedidos/sdk/go"
)

// TestMain skips the examples unless PEDIDOS_URL is the address of running services. The tests in e2e/sdk run each of them.
func TestMain(m *testing.M) {
	flag.Parse()
	if os.Getenv("PEDIDOS_URL") == "" {
		if err := flag.Set("test.skip", "^Example"); err != nil {
			log.Fatal(err)
		}
	}
	os.Exit(m.Run())
}

// client is the client of the short examples.
func client() *pedidos.Client {
	c, err := pedidos.New(pedidos.Config{URL: os.Getenv("PEDIDOS_URL"), Username: "admin", Password: os.Getenv("PEDIDOS_PASSWORD")})
	if err != nil {
		log.Fatal(err)
	}
	return c
}

func ExampleProducts_Update() {
	ctx, client := context.Background(), client()
	product, err := client.Products.Create(ctx, pedidos.ProductInput{SKU: "DRILL-18V", Name: "Drill 18 V", PriceCents: 129900, Stock: 10})
	if err != nil {
		log.Fatal(err)
	}
	// Somebody else adds units to the stock.
	if _, err := client.Products.Update(ctx, pedidos.Product{ID: product.ID}, pedidos.ProductChange{StockDelta: 5}); err != nil {
		log.Fatal(err)
	}
	_, err = client.Products.Update(ctx, product, pedidos.ProductChange{PriceCents: pedidos.Set[int64](119900)})
	var failed *pedidos.Error
	fmt.Println(errors.As(err, &failed) && failed.Code == pedidos.CodePreconditionFailed)
	if product, err = client.Products.Get(ctx, product.ID); err != nil {
		log.Fatal(err)
	}
	product, err = client.Products.Update(ctx, product, pedidos.ProductChange{PriceCents: pedidos.Set[int64](119900)})
	fmt.Println(product.Stock, product.PriceCents, err)
	// Output:
	// true
	// 15 119900 <nil>
}

func ExampleError() {
	_, err := client().Customers.Create(context.Background(), pedidos.CustomerInput{Name: "ACME", Email: "not an address"})
	var failed *pedidos.Error
	if errors.As(err, &failed) {
		fmt.Println(failed.Status, failed.Code, failed.Fields[0].Field)
	}
	// Output: 400 invalid_input email
}

func ExampleWithKey() {
	ctx, client, customer := context.Background(), client(), pedidos.CustomerInput{Name: "ACME", Email: "compras@acme.example"}
	first, err := client.Customers.Create(ctx, customer, pedidos.WithKey("crm-17"))
	if err != nil {
		log.Fatal(err)
	}
	again, err := client.Customers.Create(ctx, customer, pedidos.WithKey("crm-17"))
	fmt.Println(again.ID == first.ID, err)
	// Output: true <nil>
}
