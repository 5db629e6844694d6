package call

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/orchestrator"
)

// Response is an HTTP response with its complete body.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
	Err    error // why there is no complete response

	request string
}

// Read reads the response that a generated client or an http.Client returns.
func Read(r *http.Response, err error) Response {
	if err != nil {
		return Response{Err: err}
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	return Response{Status: r.StatusCode, Header: r.Header, Body: body, Err: err, request: describe(r.Request)}
}

// Send sends a request and ends the test if there is no response. The headers alternate names and values.
func Send(t testing.TB, client *http.Client, method, url string, body io.Reader, headers ...string) Response {
	t.Helper()
	r := Try(t.Context(), client, method, url, body, headers...)
	if r.Err != nil {
		t.Fatalf("%s %s: no response: %v", method, url, r.Err)
	}
	return r
}

// Try is Send without a test, so that other goroutines may call it. Without a response it sets Err.
func Try(ctx context.Context, client *http.Client, method, url string, body io.Reader, headers ...string) Response {
	r, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return Response{Err: err}
	}
	for pair := range slices.Chunk(headers, 2) {
		r.Header.Add(pair[0], pair[1])
	}
	return Read(client.Do(r))
}

// JSON returns the headers of a request with a token and a JSON body.
func JSON(token string) []string {
	return []string{"Content-Type", "application/json", "Authorization", "Bearer " + token}
}

// describe returns the method, the URL and the body of a request.
func describe(r *http.Request) string {
	if r == nil {
		return ""
	}
	var text string
	if r.URL != nil {
		text = r.Method + " " + r.URL.String()
	}
	if r.GetBody == nil {
		return text
	}
	body, err := r.GetBody()
	if err != nil {
		return text
	}
	sent, _ := io.ReadAll(io.LimitReader(body, maxShown+1))
	return strings.TrimSpace(text + " " + clip(sent))
}

const maxShown = 2000 // bytes of a body in a message

func clip(body []byte) string {
	if len(body) > maxShown {
		return string(body[:maxShown]) + "…"
	}
	return string(bytes.TrimSpace(body))
}

// String returns the request, the status and the body, for messages.
func (r Response) String() string {
	if r.Err != nil {
		return fmt.Sprintf("%s: no response: %v", cmp.Or(r.request, "the request"), r.Err)
	}
	status := fmt.Sprint(r.Status)
	if r.Replayed() {
		status += " (replayed)"
	}
	return fmt.Sprintf("%s: %s %s", r.request, status, clip(r.Body))
}

// Decode returns an error unless the response has this status and its body decodes into each of the values.
func (r Response) Decode(status int, into ...any) error {
	if r.Err != nil || r.Status != status {
		return fmt.Errorf("got %s\nwant %d", r, status)
	}
	for _, v := range into {
		if err := json.Unmarshal(r.Body, v); err != nil {
			return fmt.Errorf("got %s\nwant a %T: %w", r, v, err)
		}
	}
	return nil
}

// Want ends the test if Decode returns an error.
func (r Response) Want(t testing.TB, status int, into ...any) Response {
	t.Helper()
	if err := r.Decode(status, into...); err != nil {
		t.Fatal(err)
	}
	return r
}

// Problem is a problem document. Only the orchestrator sends the members after common.Problem.
type Problem struct {
	common.Problem
	Success       *bool                        `json:"success"`
	CorrelationID string                       `json:"correlationId"`
	Error         *orchestrator.StepError      `json:"error"`
	Order         *orchestrator.WithdrawnOrder `json:"order"`
}

// Fields returns the names of the invalid fields, sorted and without duplicates.
func (p Problem) Fields() []string { return fields(p.Errors) }

func fields(errors *[]common.FieldError) []string {
	if errors == nil {
		return nil
	}
	var names []string
	for _, e := range *errors {
		names = append(names, e.Field)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Problem returns the problem document of any status. It ends the test if there is none.
func (r Response) Problem(t testing.TB) Problem {
	t.Helper()
	var p Problem
	if r.Err != nil || r.Header.Get("Content-Type") != "application/problem+json" {
		t.Fatalf("got %s\nwant application/problem+json, not %q", r, r.Header.Get("Content-Type"))
	}
	if err := json.Unmarshal(r.Body, &p); err != nil {
		t.Fatalf("got %s\nwant a problem document: %v", r, err)
	}
	if int(p.Status) != r.Status || p.Code == "" || p.Title == "" || p.Type != "urn:pedidos:problem:"+string(p.Code) || len(p.TraceID) != 32 {
		t.Fatalf("got %s\nwant a problem document with type, title, status, code and trace id", r)
	}
	return p
}

// WantProblem ends the test unless the response is a problem document with this status and code, about exactly these fields.
func (r Response) WantProblem(t testing.TB, status int, code common.ProblemCode, about ...string) Problem {
	t.Helper()
	r.Want(t, status)
	p := r.Problem(t)
	about = slices.Sorted(slices.Values(about))
	if p.Code != code || !slices.Equal(p.Fields(), about) {
		t.Fatalf("got %s\nwant the code %s and errors about %q", r, code, about)
	}
	return p
}

// WantInvalid is WantProblem for a bad request.
func (r Response) WantInvalid(t testing.TB, about ...string) Problem {
	t.Helper()
	return r.WantProblem(t, http.StatusBadRequest, common.CodeInvalidInput, about...)
}

// WantFailure is WantProblem for the orchestrator, which adds the step that failed and the correlation id.
func (r Response) WantFailure(t testing.TB, status int, code common.ProblemCode, step orchestrator.Step, about ...string) Problem {
	t.Helper()
	p := r.WantProblem(t, status, code, about...)
	e := p.Error
	if e == nil || e.Step != step || e.Code != code || e.Message != p.Detail || e.Message == "" || !slices.Equal(fields(e.Errors), p.Fields()) ||
		p.Success == nil || *p.Success || p.CorrelationID == "" {
		t.Fatalf("got %s\nwant success false, a correlation id and the error %s at %s", r, code, step)
	}
	return p
}

// Replayed reports whether the response is a replay of a response stored under the idempotency key.
func (r Response) Replayed() bool { return r.Header.Get("Idempotency-Replayed") == "true" }

// Later reports whether the response is a 503, 429 or 409 with Retry-After.
func (r Response) Later() bool {
	return r.Header.Get("Retry-After") != "" &&
		(r.Status == http.StatusServiceUnavailable || r.Status == http.StatusTooManyRequests || r.Status == http.StatusConflict)
}

// Same reports whether two responses have the same status, headers and body, whether replayed or not.
func (r Response) Same(other Response) bool {
	return r.Err == nil && other.Err == nil && r.Status == other.Status && bytes.Equal(r.Body, other.Body) &&
		maps.EqualFunc(lasting(r.Header), lasting(other.Header), slices.Equal)
}

// lasting returns the headers that do not change when a response is replayed.
func lasting(header http.Header) http.Header {
	header = maps.Clone(header)
	for _, name := range []string{"Connection", "Date", "Idempotency-Replayed"} {
		header.Del(name)
	}
	return header
}

// WantReplay fails the test unless the response is a replay of first.
func (r Response) WantReplay(t testing.TB, first Response) {
	t.Helper()
	if !r.Replayed() || !r.Same(first) {
		t.Errorf("got %s %v\nwant a replay of %s %v", r, r.Header, first, first.Header)
	}
}
