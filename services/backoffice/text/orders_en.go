package text

import (
	"fmt"

	"github.com/pedidos-hq/pedidos/gen/orders"
)

func (english) OrderNumber() string { return "Order" }
func (english) OrderStatus() string { return "Status" }
func (english) OrderPlaced() string { return "Placed" }
func (english) OrderTotal() string  { return "Total" }

func (english) OrderStatusName(status orders.OrderStatus) string {
	switch status {
	case orders.StatusCreated:
		return "To confirm"
	case orders.StatusConfirmed:
		return "Confirmed"
	case orders.StatusCanceled:
		return "Canceled"
	}
	return string(status)
}

func (english) SelectOrder(id int64) string { return fmt.Sprintf("Select order %d", id) }
func (english) SelectAllOrders() string     { return "Select all" }
