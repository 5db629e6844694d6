package telemetry_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/services/platform/telemetry"
)

func TestTracingIsOnWhereTheEnvironmentAsksForIt(t *testing.T) {
	t.Parallel()
	const endpoint, traces, exporter = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_TRACES_EXPORTER"
	for _, test := range []struct {
		name        string
		environment map[string]string
		on          bool
		refusal     string
	}{
		{name: "nothing set"},
		{name: "set to nothing, as Compose does", environment: map[string]string{endpoint: "", exporter: ""}},
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
		{name: "another exporter", environment: map[string]string{exporter: "zipkin"}, refusal: "OTEL_TRACES_EXPORTER"},
	} {
		tracing, err := telemetry.NewTracing(t.Context(), "orders", test.environment)
		if test.refusal != "" {
			if err == nil || !strings.HasPrefix(err.Error(), test.refusal+" ") {
				t.Errorf("%s: %v, want a sentence about %s", test.name, err, test.refusal)
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

// Where tracing is off the handler and the transport are those that were given, so that nothing is paid for it.
func TestNoTracingIsFree(t *testing.T) { // not parallel: allocations are counted
	var off *telemetry.Tracing
	if mux := http.NewServeMux(); off.Server(mux) != http.Handler(mux) {
		t.Error("the handler is another one")
	}
	if transport := (&http.Transport{}); off.Client(transport) != http.RoundTripper(transport) {
		t.Error("the transport is another one")
	}
	ctx := telemetry.Receive(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	if n := testing.AllocsPerRun(100, func() {
		telemetry.Name(ctx, http.MethodGet, "/orders", "listOrders")
		telemetry.Note(ctx, "idempotency", "first")
	}); n > 0 {
		t.Errorf("notes for nobody allocate %v times", n)
	}
}
