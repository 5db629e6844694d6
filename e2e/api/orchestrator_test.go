package api

import (
	"bytes"
	"cmp"
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
	"github.com/pedidos-hq/pedidos/gen/orders"
	orchestratorservice "github.com/pedidos-hq/pedidos/services/orchestrator"
	"github.com/pedidos-hq/pedidos/services/platform/config"
	"github.com/pedidos-hq/pedidos/services/platform/process"
	"github.com/pedidos-hq/pedidos/services/platform/telemetry"
)

// serveOrchestrator starts another orchestrator in front of another orders-api and returns a client of it.
func serveOrchestrator(t *testing.T, w *world.World, s *call.Client, c config.Config) *call.Client {
	t.Helper()
	return orchestratorAt(t, w, s, listenOrchestrator(t, w, c))
}

// listenOrchestrator starts another orchestrator in front of another orders-api and returns its URL.
func listenOrchestrator(t *testing.T, w *world.World, c config.Config) string {
	t.Helper()
	c.UpstreamTimeout = cmp.Or(c.UpstreamTimeout, 2500*time.Millisecond)
	handler, err := orchestratorservice.New(process.Process{
		Config: &c, Log: telemetry.NewLogger(w.Log, false, slog.LevelInfo), Now: w.Clock.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	served := httptest.NewServer(handler)
	t.Cleanup(served.Close)
	return served.URL
}

// orchestratorAt returns a copy of the client that calls another orchestrator.
func orchestratorAt(t *testing.T, w *world.World, s *call.Client, base string) *call.Client {
	t.Helper()
	urls := w.URLs()
	urls.Orchestrator = base
	return call.New(t, urls, s.Token, w.HTTP)
}

// lossyProxy is a proxy in front of a service that loses some requests, or the responses to executed requests.
type lossyProxy struct {
	loseRequest, loseAnswer, meanwhile func(r *http.Request) bool         // nil means never; meanwhile runs before the request
	instead                            func(r *http.Request) http.Handler // returns a handler that answers instead of orders-api, or nil
	next                               http.Handler
}

func (p *lossyProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
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

// orchestratorBehind starts an orchestrator that calls orders-api through the proxy.
func orchestratorBehind(t *testing.T, w *world.World, s *call.Client, p *lossyProxy) *call.Client {
	t.Helper()
	return serveOrchestrator(t, w, s, config.Config{OrdersAPIBase: p.listen(t, w.OrdersURL)})
}

// listen starts the proxy in front of a service and returns its URL.
func (p *lossyProxy) listen(t *testing.T, service string) string {
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

func isCreate(r *http.Request) bool  { return r.URL.Path == "/orders" }
func isConfirm(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/confirm") }

func TestOrchestrator(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, a, b := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 300, 10), s.CreateProduct(t, "B", 50, 10)
	request := orchestrator.OrderRequest{
		CustomerID: buyer.ID, IdempotencyKey: "erp-1", CorrelationID: new("run-1"),
		Items: []orchestrator.OrderRequestLine{{ProductID: b.ID, Qty: 1}, {ProductID: a.ID, Qty: 2}, {ProductID: b.ID, Qty: 3}},
	}
	var confirmed orchestrator.Confirmed
	first := s.Orchestrate(t.Context(), request).Want(t, http.StatusCreated, &confirmed)
	got := confirmed
	placed := s.GetOrder(t, got.Data.Order.ID)
	want := orchestrator.Confirmed{
		Success: true, CorrelationID: "run-1",
		Data: orchestrator.ConfirmedData{
			Customer: orchestrator.ConfirmedCustomer{ID: buyer.ID, Name: buyer.Name, Email: buyer.Email, Phone: buyer.Phone},
			Order: orchestrator.ConfirmedOrder{
				ID: placed.ID, CustomerID: buyer.ID, Status: orchestrator.CONFIRMED, TotalCents: 800,
				Items: []orchestrator.ConfirmedLine{
					{ProductID: a.ID, SKU: "A", Name: "Product A", Qty: 2, UnitPriceCents: 300, SubtotalCents: 600},
					{ProductID: b.ID, SKU: "B", Name: "Product B", Qty: 4, UnitPriceCents: 50, SubtotalCents: 200},
				},
				CreatedAt: placed.CreatedAt, ConfirmedAt: *placed.ConfirmedAt,
			},
		},
	}
	if want, err := json.Marshal(want); err != nil || string(want) != strings.TrimSpace(string(first.Body)) {
		t.Errorf("got %s, want %s", first.Body, want)
	}
	if first.Replayed() || first.Header.Get("X-Correlation-Id") != "run-1" {
		t.Errorf("headers: got %+v, want the correlation id and no replay", first.Header)
	}
	if placed.Status != orders.StatusConfirmed {
		t.Errorf("in orders-api: got %s, want CONFIRMED", placed.Status)
	}

	// With another correlation id, the response differs only in that id.
	request.CorrelationID = new("run-2")
	other := s.Orchestrate(t.Context(), request).Want(t, http.StatusCreated)
	if want := bytes.Replace(first.Body, []byte("run-1"), []byte("run-2"), 1); !bytes.Equal(other.Body, want) {
		t.Errorf("another correlation id: got %s, want %s", other.Body, want)
	}
	audit(t, w)
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
		"unknown customer": {call.OrderRequest("k-1", buyer.ID+1, p.ID, 1), http.StatusNotFound, common.CodeCustomerNotFound, orchestrator.StepValidateCustomer, []string{"customer_id"}},
		"unknown product":  {call.OrderRequest("k-2", buyer.ID, gold.ID+1, 1), http.StatusNotFound, common.CodeProductNotFound, orchestrator.StepCreateOrder, []string{"items"}},
		"shortage":         {call.OrderRequest("k-3", buyer.ID, p.ID, 6), http.StatusConflict, common.CodeInsufficientStock, orchestrator.StepCreateOrder, nil},
		"total too large":  {call.OrderRequest("k-4", buyer.ID, gold.ID, 1e6), http.StatusUnprocessableEntity, common.CodeTotalTooLarge, orchestrator.StepCreateOrder, nil},
		"two mistakes":     {call.OrderRequest("k-5", 0, p.ID, 0), http.StatusBadRequest, common.CodeInvalidInput, orchestrator.StepValidateInput, []string{"customer_id", "items[0].qty"}},
	} {
		test.request.CorrelationID = new("run-" + test.request.IdempotencyKey)
		r := s.Orchestrate(t.Context(), test.request)
		f := r.WantFailure(t, test.status, test.code, test.step, test.fields...)
		if got := r.Header.Get("X-Correlation-Id"); f.CorrelationID != *test.request.CorrelationID || got != f.CorrelationID {
			t.Errorf("%s: got the correlation ids %s and %s, want %s", name, f.CorrelationID, got, *test.request.CorrelationID)
		}
		if test.code == common.CodeInsufficientStock {
			want := []common.Shortage{{ProductID: p.ID, Requested: 6, Available: 5}}
			if f.Error.Shortages == nil || !slices.Equal(*f.Error.Shortages, want) {
				t.Errorf("%s: got %s, want the shortages %+v", name, r.Body, want)
			}
		}
	}
	s.WantStock(t, p.ID, 5)
	s.WantOrders(t, 0)
}

// validate_input, with the best available correlation id.
func TestOrchestratorInput(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	const line = `{"product_id":1,"qty":1}`
	const generated = "" // an id that the orchestrator generates
	for name, test := range map[string]struct {
		query, header, body, fields, correlation string
	}{
		"nothing":              {"", "", `{}`, "customer_id idempotency_key items", generated},
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
		// A bad query is refused before the size of the body is checked, so the search for an id in the body is bounded.
		"query, large body": {"?x=1", "", `{"pad":"` + strings.Repeat("x", 1<<20) + `","correlation_id":"b-1"}`, "x", generated},
	} {
		t.Log(name)
		var headers []string
		if test.header != "" {
			headers = []string{"X-Correlation-Id", test.header}
		}
		if test.body == "" {
			headers = append(headers, "Content-Type", "application/json")
		}
		r := s.Send(t, "orchestrator", http.MethodPost, "/orchestrator/create-and-confirm-order"+test.query, test.body, headers...)
		f := r.WantFailure(t, http.StatusBadRequest, common.CodeInvalidInput, orchestrator.StepValidateInput, strings.Fields(test.fields)...)
		if got := r.Header.Get("X-Correlation-Id"); got != f.CorrelationID {
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
	call.Read(o.CreateAndConfirmOrderWithBody(t.Context(), nil, "application/json", strings.NewReader(`{"idempotency_key":"`+strings.Repeat("x", 1<<20)+`"}`))).WantFailure(t, http.StatusRequestEntityTooLarge, common.CodeBodyTooLarge, orchestrator.StepValidateInput)
	for _, contentType := range []string{"text/plain", "application/problem+json", "application/x-www-form-urlencoded"} {
		call.Read(o.CreateAndConfirmOrderWithBody(t.Context(), nil, contentType, strings.NewReader(`{}`))).WantFailure(t, http.StatusUnsupportedMediaType, common.CodeUnsupportedMediaType, orchestrator.StepValidateInput)
	}
}

// Errors of every status have the same shape under both prefixes. Errors of the routes that all services share do not.
func TestOrchestratorErrorShape(t *testing.T) {
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
			correlation              string // "" means the trace id
		}{
			{"no token", http.MethodPost, route, `{}`, []string{"Content-Type", "application/json"}, 401, common.CodeUnauthorized, ""},
			{"no token, but an id", http.MethodPost, route, `{}`, []string{"X-Correlation-Id", "run-1"}, 401, common.CodeUnauthorized, "run-1"},
			{"viewer", http.MethodPost, route, `{}`, call.JSON(w.Login("viewer").Token), 403, common.CodeForbidden, ""},
			{"media type", http.MethodPost, route, `{}`, []string{"Authorization", "Bearer " + s.Token, "Content-Type", "text/plain", "X-Correlation-Id", "run-2"}, 415, common.CodeUnsupportedMediaType, "run-2"},
			{"input", http.MethodPost, route, `{"correlation_id":"run-3"}`, call.JSON(s.Token), 400, common.CodeInvalidInput, "run-3"},
			{"no such path", http.MethodPost, "/orchestrator/nowhere", `{}`, append(call.JSON(s.Token), "X-Correlation-Id", "run-4"), 404, common.CodeNotFound, "run-4"},
			{"no such method", http.MethodDelete, route, ``, nil, 405, common.CodeMethodNotAllowed, ""},
		} {
			a := call.Send(t, w.HTTP("orchestrator"), test.method, w.OrchestratorURL+prefix+test.path, strings.NewReader(test.body), test.headers...)
			var about []string
			if test.code == common.CodeInvalidInput {
				about = []string{"customer_id", "idempotency_key", "items"}
			}
			f := a.WantFailure(t, test.status, test.code, orchestrator.StepValidateInput, about...)
			if test.correlation == "" {
				test.correlation = f.TraceID
			}
			if f.CorrelationID != test.correlation || a.Header.Get("X-Correlation-Id") != test.correlation || a.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s %s: got %s, want the correlation id %s in body and header, and a problem document", prefix, test.name, a, test.correlation)
			}
		}
	}
	// Without an id, it is derived from the key if the body is readable.
	a := call.Send(t, w.HTTP("orchestrator"), http.MethodPost, w.OrchestratorURL+route, strings.NewReader(`{"idempotency_key":"k"}`), call.JSON(s.Token)...)
	b := call.Send(t, w.HTTP("orchestrator"), http.MethodPost, w.OrchestratorURL+route, strings.NewReader(`{"idempotency_key":"k","items":[]}`), call.JSON(s.Token)...)
	if id := a.Header.Get("X-Correlation-Id"); id == "" || id != b.Header.Get("X-Correlation-Id") {
		t.Errorf("one key got the correlation ids %q and %q", id, b.Header.Get("X-Correlation-Id"))
	}
	// Repeats of a final refusal get the same bytes.
	var bodies [][]byte
	for range 2 {
		r := s.Orchestrate(t.Context(), call.OrderRequest("unknown", 1<<40, 1, 1))
		r.WantFailure(t, http.StatusNotFound, common.CodeCustomerNotFound, orchestrator.StepValidateCustomer, "customer_id")
		bodies = append(bodies, r.Body)
	}
	if !bytes.Equal(bodies[0], bodies[1]) {
		t.Errorf("a repeat got another answer: %s", bytes.Join(bodies, nil))
	}
}

// The correlation id is the body's, the header's, or a new one, in this order. All services log it.
func TestOrchestratorCorrelation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 1, 100)
	long := strings.Repeat("x", 128)
	seen := map[string]bool{}
	n := 0
	for _, prefix := range []string{"", "/dev"} {
		o := orchestratorAt(t, w, s, w.OrchestratorURL+prefix)
		for _, test := range []struct{ body, header, want *string }{
			{new("from-body" + prefix), nil, new("from-body" + prefix)},
			{nil, new("from-header" + prefix), new("from-header" + prefix)},
			{new("body.wins:" + prefix), new("loses"), new("body.wins:" + prefix)},
			{&long, nil, &long},
			{nil, nil, nil},
			{nil, nil, nil},
		} {
			n++
			request := call.OrderRequest(fmt.Sprintf("k-%d", n), buyer.ID, p.ID, 1)
			request.CorrelationID = test.body
			var confirmed orchestrator.Confirmed
			r := call.Read(o.Orchestrator.CreateAndConfirmOrder(t.Context(), &orchestrator.CreateAndConfirmOrderParams{XCorrelationID: test.header}, request)).Want(t, http.StatusCreated, &confirmed)
			id := confirmed.CorrelationID
			if id != r.Header.Get("X-Correlation-Id") || test.want != nil && id != *test.want || test.want == nil && (seen[id] || len(id) < 16) {
				t.Errorf("body %v, header %v: got %s in the body and %s in the header, want %v",
					optional(test.body), optional(test.header), id, r.Header.Get("X-Correlation-Id"), optional(test.want))
			}
			seen[id] = true
			for _, operation := range []string{"createOrder", "confirmOrder", "getCustomerInternal"} {
				call.Eventually(t, "the line of "+operation+" with "+id, func() bool {
					return len(w.Log.Lines(`"operationId":"`+operation+`"`, `"correlation_id":"`+id+`"`)) > 0
				})
			}
		}
	}
	if lines := w.Log.Lines(`"loses"`); len(lines) > 0 && slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, "createOrder") }) {
		t.Errorf("the header was passed on although the body has an id: %s", lines)
	}
}

