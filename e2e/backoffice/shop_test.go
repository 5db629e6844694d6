package backoffice

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/backoffice/browser"
	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/gen/orders"
)

// markup is a name that would be markup if a page did not escape it.
const markup = `<img src=x onerror=alert(1)>"'&`

// newShop returns a world with the backoffice, and one of everything, with markup wherever a person types.
func newShop(t *testing.T) (w *world.World, s *call.Client) {
	t.Helper()
	w = world.New(t, world.Options{Backoffice: true})
	s = w.Login("admin")
	var customer customers.Customer
	call.Read(s.Customers.CreateCustomer(t.Context(), nil, customers.CustomerInput{Name: markup, Email: "a@example.com", Phone: new("<b>11</b>")})).
		Want(t, http.StatusCreated, &customer)
	var product orders.Product
	call.Read(s.Orders.CreateProduct(t.Context(), nil, orders.ProductInput{SKU: "DRILL", Name: markup, PriceCents: 129900, Stock: 10, ReorderLevel: 20})).
		Want(t, http.StatusCreated, &product)
	s.ChangeProduct(t, product.ID, orders.ProductChange{StockDelta: new(int64(-1)), Reason: new(markup)})
	for range 3 {
		s.CreateOrder(t, customer.ID, product.ID, 1)
	}
	s.ConfirmOrder(t, 2, "confirm")
	call.Read(s.Orders.CancelOrder(t.Context(), 3, nil, orders.Cancellation{Reason: new(markup)})).Want(t, http.StatusOK)
	call.Read(s.Orders.CreateProduct(t.Context(), nil, orders.ProductInput{SKU: "OLD", Name: markup, PriceCents: 100})).Want(t, http.StatusCreated)
	s.ChangeProduct(t, 2, orders.ProductChange{Archived: new(true)})
	call.Read(s.Customers.CreateSession(t.Context(), &customers.CreateSessionParams{UserAgent: new(markup)},
		customers.Credentials{Username: "admin", Password: w.Password()})).Want(t, http.StatusCreated)
	call.Read(s.Customers.CreateIntegrator(t.Context(), nil, customers.IntegratorInput{Name: markup, Role: customers.RoleViewer})).Want(t, http.StatusCreated)
	call.Read(s.Customers.CreateKey(t.Context(), 1, nil, customers.KeyInput{Name: markup})).Want(t, http.StatusCreated)
	call.Read(s.Customers.CreateUser(t.Context(), nil, customers.UserInput{Username: "x", Name: markup, Role: customers.RoleManager})).Want(t, http.StatusCreated)
	return w, s
}

// visitor opens pages without a browser.
type visitor struct {
	t      testing.TB
	base   string
	cookie string // of the session; may be empty
	header []string
}

func visit(t testing.TB, w *world.World, role string, header ...string) *visitor {
	t.Helper()
	v := &visitor{t: t, base: w.BackofficeURL, header: header}
	if role != "" {
		v.cookie = "pedidos_session=" + browser.Session(t, w, role).Token
	}
	return v
}

// direct follows no redirects.
var direct = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }} //nolint:gochecknoglobals // like http.DefaultClient

func (v *visitor) send(method, path string, form url.Values, headers ...string) call.Response {
	v.t.Helper()
	r := v.try(method, path, form, headers...)
	if r.Err != nil {
		v.t.Fatal(r)
	}
	return r
}

// try is send for other goroutines than that of the test.
func (v *visitor) try(method, path string, form url.Values, headers ...string) call.Response {
	headers = append(headers, v.header...)
	if v.cookie != "" {
		headers = append(headers, "Cookie", v.cookie)
	}
	if form != nil {
		headers = append(headers, "Content-Type", "application/x-www-form-urlencoded")
	}
	return call.Try(v.t.Context(), direct, method, v.base+path, strings.NewReader(form.Encode()), headers...)
}

func (v *visitor) get(path string, headers ...string) call.Response {
	v.t.Helper()
	return v.send(http.MethodGet, path, nil, headers...)
}

func (v *visitor) post(path string, form url.Values, headers ...string) call.Response {
	v.t.Helper()
	if form == nil {
		form = url.Values{}
	}
	return v.send(http.MethodPost, path, form, headers...)
}

// page fails the test unless a response is a page with the status.
func page(t testing.TB, r call.Response, status int) string {
	t.Helper()
	if r.Status != status || r.Header.Get("Content-Type") != "text/html; charset=UTF-8" {
		t.Fatalf("got %s %v, want a page with %d", r, r.Header, status)
	}
	return string(r.Body)
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)

// hiddenFields returns the hidden fields of the form that posts to an action.
func hiddenFields(t testing.TB, html, action string) url.Values {
	t.Helper()
	_, rest, ok := strings.Cut(html, fmt.Sprintf(`action="%s"`, action))
	if !ok {
		t.Fatalf("no form posts to %s: %s", action, html)
	}
	form, _, _ := strings.Cut(rest, "</form>")
	fields := url.Values{}
	for _, found := range hidden.FindAllStringSubmatch(form, -1) {
		fields.Add(found[1], strings.NewReplacer("&#34;", `"`, "&amp;", "&", "&#39;", "'", "&lt;", "<", "&gt;", ">").Replace(found[2]))
	}
	return fields
}

// with returns the fields with others added, as alternating names and values.
func with(fields url.Values, pairs ...string) url.Values {
	all := url.Values{}
	for name, values := range fields {
		all[name] = values
	}
	for i := 0; i < len(pairs); i += 2 {
		all.Set(pairs[i], pairs[i+1])
	}
	return all
}
