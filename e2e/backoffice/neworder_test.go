package backoffice

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/backoffice/browser"
	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/orders"
)

// counter is a shop with one customer and two products, and the form for new orders, as a browser without JavaScript has it.
type counter struct {
	*visitor
	world    *world.World
	api      *call.Client
	customer int64
	saw      int64 // has 10 units at 1000
	drill    int64 // has 5 units at 300
	form     url.Values
	html     string
}

func newCounter(t *testing.T) *counter {
	t.Helper()
	w := world.New(t, world.Options{Backoffice: true})
	s := w.Login("admin")
	c := &counter{
		visitor: visit(t, w, "operator"), world: w, api: s, customer: s.CreateCustomer(t, "acme@example.com").ID,
		saw: s.CreateProduct(t, "SAW-190", 1000, 10).ID, drill: s.CreateProduct(t, "DRILL-18V", 300, 5).ID,
	}
	c.open("/orders/new")
	return c
}

// open opens the form at a path.
func (c *counter) open(path string) {
	c.t.Helper()
	c.form = url.Values{}
	c.read(page(c.t, c.get(path), http.StatusOK))
}

// read reads the form of a page. What is typed stays, as tests look for it in the page.
func (c *counter) read(body string) {
	c.t.Helper()
	c.html = body
	fields := hiddenFields(c.t, body, "/orders/new")
	for _, tag := range strings.Split(body, "<input")[1:] {
		tag, _, _ = strings.Cut(tag, ">")
		name, value := attribute(tag, "name"), attribute(tag, "value")
		if name == "customer" || name == "add" || strings.HasPrefix(name, "qty.") {
			fields.Set(name, value)
		}
	}
	_, area, _ := strings.Cut(body, "<textarea")
	_, area, _ = strings.Cut(area, ">")
	area, _, _ = strings.Cut(area, "</textarea>")
	fields.Set("paste", html.UnescapeString(area))
	c.form = fields
}

func attribute(tag, name string) string {
	_, rest, _ := strings.Cut(tag, " "+name+`="`)
	value, _, _ := strings.Cut(rest, `"`)
	return html.UnescapeString(value)
}

// press types into the form, presses one of its buttons, and reads the form that comes back with a status.
func (c *counter) press(status int, button, value string, typed ...string) {
	c.t.Helper()
	c.read(page(c.t, c.post("/orders/new", with(with(c.form, typed...), button, value)), status))
}

// place presses a button that places an order, and returns the path of the order.
func (c *counter) place(do string, typed ...string) string {
	c.t.Helper()
	r := c.post("/orders/new", with(with(c.form, typed...), "do", do))
	if r.Status != http.StatusSeeOther {
		c.t.Fatalf("%s: got %s, want 303", do, r)
	}
	path, _, _ := strings.Cut(r.Header.Get("Location"), "?")
	return path
}

// wants fails the test unless the page has all texts.
func (c *counter) wants(texts ...string) {
	c.t.Helper()
	for _, text := range texts {
		if !strings.Contains(html.UnescapeString(c.html), text) {
			c.t.Errorf("the page lacks %q:\n%s", text, c.html)
		}
	}
}

// qty returns the name of the field with the units of a product.
func qty(product int64) string { return "qty." + strconv.FormatInt(product, 10) }

func TestOneFormIsOneOrder(t *testing.T) {
	t.Parallel()
	for _, presses := range [][]string{
		{"place", "place"},
		{"confirm", "confirm"},
		{"place", "confirm"},
		{"confirm", "place"},
		{"place", "confirm", "place"},
	} {
		t.Run(strings.Join(presses, " "), func(t *testing.T) {
			t.Parallel()
			c := newCounter(t)
			c.press(http.StatusOK, "do", "refresh", "customer", "acme@example.com", "add", "SAW-190 2")
			c.press(http.StatusOK, "do", "refresh", "add", "DRILL-18V")
			for _, do := range presses {
				if path := c.place(do); path != "/orders/1" {
					t.Errorf("%s leads to %s, want /orders/1", do, path)
				}
			}
			c.api.WantOrders(t, 1)
			c.api.WantStock(t, c.saw, 8)
			order, want := c.api.GetOrder(t, 1), orders.StatusCreated
			if slices.Contains(presses, "confirm") {
				want = orders.StatusConfirmed
			}
			if order.Status != want || order.TotalCents != 2300 || order.CustomerID != c.customer {
				t.Errorf("got the order %+v, want %s of 2300 for customer %d", order, want, c.customer)
			}
		})
	}
}

