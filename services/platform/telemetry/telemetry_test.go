package telemetry_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/services/platform/telemetry"
)

const traceID = "4bf92f3577b34da6a3ce929d0e0e4736"

func receive(t *testing.T, traceparent string) context.Context {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	if traceparent != "" {
		r.Header.Set("traceparent", traceparent)
	}
	return telemetry.Receive(r)
}

func TestTraceContinues(t *testing.T) {
	t.Parallel()
	for _, flags := range []string{"00", "01"} {
		ctx := receive(t, "00-"+traceID+"-00f067aa0ba902b7-"+flags)
		if got := telemetry.TraceID(ctx); got != traceID {
			t.Errorf("trace id %s, want %s", got, traceID)
		}
		h := http.Header{}
		telemetry.Send(ctx, h)
		sent := h.Get("traceparent")
		if !strings.HasPrefix(sent, "00-"+traceID+"-") || !strings.HasSuffix(sent, "-"+flags) {
			t.Errorf("sent %s, want the received trace and flags", sent)
		}
		if strings.Contains(sent, "00f067aa0ba902b7") {
			t.Errorf("sent %s, want a new span id", sent)
		}
	}
}

func TestNewTrace(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, traceparent := range []string{
		"", "",
		"garbage",
		"00-" + traceID,
		"00-00000000000000000000000000000000-00f067aa0ba902b7-01",
		"00-" + traceID + "-0000000000000000-01",
		"00-" + strings.ToUpper(traceID) + "-00f067aa0ba902b7-01",
		"ff-" + traceID + "-00f067aa0ba902b7-01",
	} {
		id := telemetry.TraceID(receive(t, traceparent))
		if !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(id) || seen[id] || id == traceID || id == strings.Repeat("0", 32) {
			t.Errorf("traceparent %q: trace id %q, want a new one", traceparent, id)
		}
		seen[id] = true
	}
}

func TestCorrelationID(t *testing.T) {
	t.Parallel()
	if id := telemetry.CorrelationID(t.Context()); id != "" {
		t.Errorf("correlation id of an empty context: %q", id)
	}
	h := http.Header{}
	telemetry.Send(t.Context(), h)
	if len(h) != 0 {
		t.Errorf("an empty context sends %v", h)
	}
	telemetry.Send(telemetry.WithCorrelationID(t.Context(), "order-7"), h)
	if got := h.Get("X-Correlation-Id"); got != "order-7" {
		t.Errorf("X-Correlation-Id = %q, want order-7", got)
	}
}

func TestLogger(t *testing.T) {
	t.Parallel()
	var terminal, file bytes.Buffer
	for w, isTerminal := range map[*bytes.Buffer]bool{&terminal: true, &file: false} {
		log := telemetry.NewLogger(w, isTerminal, slog.LevelInfo)
		log.Debug("too quiet")
		log.Info("hello", "n", 1)
	}
	if got := terminal.String(); !strings.HasSuffix(got, "level=INFO msg=hello n=1\n") || strings.Count(got, "\n") != 1 {
		t.Errorf("terminal: %q", got)
	}
	if got := file.String(); !strings.HasSuffix(got, `"level":"INFO","msg":"hello","n":1}`+"\n") || strings.Count(got, "\n") != 1 {
		t.Errorf("file: %q", got)
	}
}

func TestLoggerMasks(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ text, want string }{
		{"ana@acme.example", "a…@acme.example"},
		{"/customers/ana.maria+b2b@mail.acme.example/x", "/customers/a…@mail.acme.example/x"},
		{"from <ana@acme.example> to bo@x.example", "from <a…@acme.example> to b…@x.example"},
		{"erp@7", "erp@7"},
		{"order@home", "o…@home"},
		{"ü@exämple.com", "ü…@exämple.com"},
		{"jürgen.müller@bücher.example", "j…@bücher.example"},
		{"пётр@пример.рф", "п…@пример.рф"},
		{"田中@例え。テスト", "田…@例え。テスト"},
		{"/customers/root@localhost/x", "/customers/r…@localhost/x"},
		{"root@[127.0.0.1]", "r…@[127.0.0.1]"},
		{"GET http://x/customers?limit=5&search=ana.maria%40acme.example", "GET http://x/customers?limit=5&search=a…%40acme.example"},
		{"ana@xn--bcher-kva.example.", "a…@xn--bcher-kva.example."},
		{"/orders/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln", "/orders/eyJ…"},
		{"/orders/ped_17_SLYJNGTNKLXKONG2MF7ZYM3KAPTY", "/orders/ped_17_…"},
		{"token=pes_SLYJNGTN&setup=pet_HS5B6HPM", "token=pes_…&setup=pet_…"},
		{"carpet_ABC and pets_ABC", "carpet_ABC and pets_ABC"},
		{"Error 1062 (23000): Duplicate entry 'user:admin-it's my key' for key 'orders_idempotency.PRIMARY'", "Error 1062 (23000): Duplicate entry '…'"},
		{"Error 1292 (22007): Incorrect datetime value: 'soon' for column 'at'", "Error 1292 (22007): Incorrect datetime value: '…'"},
		{"Error 1064 (42000): You have an error in your SQL syntax near 'x'\nVALUES ('secret')' at line 1", "Error 1064 (42000): You have an error in your SQL syntax near '…' at line 1"},
		{"Order 7 is canceled.", "Order 7 is canceled."},
	} {
		for _, terminal := range []bool{true, false} {
			var out bytes.Buffer
			log := telemetry.NewLogger(&out, terminal, slog.LevelInfo).With("service", test.text)
			log.Info("x", "text", test.text, "error", fmt.Errorf("it failed: %w", errors.New(test.text)), slog.Group("in", "text", test.text))
			want := strings.ReplaceAll(test.want, "\n", `\n`)
			if got := out.String(); strings.Count(got, want) != 4 || test.text != test.want && strings.Contains(got, test.text) {
				t.Errorf("terminal %t: logged %s, want %s four times", terminal, got, test.want)
			}
		}
	}
}
