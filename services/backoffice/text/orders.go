package text

import "github.com/pedidos-hq/pedidos/gen/orders"

// OrdersTexts has the texts about the lists and pages of orders.
type OrdersTexts interface {
	OrderNumber() string
	OrderStatus() string
	OrderStatusName(status orders.OrderStatus) string
	OrderPlaced() string
	OrderTotal() string
	SelectOrder(id int64) string
	SelectAllOrders() string
}
