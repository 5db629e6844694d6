package idempotency

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/problem"
	"github.com/pedidos-hq/pedidos/services/platform/telemetry"
)

// Replayed is the response header of a stored answer. Its value is "true".
const Replayed = "Idempotency-Replayed"

// storedHeaders are the response headers that are part of an answer.
var storedHeaders = []string{"Content-Type", "ETag", "Location", "Cache-Control"}

// Answer is a response as it is stored and sent.
type Answer struct {
	Status   int
	Header   map[string]string
	Body     []byte
	Replayed bool
}

// Record returns the Answer of a generated response, given its Visit method. It keeps only the headers that are stored.
func Record(visit func(http.ResponseWriter) error) (Answer, error) {
	r := recorder{header: http.Header{}, body: []byte{}} // without a body, the database must not get NULL
	if err := visit(&r); err != nil {
		return Answer{}, fmt.Errorf("encode answer: %w", err)
	}
	a := Answer{Status: r.status, Header: map[string]string{}, Body: r.body}
	for _, name := range storedHeaders {
		if value := r.header.Get(name); value != "" {
			a.Header[name] = value
		}
	}
	return a, nil
}

type recorder struct {
	status int
	header http.Header
	body   []byte
}

func (r *recorder) Header() http.Header    { return r.header }
func (r *recorder) WriteHeader(status int) { r.status = status }

func (r *recorder) Write(p []byte) (int, error) {
	r.body = append(r.body, p...)
	return len(p), nil
}

// recordRefusal makes the answer of a refusal: the problem document that the server would send.
func recordRefusal(ctx context.Context, refusal *fault.Error) (Answer, error) {
	body, err := json.Marshal(problem.Document(refusal, telemetry.TraceID(ctx)))
	if err != nil {
		return Answer{}, fmt.Errorf("encode problem: %w", err)
	}
	return Answer{
		Status: problem.Status(refusal),
		Header: map[string]string{"Content-Type": problem.ContentType},
		Body:   append(body, '\n'),
	}, nil
}

// Write sends the answer.
func (a Answer) Write(w http.ResponseWriter) error {
	for name, value := range a.Header {
		w.Header().Set(name, value)
	}
	if a.Replayed {
		w.Header().Set(Replayed, "true")
	}
	w.WriteHeader(a.Status)
	_, err := w.Write(a.Body)
	return err
}
