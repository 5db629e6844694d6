package sdk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/backoffice/browser"
	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/document"
	"github.com/pedidos-hq/pedidos/e2e/world"
	pedidos "github.com/pedidos-hq/pedidos/sdk/go"
)

func newClient(t *testing.T, config pedidos.Config) *pedidos.Client {
	t.Helper()
	c, err := pedidos.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// newAdmin returns a client of the administrator.
func newAdmin(t *testing.T, address string) *pedidos.Client {
	t.Helper()
	return newClient(t, pedidos.Config{URL: address, Username: "admin", Password: world.AdminPassword})
}

// must returns the result of a call that must succeed.
func must[T any](result T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
}

// newKey creates an integrator and returns its API key.
func newKey(t *testing.T, admin *pedidos.Client, role pedidos.Role) string {
	t.Helper()
	integrator := must(admin.Integrators.Create(t.Context(), pedidos.IntegratorInput{Name: "ERP", Role: role}))(t)
	return must(admin.Integrators.CreateKey(t.Context(), integrator.ID, pedidos.KeyInput{Name: "test"}))(t).Key
}

// TestExamples runs each example of the Go SDK that needs no files.
func TestExamples(t *testing.T) {
	t.Parallel()
	list := exec.CommandContext(t.Context(), examples, "-test.list", "^Example")
	list.Env = []string{"PEDIDOS_URL=x"}
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	names := strings.Fields(string(out))
	if len(names) < 4 {
		t.Errorf("got the examples %q", names)
	}
	for _, name := range names {
		if name == "Example_import" || name == "Example_export" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := example(t, name, "PEDIDOS_URL="+newDoor(t, world.New(t, world.Options{})).URL, "PEDIDOS_PASSWORD="+world.AdminPassword)
			if out, err := c.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: "+name+" ") {
				t.Errorf("%s: %v\n%s", name, err, out)
			}
		})
	}
}

// TestImport kills the importer at each order.
func TestImport(t *testing.T) {
	t.Parallel()
	importAll(t, func(env ...string) *exec.Cmd { return example(t, "Example_import", env...) })
}

