package backoffice

import (
	"net/http"

	"golang.org/x/sync/errgroup"

	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/services/backoffice/view"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

func (s *service) homeRoutes() []route {
	return []route{{name: "home", method: http.MethodGet, path: "/", needs: []string{"listOrders"}, handle: s.home}}
}

// home shows what to do next and how the business goes. If a part can't be read, the page says so and shows the others.
func (s *service) home(v *visit) error {
	h := &view.Overview{}
	var calls errgroup.Group
	part(v, &calls, &h.Orders, "reportOrders", func() (orders.OrdersReport, error) {
		r, err := s.orders.ReportOrdersWithResponse(v.ctx())
		return read(r, err)
	})
	part(v, &calls, &h.Sales, "reportSales", func() (orders.SalesReport, error) {
		zone := v.page.Locale.Location().String()
		r, err := s.orders.ReportSalesWithResponse(v.ctx(), &orders.ReportSalesParams{TimeZone: &zone}) // 30 days, by day
		return read(r, err)
	})
	part(v, &calls, &h.Stock, "reportStock", func() (orders.StockReport, error) {
		r, err := s.orders.ReportStockWithResponse(v.ctx())
		return read(r, err)
	})
	part(v, &calls, &h.Low, "listProducts", func() ([]orders.Product, error) {
		low, limit := true, int32(view.ShownLow)
		return firstOf(view.ShownLow, func(cursor *string) ([]orders.Product, *string, error) {
			r, err := s.orders.ListProductsWithResponse(v.ctx(), &orders.ListProductsParams{LowStock: &low, Limit: &limit, Cursor: cursor})
			page, err := read(r, err)
			return page.Data, page.NextCursor, err
		})
	})
	if err := calls.Wait(); err != nil {
		return err
	}
	if h.NoOrders() {
		if err := s.readFirstSteps(v, h); err != nil {
			return err
		}
	}
	return v.render(http.StatusOK, view.Home(v.page, h))
}

// part reads a part of a page concurrently with the others, if the role may read it. It returns an error only if the session has ended.
func part[T any](v *visit, calls *errgroup.Group, p *view.Part[T], operation string, read func() (T, error)) {
	if !v.page.May(operation) {
		return
	}
	calls.Go(func() error {
		value, err := read()
		switch {
		case err == nil:
			p.Value = &value
		case fault.Is(err, common.CodeUnauthorized):
			return err
		default:
			v.warn(err)
			p.Failed = true
		}
		return nil
	})
}

// readFirstSteps finds out which first steps are left if there are no orders yet. It looks for orders, because the reports may be some
// seconds old.
func (s *service) readFirstSteps(v *visit, h *view.Overview) error {
	one := int32(1)
	first := &view.FirstSteps{}
	var calls errgroup.Group
	calls.Go(func() error {
		r, err := s.orders.ListOrdersWithResponse(v.ctx(), &orders.ListOrdersParams{Limit: &one})
		page, err := read(r, err)
		first.Order = len(page.Data) > 0
		return err
	})
	if v.page.May("listProducts") {
		calls.Go(func() error {
			r, err := s.orders.ListProductsWithResponse(v.ctx(), &orders.ListProductsParams{Limit: &one})
			page, err := read(r, err)
			first.Product = len(page.Data) > 0
			return err
		})
	}
	if v.page.May("listCustomers") {
		calls.Go(func() error {
			r, err := s.customers.ListCustomersWithResponse(v.ctx(), &api.ListCustomersParams{Limit: &one})
			page, err := read(r, err)
			first.Customer = len(page.Data) > 0
			return err
		})
	}
	switch err := calls.Wait(); {
	case fault.Is(err, common.CodeUnauthorized):
		return err
	case err != nil:
		v.warn(err)
	case !first.Order:
		h.First = first
	}
	return nil
}
