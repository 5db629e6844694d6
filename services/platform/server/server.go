// Package server serves the HTTP API of every service. Its middleware traces, logs and limits requests, recovers panics, and
// authorizes and validates requests by the contract before they reach the generated code. Errors become problem documents.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/metrics"
	"github.com/pedidos-hq/pedidos/services/platform/problem"
	"github.com/pedidos-hq/pedidos/services/platform/ratelimit"
	"github.com/pedidos-hq/pedidos/services/platform/telemetry"
)

// Config holds the per-service settings.
type Config struct {
	Service  string // name in logs and metrics
	Title    string
	Login    string                 // path or URL where the page logs in; without it, users paste a token
	Contract []byte                 // OpenAPI 3.0.3 in JSON
	Prefixes []string               // under which the routes are served too, such as /dev
	Schemes  map[string]auth.Scheme // by security scheme of the contract
	Edge
	Log     *slog.Logger
	Metrics *metrics.Registry
	Tracing *telemetry.Tracing

	Limiter *ratelimit.Limiter // of the requests of each caller; nil means no limit

	AllowAnonymous bool // a token is optional where the contract allows that

	// Admit has functions by operationId. They may refuse an authorized request before it is validated and its body is read.
	Admit map[string]func(c echo.Context) error

	// Document returns the body for an error, for a service that adds to its problem documents, and may set headers.
	// operationID is empty if the request matches no operation. doc describes cause.
	Document func(c echo.Context, operationID string, cause error, doc common.Problem) any
}

// Edge holds the settings of a deployment about its clients.
type Edge struct {
	Origins        []string      // allowed origins of browsers (CORS); empty turns CORS off
	Hosts          []string      // accepted names and addresses in the Host header; empty accepts all
	TrustedProxies []*net.IPNet  // networks of proxies whose X-Forwarded-For is trusted
	Timeout        time.Duration // limit for handling a request; 0 means 10 seconds
}

// New returns a handler that rejects requests that the contract does not allow, and passes others to the routes that register
// adds. It calls register once for each prefix. It fails if the contract is invalid.
func New(config Config, register func(router *echo.Echo, prefix string)) (http.Handler, error) {
	all, err := operations(config)
	if err != nil {
		return nil, err
	}
	s, e := newShared(config, all)
	if len(config.Origins) > 0 {
		e.Use(middleware.CORSWithConfig(middleware.CORSConfig{
			AllowOrigins:  config.Origins,
			AllowHeaders:  []string{"Authorization", "Content-Type", "Idempotency-Key", "X-Idempotency-Key", "If-Match", "X-Correlation-Id", "traceparent"},
			ExposeHeaders: []string{"ETag", "Location", "Retry-After", "Idempotency-Replayed", "X-Correlation-Id", "WWW-Authenticate"},
			MaxAge:        600,
		}))
	}
	e.Use(s.enforce)

	assets, err := docsAssets()
	if err != nil {
		return nil, err
	}
	for _, prefix := range append([]string{""}, config.Prefixes...) {
		e.GET(prefix+"/openapi.json", func(c echo.Context) error {
			return c.JSONBlob(http.StatusOK, config.Contract)
		})
		start := func(c echo.Context) error { return c.Redirect(http.StatusSeeOther, prefix+"/docs") }
		e.GET(prefix+"/", start)
		if prefix != "" {
			e.GET(prefix, start)
		}
		addDocs(e, prefix, config.Title, config.Login, assets)
		register(e, prefix)
	}
	for _, route := range e.Routes() {
		if s.operation(route.Method, route.Path) == nil {
			return nil, fmt.Errorf("the route %s %s is not in the contract", route.Method, route.Path)
		}
	}
	return config.Tracing.Server(e), nil
}

const defaultTimeout = 10 * time.Second

