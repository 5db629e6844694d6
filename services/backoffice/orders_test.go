package backoffice_test

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/services/backoffice"
	"github.com/pedidos-hq/pedidos/services/internal/apitest"
	"github.com/pedidos-hq/pedidos/services/platform/problem"
)

// desk is a backoffice over an orders-api that a test plays, with a person who is logged in.
type desk struct {
	t     *testing.T
	clock *apitest.Clock
	url   string
	lang  string

	mu    sync.Mutex
	calls []call
}

// call is a request that orders-api received.
type call struct {
	method, path, key, match, token, body string
	query                                 url.Values
}

// newDesk returns a desk. Answer plays orders-api.
func newDesk(t *testing.T, answer func(w http.ResponseWriter, c call)) *desk {
	t.Helper()
	d := &desk{t: t, clock: apitest.NewClock(), lang: "en"}
	tokens := 0
	customers := http.NewServeMux()
	customers.HandleFunc("/auth/token", func(w http.ResponseWriter, _ *http.Request) {
		d.mu.Lock()
		defer d.mu.Unlock()
		tokens++
		reply(w, map[string]any{"access_token": fmt.Sprint("token", tokens), "token_type": "Bearer", "expires_in": 300})
	})
	customers.HandleFunc("/auth/me", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, map[string]any{"caller": "user:ana", "kind": "user", "id": 1, "username": "ana", "name": "Ana", "role": "operator"})
	})
	api := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		h := r.Header
		c := call{r.Method, r.URL.Path, h.Get("Idempotency-Key"), h.Get("If-Match"), h.Get("Authorization"), string(body), r.URL.Query()}
		d.mu.Lock()
		d.calls = append(d.calls, c)
		d.mu.Unlock()
		answer(w, c)
	})
	p := apitest.NewProcess(t, d.clock)
	p.Config.CustomersAPIBase = apitest.Serve(t, customers, nil)
	p.Config.OrdersAPIBase = apitest.Serve(t, api, nil)
	p.Config.OrchestratorAPIBase = p.Config.OrdersAPIBase
	handler, err := backoffice.New(p)
	d.url = apitest.Serve(t, handler, err)
	return d
}

// do sends a request and returns the response with its body. It does not follow redirects.
func (d *desk) do(method, path string, form url.Values) (*http.Response, string, error) {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), method, d.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		d.t.Fatal(err)
	}
	r.Header.Set("Accept-Language", d.lang)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Cookie", "pedidos_session=session; tz="+url.QueryEscape("America/Santiago"))
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response, string(body), err
}

// page sends a request and returns the text of the page. It fails unless the page has the status.
func (d *desk) page(status int, method, path string, form url.Values) (text, source string) {
	d.t.Helper()
	r, body, err := d.do(method, path, form)
	if err != nil || r.StatusCode != status {
		d.t.Fatalf("%s %s = %d, %v, want %d\n%s", method, path, r.StatusCode, err, status, body)
	}
	text = html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(body, " "))
	return strings.Join(strings.Fields(text), " "), body
}

// received returns the calls of a method.
func (d *desk) received(method string) (found []call) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range d.calls {
		if c.method == method {
			found = append(found, c)
		}
	}
	return found
}

func reply(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // a client that is gone does not matter
}

func refuse(w http.ResponseWriter, status int, code common.ProblemCode) {
	w.Header().Set("Content-Type", problem.ContentType)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(common.Problem{Type: "about:blank", Code: code, Status: int32(status), Detail: "No."})
}

var placed = time.Date(2026, 1, 15, 12, 30, 0, 0, time.UTC)

func newOrder(id int64, status orders.OrderStatus) orders.Order {
	o := orders.Order{
		ID: id, CustomerID: 1, Customer: orders.OrderCustomer{Name: "=1+1", Email: "@acme.example"}, Status: status, TotalCents: 123456,
		Items: []orders.OrderLine{
			{ProductID: 1, SKU: "DRILL-18V", Name: "+Drill \"18\", cordless", Qty: 2, UnitPriceCents: 61700, SubtotalCents: 123400},
			{ProductID: 2, SKU: "SCREW", Name: "Screw", Qty: 1, UnitPriceCents: 56, SubtotalCents: 56},
		},
		CreatedAt: common.Time{Time: placed}, UpdatedAt: common.Time{Time: placed},
	}
	if status == orders.StatusConfirmed {
		o.ConfirmedAt = &common.Time{Time: placed}
	}
	return o
}

func event(to orders.OrderStatus, caller string) orders.OrderEvent {
	return orders.OrderEvent{To: to, Caller: &caller, CallerName: new("Marco Ruiz"), CreatedAt: common.Time{Time: placed}}
}

