package identity

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/gen/identitydb"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

const maxUserAgent = 200 // characters

// newSession is a session that has just started, with its token.
type newSession struct {
	identitydb.Session
	token string
}

// startSession starts a session of the user with the credentials.
func (s *Service) startSession(ctx context.Context, in api.Credentials, userAgent *string) (started newSession, err error) {
	row, err := s.login(ctx, in)
	if err != nil {
		return started, err
	}
	if userAgent != nil {
		text := []rune(strings.ToValidUTF8(*userAgent, "\uFFFD")) // MySQL refuses other text
		userAgent = new(string(text[:min(len(text), maxUserAgent)]))
	}
	secret, now := auth.NewSecret(), s.now()
	hash := auth.Hash(secret)
	started.token = auth.FormatToken(auth.SessionPrefix, secret)
	started.Session = identitydb.Session{
		UserID: row.ID, Hash: hash[:], Address: address(ctx), UserAgent: userAgent,
		CreatedAt: now, UsedAt: minute(now), ExpiresAt: now.Add(s.config.SessionMax),
	}
	started.EndsAt = s.end(now, started.ExpiresAt)
	err = inTx(ctx, s.db, func(q *identitydb.Queries) error {
		locked, err := q.LockUser(ctx, row.ID)
		if err != nil {
			return missingUser(err, row.ID)
		}
		if locked.State != string(api.StateActive) || locked.Version != row.Version { // disabled, reset or given a new password since the login
			return fault.New(common.CodeInvalidCredentials, "The user name or the password is wrong.")
		}
		started.ID, err = q.InsertSession(ctx, identitydb.InsertSessionParams{
			UserID: row.ID, Hash: hash[:], Address: started.Address, UserAgent: userAgent,
			CreatedAt: now, UsedAt: started.UsedAt, ExpiresAt: started.ExpiresAt, EndsAt: started.EndsAt,
		})
		if err != nil {
			return wrap(err, "insert session")
		}
		return record(auth.WithCaller(ctx, userCaller(locked)), q, now, sessionStarted, sessionTarget(started.ID))
	})
	return started, err
}

// Session is the scheme of session tokens.
func (s *Service) Session(ctx context.Context, token string) (auth.Caller, error) {
	hash, ok := auth.ParseToken(auth.SessionPrefix, token)
	if !ok {
		return auth.Caller{}, errors.New("not a session token")
	}
	now := s.now()
	row, err := read(ctx, s.db, func(q *identitydb.Queries) (identitydb.GetSessionRow, error) {
		return q.GetSession(ctx, identitydb.GetSessionParams{Hash: hash[:], Now: now})
	})
	if errors.Is(err, database.ErrNotFound) {
		return auth.Caller{}, errors.New("no such session, or it has ended")
	}
	if err != nil {
		return auth.Caller{}, fault.From(err) // any other error is a 401
	}
	if used := minute(now); used.After(row.UsedAt) {
		err := inTx(ctx, s.db, func(q *identitydb.Queries) error {
			return q.TouchSession(ctx, identitydb.TouchSessionParams{UsedAt: used, EndsAt: s.end(now, row.ExpiresAt), ID: row.ID})
		})
		if err != nil { // the session is valid nevertheless
			s.log.WarnContext(ctx, "use of session not recorded", "session", row.ID, "error", err)
		}
	}
	return auth.Caller{Name: auth.UserPrefix + row.Username, Role: auth.Role(row.Role), ID: row.UserID, DisplayName: row.Name, Session: row.ID}, nil
}

// end returns when a session ends that is used now. Uses within a minute count as one, at its end.
func (s *Service) end(now, expires time.Time) time.Time {
	idle := minute(now).Add(time.Minute + s.config.SessionIdle)
	if idle.Before(expires) {
		return idle
	}
	return expires
}

// sessionsList identifies the list in its cursors.
const sessionsList = "s"

// sessions returns a page of the live sessions of the caller, oldest first.
func (s *Service) sessions(ctx context.Context, p api.ListSessionsParams) ([]identitydb.Session, *common.NextCursor, error) {
	owner, err := s.callingUser(ctx)
	if err != nil {
		return nil, nil, err
	}
	id, now := func(row identitydb.Session) int64 { return row.ID }, s.now()
	return list(ctx, s.db, sessionsList, p.Cursor, p.Limit, id, func(q *identitydb.Queries, after int64, limit int32) ([]identitydb.Session, error) {
		return q.ListSessions(ctx, identitydb.ListSessionsParams{UserID: owner.ID, AfterID: after, Now: now, Limit: limit})
	})
}

// endSession ends a session of the caller.
func (s *Service) endSession(ctx context.Context, id int64) error {
	owner, err := s.callingUser(ctx)
	if err != nil {
		return err
	}
	return inTx(ctx, s.db, func(q *identitydb.Queries) error {
		n, err := q.DeleteSession(ctx, identitydb.DeleteSessionParams{ID: id, UserID: owner.ID})
		if err != nil {
			return wrap(err, "end session")
		}
		if n == 0 {
			return fault.New(common.CodeSessionNotFound, fmt.Sprintf("You have no session %d.", id))
		}
		return record(ctx, q, s.now(), sessionEnded, sessionTarget(id))
	})
}

// endSessions ends the sessions of a user, except for one.
func endSessions(ctx context.Context, q *identitydb.Queries, userID, kept int64) error {
	_, err := q.DeleteOtherSessions(ctx, identitydb.DeleteOtherSessionsParams{UserID: userID, KeptID: kept})
	return wrap(err, "end sessions")
}

// sweepSessions deletes the sessions that have reached a limit, and returns their number.
func (s *Service) sweepSessions(ctx context.Context) (int64, error) {
	const size = 200
	now := s.now()
	return s.db.Batches(ctx, func(conn database.Conn) (n int, more bool, err error) {
		q := identitydb.New(conn)
		ids, err := q.EndedSessions(ctx, identitydb.EndedSessionsParams{Now: now, Limit: size})
		if err != nil || len(ids) == 0 {
			return 0, false, wrap(err, "find ended sessions")
		}
		deleted, err := q.DeleteEndedSessions(ctx, identitydb.DeleteEndedSessionsParams{Ids: ids, Now: now})
		return int(deleted), len(ids) == size, wrap(err, "delete ended sessions")
	})
}

func sessionTarget(id int64) string { return fmt.Sprintf("session:%d", id) }
