package floor

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/bench/basket"
	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/gen/ordersdb"
)

const (
	caller = "user:admin" // as the API names its callers
	keyTTL = 24 * time.Hour
)

// ErrShort reports that the stock of a product is insufficient for an order.
var ErrShort = errors.New("insufficient_stock")

// Session places and confirms orders on one connection, with autocommit off.
type Session struct{ conn *sql.Conn }

// NewSession returns a Session that uses conn.
func NewSession(conn *sql.Conn) *Session { return &Session{conn} }

// Place places an order under an idempotency key and returns its id.
func (s *Session) Place(ctx context.Context, key string, b basket.Basket) (id int64, err error) {
	err = s.commit(ctx, func() error {
		id, err = s.place(ctx, key, b)
		return err
	})
	return id, err
}

// Confirm confirms an order under an idempotency key.
func (s *Session) Confirm(ctx context.Context, key string, id int64) error {
	return s.commit(ctx, func() error { return s.confirm(ctx, key, id) })
}

func (s *Session) commit(ctx context.Context, statements func() error) error {
	if err := statements(); err != nil {
		_, failed := s.conn.ExecContext(ctx, "ROLLBACK")
		return errors.Join(err, failed)
	}
	_, err := s.conn.ExecContext(ctx, "COMMIT")
	return err
}

