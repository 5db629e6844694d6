package model

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/customers"
)

const viewerPassword = world.ViewerPassword

var (
	usernames       = rapid.SampledFrom([]string{"ana", "luz", "Bruno", "bruno", "Ñandú", "ñandú", "admin", "VIEWER"})
	displayNames    = rapid.SampledFrom([]string{"Ana Pérez", "Luz", "B. Ñandú"})
	integratorNames = rapid.SampledFrom([]string{"ERP", "erp", "Shop", "Almacén", "ALMACÉN"})
	passwords       = rapid.SampledFrom([]string{"seven wild horses", "eight wild horses"})
	roleDraws       = rapid.SampledFrom([]customers.Role{operator, manager, admin, viewer})
	states          = rapid.SampledFrom([]customers.State{customers.StateActive, customers.StateDisabled})
)

// people sends a request about users. It often lets a user with a setup token set a password and log in, and a disabled user try to
// log in. If the first administrator has lost the role or is disabled, the second one undoes that, so that later requests can succeed.
func (m *machine) people(t *rapid.T) {
	m.perform(t, rapid.Custom(m.drawPeople).Draw(t, "request"))
	soon := m.w.Clock.Now().Add(margin)
	waiting := slices.DeleteFunc(slices.Clone(m.users), func(u *user) bool { return u.setup == "" || !soon.Before(u.setupEnds) })
	if len(waiting) > 0 && rapid.IntRange(0, 3).Draw(t, "begin") > 0 {
		u := rapid.SampledFrom(waiting).Draw(t, "waiting")
		if u.canLogIn() && rapid.Bool().Draw(t, "before") { // a reset leaves the password as it is
			m.do(t, m.createSession(u.Username, u.password))
		}
		m.do(t, m.setPassword(u.setup, passwords.Draw(t, "password")))
		if u.canLogIn() {
			m.do(t, m.logIn(u.Username, u.password))
		}
	}
	disabled := slices.DeleteFunc(slices.Clone(m.users), func(u *user) bool { return u.password == "" || u.canLogIn() })
	if len(disabled) > 0 && m.failed < maxFailed && rapid.Bool().Draw(t, "in vain") {
		u := rapid.SampledFrom(disabled).Draw(t, "disabled")
		m.do(t, m.logIn(u.Username, u.password))
	}
	if first := m.users[0]; !first.activeAdmin() {
		m.do(t, m.updateUser(m.second, first.ID, nil, customers.UserChange{Role: new(admin), State: new(customers.StateActive)}))
	}
	m.tryEnded(t)
}

func (m *machine) drawPeople(t *rapid.T) request {
	switch what := rapid.IntRange(0, 11).Draw(t, "what"); {
	case what <= 1, len(m.setups) == 0: // nobody was created yet
		return m.createUser(t)
	case what <= 4:
		return m.changeUser(t)
	case what <= 6:
		return m.resetUser(t)
	case what == 7:
		return m.setPassword(rapid.SampledFrom(m.setups).Draw(t, "setup"), passwords.Draw(t, "password"))
	case what <= 9:
		return m.drawLogIn(t)
	case what == 10:
		return m.getUser(m.drawCaller(t), pick(t, "user", m.users, userID))
	}
	return m.getMe(m.drawCaller(t))
}

// programs sends a request about integrators and API keys. A new integrator often gets a key at once. Then orders-api is often called
// with a key, which may just have been revoked.
func (m *machine) programs(t *rapid.T) {
	m.perform(t, rapid.Custom(m.drawPrograms).Draw(t, "request"))
	if n := len(m.integrators); n > 0 && rapid.IntRange(0, 3).Draw(t, "begin") > 0 {
		if id := m.integrators[n-1].ID; !slices.ContainsFunc(m.keys, func(k *key) bool { return k.IntegratorID == id }) {
			m.perform(t, m.createKey(t, m.admin, id))
		}
	}
	holders := slices.DeleteFunc(slices.Clone(m.tokens), func(c *caller) bool { return c.key == nil })
	if len(holders) > 0 && rapid.Bool().Draw(t, "call") {
		m.do(t, m.getProduct(rapid.SampledFrom(holders).Draw(t, "holder"), pick(t, "product", m.products, productID)))
	}
}

