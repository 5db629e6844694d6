// Package auth identifies the callers of requests by access tokens (JWT) and service tokens, and checks logins.
//
// It is the only package that reads and writes JWTs.
package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
	"github.com/lestrrat-go/jwx/v2/jwt"
	"github.com/maypok86/otter/v2"
)

const (
	issuer   = "pedidos"
	audience = "pedidos"
	skew     = 60 * time.Second // tolerated difference between the clocks of two machines
)

// Tokens issues and verifies access tokens, which are JWTs (RFC 7519) signed with HS256. It tolerates clocks that differ by up to 60
// seconds. It is safe for concurrent use.
type Tokens struct {
	secrets  [][]byte // the first signs; all verify
	ttl      time.Duration
	now      func() time.Time
	verified *otter.Cache[digest, verified]
}

// digest is the SHA-256 of a token. With digests as keys, the cache holds no tokens, and all entries have the same size.
type digest = [sha256.Size]byte

// verified is the result of a verification and the time in which it is valid.
type verified struct {
	caller      Caller
	from, until time.Time
}

// cacheSize is the size of the cache of verified tokens, in tokens. Clients send the same token many times.
const cacheSize = 10_000

// NewTokens returns a Tokens with a comma-separated list of secrets. It signs with the first, and verifies with any of them, so
// that secrets can be rotated. Issued tokens are valid for ttl.
func NewTokens(secrets string, ttl time.Duration, now func() time.Time) *Tokens {
	t := &Tokens{ttl: ttl, now: now, verified: otter.Must(&otter.Options[digest, verified]{MaximumSize: cacheSize})}
	for secret := range strings.SplitSeq(secrets, ",") {
		t.secrets = append(t.secrets, []byte(strings.TrimSpace(secret)))
	}
	return t
}

// Issue returns a signed token for a user, and how long it is valid.
func (t *Tokens) Issue(user string, role Role) (token string, ttl time.Duration, err error) {
	now := t.now()
	claims, err := jwt.NewBuilder().
		Subject(user).Claim("role", string(role)).
		Issuer(issuer).Audience([]string{audience}).
		IssuedAt(now).NotBefore(now).Expiration(now.Add(t.ttl)).
		JwtID(rand.Text()).
		Build()
	if err != nil {
		return "", 0, fmt.Errorf("build token: %w", err)
	}
	signed, err := jwt.Sign(claims, jwt.WithKey(jwa.HS256, t.secrets[0]))
	if err != nil {
		return "", 0, fmt.Errorf("sign token: %w", err)
	}
	return string(signed), t.ttl, nil
}

// Verify returns the caller of a token, with the name "user:" and the subject. It accepts no algorithm but HS256. The error wraps
// ErrExpired if the token has a valid signature and has expired.
func (t *Tokens) Verify(token string) (Caller, error) {
	now := t.now()
	key := sha256.Sum256([]byte(token))
	v, ok := t.verified.GetIfPresent(key)
	if ok && !now.Before(v.from) && now.Before(v.until) {
		return v.caller, nil
	}
	v, err := t.verify(token, now)
	if err != nil {
		return Caller{}, fmt.Errorf("verify token: %w", err)
	}
	t.verified.Set(key, v)
	return v.caller, nil
}

func (t *Tokens) verify(token string, now time.Time) (verified, error) {
	payload, err := jws.Verify([]byte(token), jws.WithCompact(), jws.WithKeyProvider(jws.KeyProviderFunc(t.keys)))
	if err != nil {
		return verified{}, err
	}
	if err := checkDates(payload); err != nil {
		return verified{}, err
	}
	claims, err := jwt.Parse(payload, jwt.WithVerify(false), // the signature is verified above
		jwt.WithIssuer(issuer), jwt.WithAudience(audience), jwt.WithAcceptableSkew(skew),
		jwt.WithClock(jwt.ClockFunc(func() time.Time { return now })),
	)
	if errors.Is(err, jwt.ErrTokenExpired()) {
		return verified{}, fmt.Errorf("%w: %w", ErrExpired, err)
	}
	if err != nil {
		return verified{}, err
	}
	until := claims.Expiration().Add(skew)
	if !until.After(now) { // jwx accepts a token without exp, or with exp 0
		return verified{}, ErrExpired
	}
	if claims.Subject() == "" {
		return verified{}, errors.New("no subject")
	}
	role, _ := claims.Get("role")
	name, _ := role.(string)
	if !Role(name).Known() {
		return verified{}, errUnknownRole
	}
	return verified{caller: Caller{Name: "user:" + claims.Subject(), Role: Role(name)}, from: now, until: until}, nil
}

var errUnknownRole = errors.New("unknown role")

// checkDates refuses dates that are not numbers (RFC 7519, section 2). jwx also accepts strings.
func checkDates(payload []byte) error {
	var dates struct {
		Expiry    *float64 `json:"exp"`
		NotBefore *float64 `json:"nbf"`
		IssuedAt  *float64 `json:"iat"`
	}
	if err := json.Unmarshal(payload, &dates); err != nil {
		return fmt.Errorf("read claims: %w", err)
	}
	return nil
}

// keys provides the keys for a signature with the algorithm HS256. It refuses critical extensions, since it supports none (RFC 7515,
// section 4.1.11).
func (t *Tokens) keys(_ context.Context, sink jws.KeySink, signature *jws.Signature, _ *jws.Message) error {
	header := signature.ProtectedHeaders()
	if header.Algorithm() != jwa.HS256 {
		return errors.New("not signed with HS256")
	}
	if _, critical := header.Get(jws.CriticalKey); critical {
		return errors.New("unsupported critical extension")
	}
	for _, secret := range t.secrets {
		sink.Key(jwa.HS256, secret)
	}
	return nil
}
