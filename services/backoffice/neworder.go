package backoffice

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/gen/orchestrator"
	"github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/services/backoffice/view"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

func (s *service) newOrderRoutes() []route {
	needs := []string{"createOrder", "listCustomers", "getCustomer", "listProducts"}
	return []route{
		{name: "newOrder", method: http.MethodGet, path: "/orders/new", needs: needs, handle: s.newOrder},
		{name: "placeOrder", method: http.MethodPost, path: "/orders/new", needs: needs, handle: s.placeOrder},
	}
}

// newOrder shows an empty order, an order for the customer in the query, or a copy of the order in the parameter "from".
func (s *service) newOrder(v *visit) error {
	d := &view.Draft{Form: view.NewForm(), Focus: view.CustomerField}
	customer, err := queryID(v, "customer")
	if err != nil {
		return err
	}
	from, err := queryID(v, "from")
	if err != nil {
		return err
	}
	switch {
	case from != 0:
		err = s.repeatOrder(v, d, from)
	case customer != 0:
		var c api.Customer
		if c, _, err = s.readCustomer(v.ctx(), customer); err == nil {
			d.SetCustomer(c)
		}
	}
	if err != nil {
		return err
	}
	if d.Customer() != 0 {
		d.Focus = view.AddField
	}
	return v.render(http.StatusOK, view.NewOrder(v.page, d))
}

// queryID returns the id in a parameter of the query, or 0 if it is absent.
func queryID(v *visit, name string) (int64, error) {
	text := v.QueryParam(name)
	if text == "" {
		return 0, nil
	}
	return parseID(text)
}

// repeatOrder copies the customer and the lines of an order, except archived products.
func (s *service) repeatOrder(v *visit, d *view.Draft, id int64) error {
	r, err := s.orders.GetOrderWithResponse(v.ctx(), id)
	order, err := read(r, err)
	if err != nil {
		return err
	}
	for _, item := range order.Items {
		d.Lines = append(d.Lines, &view.DraftLine{ID: item.ProductID, SKU: item.SKU, Qty: strconv.FormatInt(item.Qty, 10)})
	}
	if err := s.readLines(v, d); err != nil {
		return err
	}
	d.Notes = append(d.Notes, v.page.Text.DraftFrom(id))
	d.Lines = slices.DeleteFunc(d.Lines, func(line *view.DraftLine) bool {
		archived := line.Product != nil && line.Product.ArchivedAt != nil
		if archived {
			delete(d.Faults, view.QtyField(line.ID))
			d.Notes = append(d.Notes, v.page.Text.DraftLeftOut(line.SKU))
		}
		return archived
	})
	customer, _, err := s.readCustomer(v.ctx(), order.CustomerID)
	switch {
	case fault.Is(err, common.CodeCustomerNotFound):
		d.Fault(view.CustomerField, v.page.Text.DraftCustomerGone(order.Customer.Name))
	case err != nil:
		return markStale(v, d, err)
	default:
		d.SetCustomer(customer)
	}
	return nil
}

// placeOrder changes an order or places it, as the pressed button says. If something typed had to be added first, it shows the order again
// instead of placing what the person has not seen.
func (s *service) placeOrder(v *visit) error {
	form, err := readForm(v)
	if err != nil {
		return err
	}
	d := readDraft(form)
	pending, err := s.editDraft(v, d)
	if err != nil {
		return err
	}
	do := form.Get("do")
	placing := do == view.DoPlace || do == view.DoConfirm
	var refusal error
	status := http.StatusOK
	switch {
	case !placing || d.Stale:
	case !checkDraft(v.page, d):
		status = http.StatusBadRequest
		form.Note = v.page.Text.Problem(common.CodeInvalidInput, "")
	case pending:
		d.Notes = append(d.Notes, v.page.Text.DraftLookAgain())
	default:
		id, notice, err := s.place(v.ctx(), d, do == view.DoConfirm)
		if err == nil {
			return v.redirect(fmt.Sprintf("/orders/%d", id), notice)
		}
		refusal = lineFaults(v.page, d, err)
	}
	if err := s.readLines(v, d); err != nil {
		return err
	}
	if refusal != nil {
		return v.refuse(form, refusal, view.NewOrder(v.page, d))
	}
	return v.render(status, view.NewOrder(v.page, d))
}

// markStale marks an order as stale because something could not be read. The page keeps what was typed. MarkStale returns the errors that
// refuse returns.
func markStale(v *visit, d *view.Draft, err error) error {
	switch fault.From(err).Code {
	case common.CodeUnauthorized, common.CodeForbidden, common.CodeInternal:
		return err
	}
	v.warn(err)
	d.Stale = true
	return nil
}

// readDraft returns the order in a form.
func readDraft(form *view.Form) *view.Draft {
	d := &view.Draft{Form: form}
	for _, known := range form.Values[view.KnownField] {
		if id, label, ok := cutID(known); ok {
			d.Known = append(d.Known, view.KnownCustomer{ID: id, Label: label})
		}
	}
	for _, product := range form.Values[view.ProductField] {
		if id, sku, ok := cutID(product); ok && d.Line(id) == nil && len(d.Lines) < view.MaxLines {
			d.Lines = append(d.Lines, &view.DraftLine{ID: id, SKU: sku, Qty: form.Get(view.QtyField(id))})
		}
	}
	return d
}

// cutID splits a value of view.KnownField or view.ProductField into its id and its text.
func cutID(value string) (id int64, rest string, ok bool) {
	before, rest, _ := strings.Cut(value, " ")
	id, err := strconv.ParseInt(before, 10, 64)
	return id, rest, err == nil && id > 0 && id <= maxID
}

