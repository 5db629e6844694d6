package orders

import (
	"context"
	"errors"
	"fmt"

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
	productList  = "p"
	orderList    = "o"
	historyList  = "h"
	movementList = "m"
)

func (s *service) products(ctx context.Context, p api.ListProductsParams) (rows []ordersdb.Product, next *common.NextCursor, err error) {
	limit := page.Limit(p.Limit)
	after, err := page.After(productList, p.Cursor)
	if err != nil {
		return nil, nil, err
	}
	read := func(after, until int64, limit int32) (rows []ordersdb.Product, err error) {
		err = s.db.Read(ctx, func(conn database.Conn) (err error) {
			rows, err = ordersdb.New(conn).ListProducts(ctx, ordersdb.ListProductsParams{
				AfterID: after, UntilID: until, Pattern: search.Pattern(p.Search), Limit: limit,
			})
			return err
		})
		return rows, err
	}
	behind := func(after int64, rows int32) (id int64, err error) {
		err = s.db.Read(ctx, func(conn database.Conn) (err error) {
			id, err = ordersdb.New(conn).ProductBehind(ctx, ordersdb.ProductBehindParams{AfterID: after, Offset: rows})
			return err
		})
		return id, err
	}
	return search.ByID(ctx, s.searches, p.Search != nil, after, limit, productList, read, behind,
		func(r ordersdb.Product) page.Position { return page.Position{r.ID} })
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
		PriceCents: in.PriceCents, Stock: in.Stock, Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	var err error
	row.ID, err = q.InsertProduct(ctx, ordersdb.InsertProductParams{
		SKU: row.SKU, Name: row.Name, SearchText: row.SearchText,
		PriceCents: row.PriceCents, Stock: row.Stock, CreatedAt: now, UpdatedAt: now,
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

func (s *service) updateProduct(ctx context.Context, id int64, match etag.Match, in api.ProductChange) (row ordersdb.Product, err error) {
	if in.Reason != nil && in.Stock == nil {
		return row, fault.Invalid(common.FieldError{Field: "reason", Message: "is allowed only with stock"})
	}
	change := func(conn database.Conn) (err error) {
		q := ordersdb.New(conn)
		if row, err = q.LockProduct(ctx, id); err != nil {
			return missingProduct(err, id)
		}
		if err := match.Check(row.Version); err != nil {
			return err
		}
		before := row.Stock
		if in.Name != nil {
			row.Name = *in.Name
		}
		if in.PriceCents != nil {
			row.PriceCents = *in.PriceCents
		}
		if in.Stock != nil {
			row.Stock = *in.Stock
		}
		row.SearchText, row.Version, row.UpdatedAt = search.Fold(row.SKU, row.Name), row.Version+1, s.now()
		err = q.UpdateProduct(ctx, ordersdb.UpdateProductParams{
			Name: row.Name, SearchText: row.SearchText, PriceCents: row.PriceCents, Stock: row.Stock,
			UpdatedAt: row.UpdatedAt, ID: id,
		})
		if err != nil {
			return err
		}
		return s.adjust(ctx, q, caller(ctx), row, before, in.Reason)
	}
	err = s.heldProducts.Do(ctx,
		func(context.Context) ([]int64, error) { return []int64{id}, nil },
		func(ctx context.Context) error { return s.db.Tx(ctx, change) })
	return row, err
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
