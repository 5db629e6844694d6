package server

import (
	"math"

	"github.com/pedidos-hq/pedidos/services/platform/process"
	"github.com/pedidos-hq/pedidos/services/platform/ratelimit"
)

// NewConfig returns the part of a Config that all services of a process share.
func NewConfig(p process.Process) Config {
	c := p.Config
	login := ""
	if c.CustomersPublicURL != "" {
		login = c.CustomersPublicURL + "/auth/login"
	}
	var limiter *ratelimit.Limiter
	if c.CallerRate > 0 {
		limiter = ratelimit.New(c.CallerRate, int(min(math.Ceil(c.CallerRate), math.MaxInt32)), p.Now) // at once, what may come in a second
	}
	return Config{
		Login: login, Limiter: limiter,
		Edge: Edge{Origins: c.CORSOrigins, Hosts: c.Hosts, TrustedProxies: c.Proxies(), Timeout: c.RequestTimeout},
		Log:  p.Log, Metrics: p.Metrics, Tracing: p.Tracing,
	}
}
