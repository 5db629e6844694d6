// Package lambda_test runs the binary of the Lambda function with a stub of the Lambda Runtime API and a stub of orders-api,
// and sends it events in the format of API Gateway.
package lambda_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/orchestrator"
)

const (
	program      = "github.com/pedidos-hq/pedidos/services/cmd/orchestrator-lambda"
	route        = "/orchestrator/create-and-confirm-order"
	serviceToken = "service-token-that-is-sent"
	patience     = 30 * time.Second // bounds waits that should take milliseconds
)

// callersToken is an access token that expires in 2100, with a signature that only orders-api would check.
var callersToken = strings.Join([]string{
	base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256"}`)),
	base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"caller","role":"admin","exp":4102444800}`)),
	base64.RawURLEncoding.EncodeToString([]byte("signature")),
}, ".")

func TestLambda(t *testing.T) {
	t.Parallel()
	binary := build(t)
	t.Run("Answers", func(t *testing.T) { t.Parallel(); testAnswers(t, binary) })
	t.Run("Repeat", func(t *testing.T) { t.Parallel(); testRepeat(t, binary) })
	t.Run("Faults", func(t *testing.T) { t.Parallel(); testFaults(t, binary) })
	t.Run("OtherEvents", func(t *testing.T) { t.Parallel(); testOtherEvents(t, binary) })
	t.Run("Traces", func(t *testing.T) { t.Parallel(); testTraces(t, binary) })
	t.Run("Start", func(t *testing.T) { t.Parallel(); testStart(t, binary) })
	t.Run("Template", func(t *testing.T) { t.Parallel(); testTemplate(t, binary) })
}

// BenchmarkColdStart measures the time from the start of a process to its first answer, with an orders-api that answers at once.
func BenchmarkColdStart(b *testing.B) {
	binary, orders := build(b), newOrders(b)
	var cpu time.Duration
	for b.Loop() {
		f := run(b, binary, "ORDERS_API_BASE="+orders.URL)
		f.invoke(b, post(route, order))
		b.StopTimer()
		f.kill()
		cpu += f.process.ProcessState.UserTime() + f.process.ProcessState.SystemTime()
		b.StartTimer()
	}
	b.ReportMetric(float64(cpu.Milliseconds())/float64(b.N), "cpu-ms/op")
}

// testAnswers sends each event to a new function.
func testAnswers(t *testing.T, binary string) {
	t.Helper()
	for _, c := range []struct {
		name    string
		environ []string
		event   event
		status  int
		check   func(*testing.T, answer)
		tokens  []string // the tokens that orders-api gets, one per call
	}{
		{
			name: "plain", event: post(route, order),
			status: 201, check: confirmed, tokens: []string{callersToken, callersToken},
		}, {
			name: "stage prefix", event: post("/dev"+route, order).with("requestContext.stage", "dev"),
			status: 201, check: confirmed, tokens: []string{callersToken, callersToken},
		}, {
			name:   "base64 body",
			event:  post(route, base64.StdEncoding.EncodeToString([]byte(order))).with("isBase64Encoded", true),
			status: 201, check: confirmed, tokens: []string{callersToken, callersToken},
		}, {
			name: "bad base64 body", event: post(route, "{not base64}").with("isBase64Encoded", true),
			status: 400, check: failure(400, common.CodeInvalidInput, orchestrator.StepValidateInput, "body"),
		}, {
			name: "bad JSON", event: post(route, "{"),
			status: 400, check: failure(400, common.CodeInvalidInput, orchestrator.StepValidateInput, "body"),
		}, {
			name: "empty body", event: post(route, "").without("body"),
			status: 400, check: failure(400, common.CodeInvalidInput, orchestrator.StepValidateInput, "body"),
		}, {
			name: "no token", event: post(route, order).without("headers.authorization"),
			status: 401, check: func(t *testing.T, a answer) {
				t.Helper()
				failure(401, common.CodeUnauthorized, orchestrator.StepValidateInput)(t, a)
				if got := a.header().Get("WWW-Authenticate"); !strings.HasPrefix(got, "Bearer ") {
					t.Errorf("WWW-Authenticate is %q", got)
				}
			},
		}, {
			name: "no token, anonymous callers allowed", event: post(route, order).without("headers.authorization"),
			environ: []string{"ALLOW_ANONYMOUS=true", "SERVICE_TOKEN=" + serviceToken + ",previous-service-token"},
			status:  201, check: confirmed, tokens: []string{serviceToken, serviceToken},
		}, {
			name: "token, anonymous callers allowed", event: post(route, order),
			environ: []string{"ALLOW_ANONYMOUS=true", "SERVICE_TOKEN=" + serviceToken},
			status:  201, check: confirmed, tokens: []string{callersToken, callersToken},
		}, {
			name: "health", event: get("/health"), status: 200, check: body(`{"status":"ok"}`),
		}, {
			name: "unknown query parameter", event: post(route, order).with("rawQueryString", "a=1"),
			status: 400, check: failure(400, common.CodeInvalidInput, orchestrator.StepValidateInput, "a"),
		}, {
			name: "compressed asset", event: get("/docs/swagger-ui.css").with("headers.accept-encoding", "gzip, deflate, br"),
			status: 200, check: func(t *testing.T, a answer) {
				t.Helper()
				if a.header().Get("Content-Encoding") != "gzip" || !a.IsBase64Encoded {
					t.Fatalf("the answer is not gzip in base64: %v", a.Headers)
				}
				css, err := gzip.NewReader(bytes.NewReader(a.bytes(t)))
				if err != nil {
					t.Fatal(err)
				}
				stylesheet(t, css)
			},
		}, {
			name: "plain asset", event: get("/docs/swagger-ui.css"), status: 200,
			check: func(t *testing.T, a answer) { t.Helper(); stylesheet(t, bytes.NewReader(a.bytes(t))) },
		}, {
			name: "picture", event: get("/docs/favicon-32x32.png"), status: 200,
			check: func(t *testing.T, a answer) {
				t.Helper()
				if got := http.DetectContentType(a.bytes(t)); got != "image/png" {
					t.Errorf("got %s, want image/png", got)
				}
			},
		}, {
			name: "unknown path", event: get("/nowhere"), status: 404, check: failure(404, common.CodeNotFound, orchestrator.StepValidateInput),
		}, {
			name: "stage prefix twice", event: post("/dev/dev"+route, order), status: 404, check: failure(404, common.CodeNotFound, orchestrator.StepValidateInput),
		}, {
			name: "wrong method", event: get(route), status: 405, check: failure(405, common.CodeMethodNotAllowed, orchestrator.StepValidateInput),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			orders := newOrders(t)
			got := start(t, binary, append(c.environ, "ORDERS_API_BASE="+orders.URL)...).invoke(t, c.event)
			if got.StatusCode != c.status {
				t.Fatalf("the status is %d, want %d: %s", got.StatusCode, c.status, got.Body)
			}
			c.check(t, got)
			var tokens []string
			for _, r := range orders.received() {
				tokens = append(tokens, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
			}
			if !slices.Equal(tokens, c.tokens) {
				t.Errorf("orders-api gets the tokens %q, want %q", tokens, c.tokens)
			}
		})
	}
}

// testRepeat checks that orders-api gets the same requests at every try, and keys that differ by step and by order.
func testRepeat(t *testing.T, binary string) {
	t.Helper()
	orders := newOrders(t)
	f := start(t, binary, "ORDERS_API_BASE="+orders.URL)
	first := f.invoke(t, post(route, order))
	again := f.invoke(t, post("/dev"+route, order))
	other := f.invoke(t, post(route, strings.Replace(order, "erp-1", "erp-2", 1)))
	for _, a := range []answer{first, again, other} {
		confirmed(t, a)
	}
	if got := [3]string{replayed(first), replayed(again), replayed(other)}; got != [3]string{"", "true", ""} {
		t.Errorf("Idempotency-Replayed is %q", got)
	}

	calls := orders.received()
	if len(calls) != 6 {
		t.Fatalf("orders-api got %d calls, want 6", len(calls))
	}
	for i, r := range calls {
		want := [2]string{"POST /orders", `{"customer_id":1,"items":[{"product_id":1,"qty":2}]}`}
		if i%2 == 1 {
			want = [2]string{"POST /orders/7/confirm", "{}"}
		}
		if got := [2]string{r.Method + " " + r.Path, r.Body}; got != want {
			t.Errorf("call %d is %q, want %q", i, got, want)
		}
		if got := r.Header.Get("X-Correlation-Id"); got != "erp-run-42" {
			t.Errorf("call %d has the correlation ID %q", i, got)
		}
	}
	keys := map[string]int{}
	for i, r := range calls {
		keys[r.key()]++
		if i >= 2 && i < 4 && r.key() != calls[i-2].key() {
			t.Errorf("the key of call %d differs from that of the first try", i)
		}
	}
	if len(keys) != 4 || keys[""] > 0 {
		t.Errorf("two orders with two steps each have the keys %v, want 4", keys)
	}
}

func replayed(a answer) string { return a.header().Get("Idempotency-Replayed") }

func testFaults(t *testing.T, binary string) {
	t.Helper()
	t.Run("orders-api down", func(t *testing.T) {
		t.Parallel()
		closed := httptest.NewServer(nil)
		closed.Close()
		got := start(t, binary, "ORDERS_API_BASE="+closed.URL).invoke(t, post(route, order))
		unavailable(t, got)
	})
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the server detects a disconnect only after the body is read
		<-r.Context().Done()
	}))
	t.Cleanup(hanging.Close)
	t.Run("orders-api hangs until the request times out", func(t *testing.T) {
		t.Parallel()
		f := start(t, binary, "ORDERS_API_BASE="+hanging.URL, "UPSTREAM_TIMEOUT=1m", "REQUEST_TIMEOUT=200ms")
		unavailable(t, f.invokeUntil(t, time.Now().Add(time.Hour), post(route, order).bytes(t)))
	})
	t.Run("orders-api hangs until the invocation times out", func(t *testing.T) {
		t.Parallel()
		f := start(t, binary, "ORDERS_API_BASE="+hanging.URL, "UPSTREAM_TIMEOUT=1m", "REQUEST_TIMEOUT=1m")
		deadline := time.Now().Add(1500 * time.Millisecond)
		unavailable(t, f.invokeUntil(t, deadline, post(route, order).bytes(t)))
		if late := time.Since(deadline); late > 0 {
			t.Errorf("the answer came %s after the deadline of the invocation", late)
		}
	})
}

func unavailable(t *testing.T, a answer) {
	t.Helper()
	failure(503, common.CodeOrdersUnavailable, orchestrator.StepCreateOrder)(t, a)
	if a.header().Get("Retry-After") == "" {
		t.Errorf("got the headers %v, want Retry-After", a.Headers)
	}
}

// testOtherEvents sends events of other sources. The function must refuse them and continue.
func testOtherEvents(t *testing.T, binary string) {
	t.Helper()
	f := start(t, binary, "ORDERS_API_BASE="+newOrders(t).URL)
	for name, payload := range map[string]string{
		"empty":          `{}`,
		"null":           `null`,
		"format 1.0":     `{"version":"1.0","path":"/health","httpMethod":"GET","headers":{"host":"api.example"},"requestContext":{"httpMethod":"GET","identity":{"sourceIp":"192.0.2.7"}},"body":null,"isBase64Encoded":false}`,
		"SQS":            `{"Records":[{"messageId":"1","body":"{}","eventSource":"aws:sqs"}]}`,
		"EventBridge":    `{"version":"0","id":"1","detail-type":"Scheduled Event","source":"aws.events","time":"2026-01-15T09:30:00Z","detail":{}}`,
		"no such method": `{"requestContext":{"http":{"method":"\u0000"}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			got := f.invokeUntil(t, time.Now().Add(patience), []byte(payload))
			failure(400, common.CodeInvalidInput, orchestrator.StepValidateInput, "event")(t, got)
		})
	}
	t.Run("not an object", func(t *testing.T) {
		got := f.send(t, time.Now().Add(patience), []byte(`[]`))
		if !got.failed || !strings.Contains(string(got.body), "errorMessage") {
			t.Errorf("got %s, want a failed invocation", got.body)
		}
	})
	body(`{"status":"ok"}`)(t, f.invoke(t, get("/health")))
}

