package model

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/oapi-codegen/nullable"
	"pgregory.net/rapid"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/gen/orchestrator"
	"github.com/pedidos-hq/pedidos/gen/orders"
)

// The APIs that take keys. The orchestrator derives further keys from its callers' keys; the model never uses a derived
// key.
const (
	customersAPI    = "customers"
	ordersAPI       = "orders"
	orchestratorAPI = "orchestrator"
)

// The values of requests. They are few, so that requests collide, and the simplest come first, as rapid shrinks to these.
var (
	names  = rapid.SampledFrom([]string{"Norte", "Ferretería Sur", "FERRETERÍA NORTE", "100% Ñandú", "a_b"})
	emails = rapid.SampledFrom([]string{
		"a@x.example", "b@x.example", "c@x.example", "d@x.example", "e@y.example", "f@y.example", "g@y.example", "h@y.example", "i@y.example", "o_o@y.example", "A@X.example", "B@X.example",
	})
	phones     = rapid.SampledFrom([]*string{nil, new("+54 11 5555-0101")})
	skus       = rapid.SampledFrom([]string{"A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "a", "b", "Ab_c"})
	prices     = rapid.SampledFrom([]int64{1, 0, 999, 129900, 100_000_000_000})
	stocks     = rapid.SampledFrom([]int64{12, 100, 5, 0, 1_000_000, 1_000_000})
	deltas     = rapid.SampledFrom([]int64{1, 12, -1, -3, 0, -2_000_000})
	levels     = rapid.SampledFrom([]int64{0, 1, 10, 1_000})
	quantities = rapid.SampledFrom([]int64{1, 1, 1, 2, 2, 3, 4, 5, 9, 1_000_000})
	searches   = rapid.SampledFrom([]string{"norte", "ferreteria", "RÍA", "@y.", "%", "_", "ñ", "a", "nobody", "1", "3", "A", "B"})
	archivals  = rapid.SampledFrom([]orders.ListProductsParamsArchived{orders.ArchivedExclude, orders.ArchivedInclude, orders.ArchivedOnly})
	statuses   = rapid.SampledFrom([]orders.OrderStatus{orders.StatusCreated, orders.StatusConfirmed, orders.StatusCanceled})
	limits     = rapid.SampledFrom([]int32{100, 1, 2, 3, 5})
	spellings  = rapid.IntRange(0, 2)
	reasons    = rapid.SampledFrom([]*string{nil, new("changed its mind"), new("stock count")})
)

// optional draws a value or, three times out of four, nil.
func optional[T any](t *rapid.T, label string, g *rapid.Generator[T]) *T {
	if rapid.IntRange(0, 3).Draw(t, label+"?") < 3 {
		return nil
	}
	return new(g.Draw(t, label))
}

// pick draws the ID of an element, and sometimes an unknown ID.
func pick[T any](t *rapid.T, label string, all []*T, id func(*T) int64) int64 {
	const unknown = 1_000_000
	i := rapid.IntRange(0, max(19, len(all))).Draw(t, label)
	if len(all) == 0 || i == max(19, len(all)) {
		return unknown
	}
	return id(all[i%len(all)])
}

// pickCustomer draws the ID of a customer, which is usually not deleted.
func (m *machine) pickCustomer(t *rapid.T) int64 {
	all := m.customers
	if rapid.IntRange(0, 9).Draw(t, "deleted") < 9 {
		all = m.present()
	}
	return pick(t, "customer", all, customerID)
}

// drawKey draws no key, a new key, or the key of any earlier request.
func (m *machine) drawKey(t *rapid.T) string {
	switch n := rapid.IntRange(0, 9).Draw(t, "key"); {
	case n < 4:
		return ""
	case n == 9 && len(m.sent) > 0:
		return rapid.SampledFrom(m.sent).Draw(t, "used").key
	}
	return m.newKey()
}

// needKey draws a key for an operation that requires one. It rarely draws none.
func (m *machine) needKey(t *rapid.T) string {
	if key := m.drawKey(t); key != "" || rapid.IntRange(0, 9).Draw(t, "none") == 9 {
		return key
	}
	return m.newKey()
}

func (m *machine) newKey() string { return fmt.Sprintf("k%d", len(m.sent)+1) }

// drawIfMatch draws an If-Match for a resource with a version, or none.
func drawIfMatch(t *rapid.T, version int) *string {
	switch rapid.IntRange(0, 7).Draw(t, "if-match") {
	case 4:
		return new("*")
	case 5:
		return new(etag(version))
	case 6:
		return new(etag(version - 1))
	case 7:
		return new(etag(version+1) + ", " + etag(version))
	}
	return nil
}

// matches reports whether an If-Match of drawIfMatch allows a change.
func matches(ifMatch *string, version int) bool {
	return ifMatch == nil || *ifMatch == "*" || slices.Contains(strings.Split(*ifMatch, ", "), etag(version))
}

func drawCustomer(t *rapid.T) customers.CustomerInput {
	return customers.CustomerInput{Name: names.Draw(t, "name"), Email: emails.Draw(t, "email"), Phone: phones.Draw(t, "phone")}
}

func (m *machine) drawOrder(t *rapid.T) orders.OrderInput {
	line := rapid.Custom(func(t *rapid.T) orders.OrderLineInput {
		return orders.OrderLineInput{ProductID: pick(t, "product", m.products, productID), Qty: quantities.Draw(t, "qty")}
	})
	return orders.OrderInput{
		CustomerID: m.pickCustomer(t), Items: rapid.SliceOfN(line, 1, 4).Draw(t, "items"),
	}
}

func (m *machine) createCustomer(t *rapid.T) request {
	in := drawCustomer(t)
	return request{
		name: "createCustomer", text: "POST /customers " + encode(in), by: m.drawCaller(t), access: access{least: manager},
		api: customersAPI, key: m.drawKey(t), spelling: spellings.Draw(t, "spelling"),
		send: func(ctx context.Context, s *call.Client, k keys) (*http.Response, error) {
			return s.Customers.CreateCustomer(ctx, &customers.CreateCustomerParams{IdempotencyKey: k.header, XIdempotencyKey: k.alias}, in)
		},
		rule: func(t *rapid.T, _ actor, got reply) string { return m.customerCreated(t, got, in) },
	}
}

// drawCustomerChange draws a change of at least one field.
func drawCustomerChange(t *rapid.T) (in customers.CustomerChange) {
	fields := rapid.IntRange(1, 7).Draw(t, "fields")
	if fields&1 != 0 {
		in.Name = new(names.Draw(t, "name"))
	}
	if fields&2 != 0 {
		in.Email = new(emails.Draw(t, "email"))
	}
	if fields&4 != 0 {
		in.Phone = nullable.NewNullNullable[string]()
		if phone := phones.Draw(t, "phone"); phone != nil {
			in.Phone = nullable.NewNullableWithValue(*phone)
		}
	}
	return in
}

// changeCustomer draws a change by PUT or PATCH, or sometimes a deletion.
func (m *machine) changeCustomer(t *rapid.T) request {
	id := m.pickCustomer(t)
	if rapid.IntRange(0, 3).Draw(t, "delete") == 3 {
		return m.deleteCustomer(t, id)
	}
	in := drawCustomerChange(t)
	var match *string
	if c := m.customer(id); c != nil {
		match = drawIfMatch(t, c.version)
	}
	change := request{
		name: "updateCustomer", text: fmt.Sprintf("PATCH /customers/%d %s", id, encode(in)), note: note("If-Match", match), by: m.drawCaller(t),
		access: access{least: manager}, api: customersAPI, key: m.drawKey(t), spelling: spellings.Draw(t, "spelling"),
		send: func(ctx context.Context, s *call.Client, k keys) (*http.Response, error) {
			return s.Customers.UpdateCustomer(ctx, id, &customers.UpdateCustomerParams{IdempotencyKey: k.header, XIdempotencyKey: k.alias, IfMatch: match}, in)
		},
		rule: func(t *rapid.T, _ actor, got reply) string { return m.customerChanged(t, got, id, match, in) },
	}
	if rapid.Bool().Draw(t, "put") {
		change.name, change.text = "replaceCustomer", fmt.Sprintf("PUT /customers/%d %s", id, encode(in))
		change.send = func(ctx context.Context, s *call.Client, k keys) (*http.Response, error) {
			return s.Customers.ReplaceCustomer(ctx, id, &customers.ReplaceCustomerParams{IdempotencyKey: k.header, XIdempotencyKey: k.alias, IfMatch: match}, in)
		}
	}
	return change
}

func (m *machine) deleteCustomer(t *rapid.T, id int64) request {
	return request{
		name: "deleteCustomer", text: fmt.Sprintf("DELETE /customers/%d", id), by: m.drawCaller(t), access: access{least: manager},
		api: customersAPI, key: m.drawKey(t), spelling: spellings.Draw(t, "spelling"),
		send: func(ctx context.Context, s *call.Client, k keys) (*http.Response, error) {
			return s.Customers.DeleteCustomer(ctx, id, &customers.DeleteCustomerParams{IdempotencyKey: k.header, XIdempotencyKey: k.alias})
		},
		rule: func(*rapid.T, actor, reply) string { return m.customerDeleted(id) },
	}
}

func (m *machine) createProduct(t *rapid.T) request {
	in := orders.ProductInput{
		SKU: skus.Draw(t, "sku"), Name: names.Draw(t, "name"), PriceCents: prices.Draw(t, "price"), Stock: stocks.Draw(t, "stock"),
		ReorderLevel: levels.Draw(t, "level"),
	}
	return request{
		name: "createProduct", text: "POST /products " + encode(in), by: m.drawCaller(t), access: access{least: manager},
		api: ordersAPI, key: m.drawKey(t), spelling: spellings.Draw(t, "spelling"),
		send: func(ctx context.Context, s *call.Client, k keys) (*http.Response, error) {
			return s.Orders.CreateProduct(ctx, &orders.CreateProductParams{IdempotencyKey: k.header, XIdempotencyKey: k.alias}, in)
		},
		rule: func(t *rapid.T, by actor, got reply) string { return m.productCreated(t, got, by, in) },
	}
}

func (m *machine) updateProduct(t *rapid.T) request {
	id := pick(t, "id", m.products, productID)
	in := orders.ProductChange{
		Name: optional(t, "name", names), PriceCents: optional(t, "price", prices), Stock: optional(t, "stock", stocks),
		StockDelta: optional(t, "delta", deltas), ReorderLevel: optional(t, "level", levels),
	}
	if rapid.IntRange(0, 9).Draw(t, "archive") == 9 {
		in.Archived = new(rapid.Bool().Draw(t, "archived"))
	}
	if in == (orders.ProductChange{}) {
		in.Stock = new(stocks.Draw(t, "stock"))
	}
	if in.Stock != nil || in.StockDelta != nil || rapid.IntRange(0, 9).Draw(t, "astray") == 9 {
		in.Reason = reasons.Draw(t, "reason")
	}
	var match *string
	if p := m.product(id); p != nil {
		match = drawIfMatch(t, p.version)
	}
	by, key := m.drawCaller(t), m.drawKey(t)
	if in.Stock != nil && in.StockDelta != nil || in.Reason != nil && in.Stock == nil && in.StockDelta == nil {
		key = "" // bad input is refused whatever its key
	}
	return request{
		name: "updateProduct", text: fmt.Sprintf("PATCH /products/%d %s", id, encode(in)), note: note("If-Match", match), by: by,
		access: access{least: operator, fields: func(role customers.Role) []string { return refusedFields(role, in) }},
		api:    ordersAPI, key: key, spelling: spellings.Draw(t, "spelling"),
		send: func(ctx context.Context, s *call.Client, k keys) (*http.Response, error) {
			return s.Orders.UpdateProduct(ctx, id, &orders.UpdateProductParams{IdempotencyKey: k.header, XIdempotencyKey: k.alias, IfMatch: match}, in)
		},
		rule: func(t *rapid.T, author actor, got reply) string {
			return m.productUpdated(t, got, author, id, match, in)
		},
	}
}

// buy draws a request for an order to orders-api, or for a confirmed order to the orchestrator.
func (m *machine) buy(t *rapid.T) request {
	in := m.drawOrder(t)
	if rapid.IntRange(0, 2).Draw(t, "confirm") == 2 {
		return m.createAndConfirmOrder(t, in)
	}
	return request{
		name: "createOrder", text: "POST /orders " + encode(in), by: m.drawCaller(t), access: access{least: operator, services: true},
		api: ordersAPI, key: m.drawKey(t), spelling: spellings.Draw(t, "spelling"),
		send: func(ctx context.Context, s *call.Client, k keys) (*http.Response, error) {
			return s.Orders.CreateOrder(ctx, &orders.CreateOrderParams{IdempotencyKey: k.header, XIdempotencyKey: k.alias}, in)
		},
		rule: func(t *rapid.T, by actor, got reply) string { return m.orderCreated(t, got, by, in) },
	}
}

func (m *machine) confirmOrder(t *rapid.T) request {
	id := pick(t, "id", m.orders, orderID)
	match := m.drawOrderMatch(t, id)
	return request{
		name: "confirmOrder", text: fmt.Sprintf("POST /orders/%d/confirm", id), note: note("If-Match", match), by: m.drawCaller(t), access: access{least: operator, services: true},
		api: ordersAPI, key: m.needKey(t), spelling: spellings.Draw(t, "spelling"), needsKey: true,
		send: func(ctx context.Context, s *call.Client, k keys) (*http.Response, error) {
			// The generated client always sends the required header, but the service also accepts its alias alone.
			drop := func(_ context.Context, r *http.Request) error {
				if k.header == nil {
					r.Header.Del("Idempotency-Key")
				}
				return nil
			}
			params := orders.ConfirmOrderParams{XIdempotencyKey: k.alias, IfMatch: match}
			if k.header != nil {
				params.IdempotencyKey = *k.header
			}
			return s.Orders.ConfirmOrder(ctx, id, &params, orders.Confirmation{}, drop)
		},
		rule: func(t *rapid.T, by actor, got reply) string { return m.orderConfirmed(t, got, by, id, match) },
	}
}

// cancelOrder also draws the time of the request: now, or a few microseconds before the cancel window ends. The services' own
// readings of the clock then may fall before or after the end.
func (m *machine) cancelOrder(t *rapid.T) request {
	all := m.orders
	if cancelable := m.cancelable(m.w.Clock.Now()); len(cancelable) > 0 && rapid.Bool().Draw(t, "open") {
		all = cancelable
	}
	id, reason := pick(t, "id", all, orderID), reasons.Draw(t, "reason")
	match := m.drawOrderMatch(t, id)
	r := request{
		name: "cancelOrder", text: fmt.Sprintf("POST /orders/%d/cancel %s", id, encode(orders.Cancellation{Reason: reason})), note: note("If-Match", match),
		by: m.drawCaller(t), access: access{least: operator, services: true},
		api: ordersAPI, key: m.drawKey(t), spelling: spellings.Draw(t, "spelling"),
		send: func(ctx context.Context, s *call.Client, k keys) (*http.Response, error) {
			params := orders.CancelOrderParams{IdempotencyKey: k.header, XIdempotencyKey: k.alias, IfMatch: match}
			return s.Orders.CancelOrder(ctx, id, &params, orders.Cancellation{Reason: reason})
		},
		rule: func(t *rapid.T, by actor, got reply) string { return m.orderCanceled(t, got, by, id, match, reason) },
	}
	early := time.Duration(rapid.IntRange(-9, 9).Draw(t, "early")) * time.Microsecond
	if o := m.order(id); early > 0 && o != nil && o.Status == orders.StatusConfirmed {
		r.moment = o.ConfirmedAt.Add(cancelWindow - early)
		r.note += fmt.Sprintf(", %s before the window ends", early)
	}
	return r
}

// drawOrderMatch draws an If-Match for an order, or none.
func (m *machine) drawOrderMatch(t *rapid.T, id int64) *string {
	if o := m.order(id); o != nil {
		return drawIfMatch(t, o.version)
	}
	return nil
}

func (m *machine) createAndConfirmOrder(t *rapid.T, in orders.OrderInput) request {
	key := m.drawKey(t)
	if key == "" {
		key = m.newKey()
	}
	body := orchestrator.OrderRequest{CustomerID: in.CustomerID, IdempotencyKey: key, CorrelationID: new("model")}
	for _, item := range in.Items {
		body.Items = append(body.Items, orchestrator.OrderRequestLine(item))
	}
	return request{
		name: "createAndConfirmOrder", text: "POST /orchestrator/create-and-confirm-order " + encode(in),
		by: m.drawCaller(t), access: access{least: operator, services: true}, api: orchestratorAPI, key: key,
		send: func(ctx context.Context, s *call.Client, _ keys) (*http.Response, error) {
			return s.Orchestrator.CreateAndConfirmOrder(ctx, nil, body)
		},
		rule: func(t *rapid.T, by actor, got reply) string { return m.createdAndConfirmed(t, got, by, in) },
	}
}

// retry draws an earlier request with its key, sometimes of another caller, whose keys are separate.
func (m *machine) retry(t *rapid.T) request {
	r := rapid.SampledFrom(m.sent).Draw(t, "request")
	r.moment, r.note, r.spelling = time.Time{}, "", spellings.Draw(t, "spelling")
	if rapid.IntRange(0, 4).Draw(t, "other") == 4 {
		r.by = m.drawCaller(t)
	}
	return r
}

func (m *machine) get(t *rapid.T) request {
	by := m.drawCaller(t)
	switch rapid.IntRange(0, 2).Draw(t, "what") {
	case 0:
		return m.getProduct(by, pick(t, "product", m.products, productID))
	case 1:
		return m.getOrder(by, pick(t, "order", m.orders, orderID))
	}
	return m.getCustomer(by, m.pickCustomer(t))
}

// getCustomer uses the internal route if the caller is a service. Its answers are the same.
func (m *machine) getCustomer(by *caller, id int64) request {
	return request{
		name: "getCustomer", text: fmt.Sprintf("GET /customers/%d", id), by: by, access: access{least: viewer, services: true}, api: customersAPI,
		send: func(ctx context.Context, s *call.Client, _ keys) (*http.Response, error) {
			if by == m.service {
				return s.Customers.GetCustomerInternal(ctx, id)
			}
			return s.Customers.GetCustomer(ctx, id)
		},
		rule: func(*rapid.T, actor, reply) string { return m.customerGot(id) },
	}
}

func (m *machine) getProduct(by *caller, id int64) request {
	return request{
		name: "getProduct", text: fmt.Sprintf("GET /products/%d", id), by: by, access: access{least: viewer}, api: ordersAPI,
		send: func(ctx context.Context, s *call.Client, _ keys) (*http.Response, error) {
			return s.Orders.GetProduct(ctx, id)
		},
		rule: func(*rapid.T, actor, reply) string { return m.productGot(id) },
	}
}

func (m *machine) getOrder(by *caller, id int64) request {
	return request{
		name: "getOrder", text: fmt.Sprintf("GET /orders/%d", id), by: by, access: access{least: viewer, services: true}, api: ordersAPI,
		send: func(ctx context.Context, s *call.Client, _ keys) (*http.Response, error) {
			return s.Orders.GetOrder(ctx, id)
		},
		rule: func(*rapid.T, actor, reply) string { return m.orderGot(id) },
	}
}

func note(name string, value *string) string {
	if value == nil {
		return ""
	}
	return fmt.Sprintf(", %s %s", name, *value)
}

func encode(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}
