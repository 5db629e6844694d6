// Package telemetry makes the logger and carries the ids that tie log lines of all services together.
package telemetry

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// NewLogger writes readable lines to a terminal and JSON elsewhere.
func NewLogger(w io.Writer, terminal bool, level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if terminal {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}

// Receive returns a context with the trace that the request belongs to (W3C Trace Context), or with a new one.
func Receive(r *http.Request) context.Context {
	ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	config := trace.SpanContextConfig{TraceID: trace.SpanContextFromContext(ctx).TraceID(), TraceFlags: trace.SpanContextFromContext(ctx).TraceFlags()}
	if !config.TraceID.IsValid() {
		_, _ = rand.Read(config.TraceID[:])
	}
	_, _ = rand.Read(config.SpanID[:])
	return trace.ContextWithSpanContext(ctx, trace.NewSpanContext(config))
}

// Send adds the trace and the correlation id of ctx to the headers of a call to another service.
func Send(ctx context.Context, h http.Header) {
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(h))
	if id := CorrelationID(ctx); id != "" {
		h.Set(CorrelationHeader, id)
	}
}

// TraceID is the trace id of ctx: 32 hexadecimal digits.
func TraceID(ctx context.Context) string { return trace.SpanContextFromContext(ctx).TraceID().String() }

// CorrelationHeader carries the caller's own name for a piece of work through all services.
const CorrelationHeader = "X-Correlation-Id"

type correlationKey struct{}

// WithCorrelationID returns a context that carries the caller's name for this piece of work.
func WithCorrelationID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, correlationKey{}, id)
}

// CorrelationID is the caller's name for this piece of work, or "".
func CorrelationID(ctx context.Context) string {
	id, _ := ctx.Value(correlationKey{}).(string)
	return id
}
