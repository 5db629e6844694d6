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

// OrderFilter is the filter of a list of orders, as it is in the URL, and what is wrong with it.
type OrderFilter struct {
	*Form
	Customer, Product string // names, if the filter has their ids
}

// orderFilterFields returns the fields of an OrderFilter, which are the parameters of the query.
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

// URL returns the URL of the page at a path with the filter, except some of its fields.
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

// wrong returns what is wrong with the filter, by the label of the field.
func (f OrderFilter) wrong(p *Page) (all []labeled) {
	for name, fault := range f.Faults {
		label := name
		switch name {
		case "search":
			label = p.Text.Search()
		case "status":
			label = p.Text.OrderStatus()
		case "from":
			label = p.Text.OrdersFrom()
		case "to":
			label = p.Text.OrdersTo()
		case "customer_id":
			label = p.Text.Customer()
		case "product_id":
			label = p.Text.OrderProduct()
		}
		all = append(all, labeled{label, fault})
	}
	slices.SortFunc(all, func(a, b labeled) int { return slices.Compare([]string{a.label}, []string{b.label}) })
	return all
}

type labeled struct{ label, text string }

// OrderList is what the list of orders shows.
type OrderList struct {
	Filter  OrderFilter
	Orders  []orders.Order
	Choices map[int64]bool // the orders that can be confirmed or canceled
	Key     string         // idempotency key of what is done with those selected
	Pages   Pager
}

// statuses returns the statuses in the order of an order's life.
func statuses() []orders.OrderStatus {
	return []orders.OrderStatus{orders.StatusCreated, orders.StatusConfirmed, orders.StatusCanceled}
}

// OrderAction is what can be done with several orders at once.
type OrderAction string

// The actions. They are in the forms.
const (
	Confirm OrderAction = "confirm"
	Cancel  OrderAction = "cancel"
)

// OrderResult is what an action did with one of several orders.
type OrderResult struct {
	ID     int64
	Order  *orders.Order      // after the action; nil if it was refused or is unclear
	Change *orders.OrderEvent // that gave the order its status; nil if it is not known
	Own    bool               // whether the person of the page made the change
	Why    string             // why it was refused or is unclear

	Unclear bool // it is not known whether the action took effect
}

// OrderResults is what an action did with each of several orders.
type OrderResults struct {
	Action  OrderAction
	Results []OrderResult
	Form    *Form // as it was sent; sent again, it does nothing twice
	Back    string
}

// counts returns the numbers of orders that were changed, had been changed before, were refused, and are unclear.
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

// summary says what happened, in numbers.
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

// OrderPage is what the page of an order shows.
type OrderPage struct {
	Order   orders.Order
	ETag    string
	History []orders.OrderEvent // oldest first

	CanCancel bool
	Until     time.Time // of a confirmed order: when it can't be canceled any more; zero if it can't, or if there is no limit

	Note   string // why a form was refused; may be empty
	Reason string // that was typed in the form
}

// Changed says who has changed an order since the page was opened.
func (o OrderPage) Changed(p *Page) string {
	if len(o.History) == 0 {
		return p.Text.OrderOutdated("")
	}
	e := o.History[len(o.History)-1]
	return p.Text.OrderOutdated(p.Text.OrderEventSentence(who(p, e), e.To, clock(p, e.CreatedAt.Time)))
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

// who names the caller who changed an order.
func who(p *Page, e orders.OrderEvent) string {
	if e.CallerName != nil {
		return *e.CallerName
	}
	return p.Text.Caller(str(e.Caller))
}

// clock says when something happened, in a sentence: only the time if it was today.
func clock(p *Page, t time.Time) string {
	if p.Locale.Date(t) == p.Locale.Date(p.Now) {
		return p.Text.At(p.Locale.Time(t))
	}
	return p.Text.OnAt(p.Locale.Date(t), p.Locale.Time(t))
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
