package backoffice

import (
	"fmt"
	"net/http"

	"github.com/a-h/templ"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/services/backoffice/view"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

func (s *service) newProduct(v *visit) error {
	return v.render(http.StatusOK, view.NewProduct(v.page, view.NewForm()))
}

func (s *service) createProduct(v *visit) error {
	form, err := readForm(v)
	if err != nil {
		return err
	}
	in := orders.ProductInput{SKU: form.Get("sku"), Name: form.Get("name"), PriceCents: typedPrice(v.page, form)}
	if form.Get("stock") != "" {
		in.Stock = typedNumber(v.page, form, "stock")
	}
	if form.Get("reorder_level") != "" {
		in.ReorderLevel = typedNumber(v.page, form, "reorder_level")
	}
	requireTyped(v.page, form, "sku", "name")
	r, err := s.orders.CreateProductWithResponse(v.ctx(), &orders.CreateProductParams{IdempotencyKey: &form.Key}, in)
	product, err := created(r, err)
	if err != nil {
		return refuseProduct(v, form, err, view.NewProduct(v.page, form))
	}
	return v.redirect(productPath(product.ID), view.ProductCreated)
}

func (s *service) editProduct(v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	if err := mayEditProduct(v); err != nil {
		return err
	}
	product, etag, err := s.readProduct(v, id)
	if err != nil {
		return err
	}
	form := view.NewForm()
	form.ETag = etag
	form.Values.Set("sku", product.SKU)
	form.Values.Set("name", product.Name)
	form.Values.Set("price", v.page.Locale.Amount(product.PriceCents))
	form.Values.Set("reorder_level", v.page.Locale.Number(product.ReorderLevel))
	view.ShowProduct(form, product)
	return v.render(http.StatusOK, view.EditProduct(v.page, id, form))
}

func (s *service) updateProduct(v *visit) error {
	id, form, err := v.sent()
	if err != nil {
		return err
	}
	if err := mayEditProduct(v); err != nil {
		return err
	}
	var change orders.ProductChange // the form lacks the fields that the role may not change
	if form.Values.Has("name") {
		change.Name = new(form.Get("name"))
		requireTyped(v.page, form, "name")
	}
	if form.Values.Has("price") {
		change.PriceCents = new(typedPrice(v.page, form))
	}
	if form.Values.Has("reorder_level") {
		change.ReorderLevel = new(typedNumber(v.page, form, "reorder_level"))
	}
	if err := s.saveProduct(v, id, form, change); err != nil {
		return refuseProduct(v, form, err, view.EditProduct(v.page, id, form))
	}
	return v.redirect(productPath(id), view.ProductChanged)
}

// mayEditProduct returns a forbidden error if the role may change none of the fields of the form.
func mayEditProduct(v *visit) error {
	if view.MayEditProduct(v.page) {
		return nil
	}
	return fault.New(common.CodeForbidden, "The role may not do this.")
}

// saveTries is the maximum number of attempts to change a product while orders change its stock.
const saveTries = 5

// saveProduct changes a product. Every order changes the ETag of its products, so it tries again if nothing in the form has changed.
// The key of each attempt is derived from that of the form, so that a form that is sent again repeats the same attempts.
func (s *service) saveProduct(v *visit, id int64, form *view.Form, change orders.ProductChange) error {
	for try := 1; ; try++ {
		key := form.Key
		if try > 1 {
			key = fmt.Sprintf("%s-%d", form.Key, try)
		}
		params := &orders.UpdateProductParams{IdempotencyKey: &key, IfMatch: optional(form.ETag)}
		r, err := s.orders.UpdateProductWithResponse(v.ctx(), id, params, change)
		if _, err = read(r, err); !fault.Is(err, common.CodePreconditionFailed) {
			return err
		}
		product, etag, readErr := s.readProduct(v, id)
		if readErr != nil {
			return readErr
		}
		form.ETag = etag
		if compareProduct(v.page, form, product, change) || try == saveTries {
			return err
		}
	}
}

// compareProduct adds to a form the values that somebody else has changed since it was opened, except those equal to the typed ones. It
// reports whether there are any.
func compareProduct(page *view.Page, form *view.Form, product orders.Product, change orders.ProductChange) (outdated bool) {
	note := func(field string, differs bool, was, now, shown string) {
		if differs && was != now {
			form.Fault(field, page.Text.Now(shown))
			outdated = true
		}
	}
	note("name", change.Name != nil && *change.Name != product.Name, form.Get("was_name"), product.Name, product.Name)
	note("price", change.PriceCents != nil && *change.PriceCents != product.PriceCents, form.Get("was_price"), decimal(product.PriceCents),
		page.Locale.Money(product.PriceCents))
	note("reorder_level", change.ReorderLevel != nil && *change.ReorderLevel != product.ReorderLevel, form.Get("was_reorder_level"),
		decimal(product.ReorderLevel), page.Locale.Number(product.ReorderLevel))
	view.ShowProduct(form, product)
	return outdated
}

func (s *service) askAdjustStock(v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	product, etag, err := s.readProduct(v, id)
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, view.AdjustStock(v.page, id, view.AdjustForm(product, etag)))
}

