// Package identity knows the people and programs that use Pedidos: users with their passwords and sessions, integrators with
// their API keys, the keys that sign access tokens, and the log of changes to all of them. Customers-api serves it.
package identity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/gen/identitydb"
	"github.com/pedidos-hq/pedidos/services/identity/guessing"
	"github.com/pedidos-hq/pedidos/services/identity/password"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/config"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/idempotency"
	"github.com/pedidos-hq/pedidos/services/platform/page"
	"github.com/pedidos-hq/pedidos/services/platform/process"
)

// accessTTL is the lifetime of the access tokens of sessions.
const accessTTL = 5 * time.Minute

// Service implements the operations of customers-api about users, sessions, integrators, API keys and the audit log. A method with the
// name of an operation is its handler; the contract describes it.
type Service struct {
	db       *database.DB
	users    *Users
	hasher   *password.Hasher
	guesses  *guessing.Limiter
	issuer   *auth.Issuer // nil without SIGNING_SECRET
	hmac     *auth.Issuer // nil without JWT_SECRET
	verifier *auth.Verifier
	signing  *signingKeys
	now      func() time.Time
	log      *slog.Logger
	config   *config.Config

	starting sync.Mutex
	started  bool

	creatingUser       *idempotency.Operation[*userCreation, identitydb.User]
	updatingUser       *idempotency.Operation[userChange, identitydb.User]
	resettingUser      *idempotency.Operation[*userReset, identitydb.User]
	creatingIntegrator *idempotency.Operation[api.IntegratorInput, identitydb.Integrator]
	updatingIntegrator *idempotency.Operation[integratorChange, identitydb.Integrator]
	creatingKey        *idempotency.Operation[*keyCreation, identitydb.Key]
	revokingKey        *idempotency.Operation[keyRevocation, struct{}]
}

// New returns the Service of a process, whose answers are stored with keeper. It creates what the first start needs, as Ready does. If
// the database is not ready for that, Ready does it later.
func New(ctx context.Context, p process.Process, db *database.DB, keeper *idempotency.Keeper) (*Service, error) {
	c, now := p.Config, database.Now(p.Now)
	s := &Service{
		db:    db,
		users: NewUsers(db, p.Now),
		hasher: password.NewHasher(password.Params{
			MemoryKiB: uint32(c.PasswordMemoryKiB), Iterations: uint32(c.PasswordIterations), Parallelism: uint8(c.PasswordParallelism),
		}, p.Metrics),
		guesses: guessing.New(p.Now, p.Metrics),
		now:     now,
		log:     p.Log,
		config:  c,
	}
	s.signing = &signingKeys{db: db, secrets: c.SigningSecret.All(), hmac: c.JWTSecret != "", now: now}
	s.verifier = auth.NewVerifier(c.JWTSecret.Reveal(), s.signing.PublicKey, p.Now)
	if c.SigningSecret != "" {
		s.issuer = auth.NewIssuer(s.signing.current, p.Now)
	}
	if c.JWTSecret != "" {
		s.hmac = auth.NewHMACIssuer(c.JWTSecret.Reveal(), p.Now)
	}
	s.creatingUser = idempotency.NewOperation(keeper, s.users.create, answerUser)
	s.updatingUser = idempotency.NewOperation(keeper, s.users.update, answerUpdatedUser)
	s.resettingUser = idempotency.NewOperation(keeper, s.users.reset, answerReset)
	s.creatingIntegrator = idempotency.NewOperation(keeper, s.createIntegrator, answerIntegrator)
	s.updatingIntegrator = idempotency.NewOperation(keeper, s.updateIntegrator, answerUpdatedIntegrator)
	s.creatingKey = idempotency.NewOperation(keeper, s.createKey, answerKey)
	s.revokingKey = idempotency.NewOperation(keeper, s.revokeKey, answerRevoked)
	ctx, cancel := context.WithTimeout(ctx, c.RequestTimeout)
	defer cancel()
	err := s.Ready(ctx)
	if invalid := (*settingError)(nil); errors.As(err, &invalid) {
		return nil, err
	}
	if err != nil { // such as a migration that is pending
		s.log.WarnContext(ctx, "first user and signing key not checked yet", "error", err)
	}
	return s, nil
}

