package floor_test

import (
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/bench/basket"
	"github.com/pedidos-hq/pedidos/e2e/bench/floor"
	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/engine"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/search"
)

// The floor and the API write the same rows for the same orders.
func TestFloorWritesSameRowsAsAPI(t *testing.T) {
	t.Parallel()
	shop := openShop(t)
	for _, lines := range []int{1, 5, 20} {
		b := shop.basket
		b.Lines = b.Lines[:lines]

		before := shop.stock(t)
		byFloor, err := shop.session.Place(t.Context(), fmt.Sprintf("floor-%d", lines), b)
		if err != nil {
			t.Fatal(err)
		}
		between := shop.stock(t)
		byAPI := shop.place(t, fmt.Sprintf("api-%d", lines), b)
		after := shop.stock(t)
		for product := range after {
			if taken := minus(before[product], between[product]); taken != minus(between[product], after[product]) {
				t.Errorf("%d lines: the floor takes %v (stock, version) of product %d, the API %v", lines, taken, product, minus(between[product], after[product]))
			}
		}
		shop.compare(t, byFloor, byAPI)

		if err := shop.session.Confirm(t.Context(), fmt.Sprintf("floor-confirm-%d", lines), byFloor); err != nil {
			t.Fatal(err)
		}
		shop.confirm(t, fmt.Sprintf("api-confirm-%d", lines), byAPI)
		shop.compare(t, byFloor, byAPI)
	}
}

func TestFloorRefuses(t *testing.T) {
	t.Parallel()
	shop := openShop(t)
	before := shop.stock(t)
	b := shop.basket
	b.Lines = []orders.OrderLineInput{{ProductID: b.Lines[0].ProductID, Qty: 1}, {ProductID: b.Lines[1].ProductID, Qty: stock + 1}}
	if id, err := shop.session.Place(t.Context(), "short", b); !errors.Is(err, floor.ErrShort) {
		t.Errorf("order %d, %v, want %v", id, err, floor.ErrShort)
	}
	if got := shop.rows(t, "SELECT COUNT(*) FROM orders UNION ALL SELECT COUNT(*) FROM orders_idempotency"); got != "[0]\n[0]\n" {
		t.Errorf("orders and keys after a refusal: %s", got)
	}
	shop.place(t, "no-lock-is-left", shop.basket)
	if _, err := shop.session.Place(t.Context(), "once", shop.basket); err != nil {
		t.Error(err)
	}
	if _, err := shop.session.Place(t.Context(), "once", shop.basket); err == nil {
		t.Error("two orders have the same key")
	}
	shop.place(t, "after-that", shop.basket)
	after := shop.stock(t)
	for _, l := range shop.basket.Lines {
		if taken := minus(before[l.ProductID], after[l.ProductID]); taken != [2]int64{3 * l.Qty, -3} {
			t.Errorf("three orders of %d take %v (stock, version) of product %d", l.Qty, taken, l.ProductID)
		}
	}
}

func TestBareHandlerAnswersAsTheAPI(t *testing.T) {
	t.Parallel()
	shop := openShop(t)
	id := shop.place(t, "key", shop.basket)
	shop.confirm(t, "confirm", id)
	want := call.Read(shop.api.Orders.GetOrder(t.Context(), id)).Want(t, http.StatusOK)
	got := httptest.NewRecorder()
	floor.Handler(shop.db).ServeHTTP(got, httptest.NewRequest(http.MethodGet, "/orders/"+strconv.FormatInt(id, 10), nil))
	if got.Code != want.Status || got.Body.String() != string(want.Body) {
		t.Errorf("%d %s\nwant %d %s", got.Code, got.Body, want.Status, want.Body)
	}
	for _, header := range []string{"Content-Type", "ETag"} {
		if got, want := got.Header().Get(header), want.Header.Get(header); got != want {
			t.Errorf("%s is %q, want %q", header, got, want)
		}
	}
}

const stock = 1000 // of each product

// shop is the API and the floor over one database.
type shop struct {
	db      *sql.DB
	session *floor.Session
	api     *call.Client
	basket  basket.Basket // of twenty lines
}

