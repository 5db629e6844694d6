package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/services/platform/config"
)

// keyedOperation is an operation that takes an idempotency key.
type keyedOperation struct {
	name     string // its operationId
	service  string
	method   string // POST if empty
	status   int    // on success
	required bool   // whether the key is required
	inBody   bool   // whether the key is the member idempotency_key of the body instead of a header
	users    bool   // whether only users, not services, may call it
	repeats  bool   // whether a second execution has another effect
	effect   string // its first change of the database, as "INSERT ON table"
	prepare  func(t *testing.T, w *world.World, s *call.Client) keyedSubject
	refusals []keyedRefusal
}

// keyedSubject is a request that must take effect once.
type keyedSubject struct {
	request keyedRequest
	same    []keyedRequest                          // other spellings of the request
	other   []keyedRequest                          // requests with another fingerprint
	effects func(t *testing.T) int                  // how often the request took effect
	change  func(t *testing.T)                      // makes a new execution get another response; nil if nothing does
	anew    func(t *testing.T, again call.Response) // checks the response of a second execution
}

// keyedRefusal is a request that is refused because of the state of the shop.
type keyedRefusal struct {
	name    string
	prepare func(t *testing.T, x *keyedShop) (r keyedRequest, change func())
	status  int
	code    common.ProblemCode
	fields  []string
	later   int // status under another key, once the shop has changed
}

// keyedShop is the shop of a refusal. The product costs 100 cents; 2 units are in stock.
type keyedShop struct {
	*keyedCase
	buyer   customers.Customer
	product orders.Product
}

// keyedRequest is a request to an operation. KEY in a body stands for the key.
type keyedRequest struct {
	path, contentType, body string
	method                  string // that of the operation if empty
	ifMatch                 string
	keys                    http.Header
}

func jsonRequest(path, body string) keyedRequest {
	return keyedRequest{path: path, contentType: "application/json", body: body}
}

// spelledOtherwise returns equivalent requests: with a charset, with blanks, and with reordered members.
func spelledOtherwise(r keyedRequest, reordered string) []keyedRequest {
	return []keyedRequest{
		{path: r.path, contentType: "application/json; charset=utf-8", body: r.body},
		jsonRequest(r.path, " "+strings.ReplaceAll(r.body, ",", " ,\n")+"\n"),
		jsonRequest(r.path, reordered),
	}
}

const (
	keyHeader = "Idempotency-Key"
	keyAlias  = "X-Idempotency-Key"
)

// under returns the request with a key in its plain spelling.
func (o keyedOperation) under(key string, r keyedRequest) keyedRequest {
	if !o.inBody {
		r.keys = http.Header{keyHeader: {key}}
		return r
	}
	encoded, _ := json.Marshal(key) // a string always has an encoding
	r.body = strings.Replace(r.body, "KEY", string(encoded), 1)
	return r
}

// keyless returns the request without a key.
func (o keyedOperation) keyless(r keyedRequest) keyedRequest {
	r.body = strings.Replace(r.body, `,"idempotency_key":KEY`, "", 1)
	return r
}

// verb returns the method of the operation.
func (o keyedOperation) verb() string { return cmp.Or(o.method, http.MethodPost) }

// keyField returns the field that a problem about the key names.
func (o keyedOperation) keyField() string {
	if o.inBody {
		return "idempotency_key"
	}
	return keyHeader
}

// keyedCase is an operation in a world of its own.
type keyedCase struct {
	keyedOperation
	keyedSubject
	w      *world.World
	admin  *call.Client
	client *http.Client // checks every exchange against the contract
	base   string       // URL of the service
}

func startKeyed(t *testing.T, o keyedOperation, options world.Options) *keyedCase {
	t.Helper()
	w := newWorld(t, options)
	x := &keyedCase{keyedOperation: o, w: w, admin: w.Login("admin"), client: w.HTTP(o.service)}
	x.base = w.URLs().Of(o.service)
	x.keyedSubject = o.prepare(t, w, x.admin)
	return x
}

// try sends a request. It takes no *testing.T, so that it can run in other goroutines.
func (x *keyedCase) try(ctx context.Context, s *call.Client, r keyedRequest) call.Response {
	request, err := http.NewRequestWithContext(ctx, cmp.Or(r.method, x.verb()), x.base+r.path, strings.NewReader(r.body))
	if err != nil {
		return call.Response{Err: err}
	}
	maps.Copy(request.Header, r.keys)
	if s.Token != "" {
		request.Header.Set("Authorization", "Bearer "+s.Token)
	}
	if r.contentType != "" {
		request.Header.Set("Content-Type", r.contentType)
	}
	if r.ifMatch != "" {
		request.Header.Set("If-Match", r.ifMatch)
	}
	return call.Read(x.client.Do(request))
}

// send sends a request and ends the test if there is no response.
func (x *keyedCase) send(t *testing.T, s *call.Client, r keyedRequest) call.Response {
	t.Helper()
	a := x.try(t.Context(), s, r)
	if a.Err != nil {
		t.Fatalf("%s %s: %v", cmp.Or(r.method, x.verb()), r.path, a.Err)
	}
	return a
}

