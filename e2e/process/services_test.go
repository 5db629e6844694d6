package process

import (
	"database/sql"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	_ "modernc.org/sqlite" // the driver, to tamper with the stock

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/program"
	"github.com/pedidos-hq/pedidos/gen/orders"
)

const plantedPassword = "planted-admin-password"

// planted are the secrets of a deployment.
var planted = []string{
	"JWT_SECRET=planted-jwt-secret-of-more-than-32-bytes", "SERVICE_TOKEN=planted-service-token-1, planted-service-token-2",
	"ADMIN_PASSWORD=" + plantedPassword, "VIEWER_USER=viewer", "VIEWER_PASSWORD=planted-viewer-password",
}

// TestServices runs each service in its own process, with its own data, as a deployment does.
func TestServices(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	customersAPI, customersURL := program.Serve(t, "customers", append(planted, "DATA_DIR="+t.TempDir())...)
	ordersAPI, ordersURL := program.Serve(t, "orders", append(planted, "DATA_DIR="+folder, "CUSTOMERS_API_BASE="+customersURL+"/")...)
	orchestratorAPI, orchestratorURL := program.Serve(t, "orchestrator", append(planted, "ORDERS_API_URL="+ordersURL+"/orders")...)
	backoffice, backofficeURL := program.Serve(t, "backoffice", // without secrets
		"CUSTOMERS_API_BASE="+customersURL+"/", "ORDERS_API_BASE="+ordersURL+"/orders", "ORCHESTRATOR_API_BASE="+orchestratorURL)
	for _, url := range []string{customersURL, ordersURL, orchestratorURL, ordersURL + "/", backofficeURL} {
		if r := program.Run(t, nil, "health", url); r.Code != 0 {
			t.Errorf("health %s: exit code %d\n%s", url, r.Code, r.Stderr)
		}
	}

	c := call.URLs{Customers: customersURL, Orders: ordersURL, Orchestrator: orchestratorURL}.Login(t, plantedPassword)
	buyer := c.CreateCustomer(t, "buyer@example.com")
	product := c.CreateProduct(t, "SAW", 2500, 10)
	if o := c.ConfirmOrder(t, c.CreateOrder(t, buyer.ID, product.ID, 2).ID, "confirm"); o.Status != orders.StatusConfirmed || o.TotalCents != 5000 {
		t.Errorf("confirmed %+v, want CONFIRMED over 5000 cents", o)
	}
	if o := c.CancelOrder(t, c.CreateOrder(t, buyer.ID, product.ID, 5).ID); o.Status != orders.StatusCanceled {
		t.Errorf("canceled %+v, want CANCELED", o)
	}
	if both := c.CreateAndConfirm(t, "at-once", buyer.ID, product.ID, 1); !both.Success || both.Data.Customer.ID != buyer.ID {
		t.Errorf("created and confirmed %+v, want it for customer %d", both, buyer.ID)
	}
	if stock := c.GetProduct(t, product.ID).Stock; stock != 10-2-1 {
		t.Errorf("%d saws are in stock, want 7", stock)
	}

	browser := call.URLs{}.Browser(t)
	session := call.StartSession(t, browser, backofficeURL, "", plantedPassword)
	backoffice.Hide(session.Value)
	page := call.Send(t, browser, http.MethodGet, backofficeURL+"/orders", nil, "Cookie", session.Name+"="+session.Value).Want(t, http.StatusOK)
	if !strings.Contains(string(page.Body), buyer.Name) {
		t.Errorf("the page of the orders does not name %q:\n%s", buyer.Name, page.Body)
	}
	browser.CloseIdleConnections()

	for _, p := range []*program.Program{backoffice, orchestratorAPI, ordersAPI, customersAPI} {
		if code := p.Stop(t, syscall.SIGTERM); code != 0 {
			t.Errorf("%s ended with %d after SIGTERM\n%s", p, code, p.Stderr)
		}
	}
	if r := program.Run(t, nil, "health", ordersURL); r.Code != 1 || strings.Count(r.Stderr, "\n") != 1 || !strings.Contains(r.Stderr, ordersURL) {
		t.Errorf("health of a service that has stopped: exit code %d\n%s", r.Code, r.Stderr)
	}
	audit(t, folder, product.ID)
}

// audit expects a consistent database, then takes a unit out of stock directly in it and expects the audit to report that.
func audit(t *testing.T, folder string, product int64) {
	t.Helper()
	env := []string{"DATA_DIR=" + folder}
	if r := program.Run(t, env, "audit"); r.Code != 0 || r.Stdout != "Stock and totals add up.\n" || r.Stderr != "" {
		t.Errorf("audit: exit code %d\n%s%s", r.Code, r.Stdout, r.Stderr)
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
	r := program.Run(t, env, "audit")
	want := fmt.Sprintf("product %d: 6 in stock, but 10 put in and 3 taken by orders\n", product)
	if r.Code != 1 || r.Stdout != want || strings.Count(r.Stderr, "\n") != 1 {
		t.Errorf("audit of a stock that was tampered with: exit code %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
}
