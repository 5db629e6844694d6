package backoffice

import (
	"fmt"
	"net/http"

	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/services/backoffice/view"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/problem"
)

func (s *service) accountRoutes() []route {
	return []route{
		{name: "account", method: http.MethodGet, path: "/account", needs: []string{"getMe", "listSessions"}, handle: s.account},
		{name: "changePassword", method: http.MethodPost, path: "/account/password", needs: []string{"changePassword"}, handle: s.changePassword},
		{name: "endOwnSession", method: http.MethodPost, path: "/account/sessions/:id/end", needs: []string{"endSession"}, handle: s.endOwnSession},
	}
}

func (s *service) account(v *visit) error {
	account, err := s.readAccount(v)
	return v.answerList(account.List, err, view.Account(v.page, account))
}

// readAccount returns the data of the page of the account.
func (s *service) readAccount(v *visit) (view.OwnAccount, error) {
	r, err := s.customers.ListSessionsWithResponse(v.ctx(), &api.ListSessionsParams{Cursor: v.cursor()})
	list, err := read(r, err)
	preferences := view.NewForm()
	if v.page.Locale.ZoneKnown() {
		preferences.Values.Set("tz", v.page.Locale.Location().String())
	}
	if wrong := v.QueryParam("tz"); wrong != "" {
		preferences.Values.Set("tz", wrong)
		preferences.Fault("tz", v.page.Text.UnknownTimeZone())
	}
	return view.OwnAccount{
		Password: view.NewForm(), Preferences: preferences, List: view.ReadForm(v.QueryParams()),
		Sessions: list.Data, Pages: view.NewPager("/account", v.QueryParams(), list.NextCursor),
	}, err
}

func (s *service) changePassword(v *visit) error {
	form, err := readForm(v)
	if err != nil {
		return err
	}
	r, err := s.customers.ChangePasswordWithResponse(v.ctx(), api.PasswordChange{Current: form.Get("current"), New: form.Get("new")})
	if err := finished(r, err); err != nil {
		if fault.Is(err, common.CodeTooManyRequests) {
			fault.From(err).RetryAfter = problem.RetryAfter(r.HTTPResponse.Header)
		}
		account, failed := s.readAccount(v)
		if failed != nil {
			return failed
		}
		account.Password = form
		return v.refuse(form, err, view.Account(v.page, account))
	}
	return v.redirect("/account", view.PasswordChanged)
}

// endOwnSession ends a session of the person. A session that has ended already needs nothing.
func (s *service) endOwnSession(v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	r, err := s.customers.EndSessionWithResponse(v.ctx(), id)
	if err := finished(r, err); err != nil && !fault.Is(err, common.CodeSessionNotFound) {
		return fmt.Errorf("end session %d: %w", id, err)
	}
	return v.redirect("/account", view.SessionEnded)
}
