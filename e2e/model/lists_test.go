package model

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/gen/orders"
	ordersservice "github.com/pedidos-hq/pedidos/services/orders"
)

// listing is a list that the machine reads page by page.
type listing struct {
	name, text string
	by         *caller
	least      customers.Role // that may read it
	api        string
	of         string  // the scope of its cursors
	cursor     *cursor // where to start
	limit      *int32
	entries    []entry // the expected entries, in the order of the list
	refused    string  // the outcome if the list can't be read, or ""
	whole      bool    // the list is a single page, which takes no cursor
	fetch      func(ctx context.Context, s *call.Client, cursor *string, limit *int32) (*http.Response, error)
}

// entry is an entry of a list and its position. The positions of a list ascend.
type entry struct {
	at    int64
	value any
}

// cursor is the next_cursor of a page.
type cursor struct {
	list, of string // the operation and the scope of the cursor
	text     string
	after    int64 // the position of the last entry of the page
}

// GoString returns the text that rapid prints.
func (l listing) GoString() string {
	text := l.by.label + ": " + l.text
	if l.limit != nil {
		text += fmt.Sprintf(", limit %d", *l.limit)
	}
	if l.cursor != nil {
		text += fmt.Sprintf(", after a page of %s that ended at %d", l.cursor.of, l.cursor.after)
	}
	return text
}

// list reads a list to its end. It starts at the beginning or at the cursor of an earlier page of any list.
func (m *machine) list(t *rapid.T) {
	m.readAll(t, rapid.Custom(func(t *rapid.T) listing {
		l := m.drawListing(t)
		l.by, l.limit = m.drawCaller(t), optional(t, "limit", limits)
		if l.refused == "" && !l.whole && rapid.IntRange(0, 2).Draw(t, "start") == 2 && len(m.cursors) > 0 {
			c := rapid.SampledFrom(m.cursors).Draw(t, "cursor")
			if c.of == l.of || c.list != l.name { // the service accepts a cursor of the same list of another product
				l.cursor = &c
			}
		}
		return l
	}).Draw(t, "list"))
}

func (m *machine) readAll(t *rapid.T, l listing) {
	for more := true; more; {
		more = m.readPage(t, &l)
	}
}

// readPage reads a page, moves the cursor to its end and reports whether there are more pages.
func (m *machine) readPage(t *rapid.T, l *listing) (more bool) {
	m.do(t, request{
		name: l.name, text: l.text, by: l.by, access: access{least: l.least}, api: l.api,
		send: func(ctx context.Context, s *call.Client, _ keys) (*http.Response, error) {
			if l.cursor == nil {
				return l.fetch(ctx, s, nil, l.limit)
			}
			return l.fetch(ctx, s, &l.cursor.text, l.limit)
		},
		rule: func(t *rapid.T, _ actor, got reply) string {
			if l.refused != "" {
				return l.refused
			}
			if l.cursor != nil && l.cursor.of != l.of {
				return refuse(400, common.CodeInvalidInput, "cursor")
			}
			body := decode[page[json.RawMessage]](t, got, 200)
			shown := slices.DeleteFunc(slices.Clone(l.entries), func(e entry) bool { return l.cursor != nil && e.at <= l.cursor.after })
			limit := 20
			if l.limit != nil {
				limit = int(*l.limit)
			}
			if more = len(shown) > limit; more {
				shown = shown[:limit]
			}
			want := page[any]{Data: []any{}}
			for i, e := range shown {
				if i < len(body.Data) {
					settleEntry(t, e.value, body.Data[i])
				}
				want.Data = append(want.Data, e.value)
			}
			if more && body.NextCursor == nil {
				t.Fatalf("%s: got no next_cursor, want one after %d", l.name, shown[limit-1].at)
			}
			if more {
				want.NextCursor = body.NextCursor
				l.cursor = &cursor{l.name, l.of, *body.NextCursor, shown[limit-1].at}
				m.cursors = append(m.cursors, *l.cursor)
			}
			return succeed(200, want)
		},
	})
	return more
}

type page[T any] struct {
	Data       []T     `json:"data"`
	NextCursor *string `json:"next_cursor"`
}

