package backoffice

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/backoffice/browser"
	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/gen/orders"
)

// words are the labels that the flows press, in one language.
type words struct {
	language, login, newCustomer, createCustomer, add, place, placeAndConfirm, confirm, cancelOrder, adjust, save, logout string
}

func bothLanguages() []words {
	return []words{
		{"en", "Log in", "New customer", "Create customer", "Add", "Place order", "Place and confirm", "Confirm", "Cancel order", "Adjust stock", "Save", "Log out"},
		{"es", "Iniciar sesión", "Nuevo cliente", "Crear cliente", "Agregar", "Hacer el pedido", "Hacer y confirmar", "Confirmar", "Cancelar pedido", "Ajustar stock", "Guardar", "Cerrar sesión"},
	}
}

// everyWay runs a flow with and without JavaScript, in both languages.
func everyWay(t *testing.T, flow func(t *testing.T, as browser.As, w words)) {
	for _, words := range bothLanguages() {
		for _, without := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, script %t", words.language, !without), func(t *testing.T) {
				t.Parallel()
				flow(t, browser.As{Language: words.language, NoScript: without, Width: map[bool]int{false: 1280, true: 360}[without]}, words)
			})
		}
	}
}

func TestLogInAndCreateCustomer(t *testing.T) {
	t.Parallel()
	everyWay(t, func(t *testing.T, as browser.As, say words) {
		w := world.New(t, world.Options{Backoffice: true})
		s := w.Login("admin")
		tab := browser.Open(t, w, as)
		tab.Go("/customers/new")
		tab.Fill("username", "admin")
		tab.Fill("password", w.Password())
		tab.Press(say.login)
		tab.Want("h1", say.newCustomer) // the page that was asked for

		tab.Fill("name", "Ferretería Norte")
		tab.Fill("email", "norte@example.com")
		tab.Fill("phone", "11")
		s.CreateCustomer(t, "norte@example.com") // somebody was faster
		tab.Await(`document.querySelector("[name=key]").value !== ""`)
		key := tab.Value("key")
		if status := tab.Press(say.createCustomer); status != http.StatusConflict {
			t.Errorf("an address that is taken: got %d", status)
		}
		tab.Want("#email-help", map[string]string{"en": "Another customer has it.", "es": "Ya está en uso."}[say.language])
		if tab.Value("name") != "Ferretería Norte" || tab.Value("phone") != "11" || tab.Value("key") == key {
			t.Errorf("after the refusal: name %q, phone %q, key %q, want what was typed and a new key", tab.Value("name"), tab.Value("phone"), tab.Value("key"))
		}
		tab.Fill("email", "una@example.com")
		tab.Press(say.createCustomer)
		tab.Want("h1", "Ferretería Norte")
		wantCustomers(t, s, 2)
	})
}

func TestSellFlow(t *testing.T) {
	t.Parallel()
	everyWay(t, func(t *testing.T, as browser.As, say words) {
		w := world.New(t, world.Options{Backoffice: true})
		s := w.Login("admin")
		s.CreateCustomer(t, "acme@example.com")
		drill := s.CreateProduct(t, "DRILL", 129900, 5)
		as.Role = "operator"
		tab := browser.Open(t, w, as)

		place := func(sku, qty, button string) {
			t.Helper()
			tab.Go("/orders/new?customer=1")
			tab.Fill("add", sku)
			tab.Click(say.add)
			tab.Await(`document.querySelector("table.draft input[name^=qty]") !== null`)
			tab.SetValue(`table.draft input[name^=qty]`, qty)
			tab.Click(button)
		}
		place("DRILL", "9", say.place) // more than there is
		tab.Await(`document.querySelector("#form-note") && document.querySelector("table.draft .error")?.checkVisibility()`)
		tab.Want("table.draft .error", "5")
		s.WantOrders(t, 0)
		tab.SetValue(`table.draft input[name^=qty]`, "2")
		tab.Click(say.place)
		tab.Await(`location.pathname === "/orders/1"`)
		s.WantStock(t, drill.ID, 3)

		// Confirm, and then cancel with a reason.
		tab.Click(say.confirm)
		tab.Await(`document.querySelector("h1 .st.good") !== null`)
		if got := s.GetOrder(t, 1).Status; got != orders.StatusConfirmed {
			t.Errorf("the order is %s, want CONFIRMED", got)
		}
		tab.Go("/orders/1/cancel")
		tab.Fill("reason", "the customer changed its mind")
		tab.Click(say.cancelOrder)
		tab.Await(`location.pathname === "/orders/1"`)
		canceled := s.GetOrder(t, 1)
		if canceled.Status != orders.StatusCanceled || canceled.CancelReason == nil || *canceled.CancelReason != "the customer changed its mind" {
			t.Errorf("got %+v, want it canceled with the reason", canceled)
		}
		s.WantStock(t, drill.ID, 5)

		place("DRILL", "1", say.placeAndConfirm)
		tab.Await(`location.pathname === "/orders/2"`)
		if got := s.GetOrder(t, 2).Status; got != orders.StatusConfirmed {
			t.Errorf("placed and confirmed: the order is %s", got)
		}
		s.WantOrders(t, 2)

		// The stock is adjusted by an operator, with a reason.
		tab.Go("/products/1/stock")
		tab.Fill("stock_delta", "+12")
		tab.Fill("reason", "delivery")
		tab.Click(say.adjust)
		tab.Await(`location.pathname === "/products/1"`)
		s.WantStock(t, drill.ID, 16)
	})
}

