package model

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/customers"
)

const setupLife = 24 * time.Hour

type user struct {
	customers.User
	version   int
	password  string
	setup     string    // the setup token that works, or ""
	setupEnds time.Time // of the setup token
	changed   *reply    // a change whose time no answer has shown yet
	login     *reply    // a login whose time no answer has shown yet
}

type integrator struct {
	customers.Integrator
	version int
	changed time.Time
}

type key struct {
	customers.Key
	integrator *integrator
	revoked    *reply    // the revocation, until an answer has shown its time
	changed    time.Time // when it was revoked
	used       *reply    // the last request with the key
}

type auditEntry struct {
	customers.AuditEntry
	of *reply // the request, until an answer has shown the time of the entry
}

func userID(u *user) int64             { return u.ID }
func integratorID(i *integrator) int64 { return i.ID }
func keyID(k *key) int64               { return k.ID }

func (m *model) user(id int64) *user             { return find(m.users, userID, id) }
func (m *model) integrator(id int64) *integrator { return find(m.integrators, integratorID, id) }

func (m *model) userNamed(username string) *user {
	i := slices.IndexFunc(m.users, func(u *user) bool { return strings.EqualFold(u.Username, username) })
	if i < 0 {
		return nil
	}
	return m.users[i]
}

// withSetup returns the user with this setup token, or nil if the token does not work.
func (m *model) withSetup(token string, at time.Time) *user {
	i := slices.IndexFunc(m.users, func(u *user) bool { return u.setup == token && at.Before(u.setupEnds) })
	if i < 0 {
		return nil
	}
	return m.users[i]
}

func (u *user) activeAdmin() bool { return u.Role == admin && u.State == customers.StateActive }

func (u *user) canLogIn() bool { return u.State == customers.StateActive && u.password != "" }

func (k *key) valid(at time.Time) bool {
	return k.RevokedAt == nil && k.revoked == nil && k.integrator.State == customers.StateActive &&
		(k.ExpiresAt == nil || at.Before(k.ExpiresAt.Time))
}

// hidden stands for a secret in outcomes. The model can't predict a secret; it checks it by its use.
const hidden = "SECRET"

var secret = regexp.MustCompile(`"(p(?:ed_\d+|es|et)_[A-Z2-7]{59}|eyJ[\w.-]+)"`)

// withoutSecret returns the reply as it is stored for repeats: with null in place of a setup token or an API key.
func (r reply) withoutSecret() reply {
	r.Body = secret.ReplaceAll(r.Body, []byte("null"))
	return r
}

// settle takes the times of a login and of a change from an answer, which must lie within the requests.
func (u *user) settle(t *rapid.T, shown customers.User) {
	if u.login != nil && shown.LastLoginAt != nil {
		u.LastLoginAt = &common.NullableTime{Time: u.login.instant(t, &common.Time{Time: shown.LastLoginAt.Time}).Time}
	}
	if u.changed != nil {
		u.UpdatedAt = u.changed.instant(t, &shown.UpdatedAt)
	}
	u.login, u.changed = nil, nil
}

// settle takes the time of the revocation and the minute of the last use from an answer. A service remembers a key, and so the minute
// may be that of an earlier use.
func (k *key) settle(t *rapid.T, shown customers.Key) {
	if k.revoked != nil && shown.RevokedAt != nil {
		k.RevokedAt, k.revoked = &common.NullableTime{Time: k.revoked.instant(t, &common.Time{Time: shown.RevokedAt.Time}).Time}, nil
	}
	if k.used == nil || shown.LastUsedAt == nil {
		return
	}
	minute := shown.LastUsedAt.Time
	if minute != minute.Truncate(time.Minute) || minute.Before(k.used.from.Add(-keyCache).Truncate(time.Minute)) || minute.After(k.used.until) {
		t.Fatalf("listKeys: got the last use %v of key %d, which was used at %v", minute, k.ID, k.used.from)
	}
	k.LastUsedAt = shown.LastUsedAt
}

