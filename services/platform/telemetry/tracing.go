package telemetry

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Tracing creates the spans of a process. A nil Tracing creates none, at no cost.
type Tracing struct{ provider *sdk.TracerProvider }

// NewTracing returns the tracing that is configured by the environment variables of OpenTelemetry, or nil if it is off. It is on if
// OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT or OTEL_TRACES_EXPORTER is set. The exporter and the SDK read
// further variables from the environment of the process (OpenTelemetry Environment Variable Specification). NewTracing fails for
// settings that are not supported. Service is the default of service.name.
func NewTracing(ctx context.Context, service string, environment map[string]string) (*Tracing, error) {
	exporter := environment["OTEL_TRACES_EXPORTER"]
	endpoint := environment["OTEL_EXPORTER_OTLP_ENDPOINT"] + environment["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"]
	switch {
	case environment["OTEL_SDK_DISABLED"] == "true", exporter == "none", exporter == "" && endpoint == "":
		return nil, nil
	case exporter != "" && exporter != "otlp":
		return nil, fmt.Errorf("OTEL_TRACES_EXPORTER is %q: it must be otlp or none", exporter)
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"} {
		if protocol := environment[name]; protocol != "" && protocol != "http/protobuf" {
			return nil, fmt.Errorf("%s is %q: it must be http/protobuf, which collectors accept on port 4318", name, protocol)
		}
	}
	sampler, err := newSampler(environment["OTEL_TRACES_SAMPLER"], environment["OTEL_TRACES_SAMPLER_ARG"])
	if err != nil {
		return nil, err
	}
	otlp, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("create the trace exporter: %w", err)
	}
	about, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", service)), resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	return &Tracing{sdk.NewTracerProvider(
		sdk.WithSampler(sampler), sdk.WithSpanProcessor(masking{}), sdk.WithBatcher(otlp), sdk.WithResource(about),
	)}, nil
}

// newSampler returns the sampler with the name. No sampler is based on the parent, because the caller, who may be anyone, could then
// choose by the flag in traceparent. Samplers decide by the trace id only, so all services make the same decision.
func newSampler(name, arg string) (sdk.Sampler, error) {
	switch strings.TrimPrefix(name, "parentbased_") {
	case "", "always_on":
		return sdk.AlwaysSample(), nil
	case "always_off":
		return sdk.NeverSample(), nil
	case "traceidratio":
		ratio := 1.0
		if arg != "" {
			var err error
			if ratio, err = strconv.ParseFloat(arg, 64); err != nil || !(ratio >= 0 && ratio <= 1) {
				return nil, fmt.Errorf("OTEL_TRACES_SAMPLER_ARG is %q: it must be a number between 0 and 1, such as 0.01", arg)
			}
		}
		return sdk.TraceIDRatioBased(ratio), nil
	}
	return nil, fmt.Errorf("OTEL_TRACES_SAMPLER is %q: it must be always_on, always_off or traceidratio", name)
}

// masking masks the initial attributes of spans. Some are chosen by callers, such as the path of a request.
type masking struct{}

func (masking) OnStart(_ context.Context, span sdk.ReadWriteSpan) {
	for _, a := range span.Attributes() {
		if a.Value.Type() != attribute.STRING {
			continue
		}
		if text := a.Value.AsString(); masked(text) != text {
			span.SetAttributes(a.Key.String(masked(text)))
		}
	}
}

func (masking) OnEnd(sdk.ReadOnlySpan)           {}
func (masking) Shutdown(context.Context) error   { return nil }
func (masking) ForceFlush(context.Context) error { return nil }

// Stop sends the remaining spans and ends the tracing. It takes up to five seconds, even if ctx is done.
func (t *Tracing) Stop(ctx context.Context) error {
	if t == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return t.provider.Shutdown(ctx)
}

// Flush sends the spans that have ended. It takes up to one second. It is for processes that may be frozen between requests, such
// as a Lambda function.
func (t *Tracing) Flush(ctx context.Context) error {
	if t == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return t.provider.ForceFlush(ctx)
}

// Provider returns the provider for libraries that create spans. It panics if t is nil.
func (t *Tracing) Provider() trace.TracerProvider { return t.provider }

// Server returns a handler that calls h with a span for each request, except for /health and /ready. Name names the span.
func (t *Tracing) Server(h http.Handler) http.Handler {
	if t == nil {
		return h
	}
	return otelhttp.NewHandler(h, "request", otelhttp.WithTracerProvider(t.provider), otelhttp.WithPropagators(propagation.TraceContext{}),
		otelhttp.WithFilter(func(r *http.Request) bool { return r.URL.Path != "/health" && r.URL.Path != "/ready" }))
}

// Client returns a transport that sends each request with next, in a span.
func (t *Tracing) Client(next http.RoundTripper) http.RoundTripper {
	if t == nil {
		return next
	}
	return otelhttp.NewTransport(next, otelhttp.WithTracerProvider(t.provider), otelhttp.WithPropagators(propagation.TraceContext{}))
}

// Name sets the name of the span of ctx, if it is sampled, to the method and the route. It also records the operation id of the
// contract.
func Name(ctx context.Context, method, route, operationID string) {
	if span := trace.SpanFromContext(ctx); span.IsRecording() && operationID != "" {
		span.SetName(method + " " + route)
		span.SetAttributes(attribute.String("http.route", route), attribute.String("pedidos.operation_id", operationID))
	}
}

// Note sets the attribute pedidos.<name> of the span of ctx, if it is sampled. The value must be one of a small set, never from a
// caller.
func Note(ctx context.Context, name, value string) {
	if span := trace.SpanFromContext(ctx); span.IsRecording() {
		span.SetAttributes(attribute.String("pedidos."+name, value))
	}
}

// Link adds a link to the span of ctx, if it is sampled. It leads to the span of another context, in which part of the work is
// done.
func Link(ctx, to context.Context) {
	if span := trace.SpanFromContext(ctx); span.IsRecording() {
		span.AddLink(trace.LinkFromContext(to))
	}
}
