package identity

import (
	"context"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/pedidos-hq/pedidos/gen/identitydb"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

const (
	// announced is how long a key is in the key set before it signs, so that every service knows it by then.
	announced = time.Minute

	// reloadEvery is how long the keys of the database are remembered.
	reloadEvery = 10 * time.Second

	askAgain = time.Second     // after the last attempt
	askFor   = 2 * time.Second // until the attempt fails

	tokenSkew = 2 * time.Minute // by which clocks of verifiers may be late
)

// signingKeys holds the keys that sign access tokens. A private key is derived from its kid and a secret with HKDF (RFC 5869), so
// that the database holds none.
type signingKeys struct {
	db      *database.DB
	secrets []string // new keys are derived from the first
	hmac    bool     // whether JWT_SECRET signs until the first key does
	now     func() time.Time

	mu     sync.Mutex
	loaded time.Time    // when keys was read
	asked  time.Time    // the last attempt to read it again
	keys   []signingKey // in order of generations
}

type signingKey struct {
	identitydb.SigningKey
	private ed25519.PrivateKey
}

// secretID identifies a secret in a kid without revealing it.
func secretID(secret string) (string, error) {
	id, err := hkdf.Key(sha256.New, []byte(secret), nil, "pedidos secret id", 4)
	return hex.EncodeToString(id), err
}

// derive returns the private key of a kid. It returns nil if the key was derived from a secret that is no longer configured.
func (k *signingKeys) derive(kid string) (ed25519.PrivateKey, error) {
	for _, secret := range k.secrets {
		id, err := secretID(secret)
		if err != nil {
			return nil, fmt.Errorf("derive signing key: %w", err)
		}
		if !strings.HasSuffix(kid, "-"+id) {
			continue
		}
		seed, err := hkdf.Key(sha256.New, []byte(secret), nil, "pedidos access tokens "+kid, ed25519.SeedSize)
		if err != nil {
			return nil, fmt.Errorf("derive signing key: %w", err)
		}
		return ed25519.NewKeyFromSeed(seed), nil
	}
	return nil, nil
}

// load returns the keys that verify tokens now. It asks the database if the keys in memory are older than maxAge. While one caller
// asks, and for a second after a failure, the keys in memory serve, however old they are.
func (k *signingKeys) load(ctx context.Context, maxAge time.Duration) ([]signingKey, error) {
	if !k.due(maxAge) {
		return k.live(), nil
	}
	if err := k.reload(ctx); err != nil && len(k.live()) == 0 {
		return nil, err
	}
	return k.live(), nil
}

// due reports whether the caller should ask the database.
func (k *signingKeys) due(maxAge time.Duration) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	if k.loaded.IsZero() {
		return true
	}
	if now.Sub(k.loaded) < maxAge || now.Sub(k.asked) < askAgain {
		return false
	}
	k.asked = now
	return true
}

// reload reads the keys from the database.
func (k *signingKeys) reload(ctx context.Context) error {
	now := k.now()
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	rows, err := read(ctx, k.db, func(q *identitydb.Queries) ([]identitydb.SigningKey, error) { return q.ListSigningKeys(ctx) })
	if err != nil {
		return fault.From(wrap(err, "list signing keys")) // any other error is a 401
	}
	keys, err := k.usable(rows)
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys, k.loaded = keys, now
	return nil
}

// live returns the keys in memory that have not expired.
func (k *signingKeys) live() (keys []signingKey) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	for _, key := range k.keys {
		if key.ExpiresAt == nil || now.Before(*key.ExpiresAt) {
			keys = append(keys, key)
		}
	}
	return keys
}

func (k *signingKeys) usable(rows []identitydb.SigningKey) (keys []signingKey, err error) {
	for _, row := range rows {
		private, err := k.derive(row.KeyID)
		if err != nil {
			return nil, err
		}
		if private != nil {
			keys = append(keys, signingKey{row, private})
		}
	}
	return keys, nil
}

// errAnnounced reports that the first key does not sign yet.
var errAnnounced = errors.New("the first signing key does not sign yet")

// current returns the newest key that signs now. If none does, it fails with errAnnounced, or, without JWT_SECRET, returns the oldest
// one: the clock is behind that of the process that created it.
func (k *signingKeys) current(ctx context.Context) (auth.SigningKey, error) {
	live, err := k.load(ctx, reloadEvery)
	if err != nil {
		return auth.SigningKey{}, err
	}
	if len(live) == 0 {
		return auth.SigningKey{}, errors.New("there is no signing key of a configured SIGNING_SECRET")
	}
	now := k.now()
	signs := live[0]
	for _, key := range live {
		if !now.Before(key.SignsFrom) {
			signs = key
		}
	}
	if k.hmac && now.Before(signs.SignsFrom) {
		return auth.SigningKey{}, errAnnounced
	}
	return auth.SigningKey{ID: signs.KeyID, Private: signs.private}, nil
}

// PublicKey returns the key with which auth.Verifier verifies tokens. It fails with auth.ErrUnknownKey.
func (k *signingKeys) PublicKey(ctx context.Context, kid string) (ed25519.PublicKey, error) {
	for _, maxAge := range []time.Duration{reloadEvery, askAgain} { // another process may have created the key just now
		live, err := k.load(ctx, maxAge)
		if err != nil {
			return nil, err
		}
		for _, key := range live {
			if key.KeyID == kid {
				return key.private.Public().(ed25519.PublicKey), nil
			}
		}
	}
	return nil, auth.ErrUnknownKey
}

// ensure creates a key if there is none of the first secret.
func (k *signingKeys) ensure(ctx context.Context) error {
	ctx = auth.WithCaller(ctx, auth.Caller{Name: "start"})
	id, err := secretID(k.secrets[0])
	if err != nil {
		return fmt.Errorf("derive signing key: %w", err)
	}
	if err := k.reload(ctx); err != nil {
		return err
	}
	live := k.live()
	for _, key := range live {
		if strings.HasSuffix(key.KeyID, "-"+id) {
			return nil
		}
	}
	from := k.now()
	if len(live) > 0 || k.hmac { // an earlier secret signs until then
		from = from.Add(announced)
	}
	_, err = addSigningKey(ctx, k.db, id, k.now(), from, nil)
	if err != nil && !errors.Is(err, database.ErrDuplicate) { // else another process has created it
		return err
	}
	return k.reload(ctx)
}

// sweep deletes the keys that have expired, and returns their number.
func (k *signingKeys) sweep(ctx context.Context) (n int64, err error) {
	now := k.now()
	err = inTx(ctx, k.db, func(q *identitydb.Queries) error {
		n, err = q.DeleteExpiredSigningKeys(ctx, &now)
		return wrap(err, "delete expired signing keys")
	})
	return n, err
}

// addSigningKey adds a key of the next generation. If expire is set, the earlier keys expire then.
func addSigningKey(ctx context.Context, db *database.DB, secretID string, now, signsFrom time.Time, expire *time.Time) (kid string, err error) {
	err = inTx(ctx, db, func(q *identitydb.Queries) error {
		rows, err := q.ListSigningKeys(ctx)
		if err != nil {
			return wrap(err, "list signing keys")
		}
		generation := int64(1)
		if len(rows) > 0 {
			generation = rows[len(rows)-1].Generation + 1
		}
		kid = fmt.Sprintf("k%d-%s", generation, secretID)
		if err := q.InsertSigningKey(ctx, identitydb.InsertSigningKeyParams{
			Generation: generation, KeyID: kid, CreatedAt: now, SignsFrom: signsFrom,
		}); err != nil {
			return db.Classify(wrap(err, "insert signing key"))
		}
		if expire != nil {
			if err := q.ExpireSigningKeys(ctx, identitydb.ExpireSigningKeysParams{ExpiresAt: expire, Generation: generation}); err != nil {
				return wrap(err, "expire signing keys")
			}
		}
		return record(ctx, q, now, signingKeyCreated, "signing_key:"+kid)
	})
	return kid, err
}

// Rotation is the result of RotateSigningKey.
type Rotation struct {
	KeyID     string
	SignsFrom time.Time // until then the current key signs
	Expires   time.Time // when the earlier keys stop to verify tokens
}

// RotateSigningKey creates a signing key, derived from the first secret. It signs after a minute, when every service knows it. The
// earlier keys expire when all tokens that they signed have expired, by tokenTTL. If atOnce is set, because a key has leaked, the new
// key signs now and the earlier ones expire now, so that everybody must log in again.
func RotateSigningKey(ctx context.Context, db *database.DB, secrets []string, tokenTTL time.Duration, clock func() time.Time, atOnce bool) (r Rotation, err error) {
	now := database.Now(clock)()
	r.SignsFrom = now.Add(announced)
	r.Expires = r.SignsFrom.Add(reloadEvery + max(tokenTTL, accessTTL) + tokenSkew)
	if atOnce {
		r.SignsFrom, r.Expires = now, now
	}
	id, err := secretID(secrets[0])
	if err != nil {
		return r, fmt.Errorf("derive signing key: %w", err)
	}
	r.KeyID, err = addSigningKey(ctx, db, id, now, r.SignsFrom, &r.Expires)
	if errors.Is(err, database.ErrDuplicate) {
		return r, errors.New("another rotation has just created a key")
	}
	return r, err
}

// SigningKeys returns the keys of the database in order of generations, including those that have expired and are not swept yet.
func SigningKeys(ctx context.Context, db *database.DB) ([]identitydb.SigningKey, error) {
	rows, err := read(ctx, db, func(q *identitydb.Queries) ([]identitydb.SigningKey, error) { return q.ListSigningKeys(ctx) })
	return rows, wrap(err, "list signing keys")
}