// field returns the value of a hidden field.
func field(t *testing.T, source, name string) string {
	t.Helper()
	m := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(source)
	if m == nil {
		t.Fatalf("there is no field %s in %s", name, source)
	}
	return html.UnescapeString(m[1])
}

func TestExport(t *testing.T) {
	t.Parallel()
	answer := func(w http.ResponseWriter, c call) {
		if c.query.Get("cursor") == "" {
			reply(w, orders.OrderPage{Data: []orders.Order{newOrder(2, orders.StatusCreated)}, NextCursor: new("second")})
			return
		}
		reply(w, orders.OrderPage{Data: []orders.Order{newOrder(1, orders.StatusConfirmed)}})
	}
	for _, test := range []struct {
		lang  string
		comma rune
		rows  []string
	}{
		{"en", ',', []string{
			`2|2026-01-15 09:30:00|To confirm||||1|'=1+1|'@acme.example|DRILL-18V|'+Drill "18", cordless|2|617.00|1234.00`,
			`2|2026-01-15 09:30:00|To confirm||||1|'=1+1|'@acme.example|SCREW|Screw|1|0.56|0.56`,
			`1|2026-01-15 09:30:00|Confirmed|2026-01-15 09:30:00|||1|'=1+1|'@acme.example|DRILL-18V|'+Drill "18", cordless|2|617.00|1234.00`,
			`1|2026-01-15 09:30:00|Confirmed|2026-01-15 09:30:00|||1|'=1+1|'@acme.example|SCREW|Screw|1|0.56|0.56`,
		}},
		{"es", ';', []string{
			`2|2026-01-15 09:30:00|Por confirmar||||1|'=1+1|'@acme.example|DRILL-18V|'+Drill "18", cordless|2|617,00|1234,00`,
			`2|2026-01-15 09:30:00|Por confirmar||||1|'=1+1|'@acme.example|SCREW|Screw|1|0,56|0,56`,
			`1|2026-01-15 09:30:00|Confirmado|2026-01-15 09:30:00|||1|'=1+1|'@acme.example|DRILL-18V|'+Drill "18", cordless|2|617,00|1234,00`,
			`1|2026-01-15 09:30:00|Confirmado|2026-01-15 09:30:00|||1|'=1+1|'@acme.example|SCREW|Screw|1|0,56|0,56`,
		}},
	} {
		t.Run(test.lang, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, answer)
			d.lang = test.lang
			r, body, err := d.do(http.MethodGet, "/orders.csv?status=CREATED&cursor=stray", nil)
			if err != nil || r.StatusCode != http.StatusOK || !strings.HasPrefix(r.Header.Get("Content-Disposition"), "attachment;") {
				t.Fatalf("status %d, %v, headers %v", r.StatusCode, err, r.Header)
			}
			text, marked := strings.CutPrefix(body, "\uFEFF")
			if !marked {
				t.Error("the file does not begin with the mark of UTF-8")
			}
			in := csv.NewReader(strings.NewReader(text))
			in.Comma = test.comma
			rows, err := in.ReadAll() // fails unless all rows have as many columns as the titles
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, row := range rows[1:] {
				got = append(got, strings.Join(row, "|"))
			}
			if !slices.Equal(got, test.rows) {
				t.Errorf("rows\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.rows, "\n"))
			}
			for _, c := range d.received(http.MethodGet) {
				if c.query.Get("status") != "CREATED" || c.query.Get("limit") != "100" {
					t.Errorf("call with %v, want the filter and the largest page", c.query)
				}
			}
		})
	}
}

// An export that fails on its way must not look like a complete file.
func TestExportCut(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(w http.ResponseWriter, c call) {
		if c.query.Get("cursor") != "" {
			refuse(w, http.StatusServiceUnavailable, common.CodeUnavailable)
			return
		}
		reply(w, orders.OrderPage{Data: []orders.Order{newOrder(2, orders.StatusCreated)}, NextCursor: new("second")})
	})
	_, body, err := d.do(http.MethodGet, "/orders.csv", nil)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the download ends with %v, want that it fails", err)
	}
	lines := strings.Split(strings.TrimSpace(body), "\r\n")
	if len(lines) != 4 || !strings.HasPrefix(lines[3], "INCOMPLETE") {
		t.Errorf("the last of %d lines is %q", len(lines), lines[len(lines)-1])
	}
}