// do sends the request under a key.
func (x *keyedCase) do(t *testing.T, s *call.Client, key string) call.Response {
	t.Helper()
	return x.send(t, s, x.under(key, x.request))
}

// first sends a request with a new key. It ends the test if the request fails or the response is a replay.
func (x *keyedCase) first(t *testing.T, what string, s *call.Client, key string) call.Response {
	t.Helper()
	a := x.do(t, s, key)
	if a.Status != x.status || a.Replayed() {
		t.Fatalf("%s: got %s, want a first %d", what, a, x.status)
	}
	return a
}

// wantReplay fails the test unless a response is a replay of first.
func (x *keyedCase) wantReplay(t *testing.T, what string, got, first call.Response) {
	t.Helper()
	// The orchestrator stores no responses, so its refusals come without Idempotency-Replayed.
	if silent := x.inBody && got.Status != x.status; !got.Replayed() && !silent || !got.Same(first) {
		t.Errorf("%s: got %s %v\nwant a replay of %s %v", what, got, got.Header, first, first.Header)
	}
}

// wantAnew fails the test unless the request was executed anew.
func (x *keyedCase) wantAnew(t *testing.T, what string, got, first call.Response) {
	t.Helper()
	if got.Replayed() || x.status == http.StatusCreated && bytes.Equal(got.Body, first.Body) {
		t.Errorf("%s: got the response to the first request again: %s", what, got)
		return
	}
	x.anew(t, got)
}

func (x *keyedCase) wantEffects(t *testing.T, what string, want int) {
	t.Helper()
	if n := x.effects(t); n != want {
		t.Errorf("%s: got %d effects, want %d", what, n, want)
	}
}

