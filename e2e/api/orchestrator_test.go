package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/orchestrator"
	"github.com/pedidos-hq/pedidos/gen/orchestrator/client"
	"github.com/pedidos-hq/pedidos/gen/orders"
	orchestratorservice "github.com/pedidos-hq/pedidos/services/orchestrator"
	"github.com/pedidos-hq/pedidos/services/platform/server"
	"github.com/pedidos-hq/pedidos/services/platform/telemetry"
)

// orchRequest asks for an order of one line under a key.
func orchRequest(key string, customer, product, qty int64) orchestrator.OrderRequest {
	return orchestrator.OrderRequest{
		CustomerID: customer, IdempotencyKey: key,
		Items: []orchestrator.OrderRequestLine{{ProductID: product, Qty: qty}},
	}
}

// orchFailed ends the test where the answer is not that failure at that step.
func orchFailed(t *testing.T, what string, r ordersReply, err error, status int, code common.ProblemCode, step orchestrator.Step) orchestrator.Failure {
	t.Helper()
	ordersWant(t, what, r, err, status)
	var f orchestrator.Failure
	if err := json.Unmarshal(r.GetBody(), &f); err != nil {
		t.Fatalf("%s: not a failure: %v: %s", what, err, r.GetBody())
	}
	if f.Code != code || int(f.Status) != status || f.Detail != f.Error.Message || f.Title == "" || f.Type != "urn:pedidos:problem:"+string(code) || len(f.TraceID) != 32 {
		t.Fatalf("%s: got %s, want a problem document of %s", what, r.GetBody(), code)
	}
	if bool(f.Success) || f.Error.Code != code || f.Error.Step != step || f.Error.Message == "" || f.CorrelationID == "" {
		t.Fatalf("%s: got %s, want %s at %s", what, r.GetBody(), code, step)
	}
	return f
}

// orchServe serves one more orchestrator, in front of another orders-api, and returns the sessions' client of it.
func orchServe(t *testing.T, w *world.World, s *call.Client, c orchestratorservice.Config) *client.ClientWithResponses {
	t.Helper()
	return orchClient(t, w, s, orchListen(t, w, c))
}

