package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/labstack/echo/v4"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

const (
	maxBody   = 1 << 20 // bytes of a request body
	maxFaults = 100     // of a request that are looked for, and named
	maxPassed = 20_000  // tokens of a body that are passed over, since the schema has no place for them
)

// checkBounded reports what in the schema of a request is not bounded, so that a body could be valid, or be read, at any
// cost, and the pattern that could not be told to people.
func checkBounded(schema *openapi3.Schema, within []*openapi3.Schema) error {
	if slices.Contains(within, schema) {
		return errors.New("a schema within itself")
	}
	within = append(within, schema)
	if len(schema.OneOf)+len(schema.AnyOf)+len(schema.AllOf) > 0 || schema.Not != nil {
		return errors.New("a schema of other schemas")
	}
	switch {
	case schema.Type.Is(openapi3.TypeObject):
		if may := schema.AdditionalProperties.Has; may == nil || *may {
			return errors.New("an object without additionalProperties: false")
		}
		for name, property := range schema.Properties {
			if err := checkBounded(property.Value, within); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	case schema.Type.Is(openapi3.TypeArray):
		if schema.MaxItems == nil {
			return errors.New("an array without maxItems")
		}
		return checkBounded(schema.Items.Value, within)
	case schema.Type.Is(openapi3.TypeString):
		if schema.MaxLength == nil && len(schema.Enum) == 0 {
			return errors.New("a string without maxLength")
		}
		if schema.Pattern != "" && patternMessage(schema) == "" {
			return errors.New("a pattern without x-pattern-message")
		}
	case schema.Type.Is(openapi3.TypeInteger), schema.Type.Is(openapi3.TypeBoolean):
	default:
		return errors.New("a schema that is no object, array, string, integer or boolean")
	}
	return nil
}

// patternMessage says what the pattern of a schema asks for, in words for people.
func patternMessage(schema *openapi3.Schema) string {
	message, _ := schema.Extensions["x-pattern-message"].(string)
	return message
}

// body is a request body, read as far as its schema goes.
type body struct {
	value  any                 // as encoding/json decodes it, with json.Number
	faults []common.FieldError // that the schema does not name, in part or at all
	cut    bool                // whether reading stopped at the faults, so that value is not the whole
}

// validated is the body that the generated code binds: the value that was checked, never the bytes a second time.
type validated struct {
	io.ReadCloser
	value any
}

func (v validated) ValidatedValue() any { return v.value }

// checkBody reads the body, within the time that the request has, and holds it to the schema. It returns the faults of the body alone; where there are none, the
// value that was checked takes the place of the body.
func (op *operation) checkBody(w http.ResponseWriter, r *http.Request) ([]common.FieldError, error) {
	if op.body == nil {
		return nil, nil
	}
	control := http.NewResponseController(w) // a server that can't set deadlines has the whole body
	if deadline, ok := r.Context().Deadline(); ok {
		_ = control.SetReadDeadline(deadline)
	}
	raw, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, fault.Invalid(common.FieldError{Field: "body", Message: "did not arrive in time"})
	}
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return nil, fault.New(common.CodeBodyTooLarge, fmt.Sprintf("A request body holds at most %d bytes.", maxBody))
	}
	if err != nil {
		return nil, fault.Invalid(common.FieldError{Field: "body", Message: "ended before it was complete"})
	}
	_ = control.SetReadDeadline(time.Time{}) // else net/http takes it for the end of the client
	again := io.NopCloser(bytes.NewReader(raw))
	r.Body, r.ContentLength = again, int64(len(raw))
	if len(raw) == 0 {
		if op.body.Required {
			return []common.FieldError{{Field: "body", Message: "is required"}}, nil
		}
		return nil, nil
	}
	media, _, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType))
	if err != nil || media != echo.MIMEApplicationJSON {
		return nil, fault.New(common.CodeUnsupportedMediaType, "The body must be application/json.")
	}
	schema := op.body.Content.Get(echo.MIMEApplicationJSON).Schema.Value
	sent, err := readBody(raw, schema)
	if err != nil {
		refused := fault.Invalid(common.FieldError{Field: "body", Message: "is not one JSON value: " + jsonFault(err)})
		refused.Cause = err
		return nil, refused
	}
	if !sent.cut {
		if err := schema.VisitJSON(sent.value, openapi3.VisitAsRequest(), openapi3.MultiErrors(), withDateTime); err != nil {
			return fields(err), nil
		}
	}
	r.Body = validated{ReadCloser: again, value: sent.value}
	return sent.faults, nil
}