func (m *machine) drawPrograms(t *rapid.T) request {
	if len(m.integrators) == 0 {
		return m.createIntegrator(t)
	}
	id := pick(t, "integrator", m.integrators, integratorID)
	switch what := rapid.IntRange(0, 9).Draw(t, "what"); {
	case what <= 1:
		return m.createIntegrator(t)
	case what <= 3, what <= 6 && len(m.keys) == 0:
		return m.createKey(t, m.drawCaller(t), id)
	case what <= 6:
		return m.revokeKey(t, id)
	case what <= 8:
		return m.changeIntegrator(t, id)
	}
	return request{
		name: "getIntegrator", text: fmt.Sprintf("GET /integrators/%d", id), by: m.drawCaller(t), access: access{least: admin}, api: customersAPI,
		send: func(ctx context.Context, s *call.Client, _ keys) (*http.Response, error) {
			return s.Customers.GetIntegrator(ctx, id)
		},
		rule: func(*rapid.T, actor, reply) string { return m.integratorGot(id) },
	}
}

func (m *machine) createUser(t *rapid.T) request {
	in := customers.UserInput{Username: usernames.Draw(t, "username"), Name: displayNames.Draw(t, "name"), Role: roleDraws.Draw(t, "role")}
	return request{
		name: "createUser", text: "POST /users " + encode(in), by: m.drawCaller(t), access: access{least: admin},
		api: customersAPI, key: m.drawKey(t), spelling: spellings.Draw(t, "spelling"),
		send: func(ctx context.Context, s *call.Client, k keys) (*http.Response, error) {
			return s.Customers.CreateUser(ctx, &customers.CreateUserParams{IdempotencyKey: k.header, XIdempotencyKey: k.alias}, in)
		},
		rule: func(t *rapid.T, by actor, got reply) string { return m.userCreated(t, by, got, in) },
	}
}

func (m *machine) resetUser(t *rapid.T) request {
	id := pick(t, "user", m.users, userID)
	return request{
		name: "resetUser", text: fmt.Sprintf("POST /users/%d/reset", id), by: m.drawCaller(t), access: access{least: admin},
		api: customersAPI, key: m.drawKey(t), spelling: spellings.Draw(t, "spelling"),
		send: func(ctx context.Context, s *call.Client, k keys) (*http.Response, error) {
			return s.Customers.ResetUser(ctx, id, &customers.ResetUserParams{IdempotencyKey: k.header, XIdempotencyKey: k.alias})
		},
		rule: func(t *rapid.T, by actor, got reply) string { return m.userReset(t, by, got, id) },
	}
}

func (m *machine) changeUser(t *rapid.T) request {
	id := pick(t, "user", m.users, userID)
	var in customers.UserChange
	fields := rapid.IntRange(1, 7).Draw(t, "fields")
	if fields&1 != 0 {
		in.Role = new(roleDraws.Draw(t, "role"))
	}
	if fields&2 != 0 {
		in.Name = new(displayNames.Draw(t, "name"))
	}
	if fields&4 != 0 {
		in.State = new(states.Draw(t, "state"))
	}
	var match *string
	if u := m.user(id); u != nil {
		match = drawIfMatch(t, u.version)
	}
	r := m.updateUser(m.drawCaller(t), id, match, in)
	r.key, r.spelling = m.drawKey(t), spellings.Draw(t, "spelling")
	return r
}

func (m *machine) updateUser(by *caller, id int64, match *string, in customers.UserChange) request {
	return request{
		name: "updateUser", text: fmt.Sprintf("PATCH /users/%d %s", id, encode(in)), note: note("If-Match", match), by: by,
		access: access{least: admin}, api: customersAPI,
		send: func(ctx context.Context, s *call.Client, k keys) (*http.Response, error) {
			return s.Customers.UpdateUser(ctx, id, &customers.UpdateUserParams{IdempotencyKey: k.header, XIdempotencyKey: k.alias, IfMatch: match}, in)
		},
		rule: func(t *rapid.T, by actor, got reply) string { return m.userUpdated(t, by, got, id, match, in) },
	}
}

func (m *machine) getUser(by *caller, id int64) request {
	return request{
		name: "getUser", text: fmt.Sprintf("GET /users/%d", id), by: by, access: access{least: admin}, api: customersAPI,
		send: func(ctx context.Context, s *call.Client, _ keys) (*http.Response, error) {
			return s.Customers.GetUser(ctx, id)
		},
		rule: func(t *rapid.T, _ actor, got reply) string { return m.userGot(t, got, id) },
	}
}

func (m *machine) getMe(by *caller) request {
	return request{
		name: "getMe", text: "GET /auth/me", by: by, access: access{least: viewer}, api: customersAPI,
		send: func(ctx context.Context, s *call.Client, _ keys) (*http.Response, error) {
			return s.Customers.GetMe(ctx)
		},
		rule: func(*rapid.T, actor, reply) string { return m.meGot(by) },
	}
}

