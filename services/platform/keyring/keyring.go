// Package keyring holds what a service knows of the keys of customers-api: the public keys of access tokens, and the API keys of
// integrators. It asks customers-api and remembers the answers for a short time.
package keyring

import (
	"context"
	"crypto/ed25519"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/sync/singleflight"

	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/gen/customers/client"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/metrics"
	"github.com/pedidos-hq/pedidos/services/platform/process"
	"github.com/pedidos-hq/pedidos/services/platform/upstream"
)

const (
	// unknownEvery is how often a token with an unknown kid may cause a request, so that strangers can't cause many.
	unknownEvery = 10 * time.Second

	// refreshEvery is how often the key set is asked for in use, so that removed keys go away.
	refreshEvery = time.Minute

	fresh   = 5 * time.Second // how long an API key is remembered
	stale   = 5 * time.Minute // how long it serves while customers-api is down
	retryIn = time.Second     // after a request for an API key has failed

	maxKeys = 10_000 // API keys that are remembered
	tries   = 2
)

// Keyring knows the keys of one customers-api. It is safe for concurrent use.
type Keyring struct {
	client *client.ClientWithResponses
	now    func() time.Time
	log    *slog.Logger

	asking  singleflight.Group
	timeout time.Duration // for all tries of a request

	mu    sync.Mutex
	set   map[string]ed25519.PublicKey
	asked time.Time // time of the last request for the set
	err   error     // of that request

	keys *otter.Cache[int64, record] // API keys by id

	answered, unanswered metrics.Counter
}

// record is the cached state of an API key.
type record struct {
	known    bool // otherwise customers-api has no usable key with this id
	hash     []byte
	caller   auth.Caller
	expires  *common.NullableTime
	lastUsed *common.NullableTime
	loaded   time.Time
	tried    time.Time // the end of the last request, which may have failed
}

// New returns the Keyring of the customers-api at Config.CustomersAPIBase.
func New(p process.Process) (*Keyring, error) {
	c, err := client.NewClientWithResponses(p.Config.CustomersAPIBase,
		client.WithHTTPClient(upstream.NewClient(upstream.Policy{
			Name: "identity", Timeout: p.Config.UpstreamTimeout, Tries: tries, Metrics: p.Metrics, Tracing: p.Tracing,
		})),
		client.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
			r.Header.Set("Authorization", "Bearer "+p.Config.ServiceToken.First())
			return nil
		}))
	if err != nil {
		return nil, fmt.Errorf("customers client: %w", err)
	}
	loads := p.Metrics.CounterVec("pedidos_key_loads_total", "Requests for keys to customers-api, by outcome.", "outcome")
	return &Keyring{
		client: c, now: p.Now, log: p.Log, timeout: tries * p.Config.UpstreamTimeout,
		keys:     otter.Must(&otter.Options[int64, record]{MaximumSize: maxKeys}),
		answered: loads.WithLabelValues("answered"), unanswered: loads.WithLabelValues("failed"),
	}, nil
}

// PublicKey returns the public key with a kid, for auth.NewVerifier. It fails with auth.ErrUnknownKey, or with customers_unavailable if
// customers-api does not answer and the kid is unknown.
func (k *Keyring) PublicKey(ctx context.Context, kid string) (ed25519.PublicKey, error) {
	if k.claimRefresh(kid) {
		k.loadSet(ctx)
	}
	key, ask, err := k.lookUp(kid)
	if !ask {
		return key, err
	}
	_, _, _ = k.asking.Do("set", func() (any, error) {
		if _, ask, _ := k.lookUp(kid); ask { // unless another caller has just asked
			k.loadSet(ctx)
		}
		return nil, nil
	})
	key, _, err = k.lookUp(kid)
	return key, err
}

// claimRefresh reports whether the caller should ask for the set although it has the key. The others use the key meanwhile.
func (k *Keyring) claimRefresh(kid string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	wait := refreshEvery
	if k.err != nil {
		wait = unknownEvery
	}
	now := k.now()
	if k.set[kid] == nil || now.Sub(k.asked) < wait {
		return false
	}
	k.asked = now
	return true
}

// lookUp returns a key of the set, or the reason why there is none, and whether the set is old enough to ask again for an unknown kid.
func (k *Keyring) lookUp(kid string) (key ed25519.PublicKey, ask bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if key = k.set[kid]; key != nil {
		return key, false, nil
	}
	ask = k.asked.IsZero() || k.now().Sub(k.asked) >= unknownEvery
	if k.err != nil {
		return nil, ask, k.err
	}
	return nil, ask, auth.ErrUnknownKey
}

// loadSet asks for the key set. If customers-api does not answer, the current set stays.
func (k *Keyring) loadSet(ctx context.Context) {
	set, err := k.fetchSet(ctx)
	k.count(err)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.asked, k.err = k.now(), err
	if err == nil {
		k.set = set
	}
}

