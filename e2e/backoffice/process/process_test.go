// Package process opens the pages of a real `pedidos up`: for the first time, and while it is killed.
//
// Run it with -count=1: Go's test cache does not notice that the executable has changed.
package process

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/backoffice/browser"
	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/program"
	"github.com/pedidos-hq/pedidos/e2e/wire"
	"github.com/pedidos-hq/pedidos/gen/customers"
)

func TestMain(m *testing.M) {
	os.Exit(browser.Main(func() int { return program.Main(m) }))
}

// shop is a process that is killed, with the wire between it and the browser.
type shop struct {
	*program.Shop
	client *call.Client
	folder string
	ports  []string
	wire   *wire.Wire
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{folder: t.TempDir(), ports: append(program.FixedPorts(t), "--no-seed")}
	s.start(t)
	s.wire = wire.New(t, strings.TrimPrefix(s.Backoffice, "http://"))
	s.client.CreateCustomer(t, "acme@example.com")
	s.client.CreateProduct(t, "DRILL", 129900, 100)
	return s
}

// start starts the process on the same folder and ports as before.
func (s *shop) start(t *testing.T) {
	t.Helper()
	s.Shop = program.Up(t, nil, s.folder, s.ports...)
	s.client = s.Login(t, call.LocalPassword)
}

// form is a form that creates something.
type form struct {
	fill   func(*browser.Tab)
	button string
	count  func(*testing.T, *shop) int // of what the form creates
}

func order() form {
	return form{
		func(tab *browser.Tab) {
			tab.Go("/orders/new?customer=1")
			tab.Fill("add", "DRILL")
			tab.Click("Add")
			tab.Await(`document.querySelector("table.draft [name^=qty]") !== null`)
			tab.SetValue("table.draft [name^=qty]", "2")
		},
		"Place order",
		func(t *testing.T, s *shop) int { return len(s.client.AllOrders(t, 0)) },
	}
}

// keyOfForm is an expression for the idempotency key of the form of a page.
const keyOfForm = `document.querySelector("[name=key]").value`

func customer() form {
	return form{
		func(tab *browser.Tab) {
			tab.Go("/customers/new")
			tab.Fill("name", "Ferretería Norte")
			tab.Fill("email", "norte@example.com")
		},
		"Create customer",
		func(t *testing.T, s *shop) int {
			var page customers.CustomerPage
			call.Read(s.client.Customers.ListCustomers(t.Context(), nil)).Want(t, http.StatusOK, &page)
			for _, c := range page.Data {
				if c.Email == "norte@example.com" { // so that the next one can have the address
					s.client.ChangeCustomer(t, c.ID, customers.CustomerChange{Name: &c.Name, Email: new(fmt.Sprintf("norte-%d@example.com", c.ID))})
				}
			}
			return len(page.Data)
		},
	}
}

// TestKill kills the process before a form arrives, or after it has taken effect and before the browser has the answer, and restarts it.
// Whether the person then reloads the page, or goes back and presses the button again, the form takes effect once.
func TestKill(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	for _, test := range []struct {
		name           string
		form           form
		noScript, lost bool // lost before it arrives
		back           bool // and press the button again, instead of reload
	}{
		{name: "order, reload", form: order()},
		{name: "order, back", form: order(), back: true},
		{name: "order, lost, reload", form: order(), lost: true},
		{name: "order, lost, back", form: order(), lost: true, back: true},
		{name: "order, no script, reload", form: order(), noScript: true},
		{name: "order, no script, back", form: order(), noScript: true, back: true},
		{name: "customer, reload", form: customer()},
		{name: "customer, lost, reload", form: customer(), lost: true},
		{name: "customer, no script, reload", form: customer(), noScript: true},
	} {
		tab := browser.OpenAt(t, "http://"+s.wire.Addr(), browser.As{NoScript: test.noScript})
		tab.Mute = true // the browser reports the connection that was lost
		tab.Go("/login")
		tab.Fill("username", "admin")
		tab.Fill("password", call.LocalPassword)
		tab.Press("Log in")
		before := test.form.count(t, s)
		test.form.fill(tab)
		key := browser.Eval[string](tab, keyOfForm)

		if test.lost {
			s.wire.Inject(t, wire.Silent())
		} else {
			s.wire.Inject(t, wire.Unheard())
		}
		tab.Send(test.form.button)
		if !test.lost {
			call.Eventually(t, test.name+": the effect", func() bool { return test.form.count(t, s) == before+1 })
		}
		s.Kill(t)
		s.wire.Heal(t)
		tab.Await(`location.protocol === "chrome-error:"`)
		s.start(t)
		want := before
		if !test.lost {
			want++
		}
		if got := test.form.count(t, s); got != want {
			t.Errorf("%s: %d after the restart, want %d", test.name, got, want)
		}

		if test.back {
			tab.Back()
			if test.noScript { // the browser shows the form as it was first opened, without the lines that were added
				tab.Await(`location.pathname === "/orders/new"`)
				if got := browser.Eval[string](tab, keyOfForm); got != key {
					t.Errorf("%s: the form has the key %s, want %s, so that it is still the same order", test.name, got, key)
				}
				continue
			}
			tab.Send(test.form.button)
		} else {
			tab.Reload()
		}
		tab.Await(`/^.(orders|customers).[0-9]+$/.test(location.pathname)`)
		if got := test.form.count(t, s); got != before+1 {
			t.Errorf("%s: %d after the form was sent again, want %d", test.name, got, before+1)
		}
	}
	s.client.WantStock(t, 1, 100-2*int64(len(s.client.AllOrders(t, 0))))
}
