package locale

import (
	"errors"
	"strconv"
	"strings"
)

// MaxCents is the largest amount in cents that the contracts allow.
const MaxCents = 1<<53 - 1

// The errors of ParseMoney.
var (
	ErrNoAmount       = errors.New("no amount")
	ErrNotAmount      = errors.New("not an amount of money")
	ErrDecimals       = errors.New("more than two decimals")
	ErrNegativeAmount = errors.New("a negative amount")
	ErrAmountTooLarge = errors.New("a larger amount than MaxCents")
)

// ParseMoney reads an amount of money as people type it, and returns cents: with or without the currency, and with a point or a comma
// before the decimals. If there is only one of them, with three digits behind it, the language decides whether these are thousands. It
// returns ErrNoAmount, ErrNotAmount, ErrDecimals, ErrNegativeAmount or ErrAmountTooLarge.
func (l Locale) ParseMoney(text string) (cents int64, err error) {
	text, minusBefore := cutSign(strings.TrimSpace(text))
	text, minusAfter := cutSign(l.cutCurrency(text))
	if text == "" {
		return 0, ErrNoAmount
	}
	whole, decimals, err := l.splitDecimals(text)
	if err != nil {
		return 0, err
	}
	if whole, err = joinThousands(whole); err != nil {
		return 0, err
	}
	if minusBefore || minusAfter {
		return 0, ErrNegativeAmount
	}
	cents, err = strconv.ParseInt(whole+(decimals + "00")[:2], 10, 64)
	if err != nil || cents > MaxCents { // the digits are valid
		return 0, ErrAmountTooLarge
	}
	return cents, nil
}

func cutSign(text string) (string, bool) {
	for _, sign := range []string{"-", minus} {
		if rest, ok := strings.CutPrefix(text, sign); ok {
			return strings.TrimSpace(rest), true
		}
	}
	return text, false
}

// cutCurrency removes the currency before or behind an amount.
func (l Locale) cutCurrency(text string) string {
	for _, name := range []string{l.symbol, l.code, strings.ToLower(l.code), "$"} {
		if rest, ok := strings.CutPrefix(text, name); ok {
			return strings.TrimSpace(rest)
		}
		if rest, ok := strings.CutSuffix(text, name); ok {
			return strings.TrimSpace(rest)
		}
	}
	return text
}

// splitDecimals splits an amount before its decimals, of which there are at most two.
func (l Locale) splitDecimals(text string) (whole, decimals string, err error) {
	at := strings.LastIndexAny(text, ".,")
	if at < 0 {
		return text, "", nil
	}
	separator, before, after := text[at:at+1], text[:at], text[at+1:]
	several := strings.Contains(before, separator)
	alone := !strings.ContainsAny(before, ".,")
	if several || alone && len(after) == 3 && separator != l.decimal() { // thousands
		return text, "", nil
	}
	if before == "" { // .50
		before = "0"
	}
	switch {
	case after == "" || !isDigits(after):
		return "", "", ErrNotAmount
	case len(after) > 2:
		return "", "", ErrDecimals
	}
	return before, after, nil
}

// joinThousands removes the separators of thousands, which must all be the same.
func joinThousands(text string) (string, error) {
	for _, separator := range []string{".", ",", " ", "\u00a0", "\u202f"} {
		groups := strings.Split(text, separator)
		if len(groups) == 1 {
			continue
		}
		for i, group := range groups {
			if i > 0 && len(group) != 3 || i == 0 && (len(group) < 1 || len(group) > 3 || group[0] == '0') {
				return "", ErrNotAmount
			}
		}
		text = strings.Join(groups, "")
		break
	}
	if !isDigits(text) {
		return "", ErrNotAmount
	}
	return text, nil
}

func isDigits(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }
