package model

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/customers"
)

const (
	sessionIdle = 8 * time.Hour
	sessionLife = 7 * 24 * time.Hour
	accessLife  = 5 * time.Minute // of the access tokens of sessions
)

// session is a session of a user, with which a browser calls.
type session struct {
	id            int64
	user          *user
	used, expires time.Time // the minute of the last use, and the end at the latest
	ended         bool
	tried         bool // the machine has called with it after its end
	caller        *caller
}

func sessionID(s *session) int64 { return s.id }

// GoString returns the text that rapid prints.
func (s *session) GoString() string { return s.caller.label }

// live reports whether the session has not ended. It ends after a time without use, which counts from the end of a minute.
func (s *session) live(at time.Time) bool {
	return !s.ended && at.Before(s.expires) && at.Before(s.used.Add(time.Minute+sessionIdle))
}

// endSessions ends all sessions of a user.
func (m *machine) endSessions(u *user) {
	for _, s := range m.sessions {
		s.ended = s.ended || s.user == u
	}
}

// drawSessions draws a request about sessions.
func (m *machine) drawSessions(t *rapid.T) request {
	if len(m.sessions) == 0 {
		return m.startSession(t)
	}
	s := rapid.SampledFrom(m.sessions).Draw(t, "session")
	switch rapid.IntRange(0, 5).Draw(t, "what") {
	case 0, 1:
		return m.startSession(t)
	case 2:
		by := s.caller
		if rapid.Bool().Draw(t, "other") {
			by = m.drawCaller(t)
		}
		return m.endSession(by, pick(t, "session", m.sessions, sessionID))
	case 3:
		return m.getMe(s.caller)
	}
	return m.exchangeSession(s)
}

// tryEnded calls once with each session that has ended.
func (m *machine) tryEnded(t *rapid.T) {
	for _, s := range m.sessions {
		if !s.tried && !s.live(m.w.Clock.Now()) {
			s.tried = true
			m.do(t, m.exchangeSession(s))
		}
	}
}

func (m *machine) startSession(t *rapid.T) request { return m.createSession(m.drawCredentials(t)) }

func (m *machine) createSession(username, password string) request {
	in := customers.Credentials{Username: username, Password: password}
	return request{
		name: "createSession", text: "POST /auth/sessions " + encode(in), by: m.nobody, access: access{anyone: true}, api: customersAPI,
		send: func(ctx context.Context, c *call.Client, _ keys) (*http.Response, error) {
			return c.Customers.CreateSession(ctx, nil, in)
		},
		rule: func(t *rapid.T, _ actor, got reply) string { return m.sessionStarted(t, got, username, password) },
	}
}

func (m *machine) sessionStarted(t *rapid.T, got reply, username, password string) string {
	u := m.passes(username, password)
	if u == nil {
		return refuse(401, common.CodeInvalidCredentials)
	}
	body := decode[customers.NewSession](t, got, 201)
	u.login = &got
	created := got.instant(t, &body.CreatedAt)
	s := &session{
		id: newID(t, m.sessions, sessionID, body.ID), user: u, used: created.Truncate(time.Minute), expires: created.Add(sessionLife),
	}
	s.caller = &caller{
		label: fmt.Sprintf("%s (session %d)", u.Username, s.id), actor: actor{name: "user:" + u.Username, id: &u.ID}, session: s, client: m.w.With(body.Token),
	}
	m.sessions = append(m.sessions, s)
	m.audited(s.caller.now(), got, "session.started", fmt.Sprintf("session:%d", s.id))
	return succeed(201, customers.NewSession{
		ID: s.id, Token: hidden, CreatedAt: created, ExpiresAt: common.Time{Time: s.expires}, IdleSeconds: int32(sessionIdle.Seconds()),
	})
}

func (m *machine) exchangeSession(s *session) request {
	return request{
		name: "exchangeSession", text: "POST /auth/token", by: s.caller, access: access{least: viewer}, api: customersAPI,
		send: func(ctx context.Context, c *call.Client, _ keys) (*http.Response, error) {
			return c.Customers.ExchangeSession(ctx)
		},
		rule: func(t *rapid.T, _ actor, got reply) string {
			m.newToken(s.user, decode[customers.Token](t, got, 200).AccessToken, got.until, accessLife)
			return succeed(200, customers.Token{AccessToken: hidden, TokenType: customers.Bearer, ExpiresIn: int32(accessLife.Seconds())})
		},
	}
}

func (m *machine) endSession(by *caller, id int64) request {
	return request{
		name: "endSession", text: fmt.Sprintf("DELETE /auth/sessions/%d", id), by: by, access: access{least: viewer}, api: customersAPI,
		send: func(ctx context.Context, c *call.Client, _ keys) (*http.Response, error) {
			return c.Customers.EndSession(ctx, id)
		},
		rule: func(_ *rapid.T, author actor, got reply) string { return m.sessionEnded(author, got, id) },
	}
}

// sessionEnded ends a session of the caller. One that has reached a limit may still be there until a sweep, which the model never runs.
func (m *machine) sessionEnded(by actor, got reply, id int64) string {
	switch {
	case !strings.HasPrefix(by.name, "user:"):
		return refuse(403, common.CodeForbidden)
	case by.id == nil: // a user who does not exist
		return refuse(401, common.CodeUnauthorized)
	}
	i := slices.IndexFunc(m.sessions, func(s *session) bool { return s.id == id && s.user.ID == *by.id && !s.ended })
	if i < 0 {
		return refuse(404, common.CodeSessionNotFound)
	}
	m.sessions[i].ended = true
	m.audited(by, got, "session.ended", fmt.Sprintf("session:%d", id))
	return "204"
}