// orchListen serves one more orchestrator, in front of another orders-api, and returns its URL.
func orchListen(t *testing.T, w *world.World, c orchestratorservice.Config) string {
	t.Helper()
	c.Server = server.Config{Log: telemetry.NewLogger(w.Log, false, slog.LevelInfo)}
	if c.OrdersTimeout == 0 {
		c.OrdersTimeout = 5 * time.Second
	}
	handler, err := orchestratorservice.New(c, w.Clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	served := httptest.NewServer(handler)
	t.Cleanup(served.Close)
	return served.URL
}

// orchClient is the generated client with the session's token, held to the contract, of an orchestrator at that URL.
func orchClient(t *testing.T, w *world.World, s *call.Client, base string) *client.ClientWithResponses {
	t.Helper()
	c, err := client.NewClientWithResponses(base, client.WithHTTPClient(w.HTTP("orchestrator")), client.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		if s.Token != "" {
			r.Header.Set("Authorization", "Bearer "+s.Token)
		}
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// orchProxy stands before a service and loses what it is told to: a request, or the answer to one that was executed.
type orchProxy struct {
	loseRequest, loseAnswer, meanwhile func(r *http.Request) bool         // nil is never; meanwhile runs before the request
	instead                            func(r *http.Request) http.Handler // answers in the place of orders-api; nil is orders-api
	next                               http.Handler
}

func (p *orchProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p.meanwhile != nil {
		p.meanwhile(r)
	}
	if p.loseRequest != nil && p.loseRequest(r) {
		panic(http.ErrAbortHandler)
	}
	answer := httptest.NewRecorder()
	next := p.next
	if p.instead != nil {
		if other := p.instead(r); other != nil {
			next = other
		}
	}
	next.ServeHTTP(answer, r)
	if p.loseAnswer != nil && p.loseAnswer(r) {
		panic(http.ErrAbortHandler)
	}
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

// orchBehind serves an orchestrator whose orders-api is behind the proxy.
func orchBehind(t *testing.T, w *world.World, s *call.Client, p *orchProxy) *client.ClientWithResponses {
	t.Helper()
	return orchServe(t, w, s, orchestratorservice.Config{OrdersBaseURL: p.listen(t, w.OrdersURL)})
}

// listen puts the proxy before a service and returns its URL.
func (p *orchProxy) listen(t *testing.T, service string) string {
	t.Helper()
	target, err := url.Parse(service)
	if err != nil {
		t.Fatal(err)
	}
	p.next = httputil.NewSingleHostReverseProxy(target)
	served := httptest.NewServer(p)
	t.Cleanup(served.Close)
	return served.URL
}

func orchIsCreate(r *http.Request) bool  { return r.URL.Path == "/orders" }
func orchIsConfirm(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/confirm") }

func TestOrchestrator(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, a, b := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 300, 10), s.CreateProduct(t, "B", 50, 10)
	request := orchestrator.OrderRequest{
		CustomerID: buyer.ID, IdempotencyKey: "erp-1", CorrelationID: new("run-1"),
		Items: []orchestrator.OrderRequestLine{{ProductID: b.ID, Qty: 1}, {ProductID: a.ID, Qty: 2}, {ProductID: b.ID, Qty: 3}},
	}
	first, err := s.Orchestrator.CreateAndConfirmOrderWithResponse(t.Context(), nil, request)
	ordersWant(t, "create and confirm", first, err, http.StatusCreated)
	got := first.JSON201
	placed := ordersGet(t, s, got.Data.Order.ID)
	want := orchestrator.Confirmed{
		Success: true, CorrelationID: "run-1",
		Data: orchestrator.ConfirmedData{
			Customer: orchestrator.ConfirmedCustomer{ID: buyer.ID, Name: buyer.Name, Email: buyer.Email, Phone: buyer.Phone},
			Order: orchestrator.ConfirmedOrder{
				ID: placed.ID, CustomerID: buyer.ID, Status: orchestrator.CONFIRMED, TotalCents: 800,
				Items: []orchestrator.ConfirmedLine{
					{ProductID: a.ID, Qty: 2, UnitPriceCents: 300, SubtotalCents: 600},
					{ProductID: b.ID, Qty: 4, UnitPriceCents: 50, SubtotalCents: 200},
				},
				CreatedAt: placed.CreatedAt, ConfirmedAt: *placed.ConfirmedAt,
			},
		},
	}
	if want, err := json.Marshal(want); err != nil || string(want) != strings.TrimSpace(string(first.Body)) {
		t.Errorf("got %s, want %s", first.Body, want)
	}
	if first.Headers201.IdempotencyReplayed != nil || first.Headers201.XCorrelationID != "run-1" {
		t.Errorf("headers: got %+v, want the correlation id and no replay", first.Headers201)
	}
	if placed.Status != orders.StatusConfirmed {
		t.Errorf("in orders-api: got %s, want CONFIRMED", placed.Status)
	}

	// Another correlation id makes the same answer under that id.
	request.CorrelationID = new("run-2")
	other, err := s.Orchestrator.CreateAndConfirmOrderWithResponse(t.Context(), nil, request)
	ordersWant(t, "another correlation id", other, err, http.StatusCreated)
	if want := bytes.Replace(first.Body, []byte("run-1"), []byte("run-2"), 1); !bytes.Equal(other.Body, want) {
		t.Errorf("another correlation id: got %s, want %s", other.Body, want)
	}
	ordersAudit(t, w)
}

func TestOrchestratorSteps(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, p, gold := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 1, 5), s.CreateProduct(t, "GOLD", 1e11, 1e9)
	for name, test := range map[string]struct {
		request orchestrator.OrderRequest
		status  int
		code    common.ProblemCode
		step    orchestrator.Step
		fields  []string
	}{
		"unknown customer": {orchRequest("k-1", buyer.ID+1, p.ID, 1), http.StatusNotFound, common.CodeCustomerNotFound, orchestrator.StepValidateCustomer, []string{"customer_id"}},
		"unknown product":  {orchRequest("k-2", buyer.ID, gold.ID+1, 1), http.StatusNotFound, common.CodeProductNotFound, orchestrator.StepCreateOrder, []string{"items"}},
		"shortage":         {orchRequest("k-3", buyer.ID, p.ID, 6), http.StatusConflict, common.CodeInsufficientStock, orchestrator.StepCreateOrder, nil},
		"total too large":  {orchRequest("k-4", buyer.ID, gold.ID, 1e6), http.StatusUnprocessableEntity, common.CodeTotalTooLarge, orchestrator.StepCreateOrder, nil},
		"two mistakes":     {orchRequest("k-5", 0, p.ID, 0), http.StatusBadRequest, common.CodeInvalidInput, orchestrator.StepValidateInput, []string{"customer_id", "items[0].qty"}},
	} {
		test.request.CorrelationID = new("run-" + test.request.IdempotencyKey)
		r, err := s.Orchestrator.CreateAndConfirmOrderWithResponse(t.Context(), nil, test.request)
		f := orchFailed(t, name, r, err, test.status, test.code, test.step)
		var fields []string
		if f.Error.Errors != nil {
			for _, e := range *f.Error.Errors {
				fields = append(fields, e.Field)
			}
		}
		slices.Sort(fields)
		if !slices.Equal(fields, test.fields) {
			t.Errorf("%s: got %s, want errors about %q", name, r.Body, test.fields)
		}
		if got := r.HTTPResponse.Header.Get("X-Correlation-Id"); f.CorrelationID != *test.request.CorrelationID || got != f.CorrelationID {
			t.Errorf("%s: got the correlation ids %s and %s, want %s", name, f.CorrelationID, got, *test.request.CorrelationID)
		}
		if test.code == common.CodeInsufficientStock {
			want := []common.Shortage{{ProductID: p.ID, Requested: 6, Available: 5}}
			if f.Error.Shortages == nil || !slices.Equal(*f.Error.Shortages, want) {
				t.Errorf("%s: got %s, want the shortages %+v", name, r.Body, want)
			}
		}
	}
	ordersWantStock(t, s, p.ID, 5)
	if n := ordersCount(t, s); n != 0 {
		t.Errorf("after the refusals: got %d orders, want 0", n)
	}
}

// validate_input, with what can be had of a correlation id.
func TestOrchestratorInput(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	const line = `{"product_id":1,"qty":1}`
	const generated = "" // some id that the caller did not choose
	for name, test := range map[string]struct {
		query, header, body, field, correlation string
	}{
		"nothing":              {"", "", `{}`, "customer_id", generated},
		"no body":              {"", "h-1", ``, "body", "h-1"},
		"not JSON":             {"", "h-1", `{"correlation_id":"b-1"`, "body", "h-1"},
		"a list":               {"", "h-1", `[]`, "body", "h-1"},
		"no key":               {"", "h-1", `{"customer_id":1,"items":[` + line + `],"correlation_id":"b-1"}`, "idempotency_key", "b-1"},
		"no items":             {"", "h-1", `{"customer_id":1,"items":[],"idempotency_key":"k"}`, "items", "h-1"},
		"101 items":            {"", "h-1", `{"customer_id":1,"items":[` + strings.Repeat(line+",", 100) + line + `],"idempotency_key":"k"}`, "items", "h-1"},
		"large qty":            {"", "", `{"customer_id":1,"items":[{"product_id":1,"qty":1000001}],"idempotency_key":"k"}`, "items[0].qty", generated},
		"unknown field":        {"", "", `{"customer_id":1,"items":[` + line + `],"idempotency_key":"k","correlationId":"b-1"}`, "correlationId", generated},
		"bad id in body":       {"", "h-1", `{"customer_id":1,"items":[` + line + `],"idempotency_key":"k","correlation_id":"a b"}`, "correlation_id", "h-1"},
		"number for id":        {"", "h-1", `{"customer_id":1,"items":[` + line + `],"idempotency_key":"k","correlation_id":7}`, "correlation_id", "h-1"},
		"long id in body":      {"", "", `{"customer_id":1,"items":[` + line + `],"idempotency_key":"k","correlation_id":"` + strings.Repeat("x", 129) + `"}`, "correlation_id", generated},
		"bad id in header":     {"", "a b", `{"customer_id":1,"items":[` + line + `],"idempotency_key":"k"}`, "X-Correlation-Id", generated},
		"bad header, good one": {"", "a b", `{"customer_id":1,"items":[` + line + `],"idempotency_key":"k","correlation_id":"b-1"}`, "X-Correlation-Id", "b-1"},
		"query":                {"?x=1", "h-1", `{"customer_id":1,"items":[` + line + `],"idempotency_key":"k","correlation_id":"b-1"}`, "x", "b-1"},
		// Where the query is at fault, the body was not checked for its size: no more than that size of it is looked at.
		"query, large body": {"?x=1", "", `{"pad":"` + strings.Repeat("x", 1<<20) + `","correlation_id":"b-1"}`, "x", generated},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.OrchestratorURL+"/orchestrator/create-and-confirm-order"+test.query, strings.NewReader(test.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = http.Header{"Authorization": {"Bearer " + s.Token}, "Content-Type": {"application/json"}}
		if test.header != "" {
			r.Header.Set("X-Correlation-Id", test.header)
		}
		response, err := w.HTTP("orchestrator").Do(r)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		f := orchFailed(t, name, ordersAnswer{response.StatusCode, response.Header, body}, err, http.StatusBadRequest, common.CodeInvalidInput, orchestrator.StepValidateInput)
		if f.Error.Errors == nil || !slices.ContainsFunc(*f.Error.Errors, func(e common.FieldError) bool { return e.Field == test.field }) {
			t.Errorf("%s: got %s, want an error about %s", name, body, test.field)
		}
		if got := response.Header.Get("X-Correlation-Id"); got != f.CorrelationID {
			t.Errorf("%s: got the correlation ids %s in the header and %s in the body", name, got, f.CorrelationID)
		}
		if test.correlation != generated && f.CorrelationID != test.correlation || test.correlation == generated && slices.Contains([]string{"h-1", "b-1", "a b"}, f.CorrelationID) {
			t.Errorf("%s: got the correlation id %s, want %q", name, f.CorrelationID, test.correlation)
		}
	}
}

func TestOrchestratorBodyForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	o := w.Login("admin").Orchestrator
	large, err := o.CreateAndConfirmOrderWithBodyWithResponse(t.Context(), nil, "application/json", strings.NewReader(`{"idempotency_key":"`+strings.Repeat("x", 1<<20)+`"}`))
	orchFailed(t, "large body", large, err, http.StatusRequestEntityTooLarge, common.CodeBodyTooLarge, orchestrator.StepValidateInput)
	for _, contentType := range []string{"text/plain", "application/problem+json", "application/x-www-form-urlencoded"} {
		r, err := o.CreateAndConfirmOrderWithBodyWithResponse(t.Context(), nil, contentType, strings.NewReader(`{}`))
		orchFailed(t, contentType, r, err, http.StatusUnsupportedMediaType, common.CodeUnsupportedMediaType, orchestrator.StepValidateInput)
	}
}

// Every error has one shape, whatever its status, below both prefixes; the routes that all services have keep theirs.
func TestOrchestratorErrorsHaveOneShape(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	const route = "/orchestrator/create-and-confirm-order"
	for _, prefix := range []string{"", "/dev"} {
		for _, test := range []struct {
			name, method, path, body string
			headers                  []string
			status                   int
			code                     common.ProblemCode
			correlation              string // "" is the trace id
		}{
			{"no token", http.MethodPost, route, `{}`, []string{"Content-Type", "application/json"}, 401, common.CodeUnauthorized, ""},
			{"no token, but an id", http.MethodPost, route, `{}`, []string{"X-Correlation-Id", "run-1"}, 401, common.CodeUnauthorized, "run-1"},
			{"viewer", http.MethodPost, route, `{}`, edgeJSON(w.Login("viewer").Token), 403, common.CodeForbidden, ""},
			{"media type", http.MethodPost, route, `{}`, []string{"Authorization", "Bearer " + s.Token, "Content-Type", "text/plain", "X-Correlation-Id", "run-2"}, 415, common.CodeUnsupportedMediaType, "run-2"},
			{"input", http.MethodPost, route, `{"correlation_id":"run-3"}`, edgeJSON(s.Token), 400, common.CodeInvalidInput, "run-3"},
			{"no such path", http.MethodPost, "/orchestrator/nowhere", `{}`, append(edgeJSON(s.Token), "X-Correlation-Id", "run-4"), 404, common.CodeNotFound, "run-4"},
			{"no such method", http.MethodDelete, route, ``, nil, 405, common.CodeMethodNotAllowed, ""},
		} {
			a := edgeSend(t, w.HTTP("orchestrator"), test.method, w.OrchestratorURL+prefix+test.path, strings.NewReader(test.body), test.headers...)
			f := orchFailed(t, prefix+" "+test.name, ordersAnswer{a.Status, a.Header, a.Body}, nil, test.status, test.code, orchestrator.StepValidateInput)
			if test.correlation == "" {
				test.correlation = f.TraceID
			}
			if f.CorrelationID != test.correlation || a.Header.Get("X-Correlation-Id") != test.correlation || a.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s %s: got %s, want the correlation id %s in body and header, and a problem document", prefix, test.name, a, test.correlation)
			}
		}
	}
	// Without an id, it follows from the key where a body could be read.
	a := edgeSend(t, w.HTTP("orchestrator"), http.MethodPost, w.OrchestratorURL+route, strings.NewReader(`{"idempotency_key":"k"}`), edgeJSON(s.Token)...)
	b := edgeSend(t, w.HTTP("orchestrator"), http.MethodPost, w.OrchestratorURL+route, strings.NewReader(`{"idempotency_key":"k","items":[]}`), edgeJSON(s.Token)...)
	if id := a.Header.Get("X-Correlation-Id"); id == "" || id != b.Header.Get("X-Correlation-Id") {
		t.Errorf("one key got the correlation ids %q and %q", id, b.Header.Get("X-Correlation-Id"))
	}
	// What is refused for good is refused with the same bytes.
	var bodies [][]byte
	for range 2 {
		r, err := s.Orchestrator.CreateAndConfirmOrderWithResponse(t.Context(), nil, orchRequest("unknown", 1<<40, 1, 1))
		orchFailed(t, "unknown customer", r, err, http.StatusNotFound, common.CodeCustomerNotFound, orchestrator.StepValidateCustomer)
		bodies = append(bodies, r.Body)
	}
	if !bytes.Equal(bodies[0], bodies[1]) {
		t.Errorf("a repeat got another answer: %s", bytes.Join(bodies, nil))
	}
}

// The correlation id is the body's, else the header's, else a new one, and all services log it.
func TestOrchestratorCorrelation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 1, 100)
	long := strings.Repeat("x", 128)
	seen := map[string]bool{}
	n := 0
	for _, prefix := range []string{"", "/dev"} {
		o := orchClient(t, w, s, w.OrchestratorURL+prefix)
		for _, test := range []struct{ body, header, want *string }{
			{new("from-body" + prefix), nil, new("from-body" + prefix)},
			{nil, new("from-header" + prefix), new("from-header" + prefix)},
			{new("body.wins:" + prefix), new("loses"), new("body.wins:" + prefix)},
			{&long, nil, &long},
			{nil, nil, nil},
			{nil, nil, nil},
		} {
			n++
			request := orchRequest(fmt.Sprintf("k-%d", n), buyer.ID, p.ID, 1)
			request.CorrelationID = test.body
			r, err := o.CreateAndConfirmOrderWithResponse(t.Context(), &orchestrator.CreateAndConfirmOrderParams{XCorrelationID: test.header}, request)
			ordersWant(t, "create and confirm", r, err, http.StatusCreated)
			id := r.JSON201.CorrelationID
			if id != r.Headers201.XCorrelationID || test.want != nil && id != *test.want || test.want == nil && (seen[id] || len(id) < 16) {
				t.Errorf("body %v, header %v: got %s in the body and %s in the header, want %v",
					ordersText(test.body), ordersText(test.header), id, r.Headers201.XCorrelationID, ordersText(test.want))
			}
			seen[id] = true
			for _, operation := range []string{"createOrder", "confirmOrder", "getCustomerInternal"} {
				ordersEventually(t, "the line of "+operation+" with "+id, func() bool {
					return len(w.Log.Lines(`"operationId":"`+operation+`"`, `"correlation_id":"`+id+`"`)) > 0
				})
			}
		}
	}
	if lines := w.Log.Lines(`"loses"`); len(lines) > 0 && slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, "createOrder") }) {
		t.Errorf("the header was passed on although the body has an id: %s", lines)
	}
}