func (k *Keyring) fetchSet(ctx context.Context) (map[string]ed25519.PublicKey, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), k.timeout) // other callers wait for it too
	defer cancel()
	r, err := k.client.GetKeySetWithResponse(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	if r.JSON200 == nil {
		return nil, unavailable(fmt.Errorf("customers-api answered %s to a request for the key set", r.Status()))
	}
	set := map[string]ed25519.PublicKey{}
	for _, key := range r.JSON200.Keys {
		jwk := auth.JWK{
			KeyID: key.Kid, Type: string(key.Kty), Curve: string(key.Crv), X: key.X, Use: string(key.Use), Algorithm: string(key.Alg),
		}
		if set[key.Kid], err = jwk.Key(); err != nil {
			return nil, unavailable(err)
		}
	}
	return set, nil
}

func unavailable(err error) error {
	return fault.Unavailable(common.CodeCustomersUnavailable, "customers-api does not answer.", err)
}

func (k *Keyring) count(err error) {
	if err != nil {
		k.unanswered.Inc()
	} else {
		k.answered.Inc()
	}
}

// errInvalidKey reports that a token is not a usable API key.
var errInvalidKey = errors.New("no such API key, or it is mistyped, revoked or expired, or its integrator is disabled")

// CheckKey is the scheme of API keys. It fails with customers_unavailable if customers-api does not answer and the key was not used in
// the last five minutes. A wrong secret of a cached key causes no request: records are cached by id, and the secret is compared here.
func (k *Keyring) CheckKey(ctx context.Context, token string) (auth.Caller, error) {
	id, hash, ok := auth.ParseKey(token)
	if !ok {
		return auth.Caller{}, errInvalidKey
	}
	r, loaded, err := k.record(ctx, id)
	if err != nil {
		return auth.Caller{}, err
	}
	now := k.now()
	expired := r.expires != nil && !now.Before(r.expires.Time)
	if subtle.ConstantTimeCompare(hash[:], r.hash) == 0 || !r.known || expired {
		return auth.Caller{}, errInvalidKey
	}
	if loaded && (r.lastUsed == nil || now.Truncate(time.Minute).After(r.lastUsed.Time)) {
		k.recordUse(ctx, id)
	}
	return r.caller, nil
}

// record returns the cached state of an API key, and whether it was just loaded.
func (k *Keyring) record(ctx context.Context, id int64) (r record, loaded bool, err error) {
	r, ok := k.keys.GetIfPresent(id)
	if ok && !k.due(r) {
		return r, false, nil
	}
	usable := ok && r.known && k.now().Sub(r.loaded) < stale
	if usable { // others use it while this caller asks
		r.tried = k.now().Add(k.timeout)
		k.keys.Set(id, r)
	}
	result, err, _ := k.asking.Do(fmt.Sprint(id), func() (any, error) {
		if again, ok := k.keys.GetIfPresent(id); ok && !usable && !k.due(again) { // another caller has just asked
			return again, nil
		}
		loaded = true
		fetched, err := k.fetchKey(ctx, id)
		k.count(err)
		now := k.now()
		if err == nil {
			fetched.loaded, fetched.tried = now, now
			k.keys.Set(id, fetched)
			return fetched, nil
		}
		if !usable {
			return record{}, err
		}
		r.tried = now
		k.keys.Set(id, r)
		return r, nil
	})
	if err != nil {
		return record{}, false, err
	}
	return result.(record), loaded, nil
}

// due reports whether it is time to ask for an API key.
func (k *Keyring) due(r record) bool {
	now := k.now()
	return now.Sub(r.loaded) >= fresh && now.Sub(r.tried) >= retryIn || now.Sub(r.loaded) >= stale
}

func (k *Keyring) fetchKey(ctx context.Context, id int64) (record, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), k.timeout) // other callers wait for it too
	defer cancel()
	r, err := k.client.GetKeyInternalWithResponse(ctx, id)
	switch {
	case err != nil:
		return record{}, unavailable(err)
	case r.JSON200 != nil && r.JSON200.ID == id && r.JSON200.IntegratorID > 0 && auth.Role(r.JSON200.Role).Known():
		return newRecord(*r.JSON200)
	case r.ApplicationProblemJSON404 != nil && r.ApplicationProblemJSON404.Code == common.CodeKeyNotFound:
		return record{}, nil
	}
	return record{}, unavailable(fmt.Errorf("customers-api answered %s to a request for an API key", r.Status()))
}

func newRecord(key api.KeyRecord) (record, error) {
	hash, err := hex.DecodeString(key.Hash)
	if err != nil {
		return record{}, unavailable(fmt.Errorf("the hash of API key %d: %w", key.ID, err))
	}
	return record{
		known: true, hash: hash, expires: key.ExpiresAt, lastUsed: key.LastUsedAt,
		caller: auth.Caller{
			Name: fmt.Sprintf("integrator:%d", key.IntegratorID), Role: auth.Role(key.Role), ID: key.IntegratorID, DisplayName: key.IntegratorName,
		},
	}, nil
}

// recordUse tells customers-api that a key is in use. The key is valid even if that fails.
func (k *Keyring) recordUse(ctx context.Context, id int64) {
	ctx, cancel := context.WithTimeout(ctx, k.timeout)
	defer cancel()
	r, err := k.client.RecordKeyUseWithResponse(ctx, id)
	if err == nil && r.StatusCode() >= http.StatusBadRequest {
		err = errors.New("customers-api answered " + r.Status())
	}
	if err != nil {
		k.log.DebugContext(ctx, "use of API key not recorded", "key", id, "error", err)
	}
}
