package backoffice

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/services/backoffice/view"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/page"
	"github.com/pedidos-hq/pedidos/services/platform/problem"
	"github.com/pedidos-hq/pedidos/services/platform/telemetry"
)

// visit is a request of a person who is logged in. Its context makes API calls on their behalf.
type visit struct {
	echo.Context
	s    *service
	me   api.Me
	page *view.Page
}

func (v *visit) ctx() context.Context { return v.Request().Context() }

// id returns the id in the path.
func (v *visit) id() (int64, error) { return parseID(v.Param("id")) }

// maxID is the largest id of the contracts.
const maxID = 1<<53 - 1

// parseID reads an id in a URL. It fails with not_found if the text is not an id.
func parseID(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 || n > maxID {
		return 0, fault.New(common.CodeNotFound, "There is nothing with this id.")
	}
	return n, nil
}

// cursor returns the cursor of a list in the query, or nil for the first page.
func (v *visit) cursor() *string { return optional(v.QueryParam("cursor")) }

// sent returns the id in the path and the form of the request.
func (v *visit) sent() (id int64, form *view.Form, err error) {
	if id, err = v.id(); err != nil {
		return 0, nil, err
	}
	form, err = readForm(v)
	return id, form, err
}

// day returns the time at which the day in a field begins for the person, or the day that comes a number of days later. It returns nil if
// the field is empty or, after it has added a fault to the form, not a day.
func (v *visit) day(form *view.Form, field string, later int) *time.Time {
	if form.Get(field) == "" {
		return nil
	}
	day, err := time.Parse(time.DateOnly, form.Get(field))
	if err != nil || day.Year() < 1 || day.Year() > view.LastYear {
		form.Fault(field, v.page.Text.NotADay())
		return nil
	}
	return new(page.StartOfDay(day.AddDate(0, 0, later), v.page.Locale.Location()))
}

// apiTime returns a time as the APIs take it in a filter (RFC 3339), or nil.
func apiTime(t *time.Time) *common.DayOrTime {
	if t == nil {
		return nil
	}
	return new(t.UTC().Format(time.RFC3339))
}

// render answers with a page.
func (v *visit) render(status int, content templ.Component) error {
	return render(v.Context, status, content)
}

// answerList answers with the page of a list. If err says that the query is not valid, the page has the faults instead of the list.
func (v *visit) answerList(query *view.Form, err error, content templ.Component) error {
	switch {
	case fault.Is(err, common.CodeInvalidInput):
		return v.refuse(query, err, content)
	case err != nil:
		return err
	}
	return v.render(http.StatusOK, content)
}

// refuse answers with the page that shows a refused form again. As the form holds the reason, content may be made before.
func (v *visit) refuse(form *view.Form, refusal error, content templ.Component) error {
	return answerRefused(v.Context, v.page, form, refusal, content)
}

// warn logs why a page lacks a part. The page says that it does, and does not fail.
func (v *visit) warn(err error) {
	ctx := v.Request().Context()
	if problem.Status(fault.From(err)) >= http.StatusInternalServerError && ctx.Err() == nil {
		v.s.log.WarnContext(ctx, "page is incomplete", "cause", err, "trace_id", telemetry.TraceID(ctx))
	}
}

// redirect answers a form that took effect: it leads to the page at path, which shows the notice.
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
