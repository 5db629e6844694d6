package orchestrator_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	pedidos "github.com/pedidos-hq/pedidos/gen"
	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/orchestrator"
	"github.com/pedidos-hq/pedidos/gen/orchestrator/client"
	"github.com/pedidos-hq/pedidos/services/internal/apitest"
	"github.com/pedidos-hq/pedidos/services/orchestrator"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/problem"
)

// answer is an answer of orders-api.
type answer struct {
	status int
	body   string
}

// call is a recorded call to orders-api.
type call struct{ step, path, token, key, caller, correlation, body string }

// answers holds the answers of orders-api. The zero value means success.
type answers struct{ create, confirm, cancel answer }

// ordersAPI is a fake orders-api, which records calls. It records retries of a call once.
type ordersAPI struct {
	answers

	mu       sync.Mutex
	recorded []call
}

func (o *ordersAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	c := call{
		step: "create", path: r.URL.Path, body: string(body),
		token: strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), key: r.Header.Get("Idempotency-Key"),
		caller: r.Header.Get("X-Caller"), correlation: r.Header.Get("X-Correlation-Id"),
	}
	a := cmp.Or(o.create, answer{http.StatusCreated, orderJSON(7, "CREATED")})
	switch {
	case strings.HasSuffix(r.URL.Path, "/confirm"):
		c.step, a = "confirm", cmp.Or(o.confirm, answer{http.StatusOK, orderJSON(7, "CONFIRMED")})
	case strings.HasSuffix(r.URL.Path, "/cancel"):
		c.step, a = "cancel", cmp.Or(o.cancel, answer{http.StatusOK, orderJSON(7, "CANCELED")})
	case r.URL.Path == "/ready":
		c.step, a = "ready", answer{http.StatusOK, `{"status":"ok"}`}
	}
	o.mu.Lock()
	if !slices.Contains(o.recorded, c) {
		o.recorded = append(o.recorded, c)
	}
	o.mu.Unlock()
	w.Header().Set("Content-Type", problem.ContentType)
	if a.status < http.StatusBadRequest {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(a.status)
	fmt.Fprint(w, a.body)
}

// calls returns the calls, in order.
func (o *ordersAPI) calls() []call {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.recorded)
}

// steps returns the steps of the calls.
func (o *ordersAPI) steps() (all []string) {
	for _, c := range o.calls() {
		all = append(all, c.step)
	}
	return all
}

func orderJSON(id int64, status string) string {
	confirmed, canceled := "null", "null"
	switch status {
	case "CONFIRMED":
		confirmed = `"2026-01-01T00:01:00Z"`
	case "CANCELED":
		canceled = `"2026-01-01T00:02:00Z"`
	}
	return fmt.Sprintf(`{"id":%d,"customer_id":1,"customer":{"name":"Ana","email":"ana@example.com","phone":null},"status":%q,`+
		`"total_cents":200,"items":[{"product_id":3,"qty":2,"unit_price_cents":100,"subtotal_cents":200}],`+
		`"created_at":"2026-01-01T00:00:00Z","confirmed_at":%s,"canceled_at":%s,"cancel_reason":null}`, id, status, confirmed, canceled)
}

func problemJSON(status int, code common.ProblemCode, more string) string {
	return fmt.Sprintf(`{"type":"x","title":"x","status":%d,"detail":"what happened","code":%q,"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"%s}`, status, code, more)
}

func refusal(status int, code common.ProblemCode) answer {
	return answer{status, problemJSON(status, code, "")}
}

// serve starts the orchestrator in front of o. It returns its URL, and a client with the token, which may be empty.
func serve(t *testing.T, o *ordersAPI, anonymous bool, token string) (*client.ClientWithResponses, string) {
	t.Helper()
	upstream := httptest.NewServer(o)
	t.Cleanup(upstream.Close)
	p := apitest.NewProcess(t, apitest.NewClock())
	p.Config.OrdersAPIBase, p.Config.UpstreamTimeout = upstream.URL, 10*time.Second
	p.Config.ServiceToken, p.Config.AllowAnonymous = apitest.ServiceToken+",an-older-one", anonymous
	handler, err := orchestrator.New(p)
	url := apitest.Serve(t, handler, err)
	var options []client.ClientOption
	if token != "" {
		options = append(options, client.WithRequestEditorFn(pedidos.Bearer(token)))
	}
	c, err := client.NewClientWithResponses(url, options...)
	if err != nil {
		t.Fatal(err)
	}
	return c, url
}