// A correlation id of null or without a character is none, in the body and in the header.
func TestOrchestratorEmptyCorrelation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 1, 100)
	plain := w.HTTP("orchestrator")
	send := func(n int, member string, headers ...string) string {
		t.Helper()
		body := fmt.Sprintf(`{"customer_id":%d,"items":[{"product_id":%d,"qty":1}],"idempotency_key":"k-%d"%s}`, buyer.ID, p.ID, n, member)
		a := edgeSend(t, plain, http.MethodPost, w.OrchestratorURL+"/orchestrator/create-and-confirm-order", strings.NewReader(body), append(edgeJSON(s.Token), headers...)...)
		var confirmed orchestrator.Confirmed
		if err := json.Unmarshal(a.Body, &confirmed); err != nil || a.Status != http.StatusCreated || confirmed.CorrelationID != a.Header.Get("X-Correlation-Id") {
			t.Fatalf("%s %q: got %s, want 201", member, headers, a)
		}
		return confirmed.CorrelationID
	}
	for n, member := range []string{`,"correlation_id":null`, `,"correlation_id":""`, ""} {
		if got, want := send(n, member), send(n, ""); got != want {
			t.Errorf("%s: got the id %s, want that of a request without, %s", member, got, want)
		}
		if got := send(n, member, "X-Correlation-Id", "from-header"); got != "from-header" {
			t.Errorf("%s beside a header: got the id %s, want the header's", member, got)
		}
		if got, want := send(n, member, "X-Correlation-Id", ""), send(n, ""); got != want {
			t.Errorf("%s beside an empty header: got the id %s, want that of a request without, %s", member, got, want)
		}
	}
}

func TestOrchestratorTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	admin := w.Login("admin")
	buyer, p := admin.CreateCustomer(t, "a@example.com"), admin.CreateProduct(t, "A", 1, 100)
	w.Clock.Advance(-2 * time.Hour)
	expired := w.Login("admin")
	w.Clock.Advance(2 * time.Hour)
	anonymous := orchServe(t, w, w.With(""), orchestratorservice.Config{OrdersBaseURL: w.OrdersURL, ServiceToken: world.ServiceToken, AllowAnonymous: true})
	for name, test := range map[string]struct {
		client *client.ClientWithResponses
		status int
		code   common.ProblemCode
	}{
		"no token":               {w.With("").Orchestrator, http.StatusUnauthorized, common.CodeUnauthorized},
		"no JWT":                 {w.With("x.y.z").Orchestrator, http.StatusUnauthorized, common.CodeUnauthorized},
		"expired JWT":            {expired.Orchestrator, http.StatusUnauthorized, common.CodeUnauthorized},
		"viewer":                 {w.Login("viewer").Orchestrator, http.StatusForbidden, common.CodeForbidden},
		"admin":                  {admin.Orchestrator, http.StatusCreated, ""},
		"anonymous, allowed":     {anonymous, http.StatusCreated, ""},
		"bad JWT, though":        {orchServe(t, w, w.With("x.y.z"), orchestratorservice.Config{OrdersBaseURL: w.OrdersURL, ServiceToken: world.ServiceToken, AllowAnonymous: true}), http.StatusUnauthorized, common.CodeUnauthorized},
		"viewer, though":         {orchServe(t, w, w.Login("viewer"), orchestratorservice.Config{OrdersBaseURL: w.OrdersURL, ServiceToken: world.ServiceToken, AllowAnonymous: true}), http.StatusForbidden, common.CodeForbidden},
		"service token, as such": {w.With(world.ServiceToken).Orchestrator, http.StatusCreated, ""},
	} {
		r, err := test.client.CreateAndConfirmOrderWithResponse(t.Context(), nil, orchRequest(strings.ReplaceAll(name, " ", "-"), buyer.ID, p.ID, 1))
		if test.code == "" {
			ordersWant(t, name, r, err, test.status)
			continue
		}
		orchFailed(t, name, r, err, test.status, test.code, orchestrator.StepValidateInput)
		if got := r.HTTPResponse.Header.Get("Content-Type"); got != "application/problem+json" {
			t.Errorf("%s: got the Content-Type %s, want application/problem+json", name, got)
		}
		if got := r.HTTPResponse.Header.Get("WWW-Authenticate"); strings.HasPrefix(got, "Bearer") != (test.status == http.StatusUnauthorized) {
			t.Errorf("%s: got WWW-Authenticate %q", name, got)
		}
	}
	// Other schemes are no token, and not nobody either.
	for name, base := range map[string]*client.ClientWithResponses{"Basic": admin.Orchestrator, "Basic, anonymous allowed": anonymous} {
		basic := func(_ context.Context, r *http.Request) error {
			r.Header.Set("Authorization", "Basic YWRtaW46YWRtaW4=")
			return nil
		}
		r, err := base.CreateAndConfirmOrderWithResponse(t.Context(), nil, orchRequest("basic", buyer.ID, p.ID, 1), basic)
		orchFailed(t, name, r, err, http.StatusUnauthorized, common.CodeUnauthorized, orchestrator.StepValidateInput)
	}
	ordersWantStock(t, admin, p.ID, 100-3)
	// The caller that orders-api saw: the user of the token, the service, and nobody.
	for _, caller := range []string{"user:admin", "service", "anonymous"} {
		ordersEventually(t, "an order of "+caller, func() bool {
			return len(w.Log.Lines(`"operationId":"confirmOrder"`, `"caller":"`+caller+`"`, `"status":200`)) > 0
		})
	}
	if strings.Contains(w.Log.String(), world.ServiceToken) || strings.Contains(w.Log.String(), admin.Token) {
		t.Error("the log has a token in it")
	}
}

