package orders

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/gen/ordersdb"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
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
	f, err := parseFilters(p)
	if err != nil {
		return nil, nil, err
	}
	if p.Search != nil {
		if found, err = s.resolve(ctx, p, &f); found != nil || err != nil {
			return found, nil, err
		}
	}
	var l listing
	switch {
	case p.UpdatedSince != nil:
		l, err = byUpdate(p, f)
	case f.product != 0:
		l, err = byProduct(p, f)
	default:
		l, err = byPlacement(p, f)
	}
	if err != nil {
		return nil, nil, err
	}
	rows, next, err := s.page(ctx, l, page.Limit(p.Limit))
	if err != nil {
		return nil, nil, err
	}
	err = s.db.ReadReplica(ctx, func(conn database.Conn) (err error) {
		found, err = withLines(ctx, ordersdb.New(conn), rows)
		return err
	})
	return found, next, err
}

// filters are the conditions of a list of orders. An absent one is zero.
type filters struct {
	status            string
	customer, product int64
	from, before      time.Time // when the order was placed; always set
	since             time.Time // when the order was last changed
	text              *string   // in the name or e-mail address of the customer
}

func parseFilters(p api.ListOrdersParams) (f filters, err error) {
	if p.Status != nil {
		f.status = string(*p.Status)
	}
	if p.CustomerID != nil {
		f.customer = *p.CustomerID
	}
	if p.ProductID != nil {
		f.product = *p.ProductID
	}
	if p.UpdatedSince != nil {
		if f.since, err = page.Since("updated_since", *p.UpdatedSince); err != nil {
			return f, err
		}
	}
	f.from, f.before, err = page.Span(p.From, p.To)
	return f, err
}

// match reports whether an order fulfills the conditions, except for the text.
func (f filters) match(o Order) bool {
	return (f.status == "" || f.status == o.Status) &&
		(f.customer == 0 || f.customer == o.CustomerID) &&
		(f.product == 0 || slices.ContainsFunc(o.Lines, func(l ordersdb.OrderLine) bool { return l.ProductID == f.product })) &&
		!o.CreatedAt.Before(f.from) && o.CreatedAt.Before(f.before) && !o.UpdatedAt.Before(f.since)
}

// resolve interprets the text of a search. For the number of an order, it returns that order, or an empty list if a filter excludes
// it. Otherwise it returns nil, and adds the product with that SKU to f or, if there is none, the text.
func (s *service) resolve(ctx context.Context, p api.ListOrdersParams, f *filters) (found []Order, err error) {
	text := strings.TrimSpace(*p.Search)
	if number, err := strconv.ParseInt(text, 10, 64); err == nil && number > 0 && p.Cursor == nil {
		o, err := s.order(ctx, number)
		if !fault.Is(err, common.CodeOrderNotFound) {
			if err != nil || !f.match(o) {
				return []Order{}, err
			}
			return []Order{o}, nil
		}
	}
	var product int64
	err = s.db.ReadReplica(ctx, func(conn database.Conn) (err error) {
		product, err = ordersdb.New(conn).ProductBySKU(ctx, text)
		return err
	})
	switch {
	case errors.Is(err, database.ErrNotFound):
		f.text = p.Search
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("find a product by SKU: %w", err)
	case f.product != 0 && f.product != product:
		return nil, fault.Invalid(common.FieldError{Field: "search", Message: "is the SKU of another product than product_id"})
	}
	f.product = product
	return nil, nil
}

// listing is a list of orders in one sequence.
type listing struct {
	name       string // in cursors
	start, end page.Position
	scans      bool // the list has filters that its index does not cover

	position func(ordersdb.Order) page.Position

	// behind returns the position behind a number of orders from a position, or database.ErrNotFound if there are fewer.
	behind func(ctx context.Context, q *ordersdb.Queries, from page.Position, orders int32) (page.Position, error)

	// read returns orders between two positions.
	read func(ctx context.Context, q *ordersdb.Queries, from, until page.Position, limit int32) ([]ordersdb.Order, error)
}

