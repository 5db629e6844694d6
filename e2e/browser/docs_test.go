// Package browser uses the contracts' pages as a person does.
package browser

import (
	"context"
	"flag"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/pedidos-hq/pedidos/e2e/world"
)

var screenshots = flag.String("screenshots", "", "keep a picture of each page in this folder")

// On each service the page opens without the network, "Authorize" takes a token, and "Try it out" sends it to the service
// that the page came from.
func TestTryItOut(t *testing.T) {
	t.Parallel()
	path, err := exec.LookPath("chromium")
	if err != nil && os.Getenv("CI") != "" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip("the pages need chromium, which is not here")
	}
	w := world.New(t, world.Options{})
	s := w.Login("admin")
	buyer := w.Customer(s, "compras@acme.example")
	drill := w.Product(s, "DRILL-18V", 129900, 50)
	if buyer.ID != 1 || drill.ID != 1 {
		t.Fatalf("the contract's examples are about customer 1 and product 1, got %d and %d", buyer.ID, drill.ID)
	}

	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WindowSize(1280, 1600),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true))
	browser, stop := chromedp.NewExecAllocator(t.Context(), options...)
	defer stop()

	for _, page := range []struct {
		name, url, operation, tag, want string
	}{
		{"customers", w.CustomersURL, "listCustomers", "customers", `"compras@acme.example"`},
		{"orders", w.OrdersURL, "listProducts", "products", `"DRILL-18V"`},
		{"orchestrator", w.OrchestratorURL, "createAndConfirmOrder", "orchestrator", `"CONFIRMED"`},
	} {
		t.Run(page.name, func(t *testing.T) {
			tab, done := chromedp.NewContext(browser)
			defer done()
			tab, cancel := context.WithTimeout(tab, 90*time.Second)
			defer cancel()
			messages := chromedp.Console(tab)
			block := chromedp.CSS("#operations-" + page.tag + "-" + page.operation)
			err := chromedp.Do(tab,
				chromedp.Navigate(page.url+"/docs"),
				click(".btn.authorize"),
				chromedp.SendKeys(chromedp.CSS(".auth-container input"), s.Token),
				click(".auth-btn-wrapper .authorize"),
				click(".auth-btn-wrapper .btn-done"),
				click(block+" .opblock-summary-control"),
				click(block+" .try-out__btn"),
				click(block+" .execute"),
			)
			if err != nil {
				t.Error(err)
			}
			answer, err := chromedp.Run(tab, chromedp.Text(block+" .live-responses-table .response"))
			if err != nil {
				t.Error(err)
			}
			checkConsole(t, tab, messages)
			if kept, err := chromedp.Run(tab, chromedp.Evaluate[int](`localStorage.length + sessionStorage.length`)); err != nil || kept != 0 {
				t.Errorf("the page keeps %d things in the browser (%v), and one may be the token", kept, err)
			}
			if *screenshots != "" {
				picture, err := chromedp.Run(tab, chromedp.FullScreenshot(100))
				if err == nil {
					err = os.WriteFile(filepath.Join(*screenshots, page.name+".png"), picture, 0o600)
				}
				if err != nil {
					t.Error(err)
				}
			}
			if !strings.HasPrefix(answer, "20") || !strings.Contains(answer, page.want) {
				t.Errorf("%s answered %s, want a success with %s", page.operation, answer, page.want)
			}
		})
	}
}

// checkConsole looks for what the page has complained of so far, such as a script that its policy forbids.
func checkConsole(t *testing.T, tab context.Context, messages iter.Seq2[chromedp.ConsoleMessage, error]) {
	t.Helper()
	const end = "the end of the test"
	if _, err := chromedp.Run(tab, chromedp.Evaluate[int](`console.log("`+end+`"), 1`)); err != nil {
		t.Fatal(err)
	}
	for m, err := range messages {
		switch {
		case err != nil:
			t.Fatal(err)
		case m.Text == end:
			return
		case m.Type == "error", m.Type == "warning", m.IsException():
			t.Errorf("the page complains: %s (%s)", m, m.URL)
		}
	}
}

func click(selector chromedp.CSS) chromedp.Action[chromedp.Void] { return chromedp.Click(selector) }