func (s *Session) place(ctx context.Context, key string, b basket.Basket) (id int64, err error) {
	now := time.Now().UTC().Truncate(time.Microsecond)
	lines, err := s.lock(ctx, b.Lines)
	if err != nil {
		return 0, err
	}
	if err := s.take(ctx, lines, now); err != nil {
		return 0, err
	}
	o := ordersdb.Order{
		CustomerID: b.Customer.ID, CustomerName: b.Customer.Name, CustomerEmail: b.Customer.Email, CustomerPhone: b.Customer.Phone,
		Status: string(api.StatusCreated), Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	for _, l := range lines {
		o.TotalCents += l.SubtotalCents
	}
	inserted, err := s.conn.ExecContext(ctx, `INSERT INTO orders
(customer_id, customer_name, customer_email, customer_phone, search_text, status, total_cents, version, created_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		o.CustomerID, o.CustomerName, o.CustomerEmail, o.CustomerPhone, b.SearchText,
		o.Status, o.TotalCents, o.Version, now)
	if err != nil {
		return 0, err
	}
	if o.ID, err = inserted.LastInsertId(); err != nil {
		return 0, err
	}
	var values []any
	for _, l := range lines {
		values = append(values, o.ID, l.ProductID, l.Qty, l.UnitPriceCents, l.SubtotalCents, l.SKU, l.Name)
	}
	_, err = s.conn.ExecContext(ctx, `INSERT INTO order_lines (order_id, product_id, qty, unit_price_cents, subtotal_cents, sku, name)
VALUES `+list("(?, ?, ?, ?, ?, ?, ?)", len(lines)), values...)
	if err != nil {
		return 0, err
	}
	if err := s.record(ctx, o, nil, now); err != nil {
		return 0, err
	}
	return o.ID, s.answer(ctx, key, 201, order(o, lines), now, map[string]string{
		"Content-Type": "application/json", "ETag": `"1"`, "Location": fmt.Sprintf("/orders/%d", o.ID),
	})
}

// lock reads the products for update and returns the priced lines.
func (s *Session) lock(ctx context.Context, wanted []api.OrderLineInput) ([]ordersdb.OrderLine, error) {
	ids := make([]any, len(wanted))
	for i, w := range wanted {
		ids[i] = w.ProductID
	}
	rows, err := s.conn.QueryContext(ctx, "SELECT id, sku, name, price_cents, stock FROM products WHERE id IN ("+list("?", len(ids))+") ORDER BY id FOR UPDATE", ids...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var lines []ordersdb.OrderLine
	for rows.Next() {
		l := ordersdb.OrderLine{Qty: wanted[len(lines)].Qty} // both are sorted by product
		var stock int64
		if err := rows.Scan(&l.ProductID, &l.SKU, &l.Name, &l.UnitPriceCents, &stock); err != nil {
			return nil, err
		}
		if stock < l.Qty {
			return nil, ErrShort
		}
		l.SubtotalCents = l.Qty * l.UnitPriceCents
		lines = append(lines, l)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if len(lines) != len(wanted) {
		return nil, errors.New("product_not_found")
	}
	return lines, nil
}

// take subtracts the units of all lines from the stock.
func (s *Session) take(ctx context.Context, lines []ordersdb.OrderLine, now time.Time) error {
	units, ids := make([]any, 0, 3*len(lines)+1), make([]any, len(lines))
	qty := "?"
	if len(lines) == 1 {
		units = append(units, lines[0].Qty)
	} else {
		qty = "CASE id" + strings.Repeat(" WHEN ? THEN ?", len(lines)) + " END"
		for _, l := range lines {
			units = append(units, l.ProductID, l.Qty)
		}
	}
	for i, l := range lines {
		ids[i] = l.ProductID
	}
	_, err := s.conn.ExecContext(ctx, "UPDATE products SET stock = stock - "+qty+", version = version + 1, updated_at = ? WHERE id IN ("+list("?", len(lines))+")",
		append(append(units, now), ids...)...)
	return err
}

func (s *Session) confirm(ctx context.Context, key string, id int64) error {
	o, lines, err := s.lockOrder(ctx, id)
	if err != nil {
		return err
	}
	if o.Status != string(api.StatusCreated) {
		return errors.New("not " + string(api.StatusCreated))
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	before := o.Status
	o.Status, o.ConfirmedAt, o.UpdatedAt, o.Version = string(api.StatusConfirmed), &now, now, o.Version+1
	_, err = s.conn.ExecContext(ctx, "UPDATE orders SET status = ?, confirmed_at = ?, version = ? WHERE id = ?", o.Status, now, o.Version, id)
	if err != nil {
		return err
	}
	if err := s.record(ctx, o, &before, now); err != nil {
		return err
	}
	return s.answer(ctx, key, 200, order(o, lines), now, map[string]string{
		"Content-Type": "application/json", "ETag": fmt.Sprintf(`"%d"`, o.Version),
	})
}

// lockOrder locks and reads an order with its lines.
func (s *Session) lockOrder(ctx context.Context, id int64) (o ordersdb.Order, lines []ordersdb.OrderLine, err error) {
	rows, err := s.conn.QueryContext(ctx, `SELECT o.id, o.customer_id, o.customer_name, o.customer_email, o.customer_phone, o.search_text,
o.status, o.total_cents, o.version, o.cancel_reason, o.created_at, o.confirmed_at, o.canceled_at,
l.order_id, l.product_id, l.qty, l.unit_price_cents, l.subtotal_cents, l.sku, l.name
FROM orders o JOIN order_lines l ON l.order_id = o.id
WHERE o.id = ?
ORDER BY l.product_id
FOR UPDATE OF o`, id)
	if err != nil {
		return o, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var l ordersdb.OrderLine
		err := rows.Scan(&o.ID, &o.CustomerID, &o.CustomerName, &o.CustomerEmail, &o.CustomerPhone, &o.SearchText,
			&o.Status, &o.TotalCents, &o.Version, &o.CancelReason, &o.CreatedAt, &o.ConfirmedAt, &o.CanceledAt,
			&l.OrderID, &l.ProductID, &l.Qty, &l.UnitPriceCents, &l.SubtotalCents, &l.SKU, &l.Name)
		if err != nil {
			return o, nil, err
		}
		lines = append(lines, l)
	}
	return o, lines, rows.Err()
}

// record inserts the event of an order's current version.
func (s *Session) record(ctx context.Context, o ordersdb.Order, from *string, now time.Time) error {
	_, err := s.conn.ExecContext(ctx, `INSERT INTO order_events (order_id, version, from_status, to_status, caller, reason, created_at)
VALUES (?, ?, ?, ?, ?, NULL, ?)`, o.ID, o.Version, from, o.Status, caller, now)
	return err
}

// answer stores the answer under the key.
func (s *Session) answer(ctx context.Context, key string, status int, o api.Order, now time.Time, header map[string]string) error {
	body, err := json.Marshal(o)
	if err != nil {
		return err
	}
	headers, err := json.Marshal(header)
	if err != nil {
		return err
	}
	fingerprint := sha256.Sum256([]byte(key))
	_, err = s.conn.ExecContext(ctx, `INSERT INTO orders_idempotency (caller, idem_key, fingerprint, status, headers, body, created_at, expires_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, caller, key, fingerprint[:], status, string(headers), append(body, '\n'), now, now.Add(keyTTL))
	return err
}

// order converts an order to its representation in the API.
func order(o ordersdb.Order, lines []ordersdb.OrderLine) api.Order {
	items := make([]api.OrderLine, len(lines))
	for i, l := range lines {
		items[i] = api.OrderLine{ProductID: l.ProductID, SKU: *l.SKU, Name: *l.Name, Qty: l.Qty, UnitPriceCents: l.UnitPriceCents, SubtotalCents: l.SubtotalCents}
	}
	return api.Order{
		ID: o.ID, CustomerID: o.CustomerID,
		Customer:   api.OrderCustomer{Name: o.CustomerName, Email: o.CustomerEmail, Phone: o.CustomerPhone},
		Status:     api.OrderStatus(o.Status),
		TotalCents: o.TotalCents, Items: items, CreatedAt: common.Time{Time: o.CreatedAt}, UpdatedAt: common.Time{Time: o.UpdatedAt},
		ConfirmedAt: optional(o.ConfirmedAt), CanceledAt: optional(o.CanceledAt), CancelReason: o.CancelReason,
	}
}

func optional(t *time.Time) *common.Time {
	if t == nil {
		return nil
	}
	return &common.Time{Time: *t}
}

// list repeats one n times, separated by commas.
func list(one string, n int) string { return strings.Repeat(", "+one, n)[2:] }
