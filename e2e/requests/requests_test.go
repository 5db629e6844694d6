package requests

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/getkin/kin-openapi/openapi3"
	"pgregory.net/rapid"
)

// operation is an operation of a contract.
type operation struct {
	*openapi3.Operation
	service, method, path string
	security              openapi3.SecurityRequirements
	parameters            openapi3.Parameters
	places                []place
}

// place is a part of a request: a parameter, or a value in the body.
type place struct {
	name      string
	parameter *openapi3.Parameter // nil in the body
	at        []string            // the members of the body on the way; * is the first item of an array
	schema    *openapi3.Schema
}

// loadOperations returns the operations of a contract, in order.
func loadOperations(service string, doc *openapi3.T) (all []*operation) {
	for _, path := range doc.Paths.InMatchingOrder() {
		item := doc.Paths.Value(path)
		for _, method := range slices.Sorted(maps.Keys(item.Operations())) {
			o := &operation{Operation: item.Operations()[method], service: service, method: method, path: path, security: doc.Security}
			if o.Security != nil {
				o.security = *o.Security
			}
			o.parameters = slices.Concat(item.Parameters, o.Parameters)
			for _, p := range o.parameters {
				o.places = append(o.places, place{name: p.Value.Name, parameter: p.Value, schema: p.Value.Schema.Value})
			}
			if body := o.body(); body != nil {
				o.places = append(o.places, bodyPlaces("body", nil, body)...)
			}
			all = append(all, o)
		}
	}
	return all
}

func (o *operation) body() *openapi3.Schema {
	if o.RequestBody == nil {
		return nil
	}
	return o.RequestBody.Value.Content.Get("application/json").Schema.Value
}

func bodyPlaces(name string, at []string, s *openapi3.Schema) []place {
	all := []place{{name: name, at: at, schema: s}}
	for _, member := range slices.Sorted(maps.Keys(s.Properties)) {
		all = append(all, bodyPlaces(member, append(slices.Clone(at), member), s.Properties[member].Value)...)
	}
	if s.Items != nil {
		all = append(all, bodyPlaces(name, append(slices.Clone(at), "*"), s.Items.Value)...)
	}
	return all
}

// request is a request before it is encoded. Parameters have their text.
type request struct {
	kind        string
	operation   *operation
	token       string
	path, query url.Values
	header      http.Header
	body        []byte
	rawQuery    string // in place of query, if it is not empty
	refuse      bool   // whether no service may accept it, whatever the contract's validator says
}

// The kinds of requests.
const (
	asContract = "valid"
	changed    = "one value changed" // in a valid request
	unknown    = "something unknown"
	encoded    = "oddly encoded"
)

// kinds has the kinds, as often as they are drawn.
var kinds = []string{asContract, asContract, changed, changed, changed, unknown, encoded, encoded}

// change is a variant for a place.
type change struct {
	place
	variant
}

// changes returns all variants for all places of a request.
func (o *operation) changes() (all []change) {
	for _, p := range o.places {
		for _, v := range variants(p.name, p.schema) {
			all = append(all, change{p, v})
		}
	}
	return all
}

// draw draws a request to an operation.
func (o *operation) draw(t source, tokens map[string]string) *request {
	kind, changes := pick(t.T, "kind", kinds), o.changes()
	if kind == changed && len(changes) > 0 {
		c := pick(t.T, "change", changes)
		return o.build(t, tokens, changed, &c)
	}
	return o.build(t, tokens, kind, nil)
}

