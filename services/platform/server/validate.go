package server

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/labstack/echo/v4"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

// input describes the parameters and the body of an operation.
type input struct {
	route    *routers.Route  // for the validator
	checked  bool            // requests can be invalid, so the contract has the answer 400
	queries  map[string]bool // query parameters, and whether an empty one counts as absent
	headers  []string
	aliases  []alias
	integers []string // integer parameters in path and query, and lists of integers
	booleans []string // boolean parameters in the query
	lists    []string // lists in the query, separated by commas
	body     *openapi3.RequestBody
}

// alias is a header that may be sent in place of another.
type alias struct {
	name, of string
	required bool // one of the two must be sent
}

// readInput reads the parameters and the body of an operation.
func readInput(doc *openapi3.T, path, method string, spec *openapi3.Operation) (input, error) {
	item := doc.Paths.Value(path)
	in := input{checked: spec.Responses.Value("400") != nil, queries: map[string]bool{}}
	open := *spec
	open.Security = openapi3.NewSecurityRequirements() // access checks them
	open.Parameters = nil
	in.route = &routers.Route{Spec: doc, Path: path, PathItem: item, Method: method, Operation: &open}
	var faults []error
	for _, ref := range slices.Concat(item.Parameters, spec.Parameters) {
		p := *ref.Value
		if err := checkBounded(p.Schema.Value, nil); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", p.Name, err))
		}
		in.addParameter(&p)
		open.Parameters = append(open.Parameters, &openapi3.ParameterRef{Value: &p})
	}
	for i, a := range in.aliases { // the validator would require the header even if its alias is sent
		if p := open.Parameters.GetByInAndName(openapi3.ParameterInHeader, a.of); p != nil {
			in.aliases[i].required, p.Required = p.Required, false
		}
	}
	if spec.RequestBody != nil {
		in.body = spec.RequestBody.Value
		content := in.body.Content.Get(echo.MIMEApplicationJSON)
		if content == nil || content.Schema == nil {
			return input{}, errors.New("takes a body that is not JSON")
		}
		if err := checkBounded(content.Schema.Value, nil); err != nil {
			faults = append(faults, fmt.Errorf("body: %w", err))
		}
	}
	if !in.checked && (in.body != nil || len(open.Parameters) > 0) {
		faults = append(faults, errors.New("takes parameters or a body, but has no answer 400"))
	}
	return in, errors.Join(faults...)
}

func (in *input) addParameter(p *openapi3.Parameter) {
	switch p.In {
	case openapi3.ParameterInHeader:
		in.headers = append(in.headers, p.Name)
		if of, ok := p.Extensions["x-alias-of"].(string); ok {
			in.aliases = append(in.aliases, alias{name: p.Name, of: of})
		}
		return
	case openapi3.ParameterInQuery:
		in.queries[p.Name] = p.AllowEmptyValue
	}
	schema := p.Schema.Value
	if schema.Type.Is(openapi3.TypeArray) {
		in.lists = append(in.lists, p.Name)
		schema = schema.Items.Value
	}
	switch {
	case schema.Type.Is(openapi3.TypeInteger):
		in.integers = append(in.integers, p.Name)
	case schema.Type.Is(openapi3.TypeBoolean):
		in.booleans = append(in.booleans, p.Name)
	}
}

// validate returns an error that names every invalid parameter and field of a request. In a valid request, the value that
// was validated replaces the body, so that the generated code does not parse the bytes again.
func (in *input) validate(c echo.Context) error {
	if !in.checked {
		return nil
	}
	r := c.Request()
	if err := in.checkQuery(r.URL); err != nil {
		return err
	}
	inBody, err := in.checkBody(c.Response(), r)
	if err != nil {
		return err
	}
	parameters := pathParameters(c)
	err = openapi3filter.ValidateRequest(r.Context(), &openapi3filter.RequestValidationInput{
		Request:    r,
		PathParams: parameters,
		Route:      in.route,
		Options: &openapi3filter.Options{
			ExcludeRequestBody:      true, // checkBody validates it
			SkipSettingDefaults:     true,
			MultiError:              true,
			SchemaValidationOptions: []openapi3.SchemaValidationOption{withDateTime},
		},
	})
	bad := in.checkStrictly(r, parameters)
	if err != nil {
		bad = append(bad, fieldErrors(err)...)
	}
	if bad = append(bad, inBody...); len(bad) > 0 {
		refused := fault.Invalid(bad[:min(len(bad), maxFaults)]...)
		refused.Cause = err
		return refused
	}
	for _, a := range in.aliases {
		if a.required && r.Header.Get(a.of) == "" { // the generated code requires this header
			r.Header.Set(a.of, r.Header.Get(a.name))
		}
	}
	return nil
}

