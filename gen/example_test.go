package pedidos_test

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	pedidos "github.com/pedidos-hq/pedidos/gen"
	"github.com/pedidos-hq/pedidos/gen/customers"
	customersclient "github.com/pedidos-hq/pedidos/gen/customers/client"
	"github.com/pedidos-hq/pedidos/gen/orders"
	ordersclient "github.com/pedidos-hq/pedidos/gen/orders/client"
)

// Log in, place an order and confirm it. Start the services first with
//
//	go run ./services/cmd/pedidos
func Example() {
	ctx := context.Background()
	customersAPI, ordersAPI := baseURLs() // http://localhost:3001 and http://localhost:3002

	auth, err := customersclient.NewClientWithResponses(customersAPI)
	if err != nil {
		log.Fatal(err)
	}
	login, err := auth.LoginWithResponse(ctx, customers.Credentials{Username: "admin", Password: "pedidos-local"})
	if err != nil || login.JSON200 == nil {
		log.Fatal("login: ", err)
	}

	api, err := ordersclient.NewClientWithResponses(ordersAPI,
		ordersclient.WithRequestEditorFn(pedidos.Bearer(login.JSON200.AccessToken)))
	if err != nil {
		log.Fatal(err)
	}
	key := "example-order" // one key for one order: a repeat gets the same answer
	placed, err := api.CreateOrderWithResponse(ctx, &orders.CreateOrderParams{IdempotencyKey: &key}, orders.OrderInput{
		CustomerID: 1,
		Items:      []orders.OrderLineInput{{ProductID: 1, Qty: 2}},
	})
	if err != nil || placed.JSON201 == nil {
		log.Fatal("place order: ", err)
	}
	key = "example-confirm"
	confirmed, err := api.ConfirmOrderWithResponse(ctx, placed.JSON201.ID, &orders.ConfirmOrderParams{IdempotencyKey: &key}, orders.Confirmation{})
	if err != nil || confirmed.JSON200 == nil {
		log.Fatal("confirm order: ", err)
	}
	fmt.Println(placed.JSON201.Status, "then", confirmed.JSON200.Status, confirmed.JSON200.TotalCents, "cents")
	// Output: CREATED then CONFIRMED 259800 cents
}

func baseURLs() (customersAPI, ordersAPI string) {
	return os.Getenv("CUSTOMERS_API_BASE"), os.Getenv("ORDERS_API_BASE")
}

// TestMain starts the services for the example: the real ones, from the sources beside this module.
func TestMain(m *testing.M) {
	code, err := withServices(m.Run)
	if err != nil {
		log.Fatal(err)
	}
	os.Exit(code)
}

func withServices(run func() int) (code int, err error) {
	dir, err := os.MkdirTemp("", "pedidos-example")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "pedidos")
	if out, err := exec.Command("go", "build", "-o", binary, "../services/cmd/pedidos").CombinedOutput(); err != nil {
		return 0, fmt.Errorf("build pedidos: %w\n%s", err, out)
	}
	up := exec.Command(binary, "up", "--data", filepath.Join(dir, "data"),
		"--customers-port", "0", "--orders-port", "0", "--orchestrator-port", "0")
	stdout, err := up.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := up.Start(); err != nil {
		return 0, err
	}
	defer func() { _ = up.Wait() }()
	defer func() { _ = up.Process.Signal(os.Interrupt) }()

	address := regexp.MustCompile(`^\s+(customers-api|orders-api)\s+(http://\S+)`)
	variables := map[string]string{"customers-api": "CUSTOMERS_API_BASE", "orders-api": "ORDERS_API_BASE"}
	lines := bufio.NewScanner(stdout)
	for len(variables) > 0 && lines.Scan() {
		if found := address.FindStringSubmatch(lines.Text()); found != nil {
			if err := os.Setenv(variables[found[1]], found[2]); err != nil {
				return 0, err
			}
			delete(variables, found[1])
		}
	}
	if len(variables) > 0 {
		return 0, fmt.Errorf("pedidos did not come up: %v", lines.Err())
	}
	go func() {
		for lines.Scan() { // so that it is never blocked on its output
		}
	}()
	return run(), nil
}