// setMovementID sets the ID of a stock movement from the first answer that contains it.
func setMovementID(t *rapid.T, entry any, answer json.RawMessage) {
	movement, ok := entry.(*orders.StockMovement)
	if !ok || movement.ID != 0 {
		return
	}
	var received struct{ ID int64 }
	if err := json.Unmarshal(answer, &received); err != nil {
		t.Fatalf("listStockMovements: %v", err)
	}
	movement.ID = received.ID
}

func (m *machine) drawListing(t *rapid.T) listing {
	switch rapid.IntRange(0, 9).Draw(t, "what") {
	case 0:
		return m.listProducts(m.drawProductFilter(t))
	case 1:
		return m.listCustomers(optional(t, "search", searches))
	case 2:
		return m.listOrderHistory(pick(t, "order", m.orders, orderID))
	case 3:
		return m.listStockMovements(pick(t, "product", m.products, productID))
	case 4:
		return m.drawListOfPeople(t)
	}
	p := orders.ListOrdersParams{Search: optional(t, "search", searches), Status: optional(t, "status", statuses)}
	between := rapid.IntRange(0, 3).Draw(t, "between")
	if between == 1 || between == 3 {
		p.From = new(m.drawDayOrTime(t))
	}
	if between >= 2 {
		p.To = new(m.drawDayOrTime(t))
	}
	if rapid.IntRange(0, 3).Draw(t, "customer?") == 3 {
		p.CustomerID = new(m.pickCustomer(t))
	}
	if rapid.IntRange(0, 3).Draw(t, "product?") == 3 {
		p.ProductID = new(pick(t, "product", m.products, productID))
	}
	if rapid.IntRange(0, 3).Draw(t, "updated?") == 3 {
		p.UpdatedSince = new(m.drawDayOrTime(t))
	}
	return m.listOrders(p)
}

func (m *machine) drawProductFilter(t *rapid.T) (p orders.ListProductsParams) {
	p = orders.ListProductsParams{
		Search: optional(t, "search", searches), Archived: optional(t, "archived", archivals),
		StockBelow: optional(t, "stock below", rapid.SampledFrom([]int64{1, 6, 101})), LowStock: optional(t, "low", rapid.Bool()),
	}
	switch rapid.IntRange(0, 3).Draw(t, "which") {
	case 2:
		p.Ids = new(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) int64 { return pick(t, "id", m.products, productID) }), 1, 4).Draw(t, "ids"))
	case 3:
		p.SKU = new(rapid.SliceOfN(skus, 1, 4).Draw(t, "SKUs"))
	}
	return p
}

// drawDayOrTime draws the time at or next to the creation of an order, in some time zone, or its day in UTC.
func (m *machine) drawDayOrTime(t *rapid.T) string {
	at := time.Date(2026, 1, 15, 9, 30, 0, 0, time.UTC)
	if len(m.orders) > 0 {
		at = rapid.SampledFrom(m.orders).Draw(t, "order").CreatedAt.Time
	}
	at = at.Add(rapid.SampledFrom([]time.Duration{0, 0, time.Microsecond, -time.Microsecond, 400 * time.Nanosecond}).Draw(t, "off"))
	if rapid.IntRange(0, 3).Draw(t, "day") == 3 {
		return at.UTC().Format(time.DateOnly)
	}
	return at.In(rapid.SampledFrom([]*time.Location{time.UTC, time.FixedZone("", 2*60*60)}).Draw(t, "zone")).Format(time.RFC3339Nano)
}

// span returns the start and the end of a day, or an instant twice.
func span(text string) (start, end time.Time) {
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day, day.Add(24 * time.Hour)
	}
	at, _ := time.Parse(time.RFC3339Nano, text)
	return at, at
}

// finds reports whether a search matches the texts. A nil search matches all texts.
func finds(search *string, texts ...string) bool {
	return search == nil || strings.Contains(fold(strings.Join(texts, "\n")), fold(*search))
}

// fold removes case and the accents that occur in the drawn names.
func fold(text string) string {
	return strings.NewReplacer("í", "i", "ñ", "n", "ú", "u").Replace(strings.ToLower(text))
}

