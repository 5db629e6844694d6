package pedidos

import "context"

// Reports calls the reports, which are sums over orders and products. Each is kept for 10 seconds by default; AsOf says when it was made.
type Reports struct{ c *Client }

// Sales adds up the orders of a period by day, product or customer, without the canceled ones.
func (s Reports) Sales(ctx context.Context, query SalesQuery) (SalesReport, error) {
	values, err := encodeQuery(query)
	if err != nil {
		return SalesReport{}, &Error{Operation: reportSales.describe(request{}), Err: err}
	}
	return call[SalesReport](ctx, s.c, reportSales, request{query: values}, nil)
}

// Stock counts the products and adds up their stock, without the archived ones.
func (s Reports) Stock(ctx context.Context) (StockReport, error) {
	return call[StockReport](ctx, s.c, reportStock, request{}, nil)
}

// Orders returns the numbers of orders by status and by age, and the oldest orders with the status CREATED.
func (s Reports) Orders(ctx context.Context) (OrdersReport, error) {
	return call[OrdersReport](ctx, s.c, reportOrders, request{}, nil)
}
