package server

import (
	"log/slog"

	"github.com/pedidos-hq/pedidos/services/platform/config"
)

// FromConfig is what the environment says of the server of any service.
func FromConfig(c *config.Config, log *slog.Logger) Config {
	return Config{
		Edge: Edge{Origins: c.CORSOrigins, TrustedProxies: c.Proxies(), Timeout: c.RequestTimeout},
		Log:  log,
	}
}
