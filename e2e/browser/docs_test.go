// Package browser uses the contracts' pages as a person does.
package browser

import (
	"context"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/program"
)

var screenshots = flag.String("screenshots", "", "keep a picture of each page in this folder")

func TestMain(m *testing.M) { os.Exit(program.Main(m)) }

// attempt is one operation that a person tries out.
type attempt struct {
	operation string            // its tag and operationId
	fields    map[string]string // what is in its form before anybody has typed
	body      string            // and in the body
	typed     map[string]string
	typedBody string // "" leaves what is there
	want      []string
}

// The page of each service logs in with user and password, shows what is for people alone, and sends what is typed alone. It
// needs no network, and nothing that it does is refused by its own policy.
func TestTryItOut(t *testing.T) {
	t.Parallel()
	path, err := exec.LookPath("chromium")
	if err != nil && os.Getenv("CI") != "" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip("the pages need chromium, which is not here")
	}
	s := program.Up(t, nil, t.TempDir(), program.FreePorts()...)

	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WindowSize(1280, 1600),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true))
	browser, stop := chromedp.NewExecAllocator(t.Context(), options...)
	defer stop()

	page := map[string]string{"search": "", "cursor": "", "limit": "20"}
	orders := map[string]string{"status": "", "customer_id": "", "from": "", "to": ""}
	maps.Copy(orders, page)
	key := map[string]string{"Idempotency-Key": "", "X-Idempotency-Key": ""}
	confirm := map[string]string{"id": ""}
	maps.Copy(confirm, key)
	change := map[string]string{"id": "", "If-Match": ""}
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
			{operation: "products-listProducts", fields: page, want: []string{"200", `"DRILL-18V"`}},
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
			quiet := console(t, tab)
			do(t, tab,
				chromedp.Navigate(service.url),
				chromedp.SendKeys(css("#login [name=username]"), "admin"),
				chromedp.SendKeys(css("#login [name=password]"), "a wrong one"),
				click("#login fieldset button"),
				chromedp.WaitVisible(css("#login output:not(:empty)")),
			)
			if said := text(t, tab, "#login output"); said != "The user name or the password is wrong." {
				t.Errorf("a wrong password is told %q", said)
			}
			keep(t, tab, service.name+"-refused")
			do(t, tab,
				chromedp.SendKeys(css("#login [name=password]"), call.LocalPassword+"\r"),
				chromedp.WaitVisible(css("#login [type=button]")),
			)
			if said := text(t, tab, "#login output"); !strings.HasPrefix(said, "Logged in as admin until ") {
				t.Errorf("the right password is told %q", said)
			}
			if page := text(t, tab, "body"); strings.Contains(page, "internal") || strings.Contains(page, "serviceToken") {
				t.Errorf("the page shows what is for services:\n%s", page)
			}
			for _, a := range service.attempts {
				a.try(t, tab)
			}
			keep(t, tab, service.name)

			// The dialog has one box, for a token.
			do(t, tab, click(".btn.authorize"), chromedp.WaitVisible(css(".auth-container")))
			if dialog := text(t, tab, ".dialog-ux .modal-ux"); strings.Count(dialog, "(http, Bearer)") != 1 || !strings.Contains(dialog, "Logout") {
				t.Errorf("the dialog is %s", dialog)
			}
			keep(t, tab, service.name+"-dialog")
			do(t, tab,
				click(".auth-btn-wrapper .btn-done"),
				click("#login [type=button]"),
				chromedp.WaitVisible(css("#login fieldset")),
				click(".btn.authorize"),
				chromedp.WaitVisible(css(".auth-container input")),
			)
			quiet()
			if kept, err := chromedp.Run(tab, chromedp.Evaluate[int](`localStorage.length + sessionStorage.length`)); err != nil || kept != 0 {
				t.Errorf("the page keeps %d things in the browser (%v), and one may be the token", kept, err)
			}
		})
	}
}

// try types into the form of an operation and sends it.
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
			t.Errorf("%s: the form holds %v (%v) before anybody has typed, want %v", a.operation, got, err, a.fields)
		}
	}
	if a.body != "" {
		if got, err := chromedp.Run(tab, chromedp.Value(css(block+"textarea"))); err != nil || got != a.body {
			t.Errorf("%s: the body holds %s (%v) before anybody has typed, want %s", a.operation, got, err, a.body)
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
			t.Errorf("%s answered %s, want %q", a.operation, answer, a.want)
			break
		}
	}
}

// console listens, and returns a function that fails the test where the browser has complained: of a script, of the page's
// policy, of a part that is not there. That the service refuses a request is no complaint.
func console(t *testing.T, tab context.Context) (quiet func()) {
	t.Helper()
	messages := chromedp.Console(tab)
	const end = "this is the end"
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
				t.Errorf("the browser complains: %s (%s)", m, m.URL)
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

// write types over what a box holds.
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

// keep keeps a picture where one is asked for.
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
