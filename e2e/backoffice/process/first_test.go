package process

import (
	"regexp"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/backoffice/browser"
	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/program"
	"github.com/pedidos-hq/pedidos/gen/orders"
)

// TestFirstMinute does what a new user does: it opens the address that the process prints, logs in as it says, and sells something from
// the sample data. It logs the steps and the time since the start, without the time in which a person reads and decides.
func TestFirstMinute(t *testing.T) {
	t.Parallel()
	began := time.Now()
	var steps int
	step := func(what string) {
		steps++
		t.Logf("%4.1f s  %d. %s", time.Since(began).Seconds(), steps, what)
	}
	s := program.Up(t, nil, t.TempDir(), program.FreePorts()...)
	step("start it")
	found := regexp.MustCompile(`(http://\S+) +log in as (\S+) / (\S+)`).FindStringSubmatch(s.Stdout.String())
	if found == nil {
		t.Fatalf("no address, user and password in %q", s.Stdout)
	}
	tab := browser.OpenAt(t, found[1], browser.As{})
	tab.Go("/")
	step("open the address")
	tab.Fill("username", found[2])
	tab.Fill("password", found[3])
	tab.Press("Log in")
	step("log in")
	tab.Click("Place an order")
	tab.Await(`document.querySelector("[name=customer]")`)
	step("press Place an order")
	tab.Fill("customer", "acme")
	tab.Await(`document.querySelector("#customers option")`)
	step("type a part of the customer's name")
	tab.SetValue("[name=customer]", browser.Eval[string](tab, `document.querySelector("#customers option").value`))
	step("choose the customer")
	tab.Fill("add", "DRILL-18V")
	tab.Click("Add")
	tab.Await(`document.querySelector("table.draft [name^=qty]")`)
	step("add a product")
	tab.Click("Place and confirm")
	tab.Await(`document.querySelector("h1 .st.good")`)
	step("press Place and confirm")
	all := s.Login(t, call.LocalPassword).AllOrders(t, 0)
	if len(all) != 1 || all[0].Status != orders.StatusConfirmed {
		t.Errorf("orders %+v, want one that is confirmed", all)
	}
}
