package pedidos_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"log"
	"os"
	"strconv"

	pedidos "github.com/pedidos-hq/pedidos/sdk/go"
)

// An importer of the orders of another system. It remembers nothing: if it is killed, start it again with the same file. Each order has its
// number there as its key, so it is placed once. The file ORDERS has the number, the customer's id, the SKU and the units of each order.
func Example_import() {
	client, err := pedidos.New(pedidos.Config{URL: os.Getenv("PEDIDOS_URL"), APIKey: os.Getenv("PEDIDOS_KEY")})
	if err != nil {
		log.Fatal(err)
	}
	file, err := os.ReadFile(os.Getenv("ORDERS"))
	if err != nil {
		log.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
	if err != nil {
		log.Fatal(err)
	}
	for _, row := range rows {
		if err := importOrder(context.Background(), client, row[0], row[1], row[2], row[3]); err != nil {
			log.Fatalf("order %s: %v", row[0], err)
		}
	}
	fmt.Println("done")
	// Output: done
}

func importOrder(ctx context.Context, client *pedidos.Client, number, customer, sku, units string) error {
	id, err := strconv.ParseInt(customer, 10, 64)
	if err != nil {
		return err
	}
	qty, err := strconv.ParseInt(units, 10, 64)
	if err != nil {
		return err
	}
	for product, err := range client.Products.List(ctx, pedidos.ProductFilter{SKUs: []string{sku}}) {
		if err != nil {
			return err
		}
		_, err = client.Orders.CreateAndConfirm(ctx, pedidos.OrderInput{
			CustomerID: pedidos.CustomerID(id), Items: []pedidos.OrderLineInput{{ProductID: product.ID, Qty: qty}},
		}, pedidos.WithKey("erp-"+number))
		if failed := (*pedidos.Error)(nil); errors.As(err, &failed) && failed.Code == pedidos.CodeInsufficientStock {
			log.Printf("order %s: only %d of %d are left", number, failed.Shortages[0].Available, qty)
			return nil
		}
		return err
	}
	return fmt.Errorf("there is no product %s", sku)
}
