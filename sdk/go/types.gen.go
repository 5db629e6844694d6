// Code generated from the contracts by tools/generate. DO NOT EDIT.

package pedidos

import (
	"time"
)

// Defines values for MeKind.
const (
	KindIntegrator MeKind = "integrator"
	KindUser       MeKind = "user"
)

// Defines values for OrderStatus.
const (
	StatusCanceled  OrderStatus = "CANCELED"
	StatusConfirmed OrderStatus = "CONFIRMED"
	StatusCreated   OrderStatus = "CREATED"
)

// Defines values for ProblemCode.
const (
	CodeBodyTooLarge            ProblemCode = "body_too_large"
	CodeCancelWindowOver        ProblemCode = "cancel_window_over"
	CodeCustomerNotFound        ProblemCode = "customer_not_found"
	CodeCustomersUnavailable    ProblemCode = "customers_unavailable"
	CodeEmailTaken              ProblemCode = "email_taken"
	CodeExpectationFailed       ProblemCode = "expectation_failed"
	CodeForbidden               ProblemCode = "forbidden"
	CodeHTTPVersionNotSupported ProblemCode = "http_version_not_supported"
	CodeHeadersTooLarge         ProblemCode = "headers_too_large"
	CodeIdempotencyKeyReused    ProblemCode = "idempotency_key_reused"
	CodeInsufficientStock       ProblemCode = "insufficient_stock"
	CodeIntegratorNameTaken     ProblemCode = "integrator_name_taken"
	CodeIntegratorNotFound      ProblemCode = "integrator_not_found"
	CodeInternal                ProblemCode = "internal"
	CodeInvalidCredentials      ProblemCode = "invalid_credentials"
	CodeInvalidInput            ProblemCode = "invalid_input"
	CodeKeyNotFound             ProblemCode = "key_not_found"
	CodeLastAdmin               ProblemCode = "last_admin"
	CodeMethodNotAllowed        ProblemCode = "method_not_allowed"
	CodeMisdirectedRequest      ProblemCode = "misdirected_request"
	CodeNotFound                ProblemCode = "not_found"
	CodeNotImplemented          ProblemCode = "not_implemented"
	CodeOrderCanceled           ProblemCode = "order_canceled"
	CodeOrderNotFound           ProblemCode = "order_not_found"
	CodeOrdersUnavailable       ProblemCode = "orders_unavailable"
	CodePreconditionFailed      ProblemCode = "precondition_failed"
	CodeProductArchived         ProblemCode = "product_archived"
	CodeProductNotFound         ProblemCode = "product_not_found"
	CodeRequestInProgress       ProblemCode = "request_in_progress"
	CodeSKUTaken                ProblemCode = "sku_taken"
	CodeSessionNotFound         ProblemCode = "session_not_found"
	CodeTooManyRequests         ProblemCode = "too_many_requests"
	CodeTotalTooLarge           ProblemCode = "total_too_large"
	CodeUnauthorized            ProblemCode = "unauthorized"
	CodeUnavailable             ProblemCode = "unavailable"
	CodeUnsupportedMediaType    ProblemCode = "unsupported_media_type"
	CodeUserNotFound            ProblemCode = "user_not_found"
	CodeUsernameTaken           ProblemCode = "username_taken"
)

// Defines values for ProductFilterArchived.
const (
	ArchivedExclude ProductFilterArchived = "exclude"
	ArchivedInclude ProductFilterArchived = "include"
	ArchivedOnly    ProductFilterArchived = "only"
)

// Defines values for Role.
const (
	RoleAdmin    Role = "admin"
	RoleManager  Role = "manager"
	RoleOperator Role = "operator"
	RoleViewer   Role = "viewer"
)

// Defines values for SalesQueryBy.
const (
	SalesByCustomer SalesQueryBy = "customer"
	SalesByDay      SalesQueryBy = "day"
	SalesByProduct  SalesQueryBy = "product"
)

// Defines values for State.
const (
	StateActive   State = "active"
	StateDisabled State = "disabled"
)

// Defines values for Step.
const (
	StepConfirmOrder     Step = "confirm_order"
	StepCreateOrder      Step = "create_order"
	StepValidateCustomer Step = "validate_customer"
	StepValidateInput    Step = "validate_input"
)

// AuditChange defines model for AuditChange.
type AuditChange struct {
	Field string `json:"field"`
	From  string `json:"from"`
	To    string `json:"to"`
}

// AuditEntry defines model for AuditEntry.
type AuditEntry struct {
	// Action What was done, such as user.created.
	//
	// Example: user.changed
	Action string `json:"action"`

	// Actor The caller that made the change: `user:` and the user name, `integrator:` and its id, `command` for the command line, `start` for the start of the service.
	//
	// Example: user:admin
	Actor string `json:"actor"`

	// ActorName The name of the caller at that time.
	ActorName string `json:"actor_name"`

	// Address The address of the client.
	Address string        `json:"address"`
	Changes []AuditChange `json:"changes"`

	// CorrelationID X-Correlation-Id of the request.
	CorrelationID string `json:"correlation_id"`

	// CreatedAt A time (RFC 3339) in UTC, with microseconds.
	//
	// Example: 2026-01-15T09:30:00.123456Z
	CreatedAt time.Time `json:"created_at"`

	// ID An id. Opaque and never reused. At most 2^53 - 1, which every JSON parser represents exactly.
	ID int64 `json:"id"`

	// Target `user:` and the user name, `integrator:`, `key:` or `session:` and the id, or `signing_key:` and the kid.
	//
	// Example: user:ana
	Target string `json:"target"`
}

