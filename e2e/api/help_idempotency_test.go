package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/gen/orders"
	orchestratorservice "github.com/pedidos-hq/pedidos/services/orchestrator"
)

// idemOperation is a POST with an effect, which takes a key.
type idemOperation struct {
	name     string // its operationId
	service  string
	status   int    // of a success
	required bool   // whether there must be a key
	inBody   bool   // whether the key is the member idempotency_key of the body, and not a header
	users    bool   // whether it is for users alone, and not for services
	effect   string // the first thing that the database does for it
	prepare  func(t *testing.T, w *world.World, s *call.Client) idemSubject
	refusals []idemRefusal
}

// idemSubject is something to do once.
type idemSubject struct {
	request idemRequest
	same    []idemRequest                        // the request, written otherwise
	other   []idemRequest                        // requests that are not the same
	effects func(t *testing.T) int               // how often it was done
	change  func(t *testing.T)                   // makes the request one that gets another answer; nil where nothing does
	anew    func(t *testing.T, again idemAnswer) // checks the answer of the request once more, not as a repeat
}

// idemRefusal is a request that is refused for what the shop is like.
type idemRefusal struct {
	name    string
	prepare func(t *testing.T, x *idemShop) (r idemRequest, change func())
	status  int
	code    common.ProblemCode
	fields  []string
	later   int // status under another key, once the shop has changed
}

// idemShop is where a refusal takes place. product costs 100 cents, 2 are in stock.
type idemShop struct {
	*idemCase
	buyer   customers.Customer
	product orders.Product
}

// idemRequest is a POST to an operation. In a body KEY stands for the key.
type idemRequest struct {
	path, contentType, body string
	keys                    http.Header
}

func idemJSON(path, body string) idemRequest {
	return idemRequest{path: path, contentType: "application/json", body: body}
}

// idemSame writes a request in other ways: with a charset, with blanks, with its members in another order.
func idemSame(r idemRequest, reordered string) []idemRequest {
	return []idemRequest{
		{path: r.path, contentType: "application/json; charset=utf-8", body: r.body},
		idemJSON(r.path, " "+strings.ReplaceAll(r.body, ",", " ,\n")+"\n"),
		idemJSON(r.path, reordered),
	}
}

const (
	idemHeader = "Idempotency-Key"
	idemAlias  = "X-Idempotency-Key"
)

// under is a request under a key, in the plain spelling.
func (o idemOperation) under(key string, r idemRequest) idemRequest {
	if !o.inBody {
		r.keys = http.Header{idemHeader: {key}}
		return r
	}
	encoded, _ := json.Marshal(key) // strings have an encoding
	r.body = strings.Replace(r.body, "KEY", string(encoded), 1)
	return r
}

// keyless is a request without a key.
func (o idemOperation) keyless(r idemRequest) idemRequest {
	r.body = strings.Replace(r.body, `,"idempotency_key":KEY`, "", 1)
	return r
}

// keyField is what a refusal of the key names.
func (o idemOperation) keyField() string {
	if o.inBody {
		return "idempotency_key"
	}
	return idemHeader
}

// idemAnswer is an answer, less its date, and whether it says that it was kept.
type idemAnswer struct {
	edgeAnswer
	replayed bool
}

func (a idemAnswer) equal(b idemAnswer) bool {
	return a.Status == b.Status && bytes.Equal(a.Body, b.Body) && maps.EqualFunc(a.Header, b.Header, slices.Equal)
}

// idemCase is an operation in a world of its own.
type idemCase struct {
	idemOperation
	idemSubject
	w      *world.World
	admin  *call.Client
	client *http.Client // held to the contract
	base   string       // URL of the service
}

func idemStart(t *testing.T, o idemOperation, options world.Options) *idemCase {
	t.Helper()
	w := newWorld(t, options)
	x := &idemCase{idemOperation: o, w: w, admin: w.Login("admin"), client: w.HTTP(o.service)}
	x.base = map[string]string{"customers": w.CustomersURL, "orders": w.OrdersURL, "orchestrator": w.OrchestratorURL}[o.service]
	x.idemSubject = o.prepare(t, w, x.admin)
	return x
}

