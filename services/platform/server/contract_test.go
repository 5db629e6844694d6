package server_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/server"
)

// contractWith returns a contract in YAML: the given paths, and the paths that every service has.
func contractWith(paths string) []byte {
	return []byte(`
openapi: 3.0.3
info: { title: small, version: 1.0.0 }
components:
  securitySchemes:
    people: { type: http, scheme: bearer }
    serviceToken: { type: http, scheme: bearer }
paths:
  /: { get: { operationId: getStart, security: [], responses: { '303': { description: the page } } } }
  /health: { get: { operationId: getHealth, security: [], responses: { '200': { description: ok } } } }
  /ready: { get: { operationId: getReady, security: [], responses: { '200': { description: ok } } } }
  /openapi.json: { get: { operationId: getContract, security: [], responses: { '200': { description: ok } } } }
  /docs: { get: { operationId: getDocs, security: [], responses: { '200': { description: ok } } } }
  /docs/{asset}: { get: { operationId: getDocsAsset, security: [], responses: { '200': { description: ok } } } }
` + paths)
}

// things returns a contract with POST /things. rest is the operation without operationId and responses.
func things(rest string) []byte {
	return contractWith(`
  /things:
    post:
      operationId: makeThing
      responses: { '200': { description: ok }, '400': { description: bad } }
      ` + strings.ReplaceAll(rest, "\n", "\n      "))
}

func people(context.Context, string) (auth.Caller, error) {
	return auth.Caller{Name: "user:x", Role: auth.Viewer}, nil
}

// newThings returns a handler for such a contract. It echoes the body of the request, or the query if there is no body.
func newThings(contract []byte) (http.Handler, error) {
	return server.New(server.Config{
		Title: "small", Contract: contract, Log: slog.New(slog.DiscardHandler),
		Schemes: map[string]auth.Scheme{"people": people, "serviceToken": auth.ServiceTokens("service-token")},
	}, func(router *echo.Echo, prefix string) {
		router.POST(prefix+"/things", func(c echo.Context) error {
			if checked, ok := c.Request().Body.(interface{ ValidatedValue() any }); ok {
				return c.JSON(http.StatusOK, checked.ValidatedValue())
			}
			return c.String(http.StatusOK, c.Request().URL.RawQuery)
		})
	})
}

