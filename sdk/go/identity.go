package pedidos

import (
	"context"
	"iter"
)

// Users calls the operations on users, the people who log in. Only administrators may call them.
type Users struct{ c *Client }

// List returns the users, oldest first.
func (s Users) List(ctx context.Context) iter.Seq2[User, error] {
	return list[User](ctx, s.c, listUsers, struct{}{})
}

// Get returns a user.
func (s Users) Get(ctx context.Context, id UserID) (User, error) {
	return call[User](ctx, s.c, getUser, request{ids: []any{id}}, nil)
}

// Create creates a user without a password. With UserSetup.SetupToken the person sets one, within 24 hours; see Account.SetPassword. The
// token is empty if another attempt of this call has returned it: then call Reset.
func (s Users) Create(ctx context.Context, user UserInput, options ...CallOption) (UserSetup, error) {
	return call[UserSetup](ctx, s.c, createUser, request{body: user}, options)
}

// Update changes the name, the role or the state of a user. If it has changed since it was read, the code of the error is
// CodePreconditionFailed.
func (s Users) Update(ctx context.Context, user User, change UserChange, options ...CallOption) (User, error) {
	return call[User](ctx, s.c, updateUser, request{ids: []any{user.ID}, body: change, etag: user.ETag}, options)
}

// Reset returns a new setup token and ends all sessions of the user. The old password remains valid until the user sets a new one;
// disable the user first if others may know it.
func (s Users) Reset(ctx context.Context, id UserID, options ...CallOption) (UserSetup, error) {
	return call[UserSetup](ctx, s.c, resetUser, request{ids: []any{id}}, options)
}

// Integrators calls the operations on integrators, the programs that call with API keys. Only administrators may call them.
type Integrators struct{ c *Client }

// List returns the integrators, oldest first.
func (s Integrators) List(ctx context.Context) iter.Seq2[Integrator, error] {
	return list[Integrator](ctx, s.c, listIntegrators, struct{}{})
}

// Get returns an integrator.
func (s Integrators) Get(ctx context.Context, id IntegratorID) (Integrator, error) {
	return call[Integrator](ctx, s.c, getIntegrator, request{ids: []any{id}}, nil)
}

// Create creates an integrator, without a key.
func (s Integrators) Create(ctx context.Context, integrator IntegratorInput, options ...CallOption) (Integrator, error) {
	return call[Integrator](ctx, s.c, createIntegrator, request{body: integrator}, options)
}

// Update changes the name, the role or the state of an integrator. If it has changed since it was read, the code of the error is
// CodePreconditionFailed.
func (s Integrators) Update(ctx context.Context, read Integrator, change IntegratorChange, options ...CallOption) (Integrator, error) {
	return call[Integrator](ctx, s.c, updateIntegrator, request{ids: []any{read.ID}, body: change, etag: read.ETag}, options)
}

// Keys returns the API keys of an integrator, oldest first, without their secrets.
func (s Integrators) Keys(ctx context.Context, id IntegratorID) iter.Seq2[Key, error] {
	return list[Key](ctx, s.c, listKeys, struct{}{}, id)
}

// CreateKey creates an API key. NewKey.Key is shown only now; it is empty if another attempt of this call has returned it: then revoke the
// key and create another.
func (s Integrators) CreateKey(ctx context.Context, id IntegratorID, key KeyInput, options ...CallOption) (NewKey, error) {
	return call[NewKey](ctx, s.c, createKey, request{ids: []any{id}, body: key}, options)
}

// RevokeKey revokes an API key.
func (s Integrators) RevokeKey(ctx context.Context, id IntegratorID, key KeyID, options ...CallOption) error {
	_, err := call[struct{}](ctx, s.c, revokeKey, request{ids: []any{id, key}}, options)
	return err
}

// Account calls the operations on the caller, which is a user or an integrator.
type Account struct{ c *Client }

// Me returns the caller and its role.
func (s Account) Me(ctx context.Context) (Me, error) {
	return call[Me](ctx, s.c, getMe, request{}, nil)
}

// ChangePassword changes the password of the user who calls. It is not retried, and this client keeps logging in with the old one.
func (s Account) ChangePassword(ctx context.Context, change PasswordChange) error {
	_, err := call[struct{}](ctx, s.c, changePassword, request{body: change}, nil)
	return err
}

// SetPassword sets the password of a user with a setup token. The client needs no credentials. It is not retried.
func (s Account) SetPassword(ctx context.Context, setup Setup) error {
	_, err := call[struct{}](ctx, s.c, setPassword, request{body: setup}, nil)
	return err
}

// Sessions returns the sessions in browsers of the user who calls.
func (s Account) Sessions(ctx context.Context) iter.Seq2[Session, error] {
	return list[Session](ctx, s.c, listSessions, struct{}{})
}

// EndSession ends a session. It is not retried.
func (s Account) EndSession(ctx context.Context, id SessionID) error {
	_, err := call[struct{}](ctx, s.c, endSession, request{ids: []any{id}}, nil)
	return err
}

// Audit is the log of changes to users, integrators and keys.
type Audit struct{ c *Client }

// List returns the entries, newest first. Only administrators may read them.
func (s Audit) List(ctx context.Context, filter AuditFilter) iter.Seq2[AuditEntry, error] {
	return list[AuditEntry](ctx, s.c, listAudit, filter)
}
