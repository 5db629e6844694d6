package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"strings"
)

// Role is what a caller is.
type Role string

// The roles. Which operation takes which is said in the contract, as x-roles.
const (
	Admin   Role = "admin"   // may do everything
	Viewer  Role = "viewer"  // may read
	Service Role = "service" // another service, on the operations that take the service token
)

// Known reports whether it is a role that people have.
func (r Role) Known() bool { return r == Admin || r == Viewer }

// Caller is who sent a request. Name is unique among callers: idempotency keys are kept per Name.
type Caller struct {
	Name string
	Role Role
}

// Scheme recognises the bearer token of one security scheme of the contract.
type Scheme func(token string) (Caller, error)

// ServiceTokens returns the scheme of a comma-separated list of shared secrets; any of them is taken.
func ServiceTokens(list string) Scheme {
	var known []string
	for token := range strings.SplitSeq(list, ",") {
		if token = strings.TrimSpace(token); token != "" {
			known = append(known, token)
		}
	}
	return func(token string) (Caller, error) {
		found := 0
		for _, k := range known {
			found |= constantTimeEqual(token, k)
		}
		if found == 0 {
			return Caller{}, errors.New("not a service token")
		}
		return Caller{Name: "service", Role: Service}, nil
	}
}

// User is a name and a password that may log in.
type User struct {
	Name, Password string
	Role           Role
}

// Login returns the user of these credentials. It takes the same time whether the name, the password or neither fits.
func Login(users []User, name, password string) (User, bool) {
	var found User
	ok := 0
	for _, u := range users {
		if constantTimeEqual(name, u.Name)&constantTimeEqual(password, u.Password) == 1 {
			found, ok = u, 1
		}
	}
	return found, ok == 1
}

// constantTimeEqual compares digests, so that not even the length of the secret shows in the time.
func constantTimeEqual(a, b string) int {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:])
}

// Bearer returns the token of an Authorization header (RFC 6750, 2.1); the scheme's case does not count.
func Bearer(header string) (string, bool) {
	scheme, token, ok := strings.Cut(header, " ")
	token = strings.TrimSpace(token)
	return token, ok && strings.EqualFold(scheme, "Bearer") && token != ""
}

type callerKey struct{}

// WithCaller returns a context that carries who sent the request.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// From returns who sent the request.
func From(ctx context.Context) (Caller, bool) {
	c, ok := ctx.Value(callerKey{}).(Caller)
	return c, ok
}
