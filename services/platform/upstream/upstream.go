// Package upstream provides the HTTP clients with which services call each other.
package upstream

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/failsafehttp"
	"github.com/sony/gobreaker/v2"

	"github.com/pedidos-hq/pedidos/services/platform/metrics"
	"github.com/pedidos-hq/pedidos/services/platform/telemetry"
)

// BaseURL validates and normalizes the base URL of a service. It removes slashes at the end, and also the names of resources, since
// http://host/orders is a common way to configure the address of orders-api. Other path prefixes remain. The error is a sentence of
// one line, without credentials.
func BaseURL(raw string, resources ...string) (string, error) {
	shown := strconv.Quote(raw)
	if strings.Contains(raw, "@") { // it may contain a password
		shown = "it"
	}
	u, err := url.Parse(strings.TrimSpace(raw))
	switch {
	case err != nil:
		return "", fmt.Errorf("%s is not a URL", shown)
	case u.Scheme != "http" && u.Scheme != "https":
		return "", fmt.Errorf("%s must start with http:// or https://", shown)
	case u.Hostname() == "":
		return "", fmt.Errorf("%s has no host", shown)
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "", fmt.Errorf("%s must consist of scheme, host, port and path", shown)
	case strings.Contains(u.Host, "%"): // such as an IPv6 zone, which would not parse again
		return "", fmt.Errorf("%s has a percent sign in its host", shown)
	}
	path := strings.TrimRight(u.EscapedPath(), "/")
	for slices.Contains(resources, path[strings.LastIndex(path, "/")+1:]) {
		path = strings.TrimRight(path[:strings.LastIndex(path, "/")], "/")
	}
	if strings.Contains(path, "//") || strings.Contains(path+"/", "/../") || strings.Contains(path+"/", "/./") {
		return "", fmt.Errorf("the path of %s has an empty or a dot segment", shown)
	}
	return u.Scheme + "://" + u.Host + path, nil
}

// Policy configures the calls to one service.
type Policy struct {
	Name    string             // of the service, in metrics
	Timeout time.Duration      // of each attempt, from the end of the request to the headers of the response
	Tries   int                // maximum number of attempts
	Metrics *metrics.Registry  // may be nil
	Tracing *telemetry.Tracing // may be nil
}

// maxBody limits the body of a response, in bytes. The largest page of the contracts, 100 orders of 100 lines with the longest names, has
// less than 15 MiB.
const maxBody = 16 << 20

// NewClient returns a client with retries and a circuit breaker. It retries if there is no response, or one with status 5xx except
// 501, after an exponential backoff with jitter or after Retry-After. It does not retry after 429, which the caller has to wait out. If at
// least half of the attempts of the last ten seconds, and of at least ten, get no response or a 502, 503 or 504, the breaker opens for two
// seconds, and calls fail at once. The client fails on redirects, and on bodies above 16 MiB. Requests must be safe to repeat: reads, or
// writes with an idempotency key.
func NewClient(p Policy) *http.Client {
	retry := failsafehttp.NewRetryPolicyBuilder().
		AbortOnErrors(gobreaker.ErrOpenState, gobreaker.ErrTooManyRequests).
		AbortIf(func(r *http.Response, _ error) bool { return r != nil && r.StatusCode == http.StatusTooManyRequests }).
		WithMaxAttempts(p.Tries).
		WithBackoff(50*time.Millisecond, time.Second).
		WithJitterFactor(0.5).
		OnRetryScheduled(func(e failsafe.ExecutionScheduledEvent[*http.Response]) { discard(e.LastResult()) }).
		ReturnLastFailure().
		Build()
	outcomes := p.Metrics.CounterVec("pedidos_upstream_tries_total", "Tries of calls to another service, by whether it answered.", "upstream", "outcome")
	answered, unanswered := outcomes.WithLabelValues(p.Name, "answered"), outcomes.WithLabelValues(p.Name, "unanswered")
	opened := p.Metrics.CounterVec("pedidos_upstream_breaker_opened_total", "How often the circuit breaker opened.", "upstream").WithLabelValues(p.Name)
	breaker := gobreaker.NewCircuitBreaker[*http.Response](gobreaker.Settings{
		Interval:     10 * time.Second,
		BucketPeriod: time.Second,
		Timeout:      2 * time.Second, // from open to half open
		MaxRequests:  2,               // concurrent calls while half open, and successes that close it
		ReadyToTrip: func(n gobreaker.Counts) bool {
			done := n.TotalSuccesses + n.TotalFailures
			return done >= 10 && 2*n.TotalFailures >= done
		},
		IsExcluded: func(err error) bool { return errors.Is(err, errAbandoned) },
		OnStateChange: func(_ string, _, to gobreaker.State) {
			if to == gobreaker.StateOpen {
				opened.Inc()
			}
		},
	})
	p.Metrics.GaugeFunc("pedidos_upstream_breaker_state", "State of the circuit breaker: 0 closed, 1 half open, 2 open.",
		metrics.Labels{"upstream": p.Name}, func() float64 { return breakerStates[breaker.State()] })
	guarded := breakerTransport{traceTransport{p.Tracing.Client(transport(p.Timeout))}, breaker, answered, unanswered}
	return client(noteTransport{failsafehttp.NewRoundTripper(guarded, retry), breaker})
}

