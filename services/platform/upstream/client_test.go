package upstream_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sony/gobreaker/v2"
	"go.opentelemetry.io/otel/trace"

	"github.com/pedidos-hq/pedidos/services/platform/metrics"
	"github.com/pedidos-hq/pedidos/services/platform/telemetry"
	"github.com/pedidos-hq/pedidos/services/platform/upstream"
)

var policy = upstream.Policy{Timeout: 10 * time.Second, Tries: 3}

// service is a server that answers with a list of statuses in turn, and then always with the last one. It counts calls and
// connections.
type service struct {
	*httptest.Server
	calls       atomic.Int64
	connections atomic.Int64
}

func serve(t *testing.T, header http.Header, statuses ...int) *service {
	t.Helper()
	s := &service{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := int(s.calls.Add(1))
		for name := range header {
			w.Header().Set(name, header.Get(name))
		}
		w.WriteHeader(statuses[min(n, len(statuses))-1])
		_, _ = io.WriteString(w, "answer to ")
		_, _ = io.Copy(w, r.Body)
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.connections.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// post calls the service and returns the status and the body of the answer.
func post(t *testing.T, client *http.Client, url string) (status int, body string, err error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader("question"))
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	return response.StatusCode, string(raw), err
}

func TestRetries(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		statuses []int
		want     int
		calls    int64
	}{
		{"no retry after 200", []int{200}, 200, 1},
		{"503 until success", []int{503, 200}, 200, 2},
		{"500 and 502", []int{500, 502, 201}, 201, 3},
		{"no retry after 429", []int{429, 200}, 429, 1},
		{"no more than Tries", []int{503}, 503, 3},
		{"no retry after 409", []int{409, 200}, 409, 1},
		{"no retry after 400", []int{400, 200}, 400, 1},
		{"no retry after 401", []int{401, 200}, 401, 1},
		{"no retry after 404", []int{404, 200}, 404, 1},
		{"no retry after 422", []int{422, 200}, 422, 1},
		{"no retry after 501", []int{501, 200}, 501, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, nil, test.statuses...)
			status, body, err := post(t, upstream.NewClient(policy), s.URL)
			if err != nil || status != test.want || body != "answer to question" {
				t.Errorf("answer %d %q, %v, want %d with the complete bodies", status, body, err, test.want)
			}
			if n := s.calls.Load(); n != test.calls {
				t.Errorf("%d calls, want %d", n, test.calls)
			}
			if n := s.connections.Load(); n != 1 {
				t.Errorf("%d connections, want one, reused after each answer", n)
			}
		})
	}
}

func TestRetryWithoutResponse(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) == 1 {
			panic(http.ErrAbortHandler) // the connection breaks
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(s.Close)
	if status, _, err := post(t, upstream.NewClient(policy), s.URL); err != nil || status != http.StatusNoContent {
		t.Errorf("answer %d, %v, want 204", status, err)
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	done := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-done }))
	t.Cleanup(s.Close)
	t.Cleanup(func() { close(done) })
	client := upstream.NewClient(upstream.Policy{Timeout: 20 * time.Millisecond, Tries: 2})
	status, _, err := post(t, client, s.URL)
	if timeout := net.Error(nil); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("answer %d, %v, want a timeout", status, err)
	}
}

func TestBreakerOpens(t *testing.T) {
	t.Parallel()
	s := serve(t, nil, 503)
	client := upstream.NewClient(upstream.Policy{Timeout: 10 * time.Second, Tries: 1})
	for range 10 {
		if status, _, err := post(t, client, s.URL); err != nil || status != 503 {
			t.Fatalf("answer %d, %v, want the 503 of the service", status, err)
		}
	}
	for range 3 {
		if status, _, err := post(t, client, s.URL); !errors.Is(err, gobreaker.ErrOpenState) {
			t.Errorf("answer %d, %v, want the breaker's refusal", status, err)
		}
	}
	if n := s.calls.Load(); n != 10 {
		t.Errorf("%d calls, want 10 and none while the breaker is open", n)
	}
}

func TestBreakerStaysClosedOnAnswers(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 404, 409, 429, 500} {
		s := serve(t, nil, status)
		client := upstream.NewClient(upstream.Policy{Timeout: 10 * time.Second, Tries: 1})
		for range 30 {
			if got, _, err := post(t, client, s.URL); err != nil || got != status {
				t.Fatalf("answer %d, %v, want %d", got, err, status)
			}
		}
	}
}

// The breaker ignores calls whose context ends, whether it is closed or half open.
func TestBreakerIgnoresCanceledCalls(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{})
	var status atomic.Int64 // 0: wait until the client cancels
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		if code := int(status.Load()); code != 0 {
			w.WriteHeader(code)
			return
		}
		arrived <- struct{}{}
		<-r.Context().Done()
	}))
	t.Cleanup(s.Close)
	synctest.Test(t, func(t *testing.T) {
		m := metrics.New()
		client := upstream.NewClient(upstream.Policy{Name: "orders", Timeout: time.Minute, Tries: 1, Metrics: m})
		cancelCall := func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			ended := make(chan error)
			go func() {
				_, err := client.Do(r)
				ended <- err
			}()
			<-arrived
			cancel()
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Fatalf("the call ended with %v, want context.Canceled", err)
			}
		}
		answers := func(code int) {
			t.Helper()
			status.Store(int64(code))
			defer status.Store(0)
			if got, _, err := post(t, client, s.URL); err != nil || got != code {
				t.Fatalf("answer %d, %v, want %d", got, err, code)
			}
		}
		for range 40 {
			cancelCall()
		}
		answers(200)
		for range 9 {
			answers(503)
		}
		time.Sleep(3 * time.Second) // by the clock of the bubble; the open breaker becomes half open
		for range 5 {
			cancelCall()
		}
		answers(200)
		answers(200)
		answers(200)
	})
}