// A long export outlives its access token, but not its session.
func TestExportRenewsToken(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(w http.ResponseWriter, c call) {
		switch {
		case c.query.Get("cursor") == "":
			reply(w, orders.OrderPage{Data: []orders.Order{newOrder(2, orders.StatusCreated)}, NextCursor: new("second")})
		case c.token == "Bearer token1":
			refuse(w, http.StatusUnauthorized, common.CodeUnauthorized)
		default:
			reply(w, orders.OrderPage{Data: []orders.Order{newOrder(1, orders.StatusCreated)}})
		}
	})
	_, body, err := d.do(http.MethodGet, "/orders.csv", nil)
	if rows := strings.Count(body, "\r\n"); err != nil || rows != 5 {
		t.Errorf("%d rows, %v, want the titles and 4 lines", rows, err)
	}
}

func TestOrdersOfDays(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ query, from, to string }{
		{"from=2026-01-15&to=2026-01-15", "2026-01-15T03:00:00Z", "2026-01-16T03:00:00Z"},
		{"from=2026-07-15", "2026-07-15T04:00:00Z", ""},
		{"to=2026-12-31", "", "2027-01-01T03:00:00Z"},
		{"from=2026-09-06&to=2026-09-05", "", ""},                                         // refused
		{"from=2026-09-06&to=2026-09-06", "2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z"}, // begins at 01:00
		{"from=2026-02-30", "", ""},                                                       // refused
	} {
		t.Run(test.query, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, func(w http.ResponseWriter, _ call) { reply(w, orders.OrderPage{Data: []orders.Order{}}) })
			status := http.StatusOK
			if test.from+test.to == "" {
				status = http.StatusBadRequest
			}
			_, source := d.page(status, http.MethodGet, "/orders?"+test.query, nil)
			for _, c := range d.received(http.MethodGet) {
				if got := c.query; got.Get("from") != test.from || got.Get("to") != test.to {
					t.Errorf("orders-api was asked for %v, want from %s to %s", got, test.from, test.to)
				}
			}
			query, err := url.ParseQuery(test.query)
			if err != nil {
				t.Fatal(err)
			}
			for name := range query {
				if !strings.Contains(source, `name="`+name+`" value="`+query.Get(name)+`"`) {
					t.Errorf("the page lost %s=%s", name, query.Get(name))
				}
			}
		})
	}
}

// Without an answer, the form keeps what makes sending it again safe.
func TestConfirmUnclear(t *testing.T) {
	t.Parallel()
	var answers atomic.Bool
	d := newDesk(t, func(w http.ResponseWriter, _ call) {
		if !answers.Load() {
			refuse(w, http.StatusServiceUnavailable, common.CodeUnavailable)
			return
		}
		reply(w, newOrder(7, orders.StatusConfirmed))
	})
	_, source := d.page(http.StatusServiceUnavailable, http.MethodPost, "/orders/7/confirm", url.Values{"key": {"k1"}, "etag": {`"3"`}})
	answers.Store(true)
	r, _, err := d.do(http.MethodPost, "/orders/7/confirm", url.Values{"key": {field(t, source, "key")}, "etag": {field(t, source, "etag")}})
	if err != nil || r.StatusCode != http.StatusSeeOther {
		t.Fatalf("sent again: %d, %v", r.StatusCode, err)
	}
	for _, c := range d.received(http.MethodPost) {
		if c.path != "/orders/7/confirm" || c.key != "k1" || c.match != `"3"` {
			t.Errorf("call %+v, want the key and the ETag of the first form", c)
		}
	}
}

func TestOrderChangedMeanwhile(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(w http.ResponseWriter, c call) {
		switch {
		case c.method == http.MethodPost:
			refuse(w, http.StatusPreconditionFailed, common.CodePreconditionFailed)
		case strings.HasSuffix(c.path, "/history"):
			reply(w, orders.OrderEventPage{Data: []orders.OrderEvent{event(orders.StatusConfirmed, "user:marco")}})
		default:
			w.Header().Set("ETag", `"4"`)
			reply(w, newOrder(7, orders.StatusConfirmed))
		}
	})
	d.clock.Set(placed.Add(time.Minute))
	form := url.Values{"key": {"k1"}, "etag": {`"3"`}, "reason": {"<b>late</b>"}}
	text, source := d.page(http.StatusPreconditionFailed, http.MethodPost, "/orders/7/cancel", form)
	const want = "This order has changed since you opened it. Marco Ruiz confirmed it at 09:30. Your change was not saved. Below is the order as it is now."
	if !strings.Contains(text, want) || !strings.Contains(text, "can be canceled until 09:40") {
		t.Errorf("page %q, want the note %q and the time that is left", text, want)
	}
	if key, etag := field(t, source, "key"), field(t, source, "etag"); key == "k1" || etag != `"4"` {
		t.Errorf("the form has key %s and ETag %s, want a new key and the present ETag", key, etag)
	}
	if !strings.Contains(source, `value="&lt;b&gt;late&lt;/b&gt;"`) {
		t.Error("the page lost the reason")
	}
	d.clock.Set(placed.Add(10 * time.Minute))
	if text, source := d.page(http.StatusOK, http.MethodGet, "/orders/7", nil); strings.Contains(text, "until") || strings.Contains(source, "/orders/7/cancel") {
		t.Errorf("page %q offers to cancel after the window", text)
	}
}