// newShared returns an Echo with the middleware that all services share.
func newShared(config Config, all map[string]*operation) (*shared, *echo.Echo) {
	if config.Timeout == 0 {
		config.Timeout = defaultTimeout
	}
	config.Log = config.Log.With("service", config.Service)
	e := echo.New()
	e.IPExtractor = echo.ExtractIPDirect()
	if len(config.TrustedProxies) > 0 {
		trust := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
		for _, network := range config.TrustedProxies {
			trust = append(trust, echo.TrustIPRange(network))
		}
		e.IPExtractor = echo.ExtractIPFromXFFHeader(trust...)
	}
	s := &shared{
		config: config, operations: all, traffic: newTraffic(config.Service, all, config.Metrics),
		limited: config.Metrics.CounterVec("pedidos_requests_limited_total", "Requests refused because their caller sends too many.", "service").
			WithLabelValues(config.Service),
	}
	s.respond = s.problem
	e.HTTPErrorHandler = s.handleError
	e.Use(s.trace, s.access, s.recover)
	if len(config.Hosts) > 0 {
		e.Use(s.checkHost)
	}
	return s, e
}

type shared struct {
	config     Config
	operations map[string]*operation
	traffic    *traffic
	limited    metrics.Counter
	respond    func(c echo.Context, e *fault.Error, cause error) error
}

// find returns the operation of a request.
func (s *shared) find(c echo.Context) (*operation, bool) {
	if strayed(c) {
		return nil, false
	}
	op := s.operation(c.Request().Method, c.Path())
	return op, op != nil
}

// operation returns the operation of an Echo route, or nil.
func (s *shared) operation(method, path string) *operation {
	for _, prefix := range s.config.Prefixes {
		if path == prefix {
			path += "/"
		}
		path = strings.TrimPrefix(path, prefix)
	}
	return s.operations[method+" "+path]
}

// strayed reports whether Echo chose a route that the path does not match in the contract. Echo accepts an empty path parameter
// and slashes in the last one.
func strayed(c echo.Context) bool {
	path := echo.GetPath(c.Request())
	return c.Path() != "" && (strings.Count(path, "/") != strings.Count(c.Path(), "/") ||
		strings.Contains(path, "//") || strings.HasSuffix(path, "/") && !strings.HasSuffix(c.Path(), "/"))
}

func (s *shared) trace(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		ctx, cancel := s.timeout(telemetry.Receive(c.Request()), c)
		defer cancel()
		if id := c.Request().Header.Get(telemetry.CorrelationHeader); ValidCorrelationID(id) {
			ctx = telemetry.WithCorrelationID(ctx, id)
		}
		c.SetRequest(c.Request().WithContext(ctx))
		return next(c)
	}
}

// access counts each request, names its span and logs one line. It also answers errors, because all three need the status of the
// answer.
func (s *shared) access(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		start := time.Now()
		s.traffic.inFlight.Inc()
		defer s.traffic.inFlight.Dec()
		if err := next(c); err != nil {
			c.Error(err)
		}
		r := c.Request()
		operationID := ""
		if op, ok := s.find(c); ok {
			operationID = op.id
			telemetry.Name(r.Context(), r.Method, op.path, op.id)
		}
		duration := time.Since(start)
		s.traffic.count(operationID, c.Response().Status, duration)
		level := slog.LevelInfo
		if operationID == "getHealth" || operationID == "getReady" || operationID == "getDocsAsset" {
			level = slog.LevelDebug
		}
		caller, _ := auth.From(r.Context())
		s.config.Log.LogAttrs(r.Context(), level, "request",
			slog.String("operationId", operationID),
			slog.String("method", r.Method),
			slog.String("path", r.URL.Path),
			slog.Int("status", c.Response().Status),
			slog.Float64("duration_ms", float64(duration.Microseconds())/1000),
			slog.Int64("bytes", c.Response().Size),
			slog.String("caller", caller.Name),
			slog.String("ip", c.RealIP()),
			slog.String("trace_id", telemetry.TraceID(r.Context())),
			slog.String("correlation_id", telemetry.CorrelationID(r.Context())),
		)
		return nil
	}
}

func (s *shared) recover(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler { //nolint:errorlint // as net/http compares it
					panic(p)
				}
				err = &panicked{value: p, stack: debug.Stack()}
			}
		}()
		return next(c)
	}
}

// panicked is the error of a panic.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprintf("panic: %v", p.value) }

