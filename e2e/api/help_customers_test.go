package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/contract"
)

// edgeService is a service as a client knows it: an address and a contract.
type edgeService struct {
	name, url string
	raw       []byte // its contract
	doc       *openapi3.T
	client    *http.Client // held to the contract
}

func edgeServices(t *testing.T, w *world.World) []edgeService {
	t.Helper()
	services := []edgeService{
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

// prefixes are where the routes of the service are.
func (s edgeService) prefixes() []string {
	if s.name == "orchestrator" {
		return []string{"", "/dev"}
	}
	return []string{""}
}

// edgeOperation is one operation of a contract.
type edgeOperation struct {
	*openapi3.Operation
	service edgeService
	method  string
	path    string // of a resource that need not be there
}

// edgeOperations are all operations of all services.
func edgeOperations(t *testing.T, w *world.World) (all []edgeOperation) {
	t.Helper()
	for _, s := range edgeServices(t, w) {
		for _, path := range s.doc.Paths.InMatchingOrder() {
			operations := s.doc.Paths.Value(path).Operations()
			for _, method := range slices.Sorted(maps.Keys(operations)) {
				all = append(all, edgeOperation{Operation: operations[method], service: s, method: method, path: edgePath(path)})
			}
		}
	}
	return all
}

func edgePath(template string) string {
	return strings.NewReplacer("{id}", "7", "{asset}", "swagger-ui.css").Replace(template)
}

func (o edgeOperation) url() string { return o.service.url + o.path }

// schemes are the security schemes that open the operation; anyone says that no token does too.
func (o edgeOperation) schemes() (names []string, anyone bool) {
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

func (o edgeOperation) roles() (names []string) {
	roles, _ := o.Extensions["x-roles"].([]any)
	for _, role := range roles {
		names = append(names, fmt.Sprint(role))
	}
	return names
}

// example is the body that the contract gives as an example; nil where the operation takes none.
func (o edgeOperation) example(t *testing.T) map[string]any {
	t.Helper()
	if o.RequestBody == nil {
		return nil
	}
	example, ok := o.RequestBody.Value.Content["application/json"].Example.(map[string]any)
	if !ok {
		t.Fatalf("%s: the contract gives no example of the body", o.OperationID)
	}
	return maps.Clone(example)
}

// edgeAnswer is an answer, read to its end.
type edgeAnswer struct {
	Status int
	Header http.Header
	Body   []byte
}

func (a edgeAnswer) String() string { return fmt.Sprintf("%d %s", a.Status, a.Body) }

// edgeSend sends what a generated client can't. headers are names and values by turns.
func edgeSend(t *testing.T, client *http.Client, method, url string, body io.Reader, headers ...string) edgeAnswer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	response, err := client.Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	defer response.Body.Close()
	received, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	return edgeAnswer{Status: response.StatusCode, Header: response.Header, Body: received}
}

// edgeJSON are the headers of a request with a body.
func edgeJSON(token string) []string {
	return []string{"Content-Type", "application/json", "Authorization", "Bearer " + token}
}

// headers are the headers of a request with a body, the required ones with the example of the contract.
func (o edgeOperation) headers(token string) []string {
	headers := edgeJSON(token)
	for _, parameter := range o.Parameters {
		if p := parameter.Value; p.In == openapi3.ParameterInHeader && p.Required {
			headers = append(headers, p.Name, fmt.Sprint(p.Example))
		}
	}
	return headers
}

// edgeProblem is what a refusal says, as a problem document or as the orchestrator's own document.
type edgeProblem struct {
	Code    common.ProblemCode  `json:"code"`
	Detail  string              `json:"detail"`
	TraceID string              `json:"trace_id"`
	Errors  []common.FieldError `json:"errors"`
	Error   *edgeProblem        `json:"error"`
}

// fields are the fields at fault, in order of their names.
func (p edgeProblem) fields() (names []string) {
	for _, e := range p.Errors {
		names = append(names, e.Field)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// edgeRefused checks that the answer is a refusal, and returns what it says.
func edgeRefused(t *testing.T, a edgeAnswer, status int) edgeProblem {
	t.Helper()
	var p edgeProblem
	if a.Status != status {
		t.Errorf("got %s, want %d", a, status)
		return p
	}
	if err := json.Unmarshal(a.Body, &p); err != nil {
		t.Errorf("got %s, want a problem document: %v", a, err)
		return p
	}
	if p.Error != nil && p.Error.Code != p.Code { // of the orchestrator, beside the problem's own
		t.Errorf("got %s, want one code", a)
	}
	if p.Code == "" {
		t.Errorf("got %s, want a document with a code", a)
	}
	return p
}

// edgeInvalid checks that the answer is a 400 that names these fields, in any order, and no other.
func edgeInvalid(t *testing.T, a edgeAnswer, fields ...string) {
	t.Helper()
	p := edgeRefused(t, a, http.StatusBadRequest)
	slices.Sort(fields)
	if a.Status == http.StatusBadRequest && (p.Code != common.CodeInvalidInput || !slices.Equal(p.fields(), fields)) {
		t.Errorf("got %s, want invalid_input that names %q", a, fields)
	}
}

// edgeText keeps a body from having a known length: it is sent in chunks.
type edgeText struct{ io.Reader }

// customersFields names the fields of a problem that a generated client has read.
func customersFields(p *common.Problem) []string {
	if p == nil || p.Errors == nil {
		return nil
	}
	return edgeProblem{Errors: *p.Errors}.fields()
}

// customersWalk reads a list to its end, and fails where a cursor does not come to one.
func customersWalk[T any](t *testing.T, page func(cursor *string) ([]T, *string, error)) (pages [][]T) {
	t.Helper()
	var cursor *string
	for range 1000 {
		entries, next, err := page(cursor)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, entries)
		if next == nil {
			return pages
		}
		cursor = next
	}
	t.Fatal("1000 pages, and no end")
	return nil
}

// errUnexpected says that an answer is not the one that a test goes on with.
func errUnexpected(status string, body []byte) error {
	return errors.New("got " + status + ": " + string(body))
}
