package view

import (
	"net/url"
	"time"

	"github.com/a-h/templ"

	api "github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/services/backoffice/text"
)

// The notices about customers.
const (
	CustomerCreated Notice = "customer-created"
	CustomerChanged Notice = "customer-changed"
	CustomerDeleted Notice = "customer-deleted"
)

func customerNotices(t text.Texts) map[Notice]string {
	return map[Notice]string{CustomerCreated: t.CustomerCreated(), CustomerChanged: t.Saved(), CustomerDeleted: t.CustomerDeleted()}
}

// CustomerPage is the data of the page of a customer.
type CustomerPage struct {
	Customer api.Customer
	Totals   CustomerTotals
	Filter   *Form // of the orders
	Orders   []orders.Order
	Status   orders.OrderStatus // of the listed orders; all if it is not valid
	Pages    Pager
}

// CustomerTotals adds up the newest orders of a customer that are not canceled.
type CustomerTotals struct {
	Newest    int // number of newest orders that the totals are limited to; 0 if they include all of the last 12 months
	Orders    int64
	ToConfirm int64
	Cents     int64
	Last      time.Time // when the newest was placed; zero without orders
}

// NewCustomerTotals adds up orders, which are newest first. All says whether they include all orders of the last 12 months.
func NewCustomerTotals(list []orders.Order, all bool) (t CustomerTotals) {
	if !all {
		t.Newest = len(list)
	}
	for _, o := range list {
		if o.Status == orders.StatusCanceled {
			continue
		}
		if t.Orders == 0 {
			t.Last = o.CreatedAt.Time
		}
		if o.Status == orders.StatusCreated {
			t.ToConfirm++
		}
		t.Orders++
		t.Cents += o.TotalCents
	}
	return t
}

// newOrderURL returns the URL of a new order for a customer.
func newOrderURL(customer int64) templ.SafeURL {
	return templ.SafeURL("/orders/new?" + url.Values{"customer": {decimal(customer)}}.Encode())
}

// toConfirmURL returns the URL of the page of a customer with the orders to confirm.
func toConfirmURL(customer int64) templ.SafeURL {
	return customerURL(customer) + templ.SafeURL("?"+url.Values{"status": {string(orders.StatusCreated)}}.Encode())
}