// testTraces checks that the spans of a request are exported before it is answered, as Lambda may freeze the function after
// the answer.
func testTraces(t *testing.T, binary string) {
	t.Helper()
	var mu sync.Mutex
	var sent strings.Builder
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if _, err := io.Copy(&sent, r.Body); err != nil || r.URL.Path != "/v1/traces" {
			t.Errorf("%s: %v", r.URL, err)
		}
	}))
	t.Cleanup(collector.Close)
	f := run(t, binary, "ORDERS_API_BASE="+newOrders(t).URL, "OTEL_EXPORTER_OTLP_ENDPOINT="+collector.URL)
	for i := range 3 {
		if a := f.invoke(t, post(route, order)); a.StatusCode != http.StatusCreated {
			t.Fatalf("the answer is %+v", a)
		}
		mu.Lock()
		if got := strings.Count(sent.String(), "POST "+route); got != i+1 {
			t.Errorf("after answer %d, the spans of %d requests were exported", i+1, got)
		}
		mu.Unlock()
	}
}

// testStart starts the function with invalid configurations.
func testStart(t *testing.T, binary string) {
	t.Helper()
	for _, c := range []struct {
		name    string
		environ []string
		lines   []string // the prefix of each line
	}{
		{"no orders-api", nil, []string{"orchestrator-lambda: ORDERS_API_BASE is not set: "}},
		{
			"several faults", []string{"ORDERS_API_BASE=orders:3002", "ALLOW_ANONYMOUS=true", "SERVICE_TOKEN=short"},
			[]string{"orchestrator-lambda: SERVICE_TOKEN is too short: ", "orchestrator-lambda: ORDERS_API_BASE can't be used: "},
		}, {
			"unreadable", []string{"ORDERS_API_BASE=http://orders", "REQUEST_TIMEOUT=soon", "ALLOW_ANONYMOUS=perhaps"},
			[]string{`orchestrator-lambda: ALLOW_ANONYMOUS is "`, `orchestrator-lambda: REQUEST_TIMEOUT is "`},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := run(t, binary, c.environ...)
			select {
			case <-f.ended:
			case <-time.After(patience):
				t.Fatal("the function did not end")
			}
			if code := f.process.ProcessState.ExitCode(); code != 1 {
				t.Errorf("the function exits with %d", code)
			}
			lines := strings.Split(strings.TrimSuffix(f.stderr.String(), "\n"), "\n")
			if !slices.EqualFunc(lines, c.lines, strings.HasPrefix) {
				t.Errorf("the function printed %q, want %q", lines, c.lines)
			}
		})
	}
}

