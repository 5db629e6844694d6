// Package locale writes money, numbers and times for one reader, and reads the money that they type.
package locale

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // the system may have no time zones

	"golang.org/x/text/currency"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"
)

// Lang is a language of the backoffice, as in the attribute lang of HTML.
type Lang string

// The languages.
const (
	English Lang = "en"
	Spanish Lang = "es"
)

var matcher = language.NewMatcher([]language.Tag{language.English, language.Spanish})

// Match returns the language that suits an Accept-Language header best, or English.
func Match(acceptLanguage string) Lang {
	tags, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if _, best, _ := matcher.Match(tags...); err == nil && best == 1 {
		return Spanish
	}
	return English
}

// Locale writes for a reader with a language and a time zone.
type Locale struct {
	lang    Lang
	zone    *time.Location
	known   bool
	code    string // of the currency
	symbol  string
	printer *message.Printer
}

// New returns the locale of a reader. A nil zone is unknown: times are then in UTC, and say so. money is the currency of all amounts, a
// code of ISO 4217.
func New(lang Lang, zone *time.Location, money string) Locale {
	l := Locale{lang: lang, zone: cmp.Or(zone, time.UTC), known: zone != nil, code: money, symbol: money, printer: message.NewPrinter(language.Make(string(lang)))}
	if unit, err := currency.ParseISO(money); err == nil {
		l.symbol = l.printer.Sprint(currency.Symbol(unit)) // the code, where the symbol may be taken for that of another currency
	}
	return l
}

// Lang returns the language.
func (l Locale) Lang() Lang { return l.lang }

// Location returns the time zone. Its name is that of the IANA database, such as America/Montevideo.
func (l Locale) Location() *time.Location { return l.zone }

// ZoneKnown reports whether the time zone is the reader's.
func (l Locale) ZoneKnown() bool { return l.known }

// Zone returns what stands beside times: UTC if the reader's time zone is unknown, and otherwise nothing.
func (l Locale) Zone() string {
	if l.known {
		return ""
	}
	return "UTC"
}

const minus = "\u2212"

// Number writes a number with separators of thousands, such as 12,345.
func (l Locale) Number(n int64) string {
	if n < 0 {
		return minus + l.digits(magnitude(n))
	}
	return l.digits(uint64(n))
}

// Delta writes a difference with its sign, such as +12.
func (l Locale) Delta(n int64) string {
	if n > 0 {
		return "+" + l.Number(n)
	}
	return l.Number(n)
}

func (l Locale) digits(n uint64) string { return l.printer.Sprint(number.Decimal(n)) }

// magnitude returns n without its sign. The smallest int64 has no negative.
func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// Amount writes an amount in cents without its currency, such as 1,234.50. ParseMoney reads it.
func (l Locale) Amount(cents int64) string {
	sign := ""
	if cents < 0 {
		sign = minus
	}
	n := magnitude(cents)
	return fmt.Sprintf("%s%s%s%02d", sign, l.digits(n/100), l.decimal(), n%100)
}

// Money writes an amount in cents with its currency, such as $1,234.50.
func (l Locale) Money(cents int64) string {
	amount, negative := strings.CutPrefix(l.Amount(cents), minus)
	space := "\u00a0"
	if l.lang == English && !strings.HasSuffix(l.symbol, l.code) { // a symbol stands close, and a code apart
		space = ""
	}
	if negative {
		return minus + l.symbol + space + amount
	}
	return l.symbol + space + amount
}

// Currency returns the symbol of the currency, or its code.
func (l Locale) Currency() string { return l.symbol }

// decimal returns what stands before the cents.
func (l Locale) decimal() string {
	if l.lang == Spanish {
		return ","
	}
	return "."
}

// Date writes a day, such as 3 Nov 2026.
func (l Locale) Date(t time.Time) string {
	t = t.In(l.zone)
	return l.day(t) + " " + strconv.Itoa(t.Year())
}

// Time writes the time of a day, such as 09:14.
func (l Locale) Time(t time.Time) string {
	return strings.TrimSpace(t.In(l.zone).Format("15:04") + " " + l.Zone())
}

// DateTime writes a day and a time, such as "3 Nov 2026, 09:14".
func (l Locale) DateTime(t time.Time) string { return l.Date(t) + ", " + l.Time(t) }

// Moment writes a day as seen from now, and a time: "today, 09:14", "yesterday, 17:40", "3 Nov, 09:14", or with the year if it is another.
func (l Locale) Moment(t, now time.Time) string {
	t, now = t.In(l.zone), now.In(l.zone)
	day := l.day(t)
	switch {
	case sameDay(t, now):
		day = l.either("today", "hoy")
	case sameDay(t, now.AddDate(0, 0, -1)):
		day = l.either("yesterday", "ayer")
	case t.Year() != now.Year():
		day = l.Date(t)
	}
	return day + ", " + l.Time(t)
}

func sameDay(a, b time.Time) bool { return a.Year() == b.Year() && a.YearDay() == b.YearDay() }

func (l Locale) day(t time.Time) string {
	const english, spanish = "JanFebMarAprMayJunJulAugSepOctNovDec", "enefebmarabrmayjunjulagosepoctnovdic"
	at := 3 * (int(t.Month()) - 1)
	return fmt.Sprintf("%d %s", t.Day(), l.either(english, spanish)[at:at+3])
}

// Day writes a day of the calendar in the form of ISO 8601, such as 2026-11-03, without its year: "3 Nov".
func (l Locale) Day(date string) string {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return date
	}
	return l.day(t)
}

func (l Locale) either(english, spanish string) string {
	if l.lang == Spanish {
		return spanish
	}
	return english
}

// Age writes a duration in the largest unit that it fills, such as "40 s", "5 min", "3 h" or "2 d". It is empty unless the duration is
// positive.
func (l Locale) Age(d time.Duration) string {
	switch {
	case d <= 0:
		return ""
	case d < time.Second:
		return "1\u00a0s"
	case d < time.Minute:
		return fmt.Sprintf("%d\u00a0s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d\u00a0min", int(d.Minutes()))
	case d < 24*time.Hour:
		return fmt.Sprintf("%d\u00a0h", int(d.Hours()))
	}
	return l.Number(int64(d/(24*time.Hour))) + "\u00a0d"
}
