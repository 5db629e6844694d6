package backoffice

import (
	"fmt"
	"net/http"

	"golang.org/x/sync/errgroup"

	"github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/services/backoffice/view"
)

func (s *service) productRoutes() []route {
	return []route{
		{name: "products", method: http.MethodGet, path: "/products", needs: []string{"listProducts"}, handle: s.listProducts},
		{name: "newProduct", method: http.MethodGet, path: "/products/new", needs: []string{"createProduct"}, handle: s.newProduct},
		{name: "createProduct", method: http.MethodPost, path: "/products/new", needs: []string{"createProduct"}, handle: s.createProduct},
		{name: "product", method: http.MethodGet, path: "/products/:id", needs: []string{"getProduct"}, handle: s.product},
		{name: "editProduct", method: http.MethodGet, path: "/products/:id/edit", needs: []string{"getProduct", "updateProduct"}, handle: s.editProduct},
		{name: "updateProduct", method: http.MethodPost, path: "/products/:id/edit", needs: []string{"updateProduct"}, handle: s.updateProduct},
		{name: "askAdjustStock", method: http.MethodGet, path: "/products/:id/stock", needs: []string{"getProduct", "updateProduct"}, handle: s.askAdjustStock},
		{name: "adjustStock", method: http.MethodPost, path: "/products/:id/stock", needs: []string{"updateProduct"}, handle: s.adjustStock},
		{name: "askArchiveProduct", method: http.MethodGet, path: "/products/:id/archive", needs: []string{"getProduct", "updateProduct.archived"}, handle: s.askArchive(true)},
		{name: "archiveProduct", method: http.MethodPost, path: "/products/:id/archive", needs: []string{"updateProduct.archived"}, handle: s.archive(true)},
		{name: "askRestoreProduct", method: http.MethodGet, path: "/products/:id/restore", needs: []string{"getProduct", "updateProduct.archived"}, handle: s.askArchive(false)},
		{name: "restoreProduct", method: http.MethodPost, path: "/products/:id/restore", needs: []string{"updateProduct.archived"}, handle: s.archive(false)},
	}
}

// productsPerPage is the length of the list of products, which a person looks through at once.
const productsPerPage int32 = 50

func (s *service) listProducts(v *visit) error {
	list := view.ProductList{Filter: view.ReadForm(v.QueryParams())}
	params := &orders.ListProductsParams{Search: optional(list.Filter.Get("search")), Cursor: v.cursor(), Limit: new(productsPerPage)}
	if list.LowStock() {
		params.LowStock = new(true)
	}
	if archived := list.Archived(); archived != "" {
		params.Archived = &archived
	}
	r, err := s.orders.ListProductsWithResponse(v.ctx(), params)
	page, err := read(r, err)
	list.Products, list.Pages = page.Data, view.NewPager("/products", v.QueryParams(), page.NextCursor)
	return v.answerList(list.Filter, err, view.Products(v.page, list))
}

func (s *service) product(v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	page := view.ProductPage{Tab: view.MovementsTab, List: view.ReadForm(v.QueryParams())}
	if v.QueryParam("tab") == string(view.OrdersTab) || !v.page.May("listStockMovements") {
		page.Tab = view.OrdersTab
	}
	var next *string
	var refused error
	var calls errgroup.Group
	calls.Go(func() (err error) {
		page.Product, page.ETag, err = s.readProduct(v, id)
		return err
	})
	calls.Go(func() error {
		if page.Tab == view.OrdersTab {
			page.Orders, next, refused = s.productOrders(v, id)
		} else {
			page.Movements, next, refused = s.productMovements(v, id)
		}
		return nil
	})
	if err := calls.Wait(); err != nil {
		return err
	}
	page.Pages = view.NewPager(productPath(id), v.QueryParams(), next)
	return v.answerList(page.List, refused, view.Product(v.page, page))
}

// readProduct returns a product and its ETag.
func (s *service) readProduct(v *visit, id int64) (product orders.Product, etag string, err error) {
	r, err := s.orders.GetProductWithResponse(v.ctx(), id)
	if product, err = read(r, err); err != nil {
		return product, "", err
	}
	return product, r.HTTPResponse.Header.Get("ETag"), nil
}

// productMovements returns the page of stock movements that the URL selects, and the cursor of the next page.
func (s *service) productMovements(v *visit, id int64) ([]orders.StockMovement, *string, error) {
	r, err := s.orders.ListStockMovementsWithResponse(v.ctx(), id, &orders.ListStockMovementsParams{Cursor: v.cursor()})
	page, err := read(r, err)
	return page.Data, page.NextCursor, err
}

// productOrders returns the page of orders that the URL selects, and the cursor of the next page.
func (s *service) productOrders(v *visit, id int64) ([]orders.Order, *string, error) {
	r, err := s.orders.ListOrdersWithResponse(v.ctx(), &orders.ListOrdersParams{ProductID: &id, Cursor: v.cursor()})
	page, err := read(r, err)
	return page.Data, page.NextCursor, err
}

func productPath(id int64) string { return fmt.Sprintf("/products/%d", id) }
