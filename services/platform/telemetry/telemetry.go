// Package telemetry provides the logger and the tracing of a process, and carries trace and correlation ids between services.
package telemetry

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strings"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// NewLogger returns a logger that writes text lines for a terminal and JSON otherwise. It masks e-mail addresses, tokens, API keys
// and values that MySQL quotes, in all attributes that are strings or errors.
func NewLogger(w io.Writer, terminal bool, level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: mask}
	if terminal {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}

var (
	// The domain of an address may be in any script, a host name without a dot that is not just digits, or an IP address in
	// brackets. The @ may be percent-encoded, as in a query.
	email   = regexp.MustCompile(`([^\s"'<>/@=]?)[^\s"'<>/@=]*(@|%40)(` + label + `+(\.` + label + `+)+|` + label + `*\p{L}` + label + `*|\[[^\s\]]*\])`)
	jwt     = regexp.MustCompile(`eyJ[\w-]+(\.[\w-]*)*`)            // base64 of {", which begins the header of every JWT
	opaque  = regexp.MustCompile(`\b(ped_\d+_|pes_|pet_)[A-Z2-7]+`) // API keys, session tokens, setup tokens
	quoting = regexp.MustCompile(`(?s)(Duplicate entry|value:|near) '.*'`)
)

// label matches a character of a domain label.
const label = `[\p{L}\p{M}\p{N}_-]`

// mask masks the value of a log attribute.
func mask(_ []string, a slog.Attr) slog.Attr {
	var text string
	switch a.Value.Kind() {
	case slog.KindString:
		text = a.Value.String()
	case slog.KindAny:
		err, ok := a.Value.Any().(error)
		if !ok {
			return a
		}
		text = err.Error()
	default:
		return a
	}
	if safe := masked(text); safe != text {
		a.Value = slog.StringValue(safe)
	}
	return a
}

// masked returns text without data that must not appear in logs and spans.
func masked(text string) string {
	if strings.Contains(text, " '") {
		text = quoting.ReplaceAllString(text, "$1 '…'")
	}
	if strings.Contains(text, "@") || strings.Contains(text, "%40") {
		text = email.ReplaceAllString(text, "$1…$2$3")
	}
	if strings.Contains(text, "eyJ") {
		text = jwt.ReplaceAllString(text, "eyJ…")
	}
	if strings.Contains(text, "pe") {
		text = opaque.ReplaceAllString(text, "$1…")
	}
	return text
}

// Receive returns the context of r with the trace of its traceparent header (W3C Trace Context), or with a new trace. The span id is
// always new.
func Receive(r *http.Request) context.Context {
	if trace.SpanContextFromContext(r.Context()).IsValid() { // Tracing.Server has added a span
		return r.Context()
	}
	ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	config := trace.SpanContextConfig{TraceID: trace.SpanContextFromContext(ctx).TraceID(), TraceFlags: trace.SpanContextFromContext(ctx).TraceFlags()}
	if !config.TraceID.IsValid() {
		_, _ = rand.Read(config.TraceID[:])
	}
	_, _ = rand.Read(config.SpanID[:])
	return trace.ContextWithSpanContext(ctx, trace.NewSpanContext(config))
}

// Send sets the headers of a call to another service to the trace and the correlation id of ctx.
func Send(ctx context.Context, h http.Header) {
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(h))
	if id := CorrelationID(ctx); id != "" {
		h.Set(CorrelationHeader, id)
	}
}

// TraceID returns the trace id of ctx, 32 hexadecimal digits.
func TraceID(ctx context.Context) string { return trace.SpanContextFromContext(ctx).TraceID().String() }

// CorrelationHeader is the header of the correlation id, by which a caller identifies related requests in all services.
const CorrelationHeader = "X-Correlation-Id"

type correlationKey struct{}

// WithCorrelationID returns a context with the correlation id.
func WithCorrelationID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, correlationKey{}, id)
}

// CorrelationID returns the correlation id of ctx, or "".
func CorrelationID(ctx context.Context) string {
	id, _ := ctx.Value(correlationKey{}).(string)
	return id
}
