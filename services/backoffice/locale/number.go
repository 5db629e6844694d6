package locale

import (
	"errors"
	"strconv"
	"strings"
)

// ErrNotNumber is returned by ParseNumber.
var ErrNotNumber = errors.New("not a whole number")

// ParseNumber reads a whole number as people type it: with or without a sign, and with or without separators of thousands, which must not
// be what stands before decimals in the language. It returns ErrNotNumber for anything else, and for a number that no int64 holds.
func (l Locale) ParseNumber(text string) (int64, error) {
	text, plus := strings.CutPrefix(strings.TrimSpace(text), "+")
	text, negative := cutSign(strings.TrimSpace(text))
	if plus && negative || strings.Contains(text, l.decimal()) {
		return 0, ErrNotNumber
	}
	digits, err := joinThousands(text)
	if err != nil {
		return 0, ErrNotNumber
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0, ErrNotNumber
	}
	if negative {
		n = -n
	}
	return n, nil
}
