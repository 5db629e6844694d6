package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
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
	"github.com/go-json-experiment/json/jsontext"
	"github.com/labstack/echo/v4"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/problem"
)

// maxBody is how many bytes a request body may hold.
const maxBody = 1 << 20

// operation is one operation of the contract, with what the middleware needs of it at hand.
type operation struct {
	route    *routers.Route
	access   []string // security schemes, any of which will do
	anyone   bool     // no token is needed
	roles    []auth.Role
	refuses  bool // there is something in a request that can be wrong
	queries  map[string]bool
	headers  []string
	integers []string // the parameters in path and query that are
}

// operations reads a contract. Where it leaves a token to the caller, anonymous says whether the service does too. The
// keys are those of Echo's routes: method, blank, path with :name for a parameter.
func operations(contract []byte, anonymous bool) (map[string]*operation, error) {
	doc, err := openapi3.NewLoader().LoadFromData(contract)
	if err != nil {
		return nil, fmt.Errorf("read contract: %w", err)
	}
	all := map[string]*operation{}
	for path, item := range doc.Paths.Map() {
		for method, spec := range item.Operations() {
			open := *spec
			open.Security = openapi3.NewSecurityRequirements() // it is authorize that looks after them
			op := &operation{
				route:   &routers.Route{Spec: doc, Path: path, PathItem: item, Method: method, Operation: &open},
				queries: map[string]bool{},
			}
			security := doc.Security
			if spec.Security != nil {
				security = *spec.Security
			}
			op.anyone = len(security) == 0
			for _, requirement := range security {
				op.anyone = op.anyone || anonymous && len(requirement) == 0
				for scheme := range requirement {
					op.access = append(op.access, scheme)
				}
			}
			if roles, ok := spec.Extensions["x-roles"].([]any); ok {
				for _, role := range roles {
					op.roles = append(op.roles, auth.Role(fmt.Sprint(role)))
				}
			}
			op.refuses = spec.Responses.Value("400") != nil
			for _, parameter := range slices.Concat(item.Parameters, spec.Parameters) {
				op.add(parameter.Value)
			}
			all[method+" "+echoPath(path)] = op
		}
	}
	return all, nil
}

func (op *operation) add(p *openapi3.Parameter) {
	switch p.In {
	case openapi3.ParameterInHeader:
		op.headers = append(op.headers, p.Name)
		return
	case openapi3.ParameterInQuery:
		op.queries[p.Name] = true
	}
	if p.Schema != nil && p.Schema.Value.Type.Is(openapi3.TypeInteger) {
		op.integers = append(op.integers, p.Name)
	}
}

func echoPath(path string) string {
	return strings.NewReplacer("{", ":", "}", "").Replace(path)
}

// authorize lets through who the contract lets through: 401 without a token that one of the operation's schemes
// recognises, 403 where the caller's role may not.
func (op *operation) authorize(r *http.Request, schemes map[string]auth.Scheme) (auth.Caller, error) {
	header := r.Header.Get(echo.HeaderAuthorization)
	if op.anyone && (header == "" || len(op.access) == 0) {
		return auth.Caller{}, nil
	}
	refused := problem.New(common.CodeUnauthorized, "A valid bearer token is required.")
	token, ok := auth.Bearer(header)
	if !ok {
		return auth.Caller{}, refused
	}
	for _, name := range op.access {
		caller, err := schemes[name](token)
		if err != nil {
			refused.Cause = errors.Join(refused.Cause, err)
			continue
		}
		if caller.Role != auth.Service && len(op.roles) > 0 && !slices.Contains(op.roles, caller.Role) {
			return auth.Caller{}, problem.New(common.CodeForbidden, fmt.Sprintf("The role %s may not do this.", caller.Role))
		}
		return caller, nil
	}
	return auth.Caller{}, refused
}

// validate checks a request against the contract, and puts the value that was checked in the place of the body: the
// generated code binds that value and never reads the bytes a second time.
func (op *operation) validate(c echo.Context) error {
	if !op.refuses {
		return nil
	}
	r := c.Request()
	if err := op.validateQuery(r.URL.RawQuery); err != nil {
		return err
	}
	body, err := op.readBody(r)
	if err != nil {
		return err
	}
	parameters := map[string]string{}
	for i, name := range c.ParamNames() {
		parameters[name] = c.ParamValues()[i]
		if plain, err := url.PathUnescape(parameters[name]); err == nil && r.URL.RawPath != "" { // else Echo has done it
			parameters[name] = plain
		}
	}
	err = openapi3filter.ValidateRequest(r.Context(), &openapi3filter.RequestValidationInput{
		Request:    r,
		PathParams: parameters,
		Route:      op.route,
		Options: &openapi3filter.Options{
			KeepValidatedValue:      true,
			SkipSettingDefaults:     true,
			MultiError:              true,
			SchemaValidationOptions: []openapi3.SchemaValidationOption{openapi3.WithStringFormatValidator("date-time", dateTime{})},
		},
	})
	if err != nil {
		refused := problem.Invalid(fields(err)...)
		refused.Cause = err
		return refused
	}
	bad := append(op.loose(r, parameters), unbindable(body)...)
	if len(bad) > 0 {
		return problem.Invalid(bad[:min(len(bad), 100)]...)
	}
	return nil
}

// loose names the parameters that the validator is generous about: a header that comes twice, and an integer that is
// not written the one way in which the service would write it, as +1 and 01.
func (op *operation) loose(r *http.Request, parameters map[string]string) (bad []common.FieldError) {
	for _, name := range op.headers {
		if len(r.Header.Values(name)) > 1 {
			bad = append(bad, common.FieldError{Field: name, Message: "is there more than once"})
		}
	}
	for _, name := range op.integers {
		value, ok := parameters[name]
		if !ok {
			value = r.URL.Query().Get(name)
		}
		if n, err := strconv.ParseInt(value, 10, 64); err == nil && strconv.FormatInt(n, 10) != value {
			bad = append(bad, common.FieldError{Field: name, Message: "is an invalid integer"})
		}
	}
	return bad
}

// unbindable names the numbers in a valid body that the generated code can't hold. All numbers in the contracts are
// integers, which in OpenAPI 3.0 have neither fraction nor exponent; the validator takes 1.0 and 1e2 for integers too, and
// compares with the limits in floating point.
func unbindable(body []byte) (bad []common.FieldError) {
	decoder := jsontext.NewDecoder(bytes.NewReader(body))
	for {
		token, err := decoder.ReadToken()
		if err != nil { // the end: readBody has seen that it is JSON
			return bad
		}
		if token.Kind() != '0' {
			continue
		}
		if _, err := strconv.ParseInt(token.String(), 10, 64); err != nil {
			field := join("", slices.Collect(decoder.StackPointer().Tokens()))
			bad = append(bad, common.FieldError{Field: clip(field, 200), Message: "must be an integer of 64 bits, without fraction or exponent"})
		}
	}
}

// validateQuery refuses what the validator and the generated code may read differently, or not at all: a parameter that
// the contract does not name, one that comes twice, and text that is not UTF-8.
func (op *operation) validateQuery(raw string) error {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return problem.Invalid(common.FieldError{Field: "query", Message: "is not a valid query string"})
	}
	var bad []common.FieldError
	for name, values := range query {
		switch {
		case !op.queries[name]:
			bad = append(bad, common.FieldError{Field: name, Message: "is not a parameter of this operation"})
		case len(values) > 1:
			bad = append(bad, common.FieldError{Field: name, Message: "is there more than once"})
		case !utf8.ValidString(values[0]):
			bad = append(bad, common.FieldError{Field: name, Message: "is not UTF-8"})
		}
	}
	if len(bad) == 0 {
		return nil
	}
	slices.SortFunc(bad, func(a, b common.FieldError) int { return strings.Compare(a.Field, b.Field) })
	for i := range bad { // the name is the client's: it may be anything
		bad[i].Field = clip(strings.ToValidUTF8(bad[i].Field, "\uFFFD"), 200)
	}
	return problem.Invalid(bad[:min(len(bad), 100)]...)
}

// readBody reads the whole body, within bounds, and refuses what is not one JSON value: RFC 8259 as RFC 7493 narrows
// it, so no member twice, no invalid UTF-8, and nothing after it. Where the operation takes no body, none is read.
func (op *operation) readBody(r *http.Request) ([]byte, error) {
	if op.route.Operation.RequestBody == nil {
		return nil, nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if err != nil {
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			return nil, problem.New(common.CodeBodyTooLarge, fmt.Sprintf("A request body holds at most %d bytes.", maxBody))
		}
		return nil, problem.Invalid(common.FieldError{Field: "body", Message: "ended before it was complete"})
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	if len(body) == 0 {
		return nil, nil
	}
	media, _, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType))
	if err != nil || media != echo.MIMEApplicationJSON {
		return nil, problem.New(common.CodeUnsupportedMediaType, "The body must be application/json.")
	}
	decoder := jsontext.NewDecoder(bytes.NewReader(body))
	if _, err = decoder.ReadValue(); err == nil {
		if _, err = decoder.ReadToken(); errors.Is(err, io.EOF) {
			return body, nil
		}
		if err == nil {
			err = errors.New("there is more after the JSON value")
		}
	}
	refused := problem.Invalid(common.FieldError{Field: "body", Message: "is not one JSON value: " + jsonFault(err)})
	refused.Cause = err
	return nil, refused
}