func adminToken(t *testing.T) string {
	t.Helper()
	return apitest.Token(t, apitest.NewTokens(apitest.NewClock()), "admin", auth.Admin)
}

func request(key string) api.OrderRequest {
	return api.OrderRequest{CustomerID: 1, IdempotencyKey: key, Items: []api.OrderRequestLine{{ProductID: 3, Qty: 2}}}
}

func TestCreateAndConfirm(t *testing.T) {
	t.Parallel()
	o := &ordersAPI{}
	token := adminToken(t)
	c, _ := serve(t, o, false, token)
	in := request("k")
	in.CorrelationID = new("erp-17")
	r, err := c.CreateAndConfirmOrderWithResponse(t.Context(), nil, in)
	apitest.WantStatus(t, r, err, http.StatusCreated)
	got := r.JSON201
	if got.Success != api.True || got.CorrelationID != "erp-17" || got.Data.Customer.Name != "Ana" || got.Data.Order.ID != 7 ||
		got.Data.Order.Status != api.CONFIRMED || got.Data.Order.TotalCents != 200 || got.Data.Order.ConfirmedAt.IsZero() {
		t.Errorf("got %s", r.Body)
	}
	if !slices.Equal(o.steps(), []string{"create", "confirm"}) {
		t.Fatalf("orders-api was called for %q", o.steps())
	}
	for _, call := range o.calls() {
		if call.token != token || call.caller != "" || call.correlation != "erp-17" {
			t.Errorf("%s got the token %q, the caller %q and the correlation id %q", call.step, call.token, call.caller, call.correlation)
		}
	}
	if want := `{"customer_id":1,"items":[{"product_id":3,"qty":2}]}`; strings.TrimSpace(o.calls()[0].body) != want {
		t.Errorf("create got %s, want %s", o.calls()[0].body, want)
	}
	if o.calls()[1].path != "/orders/7/confirm" {
		t.Errorf("confirm went to %s", o.calls()[1].path)
	}
}