func (m *machine) setPassword(token, password string) request {
	in := customers.Setup{Token: token, Password: password}
	return request{
		name: "setPassword", text: fmt.Sprintf("POST /auth/setup %q", password), by: m.nobody, access: access{anyone: true}, api: customersAPI,
		send: func(ctx context.Context, s *call.Client, _ keys) (*http.Response, error) {
			return s.Customers.SetPassword(ctx, in)
		},
		rule: func(_ *rapid.T, _ actor, got reply) string { return m.passwordSet(got, token, password) },
	}
}

// maxFailed keeps the failed logins of a run below the number after which the next one must wait.
const maxFailed = 4

func (m *machine) drawLogIn(t *rapid.T) request { return m.logIn(m.drawCredentials(t)) }

// drawCredentials draws credentials that may fail: of an unknown user, of one who is disabled or has no password, or with a wrong
// password.
func (m *machine) drawCredentials(t *rapid.T) (username, password string) {
	able := slices.DeleteFunc(slices.Clone(m.users), func(u *user) bool { return !u.canLogIn() })
	u := rapid.SampledFrom(able).Draw(t, "user")
	username, password = u.Username, u.password
	if m.failed < maxFailed {
		switch rapid.IntRange(0, 5).Draw(t, "wrong") {
		case 4:
			password = "nine wild horses"
		case 5:
			username = usernames.Draw(t, "username")
		}
	}
	return username, password
}

func (m *machine) logIn(username, password string) request {
	in := customers.Credentials{Username: username, Password: password}
	return request{
		name: "login", text: "POST /auth/login " + encode(in), by: m.nobody, access: access{anyone: true}, api: customersAPI,
		send: func(ctx context.Context, s *call.Client, _ keys) (*http.Response, error) {
			return s.Customers.Login(ctx, in)
		},
		rule: func(t *rapid.T, _ actor, got reply) string { return m.loggedIn(t, got, username, password) },
	}
}

func (m *machine) createIntegrator(t *rapid.T) request {
	in := customers.IntegratorInput{Name: integratorNames.Draw(t, "name"), Role: roleDraws.Draw(t, "role")}
	return request{
		name: "createIntegrator", text: "POST /integrators " + encode(in), by: m.drawCaller(t), access: access{least: admin},
		api: customersAPI, key: m.drawKey(t), spelling: spellings.Draw(t, "spelling"),
		send: func(ctx context.Context, s *call.Client, k keys) (*http.Response, error) {
			return s.Customers.CreateIntegrator(ctx, &customers.CreateIntegratorParams{IdempotencyKey: k.header, XIdempotencyKey: k.alias}, in)
		},
		rule: func(t *rapid.T, by actor, got reply) string { return m.integratorCreated(t, by, got, in) },
	}
}

func (m *machine) changeIntegrator(t *rapid.T, id int64) request {
	in := customers.IntegratorChange{
		Name: optional(t, "name", integratorNames), Role: optional(t, "role", roleDraws), State: optional(t, "state", states),
	}
	if in == (customers.IntegratorChange{}) {
		in.State = new(states.Draw(t, "state"))
	}
	var match *string
	if i := m.integrator(id); i != nil {
		match = drawIfMatch(t, i.version)
	}
	return request{
		name: "updateIntegrator", text: fmt.Sprintf("PATCH /integrators/%d %s", id, encode(in)), note: note("If-Match", match), by: m.drawCaller(t),
		access: access{least: admin}, api: customersAPI, key: m.drawKey(t), spelling: spellings.Draw(t, "spelling"),
		send: func(ctx context.Context, s *call.Client, k keys) (*http.Response, error) {
			return s.Customers.UpdateIntegrator(ctx, id, &customers.UpdateIntegratorParams{IdempotencyKey: k.header, XIdempotencyKey: k.alias, IfMatch: match}, in)
		},
		rule: func(t *rapid.T, by actor, got reply) string { return m.integratorUpdated(t, by, got, id, match, in) },
	}
}

// createKey draws a key that may expire, half a second off the pauses of the machine.
func (m *machine) createKey(t *rapid.T, by *caller, id int64) request {
	in := customers.KeyInput{Name: "production"}
	if life := optional(t, "life", rapid.SampledFrom([]pause{pause(10 * time.Second), pause(time.Hour), pause(30 * time.Hour)})); life != nil {
		in.ExpiresAt = new(m.w.Clock.Now().Truncate(time.Second).Add(time.Duration(*life) + time.Second/2))
	}
	return request{
		name: "createKey", text: fmt.Sprintf("POST /integrators/%d/keys %s", id, encode(in)), by: by, access: access{least: admin},
		api: customersAPI, key: m.drawKey(t), spelling: spellings.Draw(t, "spelling"),
		send: func(ctx context.Context, s *call.Client, k keys) (*http.Response, error) {
			return s.Customers.CreateKey(ctx, id, &customers.CreateKeyParams{IdempotencyKey: k.header, XIdempotencyKey: k.alias}, in)
		},
		rule: func(t *rapid.T, by actor, got reply) string { return m.keyCreated(t, by, got, id, in) },
	}
}