// AuditFilter selects what "List the audit log" returns. Zero values select everything.
type AuditFilter struct {
	// Action Returns only entries with this action.
	Action string `json:"action,omitempty,omitzero"`

	// Actor Returns only entries of this caller.
	Actor string `json:"actor,omitempty,omitzero"`

	// From Returns only entries at or after this time (RFC 3339), or on or after this day (UTC).
	From time.Time `json:"from,omitempty,omitzero"`

	// To Returns only entries before this time (RFC 3339), or on or before this day (UTC). Must not be before `from`.
	To time.Time `json:"to,omitempty,omitzero"`
}

// Cancellation defines model for Cancellation.
type Cancellation struct {
	// Reason Why the order is canceled.
	//
	// Example: the customer changed its mind
	Reason string `json:"reason,omitempty,omitzero"`
}

// ConfirmedCustomer The customer at the time the order was placed.
type ConfirmedCustomer struct {
	Email string `json:"email"`

	// ID The id of a customer.
	ID    CustomerID `json:"id"`
	Name  string     `json:"name"`
	Phone string     `json:"phone"`
}

// ConfirmedData defines model for ConfirmedData.
type ConfirmedData struct {
	// Customer The customer at the time the order was placed.
	Customer ConfirmedCustomer `json:"customer"`
	Order    ConfirmedOrder    `json:"order"`
}

// ConfirmedLine defines model for ConfirmedLine.
type ConfirmedLine struct {
	// Name The name of the product at the time the order was placed.
	Name string `json:"name"`

	// ProductID The id of a product.
	ProductID ProductID `json:"product_id"`

	// Qty Units.
	Qty int64 `json:"qty"`

	// SKU The SKU of the product.
	SKU string `json:"sku"`

	// SubtotalCents An amount of money in cents. At most 2^53 - 1, which every JSON parser represents exactly.
	//
	// Example: 129900
	SubtotalCents int64 `json:"subtotal_cents"`

	// UnitPriceCents An amount of money in cents. At most 2^53 - 1, which every JSON parser represents exactly.
	//
	// Example: 129900
	UnitPriceCents int64 `json:"unit_price_cents"`
}

// ConfirmedOrder defines model for ConfirmedOrder.
type ConfirmedOrder struct {
	// ConfirmedAt A time (RFC 3339) in UTC, with microseconds.
	//
	// Example: 2026-01-15T09:30:00.123456Z
	ConfirmedAt time.Time `json:"confirmed_at"`

	// CreatedAt A time (RFC 3339) in UTC, with microseconds.
	//
	// Example: 2026-01-15T09:30:00.123456Z
	CreatedAt time.Time `json:"created_at"`

	// CustomerID The id of a customer.
	CustomerID CustomerID `json:"customer_id"`

	// ID The id of an order.
	ID     OrderID         `json:"id"`
	Items  []ConfirmedLine `json:"items"`
	Status OrderStatus     `json:"status"`

	// TotalCents An amount of money in cents. At most 2^53 - 1, which every JSON parser represents exactly.
	//
	// Example: 129900
	TotalCents int64 `json:"total_cents"`
}

// Customer defines model for Customer.
type Customer struct {
	// CreatedAt A time (RFC 3339) in UTC, with microseconds.
	//
	// Example: 2026-01-15T09:30:00.123456Z
	CreatedAt time.Time `json:"created_at"`

	// Email The e-mail address, unique among customers, ignoring case.
	//
	// Example: compras@acme.example
	Email string `json:"email"`

	// ETag The version that was read, which Update compares; empty in entries of a list.
	ETag string `json:"-"`

	// ID The id of a customer.
	ID CustomerID `json:"id"`

	// Name The business name, without surrounding white space.
	//
	// Example: ACME Ferretería
	Name string `json:"name"`

	// Phone The phone number, in any notation; null if there is none.
	//
	// Example: +54 11 5555-0101
	Phone string `json:"phone"`

	// UpdatedAt A time (RFC 3339) in UTC, with microseconds.
	//
	// Example: 2026-01-15T09:30:00.123456Z
	UpdatedAt time.Time `json:"updated_at"`
}

// CustomerChange defines model for CustomerChange.
type CustomerChange struct {
	// Email The e-mail address, unique among customers, ignoring case.
	//
	// Example: compras@acme.example
	Email string `json:"email,omitempty,omitzero"`

	// Name The business name, without surrounding white space.
	//
	// Example: ACME Ferretería
	Name string `json:"name,omitempty,omitzero"`

	// Phone A phone number, in any notation. Null and the empty string remove it.
	//
	// Example: +54 11 5555-0101
	Phone Optional[string] `json:"phone,omitempty,omitzero"`
}

// CustomerFilter selects what "List customers" returns. Zero values select everything.
type CustomerFilter struct {
	// Search Returns only customers whose name or e-mail address contains this text, such as acme. Case and accents are ignored; `%` and `_` match themselves. A search examines a bounded number of rows per page, so a page may have fewer than `limit` entries, or none, and still have a `next_cursor`.
	Search string `json:"search,omitempty,omitzero"`
}

