package page_test

import (
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/page"
)

func TestSpan(t *testing.T) {
	t.Parallel()
	const first, last = "1970-01-01T00:00:00Z", "9999-01-01T00:00:00Z"
	for _, test := range []struct {
		name       string
		from, to   string // nil if empty
		start, end string
		refused    string // the field of the error
	}{
		{"no filter", "", "", first, last, ""},
		{"one day", "2026-01-15", "2026-01-15", "2026-01-15T00:00:00Z", "2026-01-16T00:00:00Z", ""},
		{"a time excludes itself as to", "", "2026-01-15T12:00:00Z", first, "2026-01-15T12:00:00Z", ""},
		{"an empty span", "2026-01-15T12:00:00Z", "2026-01-15T12:00:00Z", "2026-01-15T12:00:00Z", "2026-01-15T12:00:00Z", ""},
		{"a time on the last day", "2026-01-15T23:00:00Z", "2026-01-15", "2026-01-15T23:00:00Z", "2026-01-16T00:00:00Z", ""},
		{"in another zone", "2026-01-14T21:00:00-03:00", "", "2026-01-15T00:00:00Z", last, ""},
		{"a nanosecond after to", "2026-01-15T12:00:00.000001001Z", "2026-01-15T12:00:00.000001Z", "", "", "from"},
		{"one nanosecond, rounded up", "2026-01-15T12:00:00.000000001Z", "2026-01-15T12:00:00.000002Z", "2026-01-15T12:00:00.000001Z", "2026-01-15T12:00:00.000002Z", ""},
		{"before 1970 and after 9998", "0000-01-01", "9999-12-31", first, last, ""},
		{"from after to", "2026-01-16", "2026-01-15", "", "", "from"},
		{"a time on the day after to", "2026-01-16T00:00:00Z", "2026-01-15", "", "", "from"},
		{"no such day", "2026-02-29", "", "", "", "from"},
		{"no zone", "", "2026-01-15T12:00:00", "", "", "to"},
	} {
		start, end, err := page.Span(given(test.from), given(test.to))
		if test.refused != "" {
			if !fault.Is(err, common.CodeInvalidInput) || fault.From(err).Fields[0].Field != test.refused {
				t.Errorf("%s: got %v, want an error about %s", test.name, err, test.refused)
			}
			continue
		}
		if err != nil || start.Format(time.RFC3339Nano) != test.start || end.Format(time.RFC3339Nano) != test.end {
			t.Errorf("%s: got %s, %s, %v, want %s, %s", test.name, start.Format(time.RFC3339Nano), end.Format(time.RFC3339Nano), err, test.start, test.end)
		}
	}
}

// given returns a parameter, or nil if text is empty.
func given(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
