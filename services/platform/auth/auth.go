package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"strings"
)

// Role is the role of a caller.
type Role string

// The roles of users and integrators. The contract lists the roles of each operation as x-roles.
const (
	Viewer   Role = "viewer"
	Operator Role = "operator"
	Manager  Role = "manager"
	Admin    Role = "admin"
)

// The roles of other callers, whose operations x-roles does not limit.
const (
	Service   Role = "service"   // another service, with the service token
	Forwarded Role = "forwarded" // somebody whose token another service verifies
)

// Known reports whether r is a role of users and integrators.
func (r Role) Known() bool { return r == Viewer || r == Operator || r == Manager || r == Admin }

// Caller is the sender of a request.
type Caller struct {
	Name        string // identifies the caller, such as "user:ana" or "integrator:7"; idempotency keys are stored per Name
	Role        Role
	ID          int64  // of the user or integrator; 0 if it is not known
	DisplayName string // of the user or integrator, for people; "" if it is not known
	Session     int64  // the session that the token belongs to; 0 if there is none
}

// Scheme returns the caller of a bearer token, for one security scheme of the contract. It fails if the token is not valid. If it can't
// tell, its error has a fault.Error in its chain.
type Scheme func(ctx context.Context, token string) (Caller, error)

// KeysOrTokens returns a scheme that checks API keys with one scheme, and all other tokens with another.
func KeysOrTokens(keys, tokens Scheme) Scheme {
	return func(ctx context.Context, token string) (Caller, error) {
		if IsKey(token) {
			return keys(ctx, token)
		}
		return tokens(ctx, token)
	}
}

// ServiceTokens returns a scheme that accepts any token of a comma-separated list, and compares in constant time.
func ServiceTokens(list string) Scheme {
	var tokens []string
	for token := range strings.SplitSeq(list, ",") {
		if token = strings.TrimSpace(token); token != "" {
			tokens = append(tokens, token)
		}
	}
	return func(_ context.Context, token string) (Caller, error) {
		found := 0
		for _, t := range tokens {
			found |= constantTimeEqual(token, t)
		}
		if found == 0 {
			return Caller{}, errors.New("not a service token")
		}
		return Caller{Name: "service", Role: Service}, nil
	}
}

// constantTimeEqual returns 1 if a and b are equal, and 0 otherwise. It compares digests, so that the time does not reveal the
// length of the secret.
func constantTimeEqual(a, b string) int {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:])
}

// Bearer returns the token of an Authorization header (RFC 6750, section 2.1), and whether there is one. The case of the scheme does
// not matter.
func Bearer(header string) (string, bool) {
	scheme, token, ok := strings.Cut(header, " ")
	token = strings.TrimSpace(token)
	return token, ok && strings.EqualFold(scheme, "Bearer") && token != ""
}

type callerKey struct{}

// WithCaller returns a context with the caller.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// From returns the caller in ctx, and whether there is one.
func From(ctx context.Context) (Caller, bool) {
	c, ok := ctx.Value(callerKey{}).(Caller)
	return c, ok
}
