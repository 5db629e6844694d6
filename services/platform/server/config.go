package server

import "github.com/pedidos-hq/pedidos/services/platform/process"

// NewConfig returns the part of a Config that all services of a process share.
func NewConfig(p process.Process) Config {
	c := p.Config
	login := ""
	if c.CustomersPublicURL != "" {
		login = c.CustomersPublicURL + "/auth/login"
	}
	return Config{
		Login: login,
		Edge:  Edge{Origins: c.CORSOrigins, Hosts: c.Hosts, TrustedProxies: c.Proxies(), Timeout: c.RequestTimeout},
		Log:   p.Log, Metrics: p.Metrics, Tracing: p.Tracing,
	}
}