func (m *machine) listCustomers(search *string) listing {
	l := listing{name: "listCustomers", text: "GET /customers" + note("search", search), of: "customers", least: viewer, api: customersAPI}
	for _, c := range m.present() {
		if finds(search, c.Name, c.Email) {
			l.entries = append(l.entries, entry{c.ID, c.Customer})
		}
	}
	l.fetch = func(ctx context.Context, s *call.Client, cursor *string, limit *int32) (*http.Response, error) {
		return s.Customers.ListCustomers(ctx, &customers.ListCustomersParams{Search: search, Cursor: cursor, Limit: limit})
	}
	return l
}

func (m *machine) listProducts(f orders.ListProductsParams) listing {
	l := listing{name: "listProducts", text: "GET /products " + encode(f), of: "products", least: viewer, api: ordersAPI}
	archived := orders.ArchivedExclude
	if f.Archived != nil {
		archived = *f.Archived
	}
	for _, p := range m.products {
		if finds(f.Search, p.SKU, p.Name) && (f.Ids == nil || slices.Contains(*f.Ids, p.ID)) && (f.SKU == nil || slices.Contains(*f.SKU, p.SKU)) &&
			(f.StockBelow == nil || p.Stock < *f.StockBelow) && (f.LowStock == nil || !*f.LowStock || p.Stock < p.ReorderLevel) &&
			(archived == orders.ArchivedInclude || (archived == orders.ArchivedOnly) == (p.ArchivedAt != nil)) {
			l.entries = append(l.entries, entry{p.ID, p.Product})
		}
	}
	l.fetch = func(ctx context.Context, s *call.Client, cursor *string, limit *int32) (*http.Response, error) {
		f.Cursor, f.Limit = cursor, limit
		return s.Orders.ListProducts(ctx, &f)
	}
	return l
}

func (m *machine) listOrders(p orders.ListOrdersParams) listing {
	l := listing{name: "listOrders", text: "GET /orders " + encode(p), of: "orders", least: viewer, api: ordersAPI}
	var from, toStart, to time.Time
	if p.From != nil {
		from, _ = span(*p.From)
	}
	if p.To != nil {
		toStart, to = span(*p.To)
	}
	if p.From != nil && p.To != nil && from.After(toStart) && !from.Before(to) {
		l.refused = refuse(400, common.CodeInvalidInput, "from")
	}
	var since time.Time
	if p.UpdatedSince != nil {
		since, _ = span(*p.UpdatedSince)
	}
	numbered, product, text := m.sought(p.Search)
	if numbered == nil && product != nil && p.ProductID != nil && *p.ProductID != product.ID && l.refused == "" {
		l.refused = refuse(400, common.CodeInvalidInput, "search")
	}
	if p.ProductID != nil && numbered == nil {
		product = m.product(*p.ProductID)
	}
	switch {
	case p.UpdatedSince != nil:
		l.of = "changes"
	case product != nil || p.ProductID != nil:
		l.of = "orders of a product"
	}
	for _, o := range slices.Backward(m.orders) {
		if (numbered == nil || o == numbered) && finds(text, o.Customer.Name, o.Customer.Email) && (p.Status == nil || o.Status == *p.Status) &&
			(p.CustomerID == nil || o.CustomerID == *p.CustomerID) && (p.ProductID == nil || o.has(*p.ProductID)) && (product == nil || o.has(product.ID)) &&
			(p.From == nil || !o.CreatedAt.Before(from)) && (p.To == nil || o.CreatedAt.Before(to)) && (p.UpdatedSince == nil || !o.UpdatedAt.Before(since)) {
			at := -o.ID
			if p.UpdatedSince != nil {
				at = o.UpdatedAt.UnixMicro()*1000 + o.ID
			}
			l.entries = append(l.entries, entry{at, o.Order})
		}
	}
	slices.SortFunc(l.entries, func(a, b entry) int { return cmp.Compare(a.at, b.at) })
	l.whole = numbered != nil
	l.fetch = func(ctx context.Context, s *call.Client, cursor *string, limit *int32) (*http.Response, error) {
		p.Cursor, p.Limit = cursor, limit
		return s.Orders.ListOrders(ctx, &p)
	}
	return l
}

