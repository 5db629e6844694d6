package backoffice

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/a-h/templ"
	"golang.org/x/sync/errgroup"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/services/backoffice/view"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

func (s *service) orderRoutes() []route {
	return []route{
		{name: "orders", method: http.MethodGet, path: "/orders", needs: []string{"listOrders"}, handle: s.listOrders},
		{name: "exportOrders", method: http.MethodGet, path: "/orders.csv", needs: []string{"listOrders"}, handle: s.exportOrders, long: true},
		{name: "askCancelOrders", method: http.MethodGet, path: "/orders/cancel", needs: []string{"getOrder", "cancelOrder"}, handle: s.askCancelOrders},
		{name: "changeOrders", method: http.MethodPost, path: "/orders/actions", needs: []string{"confirmOrder", "cancelOrder"}, handle: s.changeOrders},
		{name: "order", method: http.MethodGet, path: "/orders/:id", needs: []string{"getOrder", "listOrderHistory"}, handle: s.order},
		{name: "confirmOrder", method: http.MethodPost, path: "/orders/:id/confirm", needs: []string{"confirmOrder"}, handle: s.confirmOrder},
		{name: "askCancelOrder", method: http.MethodGet, path: "/orders/:id/cancel", needs: []string{"getOrder", "cancelOrder"}, handle: s.askCancelOrder},
		{name: "cancelOrder", method: http.MethodPost, path: "/orders/:id/cancel", needs: []string{"cancelOrder"}, handle: s.cancelOrder},
	}
}

func (s *service) order(v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	page, err := s.readOrder(v, id)
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, view.Order(v.page, page))
}

func (s *service) confirmOrder(v *visit) error {
	id, form, err := v.sent()
	if err != nil {
		return err
	}
	r, err := s.orders.ConfirmOrderWithResponse(v.ctx(), id, &orders.ConfirmOrderParams{IdempotencyKey: form.Key, IfMatch: optional(form.ETag)}, orders.Confirmation{})
	if _, err := read(r, err); err != nil {
		return s.refuseOrder(v, id, form, err, view.ConfirmOrder(v.page, id, form))
	}
	return v.redirect(orderPath(id), view.OrderConfirmed)
}

func (s *service) askCancelOrder(v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	page, err := s.readOrder(v, id)
	if err != nil {
		return err
	}
	if !page.CanCancel {
		return v.Redirect(http.StatusSeeOther, orderPath(id))
	}
	form := view.NewForm()
	form.ETag = page.ETag
	form.Values.Set("reason", v.QueryParam("reason"))
	return v.render(http.StatusOK, view.CancelOrder(v.page, id, page.Until, form))
}

func (s *service) cancelOrder(v *visit) error {
	id, form, err := v.sent()
	if err != nil {
		return err
	}
	again := view.CancelOrder(v.page, id, time.Time{}, form)
	reason := form.Get("reason")
	if reason == "" {
		form.Fault("reason", v.page.Text.Required())
		return v.refuse(form, fault.Invalid(), again)
	}
	params := &orders.CancelOrderParams{IdempotencyKey: &form.Key, IfMatch: optional(form.ETag)}
	r, err := s.orders.CancelOrderWithResponse(v.ctx(), id, params, orders.Cancellation{Reason: &reason})
	if _, err := read(r, err); err != nil {
		return s.refuseOrder(v, id, form, err, again)
	}
	return v.redirect(orderPath(id), view.OrderCanceled)
}

// refuseOrder answers a refused form that changes an order. It shows the form again if the person can correct it or should send it again,
// and otherwise the order as it is now.
func (s *service) refuseOrder(v *visit, id int64, form *view.Form, err error, again templ.Component) error {
	if e := fault.From(err); unclear(e) || e.Code == common.CodeInvalidInput {
		return v.refuse(form, err, again)
	}
	status, why := refuse(v.page, form, err)
	if why != nil {
		return why
	}
	page, readErr := s.readOrder(v, id)
	if readErr != nil {
		return readErr
	}
	page.Note, page.Reason = form.Note, form.Get("reason")
	if fault.Is(err, common.CodePreconditionFailed) {
		page.Note = page.Changed(v.page)
	}
	return v.render(status, view.Order(v.page, page))
}

// readOrder returns the data of the page of an order.
func (s *service) readOrder(v *visit, id int64) (page view.OrderPage, err error) {
	var calls errgroup.Group
	calls.Go(func() (err error) {
		r, err := s.orders.GetOrderWithResponse(v.ctx(), id)
		if page.Order, err = read(r, err); err == nil {
			page.ETag = r.HTTPResponse.Header.Get("ETag")
		}
		return err
	})
	calls.Go(func() (err error) {
		page.History, err = s.orderHistory(v, id)
		return err
	})
	if err := calls.Wait(); err != nil {
		return page, err
	}
	page.CanCancel = s.cancelable(page.Order)
	if page.CanCancel && page.Order.ConfirmedAt != nil {
		page.Until = page.Order.ConfirmedAt.Add(s.cancelWindow)
	}
	return page, nil
}

// orderHistory returns the history of an order, oldest first. One page has all of it, because an order has each status at most once.
func (s *service) orderHistory(v *visit, id int64) ([]orders.OrderEvent, error) {
	r, err := s.orders.ListOrderHistoryWithResponse(v.ctx(), id, &orders.ListOrderHistoryParams{})
	history, err := read(r, err)
	return history.Data, err
}

// cancelable reports whether an order can be canceled now. It is for showing the button; orders-api decides.
func (s *service) cancelable(o orders.Order) bool {
	switch o.Status {
	case orders.StatusCreated:
		return true
	case orders.StatusConfirmed:
		return o.ConfirmedAt != nil && s.now().Before(o.ConfirmedAt.Add(s.cancelWindow))
	}
	return false
}

func orderPath(id int64) string { return fmt.Sprintf("/orders/%d", id) }

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
