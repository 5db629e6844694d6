package model

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/gen/orchestrator"
)

const (
	tokenLife = time.Hour
	tokenSkew = time.Minute     // after its expiry, in which a token is still accepted
	keyCache  = 5 * time.Second // for which orders-api remembers an API key
)

// The roles, in ascending order.
const (
	viewer   = customers.RoleViewer
	operator = customers.RoleOperator
	manager  = customers.RoleManager
	admin    = customers.RoleAdmin
)

var roles = []customers.Role{viewer, operator, manager, admin}

// actor is the author of a change in histories and in the audit log.
type actor struct {
	name    string
	id      *int64
	display *string
}

// caller is a token with which the machine calls, and what the services know of its holder.
type caller struct {
	label string // for the log
	actor
	role    customers.Role // "" for a service and for nobody
	expires time.Time      // of an access token, including the skew
	renewed bool           // the machine replaces the access token before it expires
	key     *key           // of an integrator, whose role and name may change
	session *session       // of a user, whose name may change
	client  *call.Client
}

// access lists the callers that may use an operation: users and integrators from a role up, services, or anyone without a token.
type access struct {
	least            customers.Role
	services, anyone bool

	fields func(role customers.Role) []string // returns the fields of the request that a role may not set; may be nil
}

// now returns the actor with the current name. An access token keeps the name that the user had at the login.
func (c *caller) now() actor {
	if c.key != nil {
		return actor{c.name, c.id, new(c.key.integrator.Name)}
	}
	if c.session != nil {
		return actor{c.name, c.id, new(c.session.user.Name)}
	}
	return c.actor
}

func (c *caller) roleNow() customers.Role {
	if c.key != nil {
		return c.key.integrator.Role
	}
	if c.session != nil {
		return c.session.user.Role
	}
	return c.role
}

// valid reports whether the services accept the token. An access token is accepted until it expires, even if its user is disabled.
func (c *caller) valid(at time.Time) bool {
	if c.key != nil {
		return c.key.valid(at)
	}
	if c.session != nil {
		return c.session.live(at)
	}
	return c.expires.IsZero() || at.Before(c.expires)
}

// use notes the use of an API key or a session.
func (c *caller) use(got reply) {
	switch {
	case !c.valid(got.from):
	case c.key != nil:
		c.key.used = &got
	case c.session != nil:
		c.session.used = got.from.Truncate(time.Minute)
	}
}

// known returns when the service that answers knows the last change of the caller's API key. Customers-api knows it at once.
func (r request) known() time.Time {
	if r.by.key == nil || r.api == customersAPI {
		return time.Time{}
	}
	changed := r.by.key.changed
	if other := r.by.key.integrator.changed; other.After(changed) {
		changed = other
	}
	return changed.Add(keyCache)
}

// denied returns the outcome for a caller without access, or "".
func (r request) denied(at time.Time) string {
	var refused refusal
	if r.api == orchestratorAPI {
		refused.step = orchestrator.StepValidateInput
	}
	role := r.by.roleNow()
	switch {
	case r.access.anyone:
		return ""
	case !r.by.valid(at), role == "" && !r.access.services:
		refused.status, refused.code = http.StatusUnauthorized, common.CodeUnauthorized
		return refused.String()
	case role != "" && slices.Index(roles, role) < slices.Index(roles, r.access.least):
		refused.status, refused.code = http.StatusForbidden, common.CodeForbidden
		return refused.String()
	}
	if r.access.fields != nil {
		if refused.fields = r.access.fields(role); refused.fields != nil {
			refused.status, refused.code = http.StatusForbidden, common.CodeForbidden
			return refused.String()
		}
	}
	return ""
}

// drawCaller draws a caller: usually the first administrator, and often the holder of another token, which is usually valid.
func (m *machine) drawCaller(t *rapid.T) *caller {
	switch n := rapid.IntRange(0, 23).Draw(t, "by"); {
	case n >= 14 && len(m.tokens) > 0:
		all := m.tokens
		if n > 14 {
			now := m.w.Clock.Now()
			all = slices.DeleteFunc(slices.Clone(all), func(c *caller) bool { return !c.valid(now) })
		}
		if len(all) > 0 {
			return rapid.SampledFrom(all).Draw(t, "token")
		}
	case n == 10, n == 11:
		return m.second
	case n == 12, n == 13:
		return m.service
	}
	return m.admin
}

// GoString returns the text that rapid prints.
func (c *caller) GoString() string { return c.label }

// adopt takes over the users that the services create at their first start, and their entries in the audit log.
func (m *machine) adopt(t *rapid.T) {
	m.renew(t, m.second)
	client := m.second.client.Customers
	users := decode[customers.UserPage](t, reply{Response: call.Read(client.ListUsers(t.Context(), nil)), to: "listUsers"}, http.StatusOK)
	for i, password := range []string{m.w.Password(), viewerPassword} {
		m.users = append(m.users, &user{User: users.Data[i], version: 1, password: password})
	}
	log := decode[customers.AuditPage](t, reply{Response: call.Read(client.ListAudit(t.Context(), nil)), to: "listAudit"}, http.StatusOK)
	for _, entry := range slices.Backward(log.Data) {
		m.audit = append(m.audit, &auditEntry{AuditEntry: entry})
	}
	m.do(t, m.logIn(m.users[1].Username, viewerPassword))
}

// renew replaces the access token of one of the first two callers, if it expires in the next 20 minutes.
func (m *machine) renew(t *rapid.T, c *caller) {
	now := m.w.Clock.Now()
	if !c.renewed || now.Add(20*time.Minute).Before(c.expires) {
		return
	}
	if c == m.second {
		c.client, c.expires = m.w.Login("second"), now.Truncate(time.Second).Add(tokenLife+tokenSkew)
		return
	}
	m.do(t, m.logIn(m.users[0].Username, m.users[0].password))
	label := c.label
	*c = *m.tokens[len(m.tokens)-1]
	c.label, c.renewed = label, true
}

// newToken adds an access token of a user.
func (m *machine) newToken(u *user, token string, at time.Time, life time.Duration) {
	m.tokens = append(m.tokens, &caller{
		label: fmt.Sprintf("%s (token %d)", u.Username, len(m.tokens)+1),
		actor: actor{"user:" + u.Username, new(u.ID), new(u.Name)}, role: u.Role,
		expires: at.Truncate(time.Second).Add(life + tokenSkew), client: m.w.With(token),
	})
}

// newKeyToken adds an API key.
func (m *machine) newKeyToken(k *key, token string) {
	m.tokens = append(m.tokens, &caller{
		label: fmt.Sprintf("integrator %d (key %d)", k.IntegratorID, k.ID),
		actor: actor{name: fmt.Sprintf("integrator:%d", k.IntegratorID), id: new(k.IntegratorID)}, key: k, client: m.w.With(token),
	})
}
