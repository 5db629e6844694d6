package backoffice

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/services/backoffice/locale"
	"github.com/pedidos-hq/pedidos/services/backoffice/text"
	"github.com/pedidos-hq/pedidos/services/backoffice/view"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/problem"
	"github.com/pedidos-hq/pedidos/services/platform/telemetry"
)

// The cookies of the language and the time zone. Script sets the time zone of the browser.
const (
	languageCookie = "lang"
	zoneCookie     = "tz"

	preferencesAge = 365 * 24 * time.Hour
)

// contentPolicy allows nothing but the files of the backoffice (Content Security Policy Level 3).
const contentPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// errCrossOrigin refuses a form of another site.
var errCrossOrigin = errors.New("backoffice: the form comes from another site")

// guard sets the headers that protect a page, and refuses forms that other sites send.
func (s *service) guard(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set(echo.HeaderContentSecurityPolicy, contentPolicy)
		h.Set(echo.HeaderXContentTypeOptions, "nosniff")
		h.Set(echo.HeaderReferrerPolicy, "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set(echo.HeaderVary, "Accept-Language, Cookie")
		h.Set("Cache-Control", "private, no-cache") // with no-store, going back would make a form with another key
		if err := s.crossOrigin.Check(c.Request()); err != nil {
			return &fault.Error{Code: common.CodeForbidden, Message: "The form comes from another site.", Cause: errCrossOrigin}
		}
		return next(c)
	}
}

// newPage returns the parts common to all pages, before the login.
func (s *service) newPage(c echo.Context) *view.Page {
	r := c.Request()
	lang := locale.Match(r.Header.Get("Accept-Language"))
	if cookie, err := r.Cookie(languageCookie); err == nil {
		switch chosen := locale.Lang(cookie.Value); chosen {
		case locale.English, locale.Spanish:
			lang = chosen
		}
	}
	var zone *time.Location
	if cookie, err := r.Cookie(zoneCookie); err == nil {
		zone = loadZone(cookie.Value)
	}
	texts := text.For(lang)
	return &view.Page{
		Text: texts, Locale: locale.New(lang, zone, s.currency), Now: s.now(),
		Path:     pathOf(r),
		Notice:   view.Notice(c.QueryParam("done")).Text(texts),
		Insecure: !onLoopback(r) && c.Scheme() != "https",
		Style:    s.files.URL("style.css"), Script: s.files.URL("app.js"), Icon: s.files.URL("icon.svg"),
	}
}

// pathOf returns the path and query of a request, without the notice.
func pathOf(r *http.Request) string {
	q := r.URL.Query()
	q.Del("done")
	return (&url.URL{Path: r.URL.Path, RawQuery: q.Encode()}).String()
}

// loadZone returns the time zone with a name in a cookie, or nil.
func loadZone(name string) *time.Location {
	name, err := url.QueryUnescape(name)
	if err != nil || name == "" || name == "Local" {
		return nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	return zone
}

// setPreferences stores the language and the time zone in cookies, and returns to the page of the form.
func (s *service) setPreferences(c echo.Context) error {
	form, err := readForm(c)
	if err != nil {
		return err
	}
	set := func(name, value string) {
		age := preferencesAge
		if value == "" {
			age = -time.Second
		}
		c.SetCookie(&http.Cookie{ //nolint:gosec // the script sets the time zone, and loopback has no TLS
			Name: name, Value: url.QueryEscape(value), Path: "/", MaxAge: int(age.Seconds()), SameSite: http.SameSiteLaxMode, Secure: !onLoopback(c.Request()),
		})
	}
	switch lang := locale.Lang(form.Get("lang")); lang {
	case locale.English, locale.Spanish:
		set(languageCookie, string(lang))
	}
	if form.Values.Has("tz") {
		name := form.Get("tz")
		if name != "" && loadZone(name) == nil {
			return c.Redirect(http.StatusSeeOther, "/account?tz="+url.QueryEscape(name))
		}
		set(zoneCookie, name)
	}
	return c.Redirect(http.StatusSeeOther, localPath(form.Get("back")))
}

// fail answers a failed request with a page. If the session has ended, that is the login, which keeps a form that was sent.
func (s *service) fail(c echo.Context, e *fault.Error) error {
	p := s.newPage(c)
	c.Response().Header().Del(echo.HeaderWWWAuthenticate) // for it, browsers open a dialog
	switch {
	case e.Code == common.CodeUnauthorized && c.Request().Method == http.MethodGet:
		return c.Redirect(http.StatusSeeOther, "/login?next="+url.QueryEscape(p.Path))
	case e.Code == common.CodeUnauthorized:
		return s.keepForm(c, p)
	}
	status := problem.Status(e)
	if status < http.StatusInternalServerError { // otherwise a call would add to the load
		s.keepNavigation(c, p)
	}
	title, hint := p.Text.Failure(status)
	if errors.Is(e, errCrossOrigin) {
		hint = p.Text.CrossOrigin()
	}
	reference := ""
	if status >= http.StatusInternalServerError {
		reference = cmp.Or(e.TraceID, telemetry.TraceID(c.Request().Context()))
	}
	return render(c, status, view.Failure(p, title, hint, reference))
}

// showNavigation adds the person who is logged in to a page, with the areas that they may open.
func (s *service) showNavigation(p *view.Page, me api.Me) {
	p.Me, p.May = &me, s.may(auth.Role(me.Role))
}

// navigationTimeout limits the call for the navigation on the page of a failure.
const navigationTimeout = time.Second

// keepNavigation adds the navigation to the page of a failure, unless there is no session or customers-api does not answer.
func (s *service) keepNavigation(c echo.Context, p *view.Page) {
	token := sessionToken(c.Request())
	if token == "" {
		return
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), navigationTimeout)
	defer cancel()
	r, err := s.customers.GetMeWithResponse(withIdentity(ctx, identity{token, c.RealIP()}))
	if me, err := read(r, err); err == nil {
		s.showNavigation(p, me)
	}
}

// keepForm shows the login page with the form that was sent.
func (s *service) keepForm(c echo.Context, p *view.Page) error {
	values, err := formValues(c)
	if err != nil {
		return c.Redirect(http.StatusSeeOther, "/login")
	}
	kept := &view.Kept{Path: localPath(p.Path)}
	for name, all := range values {
		if view.Secret(name) {
			continue
		}
		for _, value := range all {
			kept.Fields = append(kept.Fields, view.KeptField{Name: name, Value: strings.ToValidUTF8(value, "\uFFFD")})
		}
	}
	kept.Sort()
	return render(c, http.StatusUnauthorized, view.Login(p, view.NewForm(), kept))
}
