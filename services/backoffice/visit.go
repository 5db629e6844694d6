package backoffice

import (
	"net/http"
	"net/url"
	"strconv"

	"context"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/services/backoffice/view"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

// visit is a request of a person who is logged in. Its context makes API calls on their behalf.
type visit struct {
	echo.Context
	s    *service
	me   api.Me
	page *view.Page
}

func (v *visit) ctx() context.Context { return v.Request().Context() }

// id returns the id in the path. It fails with not_found if that is not an id.
func (v *visit) id() (int64, error) { return v.number("id") }

func (v *visit) number(name string) (int64, error) {
	n, err := strconv.ParseInt(v.Param(name), 10, 64)
	if err != nil || n < 1 {
		return 0, fault.New(common.CodeNotFound, "There is nothing at this path.")
	}
	return n, nil
}

// query returns a parameter of the query, or nil if it is absent or empty.
func (v *visit) query(name string) *string { return optional(v.QueryParam(name)) }

// render answers with a page.
func (v *visit) render(status int, content templ.Component) error {
	return render(v.Context, status, content)
}

// refuse answers with the page that shows a form again, which the API has refused.
func (v *visit) refuse(form *view.Form, err error, content templ.Component) error {
	status, err := refuse(v.page, form, err)
	if err != nil {
		return err
	}
	return v.render(status, content)
}

// redirect answers a form that has taken effect. The page at path shows the notice.
func (v *visit) redirect(path string, notice view.Notice) error {
	return v.Redirect(http.StatusSeeOther, path+"?done="+url.QueryEscape(string(notice)))
}

func render(c echo.Context, status int, content templ.Component) error {
	c.Response().Header().Set(echo.HeaderContentType, echo.MIMETextHTMLCharsetUTF8)
	c.Response().WriteHeader(status)
	return content.Render(c.Request().Context(), c.Response())
}

// optional returns nil for an empty text.
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// deref returns the text, or "" for nil.
func deref(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}
