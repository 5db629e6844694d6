// Package auth says who calls: access tokens (JWT), service tokens, and what a role may do.
//
// JWTs are read and written here alone. jwx is v2, which is in maintenance; a move to v3 is a change of this file.
package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
	"github.com/lestrrat-go/jwx/v2/jwt"
)

const (
	issuer   = "pedidos"
	audience = "pedidos"
)

// Tokens issues and verifies access tokens: JWTs (RFC 7519), signed HS256.
type Tokens struct {
	secrets [][]byte // the first signs, all verify
	ttl     time.Duration
	now     func() time.Time

	mu       sync.RWMutex
	verified map[string]verified // by token
}

// verified is who a token speaks for, and from when on and until when that is known.
type verified struct {
	caller      Caller
	from, until time.Time
}

// remembered is how many tokens that were verified are remembered: clients send the same one again and again.
const remembered = 1_000

// NewTokens returns the tokens of a comma-separated list of secrets: the first signs, and tokens of any are taken. They
// live for ttl.
func NewTokens(secrets string, ttl time.Duration, now func() time.Time) *Tokens {
	t := &Tokens{ttl: ttl, now: now, verified: map[string]verified{}}
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

// Verify returns who a token speaks for. The algorithm is HS256: a token whose header says another is refused.
func (t *Tokens) Verify(token string) (Caller, error) {
	now := t.now()
	t.mu.RLock()
	v, ok := t.verified[token]
	t.mu.RUnlock()
	if ok && !now.Before(v.from) && now.Before(v.until) {
		return v.caller, nil
	}
	v, err := t.verify(token, now)
	if err != nil {
		return Caller{}, fmt.Errorf("verify token: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.verified) >= remembered { // those that are still sent come back
		clear(t.verified)
	}
	t.verified[token] = v
	return v.caller, nil
}

func (t *Tokens) verify(token string, now time.Time) (verified, error) {
	claims, err := jwt.ParseString(token,
		jwt.WithKeyProvider(jws.KeyProviderFunc(t.keys)),
		jwt.WithIssuer(issuer), jwt.WithAudience(audience),
		jwt.WithClock(jwt.ClockFunc(func() time.Time { return now })),
	)
	if err != nil {
		return verified{}, err
	}
	if claims.Subject() == "" || !claims.Expiration().After(now) { // jwx requires neither, and takes an exp of 0 for none
		return verified{}, errors.New("no subject, or expired")
	}
	role, _ := claims.Get("role")
	switch name, _ := role.(string); Role(name) {
	case Admin, Viewer:
		caller := Caller{Name: "user:" + claims.Subject(), Role: Role(name)}
		return verified{caller: caller, from: now, until: claims.Expiration()}, nil
	}
	return verified{}, errors.New("unknown role")
}

// keys gives the keys to a signature that says it is HS256, where it is the only one.
func (t *Tokens) keys(_ context.Context, sink jws.KeySink, signature *jws.Signature, message *jws.Message) error {
	if len(message.Signatures()) != 1 || signature.ProtectedHeaders().Algorithm() != jwa.HS256 {
		return errors.New("not signed with HS256")
	}
	for _, secret := range t.secrets {
		sink.Key(jwa.HS256, secret)
	}
	return nil
}
