package backoffice

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/backoffice/browser"
	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/npm"
	"github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/services/backoffice"
)

// axe is the version that checks the pages against WCAG.
const axe = "axe-core@4.14.1"

var long = flag.Bool("long", false, "check every page in every window")

// pages returns a page of each kind, by the name of its screenshot.
func pages() map[string]string {
	return map[string]string{
		"home": "/", "orders": "/orders", "orders-none": "/orders?search=nobody", "order-created": "/orders/1", "order-confirmed": "/orders/2", "order-canceled": "/orders/3",
		"order-cancel": "/orders/1/cancel", "orders-cancel": "/orders/cancel?id=1&id=2", "order-new": "/orders/new", "order-again": "/orders/new?from=1",
		"products": "/products", "products-low": "/products?low_stock=true", "product": "/products/1", "product-orders": "/products/1?tab=orders", "product-edit": "/products/1/edit",
		"product-stock": "/products/1/stock", "product-archive": "/products/1/archive", "product-restore": "/products/2/restore", "product-new": "/products/new",
		"customers": "/customers", "customer": "/customers/1", "customer-edit": "/customers/1/edit", "customer-delete": "/customers/1/delete", "customer-new": "/customers/new",
		"users": "/team", "user-new": "/team/users/new", "user": "/team/users/1", "user-reset": "/team/users/1/reset", "user-state": "/team/users/1/state", "integrators": "/team/integrators", "integrator-new": "/team/integrators/new",
		"integrator": "/team/integrators/1", "integrator-state": "/team/integrators/1/state", "key-new": "/team/integrators/1/keys/new", "key-revoke": "/team/integrators/1/keys/1/revoke", "audit": "/team/audit", "account": "/account",
		"not-found": "/nowhere", "setup": "/setup",
	}
}

// TestLooks opens the pages at both widths and in both themes, and sends their forms empty. A page must not scroll sideways, write to the
// console, or have serious or critical findings of axe. With -screenshots, people can look at them.
func TestLooks(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{"/orders.csv": true} // no page
	for _, path := range pages() {
		r, _ := routeOf(http.MethodGet, path)
		seen[r.Path] = true
	}
	for _, r := range backoffice.Routes() {
		if r.Method == http.MethodGet && !seen[r.Path] {
			t.Errorf("no page shows the route %s", r.Path)
		}
	}
	source := axeSource(t)
	w, _ := newShop(t)
	for i, as := range []browser.As{
		{Width: 360, Role: "admin"}, {Width: 360, Role: "admin", Dark: true, Language: "es"}, {Width: 1280, Role: "admin"}, {Width: 1280, Role: "admin", Dark: true, Language: "es"},
	} {
		name := fmt.Sprintf("%d-%s", as.Width, map[bool]string{true: "dark", false: "light"}[as.Dark])
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tab := browser.Open(t, w, as)
			for n, page := range slices.Sorted(maps.Keys(pages())) {
				if !*long && os.Getenv("CI") == "" && n%4 != i { // each page in one of the windows
					continue
				}
				tab.Go(pages()[page])
				tab.Keep(page + "-" + name)
				checkAxe(t, tab, source)
				if !browser.Eval[bool](tab, sendEmpty) {
					continue
				}
				tab.Await(`document.querySelector("main [aria-invalid=true]") !== null && document.readyState === "complete"`)
				tab.CheckWidth()
				tab.Keep(page + "-refused-" + name)
				checkAxe(t, tab, source)
			}
			anonymous := as
			anonymous.Role = ""
			login := browser.Open(t, w, anonymous)
			login.Go("/login?next=/customers")
			login.Keep("login-" + name)
			checkAxe(t, login, source)
		})
	}
}