func TestActionWithSeveral(t *testing.T) {
	t.Parallel()
	var answers atomic.Bool
	d := newDesk(t, func(w http.ResponseWriter, c call) {
		var id int64
		if _, err := fmt.Sscanf(c.path, "/orders/%d/", &id); err != nil {
			t.Error(err)
		}
		switch history := strings.HasSuffix(c.path, "/history"); {
		case history && id == 2:
			reply(w, orders.OrderEventPage{Data: []orders.OrderEvent{event(orders.StatusConfirmed, "user:marco")}})
		case history:
			reply(w, orders.OrderEventPage{Data: []orders.OrderEvent{event(orders.StatusConfirmed, "user:ana")}})
		case id == 3:
			refuse(w, http.StatusConflict, common.CodeOrderCanceled)
		case id == 4 && !answers.Load():
			refuse(w, http.StatusServiceUnavailable, common.CodeUnavailable)
		default:
			reply(w, newOrder(id, orders.StatusConfirmed))
		}
	})
	form := url.Values{"key": {"k"}, "action": {"confirm"}, "id": {"1", "2", "3", "4", "1", "5"}, "list": {"//evil.example"}, "since": {placed.Format(time.RFC3339)}}
	text, source := d.page(http.StatusOK, http.MethodPost, "/orders/actions", form)
	for _, want := range []string{
		"2 confirmed · 1 already confirmed · 1 refused, nothing changed · 1 without an answer",
		"Already confirmed Marco Ruiz confirmed it", "Refused The order is canceled.", "No answer There was no answer, so this may or may not have taken effect.", "Send 1 order again",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("page %q, want %q", text, want)
		}
	}
	if strings.Contains(source, "evil") {
		t.Error("the page leads to another site")
	}

	answers.Store(true)
	again := url.Values{"key": {field(t, source, "key")}, "action": {"confirm"}, "id": {field(t, source, "id")}, "since": {field(t, source, "since")}}
	if text, _ := d.page(http.StatusOK, http.MethodPost, "/orders/actions", again); !strings.Contains(text, "1 confirmed") || again.Get("id") != "4" {
		t.Errorf("page %q, after order %s was sent again", text, again.Get("id"))
	}
	keys := map[string]string{}
	for _, c := range d.received(http.MethodPost) {
		if before, ok := keys[c.path]; ok && before != c.key {
			t.Errorf("%s has key %s, after %s", c.path, c.key, before)
		}
		keys[c.path] = c.key
	}
	all := slices.Sorted(maps.Values(keys))
	if len(all) != 5 || len(slices.Compact(all)) != 5 {
		t.Errorf("keys %v, want one for each of the 5 orders", keys)
	}
}

// A reason is asked for before anything is canceled, and one that is refused comes back.
func TestCancelSeveralNeedsReason(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(w http.ResponseWriter, c call) {
		if c.method != http.MethodPost {
			reply(w, newOrder(1, orders.StatusCreated))
			return
		}
		w.Header().Set("Content-Type", problem.ContentType)
		w.WriteHeader(http.StatusBadRequest)
		fields := []common.FieldError{{Field: "reason", Message: "must not contain control characters"}}
		_ = json.NewEncoder(w).Encode(common.Problem{Code: common.CodeInvalidInput, Errors: &fields})
	})
	form := url.Values{"key": {"k"}, "action": {"cancel"}, "id": {"1"}}
	text, _ := d.page(http.StatusBadRequest, http.MethodPost, "/orders/actions", form)
	if len(d.received(http.MethodPost)) > 0 || !strings.Contains(text, "Fill this in.") {
		t.Errorf("page %q after %v, want that it asks for the reason first", text, d.received(http.MethodPost))
	}
	form.Set("reason", "a\x01b")
	text, source := d.page(http.StatusBadRequest, http.MethodPost, "/orders/actions", form)
	if !strings.Contains(text, "Must not contain control characters.") || !strings.Contains(source, "value=\"a\x01b\"") {
		t.Errorf("page %q, want what was typed and what is wrong with it", text)
	}
}