// A null or empty correlation id counts as absent, in the body and in the header.
func TestOrchestratorEmptyCorrelation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 1, 100)
	plain := w.HTTP("orchestrator")
	send := func(n int, member string, headers ...string) string {
		t.Helper()
		body := fmt.Sprintf(`{"customer_id":%d,"items":[{"product_id":%d,"qty":1}],"idempotency_key":"k-%d"%s}`, buyer.ID, p.ID, n, member)
		a := call.Send(t, plain, http.MethodPost, w.OrchestratorURL+"/orchestrator/create-and-confirm-order", strings.NewReader(body), append(call.JSON(s.Token), headers...)...)
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
	anonymous := serveOrchestrator(t, w, w.With(""), config.Config{OrdersAPIBase: w.OrdersURL, ServiceToken: world.ServiceToken, AllowAnonymous: true})
	for name, test := range map[string]struct {
		client *call.Client
		status int
		code   common.ProblemCode
	}{
		"no token":               {w.With(""), http.StatusUnauthorized, common.CodeUnauthorized},
		"no JWT":                 {w.With("x.y.z"), http.StatusUnauthorized, common.CodeUnauthorized},
		"expired JWT":            {expired, http.StatusUnauthorized, common.CodeUnauthorized},
		"viewer":                 {w.Login("viewer"), http.StatusForbidden, common.CodeForbidden},
		"admin":                  {admin, http.StatusCreated, ""},
		"anonymous, allowed":     {anonymous, http.StatusCreated, ""},
		"bad JWT, though":        {serveOrchestrator(t, w, w.With("x.y.z"), config.Config{OrdersAPIBase: w.OrdersURL, ServiceToken: world.ServiceToken, AllowAnonymous: true}), http.StatusUnauthorized, common.CodeUnauthorized},
		"viewer, though":         {serveOrchestrator(t, w, w.Login("viewer"), config.Config{OrdersAPIBase: w.OrdersURL, ServiceToken: world.ServiceToken, AllowAnonymous: true}), http.StatusForbidden, common.CodeForbidden},
		"service token, as such": {w.With(world.ServiceToken), http.StatusCreated, ""},
	} {
		t.Log(name)
		r := test.client.Orchestrate(t.Context(), call.OrderRequest(strings.ReplaceAll(name, " ", "-"), buyer.ID, p.ID, 1))
		if test.code == "" {
			r.Want(t, test.status)
			continue
		}
		r.WantFailure(t, test.status, test.code, orchestrator.StepValidateInput)
		if got := r.Header.Get("WWW-Authenticate"); strings.HasPrefix(got, "Bearer") != (test.status == http.StatusUnauthorized) {
			t.Errorf("%s: got WWW-Authenticate %q", name, got)
		}
	}
	// A request with another scheme is neither authorized nor anonymous.
	for _, base := range []*call.Client{admin, anonymous} {
		basic := func(_ context.Context, r *http.Request) error {
			r.Header.Set("Authorization", "Basic YWRtaW46YWRtaW4=")
			return nil
		}
		request := call.OrderRequest("basic", buyer.ID, p.ID, 1)
		call.Read(base.Orchestrator.CreateAndConfirmOrder(t.Context(), nil, request, basic)).WantFailure(t, http.StatusUnauthorized, common.CodeUnauthorized, orchestrator.StepValidateInput)
	}
	admin.WantStock(t, p.ID, 100-3)
	// The callers that orders-api logged: the user of the token, the service, and the anonymous caller.
	for _, caller := range []string{"user:admin", "service", "anonymous"} {
		call.Eventually(t, "an order of "+caller, func() bool {
			return len(w.Log.Lines(`"operationId":"confirmOrder"`, `"caller":"`+caller+`"`, `"status":200`)) > 0
		})
	}
	if strings.Contains(w.Log.String(), world.ServiceToken) || strings.Contains(w.Log.String(), admin.Token) {
		t.Error("the log contains a token")
	}
}

