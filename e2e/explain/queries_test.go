package explain

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/pedidos-hq/pedidos/gen/customersdb"
	"github.com/pedidos-hq/pedidos/gen/identitydb"
	"github.com/pedidos-hq/pedidos/gen/ordersdb"
	customersservice "github.com/pedidos-hq/pedidos/services/customers"
	ordersservice "github.com/pedidos-hq/pedidos/services/orders"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/idempotency"
	"github.com/pedidos-hq/pedidos/services/platform/search"
)

// query is a query with the requirements on its plan. A plan may not scan or sort.
type query struct {
	key       string // index by which MySQL must find rows of the first table
	calls     []call
	temporary string // reason why it may fill a temporary table; "" if it may not
	sorts     string // reason why it may sort rows; "" if it may not
	small     string // reason why it may read the whole table; "" if it may not
}

// call executes the query with parameters like those of the services.
type call func(context.Context, database.Conn) error

// answered returns a call for each of the parameters of a query that returns a result.
func answered[Q, P, R any](on func(database.Conn) Q, query func(Q, context.Context, P) (R, error), params ...P) (calls []call) {
	for _, p := range params {
		calls = append(calls, func(ctx context.Context, conn database.Conn) error {
			_, err := query(on(conn), ctx, p)
			return err
		})
	}
	return calls
}

// done is answered for a query without a result.
func done[Q, P any](on func(database.Conn) Q, query func(Q, context.Context, P) error, params ...P) (calls []call) {
	for _, p := range params {
		calls = append(calls, func(ctx context.Context, conn database.Conn) error { return query(on(conn), ctx, p) })
	}
	return calls
}

// today returns the last day of the generated data, whose orders span the year.
func today() time.Time { return time.Date(2025, 12, 31, 0, 0, 0, 0, time.UTC) }

