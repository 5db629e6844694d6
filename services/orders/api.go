// Package orders implements orders-api: products with their stock, and orders.
package orders

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/contract"
	api "github.com/pedidos-hq/pedidos/gen/orders"
	stub "github.com/pedidos-hq/pedidos/gen/orders/server"
	"github.com/pedidos-hq/pedidos/gen/ordersdb"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/etag"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/idempotency"
	"github.com/pedidos-hq/pedidos/services/platform/keyring"
	"github.com/pedidos-hq/pedidos/services/platform/process"
	"github.com/pedidos-hq/pedidos/services/platform/search"
	"github.com/pedidos-hq/pedidos/services/platform/server"
)

// name is the name of the service in logs and metrics.
const name = "orders"

// New returns orders-api, which keeps its data in db.
func New(p process.Process, db *database.DB) (process.Service, error) {
	customers, err := NewDirectory(p)
	if err != nil {
		return process.Service{}, err
	}
	keys, err := keyring.New(p)
	if err != nil {
		return process.Service{}, err
	}
	c, now := p.Config, database.Now(p.Now)
	reports, err := newReports(db, c.ReportAge, now)
	if err != nil {
		return process.Service{}, fmt.Errorf("reports: %w", err)
	}
	keeper := idempotency.NewKeeper(db, Keys(), c.IdempotencyTTL, now, name, p.Metrics)
	s := &service{
		db:           db,
		customers:    customers,
		cancelWindow: c.CancelWindow,
		now:          now,
		outcomes:     newOutcomes(p.Metrics),
		searches:     search.NewGate(),
		reports:      reports,
		heldProducts: database.NewHeld(db, lockFreeProducts),
		heldOrders:   database.NewHeld(db, lockFreeOrders),
	}
	s.creatingProduct = idempotency.NewOperation(keeper, s.createProduct, answerProduct)
	s.updatingProduct = idempotency.NewOperation(keeper, s.updateProduct, answerUpdated)
	s.placing = idempotency.NewBatchOperation(keeper, idempotency.Locks[*purchase]{Held: s.heldProducts, Rows: (*purchase).products}, s.place, answerCreated)
	s.confirming = idempotency.NewBatchOperation(keeper, idempotency.Locks[*confirmation]{Held: s.heldOrders, Rows: (*confirmation).orders}, s.confirm, answerChanged)
	s.canceling = idempotency.NewOperation(keeper, s.cancel, answerChanged)
	config := server.NewConfig(p)
	config.Service, config.Title, config.Contract = name, "orders-api", contract.Orders
	config.Schemes = map[string]auth.Scheme{
		"bearerAuth":   auth.KeysOrTokens(keys.CheckKey, auth.NewVerifier(c.JWTSecret.Reveal(), keys.PublicKey, p.Now).Verify),
		"serviceToken": auth.ServiceTokens(c.ServiceToken.Reveal()),
	}
	routes := stub.NewStrictHandler(s, []stub.StrictMiddlewareFunc{onBehalf})
	handler, err := server.New(config, func(router *echo.Echo, prefix string) {
		stub.RegisterHandlersWithBaseURL(router, routes, prefix)
	})
	return process.Service{Handler: handler, Sweeps: sweeps(p, db)}, err
}

func sweeps(p process.Process, db *database.DB) []process.Sweep {
	all := []process.Sweep{{Name: "orders_idempotency", Run: func(ctx context.Context) (int64, error) {
		return SweepKeys(ctx, db, p.Now)
	}}}
	if age := p.Config.StaleOrdersAfter; age > 0 {
		expired := expiredCounter(p.Metrics)
		all = append(all, process.Sweep{Name: "stale_orders", Run: func(ctx context.Context) (int64, error) {
			n, err := CancelStale(ctx, db, age, p.Now)
			expired.Add(float64(n))
			return n, err
		}})
	}
	return all
}

// onBehalf lets a service act for the caller in the header X-Caller. Idempotency keys, history and log then name that caller.
// Only operations that declare the header read it.
func onBehalf(next stub.StrictHandlerFunc, operationID string) stub.StrictHandlerFunc {
	switch operationID {
	case "CreateOrder", "ConfirmOrder", "CancelOrder":
	default:
		return next
	}
	return func(c echo.Context, request any) (any, error) {
		name := c.Request().Header.Get("X-Caller")
		if name == "" {
			return next(c, request)
		}
		caller, _ := auth.From(c.Request().Context())
		if caller.Role != auth.Service {
			return nil, fault.New(common.CodeForbidden, "Only a service may name another caller.")
		}
		caller.Name = name
		c.SetRequest(c.Request().WithContext(auth.WithCaller(c.Request().Context(), caller)))
		return next(c, request)
	}
}

