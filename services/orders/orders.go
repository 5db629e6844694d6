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
	"github.com/pedidos-hq/pedidos/services/platform/page"
	"github.com/pedidos-hq/pedidos/services/platform/problem"
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

// merge adds up the lines of one product and orders them by product, which is the order in which rows are locked.
func merge(items []api.OrderLineInput) []line {
	units := make(map[int64]int64, len(items))
	for _, item := range items {
		units[item.ProductID] += item.Qty
	}
	return byProduct(units)
}

func byProduct(units map[int64]int64) []line {
	lines := make([]line, 0, len(units))
	for product, qty := range units {
		lines = append(lines, line{product, qty})
	}
	slices.SortFunc(lines, func(a, b line) int { return cmp.Compare(a.product, b.product) })
	return lines
}

// place takes the prices from the catalogue and the units from stock, and writes the order.
func (s *service) place(ctx context.Context, q *ordersdb.Queries, buyer Customer, lines []line) (Order, error) {
	stock, err := lock(ctx, q, lines)
	if err != nil {
		return Order{}, err
	}
	order, err := price(lines, stock)
	if err != nil {
		return Order{}, err
	}
	order.CustomerID, order.CustomerName, order.CustomerEmail, order.CustomerPhone = buyer.ID, buyer.Name, buyer.Email, buyer.Phone
	order.Status, order.Version, order.CreatedAt = string(api.StatusCreated), 1, s.now()
	order.ID, err = q.InsertOrder(ctx, ordersdb.InsertOrderParams{
		CustomerID: order.CustomerID, CustomerName: order.CustomerName, CustomerEmail: order.CustomerEmail,
		CustomerPhone: order.CustomerPhone, SearchText: search.Fold(buyer.Name, buyer.Email),
		TotalCents: order.TotalCents, CreatedAt: order.CreatedAt,
	})
	if err != nil {
		return Order{}, fmt.Errorf("insert order: %w", err)
	}
	for i := range order.Lines {
		order.Lines[i].OrderID = order.ID
		if err := q.InsertOrderLine(ctx, ordersdb.InsertOrderLineParams(order.Lines[i])); err != nil {
			return Order{}, fmt.Errorf("insert line: %w", err)
		}
	}
	if err := record(ctx, q, order, nil, nil, order.CreatedAt); err != nil {
		return Order{}, err
	}
	return order, move(ctx, q, lines, -1, order.CreatedAt)
}

// lock reads the products of an order for update. Every unknown product is named.
func lock(ctx context.Context, q *ordersdb.Queries, lines []line) (map[int64]ordersdb.LockProductsForOrderRow, error) {
	ids := make([]int64, len(lines))
	for i, l := range lines {
		ids[i] = l.product
	}
	rows, err := q.LockProductsForOrder(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("lock products: %w", err)
	}
	known := make(map[int64]ordersdb.LockProductsForOrderRow, len(rows))
	for _, row := range rows {
		known[row.ID] = row
	}
	if len(known) == len(lines) {
		return known, nil
	}
	unknown := problem.New(common.CodeProductNotFound, "The order asks for a product that there is not.")
	for _, l := range lines {
		if _, ok := known[l.product]; !ok {
			unknown.About("items", fmt.Sprintf("there is no product %d", l.product))
		}
	}
	return nil, unknown
}

// price makes the lines and the total, or refuses: all short products together, or a total that is too large.
func price(lines []line, stock map[int64]ordersdb.LockProductsForOrderRow) (Order, error) {
	var order Order
	var short []common.Shortage
	for _, l := range lines {
		p := stock[l.product]
		if p.Stock < l.qty {
			short = append(short, common.Shortage{ProductID: l.product, Requested: l.qty, Available: p.Stock})
			continue
		}
		high, low := bits.Mul64(uint64(l.qty), uint64(p.PriceCents))
		if high != 0 || low > uint64(maxTotal-order.TotalCents) {
			return Order{}, problem.New(common.CodeTotalTooLarge, fmt.Sprintf("The order's total is over %d cents.", int64(maxTotal)))
		}
		order.TotalCents += int64(low)
		order.Lines = append(order.Lines, ordersdb.OrderLine{
			ProductID: l.product, Qty: l.qty, UnitPriceCents: p.PriceCents, SubtotalCents: int64(low),
		})
	}
	if len(short) > 0 {
		return Order{}, &problem.Error{
			Code: common.CodeInsufficientStock, Detail: "Less is in stock than the order asks for.", Shortages: short,
		}
	}
	return order, nil
}