// New rejects a contract without access rules or without bounds for requests.
func TestContractIsChecked(t *testing.T) {
	t.Parallel()
	const open = "security: []\n"
	body := func(schema string) string {
		return open + "requestBody: { content: { application/json: { schema: " + schema + " } } }"
	}
	for _, test := range []struct{ name, rest, fault string }{
		{"open", open, ""},
		{"roles", "security: [{ people: [] }]\nx-roles: [admin, viewer]", ""},
		{"roles, a token or none", "security: [{ people: [] }, {}]\nx-roles: [admin]", ""},
		{"the service token alone", "security: [{ serviceToken: [] }]", ""},
		{"no roles", "security: [{ people: [] }]", "makeThing: has no x-roles"},
		{"no roles for people beside services", "security: [{ serviceToken: [] }, { people: [] }]", "makeThing: has no x-roles"},
		{"an empty list of roles", "security: [{ people: [] }]\nx-roles: []", "makeThing: has no x-roles"},
		{"roles that are not a list", "security: [{ people: [] }]\nx-roles: admin", "makeThing: has no x-roles"},
		{"an unknown role", "security: [{ people: [] }]\nx-roles: [admin, manger]", `names the unknown role "manger"`},
		{"the role of services", "security: [{ people: [] }]\nx-roles: [service]", `names the unknown role "service"`},
		{"an unknown scheme", "security: [{ peeple: [] }]\nx-roles: [admin]", `names the security scheme "peeple"`},
		{"two tokens at once", "security: [{ people: [], serviceToken: [] }]\nx-roles: [admin]", "requires more than one token at once"},
		{"a bounded body", body("{ type: object, additionalProperties: false, properties: { a: { type: array, maxItems: 3, items: { type: integer } } } }"), ""},
		{"an open object", body("{ type: object, properties: { a: { type: integer } } }"), "body: an object without additionalProperties"},
		{"an unbounded array", body("{ type: object, additionalProperties: false, properties: { a: { type: array, items: { type: integer } } } }"), "body: a: an array without maxItems"},
		{"an unbounded string", body("{ type: string }"), "body: a string without maxLength"},
		{"a fraction", body("{ type: number }"), "a schema that is not an object, array, string, integer or boolean"},
		{"anything", body("{}"), "a schema that is not an object, array, string, integer or boolean"},
		{"a choice of schemas", body("{ oneOf: [{ type: integer }, { type: boolean }] }"), "a schema with oneOf, anyOf, allOf or not"},
		{"a pattern without a message", body("{ type: string, maxLength: 9, pattern: '^a$' }"), "body: a pattern without x-pattern-message"},
		{"a pattern that RE2 does not support", body("{ type: string, maxLength: 9, pattern: '(?=a)', x-pattern-message: no }"), "pattern at /"},
		{"an unbounded parameter", open + "parameters: [{ name: q, in: query, schema: { type: string } }]", "q: a string without maxLength"},
		{"a body that is not JSON", open + "requestBody: { content: { text/plain: { schema: { type: string, maxLength: 9 } } } }", "a body that is not JSON"},
	} {
		_, err := newThings(things(test.rest))
		if test.fault == "" && err != nil || test.fault != "" && (err == nil || !strings.Contains(err.Error(), test.fault)) {
			t.Errorf("%s: New: %v, want %q in it", test.name, err, test.fault)
		}
	}
	_, err := newThings(contractWith("  /other: { get: { operationId: other, security: [], responses: {} } }"))
	if err == nil || !strings.Contains(err.Error(), "the route POST /things is not in the contract") {
		t.Errorf("a route that is not in the contract: New: %v", err)
	}
	_, err = newThings(contractWith(`
  /things: { post: { operationId: makeThing, security: [], responses: {}, requestBody: { content: { application/json: { schema: { type: integer } } } } } }`))
	if err == nil || !strings.Contains(err.Error(), "has no answer 400") {
		t.Errorf("a body without an answer 400: New: %v", err)
	}
	_, err = server.New(server.Config{Contract: contractWith(""), Admit: map[string]func(echo.Context) error{"nothing": nil}, Log: slog.New(slog.DiscardHandler)},
		func(*echo.Echo, string) {})
	if err == nil || !strings.Contains(err.Error(), "Admit names the unknown operation nothing") {
		t.Errorf("Admit for an unknown operation: New: %v", err)
	}
}

// send posts a body and returns the status, the sorted field errors and the answer.
func send(t *testing.T, handler http.Handler, target, body string, headers ...string) (int, []string, string) {
	t.Helper()
	var sent io.Reader
	if body != "" {
		sent = strings.NewReader(body)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, target, sent)
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	var doc common.Problem
	var faults []string
	if w.Code != http.StatusOK {
		if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if doc.Errors != nil {
			for _, fault := range *doc.Errors {
				faults = append(faults, fault.Field+" "+fault.Message)
			}
		}
	}
	slices.Sort(faults)
	return w.Code, faults, w.Body.String()
}

const order = `security: []
requestBody:
  required: true
  content:
    application/json:
      schema:
        type: object
        additionalProperties: false
        required: [key, items]
        properties:
          key: { type: string, minLength: 1, maxLength: 5, pattern: '^[a-z]+$', x-pattern-message: 'must be small letters, such as abc' }
          note: { type: string, nullable: true, maxLength: 5 }
          day: { type: string, format: date-time, maxLength: 35 }
          kind: { type: string, enum: [big, small] }
          really: { type: boolean }
          items:
            type: array
            minItems: 1
            maxItems: 3
            items:
              type: object
              additionalProperties: false
              required: [n]
              properties:
                n: { type: integer, format: int64, minimum: 1, maximum: 100000000000 }`

