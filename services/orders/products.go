package orders

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/gen/ordersdb"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/etag"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/page"
	"github.com/pedidos-hq/pedidos/services/platform/search"
)

// The names of the lists in their cursors.
const (
	productList      = "p"
	orderList        = "o"
	productOrderList = "po"
	updateList       = "u"
	historyList      = "h"
	movementList     = "m"
)

func (s *service) products(ctx context.Context, p api.ListProductsParams) (rows []ordersdb.Product, next *common.NextCursor, err error) {
	limit := page.Limit(p.Limit)
	after, err := page.After(productList, p.Cursor)
	if err != nil {
		return nil, nil, err
	}
	if p.Ids != nil && p.SKU != nil {
		return nil, nil, fault.Invalid(common.FieldError{Field: "sku", Message: "is not allowed together with ids"})
	}
	filter := ordersdb.ListProductsParams{Pattern: search.Pattern(p.Search), StockBelow: math.MaxInt64}
	if p.StockBelow != nil {
		filter.StockBelow = *p.StockBelow
	}
	if p.LowStock != nil && *p.LowStock {
		filter.Low = 1
	}
	if p.Archived != nil {
		switch *p.Archived {
		case api.ArchivedInclude:
			filter.ArchivedTo = 1
		case api.ArchivedOnly:
			filter.ArchivedFrom, filter.ArchivedTo = 1, 1
		}
	}
	read := func(after, until int64, limit int32) (rows []ordersdb.Product, err error) {
		err = s.db.ReadReplica(ctx, func(conn database.Conn) (err error) {
			rows, err = listProducts(ctx, ordersdb.New(conn), p, filter, after, until, limit)
			return err
		})
		return rows, err
	}
	behind := func(after int64, rows int32) (id int64, err error) {
		err = s.db.ReadReplica(ctx, func(conn database.Conn) (err error) {
			id, err = ordersdb.New(conn).ProductBehind(ctx, ordersdb.ProductBehindParams{AfterID: after, Offset: rows})
			return err
		})
		return id, err
	}
	scans := p.Ids == nil && p.SKU == nil && (p.Search != nil || p.StockBelow != nil || filter.Low == 1 || p.Archived != nil)
	return search.ByID(ctx, s.searches, scans, after, limit, productList, read, behind,
		func(r ordersdb.Product) page.Position { return page.Position{r.ID} })
}

// listProducts runs the query that fits ids and sku.
func listProducts(ctx context.Context, q *ordersdb.Queries, p api.ListProductsParams, f ordersdb.ListProductsParams, after, until int64, limit int32) ([]ordersdb.Product, error) {
	switch {
	case p.Ids != nil:
		return q.ListProductsByIDs(ctx, ordersdb.ListProductsByIDsParams{
			Ids: *p.Ids, AfterID: after, Pattern: f.Pattern, StockBelow: f.StockBelow, Low: f.Low,
			ArchivedFrom: f.ArchivedFrom, ArchivedTo: f.ArchivedTo, Limit: limit,
		})
	case p.SKU != nil:
		return q.ListProductsBySKUs(ctx, ordersdb.ListProductsBySKUsParams{
			Skus: *p.SKU, AfterID: after, Pattern: f.Pattern, StockBelow: f.StockBelow, Low: f.Low,
			ArchivedFrom: f.ArchivedFrom, ArchivedTo: f.ArchivedTo, Limit: limit,
		})
	}
	f.AfterID, f.UntilID, f.Limit = after, until, limit
	return q.ListProducts(ctx, f)
}

func (s *service) product(ctx context.Context, id int64) (row ordersdb.Product, err error) {
	err = s.db.Read(ctx, func(conn database.Conn) (err error) {
		row, err = ordersdb.New(conn).GetProduct(ctx, id)
		return err
	})
	return row, missingProduct(err, id)
}

// productCreation is a request to create a product.
type productCreation struct {
	caller auth.Caller
	input  api.ProductInput
}

