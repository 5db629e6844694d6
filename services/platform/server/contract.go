package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
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
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

// operation is one operation of the contract, with what the middleware needs of it at hand.
type operation struct {
	route    *routers.Route
	access   []string // security schemes, any of which will do
	anyone   bool     // no token is needed
	roles    []auth.Role
	refuses  bool            // there is something in a request that can be wrong
	queries  map[string]bool // the parameters in the query, and whether an empty one is an absent one
	headers  []string
	aliases  []alias
	integers []string // the parameters in path and query that are
	body     *openapi3.RequestBody
	admit    func(echo.Context) error // or nil
}

// alias is a header that takes the place of another where that is not sent.
type alias struct {
	name, of string
	required bool // whether one of them is
}

// operations reads a contract. The keys are those of Echo's routes: method, blank, path with :name for a parameter. It
// refuses a contract that leaves open who may call an operation, or how much a request may cost.
func operations(config Config) (map[string]*operation, error) {
	doc, err := openapi3.NewLoader().LoadFromData(config.Contract)
	if err != nil {
		return nil, fmt.Errorf("read contract: %w", err)
	}
	err = doc.WalkSchemas(func(at string, ref *openapi3.SchemaRef) (err error) {
		if ref.Value.Pattern, err = fromECMA(ref.Value.Pattern); err != nil {
			return fmt.Errorf("contract: pattern at %s: %w", at, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	all, faults := map[string]*operation{}, []error(nil)
	admit := maps.Clone(config.Admit)
	for path, item := range doc.Paths.Map() {
		for method, spec := range item.Operations() {
			op := &operation{
				route: &routers.Route{Spec: doc, Path: path, PathItem: item, Method: method}, queries: map[string]bool{},
				refuses: spec.Responses.Value("400") != nil, admit: admit[spec.OperationID],
			}
			delete(admit, spec.OperationID)
			if err := errors.Join(op.secure(spec, config), op.describe(spec)); err != nil {
				faults = append(faults, fmt.Errorf("contract: %s: %w", spec.OperationID, err))
			}
			all[method+" "+echoPath(path)] = op
		}
	}
	for id := range admit {
		faults = append(faults, fmt.Errorf("contract: there is no operation %s to admit callers to", id))
	}
	return all, errors.Join(faults...)
}

// secure reads who may call an operation.
func (op *operation) secure(spec *openapi3.Operation, config Config) error {
	security := op.route.Spec.Security
	if spec.Security != nil {
		security = *spec.Security
	}
	op.anyone = len(security) == 0
	people := false // whether a token of people will do
	for _, requirement := range security {
		if len(requirement) > 1 {
			return errors.New("asks for more than one token at once")
		}
		op.anyone = op.anyone || config.AllowAnonymous && len(requirement) == 0
		for name := range requirement {
			if config.Schemes[name] == nil {
				return fmt.Errorf("names the security scheme %q, which the service does not have", name)
			}
			op.access = append(op.access, name)
			people = people || name != serviceToken
		}
	}
	roles, _ := spec.Extensions["x-roles"].([]any)
	for _, value := range roles {
		role := auth.Role(fmt.Sprint(value))
		if !role.Known() {
			return fmt.Errorf("names the role %q, which nobody has", role)
		}
		op.roles = append(op.roles, role)
	}
	if people && len(op.roles) == 0 {
		return errors.New("has no x-roles, which say who may call it")
	}
	return nil
}

// serviceToken is the security scheme whose tokens have no role: whoever has one may call what takes it.
const serviceToken = "serviceToken"

// describe reads what a request may hold.
func (op *operation) describe(spec *openapi3.Operation) error {
	open := *spec
	open.Security = openapi3.NewSecurityRequirements() // authorize looks after them
	open.Parameters = nil
	op.route.Operation = &open
	var faults []error
	for _, ref := range slices.Concat(op.route.PathItem.Parameters, spec.Parameters) {
		p := *ref.Value
		if err := checkBounded(p.Schema.Value, nil); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", p.Name, err))
		}
		op.add(&p)
		open.Parameters = append(open.Parameters, &openapi3.ParameterRef{Value: &p})
	}
	for i, a := range op.aliases { // whether one of the two is there is not for the validator to say
		if p := open.Parameters.GetByInAndName(openapi3.ParameterInHeader, a.of); p != nil {
			op.aliases[i].required, p.Required = p.Required, false
		}
	}
	if spec.RequestBody != nil {
		op.body = spec.RequestBody.Value
		content := op.body.Content.Get(echo.MIMEApplicationJSON)
		if content == nil || content.Schema == nil {
			return errors.New("takes a body that is not JSON")
		}
		if err := checkBounded(content.Schema.Value, nil); err != nil {
			faults = append(faults, fmt.Errorf("body: %w", err))
		}
	}
	if !op.refuses && (op.body != nil || len(open.Parameters) > 0) {
		faults = append(faults, errors.New("takes parameters or a body, but has no answer 400"))
	}
	return errors.Join(faults...)
}

func (op *operation) add(p *openapi3.Parameter) {
	switch p.In {
	case openapi3.ParameterInHeader:
		op.headers = append(op.headers, p.Name)
		if of, ok := p.Extensions["x-alias-of"].(string); ok {
			op.aliases = append(op.aliases, alias{name: p.Name, of: of})
		}
		return
	case openapi3.ParameterInQuery:
		op.queries[p.Name] = p.AllowEmptyValue
	}
	if p.Schema.Value.Type.Is(openapi3.TypeInteger) {
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
	refused := fault.New(common.CodeUnauthorized, "A valid bearer token is required.")
	token, ok := auth.Bearer(header)
	if !ok {
		return auth.Caller{}, refused
	}
	for _, name := range op.access {
		caller, err := schemes[name](token)
		if err != nil {
			refused.Cause = errors.Join(refused.Cause, err)
			if errors.Is(err, auth.ErrExpired) {
				refused.Message = "The token has expired; log in again."
			}
			continue
		}
		if caller.Role != auth.Service && !slices.Contains(op.roles, caller.Role) {
			return auth.Caller{}, fault.New(common.CodeForbidden, fmt.Sprintf("The role %s may not do this.", caller.Role))
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
	if err := op.validateQuery(r.URL); err != nil {
		return err
	}
	inBody, err := op.checkBody(c.Response(), r)
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
			ExcludeRequestBody:      true, // checkBody looks after it
			SkipSettingDefaults:     true,
			MultiError:              true,
			SchemaValidationOptions: []openapi3.SchemaValidationOption{withDateTime},
		},
	})
	bad := op.loose(r, parameters)
	if err != nil {
		bad = append(bad, fields(err)...)
	}
	if bad = append(bad, inBody...); len(bad) > 0 {
		refused := fault.Invalid(bad[:min(len(bad), maxFaults)]...)
		refused.Cause = err
		return refused
	}
	for _, a := range op.aliases {
		if a.required && r.Header.Get(a.of) == "" { // the generated code looks for that one
			r.Header.Set(a.of, r.Header.Get(a.name))
		}
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
	for _, a := range op.aliases {
		if a.required && r.Header.Values(a.of) == nil && r.Header.Values(a.name) == nil {
			bad = append(bad, common.FieldError{Field: a.of, Message: "is required"})
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

// validateQuery refuses what the validator and the generated code may read differently, or not at all: a parameter that
// the contract does not name, one that comes twice, and text that is not UTF-8. Where an empty parameter is an absent one
// it is taken out of the query, so that nobody after it sees it.
func (op *operation) validateQuery(at *url.URL) error {
	query, err := url.ParseQuery(at.RawQuery)
	if err != nil {
		return fault.Invalid(common.FieldError{Field: "query", Message: "is not a valid query string"})
	}
	var bad []common.FieldError
	for name, values := range query {
		mayBeEmpty, known := op.queries[name]
		switch {
		case !known:
			bad = append(bad, common.FieldError{Field: name, Message: "is not a parameter of this operation"})
		case len(values) > 1:
			bad = append(bad, common.FieldError{Field: name, Message: "is there more than once"})
		case !utf8.ValidString(values[0]):
			bad = append(bad, common.FieldError{Field: name, Message: "is not UTF-8"})
		case values[0] == "" && mayBeEmpty:
			delete(query, name)
			at.RawQuery = query.Encode()
		}
	}
	if len(bad) == 0 {
		return nil
	}
	slices.SortFunc(bad, func(a, b common.FieldError) int { return strings.Compare(a.Field, b.Field) })
	for i := range bad { // the name is the client's: it may be anything
		bad[i].Field = clip(strings.ToValidUTF8(bad[i].Field, "\uFFFD"), 200)
	}
	return fault.Invalid(bad[:min(len(bad), maxFaults)]...)
}

var withDateTime = openapi3.WithStringFormatValidator("date-time", dateTime{})

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
		if len(found) < maxFaults && !slices.Contains(found, entry) {
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
			if e.Parameter != nil {
				field = e.Parameter.Name
			}
			if e.Err == nil {
				add(orBody(field), e.Reason)
				return
			}
			walk(e.Err, field)
		case *openapi3.SchemaError:
			path, message := schemaFault(e)
			at := orBody(join(field, path))
			if e.SchemaField == "pattern" && slices.ContainsFunc(found, func(f common.FieldError) bool { return f.Field == at }) {
				return // that its length is wrong is enough
			}
			add(at, message)
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

const notAField = "is not a field of this object"

// schemaFault says where a value does not fit its schema, and why, in words for people.
func schemaFault(e *openapi3.SchemaError) (pointer []string, message string) {
	pointer = e.JSONPointer()
	schema := e.Schema
	switch e.SchemaField {
	case "properties":
		var name string
		if n, _ := fmt.Sscanf(e.Reason, "property %q is unsupported", &name); n == 1 {
			return append(pointer, name), notAField
		}
	case "required":
		return pointer, "is required"
	case "pattern":
		return pointer, patternMessage(schema)
	case "enum":
		return pointer, "must be one of " + listed(schema.Enum)
	case "minLength":
		return pointer, atLeast(schema.MinLength, "character")
	case "maxLength":
		return pointer, atMost(*schema.MaxLength, "character")
	case "minItems":
		return pointer, atLeast(schema.MinItems, "item")
	case "maxItems":
		return pointer, atMost(*schema.MaxItems, "item")
	case "minProperties":
		return pointer, atLeast(schema.MinProps, "field")
	case "minimum":
		return pointer, fmt.Sprintf("must be at least %.0f", *schema.Min)
	case "maximum":
		return pointer, fmt.Sprintf("must be at most %.0f", *schema.Max)
	case "nullable":
		if schema.MinItems > 0 { // null is the empty list of some languages
			return pointer, atLeast(schema.MinItems, "item")
		}
		return pointer, "must not be null"
	case "format":
		switch {
		case schema.Format == "date-time":
			return pointer, "must be a time as RFC 3339 writes it, such as 2026-01-15T09:30:00Z"
		case schema.Type.Is(openapi3.TypeInteger):
			return pointer, "number is out of range"
		}
		return pointer, "must be a " + schema.Format
	case "type":
		if strings.HasPrefix(e.Reason, "cannot convert json.Number") {
			return pointer, "number is out of range"
		}
		return pointer, mustBe(schema)
	}
	return pointer, e.Reason
}

func mustBe(schema *openapi3.Schema) string {
	kind := strings.Join(*schema.Type, " or ")
	if strings.ContainsRune("aio", rune(kind[0])) {
		return "must be an " + kind
	}
	return "must be a " + kind
}

// listed writes the values of an enumeration, but for null, which stands in the type.
func listed(values []any) string {
	var texts []string
	for _, value := range values {
		if value != nil {
			texts = append(texts, fmt.Sprint(value))
		}
	}
	return strings.Join(texts, ", ")
}

func atLeast(n uint64, what string) string { return "must have at least " + count(n, what) }
func atMost(n uint64, what string) string  { return "must have at most " + count(n, what) }

func count(n uint64, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
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
