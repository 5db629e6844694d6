// Package lambda adapts an http.Handler to AWS Lambda behind an API Gateway HTTP API, with payload format 2.0.
package lambda

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/orchestrator"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/problem"
	"github.com/pedidos-hq/pedidos/services/platform/server"
	"github.com/pedidos-hq/pedidos/services/platform/telemetry"
)

// reserve is the time between the deadline of the handler and that of the invocation. It leaves time to send the response.
const reserve = 250 * time.Millisecond

// Handler returns a Lambda function that serves events with h. The context of a request ends 250 ms before the invocation does. Events
// that are not valid requests get a problem document. If h panics, the invocation fails, and API Gateway responds with 500.
func Handler(h http.Handler) func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	return func(ctx context.Context, event events.APIGatewayV2HTTPRequest) (_ events.APIGatewayV2HTTPResponse, err error) {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
			}
		}()
		if deadline, ok := ctx.Deadline(); ok {
			var cancel context.CancelFunc
			ctx, cancel = context.WithDeadline(ctx, deadline.Add(-reserve))
			defer cancel()
		}
		w := &response{header: http.Header{}}
		if r, err := request(ctx, event); err != nil {
			refuse(ctx, w, event, fault.From(err))
		} else {
			h.ServeHTTP(w, r)
		}
		return w.finish(), nil
	}
}

// request returns the request of an event, as the server of net/http would.
func request(ctx context.Context, event events.APIGatewayV2HTTPRequest) (*http.Request, error) {
	about := event.RequestContext.HTTP
	body := []byte(event.Body)
	if event.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(event.Body); err != nil {
			return nil, fault.Invalid(common.FieldError{Field: "body", Message: "is not base64"})
		}
	}
	r, err := http.NewRequestWithContext(ctx, about.Method, "/", bytes.NewReader(body))
	if err != nil || about.Method == "" { // net/http treats an empty method as GET
		return nil, fault.Invalid(common.FieldError{
			Field: "event", Message: "is not one of an API Gateway HTTP API in payload format 2.0",
		})
	}
	r.URL = location(event.RawPath, event.RawQueryString)
	r.RequestURI = r.URL.RequestURI()
	r.RemoteAddr = net.JoinHostPort(about.SourceIP, "0")
	r.Header = header(event)
	r.Host = r.Header.Get("Host")
	r.Header.Del("Host")
	return r, nil
}

// location returns the URL of a path, which may be decoded or encoded. HTTP APIs decode it; function URLs and emulators do not.
func location(path, query string) *url.URL {
	u := &url.URL{Path: path, RawQuery: query}
	if decoded, err := url.PathUnescape(path); err == nil && decoded != path {
		u.Path, u.RawPath = decoded, path
	}
	return u
}

func header(event events.APIGatewayV2HTTPRequest) http.Header {
	h := make(http.Header, len(event.Headers)+1)
	for name, value := range event.Headers {
		h.Set(name, value)
	}
	if len(event.Cookies) > 0 {
		h.Set("Cookie", strings.Join(event.Cookies, "; "))
	}
	return h
}

// refuse responds to an event that is not a valid request, and logs it, as h does for requests.
func refuse(ctx context.Context, w http.ResponseWriter, event events.APIGatewayV2HTTPRequest, e *fault.Error) {
	traceID := telemetry.TraceID(telemetry.Receive(&http.Request{Header: header(event)}))
	slog.WarnContext(ctx, "event refused", "errors", e.Fields, "trace_id", traceID)
	correlation := header(event).Get(telemetry.CorrelationHeader)
	if !server.ValidCorrelationID(correlation) {
		correlation = ""
	}
	failure := orchestrator.Failure(problem.Document(e, traceID), correlation)
	w.Header().Set("Content-Type", problem.ContentType)
	w.Header().Set(telemetry.CorrelationHeader, failure.CorrelationID)
	w.WriteHeader(problem.Status(e))
	_ = json.NewEncoder(w).Encode(failure) // never fails, since w is in memory
}

// response is the http.ResponseWriter of one event.
type response struct {
	header http.Header
	answer events.APIGatewayV2HTTPResponse
	body   bytes.Buffer
}

func (w *response) Header() http.Header { return w.header }

func (w *response) WriteHeader(status int) {
	if w.answer.StatusCode != 0 {
		return
	}
	w.answer.StatusCode, w.answer.Headers = status, make(map[string]string, len(w.header))
	for name, values := range w.header {
		if name == "Set-Cookie" { // the only header whose values can't be joined
			w.answer.Cookies = append(w.answer.Cookies, values...)
			continue
		}
		w.answer.Headers[name] = strings.Join(values, ",")
	}
}

func (w *response) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

// finish returns the response for API Gateway.
func (w *response) finish() events.APIGatewayV2HTTPResponse {
	w.WriteHeader(http.StatusOK)
	// The response is sent as JSON, whose strings keep only valid UTF-8, so the headers do not matter here.
	if w.answer.IsBase64Encoded = !utf8.Valid(w.body.Bytes()); w.answer.IsBase64Encoded {
		w.answer.Body = base64.StdEncoding.EncodeToString(w.body.Bytes())
	} else {
		w.answer.Body = w.body.String()
	}
	return w.answer
}
