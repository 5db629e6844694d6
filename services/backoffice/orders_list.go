package backoffice

import (
	"net/http"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/services/backoffice/view"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

// ordersPerPage is the length of the list of orders: what a person looks through at once.
const ordersPerPage int32 = 50

func (s *service) listOrders(v *visit) error {
	list := view.OrderList{Filter: view.ReadOrderFilter(v.QueryParams())}
	params := s.orderParams(v, list.Filter)
	if !list.Filter.OK() {
		return v.render(http.StatusBadRequest, view.Orders(v.page, list))
	}
	params.Cursor, params.Limit = v.query("cursor"), new(ordersPerPage)
	var found orders.OrderPage
	var calls errgroup.Group
	calls.Go(func() (err error) {
		r, err := s.orders.ListOrdersWithResponse(v.ctx(), params)
		found, err = read(r, err)
		return err
	})
	calls.Go(func() (err error) {
		list.Filter.Customer, err = s.customerName(v, params.CustomerID)
		return err
	})
	calls.Go(func() (err error) {
		list.Filter.Product, err = s.productName(v, params.ProductID)
		return err
	})
	if err := calls.Wait(); err != nil {
		if fault.Is(err, common.CodeInvalidInput) {
			return v.refuse(list.Filter.Form, err, view.Orders(v.page, list))
		}
		return err
	}
	list.Orders, list.Key = found.Data, view.NewForm().Key
	list.Choices = s.orderChoices(v, found.Data)
	list.Pages = view.NewPager("/orders", v.QueryParams(), found.NextCursor)
	if list.Filter.Customer == "" && len(found.Data) > 0 {
		list.Filter.Customer = found.Data[0].Customer.Name // of a deleted customer
	}
	return v.render(http.StatusOK, view.Orders(v.page, list))
}

// orderParams returns the parameters of a filter. It notes on the filter what is wrong with it. Days are those of the reader's time zone.
func (s *service) orderParams(v *visit, filter view.OrderFilter) *orders.ListOrdersParams {
	id := func(name string) *int64 {
		if filter.Get(name) == "" {
			return nil
		}
		n, err := strconv.ParseInt(filter.Get(name), 10, 64)
		if err != nil {
			filter.Fault(name, v.page.Text.Fault(common.CodeInvalidInput, "must be an integer"))
		}
		return &n
	}
	zone := readerZone(v.page)
	day := func(name string, later int) *string {
		if filter.Get(name) == "" {
			return nil
		}
		day, err := time.Parse(time.DateOnly, filter.Get(name))
		if err != nil {
			filter.Fault(name, v.page.Text.NotADay())
			return nil
		}
		return new(startOfDay(day.AddDate(0, 0, later), zone).UTC().Format(time.RFC3339))
	}
	params := &orders.ListOrdersParams{
		Search: optional(filter.Get("search")), CustomerID: id("customer_id"), ProductID: id("product_id"),
		From: day("from", 0), To: day("to", 1), // the API excludes the time at the end
	}
	if status := filter.Get("status"); status != "" {
		params.Status = new(orders.OrderStatus(status))
	}
	return params
}

// readerZone returns the time zone of the person.
func readerZone(p *view.Page) *time.Location {
	if zone := loadZone(p.Locale.ZoneName()); zone != nil {
		return zone
	}
	return time.UTC
}

// startOfDay returns when a day begins in a time zone. That is not midnight where clocks are put forward at midnight.
func startOfDay(day time.Time, zone *time.Location) time.Time {
	t := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, zone)
	if t.Day() != day.Day() {
		_, end := t.ZoneBounds()
		return end
	}
	return t
}

// customerName returns the name of the customer with an id, or "" if there is none.
func (s *service) customerName(v *visit, id *int64) (string, error) {
	if id == nil || !v.page.May("getCustomer") {
		return "", nil
	}
	r, err := s.customers.GetCustomerWithResponse(v.ctx(), *id)
	customer, err := read(r, err)
	if fault.Is(err, common.CodeNotFound) {
		return "", nil
	}
	return customer.Name, err
}

// productName returns the name of the product with an id, or "" if there is none.
func (s *service) productName(v *visit, id *int64) (string, error) {
	if id == nil || !v.page.May("getProduct") {
		return "", nil
	}
	r, err := s.orders.GetProductWithResponse(v.ctx(), *id)
	product, err := read(r, err)
	if fault.Is(err, common.CodeNotFound) {
		return "", nil
	}
	return product.Name, err
}

// orderChoices returns the orders that the person can confirm or cancel.
func (s *service) orderChoices(v *visit, list []orders.Order) map[int64]bool {
	choices := map[int64]bool{}
	for _, o := range list {
		if v.page.May("confirmOrder") && o.Status == orders.StatusCreated || v.page.May("cancelOrder") && s.cancelable(o) {
			choices[o.ID] = true
		}
	}
	return choices
}