// TestAnonymousCaller sends one key with the service token and without a token. These are two callers, with one order each.
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
		var r orchestrator.Confirmed
		test.s.Orchestrate(t.Context(), call.OrderRequest("shared-key", buyer.ID, p.ID, 1)).Want(t, http.StatusCreated, &r)
		if before, ok := placed[r.Data.Order.ID]; ok && before != test.caller {
			t.Errorf("%s got the order of %s", test.name, before)
		}
		placed[r.Data.Order.ID] = test.caller
	}
	if len(placed) != 2 {
		t.Errorf("got the orders %v, want one of each caller", placed)
	}
	for id, caller := range placed {
		var orderEventPage orders.OrderEventPage
		history := call.Read(admin.Orders.ListOrderHistory(t.Context(), id, nil)).Want(t, http.StatusOK, &orderEventPage)
		for _, event := range orderEventPage.Data {
			if event.Caller == nil || *event.Caller != caller {
				t.Errorf("order %d: got %s, want %s", id, history.Body, caller)
			}
		}
	}
	named := orders.CallerAnonymous
	call.Read(admin.Orders.CreateOrder(t.Context(), &orders.CreateOrderParams{XCaller: &named}, orders.OrderInput{CustomerID: buyer.ID, Items: call.Lines(p.ID, 1)})).WantProblem(t, http.StatusForbidden, common.CodeForbidden)
	admin.WantStock(t, p.ID, 100-2)
}

func TestOrchestratorOrdersDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 1, 100)
	request := call.OrderRequest("k", buyer.ID, p.ID, 1)
	request.CorrelationID = new("run-1")
	call.Read(s.Orchestrator.GetReady(t.Context())).Want(t, http.StatusOK)

	w.Pause("orders")
	down := s.Orchestrate(t.Context(), request)
	f := down.WantFailure(t, http.StatusServiceUnavailable, common.CodeOrdersUnavailable, orchestrator.StepCreateOrder)
	if down.Header.Get("Retry-After") != "1" || f.CorrelationID != "run-1" || down.Header.Get("X-Correlation-Id") != "run-1" {
		t.Errorf("while orders-api is down: got %v %s, want Retry-After and the correlation id", down.Header, down.Body)
	}
	if strings.Contains(string(down.Body), "127.0.0.1") || strings.Contains(string(down.Body), "EOF") {
		t.Errorf("the response reveals its cause: %s", down.Body)
	}

	w.Stop("orders")
	call.Read(s.Orchestrator.GetReady(t.Context())).WantProblem(t, http.StatusServiceUnavailable, common.CodeOrdersUnavailable)
	call.Read(s.Orchestrator.GetHealth(t.Context())).Want(t, http.StatusOK)
}

func TestOrchestratorCustomersDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 1, 100)
	w.Pause("customers")
	down := s.Orchestrate(t.Context(), call.OrderRequest("k", buyer.ID, p.ID, 1))
	down.WantFailure(t, http.StatusServiceUnavailable, common.CodeCustomersUnavailable, orchestrator.StepValidateCustomer)
	if down.Header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After: got %q, want 1", down.Header.Get("Retry-After"))
	}
	s.WantOrders(t, 0)
	s.WantStock(t, p.ID, 100)
}