// move takes the lines' units from stock (sign -1) or gives them back (1), in the order of products.
func move(ctx context.Context, q *ordersdb.Queries, lines []line, sign int64, now time.Time) error {
	for _, l := range lines {
		err := q.MoveStock(ctx, ordersdb.MoveStockParams{Delta: sign * l.qty, Now: now, ID: l.product})
		if err != nil {
			return fmt.Errorf("move stock: %w", err)
		}
	}
	return nil
}

func (s *service) confirm(ctx context.Context, q *ordersdb.Queries, id int64) (Order, error) {
	o, err := lockOrder(ctx, q, id)
	if err != nil {
		return Order{}, err
	}
	switch api.OrderStatus(o.Status) {
	case api.StatusConfirmed:
		return o, nil
	case api.StatusCanceled:
		return Order{}, problem.New(common.CodeOrderCanceled, fmt.Sprintf("Order %d is canceled.", id))
	}
	now := s.now()
	if err := q.ConfirmOrder(ctx, ordersdb.ConfirmOrderParams{Now: &now, ID: id}); err != nil {
		return Order{}, fmt.Errorf("confirm order: %w", err)
	}
	before := o.Status
	o.Status, o.ConfirmedAt, o.Version = string(api.StatusConfirmed), &now, o.Version+1
	return o, record(ctx, q, o, &before, nil, now)
}

func (s *service) cancel(ctx context.Context, q *ordersdb.Queries, id int64, reason *string) (Order, error) {
	o, err := lockOrder(ctx, q, id)
	if err != nil {
		return Order{}, err
	}
	now := s.now()
	switch api.OrderStatus(o.Status) {
	case api.StatusCanceled:
		return o, nil
	case api.StatusConfirmed:
		if end := o.ConfirmedAt.Add(s.cancelWindow); !now.Before(end) {
			return Order{}, problem.New(common.CodeCancelWindowOver,
				fmt.Sprintf("Order %d was confirmed; it could be canceled until %s.", id, end.UTC().Format(time.RFC3339)))
		}
	}
	canceled := []Order{o}
	err = cancelAll(ctx, q, canceled, reason, now)
	return canceled[0], err
}

// cancelAll cancels orders, which are locked, and gives back their stock: of all together, since products are locked in
// their order too.
func cancelAll(ctx context.Context, q *ordersdb.Queries, orders []Order, reason *string, now time.Time) error {
	units := map[int64]int64{}
	for i := range orders {
		o := &orders[i]
		if err := q.CancelOrder(ctx, ordersdb.CancelOrderParams{Now: &now, Reason: reason, ID: o.ID}); err != nil {
			return fmt.Errorf("cancel order: %w", err)
		}
		before := o.Status
		o.Status, o.CanceledAt, o.CancelReason, o.Version = string(api.StatusCanceled), &now, reason, o.Version+1
		if err := record(ctx, q, *o, &before, reason, now); err != nil {
			return err
		}
		for _, l := range o.Lines {
			units[l.ProductID] += l.Qty
		}
	}
	return move(ctx, q, byProduct(units), 1, now)
}

// lockOrder reads an order for update, with its lines.
func lockOrder(ctx context.Context, q *ordersdb.Queries, id int64) (Order, error) {
	row, err := q.LockOrder(ctx, id)
	if err != nil {
		return Order{}, missingOrder(err, id)
	}
	found, err := withLines(ctx, q, []ordersdb.Order{row})
	if err != nil {
		return Order{}, err
	}
	return found[0], nil
}

