package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// ErrExpired reports that a token has expired. Tokens returns it only for a token with a valid signature.
var ErrExpired = errors.New("the token has expired")

// Unverified returns a scheme for a service that forwards tokens and has no key to verify them. It refuses a token
// that is not a JWT, lacks a signature or a role, or has expired, with the tolerance of Tokens for clocks that differ. The caller's
// name is always "bearer". The role may be forged, so the service that receives the token must verify it.
func Unverified(now func() time.Time) Scheme {
	return func(token string) (Caller, error) {
		message, err := jws.Parse([]byte(token), jws.WithCompact())
		if err != nil {
			return Caller{}, fmt.Errorf("read token: %w", err)
		}
		signature := message.Signatures()[0]
		if alg := signature.ProtectedHeaders().Algorithm(); alg == "" || alg == jwa.NoSignature || len(signature.Signature()) == 0 {
			return Caller{}, errors.New("the token is not signed")
		}
		var claims struct {
			Expiry float64 `json:"exp"` // Unix time in seconds; 0, if absent, is in the past
			Role   Role
		}
		if err := json.Unmarshal(message.Payload(), &claims); err != nil {
			return Caller{}, fmt.Errorf("read claims: %w", err)
		}
		if float64(now().Add(-skew).Unix()) >= claims.Expiry {
			return Caller{}, ErrExpired
		}
		if !claims.Role.Known() {
			return Caller{}, errUnknownRole
		}
		return Caller{Name: "bearer", Role: claims.Role}, nil
	}
}
