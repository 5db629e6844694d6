// Package auth says who calls: access tokens (JWT), service tokens, and what a role may do.
//
// JWTs are read and written here alone. jwx is v2, which is in maintenance; a move to v3 is a change of this file.
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
	skew     = 60 * time.Second // how far the clocks of two machines may be apart
)

// Tokens issues and verifies access tokens: JWTs (RFC 7519), signed HS256. The times in a token are held to a clock that may be
// 60 seconds apart from the issuer's.
type Tokens struct {
	secrets  [][]byte // the first signs, all verify
	ttl      time.Duration
	now      func() time.Time
	verified *otter.Cache[digest, verified]
}

// digest is the SHA-256 of a token, so that a cache holds no token and every entry has the same size.
type digest = [sha256.Size]byte

// verified is the result of a verification, and the time in which it holds.
type verified struct {
	caller      Caller
	from, until time.Time
}

// remembered bounds the cache of verified tokens. Clients send the same token again and again.
const remembered = 10_000

// NewTokens returns the tokens of a comma-separated list of secrets: the first signs, and tokens of any are accepted. They
// live for ttl.
func NewTokens(secrets string, ttl time.Duration, now func() time.Time) *Tokens {
	t := &Tokens{ttl: ttl, now: now, verified: otter.Must(&otter.Options[digest, verified]{MaximumSize: remembered})}
	for secret := range strings.SplitSeq(secrets, ",") {
		t.secrets = append(t.secrets, []byte(strings.TrimSpace(secret)))
	}
	return t
}

// Issue signs a token for a user.
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

// Verify returns the caller that a token stands for. The only algorithm is HS256.
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
	if errors.Is(err, jwt.ErrTokenExpired()) { // its signature has been verified by then
		return verified{}, fmt.Errorf("%w: %w", ErrExpired, err)
	}
	if err != nil {
		return verified{}, err
	}
	until := claims.Expiration().Add(skew)
	if !until.After(now) { // jwx does not require exp, and takes 0 for none
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

// checkDates refuses dates that are not numbers (RFC 7519, 2). jwx also reads them from strings.
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

// keys returns the keys for a signature that names HS256 and no critical extension, of which none is understood here (RFC 7515,
// 4.1.11).
func (t *Tokens) keys(_ context.Context, sink jws.KeySink, signature *jws.Signature, _ *jws.Message) error {
	header := signature.ProtectedHeaders()
	if header.Algorithm() != jwa.HS256 {
		return errors.New("not signed with HS256")
	}
	if _, critical := header.Get(jws.CriticalKey); critical {
		return errors.New("a critical extension that is not understood")
	}
	for _, secret := range t.secrets {
		sink.Key(jwa.HS256, secret)
	}
	return nil
}
