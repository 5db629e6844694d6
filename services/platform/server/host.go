package server

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/problem"
	"github.com/pedidos-hq/pedidos/services/platform/telemetry"
)

// checkHost rejects requests for other hosts. This prevents DNS rebinding, where a web page makes its own name resolve to this
// machine and sends requests from the user's browser. The Host header of these has the name of the page.
func (s *shared) checkHost(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := misdirected(c.Request(), s.config.Hosts); err != nil {
			return err
		}
		return next(c)
	}
}

// misdirected returns an error if the host of a request is not one of hosts. It ignores the port.
func misdirected(r *http.Request, hosts []string) error {
	name := r.Host // net/http takes it from the request target if that is an absolute URL
	if host, _, err := net.SplitHostPort(name); err == nil {
		name = host
	}
	if inner, ok := strings.CutPrefix(name, "["); ok {
		if inner, ok = strings.CutSuffix(inner, "]"); ok {
			name = inner
		}
	}
	ip := net.ParseIP(name)
	if slices.ContainsFunc(hosts, func(host string) bool {
		return strings.EqualFold(host, name) || ip != nil && ip.Equal(net.ParseIP(host))
	}) {
		return nil
	}
	return fault.New(common.CodeMisdirectedRequest, fmt.Sprintf("This service does not serve the host %q, only %s.",
		clip(strings.ToValidUTF8(r.Host, "\uFFFD"), 100), strings.Join(hosts, ", ")))
}

// writeProblem answers with a problem document, for handlers outside Echo.
func writeProblem(w http.ResponseWriter, r *http.Request, e *fault.Error) {
	problem.SetHeaders(w.Header(), e)
	w.Header().Set(echo.HeaderContentType, problem.ContentType)
	w.WriteHeader(problem.Status(e))
	_ = json.NewEncoder(w).Encode(problem.Document(e, telemetry.TraceID(telemetry.Receive(r))))
}