// build builds the binary as a deployment does, but for this machine.
func build(t testing.TB) string {
	t.Helper()
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("the Lambda's binary can't be built: go is not on PATH")
	}
	binary := filepath.Join(t.TempDir(), "bootstrap")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	args := []string{"build", "-tags=lambda.norpc,grpcnotrace", "-ldflags=-s -w", "-buildvcs=false", "-o", binary, program}
	if output, err := exec.CommandContext(ctx, tool, args...).CombinedOutput(); err != nil {
		t.Fatalf("build the Lambda: %v\n%s", err, output)
	}
	return binary
}

// function is a running Lambda function and the stub of its Runtime API.
type function struct {
	process *exec.Cmd
	stderr  bytes.Buffer // read it only after ended is closed
	ended   chan struct{}
	events  chan invocation
	results chan result
	sent    int
}

type invocation struct {
	id       int
	deadline time.Time
	payload  []byte
}

// result is the result of an invocation.
type result struct {
	id     string
	failed bool
	body   []byte
}

// start starts a function that must run until the test ends. Its log must be JSON and contain no secret.
func start(t testing.TB, binary string, environ ...string) *function {
	t.Helper()
	f := run(t, binary, environ...)
	t.Cleanup(func() {
		select {
		case <-f.ended:
			t.Errorf("the function has ended: %s", f.process.ProcessState)
		default:
		}
		f.kill()
		for line := range strings.Lines(f.stderr.String()) {
			if !json.Valid([]byte(line)) {
				t.Errorf("a log line is not JSON: %s", line)
			}
		}
		for _, secret := range []string{callersToken, serviceToken} {
			if strings.Contains(f.stderr.String(), secret) {
				t.Errorf("the log contains the secret %q", secret)
			}
		}
	})
	return f
}

