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

	InTwelveMonths() string
	SinceDay(day string) string
	OrderedValue() string
	OrdersNotCanceled() string
	LastOrder() string
	NoCustomerOrders() string
	NoCustomerOrdersHint() string
	NoOrderWithStatus() string
}