// keyedOperations returns the operations that take a key, except for those with secrets in their answers, which
// TestSecretsAreReturnedOnce is about; TestIdempotencyOperations compares them with the contracts.
func keyedOperations() []keyedOperation {
	return []keyedOperation{
		{
			name: "createCustomer", service: "customers", status: http.StatusCreated, users: true, effect: "INSERT ON customers",
			prepare: func(_ *testing.T, _ *world.World, s *call.Client) keyedSubject {
				request := jsonRequest("/customers", `{"name":"Idem","email":"idem@example.com","phone":"+54 11"}`)
				return keyedSubject{
					request: request,
					same:    spelledOtherwise(request, `{"phone":"+54 11","email":"\u0069dem@example.com","name":"Idem"}`),
					other: []keyedRequest{
						jsonRequest("/integrators", `{"name":"Idem","role":"viewer"}`),
						jsonRequest("/customers", `{"name":"Ide","email":"idem@example.com","phone":"+54 11"}`),
						jsonRequest("/customers", `{"name":"Idem","email":"idem@example.com"}`),
					},
					effects: func(t *testing.T) int {
						return len(customerIDs(t, s, &customers.ListCustomersParams{Search: new("idem@example.com")}))
					},
					change: func(t *testing.T) {
						id := customerIDs(t, s, nil)[0]
						s.ChangeCustomer(t, id, customers.CustomerChange{Name: new("Other"), Email: new("idem@example.com")})
					},
					anew: func(t *testing.T, again call.Response) {
						again.WantProblem(t, http.StatusConflict, common.CodeEmailTaken, "email")
					},
				}
			},
			refusals: []keyedRefusal{
				{"the address is taken and then free", func(t *testing.T, x *keyedShop) (keyedRequest, func()) {
					return jsonRequest("/customers", `{"name":"x","email":"`+x.buyer.Email+`"}`), func() { x.admin.DeleteCustomer(t, x.buyer.ID) }
				}, http.StatusConflict, common.CodeEmailTaken, []string{"email"}, http.StatusCreated},
			},
		},
		updatesCustomer("replaceCustomer", http.MethodPut, http.MethodPatch),
		updatesCustomer("updateCustomer", http.MethodPatch, http.MethodPut),
		{
			name: "deleteCustomer", service: "customers", method: http.MethodDelete, status: http.StatusNoContent, users: true, effect: "UPDATE ON customers",
			prepare: func(t *testing.T, w *world.World, s *call.Client) keyedSubject {
				first, second := s.CreateCustomer(t, "idem@example.com"), s.CreateCustomer(t, "idem-2@example.com")
				path := customerPath(first.ID)
				return keyedSubject{
					request: keyedRequest{path: path},
					other: []keyedRequest{
						{path: customerPath(second.ID)},
						{method: http.MethodPatch, path: path, contentType: "application/json", body: `{"name":"Idem"}`},
					},
					effects: func(t *testing.T) int { return 2 - len(customerIDs(t, w.Login("admin"), nil)) },
					change:  func(t *testing.T) { s.CreateCustomer(t, "idem@example.com") },
					anew: func(t *testing.T, again call.Response) {
						again.WantProblem(t, http.StatusNotFound, common.CodeCustomerNotFound)
					},
				}
			},
			refusals: []keyedRefusal{
				{"the customer comes later", func(t *testing.T, x *keyedShop) (keyedRequest, func()) {
					return keyedRequest{path: customerPath(x.buyer.ID + 1)}, func() { x.admin.CreateCustomer(t, "later@example.com") }
				}, http.StatusNotFound, common.CodeCustomerNotFound, nil, http.StatusNoContent},
			},
		},
		{
			name: "updateUser", service: "customers", method: http.MethodPatch, status: http.StatusOK, users: true, repeats: true, effect: "UPDATE ON users",
			prepare: func(t *testing.T, _ *world.World, s *call.Client) keyedSubject {
				createUser(t, s, "idem", customers.RoleOperator)
				request := jsonRequest(userPath(3), `{"name":"Idem","role":"viewer"}`)
				return keyedSubject{
					request: request,
					same:    spelledOtherwise(request, `{"role":"viewer","name":"\u0049dem"}`),
					other: []keyedRequest{
						jsonRequest(userPath(3), `{"name":"Idem"}`),
						jsonRequest(userPath(3), `{"name":"Idem","role":"manager"}`),
						jsonRequest(userPath(2), request.body),
					},
					effects: func(t *testing.T) int { return version(t, call.Read(s.Customers.GetUser(t.Context(), 3))) - 1 },
					change: func(t *testing.T) { // the user is the last administrator
						changeUser(t, s, 3, customers.UserChange{Role: new(customers.RoleAdmin)})
						changeUser(t, s, 1, customers.UserChange{Role: new(customers.RoleViewer)})
					},
					anew: wantUpdated,
				}
			},
			refusals: []keyedRefusal{
				{"the user comes later", func(t *testing.T, x *keyedShop) (keyedRequest, func()) {
					return jsonRequest(userPath(4), `{"name":"Later"}`), func() { createUser(t, x.admin, "later", customers.RoleViewer) }
				}, http.StatusNotFound, common.CodeUserNotFound, nil, http.StatusOK},
				{"If-Match comes true later", func(t *testing.T, x *keyedShop) (keyedRequest, func()) {
					r := jsonRequest(userPath(3), `{"name":"Idem"}`)
					r.ifMatch = `"2"`
					return r, func() { changeUser(t, x.admin, 3, customers.UserChange{Name: new("Second")}) }
				}, http.StatusPreconditionFailed, common.CodePreconditionFailed, nil, http.StatusOK},
				{"another administrator comes later", func(t *testing.T, x *keyedShop) (keyedRequest, func()) {
					return jsonRequest(userPath(1), `{"state":"disabled"}`), func() { createUser(t, x.admin, "admin-2", customers.RoleAdmin) }
				}, http.StatusConflict, common.CodeLastAdmin, nil, http.StatusOK},
			},
		},
		{
			name: "createIntegrator", service: "customers", status: http.StatusCreated, users: true, effect: "INSERT ON integrators",
			prepare: func(_ *testing.T, _ *world.World, s *call.Client) keyedSubject {
				request := jsonRequest("/integrators", `{"name":"Idem","role":"viewer"}`)
				list := func(t *testing.T) []customers.Integrator {
					var r customers.IntegratorPage
					call.Read(s.Customers.ListIntegrators(t.Context(), nil)).Want(t, http.StatusOK, &r)
					return r.Data
				}
				return keyedSubject{
					request: request,
					same:    spelledOtherwise(request, `{"role":"viewer","name":"\u0049dem"}`),
					other: []keyedRequest{
						jsonRequest("/integrators", `{"name":"Idem","role":"admin"}`),
						jsonRequest("/customers", `{"name":"Idem","email":"idem@example.com"}`),
					},
					effects: func(t *testing.T) int { return len(list(t)) },
					change: func(t *testing.T) {
						changeIntegrator(t, s, list(t)[0].ID, customers.IntegratorChange{Role: new(customers.RoleAdmin)})
					},
					anew: func(t *testing.T, again call.Response) {
						again.WantProblem(t, http.StatusConflict, common.CodeIntegratorNameTaken, "name")
					},
				}
			},
			refusals: []keyedRefusal{
				{"the name is taken and then free", func(t *testing.T, x *keyedShop) (keyedRequest, func()) {
					var taken customers.Integrator
					in := customers.IntegratorInput{Name: "taken", Role: customers.RoleViewer}
					call.Read(x.admin.Customers.CreateIntegrator(t.Context(), nil, in)).Want(t, http.StatusCreated, &taken)
					return jsonRequest("/integrators", `{"name":"Taken","role":"viewer"}`), func() {
						changeIntegrator(t, x.admin, taken.ID, customers.IntegratorChange{Name: new("free")})
					}
				}, http.StatusConflict, common.CodeIntegratorNameTaken, []string{"name"}, http.StatusCreated},
			},
		},
		{
			name: "updateIntegrator", service: "customers", method: http.MethodPatch, status: http.StatusOK, users: true, repeats: true, effect: "UPDATE ON integrators",
			prepare: func(t *testing.T, _ *world.World, s *call.Client) keyedSubject {
				first, second := createIntegrator(t, s, "ERP", customers.RoleOperator), createIntegrator(t, s, "Shop", customers.RoleOperator)
				path := integratorPath(first.ID)
				request := jsonRequest(path, `{"name":"Idem","role":"viewer"}`)
				return keyedSubject{
					request: request,
					same:    spelledOtherwise(request, `{"role":"viewer","name":"\u0049dem"}`),
					other: []keyedRequest{
						jsonRequest(path, `{"name":"Idem"}`),
						jsonRequest(path, `{"name":"Idem","role":"admin"}`),
						jsonRequest(integratorPath(second.ID), request.body),
					},
					effects: func(t *testing.T) int {
						return version(t, call.Read(s.Customers.GetIntegrator(t.Context(), first.ID))) - 1
					},
					change: func(t *testing.T) { // another one takes the name
						changeIntegrator(t, s, first.ID, customers.IntegratorChange{Name: new("Former")})
						changeIntegrator(t, s, second.ID, customers.IntegratorChange{Name: new("Idem")})
					},
					anew: wantUpdated,
				}
			},
			refusals: []keyedRefusal{
				{"the integrator comes later", func(t *testing.T, x *keyedShop) (keyedRequest, func()) {
					return jsonRequest(integratorPath(3), `{"role":"admin"}`), func() { createIntegrator(t, x.admin, "later", customers.RoleViewer) }
				}, http.StatusNotFound, common.CodeIntegratorNotFound, nil, http.StatusOK},
				{"If-Match comes true later", func(t *testing.T, x *keyedShop) (keyedRequest, func()) {
					r := jsonRequest(integratorPath(1), `{"role":"admin"}`)
					r.ifMatch = `"2"`
					return r, func() { changeIntegrator(t, x.admin, 1, customers.IntegratorChange{Name: new("Second")}) }
				}, http.StatusPreconditionFailed, common.CodePreconditionFailed, nil, http.StatusOK},
				{"the name is taken and then free", func(t *testing.T, x *keyedShop) (keyedRequest, func()) {
					return jsonRequest(integratorPath(1), `{"name":"shop"}`), func() {
						changeIntegrator(t, x.admin, 2, customers.IntegratorChange{Name: new("free")})
					}
				}, http.StatusConflict, common.CodeIntegratorNameTaken, []string{"name"}, http.StatusOK},
			},
		},
		{
			name: "revokeKey", service: "customers", method: http.MethodDelete, status: http.StatusNoContent, users: true, effect: "UPDATE ON api_keys",
			prepare: func(t *testing.T, w *world.World, s *call.Client) keyedSubject {
				erp := createIntegrator(t, s, "ERP", customers.RoleOperator)
				for range 2 {
					createKey(t, s, erp.ID)
				}
				return keyedSubject{
					request: keyedRequest{path: keyPath(erp.ID, 1)},
					other:   []keyedRequest{{path: keyPath(erp.ID, 2)}, {path: keyPath(erp.ID+1, 1)}},
					effects: func(t *testing.T) int {
						var r customers.AuditPage
						revoked := customers.ListAuditParams{Action: new("key.revoked")}
						call.Read(w.Login("admin").Customers.ListAudit(t.Context(), &revoked)).Want(t, http.StatusOK, &r)
						return len(r.Data)
					},
					anew: func(t *testing.T, again call.Response) { again.Want(t, http.StatusNoContent) },
				}
			},
			refusals: []keyedRefusal{
				{"the API key comes later", func(t *testing.T, x *keyedShop) (keyedRequest, func()) {
					return keyedRequest{path: keyPath(1, 3)}, func() { createKey(t, x.admin, 1) }
				}, http.StatusNotFound, common.CodeKeyNotFound, nil, http.StatusNoContent},
			},
		},
		{
			name: "createProduct", service: "orders", status: http.StatusCreated, users: true, effect: "INSERT ON products",
			prepare: func(_ *testing.T, _ *world.World, s *call.Client) keyedSubject {
				request := jsonRequest("/products", `{"sku":"IDEM","name":"x","price_cents":1,"stock":1}`)
				list := func(t *testing.T) []orders.Product {
					var r orders.ProductPage
					call.Read(s.Orders.ListProducts(t.Context(), &orders.ListProductsParams{Search: new("idem")})).Want(t, http.StatusOK, &r)
					return r.Data
				}
				return keyedSubject{
					request: request,
					same:    spelledOtherwise(request, `{"stock":1,"price_cents":1,"name":"x","sku":"\u0049DEM"}`),
					other: []keyedRequest{
						jsonRequest("/products", `{"sku":"IDEM","name":"x","price_cents":1,"stock":2}`),
						{path: otherPath},
					},
					effects: func(t *testing.T) int { return len(list(t)) },
					change: func(t *testing.T) {
						s.ChangeProduct(t, list(t)[0].ID, orders.ProductChange{Name: new("y"), PriceCents: new(int64(2))})
					},
					anew: func(t *testing.T, again call.Response) {
						again.WantProblem(t, http.StatusConflict, common.CodeSKUTaken, "sku")
					},
				}
			},
			refusals: []keyedRefusal{
				{"the SKU is taken", func(t *testing.T, x *keyedShop) (keyedRequest, func()) {
					return jsonRequest("/products", `{"sku":"`+x.product.SKU+`","name":"x","price_cents":1,"stock":1}`), func() {}
				}, http.StatusConflict, common.CodeSKUTaken, []string{"sku"}, http.StatusConflict},
			},
		},
		{
			name: "updateProduct", service: "orders", method: http.MethodPatch, status: http.StatusOK, users: true, repeats: true, effect: "UPDATE ON products",
			prepare: func(t *testing.T, w *world.World, s *call.Client) keyedSubject {
				product := s.CreateProduct(t, "IDEM", 100, 10)
				path := fmt.Sprintf("/products/%d", product.ID)
				request := jsonRequest(path, `{"stock_delta":3,"reason":"delivery"}`)
				movements := func(t *testing.T) int {
					var r orders.StockMovementPage
					call.Read(w.Login("admin").Orders.ListStockMovements(t.Context(), product.ID, nil)).Want(t, http.StatusOK, &r)
					return len(r.Data) - 1 // without the first stock
				}
				return keyedSubject{
					request: request,
					same:    spelledOtherwise(request, `{"reason":"\u0064elivery","stock_delta":3}`),
					other:   []keyedRequest{jsonRequest(path, `{"stock_delta":4,"reason":"delivery"}`), jsonRequest(path, `{"name":"x"}`)},
					effects: movements,
					anew: func(t *testing.T, again call.Response) {
						var p orders.Product
						again.Want(t, http.StatusOK, &p)
						if want := 10 + 3*int64(movements(t)); p.Stock != want {
							t.Errorf("got a stock of %d after %d deliveries, want %d", p.Stock, movements(t), want)
						}
					},
				}
			},
			refusals: []keyedRefusal{
				{"too little stock, and then enough", func(t *testing.T, x *keyedShop) (keyedRequest, func()) {
					return jsonRequest(fmt.Sprintf("/products/%d", x.product.ID), `{"stock_delta":-3}`), func() {
						x.admin.ChangeProduct(t, x.product.ID, orders.ProductChange{StockDelta: new(int64(1))})
					}
				}, http.StatusConflict, common.CodeInsufficientStock, nil, http.StatusOK},
			},
		},
		{
			name: "createOrder", service: "orders", status: http.StatusCreated, repeats: true, effect: "INSERT ON orders",
			prepare: func(t *testing.T, w *world.World, s *call.Client) keyedSubject {
				buyer, a, b := s.CreateCustomer(t, "idem@example.com"), s.CreateProduct(t, "A", 100, 1000), s.CreateProduct(t, "B", 100, 1000)
				line := func(product int64) string { return fmt.Sprintf(`{"product_id":%d,"qty":1}`, product) }
				order := func(customer int64, lines string) keyedRequest {
					return jsonRequest("/orders", fmt.Sprintf(`{"customer_id":%d,"items":[%s]}`, customer, lines))
				}
				request := order(buyer.ID, line(a.ID)+","+line(b.ID))
				return keyedSubject{
					request: request,
					same:    spelledOtherwise(request, fmt.Sprintf(`{"items":[{"qty":1,"product_id":%d},%s],"customer_id":%d}`, a.ID, line(b.ID), buyer.ID)),
					other: []keyedRequest{
						order(buyer.ID, line(b.ID)+","+line(a.ID)),
						order(buyer.ID, line(a.ID)),
						order(buyer.ID+1, line(a.ID)+","+line(b.ID)),
						{path: otherPath},
					},
					effects: func(t *testing.T) int { return len(s.AllOrders(t, 0)) },
					change:  func(t *testing.T) { upset(t, s, buyer.ID, a.ID) },
					anew:    wantNewOrder,
				}
			},
			refusals: []keyedRefusal{
				{"stock is short and then filled up", func(t *testing.T, x *keyedShop) (keyedRequest, func()) {
					return x.order(x.buyer.ID, x.product.ID, 3), func() { x.admin.ChangeProduct(t, x.product.ID, orders.ProductChange{Stock: new(int64(3))}) }
				}, http.StatusConflict, common.CodeInsufficientStock, nil, http.StatusCreated},
				{"the customer comes later", func(t *testing.T, x *keyedShop) (keyedRequest, func()) {
					return x.order(x.buyer.ID+1, x.product.ID, 1), func() { x.admin.CreateCustomer(t, "later@example.com") }
				}, http.StatusNotFound, common.CodeCustomerNotFound, []string{"customer_id"}, http.StatusCreated},
				{"the product comes later", func(t *testing.T, x *keyedShop) (keyedRequest, func()) {
					return x.order(x.buyer.ID, x.product.ID+1, 1), func() { x.admin.CreateProduct(t, "LATER", 1, 1) }
				}, http.StatusNotFound, common.CodeProductNotFound, []string{"items"}, http.StatusCreated},
				{"the total is too large and then smaller", func(t *testing.T, x *keyedShop) (keyedRequest, func()) {
					gold := x.admin.CreateProduct(t, "GOLD", 1e11, 1e9)
					return x.order(x.buyer.ID, gold.ID, 1e6), func() { x.admin.ChangeProduct(t, gold.ID, orders.ProductChange{PriceCents: new(int64(1))}) }
				}, http.StatusUnprocessableEntity, common.CodeTotalTooLarge, nil, http.StatusCreated},
			},
		},
		{
			name: "confirmOrder", service: "orders", status: http.StatusOK, required: true, effect: "UPDATE ON orders",
			prepare: func(t *testing.T, w *world.World, s *call.Client) keyedSubject {
				buyer, p := s.CreateCustomer(t, "idem@example.com"), s.CreateProduct(t, "SOLD", 100, 1000)
				order, second := s.CreateOrder(t, buyer.ID, p.ID, 1), s.CreateOrder(t, buyer.ID, p.ID, 1)
				path := fmt.Sprintf("/orders/%d/confirm", order.ID)
				return keyedSubject{
					request: keyedRequest{path: path},
					same:    emptyBodies(path),
					other:   []keyedRequest{{path: fmt.Sprintf("/orders/%d/confirm", second.ID)}, {path: fmt.Sprintf("/orders/%d/cancel", order.ID)}},
					effects: func(t *testing.T) int { return countChanges(t, w, order.ID, second.ID) },
					change:  func(t *testing.T) { s.CancelOrder(t, order.ID) },
					anew:    func(t *testing.T, again call.Response) { wantUnchanged(t, w, order.ID, again) },
				}
			},
			refusals: []keyedRefusal{
				{"the order comes later", func(t *testing.T, x *keyedShop) (keyedRequest, func()) {
					next := x.admin.CreateOrder(t, x.buyer.ID, x.product.ID, 1).ID + 1
					return keyedRequest{path: fmt.Sprintf("/orders/%d/confirm", next)}, func() { x.admin.CreateOrder(t, x.buyer.ID, x.product.ID, 1) }
				}, http.StatusNotFound, common.CodeOrderNotFound, nil, http.StatusOK},
				{"the order is canceled", func(t *testing.T, x *keyedShop) (keyedRequest, func()) {
					order := x.admin.CreateOrder(t, x.buyer.ID, x.product.ID, 1)
					x.admin.CancelOrder(t, order.ID)
					return keyedRequest{path: fmt.Sprintf("/orders/%d/confirm", order.ID)}, func() {}
				}, http.StatusConflict, common.CodeOrderCanceled, nil, http.StatusConflict},
			},
		},
		{
			name: "cancelOrder", service: "orders", status: http.StatusOK, effect: "UPDATE ON orders",
			prepare: func(t *testing.T, w *world.World, s *call.Client) keyedSubject {
				buyer, p := s.CreateCustomer(t, "idem@example.com"), s.CreateProduct(t, "SOLD", 100, 1000)
				order := s.CreateOrder(t, buyer.ID, p.ID, 1)
				path := fmt.Sprintf("/orders/%d/cancel", order.ID)
				return keyedSubject{
					request: keyedRequest{path: path},
					same:    emptyBodies(path),
					other:   []keyedRequest{jsonRequest(path, `{"reason":"x"}`), {path: fmt.Sprintf("/orders/%d/confirm", order.ID)}},
					effects: func(t *testing.T) int { return countChanges(t, w, order.ID) },
					anew:    func(t *testing.T, again call.Response) { wantUnchanged(t, w, order.ID, again) },
				}
			},
			refusals: []keyedRefusal{
				{"the order comes later", func(t *testing.T, x *keyedShop) (keyedRequest, func()) {
					next := x.admin.CreateOrder(t, x.buyer.ID, x.product.ID, 1).ID + 1
					return keyedRequest{path: fmt.Sprintf("/orders/%d/cancel", next)}, func() { x.admin.CreateOrder(t, x.buyer.ID, x.product.ID, 1) }
				}, http.StatusNotFound, common.CodeOrderNotFound, nil, http.StatusOK},
				{"the window is over", func(t *testing.T, x *keyedShop) (keyedRequest, func()) {
					order := x.admin.CreateOrder(t, x.buyer.ID, x.product.ID, 1)
					x.admin.ConfirmOrder(t, order.ID, "confirm")
					x.w.Clock.Advance(11 * time.Minute)
					return keyedRequest{path: fmt.Sprintf("/orders/%d/cancel", order.ID)}, func() {}
				}, http.StatusConflict, common.CodeCancelWindowOver, nil, http.StatusConflict},
			},
		},
		{
			name: "createAndConfirmOrder", service: "orchestrator", status: http.StatusCreated, required: true, inBody: true, effect: "INSERT ON orders",
			prepare: func(t *testing.T, w *world.World, s *call.Client) keyedSubject {
				buyer, p := s.CreateCustomer(t, "idem@example.com"), s.CreateProduct(t, "SOLD", 100, 1000)
				request := orchestrated(buyer.ID, p.ID, 1) // without a correlation id: a repeat has the same one
				same := spelledOtherwise(request, fmt.Sprintf(`{"idempotency_key":KEY,"items":[{"qty":1,"product_id":%d}],"customer_id":%d}`, p.ID, buyer.ID))
				return keyedSubject{
					request: request,
					same:    append(same, jsonRequest("/dev"+request.path, request.body)),
					other:   []keyedRequest{orchestrated(buyer.ID, p.ID, 2), orchestrated(buyer.ID+1, p.ID, 1)},
					effects: func(t *testing.T) int {
						var r orders.OrderPage
						call.Read(s.Orders.ListOrders(t.Context(), &orders.ListOrdersParams{Status: new(orders.StatusConfirmed)})).Want(t, http.StatusOK, &r)
						s.WantOrders(t, len(r.Data))
						return len(r.Data)
					},
					change: func(t *testing.T) { upset(t, s, buyer.ID, p.ID) },
					anew:   wantNewOrder,
				}
			},
			refusals: []keyedRefusal{
				{"stock is short and then filled up", func(t *testing.T, x *keyedShop) (keyedRequest, func()) {
					return orchestrated(x.buyer.ID, x.product.ID, 3), func() { x.admin.ChangeProduct(t, x.product.ID, orders.ProductChange{Stock: new(int64(3))}) }
				}, http.StatusConflict, common.CodeInsufficientStock, nil, http.StatusCreated},
				{"the customer comes later", func(t *testing.T, x *keyedShop) (keyedRequest, func()) {
					return orchestrated(x.buyer.ID+1, x.product.ID, 1), func() { x.admin.CreateCustomer(t, "later@example.com") }
				}, http.StatusNotFound, common.CodeCustomerNotFound, []string{"customer_id"}, http.StatusCreated},
				{"the product comes later", func(t *testing.T, x *keyedShop) (keyedRequest, func()) {
					return orchestrated(x.buyer.ID, x.product.ID+1, 1), func() { x.admin.CreateProduct(t, "LATER", 1, 1) }
				}, http.StatusNotFound, common.CodeProductNotFound, []string{"items"}, http.StatusCreated},
				{"the total is too large and then smaller", func(t *testing.T, x *keyedShop) (keyedRequest, func()) {
					gold := x.admin.CreateProduct(t, "GOLD", 1e11, 1e9)
					return orchestrated(x.buyer.ID, gold.ID, 1e6), func() { x.admin.ChangeProduct(t, gold.ID, orders.ProductChange{PriceCents: new(int64(1))}) }
				}, http.StatusUnprocessableEntity, common.CodeTotalTooLarge, nil, http.StatusCreated},
				{"the order is canceled by another hand between the steps", func(t *testing.T, x *keyedShop) (keyedRequest, func()) {
					proxy := &lossyProxy{meanwhile: func(r *http.Request) bool {
						var id int64
						if _, err := fmt.Sscanf(r.URL.Path, "/orders/%d/confirm", &id); err == nil {
							if r := x.admin.TryCancel(t.Context(), "", id); r.Status != http.StatusOK {
								t.Errorf("got %s, want 200", r)
							}
						}
						return false
					}}
					x.base = listenOrchestrator(t, x.w, config.Config{OrdersAPIBase: proxy.listen(t, x.w.OrdersURL)})
					return orchestrated(x.buyer.ID, x.product.ID, 1), func() {}
				}, http.StatusConflict, common.CodeOrderCanceled, nil, http.StatusConflict},
			},
		},
	}
}

