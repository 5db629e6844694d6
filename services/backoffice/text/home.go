package text

// HomeTexts has the texts about the home page.
type HomeTexts interface{}
