// Package password validates and hashes the passwords of users.
package password

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"github.com/trustelem/zxcvbn/frequency"
	"golang.org/x/sync/semaphore"
	"golang.org/x/text/unicode/norm"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/metrics"
)

const (
	minLength = 10 // characters, as in the contract
	maxLength = 128

	// atOnce limits concurrent hashes, each of which takes Params.MemoryKiB. The garbage of earlier ones takes as much again, or more.
	atOnce = 1

	maxWaiting = 100 // callers
	maxWait    = 5 * time.Second

	// Limits of stored parameters, so that a manipulated hash can't exhaust the process.
	maxMemoryKiB  = 1 << 20
	maxIterations = 100
)

// Params are the costs of argon2id (RFC 9106).
type Params struct {
	MemoryKiB   uint32
	Iterations  uint32
	Parallelism uint8
}

// Hasher hashes passwords with argon2id. It bounds memory: excess callers wait, or fail with CodeUnavailable. It is safe for
// concurrent use.
type Hasher struct {
	params  *argon2id.Params
	turns   *semaphore.Weighted
	waiting atomic.Int64
	common  map[string]bool // passwords that many people choose, in lower case

	noPassword func() (string, error) // a hash for users without a password

	durations metrics.Histogram
	refused   metrics.Counter
}

// NewHasher returns a Hasher for new passwords with these costs. m may be nil.
func NewHasher(p Params, m *metrics.Registry) *Hasher {
	h := &Hasher{
		params: &argon2id.Params{Memory: p.MemoryKiB, Iterations: p.Iterations, Parallelism: p.Parallelism, SaltLength: 16, KeyLength: 32},
		turns:  semaphore.NewWeighted(atOnce),
		common: commonPasswords(),

		durations: m.DurationVec("pedidos_password_hash_seconds", "Time to hash a password, without waiting.").WithLabelValues(),
		refused:   m.CounterVec("pedidos_password_hashes_refused_total", "Logins and passwords refused because too many others were waiting.").WithLabelValues(),
	}
	m.GaugeFunc("pedidos_password_hashes_waiting", "Logins and passwords that wait to be hashed.", nil, func() float64 { return float64(h.waiting.Load()) })
	h.noPassword = sync.OnceValues(func() (string, error) { return argon2id.CreateHash("", h.params) })
	return h
}

// commonPasswords returns the most common passwords that are long enough to be chosen here.
func commonPasswords() map[string]bool {
	set := map[string]bool{}
	for _, password := range frequency.FrequencyLists["passwords"] {
		if utf8.RuneCountInString(password) >= minLength {
			set[strings.ToLower(password)] = true
		}
	}
	return set
}

// Validate returns the fault of a password that a user chose, or nil: it must have 10 to 128 characters of any kind, and must be neither
// a common password nor one of names, which others can guess. Case does not make a difference.
func (h *Hasher) Validate(field, password string, names ...string) *common.FieldError {
	bad := func(message string) *common.FieldError { return &common.FieldError{Field: field, Message: message} }
	normal := normalize(password)
	switch n := utf8.RuneCountInString(normal); {
	case !utf8.ValidString(password):
		return bad("must be valid UTF-8")
	case n < minLength:
		return bad(fmt.Sprintf("must have at least %d characters", minLength))
	case n > maxLength:
		return bad(fmt.Sprintf("must have at most %d characters", maxLength))
	case h.common[strings.ToLower(normal)]:
		return bad("is one of the most common passwords")
	}
	for _, name := range names {
		if strings.EqualFold(normal, normalize(name)) {
			return bad("must not be your name")
		}
	}
	return nil
}

// normalize makes the same password of two keyboards equal (RFC 8265, section 4.2.2).
func normalize(password string) string { return norm.NFC.String(password) }

// Hash returns the hash of a password in PHC string format.
func (h *Hasher) Hash(ctx context.Context, password string) (hash string, err error) {
	err = h.inTurn(ctx, func() (err error) {
		hash, err = argon2id.CreateHash(normalize(password), h.params)
		return err
	})
	return hash, err
}

// Check reports whether hash is a hash of password, and whether its costs differ from those of new hashes. It takes as long for an empty
// hash, of a user who does not exist or has no password, as for any other.
func (h *Hasher) Check(ctx context.Context, password, hash string) (ok, outdated bool, err error) {
	err = h.inTurn(ctx, func() error {
		if hash == "" {
			dummy, err := h.noPassword()
			if err != nil {
				return err
			}
			_, _, err = argon2id.CheckHash(normalize(password), dummy)
			return err
		}
		params, _, _, err := argon2id.DecodeHash(hash)
		if err != nil {
			return err
		}
		if params.Memory > maxMemoryKiB || params.Iterations > maxIterations {
			return errors.New("the costs of the stored hash are too high")
		}
		ok, params, err = argon2id.CheckHash(normalize(password), hash)
		outdated = params != nil && *params != *h.params
		return err
	})
	return ok, outdated, err
}

// inTurn runs work when fewer than atOnce others run. It fails with CodeUnavailable if too many callers wait, or if that takes too long.
func (h *Hasher) inTurn(ctx context.Context, work func() error) error {
	if err := h.wait(ctx); err != nil {
		return err
	}
	defer h.turns.Release(1)
	start := time.Now()
	err := work()
	h.durations.Observe(time.Since(start).Seconds())
	if err != nil {
		return fmt.Errorf("hash password: %w", err)
	}
	return nil
}

// wait returns when it is the caller's turn.
func (h *Hasher) wait(ctx context.Context) error {
	if h.turns.TryAcquire(1) {
		return nil
	}
	defer h.waiting.Add(-1)
	if h.waiting.Add(1) > maxWaiting {
		return h.busy(nil)
	}
	waiting, cancel := context.WithTimeout(ctx, maxWait)
	defer cancel()
	err := h.turns.Acquire(waiting, 1)
	if err != nil && ctx.Err() == nil {
		return h.busy(err)
	}
	return err
}

func (h *Hasher) busy(cause error) error {
	h.refused.Inc()
	return &fault.Error{
		Code: common.CodeUnavailable, Message: "Too many logins at once; try again later.", RetryAfter: maxWait, Cause: cause,
	}
}
