package identity

import (
	"context"
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

// setupTTL is the lifetime of setup tokens.
const setupTTL = 24 * time.Hour

// Users manages the users of a database. The caller in the context is the actor in the audit log.
type Users struct {
	db  *database.DB
	now func() time.Time
}

// NewUsers returns the Users of db.
func NewUsers(db *database.DB, clock func() time.Time) *Users { return &Users{db, database.Now(clock)} }

// setupToken is a new setup token, which only the response of the request that makes it contains.
type setupToken struct {
	text    string
	hash    [32]byte
	expires time.Time
}

func newSetupToken(now time.Time) setupToken {
	secret := auth.NewSecret()
	return setupToken{auth.FormatToken(auth.SetupPrefix, secret), auth.Hash(secret), now.Add(setupTTL)}
}

// userCreation is a user to be created.
type userCreation struct {
	api.UserInput
	setup setupToken      // made by create
	row   identitydb.User // inserted by create
}

func (u *Users) create(ctx context.Context, conn database.Conn, in *userCreation) (identitydb.User, error) {
	now := u.now()
	in.setup = newSetupToken(now)
	row, err := u.insert(ctx, conn, identitydb.User{
		Username: in.Username, UsernameKey: canonical(in.Username), Name: in.Name, Role: string(in.Role), State: string(api.StateActive),
		SetupHash: in.setup.hash[:], SetupExpiresAt: &in.setup.expires, Version: 1, CreatedAt: now, UpdatedAt: now,
	})
	in.row = row
	return row, err
}

// insert adds a user and its entry in the audit log.
func (u *Users) insert(ctx context.Context, conn database.Conn, row identitydb.User) (identitydb.User, error) {
	q := identitydb.New(conn)
	id, err := q.InsertUser(ctx, identitydb.InsertUserParams{
		Username: row.Username, UsernameKey: row.UsernameKey, Name: row.Name, Role: row.Role, PasswordHash: row.PasswordHash,
		SetupHash: row.SetupHash, SetupExpiresAt: row.SetupExpiresAt, CreatedAt: row.CreatedAt, UpdatedAt: row.UpdatedAt,
	})
	if err = u.db.Classify(err); errors.Is(err, database.ErrDuplicate) {
		return row, fault.New(common.CodeUsernameTaken, "Another user has this user name.").About("username", "another user has it")
	}
	if err != nil {
		return row, wrap(err, "insert user")
	}
	row.ID = id
	return row, record(ctx, q, row.CreatedAt, userCreated, userTarget(row), set("name", row.Name), set("role", row.Role))
}

// userReset is a user who gets a setup token.
type userReset struct {
	id    int64
	setup setupToken      // made by reset
	row   identitydb.User // changed by reset
}

// reset gives a user a setup token and ends the sessions.
func (u *Users) reset(ctx context.Context, conn database.Conn, in *userReset) (identitydb.User, error) {
	now := u.now()
	in.setup = newSetupToken(now)
	q := identitydb.New(conn)
	row, err := q.LockUser(ctx, in.id)
	if err != nil {
		return row, missingUser(err, in.id)
	}
	row.SetupHash, row.SetupExpiresAt = in.setup.hash[:], &in.setup.expires
	row.Version, row.UpdatedAt = row.Version+1, now
	if err := q.SetSetup(ctx, identitydb.SetSetupParams{
		SetupHash: row.SetupHash, SetupExpiresAt: row.SetupExpiresAt, UpdatedAt: now, ID: row.ID,
	}); err != nil {
		return row, wrap(err, "reset user")
	}
	if err := endSessions(ctx, q, row.ID, 0); err != nil {
		return row, err
	}
	in.row = row
	return row, record(ctx, q, now, userWasReset, userTarget(row))
}

// userChange is a change of the user with an id.
type userChange struct {
	id    int64
	match etag.Match
	api.UserChange
}

// mayEndAdmin reports whether the user may cease to be an active administrator.
func (c userChange) mayEndAdmin() bool {
	return c.Role != nil && *c.Role != api.RoleAdmin || c.State != nil && *c.State != api.StateActive
}

// update changes a user. Sessions end if the role changes or the user is disabled.
func (u *Users) update(ctx context.Context, conn database.Conn, in userChange) (identitydb.User, error) {
	q := identitydb.New(conn)
	var admins []int64
	if in.mayEndAdmin() { // before the user, so that concurrent changes lock in the same order
		var err error
		if admins, err = q.LockActiveAdmins(ctx); err != nil {
			return identitydb.User{}, wrap(err, "lock the administrators")
		}
	}
	row, err := q.LockUser(ctx, in.id)
	if err != nil {
		return row, missingUser(err, in.id)
	}
	if err := in.match.Check(row.Version); err != nil {
		return row, err
	}
	before := row
	if in.Name != nil {
		row.Name = *in.Name
	}
	if in.Role != nil {
		row.Role = string(*in.Role)
	}
	if in.State != nil {
		row.State = string(*in.State)
	}
	if isActiveAdmin(before) && !isActiveAdmin(row) && len(admins) == 1 {
		return row, fault.New(common.CodeLastAdmin, "This is the last active administrator.")
	}
	row.Version, row.UpdatedAt = row.Version+1, u.now()
	if err := q.UpdateUser(ctx, identitydb.UpdateUserParams{
		Name: row.Name, Role: row.Role, State: row.State, UpdatedAt: row.UpdatedAt, ID: in.id,
	}); err != nil {
		return row, wrap(err, "update user")
	}
	if row.Role != before.Role || row.State != string(api.StateActive) {
		if err := endSessions(ctx, q, in.id, 0); err != nil {
			return row, err
		}
	}
	changes := changed("name", before.Name, row.Name)
	changes = append(changes, changed("role", before.Role, row.Role)...)
	changes = append(changes, changed("state", before.State, row.State)...)
	return row, record(ctx, q, row.UpdatedAt, userChanged, userTarget(row), changes...)
}

func isActiveAdmin(u identitydb.User) bool {
	return u.Role == string(api.RoleAdmin) && u.State == string(api.StateActive)
}

// Add creates a user and returns the setup token, which is valid for 24 hours. It fails with username_taken.
func (u *Users) Add(ctx context.Context, username, name string, role auth.Role) (setup string, err error) {
	in := &userCreation{UserInput: api.UserInput{Username: username, Name: name, Role: api.Role(role)}}
	err = u.db.Tx(ctx, func(conn database.Conn) error {
		_, err := u.create(ctx, conn, in)
		return err
	})
	return in.setup.text, err
}

// Reset makes a setup token for a user and ends the sessions. It fails with user_not_found.
func (u *Users) Reset(ctx context.Context, username string) (setup string, err error) {
	row, err := u.find(ctx, username)
	if err != nil {
		return "", err
	}
	in := &userReset{id: row.ID}
	err = u.db.Tx(ctx, func(conn database.Conn) error {
		_, err := u.reset(ctx, conn, in)
		return err
	})
	return in.setup.text, err
}

// Disable disables a user and ends the sessions. It fails with user_not_found and last_admin.
func (u *Users) Disable(ctx context.Context, username string) error {
	row, err := u.find(ctx, username)
	if err != nil {
		return err
	}
	in := userChange{id: row.ID, UserChange: api.UserChange{State: new(api.StateDisabled)}}
	return u.db.Tx(ctx, func(conn database.Conn) error {
		_, err := u.update(ctx, conn, in)
		return err
	})
}

// All returns all users, in order of ids.
func (u *Users) All(ctx context.Context) (all []api.User, err error) {
	const size = 1000
	for after := int64(0); ; {
		rows, err := read(ctx, u.db, func(q *identitydb.Queries) ([]identitydb.User, error) {
			return q.ListUsers(ctx, identitydb.ListUsersParams{AfterID: after, Limit: size})
		})
		if err != nil {
			return nil, wrap(err, "list users")
		}
		for _, row := range rows {
			all = append(all, user(row))
			after = row.ID
		}
		if len(rows) < size {
			return all, nil
		}
	}
}

func (u *Users) find(ctx context.Context, username string) (identitydb.User, error) {
	row, err := read(ctx, u.db, func(q *identitydb.Queries) (identitydb.User, error) {
		return q.GetUserByName(ctx, canonical(username))
	})
	if errors.Is(err, database.ErrNotFound) {
		return row, fault.New(common.CodeUserNotFound, fmt.Sprintf("There is no user %q.", username))
	}
	return row, wrap(err, "get user")
}

func (u *Users) get(ctx context.Context, id int64) (identitydb.User, error) {
	row, err := read(ctx, u.db, func(q *identitydb.Queries) (identitydb.User, error) { return q.GetUser(ctx, id) })
	return row, missingUser(err, id)
}

// usersList identifies the list in its cursors.
const usersList = "u"

func (u *Users) list(ctx context.Context, p api.ListUsersParams) ([]identitydb.User, *common.NextCursor, error) {
	id := func(row identitydb.User) int64 { return row.ID }
	return list(ctx, u.db, usersList, p.Cursor, p.Limit, id, func(q *identitydb.Queries, after int64, limit int32) ([]identitydb.User, error) {
		return q.ListUsers(ctx, identitydb.ListUsersParams{AfterID: after, Limit: limit})
	})
}

// missingUser turns database.ErrNotFound into a user_not_found error.
func missingUser(err error, id int64) error {
	if errors.Is(err, database.ErrNotFound) {
		return fault.New(common.CodeUserNotFound, fmt.Sprintf("There is no user %d.", id))
	}
	return wrap(err, "get user")
}

// userTarget names a user in the audit log, as auth.Caller does.
func userTarget(row identitydb.User) string { return auth.UserPrefix + row.Username }

func userCaller(row identitydb.User) auth.Caller {
	return auth.Caller{Name: userTarget(row), Role: auth.Role(row.Role), ID: row.ID, DisplayName: row.Name}
}