// updatesCustomer returns the operation that changes a customer by a method. By the other method it is another request.
func updatesCustomer(name, method, otherMethod string) keyedOperation {
	return keyedOperation{
		name: name, service: "customers", method: method, status: http.StatusOK, users: true, repeats: true, effect: "UPDATE ON customers",
		prepare: func(t *testing.T, _ *world.World, s *call.Client) keyedSubject {
			customer, second := s.CreateCustomer(t, "idem@example.com"), s.CreateCustomer(t, "idem-2@example.com")
			path := customerPath(customer.ID)
			request := jsonRequest(path, `{"name":"Idem","phone":null}`)
			byOther := request
			byOther.method = otherMethod
			return keyedSubject{
				request: request,
				same:    spelledOtherwise(request, `{"phone":null,"name":"\u0049dem"}`),
				other: []keyedRequest{
					byOther,
					jsonRequest(path, `{"name":"Idem"}`),
					jsonRequest(path, `{"name":"Idem","phone":"1"}`),
					jsonRequest(customerPath(second.ID), request.body),
				},
				effects: func(t *testing.T) int {
					return version(t, call.Read(s.Customers.GetCustomer(t.Context(), customer.ID))) - 1
				},
				change: func(t *testing.T) { s.DeleteCustomer(t, customer.ID) },
				anew:   wantUpdated,
			}
		},
		refusals: []keyedRefusal{
			{"the customer comes later", func(t *testing.T, x *keyedShop) (keyedRequest, func()) {
				return jsonRequest(customerPath(x.buyer.ID+1), `{"name":"Idem"}`), func() { x.admin.CreateCustomer(t, "later@example.com") }
			}, http.StatusNotFound, common.CodeCustomerNotFound, nil, http.StatusOK},
			{"If-Match comes true later", func(t *testing.T, x *keyedShop) (keyedRequest, func()) {
				r := jsonRequest(customerPath(x.buyer.ID), `{"name":"Idem"}`)
				r.ifMatch = `"2"`
				return r, func() { x.admin.ChangeCustomer(t, x.buyer.ID, customers.CustomerChange{Name: new("Second")}) }
			}, http.StatusPreconditionFailed, common.CodePreconditionFailed, nil, http.StatusOK},
			{"the address is taken and then free", func(t *testing.T, x *keyedShop) (keyedRequest, func()) {
				taken := x.admin.CreateCustomer(t, "taken@example.com")
				return jsonRequest(customerPath(x.buyer.ID), `{"email":"Taken@example.com"}`), func() { x.admin.DeleteCustomer(t, taken.ID) }
			}, http.StatusConflict, common.CodeEmailTaken, []string{"email"}, http.StatusOK},
		},
	}
}