// CustomerInput defines model for CustomerInput.
type CustomerInput struct {
	// Email The e-mail address, unique among customers, ignoring case.
	//
	// Example: compras@acme.example
	Email string `json:"email"`

	// Name The business name, without surrounding white space.
	//
	// Example: ACME Ferretería
	Name string `json:"name"`

	// Phone A phone number, in any notation. Null and the empty string mean none.
	//
	// Example: +54 11 5555-0101
	Phone string `json:"phone,omitempty,omitzero"`
}

// FieldError Example: {"field":"items[0].qty","message":"must be at least 1"}
type FieldError struct {
	// Field The invalid field: a parameter, a header, or a path into the body.
	Field string `json:"field"`

	// Message What is wrong with the field.
	Message string `json:"message"`
}

// Integrator defines model for Integrator.
type Integrator struct {
	// CreatedAt A time (RFC 3339) in UTC, with microseconds.
	//
	// Example: 2026-01-15T09:30:00.123456Z
	CreatedAt time.Time `json:"created_at"`

	// ETag The version that was read, which Update compares; empty in entries of a list.
	ETag string `json:"-"`

	// ID The id of an integrator.
	ID IntegratorID `json:"id"`

	// Name A name for people, without surrounding white space.
	//
	// Example: Ana Pérez
	Name string `json:"name"`

	// Role What the holder may do: `viewer` reads; `operator` also places, confirms and cancels orders and adjusts stock; `manager` also changes products and customers; `admin` also manages users and integrators.
	Role Role `json:"role"`

	// State A disabled user or integrator is refused everywhere.
	State State `json:"state"`

	// UpdatedAt A time (RFC 3339) in UTC, with microseconds.
	//
	// Example: 2026-01-15T09:30:00.123456Z
	UpdatedAt time.Time `json:"updated_at"`
}

// IntegratorChange defines model for IntegratorChange.
type IntegratorChange struct {
	// Name A name for people, without surrounding white space.
	//
	// Example: Ana Pérez
	Name string `json:"name,omitempty,omitzero"`

	// Role What the holder may do: `viewer` reads; `operator` also places, confirms and cancels orders and adjusts stock; `manager` also changes products and customers; `admin` also manages users and integrators.
	Role Role `json:"role,omitempty,omitzero"`

	// State A disabled user or integrator is refused everywhere.
	State State `json:"state,omitempty,omitzero"`
}

// IntegratorInput defines model for IntegratorInput.
type IntegratorInput struct {
	// Name A name for people, without surrounding white space.
	//
	// Example: Ana Pérez
	Name string `json:"name"`

	// Role What the holder may do: `viewer` reads; `operator` also places, confirms and cancels orders and adjusts stock; `manager` also changes products and customers; `admin` also manages users and integrators.
	Role Role `json:"role"`
}

// Key An API key of an integrator.
type Key struct {
	// CreatedAt A time (RFC 3339) in UTC, with microseconds.
	//
	// Example: 2026-01-15T09:30:00.123456Z
	CreatedAt time.Time `json:"created_at"`

	// CreatedBy The caller who created the key.
	//
	// Example: user:admin
	CreatedBy string `json:"created_by"`

	// ExpiresAt A time (RFC 3339) in UTC, with microseconds; null until it happens.
	//
	// Example: 2026-01-15T09:30:00.123456Z
	ExpiresAt time.Time `json:"expires_at"`

	// ID The id of a key.
	ID KeyID `json:"id"`

	// IntegratorID The id of an integrator.
	IntegratorID IntegratorID `json:"integrator_id"`

	// LastUsedAt The minute of the last use (UTC); null if the key was never used.
	LastUsedAt time.Time `json:"last_used_at"`

	// Name A name for people, without surrounding white space.
	//
	// Example: Ana Pérez
	Name string `json:"name"`

	// Prefix The start of the key, by which it is recognized.
	//
	// Example: ped_17_
	Prefix string `json:"prefix"`

	// RevokedAt A time (RFC 3339) in UTC, with microseconds; null until it happens.
	//
	// Example: 2026-01-15T09:30:00.123456Z
	RevokedAt time.Time `json:"revoked_at"`
}

// KeyInput defines model for KeyInput.
type KeyInput struct {
	// ExpiresAt When the key expires (RFC 3339), in the future. Without it, the key does not expire.
	ExpiresAt time.Time `json:"expires_at,omitempty,omitzero"`

	// Name A name for people, without surrounding white space.
	//
	// Example: Ana Pérez
	Name string `json:"name"`
}

// Me defines model for Me.
type Me struct {
	// Caller The caller as history and audit log name it.
	//
	// Example: user:ana
	Caller string `json:"caller"`

	// ID An id. Opaque and never reused. At most 2^53 - 1, which every JSON parser represents exactly.
	ID   int64  `json:"id"`
	Kind MeKind `json:"kind"`

	// Name A name for people, without surrounding white space.
	//
	// Example: Ana Pérez
	Name string `json:"name"`

	// Role What the holder may do: `viewer` reads; `operator` also places, confirms and cancels orders and adjusts stock; `manager` also changes products and customers; `admin` also manages users and integrators.
	Role Role `json:"role"`

	// Username Null for an integrator.
	Username string `json:"username"`
}

// MeKind defines model for Me.Kind.
type MeKind string

