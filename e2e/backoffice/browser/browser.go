// Package browser opens the backoffice in chromium as somebody with a role, with or without JavaScript, and checks what every page must
// keep: nothing in the console, no violation of the content security policy, nothing that scrolls sideways.
//
//	tab := browser.Open(t, w, browser.As{Role: "manager", Language: "es", Width: 360})
//	tab.Go("/customers/new")
//	tab.Fill("name", "Ferretería Norte")
//	tab.Press("Agregar cliente")
//	tab.Want("main", "Ferretería Norte")
//	tab.Keep("customer") // a screenshot, with -screenshots
package browser

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/customers"
)

var screenshots = flag.String("screenshots", "", "save screenshots of the pages in this folder")

// patience bounds the life of a tab. It is far longer than a test takes.
const patience = 2 * time.Minute

// Password is the password of the people that LogIn creates.
const Password = "correct horse battery"

var (
	start   sync.Once
	browser context.Context // of chromium, which the tabs of all tests share
	stop    = func() {}
	missing error
)

// Main runs the tests of a package with run, such as testing.M.Run, and stops the browser. Call it from TestMain.
func Main(run func() int) int {
	defer func() { stop() }()
	return run()
}

// shared starts the browser once. It skips the test without chromium, except in CI.
func shared(t testing.TB) context.Context {
	t.Helper()
	start.Do(func() {
		var path string
		if path, missing = exec.LookPath("chromium"); missing != nil {
			return
		}
		options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
			chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true))
		allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), options...)
		var stopBrowser context.CancelFunc
		browser, stopBrowser = chromedp.NewContext(allocator)
		stop = func() { stopBrowser(); stopAllocator() }
		missing = chromedp.Do(browser)
	})
	if missing != nil && os.Getenv("CI") == "" {
		t.Skip("the pages need chromium: ", missing)
	}
	if missing != nil {
		t.Fatal(missing)
	}
	return browser
}

// As says who opens a tab, and how.
type As struct {
	Role     string // viewer, operator, manager or admin; "" logs nobody in
	Width    int    // of the window; 0 means 1280
	Dark     bool
	Language string // of the browser; "" means en
	Zone     string // time zone of the browser; "" means America/Montevideo
	NoScript bool
}

// Tab is a tab of a browser of its own, without the cookies of others. Its methods end the test unless they succeed.
type Tab struct {
	t       testing.TB
	url     string       // of the backoffice
	world   *world.World // nil after OpenAt
	ctx     context.Context
	session customers.NewSession // zero if nobody is logged in

	Mute bool // ignores the console, in tests of failing scripts or networks
}

// Open opens a tab. When the test ends, it checks that the console has no errors, and closes the tab.
func Open(t testing.TB, w *world.World, as As) *Tab {
	t.Helper()
	tab := OpenAt(t, w.BackofficeURL, as)
	tab.world = w
	if as.Role != "" {
		tab.session = Session(t, w, as.Role)
		tab.SetCookie("pedidos_session", tab.session.Token)
	}
	return tab
}

// OpenAt is Open for a backoffice that runs elsewhere. It logs nobody in.
func OpenAt(t testing.TB, url string, as As) *Tab {
	t.Helper()
	ctx, done := chromedp.NewContext(shared(t), chromedp.WithNewBrowserContext())
	t.Cleanup(done)
	ctx, cancel := context.WithTimeout(ctx, patience)
	t.Cleanup(cancel)
	tab := &Tab{t: t, url: url, ctx: ctx}
	theme := "light"
	if as.Dark {
		theme = "dark"
	}
	tab.Do(
		chromedp.EmulateViewport(int64(cmp.Or(as.Width, 1280)), 900),
		send(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: theme}, {Name: "prefers-reduced-motion", Value: "reduce"},
		}}),
		send(emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: cmp.Or(as.Zone, "America/Montevideo")}),
		send(network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": cmp.Or(as.Language, "en")}}),
		send(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: as.NoScript}),
	)
	if !as.NoScript { // the console is read with a script
		tab.watch()
	}
	return tab
}

// send returns an action that sends a command of the protocol.
func send[P any](command cdp.Command[P, cdp.Empty], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, command, params)
		return err
	})
}

// Session logs somebody with a role in, whom it creates if necessary.
func Session(t testing.TB, w *world.World, role string) (s customers.NewSession) {
	t.Helper()
	user, password := Person(t, w, role)
	call.Read(w.With("").Customers.CreateSession(t.Context(), nil, customers.Credentials{Username: user, Password: password})).
		Want(t, http.StatusCreated, &s)
	return s
}

