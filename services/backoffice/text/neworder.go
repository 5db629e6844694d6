package text

// NewOrderTexts has the texts about new orders.
type NewOrderTexts interface{}