// Ready creates what the first start needs: a signing key, and the first users. It does nothing after it has succeeded once.
func (s *Service) Ready(ctx context.Context) error {
	s.starting.Lock()
	defer s.starting.Unlock()
	if s.started {
		return nil
	}
	if s.config.SigningSecret != "" {
		if err := s.signing.ensure(ctx); err != nil {
			return err
		}
	}
	if err := s.createFirstUsers(ctx, s.config); err != nil {
		return err
	}
	s.started = true
	return nil
}

// settingError is a setting with which the service can't start.
type settingError struct{ message string }

func (e *settingError) Error() string { return e.message }

// Bearer is the scheme of access tokens and API keys.
func (s *Service) Bearer(ctx context.Context, token string) (auth.Caller, error) {
	return auth.KeysOrTokens(s.checkKey, s.verifier.Verify)(ctx, token)
}

// Rights returns the rights of customers-api on the tables of this package, for database.DB.Grant.
func Rights() map[string]database.Right {
	return map[string]database.Right{
		"users":         database.ReadWrite,
		"user_sessions": database.ReadWrite,
		"integrators":   database.ReadWrite,
		"api_keys":      database.ReadWrite,
		"signing_keys":  database.ReadWrite,
		"audit_log":     database.ReadAppend,
	}
}

// Sweeps returns the sweeps of ended sessions and expired signing keys.
func (s *Service) Sweeps() []process.Sweep {
	return []process.Sweep{
		{Name: "sessions", Run: s.sweepSessions},
		{Name: "signing_keys", Run: s.signing.sweep},
	}
}

// canonical returns a name without differences of case, for comparison (Unicode NFC and case folding).
func canonical(name string) string {
	return norm.NFC.String(cases.Fold().String(norm.NFC.String(name)))
}

// read runs one query.
func read[T any](ctx context.Context, db *database.DB, query func(*identitydb.Queries) (T, error)) (row T, err error) {
	err = db.Read(ctx, func(conn database.Conn) (err error) {
		row, err = query(identitydb.New(conn))
		return err
	})
	return row, err
}

// list returns a page of a list in ascending order of ids, and the cursor of the next page. Query reads up to limit entries after an id.
func list[T any](
	ctx context.Context, db *database.DB, name string, cursor *string, limit *int32, id func(T) int64,
	query func(q *identitydb.Queries, after int64, limit int32) ([]T, error),
) ([]T, *common.NextCursor, error) {
	size := page.Limit(limit)
	after, err := page.After(name, cursor)
	if err != nil {
		return nil, nil, err
	}
	var rows []T
	err = db.ReadReplica(ctx, func(conn database.Conn) (err error) {
		rows, err = query(identitydb.New(conn), after, size+1)
		return err
	})
	if err != nil {
		return nil, nil, wrap(err, "read a page")
	}
	rows, next := page.Cut(rows, size, name, func(row T) page.Position { return page.Position{id(row)} })
	return rows, next, nil
}

// minute returns the minute of t. Times of use are stored with this precision, so that most uses need no write.
func minute(t time.Time) time.Time { return t.Truncate(time.Minute) }

// optionalTime returns t for a response.
func optionalTime(t *time.Time) *common.NullableTime {
	if t == nil {
		return nil
	}
	return &common.NullableTime{Time: *t}
}

// wrap adds the operation to an error.
func wrap(err error, operation string) error {
	if err == nil || errors.Is(err, database.ErrNotFound) {
		return err
	}
	return fmt.Errorf("%s: %w", operation, err)
}