func customerPath(id int64) string   { return fmt.Sprintf("/customers/%d", id) }
func userPath(id int64) string       { return fmt.Sprintf("/users/%d", id) }
func integratorPath(id int64) string { return fmt.Sprintf("/integrators/%d", id) }
func keyPath(integrator, id int64) string {
	return fmt.Sprintf("/integrators/%d/keys/%d", integrator, id)
}

// wantUpdated checks that a second execution made the change again.
func wantUpdated(t *testing.T, again call.Response) {
	t.Helper()
	again.Want(t, http.StatusOK)
}

func changeUser(t *testing.T, s *call.Client, id int64, change customers.UserChange) {
	t.Helper()
	call.Read(s.Customers.UpdateUser(t.Context(), id, nil, change)).Want(t, http.StatusOK)
}

func changeIntegrator(t *testing.T, s *call.Client, id int64, change customers.IntegratorChange) {
	t.Helper()
	call.Read(s.Customers.UpdateIntegrator(t.Context(), id, nil, change)).Want(t, http.StatusOK)
}

// otherPath is another operation with a key, on an order that does not exist.
const otherPath = "/orders/4503599627370496/confirm"

// emptyBodies returns spellings of an empty body.
func emptyBodies(path string) []keyedRequest {
	return []keyedRequest{jsonRequest(path, ""), jsonRequest(path, "{}"), jsonRequest(path, " {\n } ")}
}

