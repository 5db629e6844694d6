package script

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/services/backoffice/static"
)

// site serves pages with the script. It remembers the requests that it gets.
type site struct {
	*httptest.Server
	mu       sync.Mutex
	requests []string
}

const frame = `<!doctype html><html lang="en" data-zone="UTC" data-zone-source="default"><head><title>%s</title><link rel="icon" href="data:,">
<script src="/app.js" defer></script></head><body><main id="main">%s</main><div id="live" aria-live="polite"></div></body></html>`

// newSite serves the pages that page returns. A title may begin with a status: 409, or 303 before the path to redirect to.
func newSite(t *testing.T, page func(r *http.Request) (title, body string)) *site {
	t.Helper()
	files, err := static.Read()
	if err != nil {
		t.Fatal(err)
	}
	script, _ := files.Find(files.URL("app.js"))
	s := &site{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/app.js" {
			w.Header().Set("Content-Type", script.Type)
			_, _ = w.Write(script.Content)
			return
		}
		_ = r.ParseForm()
		s.mu.Lock()
		s.requests = append(s.requests, strings.TrimSpace(r.Method+" "+r.URL.RequestURI()+" "+r.PostForm.Encode()))
		s.mu.Unlock()
		title, body := page(r)
		if to, ok := strings.CutPrefix(title, "303 "); ok {
			http.Redirect(w, r, to, http.StatusSeeOther)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if refused, ok := strings.CutPrefix(title, "409 "); ok {
			title = refused
			w.WriteHeader(http.StatusConflict)
		}
		fmt.Fprintf(w, frame, html.EscapeString(title), body)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *site) asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.requests...)
}

var shared = sync.OnceValues(func() (context.Context, error) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		return nil, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	browser, stopBrowser := chromedp.NewContext(allocator)
	atEnd = func() { stopBrowser(); stop() }
	return browser, chromedp.Do(browser)
})

var atEnd = func() {}

func TestMain(m *testing.M) {
	code := m.Run()
	atEnd()
	os.Exit(code)
}

// tab is a tab of chromium at a page of a site.
type tab struct {
	t   *testing.T
	ctx context.Context
}

func open(t *testing.T, s *site, path string) *tab {
	t.Helper()
	browser, err := shared()
	if err != nil && os.Getenv("CI") == "" {
		t.Skip("the script needs chromium: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, done := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(done)
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	b := &tab{t, ctx}
	if _, err := chromedp.Call(ctx, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "America/Montevideo"}); err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.Navigate(s.URL + path))
	b.eval(`window.sameDocument = true`)
	return b
}

func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) click(selector string) { b.t.Helper(); b.do(chromedp.Click(chromedp.CSS(selector))) }

func (b *tab) write(selector, text string) {
	b.t.Helper()
	b.do(chromedp.SendKeys(chromedp.CSS(selector), text))
}

