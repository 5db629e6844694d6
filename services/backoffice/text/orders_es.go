package text

import (
	"fmt"
	"strings"

	"github.com/pedidos-hq/pedidos/gen/orders"
)

func (spanish) OrderNumber() string  { return "Pedido" }
func (spanish) OrderStatus() string  { return "Estado" }
func (spanish) OrderPlaced() string  { return "Fecha" }
func (spanish) OrderTotal() string   { return "Total" }
func (spanish) OrderProduct() string { return "Producto" }

func (spanish) OrderStatusName(status orders.OrderStatus) string {
	switch status {
	case orders.StatusCreated:
		return "Por confirmar"
	case orders.StatusConfirmed:
		return "Confirmado"
	case orders.StatusCanceled:
		return "Cancelado"
	}
	return string(status)
}

func (spanish) SelectOrder(id int64) string { return fmt.Sprintf("Seleccionar el pedido %d", id) }
func (spanish) SelectAllOrders() string     { return "Seleccionar todos" }

func (spanish) SearchOrders() string { return "Número de pedido, SKU o cliente" }
func (spanish) AnyStatus() string    { return "Todos" }
func (spanish) OrdersFrom() string   { return "Desde" }
func (spanish) OrdersTo() string     { return "Hasta" }
func (spanish) NotADay() string {
	return "No es un día. Escribirlo como 2026-01-31, antes del año 9999."
}
func (spanish) NotAnID() string     { return "No es un número válido." }
func (spanish) NotAStatus() string  { return "No existe ese estado." }
func (spanish) BeforeFrom() string  { return "Es anterior al primer día." }
func (spanish) WrongFilter() string { return "El filtro no es válido" }
func (spanish) AddOrder() string    { return "Nuevo pedido" }
func (spanish) NoOrders() string    { return "Todavía no hay pedidos" }
func (spanish) NoOrdersHint() string {
	return "Los pedidos aparecen acá a medida que se hacen, los más nuevos primero."
}

func (spanish) WithSelected() string { return "Con los seleccionados:" }
func (spanish) Confirm() string      { return "Confirmar" }
func (spanish) NoneSelected() string { return "No se seleccionó ningún pedido" }
func (spanish) NoneSelectedHint() string {
	return "No se cambió nada. Marcar las casillas a la izquierda de los pedidos y volver a presionar el botón."
}
func (spanish) BackToOrders() string { return "Volver a los pedidos" }
func (spanish) CancelSelected(n int) string {
	if n == 1 {
		return "Cancelar 1 pedido"
	}
	return fmt.Sprintf("Cancelar %d pedidos", n)
}

func (spanish) OrdersDoneTitle(confirm bool) string {
	if confirm {
		return "Confirmar pedidos"
	}
	return "Cancelar pedidos"
}

func (spanish) OrdersDone(confirm bool, changed, before, refused, unclear int) string {
	done := "cancelado"
	if confirm {
		done = "confirmado"
	}
	var parts []string
	for _, part := range []struct {
		n         int
		one, many string
	}{
		{changed, done, done + "s"},
		{before, "ya estaba " + done, "ya estaban " + done + "s"},
		{refused, "rechazado, sin cambios", "rechazados, sin cambios"},
		{unclear, "sin respuesta", "sin respuesta"},
	} {
		switch {
		case part.n == 1:
			parts = append(parts, "1 "+part.one)
		case part.n > 1:
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.many))
		}
	}
	return strings.Join(parts, " · ")
}

func (spanish) OrderResult() string { return "Resultado" }
func (spanish) OrderDetail() string { return "Qué pasó" }

func (s spanish) AlreadyDone(status orders.OrderStatus) string {
	return "Ya " + strings.ToLower(s.OrderStatusName(status))
}
func (spanish) ResultRefused() string { return "Rechazado" }
func (spanish) ResultUnclear() string { return "Sin respuesta" }
func (spanish) RetryUnclear(n int) string {
	if n == 1 {
		return "Enviar 1 pedido de nuevo"
	}
	return fmt.Sprintf("Enviar %d pedidos de nuevo", n)
}
func (spanish) RetryHint() string { return "Tiene efecto una sola vez." }

