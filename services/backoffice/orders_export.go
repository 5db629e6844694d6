package backoffice

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/services/backoffice/locale"
	"github.com/pedidos-hq/pedidos/services/backoffice/view"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

const (
	exportLimit int32 = 100         // orders that a call returns at most
	exportPause       = time.Minute // until the client must have taken what was written, and the next orders are read
)

// exportOrders writes the orders that a filter shows as CSV (RFC 4180), as they are read. A file that is not complete says so in its last
// line, and its download fails.
func (s *service) exportOrders(v *visit) error {
	filter := view.ReadOrderFilter(v.QueryParams())
	params := s.orderParams(v, filter)
	params.Limit = new(exportLimit)
	var page orders.OrderPage
	var err error
	if filter.OK() {
		page, err = s.ordersToExport(v, params)
	}
	if !filter.OK() || fault.Is(err, common.CodeInvalidInput) { // the list says what is wrong
		return v.Redirect(http.StatusSeeOther, filter.URL("/orders"))
	}
	if err != nil {
		return err
	}
	sheet := newOrderSheet(v)
	connection := http.NewResponseController(v.Response())
	for {
		if err := connection.SetWriteDeadline(time.Now().Add(exportPause)); err != nil {
			return fmt.Errorf("export orders: %w", err)
		}
		if err := sheet.add(page.Data); err != nil {
			return fault.Unavailable(common.CodeUnavailable, "The client does not take the export.", err)
		}
		if page.NextCursor == nil {
			return nil
		}
		params.Cursor = page.NextCursor
		if page, err = s.ordersToExport(v, params); err != nil {
			sheet.cut()
			if err := connection.SetWriteDeadline(time.Now()); err != nil { // the response has no end, so that it counts as failed
				panic(http.ErrAbortHandler)
			}
			return err
		}
	}
}

// ordersToExport returns a page of orders. It renews the access token if that has expired since the export began.
func (s *service) ordersToExport(v *visit, params *orders.ListOrdersParams) (orders.OrderPage, error) {
	r, err := s.orders.ListOrdersWithResponse(v.ctx(), params)
	page, err := read(r, err)
	if !fault.Is(err, common.CodeUnauthorized) {
		return page, err
	}
	token, err := s.customers.ExchangeSessionWithResponse(withIdentity(v.ctx(), identity{sessionToken(v.Request()), v.RealIP()}))
	access, err := read(token, err)
	if err != nil {
		return page, err
	}
	v.SetRequest(v.Request().WithContext(withIdentity(v.ctx(), identity{access.AccessToken, v.RealIP()})))
	r, err = s.orders.ListOrdersWithResponse(v.ctx(), params)
	return read(r, err)
}

// orderSheet writes orders as CSV for a spreadsheet. Each row is an order line, so that subtotals add up. In Spanish, it has semicolons
// and decimal commas, as spreadsheets in Spanish expect.
type orderSheet struct {
	csv     *csv.Writer
	page    *view.Page
	zone    *time.Location
	flush   func()
	decimal string
}

// newOrderSheet begins the response with the titles of the columns.
func newOrderSheet(v *visit) *orderSheet {
	w := v.Response()
	s := &orderSheet{csv: csv.NewWriter(w), page: v.page, zone: readerZone(v.page), flush: w.Flush, decimal: "."}
	s.csv.UseCRLF = true
	if v.page.Locale.Lang() == locale.Spanish {
		s.csv.Comma, s.decimal = ';', ","
	}
	name := fmt.Sprintf("%s-%s.csv", v.page.Text.ExportName(), v.page.Now.In(s.zone).Format(time.DateOnly))
	w.Header().Set(echo.HeaderContentType, "text/csv; charset=utf-8")
	w.Header().Set(echo.HeaderContentDisposition, fmt.Sprintf("attachment; filename=%q", name))
	w.WriteHeader(http.StatusOK)
	const utf8Mark = "\uFEFF" // without it, Excel reads another encoding
	titles := v.page.Text.ExportColumns(s.zone.String())
	titles[0] = utf8Mark + titles[0]
	_ = s.csv.Write(titles) // add reports the error
	return s
}

// add writes a row for each line of the orders.
func (s *orderSheet) add(list []orders.Order) error {
	for _, o := range list {
		for _, line := range o.Items {
			_ = s.csv.Write([]string{ // Error reports the error
				decimal(o.ID), s.time(&o.CreatedAt), s.page.Text.OrderStatusName(o.Status), s.time(o.ConfirmedAt), s.time(o.CanceledAt), harmless(deref(o.CancelReason)),
				decimal(o.CustomerID), harmless(o.Customer.Name), harmless(o.Customer.Email),
				harmless(line.SKU), harmless(line.Name), decimal(line.Qty), s.amount(line.UnitPriceCents), s.amount(line.SubtotalCents),
			})
		}
	}
	s.csv.Flush()
	return s.csv.Error()
}

// cut writes that the rest is missing.
func (s *orderSheet) cut() {
	_ = s.csv.Write([]string{s.page.Text.ExportIncomplete()}) // the request fails anyway
	s.csv.Flush()
	s.flush()
}

// time writes a time as spreadsheets read it in any language.
func (s *orderSheet) time(t *common.Time) string {
	if t == nil {
		return ""
	}
	return t.In(s.zone).Format(time.DateTime)
}

// amount writes cents without thousands separators, which spreadsheets would take for text.
func (s *orderSheet) amount(cents int64) string {
	return fmt.Sprintf("%d%s%02d", cents/100, s.decimal, cents%100)
}

// harmless returns a text that no spreadsheet takes for a formula (OWASP, CSV injection).
func harmless(text string) string {
	if first := []rune(text); len(first) > 0 && strings.ContainsRune("=+-@\t\r\n＝＋－＠", first[0]) {
		return "'" + text
	}
	return text
}
