package locale_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/services/backoffice/locale"
)

// plain replaces the spaces that do not break.
func plain(text string) string { return strings.ReplaceAll(text, "\u00a0", " ") }

func TestMoney(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		lang     locale.Lang
		currency string
		cents    int64
		want     string
	}{
		{locale.English, "USD", 0, "$0.00"},
		{locale.English, "USD", 5, "$0.05"},
		{locale.English, "USD", 123450, "$1,234.50"},
		{locale.English, "USD", -123450, "−$1,234.50"},
		{locale.English, "EUR", 99999, "€999.99"},
		{locale.English, "ARS", 123450, "ARS 1,234.50"}, // $ is another currency in English
		{locale.English, "JPY", 100, "¥1.00"},           // amounts are hundredths of every currency
		{locale.English, "USD", math.MaxInt64, "$92,233,720,368,547,758.07"},
		{locale.English, "USD", math.MinInt64, "−$92,233,720,368,547,758.08"},
		{locale.Spanish, "USD", 0, "US$ 0,00"},
		{locale.Spanish, "USD", 100000, "US$ 1.000,00"},
		{locale.Spanish, "USD", 123450, "US$ 1.234,50"},
		{locale.Spanish, "UYU", -7, "−UYU 0,07"},
		{locale.Spanish, "EUR", 100000000, "€ 1.000.000,00"},
		{locale.Spanish, "EUR", math.MaxInt64, "€ 92.233.720.368.547.758,07"},
	} {
		if got := plain(locale.New(test.lang, nil, test.currency).Money(test.cents)); got != test.want {
			t.Errorf("%s: %d cents of %s are %q, want %q", test.lang, test.cents, test.currency, got, test.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	en, es := locale.New(locale.English, nil, "USD"), locale.New(locale.Spanish, nil, "USD")
	for _, test := range []struct{ what, got, want string }{
		{"0", en.Number(0), "0"},
		{"a thousand", en.Number(1000), "1,000"},
		{"a thousand in Spanish", es.Number(1000), "1.000"},
		{"a negative number", es.Number(-1234567), "−1.234.567"},
		{"the smallest number", en.Number(math.MinInt64), "−9,223,372,036,854,775,808"},
		{"a rise", en.Delta(12), "+12"},
		{"a fall", en.Delta(-3), "−3"},
		{"no difference", en.Delta(0), "0"},
		{"a large rise in Spanish", es.Delta(12345), "+12.345"},
		{"an amount", es.Amount(123450), "1.234,50"},
	} {
		if test.got != test.want {
			t.Errorf("%s is %q, want %q", test.what, test.got, test.want)
		}
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	zone := func(name string) *time.Location {
		z, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		return z
	}
	montevideo, auckland := zone("America/Montevideo"), zone("Pacific/Auckland")
	now := time.Date(2026, 11, 24, 15, 0, 0, 0, time.UTC) // 12:00 in Montevideo, 04:00 of the next day in Auckland
	utc := func(year int, month time.Month, day, hour, minute int) time.Time {
		return time.Date(year, month, day, hour, minute, 0, 0, time.UTC)
	}
	for _, test := range []struct {
		lang   locale.Lang
		zone   *time.Location
		at     time.Time
		moment string
		full   string
	}{
		{locale.English, montevideo, utc(2026, 11, 24, 12, 14), "today, 09:14", "24 Nov 2026, 09:14"},
		{locale.Spanish, montevideo, utc(2026, 11, 24, 12, 14), "hoy, 09:14", "24 nov 2026, 09:14"},
		{locale.English, montevideo, utc(2026, 11, 24, 2, 59), "yesterday, 23:59", "23 Nov 2026, 23:59"}, // today in UTC
		{locale.Spanish, montevideo, utc(2026, 11, 23, 3, 0), "ayer, 00:00", "23 nov 2026, 00:00"},
		{locale.English, montevideo, utc(2026, 11, 23, 2, 59), "22 Nov, 23:59", "22 Nov 2026, 23:59"},
		{locale.English, auckland, utc(2026, 11, 24, 12, 14), "today, 01:14", "25 Nov 2026, 01:14"},
		{locale.English, montevideo, utc(2026, 11, 25, 12, 0), "25 Nov, 09:00", "25 Nov 2026, 09:00"}, // tomorrow
		{locale.English, montevideo, utc(2025, 11, 24, 12, 14), "24 Nov 2025, 09:14", "24 Nov 2025, 09:14"},
		{locale.Spanish, montevideo, utc(2025, 8, 1, 12, 0), "1 ago 2025, 09:00", "1 ago 2025, 09:00"},
		{locale.English, nil, utc(2026, 11, 24, 9, 14), "today, 09:14 UTC", "24 Nov 2026, 09:14 UTC"},
		{locale.Spanish, nil, utc(2026, 1, 3, 9, 14), "3 ene, 09:14 UTC", "3 ene 2026, 09:14 UTC"},
	} {
		l := locale.New(test.lang, test.zone, "USD")
		if got := l.Moment(test.at, now); got != test.moment {
			t.Errorf("%s, %s: the moment %s is %q, want %q", test.lang, l.Location().String(), test.at, got, test.moment)
		}
		if got := l.DateTime(test.at); got != test.full {
			t.Errorf("%s, %s: the time %s is %q, want %q", test.lang, l.Location().String(), test.at, got, test.full)
		}
		if got := l.Date(test.at) + ", " + l.Time(test.at); got != test.full {
			t.Errorf("%s, %s: the day and the time %s are %q, want %q", test.lang, l.Location().String(), test.at, got, test.full)
		}
	}
	first := utc(2026, 1, 1, 12, 0) // the day before is in another year
	if got := locale.New(locale.English, montevideo, "USD").Moment(first.Add(-24*time.Hour), first); got != "yesterday, 09:00" {
		t.Errorf("the last day of a year is %q on the next", got)
	}
}

func TestZone(t *testing.T) {
	t.Parallel()
	unknown, known := locale.New(locale.English, nil, "USD"), locale.New(locale.English, time.UTC, "USD")
	if unknown.ZoneKnown() || unknown.Zone() != "UTC" || unknown.Location().String() != "UTC" {
		t.Errorf("without a zone: known %v, %q, %q", unknown.ZoneKnown(), unknown.Zone(), unknown.Location().String())
	}
	if !known.ZoneKnown() || known.Zone() != "" || known.Location().String() != "UTC" {
		t.Errorf("somebody in UTC: known %v, %q, %q", known.ZoneKnown(), known.Zone(), known.Location().String())
	}
}

func TestAge(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "", -time.Hour: "", time.Millisecond: "1 s", 40 * time.Second: "40 s", time.Minute: "1 min", 59*time.Minute + 59*time.Second: "59 min",
		3 * time.Hour: "3 h", 23*time.Hour + 59*time.Minute: "23 h", 24 * time.Hour: "1 d", 50 * time.Hour: "2 d", 2000 * 24 * time.Hour: "2,000 d",
	} {
		if got := plain(locale.New(locale.English, nil, "USD").Age(d)); got != want {
			t.Errorf("the age %s is %q, want %q", d, got, want)
		}
	}
}

func TestParseMoney(t *testing.T) {
	t.Parallel()
	en, es := locale.New(locale.English, nil, "USD"), locale.New(locale.Spanish, nil, "USD")
	both := []locale.Locale{en, es}
	for _, test := range []struct {
		in    []locale.Locale
		text  string
		cents int64
		err   error
	}{
		{both, "0", 0, nil},
		{both, "12", 1200, nil},
		{both, " 12 ", 1200, nil},
		{both, "1234.5", 123450, nil},
		{both, "1234,5", 123450, nil},
		{both, "1,234.50", 123450, nil},
		{both, "1.234,50", 123450, nil},
		{both, "1.234.567", 123456700, nil},
		{both, "1 234,50", 123450, nil},
		{both, "1\u00a0234", 123400, nil},
		{both, ".5", 50, nil},
		{both, "007", 700, nil},
		{both, "$ 12", 1200, nil},
		{both, "$12.00", 1200, nil},
		{both, "USD 12", 1200, nil},
		{both, "12 usd", 1200, nil},
		{[]locale.Locale{es}, "US$ 1.234,50", 123450, nil},
		{[]locale.Locale{en}, "1,234", 123400, nil},
		{[]locale.Locale{es}, "1.234", 123400, nil},
		{[]locale.Locale{en}, "1.234", 0, locale.ErrDecimals},
		{[]locale.Locale{es}, "1,234", 0, locale.ErrDecimals},
		{both, "90071992547409.91", locale.MaxCents, nil},

		{both, "", 0, locale.ErrNoAmount},
		{both, "  ", 0, locale.ErrNoAmount},
		{both, "$", 0, locale.ErrNoAmount},
		{both, "-", 0, locale.ErrNoAmount},
		{both, "twelve", 0, locale.ErrNotAmount},
		{both, "12.", 0, locale.ErrNotAmount},
		{both, ".", 0, locale.ErrNotAmount},
		{both, "1e3", 0, locale.ErrNotAmount},
		{both, "0x10", 0, locale.ErrNotAmount},
		{both, "+5", 0, locale.ErrNotAmount},
		{both, "1_000", 0, locale.ErrNotAmount},
		{both, "١٢", 0, locale.ErrNotAmount},
		{both, "12 34", 0, locale.ErrNotAmount},
		{both, "1,23,456", 0, locale.ErrNotAmount},
		{both, "1.234.56", 0, locale.ErrNotAmount},
		{both, "1,234,567.8.9", 0, locale.ErrNotAmount},
		{both, "1.234 567,00", 0, locale.ErrNotAmount},
		{[]locale.Locale{en}, "0,123", 0, locale.ErrNotAmount},
		{both, "12 EUR", 0, locale.ErrNotAmount},
		{both, "1.005,123", 0, locale.ErrDecimals},
		{[]locale.Locale{en}, "0.001", 0, locale.ErrDecimals},
		{[]locale.Locale{es}, "0.001", 0, locale.ErrNotAmount},
		{both, "-5", 0, locale.ErrNegativeAmount},
		{both, "−5,00", 0, locale.ErrNegativeAmount},
		{both, "$ -5", 0, locale.ErrNegativeAmount},
		{both, "-$5", 0, locale.ErrNegativeAmount},
		{both, "-x", 0, locale.ErrNotAmount},
		{both, "90071992547409.92", 0, locale.ErrAmountTooLarge},
		{both, strings.Repeat("9", 400), 0, locale.ErrAmountTooLarge},
	} {
		for _, l := range test.in {
			if cents, err := l.ParseMoney(test.text); cents != test.cents || !errors.Is(err, test.err) {
				t.Errorf("%s: %q is read as %d, %v, want %d, %v", l.Lang(), test.text, cents, err, test.cents, test.err)
			}
		}
	}
}

func FuzzParseMoney(f *testing.F) {
	for _, text := range []string{"", "12", "1.234,50", "$ 1,234.5", "-1", "1 234", ".5", "US$ 0,07"} {
		f.Add(text, int64(len(text))*123_457)
	}
	f.Fuzz(func(t *testing.T, text string, cents int64) {
		for _, lang := range []locale.Lang{locale.English, locale.Spanish} {
			for _, currency := range []string{"USD", "EUR", "UYU"} {
				l := locale.New(lang, nil, currency)
				if read, err := l.ParseMoney(text); err == nil {
					if read < 0 || read > locale.MaxCents {
						t.Errorf("%q is read as %d", text, read)
					}
					if again, err := l.ParseMoney(l.Money(read)); again != read || err != nil {
						t.Errorf("%q is read as %d, written as %q, and then read as %d, %v", text, read, l.Money(read), again, err)
					}
				}
				if cents < 0 || cents > locale.MaxCents {
					continue
				}
				for _, written := range []string{l.Money(cents), l.Amount(cents)} {
					if read, err := l.ParseMoney(written); read != cents || err != nil {
						t.Errorf("%d is written as %q, and then read as %d, %v", cents, written, read, err)
					}
				}
			}
		}
	})
}

func TestMatch(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]locale.Lang{
		"":                          locale.English,
		"es":                        locale.Spanish,
		"es-UY,es;q=0.9,en;q=0.8":   locale.Spanish,
		"en-GB,en;q=0.9,es;q=0.8":   locale.English,
		"en;q=0.1,es;q=0.2":         locale.Spanish,
		"pt-BR,pt;q=0.9,es-419;q=1": locale.Spanish,
		"fr":                        locale.English,
		"*":                         locale.English,
		"es;;;":                     locale.English,
	} {
		if got := locale.Match(header); got != want {
			t.Errorf("%.40q matches %s, want %s", header, got, want)
		}
	}
}