// readBody refuses what is not one JSON value: RFC 8259 as RFC 7493 narrows it, so no member twice, no invalid UTF-8, and
// nothing after it. It reads no further than the schema goes: what has another type, or is a member that the schema does
// not name, is passed over, a string is cut behind maxLength, and the first item beyond maxItems ends it, as do too much to
// be passed over and the hundredth member that the schema does not name. So no body costs much more than a valid one of its
// size does.
func readBody(raw []byte, schema *openapi3.Schema) (body, error) {
	r := reader{decoder: jsontext.NewDecoder(bytes.NewBuffer(raw))}
	value, err := r.read(schema)
	if errors.Is(err, errEnough) {
		return body{faults: r.faults, cut: true}, nil
	}
	if err != nil {
		return body{}, err
	}
	if _, err := r.decoder.ReadToken(); !errors.Is(err, io.EOF) {
		if err == nil {
			err = errors.New("there is more after the JSON value")
		}
		return body{}, err
	}
	return body{value: value, faults: r.faults}, nil
}

// errEnough stops reading.
var errEnough = errors.New("enough faults")

type reader struct {
	decoder *jsontext.Decoder
	faults  []common.FieldError
	unknown int // members
	passed  int // tokens that were passed over
}

// fault names a fault of what was read last, at a depth.
func (r *reader) fault(depth int, message string) {
	path := slices.Collect(r.decoder.StackPointer().Tokens())
	field := join("", path[:depth])
	r.faults = append(r.faults, common.FieldError{Field: clip(orBody(field), 200), Message: message})
}

func (r *reader) read(schema *openapi3.Schema) (any, error) {
	switch r.decoder.PeekKind() {
	case '{':
		if schema.Type.Is(openapi3.TypeObject) {
			return r.readObject(schema)
		}
		return map[string]any{}, r.pass(mustBe(schema))
	case '[':
		if schema.Type.Is(openapi3.TypeArray) {
			return r.readArray(schema)
		}
		return []any{}, r.pass(mustBe(schema))
	}
	token, err := r.decoder.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case 't', 'f':
		return token.Bool(), nil
	case '"':
		if schema.MaxLength != nil {
			return cut(token.String(), int(*schema.MaxLength)+1), nil
		}
		return token.String(), nil
	case '0':
		return r.number(schema, token.String()), nil
	}
	return nil, nil // null
}

func (r *reader) readObject(schema *openapi3.Schema) (any, error) {
	object := make(map[string]any, len(schema.Properties))
	if _, err := r.decoder.ReadToken(); err != nil {
		return nil, err
	}
	for r.decoder.PeekKind() != '}' {
		token, err := r.decoder.ReadToken()
		if err != nil {
			return nil, err
		}
		name := token.String()
		property, ok := schema.Properties[name]
		if !ok {
			name = cut(name, 201)
			if r.unknown++; r.unknown == maxFaults {
				r.fault(r.decoder.StackDepth(), notAField)
				return nil, errEnough
			}
			if err := r.pass(notAField); err != nil {
				return nil, err
			}
			r.fault(r.decoder.StackDepth(), notAField)
			object[name] = nil // the schema names it
			continue
		}
		if object[name], err = r.read(property.Value); err != nil {
			return nil, err
		}
	}
	_, err := r.decoder.ReadToken()
	return object, err
}

func (r *reader) readArray(schema *openapi3.Schema) (any, error) {
	array := []any{}
	if _, err := r.decoder.ReadToken(); err != nil {
		return nil, err
	}
	for r.decoder.PeekKind() != ']' {
		if uint64(len(array)) == *schema.MaxItems {
			r.fault(r.decoder.StackDepth()-1, atMost(*schema.MaxItems, "item"))
			return nil, errEnough
		}
		item, err := r.read(schema.Items.Value)
		if err != nil {
			return nil, err
		}
		array = append(array, item)
	}
	_, err := r.decoder.ReadToken()
	return array, err
}

// pass passes over a value. Where that is too much, the fault of the value is named.
func (r *reader) pass(fault string) error {
	for depth := r.decoder.StackDepth(); ; {
		if _, err := r.decoder.ReadToken(); err != nil {
			return err
		}
		if r.decoder.StackDepth() == depth {
			return nil
		}
		if r.passed++; r.passed > maxPassed {
			r.fault(depth, fault)
			return errEnough
		}
	}
}

// number names a number that the generated code can't hold. All numbers in the contracts are integers, which in OpenAPI
// 3.0 have neither fraction nor exponent; the schema takes 1.0 and 1e2 for integers too, and compares with the limits in
// floating point.
func (r *reader) number(schema *openapi3.Schema, text string) json.Number {
	if _, err := strconv.ParseInt(text, 10, 64); err != nil && schema.Type.Is(openapi3.TypeInteger) {
		r.fault(r.decoder.StackDepth(), "must be an integer of 64 bits, without fraction or exponent")
	}
	return json.Number(text)
}

func jsonFault(err error) string {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return "it ends too early"
	}
	return clip(strings.TrimPrefix(err.Error(), "jsontext: "), 300)
}

// cut cuts a text to at most n characters.
func cut(text string, n int) string {
	for i := range text {
		if n == 0 {
			return text[:i]
		}
		n--
	}
	return text
}

// clip cuts a text to at most n characters, and shows that it did.
func clip(text string, n int) string {
	if short := cut(text, n); len(short) < len(text) {
		return cut(text, n-1) + "…"
	}
	return text
}
