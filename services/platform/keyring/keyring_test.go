package keyring_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/services/internal/apitest"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/keyring"
)

// customers is a customers-api that knows some keys and counts the requests.
type customers struct {
	mu       sync.Mutex
	down     bool
	set      map[string]ed25519.PublicKey
	keys     map[int64]api.KeyRecord
	requests map[string]int // by path
}

func (c *customers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests[r.URL.Path]++
	if c.down {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if r.URL.Path == "/.well-known/jwks.json" {
		set := api.KeySet{Keys: []api.PublicKey{}}
		for kid, key := range c.set {
			jwk := auth.PublicJWK(kid, key)
			set.Keys = append(set.Keys, api.PublicKey{
				Kid: jwk.KeyID, Kty: api.PublicKeyKty(jwk.Type), Crv: api.PublicKeyCrv(jwk.Curve), X: jwk.X,
				Use: api.PublicKeyUse(jwk.Use), Alg: api.PublicKeyAlg(jwk.Algorithm),
			})
		}
		answer(w, http.StatusOK, "application/json", set)
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+apitest.ServiceToken {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	path, uses := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/internal/keys/"), "/uses")
	id, _ := strconv.ParseInt(path, 10, 64)
	key, ok := c.keys[id]
	switch {
	case !ok:
		answer(w, http.StatusNotFound, "application/problem+json", common.Problem{Code: common.CodeKeyNotFound, Status: http.StatusNotFound})
	case uses:
		w.WriteHeader(http.StatusNoContent)
	default:
		answer(w, http.StatusOK, "application/json", key)
	}
}

func answer(w http.ResponseWriter, status int, mediaType string, body any) {
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func (c *customers) change(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

// count returns the requests with a path so far.
func (c *customers) count(path string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.requests[path]
}

func newKeyring(t *testing.T) (*keyring.Keyring, *customers, *apitest.Clock) {
	t.Helper()
	c := &customers{set: map[string]ed25519.PublicKey{}, keys: map[int64]api.KeyRecord{}, requests: map[string]int{}}
	s := httptest.NewServer(c)
	t.Cleanup(s.Close)
	clock := apitest.NewClock()
	p := apitest.NewProcess(t, clock)
	p.Config.CustomersAPIBase = s.URL
	k, err := keyring.New(p)
	if err != nil {
		t.Fatal(err)
	}
	return k, c, clock
}

func publicKey(kid string) ed25519.PublicKey {
	seed := sha256.Sum256([]byte(kid))
	return ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey)
}

const setPath = "/.well-known/jwks.json"

func TestPublicKey(t *testing.T) {
	t.Parallel()
	k, c, clock := newKeyring(t)
	find := func(kid string) error {
		t.Helper()
		key, err := k.PublicKey(t.Context(), kid)
		if err == nil && !key.Equal(publicKey(kid)) {
			t.Errorf("the key %s is another one", kid)
		}
		return err
	}
	want := func(what string, err, target error, requests int) {
		t.Helper()
		if !errors.Is(err, target) {
			t.Errorf("%s: %v, want %v", what, err, target)
		}
		if n := c.count(setPath); n != requests {
			t.Errorf("%s: %d requests for the key set, want %d", what, n, requests)
		}
	}
	c.change(func() { c.set["k1"] = publicKey("k1") })
	want("the first use", find("k1"), nil, 1)
	want("the second use", find("k1"), nil, 1)
	for i := range 100 {
		want("an invented kid", find(fmt.Sprint("x", i)), auth.ErrUnknownKey, 1)
	}
	c.change(func() { c.set["k2"] = publicKey("k2") })
	want("a new key at once", find("k2"), auth.ErrUnknownKey, 1)
	clock.Advance(10 * time.Second)
	want("a new key after 10 s", find("k2"), nil, 2)
	c.change(func() { delete(c.set, "k1") })
	clock.Advance(59 * time.Second)
	want("a removed key before the refresh", find("k1"), nil, 2)
	clock.Advance(time.Second)
	want("a removed key after the refresh", find("k1"), auth.ErrUnknownKey, 3)
	want("the key that is left", find("k2"), nil, 3)
}

func TestKeySetWhileCustomersIsDown(t *testing.T) {
	t.Parallel()
	k, c, clock := newKeyring(t)
	c.change(func() { c.down = true })
	if _, err := k.PublicKey(t.Context(), "k1"); !fault.Is(err, common.CodeCustomersUnavailable) {
		t.Errorf("before any answer: %v, want customers_unavailable", err)
	}
	asked := c.count(setPath)
	if _, err := k.PublicKey(t.Context(), "k1"); !fault.Is(err, common.CodeCustomersUnavailable) || c.count(setPath) != asked {
		t.Errorf("at once again: %v after %d requests, want customers_unavailable and no further request", err, c.count(setPath)-asked)
	}
	c.change(func() { c.down = false; c.set["k1"] = publicKey("k1") })
	clock.Advance(10 * time.Second)
	if _, err := k.PublicKey(t.Context(), "k1"); err != nil {
		t.Fatal(err)
	}
	c.change(func() { c.down = true })
	clock.Advance(24 * time.Hour)
	if _, err := k.PublicKey(t.Context(), "k1"); err != nil {
		t.Errorf("a known key, a day later: %v", err)
	}
	if _, err := k.PublicKey(t.Context(), "k2"); !fault.Is(err, common.CodeCustomersUnavailable) {
		t.Errorf("an unknown key: %v, want customers_unavailable", err)
	}
}

// add adds the API key with an id and returns it.
func (c *customers) add(id int64) string {
	secret := auth.NewSecret()
	hash := auth.Hash(secret)
	c.change(func() {
		c.keys[id] = api.KeyRecord{
			ID: id, Hash: hex.EncodeToString(hash[:]), IntegratorID: 7, IntegratorName: "ERP", Role: api.RoleOperator,
		}
	})
	return auth.FormatKey(id, secret)
}

var erp = auth.Caller{Name: "integrator:7", Role: auth.Operator, ID: 7, DisplayName: "ERP"}

func TestCheckKey(t *testing.T) {
	t.Parallel()
	k, c, clock := newKeyring(t)
	const path = "/internal/keys/17"
	key := c.add(17)
	check := func(what, token string, valid bool, requests int) {
		t.Helper()
		caller, err := k.CheckKey(t.Context(), token)
		if valid && (err != nil || caller != erp) || !valid && (err == nil || fault.Is(err, common.CodeCustomersUnavailable)) {
			t.Errorf("%s: %+v, %v, want valid: %t", what, caller, err, valid)
		}
		if n := c.count(path); n != requests {
			t.Errorf("%s: %d requests, want %d", what, n, requests)
		}
	}
	check("a mistyped key", key[:len(key)-1]+"!", false, 0)
	check("a wrong secret", auth.FormatKey(17, auth.NewSecret()), false, 1)
	for range 10 {
		check("another wrong secret", auth.FormatKey(17, auth.NewSecret()), false, 1)
	}
	check("the key", key, true, 1)
	clock.Advance(4999 * time.Millisecond)
	check("after 4.999 s", key, true, 1)
	c.change(func() { delete(c.keys, 17) })
	check("revoked less than 5 s ago", key, true, 1)
	clock.Advance(time.Millisecond)
	check("revoked 5 s ago", key, false, 2)
	check("revoked, again", key, false, 2)
}

func TestKeyExpires(t *testing.T) {
	t.Parallel()
	k, c, clock := newKeyring(t)
	key := c.add(17)
	c.change(func() {
		r := c.keys[17]
		r.ExpiresAt = &common.NullableTime{Time: clock.Now().Add(2 * time.Second)}
		c.keys[17] = r
	})
	if _, err := k.CheckKey(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	clock.Advance(2 * time.Second) // the record is still remembered
	if _, err := k.CheckKey(t.Context(), key); err == nil {
		t.Error("an expired key is valid")
	}
}

func TestKeyWhileCustomersIsDown(t *testing.T) {
	t.Parallel()
	k, c, clock := newKeyring(t)
	const path = "/internal/keys/17"
	key := c.add(17)
	if _, err := k.CheckKey(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	c.change(func() { c.down = true })
	start := clock.Now()
	for _, test := range []struct {
		after time.Duration
		valid bool
	}{{5*time.Minute - time.Millisecond, true}, {5 * time.Minute, false}} { // few, so that the circuit breaker stays closed
		clock.Set(start.Add(test.after))
		caller, err := k.CheckKey(t.Context(), key)
		if test.valid && (err != nil || caller != erp) || !test.valid && !fault.Is(err, common.CodeCustomersUnavailable) {
			t.Errorf("%s after the last answer: %+v, %v, want valid: %t", test.after, caller, err, test.valid)
		}
	}
	c.change(func() { c.down = false })
	clock.Set(start.Add(10 * time.Minute))
	if _, err := k.CheckKey(t.Context(), key); err != nil {
		t.Errorf("after the outage: %v", err)
	}
	clock.Advance(5 * time.Second)
	c.change(func() { c.down = true })
	if _, err := k.CheckKey(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	asked := c.count(path)
	clock.Advance(999 * time.Millisecond)
	if _, err := k.CheckKey(t.Context(), key); err != nil || c.count(path) != asked {
		t.Errorf("less than a second after a failure: %v, and %d further requests, want none", err, c.count(path)-asked)
	}
}

func TestUnknownKeyWhileCustomersIsDown(t *testing.T) {
	t.Parallel()
	k, c, _ := newKeyring(t)
	key := c.add(17)
	c.change(func() { c.down = true })
	if _, err := k.CheckKey(t.Context(), key); !fault.Is(err, common.CodeCustomersUnavailable) {
		t.Errorf("CheckKey: %v, want customers_unavailable", err)
	}
}

func TestKeyUseIsRecorded(t *testing.T) {
	t.Parallel()
	k, c, clock := newKeyring(t)
	const path = "/internal/keys/17/uses"
	key := c.add(17)
	used := func(what string, want int) {
		t.Helper()
		for range 3 {
			if _, err := k.CheckKey(t.Context(), key); err != nil {
				t.Fatal(err)
			}
		}
		if n := c.count(path); n != want {
			t.Errorf("%s: %d uses recorded, want %d", what, n, want)
		}
	}
	if _, err := k.CheckKey(t.Context(), auth.FormatKey(17, auth.NewSecret())); err == nil || c.count(path) != 0 {
		t.Errorf("a wrong secret: %v, and %d uses recorded, want none", err, c.count(path))
	}
	clock.Advance(5 * time.Second)
	used("the first use", 1)
	c.change(func() {
		r := c.keys[17]
		r.LastUsedAt = &common.NullableTime{Time: clock.Now().Truncate(time.Minute)}
		c.keys[17] = r
	})
	clock.Advance(5 * time.Second)
	used("within the minute", 1)
	clock.Advance(time.Minute)
	used("a minute later", 2)
}

// Concurrent callers share one request.
func TestConcurrentCallers(t *testing.T) {
	t.Parallel()
	k, c, _ := newKeyring(t)
	key := c.add(17)
	c.change(func() { c.set["k1"] = publicKey("k1") })
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if caller, err := k.CheckKey(context.Background(), key); err != nil || caller != erp {
				t.Errorf("CheckKey = %+v, %v", caller, err)
			}
			if _, err := k.PublicKey(context.Background(), "k1"); err != nil {
				t.Errorf("PublicKey: %v", err)
			}
		})
	}
	all.Wait()
	if n, m := c.count("/internal/keys/17"), c.count(setPath); n != 1 || m != 1 {
		t.Errorf("%d requests for the API key and %d for the key set, want one each", n, m)
	}
}

// The time to identify the caller of a request, by the kind of token. Of-hs256 is the median time divided by that of a token signed with
// HS256; the two alternate.
func BenchmarkCallers(b *testing.B) {
	clock := apitest.NewClock()
	seed := sha256.Sum256([]byte("k1"))
	private := ed25519.NewKeyFromSeed(seed[:])
	c := &customers{set: map[string]ed25519.PublicKey{"k1": publicKey("k1")}, keys: map[int64]api.KeyRecord{}, requests: map[string]int{}}
	s := httptest.NewServer(c)
	b.Cleanup(s.Close)
	p := apitest.NewProcess(b, clock)
	p.Config.CustomersAPIBase = s.URL
	k, err := keyring.New(p)
	if err != nil {
		b.Fatal(err)
	}
	check := auth.KeysOrTokens(k.CheckKey, auth.NewVerifier(p.Config.JWTSecret.Reveal(), k.PublicKey, clock.Now).Verify)
	ana := auth.Caller{Name: "user:ana", Role: auth.Operator, ID: 7, DisplayName: "Ana"}
	signing := auth.NewIssuer(func(context.Context) (auth.SigningKey, error) {
		return auth.SigningKey{ID: "k1", Private: private}, nil
	}, clock.Now)
	eddsa, err := signing.Issue(b.Context(), ana, time.Hour)
	if err != nil {
		b.Fatal(err)
	}
	hs256, err := auth.NewHMACIssuer(p.Config.JWTSecret.Reveal(), clock.Now).Issue(b.Context(), ana, time.Hour)
	if err != nil {
		b.Fatal(err)
	}
	const perTurn = 1000
	turn := func(token string) time.Duration {
		start := time.Now()
		for range perTurn {
			if _, err := check(b.Context(), token); err != nil {
				b.Fatal(err)
			}
		}
		return time.Since(start)
	}
	for _, kind := range []struct{ name, token string }{{"hs256", hs256}, {"eddsa", eddsa}, {"key", c.add(17)}} {
		b.Run(kind.name, func(b *testing.B) {
			var times, others []time.Duration
			for b.Loop() {
				times = append(times, turn(kind.token))
				others = append(others, turn(hs256))
			}
			slices.Sort(times)
			slices.Sort(others)
			median, other := float64(times[len(times)/2]), float64(others[len(others)/2])
			b.ReportMetric(0, "ns/op") // hides the default, which covers both
			b.ReportMetric(median/perTurn, "ns/request")
			b.ReportMetric(median/other, "of-hs256")
		})
	}
}
