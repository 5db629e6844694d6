package requests

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"pgregory.net/rapid"
)

// variant is a value to send in place of a valid one. A missing value is absent from the request.
type variant struct {
	what    string
	value   json.RawMessage
	missing bool
}

func raw(what, value string) variant { return variant{what: what, value: json.RawMessage(value)} }

func text(what, value string) variant {
	encoded, err := json.Marshal(value)
	if err != nil {
		panic(err) // a string always has an encoding
	}
	return variant{what: what, value: encoded}
}

// variants returns values for a schema: at and around each bound, of other types, odd, and none.
func variants(name string, s *openapi3.Schema) []variant {
	all := []variant{
		{what: "missing", missing: true},
		raw("null", "null"), raw("a boolean", "true"), text("a text", backwards(name)), text("an empty text", ""),
		raw("a number", "7"), raw("a fraction", "0.5"), raw("an exponent", "1e2"), raw("a huge number", "1e400"),
		raw("an array", "[]"), raw("an array of arrays", "[[[1]]]"), raw("an object", "{}"), raw("an object with a member", `{"x":1}`),
	}
	switch {
	case s.Type.Is(openapi3.TypeInteger):
		for _, bound := range []*float64{s.Min, s.Max} {
			if bound == nil {
				continue
			}
			exact, _ := big.NewFloat(*bound).Int(nil)
			for _, by := range []int64{-1, 0, 1} {
				n := new(big.Int).Add(exact, big.NewInt(by))
				all = append(all, raw(fmt.Sprintf("a bound %+d", by), n.String()))
			}
		}
		for _, odd := range []string{
			"0", "-0", "-1", "1.0", "9223372036854775807", "9223372036854775808", "-9223372036854775809", "18446744073709551617",
		} {
			all = append(all, raw(odd, odd))
		}
		all = append(all, text("digits", "1"), text("a plus sign", "+1"), text("a leading zero", "01"), text("digits of another script", "١"))
	case s.Type.Is(openapi3.TypeString):
		for _, length := range lengths(s) {
			all = append(all, text(fmt.Sprint(length, " characters"), fit(name, s, length)))
		}
		for _, odd := range odds {
			all = append(all, text("odd text within", backwards(name)+odd+backwards(name)))
			if !slices.Contains(secrets, name) {
				all = append(all, text("odd text", odd))
			}
		}
		all = append(all, raw("half a surrogate pair", `"\ud800"`), raw("escapes", `"\u0061\/\u0062"`))
		for _, one := range s.Enum {
			if word, ok := one.(string); ok {
				all = append(all, text("a value", word), text("a value in another case", swapCase(word)), text("a value and a blank", word+" "))
			}
		}
	case s.Type.Is(openapi3.TypeBoolean):
		all = append(all, raw("false", "false"), text("the word true", "true"), text("the word TRUE", "TRUE"), raw("one", "1"))
	case s.Type.Is(openapi3.TypeArray):
		least, most := int(s.MinItems), int(*s.MaxItems)
		for _, n := range []int{least - 1, least, least + 1, most - 1, most, most + 1} {
			encoded, err := json.Marshal(slices.Repeat([]any{simple(name, s.Items.Value)}, max(n, 0)))
			if err != nil {
				panic(err) // it has texts and numbers only
			}
			all = append(all, variant{what: fmt.Sprint(n, " items"), value: encoded})
		}
	}
	return all
}

// simple returns a valid value for a schema.
func simple(name string, s *openapi3.Schema) any {
	switch {
	case s.Type.Is(openapi3.TypeInteger):
		return int64(*s.Min)
	case s.Type.Is(openapi3.TypeObject):
		o := map[string]any{}
		for _, member := range s.Required {
			o[member] = simple(member, s.Properties[member].Value)
		}
		return o
	}
	return fit(name, s, max(int(s.MinLength), 1))
}

// pick draws an element. Each is as likely as the others; rapid's own generators prefer the first ones.
func pick[E any](t *rapid.T, label string, all []E) E {
	const bits = 16
	n := 0
	for range bits {
		n <<= 1
		if rapid.Bool().Draw(t, label+" (a bit)") {
			n++
		}
	}
	return all[n*len(all)>>bits]
}

// odds are texts that programs often fail at.
var odds = []string{
	"\x00", "\x1f", "\x7f", "\u0085", "\u00a0", "\u2028", "\ufeff", "\ufffd", "\U0010ffff", "\u202ea\u202c", "e\u0301",
	"😀", "👨\u200d👩\u200d👧", "ß", "İ", "ﷺ", " ", "\t", "\r\n", "\\", `'`, `"`, "`", "%", "_", "%00", "%2f", "../", "../etc/passwd",
	"' OR 1=1 --", "<script>", "{{1}}", "${1}", "null", "NaN", "-", "Local",
	"0000-00-00", "0000-01-01", "2026-02-30", "2026-01-15T24:00:00Z", "9999-12-31T23:59:59.999999999Z",
}