func TestInvalidBody(t *testing.T) {
	t.Parallel()
	handler, err := newThings(things(order))
	if err != nil {
		t.Fatal(err)
	}
	const good = `{"key":"abc","note":null,"items":[{"n":1},{"n":100000000000}]}`
	if status, faults, answer := send(t, handler, "/things", good); status != http.StatusOK || strings.TrimSpace(answer) != `{"items":[{"n":1},{"n":100000000000}],"key":"abc","note":null}` {
		t.Fatalf("%s: got %d %q %s, want the value back", good, status, faults, answer)
	}
	for body, want := range map[string][]string{
		"":                              {"body is required"},
		`{}`:                            {"items is required", "key is required"},
		`[]`:                            {"body must be an object"},
		`"x"`:                           {"body must be an object"},
		`null`:                          {"body must not be null"},
		`{"key":"a"}`:                   {"items is required"},
		`{"key":"a","items":null}`:      {"items must have at least 1 item"},
		`{"key":"a","items":[]}`:        {"items must have at least 1 item"},
		`{"key":"a","items":{}}`:        {"items must be an array"},
		`{"key":"a","items":[1]}`:       {"items[0] must be an object"},
		`{"key":"a","items":[{}]}`:      {"items[0].n is required"},
		`{"key":"a","items":[{"n":0}]}`: {"items[0].n must be at least 1"},
		`{"key":"a","items":[{"n":100000000001}]}`:       {"items[0].n must be at most 100000000000"},
		`{"key":"a","items":[{"n":null}]}`:               {"items[0].n must not be null"},
		`{"key":"a","items":[{"n":"1"}]}`:                {"items[0].n must be an integer"},
		`{"key":"a","items":[{"n":1.0}]}`:                {"items[0].n must be a 64-bit integer without fraction or exponent"},
		`{"key":"a","items":[{"n":1e400}]}`:              {"items[0].n must be a 64-bit integer without fraction or exponent"},
		`{"items":[{"n":1.0}],"x":1}`:                    {"items[0].n must be a 64-bit integer without fraction or exponent", "key is required", "x is not a field of this object"},
		`{"key":"a","items":[{"n":1,"m":[{},{}]}]}`:      {"items[0].m is not a field of this object"},
		`{"key":"a","items":[{"n":1},{},{"n":1},{}]}`:    {"items must have at most 3 items"},
		`{"a":1,"items":[{},{},{},{},{}],"key":5}`:       {"a is not a field of this object", "items must have at most 3 items"},
		`{"key":"","items":[{"n":1}]}`:                   {"key must have at least 1 character"},
		`{"key":"A","items":[{"n":1}]}`:                  {"key must be small letters, such as abc"},
		`{"key":"abcdef","items":[{"n":1}]}`:             {"key must have at most 5 characters"},
		`{"key":"ABCDEFGH","items":[{"n":1}]}`:           {"key must have at most 5 characters"},
		`{"key":1,"items":[{"n":1}]}`:                    {"key must be a string"},
		`{"key":["a"],"items":[{"n":1}]}`:                {"key must be a string"},
		`{"key":"a","items":[{"n":1}],"x":1,"y":{}}`:     {"x is not a field of this object", "y is not a field of this object"},
		`{"key":"a","items":[{"n":1}],"note":"ññññññ"}`:  {"note must have at most 5 characters"},
		`{"key":"a","items":[{"n":1}],"day":"monday"}`:   {"day must be an RFC 3339 time, such as 2026-01-15T09:30:00Z"},
		`{"key":"a","items":[{"n":1}],"kind":"middle"}`:  {"kind must be one of big, small"},
		`{"key":"a","items":[{"n":1}],"really":"true"}`:  {"really must be a boolean"},
		`{"key":"a","items":[{"n":1}],"key":"b"}`:        {`body is not a single JSON value: duplicate object member name "key"`},
		`{"key":"a","items":[{"n":1}],"x":{"y":1,"y":1}`: {`body is not a single JSON value: duplicate object member name "y" within "/x"`},
		`{"key":"a","items":[{"n":1}]`:                   {"body is not a single JSON value: it ends too early"},
		`{"key":"a","items":[{"n":1}]}1`:                 {"body is not a single JSON value: there is data after the value"},
		" ":                                              {"body is not a single JSON value: it ends too early"},
	} {
		if status, faults, answer := send(t, handler, "/things", body); status != http.StatusBadRequest || !slices.Equal(faults, want) {
			t.Errorf("%s: got %d %q, want %q: %s", body, status, faults, want, answer)
		}
	}
}

