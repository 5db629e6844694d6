package compose

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/pedidos-hq/pedidos/e2e/call"
)

var screenshot = flag.String("screenshot", "", "save a screenshot of the documentation page in this file")

// testDocs opens the documentation page of the door, logs in and calls an operation. The page has the operations of all services.
func (p *project) testDocs(t *testing.T) {
	path, err := exec.LookPath("chromium")
	if err != nil && os.Getenv("CI") != "" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip("the page needs chromium, which is not installed")
	}
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WindowSize(1280, 1600),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true))
	browser, stop := chromedp.NewExecAllocator(ctx, options...)
	defer stop()
	tab, done := chromedp.NewContext(browser)
	defer done()

	const block = "#operations-products-listProducts "
	err = chromedp.Do(tab,
		chromedp.Navigate(p.door+"/docs"),
		chromedp.WaitVisible(chromedp.CSS("#operations-customers-listCustomers")),
		chromedp.SendKeys(chromedp.CSS("#login [name=username]"), "admin"),
		chromedp.SendKeys(chromedp.CSS("#login [name=password]"), call.LocalPassword+"\r"),
		chromedp.WaitVisible(chromedp.CSS("#login [type=button]")),
	)
	if err != nil {
		t.Fatal(err)
	}
	const notPublic = `document.querySelectorAll("[id^=operations-internal], [id^=operations-service]").length`
	if shown, err := chromedp.Run(tab, chromedp.Evaluate[int](notPublic)); err != nil || shown != 0 {
		t.Errorf("the page shows %d operations that the door does not forward (%v)", shown, err)
	}
	err = chromedp.Do(tab,
		chromedp.WaitVisible(chromedp.CSS("#operations-orders-createOrder")),
		chromedp.Click(chromedp.CSS(block+".opblock-summary-control")),
		chromedp.Click(chromedp.CSS(block+".try-out__btn")),
		chromedp.Click(chromedp.CSS(block+".execute")),
	)
	if err != nil {
		t.Fatal(err)
	}
	status, err := chromedp.Run(tab, chromedp.Text(chromedp.CSS(block+".live-responses-table .response .response-col_status")))
	if err != nil || status != "200" {
		t.Errorf("listProducts: got %q (%v), want 200", status, err)
	}
	if err := chromedp.Do(tab, chromedp.WaitVisible(chromedp.CSS("#operations-orchestrator-createAndConfirmOrder"))); err != nil {
		t.Error(err)
	}
	if *screenshot != "" {
		picture, err := chromedp.Run(tab, chromedp.FullScreenshot(100))
		if err == nil {
			err = os.WriteFile(*screenshot, picture, 0o600)
		}
		if err != nil {
			t.Error(err)
		}
	}
}
