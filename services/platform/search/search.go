// Package search implements searches by text. It folds stored texts and search terms in the same way, so that both database engines
// find the same rows.
package search

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"
)

// Fold joins texts with line feeds, and removes differences of case (Unicode case folding) and accents.
func Fold(texts ...string) string {
	folded, _, err := transform.String(
		transform.Chain(norm.NFD, runes.Remove(runes.In(unicode.Mn)), norm.NFC, cases.Fold()),
		strings.Join(texts, "\n"),
	)
	if err != nil { // unreachable: these transformers do not fail
		return strings.ToLower(strings.Join(texts, "\n"))
	}
	return folded
}

// Pattern returns a LIKE pattern, with ESCAPE '!', that matches folded texts that contain text. If text is nil, the pattern matches
// all texts.
func Pattern(text *string) string {
	if text == nil {
		return "%"
	}
	return "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(Fold(*text)) + "%"
}
