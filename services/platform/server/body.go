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
	maxBody    = 1 << 20 // bytes of a request body
	maxFaults  = 100     // field errors in an answer
	maxSkipped = 20_000  // JSON tokens in values that the schema has no place for
)

// validated is a body whose value was validated. The generated code takes the value and does not parse the bytes again.
type validated struct {
	io.ReadCloser
	value any
}

func (v validated) ValidatedValue() any { return v.value }

// checkBody reads and validates the body. It returns the invalid fields, and an error if the body can't be read as JSON at
// all. The body is replaced by the validated one.
func (in *input) checkBody(w http.ResponseWriter, r *http.Request) ([]common.FieldError, error) {
	if in.body == nil {
		return nil, nil
	}
	raw, err := receive(w, r)
	if err != nil {
		return nil, err
	}
	again := io.NopCloser(bytes.NewReader(raw))
	r.Body, r.ContentLength = again, int64(len(raw))
	if len(raw) == 0 {
		if in.body.Required {
			return []common.FieldError{{Field: "body", Message: "is required"}}, nil
		}
		return nil, nil
	}
	media, _, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType))
	if err != nil || media != echo.MIMEApplicationJSON {
		return nil, fault.New(common.CodeUnsupportedMediaType, "The body must be application/json.")
	}
	schema := in.body.Content.Get(echo.MIMEApplicationJSON).Schema.Value
	parsed, err := parseBody(raw, schema)
	if err != nil {
		refused := fault.Invalid(common.FieldError{Field: "body", Message: "is not a single JSON value: " + jsonMessage(err)})
		refused.Cause = err
		return nil, refused
	}
	bad := parsed.faults
	if !parsed.incomplete {
		if err := schema.VisitJSON(parsed.value, openapi3.VisitAsRequest(), openapi3.MultiErrors(), withDateTime); err != nil {
			bad = append(bad, except(fieldErrors(err), parsed.faults)...)
		}
	}
	r.Body = validated{ReadCloser: again, value: parsed.value}
	return bad, nil
}

// except returns the errors about fields that known does not name.
func except(all, known []common.FieldError) []common.FieldError {
	return slices.DeleteFunc(all, func(e common.FieldError) bool {
		return slices.ContainsFunc(known, func(k common.FieldError) bool { return k.Field == e.Field })
	})
}

// receive reads the body within the deadline of the request.
func receive(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	control := http.NewResponseController(w) // a Lambda has no deadlines, but its body is complete
	if deadline, ok := r.Context().Deadline(); ok {
		_ = control.SetReadDeadline(deadline)
	}
	raw, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	tooLarge := (*http.MaxBytesError)(nil)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, fault.Invalid(common.FieldError{Field: "body", Message: "did not arrive in time"})
	case errors.As(err, &tooLarge):
		return nil, fault.New(common.CodeBodyTooLarge, fmt.Sprintf("A request body holds at most %d bytes.", maxBody))
	case err != nil:
		return nil, fault.Invalid(common.FieldError{Field: "body", Message: "ended before it was complete"})
	}
	_ = control.SetReadDeadline(time.Time{}) // otherwise net/http cancels the request at the deadline
	return raw, nil
}

// parsed is a body without the parts that its schema has no place for.
type parsed struct {
	value      any                 // as encoding/json decodes it, with json.Number
	faults     []common.FieldError // that validation of the value would miss
	incomplete bool                // parsing stopped at a fault, so there is no value
}

// parseBody parses a single JSON value in I-JSON (RFC 7493), which forbids duplicate members and invalid UTF-8.
//
// It keeps only what the schema has a place for, so that an invalid body costs little more than a valid one of its size.
// Values of another type and unknown members are skipped, and strings are cut after maxLength. It stops at the first item
// beyond maxItems, at the hundredth unknown member, and after maxSkipped tokens.
func parseBody(raw []byte, schema *openapi3.Schema) (parsed, error) {
	p := parser{decoder: jsontext.NewDecoder(bytes.NewBuffer(raw))}
	value, err := p.parse(schema)
	if errors.Is(err, errEnough) {
		return parsed{faults: p.faults, incomplete: true}, nil
	}
	if err != nil {
		return parsed{}, err
	}
	if _, err := p.decoder.ReadToken(); !errors.Is(err, io.EOF) {
		if err == nil {
			err = errors.New("there is data after the value")
		}
		return parsed{}, err
	}
	return parsed{value: value, faults: p.faults}, nil
}

