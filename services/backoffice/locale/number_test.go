package locale_test

import (
	"errors"
	"math"
	"testing"

	"github.com/pedidos-hq/pedidos/services/backoffice/locale"
)

func TestParseNumber(t *testing.T) {
	t.Parallel()
	en, es := locale.New(locale.English, nil, "USD"), locale.New(locale.Spanish, nil, "USD")
	both := []locale.Locale{en, es}
	for _, test := range []struct {
		in    []locale.Locale
		text  string
		want  int64
		valid bool
	}{
		{both, "0", 0, true},
		{both, " 12 ", 12, true},
		{both, "+12", 12, true},
		{both, "+ 12", 12, true},
		{both, "-3", -3, true},
		{both, "−3", -3, true},
		{both, "1 234", 1234, true},
		{both, "9223372036854775807", math.MaxInt64, true},
		{[]locale.Locale{en}, "1,234,567", 1234567, true},
		{[]locale.Locale{es}, "-1.234", -1234, true},
		{[]locale.Locale{en}, "1.234", 0, false}, // more likely a fraction
		{[]locale.Locale{es}, "1,234", 0, false},
		{both, "", 0, false},
		{both, "+", 0, false},
		{both, "-", 0, false},
		{both, "+-3", 0, false},
		{both, "-+3", 0, false},
		{both, "2.5", 0, false},
		{both, "2,5", 0, false},
		{both, "12.34,567", 0, false},
		{both, "twelve", 0, false},
		{both, "1e3", 0, false},
		{both, "9223372036854775808", 0, false},
	} {
		for _, l := range test.in {
			n, err := l.ParseNumber(test.text)
			if n != test.want || errors.Is(err, locale.ErrNotNumber) == test.valid {
				t.Errorf("%s: %q is read as %d, %v, want %d, valid: %t", l.Lang(), test.text, n, err, test.want, test.valid)
			}
		}
	}
	for _, n := range []int64{0, 7, -7, 1000, 1_000_000_000, -1_234_567} {
		for _, l := range both {
			for _, written := range []string{l.Number(n), l.Delta(n)} {
				if read, err := l.ParseNumber(written); read != n || err != nil {
					t.Errorf("%s: %d is written as %q, and then read as %d, %v", l.Lang(), n, written, read, err)
				}
			}
		}
	}
}
