package text

import "fmt"

func (english) HomeToConfirm() string { return "to confirm" }
func (english) HomeOldest(age string) string {
	if age == "" {
		return "just placed"
	}
	return "oldest " + age
}
func (english) HomeToday() string { return "placed today" }
func (english) HomeOrders(n int64, written string) string {
	return counted(n, written, "order", "orders")
}
func (english) HomeUnits(n int64, written string) string { return counted(n, written, "unit", "units") }
func (english) HomeLow() string                          { return "low in stock" }
func (english) HomeOut(products string) string           { return products + " out of stock" }
func (english) HomeStockValue() string                   { return "value of the stock" }
func (english) HomeMissing() string                      { return "can't be read right now" }
func (english) HomeAll() string                          { return "Show all" }

func (english) HomeWaiting() string      { return "Waiting longest to be confirmed" }
func (english) HomeOrder() string        { return "Order" }
func (english) HomeWaitsFor() string     { return "Waiting for" }
func (english) HomeNothingWaits() string { return "Nothing to confirm" }
func (english) HomeNothingWaitsHint() string {
	return "New orders wait here until someone confirms them."
}
func (english) HomeLowTitle() string { return "Low in stock" }
func (english) HomeOfLevel(level string) string {
	return "level " + level
}
func (english) HomeNothingLow() string { return "Nothing is low" }
func (english) HomeNothingLowHint() string {
	return "Products with less stock than their reorder level are listed here."
}

func (english) HomeChart(days int) string { return fmt.Sprintf("Placed in the last %d days", days) }
func (english) HomeChartDesc(value, orders string) string {
	return fmt.Sprintf("%s in %s, one bar per day. The numbers are in the table beneath.", value, orders)
}
func (english) HomeNumbers() string { return "Numbers" }
func (english) HomeDay() string     { return "Day" }
func (english) HomeValue() string   { return "Value" }

func (english) HomeFirst() string         { return "There are no orders yet" }
func (english) HomeFirstHint() string     { return "Three steps to the first one:" }
func (english) HomeFirstProduct() string  { return "Create a product" }
func (english) HomeFirstCustomer() string { return "Create a customer" }
func (english) HomeFirstOrder() string    { return "Place an order" }
func (english) HomeDone() string          { return "Done" }
func (english) HomeNotYourRole() string   { return "(needs another role)" }