// checkDraft reports whether an order can be placed as typed. It reads only the form, so that a form that is sent again makes the same
// request, although prices and stock may have changed.
func checkDraft(page *view.Page, d *view.Draft) bool {
	if d.Customer() == 0 && d.Faults[view.CustomerField] == "" {
		d.Fault(view.CustomerField, page.Text.DraftNoCustomer())
	}
	if len(d.Lines) == 0 && d.Faults[view.AddField] == "" {
		d.Fault(view.AddField, page.Text.DraftNoLinesHint())
	}
	for _, line := range d.Lines {
		if why := unitsFault(page, line.Qty); why != "" {
			d.Fault(view.QtyField(line.ID), why)
		}
	}
	return len(d.Faults) == 0 && len(d.Pasted) == 0 && len(d.Choices) == 0 && !d.Choose
}

// unitsFault returns the fault of a number of units, or "".
func unitsFault(page *view.Page, typed string) string {
	if typed == "" {
		return page.Text.DraftNoUnits()
	}
	if _, ok := view.ParseUnits(typed); !ok {
		return page.Text.DraftBadUnits(page.Locale.Number(view.MaxUnits))
	}
	return ""
}

// place places an order and, if confirm is true, confirms it through the orchestrator. Both ways place it with the same idempotency key, so
// that pressing both buttons one after the other places one order.
func (s *service) place(ctx context.Context, d *view.Draft, confirm bool) (id int64, notice view.Notice, err error) {
	if confirm {
		in := orchestrator.OrderRequest{CustomerID: d.Customer(), IdempotencyKey: d.Key}
		for _, line := range d.Lines {
			units, _ := view.ParseUnits(line.Qty)
			in.Items = append(in.Items, orchestrator.OrderRequestLine{ProductID: line.ID, Qty: units})
		}
		r, err := s.orchestrator.CreateAndConfirmOrderWithResponse(ctx, &orchestrator.CreateAndConfirmOrderParams{}, in)
		confirmed, err := created(r, err)
		return confirmed.Data.Order.ID, view.PlacedConfirmed, err
	}
	in := orders.OrderInput{CustomerID: d.Customer()}
	for _, line := range d.Lines {
		units, _ := view.ParseUnits(line.Qty)
		in.Items = append(in.Items, orders.OrderLineInput{ProductID: line.ID, Qty: units})
	}
	key := placeKey(d.Key)
	r, err := s.orders.CreateOrderWithResponse(ctx, &orders.CreateOrderParams{IdempotencyKey: &key}, in)
	order, err := created(r, err)
	return order.ID, view.PlacedNotice, err
}

// placeKey returns the idempotency key that the orchestrator sends to orders-api for a call with a key, as its contract says.
func placeKey(key string) string {
	sum := sha256.Sum256([]byte("create\n" + key))
	return "create-and-confirm.create." + hex.EncodeToString(sum[:])
}

// lineFaults adds the faults of a refusal to the fields of an order, whose names differ from those of the API. It returns the refusal.
func lineFaults(page *view.Page, d *view.Draft, refusal error) error {
	e := fault.From(refusal)
	switch e.Code {
	case common.CodeCustomerNotFound:
		e.Fields = nil
		d.Fault(view.CustomerField, page.Text.DraftNoCustomer())
	case common.CodeProductNotFound, common.CodeProductArchived:
		e.Fields = nil // readLines finds out which
	}
	for _, short := range e.Shortages {
		d.Fault(view.QtyField(short.ProductID), shortage(page, short.Available))
	}
	for i, f := range e.Fields {
		switch at := 0; f.Field {
		case "customer_id":
			e.Fields[i].Field = view.CustomerField
		case "items":
			e.Fields[i].Field = view.AddField
		default:
			if _, err := fmt.Sscanf(f.Field, "items[%d]", &at); err == nil && at >= 0 && at < len(d.Lines) {
				e.Fields[i].Field = view.QtyField(d.Lines[at].ID)
			}
		}
	}
	return refusal
}

func shortage(page *view.Page, stock int64) string {
	if stock <= 0 {
		return page.Text.DraftOut()
	}
	return page.Text.DraftShort(page.Locale.Number(stock))
}

// readLines reads the products of the lines, and adds a fault to each line that can't be ordered.
func (s *service) readLines(v *visit, d *view.Draft) error {
	if len(d.Lines) == 0 {
		return nil
	}
	ids := make([]int64, len(d.Lines))
	for i, line := range d.Lines {
		ids[i] = line.ID
	}
	all, limit := orders.ArchivedInclude, int32(view.MaxLines)
	r, err := s.orders.ListProductsWithResponse(v.ctx(), &orders.ListProductsParams{Ids: &ids, Archived: &all, Limit: &limit})
	page, err := read(r, err)
	if err != nil {
		return markStale(v, d, err)
	}
	for i := range page.Data {
		if line := d.Line(page.Data[i].ID); line != nil {
			line.Product, line.SKU = &page.Data[i], page.Data[i].SKU
		}
	}
	for _, line := range d.Lines {
		field, why := view.QtyField(line.ID), unitsFault(v.page, line.Qty)
		units, _ := view.ParseUnits(line.Qty)
		switch {
		case line.Product == nil:
			why = v.page.Text.DraftGone()
		case line.Product.ArchivedAt != nil:
			why = v.page.Text.DraftArchived(line.SKU)
		case why == "" && units > line.Product.Stock:
			why = shortage(v.page, line.Product.Stock)
		}
		if why != "" && d.Faults[field] == "" {
			d.Fault(field, why)
		}
	}
	return nil
}
