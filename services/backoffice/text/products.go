package text

// ProductsTexts has the texts about products and stock.
type ProductsTexts interface{}
