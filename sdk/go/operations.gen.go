// Code generated from the contracts by tools/generate. DO NOT EDIT.

package pedidos

var (
	cancelOrder           = operation{service: orders, method: "POST", path: "/orders/%d/cancel", keyed: true}
	changePassword        = operation{service: customers, method: "POST", path: "/auth/password"}
	confirmOrder          = operation{service: orders, method: "POST", path: "/orders/%d/confirm", keyed: true}
	createAndConfirmOrder = operation{service: orchestrator, method: "POST", path: "/orchestrator/create-and-confirm-order"}
	createCustomer        = operation{service: customers, method: "POST", path: "/customers", keyed: true}
	createIntegrator      = operation{service: customers, method: "POST", path: "/integrators", keyed: true}
	createKey             = operation{service: customers, method: "POST", path: "/integrators/%d/keys", keyed: true}
	createOrder           = operation{service: orders, method: "POST", path: "/orders", keyed: true}
	createProduct         = operation{service: orders, method: "POST", path: "/products", keyed: true}
	createUser            = operation{service: customers, method: "POST", path: "/users", keyed: true}
	deleteCustomer        = operation{service: customers, method: "DELETE", path: "/customers/%d", keyed: true}
	endSession            = operation{service: customers, method: "DELETE", path: "/auth/sessions/%d"}
	getCustomer           = operation{service: customers, method: "GET", path: "/customers/%d"}
	getIntegrator         = operation{service: customers, method: "GET", path: "/integrators/%d"}
	getMe                 = operation{service: customers, method: "GET", path: "/auth/me"}
	getOrder              = operation{service: orders, method: "GET", path: "/orders/%d"}
	getProduct            = operation{service: orders, method: "GET", path: "/products/%d"}
	getUser               = operation{service: customers, method: "GET", path: "/users/%d"}
	listAudit             = operation{service: customers, method: "GET", path: "/audit"}
	listCustomers         = operation{service: customers, method: "GET", path: "/customers"}
	listIntegrators       = operation{service: customers, method: "GET", path: "/integrators"}
	listKeys              = operation{service: customers, method: "GET", path: "/integrators/%d/keys"}
	listOrderHistory      = operation{service: orders, method: "GET", path: "/orders/%d/history"}
	listOrders            = operation{service: orders, method: "GET", path: "/orders"}
	listProducts          = operation{service: orders, method: "GET", path: "/products"}
	listSessions          = operation{service: customers, method: "GET", path: "/auth/sessions"}
	listStockMovements    = operation{service: orders, method: "GET", path: "/products/%d/stock-movements"}
	listUsers             = operation{service: customers, method: "GET", path: "/users"}
	login                 = operation{service: customers, method: "POST", path: "/auth/login", open: true}
	reportOrders          = operation{service: orders, method: "GET", path: "/reports/orders"}
	reportSales           = operation{service: orders, method: "GET", path: "/reports/sales"}
	reportStock           = operation{service: orders, method: "GET", path: "/reports/stock"}
	resetUser             = operation{service: customers, method: "POST", path: "/users/%d/reset", keyed: true}
	revokeKey             = operation{service: customers, method: "DELETE", path: "/integrators/%d/keys/%d", keyed: true}
	setPassword           = operation{service: customers, method: "POST", path: "/auth/setup", open: true}
	updateCustomer        = operation{service: customers, method: "PATCH", path: "/customers/%d", keyed: true}
	updateIntegrator      = operation{service: customers, method: "PATCH", path: "/integrators/%d", keyed: true}
	updateProduct         = operation{service: orders, method: "PATCH", path: "/products/%d", keyed: true}
	updateUser            = operation{service: customers, method: "PATCH", path: "/users/%d", keyed: true}
)