// NewKey defines model for NewKey.
type NewKey struct {
	// CreatedAt A time (RFC 3339) in UTC, with microseconds.
	//
	// Example: 2026-01-15T09:30:00.123456Z
	CreatedAt time.Time `json:"created_at"`

	// CreatedBy The caller who created the key.
	//
	// Example: user:admin
	CreatedBy string `json:"created_by"`

	// ExpiresAt A time (RFC 3339) in UTC, with microseconds; null until it happens.
	//
	// Example: 2026-01-15T09:30:00.123456Z
	ExpiresAt time.Time `json:"expires_at"`

	// ID The id of a key.
	ID KeyID `json:"id"`

	// IntegratorID The id of an integrator.
	IntegratorID IntegratorID `json:"integrator_id"`

	// Key The API key, for the Authorization header. Null in a repeated response.
	Key string `json:"key"`

	// LastUsedAt The minute of the last use (UTC); null if the key was never used.
	LastUsedAt time.Time `json:"last_used_at"`

	// Name A name for people, without surrounding white space.
	//
	// Example: Ana Pérez
	Name string `json:"name"`

	// Prefix The start of the key, by which it is recognized.
	//
	// Example: ped_17_
	Prefix string `json:"prefix"`

	// RevokedAt A time (RFC 3339) in UTC, with microseconds; null until it happens.
	//
	// Example: 2026-01-15T09:30:00.123456Z
	RevokedAt time.Time `json:"revoked_at"`
}

// Order defines model for Order.
type Order struct {
	CancelReason string `json:"cancel_reason"`

	// CanceledAt A time (RFC 3339) in UTC, with microseconds; null until it happens.
	//
	// Example: 2026-01-15T09:30:00.123456Z
	CanceledAt time.Time `json:"canceled_at"`

	// ConfirmedAt A time (RFC 3339) in UTC, with microseconds; null until it happens.
	//
	// Example: 2026-01-15T09:30:00.123456Z
	ConfirmedAt time.Time `json:"confirmed_at"`

	// CreatedAt A time (RFC 3339) in UTC, with microseconds.
	//
	// Example: 2026-01-15T09:30:00.123456Z
	CreatedAt time.Time `json:"created_at"`

	// Customer The customer at the time the order was placed. Later changes to the customer do not affect it.
	Customer OrderCustomer `json:"customer"`

	// CustomerID The id of a customer.
	CustomerID CustomerID `json:"customer_id"`

	// ETag The version that was read, which Update compares; empty in entries of a list.
	ETag string `json:"-"`

	// ID The id of an order.
	ID OrderID `json:"id"`

	// Items The order lines, ordered by product id.
	Items []OrderLine `json:"items"`

	// Status The status of an order.
	Status OrderStatus `json:"status"`

	// TotalCents An amount of money in cents. At most 2^53 - 1, which every JSON parser represents exactly.
	//
	// Example: 129900
	TotalCents int64 `json:"total_cents"`

	// UpdatedAt A time (RFC 3339) in UTC, with microseconds.
	//
	// Example: 2026-01-15T09:30:00.123456Z
	UpdatedAt time.Time `json:"updated_at"`
}

// OrderAges Numbers of orders by the time since they were placed: less than an hour, a day, 7 days, 30 days, and older. Each order is counted once; older orders are counted only if they are CREATED.
type OrderAges struct {
	// Day A number of orders or products.
	//
	// Example: 3
	Day int64 `json:"day"`

	// Hour A number of orders or products.
	//
	// Example: 3
	Hour int64 `json:"hour"`

	// Month A number of orders or products.
	//
	// Example: 3
	Month int64 `json:"month"`

	// Older CREATED orders of 30 days and more; 10000 means 10000 or more. Null for the other statuses.
	Older Optional[int64] `json:"older"`

	// Week A number of orders or products.
	//
	// Example: 3
	Week int64 `json:"week"`
}

// OrderCustomer The customer at the time the order was placed. Later changes to the customer do not affect it.
type OrderCustomer struct {
	Email string `json:"email"`
	Name  string `json:"name"`
	Phone string `json:"phone"`
}

// OrderEvent A change of an order's status.
type OrderEvent struct {
	// Caller The caller who made the change: `user:` and the user name, `integrator:` and its id, `service` for the service token, `anonymous` for a caller without a token, `sweeper` for the service itself, `seed` for `pedidos seed`. Null for changes older than the history.
	//
	// Example: user:admin
	Caller string `json:"caller"`

	// CallerID The id of the user or integrator who made the change; null if it is not known.
	//
	// Example: 1
	CallerID int64 `json:"caller_id"`

	// CallerName The name of the user or integrator at the time of the change; null if it is not known.
	//
	// Example: Administrator
	CallerName string `json:"caller_name"`

	// CreatedAt A time (RFC 3339) in UTC, with microseconds.
	//
	// Example: 2026-01-15T09:30:00.123456Z
	CreatedAt time.Time `json:"created_at"`

	// From The previous status; null when the order is placed.
	From OrderStatus `json:"from"`

	// Reason Why the change was made; null if no reason was given.
	Reason string `json:"reason"`

	// To The status of an order.
	To OrderStatus `json:"to"`
}

