package text

import "fmt"

func (spanish) HomeToConfirm() string { return "a confirmar" }
func (spanish) HomeOldest(age string) string {
	if age == "" {
		return "recién hecho"
	}
	return "el más antiguo, " + age
}
func (spanish) HomeToday() string { return "hechos hoy" }
func (spanish) HomeOrders(n int64, written string) string {
	return counted(n, written, "pedido", "pedidos")
}

func (spanish) HomeUnits(n int64, written string) string {
	return counted(n, written, "unidad", "unidades")
}
func (spanish) HomeLow() string                { return "con stock bajo" }
func (spanish) HomeOut(products string) string { return products + " sin stock" }
func (spanish) HomeStockValue() string         { return "valor del stock" }
func (spanish) HomeMissing() string            { return "no se puede leer por ahora" }
func (spanish) HomeAll() string                { return "Ver todos" }

func (spanish) HomeWaiting() string      { return "Los que más esperan confirmación" }
func (spanish) HomeOrder() string        { return "Pedido" }
func (spanish) HomeWaitsFor() string     { return "Espera hace" }
func (spanish) HomeNothingWaits() string { return "Nada para confirmar" }
func (spanish) HomeNothingWaitsHint() string {
	return "Los pedidos nuevos esperan acá hasta que alguien los confirme."
}
func (spanish) HomeLowTitle() string { return "Con stock bajo" }
func (spanish) HomeOfLevel(level string) string {
	return "mínimo " + level
}
func (spanish) HomeNothingLow() string { return "Nada con stock bajo" }
func (spanish) HomeNothingLowHint() string {
	return "Acá aparecen los productos con menos stock que su stock mínimo."
}

func (spanish) HomeChart(days int) string {
	return fmt.Sprintf("Hechos en los últimos %d días", days)
}
func (spanish) HomeChartDesc(value, orders string) string {
	return fmt.Sprintf("%s en %s, una barra por día. Los números están en la tabla de abajo.", value, orders)
}
func (spanish) HomeNumbers() string { return "Números" }
func (spanish) HomeDay() string     { return "Día" }
func (spanish) HomeValue() string   { return "Valor" }

func (spanish) HomeFirst() string         { return "Todavía no hay pedidos" }
func (spanish) HomeFirstHint() string     { return "Tres pasos hasta el primero:" }
func (spanish) HomeFirstProduct() string  { return "Crear un producto" }
func (spanish) HomeFirstCustomer() string { return "Crear un cliente" }
func (spanish) HomeFirstOrder() string    { return "Hacer un pedido" }
func (spanish) HomeDone() string          { return "Hecho" }
func (spanish) HomeNotYourRole() string   { return "(necesita otro rol)" }
