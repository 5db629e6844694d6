package world

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// Coverage counts the responses of each operation by status. It is safe for concurrent use.
type Coverage struct {
	mu   sync.Mutex
	seen map[string]map[int]int
}

// Count returns how often an operation was answered with a status.
func (c *Coverage) Count(operation string, status int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen[operation][status]
}

func (c *Coverage) add(operation string, status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.seen = map[string]map[int]int{}
	}
	if c.seen[operation] == nil {
		c.seen[operation] = map[int]int{}
	}
	c.seen[operation][status]++
}

// Contract is an OpenAPI contract in which responses may have only declared fields and enum values.
type Contract struct {
	Doc    *openapi3.T
	router routers.Router
	base   string // the path prefix of the server that is not at the root, or ""
}

// LoadContract parses a contract of gen/contract.
func LoadContract(data []byte) (*Contract, error) {
	doc, err := openapi3.NewLoader().LoadFromData(data)
	if err != nil {
		return nil, fmt.Errorf("load contract: %w", err)
	}
	c := &Contract{Doc: doc}
	for _, s := range doc.Servers {
		if s.URL != "/" {
			c.base = s.URL
		}
	}
	open := *doc
	open.Servers = nil // accept any host
	if c.router, err = gorillamux.NewRouter(&open); err != nil {
		return nil, fmt.Errorf("route contract: %w", err)
	}
	no := false
	for _, schema := range doc.Components.Schemas {
		if known, ok := schema.Value.Extensions["x-extensible-enum"].([]any); ok {
			schema.Value.Enum = known
		}
		if s := schema.Value; s.Type.Is("object") && len(s.Properties) > 0 && s.AdditionalProperties.Has == nil {
			s.AdditionalProperties.Has = &no
		}
	}
	return c, nil
}

// transport checks every request and response against the contract.
type transport struct {
	t        testing.TB
	contract *Contract
	coverage *Coverage
	next     http.RoundTripper
}

func (c transport) RoundTrip(r *http.Request) (*http.Response, error) {
	var sent []byte
	if r.Body != nil {
		var err error
		if sent, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(sent))
	}
	response, err := c.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	received, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(received))
	for _, fault := range c.check(r, sent, response, received) {
		c.t.Errorf("%s %s -> %d violates the contract: %s\n%s", r.Method, r.URL, response.StatusCode, fault, received)
	}
	return response, nil
}

func (c transport) check(r *http.Request, sent []byte, response *http.Response, received []byte) (faults []string) {
	asked := r.Clone(r.Context())
	asked.URL = &url.URL{Scheme: "http", Host: "x", Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
	asked.URL.Path = cmp.Or(strings.TrimPrefix(asked.URL.Path, c.contract.base), "/")
	route, parameters, err := c.contract.router.FindRoute(asked)
	if err != nil {
		return c.checkUnknown(r, response, received)
	}
	operation := route.Operation
	c.coverage.add(operation.OperationID, response.StatusCode)
	for name, value := range parameters {
		if plain, err := url.PathUnescape(value); err == nil {
			parameters[name] = plain
		}
	}
	for _, parameter := range operation.Parameters {
		p := parameter.Value
		of, ok := p.Extensions["x-alias-of"].(string)
		if ok && asked.Header.Get(p.Name) != "" && asked.Header.Get(of) == "" {
			asked.Header.Set(of, asked.Header.Get(p.Name))
		}
	}
	asked.Body, asked.ContentLength = io.NopCloser(bytes.NewReader(sent)), int64(len(sent))
	request := &openapi3filter.RequestValidationInput{
		Request: asked, PathParams: parameters, Route: route,
		Options: &openapi3filter.Options{
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, SkipSettingDefaults: true, IncludeResponseStatus: true, MultiError: true,
			// The page and its assets are not JSON.
			ExcludeResponseBody: operation.OperationID == "getDocs" || operation.OperationID == "getDocsAsset" && response.StatusCode < http.StatusBadRequest,
		},
	}
	// The service must refuse a request that the contract does not allow.
	if err := openapi3filter.ValidateRequest(r.Context(), request); err != nil && response.StatusCode/100 != 4 {
		faults = append(faults, "the contract does not allow the request, but the service accepted it: "+err.Error())
	}
	// The status, the body and the headers of the response must be declared.
	err = openapi3filter.ValidateResponse(r.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: request, Status: response.StatusCode, Header: response.Header,
		Body: io.NopCloser(bytes.NewReader(received)), Options: request.Options,
	})
	if err != nil {
		faults = append(faults, err.Error())
	}
	declared := operation.Responses.Value(strconv.Itoa(response.StatusCode))
	if declared == nil {
		return faults
	}
	for name := range response.Header {
		if name == "Vary" && response.Header.Get(name) == "Origin" { // CORS depends on the deployment, so the contract does not declare it
			continue
		}
		if !slices.Contains([]string{"Content-Type", "Content-Length", "Date"}, name) && !declares(declared.Value.Headers, name) {
			faults = append(faults, "the header "+name+" is not declared")
		}
	}
	for name, header := range declared.Value.Headers {
		if header.Value.Required && response.Header.Get(name) == "" {
			faults = append(faults, "the header "+name+" is missing")
		}
	}
	if response.StatusCode == http.StatusNoContent && len(received) > 0 {
		faults = append(faults, "a 204 with a body")
	}
	return faults
}

func declares(headers openapi3.Headers, name string) bool {
	for declared := range headers {
		if http.CanonicalHeaderKey(declared) == name {
			return true
		}
	}
	return false
}

// checkUnknown checks the response to a request without an operation: it must be a problem document with 404 or 405.
func (c transport) checkUnknown(r *http.Request, response *http.Response, received []byte) []string {
	switch {
	case r.Method == http.MethodOptions && response.StatusCode == http.StatusNoContent:
		return nil
	case response.StatusCode == http.StatusMethodNotAllowed && response.Header.Get("Allow") == "":
		return []string{"a 405 without Allow"}
	case response.StatusCode != http.StatusNotFound && response.StatusCode != http.StatusMethodNotAllowed:
		return []string{"the contract has no such operation, want 404 or 405"}
	case response.Header.Get("Content-Type") != "application/problem+json":
		return []string{"not a problem document"}
	case r.Method != http.MethodHead && !bytes.Contains(received, []byte(`"code"`)):
		return []string{"a problem document without a code"}
	}
	return nil
}
