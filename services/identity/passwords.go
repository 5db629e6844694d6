package identity

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/gen/identitydb"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/config"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

var errWrongPassword = errors.New("the password is wrong")

// check returns the active user with a password. It limits guesses, and takes the same time and fails in the same way for an unknown
// user, a disabled user and a wrong password: with errWrongPassword.
func (s *Service) check(ctx context.Context, username, typed string) (identitydb.User, error) {
	attempt, wait := s.guesses.Begin(canonical(username), address(ctx))
	if wait > 0 {
		return identitydb.User{}, &fault.Error{
			Code: common.CodeTooManyRequests, Message: "Too many failed attempts; try again later.", RetryAfter: wait,
		}
	}
	defer attempt.Abandon()
	row, err := s.users.find(ctx, username)
	if err != nil && !fault.Is(err, common.CodeUserNotFound) {
		return row, err
	}
	hash := ""
	if row.PasswordHash != nil && row.State == string(api.StateActive) {
		hash = *row.PasswordHash
	}
	ok, outdated, err := s.hasher.Check(ctx, typed, hash)
	if err != nil {
		return row, err
	}
	if !ok {
		attempt.Failed()
		return row, errWrongPassword
	}
	attempt.Succeeded()
	if outdated {
		s.rehash(ctx, row, typed)
	}
	return row, nil
}

// rehash replaces a hash that was made with other parameters. A failure is logged: the old hash remains valid.
func (s *Service) rehash(ctx context.Context, row identitydb.User, typed string) {
	hash, err := s.hasher.Hash(ctx, typed)
	if err == nil {
		err = inTx(ctx, s.db, func(q *identitydb.Queries) error {
			return q.RehashPassword(ctx, identitydb.RehashPasswordParams{NewHash: &hash, ID: row.ID, OldHash: row.PasswordHash})
		})
	}
	if err != nil {
		s.log.WarnContext(ctx, "password not rehashed", "user", row.ID, "error", err)
	}
}

// login returns the user with the credentials, and records the time. If the database does not take writes, the login succeeds
// nevertheless.
func (s *Service) login(ctx context.Context, in api.Credentials) (identitydb.User, error) {
	row, err := s.check(ctx, in.Username, in.Password)
	if errors.Is(err, errWrongPassword) {
		return row, fault.New(common.CodeInvalidCredentials, "The user name or the password is wrong.")
	}
	if err != nil {
		return row, err
	}
	now := s.now()
	err = inTx(ctx, s.db, func(q *identitydb.Queries) error {
		return q.RecordLogin(ctx, identitydb.RecordLoginParams{LastLoginAt: &now, ID: row.ID})
	})
	if err != nil {
		s.log.WarnContext(ctx, "login not recorded", "user", row.ID, "error", err)
	}
	return row, nil
}

// setPassword sets the password of the user with a setup token.
func (s *Service) setPassword(ctx context.Context, in api.Setup) error {
	invalid := fault.Invalid(common.FieldError{
		Field: "token", Message: "is not valid: it was used, replaced by a newer one, mistyped, or is older than 24 hours",
	})
	hash, ok := auth.ParseToken(auth.SetupPrefix, in.Token)
	if !ok {
		return invalid
	}
	valid := func(row identitydb.User, err error) (identitydb.User, error) {
		if errors.Is(err, database.ErrNotFound) || err == nil && !s.now().Before(*row.SetupExpiresAt) {
			return row, invalid
		}
		return row, wrap(err, "get user")
	}
	row, err := read(ctx, s.db, func(q *identitydb.Queries) (identitydb.User, error) { // before the work of hashing
		return valid(q.GetUserBySetup(ctx, hash[:]))
	})
	if err != nil {
		return err
	}
	hashed, err := s.newHash(ctx, "password", in.Password, row)
	if err != nil {
		return err
	}
	return inTx(ctx, s.db, func(q *identitydb.Queries) error {
		row, err := valid(q.LockUserBySetup(ctx, hash[:]))
		if err != nil {
			return err
		}
		return s.storePassword(auth.WithCaller(ctx, userCaller(row)), q, row, hashed, 0, passwordSet)
	})
}

// changePassword changes the password of the caller, who must be a user, and ends the other sessions.
func (s *Service) changePassword(ctx context.Context, in api.PasswordChange) error {
	row, err := s.callingUser(ctx)
	if err != nil {
		return err
	}
	wrong := fault.Invalid(common.FieldError{Field: "current", Message: "is not the current password"})
	row, err = s.check(ctx, row.Username, in.Current)
	if errors.Is(err, errWrongPassword) {
		return wrong
	}
	if err != nil {
		return err
	}
	hashed, err := s.newHash(ctx, "new", in.New, row)
	if err != nil {
		return err
	}
	caller, _ := auth.From(ctx)
	return inTx(ctx, s.db, func(q *identitydb.Queries) error {
		locked, err := q.LockUser(ctx, row.ID)
		if err != nil {
			return missingUser(err, row.ID)
		}
		if locked.Version != row.Version { // the password may have changed since the check
			return wrong
		}
		return s.storePassword(ctx, q, locked, hashed, caller.Session, passwordChanged)
	})
}

