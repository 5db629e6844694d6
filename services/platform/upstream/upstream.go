// Package upstream makes the HTTP clients by which services call each other.
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

// BaseURL checks the base URL of a service and writes it in one way: no slash at its end, and none of the service's own
// resources there, since http://host/orders is a common way to write where orders-api is. A path prefix stays.
func BaseURL(raw string, resources ...string) (string, error) {
	shown := strconv.Quote(raw)
	if strings.Contains(raw, "@") { // there may be a password before it
		shown = "it"
	}
	u, err := url.Parse(strings.TrimSpace(raw))
	switch {
	case err != nil:
		return "", fmt.Errorf("%s is not a URL", shown)
	case u.Scheme != "http" && u.Scheme != "https":
		return "", fmt.Errorf("%s must start with http:// or https://", shown)
	case u.Hostname() == "":
		return "", fmt.Errorf("%s names no host", shown)
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "", fmt.Errorf("%s must be scheme, host, port and path alone", shown)
	case strings.Contains(u.Host, "%"): // as the zone of an IPv6 address, which could not be read again
		return "", fmt.Errorf("%s has a percent sign in its host", shown)
	}
	path := strings.TrimRight(u.EscapedPath(), "/")
	for slices.Contains(resources, path[strings.LastIndex(path, "/")+1:]) {
		path = strings.TrimRight(path[:strings.LastIndex(path, "/")], "/")
	}
	if strings.Contains(path, "//") || strings.Contains(path+"/", "/../") || strings.Contains(path+"/", "/./") {
		return "", fmt.Errorf("the path of %s has an empty or a dotted part", shown)
	}
	return u.Scheme + "://" + u.Host + path, nil
}

// Policy bounds the calls to one service.
type Policy struct {
	Name    string        // of the service, in the metrics
	Timeout time.Duration // of one try, until its headers are there
	Tries   int           // at most, of a call that may be repeated
	Metrics *metrics.Registry
	Tracing *telemetry.Tracing
}

// maxAnswer is the most bytes that are read of an answer. The largest order or page of the contracts is far below it.
const maxAnswer = 4 << 20

// NewClient returns a client that bounds each try, repeats calls that failed on the way or got 429 or 5xx after a
// growing pause with jitter (or the pause that Retry-After asks for), and stops calling for a while when most calls
// fail. Every call through it must be safe to repeat: a read, or a write under an idempotency key.
func NewClient(p Policy) *http.Client {
	retry := failsafehttp.NewRetryPolicyBuilder().
		AbortOnErrors(gobreaker.ErrOpenState, gobreaker.ErrTooManyRequests).
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
		Timeout:      2 * time.Second, // until a call is tried again
		MaxRequests:  2,               // successes that close it
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
	guarded := guarded{traced{p.Tracing.Client(transport(p.Timeout))}, breaker, answered, unanswered}
	return client(noted{failsafehttp.NewRoundTripper(guarded, retry), breaker})
}

// NewProbe returns a client for questions about readiness: it asks once, and neither consults nor feeds the circuit breaker of
// NewClient.
func NewProbe(p Policy) *http.Client { return client(traced{p.Tracing.Client(transport(p.Timeout))}) }

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

// breakerStates are the values of the metric.
var breakerStates = map[gobreaker.State]float64{
	gobreaker.StateClosed: 0, gobreaker.StateHalfOpen: 1, gobreaker.StateOpen: 2,
}

// noted writes the state of the breaker, as a call has found it, into the span that calls.
type noted struct {
	next    http.RoundTripper
	breaker *gobreaker.CircuitBreaker[*http.Response]
}

func (n noted) RoundTrip(r *http.Request) (*http.Response, error) {
	telemetry.Note(r.Context(), "breaker", n.breaker.State().String())
	return n.next.RoundTrip(r)
}

// guarded makes each try by leave of the circuit breaker, and counts the tries.
type guarded struct {
	next                 http.RoundTripper
	breaker              *gobreaker.CircuitBreaker[*http.Response]
	answered, unanswered metrics.Counter
}

var (
	// errAbandoned says that the request that asked for a call has ended, which tells nothing of the service that was called.
	errAbandoned = errors.New("the caller's request has ended")

	errUnanswered = errors.New("the service did not answer itself")
)

func (g guarded) RoundTrip(r *http.Request) (*http.Response, error) {
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
	if errors.Is(err, errUnanswered) { // the error was for the breaker
		return response, nil
	}
	return response, err
}

// discard frees the connection of an answer that another try replaces.
func discard(r *http.Response) {
	if r != nil {
		_, _ = io.CopyN(io.Discard, r.Body, 4<<10)
		_ = r.Body.Close()
	}
}

// unanswered reports whether a try got no answer of the service itself.
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

// traced adds the trace and the correlation id to each call, and bounds its answer.
type traced struct{ next http.RoundTripper }

func (t traced) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	telemetry.Send(r.Context(), r.Header)
	response, err := t.next.RoundTrip(r)
	if err == nil {
		response.Body = http.MaxBytesReader(nil, response.Body, maxAnswer)
	}
	return response, err
}
