package lambda_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/pedidos-hq/pedidos/services/orchestrator/lambda"
)

// get returns an event as an HTTP API sends it, modified by change.
func get(change func(*events.APIGatewayV2HTTPRequest)) events.APIGatewayV2HTTPRequest {
	event := events.APIGatewayV2HTTPRequest{
		Version: "2.0", RawPath: "/", Headers: map[string]string{"host": "api.example"},
	}
	event.RequestContext.HTTP = events.APIGatewayV2HTTPRequestContextHTTPDescription{
		Method: http.MethodGet, SourceIP: "192.0.2.7",
	}
	if change != nil {
		change(&event)
	}
	return event
}

func TestRequest(t *testing.T) {
	t.Parallel()
	path := func(r *http.Request) any { return [3]string{r.URL.Path, r.URL.EscapedPath(), r.RequestURI} }
	for _, c := range []struct {
		name   string
		change func(*events.APIGatewayV2HTTPRequest)
		see    func(*http.Request) any
		want   any
	}{
		{"plain path", func(e *events.APIGatewayV2HTTPRequest) { e.RawPath = "/dev/orders" },
			path, [3]string{"/dev/orders", "/dev/orders", "/dev/orders"}},
		{"encoded path", func(e *events.APIGatewayV2HTTPRequest) { e.RawPath = "/a%20b%2Fc" },
			path, [3]string{"/a b/c", "/a%20b%2Fc", "/a%20b%2Fc"}},
		{"decoded path", func(e *events.APIGatewayV2HTTPRequest) { e.RawPath = "/a b/ñ" },
			path, [3]string{"/a b/ñ", "/a%20b/%C3%B1", "/a%20b/%C3%B1"}},
		{"decoded path with a percent sign", func(e *events.APIGatewayV2HTTPRequest) { e.RawPath = "/100%" },
			path, [3]string{"/100%", "/100%25", "/100%25"}},
		{"decoded path with a question mark", func(e *events.APIGatewayV2HTTPRequest) { e.RawPath, e.RawQueryString = "/a?b#c", "d=e" },
			path, [3]string{"/a?b#c", "/a%3Fb%23c", "/a%3Fb%23c?d=e"}},
		{"path that begins with two slashes", func(e *events.APIGatewayV2HTTPRequest) { e.RawPath = "//elsewhere/x" },
			func(r *http.Request) any { return r.URL.Host + r.URL.Path }, "//elsewhere/x"},
		{"query", func(e *events.APIGatewayV2HTTPRequest) {
			e.RawQueryString = "a=1&a=2&b=%26"
			e.QueryStringParameters = map[string]string{"a": "1,2", "b": "&"}
		}, func(r *http.Request) any { return r.URL.Query().Encode() }, "a=1&a=2&b=%26"},
		{"method", func(e *events.APIGatewayV2HTTPRequest) { e.RequestContext.HTTP.Method = http.MethodPatch },
			func(r *http.Request) any { return r.Method }, http.MethodPatch},
		{"headers of any case and with several values", func(e *events.APIGatewayV2HTTPRequest) {
			e.Headers = map[string]string{"x-many": "1,2", "IF-MATCH": `"3"`}
		}, func(r *http.Request) any { return r.Header }, http.Header{"X-Many": {"1,2"}, "If-Match": {`"3"`}}},
		{"host", nil, func(r *http.Request) any { return r.Host + r.Header.Get("Host") }, "api.example"},
		{"cookies", func(e *events.APIGatewayV2HTTPRequest) { e.Cookies = []string{"a=1", "b=2"} },
			func(r *http.Request) any { return r.Header.Get("Cookie") }, "a=1; b=2"},
		{"address", nil, func(r *http.Request) any { return r.RemoteAddr }, "192.0.2.7:0"},
		{"IPv6 address", func(e *events.APIGatewayV2HTTPRequest) { e.RequestContext.HTTP.SourceIP = "2001:db8::7" },
			func(r *http.Request) any { return r.RemoteAddr }, "[2001:db8::7]:0"},
		{"text body", func(e *events.APIGatewayV2HTTPRequest) { e.Body = "ñ" }, body, "ñ (2)"},
		{"base64 body", func(e *events.APIGatewayV2HTTPRequest) { e.Body, e.IsBase64Encoded = "AP8=", true }, body, "\x00\xff (2)"},
		{"no body", nil, body, " (0)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var got any
			handle := lambda.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = c.see(r) }))
			if _, err := handle(t.Context(), get(c.change)); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("the handler sees %#v, want %#v", got, c.want)
			}
		})
	}
}

// body returns the body of r and its ContentLength.
func body(r *http.Request) any {
	read, _ := io.ReadAll(r.Body)
	length, _ := json.Marshal(r.ContentLength)
	return string(read) + " (" + string(length) + ")"
}