// TestAnonymousCaller sends one key with the service token and without a token: these are two callers, with an order each.
func TestAnonymousCaller(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{AllowAnonymous: true})
	admin := w.Login("admin")
	buyer, p := admin.CreateCustomer(t, "a@example.com"), admin.CreateProduct(t, "A", 1, 100)
	placed := map[int64]string{}
	for _, test := range []struct {
		name, caller string
		s            *call.Client
	}{{"the service", "service", w.With(world.ServiceToken)}, {"nobody", "anonymous", w.With("")}, {"nobody, again", "anonymous", w.With("")}} {
		r, err := test.s.Orchestrator.CreateAndConfirmOrderWithResponse(t.Context(), nil, orchRequest("shared-key", buyer.ID, p.ID, 1))
		ordersWant(t, test.name, r, err, http.StatusCreated)
		if before, ok := placed[r.JSON201.Data.Order.ID]; ok && before != test.caller {
			t.Errorf("%s got the order of %s", test.name, before)
		}
		placed[r.JSON201.Data.Order.ID] = test.caller
	}
	if len(placed) != 2 {
		t.Errorf("got the orders %v, want one of each caller", placed)
	}
	for id, caller := range placed {
		history, err := admin.Orders.ListOrderHistoryWithResponse(t.Context(), id, nil)
		ordersWant(t, "history", history, err, http.StatusOK)
		for _, event := range history.JSON200.Data {
			if event.Caller == nil || *event.Caller != caller {
				t.Errorf("order %d: got %s, want %s", id, history.Body, caller)
			}
		}
	}
	named := orders.CallerAnonymous
	r, err := admin.Orders.CreateOrderWithResponse(t.Context(), &orders.CreateOrderParams{XCaller: &named}, orders.OrderInput{CustomerID: buyer.ID, Items: ordersLines(p.ID, 1)})
	ordersRefused(t, "a user who names a caller", r, err, http.StatusForbidden, common.CodeForbidden)
	ordersWantStock(t, admin, p.ID, 100-2)
}

func TestOrchestratorOrdersDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 1, 100)
	request := orchRequest("k", buyer.ID, p.ID, 1)
	request.CorrelationID = new("run-1")
	ready, err := s.Orchestrator.GetReadyWithResponse(t.Context())
	ordersWant(t, "ready", ready, err, http.StatusOK)

	w.Pause("orders")
	down, err := s.Orchestrator.CreateAndConfirmOrderWithResponse(t.Context(), nil, request)
	f := orchFailed(t, "while orders-api is down", down, err, http.StatusServiceUnavailable, common.CodeOrdersUnavailable, orchestrator.StepCreateOrder)
	if down.Headers503.RetryAfter != 1 || f.CorrelationID != "run-1" || down.Headers503.XCorrelationID != "run-1" {
		t.Errorf("while orders-api is down: got %v %s, want Retry-After and the correlation id", down.HTTPResponse.Header, down.Body)
	}
	if strings.Contains(string(down.Body), "127.0.0.1") || strings.Contains(string(down.Body), "EOF") {
		t.Errorf("the answer tells its cause: %s", down.Body)
	}

	w.Stop("orders")
	ready, err = s.Orchestrator.GetReadyWithResponse(t.Context())
	ordersRefused(t, "ready without orders-api", ready, err, http.StatusServiceUnavailable, common.CodeOrdersUnavailable)
	health, err := s.Orchestrator.GetHealthWithResponse(t.Context())
	ordersWant(t, "health without orders-api", health, err, http.StatusOK)
}

func TestOrchestratorCustomersDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 1, 100)
	w.Pause("customers")
	down, err := s.Orchestrator.CreateAndConfirmOrderWithResponse(t.Context(), nil, orchRequest("k", buyer.ID, p.ID, 1))
	orchFailed(t, "while customers-api is down", down, err, http.StatusServiceUnavailable, common.CodeCustomersUnavailable, orchestrator.StepValidateCustomer)
	if down.Headers503.RetryAfter != 1 {
		t.Errorf("Retry-After: got %d, want 1", down.Headers503.RetryAfter)
	}
	if n := ordersCount(t, s); n != 0 {
		t.Errorf("while customers-api is down: got %d orders, want 0", n)
	}
	ordersWantStock(t, s, p.ID, 100)
}

// The order is canceled by another hand between the two steps.
func TestOrchestratorConfirmRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 1, 100)
	o := orchBehind(t, w, s, &orchProxy{meanwhile: func(r *http.Request) bool {
		if orchIsConfirm(r) {
			if canceled, err := s.Orders.CancelOrderWithResponse(t.Context(), 1, nil, orders.Cancellation{}); err != nil || canceled.JSON200 == nil {
				t.Errorf("cancel: %v", err)
			}
		}
		return false
	}})
	for range 2 {
		r, err := o.CreateAndConfirmOrderWithResponse(t.Context(), nil, orchRequest("k", buyer.ID, p.ID, 1))
		orchFailed(t, "confirm a canceled order", r, err, http.StatusConflict, common.CodeOrderCanceled, orchestrator.StepConfirmOrder)
	}
	if n := ordersCount(t, s); n != 1 {
		t.Errorf("got %d orders, want 1", n)
	}
	ordersWantStock(t, s, p.ID, 100)
}

// The keys of the two steps may end at different times; a call in between makes a new order, as any call after the end
// does, and not half of one.
func TestOrchestratorKeysEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 1, 100)
	request := orchRequest("k", buyer.ID, p.ID, 1)
	var crashing atomic.Bool
	crashing.Store(true)
	o := orchBehind(t, w, s, &orchProxy{loseRequest: func(r *http.Request) bool { return crashing.Load() && orchIsConfirm(r) }})
	lost, err := o.CreateAndConfirmOrderWithResponse(t.Context(), nil, request)
	orchFailed(t, "before confirm", lost, err, http.StatusServiceUnavailable, common.CodeOrdersUnavailable, orchestrator.StepConfirmOrder)

	w.Clock.Advance(10 * time.Hour)
	retried, err := w.Login("admin").Orchestrator.CreateAndConfirmOrderWithResponse(t.Context(), nil, request)
	ordersWant(t, "retry after 10 hours", retried, err, http.StatusCreated)
	w.Clock.Advance(15 * time.Hour) // the key of create is forgotten, the key of confirm is not
	s = w.Login("admin")
	late, err := s.Orchestrator.CreateAndConfirmOrderWithResponse(t.Context(), nil, request)
	ordersWant(t, "retry after 25 hours", late, err, http.StatusCreated)
	if late.Headers201.IdempotencyReplayed != nil || late.JSON201.Data.Order.ID == retried.JSON201.Data.Order.ID {
		t.Errorf("retry after 25 hours: got %s, want a new order", late.Body)
	}
	for _, o := range []int64{retried.JSON201.Data.Order.ID, late.JSON201.Data.Order.ID} {
		if got := ordersGet(t, s, o).Status; got != orders.StatusConfirmed {
			t.Errorf("order %d: got %s, want CONFIRMED", o, got)
		}
	}
}

