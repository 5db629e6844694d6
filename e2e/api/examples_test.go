package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/contract"
	"github.com/pedidos-hq/pedidos/services/sample"
)

// contracts maps a service to the contract that it serves.
var contracts = map[string][]byte{
	"customers": contract.Customers, "orders": contract.Orders, "orchestrator": contract.Orchestrator,
}

// exampleOperation is an operation with its service, method and path.
type exampleOperation struct {
	*openapi3.Operation
	service, method, path string
	doc                   *openapi3.T
	parameters            []*openapi3.Parameter // the path's parameters included
}

// exampleOperations reads all operations of the three contracts.
func exampleOperations(t *testing.T) (all []exampleOperation) {
	t.Helper()
	for _, service := range slices.Sorted(maps.Keys(contracts)) {
		doc, err := openapi3.NewLoader().LoadFromData(contracts[service]) // the contract of package world allows no unknown members
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range doc.Paths.InMatchingOrder() {
			item := doc.Paths.Value(path)
			for _, method := range slices.Sorted(maps.Keys(item.Operations())) {
				o := exampleOperation{Operation: item.GetOperation(method), service: service, method: method, path: path, doc: doc}
				for _, p := range slices.Concat(item.Parameters, o.Parameters) {
					o.parameters = append(o.parameters, p.Value)
				}
				all = append(all, o)
			}
		}
	}
	return all
}

// typed holds values for required parameters, since no parameter has an example.
var typed = map[string]string{"id": "1", "key_id": "1", "asset": "swagger-ui.css", "Idempotency-Key": "a-key-of-my-own"}

// The example body of every operation, sent unchanged to services with the sample data, gets the operation's success status.
// Readers try the examples first.
func TestExamples(t *testing.T) {
	t.Parallel()
	for _, o := range exampleOperations(t) {
		t.Run(o.service+"/"+o.OperationID, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, world.Options{AdminPassword: "pedidos-local"})
			if _, err := sample.Add(t.Context(), w.DB); err != nil {
				t.Fatal(err)
			}
			s := w.Login("admin")
			s.CreateOrder(t, 1, 1, 2) // order 1, which the examples refer to
			people := newPeople(t, w, s)
			if o.OperationID == "setPassword" {
				o.RequestBody.Value.Content["application/json"].Example.(map[string]any)["token"] = people.setup
			}

			r := o.request(t, w.URLs().Of(o.service))
			if slices.Contains(o.Tags, "users") { // user 1 is the last administrator, who keeps the role
				r.URL.Path = strings.Replace(r.URL.Path, "/users/1", "/users/2", 1)
			}
			switch o.scheme() {
			case "bearerAuth":
				r.Header.Set("Authorization", "Bearer "+s.Token)
			case "sessionToken":
				r.Header.Set("Authorization", "Bearer "+people.session)
			case "serviceToken":
				r.Header.Set("Authorization", "Bearer "+world.ServiceToken)
			}
			client := w.HTTP(o.service)
			client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			call.Read(client.Do(r)).Want(t, o.success(t))
		})
	}
}