func (s *service) order(ctx context.Context, id int64) (o Order, err error) {
	err = s.db.Read(ctx, func(conn database.Conn) error {
		q := ordersdb.New(conn)
		row, err := q.GetOrder(ctx, id)
		if err != nil {
			return missingOrder(err, id)
		}
		found, err := withLines(ctx, q, []ordersdb.Order{row})
		if err == nil {
			o = found[0]
		}
		return err
	})
	return o, err
}

func (s *service) orders(ctx context.Context, p api.ListOrdersParams) (found []Order, next *common.NextCursor, err error) {
	limit, pattern := page.Limit(p.Limit), search.Pattern(p.Search)
	from, before, beforeID, err := bounds(p)
	if err != nil {
		return nil, nil, err
	}
	err = s.db.Read(ctx, func(conn database.Conn) error {
		q := ordersdb.New(conn)
		var rows []ordersdb.Order
		var err error
		switch {
		case p.CustomerID != nil && p.Status != nil:
			rows, err = q.ListOrdersByCustomerAndStatus(ctx, ordersdb.ListOrdersByCustomerAndStatusParams{
				CustomerID: *p.CustomerID, Status: string(*p.Status),
				CreatedFrom: from, BeforeTime: before, BeforeID: beforeID, Pattern: pattern, Limit: limit + 1,
			})
		case p.CustomerID != nil:
			rows, err = q.ListOrdersByCustomer(ctx, ordersdb.ListOrdersByCustomerParams{
				CustomerID: *p.CustomerID, CreatedFrom: from, BeforeTime: before, BeforeID: beforeID, Pattern: pattern, Limit: limit + 1,
			})
		case p.Status != nil:
			rows, err = q.ListOrdersByStatus(ctx, ordersdb.ListOrdersByStatusParams{
				Status: string(*p.Status), CreatedFrom: from, BeforeTime: before, BeforeID: beforeID, Pattern: pattern, Limit: limit + 1,
			})
		default:
			rows, err = q.ListOrders(ctx, ordersdb.ListOrdersParams{
				CreatedFrom: from, BeforeTime: before, BeforeID: beforeID, Pattern: pattern, Limit: limit + 1,
			})
		}
		if err != nil {
			return fmt.Errorf("list orders: %w", err)
		}
		rows, next = page.Cut(rows, limit, orderList, position)
		found, err = withLines(ctx, q, rows)
		return err
	})
	return found, next, err
}

// bounds are where the page of a list lies: from, and before the position of the cursor or of the filter's end,
// whichever comes first.
func bounds(p api.ListOrdersParams) (from, before time.Time, beforeID int64, err error) {
	// The range that both engines can compare with.
	first, last := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	from, before = first, last
	if p.From != nil && p.To != nil && p.From.After(*p.To) {
		return from, before, 0, problem.Invalid(common.FieldError{Field: "from", Message: "must not be after to"})
	}
	if p.From != nil {
		from = clamp(ceil(*p.From), first, last)
	}
	if p.To != nil {
		before = clamp(ceil(*p.To), first, last)
	}
	if p.Cursor == nil {
		return from, before, 0, nil
	}
	at, err := page.Parse(orderList, *p.Cursor, 2)
	if err != nil {
		return from, before, 0, err
	}
	if cursor := time.UnixMicro(at[0]).UTC(); cursor.Before(before) {
		return from, cursor, at[1], nil
	}
	return from, before, 0, nil
}

func clamp(t, first, last time.Time) time.Time {
	switch {
	case t.Before(first):
		return first
	case t.After(last):
		return last
	}
	return t
}

// ceil is the first instant at the precision of the database that is not before t.
func ceil(t time.Time) time.Time {
	if floor := t.UTC().Truncate(time.Microsecond); !floor.Before(t) {
		return floor
	}
	return t.UTC().Truncate(time.Microsecond).Add(time.Microsecond)
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
		return problem.New(common.CodeOrderNotFound, fmt.Sprintf("There is no order %d.", id))
	}
	return err
}