// TestLargeAndLong opens the pages with the largest amounts and the longest SKU. An order without a checkbox is in line with the others.
func TestLargeAndLong(t *testing.T) {
	t.Parallel()
	w, s := newShop(t)
	for _, sku := range []string{strings.Repeat("W", 64), "SAW-1795799608-11853"} {
		call.Read(s.Orders.CreateProduct(t.Context(), nil, orders.ProductInput{SKU: sku, Name: "Saw", PriceCents: 100_000_000_000, Stock: 1_000_000_000, ReorderLevel: 1_000_000_000})).
			Want(t, http.StatusCreated)
	}
	s.CreateOrder(t, 1, 3, 90_000)
	for _, as := range []browser.As{{Width: 360, Role: "admin"}, {Width: 800, Role: "admin"}, {Width: 1280, Role: "admin", Dark: true, Language: "es"}} {
		tab := browser.Open(t, w, as)
		for _, path := range []string{"/", "/products", "/products/3", "/orders", "/orders/4", "/customers/1", "/orders/new?from=4"} {
			tab.Go(path) // checks the width
			if cut := browser.Eval[string](tab, `[...document.querySelectorAll(".table td")].filter(e => e.getBoundingClientRect().right >
				e.closest(".table").getBoundingClientRect().right + 1).map(e => e.textContent).join("; ")`); cut != "" && as.Width == 360 {
				t.Errorf("%s cuts off %s", path, cut)
			}
			tab.Keep(fmt.Sprintf("large%s-%d", strings.NewReplacer("/", "-", "?", "-").Replace(path), as.Width))
		}
		tab.Go("/orders")
		if edges := browser.Eval[int](tab, `new Set([...document.querySelectorAll("#list tbody .order")].map(e => e.getBoundingClientRect().left)).size`); edges != 1 {
			t.Errorf("%d px: the orders have %d left edges, want one", as.Width, edges)
		}
		tab.Go("/products")
		const lines = `[...document.querySelectorAll("#list :is(small, .narrow)")].filter(e => e.checkVisibility() && e.textContent.length >= 20).
			map(e => Math.round(e.getBoundingClientRect().height / parseFloat(getComputedStyle(e).lineHeight)))`
		if got := browser.Eval[[]int](tab, lines); len(got) != 2 || got[0] > 6 || got[1] != 1 {
			t.Errorf("%d px: the SKUs have %v lines, want a few for the longest and one for a usual one", as.Width, got)
		}
	}
}

// sendEmpty sends the first form of a page that has required fields, without them, and returns whether there is one.
const sendEmpty = `(form => {
	if (!form) return false;
	form.noValidate = true;
	for (const field of form.querySelectorAll("[required]")) field.value = "";
	form.querySelector("button:not([type=button])").click();
	return true;
})(document.querySelector("main form[method=post]:has([required])"))`

// axeSource returns axe-core.
func axeSource(t *testing.T) string {
	t.Helper()
	source, err := os.ReadFile(filepath.Join(npm.Install(t, axe), "node_modules/axe-core/axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	return string(source)
}

// finding is a rule of axe that a page breaks.
type finding struct {
	ID, Impact, Help string
	Nodes            []struct {
		HTML           string
		FailureSummary string
	}
}

func checkAxe(t *testing.T, tab *browser.Tab, source string) {
	t.Helper()
	browser.Eval[bool](tab, source+";true")
	text := browser.Promise[string](tab, `axe.run(document, {resultTypes: ["violations"]}).then(r => JSON.stringify(r.violations))`)
	var findings []finding
	if err := json.Unmarshal([]byte(text), &findings); err != nil {
		t.Fatalf("axe: %v in %s", err, text)
	}
	for _, f := range findings {
		if f.Impact == "serious" || f.Impact == "critical" {
			var at []string
			for _, n := range f.Nodes[:min(3, len(f.Nodes))] {
				at = append(at, fmt.Sprintf("%.200s: %s", n.HTML, strings.ReplaceAll(n.FailureSummary, "\n", " ")))
			}
			t.Errorf("%s: %s: %s: %s", tab.Path(), f.Impact, f.Help, strings.Join(at, "; "))
		}
	}
}