// TestOrderAfterNoAnswer checks that an order whose outcome is not known is placed once, whichever button is pressed afterwards.
func TestOrderAfterNoAnswer(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	c.press(http.StatusOK, "do", "refresh", "customer", "acme@example.com", "add", "SAW-190 2")
	key := c.form.Get("key")
	c.world.Pause("orders")
	for _, do := range []string{"place", "confirm"} {
		c.press(http.StatusServiceUnavailable, "do", do)
		c.wants("this may or may not have taken effect", "SAW-190")
		if c.form.Get("key") != key || c.form.Get(qty(c.saw)) != "2" {
			t.Fatalf("got the form %v, want the key %s and 2 units as before", c.form, key)
		}
	}
	c.press(http.StatusOK, "do", "refresh", "add", "DRILL-18V")
	c.wants("Nothing you typed is lost", `value="DRILL-18V"`)
	c.world.Resume("orders")
	call.Eventually(t, "orders-api is called again", func() bool {
		return c.post("/orders/new", with(c.form, "add", "", "do", "place")).Status == http.StatusSeeOther
	})
	c.place("confirm", "add", "")
	c.api.WantOrders(t, 1)
	if status := c.api.GetOrder(t, 1).Status; status != orders.StatusConfirmed {
		t.Errorf("the order is %s, want CONFIRMED", status)
	}
}

func TestNewOrderRefused(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	c.press(http.StatusOK, "do", "refresh", "customer", "acme@example.com", "add", "SAW-190 2")
	c.press(http.StatusOK, "do", "refresh", "add", "DRILL-18V")
	ready := c.form
	for name, test := range map[string]struct {
		typed  []string
		status int
		want   []string
	}{
		"no customer":           {[]string{"customer", ""}, http.StatusBadRequest, []string{"Choose the customer."}},
		"unknown customer":      {[]string{"customer", "nobody"}, http.StatusBadRequest, []string{"No customer has “nobody”", `value="nobody"`}},
		"deleted customer":      {[]string{"customer", "Ana", "known", "99 Ana"}, http.StatusNotFound, []string{"does not exist, or was deleted"}},
		"no units":              {[]string{qty(c.saw), ""}, http.StatusBadRequest, []string{"The units are missing."}},
		"half a unit":           {[]string{qty(c.saw), "1.5"}, http.StatusBadRequest, []string{"whole number from 1 to 1,000,000", `value="1.5"`}},
		"too many units":        {[]string{qty(c.saw), "1000001"}, http.StatusBadRequest, []string{"whole number from 1 to 1,000,000"}},
		"two short lines":       {[]string{qty(c.saw), "11", qty(c.drill), "6"}, http.StatusConflict, []string{"Only 10 in stock.", "Only 5 in stock.", `value="11"`}},
		"a product to be added": {[]string{"add", "SAW-190"}, http.StatusOK, []string{"The order is not placed yet."}},
		"a product to choose":   {[]string{"add", "9"}, http.StatusBadRequest, []string{"Which one?", `name="line"`}},
		"unknown product":       {[]string{"add", "NOPE"}, http.StatusBadRequest, []string{"No product has “NOPE”", `value="NOPE"`}},
		"lines that are wrong":  {[]string{"paste", "NOPE\t1"}, http.StatusBadRequest, []string{"There is no product with the SKU NOPE."}},
	} {
		for _, do := range []string{"place", "confirm"} {
			c.form = with(ready, "key", strings.ReplaceAll(name+" "+do, " ", "-"))
			key := c.form.Get("key")
			c.press(test.status, "do", do, test.typed...)
			c.wants(test.want...)
			if test.status == http.StatusConflict && c.form.Get("key") == key {
				t.Errorf("%s, %s: the form keeps its key after a refusal", name, do)
			}
		}
	}
	c.api.WantOrders(t, 0)
	c.api.WantStock(t, c.saw, 10)

	// Other content under the same key is not taken for the order that was placed.
	c.form = ready
	c.place("place")
	c.press(http.StatusUnprocessableEntity, "do", "place", qty(c.saw), "3")
	c.wants("sent before, with other content")
	c.api.WantOrders(t, 1)
}