// build draws the parts of a request of a kind, and makes the change, if there is one.
func (o *operation) build(t source, tokens map[string]string, kind string, c *change) *request {
	r := &request{kind: kind, operation: o, path: url.Values{}, query: url.Values{}, header: http.Header{}}
	for _, p := range o.parameters {
		often := 1                                                                             // in 2
		if p.Value.Extensions["x-alias-of"] != nil || p.Value.Extensions["x-service"] != nil { // refused beside another key, or another token
			often = 6
		}
		if p.Value.Required || rapid.IntRange(0, often).Draw(t.T, "with "+p.Value.Name) == 0 {
			r.set(p.Value, parameterText(t.valid(p.Value.Name, p.Value.Schema.Value)))
		}
	}
	r.token = o.drawToken(t.T, tokens)
	var body any
	if s := o.body(); s != nil && (o.RequestBody.Value.Required || rapid.Bool().Draw(t.T, "with a body")) {
		body = t.valid("body", s)
	}
	if c != nil {
		body = r.vary(*c, body)
	}
	if kind == unknown {
		body = addUnknown(t.T, r, body)
	}
	if body != nil {
		var err error
		if r.body, err = json.Marshal(body); err != nil {
			t.Fatal(err)
		}
		r.header.Set("Content-Type", "application/json")
	}
	if kind == encoded {
		encodeOddly(t.T, r)
	}
	return r
}

// drawToken draws a token: usually one that the operation accepts.
func (o *operation) drawToken(t *rapid.T, tokens map[string]string) string {
	kind := "admin"
	if len(o.security) == 0 {
		kind = "none"
	}
	for _, one := range o.security {
		if one["sessionToken"] != nil && len(o.security) == 1 {
			kind = "session"
		}
		if one["serviceToken"] != nil && len(o.security) == 1 {
			kind = "service"
		}
	}
	if rapid.IntRange(0, 11).Draw(t, "another token") == 0 {
		kind = pick(t, "token", slices.Sorted(maps.Keys(tokens)))
	}
	return tokens[kind]
}

// set sets a parameter.
func (r *request) set(p *openapi3.Parameter, value string) {
	switch p.In {
	case openapi3.ParameterInPath:
		r.path.Set(p.Name, value)
	case openapi3.ParameterInQuery:
		r.query.Set(p.Name, value)
	case openapi3.ParameterInHeader:
		r.header.Set(p.Name, value)
	}
}

// parameterText returns the text of a value in a parameter.
func parameterText(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case []any:
		var all []string
		for _, one := range v {
			all = append(all, parameterText(one))
		}
		return strings.Join(all, ",")
	}
	return fmt.Sprint(value)
}

// vary makes a change of a request, and returns the body.
func (r *request) vary(c change, body any) any {
	if c.parameter == nil {
		return replace(body, c.at, c.variant)
	}
	if c.missing {
		r.path.Del(c.name)
		r.query.Del(c.name)
		r.header.Del(c.name)
		return body
	}
	var value string
	if err := json.Unmarshal(c.value, &value); err != nil { // not a text
		value = string(c.value)
	}
	r.set(c.parameter, value)
	return body
}

// replace returns a body with a variant at a place. Members on the way that are absent are added.
func replace(body any, at []string, v variant) any {
	if len(at) == 0 {
		if v.missing {
			return nil
		}
		return v.value
	}
	if at[0] == "*" {
		list, _ := body.([]any)
		if len(list) == 0 {
			list = []any{nil}
		}
		if list[0] = replace(list[0], at[1:], v); list[0] == nil {
			return list[1:]
		}
		return list
	}
	members, ok := body.(map[string]any)
	if !ok {
		members = map[string]any{}
	}
	members[at[0]] = replace(members[at[0]], at[1:], v)
	if v.missing && len(at) == 1 {
		delete(members, at[0])
	}
	return members
}

// addUnknown adds something that the contract does not have, which the service must refuse or ignore.
func addUnknown(t *rapid.T, r *request, body any) any {
	name := pick(t, "name", []string{"x", "ID", "__proto__", "constructor", "$ref", "", "é", "id\u0000", "limit", "search"})
	_, known := r.query[name]
	switch pick(t, "where", []string{"body", "query", "header", "cookie"}) {
	case "body":
		if members, ok := body.(map[string]any); ok {
			if _, known := r.operation.body().Properties[name]; !known {
				members[name], r.refuse = pick(t, "value", []any{nil, 1, "x", []any{}, map[string]any{"x": 1}}), true
			}
		}
	case "query":
		declared := slices.ContainsFunc(r.operation.parameters, func(p *openapi3.ParameterRef) bool { return p.Value.Name == name })
		if !known && !declared {
			r.query.Set(name, "1")
			r.refuse = r.operation.Responses.Value("400") != nil
		}
	case "header":
		r.header.Set("X-Unknown", "\u00e9 x")
	case "cookie":
		r.header.Set("Cookie", "session=x; =; a")
	}
	return body
}