func TestChildKeys(t *testing.T) {
	t.Parallel()
	keys := func(key string) (all []string) {
		o := &ordersAPI{answers: answers{confirm: refusal(http.StatusConflict, common.CodeOrderCanceled)}}
		c, _ := serve(t, o, false, adminToken(t))
		if _, err := c.CreateAndConfirmOrderWithResponse(t.Context(), nil, request(key)); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(o.steps(), []string{"create", "confirm", "cancel"}) {
			t.Fatalf("orders-api was called for %q", o.steps())
		}
		for _, c := range o.calls() {
			all = append(all, c.key)
		}
		return all
	}
	first := keys("the-caller-s-key")
	if again := keys("the-caller-s-key"); !slices.Equal(again, first) {
		t.Errorf("a repeat has the keys %q, the first call %q", again, first)
	}
	all := slices.Concat(first, keys("another-key"))
	slices.Sort(all)
	if n := len(slices.Compact(all)); n != 6 {
		t.Errorf("two calls of three steps each have %d different keys, want 6: %q", n, all)
	}
	for _, key := range all {
		if len(key) > 255 || strings.Contains(key, "caller") {
			t.Errorf("the key %q is too long or contains the caller's key", key)
		}
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	shortages := `,"shortages":[{"available":1,"product_id":3,"requested":2}]`
	fields := `,"errors":[{"field":"Idempotency-Key","message":"was used"}]`
	for _, test := range []struct {
		name   string
		orders answers
		code   common.ProblemCode
		step   api.Step
		calls  []string
		has    string // in the body
	}{
		{"unknown customer", answers{create: refusal(404, common.CodeCustomerNotFound)},
			common.CodeCustomerNotFound, api.StepValidateCustomer, []string{"create"}, `"detail":"what happened"`},
		{"unknown product", answers{create: refusal(404, common.CodeProductNotFound)},
			common.CodeProductNotFound, api.StepCreateOrder, []string{"create"}, `"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"`},
		{"shortage", answers{create: answer{409, problemJSON(409, common.CodeInsufficientStock, shortages)}},
			common.CodeInsufficientStock, api.StepCreateOrder, []string{"create"}, shortages},
		{"key of another request", answers{create: answer{422, problemJSON(422, common.CodeIdempotencyKeyReused, fields)}},
			common.CodeIdempotencyKeyReused, api.StepCreateOrder, []string{"create"}, `"field":"idempotency_key"`},
		{"forbidden role", answers{create: refusal(403, common.CodeForbidden)},
			common.CodeForbidden, api.StepValidateInput, []string{"create"}, ""},
		{"customers-api is down", answers{create: refusal(503, common.CodeCustomersUnavailable)},
			common.CodeCustomersUnavailable, api.StepValidateCustomer, []string{"create"}, ""},
		{"orders-api fails", answers{create: refusal(500, common.CodeInternal)},
			common.CodeOrdersUnavailable, api.StepCreateOrder, []string{"create"}, ""},
		{"another service", answers{create: refusal(404, common.CodeNotFound)},
			common.CodeOrdersUnavailable, api.StepCreateOrder, []string{"create"}, ""},
		{"a page of a proxy", answers{create: answer{404, "<html>"}},
			common.CodeOrdersUnavailable, api.StepCreateOrder, []string{"create"}, ""},
		{"a code of another version", answers{create: refusal(409, "out_of_paper")},
			common.CodeOrdersUnavailable, api.StepCreateOrder, []string{"create"}, ""},
		{"no order", answers{create: answer{201, `{}`}},
			common.CodeOrdersUnavailable, api.StepCreateOrder, []string{"create"}, ""},
		{"order canceled meanwhile", answers{confirm: refusal(409, common.CodeOrderCanceled)},
			common.CodeOrderCanceled, api.StepConfirmOrder, []string{"create", "confirm", "cancel"}, `"order":{"canceled_at":"2026-01-01T00:02:00.000000Z","id":7,"status":"CANCELED"}`},
		{"confirm is in progress", answers{confirm: refusal(409, common.CodeRequestInProgress)},
			common.CodeRequestInProgress, api.StepConfirmOrder, []string{"create", "confirm"}, ""},
		{"confirm is unavailable", answers{confirm: refusal(503, common.CodeUnavailable)},
			common.CodeOrdersUnavailable, api.StepConfirmOrder, []string{"create", "confirm"}, ""},
		{"confirm request is invalid", answers{confirm: refusal(400, common.CodeInvalidInput)},
			common.CodeOrdersUnavailable, api.StepConfirmOrder, []string{"create", "confirm"}, ""},
		{"confirm answers with another order", answers{confirm: answer{200, orderJSON(8, "CONFIRMED")}},
			common.CodeOrdersUnavailable, api.StepConfirmOrder, []string{"create", "confirm"}, ""},
		{"cancel is unavailable", answers{confirm: refusal(409, common.CodeOrderCanceled), cancel: refusal(503, common.CodeUnavailable)},
			common.CodeOrdersUnavailable, api.StepConfirmOrder, []string{"create", "confirm", "cancel"}, ""},
		{"cancel has nothing to cancel", answers{confirm: refusal(404, common.CodeOrderNotFound), cancel: refusal(404, common.CodeOrderNotFound)},
			common.CodeOrderNotFound, api.StepConfirmOrder, []string{"create", "confirm", "cancel"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o := &ordersAPI{answers: test.orders}
			c, _ := serve(t, o, false, adminToken(t))
			r, err := c.CreateAndConfirmOrderWithResponse(t.Context(), nil, request("k"))
			if err != nil {
				t.Fatal(err)
			}
			wantFailure(t, r, test.code, test.step)
			if !slices.Equal(o.steps(), test.calls) {
				t.Errorf("orders-api was called for %q, want %q", o.steps(), test.calls)
			}
			if !strings.Contains(string(r.Body), test.has) {
				t.Errorf("got %s, want %s in it", r.Body, test.has)
			}
			if withdrawn := strings.Contains(string(r.Body), `"order":`); withdrawn != strings.Contains(test.has, `"order":`) {
				t.Errorf("got %s, with a withdrawn order: %t", r.Body, withdrawn)
			}
		})
	}
}

// wantFailure checks the problem document of a response, and that its field error agrees with it.
func wantFailure(t *testing.T, r *client.CreateAndConfirmOrderResponse, code common.ProblemCode, step api.Step) api.Failure {
	t.Helper()
	var f api.Failure
	if err := json.Unmarshal(r.Body, &f); err != nil {
		t.Fatalf("%v: %s", err, r.Body)
	}
	if f.Code != code || f.Error.Code != code || f.Error.Step != step || f.Error.Message != f.Detail || f.Success != api.False ||
		int(f.Status) != r.StatusCode() || f.CorrelationID == "" || r.HTTPResponse.Header.Get("X-Correlation-Id") != f.CorrelationID {
		t.Errorf("got %d %s, want %s at %s", r.StatusCode(), r.Body, code, step)
	}
	if wait := r.HTTPResponse.Header.Get("Retry-After"); (wait != "") != (r.StatusCode() == http.StatusServiceUnavailable || code == common.CodeRequestInProgress) {
		t.Errorf("%d %s has Retry-After %q", r.StatusCode(), code, wait)
	}
	return f
}

func TestAnonymousCallers(t *testing.T) {
	t.Parallel()
	o := &ordersAPI{}
	c, _ := serve(t, o, true, "")
	r, err := c.CreateAndConfirmOrderWithResponse(t.Context(), nil, request("k"))
	apitest.WantStatus(t, r, err, http.StatusCreated)
	for _, call := range o.calls() {
		if call.token != apitest.ServiceToken || call.caller != "anonymous" {
			t.Errorf("%s got the token %q and the caller %q, want the first service token and anonymous", call.step, call.token, call.caller)
		}
	}
	for _, test := range []struct {
		name      string
		anonymous bool
		token     string
	}{{"no token, but required", false, ""}, {"a bad token", true, "x"}} {
		t.Run(test.name, func(t *testing.T) {
			o := &ordersAPI{}
			c, _ := serve(t, o, test.anonymous, test.token)
			r, err := c.CreateAndConfirmOrderWithResponse(t.Context(), nil, request("k"))
			apitest.WantStatus(t, r, err, http.StatusUnauthorized)
			wantFailure(t, r, common.CodeUnauthorized, api.StepValidateInput)
			if len(o.calls()) != 0 {
				t.Errorf("orders-api was called for %q", o.steps())
			}
		})
	}
}

func TestCorrelationID(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, &ordersAPI{}, false, adminToken(t))
	send := func(params *api.CreateAndConfirmOrderParams, in api.OrderRequest) string {
		t.Helper()
		r, err := c.CreateAndConfirmOrderWithResponse(t.Context(), params, in)
		apitest.WantStatus(t, r, err, http.StatusCreated)
		if header := r.HTTPResponse.Header.Get("X-Correlation-Id"); header != r.JSON201.CorrelationID {
			t.Errorf("the header has %q, the body %q", header, r.JSON201.CorrelationID)
		}
		return r.JSON201.CorrelationID
	}
	header := &api.CreateAndConfirmOrderParams{XCorrelationID: new("from-the-header")}
	body := request("k")
	body.CorrelationID = new("from-the-body")
	if got := send(header, body); got != "from-the-body" {
		t.Errorf("header and body: got %s, want that of the body", got)
	}
	if got := send(header, request("k")); got != "from-the-header" {
		t.Errorf("header: got %s, want that of the header", got)
	}
	first := send(nil, request("k"))
	if again, other := send(nil, request("k")), send(nil, request("k-2")); again != first || other == first {
		t.Errorf("neither: got %s, then %s, and %s with another key", first, again, other)
	}
}