func TestArchivedProductInNewOrder(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	c.api.CreateOrder(t, c.customer, c.saw, 1, c.drill, 2)
	c.press(http.StatusOK, "do", "refresh", "customer", "acme@example.com", "add", "SAW-190")
	c.api.ChangeProduct(t, c.saw, orders.ProductChange{Archived: new(true)})
	c.press(http.StatusConflict, "do", "place")
	c.wants("SAW-190 is archived and can't be ordered.")
	c.press(http.StatusOK, "remove", strconv.FormatInt(c.saw, 10))
	c.press(http.StatusOK, "do", "refresh", "add", "SAW-190")
	c.wants("SAW-190 is archived and can't be ordered.")
	c.api.WantOrders(t, 1)

	c.open("/orders/new?from=1")
	c.wants("Filled in from order 1", "SAW-190 is archived and was left out.")
	c.place("place")
	items := c.api.GetOrder(t, 2).Items
	if len(items) != 1 || items[0].ProductID != c.drill || items[0].Qty != 2 {
		t.Errorf("got the lines %+v, want 2 of product %d", items, c.drill)
	}
}

func TestPastedLines(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	for name, test := range map[string]struct {
		pasted     string
		saw, drill string
		left       string
		want       []string
	}{
		"tabs":         {pasted: "SAW-190\t3\r\nDRILL-18V\t1\r\n", saw: "3", drill: "1"},
		"semicolons":   {pasted: "SAW-190;3\n\n DRILL-18V ; 1 ", saw: "3", drill: "1"},
		"commas":       {pasted: "SAW-190,3\nDRILL-18V, 1", saw: "3", drill: "1"},
		"spaces":       {pasted: "SAW-190   3\nDRILL-18V 1", saw: "3", drill: "1"},
		"twice":        {pasted: "SAW-190 3\nSAW-190 4", saw: "7"},
		"unknown":      {pasted: "SAW-190 3\nNOPE 1\n<b>x</b> 2", saw: "3", left: "NOPE 1\n<b>x</b> 2", want: []string{"no product with the SKU NOPE", "Line 2"}},
		"bad units":    {pasted: "SAW-190 1,5\nDRILL-18V 2\nSAW-190\nSAW-190 -1", drill: "2", left: "SAW-190 1,5\nSAW-190\nSAW-190 -1", want: []string{"whole number", "The units are missing."}},
		"another case": {pasted: "saw-190 3", left: "saw-190 3", want: []string{"no product with the SKU saw-190"}},
		"too many":     {pasted: strings.Repeat("SAW-190 1\n", 101), saw: "100", left: "SAW-190 1", want: []string{"at most 100 lines", "1 line is still in the box. Correct or remove:"}},
		"all unknown": {
			pasted: strings.Repeat("NOPE 1\n", 300), left: strings.TrimSpace(strings.Repeat("NOPE 1\n", 300)),
			want: []string{"300 lines are still in the box. Correct or remove them. The first 100 are:"},
		},
	} {
		c.open("/orders/new")
		c.press(http.StatusOK, "do", "refresh", "paste", test.pasted)
		c.wants(test.want...)
		if saw, drill, left := c.form.Get(qty(c.saw)), c.form.Get(qty(c.drill)), c.form.Get("paste"); saw != test.saw || drill != test.drill || left != test.left {
			t.Errorf("%s: got %q saws and %q drills, and %q is left; want %q, %q and %q", name, saw, drill, left, test.saw, test.drill, test.left)
		}
	}
	c.api.WantOrders(t, 0)
}

// TestSuggestions checks what a form answers that sends itself as it is filled in.
func TestSuggestions(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	c.read(page(t, c.post("/orders/new", with(c.form, "customer", "acm", "add", "dri", "paste", "SAW-190 1")), http.StatusOK))
	c.wants("<acme@example.com>", `<option value="DRILL-18V">`)
	if len(c.form["product"]) != 0 || c.form.Get("paste") != "SAW-190 1" || c.form.Get("add") != "dri" || c.form.Get("customer") != "acm" {
		t.Errorf("got the form %v, want what was typed and no lines", c.form)
	}
	c.press(http.StatusOK, "line", strconv.FormatInt(c.drill, 10)+" DRILL-18V")
	if c.form.Get(qty(c.drill)) != "1" || c.form.Get("add") != "" {
		t.Errorf("got the form %v, want one drill", c.form)
	}
}

