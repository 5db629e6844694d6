// Command orchestrator-lambda runs the orchestrator as an AWS Lambda function behind an API Gateway HTTP API.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	runtime "github.com/aws/aws-lambda-go/lambda"
	"github.com/caarlos0/env/v11"

	"github.com/pedidos-hq/pedidos/services/orchestrator"
	"github.com/pedidos-hq/pedidos/services/orchestrator/lambda"
	"github.com/pedidos-hq/pedidos/services/platform/config"
	"github.com/pedidos-hq/pedidos/services/platform/process"
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

// run returns only if the start fails, because Lambda ends the process.
func run(environ []string, stderr io.Writer) error {
	environment := env.ToMap(environ)
	c, err := config.Read(environment)
	if err != nil {
		return err
	}
	if err := c.Check(config.Needs{OrdersAPI: true, Anonymous: true}); err != nil {
		return err
	}
	p := process.Process{Config: c, Log: telemetry.NewLogger(stderr, false, c.LogLevel), Now: time.Now}
	p.Log.Info("configuration", "environment", c)
	c.WarnLocal(p.Log)
	if p.Tracing, err = telemetry.NewTracing(context.Background(), "orchestrator", environment); err != nil {
		return err
	}
	service, err := orchestrator.New(p)
	if err != nil {
		return err
	}
	// The runtime logs only failures, with the standard logger.
	slog.SetDefault(p.Log)
	slog.SetLogLoggerLevel(slog.LevelError)
	runtime.StartWithOptions(lambda.Handler(flushSpans(service, p.Tracing, p.Log)))
	return nil
}

// flushSpans sends the spans of each request before its answer, because Lambda may never run the process again.
func flushSpans(h http.Handler, tracing *telemetry.Tracing, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r)
		if err := tracing.Flush(r.Context()); err != nil {
			log.WarnContext(r.Context(), "spans not sent", "error", err)
		}
	})
}
