package common

import (
	"fmt"
	"time"
)

// timeLayout is RFC 3339 with exactly six digits: what the database keeps is what the client reads.
const timeLayout = "2006-01-02T15:04:05.000000Z"

// Time is an instant in UTC, in JSON always with microseconds.
type Time struct{ time.Time }

// NullableTime is the type behind a *NullableTime, which is nil where the instant has not come.
type NullableTime = Time

// MarshalJSON writes the instant as RFC 3339 in UTC with six digits of a second.
func (t Time) MarshalJSON() ([]byte, error) {
	return t.UTC().AppendFormat(make([]byte, 0, len(timeLayout)+2), `"`+timeLayout+`"`), nil
}

// UnmarshalJSON reads an RFC 3339 instant.
func (t *Time) UnmarshalJSON(data []byte) error {
	if err := t.Time.UnmarshalJSON(data); err != nil {
		return fmt.Errorf("not an RFC 3339 time: %w", err)
	}
	return nil
}