// TestTypingAnOrder types an order with the keyboard alone, while the form sends itself. Enter adds, and never places the order.
func TestTypingAnOrder(t *testing.T) {
	t.Parallel()
	w := world.New(t, world.Options{Backoffice: true})
	s := w.Login("admin")
	s.CreateCustomer(t, "acme@example.com")
	s.CreateCustomer(t, "other@example.com")
	saw := s.CreateProduct(t, "SAW-190", 1000, 10).ID
	tab := browser.Open(t, w, browser.As{Role: "operator"})
	tab.Go("/orders/new")
	tab.Fill("customer", "acme")
	tab.Await(`document.querySelector("#customers option")?.value.includes("<acme@example.com>")`)
	if typed := tab.Value("customer"); typed != "acme" {
		t.Errorf("what was typed becomes %q", typed)
	}
	browser.Eval[string](tab, `document.querySelector("#customer").value = ""`)
	tab.Fill("customer", "acme\r")
	tab.Await(`document.querySelector("#customer").value.includes("<acme@example.com>")`)
	tab.Fill("add", "SAW-190\r")
	tab.Await(`document.querySelector("#lines input.num")?.value === "1" && document.querySelector("#add").value === ""`)
	if at := browser.Eval[string](tab, `document.activeElement.id`); at != "add" {
		t.Errorf("after a line is added, the focus is in %q, want add", at)
	}
	tab.Fill(qty(saw), "11")
	tab.Await(`document.querySelector("#lines .error")?.textContent === "Only 10 in stock."`)
	tab.Want("#sum", "$110.00", "11 units")
	tab.Fill(qty(saw), "4\r")
	tab.Await(`document.querySelector("#sum b").textContent === "$40.00"`)
	s.WantOrders(t, 0)
	if path := tab.Path(); path != "/orders/new" {
		t.Errorf("the path is %s, want /orders/new", path)
	}
	tab.Press("Place and confirm")
	if path := tab.Path(); path != "/orders/1?done=order-placed-confirmed" {
		t.Errorf("the order leads to %s", path)
	}
	browser.Eval[bool](tab, `setTimeout(() => history.back()) > 0`)
	tab.Await(`location.pathname === "/orders/new" && document.querySelector("#lines input.num")?.value === "4"`)
	browser.Eval[bool](tab, `document.querySelector("[value=place]").click() || true`)
	tab.Await(`location.search === "?done=order-placed"`)
	s.WantOrders(t, 1)
	s.WantStock(t, saw, 6)
}

// TestRefusedOrderLooks checks an order with everything that can be wrong or to be chosen, as TestLooks checks the pages.
func TestRefusedOrderLooks(t *testing.T) {
	t.Parallel()
	source := axeSource(t)
	w, s := newShop(t)
	s.CreateCustomer(t, "b@example.com")
	for _, as := range []browser.As{{Role: "admin", Width: 360}, {Role: "admin", Dark: true, Language: "es"}} {
		tab := browser.Open(t, w, as)
		tab.Go("/orders/new?from=1")
		tab.Fill(qty(1), "100")
		tab.Await(`document.querySelector("#lines .error")`)
		browser.Eval[string](tab, `document.querySelector("#customer").value = "example"`)
		browser.Eval[string](tab, `document.querySelector("#paste").value = "NOPE 1\nDRILL x"`)
		tab.Fill("add", "ril\r")
		tab.Await(`document.querySelectorAll(".choices").length === 2 && document.querySelector("#pasted li")`)
		tab.CheckWidth()
		tab.Keep(fmt.Sprintf("order-refused-%d", as.Width))
		checkAxe(t, tab, source)
		if got := tab.Text("#pasted"); !strings.Contains(got, "NOPE 1") {
			t.Errorf("the page shows %q of what was pasted, want NOPE 1", got)
		}
	}
	s.WantOrders(t, 3)
}
