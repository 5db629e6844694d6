//go:build go1.25

package pedidos_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	pedidos "github.com/pedidos-hq/pedidos/sdk/go"
)

// server answers requests without a network, so that time is that of the test.
type server func(r *http.Request) (*http.Response, error)

func (s server) RoundTrip(r *http.Request) (*http.Response, error) { return s(r) }

// answer returns a response with headers that alternate names and values.
func answer(status int, body string, headers ...string) *http.Response {
	r := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
	for pair := range slices.Chunk(headers, 2) {
		r.Header.Set(pair[0], pair[1])
	}
	return r
}

func newClient(t *testing.T, s server, c pedidos.Config) *pedidos.Client {
	t.Helper()
	c.URL, c.HTTPClient = "http://pedidos.example/api/", &http.Client{Transport: s}
	client, err := pedidos.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// failure returns the error of a call.
func failure(t *testing.T, err error) *pedidos.Error {
	t.Helper()
	var e *pedidos.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an *Error", err)
	}
	return e
}

const problem = `{"code":%q,"detail":"Something.","status":%d,"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"}`

// TestRetries sends an order that gets some answers before the last, and checks the number of requests, the time and the keys.
func TestRetries(t *testing.T) {
	t.Parallel()
	lost := func() (*http.Response, error) { return nil, io.ErrUnexpectedEOF }
	torn := func() (*http.Response, error) {
		r := answer(201, "")
		r.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"id":`), brokenReader{}))
		return r, nil
	}
	status := func(status int, code string, headers ...string) func() (*http.Response, error) {
		return func() (*http.Response, error) {
			return answer(status, fmt.Sprintf(problem, code, status), headers...), nil
		}
	}
	type answers = []func() (*http.Response, error)
	for _, test := range []struct {
		name        string
		answers     answers // before a 201
		requests    int
		code        pedidos.ProblemCode // of the error, or ""
		least, most time.Duration
	}{
		{"no fault", nil, 1, "", 0, 0},
		{"lost", slices.Repeat(answers{lost}, 3), 4, "", 525 * time.Millisecond, 788 * time.Millisecond},
		{"cut off", answers{torn}, 2, "", 75 * time.Millisecond, 113 * time.Millisecond},
		{"429", answers{status(429, "too_many_requests", "Retry-After", "7")}, 2, "", 7 * time.Second, 10500 * time.Millisecond},
		{"503", answers{status(503, "unavailable", "Retry-After", "1")}, 2, "", time.Second, 1500 * time.Millisecond},
		{"502 and 504", answers{status(502, ""), status(504, "")}, 3, "", 225 * time.Millisecond, 338 * time.Millisecond},
		{"in progress", answers{status(409, "request_in_progress", "Retry-After", "1")}, 2, "", time.Second, 1500 * time.Millisecond},
		{"a long wait", answers{status(429, "too_many_requests", "Retry-After", "31")}, 1, "too_many_requests", 0, 0},
		{"conflict", answers{status(409, "insufficient_stock")}, 1, "insufficient_stock", 0, 0},
		{"forbidden", answers{status(403, "forbidden")}, 1, "forbidden", 0, 0},
		{"unauthorized", answers{status(401, "unauthorized")}, 1, "unauthorized", 0, 0},
		{"internal", answers{status(500, "internal")}, 1, "internal", 0, 0},
		{"down", slices.Repeat(answers{status(503, "unavailable", "Retry-After", "1")}, 20), 8, "unavailable", 7 * time.Second, 25 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var keys, bodies []string
				client := newClient(t, func(r *http.Request) (*http.Response, error) {
					body, err := io.ReadAll(r.Body)
					if err != nil {
						return nil, err
					}
					keys, bodies = append(keys, r.Header.Get("Idempotency-Key")), append(bodies, string(body))
					if n := len(keys); n <= len(test.answers) {
						return test.answers[n-1]()
					}
					return answer(201, `{"id":7,"confirmed_at":null}`, "ETag", `"3"`), nil
				}, pedidos.Config{APIKey: "ped_1_x"})
				start := time.Now()
				lines := []pedidos.OrderLineInput{{ProductID: 2, Qty: 3}}
				order, err := client.Orders.Create(t.Context(), pedidos.OrderInput{CustomerID: 1, Items: lines})
				if took := time.Since(start); took < test.least || took > test.most {
					t.Errorf("it took %v, want %v to %v", took, test.least, test.most)
				}
				if len(keys) != test.requests {
					t.Errorf("got %d requests, want %d", len(keys), test.requests)
				}
				if keys[0] == "" || len(slices.Compact(keys)) != 1 {
					t.Errorf("got the keys %q, want one", keys)
				}
				if len(slices.Compact(bodies)) != 1 || bodies[0] != `{"customer_id":1,"items":[{"product_id":2,"qty":3}]}` {
					t.Errorf("got the bodies %q", bodies)
				}
				switch {
				case test.code == "" && (err != nil || order.ID != 7 || order.ETag != `"3"` || !order.ConfirmedAt.IsZero()):
					t.Errorf("got %+v, %v", order, err)
				case test.code != "":
					if e := failure(t, err); e.Code != test.code || e.Attempts != test.requests || e.Key != keys[0] || e.TraceID == "" {
						t.Errorf("got %+v, want the code %s", e, test.code)
					}
				}
			})
		})
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestJitter checks that clients that fail together do not come back together.
func TestJitter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		moments := map[time.Duration]bool{}
		for range 20 {
			var start time.Time
			client := newClient(t, func(*http.Request) (*http.Response, error) {
				if start.IsZero() {
					start = time.Now()
					return answer(503, "", "Retry-After", "1"), nil
				}
				moments[time.Since(start)] = true
				return answer(200, "{}"), nil
			}, pedidos.Config{})
			if _, err := client.Account.Me(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if len(moments) < 10 {
			t.Errorf("20 clients came back at %d moments", len(moments))
		}
	})
}

// TestContext ends a call between its attempts.
func TestContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := newClient(t, func(*http.Request) (*http.Response, error) {
			return answer(503, fmt.Sprintf(problem, "unavailable", 503), "Retry-After", "20"), nil
		}, pedidos.Config{})
		ctx, stop := context.WithTimeout(t.Context(), 5*time.Second)
		defer stop()
		start := time.Now()
		_, err := client.Customers.Get(ctx, 1)
		took := time.Since(start)
		if e := failure(t, err); took != 5*time.Second || e.Code != pedidos.CodeUnavailable || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after %v, got %v", took, err)
		}
	})
}

// TestNotRepeated loses the answer of changes that have no key.
func TestNotRepeated(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*pedidos.Client) error{
		"password": func(c *pedidos.Client) error {
			return c.Account.ChangePassword(t.Context(), pedidos.PasswordChange{Current: "a", New: "b"})
		},
		"setup": func(c *pedidos.Client) error {
			return c.Account.SetPassword(t.Context(), pedidos.Setup{Token: "a", Password: "b"})
		},
		"session": func(c *pedidos.Client) error { return c.Account.EndSession(t.Context(), 1) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requests := 0
			client := newClient(t, func(r *http.Request) (*http.Response, error) {
				requests++
				if open := name == "setup"; (r.Header.Get("Authorization") == "") != open || r.Header.Get("Idempotency-Key") != "" {
					t.Errorf("got the headers %v", r.Header)
				}
				return nil, io.ErrUnexpectedEOF
			}, pedidos.Config{APIKey: "ped_1_x"})
			if e := failure(t, change(client)); requests != 1 || e.Status != 0 || !errors.Is(e, io.ErrUnexpectedEOF) {
				t.Errorf("got %v after %d requests", e, requests)
			}
		})
	}
}

// door is a server with logins. Each token is valid for an hour, unless refused.
type door struct {
	mu              sync.Mutex
	logins, refused int
	down            bool
}

func (d *door) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path == "/api/auth/login" {
		select {
		case <-time.After(time.Second):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		d.logins++
		if d.down {
			return answer(401, fmt.Sprintf(problem, "invalid_credentials", 401)), nil
		}
		return answer(200, fmt.Sprintf(`{"access_token":"token-%d","token_type":"Bearer","expires_in":3600}`, d.logins)), nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if r.Header.Get("Authorization") != fmt.Sprintf("Bearer token-%d", d.logins) || d.refused == d.logins {
		return answer(401, fmt.Sprintf(problem, "unauthorized", 401)), nil
	}
	return answer(200, `{"name":"Ana"}`), nil
}

// TestTokens lets many callers share the tokens of one client.
func TestTokens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &door{}
		client := newClient(t, d.RoundTrip, pedidos.Config{Username: "ana", Password: "secret"})
		all := func() {
			t.Helper()
			var calls sync.WaitGroup
			for range 50 {
				calls.Go(func() {
					if me, err := client.Account.Me(t.Context()); err != nil || me.Name != "Ana" {
						t.Errorf("got %v, %v", me, err)
					}
				})
			}
			calls.Wait()
		}
		want := func(when string, logins int) {
			t.Helper()
			if all(); d.logins != logins {
				t.Errorf("%s: got %d logins, want %d", when, d.logins, logins)
			}
		}
		want("at first", 1)
		time.Sleep(50 * time.Minute)
		want("while the token is valid", 1)
		time.Sleep(5 * time.Minute)
		want("before it expires", 2)
		d.refused = 2
		want("refused", 3)
	})
}

// TestLoginOfAnother cancels the caller who logs in while another waits for the token.
func TestLoginOfAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &door{}
		client := newClient(t, d.RoundTrip, pedidos.Config{Username: "ana", Password: "secret"})
		ctx, stop := context.WithCancel(t.Context())
		var first, second error
		var calls sync.WaitGroup
		calls.Go(func() { _, first = client.Account.Me(ctx) })
		synctest.Wait()
		calls.Go(func() { _, second = client.Account.Me(t.Context()) })
		synctest.Wait()
		stop()
		calls.Wait()
		if !errors.Is(failure(t, first), context.Canceled) || second != nil {
			t.Errorf("got %v and %v", first, second)
		}
	})
}

// TestWrongPassword returns the error of the login, which is sent once.
func TestWrongPassword(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &door{down: true}
		client := newClient(t, d.RoundTrip, pedidos.Config{Username: "ana", Password: "wrong"})
		_, err := client.Account.Me(t.Context())
		if e := failure(t, err); d.logins != 1 || e.Code != pedidos.CodeInvalidCredentials || e.Operation != "POST /auth/login" {
			t.Errorf("got %v after %d logins", err, d.logins)
		}
	})
}

// TestNoCredentials gets an error that says what is missing, but not for an operation that takes no credentials.
func TestNoCredentials(t *testing.T) {
	t.Parallel()
	client := newClient(t, func(r *http.Request) (*http.Response, error) {
		if got, sent := r.Header["Authorization"]; sent {
			t.Errorf("sent the Authorization %q", got)
		}
		return answer(401, fmt.Sprintf(problem, "unauthorized", 401)), nil
	}, pedidos.Config{APIKey: ""})
	_, err := client.Orders.Get(t.Context(), 1)
	const want = "No credentials were sent: set APIKey, or Username and Password."
	if e := failure(t, err); e.Detail != want || !strings.Contains(e.Error(), want) {
		t.Errorf("got %v, want %s", e, want)
	}
	if e := failure(t, client.Account.SetPassword(t.Context(), pedidos.Setup{})); e.Detail != "Something." {
		t.Errorf("got %v, want the detail of the response", e)
	}
}

// TestLists follows the cursor, with the filter, until the caller stops.
func TestLists(t *testing.T) {
	t.Parallel()
	var queries []string
	client := newClient(t, func(r *http.Request) (*http.Response, error) {
		queries = append(queries, r.URL.RawQuery)
		if r.URL.Query().Get("cursor") == "" {
			return answer(200, `{"data":[{"id":1},{"id":2}],"next_cursor":"two"}`), nil
		}
		return answer(200, `{"data":[{"id":3}],"next_cursor":null}`), nil
	}, pedidos.Config{})
	ids := func(most int) (ids []pedidos.ProductID) {
		filter := pedidos.ProductFilter{
			IDs: []pedidos.ProductID{1, 2, 3}, SKUs: []string{"A B", "C"}, LowStock: true, Archived: pedidos.ArchivedInclude,
		}
		for product, err := range client.Products.List(t.Context(), filter) {
			if err != nil {
				t.Fatal(err)
			}
			if ids = append(ids, product.ID); len(ids) == most {
				break
			}
		}
		return ids
	}
	const first = "archived=include&ids=1%2C2%2C3&limit=100&low_stock=true&sku=A+B%2CC"
	both := []string{first, "archived=include&cursor=two&" + first[17:]}
	if got := ids(0); !slices.Equal(got, []pedidos.ProductID{1, 2, 3}) || !slices.Equal(queries, both) {
		t.Errorf("got %v with %q", got, queries)
	}
	queries = nil
	if got := ids(1); !slices.Equal(got, []pedidos.ProductID{1}) || len(queries) != 1 {
		t.Errorf("got %v with %q", got, queries)
	}
}

// TestListEndsWithItsError fails the second page.
func TestListEndsWithItsError(t *testing.T) {
	t.Parallel()
	client := newClient(t, func(r *http.Request) (*http.Response, error) {
		if r.URL.Query().Get("cursor") == "" {
			return answer(200, `{"data":[{"id":1}],"next_cursor":"two"}`), nil
		}
		return answer(400, fmt.Sprintf(problem, "invalid_input", 400)), nil
	}, pedidos.Config{})
	var got []string
	for order, err := range client.Orders.List(t.Context(), pedidos.OrderFilter{}) {
		got = append(got, fmt.Sprint(order.ID, " ", err))
	}
	if len(got) != 2 || got[0] != "1 <nil>" || !strings.HasPrefix(got[1], "0 pedidos: GET /orders: 400 invalid_input") {
		t.Errorf("got %q", got)
	}
}

func TestErrorOfTheOrchestrator(t *testing.T) {
	t.Parallel()
	var sent string
	client := newClient(t, func(r *http.Request) (*http.Response, error) {
		text, err := io.ReadAll(r.Body)
		sent = string(text)
		return answer(409, `{"code":"insufficient_stock","detail":"Too few units.","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736",
			"correlationId":"run-1","shortages":[{"product_id":7,"requested":5,"available":2}],
			"errors":[{"field":"items[0].qty","message":"too many"}],
			"success":false,"error":{"step":"create_order"},"order":{"id":9,"status":"CANCELED"}}`), err
	}, pedidos.Config{})
	_, err := client.Orders.CreateAndConfirm(t.Context(), pedidos.OrderInput{CustomerID: 1}, pedidos.WithKey("erp-1"))
	e := failure(t, err)
	if e.Step != pedidos.StepCreateOrder || e.CorrelationID != "run-1" || e.Withdrawn.ID != 9 || e.Withdrawn.Status != pedidos.StatusCanceled {
		t.Errorf("got %+v", e)
	}
	const want = "pedidos: POST /orchestrator/create-and-confirm-order: 409 insufficient_stock: Too few units.; items[0].qty: too many; " +
		"product 7: 5 requested, 2 available (trace 4bf92f3577b34da6a3ce929d0e0e4736)"
	if e.Error() != want {
		t.Errorf("got %s\nwant %s", e, want)
	}
	if sent != `{"customer_id":1,"items":null,"idempotency_key":"erp-1"}` {
		t.Errorf("sent %s", sent)
	}
}

// TestStrangeAnswers gets answers of something else than Pedidos.
func TestStrangeAnswers(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]string{
		200: "pedidos: GET /orders/1: 200: invalid character '<' looking for beginning of value",
		303: "pedidos: GET /orders/1: 303",
		404: "pedidos: GET /orders/1: 404",
	} {
		client := newClient(t, func(*http.Request) (*http.Response, error) { return answer(status, "<html>"), nil }, pedidos.Config{})
		if _, err := client.Orders.Get(t.Context(), 1); failure(t, err).Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// spaces is a text without an end. It counts what is read.
type spaces int

func (s *spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	*s += spaces(len(p))
	return len(p), nil
}

// TestUnreadableSuccess gets responses that say that an order is placed, but not which. The error has their status and the key, and there
// is no second request.
func TestUnreadableSuccess(t *testing.T) {
	t.Parallel()
	endless := new(spaces)
	for name, test := range map[string]struct {
		body io.Reader
		want string
	}{
		"not JSON":        {strings.NewReader("<html>"), "invalid character"},
		"another type":    {strings.NewReader(`{"id":"seven"}`), "cannot unmarshal string"},
		"not whole":       {strings.NewReader(`{"id":`), "unexpected end"},
		"empty":           {strings.NewReader(""), "the response is empty"},
		"without an end":  {endless, "the response is larger than 16 MiB"},
		"above the bound": {strings.NewReader(`{"id":7}` + strings.Repeat(" ", 16<<20)), "the response is larger than 16 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requests := 0
			client := newClient(t, func(*http.Request) (*http.Response, error) {
				requests++
				r := answer(201, "")
				r.Body = io.NopCloser(test.body)
				return r, nil
			}, pedidos.Config{})
			order, err := client.Orders.Create(t.Context(), pedidos.OrderInput{CustomerID: 1}, pedidos.WithKey("erp-1"))
			e := failure(t, err)
			if e.Status != 201 || e.Key != "erp-1" || e.Attempts != 1 || requests != 1 || !strings.Contains(e.Error(), "POST /orders: 201: ") ||
				!strings.Contains(e.Error(), test.want) || order.ID != 0 {
				t.Errorf("got %+v, %v after %d requests, want %q", order, e, requests, test.want)
			}
		})
	}
	t.Cleanup(func() {
		if *endless > 17<<20 {
			t.Errorf("read %d bytes", *endless)
		}
	})
}

// TestLargestResponse reads a response at the bound, and an error above it.
func TestLargestResponse(t *testing.T) {
	t.Parallel()
	status, length := 200, 16<<20
	client := newClient(t, func(*http.Request) (*http.Response, error) {
		const order = `{"id":7}`
		return answer(status, order+strings.Repeat(" ", length-len(order))), nil
	}, pedidos.Config{})
	if order, err := client.Orders.Get(t.Context(), 7); err != nil || order.ID != 7 {
		t.Errorf("got %+v, %v", order, err)
	}
	status, length = 404, 17<<20
	_, err := client.Orders.Get(t.Context(), 7)
	if e := failure(t, err); e.Status != 404 || e.Code != "" {
		t.Errorf("got %v", e)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for key, valid := range map[string]bool{
		"a": true, strings.Repeat("~", 255): true, `"quoted"`: true,
		"": false, strings.Repeat("~", 256): false, "a b": false, "ñ": false, "a\n": false,
	} {
		client := newClient(t, func(r *http.Request) (*http.Response, error) {
			if got := r.Header; got.Get("Idempotency-Key") != key || got.Get("If-Match") != `"2"` || got.Get("X-Correlation-Id") != "run-1" {
				t.Errorf("got the headers %v", got)
			}
			return answer(200, "{}"), nil
		}, pedidos.Config{})
		_, err := client.Orders.Confirm(t.Context(), 1, pedidos.WithKey(key), pedidos.WithETag(`"2"`), pedidos.WithCorrelationID("run-1"))
		if (err == nil) != valid {
			t.Errorf("%q: got %v", key, err)
		}
		if err != nil && (failure(t, err).Status != 0 || !strings.Contains(err.Error(), "idempotency key")) {
			t.Errorf("%q: got %v", key, err)
		}
	}
}

func TestUpdateSendsWhatWasRead(t *testing.T) {
	t.Parallel()
	var sent atomic.Value
	client := newClient(t, func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodGet {
			return answer(200, `{"id":7,"stock":3}`, "ETag", `"41"`), nil
		}
		body, err := io.ReadAll(r.Body)
		sent.Store(r.Header.Get("If-Match") + " " + string(body))
		return answer(200, `{"id":7}`, "ETag", `"42"`), err
	}, pedidos.Config{})
	product, err := client.Products.Get(t.Context(), 7)
	if err != nil {
		t.Fatal(err)
	}
	change := pedidos.ProductChange{Name: "Saw", Stock: pedidos.Set[int64](0), Archived: pedidos.Set(false)}
	product, err = client.Products.Update(t.Context(), product, change)
	if err != nil || product.ETag != `"42"` || sent.Load() != `"41" {"archived":false,"name":"Saw","stock":0}` {
		t.Errorf("got %+v, %v after %s", product, err, sent.Load())
	}
	_, err = client.Products.Update(t.Context(), pedidos.Product{ID: 7}, pedidos.ProductChange{StockDelta: -1})
	if err != nil || sent.Load() != ` {"stock_delta":-1}` {
		t.Errorf("got %v after %s", err, sent.Load())
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	const url = "https://pedidos.example"
	for _, test := range []struct {
		config pedidos.Config
		want   string // part of the error, or ""
	}{
		{pedidos.Config{URL: url + "/dev/"}, ""},
		{pedidos.Config{CustomersURL: url, OrdersURL: "http://[::1]:3002", OrchestratorURL: url}, ""},
		{pedidos.Config{}, "the address of the customers service"},
		{pedidos.Config{URL: url, OrdersURL: "pedidos.example"}, "the address of the orders service"},
		{pedidos.Config{URL: url, OrchestratorURL: "ftp://pedidos.example"}, "the address of the orchestrator service"},
		{pedidos.Config{URL: url + "?a=b"}, "the address of the customers service"},
		{pedidos.Config{URL: url, APIKey: "ped_1_x", Username: "ana", Password: "secret"}, "both an APIKey"},
		{pedidos.Config{URL: url, Username: "ana"}, "a Username without a Password"},
		{pedidos.Config{URL: url, MaxAttempts: -1}, "MaxAttempts and MaxWait"},
	} {
		_, err := pedidos.New(test.config)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("got %v, want %q", err, test.want)
		}
	}
}

func TestOptional(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]pedidos.CustomerChange{
		`{}`:              {},
		`{"name":"ACME"}`: {Name: "ACME"},
		`{"phone":null}`:  {Phone: pedidos.Null[string]()},
		`{"phone":""}`:    {Phone: pedidos.Set("")},
	} {
		text, err := json.Marshal(change)
		if err != nil || string(text) != want {
			t.Errorf("got %s, %v, want %s", text, err, want)
		}
		var read pedidos.CustomerChange
		if err := json.Unmarshal(text, &read); err != nil || read != change {
			t.Errorf("got %+v, %v of %s", read, err, text)
		}
	}
	if value, ok := pedidos.Set[int64](0).Get(); value != 0 || !ok {
		t.Error(value, ok)
	}
	if _, ok := pedidos.Null[int64]().Get(); ok {
		t.Error("null is a value")
	}
}

// TestNoDependencies checks that a program gets nothing but the SDK and the standard library.
func TestNoDependencies(t *testing.T) {
	t.Parallel()
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Fields(string(out)); !slices.Equal(got, []string{"github.com/pedidos-hq/pedidos/sdk/go"}) {
		t.Errorf("got %q", got)
	}
}
