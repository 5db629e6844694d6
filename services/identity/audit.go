package identity

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/customers"
	stub "github.com/pedidos-hq/pedidos/gen/customers/server"
	"github.com/pedidos-hq/pedidos/gen/identitydb"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/page"
	"github.com/pedidos-hq/pedidos/services/platform/telemetry"
)

// action is what an entry of the audit log says was done.
type action string

const (
	userCreated       action = "user.created"
	userChanged       action = "user.changed"
	userWasReset      action = "user.reset"
	passwordSet       action = "user.password_set"
	passwordChanged   action = "user.password_changed"
	sessionStarted    action = "session.started"
	sessionEnded      action = "session.ended"
	integratorCreated action = "integrator.created"
	integratorChanged action = "integrator.changed"
	keyCreated        action = "key.created"
	keyRevoked        action = "key.revoked"
	signingKeyCreated action = "signing_key.created"
)

// changed returns the change of a field, or nothing if the values are equal.
func changed(field, from, to string) []api.AuditChange {
	if from == to {
		return nil
	}
	return []api.AuditChange{{Field: field, From: &from, To: &to}}
}

// set returns the first value of a field.
func set(field, to string) api.AuditChange { return api.AuditChange{Field: field, To: &to} }

// record adds an entry to the audit log. The actor is the caller in ctx.
func record(ctx context.Context, q *identitydb.Queries, now time.Time, what action, target string, changes ...api.AuditChange) error {
	caller, _ := auth.From(ctx)
	if changes == nil {
		changes = []api.AuditChange{}
	}
	encoded, err := json.Marshal(changes)
	if err != nil {
		return fmt.Errorf("encode changes: %w", err)
	}
	return wrap(q.InsertAudit(ctx, identitydb.InsertAuditParams{
		Actor: caller.Name, ActorName: nonEmpty(caller.DisplayName), Action: string(what), Target: target, Changes: string(encoded),
		Address: nonEmpty(address(ctx)), CorrelationID: nonEmpty(telemetry.CorrelationID(ctx)), CreatedAt: now,
	}), "record "+string(what))
}

func nonEmpty(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// auditList identifies the list in its cursors.
const auditList = "a"

// auditLog returns a page of the audit log, newest first.
func (s *Service) auditLog(ctx context.Context, p api.ListAuditParams) (rows []identitydb.AuditEntry, next *common.NextCursor, err error) {
	limit := page.Limit(p.Limit)
	from, before, err := page.Span(p.From, p.To)
	if err != nil {
		return nil, nil, err
	}
	beforeID := int64(0)
	if p.Cursor != nil {
		at, err := page.Parse(auditList, *p.Cursor, 2)
		if err != nil {
			return nil, nil, err
		}
		if cursor := time.UnixMicro(at[0]).UTC(); cursor.Before(before) {
			before, beforeID = cursor, at[1]
		}
	}
	rows, err = read(ctx, s.db, func(q *identitydb.Queries) ([]identitydb.AuditEntry, error) {
		switch {
		case p.Actor != nil && p.Action != nil:
			return q.ListAuditByActorAndAction(ctx, identitydb.ListAuditByActorAndActionParams{
				Actor: *p.Actor, Action: *p.Action, CreatedFrom: from, BeforeTime: before, BeforeID: beforeID, Limit: limit + 1,
			})
		case p.Actor != nil:
			return q.ListAuditByActor(ctx, identitydb.ListAuditByActorParams{
				Actor: *p.Actor, CreatedFrom: from, BeforeTime: before, BeforeID: beforeID, Limit: limit + 1,
			})
		case p.Action != nil:
			return q.ListAuditByAction(ctx, identitydb.ListAuditByActionParams{
				Action: *p.Action, CreatedFrom: from, BeforeTime: before, BeforeID: beforeID, Limit: limit + 1,
			})
		}
		return q.ListAudit(ctx, identitydb.ListAuditParams{CreatedFrom: from, BeforeTime: before, BeforeID: beforeID, Limit: limit + 1})
	})
	if err != nil {
		return nil, nil, wrap(err, "list the audit log")
	}
	rows, next = page.Cut(rows, limit, auditList, func(e identitydb.AuditEntry) page.Position {
		return page.Position{e.CreatedAt.UnixMicro(), e.ID}
	})
	return rows, next, nil
}

type addressKey struct{}

// address returns the address of the client, or "" outside of a request.
func address(ctx context.Context) string {
	text, _ := ctx.Value(addressKey{}).(string)
	return text
}

// WithAddress is middleware that adds the address of the client to the context of the operations that record or limit it.
func WithAddress(next stub.StrictHandlerFunc, operationID string) stub.StrictHandlerFunc {
	switch operationID {
	case "Login", "CreateSession", "EndSession", "SetPassword", "ChangePassword", "CreateUser", "UpdateUser", "ResetUser",
		"CreateIntegrator", "UpdateIntegrator", "CreateKey", "RevokeKey":
	default:
		return next
	}
	return func(c echo.Context, request any) (any, error) {
		c.SetRequest(c.Request().WithContext(context.WithValue(c.Request().Context(), addressKey{}, c.RealIP())))
		return next(c, request)
	}
}

// inTx runs statements in one transaction.
func inTx(ctx context.Context, db *database.DB, statements func(*identitydb.Queries) error) error {
	return db.Tx(ctx, func(conn database.Conn) error { return statements(identitydb.New(conn)) })
}
