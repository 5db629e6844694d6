package backoffice

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/oapi-codegen/nullable"
	"golang.org/x/sync/errgroup"

	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/services/backoffice/view"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

func (s *service) customerRoutes() []route {
	return []route{
		{name: "customers", method: http.MethodGet, path: "/customers", needs: []string{"listCustomers"}, handle: s.listCustomers},
		{name: "newCustomer", method: http.MethodGet, path: "/customers/new", needs: []string{"createCustomer"}, handle: s.newCustomer},
		{name: "createCustomer", method: http.MethodPost, path: "/customers/new", needs: []string{"createCustomer"}, handle: s.createCustomer},
		{name: "customer", method: http.MethodGet, path: "/customers/:id", needs: []string{"getCustomer", "listOrders"}, handle: s.customer},
		{name: "editCustomer", method: http.MethodGet, path: "/customers/:id/edit", needs: []string{"getCustomer", "updateCustomer"}, handle: s.editCustomer},
		{name: "updateCustomer", method: http.MethodPost, path: "/customers/:id/edit", needs: []string{"updateCustomer"}, handle: s.updateCustomer},
		{name: "askDeleteCustomer", method: http.MethodGet, path: "/customers/:id/delete", needs: []string{"getCustomer", "deleteCustomer"}, handle: s.askDeleteCustomer},
		{name: "deleteCustomer", method: http.MethodPost, path: "/customers/:id/delete", needs: []string{"deleteCustomer"}, handle: s.deleteCustomer},
	}
}

func (s *service) listCustomers(v *visit) error {
	filter := view.ReadForm(v.QueryParams())
	r, err := s.customers.ListCustomersWithResponse(v.ctx(), &api.ListCustomersParams{Search: optional(filter.Get("search")), Cursor: v.cursor()})
	list, err := read(r, err)
	return v.answerList(filter, err, view.Customers(v.page, filter, list.Data, view.NewPager("/customers", v.QueryParams(), list.NextCursor)))
}

func (s *service) newCustomer(v *visit) error {
	return v.render(http.StatusOK, view.NewCustomer(v.page, view.NewForm()))
}

func (s *service) createCustomer(v *visit) error {
	form, err := readForm(v)
	if err != nil {
		return err
	}
	in := api.CustomerInput{Name: form.Get("name"), Email: form.Get("email"), Phone: optional(form.Get("phone"))}
	r, err := s.customers.CreateCustomerWithResponse(v.ctx(), &api.CreateCustomerParams{IdempotencyKey: &form.Key}, in)
	customer, err := created(r, err)
	if err != nil {
		return v.refuse(form, err, view.NewCustomer(v.page, form))
	}
	return v.redirect(customerPath(customer.ID), view.CustomerCreated)
}

func (s *service) customer(v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	page := view.CustomerPage{Filter: view.ReadForm(v.QueryParams()), Status: orders.OrderStatus(v.QueryParam("status"))}
	params := &orders.ListOrdersParams{CustomerID: &id, Cursor: v.cursor()}
	if page.Status.Valid() {
		params.Status = &page.Status
	}
	var list orders.OrderPage
	var refused error
	var calls errgroup.Group
	calls.Go(func() (err error) {
		page.Customer, _, err = s.readCustomer(v.ctx(), id)
		return err
	})
	calls.Go(func() error {
		r, err := s.orders.ListOrdersWithResponse(v.ctx(), params)
		list, refused = read(r, err)
		return nil
	})
	calls.Go(func() (err error) {
		page.Totals, err = s.customerTotals(v, id)
		return err
	})
	if err := calls.Wait(); err != nil {
		return err
	}
	page.Orders, page.Pages = list.Data, view.NewPager(customerPath(id), v.QueryParams(), list.NextCursor)
	return v.answerList(page.Filter, refused, view.Customer(v.page, page))
}

// ordersInTotals is the maximum number of orders in the totals of a customer, one page of the API.
const ordersInTotals int32 = 100

// customerTotals adds up the newest orders of a customer of the last year.
func (s *service) customerTotals(v *visit, id int64) (view.CustomerTotals, error) {
	from := v.page.Now.AddDate(-1, 0, 0).UTC().Format(time.RFC3339)
	r, err := s.orders.ListOrdersWithResponse(v.ctx(), &orders.ListOrdersParams{CustomerID: &id, From: &from, Limit: new(ordersInTotals)})
	page, err := read(r, err)
	if err != nil {
		return view.CustomerTotals{}, err
	}
	return view.NewCustomerTotals(page.Data, page.NextCursor == nil), nil
}

// readCustomer returns a customer and its ETag.
func (s *service) readCustomer(ctx context.Context, id int64) (customer api.Customer, etag string, err error) {
	r, err := s.customers.GetCustomerWithResponse(ctx, id)
	if customer, err = read(r, err); err != nil {
		return customer, "", err
	}
	return customer, r.HTTPResponse.Header.Get("ETag"), nil
}

func (s *service) editCustomer(v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	customer, etag, err := s.readCustomer(v.ctx(), id)
	if err != nil {
		return err
	}
	form := view.NewForm()
	form.ETag = etag
	form.Values.Set("name", customer.Name)
	form.Values.Set("email", customer.Email)
	form.Values.Set("phone", deref(customer.Phone))
	return v.render(http.StatusOK, view.EditCustomer(v.page, id, form))
}

func (s *service) updateCustomer(v *visit) error {
	id, form, err := v.sent()
	if err != nil {
		return err
	}
	change := api.CustomerChange{Name: new(form.Get("name")), Email: new(form.Get("email"))}
	change.Phone = nullable.NewNullableWithValue(form.Get("phone"))
	r, err := s.customers.UpdateCustomerWithResponse(v.ctx(), id, &api.UpdateCustomerParams{IdempotencyKey: &form.Key, IfMatch: optional(form.ETag)}, change)
	if _, err = read(r, err); err != nil {
		if fault.Is(err, common.CodePreconditionFailed) {
			if err := s.compareCustomer(v, id, form); err != nil {
				return err
			}
		}
		return v.refuse(form, err, view.EditCustomer(v.page, id, form))
	}
	return v.redirect(customerPath(id), view.CustomerChanged)
}

// compareCustomer adds to a form the present values that differ from those typed, for the person to decide. Sent again, the form
// replaces them.
func (s *service) compareCustomer(v *visit, id int64, form *view.Form) error {
	customer, etag, err := s.readCustomer(v.ctx(), id)
	if err != nil {
		return err
	}
	form.ETag = etag
	for field, now := range map[string]string{"name": customer.Name, "email": customer.Email, "phone": deref(customer.Phone)} {
		if form.Get(field) != now {
			form.Fault(field, v.page.Text.Now(now))
		}
	}
	return nil
}

func (s *service) askDeleteCustomer(v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	customer, _, err := s.readCustomer(v.ctx(), id)
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, view.DeleteCustomer(v.page, customer, view.NewForm()))
}

func (s *service) deleteCustomer(v *visit) error {
	id, form, err := v.sent()
	if err != nil {
		return err
	}
	r, err := s.customers.DeleteCustomerWithResponse(v.ctx(), id, &api.DeleteCustomerParams{IdempotencyKey: &form.Key})
	if err := finished(r, err); err != nil {
		return v.refuse(form, err, view.DeleteCustomer(v.page, api.Customer{ID: id, Name: strconv.FormatInt(id, 10)}, form))
	}
	return v.redirect("/customers", view.CustomerDeleted)
}

func customerPath(id int64) string { return fmt.Sprintf("/customers/%d", id) }
