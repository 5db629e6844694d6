// Package browser tests the documentation pages of the services in chromium.
package browser

import (
	"context"
	"encoding/json"
	"flag"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/program"
	"github.com/pedidos-hq/pedidos/gen/customers"
)

var screenshots = flag.String("screenshots", "", "save screenshots of the pages in this folder")

func TestMain(m *testing.M) { os.Exit(program.Main(m)) }

// attempt is a call of one operation through its form.
type attempt struct {
	operation string            // tag and operationId
	fields    map[string]string // initial values of its form; nil skips the check
	body      string            // initial body; "" skips the check
	typed     map[string]string
	typedBody string   // "" leaves the initial body
	want      []string // parts of the response; the first is its status
}

// TestTryItOut checks that the page of each service logs in with a user and a password, shows only the operations of users,
// and sends only values that were typed. The page must load without a network and without violating its own content
// security policy.
func TestTryItOut(t *testing.T) {
	t.Parallel()
	path, err := exec.LookPath("chromium")
	if err != nil && os.Getenv("CI") != "" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip("the pages need chromium, which is not installed")
	}
	s := program.Up(t, nil, t.TempDir(), program.FreePorts()...)
	apiKey := newKey(t, s.Login(t, call.LocalPassword))
	s.Hide(apiKey)

	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WindowSize(1280, 1600),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true))
	browser, stop := chromedp.NewExecAllocator(t.Context(), options...)
	defer stop()

	page := map[string]string{"search": "", "cursor": "", "limit": "20"}
	products := map[string]string{"ids": "on", "sku": "on", "stock_below": "", "low_stock": "", "archived": "exclude"}
	maps.Copy(products, page)
	orders := map[string]string{"status": "", "customer_id": "", "product_id": "", "updated_since": "", "from": "", "to": ""}
	maps.Copy(orders, page)
	key := map[string]string{"Idempotency-Key": "", "X-Idempotency-Key": ""}
	confirm := map[string]string{"id": "", "If-Match": ""}
	maps.Copy(confirm, key)
	change := map[string]string{"id": "", "If-Match": ""}
	maps.Copy(change, key)
	for _, service := range []struct {
		name, url string
		attempts  []attempt
	}{
		{"customers", s.Customers, []attempt{
			{operation: "customers-listCustomers", fields: page, want: []string{"200", `"compras@acme.example"`}},
			{operation: "customers-getCustomer", fields: map[string]string{"id": ""}, typed: map[string]string{"id": "1"},
				want: []string{"200", `"compras@acme.example"`}},
			{operation: "customers-replaceCustomer", fields: change, body: "{}", typed: map[string]string{"id": "1"},
				typedBody: `{"name":"ACME","email":"a@acme.example"}`, want: []string{"200", `"ACME"`}},
		}},
		{"orders", s.Orders, []attempt{
			{operation: "products-listProducts", fields: products, want: []string{"200", `"DRILL-18V"`}},
			{operation: "products-updateProduct", fields: change, body: "{}", typed: map[string]string{"id": "1"},
				typedBody: `{"name":"Drill"}`, want: []string{"200", `"name": "Drill"`, `"price_cents": 129900`, `"stock": 50`}},
			{operation: "orders-createOrder", fields: key, want: []string{"201", `"CREATED"`}},
			{operation: "orders-createOrder", want: []string{"201", `"id": 2`}},
			{operation: "orders-confirmOrder", fields: confirm, body: "{}",
				typed: map[string]string{"id": "1", "Idempotency-Key": "one"}, want: []string{"200", `"CONFIRMED"`}},
			{operation: "orders-confirmOrder", body: "{}",
				typed: map[string]string{"id": "2", "Idempotency-Key": "two"}, want: []string{"200", `"CONFIRMED"`}},
			{operation: "orders-cancelOrder", fields: confirm, body: "{}", typed: map[string]string{"id": "2"},
				want: []string{"200", `"CANCELED"`, `"cancel_reason": null`}},
			{operation: "orders-listOrders", fields: orders, want: []string{"200", `"CANCELED"`, `"CONFIRMED"`}},
		}},
		{"orchestrator", s.Orchestrator, []attempt{
			{operation: "orchestrator-createAndConfirmOrder", fields: map[string]string{"X-Correlation-Id": ""},
				want: []string{"400", `"idempotency_key"`}},
			{operation: "orchestrator-createAndConfirmOrder", want: []string{"201", `"CONFIRMED"`},
				typedBody: `{"customer_id":1,"items":[{"product_id":1,"qty":2}],"idempotency_key":"mine"}`},
		}},
	} {
		t.Run(service.name, func(t *testing.T) {
			tab, done := chromedp.NewContext(browser)
			defer done()
			tab, cancel := context.WithTimeout(tab, 2*time.Minute)
			defer cancel()
			checkConsole := console(t, tab)
			do(t, tab,
				chromedp.Navigate(service.url),
				chromedp.SendKeys(css("#login [name=username]"), "admin"),
				chromedp.SendKeys(css("#login [name=password]"), "a wrong one"),
				click("#login fieldset button"),
				chromedp.WaitVisible(css("#login output:not(:empty)")),
			)
			if said := text(t, tab, "#login output"); said != "The user name or the password is wrong." {
				t.Errorf("a wrong password shows %q", said)
			}
			keep(t, tab, service.name+"-refused")
			do(t, tab,
				chromedp.SendKeys(css("#login [name=password]"), call.LocalPassword+"\r"),
				chromedp.WaitVisible(css("#login [type=button]")),
			)
			if said := text(t, tab, "#login output"); !strings.HasPrefix(said, "Logged in as admin until ") {
				t.Errorf("the right password shows %q", said)
			}
			if page := text(t, tab, "body"); strings.Contains(page, "internal") || strings.Contains(page, "serviceToken") {
				t.Errorf("the page shows operations or schemes of services:\n%s", page)
			}
			for _, a := range service.attempts {
				a.try(t, tab)
			}
			keep(t, tab, service.name)

			// The dialog asks for one thing, a token.
			do(t, tab, click(".btn.authorize"), chromedp.WaitVisible(css(".auth-container")))
			if dialog := text(t, tab, ".dialog-ux .modal-ux"); strings.Count(dialog, "(http, Bearer)") != 1 || !strings.Contains(dialog, "Logout") {
				t.Errorf("got the dialog %s, want one Bearer scheme and Logout", dialog)
			}
			keep(t, tab, service.name+"-dialog")
			do(t, tab,
				click(".auth-btn-wrapper .btn-done"),
				click("#login [type=button]"),
				chromedp.WaitVisible(css("#login fieldset")),
				click(".btn.authorize"),
				chromedp.WaitVisible(css(".auth-container input")),
				chromedp.SendKeys(css(".auth-container input"), apiKey), // the dialog takes an API key too
				click(".auth-btn-wrapper .authorize"),
				click(".auth-btn-wrapper .btn-done"),
			)
			service.attempts[len(service.attempts)-1].repeated().try(t, tab)
			checkConsole()
			if kept, err := chromedp.Run(tab, chromedp.Evaluate[int](`localStorage.length + sessionStorage.length`)); err != nil || kept != 0 {
				t.Errorf("the page stores %d items in the browser (%v), want none: one may be the token", kept, err)
			}
		})
	}
}