// queries returns all queries but INSERT and REPLACE, by "file.name".
func queries() map[string]query {
	customers := func(conn database.Conn) *customersdb.Queries { return customersdb.New(conn) }
	orders := func(conn database.Conn) *ordersdb.Queries { return ordersdb.New(conn) }

	people := func(conn database.Conn) *identitydb.Queries { return identitydb.New(conn) }

	now := today()
	name, word, none := "Pinturería Núñez", "nunez", "no such name"

	// A page starts at the newest order, at a cursor, or at the end of the filtered period.
	first, last := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	march, june := time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC), time.Date(2025, 6, 15, 12, 0, 0, 0, time.UTC)
	pages := []ordersdb.ListOrdersParams{
		{CreatedFrom: first, BeforeTime: last, Pattern: "%", Limit: 21},
		{CreatedFrom: first, BeforeTime: june, BeforeID: 20_000, Pattern: "%", Limit: 21},
		{CreatedFrom: march, BeforeTime: march.AddDate(0, 0, 1), Pattern: "%", Limit: 101},
		{CreatedFrom: march, BeforeTime: june, Pattern: "%", Limit: 101},
		{CreatedFrom: first, BeforeTime: last, Pattern: search.Pattern(&word), Limit: 21},
	}
	var byStatus []ordersdb.ListOrdersByStatusParams
	var byCustomer []ordersdb.ListOrdersByCustomerParams
	var byBoth []ordersdb.ListOrdersByCustomerAndStatusParams
	for _, p := range pages {
		for _, status := range []string{"CREATED", "CONFIRMED", "CANCELED"} {
			byStatus = append(byStatus, ordersdb.ListOrdersByStatusParams{
				Status: status, CreatedFrom: p.CreatedFrom, BeforeTime: p.BeforeTime, BeforeID: p.BeforeID, Pattern: p.Pattern, Limit: p.Limit,
			})
			for _, customer := range []int64{1, 990, 1e9} { // with many orders, with few, nonexistent
				byBoth = append(byBoth, ordersdb.ListOrdersByCustomerAndStatusParams{
					CustomerID: customer, Status: status,
					CreatedFrom: p.CreatedFrom, BeforeTime: p.BeforeTime, BeforeID: p.BeforeID, Pattern: p.Pattern, Limit: p.Limit,
				})
			}
		}
		for _, customer := range []int64{1, 990, 1e9} {
			byCustomer = append(byCustomer, ordersdb.ListOrdersByCustomerParams{
				CustomerID: customer, CreatedFrom: p.CreatedFrom, BeforeTime: p.BeforeTime, BeforeID: p.BeforeID, Pattern: p.Pattern, Limit: p.Limit,
			})
		}
	}
	page := make([]int64, 100)
	for i := range page {
		page[i] = int64(1 + 7*i)
	}

	skus := make([]string, len(page))
	for i := range skus {
		skus[i] = fmt.Sprintf("COR-%06d", i)
	}
	products := func(after int64, pattern string, limit int32) ordersdb.ListProductsParams {
		return ordersdb.ListProductsParams{AfterID: after, UntilID: math.MaxInt64, Pattern: pattern, StockBelow: math.MaxInt64, Limit: limit}
	}

	return map[string]query{
		"customers.GetCustomer":    {key: "PRIMARY", calls: answered(customers, (*customersdb.Queries).GetCustomer, 5)},
		"customers.LockCustomer":   {key: "PRIMARY", calls: answered(customers, (*customersdb.Queries).LockCustomer, 5)},
		"customers.UpdateCustomer": {key: "PRIMARY", calls: done(customers, (*customersdb.Queries).UpdateCustomer, customersdb.UpdateCustomerParams{Name: name, UpdatedAt: now, ID: 5})},
		"customers.DeleteCustomer": {key: "PRIMARY", calls: answered(customers, (*customersdb.Queries).DeleteCustomer, customersdb.DeleteCustomerParams{DeletedAt: &now, ID: 5})},

		// No index supports a search for a part of a name, so it walks the primary key in bounded windows.
		"customers.CustomerBehind": {key: "PRIMARY", calls: answered(customers, (*customersdb.Queries).CustomerBehind,
			customersdb.CustomerBehindParams{Offset: 100}, customersdb.CustomerBehindParams{AfterID: 500, Offset: 64_000})},
		"products.ProductBehind": {key: "PRIMARY", calls: answered(orders, (*ordersdb.Queries).ProductBehind,
			ordersdb.ProductBehindParams{Offset: 100}, ordersdb.ProductBehindParams{AfterID: 500, Offset: 64_000})},
		"customers.ListCustomers": {key: "PRIMARY", calls: answered(customers, (*customersdb.Queries).ListCustomers,
			customersdb.ListCustomersParams{UntilID: math.MaxInt64, Pattern: "%", Limit: 21}, customersdb.ListCustomersParams{UntilID: math.MaxInt64, AfterID: 500, Pattern: "%", Limit: 101},
			customersdb.ListCustomersParams{UntilID: math.MaxInt64, Pattern: search.Pattern(&word), Limit: 21}, customersdb.ListCustomersParams{UntilID: math.MaxInt64, Pattern: search.Pattern(&none), Limit: 21})},
		"products.ListProducts": {key: "PRIMARY", calls: answered(orders, (*ordersdb.Queries).ListProducts,
			products(0, "%", 21), products(500, "%", 101), products(0, search.Pattern(&word), 21), products(0, search.Pattern(&none), 21))},
		"products.ListProductsByIDs": {key: "PRIMARY", calls: answered(orders, (*ordersdb.Queries).ListProductsByIDs,
			ordersdb.ListProductsByIDsParams{Ids: page[:1], Pattern: "%", StockBelow: math.MaxInt64, Limit: 21},
			ordersdb.ListProductsByIDsParams{Ids: page, AfterID: 500, Pattern: "%", StockBelow: math.MaxInt64, Limit: 101})},
		"products.ListProductsBySKUs": {key: "products_sku", sorts: "at most 100 products", calls: answered(orders, (*ordersdb.Queries).ListProductsBySKUs,
			ordersdb.ListProductsBySKUsParams{Skus: []string{"COR-000001"}, Pattern: "%", StockBelow: math.MaxInt64, Limit: 21},
			ordersdb.ListProductsBySKUsParams{Skus: skus, Pattern: "%", StockBelow: math.MaxInt64, Limit: 101})},
		"products.ProductBySKU":  {key: "products_sku", calls: answered(orders, (*ordersdb.Queries).ProductBySKU, "COR-000001")},
		"products.ProductTitles": {key: "PRIMARY", calls: answered(orders, (*ordersdb.Queries).ProductTitles, page[:1], page)},

		"products.GetProduct":           {key: "PRIMARY", calls: answered(orders, (*ordersdb.Queries).GetProduct, 5)},
		"products.LockProduct":          {key: "PRIMARY", calls: answered(orders, (*ordersdb.Queries).LockProduct, 5)},
		"products.LockProductsForOrder": {key: "PRIMARY", calls: answered(orders, (*ordersdb.Queries).LockProductsForOrder, page[:1], page[:5], page)},
		"products.LockFreeProducts":     {key: "PRIMARY", calls: answered(orders, (*ordersdb.Queries).LockFreeProducts, page[:1], page[:5], page)},
		"products.UpdateProduct":        {key: "PRIMARY", calls: done(orders, (*ordersdb.Queries).UpdateProduct, ordersdb.UpdateProductParams{Name: name, UpdatedAt: now, ID: 5})},
		"products.TakeStock": {key: "PRIMARY", temporary: "the units of each product in these orders alone, added up once", calls: done(orders, (*ordersdb.Queries).TakeStock,
			ordersdb.TakeStockParams{OrderIds: page[:1], ProductIds: page[:5], Now: now}, ordersdb.TakeStockParams{OrderIds: page, ProductIds: page, Now: now})},
		"products.GiveBackStock": {key: "PRIMARY", temporary: "the units of each product in these orders alone, added up once", calls: done(orders, (*ordersdb.Queries).GiveBackStock,
			ordersdb.GiveBackStockParams{OrderIds: page[:1], ProductIds: page[:5], Now: now}, ordersdb.GiveBackStockParams{OrderIds: page, ProductIds: page, Now: now})},

		"products.ListStockAdjustments": {key: "stock_adjustments_product", calls: answered(orders, (*ordersdb.Queries).ListStockAdjustments,
			ordersdb.ListStockAdjustmentsParams{ProductID: 5, BeforeID: 1 << 62, Limit: 21}, ordersdb.ListStockAdjustmentsParams{ProductID: 5, BeforeID: 900, Limit: 21})},

		"orders.OrderBehind": {key: "orders_created", calls: answered(orders, (*ordersdb.Queries).OrderBehind,
			ordersdb.OrderBehindParams{CreatedFrom: first, BeforeTime: last, Offset: 1_000},
			ordersdb.OrderBehindParams{CreatedFrom: march, BeforeTime: june, BeforeID: 20_000, Offset: 64_000})},
		"orders.GetOrder":       {key: "PRIMARY", calls: answered(orders, (*ordersdb.Queries).GetOrder, 5)},
		"orders.LockOrders":     {key: "PRIMARY", calls: answered(orders, (*ordersdb.Queries).LockOrders, page[:1], page[:20], page)},
		"orders.LockFreeOrders": {key: "PRIMARY", calls: answered(orders, (*ordersdb.Queries).LockFreeOrders, page[:1], page[:20], page)},
		"orders.ConfirmOrders": {key: "PRIMARY", calls: done(orders, (*ordersdb.Queries).ConfirmOrders,
			ordersdb.ConfirmOrdersParams{Now: &now, Ids: page[:1]}, ordersdb.ConfirmOrdersParams{Now: &now, Ids: page})},
		"orders.CancelOrders": {key: "PRIMARY", calls: done(orders, (*ordersdb.Queries).CancelOrders,
			ordersdb.CancelOrdersParams{Now: &now, Ids: page[:1]}, ordersdb.CancelOrdersParams{Now: &now, Ids: page})},
		"orders.ListOrderEvents": {key: "PRIMARY", calls: answered(orders, (*ordersdb.Queries).ListOrderEvents,
			ordersdb.ListOrderEventsParams{OrderID: 5, Limit: 21}, ordersdb.ListOrderEventsParams{OrderID: 5, AfterVersion: 1, Limit: 21})},
		"orders.StaleOrders": {key: "orders_by_status", calls: answered(orders, (*ordersdb.Queries).StaleOrders,
			ordersdb.StaleOrdersParams{CreatedBefore: march, AfterTime: time.Unix(0, 0), Limit: 20},
			ordersdb.StaleOrdersParams{CreatedBefore: now, AfterTime: march, AfterID: 5, Limit: 20})},
		"orders.ListOrderLines": {key: "PRIMARY", calls: answered(orders, (*ordersdb.Queries).ListOrderLines, page[:1], page[:20], page)},

		"orders.ListOrders":                    {key: "orders_created", calls: answered(orders, (*ordersdb.Queries).ListOrders, pages...)},
		"orders.ListOrdersByStatus":            {key: "orders_by_status", calls: answered(orders, (*ordersdb.Queries).ListOrdersByStatus, byStatus...)},
		"orders.ListOrdersByCustomer":          {key: "orders_customer", calls: answered(orders, (*ordersdb.Queries).ListOrdersByCustomer, byCustomer...)},
		"orders.ListOrdersByCustomerAndStatus": {key: "orders_customer_status", calls: answered(orders, (*ordersdb.Queries).ListOrdersByCustomerAndStatus, byBoth...)},

		"orders.ListOrdersByProduct": {key: "order_lines_product", calls: answered(orders, (*ordersdb.Queries).ListOrdersByProduct,
			ordersdb.ListOrdersByProductParams{ProductID: 1, BeforeID: math.MaxInt64, CreatedFrom: first, CreatedBefore: last, Pattern: "%", Limit: 21},
			ordersdb.ListOrdersByProductParams{ProductID: 990, BeforeID: 20_000, Status: "CREATED", CreatedFrom: march, CreatedBefore: june, Pattern: search.Pattern(&word), Limit: 21})},
		"orders.OrderOfProductBehind": {key: "order_lines_product", calls: answered(orders, (*ordersdb.Queries).OrderOfProductBehind,
			ordersdb.OrderOfProductBehindParams{ProductID: 1, BeforeID: math.MaxInt64, Offset: 250},
			ordersdb.OrderOfProductBehindParams{ProductID: 990, BeforeID: 20_000, Offset: 58_000})},
		"orders.ListOrdersByUpdate": {key: "orders_updated", calls: answered(orders, (*ordersdb.Queries).ListOrdersByUpdate,
			ordersdb.ListOrdersByUpdateParams{AfterTime: now, UntilTime: last, CreatedFrom: first, CreatedBefore: last, Pattern: "%", Limit: 21},
			ordersdb.ListOrdersByUpdateParams{AfterTime: march, AfterID: 5, UntilTime: june, Status: "CREATED", CustomerID: 1, ProductID: 1, CreatedFrom: first, CreatedBefore: last, Pattern: "%", Limit: 21})},
		"orders.OrderUpdatedBehind": {key: "orders_updated", calls: answered(orders, (*ordersdb.Queries).OrderUpdatedBehind,
			ordersdb.OrderUpdatedBehindParams{AfterTime: first, Offset: 250}, ordersdb.OrderUpdatedBehindParams{AfterTime: march, AfterID: 5, Offset: 58_000})},
		"orders.OldestCreatedOrders": {key: "orders_by_status", calls: answered(orders, (*ordersdb.Queries).OldestCreatedOrders, int32(10))},

		// The reports read all orders of the period, or all products.
		"reports.Sales": {key: "orders_created", calls: answered(orders, (*ordersdb.Queries).Sales,
			ordersdb.SalesParams{PlacedFrom: march, PlacedBefore: march.AddDate(0, 0, 1)}, ordersdb.SalesParams{PlacedFrom: march, PlacedBefore: june, Status: "CREATED"})},
		"reports.SalesByCustomer": {
			key: "orders_created", temporary: "the sums of each customer", sorts: "the customers of the period",
			calls: answered(orders, (*ordersdb.Queries).SalesByCustomer, ordersdb.SalesByCustomerParams{PlacedFrom: march, PlacedBefore: march.AddDate(0, 0, 30), Limit: 20}),
		},
		"reports.SalesByProduct": {
			key: "orders_created", temporary: "the sums of each product",
			calls: answered(orders, (*ordersdb.Queries).SalesByProduct, ordersdb.SalesByProductParams{PlacedFrom: march, PlacedBefore: march.AddDate(0, 0, 30)}),
		},
		"reports.CountByStatus": {key: "orders_created", calls: answered(orders, (*ordersdb.Queries).CountByStatus,
			ordersdb.CountByStatusParams{PlacedFrom: march, PlacedBefore: march.AddDate(0, 0, 1)})},
		"reports.CustomerNames": {key: "PRIMARY", calls: answered(orders, (*ordersdb.Queries).CustomerNames, page[:1], page)},
		"reports.Stock": {small: "it adds up all products", calls: []call{func(ctx context.Context, conn database.Conn) error {
			_, err := orders(conn).Stock(ctx)
			return err
		}}},
		"reports.CountOrders": {key: "orders_by_status", calls: answered(orders, (*ordersdb.Queries).CountOrders,
			ordersdb.CountOrdersParams{Status: "CREATED", PlacedFrom: march, PlacedBefore: june}, ordersdb.CountOrdersParams{Status: "CONFIRMED", PlacedFrom: first, PlacedBefore: march})},
		"reports.OlderOrderBehind": {key: "orders_by_status", calls: answered(orders, (*ordersdb.Queries).OlderOrderBehind,
			ordersdb.OlderOrderBehindParams{Status: "CREATED", PlacedBefore: june, Offset: 9_999})},

		"identity.GetUser":            {key: "PRIMARY", calls: answered(people, (*identitydb.Queries).GetUser, 5)},
		"identity.LockUser":           {key: "PRIMARY", calls: answered(people, (*identitydb.Queries).LockUser, 5)},
		"identity.GetUserByName":      {key: "users_username", calls: answered(people, (*identitydb.Queries).GetUserByName, "user-7")},
		"identity.GetUserBySetup":     {key: "users_setup", calls: answered(people, (*identitydb.Queries).GetUserBySetup, hash(7))},
		"identity.LockUserBySetup":    {key: "users_setup", calls: answered(people, (*identitydb.Queries).LockUserBySetup, hash(7))},
		"identity.CountUsersWithRole": {key: "users_by_role", calls: answered(people, (*identitydb.Queries).CountUsersWithRole, "admin", "viewer")},
		"identity.LockActiveAdmins": {key: "users_by_role", calls: []call{func(ctx context.Context, conn database.Conn) error {
			_, err := people(conn).LockActiveAdmins(ctx)
			return err
		}}},
		"identity.ListUsers":      {key: "PRIMARY", calls: answered(people, (*identitydb.Queries).ListUsers, identitydb.ListUsersParams{Limit: 21}, identitydb.ListUsersParams{AfterID: 500, Limit: 101})},
		"identity.UpdateUser":     {key: "PRIMARY", calls: done(people, (*identitydb.Queries).UpdateUser, identitydb.UpdateUserParams{Name: name, Role: "viewer", State: "active", UpdatedAt: now, ID: 5})},
		"identity.SetSetup":       {key: "PRIMARY", calls: done(people, (*identitydb.Queries).SetSetup, identitydb.SetSetupParams{SetupHash: hash(5), SetupExpiresAt: &now, UpdatedAt: now, ID: 5})},
		"identity.SetPassword":    {key: "PRIMARY", calls: done(people, (*identitydb.Queries).SetPassword, identitydb.SetPasswordParams{PasswordHash: &name, UpdatedAt: now, ID: 5})},
		"identity.RehashPassword": {key: "PRIMARY", calls: done(people, (*identitydb.Queries).RehashPassword, identitydb.RehashPasswordParams{NewHash: &name, OldHash: &word, ID: 5})},
		"identity.RecordLogin":    {key: "PRIMARY", calls: done(people, (*identitydb.Queries).RecordLogin, identitydb.RecordLoginParams{LastLoginAt: &now, ID: 5})},

		"identity.GetSession":          {calls: answered(people, (*identitydb.Queries).GetSession, identitydb.GetSessionParams{Hash: hash(7), Now: march}), key: "user_sessions_hash"},
		"identity.ListSessions":        {key: "user_sessions_user", calls: answered(people, (*identitydb.Queries).ListSessions, identitydb.ListSessionsParams{UserID: 5, Now: march, Limit: 21})},
		"identity.TouchSession":        {key: "PRIMARY", calls: done(people, (*identitydb.Queries).TouchSession, identitydb.TouchSessionParams{UsedAt: now, EndsAt: now, ID: 5})},
		"identity.DeleteSession":       {key: "PRIMARY", calls: answered(people, (*identitydb.Queries).DeleteSession, identitydb.DeleteSessionParams{ID: 5, UserID: 5})},
		"identity.DeleteOtherSessions": {key: "user_sessions_user", calls: answered(people, (*identitydb.Queries).DeleteOtherSessions, identitydb.DeleteOtherSessionsParams{UserID: 5, KeptID: 5})},
		"identity.EndedSessions":       {key: "user_sessions_ends", small: "it reads only the first entries of the index", calls: answered(people, (*identitydb.Queries).EndedSessions, identitydb.EndedSessionsParams{Now: march, Limit: 200})},
		"identity.DeleteEndedSessions": {key: "PRIMARY", calls: answered(people, (*identitydb.Queries).DeleteEndedSessions, identitydb.DeleteEndedSessionsParams{Ids: page[:1], Now: march}, identitydb.DeleteEndedSessionsParams{Ids: page, Now: march})},

		"identity.GetIntegrator":    {key: "PRIMARY", calls: answered(people, (*identitydb.Queries).GetIntegrator, 5)},
		"identity.LockIntegrator":   {key: "PRIMARY", calls: answered(people, (*identitydb.Queries).LockIntegrator, 5)},
		"identity.ListIntegrators":  {key: "PRIMARY", calls: answered(people, (*identitydb.Queries).ListIntegrators, identitydb.ListIntegratorsParams{AfterID: 5, Limit: 21})},
		"identity.UpdateIntegrator": {key: "PRIMARY", calls: done(people, (*identitydb.Queries).UpdateIntegrator, identitydb.UpdateIntegratorParams{Name: name, NameKey: name, Role: "viewer", State: "active", UpdatedAt: now, ID: 5})},
		"identity.GetKey":           {key: "PRIMARY", calls: answered(people, (*identitydb.Queries).GetKey, identitydb.GetKeyParams{ID: 5, IntegratorID: 5})},
		"identity.GetUsableKey":     {key: "PRIMARY", calls: answered(people, (*identitydb.Queries).GetUsableKey, identitydb.GetUsableKeyParams{ID: 5, Now: &now})},
		"identity.ListKeys":         {key: "api_keys_integrator", calls: answered(people, (*identitydb.Queries).ListKeys, identitydb.ListKeysParams{IntegratorID: 5, Limit: 21})},
		"identity.RevokeKey":        {key: "PRIMARY", calls: answered(people, (*identitydb.Queries).RevokeKey, identitydb.RevokeKeyParams{RevokedAt: &now, ID: 5, IntegratorID: 5})},
		"identity.RecordKeyUse":     {key: "PRIMARY", calls: done(people, (*identitydb.Queries).RecordKeyUse, identitydb.RecordKeyUseParams{UsedAt: &now, ID: 5})},

		"identity.ListSigningKeys": {key: "PRIMARY", small: "there are two keys at a time", calls: []call{func(ctx context.Context, conn database.Conn) error {
			_, err := people(conn).ListSigningKeys(ctx)
			return err
		}}},
		"identity.ExpireSigningKeys":        {key: "PRIMARY", calls: done(people, (*identitydb.Queries).ExpireSigningKeys, identitydb.ExpireSigningKeysParams{ExpiresAt: &now, Generation: 5})},
		"identity.DeleteExpiredSigningKeys": {small: "there are two keys at a time", calls: answered(people, (*identitydb.Queries).DeleteExpiredSigningKeys, &now)},

		"identity.ListAudit": {key: "audit_log_created", calls: answered(people, (*identitydb.Queries).ListAudit,
			identitydb.ListAuditParams{CreatedFrom: first, BeforeTime: last, Limit: 21}, identitydb.ListAuditParams{CreatedFrom: march, BeforeTime: june, BeforeID: 20_000, Limit: 101})},
		"identity.ListAuditByActor": {key: "audit_log_actor", calls: answered(people, (*identitydb.Queries).ListAuditByActor,
			identitydb.ListAuditByActorParams{Actor: "user:user-7", CreatedFrom: first, BeforeTime: last, Limit: 21})},
		"identity.ListAuditByAction": {key: "audit_log_action", calls: answered(people, (*identitydb.Queries).ListAuditByAction,
			identitydb.ListAuditByActionParams{Action: "key.created", CreatedFrom: first, BeforeTime: last, Limit: 21})},
		"identity.ListAuditByActorAndAction": {key: "audit_log_actor", calls: answered(people, (*identitydb.Queries).ListAuditByActorAndAction,
			identitydb.ListAuditByActorAndActionParams{Actor: "user:user-7", Action: "key.created", CreatedFrom: first, BeforeTime: last, Limit: 21})},

		// The audit reads all rows, by ranges of the primary key.
		"audit.AuditBounds": {calls: []call{func(ctx context.Context, conn database.Conn) error {
			_, err := orders(conn).AuditBounds(ctx)
			return err
		}}},
		"audit.AuditOrders":  {key: "PRIMARY", calls: answered(orders, (*ordersdb.Queries).AuditOrders, ordersdb.AuditOrdersParams{AfterID: 20_000, LastID: 30_000})},
		"audit.AuditStock":   {key: "PRIMARY", calls: answered(orders, (*ordersdb.Queries).AuditStock, ordersdb.AuditStockParams{LastID: 100})},
		"audit.AuditHistory": {key: "PRIMARY", calls: answered(orders, (*ordersdb.Queries).AuditHistory, ordersdb.AuditHistoryParams{AfterID: 20_000, LastID: 30_000})},
		"audit.AuditSales":   {key: "PRIMARY", calls: answered(orders, (*ordersdb.Queries).AuditSales, ordersdb.AuditSalesParams{AfterID: 20_000, LastID: 30_000})},
		"audit.AuditFirstPlaced": {key: "orders_created", small: "it reads the first entry of the index", calls: []call{func(ctx context.Context, conn database.Conn) error {
			_, err := orders(conn).AuditFirstPlaced(ctx)
			return err
		}}},
		"audit.AuditLastPlaced": {key: "orders_created", small: "it reads the last entry of the index", calls: []call{func(ctx context.Context, conn database.Conn) error {
			_, err := orders(conn).AuditLastPlaced(ctx)
			return err
		}}},
		"audit.AuditTaken": {
			key: "PRIMARY", calls: answered(orders, (*ordersdb.Queries).AuditTaken, ordersdb.AuditTakenParams{AfterID: 20_000, LastID: 30_000}),
			temporary: "it sums the units of 10,000 orders by product",
		},
	}
}

