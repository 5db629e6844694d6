package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"

	"github.com/pedidos-hq/pedidos/gen/common"
)

// Messages that more than one check returns.
const (
	unknownField = "is not a field of this object"
	repeated     = "must not be repeated"
	outOfRange   = "is out of range"
)

const (
	maxFieldName = 200  // characters of a field name in an answer
	maxMessage   = 1000 // characters of a message about a field
)

// fieldErrors translates the errors of the validator into fields and messages for clients.
func fieldErrors(err error) []common.FieldError {
	var t translator
	t.walk(err, nil)
	return t.found
}

type translator struct {
	found []common.FieldError
}

// walk descends from lists to requests to values. parameter is nil in the body.
func (t *translator) walk(err error, parameter *openapi3.Parameter) {
	field := ""
	if parameter != nil {
		field = parameter.Name
	}
	switch e := err.(type) { //nolint:errorlint // walk descends one level at a time; errors.As would skip levels
	case openapi3.MultiError:
		for _, one := range e {
			t.walk(one, parameter)
		}
	case *openapi3filter.RequestError:
		if e.Parameter != nil {
			parameter, field = e.Parameter, e.Parameter.Name
		}
		if e.Err == nil {
			t.add(field, e.Reason)
			return
		}
		t.walk(e.Err, parameter)
	case *openapi3.SchemaError:
		switch at := join(field, e.JSONPointer()); {
		case e.SchemaField == "properties": // parseBody names the unknown field, which the pointer does not
		case e.SchemaField == "pattern" && t.has(at): // a wrong length is already reported
		default:
			t.add(at, schemaMessage(e))
		}
	case *openapi3filter.ParseError:
		t.add(field, parseMessage(e, parameter))
	default:
		if errors.Is(err, openapi3filter.ErrInvalidRequired) {
			t.add(field, "is required")
			return
		}
		t.add(field, err.Error())
	}
}

func (t *translator) add(field, message string) {
	entry := common.FieldError{Field: clip(orBody(field), maxFieldName), Message: clip(message, maxMessage)}
	if len(t.found) < maxFaults && !slices.Contains(t.found, entry) {
		t.found = append(t.found, entry)
	}
}

func (t *translator) has(field string) bool {
	return slices.ContainsFunc(t.found, func(e common.FieldError) bool { return e.Field == orBody(field) })
}

// schemaMessage says why a value does not match its schema.
func schemaMessage(e *openapi3.SchemaError) string {
	schema := e.Schema
	switch e.SchemaField {
	case "required":
		return "is required"
	case "pattern":
		return patternMessage(schema)
	case "enum":
		return "must be one of " + listed(schema.Enum)
	case "minLength":
		return atLeast(schema.MinLength, "character")
	case "maxLength":
		return atMost(*schema.MaxLength, "character")
	case "minItems":
		return atLeast(schema.MinItems, "item")
	case "maxItems":
		return atMost(*schema.MaxItems, "item")
	case "minProperties":
		return atLeast(schema.MinProps, "field")
	case "minimum":
		return fmt.Sprintf("must be at least %.0f", *schema.Min)
	case "maximum":
		return fmt.Sprintf("must be at most %.0f", *schema.Max)
	case "nullable":
		if schema.MinItems > 0 { // some languages send an empty list as null
			return atLeast(schema.MinItems, "item")
		}
		return "must not be null"
	case "format":
		switch {
		case schema.Format == "date-time":
			return "must be an RFC 3339 time, such as 2026-01-15T09:30:00Z"
		case schema.Type.Is(openapi3.TypeInteger):
			return outOfRange
		}
		return "must be a valid " + schema.Format
	case "type":
		return mustBe(schema)
	}
	return e.Reason
}

// parseMessage says why the text of a parameter is not a value of its type.
func parseMessage(e *openapi3filter.ParseError, parameter *openapi3.Parameter) string {
	syntax := (*json.SyntaxError)(nil)
	switch {
	case errors.Is(e, strconv.ErrRange):
		return outOfRange
	case errors.As(e, &syntax):
		return "must be valid JSON"
	case parameter != nil:
		return mustBe(parameter.Schema.Value)
	}
	return "is malformed"
}

// patternMessage returns the description of a pattern for clients.
func patternMessage(schema *openapi3.Schema) string {
	message, _ := schema.Extensions["x-pattern-message"].(string)
	return message
}

func mustBe(schema *openapi3.Schema) string {
	kind := strings.Join(*schema.Type, " or ")
	if strings.ContainsRune("aio", rune(kind[0])) {
		return "must be an " + kind
	}
	return "must be a " + kind
}

// listed joins the values of an enum, except null.
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

// join writes a JSON pointer below a field as items[0].qty.
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

// orBody returns the field, or "body" for the body as a whole.
func orBody(field string) string {
	if field == "" {
		return "body"
	}
	return field
}

// cut returns at most the first n characters of a text.
func cut(text string, n int) string {
	for i := range text {
		if n == 0 {
			return text[:i]
		}
		n--
	}
	return text
}

// clip shortens a text to at most n characters and marks it with an ellipsis if it does.
func clip(text string, n int) string {
	if short := cut(text, n); len(short) < len(text) {
		return cut(text, n-1) + "…"
	}
	return text
}
