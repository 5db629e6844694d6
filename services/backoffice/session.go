package backoffice

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/sync/errgroup"

	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/services/backoffice/view"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/problem"
)

// The names of the session cookie. On loopback it can't be Secure, because browsers reach the backoffice without TLS. Elsewhere, browsers
// accept a cookie with the prefix only from the same host over TLS (RFC 6265bis, section 4.1.3.2).
const (
	localCookie  = "pedidos_session"
	secureCookie = "__Host-pedidos_session"
)

// sessionCookie returns the cookie for a session token. A negative age deletes it.
func sessionCookie(r *http.Request, token string, age time.Duration) *http.Cookie {
	c := &http.Cookie{Name: localCookie, Value: token, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: int(age.Seconds())}
	if !onLoopback(r) {
		c.Name, c.Secure = secureCookie, true
	}
	return c
}

// onLoopback reports whether the host of a request is a loopback name or address.
func onLoopback(r *http.Request) bool {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || net.ParseIP(strings.Trim(host, "[]")).IsLoopback()
}

// sessionToken returns the session token of a request, or "".
func sessionToken(r *http.Request) string {
	name := secureCookie
	if onLoopback(r) {
		name = localCookie
	}
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

// admit returns the handler of a route. It refuses requests without a session, and roles that may not use the route. It exchanges the session
// for an access token at each request, so that a logout, a new role or a disabled user takes effect at once, on all replicas.
func (s *service) admit(r route) echo.HandlerFunc {
	return func(c echo.Context) error {
		token := sessionToken(c.Request())
		if token == "" {
			return fault.New(common.CodeUnauthorized, "There is no session.")
		}
		v := &visit{Context: c, s: s}
		ctx := c.Request().Context()
		session := withIdentity(ctx, identity{token, c.RealIP()})
		var access api.Token
		var calls errgroup.Group
		calls.Go(func() (err error) {
			r, err := s.customers.ExchangeSessionWithResponse(session)
			access, err = read(r, err)
			return err
		})
		calls.Go(func() (err error) {
			r, err := s.customers.GetMeWithResponse(session)
			v.me, err = read(r, err)
			return err
		})
		if err := calls.Wait(); err != nil {
			return err
		}
		ctx = auth.WithCaller(ctx, auth.Caller{Name: v.me.Caller, Role: auth.Role(v.me.Role), ID: v.me.ID, DisplayName: v.me.Name})
		c.SetRequest(c.Request().WithContext(withIdentity(ctx, identity{access.AccessToken, c.RealIP()})))
		v.page = s.newPage(c)
		s.showNavigation(v.page, v.me)
		for _, operation := range r.needs {
			if !v.page.May(operation) {
				return fault.New(common.CodeForbidden, "The role may not do this.")
			}
		}
		return r.handle(v)
	}
}

func (s *service) showLogin(c echo.Context) error {
	form := view.NewForm()
	form.Values.Set("next", localPath(c.QueryParam("next")))
	return render(c, http.StatusOK, view.Login(s.newPage(c), form, nil))
}

// logIn starts a new session, also if the request has the cookie of another one.
func (s *service) logIn(c echo.Context) error {
	form, err := readForm(c)
	if err != nil {
		return err
	}
	page := s.newPage(c)
	kept := keptForm(form.Values)
	if form.Get("username") == "" || form.Get("password") == "" {
		requireTyped(page, form, "username", "password")
		form.Refuse(page.Text.FillInBoth())
		return render(c, http.StatusBadRequest, view.Login(page, form, kept))
	}
	ctx := withIdentity(c.Request().Context(), identity{address: c.RealIP()})
	params := &api.CreateSessionParams{}
	if agent := strings.ToValidUTF8(c.Request().UserAgent(), ""); agent != "" {
		params.UserAgent = &agent
	}
	r, err := s.customers.CreateSessionWithResponse(ctx, params, api.Credentials{Username: form.Values.Get("username"), Password: form.Values.Get("password")})
	session, err := created(r, err)
	if err != nil {
		if fault.Is(err, common.CodeTooManyRequests) {
			fault.From(err).RetryAfter = problem.RetryAfter(r.HTTPResponse.Header)
		}
		return answerRefused(c, page, form, err, view.Login(page, form, kept))
	}
	c.SetCookie(sessionCookie(c.Request(), session.Token, session.ExpiresAt.Sub(s.now())))
	if kept != nil {
		return render(c, http.StatusOK, view.Resume(page, *kept))
	}
	return c.Redirect(http.StatusSeeOther, localPath(form.Values.Get("next")))
}

// logOut ends the session at customers-api, so that a copy of the cookie is worthless.
func (s *service) logOut(c echo.Context) error {
	if token := sessionToken(c.Request()); token != "" {
		ctx := withIdentity(c.Request().Context(), identity{token, c.RealIP()})
		if err := s.endSession(ctx); err != nil && !fault.Is(err, common.CodeUnauthorized) {
			return err
		}
	}
	c.SetCookie(sessionCookie(c.Request(), "", -time.Second))
	c.Response().Header().Set("Clear-Site-Data", `"cache"`) // going back shows no page of the session
	return c.Redirect(http.StatusSeeOther, "/login?done="+string(view.LoggedOut))
}

// endSession ends the session whose token is in ctx.
func (s *service) endSession(ctx context.Context) error {
	var cursor *string
	for {
		r, err := s.customers.ListSessionsWithResponse(ctx, &api.ListSessionsParams{Cursor: cursor})
		page, err := read(r, err)
		if err != nil {
			return err
		}
		for _, session := range page.Data {
			if session.Current {
				r, err := s.customers.EndSessionWithResponse(ctx, session.ID)
				return finished(r, err)
			}
		}
		if cursor = page.NextCursor; cursor == nil {
			return nil
		}
	}
}

// localPath returns the path and query of a URL that leads to the backoffice, or "/" if a browser may read it as another site.
func localPath(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.IsAbs() || u.Host != "" || u.User != nil || u.Opaque != "" || !strings.HasPrefix(u.Path, "/") ||
		strings.HasPrefix(u.Path, "//") || strings.ContainsAny(u.Path, "\\\x00\r\n\t") || strings.HasPrefix(to, "//") {
		return "/"
	}
	return (&url.URL{Path: u.Path, RawQuery: u.RawQuery}).String()
}
