package customers

import (
	"time"

	"github.com/labstack/echo/v4"

	"github.com/pedidos-hq/pedidos/services/platform/ratelimit"
)

// limitLogin returns a check that limits the attempts to log in of a client address, before their bodies are read.
func limitLogin(perSecond float64, burst int, now func() time.Time) func(echo.Context) error {
	attempts := ratelimit.New(perSecond, burst, now)
	return func(c echo.Context) error {
		return attempts.Check(ratelimit.Address(c.RealIP()), "Too many login attempts; try again later.")
	}
}
