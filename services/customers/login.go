package customers

import (
	"fmt"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"golang.org/x/time/rate"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/identity/guessing"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

// limitLogin returns a check that limits the attempts to log in of a client address, before their bodies are read.
func limitLogin(perSecond float64, burst int) func(echo.Context) error {
	tries := middleware.NewRateLimiterMemoryStoreWithConfig(middleware.RateLimiterMemoryStoreConfig{
		Rate: rate.Limit(perSecond), Burst: burst, ExpiresIn: 10 * time.Minute,
	})
	wait := time.Duration(min(max(1/perSecond, 1), 3600) * float64(time.Second)) // at least 1 s, at most 1 h
	return func(c echo.Context) error {
		ok, err := tries.Allow(guessing.Address(c.RealIP()))
		if err != nil {
			return fmt.Errorf("limit login: %w", err)
		}
		if !ok {
			return &fault.Error{
				Code: common.CodeTooManyRequests, Message: "Too many login attempts; try again later.", RetryAfter: wait,
			}
		}
		return nil
	}
}
