package text

import (
	"fmt"
	"strconv"
)

func (english) NewOrder() string             { return "New order" }
func (english) Place() string                { return "Place order" }
func (english) PlaceAndConfirm() string      { return "Place and confirm" }
func (english) DraftPlaced() string          { return "Order placed. Its units are taken from stock." }
func (english) DraftPlacedConfirmed() string { return "Order placed and confirmed." }

func (english) DraftCustomer() string       { return "Customer" }
func (english) DraftCustomerHint() string   { return "Type a part of the name or the e-mail address." }
func (english) DraftFind() string           { return "Find" }
func (english) DraftChooseCustomer() string { return "Which one?" }
func (english) DraftNoCustomer() string     { return "Choose the customer." }
func (english) DraftNoCustomerMatches(typed string) string {
	return fmt.Sprintf("No customer has “%s” in the name or the e-mail address.", typed)
}

func (english) DraftNoLines() string     { return "No lines yet" }
func (english) DraftNoLinesHint() string { return "Add products by SKU or name, or paste them." }
func (english) DraftProduct() string     { return "Product" }
func (english) DraftPrice() string       { return "Price" }
func (english) DraftStock() string       { return "Stock" }
func (english) DraftUnits() string       { return "Units" }
func (english) DraftUnitsOf(sku string) string {
	return "Units of " + sku
}
func (english) DraftSubtotal() string { return "Subtotal" }
func (english) DraftTotal() string    { return "Total" }
func (english) DraftSummary(lines int, units int64, written string) string {
	return fmt.Sprintf("%s · %s", counted(int64(lines), strconv.Itoa(lines), "line", "lines"), counted(units, written, "unit", "units"))
}
func (english) DraftTotalUnknown() string { return "Not known yet" }
func (english) DraftRefresh() string      { return "Update prices" }
func (english) DraftRemove() string       { return "Remove" }
func (english) DraftRemoveLine(sku string) string {
	return "Remove " + sku
}

func (english) DraftAdd() string           { return "Add" }
func (english) DraftAddHint() string       { return "SKU or name" }
func (english) DraftChooseProduct() string { return "Which one?" }
func (english) DraftNoProductMatches(typed string) string {
	return fmt.Sprintf("No product has “%s” in its SKU or name.", typed)
}
func (english) DraftFull(most int) string {
	return fmt.Sprintf("An order has at most %d lines. Place this one, and the rest in another.", most)
}
func (english) DraftPaste() string     { return "Paste from a spreadsheet" }
func (english) DraftPasteHint() string { return "One line per product: its SKU, then the units." }
func (english) DraftAddPasted() string { return "Add these lines" }
func (english) DraftAdded(lines int) string {
	return counted(int64(lines), strconv.Itoa(lines), "line", "lines") + " added."
}
func (english) DraftLeft(lines, shown int) string {
	left := counted(int64(lines), strconv.Itoa(lines), "line is", "lines are") + " still in the box. Correct or remove"
	if lines > shown {
		return fmt.Sprintf("%s them. The first %d are:", left, shown)
	}
	return left + ":"
}
func (english) DraftPastedLine(line int) string { return fmt.Sprintf("Line %d", line) }

func (english) DraftNoUnits() string { return "The units are missing." }
func (english) DraftBadUnits(most string) string {
	return "The units must be a whole number from 1 to " + most + "."
}
func (english) DraftUnknownSKU(sku string) string {
	return "There is no product with the SKU " + sku + "."
}
func (english) DraftArchived(sku string) string {
	return sku + " is archived and can't be ordered."
}
func (english) DraftGone() string              { return "This product does not exist." }
func (english) DraftShort(stock string) string { return "Only " + stock + " in stock." }
func (english) DraftOut() string               { return "None in stock." }
func (english) DraftLookAgain() string {
	return "The order is not placed yet. What you typed was added: check the order, then place it."
}
func (english) DraftStale() string {
	return "Prices, stock or customers can't be read right now. Nothing you typed is lost; try again in a few seconds."
}
func (english) DraftLeftOut(sku string) string {
	return sku + " is archived and was left out."
}
func (english) DraftCustomerGone(name string) string {
	return name + " is not a customer any more. Choose another one."
}
func (english) DraftFrom(order int64) string {
	return fmt.Sprintf("Filled in from order %d, at today’s prices.", order)
}

func (english) DraftAddLine() string             { return "Add a product" }
func (english) DraftInStock(stock string) string { return stock + " in stock" }
func (english) DraftPasteLabel() string          { return "SKUs and units" }