// errEnough stops parsing.
var errEnough = errors.New("enough faults")

type parser struct {
	decoder *jsontext.Decoder
	faults  []common.FieldError
	unknown int // members
	skipped int // tokens
}

// fault adds a fault of the value read last, or of the value around it at a lower depth.
func (p *parser) fault(depth int, message string) {
	path := slices.Collect(p.decoder.StackPointer().Tokens())
	field := join("", path[:depth])
	p.faults = append(p.faults, common.FieldError{Field: clip(orBody(field), maxFieldName), Message: message})
}

func (p *parser) parse(schema *openapi3.Schema) (any, error) {
	switch p.decoder.PeekKind() {
	case '{':
		if schema.Type.Is(openapi3.TypeObject) {
			return p.parseObject(schema)
		}
		return map[string]any{}, p.skip(mustBe(schema))
	case '[':
		if schema.Type.Is(openapi3.TypeArray) {
			return p.parseArray(schema)
		}
		return []any{}, p.skip(mustBe(schema))
	}
	token, err := p.decoder.ReadToken()
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
		return p.number(schema, token.String()), nil
	}
	return nil, nil // null
}

func (p *parser) parseObject(schema *openapi3.Schema) (any, error) {
	object := make(map[string]any, len(schema.Properties))
	if _, err := p.decoder.ReadToken(); err != nil {
		return nil, err
	}
	for p.decoder.PeekKind() != '}' {
		token, err := p.decoder.ReadToken()
		if err != nil {
			return nil, err
		}
		name := token.String()
		property, ok := schema.Properties[name]
		if !ok {
			if p.unknown++; p.unknown == maxFaults {
				p.fault(p.decoder.StackDepth(), unknownField)
				return nil, errEnough
			}
			if err := p.skip(unknownField); err != nil {
				return nil, err
			}
			p.fault(p.decoder.StackDepth(), unknownField)
			object[cut(name, maxFieldName+1)] = nil // counts towards minProperties
			continue
		}
		if object[name], err = p.parse(property.Value); err != nil {
			return nil, err
		}
	}
	_, err := p.decoder.ReadToken()
	return object, err
}

func (p *parser) parseArray(schema *openapi3.Schema) (any, error) {
	array := []any{}
	if _, err := p.decoder.ReadToken(); err != nil {
		return nil, err
	}
	for p.decoder.PeekKind() != ']' {
		if uint64(len(array)) == *schema.MaxItems {
			p.fault(p.decoder.StackDepth()-1, atMost(*schema.MaxItems, "item"))
			return nil, errEnough
		}
		item, err := p.parse(schema.Items.Value)
		if err != nil {
			return nil, err
		}
		array = append(array, item)
	}
	_, err := p.decoder.ReadToken()
	return array, err
}

// skip skips a value. If that is too much work, it adds the fault of the value and stops parsing.
func (p *parser) skip(fault string) error {
	for depth := p.decoder.StackDepth(); ; {
		if _, err := p.decoder.ReadToken(); err != nil {
			return err
		}
		if p.decoder.StackDepth() == depth {
			return nil
		}
		if p.skipped++; p.skipped > maxSkipped {
			p.fault(depth, fault)
			return errEnough
		}
	}
}

// number adds a fault if an integer does not fit into 64 bits or has a fraction or an exponent. The validator would accept
// 1.0 and 1e2, and it compares with minimum and maximum in floating point.
func (p *parser) number(schema *openapi3.Schema, text string) json.Number {
	if _, err := strconv.ParseInt(text, 10, 64); err != nil && schema.Type.Is(openapi3.TypeInteger) {
		p.fault(p.decoder.StackDepth(), "must be a 64-bit integer without fraction or exponent")
	}
	return json.Number(text)
}

func jsonMessage(err error) string {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return "it ends too early"
	}
	return clip(strings.TrimPrefix(err.Error(), "jsontext: "), 300)
}
