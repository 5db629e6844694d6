package view

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	api "github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/services/backoffice/text"
)

// The notices about the team.
const (
	UserChanged       Notice = "user-changed"
	IntegratorCreated Notice = "integrator-created"
	IntegratorChanged Notice = "integrator-changed"
	Enabled           Notice = "enabled"
	Disabled          Notice = "disabled"
	KeyRevoked        Notice = "key-revoked"
)

func teamNotices(t text.Texts) map[Notice]string {
	return map[Notice]string{
		UserChanged: t.Saved(), IntegratorCreated: t.IntegratorCreated(), IntegratorChanged: t.Saved(),
		Enabled: t.EnabledNotice(), Disabled: t.DisabledNotice(), KeyRevoked: t.KeyRevoked(),
	}
}

// StateNotice returns the notice that follows a change to a state.
func StateNotice(state api.State) Notice {
	if state == api.StateActive {
		return Enabled
	}
	return Disabled
}

// otherState returns the state to which a user or an integrator can change.
func otherState(state api.State) api.State {
	if state == api.StateActive {
		return api.StateDisabled
	}
	return api.StateActive
}

func roles() []api.Role {
	return []api.Role{api.RoleViewer, api.RoleOperator, api.RoleManager, api.RoleAdmin}
}

// auditActions are the actions of the audit log, as docs/operations.md lists them.
func auditActions() []string {
	return []string{
		"user.created", "user.changed", "user.reset", "user.password_set", "user.password_changed", "session.started", "session.ended",
		"integrator.created", "integrator.changed", "key.created", "key.revoked", "signing_key.created",
	}
}

// auditTarget returns what an entry is about, by its name if the entry tells it, and the other changes.
func auditTarget(p *Page, e api.AuditEntry) (target string, changes []api.AuditChange) {
	kind, id, _ := strings.Cut(e.Target, ":")
	if kind == "key" || kind == "integrator" {
		for i, c := range e.Changes {
			if c.Field == "name" && c.From == nil {
				return str(c.To), slices.Delete(slices.Clone(e.Changes), i, i+1)
			}
		}
	}
	return p.Text.AuditTarget(kind, id), e.Changes
}

// KeyList is the data of the list of the keys of an integrator.
type KeyList struct {
	Query *Form
	Keys  []api.Key
	Pages Pager
}

// auditChange returns a change as text, such as "Role: Operator → Manager".
func auditChange(p *Page, c api.AuditChange) string {
	value := func(v *string) string { return p.Text.AuditValue(c.Field, str(v)) }
	switch field := p.Text.AuditField(c.Field); {
	case c.From == nil:
		return field + ": " + value(c.To)
	case c.To == nil:
		return field + ": " + value(c.From) + " → –"
	default:
		return field + ": " + value(c.From) + " → " + value(c.To)
	}
}

// keyState returns the class and the word of a key's status.
func keyState(p *Page, k api.Key) (class, word string) {
	switch {
	case k.RevokedAt != nil:
		return "off", p.Text.KeyIsRevoked()
	case k.ExpiresAt != nil && !p.Now.Before(k.ExpiresAt.Time):
		return "off", p.Text.KeyIsExpired()
	}
	return "good", p.Text.KeyIsValid()
}

// usableKey reports whether a key can be revoked.
func usableKey(p *Page, k api.Key) bool {
	class, _ := keyState(p, k)
	return class == "good"
}

// lastDay returns the last day of a key with an expiry.
func lastDay(p *Page, expires time.Time) string { return p.Locale.Date(expires.Add(-time.Second)) }

func userURL(id int64) templ.SafeURL { return templ.SafeURL(fmt.Sprintf("/team/users/%d", id)) }

func integratorURL(id int64) templ.SafeURL {
	return templ.SafeURL(fmt.Sprintf("/team/integrators/%d", id))
}

func keyURL(k api.Key) templ.SafeURL {
	return integratorURL(k.IntegratorID) + templ.SafeURL(fmt.Sprintf("/keys/%d", k.ID))
}

// auditFiltered reports whether a filter of the audit log is set.
func auditFiltered(filters *Form) bool {
	return filters.Get("actor")+filters.Get("action")+filters.Get("from")+filters.Get("to") != ""
}
