package view

import (
	"fmt"
	"net/url"
	"strconv"

	"github.com/a-h/templ"

	"github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/services/backoffice/text"
)

// The notices about products.
const (
	ProductCreated  Notice = "product-created"
	ProductChanged  Notice = "product-changed"
	ProductArchived Notice = "product-archived"
	ProductRestored Notice = "product-restored"
	StockChanged    Notice = "stock-changed"
)

func productNotices(t text.Texts) map[Notice]string {
	return map[Notice]string{
		ProductCreated: t.ProductCreated(), ProductChanged: t.Saved(), ProductArchived: t.ProductArchived(),
		ProductRestored: t.ProductRestored(), StockChanged: t.StockChanged(),
	}
}

// ProductList is the data of the list of products.
type ProductList struct {
	Filter   *Form // with the fields search, low_stock and archived of the URL
	Products []orders.Product
	Pages    Pager
}

// LowStock reports whether only products with low stock are listed.
func (l ProductList) LowStock() bool { return l.Filter.Get("low_stock") == "true" }

// Archived returns which archived products are listed, or "" for none.
func (l ProductList) Archived() orders.ListProductsParamsArchived {
	return orders.ListProductsParamsArchived(l.Filter.Get("archived"))
}

// ProductTab names a tab of the page of a product. It is in the URL.
type ProductTab string

// The tabs.
const (
	MovementsTab ProductTab = "movements"
	OrdersTab    ProductTab = "orders"
)

// ProductPage is the data of the page of a product.
type ProductPage struct {
	Product   orders.Product
	ETag      string
	Tab       ProductTab
	List      *Form                  // the query of the list in the tab
	Movements []orders.StockMovement // of MovementsTab
	Orders    []orders.Order         // of OrdersTab
	Pages     Pager                  // of the tab
}

// tabs returns the tabs that the role may see.
func (o ProductPage) tabs(p *Page) (all []labeledTab) {
	if p.May("listStockMovements") {
		all = append(all, labeledTab{MovementsTab, p.Text.Movements()})
	}
	if p.May("listOrders") {
		all = append(all, labeledTab{OrdersTab, p.Text.Orders()})
	}
	return all
}

type labeledTab struct {
	tab   ProductTab
	label string
}

func (t labeledTab) url(id int64) templ.SafeURL {
	return productURL(id) + templ.SafeURL("?"+url.Values{"tab": {string(t.tab)}}.Encode())
}

// The values of the field "how" of the form AdjustStock.
const (
	ByUnits = "units"
	ByCount = "count"
)

// MayEditProduct reports whether the role may change a field of the form EditProduct.
func MayEditProduct(p *Page) bool {
	return p.May("updateProduct.name") || p.May("updateProduct.price_cents") || p.May("updateProduct.reorder_level")
}

// ShowProduct adds the present values of a product to a form, to detect whether they change before the form is sent.
func ShowProduct(form *Form, product orders.Product) {
	form.Values.Set("was_name", product.Name)
	form.Values.Set("was_price", decimal(product.PriceCents))
	form.Values.Set("was_reorder_level", decimal(product.ReorderLevel))
}

// was returns the number that a field had when its form was opened.
func was(form *Form, field string) int64 {
	n, _ := strconv.ParseInt(form.Get("was_"+field), 10, 64)
	return n
}

// AdjustForm returns a form that changes the stock of a product.
func AdjustForm(product orders.Product, etag string) *Form {
	form := NewForm()
	form.ETag = etag
	form.Values.Set("product", product.Name)
	form.Values.Set("was_stock", decimal(product.Stock))
	return form
}

// ArchiveForm returns a form that archives or restores a product.
func ArchiveForm(product orders.Product) *Form {
	form := NewForm()
	form.Values.Set("product", product.Name)
	return form
}

// reorderLevel returns the reorder level of a product, or a dash for 0, at which a product is never low.
func reorderLevel(p *Page, o orders.Product) string {
	if o.ReorderLevel == 0 {
		return "–"
	}
	return p.Locale.Number(o.ReorderLevel)
}

// movedStock returns the stock before and after a movement, or "" if it is unknown.
func movedStock(p *Page, m orders.StockMovement) string {
	if m.From == nil || m.To == nil {
		return ""
	}
	return p.Locale.Number(*m.From) + " → " + p.Locale.Number(*m.To)
}

func productURL(id int64) templ.SafeURL { return templ.SafeURL(fmt.Sprintf("/products/%d", id)) }
