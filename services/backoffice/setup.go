package backoffice

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/services/backoffice/view"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/problem"
)

// setupLink returns the URL of the form that sets a password. The setup token is in the fragment, which browsers send to no server.
func setupLink(c echo.Context, token string) string {
	return c.Scheme() + "://" + c.Request().Host + "/setup#" + token
}

func (s *service) showSetup(c echo.Context) error {
	return render(c, http.StatusOK, view.Setup(s.newPage(c), view.NewForm()))
}

// setPassword sets the password of the user to whom a setup token belongs. It starts no session: the user logs in next.
func (s *service) setPassword(c echo.Context) error {
	form, err := readForm(c)
	if err != nil {
		return err
	}
	noStore(c)
	token := form.Get("token")
	token = token[strings.LastIndex(token, "#")+1:] // people paste the whole link
	ctx := withIdentity(c.Request().Context(), identity{address: c.RealIP()})
	r, err := s.customers.SetPasswordWithResponse(ctx, api.Setup{Token: token, Password: form.Get("password")})
	if err := finished(r, err); err != nil {
		if fault.Is(err, common.CodeTooManyRequests) {
			fault.From(err).RetryAfter = problem.RetryAfter(r.HTTPResponse.Header)
		}
		page := s.newPage(c)
		return answerRefused(c, page, form, err, view.Setup(page, form))
	}
	return c.Redirect(http.StatusSeeOther, "/login?done="+string(view.PasswordSet))
}

// noStore keeps a page with a secret out of the caches of browsers.
func noStore(c echo.Context) { c.Response().Header().Set(echo.HeaderCacheControl, "no-store") }
