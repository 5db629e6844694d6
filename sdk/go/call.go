package pedidos

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// operation is an operation of the contracts.
type operation struct {
	service service
	method  string
	path    string // with %d for each id
	keyed   bool   // takes an Idempotency-Key
	open    bool   // takes no token
}

// request holds the arguments of a call.
type request struct {
	ids   []any
	query url.Values
	body  any
	etag  string

	bodyWith func(key string) any // replaces body, if the key is in it
}

// CallOption is an option of one call.
type CallOption func(*callOptions)

type callOptions struct {
	key, etag, correlationID string
	keyed                    bool
}

// WithKey sets the idempotency key of a change: 1 to 255 visible ASCII characters, such as the number of the order in your own system. A
// call with the same key and the same arguments takes effect once, also if another process repeats it, for 24 hours by default. Without
// this option each call has a random key, which its retries share.
func WithKey(key string) CallOption { return func(o *callOptions) { o.key, o.keyed = key, true } }

// WithETag makes the change only if the resource still has this version, such as Order.ETag. Otherwise the error has the code
// CodePreconditionFailed. Update does this by itself.
func WithETag(etag string) CallOption { return func(o *callOptions) { o.etag = etag } }

// WithCorrelationID names the call in the logs of Pedidos.
func WithCorrelationID(id string) CallOption { return func(o *callOptions) { o.correlationID = id } }

// tagged is a result that keeps the ETag of its response.
type tagged interface{ setETag(etag string) }

func (c *Customer) setETag(etag string)   { c.ETag = etag }
func (p *Product) setETag(etag string)    { p.ETag = etag }
func (o *Order) setETag(etag string)      { o.ETag = etag }
func (u *User) setETag(etag string)       { u.ETag = etag }
func (u *UserSetup) setETag(etag string)  { u.ETag = etag }
func (i *Integrator) setETag(etag string) { i.ETag = etag }

// call calls an operation and returns its result.
func call[T any](ctx context.Context, c *Client, op operation, r request, options []CallOption) (T, error) {
	var result, none T
	header, failed := c.send(ctx, op, r, options, &result)
	if failed != nil {
		return none, failed
	}
	if t, ok := any(&result).(tagged); ok {
		t.setETag(header.Get("ETag"))
	}
	return result, nil
}

// describe returns the method and the path of a request.
func (op operation) describe(r request) string {
	return op.method + " " + fmt.Sprintf(op.path, r.ids...)
}

// repeatable reports whether a request that may have arrived may be sent again.
func (op operation) repeatable(key string) bool {
	return key != "" || op.method == http.MethodGet || op == login
}

// send sends a request, with one key, until there is a final response. It decodes that of a success into result, and returns its headers.
func (c *Client) send(ctx context.Context, op operation, r request, options []CallOption, result any) (http.Header, *Error) {
	key, header, body, err := op.encode(r, options)
	if err != nil {
		return nil, &Error{Operation: op.describe(r), Err: err}
	}
	refused := "" // an access token that is no longer accepted
	for attempt := 1; ; attempt++ {
		token, failed := c.token(ctx, op, refused)
		if failed != nil {
			failed.Key = key
			return nil, failed
		}
		got, failed := c.try(ctx, op, r, header, body, token, result)
		if failed == nil {
			return got, nil
		}
		failed.Operation, failed.Key, failed.Attempts = op.describe(r), key, attempt
		if failed.Status == http.StatusUnauthorized && token == "" && !op.open {
			failed.Detail = "No credentials were sent: set APIKey, or Username and Password."
		}
		if failed.Status == http.StatusUnauthorized && c.credentials.username != "" && token != "" && refused == "" {
			refused = token
			continue
		}
		if attempt >= c.maxAttempts || !op.repeatable(key) || !failed.temporary() || ctx.Err() != nil || failed.RetryAfter > c.maxWait {
			return nil, failed
		}
		select {
		case <-time.After(c.wait(attempt, failed.RetryAfter)):
		case <-ctx.Done():
			failed.Err = context.Cause(ctx)
			return nil, failed
		}
	}
}

