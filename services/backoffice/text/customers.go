package text

// CustomersTexts has the texts about customers.
type CustomersTexts interface {
	Customer() string
	NewCustomer() string
	EditCustomer() string
	CreateCustomer() string
	CustomerCreated() string
	CustomerDeleted() string
	DeleteCustomer() string
	DeleteCustomerHint(name string) string
	SearchCustomers() string
	NoCustomers() string
	NoCustomersHint() string
	NoMatch() string
	NoMatchHint() string
	MoreToSearch() string
	Name() string
	Email() string
	Phone() string
	Since() string

	// The totals of a customer: the number of orders, their total, how many of them are to confirm, and when the last was placed.
	OrdersOfYear() string
	OrdersOfNewest(n string) string
	TheirTotal() string
	OfThemToConfirm() string
	LastOfThem() string
	NoCustomerOrders() string
	NoCustomerOrdersHint() string
	NoOrderWithStatus() string
}
