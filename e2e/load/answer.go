package load

import (
	"bytes"
	"fmt"
	"net/http"

	"github.com/pedidos-hq/pedidos/gen/orders"
)

// Answer is what the caller of a request gets.
type Answer struct {
	Status   int
	Header   http.Header // of those that a repeat gets again
	Body     []byte
	Replayed bool

	retryAfter bool
	order      orders.Order // id, status and total
}

// NewAnswer is the answer that a response carries.
func NewAnswer(r *http.Response, body []byte) Answer {
	a := Answer{
		Status: r.StatusCode, Header: http.Header{}, Body: body,
		Replayed: r.Header.Get("Idempotency-Replayed") == "true", retryAfter: r.Header.Get("Retry-After") != "",
	}
	for _, name := range []string{"Content-Type", "Etag", "Location"} {
		a.Header[name] = r.Header[name]
	}
	return a
}

// Later reports whether the answer is to come with another try.
func (a Answer) Later() bool {
	return a.retryAfter && (a.Status == http.StatusServiceUnavailable || a.Status == http.StatusConflict)
}

// Equal reports whether two answers are the same, byte for byte; that one is replayed does not count.
func (a Answer) Equal(b Answer) bool {
	for name := range a.Header {
		if a.Header.Get(name) != b.Header.Get(name) {
			return false
		}
	}
	return a.Status == b.Status && bytes.Equal(a.Body, b.Body)
}

func (a Answer) String() string { return fmt.Sprintf("%d %v %s", a.Status, a.Header, a.Body) }