// OrderFilter selects what "List orders" returns. Zero values select everything.
type OrderFilter struct {
	// CustomerID Returns only orders of this customer.
	CustomerID CustomerID `json:"customer_id,omitempty,omitzero"`

	// From Returns only orders created at or after this time (RFC 3339), such as 2026-01-15T09:30:00Z, or on or after this day (UTC), such as 2026-01-01.
	From time.Time `json:"from,omitempty,omitzero"`

	// ProductID Returns only orders of this product.
	ProductID ProductID `json:"product_id,omitempty,omitzero"`

	// Search Returns the order with this number (id); if there is none, the orders of the product with this SKU; if there is none, the orders whose customer had this text, such as acme, in its name or e-mail address when the order was placed. Case and accents of the text are ignored; `%` and `_` match themselves.
	Search string `json:"search,omitempty,omitzero"`

	// Status Returns only orders with this status.
	Status OrderStatus `json:"status,omitempty,omitzero"`

	// To Returns only orders created before this time (RFC 3339), or on or before this day (UTC): from=2026-01-01 and to=2026-01-31 return all orders of January. Must not be before `from`.
	To time.Time `json:"to,omitempty,omitzero"`

	// UpdatedSince Returns only orders created, confirmed or canceled at or after this time (RFC 3339), such as 2026-01-15T09:30:00Z, or on or after this day (UTC). A change becomes visible up to a minute after its time: to miss none, begin each read a minute before the last `updated_at` of the read before.
	UpdatedSince time.Time `json:"updated_since,omitempty,omitzero"`
}

// OrderInput defines model for OrderInput.
type OrderInput struct {
	// CustomerID The id of a customer.
	CustomerID CustomerID `json:"customer_id"`

	// Items The order lines. Lines of the same product are merged.
	Items []OrderLineInput `json:"items"`
}

// OrderLine An order line, with the SKU, name and price of the product at the time the order was placed. In orders placed before lines had names, the name is the current one.
type OrderLine struct {
	// Name The product name, without surrounding white space.
	//
	// Example: Cordless drill 18 V
	Name string `json:"name"`

	// ProductID The id of a product.
	ProductID ProductID `json:"product_id"`

	// Qty Units.
	Qty int64 `json:"qty"`

	// SKU The stock keeping unit, case-sensitive.
	//
	// Example: DRILL-18V
	SKU string `json:"sku"`

	// SubtotalCents An amount of money in cents. At most 2^53 - 1, which every JSON parser represents exactly.
	//
	// Example: 129900
	SubtotalCents int64 `json:"subtotal_cents"`

	// UnitPriceCents The price of one unit in cents.
	//
	// Example: 129900
	UnitPriceCents int64 `json:"unit_price_cents"`
}

// OrderLineInput defines model for OrderLineInput.
type OrderLineInput struct {
	// ProductID The id of a product.
	ProductID ProductID `json:"product_id"`

	// Qty Units.
	//
	// Example: 2
	Qty int64 `json:"qty"`
}

// OrderStatus The status of an order.
type OrderStatus string

// OrdersReport defines model for OrdersReport.
type OrdersReport struct {
	// AsOf A time (RFC 3339) in UTC, with microseconds.
	//
	// Example: 2026-01-15T09:30:00.123456Z
	AsOf time.Time `json:"as_of"`

	// Data One entry per status.
	Data []StatusCount `json:"data"`

	// Oldest The CREATED orders that wait longest, up to 10.
	Oldest []Order `json:"oldest"`
}

// PasswordChange defines model for PasswordChange.
type PasswordChange struct {
	// Current The current password.
	Current string `json:"current"`

	// New At least 10 characters, of any kind. The most common passwords are refused.
	New string `json:"new"`
}

// ProblemCode The kind of error, stable across versions. `x-extensible-enum` lists the codes of this version. Later versions may add codes; treat an unknown code by its HTTP status.
//
// Example: not_found
type ProblemCode string

// Product defines model for Product.
type Product struct {
	// ArchivedAt A time (RFC 3339) in UTC, with microseconds; null until it happens.
	//
	// Example: 2026-01-15T09:30:00.123456Z
	ArchivedAt time.Time `json:"archived_at"`

	// CreatedAt A time (RFC 3339) in UTC, with microseconds.
	//
	// Example: 2026-01-15T09:30:00.123456Z
	CreatedAt time.Time `json:"created_at"`

	// ETag The version that was read, which Update compares; empty in entries of a list.
	ETag string `json:"-"`

	// ID The id of a product.
	ID ProductID `json:"id"`

	// Name The product name, without surrounding white space.
	//
	// Example: Cordless drill 18 V
	Name string `json:"name"`

	// PriceCents The price of one unit in cents.
	//
	// Example: 129900
	PriceCents int64 `json:"price_cents"`

	// ReorderLevel Units; a product with fewer units in stock is low. 0 for a product that is never low.
	//
	// Example: 10
	ReorderLevel int64 `json:"reorder_level"`

	// SKU The stock keeping unit, case-sensitive.
	//
	// Example: DRILL-18V
	SKU string `json:"sku"`

	// Stock Units in stock.
	//
	// Example: 50
	Stock int64 `json:"stock"`

	// UpdatedAt A time (RFC 3339) in UTC, with microseconds.
	//
	// Example: 2026-01-15T09:30:00.123456Z
	UpdatedAt time.Time `json:"updated_at"`
}