// try sends a request. It takes no *testing.T, so that it can run at once with others.
func (x *idemCase) try(ctx context.Context, s *call.Client, r idemRequest) (idemAnswer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, x.base+r.path, strings.NewReader(r.body))
	if err != nil {
		return idemAnswer{}, err
	}
	maps.Copy(request.Header, r.keys)
	if s.Token != "" {
		request.Header.Set("Authorization", "Bearer "+s.Token)
	}
	if r.contentType != "" {
		request.Header.Set("Content-Type", r.contentType)
	}
	response, err := x.client.Do(request)
	if err != nil {
		return idemAnswer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return idemAnswer{}, err
	}
	a := idemAnswer{edgeAnswer{response.StatusCode, response.Header, body}, response.Header.Get("Idempotency-Replayed") == "true"}
	a.Header.Del("Date")
	a.Header.Del("Idempotency-Replayed")
	return a, nil
}

// send sends a request and ends the test where there is no answer.
func (x *idemCase) send(t *testing.T, s *call.Client, r idemRequest) idemAnswer {
	t.Helper()
	a, err := x.try(t.Context(), s, r)
	if err != nil {
		t.Fatalf("POST %s: %v", r.path, err)
	}
	return a
}

// do sends the request under a key.
func (x *idemCase) do(t *testing.T, s *call.Client, key string) idemAnswer {
	t.Helper()
	return x.send(t, s, x.under(key, x.request))
}

// first does what was not done before, and ends the test where it is not done, or was.
func (x *idemCase) first(t *testing.T, what string, s *call.Client, key string) idemAnswer {
	t.Helper()
	a := x.do(t, s, key)
	if a.Status != x.status || a.replayed {
		t.Fatalf("%s: got %s, replayed: %t, want a first %d", what, a, a.replayed, x.status)
	}
	return a
}

// wantReplay fails the test where an answer is not the first one again.
func (x *idemCase) wantReplay(t *testing.T, what string, got, first idemAnswer) {
	t.Helper()
	// The orchestrator keeps no answers: its refusals are those of orders-api, and do not say that they were kept.
	if silent := x.inBody && got.Status != x.status; !got.replayed && !silent {
		t.Errorf("%s: got %s without Idempotency-Replayed", what, got)
	}
	if !got.equal(first) {
		t.Errorf("%s: got %s %v, want %s %v", what, got, got.Header, first, first.Header)
	}
}

// wantAnew fails the test where an answer to the request, which was done before, is a repeat.
func (x *idemCase) wantAnew(t *testing.T, what string, got, first idemAnswer) {
	t.Helper()
	if got.replayed || x.status == http.StatusCreated && bytes.Equal(got.Body, first.Body) {
		t.Errorf("%s: got the answer to another request: %s", what, got)
		return
	}
	x.anew(t, got)
}

func (x *idemCase) wantEffects(t *testing.T, what string, want int) {
	t.Helper()
	if n := x.effects(t); n != want {
		t.Errorf("%s: got %d effects, want %d", what, n, want)
	}
}

// idemRefused ends the test where the answer is not that refusal, about those fields.
func idemRefused(t *testing.T, what string, a idemAnswer, status int, code common.ProblemCode, fields ...string) {
	t.Helper()
	p := edgeRefused(t, a.edgeAnswer, status)
	if slices.Sort(fields); p.Code != code || !slices.Equal(p.fields(), fields) {
		t.Fatalf("%s: got %s, want %s about %q", what, a, code, fields)
	}
}

