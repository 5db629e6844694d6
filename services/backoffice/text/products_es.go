package text

import (
	"errors"

	"github.com/pedidos-hq/pedidos/services/backoffice/locale"
)

func (spanish) Product() string { return "Producto" }
func (spanish) SKU() string     { return "SKU" }
func (spanish) SKUHint() string {
	return "Letras, dígitos, puntos, guiones y guiones bajos, como DRILL-18V. No se puede cambiar después."
}
func (spanish) Price() string     { return "Precio" }
func (spanish) PriceEach() string { return "Precio por unidad" }
func (spanish) PriceHint(currency, example string) string {
	return "De una unidad, en " + currency + ", como " + example + "."
}
func (spanish) Stock() string        { return "Stock" }
func (spanish) StockHint() string    { return "Unidades que hay ahora. Vacío: ninguna." }
func (spanish) InStock() string      { return "en stock" }
func (spanish) ReorderLevel() string { return "Stock mínimo" }
func (spanish) ReorderLevelHint() string {
	return "Con menos unidades que estas, el producto aparece con stock bajo. 0: nunca."
}
func (spanish) NeverLow() string     { return "Sin aviso de stock bajo" }
func (spanish) ProductState() string { return "Estado" }
func (spanish) StockIsLow() string   { return "Stock bajo" }
func (spanish) StockIsOut() string   { return "Sin stock" }
func (spanish) IsArchived() string   { return "Archivado" }

func (spanish) SearchProducts() string   { return "SKU o nombre" }
func (spanish) OnlyLowStock() string     { return "Solo stock bajo" }
func (spanish) ArchivedProducts() string { return "Archivados" }
func (spanish) ArchivedExcluded() string { return "Ocultos" }
func (spanish) ArchivedIncluded() string { return "Incluidos" }
func (spanish) ArchivedOnly() string     { return "Solo estos" }
func (spanish) NoProducts() string       { return "Todavía no hay productos" }
func (spanish) NoProductsHint() string {
	return "Los pedidos se hacen con productos, que tienen precio y stock. Crear el primero para empezar."
}
func (spanish) NoLowStock() string { return "Nada tiene stock bajo" }
func (spanish) NoLowStockHint() string {
	return "Todos los productos tienen al menos su stock mínimo."
}
func (spanish) NoArchived() string { return "No hay productos archivados" }
func (spanish) NoArchivedHint() string {
	return "Un producto que ya no se vende se puede archivar en su página."
}

func (spanish) NewProduct() string     { return "Nuevo producto" }
func (spanish) CreateProduct() string  { return "Crear producto" }
func (spanish) ProductCreated() string { return "Se creó el producto." }
func (spanish) EditProduct() string    { return "Editar producto" }
func (spanish) PriceChangeHint() string {
	return "Un precio nuevo vale para los pedidos nuevos. Los anteriores conservan el suyo."
}

func (spanish) PriceFault(err error) string {
	switch {
	case errors.Is(err, locale.ErrNoAmount):
		return "Escribir un precio. Puede ser 0."
	case errors.Is(err, locale.ErrDecimals):
		return "Un precio tiene como máximo dos decimales."
	case errors.Is(err, locale.ErrNegativeAmount):
		return "Un precio no puede ser negativo."
	case errors.Is(err, locale.ErrAmountTooLarge):
		return spanish{}.PriceTooLarge()
	}
	return "No es un importe. Escribirlo como 1299,50."
}
func (spanish) PriceTooLarge() string  { return "Este precio es demasiado grande." }
func (spanish) NotWholeNumber() string { return "Escribir un número entero, como 12." }

func (spanish) Archive() string        { return "Archivar" }
func (spanish) ArchiveProduct() string { return "Archivar producto" }
func (spanish) ArchiveHint(name string) string {
	return name + " ya no se puede pedir y sale de las listas. Sus pedidos y su stock quedan como están, y se puede restaurar."
}
func (spanish) ProductArchived() string { return "Se archivó el producto." }
func (spanish) ArchivedSince(when string) string {
	return "Archivado el " + when + ". No se puede pedir; sus pedidos lo conservan."
}
func (spanish) Restore() string        { return "Restaurar" }
func (spanish) RestoreProduct() string { return "Restaurar producto" }
func (spanish) RestoreHint(name string) string {
	return name + " se puede pedir de nuevo y vuelve a las listas, con su precio y su stock."
}
func (spanish) ProductRestored() string { return "Se restauró el producto. Se puede pedir." }

func (spanish) AdjustStock() string              { return "Ajustar stock" }
func (spanish) StockAsShown(units string) string { return "En stock: " + units }
func (spanish) StockHow() string                 { return "¿Qué pasó?" }
func (spanish) StockByUnits() string             { return "Entraron o salieron unidades" }
func (spanish) StockByUnitsHint() string         { return "Una entrega, una pérdida, una devolución." }
func (spanish) StockByCount() string             { return "Se contaron las unidades" }
func (spanish) StockByCountHint() string         { return "El recuento reemplaza al stock." }
func (spanish) StockUnits() string               { return "Unidades" }
func (spanish) StockUnitsHint() string           { return "+12 suma 12 unidades, −3 resta 3." }
func (spanish) StockCounted() string             { return "Unidades contadas" }
func (spanish) StockCountedHint() string         { return "Las que hay ahora." }
func (spanish) StockReasonHint() string {
	return "Queda en los movimientos, con el nombre de quien lo hace."
}
func (spanish) StockReasons() []string {
	return []string{"Entrega", "Recuento", "Rotura", "Devolución de un cliente", "Uso propio"}
}
func (spanish) StockNoUnits() string { return "Escribir cuántas unidades, como +12 o −3." }
func (spanish) StockOnly(units string) string {
	return "Solo hay " + units + " en stock."
}
func (spanish) StockChanged() string { return "Se guardó el stock." }

func (spanish) Movements() string { return "Movimientos" }
func (spanish) MovementsHint() string {
	return "Cambios a mano. Lo que toman y devuelven los pedidos está en los pedidos."
}
func (spanish) MovementWhen() string  { return "Fecha" }
func (spanish) MovementUnits() string { return "Unidades" }
func (spanish) MovementStock() string { return "Stock" }
func (spanish) MovementWho() string   { return "Quién" }
func (spanish) NoReason() string      { return "Sin motivo" }
func (spanish) MovementReason(reason string) string {
	if reason == "first stock" {
		return "stock inicial"
	}
	return reason
}
func (spanish) NoMovements() string { return "Todavía no hay movimientos" }
func (spanish) NoMovementsHint() string {
	return "Cada ajuste del stock aparece acá: quién, cuándo, por qué y cuántas unidades."
}
func (spanish) NoProductOrders() string { return "Todavía no hay pedidos de este producto" }
func (spanish) NoProductOrdersHint() string {
	return "Los pedidos que llevan este producto aparecen acá, los más nuevos primero."
}
