package server

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/problem"
	"github.com/pedidos-hq/pedidos/services/platform/telemetry"
)

// Page is a route of a service that has pages instead of a contract.
type Page struct {
	Name         string // in logs and metrics
	Method, Path string // Path as in Echo, such as /orders/:id
	Handle       echo.HandlerFunc

	Long bool // the response is streamed and may take longer than Edge.Timeout
}

// NewPages returns a handler for pages. It has the middleware of New that needs no contract; use comes before what rejects
// requests, so its headers are on every page. Errors are answered by fail.
func NewPages(config Config, pages []Page, fail func(c echo.Context, e *fault.Error) error, use ...echo.MiddlewareFunc) http.Handler {
	all := map[string]*operation{}
	for _, p := range pages {
		all[p.Method+" "+p.Path] = &operation{id: p.Name, path: p.Path, long: p.Long}
	}
	s, e := newShared(config, all)
	s.respond = func(c echo.Context, e *fault.Error, _ error) error { return fail(c, e) }
	e.Use(use...)
	e.Use(s.admit)
	for _, p := range pages {
		e.Add(p.Method, p.Path, p.Handle)
	}
	return config.Tracing.Server(e)
}

// admit rejects requests that New also rejects before it looks at the contract, and limits the size of bodies.
func (s *shared) admit(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		op, _ := s.find(c)
		if err := refuseEarly(c, op); err != nil {
			return err
		}
		c.Request().Body = http.MaxBytesReader(c.Response(), c.Request().Body, maxBody)
		return next(c)
	}
}

// timeout returns a context that ends when the time for a request is over.
func (s *shared) timeout(ctx context.Context, c echo.Context) (context.Context, context.CancelFunc) {
	if op, ok := s.find(c); ok && op.long {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, s.config.Timeout)
}

// problem answers with a problem document, or with what Config.Document makes of it.
func (s *shared) problem(c echo.Context, e *fault.Error, cause error) error {
	doc := problem.Document(e, telemetry.TraceID(c.Request().Context()))
	var body any = doc
	if s.config.Document != nil {
		operationID := ""
		if op, ok := s.find(c); ok {
			operationID = op.id
		}
		body = s.config.Document(c, operationID, cause, doc)
	}
	c.Response().Header().Set(echo.HeaderContentType, problem.ContentType)
	return c.JSON(problem.Status(e), body)
}