func jsonFault(err error) string {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return "it ends too early"
	}
	return clip(strings.TrimPrefix(err.Error(), "jsontext: "), 300)
}

// dateTime is the format date-time: as RFC 3339 writes it, which time.Parse is generous about, and a time that is.
type dateTime struct{}

var rfc3339 = regexp.MustCompile(openapi3.FormatOfStringDateTime)

func (dateTime) Validate(value string) error {
	if !rfc3339.MatchString(value) {
		return errors.New("not as RFC 3339 writes it")
	}
	_, err := time.Parse(time.RFC3339, value)
	return err
}

// fields names what the validator found at fault.
func fields(err error) []common.FieldError {
	var found []common.FieldError
	var walk func(err error, field string)
	add := func(field, message string) {
		entry := common.FieldError{Field: clip(field, 200), Message: clip(message, 1000)}
		if len(found) < 100 && !slices.Contains(found, entry) {
			found = append(found, entry)
		}
	}
	walk = func(err error, field string) {
		switch e := err.(type) {
		case openapi3.MultiError:
			for _, one := range e {
				walk(one, field)
			}
		case *openapi3filter.RequestError:
			switch {
			case e.Parameter != nil:
				field = e.Parameter.Name
			case e.RequestBody != nil:
				field = ""
			}
			if e.Err == nil {
				add(orBody(field), e.Reason)
				return
			}
			walk(e.Err, field)
		case *openapi3.SchemaError:
			path, message := schemaFault(e)
			add(orBody(join(field, path)), message)
		case *openapi3filter.ParseError:
			add(orBody(field), parseFault(e))
		default:
			if errors.Is(err, openapi3filter.ErrInvalidRequired) {
				add(orBody(field), "is required")
				return
			}
			add(orBody(field), err.Error())
		}
	}
	walk(err, "")
	return found
}

// schemaFault says where a value does not fit its schema, and why, in words for people.
func schemaFault(e *openapi3.SchemaError) (pointer []string, message string) {
	pointer = e.JSONPointer()
	var name string
	if n, _ := fmt.Sscanf(e.Reason, "property %q is unsupported", &name); n == 1 && strings.HasSuffix(e.Reason, "is unsupported") {
		return append(pointer, name), "is not a field of this object"
	}
	if n, _ := fmt.Sscanf(e.Reason, "property %q is missing", &name); n == 1 && strings.HasSuffix(e.Reason, "is missing") {
		return pointer, "is required"
	}
	if strings.HasPrefix(e.Reason, "cannot convert json.Number") {
		return pointer, "number is out of range"
	}
	if e.SchemaField == "format" && e.Schema.Format == "date-time" {
		return pointer, "must be a time as RFC 3339 writes it, such as 2026-01-15T09:30:00Z"
	}
	return pointer, e.Reason
}

func parseFault(e *openapi3filter.ParseError) string {
	if number := (*strconv.NumError)(nil); errors.As(e, &number) {
		if errors.Is(number, strconv.ErrRange) {
			return "number is out of range"
		}
		return "is not a number"
	}
	if syntax := (*json.SyntaxError)(nil); errors.As(e, &syntax) {
		return "is not JSON"
	}
	if e.Reason != "" {
		return "is " + e.Reason
	}
	return "cannot be read"
}

// join writes a JSON pointer the way people write it: items[0].qty.
func join(field string, pointer []string) string {
	for _, part := range pointer {
		if _, err := strconv.Atoi(part); err == nil {
			field += "[" + part + "]"
			continue
		}
		if field != "" {
			field += "."
		}
		field += part
	}
	return field
}

func orBody(field string) string {
	if field == "" {
		return "body"
	}
	return field
}

// clip cuts a text to at most n characters.
func clip(text string, n int) string {
	if runes := []rune(text); len(runes) > n {
		return string(runes[:n-1]) + "…"
	}
	return text
}