// run starts a function with no environment but environ.
func run(t testing.TB, binary string, environ ...string) *function {
	t.Helper()
	f := &function{ended: make(chan struct{}), events: make(chan invocation), results: make(chan result, 1)}
	runtime := httptest.NewServer(f.runtime())
	t.Cleanup(runtime.Close)
	f.process = exec.Command(binary) //nolint:noctx // the cleanup below kills it, before the server is closed
	f.process.Env = append(environ, "AWS_LAMBDA_RUNTIME_API="+runtime.Listener.Addr().String())
	f.process.Stderr = &f.stderr
	if err := f.process.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(f.ended)
		_ = f.process.Wait() // ProcessState has the result
	}()
	t.Cleanup(f.kill)
	return f
}

func (f *function) kill() {
	_ = f.process.Process.Kill()
	<-f.ended
}

// runtime returns a stub of the Lambda Runtime API (2018-06-01).
func (f *function) runtime() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case next := <-f.events:
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", strconv.Itoa(next.id))
			w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(next.deadline.UnixMilli(), 10))
			w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:orchestrator")
			_, _ = w.Write(next.payload)
		}
	})
	report := func(failed bool) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			w.WriteHeader(http.StatusAccepted)
			select {
			case <-r.Context().Done():
			case f.results <- result{r.PathValue("id"), failed, body}:
			}
		}
	}
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", report(false))
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", report(true))
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", report(true))
	return mux
}

