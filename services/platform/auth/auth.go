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

// The roles. The contract lists the roles of each operation as x-roles.
const (
	Admin   Role = "admin"   // may read and write
	Viewer  Role = "viewer"  // may read
	Service Role = "service" // another service, with the service token
)

// Known reports whether r is a role of users: Admin or Viewer.
func (r Role) Known() bool { return r == Admin || r == Viewer }

// Caller is the sender of a request. Name identifies the caller, such as "user:ana". Idempotency keys are stored per Name.
type Caller struct {
	Name string
	Role Role
}

// Scheme returns the caller of a bearer token, for one security scheme of the contract. It fails if the token is not valid.
type Scheme func(token string) (Caller, error)

// ServiceTokens returns a scheme that accepts any token of a comma-separated list, and compares in constant time.
func ServiceTokens(list string) Scheme {
	var tokens []string
	for token := range strings.SplitSeq(list, ",") {
		if token = strings.TrimSpace(token); token != "" {
			tokens = append(tokens, token)
		}
	}
	return func(token string) (Caller, error) {
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

// User is a user who may log in.
type User struct {
	Name, Password string
	Role           Role
}

// Login returns the user with the name and the password, and whether there is one. It takes the same time whichever of the two is
// wrong.
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