// What comes from orders-api and is not an answer of orders-api is not passed on.
func TestOrchestratorStrangeAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	problem := func(code common.ProblemCode) string {
		return `{"type":"urn:x","title":"x","status":409,"detail":"The detail.","code":"` + string(code) + `","trace_id":"0"}`
	}
	secret := regexp.MustCompile(`nginx|10\.0\.0\.7`)
	for name, test := range map[string]struct {
		status            int
		contentType, body string
		wantStatus        int
		wantCode          common.ProblemCode
		wantStep          orchestrator.Step
	}{
		"bad gateway":            {502, "text/html", "<h1>nginx 10.0.0.7</h1>", 503, common.CodeOrdersUnavailable, orchestrator.StepCreateOrder},
		"internal error":         {500, "application/problem+json", problem(common.CodeInternal), 503, common.CodeOrdersUnavailable, orchestrator.StepCreateOrder},
		"unavailable":            {503, "application/problem+json", problem(common.CodeUnavailable), 503, common.CodeOrdersUnavailable, orchestrator.StepCreateOrder},
		"customers unavailable":  {503, "application/problem+json", problem(common.CodeCustomersUnavailable), 503, common.CodeCustomersUnavailable, orchestrator.StepValidateCustomer},
		"in progress":            {409, "application/problem+json", problem(common.CodeRequestInProgress), 409, common.CodeRequestInProgress, orchestrator.StepCreateOrder},
		"a code of the future":   {409, "application/problem+json", problem("out_of_fashion"), 503, common.CodeOrdersUnavailable, orchestrator.StepCreateOrder},
		"not found, in HTML":     {404, "text/html", "<h1>nginx</h1>", 503, common.CodeOrdersUnavailable, orchestrator.StepCreateOrder},
		"another service":        {404, "application/problem+json", problem(common.CodeNotFound), 503, common.CodeOrdersUnavailable, orchestrator.StepCreateOrder},
		"no POST there":          {405, "application/problem+json", problem(common.CodeMethodNotAllowed), 503, common.CodeOrdersUnavailable, orchestrator.StepCreateOrder},
		"too many requests":      {429, "application/problem+json", problem(common.CodeTooManyRequests), 503, common.CodeOrdersUnavailable, orchestrator.StepCreateOrder},
		"redirect":               {307, "text/html", "nginx", 503, common.CodeOrdersUnavailable, orchestrator.StepCreateOrder},
		"HTML for an order":      {201, "text/html", "<h1>nginx</h1>", 503, common.CodeOrdersUnavailable, orchestrator.StepCreateOrder},
		"no order":               {201, "application/json", `{}`, 503, common.CodeOrdersUnavailable, orchestrator.StepCreateOrder},
		"an order without lines": {201, "application/json", `{"id":1,"customer_id":1,"status":"CREATED","items":[]}`, 503, common.CodeOrdersUnavailable, orchestrator.StepCreateOrder},
		"a refusal as a success": {201, "application/json", problem(common.CodeInvalidInput), 503, common.CodeOrdersUnavailable, orchestrator.StepCreateOrder},
		"an answer of 5 MiB":     {201, "application/json", `{"x":"` + strings.Repeat("x", 5<<20) + `"}`, 503, common.CodeOrdersUnavailable, orchestrator.StepCreateOrder},
		"half an order":          {201, "application/json", `{"id":1,`, 503, common.CodeOrdersUnavailable, orchestrator.StepCreateOrder},
		"another success":        {204, "application/json", "", 503, common.CodeOrdersUnavailable, orchestrator.StepCreateOrder},
		"silence":                {0, "", "", 503, common.CodeOrdersUnavailable, orchestrator.StepCreateOrder},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			strange := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if test.status == 0 {
					<-r.Context().Done()
					return
				}
				w.Header().Set("Content-Type", test.contentType)
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body)
			}))
			t.Cleanup(strange.Close)
			config := orchestratorservice.Config{OrdersBaseURL: strange.URL}
			if test.status == 0 {
				config.OrdersTimeout = 50 * time.Millisecond
			}
			r, err := orchServe(t, w, s, config).CreateAndConfirmOrderWithResponse(t.Context(), nil, orchRequest("k", 1, 1, 1))
			orchFailed(t, name, r, err, test.wantStatus, test.wantCode, test.wantStep)
			if secret.Match(r.Body) {
				t.Errorf("the answer tells its cause: %s", r.Body)
			}
			if r.HTTPResponse.Header.Get("Retry-After") != "1" {
				t.Errorf("got %v, want Retry-After", r.HTTPResponse.Header)
			}
		})
	}
}