// Keys returns the store of idempotency keys of orders-api.
func Keys() idempotency.Store { return idempotency.Store{Table: "orders_idempotency"} }

// SweepKeys deletes expired idempotency keys and returns their number. Several processes may call it at the same time.
func SweepKeys(ctx context.Context, db *database.DB, clock func() time.Time) (int64, error) {
	return idempotency.Sweep(ctx, db, Keys(), database.Now(clock)())
}

type service struct {
	db           *database.DB
	customers    *Directory
	cancelWindow time.Duration
	now          func() time.Time
	outcomes     outcomes
	searches     *search.Gate
	reports      *reports
	heldProducts *database.Held
	heldOrders   *database.Held

	creatingProduct *idempotency.Operation[productCreation, ordersdb.Product]
	updatingProduct *idempotency.Operation[productChange, ordersdb.Product]
	placing         *idempotency.Operation[*purchase, Order]
	confirming      *idempotency.Operation[*confirmation, Order]
	canceling       *idempotency.Operation[*cancellation, Order]
}

func (s *service) ListProducts(ctx context.Context, r stub.ListProductsRequestObject) (stub.ListProductsResponseObject, error) {
	rows, next, err := s.products(ctx, r.Params)
	if err != nil {
		return nil, err
	}
	products := make([]api.Product, len(rows))
	for i, row := range rows {
		products[i] = product(row)
	}
	return stub.ListProducts200JSONResponse{Data: products, NextCursor: next}, nil
}

func (s *service) CreateProduct(ctx context.Context, r stub.CreateProductRequestObject) (stub.CreateProductResponseObject, error) {
	request, err := idempotency.Parse(http.MethodPost, r.Params.IdempotencyKey, r.Params.XIdempotencyKey, "/products", r.Body)
	if err != nil {
		return nil, err
	}
	done, err := s.creatingProduct.Do(ctx, request, productCreation{caller(ctx), *r.Body})
	return answer(done), err
}