// lengths returns the bounds of a text, and the numbers of characters around them.
func lengths(s *openapi3.Schema) (all []int) {
	bounds := []int{int(s.MinLength)}
	if s.MaxLength != nil {
		bounds = append(bounds, int(*s.MaxLength))
	}
	for _, bound := range bounds {
		for _, n := range []int{bound - 1, bound, bound + 1} {
			if n >= 0 && !slices.Contains(all, n) {
				all = append(all, n)
			}
		}
	}
	return all
}

// backwards returns the letters and digits of a name in reverse. Texts begin with it, so that those of different fields differ: the world
// checks that secrets occur nowhere else.
func backwards(name string) string {
	letters := []rune(regexp.MustCompile(`[^a-z0-9]`).ReplaceAllString(strings.ToLower(name), ""))
	slices.Reverse(letters)
	return string(letters) + "q"
}

// fit returns a text of a length that matches the pattern of a schema, if there is a simple one.
func fit(name string, s *openapi3.Schema, length int) string {
	base := strings.Repeat(backwards(name), length/len(backwards(name))+1)
	for _, one := range []string{base, "a@" + base, "a." + base, strings.Repeat("7", length)} {
		if one = one[:length]; matches(s, one) {
			return one
		}
	}
	return base[:length]
}

func matches(s *openapi3.Schema, value string) bool {
	n := utf8.RuneCountInString(value)
	return n >= int(s.MinLength) && (s.MaxLength == nil || n <= int(*s.MaxLength)) && (s.Pattern == "" || regexp.MustCompile(fromECMA(s.Pattern)).MatchString(value))
}

// fromECMA returns a pattern of the contracts in Go's notation.
func fromECMA(pattern string) string {
	return strings.ReplaceAll(regexp.MustCompile(`\\u([0-9A-Fa-f]{4})`).ReplaceAllString(pattern, `\x{$1}`), `\/`, `/`)
}

func swapCase(word string) string {
	if lower := strings.ToLower(word); lower != word {
		return lower
	}
	return strings.ToUpper(word)
}

// source draws valid values.
type source struct {
	*rapid.T

	known map[string][]string // texts that exist in the shop, by the name of their field
}

// valid draws a valid value for a schema.
func (t source) valid(name string, s *openapi3.Schema) any {
	switch {
	case s.Nullable && rapid.IntRange(0, 4).Draw(t.T, name+" is null") == 0:
		return nil
	case len(s.Enum) > 0:
		return rapid.SampledFrom(s.Enum).Draw(t.T, name)
	case s.Type.Is(openapi3.TypeObject):
		o := map[string]any{}
		for _, member := range slices.Sorted(maps.Keys(s.Properties)) {
			if slices.Contains(s.Required, member) || rapid.Bool().Draw(t.T, "with "+member) {
				o[member] = t.valid(member, s.Properties[member].Value)
			}
		}
		return o
	case s.Type.Is(openapi3.TypeArray):
		var list []any
		for range rapid.IntRange(int(s.MinItems), min(int(s.MinItems)+3, int(*s.MaxItems))).Draw(t.T, "number of "+name) {
			list = append(list, t.valid(name, s.Items.Value))
		}
		return list
	case s.Type.Is(openapi3.TypeInteger):
		least, most := int64(*s.Min), int64(1<<53-1)
		if *s.Max < 1<<53 {
			most = int64(*s.Max)
		}
		if name == "id" || name == "ids" || strings.HasSuffix(name, "_id") {
			most = 3 // of which two exist
		}
		if name == "qty" {
			most = min(most, 1000) // of which there are enough
		}
		return json.Number(strconv.FormatInt(rapid.Int64Range(least, most).Draw(t.T, name), 10))
	case s.Type.Is(openapi3.TypeBoolean):
		return rapid.Bool().Draw(t.T, name)
	}
	return t.text(name, s)
}

// secrets are the members whose values the world looks for in its log and database, so no other member may have the same ones.
var secrets = []string{"password", "current", "new", "token", "key"}

func (t source) text(name string, s *openapi3.Schema) string {
	n := rapid.IntRange(0, 50).Draw(t.T, name)
	if known := t.known[name]; known != nil && rapid.IntRange(0, 3).Draw(t.T, "another "+name) > 0 {
		return rapid.SampledFrom(known).Draw(t.T, name+" as")
	}
	candidates := []string{fmt.Sprintf("%s%d", backwards(name), n), fit(name, s, max(int(s.MinLength), 1))}
	if !slices.Contains(secrets, name) {
		candidates = append(candidates,
			fmt.Sprintf("%s %d ñ 😀 x", backwards(name), n), fmt.Sprintf("%s%d@example.com", backwards(name), n),
			"2026-01-15", "2026-01-15T09:30:00Z", "2027-01-15T00:00:00+02:00", "user.created", "America/Argentina/Buenos_Aires", "swagger-ui.css")
	}
	good := slices.DeleteFunc(candidates, func(one string) bool {
		return !matches(s, one) || s.Format == "date-time" && !strings.HasPrefix(one, "2027-")
	})
	if len(good) == 0 {
		return backwards(name)
	}
	return rapid.SampledFrom(good).Draw(t.T, name+" as")
}
