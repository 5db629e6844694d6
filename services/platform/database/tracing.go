package database

import (
	"context"
	"database/sql/driver"
	"slices"
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

// spanName returns the names of the queries in sql/queries of which a message consists; sqlc writes each in a comment before the query.
// Other statements, such as BEGIN, are named by their first line.
func spanName(method, query string) string {
	if query == "" {
		return method
	}
	var names []string
	for statement := range strings.SplitSeq(query, ";\n") {
		if named, ok := strings.CutPrefix(statement, "-- name: "); ok {
			name, _, _ := strings.Cut(named, " ")
			names = append(names, name)
		}
	}
	if len(names) > 0 {
		return strings.Join(slices.Compact(names), ", ")
	}
	first, _, _ := strings.Cut(query, "\n")
	return first
}
