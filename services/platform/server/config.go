package server

import (
	"log/slog"

	"github.com/pedidos-hq/pedidos/services/platform/config"
	"github.com/pedidos-hq/pedidos/services/platform/metrics"
	"github.com/pedidos-hq/pedidos/services/platform/telemetry"
)

// FromConfig returns the configuration that all services take from the environment.
func FromConfig(c *config.Config, log *slog.Logger, m *metrics.Registry, t *telemetry.Tracing) Config {
	login := ""
	if c.CustomersPublicURL != "" {
		login = c.CustomersPublicURL + "/auth/login"
	}
	return Config{
		Login: login,
		Edge:  Edge{Origins: c.CORSOrigins, Hosts: c.Hosts, TrustedProxies: c.Proxies(), Timeout: c.RequestTimeout},
		Log:   log, Metrics: m, Tracing: t,
	}
}
