// Package lambda answers the events of an API Gateway HTTP API (payload format 2.0) with an http.Handler.
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

// reserve is how long before the invocation's deadline h is told to stop: an answer can still be sent then.
const reserve = 250 * time.Millisecond

// Handler returns the Lambda function that answers with h. An event that is not an HTTP API's gets a problem document.
// A panic fails the one invocation, which API Gateway answers with 500; the process goes on.
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

// request is the request that the event tells of, as net/http's server would hand it over.
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
	if err != nil || about.Method == "" { // which net/http would take for GET
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

// location reads a path in either form: HTTP APIs send it decoded, function URLs and emulators as the client wrote it.
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

// refuse answers what never reached h, and so logs what h would have.
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
	_ = json.NewEncoder(w).Encode(failure) // into memory, which does not fail
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
		if name == "Set-Cookie" { // the one header whose values can't be joined
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

// finish is the answer as API Gateway reads it.
func (w *response) finish() events.APIGatewayV2HTTPResponse {
	w.WriteHeader(http.StatusOK)
	// Whatever the headers say of it: a JSON string holds UTF-8 byte for byte, and nothing else.
	if w.answer.IsBase64Encoded = !utf8.Valid(w.body.Bytes()); w.answer.IsBase64Encoded {
		w.answer.Body = base64.StdEncoding.EncodeToString(w.body.Bytes())
	} else {
		w.answer.Body = w.body.String()
	}
	return w.answer
}