// page returns the first orders of a listing. Where an index does not cover its filters, it searches the list in windows.
func (s *service) page(ctx context.Context, l listing, limit int32) (rows []ordersdb.Order, next *common.NextCursor, err error) {
	if !l.scans {
		err = s.db.ReadReplica(ctx, func(conn database.Conn) (err error) {
			rows, err = l.read(ctx, ordersdb.New(conn), l.start, l.end, limit+1)
			return err
		})
		if err != nil {
			return nil, nil, fmt.Errorf("list orders: %w", err)
		}
		rows, next = page.Cut(rows, limit, l.name, l.position)
		return rows, next, nil
	}
	rows, at, end, err := search.Walk(ctx, s.searches, l.start, limit+1, func(from page.Position, window, limit int32) (found []ordersdb.Order, until page.Position, end bool, err error) {
		err = s.db.ReadReplica(ctx, func(conn database.Conn) error {
			q := ordersdb.New(conn)
			until, err = l.behind(ctx, q, from, window)
			if end = errors.Is(err, database.ErrNotFound); end {
				until, err = l.end, nil
			}
			if err == nil {
				found, err = l.read(ctx, q, from, until, limit)
			}
			return err
		})
		return found, until, end, err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("search orders: %w", err)
	}
	rows, next = page.Cut(rows, limit, l.name, l.position)
	if next == nil && !end {
		next = new(page.Cursor(l.name, at))
	}
	return rows, next, nil
}

// byPlacement lists orders by the time at which they were placed, newest first. A position is that time and an id.
func byPlacement(p api.ListOrdersParams, f filters) (listing, error) {
	start := page.Position{f.before.UnixMicro(), 0}
	if p.Cursor != nil {
		at, err := page.Parse(orderList, *p.Cursor, 2)
		if err != nil {
			return listing{}, err
		}
		if at[0] < start[0] { // otherwise, the cursor is of a list with a later end
			start = at
		}
	}
	return listing{
		name: orderList, start: start, end: page.Position{f.from.UnixMicro(), 0}, scans: f.text != nil,
		position: func(o ordersdb.Order) page.Position { return page.Position{o.CreatedAt.UnixMicro(), o.ID} },
		behind: func(ctx context.Context, q *ordersdb.Queries, from page.Position, orders int32) (page.Position, error) {
			oldest, err := q.OrderBehind(ctx, ordersdb.OrderBehindParams{CreatedFrom: f.from, BeforeTime: at(from), BeforeID: from[1], Offset: orders})
			return page.Position{oldest.UnixMicro(), 0}, err
		},
		read: func(ctx context.Context, q *ordersdb.Queries, from, until page.Position, limit int32) ([]ordersdb.Order, error) {
			return listByPlacement(ctx, q, f, from, at(until), limit)
		},
	}, nil
}

// listByPlacement runs the query whose index fits the filters.
func listByPlacement(ctx context.Context, q *ordersdb.Queries, f filters, from page.Position, oldest time.Time, limit int32) ([]ordersdb.Order, error) {
	pattern, before, beforeID := search.Pattern(f.text), at(from), from[1]
	switch {
	case f.customer != 0 && f.status != "":
		return q.ListOrdersByCustomerAndStatus(ctx, ordersdb.ListOrdersByCustomerAndStatusParams{
			CustomerID: f.customer, Status: f.status,
			CreatedFrom: oldest, BeforeTime: before, BeforeID: beforeID, Pattern: pattern, Limit: limit,
		})
	case f.customer != 0:
		return q.ListOrdersByCustomer(ctx, ordersdb.ListOrdersByCustomerParams{
			CustomerID: f.customer, CreatedFrom: oldest, BeforeTime: before, BeforeID: beforeID, Pattern: pattern, Limit: limit,
		})
	case f.status != "":
		return q.ListOrdersByStatus(ctx, ordersdb.ListOrdersByStatusParams{
			Status: f.status, CreatedFrom: oldest, BeforeTime: before, BeforeID: beforeID, Pattern: pattern, Limit: limit,
		})
	}
	return q.ListOrders(ctx, ordersdb.ListOrdersParams{
		CreatedFrom: oldest, BeforeTime: before, BeforeID: beforeID, Pattern: pattern, Limit: limit,
	})
}

// byProduct lists the orders of a product, highest id first. A position is an id.
func byProduct(p api.ListOrdersParams, f filters) (listing, error) {
	before, err := page.Before(productOrderList, p.Cursor)
	if err != nil {
		return listing{}, err
	}
	return listing{
		name: productOrderList, start: page.Position{before}, end: page.Position{0},
		scans:    f.text != nil || f.status != "" || f.customer != 0 || p.From != nil || p.To != nil,
		position: func(o ordersdb.Order) page.Position { return page.Position{o.ID} },
		behind: func(ctx context.Context, q *ordersdb.Queries, from page.Position, orders int32) (page.Position, error) {
			id, err := q.OrderOfProductBehind(ctx, ordersdb.OrderOfProductBehindParams{ProductID: f.product, BeforeID: from[0], Offset: orders})
			return page.Position{id}, err
		},
		read: func(ctx context.Context, q *ordersdb.Queries, from, until page.Position, limit int32) ([]ordersdb.Order, error) {
			return q.ListOrdersByProduct(ctx, ordersdb.ListOrdersByProductParams{
				ProductID: f.product, BeforeID: from[0], UntilID: until[0], Status: f.status, CustomerID: f.customer,
				CreatedFrom: f.from, CreatedBefore: f.before, Pattern: search.Pattern(f.text), Limit: limit,
			})
		},
	}, nil
}

// byUpdate lists orders by the time of their last change, oldest first. A position is that time and an id.
func byUpdate(p api.ListOrdersParams, f filters) (listing, error) {
	_, last := page.Limits()
	start := page.Position{f.since.UnixMicro(), 0}
	if p.Cursor != nil {
		at, err := page.Parse(updateList, *p.Cursor, 2)
		if err != nil {
			return listing{}, err
		}
		if at[0] >= start[0] { // otherwise, the cursor is of a list with an earlier start
			start = page.Position{min(at[0], last.UnixMicro()), at[1]}
		}
	}
	return listing{
		name: updateList, start: start, end: page.Position{last.UnixMicro(), 0},
		scans:    f.text != nil || f.status != "" || f.customer != 0 || f.product != 0 || p.From != nil || p.To != nil,
		position: func(o ordersdb.Order) page.Position { return page.Position{o.UpdatedAt.UnixMicro(), o.ID} },
		behind: func(ctx context.Context, q *ordersdb.Queries, from page.Position, orders int32) (page.Position, error) {
			newest, err := q.OrderUpdatedBehind(ctx, ordersdb.OrderUpdatedBehindParams{AfterTime: at(from), AfterID: from[1], Offset: orders})
			return page.Position{newest.UnixMicro(), math.MaxInt64}, err
		},
		read: func(ctx context.Context, q *ordersdb.Queries, from, until page.Position, limit int32) ([]ordersdb.Order, error) {
			return q.ListOrdersByUpdate(ctx, ordersdb.ListOrdersByUpdateParams{
				AfterTime: at(from), AfterID: from[1], UntilTime: at(until), Status: f.status, CustomerID: f.customer, ProductID: f.product,
				CreatedFrom: f.from, CreatedBefore: f.before, Pattern: search.Pattern(f.text), Limit: limit,
			})
		},
	}, nil
}

// at returns the time of a position.
func at(p page.Position) time.Time { return time.UnixMicro(p[0]).UTC() }
