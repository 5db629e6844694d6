package backoffice

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/services/backoffice/view"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

func (s *service) teamRoutes() []route {
	return slices.Concat(s.userRoutes(), s.integratorRoutes(), s.keyRoutes(), s.auditRoutes())
}

func (s *service) userRoutes() []route {
	return []route{
		{name: "users", method: http.MethodGet, path: "/team", needs: []string{"listUsers"}, handle: s.listUsers},
		{name: "newUser", method: http.MethodGet, path: "/team/users/new", needs: []string{"createUser"}, handle: s.newUser},
		{name: "createUser", method: http.MethodPost, path: "/team/users/new", needs: []string{"createUser"}, handle: s.createUser},
		{name: "user", method: http.MethodGet, path: "/team/users/:id", needs: []string{"getUser"}, handle: s.user},
		{name: "updateUser", method: http.MethodPost, path: "/team/users/:id", needs: []string{"updateUser"}, handle: s.updateUser},
		{name: "askUserState", method: http.MethodGet, path: "/team/users/:id/state", needs: []string{"getUser", "updateUser"}, handle: s.askUserState},
		{name: "setUserState", method: http.MethodPost, path: "/team/users/:id/state", needs: []string{"updateUser"}, handle: s.setUserState},
		{name: "askResetUser", method: http.MethodGet, path: "/team/users/:id/reset", needs: []string{"getUser", "resetUser"}, handle: s.askResetUser},
		{name: "resetUser", method: http.MethodPost, path: "/team/users/:id/reset", needs: []string{"resetUser"}, handle: s.resetUser},
	}
}

func (s *service) listUsers(v *visit) error {
	r, err := s.customers.ListUsersWithResponse(v.ctx(), &api.ListUsersParams{Cursor: v.cursor()})
	list, err := read(r, err)
	query := view.ReadForm(v.QueryParams())
	return v.answerList(query, err, view.Users(v.page, query, list.Data, view.NewPager("/team", v.QueryParams(), list.NextCursor)))
}

func (s *service) newUser(v *visit) error {
	return v.render(http.StatusOK, view.NewUser(v.page, view.NewForm()))
}

func (s *service) createUser(v *visit) error {
	form, err := readForm(v)
	if err != nil {
		return err
	}
	in := api.UserInput{Username: form.Get("username"), Name: form.Get("name"), Role: api.Role(form.Get("role"))}
	r, err := s.customers.CreateUserWithResponse(v.ctx(), &api.CreateUserParams{IdempotencyKey: &form.Key}, in)
	user, err := created(r, err)
	if err != nil {
		return v.refuse(form, err, view.NewUser(v.page, form))
	}
	return v.showSetupLink(user)
}

// showSetupLink shows the setup link of a user once. A repeated answer of the API has no setup token.
func (v *visit) showSetupLink(user api.UserSetup) error {
	noStore(v)
	link := ""
	if user.SetupToken != nil {
		link = setupLink(v, *user.SetupToken)
	}
	return v.render(http.StatusOK, view.SetupLink(v.page, user, link))
}

// readUser returns the user in the path, and its ETag.
func (s *service) readUser(v *visit) (user api.User, etag string, err error) {
	id, err := v.id()
	if err != nil {
		return user, "", err
	}
	r, err := s.customers.GetUserWithResponse(v.ctx(), id)
	if user, err = read(r, err); err != nil {
		return user, "", err
	}
	return user, r.HTTPResponse.Header.Get("ETag"), nil
}

func (s *service) user(v *visit) error {
	user, etag, err := s.readUser(v)
	if err != nil {
		return err
	}
	form := view.NewForm()
	form.ETag = etag
	form.Values.Set("name", user.Name)
	form.Values.Set("role", string(user.Role))
	return v.render(http.StatusOK, view.User(v.page, user, form))
}

func (s *service) updateUser(v *visit) error {
	id, form, err := v.sent()
	if err != nil {
		return err
	}
	change := api.UserChange{Name: new(form.Get("name")), Role: new(api.Role(form.Get("role")))}
	err = s.changeUser(v, id, form, change)
	if err == nil {
		return v.redirect(userPath(id), view.UserChanged)
	}
	user, etag, failed := s.readUser(v)
	if failed != nil {
		return failed
	}
	if fault.Is(err, common.CodePreconditionFailed) {
		form.ETag = etag
		v.compareIdentity(form, user.Name, user.Role)
	}
	return v.refuse(form, err, view.User(v.page, user, form))
}

// changeUser changes a user as a form says.
func (s *service) changeUser(v *visit, id int64, form *view.Form, change api.UserChange) error {
	r, err := s.customers.UpdateUserWithResponse(v.ctx(), id, &api.UpdateUserParams{IdempotencyKey: &form.Key, IfMatch: optional(form.ETag)}, change)
	_, err = read(r, err)
	return err
}

// compareIdentity notes on the form of a user or an integrator the present values that differ from those typed.
func (v *visit) compareIdentity(form *view.Form, name string, role api.Role) {
	if form.Get("name") != name {
		form.Fault("name", v.page.Text.Now(name))
	}
	if form.Get("role") != string(role) {
		form.Fault("role", v.page.Text.Now(v.page.Text.Role(string(role))))
	}
}

func (s *service) askUserState(v *visit) error {
	user, etag, err := s.readUser(v)
	if err != nil {
		return err
	}
	form := view.NewForm()
	form.ETag = etag
	return v.render(http.StatusOK, view.UserState(v.page, user, form))
}

func (s *service) setUserState(v *visit) error {
	id, form, err := v.sent()
	if err != nil {
		return err
	}
	state := api.State(form.Get("state"))
	if err = s.changeUser(v, id, form, api.UserChange{State: &state}); err == nil {
		return v.redirect(userPath(id), view.StateNotice(state))
	}
	user, etag, failed := s.readUser(v)
	if failed != nil {
		return failed
	}
	if fault.Is(err, common.CodePreconditionFailed) {
		form.ETag = etag
	}
	return v.refuse(form, err, view.UserState(v.page, user, form))
}

func (s *service) askResetUser(v *visit) error {
	user, _, err := s.readUser(v)
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, view.ResetUser(v.page, user, view.NewForm()))
}

func (s *service) resetUser(v *visit) error {
	id, form, err := v.sent()
	if err != nil {
		return err
	}
	r, err := s.customers.ResetUserWithResponse(v.ctx(), id, &api.ResetUserParams{IdempotencyKey: &form.Key})
	setup, err := read(r, err)
	if err == nil {
		return v.showSetupLink(setup)
	}
	user, _, failed := s.readUser(v)
	if failed != nil {
		return failed
	}
	return v.refuse(form, err, view.ResetUser(v.page, user, form))
}

func userPath(id int64) string { return fmt.Sprintf("/team/users/%d", id) }
