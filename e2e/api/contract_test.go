package api

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/contract"
)

// service is the address and the contract of a service.
type service struct {
	name, url string
	raw       []byte // its contract
	doc       *openapi3.T
	client    *http.Client // checks every exchange against the contract
}

func allServices(t *testing.T, w *world.World) []service {
	t.Helper()
	services := []service{
		{name: "customers", url: w.CustomersURL, raw: contract.Customers},
		{name: "orders", url: w.OrdersURL, raw: contract.Orders},
		{name: "orchestrator", url: w.OrchestratorURL, raw: contract.Orchestrator},
	}
	for i := range services {
		s := &services[i]
		var err error
		if s.doc, err = openapi3.NewLoader().LoadFromData(s.raw); err != nil {
			t.Fatal(err)
		}
		s.client = w.HTTP(s.name)
	}
	return services
}

// prefixes returns the path prefixes of the service's routes.
func (s service) prefixes() []string {
	if s.name == "orchestrator" {
		return []string{"", "/dev"}
	}
	return []string{""}
}

// operation is one operation of a contract.
type operation struct {
	*openapi3.Operation
	service service
	method  string
	path    string // of a resource that need not exist
}

// allOperations returns the operations of all services.
func allOperations(t *testing.T, w *world.World) (all []operation) {
	t.Helper()
	for _, s := range allServices(t, w) {
		for _, path := range s.doc.Paths.InMatchingOrder() {
			operations := s.doc.Paths.Value(path).Operations()
			for _, method := range slices.Sorted(maps.Keys(operations)) {
				all = append(all, operation{Operation: operations[method], service: s, method: method, path: examplePath(path)})
			}
		}
	}
	return all
}

func examplePath(template string) string {
	return strings.NewReplacer("{id}", "7", "{key_id}", "8", "{asset}", "swagger-ui.css").Replace(template)
}

func (o operation) url() string { return o.service.url + o.path }

// schemes returns the security schemes that the operation accepts, and whether it also accepts requests without a token.
func (o operation) schemes() (names []string, anyone bool) {
	security := o.service.doc.Security
	if o.Security != nil {
		security = *o.Security
	}
	anyone = len(security) == 0
	for _, requirement := range security {
		anyone = anyone || len(requirement) == 0
		names = slices.AppendSeq(names, maps.Keys(requirement))
	}
	return names, anyone
}

// token returns a token that the operation accepts: the user's, if it accepts one.
func (o operation) token(user string, p people) string {
	schemes, _ := o.schemes()
	switch {
	case slices.Contains(schemes, "bearerAuth"):
		return user
	case slices.Contains(schemes, "sessionToken"):
		return p.session
	case slices.Contains(schemes, "serviceToken"):
		return world.ServiceToken
	}
	return user
}

func (o operation) roles() (names []string) {
	roles, _ := o.Extensions["x-roles"].([]any)
	for _, role := range roles {
		names = append(names, fmt.Sprint(role))
	}
	return names
}

// example returns the contract's example of the body, or nil if the operation has no body.
func (o operation) example(t *testing.T) map[string]any {
	t.Helper()
	if o.RequestBody == nil {
		return nil
	}
	example, ok := o.RequestBody.Value.Content["application/json"].Example.(map[string]any)
	if !ok {
		t.Fatalf("%s: the contract has no example of the body", o.OperationID)
	}
	return maps.Clone(example)
}

// headers returns the headers of a request with a body. Required headers have the examples of the contract.
func (o operation) headers(token string) []string {
	headers := call.JSON(token)
	for _, parameter := range o.Parameters {
		if p := parameter.Value; p.In == openapi3.ParameterInHeader && p.Required {
			headers = append(headers, p.Name, fmt.Sprint(p.Example))
		}
	}
	return headers
}

// chunked hides the length of a body, so that it is sent in chunks.
type chunked struct{ io.Reader }

// TestNumbersAreExact checks that every number of the contracts is one that every JSON parser represents exactly.
func TestNumbersAreExact(t *testing.T) {
	t.Parallel()
	const most = 1<<53 - 1
	integers := 0
	var check func(value any)
	check = func(value any) {
		switch v := value.(type) {
		case []any:
			for _, one := range v {
				check(one)
			}
		case map[string]any:
			if v["type"] == "integer" {
				integers++
				least, bounded := v["minimum"].(float64)
				largest, limited := v["maximum"].(float64)
				if !bounded || !limited || least < -most || largest > most {
					t.Errorf("%v has no bounds, or too large ones", v)
				}
			}
			for _, one := range v {
				check(one)
			}
		}
	}
	for _, text := range [][]byte{contract.Customers, contract.Orders, contract.Orchestrator} {
		var doc any
		if err := json.Unmarshal(text, &doc); err != nil {
			t.Fatal(err)
		}
		check(doc)
	}
	if integers < 50 {
		t.Errorf("found only %d integers", integers)
	}
}
