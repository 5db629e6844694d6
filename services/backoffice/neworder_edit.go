package backoffice

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	api "github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/services/backoffice/view"
)

// editDraft changes an order as the pressed button says, but does not place it. It reports whether the person had typed something that was
// not in the order yet.
func (s *service) editDraft(v *visit, d *view.Draft) (pending bool, err error) {
	d.Focus = view.AddField
	switch values := d.Values; {
	case values.Has("pick"):
		pickCustomer(d)
	case values.Has("remove"):
		id, _, _ := cutID(d.Get("remove"))
		d.Lines = slices.DeleteFunc(d.Lines, func(line *view.DraftLine) bool { return line.ID == id })
	case values.Has("line"):
		if id, sku, ok := cutID(d.Get("line")); ok && addLine(v.page, d, orders.Product{ID: id, SKU: sku}, 1) {
			values.Del(view.AddField)
		}
	case d.Get("do") == "":
		return false, s.suggest(v, d)
	default:
		return s.takeTyped(v, d)
	}
	return false, nil
}

// pickCustomer types the customer whose button was pressed.
func pickCustomer(d *view.Draft) {
	id, _, _ := cutID(d.Get("pick"))
	for _, known := range d.Known {
		if known.ID == id {
			d.Known = []view.KnownCustomer{known}
			d.Values.Set(view.CustomerField, known.Label)
			return
		}
	}
}

// suggest offers customers and products that match what is being typed.
func (s *service) suggest(v *visit, d *view.Draft) error {
	var calls errgroup.Group
	if d.Customer() == 0 {
		calls.Go(func() error {
			found, err := s.findCustomers(v.ctx(), d.Get(view.CustomerField))
			d.Known = nil
			for _, c := range found {
				d.Known = append(d.Known, view.NewKnownCustomer(c))
			}
			return err
		})
	}
	calls.Go(func() (err error) {
		d.Products, err = s.findProducts(v.ctx(), d.Get(view.AddField))
		return err
	})
	if err := calls.Wait(); err != nil {
		return markStale(v, d, err)
	}
	return nil
}

// takeTyped looks up the typed customer, and adds the typed product and the pasted lines. Whatever can't be added stays in its input. It
// reports whether anything was typed.
func (s *service) takeTyped(v *visit, d *view.Draft) (pending bool, err error) {
	for _, box := range []struct {
		typed bool
		take  func(*visit, *view.Draft) error
	}{
		{d.Get(view.CustomerField) != "" && d.Customer() == 0, s.takeCustomer},
		{d.Get(view.AddField) != "", s.takeProduct},
		{d.Get(view.PasteField) != "", s.takePasted},
	} {
		if !box.typed {
			continue
		}
		pending = true
		if err := box.take(v, d); err != nil {
			if err := markStale(v, d, err); err != nil {
				return pending, err
			}
		}
	}
	return pending, nil
}

// takeCustomer looks up the typed customer. If several match, the person chooses.
func (s *service) takeCustomer(v *visit, d *view.Draft) error {
	typed := d.Get(view.CustomerField)
	found, err := s.findCustomers(v.ctx(), typed)
	if err != nil {
		return err
	}
	same := slices.DeleteFunc(slices.Clone(found), func(c api.Customer) bool {
		return !strings.EqualFold(c.Name, typed) && !strings.EqualFold(c.Email, typed) && !strings.EqualFold(view.NewKnownCustomer(c).Label, typed)
	})
	d.Known = nil
	switch {
	case len(same) == 1:
		d.SetCustomer(same[0])
	case len(found) == 1:
		d.SetCustomer(found[0])
	case len(found) == 0:
		d.Fault(view.CustomerField, v.page.Text.DraftNoCustomerMatches(typed))
		d.Focus = view.CustomerField
	default:
		d.Choices, d.Focus = found, view.CustomerField
		for _, c := range found {
			d.Known = append(d.Known, view.NewKnownCustomer(c))
		}
	}
	return nil
}

// takeProduct adds the product with the typed SKU, which units may follow. If there is none, the person chooses among the products that
// match.
func (s *service) takeProduct(v *visit, d *view.Draft) error {
	typed := d.Get(view.AddField)
	sku, units := cutUnits(typed)
	bySKU, err := s.productsBySKU(v.ctx(), typed, sku)
	if err != nil {
		return err
	}
	product, ok := bySKU[typed]
	number := int64(1)
	if !ok {
		product, ok = bySKU[sku]
		if n, valid := view.ParseUnits(units); valid {
			number = n
		} else {
			ok = false
		}
	}
	if !ok {
		d.Products, err = s.findProducts(v.ctx(), typed)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(d.Products, func(p orders.Product) bool { return strings.EqualFold(p.SKU, typed) })
		switch {
		case len(d.Products) == 0:
			d.Fault(view.AddField, v.page.Text.DraftNoProductMatches(typed))
			return nil
		case at < 0:
			d.Choose = true
			return nil
		}
		product = d.Products[at]
	}
	if product.ArchivedAt != nil {
		d.Fault(view.AddField, v.page.Text.DraftArchived(product.SKU))
		return nil
	}
	if addLine(v.page, d, product, number) {
		d.Values.Del(view.AddField)
		d.Products = nil
	}
	return nil
}

// addLine adds units of a product. It reports whether it could: an order has a maximum number of lines.
func addLine(page *view.Page, d *view.Draft, p orders.Product, units int64) bool {
	if d.Add(p, units) {
		return true
	}
	d.Fault(view.AddField, page.Text.DraftFull(view.MaxLines))
	return false
}

