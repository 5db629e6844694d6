package orders

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"time"

	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/gen/ordersdb"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/etag"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/idempotency"
	"github.com/pedidos-hq/pedidos/services/platform/search"
)

// Order is an order with its lines, sorted by product.
type Order struct {
	ordersdb.Order
	Lines []ordersdb.OrderLine
}

// maxTotal is the largest total in cents: 2^53 - 1, which every JSON reader keeps exact.
const maxTotal = 1<<53 - 1

// line asks for units of a product.
type line struct{ product, qty int64 }

// merge adds up the lines of each product and sorts them by product.
func merge(items []api.OrderLineInput) []line {
	units := make(map[int64]int64, len(items))
	for _, item := range items {
		units[item.ProductID] += item.Qty
	}
	lines := make([]line, 0, len(units))
	for product, qty := range units {
		lines = append(lines, line{product, qty})
	}
	slices.SortFunc(lines, func(a, b line) int { return cmp.Compare(a.product, b.product) })
	return lines
}

// purchase is an order to be placed.
type purchase struct {
	caller auth.Caller
	buyer  Customer
	lines  []line

	placed       bool
	missingUnits int64
}

// result is an order, or a refusal.
type result = idempotency.Result[Order]

// place prices the purchases, takes their units from stock in the order of arrival, and writes the orders.
func (s *service) place(ctx context.Context, conn database.Conn, purchases []*purchase) ([]result, error) {
	products, err := lock(ctx, conn, purchases)
	if err != nil {
		return nil, err
	}
	now := s.now()
	results := make([]result, len(purchases))
	var placed []*Order
	var changes []change
	for i, p := range purchases {
		r := &results[i]
		r.Value, r.Refusal = price(p.lines, products)
		p.placed, p.missingUnits = r.Refusal == nil, missingUnits(r.Refusal)
		if !p.placed {
			continue
		}
		o := &r.Value
		o.CustomerID, o.CustomerName, o.CustomerEmail, o.CustomerPhone = p.buyer.ID, p.buyer.Name, p.buyer.Email, p.buyer.Phone
		o.SearchText = search.Fold(p.buyer.Name, p.buyer.Email)
		o.Status, o.Version, o.CreatedAt, o.UpdatedAt = string(api.StatusCreated), 1, now, now
		placed, changes = append(placed, o), append(changes, change{order: o, caller: p.caller})
	}
	if len(placed) == 0 {
		return results, nil
	}
	if err := insert(ctx, s.db, conn, placed); err != nil {
		return nil, err
	}
	if err := record(ctx, conn, changes, now); err != nil {
		return nil, err
	}
	orders, of := contents(placed)
	err = ordersdb.New(database.Later(conn)).TakeStock(ctx, ordersdb.TakeStockParams{OrderIds: orders, ProductIds: of, Now: now})
	if err != nil {
		return nil, fmt.Errorf("take stock: %w", err)
	}
	return results, nil
}

// missingUnits sums the shortages of an insufficient-stock refusal.
func missingUnits(refusal *fault.Error) (units int64) {
	if refusal == nil {
		return 0
	}
	for _, s := range refusal.Shortages {
		units += s.Requested - s.Available
	}
	return units
}

// catalogue holds locked products by id.
type catalogue map[int64]*ordersdb.LockProductsForOrderRow

// lock reads the products for update. All transactions lock products in the order of their ids.
func lock(ctx context.Context, conn database.Conn, purchases []*purchase) (catalogue, error) {
	var wanted []int64
	for _, p := range purchases {
		for _, l := range p.lines {
			wanted = append(wanted, l.product)
		}
	}
	rows, err := ordersdb.New(conn).LockProductsForOrder(ctx, unique(wanted))
	if err != nil {
		return nil, fmt.Errorf("lock products: %w", err)
	}
	products := make(catalogue, len(rows))
	for i := range rows {
		products[rows[i].ID] = &rows[i]
	}
	return products, nil
}