// settle takes the ID and the time of an entry from an answer.
func (e *auditEntry) settle(t *rapid.T, shown customers.AuditEntry) {
	if e.of != nil {
		e.ID, e.CreatedAt, e.of = shown.ID, e.of.instant(t, &shown.CreatedAt), nil
	}
}

// audited adds an entry to the audit log.
func (m *model) audited(by actor, got reply, action, target string, changes ...customers.AuditChange) {
	if changes == nil {
		changes = []customers.AuditChange{}
	}
	m.audit = append(m.audit, &auditEntry{of: &got, AuditEntry: customers.AuditEntry{
		Actor: by.name, ActorName: by.display, Action: action, Target: target, Changes: changes, Address: new("127.0.0.1"),
	}})
}

func added(field, to string) customers.AuditChange {
	return customers.AuditChange{Field: field, To: &to}
}

// differing returns the change of a field, or nothing if the values are equal.
func differing[T ~string](field string, from, to T) []customers.AuditChange {
	if from == to {
		return nil
	}
	return []customers.AuditChange{{Field: field, From: new(string(from)), To: new(string(to))}}
}

func (m *machine) userCreated(t *rapid.T, by actor, got reply, in customers.UserInput) string {
	if m.userNamed(in.Username) != nil {
		return refuse(409, common.CodeUsernameTaken, "username")
	}
	body := decode[customers.UserSetup](t, got, 201)
	now := got.instant(t, &body.CreatedAt)
	u := &user{version: 1, User: customers.User{
		ID: newID(t, m.users, userID, body.ID), Username: in.Username, Name: in.Name, Role: in.Role, State: customers.StateActive, CreatedAt: now, UpdatedAt: now,
	}}
	m.users = append(m.users, u)
	m.audited(by, got, "user.created", "user:"+u.Username, added("name", u.Name), added("role", string(u.Role)))
	return succeed(201, m.newSetup(u, body), etag(1), fmt.Sprintf("/users/%d", u.ID))
}

// newSetup gives a user the setup token of an answer. It returns the expected body.
func (m *machine) newSetup(u *user, got customers.UserSetup) customers.UserSetup {
	if got.SetupToken != nil {
		u.setup, u.setupEnds = *got.SetupToken, u.UpdatedAt.Add(setupLife)
		m.setups = append(m.setups, u.setup)
	}
	return customers.UserSetup{
		ID: u.ID, Username: u.Username, Name: u.Name, Role: u.Role, State: u.State, PasswordSet: u.PasswordSet, CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt,
		LastLoginAt: u.LastLoginAt, SetupToken: new(hidden), SetupExpiresAt: common.Time{Time: u.UpdatedAt.Add(setupLife)},
	}
}

func (m *machine) userReset(t *rapid.T, by actor, got reply, id int64) string {
	u := m.user(id)
	if u == nil {
		return refuse(404, common.CodeUserNotFound)
	}
	body := decode[customers.UserSetup](t, got, 200)
	u.changed = &got
	u.settle(t, decode[customers.User](t, got, 200))
	u.version++
	m.endSessions(u)
	m.audited(by, got, "user.reset", "user:"+u.Username)
	return succeed(200, m.newSetup(u, body))
}

func (m *machine) userUpdated(t *rapid.T, by actor, got reply, id int64, ifMatch *string, in customers.UserChange) string {
	u := m.user(id)
	switch {
	case u == nil:
		return refuse(404, common.CodeUserNotFound)
	case !matches(ifMatch, u.version):
		return refuse(412, common.CodePreconditionFailed)
	}
	after := u.User
	if in.Name != nil {
		after.Name = *in.Name
	}
	if in.Role != nil {
		after.Role = *in.Role
	}
	if in.State != nil {
		after.State = *in.State
	}
	others := slices.ContainsFunc(m.users, func(other *user) bool { return other != u && other.activeAdmin() })
	if u.activeAdmin() && !(&user{User: after}).activeAdmin() && !others {
		return refuse(409, common.CodeLastAdmin)
	}
	changes := slices.Concat(differing("name", u.Name, after.Name), differing("role", u.Role, after.Role), differing("state", u.State, after.State))
	m.audited(by, got, "user.changed", "user:"+u.Username, changes...)
	if after.Role != u.Role || after.State != customers.StateActive {
		m.endSessions(u)
	}
	u.User, u.changed = after, &got
	u.settle(t, decode[customers.User](t, got, 200))
	u.version++
	return succeed(200, u.User, etag(u.version))
}