func (b *tab) eval(expression string) any {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[any](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// await waits until an expression is true. The page may be replaced by another meanwhile.
func (b *tab) await(expression string) {
	b.t.Helper()
	call.Eventually(b.t, expression, func() bool {
		value, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("!!("+expression+")"))
		return err == nil && value
	})
}

// want fails the test unless an expression has a value.
func (b *tab) want(expression string, want any) {
	b.t.Helper()
	if got := b.eval(expression); fmt.Sprint(got) != fmt.Sprint(want) {
		b.t.Errorf("%s is %v, want %v", expression, got, want)
	}
}

// list is a list with a search and a link to its next page. Nothing outside #list depends on the query, so a test sees what was replaced.
func list(r *http.Request) (title, body string) {
	return "List " + r.URL.RawQuery, fmt.Sprintf(`
		<form action="/list" data-swap="#list" data-auto><input name="search" id="search" data-search><select name="status"><option></option><option>open</option></select><button>Search</button></form>
		<div id="list"><p>query %s</p><a id="next" href="/list?cursor=2" data-swap="#list">Next</a> <a id="more" href="/list?cursor=3" data-swap="#list">More</a></div>`, html.EscapeString(r.URL.RawQuery))
}

func TestLinkReplacesAPart(t *testing.T) {
	t.Parallel()
	b := open(t, newSite(t, list), "/list")
	b.write("#search", "x") // stays, as it is outside of the part
	b.await(`location.search === "?search=x"`)
	b.eval(`document.getElementById("next").focus()`)
	b.click("#next")
	b.await(`location.search === "?cursor=2"`)
	b.want(`document.querySelector("#list p").textContent`, "query cursor=2")
	b.want(`document.title`, "List cursor=2")
	b.want(`document.querySelector("#search").value`, "x")
	b.want(`document.activeElement.id`, "next")
	b.want(`document.getElementById("live").textContent`, "List cursor=2")
	b.want(`document.querySelector("[aria-busy]")`, "<nil>")
	b.eval(`history.back()`)
	b.await(`location.search === "?search=x" && document.title === "List search=x"`)
	b.want(`document.querySelector("#list p").textContent`, "query search=x")
	b.eval(`history.back()`)
	b.await(`location.search === "" && document.title === "List"`)
	b.want(`window.sameDocument`, true)
}

// TestFormSendsItself also checks that a search adds one entry to the history, however it was typed.
func TestFormSendsItself(t *testing.T) {
	t.Parallel()
	s := newSite(t, list)
	b := open(t, s, "/list")
	b.eval(`document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "/", bubbles: true}))`)
	b.want(`document.activeElement.id`, "search")
	b.write("#search", "drill")
	b.await(`location.search === "?search=drill"`)
	b.write("#search", "s/8")
	b.await(`location.search === "?search=drills%2F8"`)
	b.want(`document.activeElement.id`, "search")
	b.eval(`document.querySelector("select").value = "open"; document.querySelector("select").dispatchEvent(new Event("input", {bubbles: true}))`)
	b.await(`location.search === "?search=drills%2F8&status=open"`)
	b.want(`document.querySelector("#list p").textContent`, "query search=drills%2F8&status=open")
	b.eval(`history.back()`)
	b.await(`location.search === "" && document.title === "List"`)
}

// TestNewestWins checks that an answer that comes too late changes nothing.
func TestNewestWins(t *testing.T) {
	t.Parallel()
	arrived, release, late := make(chan struct{}), make(chan struct{}), make(chan struct{})
	answer := sync.OnceFunc(func() { close(release) })
	s := newSite(t, func(r *http.Request) (string, string) {
		if r.URL.Query().Get("search") == "slow" {
			close(arrived)
			<-release
			defer close(late)
		}
		return list(r)
	})
	t.Cleanup(answer) // before the site waits for its requests
	b := open(t, s, "/list")
	b.write("#search", "slow")
	<-arrived
	b.want(`document.querySelector("#list").getAttribute("aria-busy")`, "true")
	before := b.eval(`history.length`).(float64)
	b.click("#next")
	b.await(`location.search === "?cursor=2"`)
	answer()
	<-late
	b.click("#more") // another round trip, in which the late answer has time to arrive
	b.await(`location.search === "?cursor=3"`)
	b.want(`document.querySelector("#list p").textContent`, "query cursor=3")
	b.want(`history.length`, before+2)
	b.want(`window.sameDocument`, true)
}

// TestFallBack checks that the browser loads a page whose parts can't be replaced.
func TestFallBack(t *testing.T) {
	t.Parallel()
	for name, page := range map[string]func(r *http.Request) (string, string){
		"the login":        func(*http.Request) (string, string) { return "303 /login", "" },
		"without the part": func(*http.Request) (string, string) { return "Other", "<p>other</p>" },
		"with one of two":  func(*http.Request) (string, string) { return "Other", `<div id="a"></div>` },
		"a part that is twice": func(*http.Request) (string, string) {
			return "Other", `<div id="a"></div><div id="a"></div><div id="b"></div>`
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t, newSite(t, func(r *http.Request) (string, string) {
				switch r.URL.Path {
				case "/start":
					return "Start", `<a href="/there" data-swap="#a, #b">Go</a><div id="a"></div><div id="b"></div>`
				case "/login":
					return "Login", `<div id="a"></div><div id="b"></div>`
				}
				return page(r)
			}), "/start")
			b.click("a")
			b.await(`document.title !== "Start" && window.sameDocument === undefined`)
			b.eval(`history.back()`)
			b.await(`document.title === "Start"`)
		})
	}
}

// TestPost sends a form in place: a refusal replaces the form, and a success, however often the button is pressed, leads to another page.
func TestPost(t *testing.T) {
	t.Parallel()
	form := func(key string) string {
		return `<div id="part"><p>` + key + `</p><form method="post" action="/do" data-swap="#part"><input name="qty"><input type="hidden" name="key" value="` +
			key + `"><button name="do" value="place">Place</button></form></div>`
	}
	s := newSite(t, func(r *http.Request) (string, string) {
		switch {
		case r.Method == http.MethodGet:
			return "Form", form("k1")
		case r.PostForm.Get("qty") == "0":
			return "409 Refused", form("k2")
		}
		return "303 /done", ""
	})
	b := open(t, s, "/form")
	b.write("[name=qty]", "0")
	b.click("button")
	b.await(`document.title === "Refused"`)
	b.want(`document.querySelector("#part p").textContent`, "k2")
	b.want(`location.pathname`, "/form")
	b.want(`document.querySelector("button").disabled`, false)
	b.write("[name=qty]", "3")
	b.eval(`document.querySelector("button").click(); document.querySelector("button").click()`)
	b.await(`location.pathname === "/done" && document.title === "Form"`)
	b.want(`window.sameDocument`, true)
	want := []string{"GET /form", "POST /do do=place&key=k1&qty=0", "POST /do do=place&key=k2&qty=3", "GET /done"}
	if got := s.asked(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got the requests\n%q\nwant\n%q", got, want)
	}
}