func (s *service) adjustStock(v *visit) error {
	id, form, err := v.sent()
	if err != nil {
		return err
	}
	again := view.AdjustStock(v.page, id, form)
	change := stockChange(v.page, form)
	if !form.OK() {
		return v.refuse(form, fault.Invalid(), again)
	}
	r, err := s.orders.UpdateProductWithResponse(v.ctx(), id, &orders.UpdateProductParams{IdempotencyKey: &form.Key, IfMatch: optional(form.ETag)}, change)
	if _, err = read(r, err); err != nil {
		if err := s.noteStock(v, id, form, err); err != nil {
			return err
		}
		return v.refuse(form, err, again)
	}
	return v.redirect(productPath(id), view.StockChanged)
}

// stockChange returns the change of stock in a form. It adds the faults to the form.
func stockChange(page *view.Page, form *view.Form) (change orders.ProductChange) {
	if form.Get("how") == view.ByCount {
		change.Stock = new(typedNumber(page, form, "stock"))
	} else {
		delta := typedNumber(page, form, "stock_delta")
		if delta == 0 || !form.OK() {
			form.Fault("stock_delta", page.Text.StockNoUnits())
		}
		change.StockDelta = &delta
	}
	if change.Reason = optional(form.Get("reason")); change.Reason == nil {
		form.Fault("reason", page.Text.Required())
	}
	return change
}

// noteStock adds the present stock to a form that was refused because of it.
func (s *service) noteStock(v *visit, id int64, form *view.Form, refusal error) error {
	e := fault.From(refusal)
	switch {
	case e.Code == common.CodeInsufficientStock && len(e.Shortages) > 0:
		form.Fault("stock_delta", v.page.Text.StockOnly(v.page.Locale.Number(e.Shortages[0].Available)))
	case e.Code == common.CodePreconditionFailed:
		product, etag, err := s.readProduct(v, id)
		if err != nil {
			return err
		}
		field := "stock_delta"
		if form.Get("how") == view.ByCount {
			field = "stock"
		}
		form.ETag = etag
		form.Fault(field, v.page.Text.Now(v.page.Locale.Number(product.Stock)))
		form.Values.Set("was_stock", decimal(product.Stock))
	}
	return nil
}

// askArchive returns the handler of the page that asks whether to archive a product or, if archive is false, to restore it.
func (s *service) askArchive(archive bool) func(*visit) error {
	return func(v *visit) error {
		id, err := v.id()
		if err != nil {
			return err
		}
		product, _, err := s.readProduct(v, id)
		if err != nil {
			return err
		}
		return v.render(http.StatusOK, view.ArchiveProduct(v.page, id, archive, view.ArchiveForm(product)))
	}
}

// archive returns the handler that archives or restores a product, also if it has changed since the page was opened.
func (s *service) archive(archive bool) func(*visit) error {
	return func(v *visit) error {
		id, form, err := v.sent()
		if err != nil {
			return err
		}
		r, err := s.orders.UpdateProductWithResponse(v.ctx(), id, &orders.UpdateProductParams{IdempotencyKey: &form.Key}, orders.ProductChange{Archived: &archive})
		if _, err := read(r, err); err != nil {
			return v.refuse(form, err, view.ArchiveProduct(v.page, id, archive, form))
		}
		if archive {
			return v.redirect(productPath(id), view.ProductArchived)
		}
		return v.redirect(productPath(id), view.ProductRestored)
	}
}

// unreadable stands for a number that can't be read. The API refuses it in each field of a product, together with the faults of the others,
// so that a person can correct all of them at once.
const unreadable = -1

// requireTyped adds a fault for each of the fields that is empty.
func requireTyped(page *view.Page, form *view.Form, fields ...string) {
	for _, field := range fields {
		if form.Get(field) == "" {
			form.Fault(field, page.Text.Required())
		}
	}
}

// typedPrice returns the price in a form, in cents. If it can't be read, the form gets a fault, and the price is unreadable.
func typedPrice(page *view.Page, form *view.Form) int64 {
	cents, err := page.Locale.ParseMoney(form.Get("price"))
	if err != nil {
		form.Fault("price", page.Text.PriceFault(err))
		return unreadable
	}
	return cents
}

// typedNumber returns the whole number in a field. If it can't be read, the form gets a fault, and the number is unreadable.
func typedNumber(page *view.Page, form *view.Form, field string) int64 {
	n, err := page.Locale.ParseNumber(form.Get(field))
	if err != nil {
		form.Fault(field, page.Text.NotWholeNumber())
		return unreadable
	}
	return n
}

// refuseProduct answers with the page that shows a refused form of a product again. The form has the price in another unit than the API.
func refuseProduct(v *visit, form *view.Form, err error, content templ.Component) error {
	for _, f := range fault.From(err).Fields {
		if f.Field == "price_cents" && form.Faults["price"] == "" {
			form.Fault("price", v.page.Text.PriceTooLarge())
		}
	}
	return v.refuse(form, err, content)
}