// revokeKey draws a key, which usually belongs to the integrator.
func (m *machine) revokeKey(t *rapid.T, integrator int64) request {
	id := pick(t, "key", m.keys, keyID)
	if k := find(m.keys, keyID, id); k != nil && rapid.IntRange(0, 9).Draw(t, "other") < 9 {
		integrator = k.IntegratorID
	}
	return request{
		name: "revokeKey", text: fmt.Sprintf("DELETE /integrators/%d/keys/%d", integrator, id), by: m.drawCaller(t), access: access{least: admin},
		api: customersAPI, key: m.drawKey(t), spelling: spellings.Draw(t, "spelling"),
		send: func(ctx context.Context, s *call.Client, k keys) (*http.Response, error) {
			return s.Customers.RevokeKey(ctx, integrator, id, &customers.RevokeKeyParams{IdempotencyKey: k.header, XIdempotencyKey: k.alias})
		},
		rule: func(_ *rapid.T, by actor, got reply) string { return m.keyRevoked(by, got, integrator, id) },
	}
}

// drawListOfPeople draws a list of users, integrators, API keys or audit entries.
func (m *machine) drawListOfPeople(t *rapid.T) listing {
	switch rapid.IntRange(0, 3).Draw(t, "people") {
	case 0:
		return m.listUsers()
	case 1:
		return m.listIntegrators()
	case 2:
		return m.listKeys(pick(t, "integrator", m.integrators, integratorID))
	}
	e := rapid.SampledFrom(m.audit).Draw(t, "entry")
	var actor, action *string
	if rapid.Bool().Draw(t, "actor") {
		actor = &e.Actor
	}
	if rapid.Bool().Draw(t, "action") {
		action = &e.Action
	}
	return m.listAudit(actor, action)
}

func (m *machine) listUsers() listing {
	l := listing{name: "listUsers", text: "GET /users", of: "users", least: admin, api: customersAPI}
	for _, u := range m.users {
		l.entries = append(l.entries, entry{u.ID, u})
	}
	l.fetch = func(ctx context.Context, s *call.Client, cursor *string, limit *int32) (*http.Response, error) {
		return s.Customers.ListUsers(ctx, &customers.ListUsersParams{Cursor: cursor, Limit: limit})
	}
	return l
}

func (m *machine) listIntegrators() listing {
	l := listing{name: "listIntegrators", text: "GET /integrators", of: "integrators", least: admin, api: customersAPI}
	for _, i := range m.integrators {
		l.entries = append(l.entries, entry{i.ID, i.Integrator})
	}
	l.fetch = func(ctx context.Context, s *call.Client, cursor *string, limit *int32) (*http.Response, error) {
		return s.Customers.ListIntegrators(ctx, &customers.ListIntegratorsParams{Cursor: cursor, Limit: limit})
	}
	return l
}

func (m *machine) listKeys(id int64) listing {
	l := listing{name: "listKeys", text: fmt.Sprintf("GET /integrators/%d/keys", id), of: "keys", least: admin, api: customersAPI}
	for _, k := range m.keys {
		if k.IntegratorID == id {
			l.entries = append(l.entries, entry{k.ID, k})
		}
	}
	if m.integrator(id) == nil {
		l.refused = refuse(404, common.CodeIntegratorNotFound)
	}
	l.fetch = func(ctx context.Context, s *call.Client, cursor *string, limit *int32) (*http.Response, error) {
		return s.Customers.ListKeys(ctx, id, &customers.ListKeysParams{Cursor: cursor, Limit: limit})
	}
	return l
}

// listAudit lists the entries of an actor and an action. Nil means any.
func (m *machine) listAudit(actor, action *string) listing {
	l := listing{name: "listAudit", text: "GET /audit" + note("actor", actor) + note("action", action), of: "audit", least: admin, api: customersAPI}
	for i, e := range slices.Backward(m.audit) {
		if (actor == nil || e.Actor == *actor) && (action == nil || e.Action == *action) {
			l.entries = append(l.entries, entry{int64(-i), e})
		}
	}
	l.fetch = func(ctx context.Context, s *call.Client, cursor *string, limit *int32) (*http.Response, error) {
		return s.Customers.ListAudit(ctx, &customers.ListAuditParams{Actor: actor, Action: action, Cursor: cursor, Limit: limit})
	}
	return l
}