// takePasted adds the pasted lines to the order. It leaves in the input those that can't be added.
func (s *service) takePasted(v *visit, d *view.Draft) error {
	all := pastedLines(d.Get(view.PasteField))
	now := all[:min(len(all), view.MaxLines)] // also the maximum of SKUs in one call
	skus := make([]string, len(now))
	for i, line := range now {
		skus[i], _ = cutUnits(line)
	}
	products, err := s.productsBySKU(v.ctx(), skus...)
	if err != nil {
		return err
	}
	var left []string
	added := 0
	for i, line := range all {
		why := v.page.Text.DraftFull(view.MaxLines)
		if i < len(now) {
			_, units := cutUnits(line)
			why = takeLine(v.page, d, products, skus[i], units)
		}
		if why == "" {
			added++
			continue
		}
		left = append(left, line)
		if len(left) <= view.MaxLines {
			d.Pasted = append(d.Pasted, view.PastedFault{Line: len(left), Text: line, Why: why})
		}
	}
	d.Left = len(left)
	d.Values.Set(view.PasteField, strings.Join(left, "\n"))
	if added > 0 {
		d.Notes = append(d.Notes, v.page.Text.DraftAdded(added))
	}
	return nil
}

// takeLine adds a pasted line. If it can't, it returns the reason.
func takeLine(page *view.Page, d *view.Draft, products map[string]orders.Product, sku, units string) string {
	product, ok := products[sku]
	switch why := unitsFault(page, units); {
	case !ok:
		return page.Text.DraftUnknownSKU(sku)
	case product.ArchivedAt != nil:
		return page.Text.DraftArchived(sku)
	case why != "":
		return why
	}
	number, _ := view.ParseUnits(units)
	if !d.Add(product, number) {
		return page.Text.DraftFull(view.MaxLines)
	}
	return ""
}

// pastedLines returns the lines of a text that are not blank.
func pastedLines(text string) (lines []string) {
	for line := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '\n' || r == '\r' }) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// cutUnits splits a line at the first tab, semicolon, comma or space, as spreadsheets and people separate a SKU from the units.
func cutUnits(line string) (sku, units string) {
	line = strings.TrimSpace(line)
	at := strings.IndexAny(line, "\t;, \u00a0")
	if at < 0 {
		return line, ""
	}
	return line[:at], strings.Trim(line[at:], "\t;, \u00a0")
}

const (
	offers      = 10 // customers or products to choose from
	searchPages = 3  // maximum number of calls for them
)

// findCustomers returns the first customers whose name or e-mail address contains a text.
func (s *service) findCustomers(ctx context.Context, text string) ([]api.Customer, error) {
	if _, email, ok := strings.Cut(text, "<"); ok { // the label of a KnownCustomer
		text = cmp.Or(strings.TrimSuffix(email, ">"), text)
	}
	limit := int32(offers)
	return search(text, func(cursor *string) ([]api.Customer, *string, error) {
		r, err := s.customers.ListCustomersWithResponse(ctx, &api.ListCustomersParams{Search: &text, Limit: &limit, Cursor: cursor})
		page, err := read(r, err)
		return page.Data, page.NextCursor, err
	})
}

// findProducts returns the first products whose SKU or name contains a text.
func (s *service) findProducts(ctx context.Context, text string) ([]orders.Product, error) {
	limit := int32(offers)
	return search(text, func(cursor *string) ([]orders.Product, *string, error) {
		r, err := s.orders.ListProductsWithResponse(ctx, &orders.ListProductsParams{Search: &text, Limit: &limit, Cursor: cursor})
		page, err := read(r, err)
		return page.Data, page.NextCursor, err
	})
}

// search returns the first entries that match a text, or none for a text that the contracts do not allow.
func search[T any](text string, next func(cursor *string) ([]T, *string, error)) (found []T, err error) {
	const longest = 100 // of a search in the contracts, in characters
	if text == "" || len([]rune(text)) > longest || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == '\x7f' }) {
		return nil, nil
	}
	return firstOf(offers, next)
}

// firstOf returns the first entries of a list. It reads several pages, because a page of a search may be empty before the end.
func firstOf[T any](enough int, next func(cursor *string) ([]T, *string, error)) (found []T, err error) {
	var cursor *string
	for range searchPages {
		var page []T
		if page, cursor, err = next(cursor); err != nil {
			return nil, err
		}
		found = append(found, page...)
		if cursor == nil || len(found) >= enough {
			break
		}
	}
	return found[:min(len(found), enough)], nil
}

// productsBySKU returns the products with one of the SKUs, by SKU, also archived ones. It takes at most view.MaxLines SKUs.
func (s *service) productsBySKU(ctx context.Context, skus ...string) (map[string]orders.Product, error) {
	ask := slices.Compact(slices.Sorted(slices.Values(skus)))
	ask = slices.DeleteFunc(ask, func(sku string) bool { return !isSKU(sku) })
	if len(ask) == 0 {
		return nil, nil
	}
	all, limit := orders.ArchivedInclude, int32(view.MaxLines)
	r, err := s.orders.ListProductsWithResponse(ctx, &orders.ListProductsParams{SKU: &ask, Archived: &all, Limit: &limit})
	page, err := read(r, err)
	if err != nil {
		return nil, err
	}
	found := map[string]orders.Product{}
	for _, p := range page.Data {
		found[p.SKU] = p
	}
	return found, nil
}

// isSKU reports whether a text matches the pattern of SKUs in the contract. The API refuses to look up any other.
func isSKU(text string) bool {
	const longest = 64
	alphanumeric := func(r rune) bool { return r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' }
	return text != "" && len(text) <= longest && alphanumeric(rune(text[0])) &&
		!strings.ContainsFunc(text, func(r rune) bool { return !alphanumeric(r) && !strings.ContainsRune("._-", r) })
}