// Another caller cancels the order between the two steps.
func TestOrchestratorConfirmRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 1, 100)
	o := orchestratorBehind(t, w, s, &lossyProxy{meanwhile: func(r *http.Request) bool {
		if isConfirm(r) {
			if r := s.TryCancel(t.Context(), "", 1); r.Status != http.StatusOK {
				t.Errorf("got %s, want 200", r)
			}
		}
		return false
	}})
	for range 2 {
		o.Orchestrate(t.Context(), call.OrderRequest("k", buyer.ID, p.ID, 1)).WantFailure(t, http.StatusConflict, common.CodeOrderCanceled, orchestrator.StepConfirmOrder)
	}
	s.WantOrders(t, 1)
	s.WantStock(t, p.ID, 100)
}

// The keys of the two steps may expire at different times. A call in between must place and confirm a new order, like any
// call after both have expired.
func TestOrchestratorKeysEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 1, 100)
	request := call.OrderRequest("k", buyer.ID, p.ID, 1)
	var crashing atomic.Bool
	crashing.Store(true)
	o := orchestratorBehind(t, w, s, &lossyProxy{loseRequest: func(r *http.Request) bool { return crashing.Load() && isConfirm(r) }})
	o.Orchestrate(t.Context(), request).WantFailure(t, http.StatusServiceUnavailable, common.CodeOrdersUnavailable, orchestrator.StepConfirmOrder)

	w.Clock.Advance(10 * time.Hour)
	var retried orchestrator.Confirmed
	w.Login("admin").Orchestrate(t.Context(), request).Want(t, http.StatusCreated, &retried)
	w.Clock.Advance(15 * time.Hour) // the key of create has expired, the key of confirm has not
	s = w.Login("admin")
	var confirmed orchestrator.Confirmed
	late := s.Orchestrate(t.Context(), request).Want(t, http.StatusCreated, &confirmed)
	if late.Replayed() || confirmed.Data.Order.ID == retried.Data.Order.ID {
		t.Errorf("retry after 25 hours: got %s, want a new order", late.Body)
	}
	for _, o := range []int64{retried.Data.Order.ID, confirmed.Data.Order.ID} {
		if got := s.GetOrder(t, o).Status; got != orders.StatusConfirmed {
			t.Errorf("order %d: got %s, want CONFIRMED", o, got)
		}
	}
}

// TestOrchestratorInvalidUpstreamAnswers answers in place of orders-api. The orchestrator must not forward such responses.
func TestOrchestratorInvalidUpstreamAnswers(t *testing.T) {
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
		"too many requests":      {429, "application/problem+json", problem(common.CodeTooManyRequests), 429, common.CodeTooManyRequests, orchestrator.StepCreateOrder},
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
			c := config.Config{OrdersAPIBase: strange.URL}
			if test.status == 0 {
				c.UpstreamTimeout = 25 * time.Millisecond
			}
			r := serveOrchestrator(t, w, s, c).Orchestrate(t.Context(), call.OrderRequest("k", 1, 1, 1))
			r.WantFailure(t, test.wantStatus, test.wantCode, test.wantStep)
			if secret.Match(r.Body) {
				t.Errorf("the response reveals its cause: %s", r.Body)
			}
			if r.Header.Get("Retry-After") != "1" {
				t.Errorf("got %v, want Retry-After", r.Header)
			}
		})
	}
}
