package telemetry_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/trace"

	"github.com/pedidos-hq/pedidos/services/platform/telemetry"
)

func TestNewTracing(t *testing.T) {
	t.Parallel()
	const endpoint, traces, exporter = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_TRACES_EXPORTER"
	for _, test := range []struct {
		name        string
		environment map[string]string
		on          bool
		refusal     string
	}{
		{name: "nothing set"},
		{name: "set to empty, as Compose does", environment: map[string]string{endpoint: "", exporter: ""}},
		{name: "endpoint", environment: map[string]string{endpoint: "http://127.0.0.1:4318"}, on: true},
		{name: "endpoint of traces", environment: map[string]string{traces: "http://127.0.0.1:4318/v1/traces"}, on: true},
		{name: "exporter", environment: map[string]string{exporter: "otlp"}, on: true},
		{name: "exporter none", environment: map[string]string{endpoint: "http://127.0.0.1:4318", exporter: "none"}},
		{name: "disabled", environment: map[string]string{endpoint: "http://127.0.0.1:4318", "OTEL_SDK_DISABLED": "true"}},
		{name: "protocol", environment: map[string]string{endpoint: "http://127.0.0.1:4318", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, on: true},
		{name: "another protocol", environment: map[string]string{endpoint: "http://127.0.0.1:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
			refusal: "OTEL_EXPORTER_OTLP_PROTOCOL"},
		{name: "another protocol of traces", environment: map[string]string{exporter: "otlp", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/json"},
			refusal: "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"},
		{name: "sampler", environment: map[string]string{exporter: "otlp", "OTEL_TRACES_SAMPLER": "parentbased_traceidratio"}, on: true},
		{name: "another sampler", environment: map[string]string{exporter: "otlp", "OTEL_TRACES_SAMPLER": "jaeger_remote"},
			refusal: "OTEL_TRACES_SAMPLER"},
		{name: "ratio not a number", environment: map[string]string{exporter: "otlp", "OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "1%"},
			refusal: "OTEL_TRACES_SAMPLER_ARG"},
		{name: "ratio above 1", environment: map[string]string{exporter: "otlp", "OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "1.5"},
			refusal: "OTEL_TRACES_SAMPLER_ARG"},
		{name: "another exporter", environment: map[string]string{exporter: "zipkin"}, refusal: "OTEL_TRACES_EXPORTER"},
	} {
		tracing, err := telemetry.NewTracing(t.Context(), "orders", test.environment)
		if test.refusal != "" {
			if err == nil || !strings.HasPrefix(err.Error(), test.refusal+" ") {
				t.Errorf("%s: %v, want an error about %s", test.name, err, test.refusal)
			}
			continue
		}
		if err != nil || (tracing != nil) != test.on {
			t.Errorf("%s: tracing %t, %v, want %t", test.name, tracing != nil, err, test.on)
		}
		if err := tracing.Stop(t.Context()); err != nil {
			t.Errorf("%s: stop: %v", test.name, err)
		}
	}
}

// sampled reports whether a request with this traceparent is sampled.
func sampled(t *testing.T, sampler, ratio, traceparent string) bool {
	t.Helper()
	tracing, err := telemetry.NewTracing(t.Context(), "orders", map[string]string{
		"OTEL_TRACES_EXPORTER": "otlp", "OTEL_TRACES_SAMPLER": sampler, "OTEL_TRACES_SAMPLER_ARG": ratio,
	})
	if err != nil {
		t.Fatal(err)
	}
	kept := false
	handler := tracing.Server(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		kept = trace.SpanContextFromContext(r.Context()).IsSampled()
	}))
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	r.Header.Set("traceparent", traceparent)
	handler.ServeHTTP(httptest.NewRecorder(), r)
	return kept
}

// The caller's sampled flag is ignored. With a ratio below 1, the trace id decides, in the same way in all services.
func TestSampling(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		sampler, ratio string
		want           bool
	}{
		{"", "", true},
		{"always_on", "", true},
		{"parentbased_always_on", "", true},
		{"always_off", "", false},
		{"parentbased_always_off", "", false},
		{"traceidratio", "", true},
		{"parentbased_traceidratio", "1", true},
		{"parentbased_traceidratio", "0", false},
	} {
		for _, flags := range []string{"00", "01"} {
			if got := sampled(t, test.sampler, test.ratio, "00-"+traceID+"-00f067aa0ba902b7-"+flags); got != test.want {
				t.Errorf("%s %s, flags %s: sampled %t, want %t", test.sampler, test.ratio, flags, got, test.want)
			}
		}
	}
	kept := 0
	for i := range 64 {
		id := fmt.Sprintf("00-%016x%016x-00f067aa0ba902b7-", 1, uint64(i)<<58)
		first := sampled(t, "parentbased_traceidratio", "0.5", id+"00")
		if second := sampled(t, "traceidratio", "0.5", id+"01"); second != first {
			t.Errorf("%s: sampled %t by one service and %t by another", id, first, second)
		}
		if first {
			kept++
		}
	}
	if kept != 32 {
		t.Errorf("%d of 64 are kept, want half", kept)
	}
}

// A nil Tracing returns the handler and the transport unchanged.
func TestNoTracing(t *testing.T) { // not parallel, because it counts allocations
	var off *telemetry.Tracing
	if mux := http.NewServeMux(); off.Server(mux) != http.Handler(mux) {
		t.Error("Server returned another handler")
	}
	if transport := (&http.Transport{}); off.Client(transport) != http.RoundTripper(transport) {
		t.Error("Client returned another transport")
	}
	ctx := telemetry.Receive(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	if n := testing.AllocsPerRun(100, func() {
		telemetry.Name(ctx, http.MethodGet, "/orders", "listOrders")
		telemetry.Note(ctx, "idempotency", "first")
	}); n > 0 {
		t.Errorf("Name and Note without a sampled span: %v allocations, want 0", n)
	}
}