// Person returns the user name and the password of somebody with a role, whom it creates if necessary.
func Person(t testing.TB, w *world.World, role string) (user, password string) {
	t.Helper()
	switch role {
	case "admin":
		return role, w.Password()
	case "viewer":
		return role, world.ViewerPassword
	}
	var setup customers.UserSetup
	made := call.Read(w.Login("admin").Customers.CreateUser(t.Context(), nil,
		customers.UserInput{Username: role, Name: "Ana " + role, Role: customers.Role(role)}))
	if made.Status == http.StatusConflict {
		return role, Password
	}
	made.Want(t, http.StatusCreated, &setup)
	call.Read(w.With("").Customers.SetPassword(t.Context(), customers.Setup{Token: *setup.SetupToken, Password: Password})).
		Want(t, http.StatusNoContent)
	return role, Password
}

// SetCookie sets a cookie of the backoffice.
func (tab *Tab) SetCookie(name, value string) {
	tab.t.Helper()
	if _, err := chromedp.Call(tab.ctx, network.SetCookie, network.SetCookieParams{Name: name, Value: value, URL: tab.url}); err != nil {
		tab.t.Fatal(err)
	}
}

// EndSession ends the session of the tab as if it had timed out.
func (tab *Tab) EndSession() {
	tab.t.Helper()
	call.Send(tab.t, tab.world.HTTP("customers"), http.MethodDelete, fmt.Sprintf("%s/auth/sessions/%d", tab.world.CustomersURL, tab.session.ID), nil,
		"Authorization", "Bearer "+tab.session.Token).Want(tab.t, http.StatusNoContent)
}

// watch fails the test if the console has an error or a warning, such as a failed script or a violation of the policy. It ignores that
// the server answered an error, which is what many tests are about.
func (tab *Tab) watch() {
	messages := chromedp.Console(tab.ctx)
	const end = "end of the test"
	tab.t.Cleanup(func() {
		if _, err := chromedp.Run(tab.ctx, chromedp.Evaluate[any](`console.log("`+end+`")`)); err != nil {
			tab.t.Errorf("the console can't be read: %v", err)
			return
		}
		for m, err := range messages {
			if err != nil {
				tab.t.Errorf("the console can't be read: %v", err)
				return
			}
			if m.Text == end {
				return
			}
			bad := m.Type == chromedp.ConsoleError || m.Type == chromedp.ConsoleWarning || m.IsException()
			if bad && !tab.Mute && !strings.Contains(m.Text, "the server responded with a status of") {
				tab.t.Errorf("the browser reports: %s (%s)", m, m.URL)
			}
		}
	})
}

// Do runs actions.
func (tab *Tab) Do(actions ...chromedp.Action[chromedp.Void]) {
	tab.t.Helper()
	if err := chromedp.Do(tab.ctx, actions...); err != nil {
		tab.t.Fatal(err)
	}
}

// Eval returns the value of a JavaScript expression. It works in tabs without scripts as well.
func Eval[T any](tab *Tab, expression string) T {
	tab.t.Helper()
	value, err := chromedp.Run(tab.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		tab.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// Go opens a path and returns the status of the answer.
func (tab *Tab) Go(path string) int {
	tab.t.Helper()
	return tab.navigate("open "+path, chromedp.Navigate(tab.url+path))
}

// Reload reloads the page. A page that answered a form sends the form again.
func (tab *Tab) Reload() {
	tab.t.Helper()
	tab.Do(chromedp.Reload())
}

// Back goes back. It does not wait for the page, which may come without loading.
func (tab *Tab) Back() {
	tab.t.Helper()
	tab.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		history, err := cdp.Call(ctx, target, page.GetNavigationHistory, cdp.Empty{})
		if err != nil {
			return err
		}
		if history.CurrentIndex == 0 {
			return errors.New("there is no page before this one")
		}
		_, err = cdp.Call(ctx, target, page.NavigateToHistoryEntry, page.NavigateToHistoryEntryParams{EntryID: history.Entries[history.CurrentIndex-1].ID})
		return err
	}))
}

// Press clicks a button or link with this text, waits for the page it leads to, and returns the status of the answer.
func (tab *Tab) Press(label string) int {
	tab.t.Helper()
	return tab.navigate("press "+label, tab.click(label))
}

// Click clicks a button or link with this text that does not lead to another page.
func (tab *Tab) Click(label string) {
	tab.t.Helper()
	tab.Do(tab.click(label))
}

func (tab *Tab) click(label string) chromedp.Action[chromedp.Void] {
	tab.t.Helper()
	return chromedp.Click(chromedp.JSPath(tab.labeled(label)))
}