// price returns an order with its lines and total, and takes the units from the catalogue's stock. It refuses unknown products,
// archived products, insufficient stock (each naming all products concerned), and a total above maxTotal.
func price(lines []line, products catalogue) (Order, *fault.Error) {
	unknown := fault.New(common.CodeProductNotFound, "One or more products do not exist.")
	archived := fault.New(common.CodeProductArchived, "One or more products are archived.")
	for _, l := range lines {
		switch p := products[l.product]; {
		case p == nil:
			unknown.About("items", fmt.Sprintf("there is no product %d", l.product))
		case p.ArchivedAt != nil:
			archived.About("items", fmt.Sprintf("product %d is archived", l.product))
		}
	}
	for _, refusal := range []*fault.Error{unknown, archived} {
		if len(refusal.Fields) > 0 {
			return Order{}, refusal
		}
	}
	order := Order{Lines: make([]ordersdb.OrderLine, 0, len(lines))}
	var short []common.Shortage
	for _, l := range lines {
		p := products[l.product]
		if p.Stock < l.qty {
			short = append(short, common.Shortage{ProductID: l.product, Requested: l.qty, Available: p.Stock})
			continue
		}
		high, low := bits.Mul64(uint64(l.qty), uint64(p.PriceCents))
		if high != 0 || low > uint64(maxTotal-order.TotalCents) {
			return Order{}, fault.New(common.CodeTotalTooLarge, fmt.Sprintf("The total of the order exceeds %d cents.", int64(maxTotal)))
		}
		order.TotalCents += int64(low)
		order.Lines = append(order.Lines, ordersdb.OrderLine{
			ProductID: l.product, SKU: &p.SKU, Name: &p.Name, Qty: l.qty, UnitPriceCents: p.PriceCents, SubtotalCents: int64(low),
		})
	}
	if len(short) > 0 {
		return Order{}, &fault.Error{
			Code: common.CodeInsufficientStock, Message: "One or more products have too little stock.", Shortages: short,
		}
	}
	for _, l := range lines {
		products[l.product].Stock -= l.qty
	}
	return order, nil
}

// insert writes new orders with their lines, and sets their ids.
func insert(ctx context.Context, db *database.DB, conn database.Conn, placed []*Order) error {
	rows := database.NewInserter("InsertOrders", "INSERT INTO orders", "customer_id", "customer_name", "customer_email",
		"customer_phone", "search_text", "status", "total_cents", "version", "created_at")
	for _, o := range placed {
		rows.Add(o.CustomerID, o.CustomerName, o.CustomerEmail, o.CustomerPhone, o.SearchText, o.Status, o.TotalCents, o.Version, o.CreatedAt)
	}
	ids, err := rows.InsertWithIDs(ctx, db, conn)
	if err != nil {
		return fmt.Errorf("insert orders: %w", err)
	}
	rows = database.NewInserter("InsertOrderLines", "INSERT INTO order_lines", "order_id", "product_id", "qty", "unit_price_cents", "subtotal_cents", "sku", "name")
	for i, o := range placed {
		o.ID = ids[i]
		for j := range o.Lines {
			l := &o.Lines[j]
			l.OrderID = o.ID
			rows.Add(l.OrderID, l.ProductID, l.Qty, l.UnitPriceCents, l.SubtotalCents, l.SKU, l.Name)
		}
	}
	if err := rows.Insert(ctx, database.Later(conn)); err != nil {
		return fmt.Errorf("insert lines: %w", err)
	}
	return nil
}

// contents returns the ids of the orders, and of the products in them.
func contents(of []*Order) (orders, products []int64) {
	for _, o := range of {
		orders = append(orders, o.ID)
		for _, l := range o.Lines {
			products = append(products, l.ProductID)
		}
	}
	return orders, unique(products)
}

// unique sorts ids and removes duplicates.
func unique(ids []int64) []int64 {
	slices.Sort(ids)
	return slices.Compact(ids)
}

// confirmation is an order to be confirmed.
type confirmation struct {
	caller auth.Caller
	id     int64
	match  etag.Match

	changes bool // it was not confirmed before
}

func (s *service) confirm(ctx context.Context, conn database.Conn, confirmations []*confirmation) ([]result, error) {
	ids := make([]int64, len(confirmations))
	for i, c := range confirmations {
		ids[i] = c.id
	}
	orders, err := lockOrders(ctx, conn, unique(ids))
	if err != nil {
		return nil, err
	}
	now := s.now()
	results := make([]result, len(confirmations))
	var confirmed []int64
	var changes []change
	for i, c := range confirmations {
		r := &results[i]
		o, ok := orders[c.id]
		c.changes = false // confirm may run again
		if !ok {
			r.Refusal = noOrder(c.id)
			continue
		}
		if err := c.match.Check(o.Version); err != nil {
			r.Refusal = fault.From(err)
			continue
		}
		c.changes = o.Status == string(api.StatusCreated)
		switch {
		case o.Status == string(api.StatusCanceled):
			r.Refusal = fault.New(common.CodeOrderCanceled, fmt.Sprintf("Order %d is canceled.", c.id))
			continue
		case c.changes:
			changes = append(changes, change{order: o, from: new(o.Status), caller: c.caller})
			o.Status, o.ConfirmedAt, o.UpdatedAt, o.Version = string(api.StatusConfirmed), &now, latest(o.UpdatedAt, now), o.Version+1
			confirmed = append(confirmed, c.id)
		}
		r.Value = *o
	}
	if len(confirmed) == 0 {
		return results, nil
	}
	if err := ordersdb.New(database.Later(conn)).ConfirmOrders(ctx, ordersdb.ConfirmOrdersParams{Now: &now, Ids: confirmed}); err != nil {
		return nil, fmt.Errorf("confirm orders: %w", err)
	}
	return results, record(ctx, conn, changes, now)
}