// ProductChange defines model for ProductChange.
type ProductChange struct {
	// Archived Whether the product is archived. An archived product cannot be ordered and is omitted from lists, unless they ask for it; its orders keep it.
	Archived Optional[bool] `json:"archived,omitempty,omitzero"`

	// Name The product name, without surrounding white space.
	//
	// Example: Cordless drill 18 V
	Name string `json:"name,omitempty,omitzero"`

	// PriceCents The price of one unit in cents.
	//
	// Example: 129900
	PriceCents Optional[int64] `json:"price_cents,omitempty,omitzero"`

	// Reason Why the stock changes, for the stock movement. Allowed only together with `stock` or `stock_delta`.
	//
	// Example: delivery of May 4
	Reason string `json:"reason,omitempty,omitzero"`

	// ReorderLevel Units; a product with fewer units in stock is low. 0 for a product that is never low.
	//
	// Example: 10
	ReorderLevel Optional[int64] `json:"reorder_level,omitempty,omitzero"`

	// Stock Units in stock.
	//
	// Example: 50
	Stock Optional[int64] `json:"stock,omitempty,omitzero"`

	// StockDelta Units to add to the stock, or to take from it if negative. The stock must not become negative or exceed 1000000000. Not allowed together with `stock`.
	//
	// Example: 12
	StockDelta int64 `json:"stock_delta,omitempty,omitzero"`
}

// ProductFilter selects what "List products" returns. Zero values select everything.
type ProductFilter struct {
	// Archived Whether archived products are returned.
	Archived ProductFilterArchived `json:"archived,omitempty,omitzero"`

	// IDs Returns only products with one of these ids, separated by commas, such as 1,2.
	IDs []ProductID `json:"ids,omitempty,omitzero"`

	// LowStock If true, returns only products with fewer units in stock than their reorder level.
	LowStock bool `json:"low_stock,omitempty,omitzero"`

	// Search Returns only products whose SKU or name contains this text, such as drill. Case and accents are ignored; `%` and `_` match themselves.
	Search string `json:"search,omitempty,omitzero"`

	// SKUs Returns only products with one of these SKUs, separated by commas, such as DRILL-18V,SAW-190.
	SKUs []string `json:"sku,omitempty,omitzero"`

	// StockBelow Returns only products with fewer units in stock than this.
	StockBelow int64 `json:"stock_below,omitempty,omitzero"`
}

// ProductFilterArchived Whether archived products are returned.
type ProductFilterArchived string

// ProductInput defines model for ProductInput.
type ProductInput struct {
	// Name The product name, without surrounding white space.
	//
	// Example: Cordless drill 18 V
	Name string `json:"name"`

	// PriceCents The price of one unit in cents.
	//
	// Example: 129900
	PriceCents int64 `json:"price_cents"`

	// ReorderLevel The initial reorder level in units; 0 if omitted.
	//
	// Example: 10
	ReorderLevel int64 `json:"reorder_level,omitempty,omitzero"`

	// SKU The stock keeping unit, case-sensitive.
	//
	// Example: DRILL-18V
	SKU string `json:"sku"`

	// Stock The initial units in stock; 0 if omitted.
	//
	// Example: 50
	Stock int64 `json:"stock,omitempty,omitzero"`
}

// Role What the holder may do: `viewer` reads; `operator` also places, confirms and cancels orders and adjusts stock; `manager` also changes products and customers; `admin` also manages users and integrators.
type Role string

// SalesCustomer The customer, with the name of its last order in the period; null except in sales by customer.
type SalesCustomer struct {
	// ID The id of a customer.
	ID   CustomerID `json:"id"`
	Name string     `json:"name"`
}

// SalesFigures defines model for SalesFigures.
type SalesFigures struct {
	// Orders A number of orders or products.
	//
	// Example: 3
	Orders int64 `json:"orders"`

	// TotalCents An amount of money in cents. At most 2^53 - 1, which every JSON parser represents exactly.
	//
	// Example: 129900
	TotalCents int64 `json:"total_cents"`

	// Units Units; null except in sales by product.
	//
	// Example: 7
	Units Optional[int64] `json:"units"`
}

// SalesProduct The product, with its current name; null except in sales by product.
type SalesProduct struct {
	// ID The id of a product.
	ID ProductID `json:"id"`

	// Name The product name, without surrounding white space.
	//
	// Example: Cordless drill 18 V
	Name string `json:"name"`

	// SKU The stock keeping unit, case-sensitive.
	//
	// Example: DRILL-18V
	SKU string `json:"sku"`
}

// SalesQuery selects what "Sales by day, product or customer" returns. Zero values select everything.
type SalesQuery struct {
	// By `day` returns every day of the period in order, also days without an order. `product` and `customer` return those with the largest amounts, up to `limit`.
	By SalesQueryBy `json:"by,omitempty,omitzero"`

	// From The first day, in `time_zone`. By default, 29 days before `to`.
	From string `json:"from,omitempty,omitzero"`

	// Limit The maximum number of entries in a page.
	Limit int32 `json:"limit,omitempty,omitzero"`

	// Status Adds up only orders with this status.
	Status OrderStatus `json:"status,omitempty,omitzero"`

	// TimeZone The time zone in which days begin and end, by its name in the IANA time zone database.
	TimeZone string `json:"time_zone,omitempty,omitzero"`

	// To The last day, in `time_zone`. By default, today. The period has at most 366 days.
	To string `json:"to,omitempty,omitzero"`
}