func (m *machine) userGot(t *rapid.T, got reply, id int64) string {
	u := m.user(id)
	if u == nil {
		return refuse(404, common.CodeUserNotFound)
	}
	u.settle(t, decode[customers.User](t, got, 200))
	return succeed(200, u.User, etag(u.version))
}

func (m *machine) passwordSet(got reply, token, password string) string {
	u := m.withSetup(token, got.from)
	if u == nil {
		return refuse(400, common.CodeInvalidInput, "token")
	}
	u.password, u.PasswordSet, u.setup = password, true, ""
	u.changed = &got
	u.version++
	m.endSessions(u)
	m.audited(actor{"user:" + u.Username, &u.ID, new(u.Name)}, got, "user.password_set", "user:"+u.Username)
	return "204"
}

// passes returns the active user with a password, or nil.
func (m *machine) passes(username, password string) *user {
	u := m.userNamed(username)
	if u == nil || !u.canLogIn() || u.password != password {
		m.failed++
		return nil
	}
	return u
}

func (m *machine) loggedIn(t *rapid.T, got reply, username, password string) string {
	u := m.passes(username, password)
	if u == nil {
		return refuse(401, common.CodeInvalidCredentials)
	}
	body := decode[customers.Token](t, got, 200)
	u.login = &got
	m.newToken(u, body.AccessToken, got.until, tokenLife)
	return succeed(200, customers.Token{AccessToken: hidden, TokenType: customers.Bearer, ExpiresIn: int32(tokenLife.Seconds())})
}

// meGot returns the caller with the current name of a user, but the role of the access token.
func (m *machine) meGot(by *caller) string {
	me := customers.Me{Caller: by.name, Kind: customers.KindIntegrator, Role: by.roleNow()}
	if by.key != nil {
		me.ID, me.Name = by.key.integrator.ID, by.key.integrator.Name
		return succeed(200, me)
	}
	if by.id == nil {
		return refuse(401, common.CodeUnauthorized)
	}
	u := m.user(*by.id)
	me.Kind, me.ID, me.Username, me.Name = customers.KindUser, u.ID, &u.Username, u.Name
	return succeed(200, me)
}

func (m *machine) integratorNameTaken(name string, but *integrator) bool {
	return slices.ContainsFunc(m.integrators, func(i *integrator) bool { return i != but && strings.EqualFold(i.Name, name) })
}

func (m *machine) integratorCreated(t *rapid.T, by actor, got reply, in customers.IntegratorInput) string {
	if m.integratorNameTaken(in.Name, nil) {
		return refuse(409, common.CodeIntegratorNameTaken, "name")
	}
	body := decode[customers.Integrator](t, got, 201)
	now := got.instant(t, &body.CreatedAt)
	i := &integrator{version: 1, Integrator: customers.Integrator{
		ID: newID(t, m.integrators, integratorID, body.ID), Name: in.Name, Role: in.Role, State: customers.StateActive, CreatedAt: now, UpdatedAt: now,
	}}
	m.integrators = append(m.integrators, i)
	m.audited(by, got, "integrator.created", fmt.Sprintf("integrator:%d", i.ID), added("name", i.Name), added("role", string(i.Role)))
	return succeed(201, i.Integrator, etag(1), fmt.Sprintf("/integrators/%d", i.ID))
}