func openShop(t *testing.T) *shop {
	t.Helper()
	at := engine.EmptyMySQL(t)
	served, err := database.OpenMySQL(at, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = served.Close() })
	if err := served.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	w := world.New(t, world.Options{DB: served})
	s := &shop{api: w.Login("admin")}
	customer := s.api.CreateCustomer(t, "compras@norte.example")
	s.basket = basket.Basket{Customer: customer, SearchText: search.Fold(customer.Name, customer.Email)}
	for i := range int64(20) {
		p := s.api.CreateProduct(t, fmt.Sprintf("SKU-%d", i), 100+i, stock)
		s.basket.Lines = append(s.basket.Lines, orders.OrderLineInput{ProductID: p.ID, Qty: 1 + i%3})
	}
	if s.db, err = floor.Open(at, true); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.db.Close() })
	own, err := floor.Open(at, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = own.Close() })
	conn, err := own.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	s.session = floor.NewSession(conn)
	return s
}

// place places an order through the API.
func (s *shop) place(t *testing.T, key string, b basket.Basket) int64 {
	t.Helper()
	var order orders.Order
	call.Read(s.api.Orders.CreateOrder(t.Context(), &orders.CreateOrderParams{IdempotencyKey: &key},
		orders.OrderInput{CustomerID: b.Customer.ID, Items: b.Lines})).Want(t, http.StatusCreated, &order)
	return order.ID
}

// confirm confirms an order through the API.
func (s *shop) confirm(t *testing.T, key string, id int64) {
	t.Helper()
	s.api.ConfirmOrder(t, id, key)
}

// stock returns the stock and the version of each product.
func (s *shop) stock(t *testing.T) map[int64][2]int64 {
	t.Helper()
	rows, err := s.db.QueryContext(t.Context(), "SELECT id, stock, version FROM products")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := map[int64][2]int64{}
	for rows.Next() {
		var id int64
		var now [2]int64
		if err := rows.Scan(&id, &now[0], &now[1]); err != nil {
			t.Fatal(err)
		}
		all[id] = now
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func minus(a, b [2]int64) [2]int64 { return [2]int64{a[0] - b[0], a[1] - b[1]} }

// compare compares all rows of two orders, except for ids, keys and times.
func (s *shop) compare(t *testing.T, floor, api int64) {
	t.Helper()
	for _, query := range []string{
		`SELECT customer_id, customer_name, customer_email, customer_phone, search_text, status, total_cents, version, cancel_reason,
created_at IS NULL, confirmed_at IS NULL, canceled_at IS NULL FROM orders WHERE id = ?`,
		"SELECT product_id, qty, unit_price_cents, subtotal_cents, sku, name FROM order_lines WHERE order_id = ? ORDER BY product_id",
		"SELECT version, from_status, to_status, caller, reason FROM order_events WHERE order_id = ? ORDER BY version",
		`SELECT caller, LENGTH(fingerprint), status, headers, CAST(body AS CHAR), TIMESTAMPDIFF(SECOND, created_at, expires_at)
FROM orders_idempotency WHERE JSON_EXTRACT(CAST(body AS CHAR), '$.id') = ? ORDER BY status DESC`,
	} {
		got, want := s.rows(t, query, floor), s.rows(t, query, api)
		if got != want || want == "" {
			t.Errorf("%s\nthe floor writes %sthe API writes   %s", query, got, want)
		}
	}
}

var (
	idInText   = regexp.MustCompile(`"id":\d+|/orders/\d+`)
	timeInText = regexp.MustCompile(`\d{4}-\d{2}-\d{2}T[\d:.]+Z`)
)

// rows returns the rows of a query, one per line.
func (s *shop) rows(t *testing.T, query string, args ...any) string {
	t.Helper()
	rows, err := s.db.QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for rows.Next() {
		values, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		var shown []string
		for _, v := range values {
			if !v.Valid {
				v.String = "NULL"
			}
			shown = append(shown, timeInText.ReplaceAllString(idInText.ReplaceAllString(v.String, "ID"), "TIME"))
		}
		fmt.Fprintln(&text, shown)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return text.String()
}