// NewProbe returns a client for readiness checks. It makes one attempt, and has no circuit breaker.
func NewProbe(p Policy) *http.Client {
	return client(traceTransport{p.Tracing.Client(transport(p.Timeout))})
}

func client(t http.RoundTripper) *http.Client {
	return &http.Client{
		Transport: t,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return errors.New("a service must not redirect")
		},
	}
}

func transport(timeout time.Duration) *http.Transport {
	const connect = 2 * time.Second
	return &http.Transport{
		DialContext:           (&net.Dialer{Timeout: connect, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   connect,
		MaxIdleConnsPerHost:   64,
		IdleConnTimeout:       90 * time.Second,
		ResponseHeaderTimeout: timeout,
		ForceAttemptHTTP2:     true,
	}
}

// breakerStates holds the values of the metric pedidos_upstream_breaker_state.
var breakerStates = map[gobreaker.State]float64{
	gobreaker.StateClosed: 0, gobreaker.StateHalfOpen: 1, gobreaker.StateOpen: 2,
}

// noteTransport records the state of the breaker at the start of a call in the span of the caller.
type noteTransport struct {
	next    http.RoundTripper
	breaker *gobreaker.CircuitBreaker[*http.Response]
}

func (n noteTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	telemetry.Note(r.Context(), "breaker", n.breaker.State().String())
	return n.next.RoundTrip(r)
}

// breakerTransport makes each attempt through the circuit breaker, and counts attempts.
type breakerTransport struct {
	next                 http.RoundTripper
	breaker              *gobreaker.CircuitBreaker[*http.Response]
	answered, unanswered metrics.Counter
}

var (
	// errAbandoned reports that the context of a call has ended. The breaker ignores it, as it says nothing about the service.
	errAbandoned = errors.New("the caller's request has ended")

	// errUnanswered makes the breaker count a response that a proxy sends on behalf of the service, such as a 502.
	errUnanswered = errors.New("the service did not answer")
)

func (g breakerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := g.breaker.Execute(func() (*http.Response, error) {
		response, err := g.next.RoundTrip(r)
		if err != nil && r.Context().Err() != nil {
			return nil, fmt.Errorf("%w: %w", errAbandoned, err)
		}
		if !unanswered(response, err) {
			g.answered.Inc()
			return response, nil
		}
		g.unanswered.Inc()
		if err == nil {
			err = errUnanswered
		}
		return response, err
	})
	if errors.Is(err, errUnanswered) { // the error is only for the breaker
		return response, nil
	}
	return response, err
}

// discard drains and closes the body of a response before a retry, so that the connection is reused.
func discard(r *http.Response) {
	if r != nil {
		_, _ = io.CopyN(io.Discard, r.Body, 4<<10)
		_ = r.Body.Close()
	}
}

// unanswered reports whether an attempt got no response, or one that means that the service is not available.
func unanswered(r *http.Response, err error) bool {
	if err != nil {
		return true
	}
	switch r.StatusCode {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// traceTransport adds the trace and the correlation id to requests, and limits the size of response bodies.
type traceTransport struct{ next http.RoundTripper }

func (t traceTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	telemetry.Send(r.Context(), r.Header)
	response, err := t.next.RoundTrip(r)
	if err == nil {
		response.Body = http.MaxBytesReader(nil, response.Body, maxBody)
	}
	return response, err
}