// request returns the request that the operation's examples describe.
func (o exampleOperation) request(t *testing.T, base string) *http.Request {
	t.Helper()
	path, query, header := o.path, url.Values{}, http.Header{}
	for _, p := range o.parameters {
		value, typed := typed[p.Name]
		if !typed {
			if p.Required {
				t.Fatalf("the required parameter %s is missing in typed", p.Name)
			}
			continue
		}
		switch p.In {
		case openapi3.ParameterInPath:
			path = strings.ReplaceAll(path, "{"+p.Name+"}", url.PathEscape(value))
		case openapi3.ParameterInQuery:
			query.Set(p.Name, value)
		case openapi3.ParameterInHeader:
			header.Set(p.Name, value)
		}
	}
	var body []byte
	if o.RequestBody != nil {
		var err error
		if body, err = json.Marshal(o.RequestBody.Value.Content["application/json"].Example); err != nil {
			t.Fatal(err)
		}
		header.Set("Content-Type", "application/json")
	}
	r, err := http.NewRequestWithContext(t.Context(), o.method, base+path+"?"+query.Encode(), bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header
	return r
}

// scheme returns the first security scheme of the operation, or "".
func (o exampleOperation) scheme() string {
	security := o.doc.Security
	if o.Security != nil {
		security = *o.Security
	}
	for _, requirement := range security {
		for name := range requirement {
			return name
		}
	}
	return ""
}

// success returns the only 2xx status that the operation declares, or the redirect.
func (o exampleOperation) success(t *testing.T) (status int) {
	t.Helper()
	for code := range o.Responses.Map() {
		if strings.HasPrefix(code, "2") || code == "303" {
			if status != 0 {
				t.Fatalf("two successes: %d and %s", status, code)
			}
			status, _ = strconv.Atoi(code)
		}
	}
	return status
}

// The contracts follow the rules that readers, code generators and the services rely on.
func TestContractLint(t *testing.T) {
	t.Parallel()
	for name, data := range contracts {
		doc, err := openapi3.NewLoader().LoadFromData(data)
		if err != nil {
			t.Fatal(err)
		}
		// Every example matches its schema.
		if err := doc.Validate(t.Context(), openapi3.EnableExamplesValidation()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	ids := map[string]bool{}
	for _, o := range exampleOperations(t) {
		where := fmt.Sprintf("%s: %s %s", o.service, o.method, o.path)
		fault := func(format string, args ...any) {
			t.Helper()
			t.Errorf("%s: %s", where, fmt.Sprintf(format, args...))
		}
		if o.OperationID == "" || o.Summary == "" || o.Description == "" || len(o.Tags) == 0 {
			fault("operationId, summary, description and a tag: got %q, %q, %q, %q", o.OperationID, o.Summary, o.Description, o.Tags)
		}
		if ids[o.service+o.OperationID] {
			fault("another operation has the operationId %s", o.OperationID)
		}
		ids[o.service+o.OperationID] = true
		for _, p := range o.parameters {
			if p.Description == "" {
				fault("the parameter %s has no description", p.Name)
			}
			// Swagger UI fills forms with the examples: one would filter a list, or repeat an idempotency key.
			if p.Example != nil || len(p.Examples) > 0 || p.Schema.Value.Example != nil {
				fault("the parameter %s has an example, which is sent though nobody typed it", p.Name)
			}
			checkBounded(p.Name, p.Schema, fault)
		}
		if o.RequestBody != nil {
			for media, content := range o.RequestBody.Value.Content {
				if content.Example == nil && len(content.Examples) == 0 {
					fault("the body in %s has no example", media)
				}
				checkBounded("body", content.Schema, fault)
			}
			checkDeclares(o, []string{"400", "413", "415"}, fault)
		}
		if o.scheme() != "" {
			checkDeclares(o, []string{"401"}, fault)
		}
		if roles, ok := o.Extensions["x-roles"].([]any); ok && !slices.Contains(roles, any("viewer")) {
			checkDeclares(o, []string{"403"}, fault)
		}
		for code, response := range o.Responses.Map() {
			if *response.Value.Description == "" {
				fault("%s has no description", code)
			}
			for media, content := range response.Value.Content {
				if strings.HasSuffix(media, "json") && content.Example == nil && len(content.Examples) == 0 {
					fault("%s in %s has no example", code, media)
				}
			}
			for header, value := range response.Value.Headers {
				if value.Value.Description == "" {
					fault("%s: the header %s has no description", code, header)
				}
			}
		}
	}
}

func checkDeclares(o exampleOperation, codes []string, fault func(string, ...any)) {
	for _, code := range codes {
		if o.Responses.Value(code) == nil {
			fault("%s is not declared", code)
		}
	}
}

// checkBounded reports schemas without bounds or that allow unknown members.
func checkBounded(where string, ref *openapi3.SchemaRef, fault func(string, ...any)) {
	s := ref.Value
	switch {
	case s.Type.Is(openapi3.TypeString):
		if s.MaxLength == nil && len(s.Enum) == 0 {
			fault("%s: a string without maxLength or enum", where)
		}
	case s.Type.Is(openapi3.TypeInteger), s.Type.Is(openapi3.TypeNumber):
		if s.Min == nil || s.Max == nil {
			fault("%s: a number without minimum and maximum", where)
		}
	case s.Type.Is(openapi3.TypeArray):
		if s.MaxItems == nil {
			fault("%s: an array without maxItems", where)
		}
		checkBounded(where+"[]", s.Items, fault)
	case s.Type.Is(openapi3.TypeObject):
		if s.AdditionalProperties.Has == nil || *s.AdditionalProperties.Has {
			fault("%s: an object that takes any field", where)
		}
		for name, property := range s.Properties {
			checkBounded(where+"."+name, property, fault)
		}
	case !s.Type.Is(openapi3.TypeBoolean):
		fault("%s: no type", where)
	}
}