// A body with many faults costs at most ten times the bytes and objects of a valid body of the same size.
func TestInvalidBodyIsCheap(t *testing.T) {
	handler, err := newThings(things(strings.Replace(order, "maxItems: 3", "maxItems: 100", 1)))
	if err != nil {
		t.Fatal(err)
	}
	const size = 1 << 20
	fill := func(before, piece, after string) string {
		n := (size - len(before) - len(after)) / len(piece)
		return before + strings.TrimSuffix(strings.Repeat(piece, n), ",") + after
	}
	names := func(before, after string) string {
		var text strings.Builder
		text.WriteString(before)
		for i := 0; text.Len() < size-30; i++ {
			fmt.Fprintf(&text, `"%x":1,`, i)
		}
		return strings.TrimSuffix(text.String(), ",") + after
	}
	cost := func(body string, want int, fault string) (bytes, pieces uint64) {
		t.Helper()
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		status, faults, _ := send(t, handler, "/things", body)
		runtime.ReadMemStats(&after)
		if status != want || len(faults) > 100 || fault != "" && !slices.ContainsFunc(faults, func(f string) bool { return strings.HasPrefix(f, fault) }) {
			t.Errorf("%.60s: got %d with %d field errors, the first %.200q, want %d and %q", body, status, len(faults), faults[:min(len(faults), 1)], want, fault)
		}
		return after.TotalAlloc - before.TotalAlloc, after.Mallocs - before.Mallocs
	}
	good := `{"key":"abc","items":[` + strings.Repeat(`{"n":1},`, 99) + `{"n":1}],"note":"abc","kind":"big","day":"2026-01-15T09:30:00Z"}`
	send(t, handler, "/things", good) // warms up
	goodBytes, goodPieces := cost(good+strings.Repeat(" ", size-len(good)), http.StatusOK, "")
	for _, test := range []struct{ name, body, fault string }{
		{"items", fill(`{"key":"abc","items":[`, `{},`, `]}`), "items must have at most 100 items"},
		{"items with unknown members", fill(`{"key":"abc","items":[`, `{"a":1,"b":2},`, `]}`), "items[0].a is not a field"},
		{"items of another type", fill(`{"key":"abc","items":[`, `1,`, `]}`), "items must have at most 100 items"},
		{"unknown members", names(`{`, `}`), "f is not a field"},
		{"unknown members of items", names(`{"key":"abc","items":[{`, `}]}`), "items[0].f is not a field"},
		{"an unknown member of many items", fill(`{"key":"abc","items":[{"n":1}],"x":[`, `{},`, `]}`), "x is not a field"},
		{"an unknown member of many members", names(`{"key":"abc","items":[{"n":1}],"x":{`, `}}`), "x is not a field"},
		{"a long key", fill(`{"items":[{"n":1}],"key":"`, `A`, `"}`), "key must have at most 5 characters"},
		{"a long name", fill(`{"key":"abc","items":[{"n":1}],"`, `x`, `":1}`), "xxx"},
		{"a long number", fill(`{"key":"abc","items":[{"n":`, `9`, `}]}`), "items[0].n"},
		{"an array in place of an object", fill(`[`, `{},`, `]`), "body must be an object"},
		{"an array in place of a string", fill(`{"items":[{"n":1}],"key":[`, `{},`, `]}`), "key must be a string"},
		{"an array in place of an item", names(`{"key":"a","items":[[{`, `}]]}`), "items[0] must be an object"},
		{"arrays in place of items", fill(`{"key":"a","items":[`, `[{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}],`, `]}`), "items"},
		{"faults in all items", `{"key":1,"items":[` + strings.Repeat(`{"n":0.5,"m":1},`, 99) + `{}]}` + strings.Repeat(" ", size-2000), "items[0].n"},
		{"a deep array", fill(`{"key":`, `[`, ``), "body is not a single JSON value"},
	} {
		b, p := cost(test.body, http.StatusBadRequest, test.fault)
		t.Logf("%s: %d bytes in %d objects, a valid body %d in %d", test.name, b, p, goodBytes, goodPieces)
		if b > 10*goodBytes || p > 10*goodPieces {
			t.Errorf("%s: allocated %d bytes in %d objects, a valid body of that size %d in %d", test.name, b, p, goodBytes, goodPieces)
		}
	}
}

