package page_test

import (
	"encoding/base64"
	"math"
	"slices"
	"testing"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/page"
)

func TestCursorAndParse(t *testing.T) {
	t.Parallel()
	for _, at := range []page.Position{{}, {0}, {1}, {7, 42}, {math.MaxInt64, 0, 1}} {
		cursor := page.Cursor("orders", at)
		got, err := page.Parse("orders", cursor, len(at))
		if err != nil || !slices.Equal(got, at) {
			t.Errorf("Parse(Cursor(%v)) = %v, %v", at, got, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	raw := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	for _, test := range []struct {
		name, cursor string
		size         int
	}{
		{"empty", "", 1},
		{"empty, of no numbers", "", 0},
		{"not base64", "!!!!", 1},
		{"padded", base64.URLEncoding.EncodeToString([]byte("orders:7")), 1},
		{"unnecessary padding", raw("orders:42") + "=", 1},
		{"the other base64 alphabet", base64.RawStdEncoding.EncodeToString([]byte("orders:7\xfb\xff")), 1},
		{"trailing bits", raw("orders:7")[:10] + "d", 1},
		{"line feed inside", raw("orders:42")[:4] + "\n" + raw("orders:42")[4:], 1},
		{"blank before", " " + raw("orders:42"), 1},
		{"another list", raw("products:7"), 1},
		{"list in another case", raw("Orders:7"), 1},
		{"list alone", raw("orders"), 1},
		{"too short", raw("orders:7"), 2},
		{"too long", raw("orders:7:8"), 1},
		{"missing number", raw("orders:"), 1},
		{"negative", raw("orders:-7"), 1},
		{"minus zero", raw("orders:-0"), 1},
		{"plus sign", raw("orders:+7"), 1},
		{"leading zero", raw("orders:07"), 1},
		{"underscore", raw("orders:1_0"), 1},
		{"hexadecimal", raw("orders:0x7"), 1},
		{"fraction", raw("orders:7.0"), 1},
		{"other digits", raw("orders:٧"), 1},
		{"blank in the number", raw("orders: 7"), 1},
		{"above int64", raw("orders:9223372036854775808"), 1},
		{"plain text", "orders:7", 1},
	} {
		at, err := page.Parse("orders", test.cursor, test.size)
		if at != nil || !isInvalid(err) {
			t.Errorf("%s: Parse = %v, %v, want invalid_input about cursor", test.name, at, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, at := range []page.Position{{}, {0}, {7}, {7, 42}, {math.MaxInt64, 1, 2}} {
		f.Add("orders", page.Cursor("orders", at), len(at))
	}
	f.Add("orders", "b3JkZXJzOjA3", 1) // orders:07
	f.Add("orders", "b3JkZXJzOi03", 1) // orders:-7
	f.Add("", "OjE", 1)                // :1
	f.Add("a:b", "YTpiOjE", 1)         // a:b:1
	f.Fuzz(func(t *testing.T, list, cursor string, size int) {
		if size < 0 || size > 8 {
			t.Skip() // the size is never from a client
		}
		at, err := page.Parse(list, cursor, size)
		if err != nil {
			if !isInvalid(err) {
				t.Errorf("Parse(%q, %q, %d): %v, want invalid_input", list, cursor, size, err)
			}
			return
		}
		if len(at) != size || slices.ContainsFunc(at, func(n int64) bool { return n < 0 }) {
			t.Errorf("Parse(%q, %q, %d) = %v", list, cursor, size, at)
		}
		if again := page.Cursor(list, at); again != cursor {
			t.Errorf("Parse(%q, %q, %d) = %v, whose cursor is %q", list, cursor, size, at, again)
		}
	})
}

func TestAfter(t *testing.T) {
	t.Parallel()
	if id, err := page.After("products", nil); id != 0 || err != nil {
		t.Errorf("After(nil) = %d, %v, want the start", id, err)
	}
	cursor := page.Cursor("products", page.Position{42})
	if id, err := page.After("products", &cursor); id != 42 || err != nil {
		t.Errorf("After = %d, %v, want 42", id, err)
	}
	if id, err := page.After("customers", &cursor); id != 0 || !isInvalid(err) {
		t.Errorf("After of another list = %d, %v, want invalid_input", id, err)
	}
}

func TestLimit(t *testing.T) {
	t.Parallel()
	if got := page.Limit(nil); got != 20 {
		t.Errorf("Limit(nil) = %d, want 20", got)
	}
	if got := page.Limit(new(int32(100))); got != 100 {
		t.Errorf("Limit(100) = %d", got)
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		entries []int64
		limit   int32
		want    []int64
		next    string // cursor of the next page
	}{
		{"none", []int64{}, 2, []int64{}, ""},
		{"below the limit", []int64{3}, 2, []int64{3}, ""},
		{"at the limit", []int64{3, 5}, 2, []int64{3, 5}, ""},
		{"above the limit", []int64{3, 5, 8}, 2, []int64{3, 5}, page.Cursor("products", page.Position{5})},
		{"above the limit of one", []int64{3, 5}, 1, []int64{3}, page.Cursor("products", page.Position{3})},
	} {
		got, next := page.Cut(test.entries, test.limit, "products", func(id int64) page.Position { return page.Position{id} })
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: entries %v, want %v", test.name, got, test.want)
		}
		if (next == nil) != (test.next == "") || (next != nil && *next != test.next) {
			t.Errorf("%s: next %v, want %q", test.name, next, test.next)
		}
	}
}

func isInvalid(err error) bool {
	e := fault.From(err)
	return e.Code == common.CodeInvalidInput && len(e.Fields) == 1 && e.Fields[0].Field == "cursor"
}
