package text

import (
	"fmt"
	"strconv"
)

func (spanish) NewOrder() string             { return "Nuevo pedido" }
func (spanish) Place() string                { return "Hacer el pedido" }
func (spanish) PlaceAndConfirm() string      { return "Hacer y confirmar" }
func (spanish) DraftPlaced() string          { return "Se hizo el pedido. Sus unidades salieron del stock." }
func (spanish) DraftPlacedConfirmed() string { return "Se hizo y se confirmó el pedido." }

func (spanish) DraftCustomer() string { return "Cliente" }
func (spanish) DraftCustomerHint() string {
	return "Escribir una parte del nombre o del correo electrónico."
}
func (spanish) DraftFind() string           { return "Buscar" }
func (spanish) DraftChooseCustomer() string { return "¿Cuál?" }
func (spanish) DraftNoCustomer() string     { return "Elegir el cliente." }
func (spanish) DraftNoCustomerMatches(typed string) string {
	return fmt.Sprintf("Ningún cliente tiene «%s» en el nombre o el correo electrónico.", typed)
}

func (spanish) DraftNoLines() string     { return "Todavía no hay líneas" }
func (spanish) DraftNoLinesHint() string { return "Agregar productos por SKU o nombre, o pegarlos." }
func (spanish) DraftProduct() string     { return "Producto" }
func (spanish) DraftPrice() string       { return "Precio" }
func (spanish) DraftStock() string       { return "Stock" }
func (spanish) DraftUnits() string       { return "Unidades" }
func (spanish) DraftUnitsOf(sku string) string {
	return "Unidades de " + sku
}
func (spanish) DraftSubtotal() string { return "Subtotal" }
func (spanish) DraftTotal() string    { return "Total" }
func (spanish) DraftSummary(lines int, units int64, written string) string {
	return fmt.Sprintf("%s · %s", counted(int64(lines), strconv.Itoa(lines), "línea", "líneas"), counted(units, written, "unidad", "unidades"))
}
func (spanish) DraftTotalUnknown() string { return "Todavía no se sabe" }
func (spanish) DraftRefresh() string      { return "Actualizar precios" }
func (spanish) DraftRemove() string       { return "Quitar" }
func (spanish) DraftRemoveLine(sku string) string {
	return "Quitar " + sku
}

func (spanish) DraftAdd() string           { return "Agregar" }
func (spanish) DraftAddHint() string       { return "SKU o nombre" }
func (spanish) DraftChooseProduct() string { return "¿Cuál?" }
func (spanish) DraftNoProductMatches(typed string) string {
	return fmt.Sprintf("Ningún producto tiene «%s» en el SKU o el nombre.", typed)
}
func (spanish) DraftFull(most int) string {
	return fmt.Sprintf("Un pedido tiene como máximo %d líneas. Hacer este, y el resto en otro.", most)
}
func (spanish) DraftPaste() string { return "Pegar desde una planilla" }
func (spanish) DraftPasteHint() string {
	return "Una línea por producto: el SKU y después las unidades."
}
func (spanish) DraftAddPasted() string { return "Agregar estas líneas" }
func (spanish) DraftAdded(lines int) string {
	return counted(int64(lines), strconv.Itoa(lines), "línea agregada.", "líneas agregadas.")
}
func (spanish) DraftLeft(lines, shown int) string {
	left := counted(int64(lines), strconv.Itoa(lines), "línea sigue", "líneas siguen") + " en el cuadro, para corregir o quitar"
	if lines > shown {
		return fmt.Sprintf("%s. Las primeras %d son:", left, shown)
	}
	return left + ":"
}
func (spanish) DraftPastedLine(line int) string { return fmt.Sprintf("Línea %d", line) }

func (spanish) DraftNoUnits() string { return "Faltan las unidades." }
func (spanish) DraftBadUnits(most string) string {
	return "Las unidades deben ser un número entero de 1 a " + most + "."
}
func (spanish) DraftUnknownSKU(sku string) string {
	return "No hay un producto con el SKU " + sku + "."
}
func (spanish) DraftArchived(sku string) string {
	return sku + " está archivado y no se puede pedir."
}
func (spanish) DraftGone() string              { return "Este producto no existe." }
func (spanish) DraftShort(stock string) string { return "Solo hay " + stock + " en stock." }
func (spanish) DraftOut() string               { return "Sin stock." }
func (spanish) DraftLookAgain() string {
	return "Todavía no se hizo el pedido. Lo escrito se acaba de completar: revisar el pedido y después hacerlo."
}
func (spanish) DraftStale() string {
	return "Los precios, el stock o los clientes no se pueden leer por ahora. No se perdió nada de lo escrito; intentar de nuevo en unos segundos."
}
func (spanish) DraftLeftOut(sku string) string {
	return sku + " está archivado y quedó afuera."
}
func (spanish) DraftCustomerGone(name string) string {
	return name + " ya no es cliente. Elegir otro."
}
func (spanish) DraftFrom(order int64) string {
	return fmt.Sprintf("Completado desde el pedido %d, con los precios de hoy.", order)
}

func (spanish) DraftAddLine() string             { return "Agregar un producto" }
func (spanish) DraftInStock(stock string) string { return stock + " en stock" }
func (spanish) DraftPasteLabel() string          { return "SKU y unidades" }
