package backoffice

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/services/backoffice/view"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

const (
	maxSelected    = 100 // orders of an action
	parallelOrders = 4   // orders that an action changes at the same time, so that it leaves room for other requests
)

// askCancelOrders asks for the reason before several orders are canceled.
func (s *service) askCancelOrders(v *visit) error {
	ids, err := orderIDs(v.QueryParams()["id"])
	if err != nil {
		return err
	}
	form := view.NewForm()
	form.Values.Set("list", v.QueryParam("list"))
	form.Values.Set("since", v.QueryParam("since"))
	return s.renderCancelOrders(v, http.StatusOK, ids, form)
}

func (s *service) renderCancelOrders(v *visit, status int, ids []int64, form *view.Form) error {
	if len(ids) == 0 {
		return v.render(http.StatusBadRequest, view.NoneSelected(v.page, listPath(form)))
	}
	list := make([]orders.Order, len(ids))
	err := forEach(ids, func(i int, id int64) error {
		r, err := s.orders.GetOrderWithResponse(v.ctx(), id)
		list[i], err = read(r, err)
		return err
	})
	if err != nil {
		return err
	}
	return v.render(status, view.CancelOrders(v.page, list, form, listPath(form)))
}

// refuseCancelOrders asks for another reason.
func (s *service) refuseCancelOrders(v *visit, ids []int64, form *view.Form, err error) error {
	status, err := refuse(v.page, form, err)
	if err != nil {
		return err
	}
	return s.renderCancelOrders(v, status, ids, form)
}

// changeOrders confirms or cancels several orders, and shows what happened to each. The key of each call is derived from that of the form,
// so that a form that is sent again does nothing twice.
func (s *service) changeOrders(v *visit) error {
	form, err := readForm(v)
	if err != nil {
		return err
	}
	ids, err := orderIDs(form.Values["id"])
	if err != nil {
		return err
	}
	action := view.OrderAction(form.Get("action"))
	switch {
	case form.Key == "":
		return fault.Invalid(common.FieldError{Field: "key", Message: "is required"})
	case action != view.Confirm && action != view.Cancel:
		return fault.Invalid(common.FieldError{Field: "action", Message: fmt.Sprintf("must be one of %s, %s", view.Confirm, view.Cancel)})
	case len(ids) == 0:
		return v.render(http.StatusBadRequest, view.NoneSelected(v.page, listPath(form)))
	case action == view.Cancel && form.Get("reason") == "":
		form.Fault("reason", v.page.Text.Required())
		return s.refuseCancelOrders(v, ids, form, fault.Invalid())
	}
	done := view.OrderResults{Action: action, Results: make([]view.OrderResult, len(ids)), Form: form, Back: listPath(form)}
	err = forEach(ids, func(i int, id int64) (err error) {
		done.Results[i], err = s.changeOrder(v, action, id, form)
		return err
	})
	if fault.Is(err, common.CodeInvalidInput) && action == view.Cancel { // all have the same reason
		return s.refuseCancelOrders(v, ids, form, err)
	}
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, view.ChangedOrders(v.page, done))
}

// changeOrder confirms or cancels one of several orders. It returns an error only if all other orders would have the same.
func (s *service) changeOrder(v *visit, action view.OrderAction, id int64, form *view.Form) (view.OrderResult, error) {
	result := view.OrderResult{ID: id}
	key := strings.Join([]string{form.Key, string(action), decimal(id)}, ".")
	var o orders.Order
	var err error
	if action == view.Confirm {
		r, callErr := s.orders.ConfirmOrderWithResponse(v.ctx(), id, &orders.ConfirmOrderParams{IdempotencyKey: key}, orders.Confirmation{})
		o, err = read(r, callErr)
	} else {
		cancellation := orders.Cancellation{Reason: new(form.Get("reason"))}
		r, callErr := s.orders.CancelOrderWithResponse(v.ctx(), id, &orders.CancelOrderParams{IdempotencyKey: &key}, cancellation)
		o, err = read(r, callErr)
	}
	if err != nil {
		e := fault.From(err)
		switch {
		case e.Code == common.CodeUnauthorized, e.Code == common.CodeForbidden, e.Code == common.CodeInvalidInput:
			return result, err
		case unclear(e):
			v.warn(err)
			result.Unclear, result.Why = true, v.page.Text.Unclear(e.Code, v.page.Locale.Age(e.RetryAfter))
		default:
			result.Why = v.page.Text.Problem(e.Code, e.Message)
		}
		return result, nil
	}
	result.Order = &o
	history, err := s.orderHistory(v, id)
	if err != nil {
		v.warn(err)
		return result, nil //nolint:nilerr // the action has taken effect, although it is not known who made the change
	}
	since, _ := time.Parse(time.RFC3339, form.Get("since")) // when the list was shown; earlier changes are not those of this form
	for _, e := range history {
		if e.To == o.Status {
			result.Change, result.Own = &e, deref(e.Caller) == v.me.Caller && !e.CreatedAt.Before(since)
		}
	}
	return result, nil
}

// forEach calls f for each order, several at a time. It returns the first error, after it has called f for all.
func forEach(ids []int64, f func(i int, id int64) error) error {
	var calls errgroup.Group
	calls.SetLimit(parallelOrders)
	for i, id := range ids {
		calls.Go(func() error { return f(i, id) })
	}
	return calls.Wait()
}

// orderIDs reads the ids of selected orders, each once.
func orderIDs(values []string) (ids []int64, err error) {
	for _, value := range values {
		id, err := parseID(value)
		switch {
		case err != nil:
			return nil, fault.Invalid(common.FieldError{Field: "id", Message: "must be the number of an order"})
		case slices.Contains(ids, id):
			continue
		case len(ids) == maxSelected:
			return nil, fault.Invalid(common.FieldError{Field: "id", Message: fmt.Sprintf("must have at most %d items", maxSelected)})
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// listPath returns the list from which the orders of a form were selected.
func listPath(form *view.Form) string {
	if at := localPath(form.Get("list")); at == "/orders" || strings.HasPrefix(at, "/orders?") {
		return at
	}
	return "/orders"
}
