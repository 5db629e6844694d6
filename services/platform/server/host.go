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

// checkHost refuses requests for other hosts. A page on the internet can have its own name resolve to this machine and then
// send requests here from the user's browser (DNS rebinding); the Host header is what gives it away.
func (s *shared) checkHost(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := misdirected(c.Request(), s.config.Hosts); err != nil {
			return err
		}
		return next(c)
	}
}

// misdirected returns the problem of a request for a host that is none of hosts. The port does not matter.
func misdirected(r *http.Request, hosts []string) error {
	name := r.Host // of the request target, where that is a whole URL
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
	return fault.New(common.CodeMisdirectedRequest, fmt.Sprintf("This service does not answer for the host %q; it does for %s.",
		clip(strings.ToValidUTF8(r.Host, "\uFFFD"), 100), strings.Join(hosts, ", ")))
}

// writeProblem answers with a problem document where there is no Echo.
func writeProblem(w http.ResponseWriter, r *http.Request, e *fault.Error) {
	problem.SetHeaders(w.Header(), e)
	w.Header().Set(echo.HeaderContentType, problem.ContentType)
	w.WriteHeader(problem.Status(e))
	_ = json.NewEncoder(w).Encode(problem.Document(e, telemetry.TraceID(telemetry.Receive(r))))
}
