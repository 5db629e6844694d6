package orders

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/gen/ordersdb"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/page"
	"github.com/pedidos-hq/pedidos/services/platform/search"
)

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
	limit := page.Limit(p.Limit)
	from, before, beforeID, err := bounds(p)
	if err != nil {
		return nil, nil, err
	}
	at := placedBefore{before, beforeID}
	if p.Search == nil {
		err = s.db.Read(ctx, func(conn database.Conn) error {
			q := ordersdb.New(conn)
			rows, err := listOrders(ctx, q, p, from, at, limit+1)
			if err != nil {
				return err
			}
			rows, next = page.Cut(rows, limit, orderList, position)
			found, err = withLines(ctx, q, rows)
			return err
		})
		return found, next, err
	}
	rows, at, end, err := search.Walk(ctx, s.searches, at, limit+1, func(at placedBefore, window, limit int32) ([]ordersdb.Order, placedBefore, bool, error) {
		return s.searchWindow(ctx, p, from, at, window, limit)
	})
	if err != nil {
		return nil, nil, err
	}
	rows, next = page.Cut(rows, limit, orderList, position)
	if next == nil && !end {
		next = new(page.Cursor(orderList, page.Position{at.time.UnixMicro(), at.id}))
	}
	err = s.db.Read(ctx, func(conn database.Conn) (err error) {
		found, err = withLines(ctx, ordersdb.New(conn), rows)
		return err
	})
	return found, next, err
}

// position returns the position of an order in the list.
func position(o ordersdb.Order) page.Position {
	return page.Position{o.CreatedAt.UnixMicro(), o.ID}
}

// placedBefore is a position in the list of orders: before this time, or at this time with a lower id.
type placedBefore struct {
	time time.Time
	id   int64
}

// searchWindow returns the matches among the orders behind a position. It searches the given number of orders, which counts those
// of any customer and status, and returns the position behind them, or end if the list ends before.
func (s *service) searchWindow(ctx context.Context, p api.ListOrdersParams, from time.Time, at placedBefore, window, limit int32) (found []ordersdb.Order, behind placedBefore, end bool, err error) {
	err = s.db.Read(ctx, func(conn database.Conn) error {
		q := ordersdb.New(conn)
		oldest, err := q.OrderBehind(ctx, ordersdb.OrderBehindParams{CreatedFrom: from, BeforeTime: at.time, BeforeID: at.id, Offset: window})
		end = errors.Is(err, database.ErrNotFound)
		if end {
			oldest, err = from, nil
		}
		if err != nil {
			return fmt.Errorf("bound a search of orders: %w", err)
		}
		behind = placedBefore{oldest, 0}
		found, err = listOrders(ctx, q, p, oldest, at, limit)
		return err
	})
	return found, behind, end, err
}

// listOrders runs the query whose index fits the filters.
func listOrders(ctx context.Context, q *ordersdb.Queries, p api.ListOrdersParams, from time.Time, at placedBefore, limit int32) (rows []ordersdb.Order, err error) {
	pattern := search.Pattern(p.Search)
	switch {
	case p.CustomerID != nil && p.Status != nil:
		rows, err = q.ListOrdersByCustomerAndStatus(ctx, ordersdb.ListOrdersByCustomerAndStatusParams{
			CustomerID: *p.CustomerID, Status: string(*p.Status),
			CreatedFrom: from, BeforeTime: at.time, BeforeID: at.id, Pattern: pattern, Limit: limit,
		})
	case p.CustomerID != nil:
		rows, err = q.ListOrdersByCustomer(ctx, ordersdb.ListOrdersByCustomerParams{
			CustomerID: *p.CustomerID, CreatedFrom: from, BeforeTime: at.time, BeforeID: at.id, Pattern: pattern, Limit: limit,
		})
	case p.Status != nil:
		rows, err = q.ListOrdersByStatus(ctx, ordersdb.ListOrdersByStatusParams{
			Status: string(*p.Status), CreatedFrom: from, BeforeTime: at.time, BeforeID: at.id, Pattern: pattern, Limit: limit,
		})
	default:
		rows, err = q.ListOrders(ctx, ordersdb.ListOrdersParams{
			CreatedFrom: from, BeforeTime: at.time, BeforeID: at.id, Pattern: pattern, Limit: limit,
		})
	}
	if err != nil {
		return nil, fmt.Errorf("list orders: %w", err)
	}
	return rows, nil
}

// bounds returns the range of a page: from a time, and before the position of the cursor or the end of the filter, whichever
// is earlier.
func bounds(p api.ListOrdersParams) (from, before time.Time, beforeID int64, err error) {
	from, before, err = page.Span(p.From, p.To)
	if err != nil || p.Cursor == nil {
		return from, before, 0, err
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
