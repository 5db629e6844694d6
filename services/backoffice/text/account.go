package text

// AccountTexts has the texts about the own account.
type AccountTexts interface{}