// idemOperations are all operations that take a key; TestIdempotencyOperations holds them to the contracts.
func idemOperations() []idemOperation {
	return []idemOperation{
		{
			name: "createCustomer", service: "customers", status: http.StatusCreated, users: true, effect: "INSERT ON customers",
			prepare: func(_ *testing.T, _ *world.World, s *call.Client) idemSubject {
				request := idemJSON("/customers", `{"name":"Idem","email":"idem@example.com","phone":"+54 11"}`)
				return idemSubject{
					request: request,
					same:    idemSame(request, `{"phone":"+54 11","email":"\u0069dem@example.com","name":"Idem"}`),
					other: []idemRequest{ // there is no other path at customers-api that takes a key
						idemJSON("/customers", `{"name":"Ide","email":"idem@example.com","phone":"+54 11"}`),
						idemJSON("/customers", `{"name":"Idem","email":"idem@example.com"}`),
					},
					effects: func(t *testing.T) int {
						return len(customersList(t, s.Customers, &customers.ListCustomersParams{Search: new("idem@example.com")}))
					},
					change: func(t *testing.T) {
						id := customersList(t, s.Customers, nil)[0]
						idemRename(t, s, id, "idem@example.com")
					},
					anew: func(t *testing.T, again idemAnswer) {
						idemRefused(t, "once more", again, http.StatusConflict, common.CodeEmailTaken, "email")
					},
				}
			},
			refusals: []idemRefusal{
				{"the address is taken and then free", func(t *testing.T, x *idemShop) (idemRequest, func()) {
					return idemJSON("/customers", `{"name":"x","email":"`+x.buyer.Email+`"}`), func() { idemDelete(t, x.admin, x.buyer.ID) }
				}, http.StatusConflict, common.CodeEmailTaken, []string{"email"}, http.StatusCreated},
			},
		},
		{
			name: "createProduct", service: "orders", status: http.StatusCreated, users: true, effect: "INSERT ON products",
			prepare: func(_ *testing.T, _ *world.World, s *call.Client) idemSubject {
				request := idemJSON("/products", `{"sku":"IDEM","name":"x","price_cents":1,"stock":1}`)
				list := func(t *testing.T) []orders.Product {
					r, err := s.Orders.ListProductsWithResponse(t.Context(), &orders.ListProductsParams{Search: new("idem")})
					ordersWant(t, "list", r, err, http.StatusOK)
					return r.JSON200.Data
				}
				return idemSubject{
					request: request,
					same:    idemSame(request, `{"stock":1,"price_cents":1,"name":"x","sku":"\u0049DEM"}`),
					other: []idemRequest{
						idemJSON("/products", `{"sku":"IDEM","name":"x","price_cents":1,"stock":2}`),
						{path: idemElsewhere},
					},
					effects: func(t *testing.T) int { return len(list(t)) },
					change: func(t *testing.T) {
						ordersPatched(t, s, list(t)[0].ID, orders.ProductChange{Name: new("y"), PriceCents: new(int64(2))})
					},
					anew: func(t *testing.T, again idemAnswer) {
						idemRefused(t, "once more", again, http.StatusConflict, common.CodeSKUTaken, "sku")
					},
				}
			},
			refusals: []idemRefusal{
				{"the SKU is taken", func(t *testing.T, x *idemShop) (idemRequest, func()) {
					return idemJSON("/products", `{"sku":"`+x.product.SKU+`","name":"x","price_cents":1,"stock":1}`), func() {}
				}, http.StatusConflict, common.CodeSKUTaken, []string{"sku"}, http.StatusConflict},
			},
		},
		{
			name: "createOrder", service: "orders", status: http.StatusCreated, effect: "INSERT ON orders",
			prepare: func(t *testing.T, w *world.World, s *call.Client) idemSubject {
				buyer, a, b := s.CreateCustomer(t, "idem@example.com"), s.CreateProduct(t, "A", 100, 1000), s.CreateProduct(t, "B", 100, 1000)
				line := func(product int64) string { return fmt.Sprintf(`{"product_id":%d,"qty":1}`, product) }
				order := func(customer int64, lines string) idemRequest {
					return idemJSON("/orders", fmt.Sprintf(`{"customer_id":%d,"items":[%s]}`, customer, lines))
				}
				request := order(buyer.ID, line(a.ID)+","+line(b.ID))
				return idemSubject{
					request: request,
					same:    idemSame(request, fmt.Sprintf(`{"items":[{"qty":1,"product_id":%d},%s],"customer_id":%d}`, a.ID, line(b.ID), buyer.ID)),
					other: []idemRequest{
						order(buyer.ID, line(b.ID)+","+line(a.ID)),
						order(buyer.ID, line(a.ID)),
						order(buyer.ID+1, line(a.ID)+","+line(b.ID)),
						{path: idemElsewhere},
					},
					effects: func(t *testing.T) int { return ordersCount(t, s) },
					change:  func(t *testing.T) { idemUpset(t, s, buyer.ID, a.ID) },
					anew:    idemWantOrder,
				}
			},
			refusals: []idemRefusal{
				{"stock is short and then filled up", func(t *testing.T, x *idemShop) (idemRequest, func()) {
					return x.order(x.buyer.ID, x.product.ID, 3), func() { ordersPatched(t, x.admin, x.product.ID, orders.ProductChange{Stock: new(int64(3))}) }
				}, http.StatusConflict, common.CodeInsufficientStock, nil, http.StatusCreated},
				{"the customer comes later", func(t *testing.T, x *idemShop) (idemRequest, func()) {
					return x.order(x.buyer.ID+1, x.product.ID, 1), func() { x.admin.CreateCustomer(t, "later@example.com") }
				}, http.StatusNotFound, common.CodeCustomerNotFound, []string{"customer_id"}, http.StatusCreated},
				{"the product comes later", func(t *testing.T, x *idemShop) (idemRequest, func()) {
					return x.order(x.buyer.ID, x.product.ID+1, 1), func() { x.admin.CreateProduct(t, "LATER", 1, 1) }
				}, http.StatusNotFound, common.CodeProductNotFound, []string{"items"}, http.StatusCreated},
				{"the total is too large and then smaller", func(t *testing.T, x *idemShop) (idemRequest, func()) {
					gold := x.admin.CreateProduct(t, "GOLD", 1e11, 1e9)
					return x.order(x.buyer.ID, gold.ID, 1e6), func() { ordersPatched(t, x.admin, gold.ID, orders.ProductChange{PriceCents: new(int64(1))}) }
				}, http.StatusUnprocessableEntity, common.CodeTotalTooLarge, nil, http.StatusCreated},
			},
		},
		{
			name: "confirmOrder", service: "orders", status: http.StatusOK, required: true, effect: "UPDATE ON orders",
			prepare: func(t *testing.T, w *world.World, s *call.Client) idemSubject {
				buyer, p := s.CreateCustomer(t, "idem@example.com"), s.CreateProduct(t, "SOLD", 100, 1000)
				order, second := s.CreateOrder(t, buyer.ID, p.ID, 1), s.CreateOrder(t, buyer.ID, p.ID, 1)
				path := fmt.Sprintf("/orders/%d/confirm", order.ID)
				return idemSubject{
					request: idemRequest{path: path},
					same:    idemNoBody(path),
					other:   []idemRequest{{path: fmt.Sprintf("/orders/%d/confirm", second.ID)}, {path: fmt.Sprintf("/orders/%d/cancel", order.ID)}},
					effects: func(t *testing.T) int { return idemVersions(t, w, order.ID, second.ID) },
					change:  func(t *testing.T) { ordersCanceled(t, s, order.ID) },
					anew:    func(t *testing.T, again idemAnswer) { idemWantAsItIs(t, w, order.ID, again) },
				}
			},
			refusals: []idemRefusal{
				{"the order comes later", func(t *testing.T, x *idemShop) (idemRequest, func()) {
					next := x.admin.CreateOrder(t, x.buyer.ID, x.product.ID, 1).ID + 1
					return idemRequest{path: fmt.Sprintf("/orders/%d/confirm", next)}, func() { x.admin.CreateOrder(t, x.buyer.ID, x.product.ID, 1) }
				}, http.StatusNotFound, common.CodeOrderNotFound, nil, http.StatusOK},
				{"the order is canceled", func(t *testing.T, x *idemShop) (idemRequest, func()) {
					order := x.admin.CreateOrder(t, x.buyer.ID, x.product.ID, 1)
					ordersCanceled(t, x.admin, order.ID)
					return idemRequest{path: fmt.Sprintf("/orders/%d/confirm", order.ID)}, func() {}
				}, http.StatusConflict, common.CodeOrderCanceled, nil, http.StatusConflict},
			},
		},
		{
			name: "cancelOrder", service: "orders", status: http.StatusOK, effect: "UPDATE ON orders",
			prepare: func(t *testing.T, w *world.World, s *call.Client) idemSubject {
				buyer, p := s.CreateCustomer(t, "idem@example.com"), s.CreateProduct(t, "SOLD", 100, 1000)
				order := s.CreateOrder(t, buyer.ID, p.ID, 1)
				path := fmt.Sprintf("/orders/%d/cancel", order.ID)
				return idemSubject{
					request: idemRequest{path: path},
					same:    idemNoBody(path),
					other:   []idemRequest{idemJSON(path, `{"reason":"x"}`), {path: fmt.Sprintf("/orders/%d/confirm", order.ID)}},
					effects: func(t *testing.T) int { return idemVersions(t, w, order.ID) },
					anew:    func(t *testing.T, again idemAnswer) { idemWantAsItIs(t, w, order.ID, again) },
				}
			},
			refusals: []idemRefusal{
				{"the order comes later", func(t *testing.T, x *idemShop) (idemRequest, func()) {
					next := x.admin.CreateOrder(t, x.buyer.ID, x.product.ID, 1).ID + 1
					return idemRequest{path: fmt.Sprintf("/orders/%d/cancel", next)}, func() { x.admin.CreateOrder(t, x.buyer.ID, x.product.ID, 1) }
				}, http.StatusNotFound, common.CodeOrderNotFound, nil, http.StatusOK},
				{"the window is over", func(t *testing.T, x *idemShop) (idemRequest, func()) {
					order := x.admin.CreateOrder(t, x.buyer.ID, x.product.ID, 1)
					ordersConfirmed(t, x.admin, order.ID, "confirm")
					x.w.Clock.Advance(11 * time.Minute)
					return idemRequest{path: fmt.Sprintf("/orders/%d/cancel", order.ID)}, func() {}
				}, http.StatusConflict, common.CodeCancelWindowOver, nil, http.StatusConflict},
			},
		},
		{
			name: "createAndConfirmOrder", service: "orchestrator", status: http.StatusCreated, required: true, inBody: true, effect: "INSERT ON orders",
			prepare: func(t *testing.T, w *world.World, s *call.Client) idemSubject {
				buyer, p := s.CreateCustomer(t, "idem@example.com"), s.CreateProduct(t, "SOLD", 100, 1000)
				request := idemOrchestrated(buyer.ID, p.ID, 1) // without a correlation id: a repeat has the same one
				same := idemSame(request, fmt.Sprintf(`{"idempotency_key":KEY,"items":[{"qty":1,"product_id":%d}],"customer_id":%d}`, p.ID, buyer.ID))
				return idemSubject{
					request: request,
					same:    append(same, idemJSON("/dev"+request.path, request.body)),
					other:   []idemRequest{idemOrchestrated(buyer.ID, p.ID, 2), idemOrchestrated(buyer.ID+1, p.ID, 1)},
					effects: func(t *testing.T) int {
						r, err := s.Orders.ListOrdersWithResponse(t.Context(), &orders.ListOrdersParams{Status: new(orders.StatusConfirmed)})
						ordersWant(t, "list orders", r, err, http.StatusOK)
						if n := ordersCount(t, s); n != len(r.JSON200.Data) {
							t.Errorf("got %d orders, %d of them confirmed, want all", n, len(r.JSON200.Data))
						}
						return len(r.JSON200.Data)
					},
					change: func(t *testing.T) { idemUpset(t, s, buyer.ID, p.ID) },
					anew:   idemWantOrder,
				}
			},
			refusals: []idemRefusal{
				{"stock is short and then filled up", func(t *testing.T, x *idemShop) (idemRequest, func()) {
					return idemOrchestrated(x.buyer.ID, x.product.ID, 3), func() { ordersPatched(t, x.admin, x.product.ID, orders.ProductChange{Stock: new(int64(3))}) }
				}, http.StatusConflict, common.CodeInsufficientStock, nil, http.StatusCreated},
				{"the customer comes later", func(t *testing.T, x *idemShop) (idemRequest, func()) {
					return idemOrchestrated(x.buyer.ID+1, x.product.ID, 1), func() { x.admin.CreateCustomer(t, "later@example.com") }
				}, http.StatusNotFound, common.CodeCustomerNotFound, []string{"customer_id"}, http.StatusCreated},
				{"the product comes later", func(t *testing.T, x *idemShop) (idemRequest, func()) {
					return idemOrchestrated(x.buyer.ID, x.product.ID+1, 1), func() { x.admin.CreateProduct(t, "LATER", 1, 1) }
				}, http.StatusNotFound, common.CodeProductNotFound, []string{"items"}, http.StatusCreated},
				{"the total is too large and then smaller", func(t *testing.T, x *idemShop) (idemRequest, func()) {
					gold := x.admin.CreateProduct(t, "GOLD", 1e11, 1e9)
					return idemOrchestrated(x.buyer.ID, gold.ID, 1e6), func() { ordersPatched(t, x.admin, gold.ID, orders.ProductChange{PriceCents: new(int64(1))}) }
				}, http.StatusUnprocessableEntity, common.CodeTotalTooLarge, nil, http.StatusCreated},
				{"the order is canceled by another hand between the steps", func(t *testing.T, x *idemShop) (idemRequest, func()) {
					proxy := &orchProxy{meanwhile: func(r *http.Request) bool {
						var id int64
						if _, err := fmt.Sscanf(r.URL.Path, "/orders/%d/confirm", &id); err == nil {
							canceled, err := x.admin.Orders.CancelOrderWithResponse(t.Context(), id, nil, orders.Cancellation{})
							if err != nil || canceled.JSON200 == nil {
								t.Errorf("cancel: %v", err)
							}
						}
						return false
					}}
					x.base = orchListen(t, x.w, orchestratorservice.Config{OrdersBaseURL: proxy.listen(t, x.w.OrdersURL)})
					return idemOrchestrated(x.buyer.ID, x.product.ID, 1), func() {}
				}, http.StatusConflict, common.CodeOrderCanceled, nil, http.StatusConflict},
			},
		},
	}
}

