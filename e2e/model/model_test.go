package model

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/gen/orchestrator"
	"github.com/pedidos-hq/pedidos/gen/orders"
)

const (
	cancelWindow = 10 * time.Minute
	keyLife      = 24 * time.Hour
	maxTotal     = 1<<53 - 1
)

// model is the expected state of the services. Its methods are the rules: each takes a request and its answer, and returns the
// outcome that the answer must have. The model cannot predict IDs and times, so it takes them from the answer and checks that
// they are plausible.
type model struct {
	customers []*customer // including deleted ones
	products  []*product
	orders    []*order
	stored    map[keyName]storedAnswer

	users       []*user
	integrators []*integrator
	keys        []*key
	audit       []*auditEntry // oldest first
}

type customer struct {
	customers.Customer
	version int
	deleted bool
}

type product struct {
	orders.Product
	version   int
	movements []*orders.StockMovement
}

type order struct {
	orders.Order
	version int
	events  []orders.OrderEvent
}

// keyName is an idempotency key. The keys of each API and each caller are separate.
type keyName struct{ api, caller, key string }

// storedAnswer is the answer that is stored under a key.
type storedAnswer struct {
	text  string // the text of the request
	first reply
}

// refusal holds the compared parts of an answer that is not a success.
type refusal struct {
	status    int
	code      common.ProblemCode
	step      orchestrator.Step // only in answers of the orchestrator
	fields    []string
	shortages []common.Shortage
}

func refuse(status int, code common.ProblemCode, fields ...string) string {
	return refusal{status: status, code: code, fields: fields}.String()
}

func (r refusal) String() string {
	text := fmt.Sprintf("%d %s", r.status, r.code)
	if r.step != "" {
		text += fmt.Sprintf(" at %s", r.step)
	}
	if len(r.fields) > 0 {
		text += fmt.Sprintf(" about %s", strings.Join(r.fields, ", "))
	}
	for _, s := range r.shortages {
		text += fmt.Sprintf(", %d of product %d requested, %d available", s.Requested, s.ProductID, s.Available)
	}
	return text
}

// succeed returns the outcome of a success.
func succeed(status int, body any, headers ...string) string {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("%d %s %s", status, strings.Join(headers, " "), text)
}

func etag(version int) string { return fmt.Sprintf(`"%d"`, version) }

// find returns the element with an ID, or nil.
func find[T any](all []*T, id func(*T) int64, wanted int64) *T {
	i := slices.IndexFunc(all, func(one *T) bool { return id(one) == wanted })
	if i < 0 {
		return nil
	}
	return all[i]
}

func customerID(c *customer) int64 { return c.ID }
func productID(p *product) int64   { return p.ID }
func orderID(o *order) int64       { return o.ID }

// customer returns the customer with an ID, or nil if there is none or it is deleted.
func (m *model) customer(id int64) *customer { return find(m.present(), customerID, id) }

// present returns the customers that are not deleted.
func (m *model) present() []*customer {
	return slices.DeleteFunc(slices.Clone(m.customers), func(c *customer) bool { return c.deleted })
}

func (m *model) product(id int64) *product { return find(m.products, productID, id) }
func (m *model) order(id int64) *order     { return find(m.orders, orderID, id) }

// cancelable returns the confirmed orders that can still be canceled.
func (m *model) cancelable(now time.Time) []*order {
	return slices.DeleteFunc(slices.Clone(m.orders), func(o *order) bool {
		return o.Status != orders.StatusConfirmed || !now.Before(o.ConfirmedAt.Add(cancelWindow))
	})
}

// emailTaken reports whether a customer other than but has the email address.
func (m *model) emailTaken(email string, but *customer) bool {
	return slices.ContainsFunc(m.present(), func(c *customer) bool { return c != but && strings.EqualFold(c.Email, email) })
}

func (m *model) customerCreated(t *rapid.T, got reply, in customers.CustomerInput) string {
	if m.emailTaken(in.Email, nil) {
		return refuse(409, common.CodeEmailTaken, "email")
	}
	body := decode[customers.Customer](t, got, 201)
	now := got.instant(t, &body.CreatedAt)
	c := &customer{version: 1, Customer: customers.Customer{
		ID: newID(t, m.customers, customerID, body.ID), Name: in.Name, Email: in.Email, Phone: in.Phone, CreatedAt: now, UpdatedAt: now,
	}}
	m.customers = append(m.customers, c)
	return succeed(201, c.Customer, etag(1), fmt.Sprintf("/customers/%d", c.ID))
}