// queries are odd parts of a query.
var queries = []string{
	"%", "%zz", "%00=1", "a=%ff", ";", "&&&", "=", "?", "a=b=c", "x[]=1", "é=1",
	"limit=1&limit=2", "limit=+1", "limit=%31", "%6cimit=1", "limit=1;cursor=x",
}

// encodeOddly changes how a request is written.
func encodeOddly(t *rapid.T, r *request) {
	if r.body == nil || rapid.Bool().Draw(t, "encode the query") {
		r.rawQuery = strings.TrimPrefix(r.query.Encode()+"&"+pick(t, "query", queries), "&")
		return
	}
	whole := slices.Clip(r.body)
	rest, first := whole[1:], []byte(`"x"`)
	if bytes.HasPrefix(rest, []byte(`"`)) { // the name of the first member
		first, _, _ = bytes.Cut(rest, []byte(":"))
	}
	encodings := map[string]func() (body []byte, refuse bool){
		"a byte order mark":   func() ([]byte, bool) { return append([]byte("\xef\xbb\xbf"), whole...), true },
		"UTF-16":              func() ([]byte, bool) { return inUTF16(whole), true },
		"not UTF-8":           func() ([]byte, bool) { return append([]byte("{\"x\":\"\xff\","), rest...), true },
		"text after it":       func() ([]byte, bool) { return append(whole, " x"...), true },
		"a value after it":    func() ([]byte, bool) { return append(whole, whole...), true },
		"NUL after it":        func() ([]byte, bool) { return append(whole, 0), true },
		"cut off":             func() ([]byte, bool) { return whole[:len(whole)-1], true },
		"deep":                func() ([]byte, bool) { return bytes.Repeat([]byte("["), 20_000), true },
		"gzip without saying": func() ([]byte, bool) { return zipped(whole), true },
		"a member twice": func() ([]byte, bool) {
			return slices.Concat([]byte("{"), first, []byte(":1,"), first, []byte(":1,"), rest), true
		},
		"a member in another case": func() ([]byte, bool) {
			return slices.Concat([]byte("{"), bytes.ToUpper(first), []byte(":1,"), rest), true
		},
		"white space": func() ([]byte, bool) { return slices.Concat([]byte("\n\t "), whole, []byte("\r\n ")), false },
		"gzip": func() ([]byte, bool) {
			r.header.Set("Content-Encoding", "gzip")
			return zipped(whole), false
		},
		"a claimed encoding": func() ([]byte, bool) {
			r.header.Set("Content-Encoding", pick(t, "claim", []string{"gzip", "br", "identity", "x"}))
			return whole, false
		},
		"another type": func() ([]byte, bool) {
			r.header.Set("Content-Type", pick(t, "type", []string{
				"application/json; charset=utf-8", "application/JSON", "application/json, text/plain", "text/plain", "application/xml", "json", "",
				"application/x-www-form-urlencoded", "multipart/form-data",
			}))
			return whole, false
		},
	}
	r.body, r.refuse = encodings[pick(t, "encoding", slices.Sorted(maps.Keys(encodings)))]()
}

func inUTF16(s []byte) []byte {
	all := []byte{0xfe, 0xff}
	for _, unit := range utf16.Encode([]rune(string(s))) {
		all = binary.BigEndian.AppendUint16(all, unit)
	}
	return all
}

func zipped(s []byte) []byte {
	var all bytes.Buffer
	w := gzip.NewWriter(&all)
	_, _ = w.Write(s) // to memory
	_ = w.Close()
	return all.Bytes()
}

// url returns the URL of a request.
func (r *request) url(base string) string {
	path := r.operation.path
	for _, p := range r.operation.parameters {
		if p.Value.In == openapi3.ParameterInPath {
			path = strings.Replace(path, "{"+p.Value.Name+"}", url.PathEscape(r.path.Get(p.Value.Name)), 1)
		}
	}
	if query := cmp.Or(r.rawQuery, r.query.Encode()); query != "" {
		return base + path + "?" + query
	}
	return base + path
}