func (spanish) OrderTitle(id int64) string  { return fmt.Sprintf("Pedido %d", id) }
func (spanish) PlacedAt(when string) string { return "Hecho el " + when }
func (spanish) OrderConfirmed() string      { return "Se confirmó el pedido." }
func (spanish) OrderCanceled() string {
	return "Se canceló el pedido. Sus unidades volvieron al stock."
}
func (spanish) OrderAgain() string             { return "Pedir de nuevo" }
func (spanish) Print() string                  { return "Imprimir" }
func (spanish) Printed(by, when string) string { return "Impreso por " + by + ", " + when }
func (spanish) LineSKU() string                { return "SKU" }
func (spanish) LineUnits() string              { return "Unidades" }
func (spanish) LinePrice() string              { return "Precio" }
func (spanish) LineSubtotal() string           { return "Subtotal" }
func (spanish) CustomerAsItWas() string        { return "Como era cuando se hizo el pedido." }

func (spanish) CancelOrder() string              { return "Cancelar pedido" }
func (spanish) CancelOrderTitle(id int64) string { return fmt.Sprintf("Cancelar el pedido %d", id) }
func (spanish) CancelHint() string {
	return "Las unidades vuelven al stock. Un pedido cancelado ya no se puede confirmar."
}
func (spanish) CancelUntil(time string) string { return "se puede cancelar hasta las " + time }
func (spanish) Reason() string                 { return "Motivo" }
func (spanish) ReasonHint() string             { return "Queda en el historial del pedido." }
func (spanish) UsualReasons() []string {
	return []string{"El cliente cambió de idea", "Se hizo por error", "Se hizo dos veces", "No se puede entregar"}
}

func (spanish) OrderHistory() string { return "Historial" }
func (spanish) NoHistory() string    { return "Este pedido es anterior al historial." }

func (spanish) OrderEvent(to orders.OrderStatus, who string) string {
	what := string(to)
	switch to {
	case orders.StatusCreated:
		what = "Hecho"
	case orders.StatusConfirmed:
		what = "Confirmado"
	case orders.StatusCanceled:
		what = "Cancelado"
	}
	if who == "" {
		return what
	}
	return what + " por " + who
}

func (spanish) OrderEventSentence(who string, to orders.OrderStatus, when string) string {
	did, happened := "cambió", "cambió"
	switch to {
	case orders.StatusCreated:
		did, happened = "hizo", "se hizo"
	case orders.StatusConfirmed:
		did, happened = "confirmó", "se confirmó"
	case orders.StatusCanceled:
		did, happened = "canceló", "se canceló"
	}
	if who == "" {
		return sentence(happened + " " + when)
	}
	return who + " lo " + did + " " + when + "."
}
func (spanish) At(time string) string        { return "a las " + time }
func (spanish) OnAt(day, time string) string { return "el " + day + " a las " + time }

func (spanish) OrderReason(reason string) string {
	if age, ok := strings.CutPrefix(reason, "not confirmed within "); ok {
		return "no se confirmó en " + age
	}
	return reason
}

func (spanish) Caller(caller string) string {
	kind, name, _ := strings.Cut(caller, ":")
	switch kind {
	case "user":
		return name
	case "integrator":
		return "el integrador " + name
	case "service":
		return "otro servicio"
	case "anonymous":
		return "alguien sin sesión"
	case "sweeper":
		return "el sistema"
	case "seed":
		return "los datos de ejemplo"
	case "start":
		return "el arranque del programa"
	case "command":
		return "la línea de comandos"
	}
	return caller
}

func (spanish) OrderOutdated(change string) string {
	return join("Este pedido cambió desde que se abrió.", change, "No se guardó nada de lo hecho acá; revisarlo de nuevo abajo.")
}

func (spanish) Export() string { return "Exportar CSV" }
func (spanish) ExportHint() string {
	return "Todos los pedidos que muestra el filtro, para una planilla. Cada fila es una línea de un pedido: los subtotales se pueden sumar por producto, cliente o día."
}
func (spanish) ExportName() string { return "pedidos" }
func (spanish) ExportIncomplete() string {
	return "INCOMPLETO: la exportación se cortó acá por un error. Exportar de nuevo."
}

func (spanish) ExportColumns(zone string) []string {
	return []string{
		"Pedido", "Fecha (" + zone + ")", "Estado", "Confirmado (" + zone + ")", "Cancelado (" + zone + ")", "Motivo",
		"Número de cliente", "Cliente", "Correo electrónico", "SKU", "Producto", "Unidades", "Precio", "Subtotal",
	}
}
