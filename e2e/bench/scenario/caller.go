package scenario

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

// caller sends requests over one connection. It shares the CPU with the services that it measures, so it reuses its buffers
// and parses only what it needs of a response.
type caller struct {
	connection fasthttp.HostClient
	base       string
	get, post  fasthttp.Request
	response   fasthttp.Response
	url        []byte
}

const timeout = 15 * time.Second // of a request, more than the 10 seconds after which a service gives up

// newCaller returns a caller of the service at a base URL.
func newCaller(base, token string) *caller {
	base = strings.TrimRight(base, "/")
	c := &caller{base: base, connection: fasthttp.HostClient{
		Addr:                      strings.TrimPrefix(base, "http://"),
		MaxConns:                  1,
		MaxIdemponentCallAttempts: 1, // retries would hide failures
		ReadTimeout:               timeout,
		WriteTimeout:              timeout,
		NoDefaultUserAgentHeader:  true,
	}}
	c.post.Header.SetMethod(http.MethodPost)
	c.post.Header.SetContentType("application/json")
	if token != "" {
		c.get.Header.Set("Authorization", "Bearer "+token)
		c.post.Header.Set("Authorization", "Bearer "+token)
	}
	return c
}

// SetCookie adds a cookie to the following GETs.
func (c *caller) SetCookie(name, value string) { c.get.Header.SetCookie(name, value) }

// Get sends a GET and fails unless the status is 200.
func (c *caller) Get(path string) error { return c.send(&c.get, path, http.StatusOK) }

// Post sends a POST, with the idempotency key unless it is nil, and fails unless the answer has the given status.
func (c *caller) Post(path string, key, body []byte, status int) error {
	if key != nil {
		c.post.Header.SetBytesV("Idempotency-Key", key)
	}
	c.post.SetBodyRaw(body)
	return c.send(&c.post, path, status)
}

func (c *caller) send(r *fasthttp.Request, path string, status int) error {
	c.url = append(append(c.url[:0], c.base...), path...)
	r.SetRequestURIBytes(c.url)
	if err := c.connection.Do(r, &c.response); err != nil {
		return errors.New("no answer: " + reason(err))
	}
	if got := c.response.StatusCode(); got != status {
		return fmt.Errorf("%d %s", got, code(c.response.Body()))
	}
	return nil
}

// Location returns the header Location of the last answer.
func (c *caller) Location() string { return string(c.response.Header.Peek("Location")) }

// Replayed reports whether the last answer was a stored one.
func (c *caller) Replayed() bool { return len(c.response.Header.Peek("Idempotency-Replayed")) > 0 }

// Close closes the connection.
func (c *caller) Close() { c.connection.CloseIdleConnections() }

// reason returns the last part of an error, without addresses, so that errors of a kind are counted together.
func reason(err error) string {
	text := err.Error()
	return text[strings.LastIndex(text, ": ")+1:]
}

// code returns the code of a problem document or of a failed result of the orchestrator.
func code(body []byte) string {
	var document struct {
		Code  string
		Error struct{ Code string }
	}
	if err := json.Unmarshal(body, &document); err != nil {
		return "(no problem document)"
	}
	return cmp.Or(document.Code, document.Error.Code)
}

// keys generates idempotency keys that are unique across runs, by their prefix.
type keys struct {
	prefix string
	last   int64
	buffer []byte
}

func (k *keys) Next() []byte {
	k.last++
	k.buffer = strconv.AppendInt(append(k.buffer[:0], k.prefix...), k.last, 10)
	return k.buffer
}