// repeated returns the call without the checks of a form that is filled in.
func (a attempt) repeated() attempt {
	a.fields, a.body = nil, ""
	return a
}

// newKey returns an API key of a new integrator.
func newKey(t *testing.T, admin *call.Client) string {
	t.Helper()
	var program customers.Integrator
	in := customers.IntegratorInput{Name: "ERP", Role: customers.RoleManager}
	call.Read(admin.Customers.CreateIntegrator(t.Context(), nil, in)).Want(t, http.StatusCreated, &program)
	var created customers.NewKey
	call.Read(admin.Customers.CreateKey(t.Context(), program.ID, nil, customers.KeyInput{Name: "a key"})).Want(t, http.StatusCreated, &created)
	return *created.Key
}

// try fills in the form of an operation, sends it and checks the response.
func (a attempt) try(t *testing.T, tab context.Context) {
	t.Helper()
	block := "#operations-" + a.operation + " "
	open, err := chromedp.Run(tab, chromedp.Evaluate[bool](`!!document.querySelector("`+block+`.execute")`))
	if err != nil {
		t.Fatal(err)
	}
	if !open {
		do(t, tab, click(block+".opblock-summary-control"), click(block+".try-out__btn"), chromedp.WaitVisible(css(block+".execute")))
	}
	if a.fields != nil {
		got, err := chromedp.Run(tab, chromedp.Evaluate[map[string]string](`Object.fromEntries([...document.querySelectorAll("`+block+
			`tr[data-param-name]")].map(row => [row.dataset.paramName, row.querySelector("input, select").value]))`))
		if err != nil || !maps.Equal(got, a.fields) {
			t.Errorf("%s: got the initial form %v (%v), want %v", a.operation, got, err, a.fields)
		}
	}
	if a.body != "" {
		if got, err := chromedp.Run(tab, chromedp.Value(css(block+"textarea"))); err != nil || got != a.body {
			t.Errorf("%s: got the initial body %s (%v), want %s", a.operation, got, err, a.body)
		}
	}
	for name, value := range a.typed {
		write(t, tab, block+`tr[data-param-name="`+name+`"] input`, value)
	}
	if a.typedBody != "" {
		write(t, tab, block+"textarea", a.typedBody)
	}
	const answered = ".live-responses-table .response"
	if open {
		do(t, tab, click(block+".btn-clear"), chromedp.WaitNotPresent(css(block+answered)))
	}
	do(t, tab, click(block+".execute"))
	answer := text(t, tab, block+answered)
	for i, want := range a.want {
		if i == 0 && !strings.HasPrefix(answer, want) || !strings.Contains(answer, want) {
			t.Errorf("%s: got the response %s, want %q", a.operation, answer, a.want)
			break
		}
	}
}