// An order that somebody else has changed is shown again, with what happened, and nothing of this person is saved.
func TestOrderChangedMeanwhile(t *testing.T) {
	t.Parallel()
	w := world.New(t, world.Options{Backoffice: true})
	s := w.Login("admin")
	buyer, p := s.CreateCustomer(t, "acme@example.com"), s.CreateProduct(t, "DRILL", 100, 5)
	s.CreateOrder(t, buyer.ID, p.ID, 1)
	tab := browser.Open(t, w, browser.As{Role: "operator"})
	tab.Go("/orders/1/cancel")
	tab.Fill("reason", "a mistake")
	s.ConfirmOrder(t, 1, "meanwhile")
	if status := tab.Press("Cancel order"); status != http.StatusPreconditionFailed {
		t.Errorf("got %d, want 412", status)
	}
	tab.Want("main", "This order has changed since you opened it.", "confirmed it at", "Your change was not saved")
	if got := s.GetOrder(t, 1).Status; got != orders.StatusConfirmed {
		t.Errorf("the order is %s, want CONFIRMED", got)
	}
}

// Two clicks at once are one customer.
func TestPressedTwice(t *testing.T) {
	t.Parallel()
	w := world.New(t, world.Options{Backoffice: true})
	s := w.Login("admin")
	for _, without := range []bool{false, true} {
		tab := browser.Open(t, w, browser.As{Role: "manager", NoScript: without})
		tab.Go("/customers/new")
		tab.Fill("name", "Twice")
		tab.Fill("email", fmt.Sprintf("twice-%t@example.com", without))
		browser.Eval[bool](tab, `(b => { b.click(); b.click(); return true })(document.querySelector("main form.panel button"))`)
		tab.Await(`document.querySelector("h1")?.textContent.trim() === "Twice"`)
	}
	wantCustomers(t, s, 2)
}

func TestSessionEndsWhileTypingInABrowser(t *testing.T) {
	t.Parallel()
	everyWay(t, func(t *testing.T, as browser.As, say words) {
		w := world.New(t, world.Options{Backoffice: true})
		s := w.Login("admin")
		as.Role = "manager"
		tab := browser.Open(t, w, as)
		tab.Go("/customers/new")
		tab.Fill("name", "Kept")
		tab.Fill("email", "kept@example.com")
		tab.EndSession()
		if status := tab.Press(say.createCustomer); status != http.StatusUnauthorized {
			t.Errorf("after the end of the session: got %d, want the login with 401", status)
		}
		tab.Fill("username", "manager")
		tab.Fill("password", browser.Password)
		tab.Press(say.login)
		wantCustomers(t, s, 0)
		browser.Eval[bool](tab, `document.querySelector("main form.panel button").click() || true`)
		tab.Await(`document.querySelector("h1")?.textContent.trim() === "Kept"`)
		wantCustomers(t, s, 1)
	})
}

// Team: a user is created, sets a password with the link, and logs in.
func TestNewColleague(t *testing.T) {
	t.Parallel()
	w := world.New(t, world.Options{Backoffice: true})
	s := w.Login("admin")
	var made customers.UserSetup
	call.Read(s.Customers.CreateUser(t.Context(), nil, customers.UserInput{Username: "ana", Name: "Ana", Role: customers.RoleOperator})).Want(t, http.StatusCreated, &made)
	tab := browser.Open(t, w, browser.As{})
	tab.Go("/setup#" + *made.SetupToken)
	if got := tab.Value("token"); got != *made.SetupToken {
		t.Errorf("the link fills in %q", got)
	}
	tab.Fill("password", browser.Password)
	browser.Eval[bool](tab, `document.querySelector("main form.panel button").click() || true`)
	tab.Await(`location.pathname === "/login"`)
	tab.Fill("username", "ana")
	tab.Fill("password", browser.Password)
	tab.Press("Log in")
	tab.Want(".me", "Ana")
	tab.Want(".nav", "Orders")
}