func (m *machine) integratorUpdated(t *rapid.T, by actor, got reply, id int64, ifMatch *string, in customers.IntegratorChange) string {
	i := m.integrator(id)
	switch {
	case i == nil:
		return refuse(404, common.CodeIntegratorNotFound)
	case !matches(ifMatch, i.version):
		return refuse(412, common.CodePreconditionFailed)
	case in.Name != nil && m.integratorNameTaken(*in.Name, i):
		return refuse(409, common.CodeIntegratorNameTaken, "name")
	}
	before := i.Integrator
	if in.Name != nil {
		i.Name = *in.Name
	}
	if in.Role != nil {
		i.Role = *in.Role
	}
	if in.State != nil {
		i.State = *in.State
	}
	changes := slices.Concat(differing("name", before.Name, i.Name), differing("role", before.Role, i.Role), differing("state", before.State, i.State))
	m.audited(by, got, "integrator.changed", fmt.Sprintf("integrator:%d", i.ID), changes...)
	i.UpdatedAt, i.changed = got.instant(t, new(decode[customers.Integrator](t, got, 200).UpdatedAt)), got.until
	i.version++
	return succeed(200, i.Integrator, etag(i.version))
}

func (m *machine) integratorGot(id int64) string {
	i := m.integrator(id)
	if i == nil {
		return refuse(404, common.CodeIntegratorNotFound)
	}
	return succeed(200, i.Integrator, etag(i.version))
}

func (m *machine) keyCreated(t *rapid.T, by actor, got reply, id int64, in customers.KeyInput) string {
	i := m.integrator(id)
	switch {
	case in.ExpiresAt != nil && !in.ExpiresAt.After(got.from):
		return refuse(400, common.CodeInvalidInput, "expires_at")
	case i == nil:
		return refuse(404, common.CodeIntegratorNotFound)
	}
	body := decode[customers.NewKey](t, got, 201)
	k := &key{integrator: i, Key: customers.Key{
		ID: newID(t, m.keys, keyID, body.ID), IntegratorID: id, Name: in.Name, Prefix: fmt.Sprintf("ped_%d_", body.ID), CreatedBy: by.name,
		CreatedAt: got.instant(t, &body.CreatedAt),
	}}
	if in.ExpiresAt != nil {
		k.ExpiresAt = &common.NullableTime{Time: *in.ExpiresAt}
	}
	m.keys = append(m.keys, k)
	m.audited(by, got, "key.created", fmt.Sprintf("key:%d", k.ID), added("integrator", fmt.Sprintf("integrator:%d", id)), added("name", k.Name))
	if body.Key == nil || !strings.HasPrefix(*body.Key, k.Prefix) {
		t.Fatalf("createKey: got no key that starts with %s", k.Prefix)
	}
	m.newKeyToken(k, *body.Key)
	return succeed(201, customers.NewKey{
		ID: k.ID, IntegratorID: id, Name: k.Name, Prefix: k.Prefix, CreatedBy: k.CreatedBy, CreatedAt: k.CreatedAt, ExpiresAt: k.ExpiresAt, Key: new(hidden),
	})
}

func (m *machine) keyRevoked(by actor, got reply, integrator, id int64) string {
	k := find(m.keys, keyID, id)
	if k == nil || k.IntegratorID != integrator {
		return refuse(404, common.CodeKeyNotFound)
	}
	if k.RevokedAt == nil && k.revoked == nil {
		k.revoked, k.changed = &got, got.until
		m.audited(by, got, "key.revoked", fmt.Sprintf("key:%d", id), added("integrator", fmt.Sprintf("integrator:%d", integrator)))
	}
	return "204"
}

// settleEntry takes what the model can't predict of an entry of a list from the first answer that contains it.
func settleEntry(t *rapid.T, entry any, answer json.RawMessage) {
	switch e := entry.(type) {
	case *user:
		e.settle(t, parse[customers.User](t, answer))
	case *key:
		e.settle(t, parse[customers.Key](t, answer))
	case *auditEntry:
		e.settle(t, parse[customers.AuditEntry](t, answer))
	default:
		setMovementID(t, entry, answer)
	}
}

func parse[T any](t *rapid.T, text json.RawMessage) (value T) {
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatal(err)
	}
	return value
}

// The contract's part of an entry is what a list shows.
func (u *user) MarshalJSON() ([]byte, error)       { return json.Marshal(u.User) }
func (k *key) MarshalJSON() ([]byte, error)        { return json.Marshal(k.Key) }
func (e *auditEntry) MarshalJSON() ([]byte, error) { return json.Marshal(e.AuditEntry) }