// A probe reaches a service for which the breaker of the client is open.
func TestProbe(t *testing.T) {
	t.Parallel()
	s := serve(t, nil, append(slices.Repeat([]int{503}, 10), 200)...)
	p := upstream.Policy{Timeout: 10 * time.Second, Tries: 1}
	client, probe := upstream.NewClient(p), upstream.NewProbe(p)
	for range 10 {
		if status, _, err := post(t, client, s.URL); err != nil || status != 503 {
			t.Fatalf("answer %d, %v, want 503", status, err)
		}
	}
	if _, _, err := post(t, client, s.URL); !errors.Is(err, gobreaker.ErrOpenState) {
		t.Fatalf("got %v, want the breaker's refusal", err)
	}
	if status, _, err := post(t, probe, s.URL); err != nil || status != 200 {
		t.Errorf("the probe got %d, %v, want 200", status, err)
	}
}

// A large body fails instead of taking up memory.
func TestBodyLimit(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		chunk := make([]byte, 1<<20)
		for range 300 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}))
	t.Cleanup(s.Close)
	_, body, err := post(t, upstream.NewClient(policy), s.URL)
	if err == nil || len(body) > 16<<20 {
		t.Errorf("got %d bytes, %v, want an error after 16 MiB", len(body), err)
	}
}

func TestClientRefusesRedirects(t *testing.T) {
	t.Parallel()
	elsewhere := serve(t, nil, 200)
	for _, status := range []int{301, 302, 303, 307, 308} {
		s := serve(t, http.Header{"Location": {elsewhere.URL}}, status)
		if got, _, err := post(t, upstream.NewClient(policy), s.URL); err == nil {
			t.Errorf("%d: answer %d, want an error", status, got)
		}
		if n := s.calls.Load(); n != 1 {
			t.Errorf("%d: %d calls, want 1", status, n)
		}
	}
	if n := elsewhere.calls.Load(); n != 0 {
		t.Errorf("%d redirects were followed", n)
	}
}

func TestClientSendsTraceAndCorrelation(t *testing.T) {
	t.Parallel()
	got := make(chan http.Header, 3)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got <- r.Header
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(s.Close)
	span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1, 2}, SpanID: trace.SpanID{3}, TraceFlags: trace.FlagsSampled})
	ctx := telemetry.WithCorrelationID(trace.ContextWithSpanContext(t.Context(), span), "order-7")
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := upstream.NewClient(policy).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	for range policy.Tries {
		header := <-got
		if want := "00-01020000000000000000000000000000-0300000000000000-01"; header.Get("traceparent") != want {
			t.Errorf("traceparent = %q, want %q", header.Get("traceparent"), want)
		}
		if id := header.Get("X-Correlation-Id"); id != "order-7" {
			t.Errorf("X-Correlation-Id = %q, want order-7", id)
		}
	}
	if len(r.Header) != 0 {
		t.Errorf("the caller's request was changed: %v", r.Header)
	}
}

// The test measures pauses by the clock of a synctest bubble. The server closes each connection, because the clock stops while a
// goroutine waits for the network.
func TestClientPauses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name        string
		retryAfter  string
		least, most time.Duration // sum of both pauses
	}{
		{"backoff with jitter", "", 75 * time.Millisecond, 225 * time.Millisecond},
		{"Retry-After", "7", 7 * time.Second, 21 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			header := http.Header{"Connection": {"close"}}
			if test.retryAfter != "" {
				header.Set("Retry-After", test.retryAfter)
			}
			s := serve(t, header, 503, 503, 200)
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				if status, _, err := post(t, upstream.NewClient(policy), s.URL); err != nil || status != 200 {
					t.Fatalf("answer %d, %v, want 200", status, err)
				}
				if pause := time.Since(start); pause < test.least || pause > test.most {
					t.Errorf("paused for %s, want %s to %s", pause, test.least, test.most)
				}
			})
		})
	}
}

func TestBreakerClosesAgain(t *testing.T) {
	t.Parallel()
	statuses := slices.Repeat([]int{503}, 10)
	s := serve(t, http.Header{"Connection": {"close"}}, append(statuses, 200)...)
	synctest.Test(t, func(t *testing.T) {
		client := upstream.NewClient(policy)
		for range len(statuses) / policy.Tries {
			if status, _, err := post(t, client, s.URL); err != nil || status != 503 {
				t.Fatalf("answer %d, %v, want 503", status, err)
			}
		}
		if status, _, err := post(t, client, s.URL); !errors.Is(err, gobreaker.ErrOpenState) { // the first attempt is the tenth, which opens the breaker
			t.Fatalf("answer %d, %v, want the breaker's refusal", status, err)
		}
		refused := time.Now()
		if status, _, err := post(t, client, s.URL); !errors.Is(err, gobreaker.ErrOpenState) || time.Since(refused) != 0 {
			t.Fatalf("answer %d, %v after %s, want the breaker's refusal at once", status, err, time.Since(refused))
		}
		time.Sleep(2 * time.Second) // by the clock of the bubble
		for range 5 {
			if status, _, err := post(t, client, s.URL); err != nil || status != 200 {
				t.Errorf("two seconds later: answer %d, %v, want 200", status, err)
			}
		}
	})
}