// encode returns the key, the headers and the body that all attempts send.
func (op operation) encode(r request, options []CallOption) (key string, header http.Header, body []byte, err error) {
	o := callOptions{etag: r.etag}
	for _, set := range options {
		set(&o)
	}
	header = http.Header{"Accept": {"application/json"}, "User-Agent": {"pedidos-go"}}
	for name, value := range map[string]string{"If-Match": o.etag, "X-Correlation-Id": o.correlationID} {
		if value != "" {
			header.Set(name, value)
		}
	}
	if op.keyed || r.bodyWith != nil {
		if !o.keyed {
			o.key = rand.Text()
		}
		if !isKey(o.key) {
			return "", nil, nil, errors.New("the idempotency key must have 1 to 255 visible ASCII characters")
		}
		key = o.key
	}
	if r.bodyWith != nil {
		r.body = r.bodyWith(key)
	} else if key != "" {
		header.Set("Idempotency-Key", key)
	}
	if r.body != nil {
		header.Set("Content-Type", "application/json")
		body, err = json.Marshal(r.body)
	}
	return key, header, body, err
}

func isKey(key string) bool {
	hidden := func(r rune) bool { return r <= ' ' || r > '~' }
	return key != "" && len(key) <= 255 && strings.IndexFunc(key, hidden) < 0
}

// maxBody limits the body of a response, in bytes. The largest page of the contracts, 100 orders of 100 lines with the longest names, has
// less than 15 MiB.
const maxBody = 16 << 20

// try sends one request, and decodes the response of a success into result.
func (c *Client) try(
	ctx context.Context, op operation, r request, header http.Header, body []byte, token string, result any,
) (http.Header, *Error) {
	address := c.bases[op.service] + fmt.Sprintf(op.path, r.ids...)
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	sent, err := http.NewRequestWithContext(ctx, op.method, address, bytes.NewReader(body))
	if err != nil {
		return nil, &Error{Err: err}
	}
	sent.Header = header.Clone()
	if token != "" {
		sent.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := c.http.Do(sent)
	if err != nil {
		var u *url.Error // repeats the method, and the query, which may have names of customers
		if errors.As(err, &u) {
			err = u.Err
		}
		return nil, &Error{Err: err}
	}
	defer response.Body.Close()
	text, err := io.ReadAll(http.MaxBytesReader(nil, response.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case err != nil && !errors.As(err, &tooLarge):
		return nil, &Error{Err: err}
	case response.StatusCode/100 != 2:
		return nil, errorOf(response, text)
	case err != nil:
		err = fmt.Errorf("the response is larger than %d MiB", maxBody>>20)
	case len(text) > 0:
		err = json.Unmarshal(text, result)
	case !isNothing(result):
		err = errors.New("the response is empty")
	}
	if err != nil {
		return nil, &Error{Status: response.StatusCode, Err: err}
	}
	return response.Header, nil
}

// isNothing reports whether an operation has no result.
func isNothing(result any) bool {
	_, nothing := result.(*struct{})
	return nothing
}

// errorOf returns the error of an unsuccessful response.
func errorOf(response *http.Response, text []byte) *Error {
	e := &Error{Status: response.StatusCode}
	var problem struct {
		Code          ProblemCode    `json:"code"`
		Detail        string         `json:"detail"`
		TraceID       string         `json:"trace_id"`
		Errors        []FieldError   `json:"errors"`
		Shortages     []Shortage     `json:"shortages"`
		CorrelationID string         `json:"correlationId"`
		Order         WithdrawnOrder `json:"order"`
		Error         struct {
			Step Step `json:"step"`
		} `json:"error"`
	}
	if json.Unmarshal(text, &problem) == nil {
		e.Code, e.Detail, e.TraceID, e.Fields, e.Shortages = problem.Code, problem.Detail, problem.TraceID, problem.Errors, problem.Shortages
		e.Step, e.CorrelationID, e.Withdrawn = problem.Error.Step, problem.CorrelationID, problem.Order
	}
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil {
		e.RetryAfter = time.Duration(seconds) * time.Second
	}
	return e
}

// temporary reports whether a later attempt may succeed. A proxy that loses a service answers 502 or 504.
func (e *Error) temporary() bool {
	switch e.Status {
	case 0, http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return e.Code == CodeRequestInProgress
}

// wait returns the time until the next attempt: an exponential backoff, at least retryAfter, with up to 50 % jitter.
func (c *Client) wait(attempt int, retryAfter time.Duration) time.Duration {
	least := max(retryAfter, min(75*time.Millisecond<<min(attempt-1, 6), 4*time.Second))
	return least + mathrand.N(least/2) //nolint:gosec // nobody gains by guessing the jitter
}