func TestResponse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		want   events.APIGatewayV2HTTPResponse
	}{
		{"nothing", func(http.ResponseWriter, *http.Request) {},
			events.APIGatewayV2HTTPResponse{StatusCode: 200, Headers: map[string]string{}}},
		{"text in parts", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, "a\xc3")
			_, _ = io.WriteString(w, "\xb1")
		}, events.APIGatewayV2HTTPResponse{StatusCode: 201, Headers: map[string]string{}, Body: "añ"}},
		{"bytes", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write([]byte{0x1f, 0x8b})
		}, events.APIGatewayV2HTTPResponse{
			StatusCode: 200, Headers: map[string]string{"Content-Encoding": "gzip"}, Body: "H4s=", IsBase64Encoded: true,
		}},
		{"headers and cookies with several values", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Add("Vary", "Accept")
			w.Header().Add("Vary", "Origin")
			w.Header().Add("Set-Cookie", "a=1; Expires=Thu, 01 Jan 2026 00:00:00 GMT")
			w.Header().Add("Set-Cookie", "b=2")
		}, events.APIGatewayV2HTTPResponse{
			StatusCode: 200, Headers: map[string]string{"Vary": "Accept,Origin"},
			Cookies: []string{"a=1; Expires=Thu, 01 Jan 2026 00:00:00 GMT", "b=2"},
		}},
		{"changes after the status are ignored", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusAccepted)
			w.WriteHeader(http.StatusTeapot)
			w.Header().Set("Late", "1")
		}, events.APIGatewayV2HTTPResponse{StatusCode: 202, Headers: map[string]string{}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := lambda.Handler(c.answer)(t.Context(), get(nil))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("answered %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, field string
		change      func(*events.APIGatewayV2HTTPRequest)
	}{
		{"bad base64", "body", func(e *events.APIGatewayV2HTTPRequest) { e.Body, e.IsBase64Encoded = "%", true }},
		{"no method", "event", func(e *events.APIGatewayV2HTTPRequest) { e.RequestContext.HTTP.Method = "" }},
		{"invalid method", "event", func(e *events.APIGatewayV2HTTPRequest) { e.RequestContext.HTTP.Method = "G E T" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			handle := lambda.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the handler was called") }))
			const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
			got, err := handle(t.Context(), get(func(e *events.APIGatewayV2HTTPRequest) {
				e.Headers["traceparent"] = "00-" + trace + "-00f067aa0ba902b7-01"
				c.change(e)
			}))
			if err != nil {
				t.Fatal(err)
			}
			var problem struct {
				Code    string `json:"code"`
				TraceID string `json:"trace_id"`
				Error   struct {
					Code, Message, Step string
				} `json:"error"`
				CorrelationID string `json:"correlationId"`
				Errors        []struct {
					Field string `json:"field"`
				} `json:"errors"`
			}
			if err := json.Unmarshal([]byte(got.Body), &problem); err != nil {
				t.Fatalf("%v in %s", err, got.Body)
			}
			if got.StatusCode != 400 || got.Headers["Content-Type"] != "application/problem+json" ||
				problem.Code != "invalid_input" || problem.TraceID != trace ||
				problem.Error.Code != problem.Code || problem.Error.Message == "" || problem.Error.Step != "validate_input" ||
				problem.CorrelationID != trace || got.Headers["X-Correlation-Id"] != trace || len(problem.Errors) != 1 || problem.Errors[0].Field != c.field {
				t.Errorf("answered %+v", got)
			}
		})
	}
}

// The deadline of the handler leaves time to send the response. Its context is canceled with that of the invocation.
func TestDeadline(t *testing.T) {
	t.Parallel()
	deadline := time.Now().Add(time.Hour)
	ctx, cancel := context.WithDeadline(t.Context(), deadline)
	defer cancel()
	_, err := lambda.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if d, ok := r.Context().Deadline(); !ok || d.After(deadline.Add(-100*time.Millisecond)) || d.Before(deadline.Add(-time.Second)) {
			t.Errorf("the deadline of the handler is %v, that of the invocation %v", d, deadline)
		}
		cancel()
		if r.Context().Err() == nil {
			t.Error("the context of the handler outlives the invocation")
		}
	}))(ctx, get(nil))
	if err != nil {
		t.Fatal(err)
	}
}

func TestPanic(t *testing.T) {
	t.Parallel()
	_, err := lambda.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("lost") }))(t.Context(), get(nil))
	if err == nil || !strings.Contains(err.Error(), "panic: lost") {
		t.Errorf("the invocation returned %v, want the panic", err)
	}
}

// Bodies pass through an event and a response unchanged.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{"", "ñ", "\x00\u2028<&", "\xff", "\xed\xa0\x80", "{\"a\":1}\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, want []byte) {
		answer, err := lambda.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(w, r.Body)
		}))(t.Context(), get(func(e *events.APIGatewayV2HTTPRequest) {
			e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString(want), true
		}))
		if err != nil {
			t.Fatal(err)
		}
		wire, err := json.Marshal(answer)
		if err != nil {
			t.Fatal(err)
		}
		var read events.APIGatewayV2HTTPResponse
		if err := json.Unmarshal(wire, &read); err != nil {
			t.Fatal(err)
		}
		got := []byte(read.Body)
		if read.IsBase64Encoded {
			if got, err = base64.StdEncoding.DecodeString(read.Body); err != nil {
				t.Fatal(err)
			}
		}
		if string(got) != string(want) {
			t.Errorf("%q came back as %q", want, got)
		}
	})
}