func orchestrated(customer, product, qty int64) keyedRequest {
	return jsonRequest("/orchestrator/create-and-confirm-order",
		fmt.Sprintf(`{"customer_id":%d,"items":[{"product_id":%d,"qty":%d}],"idempotency_key":KEY}`, customer, product, qty))
}

func (x *keyedShop) order(customer, product, qty int64) keyedRequest {
	return jsonRequest("/orders", fmt.Sprintf(`{"customer_id":%d,"items":[{"product_id":%d,"qty":%d}]}`, customer, product, qty))
}

// upset changes the customer and the products of an order, and cancels it.
func upset(t *testing.T, s *call.Client, buyer, product int64) {
	t.Helper()
	s.ChangeProduct(t, product, orders.ProductChange{PriceCents: new(int64(1)), Stock: new(int64(0))})
	s.CancelOrder(t, 1)
	s.ChangeCustomer(t, buyer, customers.CustomerChange{Name: new("Other"), Email: new("other@example.com")})
	s.DeleteCustomer(t, buyer)
}

// wantNewOrder checks that a second execution placed another order.
func wantNewOrder(t *testing.T, again call.Response) {
	t.Helper()
	if again.Status != http.StatusCreated || again.Replayed() {
		t.Errorf("second execution: got %s, want another order", again)
	}
}

// countChanges counts the changes of orders.
func countChanges(t *testing.T, w *world.World, ids ...int64) (n int) {
	t.Helper()
	s := w.Login("admin")
	for _, id := range ids {
		n += version(t, call.Read(s.Orders.GetOrder(t.Context(), id))) - 1
	}
	return n
}

// version returns the version in the ETag of a resource.
func version(t *testing.T, r call.Response) int {
	t.Helper()
	n, err := strconv.Atoi(strings.Trim(r.Want(t, http.StatusOK).Header.Get("ETag"), `"`))
	if err != nil {
		t.Fatalf("ETag: %v", err)
	}
	return n
}

// wantUnchanged checks that a second execution returns the unchanged order.
func wantUnchanged(t *testing.T, w *world.World, id int64, again call.Response) {
	t.Helper()
	r := call.Read(w.Login("admin").Orders.GetOrder(t.Context(), id)).Want(t, http.StatusOK)
	if again.Status != http.StatusOK || again.Replayed() || !bytes.Equal(again.Body, r.Body) {
		t.Errorf("second execution: got %s, want the unchanged order %s", again, r.Body)
	}
}
