// Package telemetry makes the logger and carries the ids that tie log lines of all services together.
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

// NewLogger writes readable lines to a terminal and JSON elsewhere. Whatever else a text or an error holds, no line has a
// whole e-mail address, an access token, or a value that MySQL quotes in an error.
func NewLogger(w io.Writer, terminal bool, level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: mask}
	if terminal {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}

var (
	// An address has a domain in any script, a host without a dot, which is not a mere number, or an IP address in brackets. The
	// @ may be escaped, as in a query.
	email   = regexp.MustCompile(`([^\s"'<>/@=]?)[^\s"'<>/@=]*(@|%40)(` + label + `+(\.` + label + `+)+|` + label + `*\p{L}` + label + `*|\[[^\s\]]*\])`)
	jwt     = regexp.MustCompile(`eyJ[\w-]+(\.[\w-]*)*`) // how the JSON of every header begins, in base64
	quoting = regexp.MustCompile(`(?s)(Duplicate entry|value:|near) '.*'`)
)

// label is a character of one part of a domain.
const label = `[\p{L}\p{M}\p{N}_-]`

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

// masked is the text without what no log line and no span may have.
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
	return text
}

// Receive returns a context with the trace that the request belongs to (W3C Trace Context), or with a new one.
func Receive(r *http.Request) context.Context {
	if trace.SpanContextFromContext(r.Context()).IsValid() { // Tracing's
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