func (s *service) GetProduct(ctx context.Context, r stub.GetProductRequestObject) (stub.GetProductResponseObject, error) {
	row, err := s.product(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	return stub.GetProduct200JSONResponse{ProductJSONResponse: productResponse(row)}, nil
}

func (s *service) UpdateProduct(ctx context.Context, r stub.UpdateProductRequestObject) (stub.UpdateProductResponseObject, error) {
	c := productChange{caller: caller(ctx), id: r.ID, match: etag.ParseMatch(r.Params.IfMatch), input: *r.Body}
	if err := c.check(); err != nil {
		return nil, err
	}
	request, err := idempotency.Parse(http.MethodPatch, r.Params.IdempotencyKey, r.Params.XIdempotencyKey, fmt.Sprintf("/products/%d", r.ID), r.Body)
	if err != nil {
		return nil, err
	}
	var done idempotency.Answer
	err = s.heldProducts.Do(ctx, func(context.Context) ([]int64, error) { return []int64{r.ID}, nil }, func(ctx context.Context) (err error) {
		done, err = s.updatingProduct.Do(ctx, request, c)
		return err
	})
	return answer(done), err
}

func (s *service) ListStockMovements(ctx context.Context, r stub.ListStockMovementsRequestObject) (stub.ListStockMovementsResponseObject, error) {
	rows, next, err := s.movements(ctx, r.ID, r.Params)
	if err != nil {
		return nil, err
	}
	data := make([]api.StockMovement, len(rows))
	for i, row := range rows {
		data[i] = api.StockMovement{
			ID: row.ID, From: row.FromStock, To: row.ToStock, Delta: row.Delta,
			Caller: &row.Caller, CallerID: row.CallerID, CallerName: row.CallerName, Reason: row.Reason, CreatedAt: common.Time{Time: row.CreatedAt},
		}
	}
	return stub.ListStockMovements200JSONResponse{Data: data, NextCursor: next}, nil
}

func (s *service) ListOrders(ctx context.Context, r stub.ListOrdersRequestObject) (stub.ListOrdersResponseObject, error) {
	found, next, err := s.orders(ctx, r.Params)
	if err != nil {
		return nil, err
	}
	return stub.ListOrders200JSONResponse{Data: orders(found), NextCursor: next}, nil
}

func (s *service) CreateOrder(ctx context.Context, r stub.CreateOrderRequestObject) (stub.CreateOrderResponseObject, error) {
	request, err := idempotency.Parse(http.MethodPost, r.Params.IdempotencyKey, r.Params.XIdempotencyKey, "/orders", r.Body)
	if err != nil {
		return nil, err
	}
	p := &purchase{caller: caller(ctx), lines: merge(r.Body.Items)}
	request.Prepare = func(ctx context.Context) (err error) {
		p.buyer, err = s.customers.Get(ctx, r.Body.CustomerID, request.Key != "")
		return err
	}
	done, err := s.placing.Do(ctx, request, p)
	if err == nil && !done.Replayed {
		s.outcomes.countPlaced(p)
	}
	return answer(done), err
}

func (s *service) GetOrder(ctx context.Context, r stub.GetOrderRequestObject) (stub.GetOrderResponseObject, error) {
	found, err := s.order(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	return stub.GetOrder200JSONResponse{OrderJSONResponse: stub.OrderJSONResponse{
		Body: order(found), Headers: stub.OrderResponseHeaders{ETag: etag.Of(found.Version)},
	}}, nil
}

func (s *service) ListOrderHistory(ctx context.Context, r stub.ListOrderHistoryRequestObject) (stub.ListOrderHistoryResponseObject, error) {
	rows, next, err := s.history(ctx, r.ID, r.Params)
	if err != nil {
		return nil, err
	}
	data := make([]api.OrderEvent, len(rows))
	for i, row := range rows {
		data[i] = api.OrderEvent{
			From: (*api.OrderStatus)(row.FromStatus), To: api.OrderStatus(row.ToStatus),
			Caller: row.Caller, CallerID: row.CallerID, CallerName: row.CallerName, Reason: row.Reason, CreatedAt: common.Time{Time: row.CreatedAt},
		}
	}
	return stub.ListOrderHistory200JSONResponse{Data: data, NextCursor: next}, nil
}

func (s *service) ConfirmOrder(ctx context.Context, r stub.ConfirmOrderRequestObject) (stub.ConfirmOrderResponseObject, error) {
	request, err := idempotency.Parse(http.MethodPost, &r.Params.IdempotencyKey, r.Params.XIdempotencyKey, fmt.Sprintf("/orders/%d/confirm", r.ID), struct{}{})
	if err != nil {
		return nil, err
	}
	c := &confirmation{caller: caller(ctx), id: r.ID, match: etag.ParseMatch(r.Params.IfMatch)}
	done, err := s.confirming.Do(ctx, request, c)
	if err == nil && !done.Replayed && c.changes {
		s.outcomes.confirmed.Inc()
	}
	return answer(done), err
}

func (s *service) CancelOrder(ctx context.Context, r stub.CancelOrderRequestObject) (stub.CancelOrderResponseObject, error) {
	var body api.Cancellation
	if r.Body != nil {
		body = *r.Body
	}
	request, err := idempotency.Parse(http.MethodPost, r.Params.IdempotencyKey, r.Params.XIdempotencyKey, fmt.Sprintf("/orders/%d/cancel", r.ID), body)
	if err != nil {
		return nil, err
	}
	c := &cancellation{caller: caller(ctx), id: r.ID, match: etag.ParseMatch(r.Params.IfMatch), reason: body.Reason}
	var done idempotency.Answer
	err = s.withStockOf(ctx, r.ID, func(ctx context.Context) (err error) {
		done, err = s.canceling.Do(ctx, request, c)
		return err
	})
	if err == nil && !done.Replayed && c.changes {
		s.outcomes.canceled.Inc()
	}
	return answer(done), err
}

func (s *service) ReportSales(ctx context.Context, r stub.ReportSalesRequestObject) (stub.ReportSalesResponseObject, error) {
	q, err := parseSales(r.Params, s.now())
	if err != nil {
		return nil, err
	}
	report, err := s.reports.sales.get(ctx, q)
	if err != nil {
		return nil, err
	}
	return stub.ReportSales200JSONResponse(report), nil
}

func (s *service) ReportStock(ctx context.Context, _ stub.ReportStockRequestObject) (stub.ReportStockResponseObject, error) {
	report, err := s.reports.stock.get(ctx, struct{}{})
	if err != nil {
		return nil, err
	}
	return stub.ReportStock200JSONResponse(report), nil
}

func (s *service) ReportOrders(ctx context.Context, _ stub.ReportOrdersRequestObject) (stub.ReportOrdersResponseObject, error) {
	report, err := s.reports.orders.get(ctx, struct{}{})
	if err != nil {
		return nil, err
	}
	return stub.ReportOrders200JSONResponse(report), nil
}

func (s *service) GetHealth(context.Context, stub.GetHealthRequestObject) (stub.GetHealthResponseObject, error) {
	return stub.GetHealth200JSONResponse{HealthyJSONResponse: stub.HealthyJSONResponse{Status: common.HealthOK}}, nil
}

func (s *service) GetReady(ctx context.Context, _ stub.GetReadyRequestObject) (stub.GetReadyResponseObject, error) {
	if err := s.db.Ready(ctx); err != nil {
		return nil, fault.Unavailable(common.CodeUnavailable, "The database is not ready.", err)
	}
	return stub.GetReady200JSONResponse{HealthyJSONResponse: stub.HealthyJSONResponse{Status: common.HealthOK}}, nil
}

func caller(ctx context.Context) auth.Caller {
	c, _ := auth.From(ctx)
	return c
}

// answer is the response of an operation that takes an idempotency key. It may be a stored one.
type answer idempotency.Answer

func (a answer) VisitCreateProductResponse(w http.ResponseWriter) error {
	return idempotency.Answer(a).Write(w)
}

func (a answer) VisitUpdateProductResponse(w http.ResponseWriter) error {
	return idempotency.Answer(a).Write(w)
}

func (a answer) VisitCreateOrderResponse(w http.ResponseWriter) error {
	return idempotency.Answer(a).Write(w)
}

func (a answer) VisitConfirmOrderResponse(w http.ResponseWriter) error {
	return idempotency.Answer(a).Write(w)
}

func (a answer) VisitCancelOrderResponse(w http.ResponseWriter) error {
	return idempotency.Answer(a).Write(w)
}

func answerProduct(created ordersdb.Product) (idempotency.Answer, error) {
	return idempotency.Record(stub.CreateProduct201JSONResponse{
		Body: product(created),
		Headers: stub.CreateProduct201ResponseHeaders{
			Location: fmt.Sprintf("/products/%d", created.ID), ETag: etag.Of(created.Version),
		},
	}.VisitCreateProductResponse)
}

func answerUpdated(row ordersdb.Product) (idempotency.Answer, error) {
	return idempotency.Record(stub.UpdateProduct200JSONResponse{ProductUpdatedJSONResponse: stub.ProductUpdatedJSONResponse{
		Body: product(row), Headers: stub.ProductUpdatedResponseHeaders{ETag: etag.Of(row.Version)},
	}}.VisitUpdateProductResponse)
}

func answerCreated(o Order) (idempotency.Answer, error) {
	return idempotency.Record(stub.CreateOrder201JSONResponse{
		Body: order(o),
		Headers: stub.CreateOrder201ResponseHeaders{
			Location: fmt.Sprintf("/orders/%d", o.ID), ETag: etag.Of(o.Version),
		},
	}.VisitCreateOrderResponse)
}

// answerChanged returns the answer of confirm and cancel.
func answerChanged(o Order) (idempotency.Answer, error) {
	return idempotency.Record(stub.ConfirmOrder200JSONResponse{OrderConfirmedJSONResponse: stub.OrderConfirmedJSONResponse{
		Body: order(o), Headers: stub.OrderConfirmedResponseHeaders{ETag: etag.Of(o.Version)},
	}}.VisitConfirmOrderResponse)
}

func productResponse(row ordersdb.Product) stub.ProductJSONResponse {
	return stub.ProductJSONResponse{
		Body: product(row), Headers: stub.ProductResponseHeaders{ETag: etag.Of(row.Version)},
	}
}

func product(row ordersdb.Product) api.Product {
	return api.Product{
		ID:           row.ID,
		SKU:          row.SKU,
		Name:         row.Name,
		PriceCents:   row.PriceCents,
		Stock:        row.Stock,
		ReorderLevel: row.ReorderLevel,
		ArchivedAt:   optional(row.ArchivedAt),
		CreatedAt:    common.Time{Time: row.CreatedAt},
		UpdatedAt:    common.Time{Time: row.UpdatedAt},
	}
}

func orders(found []Order) []api.Order {
	all := make([]api.Order, len(found))
	for i, o := range found {
		all[i] = order(o)
	}
	return all
}

func order(o Order) api.Order {
	items := make([]api.OrderLine, len(o.Lines))
	for i, l := range o.Lines {
		items[i] = api.OrderLine{
			ProductID: l.ProductID, SKU: *l.SKU, Name: *l.Name, Qty: l.Qty, UnitPriceCents: l.UnitPriceCents, SubtotalCents: l.SubtotalCents,
		}
	}
	return api.Order{
		ID:           o.ID,
		CustomerID:   o.CustomerID,
		Customer:     api.OrderCustomer{Name: o.CustomerName, Email: o.CustomerEmail, Phone: o.CustomerPhone},
		Status:       api.OrderStatus(o.Status),
		TotalCents:   o.TotalCents,
		Items:        items,
		CreatedAt:    common.Time{Time: o.CreatedAt},
		UpdatedAt:    common.Time{Time: o.UpdatedAt},
		ConfirmedAt:  optional(o.ConfirmedAt),
		CanceledAt:   optional(o.CanceledAt),
		CancelReason: o.CancelReason,
	}
}

func optional(t *time.Time) *common.Time {
	if t == nil {
		return nil
	}
	return &common.Time{Time: *t}
}