// cancellation is an order to be canceled.
type cancellation struct {
	caller auth.Caller
	id     int64
	match  etag.Match
	reason *string

	changes bool // it was not canceled before
}

func (s *service) cancel(ctx context.Context, conn database.Conn, c *cancellation) (Order, error) {
	orders, err := lockOrders(ctx, conn, []int64{c.id})
	if err != nil {
		return Order{}, err
	}
	c.changes = false // cancel may run again
	o, ok := orders[c.id]
	if !ok {
		return Order{}, noOrder(c.id)
	}
	if err := c.match.Check(o.Version); err != nil {
		return Order{}, err
	}
	now := s.now()
	switch api.OrderStatus(o.Status) {
	case api.StatusCanceled:
		return *o, nil
	case api.StatusConfirmed:
		if end := o.ConfirmedAt.Add(s.cancelWindow); !now.Before(end) {
			return Order{}, fault.New(common.CodeCancelWindowOver,
				fmt.Sprintf("Order %d was confirmed; it could be canceled until %s.", c.id, end.UTC().Format(time.RFC3339)))
		}
	}
	c.changes = true
	err = cancelAll(ctx, conn, c.caller, []*Order{o}, c.reason, now)
	return *o, err
}

// cancelAll cancels locked orders and returns their units to the stock.
func cancelAll(ctx context.Context, conn database.Conn, caller auth.Caller, canceled []*Order, reason *string, now time.Time) error {
	if len(canceled) == 0 {
		return nil
	}
	var changes []change
	for _, o := range canceled {
		changes = append(changes, change{order: o, from: new(o.Status), reason: reason, caller: caller})
		o.Status, o.CanceledAt, o.UpdatedAt = string(api.StatusCanceled), &now, latest(o.UpdatedAt, now)
		o.CancelReason, o.Version = reason, o.Version+1
	}
	q := ordersdb.New(database.Later(conn))
	orders, products := contents(canceled)
	if err := q.CancelOrders(ctx, ordersdb.CancelOrdersParams{Now: &now, Reason: reason, Ids: orders}); err != nil {
		return fmt.Errorf("cancel orders: %w", err)
	}
	if err := record(ctx, conn, changes, now); err != nil {
		return err
	}
	if err := q.GiveBackStock(ctx, ordersdb.GiveBackStockParams{OrderIds: orders, ProductIds: products, Now: now}); err != nil {
		return fmt.Errorf("give back stock: %w", err)
	}
	return nil
}

// latest returns the later of two times, as the column updated_at does: the clocks of two processes may differ.
func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// lockOrders reads orders for update, with their lines. IDs without an order are omitted.
func lockOrders(ctx context.Context, conn database.Conn, ids []int64) (map[int64]*Order, error) {
	q := ordersdb.New(conn)
	rows, err := q.LockOrders(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("lock orders: %w", err)
	}
	found, err := withLines(ctx, q, rows)
	if err != nil {
		return nil, err
	}
	orders := make(map[int64]*Order, len(found))
	for i := range found {
		orders[found[i].ID] = &found[i]
	}
	return orders, nil
}

func withLines(ctx context.Context, q *ordersdb.Queries, rows []ordersdb.Order) ([]Order, error) {
	found := make([]Order, len(rows))
	if len(rows) == 0 {
		return found, nil
	}
	ids := make([]int64, len(rows))
	at := make(map[int64]*Order, len(rows))
	for i, row := range rows {
		found[i].Order, ids[i], at[row.ID] = row, row.ID, &found[i]
	}
	lines, err := q.ListOrderLines(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("list lines: %w", err)
	}
	if err := addTitles(ctx, q, lines); err != nil {
		return nil, err
	}
	for _, l := range lines {
		at[l.OrderID].Lines = append(at[l.OrderID].Lines, l)
	}
	return found, nil
}

// addTitles fills in the current SKU and name of the product in lines from earlier versions, which lack them.
func addTitles(ctx context.Context, q *ordersdb.Queries, lines []ordersdb.OrderLine) error {
	var products []int64
	for _, l := range lines {
		if l.SKU == nil || l.Name == nil {
			products = append(products, l.ProductID)
		}
	}
	titles, err := productTitles(ctx, q, unique(products))
	if err != nil {
		return err
	}
	for i := range lines {
		if l := &lines[i]; l.SKU == nil || l.Name == nil {
			title := titles[l.ProductID]
			l.SKU, l.Name = &title.SKU, &title.Name
		}
	}
	return nil
}

func missingOrder(err error, id int64) error {
	if errors.Is(err, database.ErrNotFound) {
		return noOrder(id)
	}
	return err
}

func noOrder(id int64) *fault.Error {
	return fault.New(common.CodeOrderNotFound, fmt.Sprintf("There is no order %d.", id))
}
