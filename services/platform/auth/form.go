package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// ErrExpired is in the error of a Scheme where a token was good, and its time is over.
var ErrExpired = errors.New("the token has expired")

// Unverified returns the scheme of a service that passes tokens on and has no key to check them with. It refuses what no
// service can accept: a token that is not a JWT, has no signature or no role, or has expired. The caller is not known by
// name, and may have made up its role: the other service has the last word.
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
			Expiry float64 `json:"exp"` // seconds; 0 where there is none, which no service accepts
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
