package view

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/services/backoffice/text"
)

// The notices about orders.
const (
	OrderConfirmed Notice = "order-confirmed"
	OrderCanceled  Notice = "order-canceled"
)

func orderNotices(t text.Texts) map[Notice]string {
	return map[Notice]string{OrderConfirmed: t.OrderConfirmed(), OrderCanceled: t.OrderCanceled()}
}

// OrderFilter is the filter of a list of orders. Its fields are those of the URL.
type OrderFilter struct {
	*Form
	Customer, Product string // the names for customer_id and product_id
}

// orderFilterFields returns the names of the fields of an OrderFilter.
func orderFilterFields() []string {
	return []string{"search", "status", "from", "to", "customer_id", "product_id"}
}

// ReadOrderFilter returns the filter in a query.
func ReadOrderFilter(query url.Values) OrderFilter {
	f := OrderFilter{Form: ReadForm(query)}
	for name := range f.Values {
		if f.Get(name) == "" || !slices.Contains(orderFilterFields(), name) {
			f.Values.Del(name)
		}
	}
	return f
}

// URL returns a path with the filter as its query. It leaves out the fields in without.
func (f OrderFilter) URL(path string, without ...string) string {
	query := url.Values{}
	for name := range f.Values {
		if !slices.Contains(without, name) {
			query.Set(name, f.Get(name))
		}
	}
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

// OrderList is the data of the list of orders.
type OrderList struct {
	Filter  OrderFilter
	Orders  []orders.Order
	Choices map[int64]bool // the orders that can be confirmed or canceled
	Key     string         // idempotency key of an action with the selected orders
	Pages   Pager
}

// statuses returns all statuses, in the order in which an order may have them.
func statuses() []orders.OrderStatus {
	return []orders.OrderStatus{orders.StatusCreated, orders.StatusConfirmed, orders.StatusCanceled}
}

// OrderAction is an action with several orders. It is a value of the field "action".
type OrderAction string

// The actions.
const (
	Confirm OrderAction = "confirm"
	Cancel  OrderAction = "cancel"
)

// OrderResult is the result of an action for one of several orders.
type OrderResult struct {
	ID     int64
	Order  *orders.Order      // after the action; nil if the action was refused or is unclear
	Change *orders.OrderEvent // the event that gave the order its status; may be nil
	Own    bool               // whether this action caused Change
	Why    string             // why the action was refused or is unclear

	Unclear bool // whether it is unknown if the action took effect
}

// OrderResults has the results of an action for several orders.
type OrderResults struct {
	Action  OrderAction
	Results []OrderResult
	Form    *Form  // as it was sent
	Back    string // URL of the list
}

// counts returns the number of orders by result: changed by this action, changed before, refused, and unclear.
func (r OrderResults) counts() (changed, before, refused, unclear int) {
	for _, one := range r.Results {
		switch {
		case one.Unclear:
			unclear++
		case one.Order == nil:
			refused++
		case one.Own || one.Change == nil:
			changed++
		default:
			before++
		}
	}
	return changed, before, refused, unclear
}

// summary returns the numbers of counts as a text.
func (r OrderResults) summary(p *Page) string {
	changed, before, refused, unclear := r.counts()
	return p.Text.OrdersDone(r.Action == Confirm, changed, before, refused, unclear)
}

// color returns the class of the note with the summary.
func (r OrderResults) color() string {
	_, _, refused, unclear := r.counts()
	switch {
	case unclear > 0:
		return "wait"
	case refused > 0:
		return "bad"
	}
	return "good"
}

// OrderPage is the data of the page of an order.
type OrderPage struct {
	Order   orders.Order
	ETag    string
	History []orders.OrderEvent // oldest first

	CanCancel bool
	Until     time.Time // when CanCancel ends; zero if it has no end

	Note   string // why a form was refused; may be empty
	Reason string // the typed reason of the form; may be empty
}

// Changed returns a text that says who changed the order last.
func (o OrderPage) Changed(p *Page) string {
	if len(o.History) == 0 {
		return p.Text.OrderOutdated("")
	}
	e := o.History[len(o.History)-1]
	return p.Text.OrderOutdated(p.Text.OrderEventSentence(who(p, e.Caller, e.CallerName), e.To, clock(p, e.CreatedAt.Time)))
}

// form returns a form with a new key that changes the order.
func (o OrderPage) form() *Form {
	f := NewForm()
	f.ETag = o.ETag
	f.Values.Set("reason", o.Reason)
	return f
}

// cancelURL returns the URL of the page that asks for the reason.
func (o OrderPage) cancelURL() templ.SafeURL {
	at := orderURL(o.Order.ID) + "/cancel"
	if o.Reason != "" {
		at += templ.SafeURL("?" + url.Values{"reason": {o.Reason}}.Encode())
	}
	return at
}

// newest returns the history, newest first.
func (o OrderPage) newest() []orders.OrderEvent {
	all := slices.Clone(o.History)
	slices.Reverse(all)
	return all
}

// who returns the name of the caller of a change.
func who(p *Page, caller, name *string) string {
	if name != nil {
		return *name
	}
	return p.Text.Caller(str(caller))
}

// clock returns a time for use in a sentence, without the date if that is today.
func clock(p *Page, t time.Time) string {
	if p.Locale.Date(t) == p.Locale.Date(p.Now) {
		return p.Text.At(p.Locale.Time(t))
	}
	return p.Text.OnAt(p.Locale.Date(t), p.Locale.Time(t))
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
