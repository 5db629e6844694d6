package text

func (english) Customer() string        { return "Customer" }
func (english) NewCustomer() string     { return "New customer" }
func (english) EditCustomer() string    { return "Edit customer" }
func (english) CreateCustomer() string  { return "Create customer" }
func (english) CustomerCreated() string { return "Customer created." }
func (english) CustomerDeleted() string { return "Customer deleted. Its orders remain." }
func (english) DeleteCustomer() string  { return "Delete customer" }
func (english) DeleteCustomerHint(name string) string {
	return name + " can't place orders any more and leaves the list. Its orders remain, and its e-mail address becomes available. This can't be undone."
}
func (english) SearchCustomers() string { return "Name or e-mail" }
func (english) NoCustomers() string     { return "No customers yet" }
func (english) NoCustomersHint() string {
	return "Orders are placed for customers. Create the first one to begin."
}
func (english) NoMatch() string     { return "Nothing matches" }
func (english) NoMatchHint() string { return "Try a shorter text, or clear the search." }
func (english) MoreToSearch() string {
	return "No match up to here. The search continues on the next page."
}
func (english) Name() string  { return "Name" }
func (english) Email() string { return "E-mail" }
func (english) Phone() string { return "Phone" }
func (english) Since() string { return "Customer since" }

func (english) OrdersOfYear() string { return "orders in the last 12 months, without canceled ones" }
func (english) OrdersOfNewest(n string) string {
	return "of the newest " + n + " orders, without canceled ones"
}
func (english) TheirTotal() string       { return "their total" }
func (english) OfThemToConfirm() string  { return "of them to confirm" }
func (english) LastOfThem() string       { return "the last of them" }
func (english) NoCustomerOrders() string { return "No orders yet" }
func (english) NoCustomerOrdersHint() string {
	return "The orders of this customer are listed here, newest first."
}
func (english) NoOrderWithStatus() string { return "This customer has no order with this status." }
