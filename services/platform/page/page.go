// Package page implements the pagination of lists. A cursor is a position in a list, opaque to the client.
package page

import (
	"encoding/base64"
	"math"
	"strconv"
	"strings"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

// Position is a position in a list: the sort keys of the last entry of a page. They must not be negative.
type Position []int64

// Cursor returns the cursor of a position in the list with that name.
func Cursor(list string, at Position) string {
	parts := []string{list}
	for _, n := range at {
		parts = append(parts, strconv.FormatInt(n, 10))
	}
	return base64.RawURLEncoding.EncodeToString([]byte(strings.Join(parts, ":")))
}

// Parse returns the position of a cursor of the list with that name. Positions of the list have size numbers. Parse returns an
// invalid_input error if Cursor can't have returned the cursor for this list.
func Parse(list, cursor string, size int) (Position, error) {
	bad := fault.Invalid(common.FieldError{Field: "cursor", Message: "is not a next_cursor of this list"})
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil {
		return nil, bad
	}
	parts := strings.Split(string(raw), ":")
	if len(parts) != size+1 || parts[0] != list {
		return nil, bad
	}
	at := make(Position, size)
	for i, part := range parts[1:] {
		n, err := strconv.ParseInt(part, 10, 64)
		if err != nil || n < 0 {
			return nil, bad
		}
		at[i] = n
	}
	if Cursor(list, at) != cursor { // such as a number with leading zeros
		return nil, bad
	}
	return at, nil
}

// After returns the id after which a page begins, in a list in ascending order of ids. A nil cursor means the first page.
func After(list string, cursor *string) (id int64, err error) { return single(list, cursor, 0) }

// Before returns the id before which a page begins, in a list in descending order of ids. A nil cursor means the first page.
func Before(list string, cursor *string) (id int64, err error) {
	return single(list, cursor, math.MaxInt64)
}

func single(list string, cursor *string, start int64) (int64, error) {
	if cursor == nil {
		return start, nil
	}
	at, err := Parse(list, *cursor, 1)
	if err != nil {
		return 0, err
	}
	return at[0], nil
}

// Limit returns the maximum number of entries of a page: *limit, or 20 if limit is nil.
func Limit(limit *int32) int32 {
	if limit == nil {
		return 20
	}
	return *limit
}

// Cut returns a page of at most limit entries, and the cursor of the next page, or nil if this is the last one. The caller must have
// read up to limit+1 entries, so that Cut sees whether there are more.
func Cut[T any](entries []T, limit int32, list string, position func(T) Position) ([]T, *common.NextCursor) {
	if len(entries) <= int(limit) {
		return entries, nil
	}
	entries = entries[:limit]
	next := Cursor(list, position(entries[limit-1]))
	return entries, &next
}