// TestPostFallsBack checks that a form whose answer has no such part is sent by the browser, with the button that was pressed.
func TestPostFallsBack(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(r *http.Request) (string, string) {
		if r.Method == http.MethodGet {
			return "Form", `<div id="part"><form method="post" action="/do" data-swap="#part"><button name="do" value="place">Place</button></form></div>`
		}
		return "Log in", `<form></form>`
	})
	b := open(t, s, "/form")
	b.click("button")
	b.await(`document.title === "Log in" && window.sameDocument === undefined`)
	want := []string{"GET /form", "POST /do do=place", "POST /do do=place"}
	if got := s.asked(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got the requests\n%q\nwant\n%q", got, want)
	}
}

// TestPressedTwice checks that a form is sent once while its answer is on the way, and again after going back.
func TestPressedTwice(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	answer := sync.OnceFunc(func() { close(release) })
	s := newSite(t, func(r *http.Request) (string, string) {
		if r.Method == http.MethodPost {
			<-release
			return "303 /done", ""
		}
		return r.URL.Path, `<form method="post" action="/do"><button name="do" value="place">Place</button></form>`
	})
	t.Cleanup(answer) // before the site waits for its requests
	b := open(t, s, "/form")
	// One expression, as the browser driver waits for the answer that is on the way before the next one.
	b.want(`(async () => {
		const button = document.querySelector("button");
		button.click();
		button.click();
		await new Promise(later => setTimeout(later));
		const disabled = button.disabled;
		button.click();
		return disabled;
	})()`, true)
	answer()
	b.await(`document.title === "/done"`)
	b.eval(`history.back()`)
	b.await(`document.title === "/form" && !document.querySelector("button").disabled`)
	b.eval(`document.querySelector("button").click()`) // the browser driver does not find elements of a page that comes back
	b.await(`document.title === "/done"`)
	want := []string{"GET /form", "POST /do do=place", "GET /done", "POST /do do=place", "GET /done"}
	got := s.asked()
	if len(got) == 6 && got[3] == "GET /form" { // a browser that did not keep the page
		got = append(got[:3], got[4:]...)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got the requests\n%q\nwant\n%q", got, want)
	}
}

func TestCheckAll(t *testing.T) {
	t.Parallel()
	b := open(t, newSite(t, func(*http.Request) (string, string) {
		return "Orders", `<form><input type="checkbox" data-check-all="id"><input type="checkbox" name="id" value="1"><input type="checkbox" name="id" value="2">
			<input type="checkbox" name="other"></form>`
	}), "/")
	const checked = `[...document.querySelectorAll("input")].map(i => i.checked ? 1 : 0).join("")`
	b.click("[data-check-all]")
	b.want(checked, "1110")
	b.click("[value='1']")
	b.want(checked, "0010")
	b.want(`document.querySelector("[data-check-all]").indeterminate`, true)
	b.click("[value='1']")
	b.want(checked, "1110")
	b.click("[data-check-all]")
	b.want(checked, "0000")
}

func TestDialog(t *testing.T) {
	t.Parallel()
	b := open(t, newSite(t, func(r *http.Request) (string, string) {
		return r.URL.Path, `<a id="ask" href="/delete" data-dialog="#d">Delete</a><dialog id="d"><a id="no" href="/" data-close>No</a></dialog>
			<a id="page" href="/delete" data-dialog="#missing">Delete</a>`
	}), "/")
	b.click("#ask")
	b.want(`document.querySelector("dialog").matches(":modal")`, true)
	b.click("#no")
	b.want(`document.querySelector("dialog").open`, false)
	b.want(`location.pathname`, "/")
	b.click("#page") // there is no such dialog here
	b.await(`location.pathname === "/delete"`)
}

func TestTimeLeft(t *testing.T) {
	t.Parallel()
	b := open(t, newSite(t, func(*http.Request) (string, string) {
		at := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(time.RFC3339Nano) }
		return "Order", `<span id="long" data-until="` + at(26*time.Hour) + `" data-label="{left} left"></span>
			<span id="soon" data-until="` + at(90*time.Second) + `"></span><span id="over" data-until="` + at(-time.Second) + `">now</span>`
	}), "/")
	b.await(`/^25:59:[0-5]\d left$/.test(document.querySelector("#long").textContent)`)
	b.await(`/^1:[0-3]\d$/.test(document.querySelector("#soon").textContent)`)
	b.want(`document.querySelector("#over").hidden`, true)
	shown := b.eval(`document.querySelector("#long").textContent`)
	b.await(`document.querySelector("#long").textContent !== "` + fmt.Sprint(shown) + `"`)
}

// TestTimeZone checks that the first page with times is written again in the time zone of the browser.
func TestTimeZone(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(r *http.Request) (string, string) {
		zone := "UTC"
		if c, err := r.Cookie("tz"); err == nil {
			zone = c.Value
		}
		return "Times", `<p><time>` + html.EscapeString(zone) + `</time></p>`
	})
	b := open(t, s, "/")
	b.await(`document.querySelector("time").textContent === "America%2FMontevideo"`)
	b.want(`window.sameDocument`, true)
	if got := s.asked(); len(got) != 2 {
		t.Errorf("got the requests %q, want two", got)
	}
}
