package text

// ProductsTexts has the texts about products and stock.
type ProductsTexts interface {
	Product() string
	SKU() string
	SKUHint() string
	Price() string
	PriceEach() string
	PriceHint(currency, example string) string
	Stock() string
	StockHint() string
	InStock() string
	ReorderLevel() string
	ReorderLevelHint() string
	NeverLow() string
	ProductState() string
	StockIsLow() string
	StockIsOut() string
	IsArchived() string

	SearchProducts() string
	OnlyLowStock() string
	ArchivedProducts() string
	ArchivedExcluded() string
	ArchivedIncluded() string
	ArchivedOnly() string
	NoProducts() string
	NoProductsHint() string
	NoLowStock() string
	NoLowStockHint() string
	NoArchived() string
	NoArchivedHint() string

	NewProduct() string
	CreateProduct() string
	ProductCreated() string
	EditProduct() string
	PriceChangeHint() string

	// PriceFault says what is wrong with a price, given an error of Locale.ParseMoney.
	PriceFault(err error) string
	PriceTooLarge() string
	NotWholeNumber() string

	Archive() string
	ArchiveProduct() string
	ArchiveHint(name string) string
	ProductArchived() string
	ArchivedSince(when string) string
	Restore() string
	RestoreProduct() string
	RestoreHint(name string) string
	ProductRestored() string

	AdjustStock() string
	StockAsShown(units string) string
	StockHow() string
	StockByUnits() string
	StockByUnitsHint() string
	StockByCount() string
	StockByCountHint() string
	StockUnits() string
	StockUnitsHint() string
	StockCounted() string
	StockCountedHint() string
	StockReasonHint() string
	StockReasons() []string
	StockNoUnits() string
	StockOnly(units string) string
	StockChanged() string

	Movements() string
	MovementsHint() string
	MovementWhen() string
	MovementUnits() string
	MovementStock() string
	MovementWho() string
	NoReason() string

	// MovementReason translates the reason of a change of stock, if the system gave it. It returns what a person typed as it is.
	MovementReason(reason string) string
	NoMovements() string
	NoMovementsHint() string
	NoProductOrders() string
	NoProductOrdersHint() string
}
