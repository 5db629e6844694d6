package identity

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"time"

	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/gen/identitydb"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/etag"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

func (s *Service) createIntegrator(ctx context.Context, conn database.Conn, in api.IntegratorInput) (identitydb.Integrator, error) {
	now := s.now()
	row := identitydb.Integrator{
		Name: in.Name, NameKey: canonical(in.Name), Role: string(in.Role), State: string(api.StateActive), Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	q := identitydb.New(conn)
	id, err := q.InsertIntegrator(ctx, identitydb.InsertIntegratorParams{
		Name: row.Name, NameKey: row.NameKey, Role: row.Role, CreatedAt: now, UpdatedAt: now,
	})
	if err != nil {
		return row, s.nameTaken(err)
	}
	row.ID = id
	return row, record(ctx, q, now, integratorCreated, integratorTarget(id), set("name", row.Name), set("role", row.Role))
}

// integratorChange is a change of the integrator with an id.
type integratorChange struct {
	id    int64
	match etag.Match
	api.IntegratorChange
}

func (s *Service) updateIntegrator(ctx context.Context, conn database.Conn, in integratorChange) (identitydb.Integrator, error) {
	q := identitydb.New(conn)
	row, err := q.LockIntegrator(ctx, in.id)
	if err != nil {
		return row, missingIntegrator(err, in.id)
	}
	if err := in.match.Check(row.Version); err != nil {
		return row, err
	}
	before := row
	if in.Name != nil {
		row.Name, row.NameKey = *in.Name, canonical(*in.Name)
	}
	if in.Role != nil {
		row.Role = string(*in.Role)
	}
	if in.State != nil {
		row.State = string(*in.State)
	}
	row.Version, row.UpdatedAt = row.Version+1, s.now()
	if err := q.UpdateIntegrator(ctx, identitydb.UpdateIntegratorParams{
		Name: row.Name, NameKey: row.NameKey, Role: row.Role, State: row.State, UpdatedAt: row.UpdatedAt, ID: in.id,
	}); err != nil {
		return row, s.nameTaken(err)
	}
	changes := changed("name", before.Name, row.Name)
	changes = append(changes, changed("role", before.Role, row.Role)...)
	changes = append(changes, changed("state", before.State, row.State)...)
	return row, record(ctx, q, row.UpdatedAt, integratorChanged, integratorTarget(in.id), changes...)
}

// nameTaken turns database.ErrDuplicate into an integrator_name_taken error.
func (s *Service) nameTaken(err error) error {
	if err = s.db.Classify(err); errors.Is(err, database.ErrDuplicate) {
		return fault.New(common.CodeIntegratorNameTaken, "Another integrator has this name.").About("name", "another integrator has it")
	}
	return wrap(err, "store integrator")
}

func (s *Service) integrator(ctx context.Context, id int64) (identitydb.Integrator, error) {
	row, err := read(ctx, s.db, func(q *identitydb.Queries) (identitydb.Integrator, error) { return q.GetIntegrator(ctx, id) })
	return row, missingIntegrator(err, id)
}

// integratorsList identifies the list in its cursors.
const integratorsList = "i"

func (s *Service) integrators(ctx context.Context, p api.ListIntegratorsParams) ([]identitydb.Integrator, *common.NextCursor, error) {
	id := func(row identitydb.Integrator) int64 { return row.ID }
	return list(ctx, s.db, integratorsList, p.Cursor, p.Limit, id, func(q *identitydb.Queries, after int64, limit int32) ([]identitydb.Integrator, error) {
		return q.ListIntegrators(ctx, identitydb.ListIntegratorsParams{AfterID: after, Limit: limit})
	})
}

// keyCreation is an API key to be created.
type keyCreation struct {
	integrator int64
	api.KeyInput
	row  identitydb.Key // inserted by createKey
	text string         // the key itself, which only the response of the request that makes it contains
}

func (s *Service) createKey(ctx context.Context, conn database.Conn, in *keyCreation) (identitydb.Key, error) {
	now, q := s.now(), identitydb.New(conn)
	if _, err := q.LockIntegrator(ctx, in.integrator); err != nil {
		return identitydb.Key{}, missingIntegrator(err, in.integrator)
	}
	caller, _ := auth.From(ctx)
	secret := auth.NewSecret()
	hash := auth.Hash(secret)
	row := identitydb.Key{
		IntegratorID: in.integrator, Name: in.Name, Hash: hash[:], CreatedBy: caller.Name, CreatedAt: now, ExpiresAt: in.ExpiresAt,
	}
	id, err := q.InsertKey(ctx, identitydb.InsertKeyParams{
		IntegratorID: row.IntegratorID, Name: row.Name, Hash: row.Hash, CreatedBy: row.CreatedBy, CreatedAt: now, ExpiresAt: row.ExpiresAt,
	})
	if err != nil {
		return row, wrap(err, "insert API key")
	}
	row.ID, in.text = id, auth.FormatKey(id, secret)
	in.row = row
	return row, record(ctx, q, now, keyCreated, keyTarget(id), set("integrator", integratorTarget(in.integrator)), set("name", row.Name))
}

// validExpiry returns the time at which a key expires with the precision of the database, or an invalid_input error if it is not in
// the future.
func (s *Service) validExpiry(at *time.Time) (*time.Time, error) {
	if at == nil {
		return nil, nil
	}
	if !at.After(s.now()) || at.Year() > 9998 { // a later year may not fit the database
		return nil, fault.Invalid(common.FieldError{Field: "expires_at", Message: "must be in the future, and before the year 9999"})
	}
	return new(at.UTC().Truncate(time.Microsecond)), nil
}

// keyRevocation identifies an API key to be revoked.
type keyRevocation struct{ integrator, id int64 }

func (s *Service) revokeKey(ctx context.Context, conn database.Conn, in keyRevocation) (struct{}, error) {
	now, q := s.now(), identitydb.New(conn)
	n, err := q.RevokeKey(ctx, identitydb.RevokeKeyParams{RevokedAt: &now, ID: in.id, IntegratorID: in.integrator})
	if err != nil {
		return struct{}{}, wrap(err, "revoke API key")
	}
	if n == 0 {
		_, err := q.GetKey(ctx, identitydb.GetKeyParams{ID: in.id, IntegratorID: in.integrator})
		return struct{}{}, missingKey(err, in.id) // nil if it was revoked before
	}
	return struct{}{}, record(ctx, q, now, keyRevoked, keyTarget(in.id), set("integrator", integratorTarget(in.integrator)))
}

// keysList identifies the list in its cursors.
const keysList = "k"

func (s *Service) keys(ctx context.Context, integrator int64, p api.ListKeysParams) ([]identitydb.Key, *common.NextCursor, error) {
	id := func(row identitydb.Key) int64 { return row.ID }
	return list(ctx, s.db, keysList, p.Cursor, p.Limit, id, func(q *identitydb.Queries, after int64, limit int32) ([]identitydb.Key, error) {
		if _, err := q.GetIntegrator(ctx, integrator); err != nil {
			return nil, missingIntegrator(err, integrator)
		}
		return q.ListKeys(ctx, identitydb.ListKeysParams{IntegratorID: integrator, AfterID: after, Limit: limit})
	})
}

// checkKey is the scheme of API keys. A key with a typing error needs no query.
func (s *Service) checkKey(ctx context.Context, token string) (auth.Caller, error) {
	id, hash, ok := auth.ParseKey(token)
	if !ok {
		return auth.Caller{}, errors.New("not an API key")
	}
	row, err := s.usableKey(ctx, id)
	if fault.Is(err, common.CodeKeyNotFound) || err == nil && subtle.ConstantTimeCompare(hash[:], row.Hash) == 0 {
		return auth.Caller{}, errors.New("no such API key, or it is revoked or expired, or its integrator is disabled")
	}
	if err != nil {
		return auth.Caller{}, fault.From(err) // any other error is a 401
	}
	if row.LastUsedAt == nil || minute(s.now()).After(*row.LastUsedAt) {
		if err := s.recordKeyUse(ctx, id); err != nil { // the key is valid nevertheless
			s.log.WarnContext(ctx, "use of API key not recorded", "key", id, "error", err)
		}
	}
	return auth.Caller{Name: integratorTarget(row.IntegratorID), Role: auth.Role(row.Role), ID: row.IntegratorID, DisplayName: row.IntegratorName}, nil
}

func (s *Service) usableKey(ctx context.Context, id int64) (identitydb.GetUsableKeyRow, error) {
	now := s.now()
	row, err := read(ctx, s.db, func(q *identitydb.Queries) (identitydb.GetUsableKeyRow, error) {
		return q.GetUsableKey(ctx, identitydb.GetUsableKeyParams{ID: id, Now: &now})
	})
	return row, missingKey(err, id)
}

func (s *Service) recordKeyUse(ctx context.Context, id int64) error {
	used := minute(s.now())
	return inTx(ctx, s.db, func(q *identitydb.Queries) error {
		return wrap(q.RecordKeyUse(ctx, identitydb.RecordKeyUseParams{UsedAt: &used, ID: id}), "record the use of an API key")
	})
}

// missingIntegrator turns database.ErrNotFound into an integrator_not_found error.
func missingIntegrator(err error, id int64) error {
	if errors.Is(err, database.ErrNotFound) {
		return fault.New(common.CodeIntegratorNotFound, fmt.Sprintf("There is no integrator %d.", id))
	}
	return wrap(err, "get integrator")
}

// missingKey turns database.ErrNotFound into a key_not_found error.
func missingKey(err error, id int64) error {
	if errors.Is(err, database.ErrNotFound) {
		return fault.New(common.CodeKeyNotFound, fmt.Sprintf("There is no API key %d, or it is revoked or expired.", id))
	}
	return wrap(err, "get API key")
}

// integratorTarget names an integrator in the audit log, as auth.Caller does.
func integratorTarget(id int64) string { return fmt.Sprintf("integrator:%d", id) }

func keyTarget(id int64) string { return fmt.Sprintf("key:%d", id) }