// enforce authorizes and validates requests by the contract.
func (s *shared) enforce(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		op, known := s.find(c)
		if err := refuseEarly(c, op); err != nil {
			return err
		}
		if !known { // Echo answers 404 or 405
			return next(c)
		}
		caller, err := op.access.authorize(c.Request(), s.config.Schemes)
		if err != nil {
			return err
		}
		if caller.Name != "" {
			c.SetRequest(c.Request().WithContext(auth.WithCaller(c.Request().Context(), caller)))
		}
		if err := s.limit(c, op, caller); err != nil {
			return err
		}
		if op.admit != nil {
			if err := op.admit(c); err != nil {
				return err
			}
		}
		if err := op.input.validate(c); err != nil {
			return err
		}
		if err := op.access.authorizeFields(caller, c.Request().Body); err != nil {
			return err
		}
		return next(c)
	}
}

// refuseEarly rejects stray paths, and requests that a server can't take while it is overloaded or shuts down. An unknown operation
// is nil.
func refuseEarly(c echo.Context, op *operation) error {
	ctx := c.Request().Context()
	switch {
	case strayed(c):
		return echo.ErrNotFound
	case op == nil || op.id == "getHealth":
		return nil
	case op.id == "getReady":
		if leaving(ctx) {
			return errLeaving
		}
	case overloaded(ctx):
		return errOverloaded
	}
	return nil
}

// limit returns an error if a caller sends too many requests. Callers without a token are limited by address. Services, and
// operations without an answer 429 in the contract, have no limit.
func (s *shared) limit(c echo.Context, op *operation, caller auth.Caller) error {
	if s.config.Limiter == nil || !op.limited || caller.Role == auth.Service {
		return nil
	}
	name := caller.Name
	if name == "" {
		name = ratelimit.Address(c.RealIP())
	}
	err := s.config.Limiter.Check(name, "This caller sends too many requests; try again later.")
	if err != nil {
		s.limited.Inc()
	}
	return err
}

// ValidCorrelationID reports whether id is a correlation id that the contracts allow.
func ValidCorrelationID(id string) bool {
	return id != "" && len(id) <= 128 && strings.Trim(id,
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:/+=@-") == ""
}

// handleError answers every error and logs every 5xx.
func (s *shared) handleError(err error, c echo.Context) {
	ctx := c.Request().Context()
	e := s.classify(err, c)
	if problem.Status(e) >= http.StatusInternalServerError && e != errLeaving && e != errOverloaded &&
		(e.Code == common.CodeInternal || !errors.Is(ctx.Err(), context.Canceled)) { // other codes may be due to a client that hung up
		attrs := []slog.Attr{
			slog.String("code", string(e.Code)),
			slog.Any("cause", err),
			slog.String("trace_id", telemetry.TraceID(ctx)),
			slog.String("correlation_id", telemetry.CorrelationID(ctx)),
		}
		if p := (*panicked)(nil); errors.As(err, &p) {
			attrs = append(attrs, slog.String("stack", string(p.stack)))
		}
		s.config.Log.LogAttrs(ctx, slog.LevelError, "request failed", attrs...)
	}
	if c.Response().Committed {
		return
	}
	problem.SetHeaders(c.Response().Header(), e)
	if err := s.respond(c, e, err); err != nil {
		s.config.Log.WarnContext(ctx, "answer not sent", "error", err)
	}
}

// classify converts the errors of Echo and of the context.
func (s *shared) classify(err error, c echo.Context) *fault.Error {
	var own *fault.Error
	var echos *echo.HTTPError
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &echos):
		switch echos.Code {
		case http.StatusNotFound:
			return fault.New(common.CodeNotFound, "There is nothing at this path.")
		case http.StatusMethodNotAllowed:
			return fault.New(common.CodeMethodNotAllowed, fmt.Sprintf("This path does not support %s.", clip(c.Request().Method, 20)))
		case http.StatusBadRequest: // from the generated binder, for a value that the validator accepts but the Go type does not
			return fault.Invalid(common.FieldError{Field: "request", Message: clip(fmt.Sprint(echos.Message), 1000)})
		}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return fault.Unavailable(common.CodeUnavailable, "The service did not finish in time.", err)
	}
	return fault.From(err)
}