func (m *model) customerChanged(t *rapid.T, got reply, id int64, ifMatch *string, in customers.CustomerChange) string {
	c := m.customer(id)
	switch {
	case c == nil:
		return refuse(404, common.CodeCustomerNotFound)
	case !matches(ifMatch, c.version):
		return refuse(412, common.CodePreconditionFailed)
	case in.Email != nil && m.emailTaken(*in.Email, c):
		return refuse(409, common.CodeEmailTaken, "email")
	}
	if in.Name != nil {
		c.Name = *in.Name
	}
	if in.Email != nil {
		c.Email = *in.Email
	}
	if in.Phone.IsSpecified() {
		c.Phone = nil
		if phone, err := in.Phone.Get(); err == nil && phone != "" {
			c.Phone = &phone
		}
	}
	c.UpdatedAt = got.instant(t, new(decode[customers.Customer](t, got, 200).UpdatedAt))
	c.version++
	return succeed(200, c.Customer, etag(c.version))
}

func (m *model) customerDeleted(id int64) string {
	c := m.customer(id)
	if c == nil {
		return refuse(404, common.CodeCustomerNotFound)
	}
	c.deleted = true
	return "204"
}

func (m *model) customerGot(id int64) string {
	c := m.customer(id)
	if c == nil {
		return refuse(404, common.CodeCustomerNotFound)
	}
	return succeed(200, c.Customer, etag(c.version))
}

func (m *model) productCreated(t *rapid.T, got reply, by actor, in orders.ProductInput) string {
	if slices.ContainsFunc(m.products, func(p *product) bool { return p.SKU == in.SKU }) {
		return refuse(409, common.CodeSKUTaken, "sku")
	}
	body := decode[orders.Product](t, got, 201)
	now := got.instant(t, &body.CreatedAt)
	p := &product{version: 1, Product: orders.Product{
		ID: newID(t, m.products, productID, body.ID), SKU: in.SKU, Name: in.Name, PriceCents: in.PriceCents, ReorderLevel: in.ReorderLevel, CreatedAt: now,
	}}
	p.setStock(in.Stock, by, new("first stock"), now)
	m.products = append(m.products, p)
	return succeed(201, p.Product, etag(1), fmt.Sprintf("/products/%d", p.ID))
}

func (m *model) productUpdated(t *rapid.T, got reply, by actor, id int64, ifMatch *string, in orders.ProductChange) string {
	p := m.product(id)
	switch {
	case in.Stock != nil && in.StockDelta != nil:
		return refuse(400, common.CodeInvalidInput, "stock_delta")
	case in.Reason != nil && in.Stock == nil && in.StockDelta == nil:
		return refuse(400, common.CodeInvalidInput, "reason")
	case p == nil:
		return refuse(404, common.CodeProductNotFound)
	case !matches(ifMatch, p.version):
		return refuse(412, common.CodePreconditionFailed)
	case in.StockDelta != nil && p.Stock+*in.StockDelta < 0:
		return refusal{
			status: 409, code: common.CodeInsufficientStock, shortages: []common.Shortage{{ProductID: id, Requested: -*in.StockDelta, Available: p.Stock}},
		}.String()
	}
	if in.Name != nil {
		p.Name = *in.Name
	}
	if in.PriceCents != nil {
		p.PriceCents = *in.PriceCents
	}
	stock := p.Stock
	if in.Stock != nil {
		stock = *in.Stock
	}
	if in.StockDelta != nil {
		stock += *in.StockDelta
	}
	if in.ReorderLevel != nil {
		p.ReorderLevel = *in.ReorderLevel
	}
	now := got.instant(t, new(decode[orders.Product](t, got, 200).UpdatedAt))
	switch {
	case in.Archived != nil && !*in.Archived:
		p.ArchivedAt = nil
	case in.Archived != nil && p.ArchivedAt == nil:
		p.ArchivedAt = &now
	}
	p.setStock(stock, by, in.Reason, now)
	p.version++
	return succeed(200, p.Product, etag(p.version))
}

// refusedFields returns the fields that the role may not set: an operator changes only the stock.
func refusedFields(role customers.Role, in orders.ProductChange) (fields []string) {
	if role != operator {
		return nil
	}
	if in.Archived != nil {
		fields = append(fields, "archived")
	}
	if in.Name != nil {
		fields = append(fields, "name")
	}
	if in.PriceCents != nil {
		fields = append(fields, "price_cents")
	}
	if in.ReorderLevel != nil {
		fields = append(fields, "reorder_level")
	}
	return fields
}

