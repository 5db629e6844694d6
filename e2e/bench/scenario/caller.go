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

// caller sends requests over a connection of its own. It takes its processor from what it measures, so it makes as
// little as it can anew, and reads nothing of an answer that it has no use for.
type caller struct {
	connection fasthttp.HostClient
	base       string
	get, post  fasthttp.Request
	response   fasthttp.Response
	url        []byte
}

const timeout = 15 * time.Second // of one request; a service itself gives up after 10 seconds

// newCaller returns a caller of the service at that base URL.
func newCaller(base, token string) *caller {
	base = strings.TrimRight(base, "/")
	c := &caller{base: base, connection: fasthttp.HostClient{
		Addr:                      strings.TrimPrefix(base, "http://"),
		MaxConns:                  1,
		MaxIdemponentCallAttempts: 1, // a failure is to be seen
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

// Get expects 200.
func (c *caller) Get(path string) error { return c.send(&c.get, path, http.StatusOK) }

// Post expects that status. The key may be left out.
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

// Location is the path of what was made.
func (c *caller) Location() string { return string(c.response.Header.Peek("Location")) }

// Replayed reports whether the answer was kept.
func (c *caller) Replayed() bool { return len(c.response.Header.Peek("Idempotency-Replayed")) > 0 }

// Close closes the connection.
func (c *caller) Close() { c.connection.CloseIdleConnections() }

// reason is an error without what is of one connection only, so that those of a kind are counted together.
func reason(err error) string {
	text := err.Error()
	return text[strings.LastIndex(text, ": ")+1:]
}

// code is what a problem document, or a refusal of the orchestrator, says that the problem is.
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

// keys makes idempotency keys that were never used before: the prefix is new in each run.
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