// Send clicks a button with this text as soon as it is there, and does not wait for an answer.
func (tab *Tab) Send(label string) {
	tab.t.Helper()
	tab.Await(tab.labeled(label) + `.length > 0`)
	Eval[bool](tab, tab.labeled(label)+`[0].click() || true`)
}

// labeled returns an expression for the last visible button or link with this text.
func (tab *Tab) labeled(label string) string {
	tab.t.Helper()
	quoted, err := json.Marshal(label)
	if err != nil {
		tab.t.Fatal(err)
	}
	return `[...document.querySelectorAll("button, a, summary")].filter(e => e.textContent.trim() === ` + string(quoted) + ` && e.checkVisibility()).slice(-1)`
}

func (tab *Tab) navigate(what string, action chromedp.Action[chromedp.Void]) int {
	tab.t.Helper()
	response, err := chromedp.RunResponse(tab.ctx, action)
	if err != nil {
		tab.t.Fatalf("%s: %v", what, err)
	}
	tab.Await(`!document.querySelector("[aria-busy=true]")`) // a page with times of another zone is fetched again
	tab.CheckWidth()
	return int(response.Status)
}

// CheckWidth fails the test if the page scrolls sideways.
func (tab *Tab) CheckWidth() {
	tab.t.Helper()
	if wide := Eval[string](tab, `document.documentElement.scrollWidth <= innerWidth ? "" : [...document.querySelectorAll("body *")]
		.filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 100)).slice(0, 3).join("\n") || "?"`); wide != "" {
		tab.t.Errorf("%s scrolls sideways because of %s", tab.Path(), wide)
	}
}

// Fill replaces the text of a field, given by its name.
func (tab *Tab) Fill(name, text string) {
	tab.t.Helper()
	field := chromedp.CSS(fmt.Sprintf("main [name=%q]:not([type=hidden]), dialog [name=%q]:not([type=hidden])", name, name))
	tab.Do(chromedp.Clear(field))
	if text != "" {
		tab.Do(chromedp.SendKeys(field, text))
	}
}

// Value returns the value of a field, given by its name.
func (tab *Tab) Value(name string) string {
	tab.t.Helper()
	value, err := chromedp.Run(tab.ctx, chromedp.Value(chromedp.CSS(fmt.Sprintf("[name=%q]", name)), chromedp.NodeReady))
	if err != nil {
		tab.t.Fatalf("the field %s: %v", name, err)
	}
	return value
}

// Text returns the text that an element shows.
func (tab *Tab) Text(selector string) string {
	tab.t.Helper()
	text, err := chromedp.Run(tab.ctx, chromedp.Text(chromedp.CSS(selector)))
	if err != nil {
		tab.t.Fatalf("%s: %v", selector, err)
	}
	return text
}

// Want fails the test unless an element shows each of the texts.
func (tab *Tab) Want(selector string, texts ...string) {
	tab.t.Helper()
	got := tab.Text(selector)
	for _, want := range texts {
		if !strings.Contains(got, want) {
			tab.t.Errorf("%s: %s shows\n%s\nwant %q in it", tab.Path(), selector, got, want)
		}
	}
}

// Await waits until a JavaScript expression is true. The page may be replaced by another meanwhile.
func (tab *Tab) Await(expression string) {
	tab.t.Helper()
	call.Eventually(tab.t, expression, func() bool {
		value, err := chromedp.Run(tab.ctx, chromedp.Evaluate[bool]("!!("+expression+")"))
		return err == nil && value
	})
}

// Path returns the path and the query of the page.
func (tab *Tab) Path() string {
	tab.t.Helper()
	return Eval[string](tab, `location.pathname + location.search`)
}

// Keep saves a screenshot of the whole page if -screenshots is set.
func (tab *Tab) Keep(name string) {
	tab.t.Helper()
	if *screenshots == "" {
		return
	}
	picture, err := chromedp.Run(tab.ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(*screenshots, name+".png"), picture, 0o600)
	}
	if err != nil {
		tab.t.Error(err)
	}
}

// Promise returns the value of a JavaScript promise.
func Promise[T any](tab *Tab, expression string) T {
	tab.t.Helper()
	value, err := chromedp.Run(tab.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		tab.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// SetValue replaces the value of the field that a selector finds, as if it were typed.
func (tab *Tab) SetValue(selector, value string) {
	tab.t.Helper()
	field := chromedp.CSS(selector)
	tab.Do(chromedp.Clear(field), chromedp.SendKeys(field, value))
}
