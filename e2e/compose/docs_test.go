package compose

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"testing"

	"github.com/chromedp/chromedp"
)

var screenshot = flag.String("screenshot", "", "keep a picture of the door's page in this file")

// testDocs reads the three contracts on the door's page, and tries the login out.
func (p *project) testDocs(t *testing.T) {
	path, err := exec.LookPath("chromium")
	if err != nil && os.Getenv("CI") != "" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip("the page needs chromium, which is not here")
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WindowSize(1280, 1600),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true))
	browser, stop := chromedp.NewExecAllocator(ctx, options...)
	defer stop()
	tab, done := chromedp.NewContext(browser)
	defer done()

	choose := func(name string) chromedp.Action[chromedp.Void] {
		return chromedp.SendKeys(chromedp.CSS("#select"), name)
	}
	const block = "#operations-auth-login "
	err = chromedp.Do(tab,
		chromedp.Navigate(p.door+"/docs"),
		chromedp.WaitVisible(chromedp.CSS(block)),
		choose("orders"),
		chromedp.WaitVisible(chromedp.CSS("#operations-orders-createOrder")),
		choose("orchestrator"),
		chromedp.WaitVisible(chromedp.CSS("#operations-orchestrator-createAndConfirmOrder")),
		choose("customers"),
		chromedp.Click(chromedp.CSS(block+".opblock-summary-control")),
		chromedp.Click(chromedp.CSS(block+".try-out__btn")),
		chromedp.Click(chromedp.CSS(block+".execute")),
	)
	if err != nil {
		t.Fatal(err)
	}
	status, err := chromedp.Run(tab, chromedp.Text(chromedp.CSS(block+".live-responses-table .response .response-col_status")))
	if err != nil || status != "200" {
		t.Errorf("the login answers %q (%v), want 200", status, err)
	}
	if hidden, err := chromedp.Run(tab, chromedp.Evaluate[int](`document.querySelectorAll("[id^=operations-internal]").length`)); err != nil || hidden != 0 {
		t.Errorf("the page shows %d internal operations (%v)", hidden, err)
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
