package customers

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"golang.org/x/time/rate"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

// limitLogin returns a check that limits the login attempts of a client address, by rateLimitKey.
func limitLogin(perSecond float64, burst int) func(echo.Context) error {
	tries := middleware.NewRateLimiterMemoryStoreWithConfig(middleware.RateLimiterMemoryStoreConfig{
		Rate: rate.Limit(perSecond), Burst: burst, ExpiresIn: 10 * time.Minute,
	})
	wait := time.Duration(min(max(1/perSecond, 1), 3600) * float64(time.Second)) // at least 1 s, at most 1 h
	return func(c echo.Context) error {
		ok, err := tries.Allow(rateLimitKey(c.RealIP()))
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

// rateLimitKey returns the IPv4 address, or the /64 of an IPv6 address.
func rateLimitKey(ip string) string {
	address, err := netip.ParseAddr(ip)
	if err != nil || address.Unmap().Is4() {
		return address.Unmap().String()
	}
	return netip.PrefixFrom(address.WithZone(""), 64).Masked().String()
}
