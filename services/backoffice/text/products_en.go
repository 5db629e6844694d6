package text

import (
	"errors"

	"github.com/pedidos-hq/pedidos/services/backoffice/locale"
)

func (english) Product() string { return "Product" }
func (english) SKU() string     { return "SKU" }
func (english) SKUHint() string {
	return "Letters, digits, dots, hyphens and underscores, such as DRILL-18V. It can't be changed later."
}
func (english) Price() string     { return "Price" }
func (english) PriceEach() string { return "Price per unit" }
func (english) PriceHint(currency, example string) string {
	return "Of one unit, in " + currency + ", such as " + example + "."
}
func (english) Stock() string        { return "Stock" }
func (english) StockHint() string    { return "Units in stock now. Leave it empty for none." }
func (english) InStock() string      { return "in stock" }
func (english) ReorderLevel() string { return "Reorder level" }
func (english) ReorderLevelHint() string {
	return "With fewer units in stock, the product is listed as low. With 0, it never is."
}
func (english) NeverLow() string     { return "Never listed as low" }
func (english) ProductState() string { return "State" }
func (english) StockIsLow() string   { return "Low" }
func (english) StockIsOut() string   { return "Out of stock" }
func (english) IsArchived() string   { return "Archived" }

func (english) SearchProducts() string   { return "SKU or name" }
func (english) OnlyLowStock() string     { return "Only low stock" }
func (english) ArchivedProducts() string { return "Archived" }
func (english) ArchivedExcluded() string { return "Hidden" }
func (english) ArchivedIncluded() string { return "Shown" }
func (english) ArchivedOnly() string     { return "Only these" }
func (english) NoProducts() string       { return "No products yet" }
func (english) NoProductsHint() string {
	return "Orders are made of products, with a price and a stock. Create the first one to begin."
}
func (english) NoLowStock() string { return "Nothing is low" }
func (english) NoLowStockHint() string {
	return "Every product has at least as many units as its reorder level."
}
func (english) NoArchived() string { return "No archived products" }
func (english) NoArchivedHint() string {
	return "A product that is not sold any more can be archived on its page."
}

func (english) NewProduct() string      { return "New product" }
func (english) CreateProduct() string   { return "Create product" }
func (english) ProductCreated() string  { return "Product created." }
func (english) EditProduct() string     { return "Edit product" }
func (english) PriceChangeHint() string { return "A new price is for new orders. Orders keep theirs." }

func (english) PriceFault(err error) string {
	switch {
	case errors.Is(err, locale.ErrNoAmount):
		return "Type a price. It may be 0."
	case errors.Is(err, locale.ErrDecimals):
		return "A price has at most two decimals."
	case errors.Is(err, locale.ErrNegativeAmount):
		return "A price can't be negative."
	case errors.Is(err, locale.ErrAmountTooLarge):
		return english{}.PriceTooLarge()
	}
	return "This is not an amount of money. Type it as 1299.50."
}
func (english) PriceTooLarge() string  { return "This price is too large." }
func (english) NotWholeNumber() string { return "Type a whole number, such as 12." }

func (english) Archive() string        { return "Archive" }
func (english) ArchiveProduct() string { return "Archive product" }
func (english) ArchiveHint(name string) string {
	return name + " can't be ordered any more and leaves the lists. Its orders and its stock stay as they are, and it can be restored."
}
func (english) ProductArchived() string { return "Product archived." }
func (english) ArchivedSince(when string) string {
	return "Archived on " + when + ". It can't be ordered."
}
func (english) Restore() string        { return "Restore" }
func (english) RestoreProduct() string { return "Restore product" }
func (english) RestoreHint(name string) string {
	return name + " can be ordered again and comes back to the lists, with its price and stock."
}
func (english) ProductRestored() string { return "Product restored. It can be ordered." }

func (english) AdjustStock() string              { return "Adjust stock" }
func (english) StockAsShown(units string) string { return "In stock: " + units }
func (english) StockHow() string                 { return "What happened?" }
func (english) StockByUnits() string             { return "Units came or went" }
func (english) StockByUnitsHint() string         { return "A delivery, a loss, a return." }
func (english) StockByCount() string             { return "The units were counted" }
func (english) StockByCountHint() string         { return "The count replaces the stock." }
func (english) StockUnits() string               { return "Units" }
func (english) StockUnitsHint() string           { return "+12 adds 12 units, −3 takes 3 away." }
func (english) StockCounted() string             { return "Counted units" }
func (english) StockCountedHint() string         { return "All units in stock." }
func (english) StockReasonHint() string {
	return "It stays in the movements, with your name."
}
func (english) StockReasons() []string {
	return []string{"Delivery", "Stock count", "Damaged", "Returned by a customer", "Own use"}
}
func (english) StockNoUnits() string { return "Type how many units, such as +12 or −3." }
func (english) StockOnly(units string) string {
	return "Only " + units + " in stock."
}
func (english) StockChanged() string { return "Stock saved." }

func (english) Movements() string { return "Movements" }
func (english) MovementsHint() string {
	return "Manual changes. What orders take and give back is not listed here."
}
func (english) MovementWhen() string  { return "When" }
func (english) MovementUnits() string { return "Units" }
func (english) MovementStock() string { return "Stock" }
func (english) MovementWho() string   { return "Who" }
func (english) NoReason() string      { return "No reason given" }
func (english) MovementReason(reason string) string {
	return reason
}
func (english) NoMovements() string { return "No movements yet" }
func (english) NoMovementsHint() string {
	return "Each adjustment of the stock is listed here: who, when, why, and how many units."
}
func (english) NoProductOrders() string { return "No orders of this product yet" }
func (english) NoProductOrdersHint() string {
	return "Orders that have this product are listed here, newest first."
}