// BenchmarkBody measures a valid body and some bodies with many faults.
func BenchmarkBody(b *testing.B) {
	handler, err := newThings(things(order))
	if err != nil {
		b.Fatal(err)
	}
	const good = `{"key":"abc","items":[{"n":1},{"n":2}]}`
	for name, body := range map[string]string{
		"good":  good + strings.Repeat(" ", 1<<20-len(good)),
		"items": `{"key":"abc","items":[{}` + strings.Repeat(",{}", 349_000) + `]}`,
		"x":     `{"key":"abc","items":[{"n":1}],"x":[{}` + strings.Repeat(",{}", 349_000) + `]}`,
		"long":  `{"items":[{"n":1}],"key":"` + strings.Repeat("A", 1<<20-100) + `"}`,
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/things", bytes.NewReader([]byte(body)))
				r.Header.Set("Content-Type", "application/json")
				handler.ServeHTTP(httptest.NewRecorder(), r)
			}
		})
	}
}

// Patterns follow ECMA-262, where \s matches the white space of Unicode.
func TestPatterns(t *testing.T) {
	t.Parallel()
	spaces := []string{"\t", "\n", "\v", "\f", "\r", " ", "\u00a0", "\u1680", "\u2000", "\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000", "\ufeff"}
	others := []string{"a", "\u0085", "\u00a1", "\u180e", "\u200b", "\u2027", "\u202a", "\u2060", "\u3001", "\ufefe", "\uff00", "é", "😀", "\x00", "\x1c"}
	for _, test := range []struct {
		pattern string
		yes, no []string
	}{
		{`^\s$`, spaces, others},
		{`^\S$`, others, spaces},
		{`^[\s]$`, spaces, others},
		{`^[^\s]$`, others, spaces},
		{`^[\S]$`, others, spaces},
		{`^[^\S]$`, spaces, others},
		{`^[\s\S]$`, slices.Concat(spaces, others), nil},
		{`^.$`, others, []string{"\n", "\r", "\u2028", "\u2029", ""}},
		{`^[.]$`, []string{"."}, []string{"a"}},
		{`^\.$`, []string{"."}, []string{"a"}},
		{`^[[:a]$`, []string{"[", ":", "a"}, []string{"b"}},
		{`^\u00e9\/$`, []string{"é/"}, []string{"e/"}},
		{`^\u{1F600}$`, []string{"😀"}, []string{"a"}},
		{`^\\s$`, []string{`\s`}, spaces},
		{`^\d\w$`, []string{"1a", "1_"}, []string{"١a", "1é"}},
		{`^a$`, []string{"a"}, []string{"a\n"}},
	} {
		handler, err := newThings(things(fmt.Sprintf(
			"security: []\nrequestBody: { content: { application/json: { schema: { type: string, maxLength: 9, pattern: '%s', x-pattern-message: must be another } } } }", test.pattern)))
		if err != nil {
			t.Errorf("%s: %v", test.pattern, err)
			continue
		}
		for want, texts := range map[int][]string{http.StatusOK: test.yes, http.StatusBadRequest: test.no} {
			for _, text := range texts {
				body, err := json.Marshal(text)
				if err != nil {
					t.Fatal(err)
				}
				if status, faults, _ := send(t, handler, "/things", string(body)); status != want {
					t.Errorf("%s on %q: got %d %q, want %d", test.pattern, text, status, faults, want)
				}
			}
		}
	}
}

func TestEmptyParameterIsAbsent(t *testing.T) {
	t.Parallel()
	handler, err := newThings(things(`security: []
parameters:
  - { name: q, in: query, allowEmptyValue: true, schema: { type: string, minLength: 2, maxLength: 9 } }
  - { name: n, in: query, allowEmptyValue: true, schema: { type: integer, minimum: 1 } }
  - { name: k, in: query, schema: { type: string, minLength: 1, maxLength: 9 } }
  - { name: b, in: query, schema: { type: boolean } }`))
	if err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]string{ // the echoed query, or the field errors
		"":                             "",
		"q=&n=":                        "",
		"q&n":                          "",
		"&q=&&":                        "",
		"q=&n=5":                       "n=5",
		"q=ab&n=":                      "q=ab",
		"k=":                           "k must have at least 1 character",
		"q=%20":                        "q must have at least 2 characters",
		"n=0":                          "n must be at least 1",
		"n=%2B1":                       "n must be an integer without leading zeros or a plus sign",
		"n=01":                         "n must be an integer without leading zeros or a plus sign",
		"n=x":                          "n must be an integer",
		"n=1.5":                        "n must be an integer",
		"n=" + strings.Repeat("9", 20): "n is out of range",
		"b=yes":                        "b must be a boolean",
		"q=&q=":                        "q must not be repeated",
		"z=":                           "z is not a parameter of this operation",
		"q=&z=&n=-1":                   "z is not a parameter of this operation",
	} {
		status, faults, answer := send(t, handler, "/things?"+query, "")
		if got := strings.Join(faults, "; "); status == http.StatusOK && answer != want || status != http.StatusOK && got != want {
			t.Errorf("?%s: got %d %q %s, want %q", query, status, got, answer, want)
		}
	}
}