// pathParameters returns the unescaped parameters of the path.
func pathParameters(c echo.Context) map[string]string {
	parameters := map[string]string{}
	for i, name := range c.ParamNames() {
		value := c.ParamValues()[i]
		if c.Request().URL.RawPath != "" { // otherwise the value is unescaped already
			if plain, err := url.PathUnescape(value); err == nil {
				value = plain
			}
		}
		parameters[name] = value
	}
	return parameters
}

// checkStrictly names parameters that the validator accepts and the contract does not: repeated headers, integers that are not in
// canonical form, such as +1 and 01, booleans such as 1, and empty elements of lists. It also checks that one of two aliases is sent.
func (in *input) checkStrictly(r *http.Request, parameters map[string]string) (bad []common.FieldError) {
	for _, name := range in.headers {
		if len(r.Header.Values(name)) > 1 {
			bad = append(bad, common.FieldError{Field: name, Message: repeated})
		}
	}
	for _, a := range in.aliases {
		if a.required && r.Header.Values(a.of) == nil && r.Header.Values(a.name) == nil {
			bad = append(bad, common.FieldError{Field: a.of, Message: "is required"})
		}
	}
	for _, name := range in.integers {
		value, ok := parameters[name]
		if !ok {
			value = r.URL.Query().Get(name)
		}
		for one := range strings.SplitSeq(value, ",") {
			if n, err := strconv.ParseInt(one, 10, 64); err == nil && strconv.FormatInt(n, 10) != one {
				bad = append(bad, common.FieldError{Field: name, Message: "must be an integer without leading zeros or a plus sign"})
				break
			}
		}
	}
	for _, name := range in.booleans {
		value := r.URL.Query().Get(name)
		if is, err := strconv.ParseBool(value); err == nil && strconv.FormatBool(is) != value {
			bad = append(bad, common.FieldError{Field: name, Message: "must be true or false"})
		}
	}
	for _, name := range in.lists {
		if values := r.URL.Query()[name]; len(values) > 0 && slices.Contains(strings.Split(values[0], ","), "") {
			bad = append(bad, common.FieldError{Field: name, Message: "must not have empty elements"})
		}
	}
	return bad
}

// checkQuery rejects a query that the validator and the generated code may read differently: with an unknown or a repeated
// parameter, or with text that is not UTF-8. It removes empty parameters that count as absent.
func (in *input) checkQuery(at *url.URL) error {
	query, err := url.ParseQuery(at.RawQuery)
	if err != nil {
		return fault.Invalid(common.FieldError{Field: "query", Message: "is not a valid query string"})
	}
	var bad []common.FieldError
	for name, values := range query {
		mayBeEmpty, known := in.queries[name]
		switch {
		case !known:
			bad = append(bad, common.FieldError{Field: name, Message: "is not a parameter of this operation"})
		case len(values) > 1:
			bad = append(bad, common.FieldError{Field: name, Message: repeated})
		case !utf8.ValidString(values[0]):
			bad = append(bad, common.FieldError{Field: name, Message: "must be valid UTF-8"})
		case values[0] == "" && mayBeEmpty:
			delete(query, name)
			at.RawQuery = query.Encode()
		}
	}
	if len(bad) == 0 {
		return nil
	}
	slices.SortFunc(bad, func(a, b common.FieldError) int { return strings.Compare(a.Field, b.Field) })
	for i := range bad { // the client chose the name: it may be any bytes
		bad[i].Field = clip(strings.ToValidUTF8(bad[i].Field, "\uFFFD"), maxFieldName)
	}
	return fault.Invalid(bad[:min(len(bad), maxFaults)]...)
}

var withDateTime = openapi3.WithStringFormatValidator("date-time", dateTime{})

// dateTime validates the format date-time: the RFC 3339 syntax, which time.Parse does not hold to, and an existing time.
type dateTime struct{}

var rfc3339 = regexp.MustCompile(openapi3.FormatOfStringDateTime)

func (dateTime) Validate(value string) error {
	if !rfc3339.MatchString(value) {
		return errors.New("not RFC 3339")
	}
	_, err := time.Parse(time.RFC3339, value)
	return err
}
