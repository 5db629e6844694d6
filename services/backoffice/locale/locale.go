// Package locale is a placeholder until the branch with the formats is merged.
package locale

import (
	"fmt"
	"time"
)

type Lang string

const (
	English Lang = "en"
	Spanish Lang = "es"
)

type Locale struct {
	lang  Lang
	zone  *time.Location
	known bool
	cur   string
}

func New(lang Lang, zone *time.Location, currency string) Locale {
	if zone == nil {
		return Locale{lang, time.UTC, false, currency}
	}
	return Locale{lang, zone, true, currency}
}
func Match(accept string) Lang {
	if len(accept) > 1 && accept[:2] == "es" {
		return Spanish
	}
	return English
}
func (l Locale) Lang() Lang                   { return l.lang }
func (l Locale) ZoneName() string             { return l.zone.String() }
func (l Locale) ZoneKnown() bool              { return l.known }
func (l Locale) Money(c int64) string         { return fmt.Sprintf("$%d.%02d", c/100, c%100) }
func (l Locale) Number(n int64) string        { return fmt.Sprint(n) }
func (l Locale) Date(t time.Time) string      { return t.In(l.zone).Format("2 Jan 2006") }
func (l Locale) DateTime(t time.Time) string  { return t.In(l.zone).Format("2 Jan 2006, 15:04") }
func (l Locale) Moment(t, _ time.Time) string { return l.DateTime(t) }
func (l Locale) Age(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.Round(time.Second).String()
}