// hash returns the hash of a row that fill adds.
func hash(id int64) []byte {
	sum := sha256.Sum256([]byte(strconv.FormatInt(id, 10)))
	return sum[:]
}

// keyQueries returns the queries of package idempotency, by "table.name".
func keyQueries() map[string]query {
	soon := today().Add(10 * time.Minute) // when some of the keys have expired, as between two sweeps
	all := map[string]query{}
	keys := []string{"key-7", "key-8", "key-9"}
	for table, store := range map[string]idempotency.Store{"customers_idempotency": customersservice.Keys(), "orders_idempotency": ordersservice.Keys()} {
		all[table+".FindKeys"] = query{key: "PRIMARY", calls: []call{func(ctx context.Context, conn database.Conn) error {
			_, err := store.Find(ctx, conn, "user:erp", keys...)
			return err
		}}}
		all[table+".ExpiredKeys"] = query{key: table + "_expires", calls: []call{func(ctx context.Context, conn database.Conn) error {
			_, err := store.Expired(ctx, conn, time.Unix(0, 0), soon, 200)
			return err
		}}}
		all[table+".DropExpiredKeys"] = query{key: "PRIMARY", calls: []call{func(ctx context.Context, conn database.Conn) error {
			_, err := store.DropExpired(ctx, conn, "user:erp", keys, soon)
			return err
		}}}
	}
	return all
}
