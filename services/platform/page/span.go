package page

import (
	"time"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

// Span returns the times that the filters from and to select: at or after start, and before end. A filter is a day (UTC), or a time
// (RFC 3339); a day as to is included. Without a filter, the span has no practical limit on that side. Span fails with invalid_input
// if a filter is not an existing day or time, or if from is after to.
func Span(from, to *common.DayOrTime) (start, end time.Time, err error) {
	start, end = Limits()
	if from != nil {
		if start, _, err = parseDayOrTime("from", *from); err != nil {
			return start, end, err
		}
	}
	if to != nil {
		day, next, err := parseDayOrTime("to", *to)
		if err != nil {
			return start, end, err
		}
		if from != nil && start.After(day) && !start.Before(next) {
			return start, end, fault.Invalid(common.FieldError{Field: "from", Message: "must not be after to"})
		}
		end = next
	}
	return clamp(ceil(start)), clamp(ceil(end)), nil
}

// Since returns the time at which a filter begins, as Span does for from. Field is the name of the filter.
func Since(field string, since common.DayOrTime) (start time.Time, err error) {
	start, _, err = parseDayOrTime(field, since)
	return clamp(ceil(start)), err
}

// StartOfDay returns the first instant of a day in a time zone. Its clocks may skip midnight, or show it twice. Only the date of day
// counts.
func StartOfDay(day time.Time, zone *time.Location) time.Time {
	y, m, d := day.Date()
	midnight := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	t := time.Date(y, m, d, 0, 0, 0, 0, zone)
	_, offset := t.Zone()
	start, end := t.ZoneBounds()
	switch clock := t.Unix() + int64(offset); {
	case clock < midnight.Unix(): // skipped: t is before the gap
		return end
	case clock > midnight.Unix(): // skipped: t is after the gap
		return start
	case start.IsZero():
		return t
	}
	_, before := start.Add(-time.Second).Zone()
	if first := t.Add(time.Duration(offset-before) * time.Second); first.Before(start) {
		return first
	}
	return t
}

// Limits returns a range of times that both engines can compare.
func Limits() (first, last time.Time) {
	return time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
}

// parseDayOrTime parses a day (UTC), whose end is the start of the next day, or an instant, whose end is the instant itself.
func parseDayOrTime(field, text string) (start, end time.Time, err error) {
	if start, err = time.Parse(time.DateOnly, text); err == nil {
		return start, start.AddDate(0, 0, 1), nil
	}
	if start, err = time.Parse(time.RFC3339, text); err == nil {
		return start, start, nil
	}
	return start, start, fault.Invalid(common.FieldError{
		Field: field, Message: "must be a valid date or RFC 3339 time, such as 2026-01-15 or 2026-01-15T09:30:00Z",
	})
}

func clamp(t time.Time) time.Time {
	switch first, last := Limits(); {
	case t.Before(first):
		return first
	case t.After(last):
		return last
	}
	return t
}

// ceil rounds t up to the precision of the database.
func ceil(t time.Time) time.Time {
	if floor := t.UTC().Truncate(time.Microsecond); !floor.Before(t) {
		return floor
	}
	return t.UTC().Truncate(time.Microsecond).Add(time.Microsecond)
}
