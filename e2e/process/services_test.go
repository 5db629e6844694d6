package process

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	_ "modernc.org/sqlite" // to tamper with the stock

	"github.com/pedidos-hq/pedidos/gen/orchestrator"
	"github.com/pedidos-hq/pedidos/gen/orders"
)

const plantedPassword = "planted-admin-password"

// planted are the secrets of a deployment.
var planted = []string{
	"JWT_SECRET=planted-jwt-secret-of-more-than-32-bytes", "SERVICE_TOKEN=planted-service-token-1, planted-service-token-2",
	"ADMIN_PASSWORD=" + plantedPassword, "VIEWER_USER=viewer", "VIEWER_PASSWORD=planted-viewer-password",
}

// TestServices runs each service as a process of its own, with its own data, as a deployment does.
func TestServices(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	customersAPI, customersURL := serve(t, "customers", append(planted, "DATA_DIR="+t.TempDir())...)
	ordersAPI, ordersURL := serve(t, "orders", append(planted, "DATA_DIR="+folder, "CUSTOMERS_API_BASE="+customersURL+"/")...)
	orchestratorAPI, orchestratorURL := serve(t, "orchestrator", append(planted, "ORDERS_API_URL="+ordersURL+"/orders")...)
	for _, url := range []string{customersURL, ordersURL, orchestratorURL, ordersURL + "/"} {
		if r := run(t, nil, "health", url); r.code != 0 {
			t.Errorf("health %s: exit code %d\n%s", url, r.code, r.stderr)
		}
	}

	c := urls{customersURL, ordersURL, orchestratorURL}.login(t, plantedPassword)
	buyer := c.customer(t, "buyer@example.com")
	product := c.product(t, "SAW", 2500, 10)
	confirm(t, c, c.order(t, buyer.ID, product.ID, 2))
	cancel(t, c, c.order(t, buyer.ID, product.ID, 5))
	orchestrate(t, c, buyer.ID, product.ID)
	if stock := c.stock(t, product.ID); stock != 10-2-1 {
		t.Errorf("%d saws are in stock, want 7", stock)
	}

	for _, p := range []*pedidos{orchestratorAPI, ordersAPI, customersAPI} {
		if code := p.stop(t, syscall.SIGTERM); code != 0 {
			t.Errorf("%s ended with %d after SIGTERM\n%s", p.cmd, code, p.stderr)
		}
	}
	if r := run(t, nil, "health", ordersURL); r.code != 1 || strings.Count(r.stderr, "\n") != 1 || !strings.Contains(r.stderr, ordersURL) {
		t.Errorf("health of a service that has stopped: exit code %d\n%s", r.code, r.stderr)
	}
	audit(t, folder, product.ID)
}

func confirm(t *testing.T, c *client, o *orders.Order) {
	t.Helper()
	key := fmt.Sprintf("confirm-%d", o.ID)
	r, err := c.orders.ConfirmOrderWithResponse(t.Context(), o.ID, &orders.ConfirmOrderParams{IdempotencyKey: &key}, orders.Confirmation{})
	if err != nil {
		t.Fatal(err)
	}
	if r.JSON200 == nil || r.JSON200.Status != orders.StatusConfirmed || r.JSON200.TotalCents != 5000 {
		t.Errorf("confirm: %s\n%s", r.Status(), r.Body)
	}
}

func cancel(t *testing.T, c *client, o *orders.Order) {
	t.Helper()
	r, err := c.orders.CancelOrderWithResponse(t.Context(), o.ID, nil, orders.Cancellation{})
	if err != nil {
		t.Fatal(err)
	}
	if r.JSON200 == nil || r.JSON200.Status != orders.StatusCanceled {
		t.Errorf("cancel: %s\n%s", r.Status(), r.Body)
	}
}

func orchestrate(t *testing.T, c *client, customer, product int64) {
	t.Helper()
	r, err := c.orchestrator.CreateAndConfirmOrderWithResponse(t.Context(), nil, orchestrator.OrderRequest{
		CustomerID: customer, IdempotencyKey: "at-once", Items: []orchestrator.OrderRequestLine{{ProductID: product, Qty: 1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.JSON201 == nil || !r.JSON201.Success || r.JSON201.Data.Customer.ID != customer {
		t.Errorf("create and confirm: %s\n%s", r.Status(), r.Body)
	}
}

// audit expects that all adds up, takes a unit out of stock behind the service's back, and expects that it is missed.
func audit(t *testing.T, folder string, product int64) {
	t.Helper()
	env := []string{"DATA_DIR=" + folder}
	if r := run(t, env, "audit"); r.code != 0 || r.stdout != "Stock and totals add up.\n" || r.stderr != "" {
		t.Errorf("audit: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	db, err := sql.Open("sqlite", filepath.Join(folder, "pedidos.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "UPDATE products SET stock = stock - 1 WHERE id = ?", product); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	r := run(t, env, "audit")
	want := fmt.Sprintf("product %d: 6 in stock, but 10 put in and 3 taken by orders\n", product)
	if r.code != 1 || r.stdout != want || strings.Count(r.stderr, "\n") != 1 {
		t.Errorf("audit of a stock that was tampered with: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}
