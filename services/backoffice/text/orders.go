package text

import (
	"slices"
	"strings"

	"github.com/pedidos-hq/pedidos/gen/orders"
)

// OrdersTexts has the texts about the lists and pages of orders.
type OrdersTexts interface {
	OrderNumber() string
	OrderStatus() string
	OrderStatusName(status orders.OrderStatus) string
	OrderPlaced() string
	OrderTotal() string
	OrderProduct() string
	SelectOrder(id int64) string
	SelectAllOrders() string

	SearchOrders() string
	AnyStatus() string
	OrdersFrom() string
	OrdersTo() string
	NotADay() string
	NotAnID() string
	NotAStatus() string
	BeforeFrom() string
	WrongFilter() string
	AddOrder() string
	NoOrders() string
	NoOrdersHint() string

	WithSelected() string
	Confirm() string
	NoneSelected() string
	NoneSelectedHint() string
	BackToOrders() string
	CancelSelected(n int) string

	// OrdersDoneTitle and OrdersDone say what an action did with several orders. It confirmed them or, if confirm is false, canceled
	// them. The numbers are the orders that it changed, that had been changed before, that it could not change, and that may have changed.
	OrdersDoneTitle(confirm bool) string
	OrdersDone(confirm bool, changed, before, refused, unclear int) string
	OrderResult() string
	OrderDetail() string
	AlreadyDone(status orders.OrderStatus) string
	ResultRefused() string
	ResultUnclear() string
	RetryUnclear(n int) string
	RetryHint() string

	OrderTitle(id int64) string
	PlacedAt(when string) string
	OrderConfirmed() string
	OrderCanceled() string
	OrderAgain() string
	Print() string
	Printed(by, when string) string
	LineSKU() string
	LineUnits() string
	LinePrice() string
	LineSubtotal() string
	CustomerAsItWas() string

	CancelOrder() string
	CancelOrderTitle(id int64) string
	CancelHint() string
	CancelUntil(time string) string
	Reason() string
	ReasonHint() string
	UsualReasons() []string

	OrderHistory() string
	NoHistory() string

	// OrderEvent says who gave an order its status, and OrderEventSentence also when. When is what At or OnAt returns.
	OrderEvent(to orders.OrderStatus, who string) string
	OrderEventSentence(who string, to orders.OrderStatus, when string) string
	At(time string) string
	OnAt(day, time string) string

	// OrderReason translates the reason of a cancellation, if the system gave it. It returns what a person typed as it is.
	OrderReason(reason string) string

	// Caller returns a name for a caller of the APIs, such as "user:ana", whose own name is unknown.
	Caller(caller string) string

	// OrderOutdated says that an order has changed since the page was opened. Change is a sentence, or empty.
	OrderOutdated(change string) string

	Export() string
	ExportHint() string
	ExportName() string
	ExportIncomplete() string

	// ExportColumns returns the titles of the columns: number, placed, status, confirmed, canceled, reason, customer number, customer,
	// e-mail, SKU, product, units, price, subtotal. Times are in the zone.
	ExportColumns(zone string) []string
}

// join joins sentences, of which some may be empty.
func join(sentences ...string) string {
	return strings.Join(slices.DeleteFunc(sentences, func(s string) bool { return s == "" }), " ")
}
