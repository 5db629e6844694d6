package text

import (
	"fmt"
	"strings"

	"github.com/pedidos-hq/pedidos/gen/orders"
)

func (english) OrderNumber() string  { return "Order" }
func (english) OrderStatus() string  { return "Status" }
func (english) OrderPlaced() string  { return "Placed" }
func (english) OrderTotal() string   { return "Total" }
func (english) OrderProduct() string { return "Product" }

func (english) OrderStatusName(status orders.OrderStatus) string {
	switch status {
	case orders.StatusCreated:
		return "To confirm"
	case orders.StatusConfirmed:
		return "Confirmed"
	case orders.StatusCanceled:
		return "Canceled"
	}
	return string(status)
}

func (english) SelectOrder(id int64) string { return fmt.Sprintf("Select order %d", id) }
func (english) SelectAllOrders() string     { return "Select all" }

func (english) SearchOrders() string { return "Order number, SKU or customer" }
func (english) AnyStatus() string    { return "All" }
func (english) OrdersFrom() string   { return "From" }
func (english) OrdersTo() string     { return "To" }
func (english) NotADay() string {
	return "This is not a day. Type it as 2026-01-31, before the year 9999."
}
func (english) NotAnID() string     { return "This is not a valid number." }
func (english) NotAStatus() string  { return "There is no such status." }
func (english) BeforeFrom() string  { return "This is before the first day." }
func (english) WrongFilter() string { return "This filter is not valid" }
func (english) AddOrder() string    { return "New order" }
func (english) NoOrders() string    { return "No orders yet" }
func (english) NoOrdersHint() string {
	return "Orders are listed here as they are placed, newest first."
}

func (english) WithSelected() string { return "With the selected:" }
func (english) Confirm() string      { return "Confirm" }
func (english) NoneSelected() string { return "No order was selected" }
func (english) NoneSelectedHint() string {
	return "Nothing was changed. Check the boxes left of the orders, and press the button again."
}
func (english) BackToOrders() string { return "Back to the orders" }
func (english) CancelSelected(n int) string {
	if n == 1 {
		return "Cancel 1 order"
	}
	return fmt.Sprintf("Cancel %d orders", n)
}

func (english) OrdersDoneTitle(confirm bool) string {
	if confirm {
		return "Confirm orders"
	}
	return "Cancel orders"
}

func (english) OrdersDone(confirm bool, changed, before, refused, unclear int) string {
	done := "canceled"
	if confirm {
		done = "confirmed"
	}
	var parts []string
	for _, part := range []struct {
		n    int
		text string
	}{{changed, done}, {before, "already " + done}, {refused, "refused, nothing changed"}, {unclear, "without an answer"}} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.text))
		}
	}
	return strings.Join(parts, " · ")
}

func (english) OrderResult() string { return "Result" }
func (english) OrderDetail() string { return "What happened" }

func (e english) AlreadyDone(status orders.OrderStatus) string {
	return "Already " + strings.ToLower(e.OrderStatusName(status))
}
func (english) ResultRefused() string { return "Refused" }
func (english) ResultUnclear() string { return "No answer" }
func (english) RetryUnclear(n int) string {
	if n == 1 {
		return "Send 1 order again"
	}
	return fmt.Sprintf("Send %d orders again", n)
}
func (english) RetryHint() string { return "It takes effect only once." }

func (english) OrderTitle(id int64) string  { return fmt.Sprintf("Order %d", id) }
func (english) PlacedAt(when string) string { return "Placed on " + when }
func (english) OrderConfirmed() string      { return "Order confirmed." }
func (english) OrderCanceled() string {
	return "Order canceled. Its units are back in stock."
}
func (english) OrderAgain() string             { return "Order again" }
func (english) Print() string                  { return "Print" }
func (english) Printed(by, when string) string { return "Printed by " + by + ", " + when }
func (english) LineSKU() string                { return "SKU" }
func (english) LineUnits() string              { return "Units" }
func (english) LinePrice() string              { return "Price" }
func (english) LineSubtotal() string           { return "Subtotal" }
func (english) CustomerAsItWas() string        { return "As it was when the order was placed." }

func (english) CancelOrder() string              { return "Cancel order" }
func (english) CancelOrderTitle(id int64) string { return fmt.Sprintf("Cancel order %d", id) }
func (english) CancelHint() string {
	return "The units go back to stock. A canceled order can't be confirmed any more."
}
func (english) CancelUntil(time string) string { return "can be canceled until " + time }
func (english) Reason() string                 { return "Reason" }
func (english) ReasonHint() string             { return "It stays in the history of the order." }
func (english) UsualReasons() []string {
	return []string{"The customer changed their mind", "Placed by mistake", "Placed twice", "Can't be delivered"}
}

func (english) OrderHistory() string { return "History" }
func (english) NoHistory() string    { return "This order is older than the history." }

func (english) OrderEvent(to orders.OrderStatus, who string) string {
	what := string(to)
	switch to {
	case orders.StatusCreated:
		what = "Placed"
	case orders.StatusConfirmed:
		what = "Confirmed"
	case orders.StatusCanceled:
		what = "Canceled"
	}
	if who == "" {
		return what
	}
	return what + " by " + who
}

func (english) OrderEventSentence(who string, to orders.OrderStatus, when string) string {
	what := "changed"
	switch to {
	case orders.StatusCreated:
		what = "placed"
	case orders.StatusConfirmed:
		what = "confirmed"
	case orders.StatusCanceled:
		what = "canceled"
	}
	if who == "" {
		return "It was " + what + " " + when + "."
	}
	return who + " " + what + " it " + when + "."
}
func (english) At(time string) string        { return "at " + time }
func (english) OnAt(day, time string) string { return "on " + day + " at " + time }

func (english) OrderReason(reason string) string { return reason }

func (english) Caller(caller string) string {
	kind, name, _ := strings.Cut(caller, ":")
	switch kind {
	case "user":
		return name
	case "integrator":
		return "integrator " + name
	case "service":
		return "another service"
	case "anonymous":
		return "somebody without a login"
	case "sweeper":
		return "the system"
	case "seed":
		return "the sample data"
	case "start":
		return "the start of the program"
	case "command":
		return "the command line"
	}
	return caller
}

func (english) OrderOutdated(change string) string {
	return join("This order has changed since you opened it.", change, "Your change was not saved. Below is the order as it is now.")
}

func (english) Export() string { return "Export CSV" }
func (english) ExportHint() string {
	return "All orders of the filter, for a spreadsheet. Each row is a line of an order."
}
func (english) ExportName() string { return "orders" }
func (english) ExportIncomplete() string {
	return "INCOMPLETE: the export stopped here because of an error. Export again."
}

func (english) ExportColumns(zone string) []string {
	return []string{
		"Order", "Placed (" + zone + ")", "Status", "Confirmed (" + zone + ")", "Canceled (" + zone + ")", "Reason",
		"Customer number", "Customer", "E-mail", "SKU", "Product", "Units", "Price", "Subtotal",
	}
}
