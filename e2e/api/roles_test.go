package api

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/gen/orders"
)

var roles = []customers.Role{customers.RoleViewer, customers.RoleOperator, customers.RoleManager, customers.RoleAdmin}

// least maps an operation to the lowest role that may call it. Every role may call the operations that it does not list. The table
// is written by hand, so that a mistake in a contract shows.
var least = map[string]customers.Role{
	"createOrder": customers.RoleOperator, "confirmOrder": customers.RoleOperator, "cancelOrder": customers.RoleOperator,
	"createAndConfirmOrder": customers.RoleOperator, "updateProduct": customers.RoleOperator,
	"createProduct": customers.RoleManager, "createCustomer": customers.RoleManager, "replaceCustomer": customers.RoleManager,
	"updateCustomer": customers.RoleManager, "deleteCustomer": customers.RoleManager,
	"listUsers": customers.RoleAdmin, "createUser": customers.RoleAdmin, "getUser": customers.RoleAdmin, "updateUser": customers.RoleAdmin,
	"resetUser": customers.RoleAdmin, "listIntegrators": customers.RoleAdmin, "createIntegrator": customers.RoleAdmin,
	"getIntegrator": customers.RoleAdmin, "updateIntegrator": customers.RoleAdmin, "listKeys": customers.RoleAdmin,
	"createKey": customers.RoleAdmin, "revokeKey": customers.RoleAdmin, "listAudit": customers.RoleAdmin,
}

// TestRoles calls every operation as a user and as an integrator of each role: it is refused with 403 exactly if the role may not.
func TestRoles(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	admin := w.Login("admin")
	type caller struct {
		role       customers.Role
		kind       string
		token      string
		integrator bool
	}
	var callers []caller
	for _, role := range roles {
		user := newUser(t, w, admin, "user-"+string(role), role)
		session := startSession(t, w, "user-"+string(role), userPassword)
		key := createKey(t, admin, createIntegrator(t, admin, "integrator "+string(role), role).ID)
		callers = append(callers,
			caller{role, "user", user.Token, false}, caller{role, "session", session.Token, false}, caller{role, "integrator", key, true})
	}
	checked, refused := 0, 0
	for _, o := range allOperations(t, w) {
		schemes, anyone := o.schemes()
		if anyone && o.service.name != "orchestrator" {
			continue
		}
		for _, c := range callers {
			scheme := "bearerAuth"
			if c.kind == "session" {
				scheme = "sessionToken"
			}
			if !slices.Contains(schemes, scheme) {
				continue
			}
			declared := slices.Contains(o.roles(), string(c.role))
			if meant := slices.Index(roles, c.role) >= slices.Index(roles, least[o.OperationID]); declared != meant {
				t.Errorf("%s: x-roles admits %s: %t, want %t", o.OperationID, c.role, declared, meant)
			}
			// The body is invalid, so that nothing takes effect: a role that may gets 400 or 404.
			var body = strings.NewReader("")
			headers := []string{"Authorization", "Bearer " + c.token}
			if o.RequestBody != nil {
				body, headers = strings.NewReader(`{"role":1}`), call.JSON(c.token)
			}
			a := call.Send(t, o.service.client, o.method, o.url(), body, headers...)
			own := c.integrator && slices.Contains([]string{"listSessions", "endSession", "changePassword"}, o.OperationID) // only users have these
			forwarded := o.service.name == "orchestrator" && c.integrator                                                   // orders-api refuses the key, after validation
			checked++
			switch {
			case !declared && !forwarded:
				a.WantProblem(t, http.StatusForbidden, common.CodeForbidden)
				refused++
			case declared && !own && a.Status == http.StatusForbidden, a.Status == http.StatusUnauthorized, a.Status >= http.StatusInternalServerError:
				t.Errorf("%s as %s of role %s: got %s, want access", o.OperationID, c.kind, c.role, a)
			}
		}
	}
	t.Logf("%d pairs of an operation and a caller: %d refused, %d admitted", checked, refused, checked-refused)
	if checked < 300 {
		t.Errorf("only %d pairs checked", checked)
	}
}

// An operator may change the stock of a product, and a manager also its name and price.
func TestRolesOfFields(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	admin := w.Login("admin")
	p := admin.CreateProduct(t, "DRILL", 100, 10)
	operator, manager := newUser(t, w, admin, "operator", customers.RoleOperator), newUser(t, w, admin, "manager", customers.RoleManager)
	for _, test := range []struct {
		name    string
		client  *call.Client
		change  orders.ProductChange
		refused []string
	}{
		{"operator, stock", operator, orders.ProductChange{Stock: new(int64(11)), Reason: new("counted")}, nil},
		{"operator, price", operator, orders.ProductChange{PriceCents: new(int64(1))}, []string{"price_cents"}},
		{"operator, everything", operator, orders.ProductChange{Stock: new(int64(12)), Name: new("x"), PriceCents: new(int64(1))}, []string{"name", "price_cents"}},
		{"manager, everything", manager, orders.ProductChange{Stock: new(int64(13)), Name: new("x"), PriceCents: new(int64(1))}, nil},
	} {
		r := call.Read(test.client.Orders.UpdateProduct(t.Context(), p.ID, nil, test.change))
		if test.refused == nil {
			r.Want(t, http.StatusOK)
		} else {
			r.WantProblem(t, http.StatusForbidden, common.CodeForbidden, test.refused...)
		}
	}
	if got := admin.GetProduct(t, p.ID); got.Stock != 13 || got.PriceCents != 1 {
		t.Errorf("got %+v, want only the admitted changes", got)
	}
}

// The orchestrator forwards API keys, which orders-api checks.
func TestKeysThroughOrchestrator(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	admin := w.Login("admin")
	buyer, p := admin.CreateCustomer(t, "a@example.com"), admin.CreateProduct(t, "A", 1, 100)
	body := fmt.Sprintf(`{"customer_id":%d,"items":[{"product_id":%d,"qty":1}],"idempotency_key":"k1"}`, buyer.ID, p.ID)
	const path = "/orchestrator/create-and-confirm-order"
	operator := w.With(createKey(t, admin, createIntegrator(t, admin, "operator", customers.RoleOperator).ID))
	operator.Send(t, "orchestrator", http.MethodPost, path, body).Want(t, http.StatusCreated)
	viewer := w.With(createKey(t, admin, createIntegrator(t, admin, "viewer", customers.RoleViewer).ID))
	viewer.Send(t, "orchestrator", http.MethodPost, path, body).WantProblem(t, http.StatusForbidden, common.CodeForbidden)
	mistyped := w.With(operator.Token[:len(operator.Token)-1] + "0")
	mistyped.Send(t, "orchestrator", http.MethodPost, path, body).WantProblem(t, http.StatusUnauthorized, common.CodeUnauthorized)
}