// setStock changes the stock on request of a user, which adds a stock movement.
func (p *product) setStock(stock int64, by actor, reason *string, now common.Time) {
	if stock != p.Stock {
		p.movements = append(p.movements, &orders.StockMovement{
			From: new(p.Stock), To: &stock, Delta: stock - p.Stock, Caller: &by.name, CallerID: by.id, CallerName: by.display, Reason: reason, CreatedAt: now,
		})
	}
	p.Stock, p.UpdatedAt = stock, now
}

func (m *model) productGot(id int64) string {
	p := m.product(id)
	if p == nil {
		return refuse(404, common.CodeProductNotFound)
	}
	return succeed(200, p.Product, etag(p.version))
}

// lines returns the lines of an order and its total in cents, or the reason why it can't be placed.
func (m *model) lines(in orders.OrderInput) (lines []orders.OrderLine, total int64, refused *refusal) {
	if m.customer(in.CustomerID) == nil {
		return nil, 0, &refusal{status: 404, code: common.CodeCustomerNotFound, fields: []string{"customer_id"}}
	}
	units := map[int64]int64{}
	for _, item := range in.Items {
		units[item.ProductID] += item.Qty
	}
	var unknown, archived []string
	var short []common.Shortage
	for _, id := range slices.Sorted(maps.Keys(units)) {
		switch p, qty := m.product(id), units[id]; {
		case p == nil:
			unknown = append(unknown, "items")
		case p.ArchivedAt != nil:
			archived = append(archived, "items")
		case p.Stock < qty:
			short = append(short, common.Shortage{ProductID: id, Requested: qty, Available: p.Stock})
		default:
			lines = append(lines, orders.OrderLine{
				ProductID: id, SKU: p.SKU, Name: p.Name, Qty: qty, UnitPriceCents: p.PriceCents, SubtotalCents: qty * p.PriceCents,
			})
			total += qty * p.PriceCents
		}
	}
	switch {
	case unknown != nil:
		return nil, 0, &refusal{status: 404, code: common.CodeProductNotFound, fields: unknown}
	case archived != nil:
		return nil, 0, &refusal{status: 409, code: common.CodeProductArchived, fields: archived}
	case total > maxTotal: // the total counts only lines with enough stock
		return nil, 0, &refusal{status: 422, code: common.CodeTotalTooLarge}
	case short != nil:
		return nil, 0, &refusal{status: 409, code: common.CodeInsufficientStock, shortages: short}
	}
	return lines, total, nil
}

// place adds an order and takes its units from stock.
func (m *model) place(t *rapid.T, by actor, buyer, id, total int64, lines []orders.OrderLine, now common.Time) *order {
	c := m.customer(buyer)
	o := &order{Order: orders.Order{
		ID: newID(t, m.orders, orderID, id), CustomerID: buyer, Customer: orders.OrderCustomer{Name: c.Name, Email: c.Email, Phone: c.Phone},
		TotalCents: total, Items: lines, CreatedAt: now,
	}}
	o.setStatus(orders.StatusCreated, by, nil, now)
	m.orders = append(m.orders, o)
	m.moveStock(lines, -1, now)
	return o
}

// setStatus changes the status, which creates an event and a new version.
func (o *order) setStatus(status orders.OrderStatus, by actor, reason *string, now common.Time) {
	event := orders.OrderEvent{To: status, Caller: &by.name, CallerID: by.id, CallerName: by.display, Reason: reason, CreatedAt: now}
	if o.Status != "" {
		event.From = new(o.Status)
	}
	o.events = append(o.events, event)
	o.Status, o.UpdatedAt = status, now
	o.version++
	switch status {
	case orders.StatusConfirmed:
		o.ConfirmedAt = &now
	case orders.StatusCanceled:
		o.CanceledAt, o.CancelReason = &now, reason
	}
}

// moveStock takes units from stock, with the sign -1, or returns them, with 1. Each product gets a new version.
func (m *model) moveStock(lines []orders.OrderLine, sign int64, now common.Time) {
	for _, l := range lines {
		p := m.product(l.ProductID)
		p.Stock += sign * l.Qty
		p.UpdatedAt = now
		p.version++
	}
}

