// Package search makes text comparable: what is stored beside a name and what a person types into a search field are
// folded the same way, so that both database engines find the same rows.
package search

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"
)

// Fold takes case (Unicode case folding) and accents away from texts and joins them with line feeds.
func Fold(texts ...string) string {
	folded, _, err := transform.String(
		transform.Chain(norm.NFD, runes.Remove(runes.In(unicode.Mn)), norm.NFC, cases.Fold()),
		strings.Join(texts, "\n"),
	)
	if err != nil { // no transformer of the chain fails
		return strings.ToLower(strings.Join(texts, "\n"))
	}
	return folded
}

// Pattern is the LIKE pattern, with ESCAPE '!', of folded texts that contain text; all texts where it is nil.
func Pattern(text *string) string {
	if text == nil {
		return "%"
	}
	return "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(Fold(*text)) + "%"
}
