// Package page reads and writes the cursors of lists: positions in the order of a list, opaque to the client.
package page

import (
	"encoding/base64"
	"math"
	"strconv"
	"strings"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

// Position is where a page ended: the sort keys of its last entry.
type Position []int64

// Cursor writes a position in the list of that name.
func Cursor(list string, at Position) string {
	parts := []string{list}
	for _, n := range at {
		parts = append(parts, strconv.FormatInt(n, 10))
	}
	return base64.RawURLEncoding.EncodeToString([]byte(strings.Join(parts, ":")))
}

// Parse reads a cursor of the list of that name, a position of that many numbers. A cursor that Cursor did not write
// gives an invalid_input problem.
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
	if Cursor(list, at) != cursor { // one position, one spelling
		return nil, bad
	}
	return at, nil
}

// After reads the cursor, nil where it is absent, of a list that is ordered by id.
func After(list string, cursor *string) (id int64, err error) { return single(list, cursor, 0) }

// Before is After for a list whose highest id is first.
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

// Limit is the size of a page: the caller's, or 20.
func Limit(limit *int32) int32 {
	if limit == nil {
		return 20
	}
	return *limit
}

// Cut returns the first limit of the entries, which were read with one more than the limit, and the cursor of the next
// page: nil where there is none.
func Cut[T any](entries []T, limit int32, list string, position func(T) Position) ([]T, *common.NextCursor) {
	if len(entries) <= int(limit) {
		return entries, nil
	}
	entries = entries[:limit]
	next := Cursor(list, position(entries[limit-1]))
	return entries, &next
}
