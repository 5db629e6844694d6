package server

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"
)

// operation is an operation of the contract, prepared to authorize and validate requests.
type operation struct {
	id       string // operationId, or the name of a page
	path     string // as in the contract
	long     bool   // as Page.Long
	statuses []int  // of its answers
	access   access
	input    input
	limited  bool                     // the contract has the answer 429
	admit    func(echo.Context) error // nil admits everyone
}

// operations reads and checks a contract. The keys are the routes of Echo, such as "GET /orders/:id". It rejects a contract
// with an operation that does not declare who may call it, or whose requests have no bound.
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
	var faults []error
	all := map[string]*operation{}
	admit := maps.Clone(config.Admit)
	for path, item := range doc.Paths.Map() {
		for method, spec := range item.Operations() {
			op := &operation{id: spec.OperationID, path: path, statuses: statuses(spec), admit: admit[spec.OperationID]}
			op.limited = slices.Contains(op.statuses, http.StatusTooManyRequests)
			delete(admit, op.id)
			var accessFault, inputFault error
			op.access, accessFault = readAccess(doc, spec, config)
			op.input, inputFault = readInput(doc, path, method, spec)
			if err := errors.Join(accessFault, inputFault); err != nil {
				faults = append(faults, fmt.Errorf("contract: %s: %w", op.id, err))
			}
			all[method+" "+echoPath(path)] = op
		}
	}
	for id := range admit {
		faults = append(faults, fmt.Errorf("contract: Admit names the unknown operation %s", id))
	}
	return all, errors.Join(faults...)
}

func statuses(spec *openapi3.Operation) (all []int) {
	for code := range spec.Responses.Map() {
		if status, err := strconv.Atoi(code); err == nil { // not "default"
			all = append(all, status)
		}
	}
	return all
}

func echoPath(path string) string {
	return strings.NewReplacer("{", ":", "}", "").Replace(path)
}

// checkBounded rejects the schema of a request if the size of valid values, or the work to validate one, has no bound. It also
// rejects a pattern without a message for clients.
func checkBounded(schema *openapi3.Schema, within []*openapi3.Schema) error {
	if slices.Contains(within, schema) {
		return errors.New("a recursive schema")
	}
	within = append(within, schema)
	if len(schema.OneOf)+len(schema.AnyOf)+len(schema.AllOf) > 0 || schema.Not != nil {
		return errors.New("a schema with oneOf, anyOf, allOf or not")
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
		return errors.New("a schema that is not an object, array, string, integer or boolean")
	}
	return nil
}
