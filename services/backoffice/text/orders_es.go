package text

import (
	"fmt"

	"github.com/pedidos-hq/pedidos/gen/orders"
)

func (spanish) OrderNumber() string { return "Pedido" }
func (spanish) OrderStatus() string { return "Estado" }
func (spanish) OrderPlaced() string { return "Hecho" }
func (spanish) OrderTotal() string  { return "Total" }

func (spanish) OrderStatusName(status orders.OrderStatus) string {
	switch status {
	case orders.StatusCreated:
		return "A confirmar"
	case orders.StatusConfirmed:
		return "Confirmado"
	case orders.StatusCanceled:
		return "Cancelado"
	}
	return string(status)
}

func (spanish) SelectOrder(id int64) string { return fmt.Sprintf("Seleccionar el pedido %d", id) }
func (spanish) SelectAllOrders() string     { return "Seleccionar todos" }
