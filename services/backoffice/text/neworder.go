package text

// NewOrderTexts has the texts about new orders.
type NewOrderTexts interface {
	NewOrder() string
	Place() string
	PlaceAndConfirm() string
	DraftPlaced() string
	DraftPlacedConfirmed() string

	DraftCustomer() string
	DraftCustomerHint() string
	DraftFind() string
	DraftChooseCustomer() string
	DraftNoCustomer() string
	DraftNoCustomerMatches(typed string) string

	DraftNoLines() string
	DraftNoLinesHint() string
	DraftProduct() string
	DraftPrice() string
	DraftStock() string
	DraftUnits() string
	DraftUnitsOf(sku string) string
	DraftSubtotal() string
	DraftTotal() string
	DraftSummary(lines int, units int64, written string) string
	DraftTotalUnknown() string
	DraftRefresh() string
	DraftRemove() string
	DraftRemoveLine(sku string) string

	DraftAdd() string
	DraftAddLine() string
	DraftInStock(stock string) string
	DraftAddHint() string
	DraftChooseProduct() string
	DraftNoProductMatches(typed string) string
	DraftFull(most int) string
	DraftPaste() string
	DraftPasteLabel() string
	DraftPasteHint() string
	DraftAddPasted() string
	DraftAdded(lines int) string

	// DraftLeft says how many pasted lines are left, of which the first are shown.
	DraftLeft(lines, shown int) string
	DraftPastedLine(line int) string

	DraftNoUnits() string
	DraftBadUnits(most string) string
	DraftUnknownSKU(sku string) string
	DraftArchived(sku string) string
	DraftGone() string
	DraftShort(stock string) string
	DraftOut() string

	DraftLookAgain() string
	DraftStale() string
	DraftLeftOut(sku string) string
	DraftCustomerGone(name string) string
	DraftFrom(order int64) string
}

// counted returns a written number and the noun in singular or plural.
func counted(n int64, written, one, many string) string {
	if n == 1 {
		return written + " " + one
	}
	return written + " " + many
}
