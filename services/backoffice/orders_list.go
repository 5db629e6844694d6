package backoffice

import (
	"net/http"

	"golang.org/x/sync/errgroup"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/services/backoffice/view"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

// ordersPerPage is the length of the list of orders, which a person looks through at once.
const ordersPerPage int32 = 50

func (s *service) listOrders(v *visit) error {
	list := view.OrderList{Filter: view.ReadOrderFilter(v.QueryParams())}
	params := s.orderParams(v, list.Filter)
	if !list.Filter.OK() {
		return v.render(http.StatusBadRequest, view.Orders(v.page, list))
	}
	params.Cursor, params.Limit = v.cursor(), new(ordersPerPage)
	var found orders.OrderPage
	var refused error
	var calls errgroup.Group
	calls.Go(func() error {
		r, err := s.orders.ListOrdersWithResponse(v.ctx(), params)
		found, refused = read(r, err)
		return nil
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
		return err
	}
	list.Orders, list.Key = found.Data, view.NewForm().Key
	list.Choices = s.orderChoices(v, found.Data)
	list.Pages = view.NewPager("/orders", v.QueryParams(), found.NextCursor)
	if list.Filter.Customer == "" && len(found.Data) > 0 { // the customer was deleted, and its orders have its name
		list.Filter.Customer = found.Data[0].Customer.Name
	}
	return v.answerList(list.Filter.Form, refused, view.Orders(v.page, list))
}

// orderParams returns the parameters of a filter, whose days are those of the person's time zone. It adds the faults to the filter.
func (s *service) orderParams(v *visit, filter view.OrderFilter) *orders.ListOrdersParams {
	id := func(name string) *int64 {
		if filter.Get(name) == "" {
			return nil
		}
		n, err := parseID(filter.Get(name))
		if err != nil {
			filter.Fault(name, v.page.Text.NotAnID())
		}
		return &n
	}
	from, to := v.day(filter.Form, "from", 0), v.day(filter.Form, "to", 1) // the API excludes the time at the end
	if from != nil && to != nil && !from.Before(*to) {
		filter.Fault("to", v.page.Text.BeforeFrom())
	}
	params := &orders.ListOrdersParams{
		Search: optional(filter.Get("search")), CustomerID: id("customer_id"), ProductID: id("product_id"), From: apiTime(from), To: apiTime(to),
	}
	if status := orders.OrderStatus(filter.Get("status")); status != "" {
		params.Status = &status
		if !status.Valid() {
			filter.Fault("status", v.page.Text.NotAStatus())
		}
	}
	return params
}

// customerName returns the name of a customer, or "" if it was deleted or the role may not see it.
func (s *service) customerName(v *visit, id *int64) (string, error) {
	if id == nil || !v.page.May("getCustomer") {
		return "", nil
	}
	customer, _, err := s.readCustomer(v.ctx(), *id)
	if fault.Is(err, common.CodeCustomerNotFound) {
		return "", nil
	}
	return customer.Name, err
}

// productName returns the name of a product, or "" if there is none or the role may not see it.
func (s *service) productName(v *visit, id *int64) (string, error) {
	if id == nil || !v.page.May("getProduct") {
		return "", nil
	}
	product, _, err := s.readProduct(v, *id)
	if fault.Is(err, common.CodeProductNotFound) {
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
