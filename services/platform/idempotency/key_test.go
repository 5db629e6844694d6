package idempotency_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/idempotency"
)

func TestParseKey(t *testing.T) {
	t.Parallel()
	longest := strings.Repeat("k", 255)
	for _, test := range []struct {
		name          string
		header, alias *string
		want          string // the key
		fault         string // the header at fault, and what is wrong with it
	}{
		{"neither", nil, nil, "", ""},

		{"bare", new("abc-1"), nil, "abc-1", ""},
		{"quoted", new(`"abc-1"`), nil, "abc-1", ""},
		{"blanks around", new("  abc-1 "), nil, "abc-1", ""},
		{"blanks around quotes", new(` "abc-1" `), nil, "abc-1", ""},
		{"escapes", new(`"a\"b\\c"`), nil, `a"b\c`, ""},
		{"bare, with what is escaped in quotes", new(`a"b\c`), nil, `a"b\c`, ""},
		{"every visible character at the ends", new("!~"), nil, "!~", ""},
		{"one character", new("x"), nil, "x", ""},
		{"255 characters", new(longest), nil, longest, ""},
		{"255 quoted characters", new(`"` + longest + `"`), nil, longest, ""},
		{"255 characters, escaped", new(`"` + strings.Repeat(`\"`, 255) + `"`), nil, strings.Repeat(`"`, 255), ""},

		{"alias alone", nil, new("abc-1"), "abc-1", ""},
		{"alias alone, quoted", nil, new(`"abc-1"`), "abc-1", ""},
		{"both the same", new("abc-1"), new("abc-1"), "abc-1", ""},
		{"both the same, in two spellings", new("abc-1"), new(` "abc-1"`), "abc-1", ""},
		{"both the same, escaped in one", new(`"a\"b"`), new(`a"b`), `a"b`, ""},
		{"both differ", new("abc-1"), new("abc-2"), "", "X-Idempotency-Key differs from Idempotency-Key"},
		{"both differ by case", new("abc"), new("ABC"), "", "X-Idempotency-Key differs from Idempotency-Key"},

		{"empty", new(""), nil, "", "Idempotency-Key must have 1 to 255 characters"},
		{"blank", new("   "), nil, "", "Idempotency-Key must have 1 to 255 characters"},
		{"empty quotes", new(`""`), nil, "", "Idempotency-Key must have 1 to 255 characters"},
		{"256 characters", new(longest + "k"), nil, "", "Idempotency-Key must have 1 to 255 characters"},
		{"256 quoted characters", new(`"` + longest + `k"`), nil, "", "Idempotency-Key must have 1 to 255 characters"},
		{"empty alias beside a good key", new("abc"), new(""), "", "X-Idempotency-Key must have 1 to 255 characters"},
		{"empty alias alone", nil, new(""), "", "X-Idempotency-Key must have 1 to 255 characters"},
		{"bad key beside a good alias", new(""), new("abc"), "", "Idempotency-Key must have 1 to 255 characters"},

		{"blank inside", new("a b"), nil, "", "Idempotency-Key must contain only visible ASCII characters"},
		{"blank inside quotes", new(`"a b"`), nil, "", "Idempotency-Key must contain only visible ASCII characters"},
		{"blank at the edge of quotes", new(`" ab"`), nil, "", "Idempotency-Key must contain only visible ASCII characters"},
		{"tab", new("a\tb"), nil, "", "Idempotency-Key must contain only visible ASCII characters"},
		{"tab before", new("\tab"), nil, "", "Idempotency-Key must contain only visible ASCII characters"},
		{"line feed", new("a\nb"), nil, "", "Idempotency-Key must contain only visible ASCII characters"},
		{"NUL", new("a\x00b"), nil, "", "Idempotency-Key must contain only visible ASCII characters"},
		{"DEL", new("a\x7fb"), nil, "", "Idempotency-Key must contain only visible ASCII characters"},
		{"non-ASCII", new("año"), nil, "", "Idempotency-Key must contain only visible ASCII characters"},
		{"not UTF-8", new("a\xffb"), nil, "", "Idempotency-Key must contain only visible ASCII characters"},

		{"unclosed quote", new(`"abc`), nil, "", "Idempotency-Key has no closing quote"},
		{"quote alone", new(`"`), nil, "", "Idempotency-Key has no closing quote"},
		{"closing quote escaped", new(`"abc\"`), nil, "", "Idempotency-Key has no closing quote"},
		{"text after the closing quote", new(`"abc"d`), nil, "", "Idempotency-Key has text after its closing quote"},
		{"parameter after the closing quote", new(`"abc";a=1`), nil, "", "Idempotency-Key has text after its closing quote"},
		{"two strings", new(`"abc", "def"`), nil, "", "Idempotency-Key has text after its closing quote"},
		{"another escape", new(`"a\nb"`), nil, "", `Idempotency-Key may escape only \" and \\`},
		{"escape at the end", new(`"abc\`), nil, "", `Idempotency-Key may escape only \" and \\`},
	} {
		key, err := idempotency.ParseKey(test.header, test.alias)
		if key != test.want || faultOf(err) != test.fault {
			t.Errorf("%s: ParseKey = %q, %v, want %q, %q", test.name, key, err, test.want, test.fault)
		}
	}
}

func FuzzParseKey(f *testing.F) {
	for _, value := range []string{
		"", "abc-1", `"abc-1"`, ` "a\"b\\c" `, `a"b\c`, `"`, `""`, `"\`, `"a"b`, "a b", "a\x7f", "año", "\\", `\"`, `"\"`,
		strings.Repeat("k", 255), strings.Repeat("k", 256), `"` + strings.Repeat(`\\`, 255) + `"`,
	} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		key, err := idempotency.ParseKey(&value, nil)
		if err != nil {
			if !strings.HasPrefix(faultOf(err), "Idempotency-Key ") || key != "" {
				t.Errorf("ParseKey(%q) = %q, %v, want no key and an error about one field", value, key, err)
			}
			return
		}
		if len(key) < 1 || len(key) > 255 || strings.ContainsFunc(key, func(c rune) bool { return c < '!' || c > '~' }) {
			t.Errorf("ParseKey(%q) = %q, which is not a key", value, key)
		}
		quoted := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(key) + `"` // RFC 9651, 4.1.6
		if again, err := idempotency.ParseKey(&quoted, &value); err != nil || again != key {
			t.Errorf("ParseKey(%q) = %q, but quoted as %q it is %q, %v", value, key, quoted, again, err)
		}
	})
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	type line struct {
		ProductID int64 `json:"product_id"`
		Qty       int64 `json:"qty"`
	}
	type order struct {
		CustomerID int64   `json:"customer_id"`
		Items      []line  `json:"items"`
		Note       *string `json:"note,omitempty"`
	}
	of := func(method, path string, body any) []byte {
		t.Helper()
		sum, err := idempotency.Fingerprint(method, path, body)
		if err != nil || len(sum) != 32 {
			t.Fatalf("Fingerprint = %x, %v", sum, err)
		}
		return sum
	}
	first := of("POST", "/orders", order{1, []line{{2, 3}}, nil})
	if again := of("POST", "/orders", order{1, []line{{2, 3}}, nil}); !bytes.Equal(first, again) {
		t.Error("the same request has two fingerprints")
	}
	for name, other := range map[string][]byte{
		"method":          of("PUT", "/orders", order{1, []line{{2, 3}}, nil}),
		"path":            of("POST", "/orders/1", order{1, []line{{2, 3}}, nil}),
		"customer":        of("POST", "/orders", order{2, []line{{2, 3}}, nil}),
		"quantity":        of("POST", "/orders", order{1, []line{{2, 4}}, nil}),
		"number of lines": of("POST", "/orders", order{1, []line{{2, 3}, {4, 5}}, nil}),
		"empty note":      of("POST", "/orders", order{1, []line{{2, 3}}, new("")}),
		"no body":         of("POST", "/orders", nil),
		"split":           of("POST/", "orders", order{1, []line{{2, 3}}, nil}),
	} {
		if bytes.Equal(first, other) {
			t.Errorf("another %s has the same fingerprint", name)
		}
	}
	if sum, err := idempotency.Fingerprint("POST", "/orders", math.NaN()); err == nil {
		t.Errorf("Fingerprint of a value that JSON can't represent = %x", sum)
	}
}

// faultOf returns the header at fault and what is wrong with it, or "" if err is nil.
func faultOf(err error) string {
	if err == nil {
		return ""
	}
	e := fault.From(err)
	if e.Code != common.CodeInvalidInput || len(e.Fields) != 1 {
		return "not about one field: " + err.Error()
	}
	return e.Fields[0].Field + " " + e.Fields[0].Message
}