func (s *service) createProduct(ctx context.Context, conn database.Conn, c productCreation) (ordersdb.Product, error) {
	q, in := ordersdb.New(conn), c.input
	now := s.now()
	row := ordersdb.Product{
		SKU: in.SKU, Name: in.Name, SearchText: search.Fold(in.SKU, in.Name),
		PriceCents: in.PriceCents, Stock: in.Stock, ReorderLevel: in.ReorderLevel, Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	var err error
	row.ID, err = q.InsertProduct(ctx, ordersdb.InsertProductParams{
		SKU: row.SKU, Name: row.Name, SearchText: row.SearchText,
		PriceCents: row.PriceCents, Stock: row.Stock, ReorderLevel: row.ReorderLevel, CreatedAt: now, UpdatedAt: now,
	})
	if err = s.db.Classify(err); errors.Is(err, database.ErrDuplicate) {
		return row, fault.New(common.CodeSKUTaken, fmt.Sprintf("Another product has the SKU %s.", in.SKU)).
			About("sku", "another product has it")
	}
	if err != nil {
		return row, err
	}
	return row, s.adjust(ctx, q, c.caller, row, 0, new("first stock"))
}

// productChange is a request to change a product.
type productChange struct {
	caller auth.Caller
	id     int64
	match  etag.Match
	input  api.ProductChange
}

// check returns an invalid_input error if fields contradict each other.
func (c productChange) check() error {
	in := c.input
	switch {
	case in.Stock != nil && in.StockDelta != nil:
		return fault.Invalid(common.FieldError{Field: "stock_delta", Message: "is not allowed together with stock"})
	case in.Reason != nil && in.Stock == nil && in.StockDelta == nil:
		return fault.Invalid(common.FieldError{Field: "reason", Message: "is allowed only with stock or stock_delta"})
	}
	return nil
}

func (s *service) updateProduct(ctx context.Context, conn database.Conn, c productChange) (row ordersdb.Product, err error) {
	q, in := ordersdb.New(conn), c.input
	if row, err = q.LockProduct(ctx, c.id); err != nil {
		return row, missingProduct(err, c.id)
	}
	if err := c.match.Check(row.Version); err != nil {
		return row, err
	}
	before, now := row.Stock, s.now()
	if in.Name != nil {
		row.Name = *in.Name
	}
	if in.PriceCents != nil {
		row.PriceCents = *in.PriceCents
	}
	if in.Stock != nil {
		row.Stock = *in.Stock
	}
	if in.StockDelta != nil {
		if row.Stock, err = addStock(row, *in.StockDelta); err != nil {
			return row, err
		}
	}
	if in.ReorderLevel != nil {
		row.ReorderLevel = *in.ReorderLevel
	}
	switch {
	case in.Archived == nil:
	case !*in.Archived:
		row.ArchivedAt = nil
	case row.ArchivedAt == nil:
		row.ArchivedAt = &now
	}
	row.SearchText, row.Version, row.UpdatedAt = search.Fold(row.SKU, row.Name), row.Version+1, now
	err = q.UpdateProduct(ctx, ordersdb.UpdateProductParams{
		Name: row.Name, SearchText: row.SearchText, PriceCents: row.PriceCents, Stock: row.Stock,
		ReorderLevel: row.ReorderLevel, ArchivedAt: row.ArchivedAt, UpdatedAt: now, ID: c.id,
	})
	if err != nil {
		return row, err
	}
	return row, s.adjust(ctx, q, c.caller, row, before, in.Reason)
}

// maxStock is the largest stock that a change can set, in units.
const maxStock = 1_000_000_000

// addStock returns the stock of a product after a change by delta units.
func addStock(p ordersdb.Product, delta int64) (int64, error) {
	switch stock := p.Stock + delta; {
	case stock < 0:
		return 0, &fault.Error{
			Code: common.CodeInsufficientStock, Message: "The product has too little stock.",
			Shortages: []common.Shortage{{ProductID: p.ID, Requested: -delta, Available: p.Stock}},
		}
	case delta > 0 && stock > maxStock:
		return 0, fault.Invalid(common.FieldError{Field: "stock_delta", Message: fmt.Sprintf("raises the stock above %d", maxStock)})
	default:
		return stock, nil
	}
}

// adjust records a manual change of a product's stock.
func (s *service) adjust(ctx context.Context, q *ordersdb.Queries, caller auth.Caller, p ordersdb.Product, before int64, reason *string) error {
	if p.Stock == before {
		return nil
	}
	err := q.InsertStockAdjustment(ctx, ordersdb.InsertStockAdjustmentParams{
		ProductID: p.ID, Delta: p.Stock - before, Caller: caller.Name, CallerID: callerID(caller), CallerName: callerDisplayName(caller), CreatedAt: p.UpdatedAt,
		FromStock: &before, ToStock: &p.Stock, Reason: reason,
	})
	if err != nil {
		return fmt.Errorf("record stock movement: %w", err)
	}
	return nil
}

// missingProduct turns database.ErrNotFound into a product_not_found error.
func missingProduct(err error, id int64) error {
	if errors.Is(err, database.ErrNotFound) {
		return fault.New(common.CodeProductNotFound, fmt.Sprintf("There is no product %d.", id))
	}
	return err
}