// invoke sends an event of API Gateway and returns the answer to API Gateway.
func (f *function) invoke(t testing.TB, e event) answer {
	t.Helper()
	return f.invokeUntil(t, time.Now().Add(patience), e.bytes(t))
}

func (f *function) invokeUntil(t testing.TB, deadline time.Time, payload []byte) answer {
	t.Helper()
	r := f.send(t, deadline, payload)
	if r.failed {
		t.Fatalf("the invocation failed: %s", r.body)
	}
	var a answer
	if err := json.Unmarshal(r.body, &a); err != nil {
		t.Fatalf("%v in %s", err, r.body)
	}
	return a
}

// send sends an invocation to the function and returns its result. A function handles one invocation at a time.
func (f *function) send(t testing.TB, deadline time.Time, payload []byte) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	f.sent++
	select {
	case f.events <- invocation{f.sent, deadline, payload}:
	case <-f.ended:
		t.Fatalf("the function has ended: %s\n%s", f.process.ProcessState, &f.stderr)
	case <-ctx.Done():
		t.Fatal("the function does not ask for an event")
	}
	select {
	case r := <-f.results:
		if r.id != strconv.Itoa(f.sent) {
			t.Fatalf("got the result of invocation %q, want %d: %s", r.id, f.sent, r.body)
		}
		return r
	case <-f.ended:
		t.Fatalf("the function has ended: %s\n%s", f.process.ProcessState, &f.stderr)
	case <-ctx.Done():
		t.Fatal("the function does not answer")
	}
	return result{}
}

// order is the request body for the order that the stub of newOrders returns.
const order = `{"customer_id":1,"items":[{"product_id":1,"qty":2}],"idempotency_key":"erp-1","correlation_id":"erp-run-42"}`

// event is an event of API Gateway, payload format 2.0.
type event map[string]any

func get(path string) event { return newEvent(http.MethodGet, path) }

func post(path, body string) event {
	return newEvent(http.MethodPost, path).
		with("headers.authorization", "Bearer "+callersToken).
		with("headers.content-type", "application/json").
		with("headers.content-length", strconv.Itoa(len(body))).
		with("body", body)
}

func newEvent(method, path string) event {
	return event{
		"version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "",
		"headers": event{
			"accept": "*/*", "host": "a1b2c3.execute-api.us-east-1.amazonaws.com", "user-agent": "test",
			"x-amzn-trace-id": "Root=1-65a4f3c8-0123456789abcdef01234567", "x-forwarded-for": "192.0.2.7",
			"x-forwarded-port": "443", "x-forwarded-proto": "https",
		},
		"requestContext": event{
			"accountId": "123456789012", "apiId": "a1b2c3", "domainName": "a1b2c3.execute-api.us-east-1.amazonaws.com",
			"domainPrefix": "a1b2c3", "requestId": "JKJaXmPLvHcESHA=", "routeKey": "$default", "stage": "$default",
			"http": event{"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.7", "userAgent": "test"},
			"time": "15/Jan/2026:09:30:00 +0000", "timeEpoch": 1768469400000,
		},
		"isBase64Encoded": false,
	}
}

// with returns a copy of the event with another value at a path such as headers.authorization.
func (e event) with(path string, value any) event {
	e = maps.Clone(e)
	if name, rest, ok := strings.Cut(path, "."); ok {
		e[name] = e[name].(event).with(rest, value)
		return e
	}
	e[path] = value
	return e
}

// without returns a copy of the event without the field at a path.
func (e event) without(path string) event {
	e = maps.Clone(e)
	if name, rest, ok := strings.Cut(path, "."); ok {
		e[name] = e[name].(event).without(rest)
		return e
	}
	delete(e, path)
	return e
}

