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

	// These label the totals of a customer: the orders, their total, those to confirm, and the time of the last one.
	OrdersOfYear() string
	OrdersOfNewest(n string) string
	TheirTotal() string
	OfThemToConfirm() string
	LastOfThem() string
	NoCustomerOrders() string
	NoCustomerOrdersHint() string
	NoOrderWithStatus() string
}
