package database

import (
	"context"
	"database/sql/driver"
	"strings"

	"github.com/XSAM/otelsql"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/trace"

	"github.com/pedidos-hq/pedidos/services/platform/telemetry"
)

// spans returns the options of tracing. Each statement of a sampled request gets a span with the text of the statement, without
// its arguments. Errors are not recorded, because MySQL's errors quote values.
func spans(t *telemetry.Tracing, system string) []otelsql.Option {
	return []otelsql.Option{
		otelsql.WithTracerProvider(t.Provider()),
		otelsql.WithMeterProvider(noop.NewMeterProvider()),
		otelsql.WithAttributes(attribute.String("db.system.name", system)),
		otelsql.WithSpanNameFormatter(func(_ context.Context, method otelsql.Method, query string) string {
			return spanName(string(method), query)
		}),
		otelsql.WithSpanOptions(otelsql.SpanOptions{
			OmitConnResetSession: true, OmitConnPrepare: true, OmitRows: true, OmitConnectorConnect: true,
			RecordError: func(error) bool { return false },
			SpanFilter: func(ctx context.Context, _ otelsql.Method, _ string, _ []driver.NamedValue) bool {
				return trace.SpanFromContext(ctx).IsRecording()
			},
		}),
	}
}

// spanName returns the name of a query in sql/queries, which sqlc writes in a comment before it. Other statements, such as BEGIN,
// are named by their first line.
func spanName(method, query string) string {
	if named, ok := strings.CutPrefix(query, "-- name: "); ok {
		name, _, _ := strings.Cut(named, " ")
		return name
	}
	if query == "" {
		return method
	}
	first, _, _ := strings.Cut(query, "\n")
	return first
}
