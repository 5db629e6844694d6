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
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/idempotency"
	"github.com/pedidos-hq/pedidos/services/platform/search"
)

// Order is an order with its lines, by product.
type Order struct {
	ordersdb.Order
	Lines []ordersdb.OrderLine
}

// maxTotal is the largest total in cents: 2^53 - 1, which every JSON reader keeps exact.
const maxTotal = 1<<53 - 1

// line asks for units of a product.
type line struct{ product, qty int64 }

// merge adds up the lines of one product and orders them by product.
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

// purchase is an order that is to be placed.
type purchase struct {
	caller string
	buyer  Customer
	lines  []line

	placed bool
	short  int64 // units that were not there
}

// result is an order, or the refusal of what was asked.
type result = idempotency.Result[Order]

// place takes the prices from the catalogue and the units from stock, the first come first served, and writes the orders.
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
		p.placed, p.short = r.Refusal == nil, missing(r.Refusal)
		if !p.placed {
			continue
		}
		o := &r.Value
		o.CustomerID, o.CustomerName, o.CustomerEmail, o.CustomerPhone = p.buyer.ID, p.buyer.Name, p.buyer.Email, p.buyer.Phone
		o.SearchText = search.Fold(p.buyer.Name, p.buyer.Email)
		o.Status, o.Version, o.CreatedAt = string(api.StatusCreated), 1, now
		placed, changes = append(placed, o), append(changes, change{order: o, caller: p.caller})
	}
	if len(placed) == 0 {
		return results, nil
	}
	if err := insert(ctx, s.db, conn, placed); err != nil {
		return nil, err
	}
	if err := record(ctx, s.db, conn, changes, now); err != nil {
		return nil, err
	}
	orders, of := contents(placed)
	err = ordersdb.New(conn).TakeStock(ctx, ordersdb.TakeStockParams{OrderIds: orders, ProductIds: of, Now: now})
	if err != nil {
		return nil, fmt.Errorf("take stock: %w", err)
	}
	return results, nil
}

// missing is how many units a refusal is for the lack of.
func missing(refusal error) (units int64) {
	if refused := (*fault.Error)(nil); errors.As(refusal, &refused) {
		for _, s := range refused.Shortages {
			units += s.Requested - s.Available
		}
	}
	return units
}

// catalogue is products that are locked, by id.
type catalogue map[int64]*ordersdb.LockProductsForOrderRow

// lock reads the products for update, in the order of their ids, as everywhere.
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

// price makes the lines and the total, and takes the units from what the catalogue has left. Or it refuses: it names all
// unknown products, or all short ones, or the total is too large.
func price(lines []line, products catalogue) (Order, error) {
	unknown := fault.New(common.CodeProductNotFound, "The order asks for a product that there is not.")
	for _, l := range lines {
		if products[l.product] == nil {
			unknown.About("items", fmt.Sprintf("there is no product %d", l.product))
		}
	}
	if len(unknown.Fields) > 0 {
		return Order{}, unknown
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
			return Order{}, fault.New(common.CodeTotalTooLarge, fmt.Sprintf("The order's total is over %d cents.", int64(maxTotal)))
		}
		order.TotalCents += int64(low)
		order.Lines = append(order.Lines, ordersdb.OrderLine{
			ProductID: l.product, Qty: l.qty, UnitPriceCents: p.PriceCents, SubtotalCents: int64(low),
		})
	}
	if len(short) > 0 {
		return Order{}, &fault.Error{
			Code: common.CodeInsufficientStock, Message: "Less is in stock than the order asks for.", Shortages: short,
		}
	}
	for _, l := range lines {
		products[l.product].Stock -= l.qty
	}
	return order, nil
}