func TestInvalidInput(t *testing.T) {
	t.Parallel()
	o := &ordersAPI{}
	c, url := serve(t, o, false, adminToken(t))
	for _, test := range []struct{ body, correlation string }{
		{`{"customer_id":1,"items":[{"product_id":3,"qty":2}],"correlation_id":"erp-17"}`, "erp-17"}, // without a key
		{`{"customer_id":1,"items":[],"idempotency_key":"k","correlation_id":"erp-18"}`, "erp-18"},
	} {
		r, err := c.CreateAndConfirmOrderWithBodyWithResponse(t.Context(), nil, "application/json", strings.NewReader(test.body))
		apitest.WantStatus(t, r, err, http.StatusBadRequest)
		if f := wantFailure(t, r, common.CodeInvalidInput, api.StepValidateInput); f.CorrelationID != test.correlation {
			t.Errorf("got the correlation id %s, want %s", f.CorrelationID, test.correlation)
		}
	}
	if len(o.calls()) != 0 {
		t.Errorf("orders-api was called for %q", o.steps())
	}

	// The stage prefix leads to the same operation.
	dev, err := client.NewClientWithResponses(url+"/dev", client.WithRequestEditorFn(pedidos.Bearer(adminToken(t))))
	if err != nil {
		t.Fatal(err)
	}
	r, err := dev.CreateAndConfirmOrderWithResponse(t.Context(), nil, request("k"))
	apitest.WantStatus(t, r, err, http.StatusCreated)
}
