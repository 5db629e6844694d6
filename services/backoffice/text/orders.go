package text

// OrdersTexts has the texts about the lists and pages of orders.
type OrdersTexts interface{}