// insert writes new orders with their lines, and gives them their ids.
func insert(ctx context.Context, db *database.DB, conn database.Conn, placed []*Order) error {
	ids, err := db.Insert(ctx, conn, func(rows database.Conn) error {
		q := ordersdb.New(rows)
		for _, o := range placed {
			_, err := q.InsertOrder(ctx, ordersdb.InsertOrderParams{
				CustomerID: o.CustomerID, CustomerName: o.CustomerName, CustomerEmail: o.CustomerEmail,
				CustomerPhone: o.CustomerPhone, SearchText: o.SearchText, TotalCents: o.TotalCents, CreatedAt: o.CreatedAt,
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("insert orders: %w", err)
	}
	_, err = db.Insert(ctx, conn, func(rows database.Conn) error {
		q := ordersdb.New(rows)
		for i, o := range placed {
			o.ID = ids[i]
			for j := range o.Lines {
				o.Lines[j].OrderID = o.ID
				if err := q.InsertOrderLine(ctx, ordersdb.InsertOrderLineParams(o.Lines[j])); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("insert lines: %w", err)
	}
	return nil
}

// contents is the ids of the orders, and of the products in them.
func contents(of []*Order) (orders, products []int64) {
	for _, o := range of {
		orders = append(orders, o.ID)
		for _, l := range o.Lines {
			products = append(products, l.ProductID)
		}
	}
	return orders, unique(products)
}

// unique sorts ids, and leaves out those that are there before.
func unique(ids []int64) []int64 {
	slices.Sort(ids)
	return slices.Compact(ids)
}

// confirmation is an order that is to be confirmed.
type confirmation struct {
	caller string
	id     int64

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
		c.changes = ok && o.Status == string(api.StatusCreated)
		switch {
		case !ok:
			r.Refusal = missingOrder(database.ErrNotFound, c.id)
			continue
		case o.Status == string(api.StatusCanceled):
			r.Refusal = fault.New(common.CodeOrderCanceled, fmt.Sprintf("Order %d is canceled.", c.id))
			continue
		case c.changes:
			changes = append(changes, change{order: o, from: new(o.Status), caller: c.caller})
			o.Status, o.ConfirmedAt, o.Version = string(api.StatusConfirmed), &now, o.Version+1
			confirmed = append(confirmed, c.id)
		}
		r.Value = *o
	}
	if len(confirmed) == 0 {
		return results, nil
	}
	if err := ordersdb.New(conn).ConfirmOrders(ctx, ordersdb.ConfirmOrdersParams{Now: &now, Ids: confirmed}); err != nil {
		return nil, fmt.Errorf("confirm orders: %w", err)
	}
	return results, record(ctx, s.db, conn, changes, now)
}

func (s *service) cancel(ctx context.Context, conn database.Conn, caller string, id int64, reason *string) (_ Order, changes bool, _ error) {
	orders, err := lockOrders(ctx, conn, []int64{id})
	if err != nil {
		return Order{}, false, err
	}
	o, ok := orders[id]
	if !ok {
		return Order{}, false, missingOrder(database.ErrNotFound, id)
	}
	now := s.now()
	switch api.OrderStatus(o.Status) {
	case api.StatusCanceled:
		return *o, false, nil
	case api.StatusConfirmed:
		if end := o.ConfirmedAt.Add(s.cancelWindow); !now.Before(end) {
			return Order{}, false, fault.New(common.CodeCancelWindowOver,
				fmt.Sprintf("Order %d was confirmed; it could be canceled until %s.", id, end.UTC().Format(time.RFC3339)))
		}
	}
	err = cancelAll(ctx, s.db, conn, caller, []*Order{o}, reason, now)
	return *o, true, err
}

// cancelAll cancels orders, which are locked, and gives back their stock.
func cancelAll(ctx context.Context, db *database.DB, conn database.Conn, caller string, canceled []*Order, reason *string, now time.Time) error {
	if len(canceled) == 0 {
		return nil
	}
	var changes []change
	for _, o := range canceled {
		changes = append(changes, change{order: o, from: new(o.Status), reason: reason, caller: caller})
		o.Status, o.CanceledAt, o.CancelReason, o.Version = string(api.StatusCanceled), &now, reason, o.Version+1
	}
	q := ordersdb.New(conn)
	orders, products := contents(canceled)
	if err := q.CancelOrders(ctx, ordersdb.CancelOrdersParams{Now: &now, Reason: reason, Ids: orders}); err != nil {
		return fmt.Errorf("cancel orders: %w", err)
	}
	if err := record(ctx, db, conn, changes, now); err != nil {
		return err
	}
	if err := q.GiveBackStock(ctx, ordersdb.GiveBackStockParams{OrderIds: orders, ProductIds: products, Now: now}); err != nil {
		return fmt.Errorf("give back stock: %w", err)
	}
	return nil
}

// lockOrders reads orders for update, with their lines, by id. Those that there are not are left out.
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
	for _, l := range lines {
		at[l.OrderID].Lines = append(at[l.OrderID].Lines, l)
	}
	return found, nil
}

func missingOrder(err error, id int64) error {
	if errors.Is(err, database.ErrNotFound) {
		return fault.New(common.CodeOrderNotFound, fmt.Sprintf("There is no order %d.", id))
	}
	return err
}
