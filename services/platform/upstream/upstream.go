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
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/failsafehttp"

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

// NewClient returns a client that bounds each try, repeats calls that failed on the way or got 429 or 5xx after a
// growing pause with jitter (or the pause that Retry-After asks for), and stops calling for a while when most calls
// fail. Every call through it must be safe to repeat: a read, or a write under an idempotency key.
func NewClient(p Policy) *http.Client {
	retry := failsafehttp.NewRetryPolicyBuilder().
		AbortOnErrors(circuitbreaker.ErrOpen).
		WithMaxAttempts(p.Tries).
		WithBackoff(50*time.Millisecond, time.Second).
		WithJitterFactor(0.5).
		OnRetryScheduled(func(e failsafe.ExecutionScheduledEvent[*http.Response]) { discard(e.LastResult()) }).
		ReturnLastFailure().
		Build()
	tries := map[bool]interface{ Inc() }{ // by whether they got no answer
		false: p.Metrics.Counter("pedidos_upstream_tries_total", "upstream", p.Name, "outcome", "answered"),
		true:  p.Metrics.Counter("pedidos_upstream_tries_total", "upstream", p.Name, "outcome", "unanswered"),
	}
	opened := p.Metrics.Counter("pedidos_upstream_breaker_opened_total", "upstream", p.Name)
	breaker := circuitbreaker.NewBuilder[*http.Response]().
		HandleIf(unanswered).
		WithFailureRateThreshold(0.5, 10, 10*time.Second).
		WithDelay(2 * time.Second).
		WithSuccessThreshold(2).
		OnOpen(func(circuitbreaker.StateChangedEvent) { opened.Inc() }).
		Build()
	p.Metrics.Gauge("pedidos_upstream_breaker_state", func() float64 { return breakerStates[breaker.State()] }, "upstream", p.Name)
	transport := &http.Transport{
		DialContext:           (&net.Dialer{Timeout: 2 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		MaxIdleConnsPerHost:   64,
		IdleConnTimeout:       90 * time.Second,
		ResponseHeaderTimeout: p.Timeout,
		ForceAttemptHTTP2:     true,
	}
	return &http.Client{
		Transport: noted{
			failsafehttp.NewRoundTripper(counted{traced{p.Tracing.Client(transport)}, tries}, failsafe.Policy[*http.Response](retry), breaker),
			breaker,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return errors.New("a service must not redirect")
		},
	}
}

// breakerStates are the values of the metric.
var breakerStates = map[circuitbreaker.State]float64{
	circuitbreaker.ClosedState: 0, circuitbreaker.HalfOpenState: 1, circuitbreaker.OpenState: 2,
}

// noted writes the state of the breaker, as a call has found it, into the span that calls.
type noted struct {
	next    http.RoundTripper
	breaker circuitbreaker.CircuitBreaker[*http.Response]
}

func (n noted) RoundTrip(r *http.Request) (*http.Response, error) {
	telemetry.Note(r.Context(), "breaker", n.breaker.State().String())
	return n.next.RoundTrip(r)
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

// counted counts the tries that the breaker has let through.
type counted struct {
	next  http.RoundTripper
	tries map[bool]interface{ Inc() }
}

func (c counted) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := c.next.RoundTrip(r)
	c.tries[unanswered(response, err)].Inc()
	return response, err
}

// traced adds the trace and the correlation id to each call.
type traced struct{ next http.RoundTripper }

func (t traced) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	telemetry.Send(r.Context(), r.Header)
	return t.next.RoundTrip(r)
}