// idemElsewhere is a path of orders-api that takes a key, for an order that there is not.
const idemElsewhere = "/orders/4611686018427387904/confirm"

// idemNoBody are the spellings of a body of which nothing is needed, but for the shortest.
func idemNoBody(path string) []idemRequest {
	return []idemRequest{idemJSON(path, ""), idemJSON(path, "{}"), idemJSON(path, " {\n } ")}
}

func idemOrchestrated(customer, product, qty int64) idemRequest {
	return idemJSON("/orchestrator/create-and-confirm-order",
		fmt.Sprintf(`{"customer_id":%d,"items":[{"product_id":%d,"qty":%d}],"idempotency_key":KEY}`, customer, product, qty))
}

func (x *idemShop) order(customer, product, qty int64) idemRequest {
	return idemJSON("/orders", fmt.Sprintf(`{"customer_id":%d,"items":[{"product_id":%d,"qty":%d}]}`, customer, product, qty))
}

// idemUpset changes whatever an order was made of, and ends it.
func idemUpset(t *testing.T, s *call.Client, buyer, product int64) {
	t.Helper()
	ordersPatched(t, s, product, orders.ProductChange{PriceCents: new(int64(1)), Stock: new(int64(0))})
	ordersCanceled(t, s, 1)
	idemRename(t, s, buyer, "other@example.com")
	idemDelete(t, s, buyer)
}