// An alias of a required header may be sent in its place.
func TestHeaderAlias(t *testing.T) {
	t.Parallel()
	contract := things(`security: []
parameters:
  - { name: Key, in: header, required: true, schema: { type: string, minLength: 1, maxLength: 9 } }
  - { name: X-Key, in: header, x-alias-of: Key, schema: { type: string, minLength: 1, maxLength: 9 } }`)
	handler, err := server.New(server.Config{Title: "small", Contract: contract, Log: slog.New(slog.DiscardHandler)}, func(router *echo.Echo, prefix string) {
		router.POST(prefix+"/things", func(c echo.Context) error {
			return c.String(http.StatusOK, c.Request().Header.Get("Key")+" "+c.Request().Header.Get("X-Key"))
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		headers []string
		want    string
	}{
		{[]string{"Key", "a"}, "a "},
		{[]string{"X-Key", "b"}, "b b"},
		{[]string{"Key", "a", "X-Key", "b"}, "a b"},
		{nil, "Key is required"},
		{[]string{"Key", ""}, "Key must have at least 1 character"},
		{[]string{"X-Key", ""}, "X-Key must have at least 1 character"},
		{[]string{"Key", "", "X-Key", "b"}, "Key must have at least 1 character"},
		{[]string{"X-Key", "b", "X-Key", "b"}, "X-Key must not be repeated"},
	} {
		_, faults, answer := send(t, handler, "/things", "", test.headers...)
		if got := strings.Join(faults, "; "); got != test.want && answer != test.want {
			t.Errorf("%q: got %q %s, want %q", test.headers, got, answer, test.want)
		}
	}
}

// An incomplete body is read until the deadline of the request.
func TestBodyDeadline(t *testing.T) {
	t.Parallel()
	handler, err := server.New(server.Config{
		Title: "small", Contract: things(order), Log: slog.New(slog.DiscardHandler), Edge: server.Edge{Timeout: 50 * time.Millisecond},
	}, func(router *echo.Echo, prefix string) {
		router.POST(prefix+"/things", func(echo.Context) error { return errors.New("the body was read") })
	})
	if err != nil {
		t.Fatal(err)
	}
	service := httptest.NewServer(handler)
	t.Cleanup(service.Close)
	conn, err := net.Dial("tcp", service.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "POST /things HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusBadRequest || !strings.Contains(string(text), "did not arrive in time") {
		t.Errorf("got %d %s, %v, want 400", response.StatusCode, text, err)
	}
}

// Admit refuses a request before its body is read.
func TestAdmitComesBeforeBody(t *testing.T) {
	t.Parallel()
	handler, err := server.New(server.Config{
		Title: "small", Contract: things(order), Log: slog.New(slog.DiscardHandler),
		Admit: map[string]func(echo.Context) error{"makeThing": func(echo.Context) error {
			return fault.New(common.CodeTooManyRequests, "Too many attempts.")
		}},
	}, func(router *echo.Echo, prefix string) {
		router.POST(prefix+"/things", func(echo.Context) error { return errors.New("the request was admitted") })
	})
	if err != nil {
		t.Fatal(err)
	}
	body := &counting{}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/things?x=%", body))
	if w.Code != http.StatusTooManyRequests || body.reads > 0 {
		t.Errorf("got %d after %d reads of the body, want 429 after none: %s", w.Code, body.reads, w.Body)
	}
}

// counting is an empty body that counts its reads.
type counting struct{ reads int }

func (c *counting) Read([]byte) (int, error) {
	c.reads++
	return 0, io.EOF
}