func (m *model) orderCreated(t *rapid.T, got reply, by actor, in orders.OrderInput) string {
	lines, total, refused := m.lines(in)
	if refused != nil {
		return refused.String()
	}
	body := decode[orders.Order](t, got, 201)
	o := m.place(t, by, in.CustomerID, body.ID, total, lines, got.instant(t, &body.CreatedAt))
	return succeed(201, o.Order, etag(1), fmt.Sprintf("/orders/%d", o.ID))
}

func (m *model) orderConfirmed(t *rapid.T, got reply, by actor, id int64, ifMatch *string) string {
	o := m.order(id)
	switch {
	case o == nil:
		return refuse(404, common.CodeOrderNotFound)
	case !matches(ifMatch, o.version):
		return refuse(412, common.CodePreconditionFailed)
	case o.Status == orders.StatusCanceled:
		return refuse(409, common.CodeOrderCanceled)
	case o.Status == orders.StatusCreated:
		o.setStatus(orders.StatusConfirmed, by, nil, got.instant(t, decode[orders.Order](t, got, 200).ConfirmedAt))
	}
	return succeed(200, o.Order, etag(o.version))
}

func (m *model) orderCanceled(t *rapid.T, got reply, by actor, id int64, ifMatch, reason *string) string {
	o := m.order(id)
	if o == nil {
		return refuse(404, common.CodeOrderNotFound)
	}
	if !matches(ifMatch, o.version) {
		return refuse(412, common.CodePreconditionFailed)
	}
	if o.Status == orders.StatusCanceled {
		return succeed(200, o.Order, etag(o.version))
	}
	if o.Status == orders.StatusConfirmed {
		end := o.ConfirmedAt.Add(cancelWindow)
		// If the window ends during the request, both outcomes are correct. A cancellation must then have a time before the
		// end of the window.
		if !got.from.Before(end) || got.until.After(end) && got.Status == 409 {
			return refuse(409, common.CodeCancelWindowOver)
		}
		if got.until.After(end) {
			got.until = end
		}
	}
	now := got.instant(t, decode[orders.Order](t, got, 200).CanceledAt)
	o.setStatus(orders.StatusCanceled, by, reason, now)
	m.moveStock(o.Items, 1, now)
	return succeed(200, o.Order, etag(o.version))
}

func (m *model) orderGot(id int64) string {
	o := m.order(id)
	if o == nil {
		return refuse(404, common.CodeOrderNotFound)
	}
	return succeed(200, o.Order, etag(o.version))
}

func (m *model) createdAndConfirmed(t *rapid.T, got reply, by actor, in orders.OrderInput) string {
	lines, total, refused := m.lines(in)
	if refused != nil {
		refused.step = orchestrator.StepCreateOrder
		if refused.code == common.CodeCustomerNotFound {
			refused.step = orchestrator.StepValidateCustomer
		}
		return refused.String()
	}
	body := decode[orchestrator.Confirmed](t, got, 201).Data.Order
	o := m.place(t, by, in.CustomerID, body.ID, total, lines, got.instant(t, &body.CreatedAt))
	o.setStatus(orders.StatusConfirmed, by, nil, got.instant(t, &body.ConfirmedAt))
	items := make([]orchestrator.ConfirmedLine, len(lines))
	for i, l := range lines {
		items[i] = orchestrator.ConfirmedLine(l)
	}
	return succeed(201, orchestrator.Confirmed{
		Success: true, CorrelationID: "model",
		Data: orchestrator.ConfirmedData{
			Customer: orchestrator.ConfirmedCustomer{ID: o.CustomerID, Name: o.Customer.Name, Email: o.Customer.Email, Phone: o.Customer.Phone},
			Order: orchestrator.ConfirmedOrder{
				ID: o.ID, CustomerID: o.CustomerID, Status: orchestrator.CONFIRMED, TotalCents: total, Items: items,
				CreatedAt: o.CreatedAt, ConfirmedAt: *o.ConfirmedAt,
			},
		},
	})
}

// canceledAsStale cancels orders as the sweeper does. It does that in one transaction, as they are fewer than 20.
func (m *model) canceledAsStale(stale []*order, reason *string, now common.Time) {
	var lines []orders.OrderLine
	for _, o := range stale {
		o.setStatus(orders.StatusCanceled, actor{name: "sweeper"}, reason, now)
		for _, l := range o.Items {
			if i := slices.IndexFunc(lines, func(one orders.OrderLine) bool { return one.ProductID == l.ProductID }); i >= 0 {
				lines[i].Qty += l.Qty
				continue
			}
			lines = append(lines, l)
		}
	}
	m.moveStock(lines, 1, now)
}
