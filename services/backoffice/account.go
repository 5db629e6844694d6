package backoffice

import (
	"net/http"

	"github.com/pedidos-hq/pedidos/services/backoffice/view"
)

func (s *service) accountRoutes() []route {
	return []route{{name: "account", method: http.MethodGet, path: "/account", needs: []string{"getMe"}, handle: s.account}}
}

func (s *service) account(v *visit) error {
	form := view.NewForm()
	if v.page.Locale.ZoneKnown() {
		form.Values.Set("tz", v.page.Locale.ZoneName())
	}
	if wrong := v.QueryParam("tz"); wrong != "" {
		form.Values.Set("tz", wrong)
		form.Fault("tz", v.page.Text.UnknownTimeZone())
	}
	return v.render(http.StatusOK, view.Account(v.page, form))
}