// console records the messages of the browser and returns a function that fails the test if they include an error or a
// warning, such as a failed script, a violation of the page's policy or a missing file. Requests that the service answers
// with 400 or 401 are expected.
func console(t *testing.T, tab context.Context) (check func()) {
	t.Helper()
	messages := chromedp.Console(tab)
	const end = "end of the test"
	return func() {
		t.Helper()
		if _, err := chromedp.Run(tab, chromedp.Evaluate[any](`console.log("`+end+`")`)); err != nil {
			t.Fatal(err)
		}
		for m, err := range messages {
			if err != nil {
				t.Fatal(err)
			}
			if m.Text == end {
				return
			}
			refused := strings.Contains(m.Text, "status of 400") || strings.Contains(m.Text, "status of 401")
			if (m.Type == chromedp.ConsoleError || m.Type == chromedp.ConsoleWarning || m.IsException()) && !refused {
				t.Errorf("the browser reports: %s (%s)", m, m.URL)
			}
		}
	}
}

func do(t *testing.T, tab context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(tab, steps...); err != nil {
		t.Fatal(err)
	}
}

// write replaces the text of an input.
func write(t *testing.T, tab context.Context, box, text string) {
	t.Helper()
	chosen, err := json.Marshal(box)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Run(tab, chromedp.Evaluate[bool](`document.querySelector(`+string(chosen)+`).select() ?? true`)); err != nil {
		t.Fatal(err)
	}
	do(t, tab, chromedp.SendKeys(css(box), text))
}

func css(selector string) chromedp.CSS { return chromedp.CSS(selector) }

func click(selector string) chromedp.Action[chromedp.Void] { return chromedp.Click(css(selector)) }

func text(t *testing.T, tab context.Context, selector string) string {
	t.Helper()
	said, err := chromedp.Run(tab, chromedp.Text(css(selector)))
	if err != nil {
		t.Fatal(err)
	}
	return said
}

// keep saves a screenshot if -screenshots is set.
func keep(t *testing.T, tab context.Context, name string) {
	t.Helper()
	if *screenshots == "" {
		return
	}
	picture, err := chromedp.Run(tab, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(*screenshots, name+".png"), picture, 0o600)
	}
	if err != nil {
		t.Error(err)
	}
}