func (e event) bytes(t testing.TB) []byte {
	t.Helper()
	payload, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

// answer is an answer to API Gateway, payload format 2.0.
type answer struct {
	StatusCode      int               `json:"statusCode"`
	Headers         map[string]string `json:"headers"`
	Body            string            `json:"body"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`
}

func (a answer) header() http.Header {
	h := http.Header{}
	for name, value := range a.Headers {
		h.Add(name, value)
	}
	return h
}

// bytes returns the body that API Gateway sends to the client.
func (a answer) bytes(t *testing.T) []byte {
	t.Helper()
	if !a.IsBase64Encoded {
		return []byte(a.Body)
	}
	decoded, err := base64.StdEncoding.DecodeString(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	return decoded
}

// body returns a check for a JSON body equal to want.
func body(want string) func(*testing.T, answer) {
	return func(t *testing.T, a answer) {
		t.Helper()
		var got, wanted any
		if err := errors.Join(json.Unmarshal(a.bytes(t), &got), json.Unmarshal([]byte(want), &wanted)); err != nil {
			t.Fatalf("%v in %s", err, a.Body)
		}
		if !reflect.DeepEqual(got, wanted) {
			t.Errorf("the body is %s, want %s", a.Body, want)
		}
		if kind := a.header().Get("Content-Type"); kind != "application/json" {
			t.Errorf("the body is of type %q", kind)
		}
	}
}

// confirmed checks the answer to order.
func confirmed(t *testing.T, a answer) {
	t.Helper()
	if a.StatusCode != 201 || a.header().Get("X-Correlation-Id") != "erp-run-42" {
		t.Errorf("answered %d with %v", a.StatusCode, a.Headers)
	}
	body(`{"success":true,"correlationId":"erp-run-42","data":{
		"customer":{"id":1,"name":"ACME Ferretería","email":"compras@acme.example","phone":null},
		"order":{"id":7,"customer_id":1,"status":"CONFIRMED","total_cents":259800,
			"items":[{"product_id":1,"sku":"DRILL-18V","name":"Cordless drill 18 V","qty":2,"unit_price_cents":129900,"subtotal_cents":259800}],
			"created_at":"2026-01-15T09:30:00.123456Z","confirmed_at":"2026-01-15T09:30:00.223456Z"}}}`)(t, a)
}

// failure returns a check for a failure of the orchestrator.
func failure(status int, code common.ProblemCode, step orchestrator.Step, fields ...string) func(*testing.T, answer) {
	return func(t *testing.T, a answer) {
		t.Helper()
		call.Response{Status: a.StatusCode, Header: a.header(), Body: a.bytes(t)}.WantFailure(t, status, code, step, fields...)
	}
}

func stylesheet(t *testing.T, r io.Reader) {
	t.Helper()
	css, err := io.ReadAll(r)
	if err != nil || !bytes.Contains(css, []byte(".swagger-ui")) {
		t.Errorf("got no stylesheet: %v, %d bytes", err, len(css))
	}
}

// orders is a stub of orders-api with a single order.
type orders struct {
	*httptest.Server
	mu    sync.Mutex
	calls []received
}

// received is a request that orders-api got.
type received struct {
	Method, Path, Body string
	Header             http.Header
}

func (c received) key() string { return c.Header.Get("Idempotency-Key") }

func newOrders(t testing.TB) *orders {
	t.Helper()
	o := &orders{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /orders", o.answer(http.StatusCreated, "CREATED", "null"))
	mux.HandleFunc("POST /orders/7/confirm", o.answer(http.StatusOK, "CONFIRMED", `"2026-01-15T09:30:00.223456Z"`))
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"status":"ok"}`)
	})
	o.Server = httptest.NewServer(mux)
	t.Cleanup(o.Close)
	return o
}

// answer returns a handler that records the request and answers with the order in the given state.
func (o *orders) answer(status int, state, confirmedAt string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		sent, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		got := received{r.Method, r.URL.Path, string(bytes.TrimSpace(sent)), r.Header.Clone()}
		o.mu.Lock()
		if slices.ContainsFunc(o.calls, func(c received) bool { return c.key() == got.key() }) {
			w.Header().Set("Idempotency-Replayed", "true")
		}
		o.calls = append(o.calls, got)
		o.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"id":7,"customer_id":1,
			"customer":{"name":"ACME Ferretería","email":"compras@acme.example","phone":null},
			"status":%q,"total_cents":259800,
			"items":[{"product_id":1,"sku":"DRILL-18V","name":"Cordless drill 18 V","qty":2,"unit_price_cents":129900,"subtotal_cents":259800}],
			"created_at":"2026-01-15T09:30:00.123456Z","confirmed_at":%s,"canceled_at":null,"cancel_reason":null}`, state, confirmedAt)
	}
}

func (o *orders) received() []received {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.calls)
}