// SalesQueryBy `day` returns every day of the period in order, also days without an order. `product` and `customer` return those with the largest amounts, up to `limit`.
type SalesQueryBy string

// SalesReport defines model for SalesReport.
type SalesReport struct {
	// AsOf A time (RFC 3339) in UTC, with microseconds.
	//
	// Example: 2026-01-15T09:30:00.123456Z
	AsOf time.Time  `json:"as_of"`
	Data []SalesRow `json:"data"`

	// From A day.
	From string `json:"from"`

	// TimeZone The time zone of the days.
	TimeZone string `json:"time_zone"`

	// To A day.
	To    string       `json:"to"`
	Total SalesFigures `json:"total"`
}

// SalesRow defines model for SalesRow.
type SalesRow struct {
	// Customer The customer, with the name of its last order in the period; null except in sales by customer.
	Customer SalesCustomer `json:"customer"`

	// Day The day; null except in sales by day.
	//
	// Example: 2026-01-15
	Day string `json:"day"`

	// Orders A number of orders or products.
	//
	// Example: 3
	Orders int64 `json:"orders"`

	// Product The product, with its current name; null except in sales by product.
	Product SalesProduct `json:"product"`

	// TotalCents An amount of money in cents. At most 2^53 - 1, which every JSON parser represents exactly.
	//
	// Example: 129900
	TotalCents int64 `json:"total_cents"`

	// Units Units; null except in sales by product.
	//
	// Example: 7
	Units Optional[int64] `json:"units"`
}

// Session defines model for Session.
type Session struct {
	// Address The address from which the session was started.
	Address string `json:"address"`

	// CreatedAt A time (RFC 3339) in UTC, with microseconds.
	//
	// Example: 2026-01-15T09:30:00.123456Z
	CreatedAt time.Time `json:"created_at"`

	// Current Whether the request belongs to this session.
	Current bool `json:"current"`

	// ExpiresAt A time (RFC 3339) in UTC, with microseconds.
	//
	// Example: 2026-01-15T09:30:00.123456Z
	ExpiresAt time.Time `json:"expires_at"`

	// ID The id of a session.
	ID SessionID `json:"id"`

	// LastUsedAt The minute of the last use (UTC).
	LastUsedAt time.Time `json:"last_used_at"`

	// UserAgent The browser that started the session.
	UserAgent string `json:"user_agent"`
}

// Setup defines model for Setup.
type Setup struct {
	// Password At least 10 characters, of any kind. The most common passwords are refused.
	Password string `json:"password"`

	// Token The setup token.
	Token string `json:"token"`
}

// Shortage A product with fewer units in stock than the order requests.
//
// Example: {"available":2,"product_id":1,"requested":5}
type Shortage struct {
	// Available Units in stock.
	Available int64 `json:"available"`

	// ProductID The id of a product.
	ProductID ProductID `json:"product_id"`

	// Requested Units requested.
	Requested int64 `json:"requested"`
}

// State A disabled user or integrator is refused everywhere.
type State string

// StatusCount The orders of a status. `orders` is the sum of `ages`: the orders of the last 30 days and, if they are CREATED, older ones.
type StatusCount struct {
	// Ages Numbers of orders by the time since they were placed: less than an hour, a day, 7 days, 30 days, and older. Each order is counted once; older orders are counted only if they are CREATED.
	Ages OrderAges `json:"ages"`

	// Orders A number of orders or products.
	//
	// Example: 3
	Orders int64 `json:"orders"`

	// Status The status of an order.
	Status OrderStatus `json:"status"`
}

// Step The failed step. It is validate_input if no step was reached, as for an unknown path.
type Step string

// StockMovement defines model for StockMovement.
type StockMovement struct {
	// Caller The caller who made the change: `user:` and the user name, `integrator:` and its id, `service` for the service token, `anonymous` for a caller without a token, `sweeper` for the service itself, `seed` for `pedidos seed`. Null for changes older than the history.
	//
	// Example: user:admin
	Caller string `json:"caller"`

	// CallerID The id of the user or integrator who made the change; null if it is not known.
	//
	// Example: 1
	CallerID int64 `json:"caller_id"`

	// CallerName The name of the user or integrator at the time of the change; null if it is not known.
	//
	// Example: Administrator
	CallerName string `json:"caller_name"`

	// CreatedAt A time (RFC 3339) in UTC, with microseconds.
	//
	// Example: 2026-01-15T09:30:00.123456Z
	CreatedAt time.Time `json:"created_at"`

	// Delta `to` minus `from`, in units.
	//
	// Example: 12
	Delta int64 `json:"delta"`

	// From Units in stock; null for movements older than this field.
	//
	// Example: 48
	From Optional[int64] `json:"from"`

	// ID An id. Opaque and never reused. At most 2^53 - 1, which every JSON parser represents exactly.
	ID int64 `json:"id"`

	// Reason Why the change was made; null if no reason was given.
	Reason string `json:"reason"`

	// To Units in stock; null for movements older than this field.
	//
	// Example: 48
	To Optional[int64] `json:"to"`
}