func idemRename(t *testing.T, s *call.Client, customer int64, email string) {
	t.Helper()
	r, err := s.Customers.ReplaceCustomerWithResponse(t.Context(), customer, nil, customers.CustomerChange{Name: new("Other"), Email: &email})
	ordersWant(t, "rename", r, err, http.StatusOK)
}

func idemDelete(t *testing.T, s *call.Client, customer int64) {
	t.Helper()
	r, err := s.Customers.DeleteCustomerWithResponse(t.Context(), customer)
	ordersWant(t, "delete", r, err, http.StatusNoContent)
}

// idemWantOrder checks that there is a new order.
func idemWantOrder(t *testing.T, again idemAnswer) {
	t.Helper()
	if again.Status != http.StatusCreated || again.replayed {
		t.Errorf("once more: got %s, replayed: %t, want another order", again, again.replayed)
	}
}

// idemVersions counts the changes of orders.
func idemVersions(t *testing.T, w *world.World, ids ...int64) (n int) {
	t.Helper()
	s := w.Login("admin")
	for _, id := range ids {
		r, err := s.Orders.GetOrderWithResponse(t.Context(), id)
		ordersWant(t, "get", r, err, http.StatusOK)
		version, err := strconv.Atoi(strings.Trim(r.Headers200.ETag, `"`))
		if err != nil {
			t.Fatalf("ETag: %v", err)
		}
		n += version - 1
	}
	return n
}

// idemWantAsItIs checks that an answer is the order as it is.
func idemWantAsItIs(t *testing.T, w *world.World, id int64, again idemAnswer) {
	t.Helper()
	r, err := w.Login("admin").Orders.GetOrderWithResponse(t.Context(), id)
	ordersWant(t, "get", r, err, http.StatusOK)
	if again.Status != http.StatusOK || again.replayed || !bytes.Equal(again.Body, r.Body) {
		t.Errorf("once more: got %s, replayed: %t, want the order as it is: %s", again, again.replayed, r.Body)
	}
}
