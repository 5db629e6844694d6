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
	exportLimit int32 = 100         // maximum number of orders that a call returns
	exportPause       = time.Minute // in which the client must receive the rows of a call
)

// exportOrders streams the orders of a filter as CSV (RFC 4180). If it can't complete the file, the last row says so, and the download
// fails.
func (s *service) exportOrders(v *visit) error {
	filter := view.ReadOrderFilter(v.QueryParams())
	params := s.orderParams(v, filter)
	params.Limit = new(exportLimit)
	var page orders.OrderPage
	var err error
	if filter.OK() {
		page, err = s.ordersToExport(v, params)
	}
	if !filter.OK() || fault.Is(err, common.CodeInvalidInput) { // the page of the list says what is wrong
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
			if err := connection.SetWriteDeadline(time.Now()); err != nil { // cuts the response off, so that the download fails
				panic(http.ErrAbortHandler)
			}
			return err
		}
	}
}

// ordersToExport returns a page of orders. It renews the access token, which expires during a long export.
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

// orderSheet writes orders as CSV for a spreadsheet. Each row is an order line, so that subtotals add up. In Spanish, it separates columns
// by semicolons and has decimal commas, which spreadsheets in Spanish expect.
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
	s := &orderSheet{csv: csv.NewWriter(w), page: v.page, zone: v.page.Locale.Location(), flush: w.Flush, decimal: "."}
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

// cut writes that the rest of the file is missing.
func (s *orderSheet) cut() {
	_ = s.csv.Write([]string{s.page.Text.ExportIncomplete()}) // the download fails in any case
	s.csv.Flush()
	s.flush()
}

// time returns a time in a format that spreadsheets read in any language.
func (s *orderSheet) time(t *common.Time) string {
	if t == nil {
		return ""
	}
	return t.In(s.zone).Format(time.DateTime)
}

// amount returns an amount without separators of thousands, with which spreadsheets would take it for text.
func (s *orderSheet) amount(cents int64) string {
	return fmt.Sprintf("%d%s%02d", cents/100, s.decimal, cents%100)
}

// harmless returns a text so that no spreadsheet takes it for a formula (OWASP, CSV injection).
func harmless(text string) string {
	if first := []rune(text); len(first) > 0 && strings.ContainsRune("=+-@\t\r\n＝＋－＠", first[0]) {
		return "'" + text
	}
	return text
}