// StockReport defines model for StockReport.
type StockReport struct {
	// AsOf A time (RFC 3339) in UTC, with microseconds.
	//
	// Example: 2026-01-15T09:30:00.123456Z
	AsOf time.Time `json:"as_of"`

	// Low Products with fewer units in stock than their reorder level.
	Low int64 `json:"low"`

	// Out Products without units in stock.
	Out int64 `json:"out"`

	// Products A number of orders or products.
	//
	// Example: 3
	Products int64 `json:"products"`

	// Units Units in stock of all products; at most 2^53 - 1.
	Units int64 `json:"units"`

	// ValueCents The stock at the current prices, in cents; at most 2^53 - 1.
	ValueCents int64 `json:"value_cents"`
}

// User defines model for User.
type User struct {
	// CreatedAt A time (RFC 3339) in UTC, with microseconds.
	//
	// Example: 2026-01-15T09:30:00.123456Z
	CreatedAt time.Time `json:"created_at"`

	// ETag The version that was read, which Update compares; empty in entries of a list.
	ETag string `json:"-"`

	// ID The id of a user.
	ID UserID `json:"id"`

	// LastLoginAt A time (RFC 3339) in UTC, with microseconds; null until it happens.
	//
	// Example: 2026-01-15T09:30:00.123456Z
	LastLoginAt time.Time `json:"last_login_at"`

	// Name A name for people, without surrounding white space.
	//
	// Example: Ana Pérez
	Name string `json:"name"`

	// PasswordSet Whether the user has a password.
	PasswordSet bool `json:"password_set"`

	// Role What the holder may do: `viewer` reads; `operator` also places, confirms and cancels orders and adjusts stock; `manager` also changes products and customers; `admin` also manages users and integrators.
	Role Role `json:"role"`

	// State A disabled user or integrator is refused everywhere.
	State State `json:"state"`

	// UpdatedAt A time (RFC 3339) in UTC, with microseconds.
	//
	// Example: 2026-01-15T09:30:00.123456Z
	UpdatedAt time.Time `json:"updated_at"`

	// Username The name that the user logs in with. Unique, ignoring case.
	//
	// Example: ana
	Username string `json:"username"`
}

// UserChange defines model for UserChange.
type UserChange struct {
	// Name A name for people, without surrounding white space.
	//
	// Example: Ana Pérez
	Name string `json:"name,omitempty,omitzero"`

	// Role What the holder may do: `viewer` reads; `operator` also places, confirms and cancels orders and adjusts stock; `manager` also changes products and customers; `admin` also manages users and integrators.
	Role Role `json:"role,omitempty,omitzero"`

	// State A disabled user or integrator is refused everywhere.
	State State `json:"state,omitempty,omitzero"`
}

// UserInput defines model for UserInput.
type UserInput struct {
	// Name A name for people, without surrounding white space.
	//
	// Example: Ana Pérez
	Name string `json:"name"`

	// Role What the holder may do: `viewer` reads; `operator` also places, confirms and cancels orders and adjusts stock; `manager` also changes products and customers; `admin` also manages users and integrators.
	Role Role `json:"role"`

	// Username The name that the user logs in with. Unique, ignoring case.
	//
	// Example: ana
	Username string `json:"username"`
}

// UserSetup defines model for UserSetup.
type UserSetup struct {
	// CreatedAt A time (RFC 3339) in UTC, with microseconds.
	//
	// Example: 2026-01-15T09:30:00.123456Z
	CreatedAt time.Time `json:"created_at"`

	// ETag The version that was read, which Update compares; empty in entries of a list.
	ETag string `json:"-"`

	// ID The id of a user.
	ID UserID `json:"id"`

	// LastLoginAt A time (RFC 3339) in UTC, with microseconds; null until it happens.
	//
	// Example: 2026-01-15T09:30:00.123456Z
	LastLoginAt time.Time `json:"last_login_at"`

	// Name A name for people, without surrounding white space.
	//
	// Example: Ana Pérez
	Name string `json:"name"`

	// PasswordSet Whether the user has a password.
	PasswordSet bool `json:"password_set"`

	// Role What the holder may do: `viewer` reads; `operator` also places, confirms and cancels orders and adjusts stock; `manager` also changes products and customers; `admin` also manages users and integrators.
	Role Role `json:"role"`

	// SetupExpiresAt A time (RFC 3339) in UTC, with microseconds.
	//
	// Example: 2026-01-15T09:30:00.123456Z
	SetupExpiresAt time.Time `json:"setup_expires_at"`

	// SetupToken Sets the password at `POST /auth/setup`, once. Null in a repeated response.
	SetupToken string `json:"setup_token"`

	// State A disabled user or integrator is refused everywhere.
	State State `json:"state"`

	// UpdatedAt A time (RFC 3339) in UTC, with microseconds.
	//
	// Example: 2026-01-15T09:30:00.123456Z
	UpdatedAt time.Time `json:"updated_at"`

	// Username The name that the user logs in with. Unique, ignoring case.
	//
	// Example: ana
	Username string `json:"username"`
}

// WithdrawnOrder The order that was placed, and canceled because it cannot be confirmed. Its units are back in stock.
type WithdrawnOrder struct {
	// CanceledAt A time (RFC 3339) in UTC, with microseconds.
	//
	// Example: 2026-01-15T09:30:00.123456Z
	CanceledAt time.Time `json:"canceled_at"`

	// ID The id of an order.
	ID     OrderID     `json:"id"`
	Status OrderStatus `json:"status"`
}