// importAll kills an importer twice at each order: before the order reaches Pedidos, and when it is placed but not answered. Every run
// begins with the first order again. In the end each order is placed once.
func importAll(t *testing.T, command func(env ...string) *exec.Cmd) {
	t.Helper()
	w := world.New(t, world.Options{})
	door := newDoor(t, w)
	admin := newAdmin(t, door.URL)
	customer := must(admin.Customers.Create(t.Context(), pedidos.CustomerInput{Name: "ACME", Email: "compras@acme.example"}))(t)
	product := must(admin.Products.Create(t.Context(), pedidos.ProductInput{SKU: "DRILL-18V", Name: "Drill", PriceCents: 100, Stock: 50}))(t)

	const placed, units = 8, 36 // orders of 1 to 8 units; of the last, which is too large, there are none
	var rows strings.Builder
	for n := 1; n <= placed; n++ {
		fmt.Fprintf(&rows, "4711-%d,%d,DRILL-18V,%d\n", n, customer.ID, n)
	}
	fmt.Fprintf(&rows, "4711-9,%d,DRILL-18V,1000\n", customer.ID)
	file := filepath.Join(t.TempDir(), "orders.csv")
	if err := os.WriteFile(file, []byte(rows.String()), 0o600); err != nil {
		t.Fatal(err)
	}

	var importer *exec.Cmd
	requests := map[string]int{} // by key
	deadly := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		var sent struct {
			Key string `json:"idempotency_key"`
		}
		if r.Method == http.MethodPost {
			if err := json.Unmarshal(body, &sent); err != nil || sent.Key == "" {
				t.Errorf("%s has the key %q: %v", body, sent.Key, err)
			}
			requests[sent.Key]++ // the importer sends one request at a time
		}
		kill := func() {
			_ = importer.Process.Kill()
			panic(http.ErrAbortHandler)
		}
		if sent.Key != "" && requests[sent.Key] == 1 {
			kill()
		}
		answer := httptest.NewRecorder()
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		door.Config.Handler.ServeHTTP(answer, r)
		if sent.Key != "" && requests[sent.Key] == 2 {
			kill()
		}
		for name, values := range answer.Header() {
			rw.Header()[name] = values
		}
		rw.WriteHeader(answer.Code)
		_, _ = rw.Write(answer.Body.Bytes())
	}))
	t.Cleanup(deadly.Close)

	key, killed := newKey(t, admin, pedidos.RoleOperator), 0
	for {
		importer = command("PEDIDOS_URL="+deadly.URL, "PEDIDOS_KEY="+key, "ORDERS="+file)
		out, err := importer.CombinedOutput()
		if err == nil {
			if !strings.Contains(string(out), "order 4711-9: only 14 of 1000 are left") {
				t.Errorf("the importer does not say which order is too large:\n%s", out)
			}
			break
		}
		if importer.ProcessState.ExitCode() != -1 || killed > 2*(placed+1) {
			t.Fatalf("after %d kills, the importer failed: %v\n%s", killed, err, out)
		}
		killed++
	}
	if killed != 2*(placed+1) {
		t.Errorf("killed it %d times, want %d", killed, 2*(placed+1))
	}
	var got []int64
	for order, err := range admin.Orders.List(t.Context(), pedidos.OrderFilter{Status: pedidos.StatusConfirmed}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, order.Items[0].Qty)
	}
	if slices.Sort(got); !slices.Equal(got, []int64{1, 2, 3, 4, 5, 6, 7, 8}) {
		t.Errorf("got orders of %v units", got)
	}
	if stock := must(admin.Products.Get(t.Context(), product.ID))(t).Stock; stock != product.Stock-units {
		t.Errorf("%d units are left, want %d", stock, product.Stock-units)
	}
}

// TestExport runs the export.
func TestExport(t *testing.T) {
	t.Parallel()
	exportAll(t, func(env ...string) *exec.Cmd { return example(t, "Example_export", env...) })
}