// sought returns what a search of orders looks for: the order with this number or, if there is none, the product with this SKU or, if there is
// none, a text.
func (m *machine) sought(search *string) (numbered *order, product *product, text *string) {
	if search == nil {
		return nil, nil, nil
	}
	if id, err := strconv.ParseInt(*search, 10, 64); err == nil {
		if o := m.order(id); o != nil {
			return o, nil, nil
		}
	}
	for _, p := range m.products {
		if p.SKU == *search {
			return nil, p, nil
		}
	}
	return nil, nil, search
}

// has reports whether an order has a line of a product.
func (o *order) has(product int64) bool {
	return slices.ContainsFunc(o.Items, func(l orders.OrderLine) bool { return l.ProductID == product })
}

func (m *machine) listOrderHistory(id int64) listing {
	l := listing{name: "listOrderHistory", text: fmt.Sprintf("GET /orders/%d/history", id), of: "histories", least: viewer, api: ordersAPI}
	if o := m.order(id); o != nil {
		for i, e := range o.events {
			l.entries = append(l.entries, entry{int64(i), e})
		}
	} else {
		l.refused = refuse(404, common.CodeOrderNotFound)
	}
	l.fetch = func(ctx context.Context, s *call.Client, cursor *string, limit *int32) (*http.Response, error) {
		return s.Orders.ListOrderHistory(ctx, id, &orders.ListOrderHistoryParams{Cursor: cursor, Limit: limit})
	}
	return l
}

func (m *machine) listStockMovements(id int64) listing {
	l := listing{name: "listStockMovements", text: fmt.Sprintf("GET /products/%d/stock-movements", id), of: fmt.Sprintf("stock movements of product %d", id), least: viewer, api: ordersAPI}
	if p := m.product(id); p != nil {
		for i, movement := range slices.Backward(p.movements) {
			l.entries = append(l.entries, entry{int64(-i), movement})
		}
	} else {
		l.refused = refuse(404, common.CodeProductNotFound)
	}
	l.fetch = func(ctx context.Context, s *call.Client, cursor *string, limit *int32) (*http.Response, error) {
		return s.Orders.ListStockMovements(ctx, id, &orders.ListStockMovementsParams{Cursor: cursor, Limit: limit})
	}
	return l
}

// compare compares all data of the services with the model and runs the checks of `pedidos audit`.
func (m *machine) compare(t *rapid.T) {
	include := orders.ArchivedInclude
	lists := []listing{m.listCustomers(nil), m.listProducts(orders.ListProductsParams{Archived: &include}), m.listOrders(orders.ListOrdersParams{}), m.listUsers(), m.listIntegrators(), m.listAudit(nil, nil)}
	for _, i := range m.integrators {
		lists = append(lists, m.listKeys(i.ID))
	}
	var gets []request
	for _, c := range m.customers {
		gets = append(gets, m.getCustomer(m.admin, c.ID))
	}
	for _, p := range m.products {
		gets = append(gets, m.getProduct(m.admin, p.ID))
		lists = append(lists, m.listStockMovements(p.ID))
	}
	for _, o := range m.orders {
		gets = append(gets, m.getOrder(m.admin, o.ID))
		lists = append(lists, m.listOrderHistory(o.ID))
	}
	for _, r := range gets {
		t.Logf("%#v", r)
		m.do(t, r)
	}
	for _, l := range lists {
		l.by, l.limit = m.admin, new(int32(100))
		t.Logf("%#v", l)
		m.readAll(t, l)
	}
	seen := map[int64]bool{}
	for _, p := range m.products {
		for i, movement := range p.movements {
			if seen[movement.ID] || i > 0 && movement.ID < p.movements[i-1].ID {
				t.Fatalf("listStockMovements: the movements of product %d do not have unique, ascending IDs", p.ID)
			}
			seen[movement.ID] = true
		}
	}
	broken, err := ordersservice.Audit(t.Context(), m.w.DB, func(sentence string) { t.Log("audit: ", sentence) })
	if err != nil || broken > 0 {
		t.Fatalf("audit: %d inconsistencies, %v", broken, err)
	}
}
