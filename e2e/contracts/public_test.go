package contracts

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/pedidos-hq/pedidos/gen/contract"
)

func load(t *testing.T, document []byte) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return doc
}

// operations returns the operations of a contract by method and path.
func operations(doc *openapi3.T) map[string]*openapi3.Operation {
	all := map[string]*openapi3.Operation{}
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			all[method+" "+path] = operation
		}
	}
	return all
}

// TestPublic checks that the contract of the front door has every operation of the services that takes the token of a user or none, except
// health checks, as the service has it; and nothing that is for services alone.
func TestPublic(t *testing.T) {
	t.Parallel()
	doc := load(t, contract.Public)
	public := operations(doc)
	expected := []string{"GET /openapi.json", "GET /docs", "GET /docs/{asset}"}
	for name, document := range documents() {
		if name == "public" {
			continue
		}
		service := load(t, document)
		for at, operation := range operations(service) {
			if slices.Contains(operation.Tags, "service") || slices.Contains(operation.Tags, "docs") {
				continue
			}
			security := service.Security
			if operation.Security != nil {
				security = *operation.Security
			}
			forServices := len(security) > 0
			for _, scheme := range security {
				forServices = forServices && scheme["serviceToken"] != nil
			}
			if forServices {
				continue
			}
			expected = append(expected, at)
			got := public[at]
			if got == nil {
				continue // reported below
			}
			if !reflect.DeepEqual(got.Extensions["x-roles"], operation.Extensions["x-roles"]) || got.OperationID != operation.OperationID {
				t.Errorf("%s: got %s for %v, want %s for %v", at, got.OperationID, got.Extensions["x-roles"], operation.OperationID, operation.Extensions["x-roles"])
			}
			for part, pair := range map[string][2]any{
				"responses": {got.Responses, operation.Responses}, "body": {got.RequestBody, operation.RequestBody},
				"parameters": {got.Parameters, slices.DeleteFunc(slices.Clone(operation.Parameters), func(p *openapi3.ParameterRef) bool {
					return p.Value.Extensions["x-service"] == true
				})},
			} {
				if !bytes.Equal(asJSON(t, pair[0]), asJSON(t, pair[1])) {
					t.Errorf("%s: the %s differ from those of %s", at, part, name)
				}
			}
		}
	}
	slices.Sort(expected)
	if got := slices.Sorted(maps.Keys(public)); !slices.Equal(got, expected) {
		t.Errorf("got the operations\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(expected, "\n"))
	}
	if found := regexp.MustCompile(`internal/|[sS]erviceToken|SERVICE_TOKEN|X-Caller|KeyRecord`).FindAll(contract.Public, -1); found != nil {
		t.Errorf("the contract of the front door has %q, which is for services", found)
	}
}

// TestPublicComponents checks that each component of the contract of the front door is that of the services which have it.
func TestPublicComponents(t *testing.T) {
	t.Parallel()
	public := components(t, contract.Public)
	had := map[string]bool{}
	for name, document := range documents() {
		if name == "public" {
			continue
		}
		for at, component := range components(t, document) {
			if want, ok := public[at]; ok && !reflect.DeepEqual(component, want) {
				t.Errorf("%s differs from that of %s", at, name)
			}
			had[at] = true
		}
	}
	for at := range public {
		if !had[at] {
			t.Errorf("no service has %s", at)
		}
	}
}

// components returns the components of a contract by kind and name.
func components(t *testing.T, document []byte) map[string]any {
	t.Helper()
	var doc struct{ Components map[string]map[string]any }
	if err := json.Unmarshal(document, &doc); err != nil {
		t.Fatal(err)
	}
	all := map[string]any{}
	for kind, named := range doc.Components {
		for name, component := range named {
			all[kind+" "+name] = component
		}
	}
	return all
}

func asJSON(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