// exportAll runs an export on two nights and compares what it keeps with what Pedidos has.
func exportAll(t *testing.T, command func(env ...string) *exec.Cmd) {
	t.Helper()
	w := world.New(t, world.Options{})
	door := newDoor(t, w)
	admin := newAdmin(t, door.URL)
	ctx := t.Context()
	customer := must(admin.Customers.Create(ctx, pedidos.CustomerInput{Name: "ACME", Email: "compras@acme.example"}))(t)
	product := must(admin.Products.Create(ctx, pedidos.ProductInput{SKU: "DRILL-18V", Name: "Drill", PriceCents: 100, Stock: 1000}))(t)
	place := func() pedidos.Order {
		t.Helper()
		lines := []pedidos.OrderLineInput{{ProductID: product.ID, Qty: 1}}
		return must(admin.Orders.Create(ctx, pedidos.OrderInput{CustomerID: customer.ID, Items: lines}))(t)
	}
	key, file := newKey(t, admin, pedidos.RoleViewer), filepath.Join(t.TempDir(), "export.json")
	night := func(changed int) {
		t.Helper()
		out, err := command("PEDIDOS_URL="+door.URL, "PEDIDOS_KEY="+key, "EXPORT="+file).CombinedOutput()
		if err != nil || !strings.Contains(" "+string(out), fmt.Sprintf(" %d orders have changed", changed)) {
			t.Fatalf("got %v, want %d changes\n%s", err, changed, out)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var kept struct {
			Orders map[pedidos.OrderID]pedidos.Order
		}
		if err := json.Unmarshal(text, &kept); err != nil {
			t.Fatal(err)
		}
		for order, err := range admin.Orders.List(ctx, pedidos.OrderFilter{}) {
			if err != nil {
				t.Fatal(err)
			}
			if got := kept.Orders[order.ID]; fmt.Sprint(got) != fmt.Sprint(order) {
				t.Errorf("kept %+v\nwant %+v", got, order)
			}
			delete(kept.Orders, order.ID)
		}
		if len(kept.Orders) > 0 {
			t.Errorf("kept too many orders: %v", kept.Orders)
		}
	}
	old := place()
	w.Clock.Advance(time.Hour)
	for range 204 { // three pages, with the others
		place()
	}
	w.Clock.Advance(time.Hour)
	place()
	night(206)
	w.Clock.Advance(24 * time.Hour)
	must(admin.Orders.Confirm(ctx, old.ID))(t)
	place()
	w.Clock.Advance(time.Hour)
	must(admin.Orders.Cancel(ctx, place().ID, "the customer changed its mind"))(t)
	night(4) // with the last of the first night, which is read again
}

// TestGoClient calls what the examples do not.
func TestGoClient(t *testing.T) {
	t.Parallel()
	w := world.New(t, world.Options{})
	admin := newClient(t, pedidos.Config{
		CustomersURL: w.Checked("customers"), OrdersURL: w.Checked("orders") + "/", OrchestratorURL: w.Checked("orchestrator") + "/dev",
		Username: "admin", Password: world.AdminPassword,
	})
	ctx := t.Context()
	acme := pedidos.CustomerInput{Name: "ACME", Email: "compras@acme.example", Phone: "+54 11 5555-0101"}
	customer := must(admin.Customers.Create(ctx, acme))(t)
	customer = must(admin.Customers.Update(ctx, customer, pedidos.CustomerChange{Phone: pedidos.Null[string]()}))(t)
	if customer.Phone != "" || customer.Name != "ACME" {
		t.Errorf("got %+v", customer)
	}
	product := must(admin.Products.Create(ctx, pedidos.ProductInput{SKU: "DRILL-18V", Name: "Drill", PriceCents: 100, Stock: 5}))(t)
	product = must(admin.Products.Update(ctx, product, pedidos.ProductChange{Stock: pedidos.Set[int64](0), Reason: "counted"}))(t)
	for movement, err := range admin.Products.StockMovements(ctx, product.ID) {
		if err != nil {
			t.Fatal(err)
		}
		if to, ok := movement.To.Get(); movement.Reason == "counted" && (to != 0 || !ok || movement.Delta != -5) {
			t.Errorf("got %+v", movement)
		}
	}
	lines := []pedidos.OrderLineInput{{ProductID: product.ID, Qty: 2}}
	_, err := admin.Orders.Create(ctx, pedidos.OrderInput{CustomerID: customer.ID, Items: lines})
	var failed *pedidos.Error
	if !errors.As(err, &failed) || failed.Code != pedidos.CodeInsufficientStock ||
		!slices.Equal(failed.Shortages, []pedidos.Shortage{{ProductID: product.ID, Requested: 2}}) || len(failed.TraceID) != 32 {
		t.Errorf("got %+v", err)
	}
	if product, err = admin.Products.Get(ctx, product.ID); err != nil {
		t.Fatal(err)
	}
	must(admin.Products.Update(ctx, product, pedidos.ProductChange{StockDelta: 9}))(t)
	done := must(admin.Orders.CreateAndConfirm(ctx, pedidos.OrderInput{CustomerID: customer.ID, Items: lines}))(t)
	order := must(admin.Orders.Get(ctx, done.Order.ID))(t)
	if order.Status != pedidos.StatusConfirmed || order.ConfirmedAt.IsZero() || !order.CanceledAt.IsZero() || done.Customer.ID != customer.ID {
		t.Errorf("got %+v and %+v", done, order)
	}
	_, err = admin.Orders.Cancel(ctx, order.ID, "", pedidos.WithETag(`"77"`))
	if !errors.As(err, &failed) || failed.Code != pedidos.CodePreconditionFailed {
		t.Errorf("got %v", err)
	}
	events := 0
	for event, err := range admin.Orders.History(ctx, order.ID) {
		if events++; err != nil || event.Caller != "user:admin" {
			t.Errorf("got %+v, %v", event, err)
		}
	}
	if events != 2 {
		t.Errorf("got %d changes of the order", events)
	}
	filter := pedidos.OrderFilter{ProductID: product.ID, From: order.CreatedAt, To: order.CreatedAt.Add(time.Second)}
	for found, err := range admin.Orders.List(ctx, filter) {
		if err != nil || found.ID != order.ID {
			t.Errorf("got %+v, %v", found, err)
		}
	}
	sales := must(admin.Reports.Sales(ctx, pedidos.SalesQuery{By: pedidos.SalesByProduct, From: order.CreatedAt.Format(time.DateOnly)}))(t)
	if len(sales.Data) != 1 || sales.Data[0].Product.ID != product.ID || sales.Total.TotalCents != 200 {
		t.Errorf("got %+v", sales)
	}
	if report := must(admin.Reports.Stock(ctx))(t); report.Units != 7 {
		t.Errorf("got %+v", report)
	}
	must(admin.Reports.Orders(ctx))(t)
	if err := admin.Customers.Delete(ctx, customer.ID); err != nil {
		t.Error(err)
	}
}

// TestGoPeople calls the operations of users, integrators and the own account.
func TestGoPeople(t *testing.T) {
	t.Parallel()
	w := world.New(t, world.Options{})
	door := newDoor(t, w)
	admin, ctx := newAdmin(t, door.URL), t.Context()
	made := must(admin.Users.Create(ctx, pedidos.UserInput{Username: "ana", Name: "Ana Pérez", Role: pedidos.RoleOperator}))(t)
	user := must(admin.Users.Update(ctx, must(admin.Users.Get(ctx, made.ID))(t), pedidos.UserChange{Role: pedidos.RoleViewer}))(t)
	if user.Role != pedidos.RoleViewer || user.ID != made.ID || user.LastLoginAt != (time.Time{}) {
		t.Errorf("got %+v", user)
	}
	again := must(admin.Users.Reset(ctx, user.ID))(t)
	anonymous, setup := newClient(t, pedidos.Config{URL: door.URL}), pedidos.Setup{Token: again.SetupToken, Password: "a password of hers"}
	if err := anonymous.Account.SetPassword(ctx, setup); err != nil {
		t.Fatal(err)
	}
	ana := newClient(t, pedidos.Config{URL: door.URL, Username: "ana", Password: "a password of hers"})
	if me := must(ana.Account.Me(ctx))(t); me.Kind != pedidos.KindUser || me.Username != "ana" {
		t.Errorf("got %+v", me)
	}
	_, err := ana.Products.Create(ctx, pedidos.ProductInput{SKU: "A", Name: "A"})
	var failed *pedidos.Error
	if !errors.As(err, &failed) || failed.Status != http.StatusForbidden || failed.Attempts != 1 {
		t.Errorf("got %v", err)
	}
	if err := ana.Account.ChangePassword(ctx, pedidos.PasswordChange{Current: "a password of hers", New: "another password"}); err != nil {
		t.Error(err)
	}
	integrator := must(admin.Integrators.Create(ctx, pedidos.IntegratorInput{Name: "ERP", Role: pedidos.RoleViewer}))(t)
	key := must(admin.Integrators.CreateKey(ctx, integrator.ID, pedidos.KeyInput{Name: "test", ExpiresAt: w.Clock.Now().Add(time.Hour)}))(t)
	erp := newClient(t, pedidos.Config{URL: door.URL, APIKey: key.Key})
	if me := must(erp.Account.Me(ctx))(t); me.Kind != pedidos.KindIntegrator || me.Username != "" {
		t.Errorf("got %+v", me)
	}
	must(admin.Integrators.Update(ctx, must(admin.Integrators.Get(ctx, integrator.ID))(t), pedidos.IntegratorChange{Name: "ERP 2"}))(t)
	if err := admin.Integrators.RevokeKey(ctx, integrator.ID, key.ID); err != nil {
		t.Fatal(err)
	}
	for known, err := range admin.Integrators.Keys(ctx, integrator.ID) {
		if err != nil || known.ID != key.ID || known.RevokedAt.IsZero() {
			t.Errorf("got %+v, %v", known, err)
		}
	}
	if _, err = erp.Account.Me(ctx); !errors.As(err, &failed) || failed.Code != pedidos.CodeUnauthorized || failed.Attempts != 1 {
		t.Errorf("got %v", err)
	}
	actions := map[string]bool{}
	for entry, err := range admin.Audit.List(ctx, pedidos.AuditFilter{Actor: "user:admin"}) {
		if err != nil {
			t.Fatal(err)
		}
		actions[entry.Action] = true
	}
	if !actions["user.created"] || !actions["key.revoked"] {
		t.Errorf("the audit log has %v", actions)
	}
	for known, err := range admin.Users.List(ctx) {
		if err != nil || known.State != pedidos.StateActive {
			t.Errorf("got %+v, %v", known, err)
		}
	}
	for known, err := range admin.Integrators.List(ctx) {
		if err != nil || known.Name != "ERP 2" {
			t.Errorf("got %+v, %v", known, err)
		}
	}
	for session, err := range admin.Account.Sessions(ctx) {
		t.Errorf("got %+v, %v", session, err)
	}
	if err := admin.Account.EndSession(ctx, 99); !errors.As(err, &failed) || failed.Code != pedidos.CodeSessionNotFound {
		t.Errorf("got %v", err)
	}
}

// TestGoTokens lets callers share a client whose token expires in between, by the clock of the services alone.
func TestGoTokens(t *testing.T) {
	t.Parallel()
	w := world.New(t, world.Options{})
	admin := newAdmin(t, newDoor(t, w).URL)
	for range 3 {
		var callers sync.WaitGroup
		for range 8 {
			callers.Go(func() {
				if _, err := admin.Account.Me(context.WithoutCancel(t.Context())); err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
		w.Clock.Advance(2 * time.Hour)
	}
	if logins := len(w.Log.Lines(`"operationId":"login"`)); logins != 3 {
		t.Errorf("got %d logins, want 3", logins)
	}
}

// TestLargestPage reads the largest page of the contracts with the SDK and, as the backoffice does for an export, between services.
func TestLargestPage(t *testing.T) {
	t.Parallel()
	w := world.New(t, world.Options{Backoffice: true})
	urls := call.URLs{Customers: w.CustomersURL, Orders: w.OrdersURL, Orchestrator: w.OrchestratorURL}
	admin, ctx := newAdmin(t, newDoorOf(t, urls.Of).URL), t.Context()
	customer := must(admin.Customers.Create(ctx, pedidos.CustomerInput{Name: strings.Repeat("<", 200), Email: "compras@acme.example"}))(t)
	const most = 100 // orders of a page, and lines of an order
	in := pedidos.OrderInput{CustomerID: customer.ID}
	for n := range most {
		sku := fmt.Sprintf("S%063d", n)
		product := must(admin.Products.Create(ctx, pedidos.ProductInput{SKU: sku, Name: strings.Repeat("<", 200), PriceCents: 1e8, Stock: 1e8}))(t)
		in.Items = append(in.Items, pedidos.OrderLineInput{ProductID: product.ID, Qty: 100_000})
	}
	for range most {
		order := must(admin.Orders.Create(ctx, in))(t)
		must(admin.Orders.Cancel(ctx, order.ID, strings.Repeat("<", 500)))(t)
	}
	page := call.Send(t, http.DefaultClient, http.MethodGet, w.OrdersURL+"/orders?limit=100", nil, "Authorization", "Bearer "+w.Login("admin").Token)
	t.Logf("the page has %.1f MiB", float64(len(page.Body))/(1<<20))
	if len(page.Body) < 4<<20 || len(page.Body) > 15<<20 {
		t.Errorf("it has %d bytes", len(page.Body))
	}
	orders := 0
	for order, err := range admin.Orders.List(ctx, pedidos.OrderFilter{}) {
		if orders++; err != nil || len(order.Items) != most {
			t.Fatalf("got %d lines, %v", len(order.Items), err)
		}
	}
	export := call.Send(t, http.DefaultClient, http.MethodGet, w.BackofficeURL+"/orders.csv", nil,
		"Cookie", "pedidos_session="+browser.Session(t, w, "viewer").Token)
	if lines := strings.Count(string(export.Body), fmt.Sprintf("S%063d,", 0)); orders != most || export.Status != http.StatusOK || lines != most {
		t.Errorf("got %d orders, and an export %d of %d of them", orders, export.Status, lines)
	}
}

// newShop starts the services, with the customer and the product of the READMEs' programs, and returns their address and an API key.
func newShop(t *testing.T) (address, key string) {
	t.Helper()
	address = newDoor(t, world.New(t, world.Options{})).URL
	admin := newAdmin(t, address)
	customer := must(admin.Customers.Create(t.Context(), pedidos.CustomerInput{Name: "ACME", Email: "compras@acme.example"}))(t)
	product := must(admin.Products.Create(t.Context(), pedidos.ProductInput{SKU: "DRILL-18V", Name: "Drill", PriceCents: 129900, Stock: 5}))(t)
	if customer.ID != 1 || product.ID != 1 {
		t.Fatal("the programs order product 1 for customer 1")
	}
	return address, newKey(t, admin, pedidos.RoleOperator)
}

// local matches the addresses of the READMEs.
var local = regexp.MustCompile(`http://localhost:\d+`)

// TestGoReadmes runs the programs of the READMEs outside of this repository.
func TestGoReadmes(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]struct{ file, section string }{
		"README":     {"../../README.md", "## The same, in Go"},
		"sdk/README": {"../../sdk/README.md", "## Go"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, key := newShop(t)
			section := document.Section(t, at.file, at.section)
			dir := t.TempDir()
			clone, err := filepath.Abs("../..")
			if err != nil {
				t.Fatal(err)
			}
			program := strings.Replace(local.ReplaceAllString(document.Blocks(section, "go")[0], address), "pedidos-local", world.AdminPassword, 1)
			if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(program), 0o600); err != nil {
				t.Fatal(err)
			}
			module := strings.ReplaceAll(document.Blocks(section, "sh")[0], "CLONE", clone)
			c := exec.CommandContext(t.Context(), "bash", "-euc", module+"go run .")
			c.Dir, c.Env = dir, append(os.Environ(), "GOWORK=off", "PEDIDOS_KEY="+key)
			if out, err := c.CombinedOutput(); err != nil || !strings.HasSuffix(string(out), "\n1 CREATED 259800\n") {
				t.Errorf("got %v, %s", err, out)
			}
		})
	}
}

// TestOldestGo compiles the SDK with the Go that its go.mod names. It runs in CI alone, as it downloads that Go.
func TestOldestGo(t *testing.T) {
	t.Parallel()
	if os.Getenv("CI") == "" {
		t.Skip("runs in CI")
	}
	mod, err := os.ReadFile("../../sdk/go/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	version := "go" + regexp.MustCompile(`(?m)^go (\S+)$`).FindStringSubmatch(string(mod))[1]
	for command, want := range map[string]string{"version": version + " ", "build": ""} {
		c := exec.CommandContext(t.Context(), "go", command)
		c.Dir, c.Env = "../../sdk/go", append(os.Environ(), "GOWORK=off", "GOTOOLCHAIN="+version, "CGO_ENABLED=0")
		if out, err := c.CombinedOutput(); err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v\n%s", c, err, out)
		}
	}
}