// newHash validates and hashes a password that a user chose.
func (s *Service) newHash(ctx context.Context, field, typed string, row identitydb.User) (string, error) {
	if bad := s.hasher.Validate(field, typed, row.Username, row.Name); bad != nil {
		return "", fault.Invalid(*bad)
	}
	return s.hasher.Hash(ctx, typed)
}

// storePassword stores a password and ends the sessions of the user, except for one.
func (s *Service) storePassword(ctx context.Context, q *identitydb.Queries, row identitydb.User, hash string, keptSession int64, what action) error {
	now := s.now()
	if err := q.SetPassword(ctx, identitydb.SetPasswordParams{PasswordHash: &hash, UpdatedAt: now, ID: row.ID}); err != nil {
		return wrap(err, "set password")
	}
	if err := endSessions(ctx, q, row.ID, keptSession); err != nil {
		return err
	}
	return record(ctx, q, now, what, userTarget(row))
}

// callingUser returns the user who calls. It fails with forbidden if the caller is a program, and with unauthorized if the token names a
// user who does not exist, such as one of a version that had no users.
func (s *Service) callingUser(ctx context.Context) (row identitydb.User, err error) {
	caller, _ := auth.From(ctx)
	username, ok := strings.CutPrefix(caller.Name, auth.UserPrefix)
	if !ok {
		return row, fault.New(common.CodeForbidden, "Only users have passwords and sessions.")
	}
	if caller.ID == 0 { // an access token of an earlier version
		row, err = s.users.find(ctx, username)
	} else {
		row, err = s.users.get(ctx, caller.ID)
	}
	if fault.Is(err, common.CodeUserNotFound) {
		return row, fault.New(common.CodeUnauthorized, "The user of the token does not exist; log in again.")
	}
	return row, err
}

// createFirstUsers creates the administrator of ADMIN_USER if there is no active one, and likewise the viewer of VIEWER_USER.
func (s *Service) createFirstUsers(ctx context.Context, c *config.Config) error {
	ctx = auth.WithCaller(ctx, auth.Caller{Name: "start"})
	for _, first := range []struct {
		role     api.Role
		setting  string
		username string
		password string
	}{
		{api.RoleAdmin, "ADMIN", c.AdminUser, c.AdminPassword.Reveal()},
		{api.RoleViewer, "VIEWER", c.ViewerUser, c.ViewerPassword.Reveal()},
	} {
		exists, err := s.hasUser(ctx, first.role)
		switch {
		case err != nil:
			return err
		case exists && first.password != "":
			s.log.InfoContext(ctx, "setting not used: there is a user with this role", "setting", first.setting+"_PASSWORD", "role", first.role)
		case exists:
		case first.password != "":
			if err := s.createFirstUser(ctx, first.role, first.username, first.password); err != nil {
				return fmt.Errorf("create the user of %s_USER: %w", first.setting, err)
			}
		case first.role == api.RoleAdmin:
			return &settingError{"there is no active administrator: set ADMIN_PASSWORD for the first start, or run pedidos users add"}
		}
	}
	return nil
}

func (s *Service) hasUser(ctx context.Context, role api.Role) (bool, error) {
	n, err := read(ctx, s.db, func(q *identitydb.Queries) (int64, error) { return q.CountUsersWithRole(ctx, string(role)) })
	return n > 0, wrap(err, "count users")
}

func (s *Service) createFirstUser(ctx context.Context, role api.Role, username, typed string) error {
	if bad := s.hasher.Validate("password", typed, username); bad != nil {
		return &settingError{"the password " + bad.Message}
	}
	hash, err := s.hasher.Hash(ctx, typed)
	if err != nil {
		return err
	}
	now := s.now()
	row := identitydb.User{
		Username: username, UsernameKey: canonical(username), Name: username, Role: string(role), State: string(api.StateActive),
		PasswordHash: &hash, Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	err = s.db.Tx(ctx, func(conn database.Conn) error {
		_, err := s.users.insert(ctx, conn, row)
		return err
	})
	if fault.Is(err, common.CodeUsernameTaken) { // by another process that starts now, or by a user with another role
		if exists, failed := s.hasUser(ctx, role); failed != nil || exists {
			return failed
		}
	}
	if err == nil {
		s.log.InfoContext(ctx, "first user created", "role", role)
	}
	return err
}
