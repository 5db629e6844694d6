// Package ratelimit limits how many requests a caller may send.
package ratelimit

import (
	"net/netip"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/time/rate"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

// size is the number of callers that a Limiter remembers, in about 20 MB. It evicts the least active ones, whose limits then start anew.
const size = 100_000

// Limiter limits the requests of each caller, in the memory of one process. It is safe for concurrent use.
type Limiter struct {
	perSecond rate.Limit
	burst     int
	wait      time.Duration
	now       func() time.Time
	callers   *otter.Cache[string, *rate.Limiter]
}

// New returns a Limiter that lets each caller send burst requests at once, and perSecond requests a second after that. Both are more than 0.
func New(perSecond float64, burst int, now func() time.Time) *Limiter {
	return &Limiter{
		perSecond: rate.Limit(perSecond),
		burst:     burst,
		wait:      time.Duration(min(max(1/perSecond, 1), 3600) * float64(time.Second)), // at least 1 s, at most 1 h
		now:       now,
		callers:   otter.Must(&otter.Options[string, *rate.Limiter]{MaximumSize: size}),
	}
}

// Check returns nil if a caller may send a request now. Otherwise it returns a too_many_requests error with a message, and the time to wait.
func (l *Limiter) Check(caller, message string) error {
	limit, ok := l.callers.GetIfPresent(caller)
	if !ok {
		limit, _ = l.callers.SetIfAbsent(caller, rate.NewLimiter(l.perSecond, l.burst))
	}
	if limit.AllowN(l.now(), 1) {
		return nil
	}
	return &fault.Error{Code: common.CodeTooManyRequests, Message: message, RetryAfter: l.wait}
}

// Address returns the key of a client address: the IPv4 address, or the /64 of an IPv6 address, within which a client can choose.
func Address(ip string) string {
	address, err := netip.ParseAddr(ip)
	if err != nil || address.Unmap().Is4() {
		return address.Unmap().String()
	}
	return netip.PrefixFrom(address.WithZone(""), 64).Masked().String()
}
