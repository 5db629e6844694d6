package sdk

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/backoffice/browser"
	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/world"
	pedidos "github.com/pedidos-hq/pedidos/sdk/go"
)

// TestBrowser lets web pages import the compiled TypeScript SDK, log in, place an order and list the orders: a page of the door's origin,
// one of an origin in CORS_ORIGINS, and one of another origin, whose calls the browser refuses.
func TestBrowser(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("npm"); err != nil && os.Getenv("CI") == "" {
		t.Skip("the TypeScript SDK needs npm, which is not installed")
	}
	dir, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	site := http.NewServeMux()
	site.Handle("/sdk/", http.StripPrefix("/sdk/", http.FileServer(http.Dir(filepath.Join(dir, "dist/src")))))
	site.HandleFunc("/page", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/html")
		fmt.Fprint(rw, `<!doctype html><title>A shop</title><link rel="icon" href="data:,">`)
	})
	listed, other := httptest.NewServer(site), httptest.NewServer(site)
	t.Cleanup(listed.Close)
	t.Cleanup(other.Close)

	w := world.New(t, world.Options{Origins: []string{listed.URL}})
	// The contracts have no OPTIONS, with which a browser asks first, so the exchanges are not checked.
	door := newDoorOf(t, call.URLs{Customers: w.CustomersURL, Orders: w.OrdersURL, Orchestrator: w.OrchestratorURL}.Of)
	services := door.Config.Handler
	own := http.NewServeMux()
	own.Handle("/", services)
	own.Handle("/sdk/", site)
	own.Handle("/page", site)
	door.Config.Handler = own

	admin := newAdmin(t, door.URL)
	customer := must(admin.Customers.Create(t.Context(), pedidos.CustomerInput{Name: "ACME", Email: "compras@acme.example"}))(t)
	product := must(admin.Products.Create(t.Context(), pedidos.ProductInput{SKU: "DRILL-18V", Name: "Drill", PriceCents: 129900, Stock: 50}))(t)
	program := fmt.Sprintf(`(async () => {
		const { Pedidos, PedidosError } = await import("/sdk/index.js");
		const pedidos = new Pedidos({ url: %q, username: "admin", password: %q, maxAttempts: 1 });
		try {
			const placed = await pedidos.orders.create({ customer_id: %d, items: [{ product_id: %d, qty: 2 }] }, { key: "page-1" });
			const read = await pedidos.orders.get(placed.id);
			const confirmed = await pedidos.orders.confirm(read.id, { etag: read.etag });
			const all = [];
			for await (const order of pedidos.orders.list()) all.push([order.id, order.status, order.total_cents].join(" "));
			const failed = await pedidos.orders.confirm(read.id, { etag: '"77"' }).catch((e) => e);
			return [...all, placed.id === confirmed.id, typeof read.etag, failed instanceof PedidosError, failed.code].join(", ");
		} catch (error) {
			return error instanceof PedidosError ? "status " + error.status : "not a PedidosError: " + error;
		}
	})()`, door.URL, world.AdminPassword, customer.ID, product.ID)
	const ordered = "1 CONFIRMED 259800, true, string, true, precondition_failed"
	for _, test := range []struct{ name, origin, want string }{
		{"an origin that is not listed", other.URL, "status 0"},
		{"the origin of the door", door.URL, ordered},
		{"a listed origin", listed.URL, ordered}, // the same order again
	} {
		tab := browser.OpenAt(t, test.origin, browser.As{})
		tab.Mute = test.want == "status 0" // the browser reports what it refuses
		tab.Go("/page")
		if got := browser.Promise[string](tab, program); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}
