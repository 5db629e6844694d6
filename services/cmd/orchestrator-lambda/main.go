// Command orchestrator-lambda is the orchestrator as an AWS Lambda behind an API Gateway HTTP API.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"

	runtime "github.com/aws/aws-lambda-go/lambda"
	"github.com/caarlos0/env/v11"

	"github.com/pedidos-hq/pedidos/services/orchestrator"
	"github.com/pedidos-hq/pedidos/services/orchestrator/lambda"
	"github.com/pedidos-hq/pedidos/services/platform/config"
	"github.com/pedidos-hq/pedidos/services/platform/telemetry"
)

func main() {
	if err := run(os.Environ(), os.Stderr); err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			fmt.Fprintln(os.Stderr, "orchestrator-lambda:", line)
		}
		os.Exit(1)
	}
}

// run returns where it can't start. Once it has, Lambda ends the process.
func run(environ []string, stderr io.Writer) error {
	environment := env.ToMap(environ)
	c, err := config.Read(environment)
	if err != nil {
		return err
	}
	if err := c.Check(config.Needs{ServiceToken: c.AllowAnonymous, OrdersAPI: true}); err != nil {
		return err
	}
	log := telemetry.NewLogger(stderr, false, c.LogLevel)
	log.Info("configuration", "environment", c)
	c.WarnLocal(log)
	tracing, err := telemetry.NewTracing(context.Background(), "orchestrator", environment)
	if err != nil {
		return err
	}
	handler, err := orchestrator.FromConfig(c, log, nil, tracing)
	if err != nil {
		return err
	}
	// The runtime writes to the standard logger, and only what went wrong.
	slog.SetDefault(log)
	slog.SetLogLoggerLevel(slog.LevelError)
	runtime.StartWithOptions(lambda.Handler(flushed(handler, tracing, log)))
	return nil
}

// flushed sends the spans of each request before it is answered: after that Lambda may stop the process for good.
func flushed(h http.Handler, tracing *telemetry.Tracing, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r)
		if err := tracing.Flush(r.Context()); err != nil {
			log.WarnContext(r.Context(), "spans not sent", "error", err)
		}
	})
}
