package backoffice

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/backoffice/view"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/problem"
)

// maxValues is the maximum number of values in a form. The largest form, an order of 100 lines, has about 220. A page that shows a form
// again is larger than the form, by far if the form has many short values.
const maxValues = 1000

// formValues returns the values that a form sends. It fails with body_too_large or invalid_input.
func formValues(c echo.Context) (url.Values, error) {
	values, err := c.FormParams()
	tooLarge := (*http.MaxBytesError)(nil)
	switch {
	case errors.As(err, &tooLarge):
		return nil, errFormTooLarge()
	case err != nil:
		return nil, fault.Invalid(common.FieldError{Field: "form", Message: "can't be read"})
	}
	n := 0
	for _, all := range values {
		n += len(all)
	}
	if n > maxValues {
		return nil, errFormTooLarge()
	}
	return values, nil
}

func errFormTooLarge() error { return fault.New(common.CodeBodyTooLarge, "The form is too large.") }

// readForm returns the form that a request sends.
func readForm(c echo.Context) (*view.Form, error) {
	values, err := formValues(c)
	if err != nil {
		return nil, err
	}
	return view.ReadForm(values), nil
}

// answerRefused answers with the page that shows a refused form again. It also returns a refusal with status
// 5xx, for the log.
func answerRefused(c echo.Context, page *view.Page, form *view.Form, refusal error, content templ.Component) error {
	status, err := refuse(page, form, refusal)
	if err != nil {
		return err
	}
	if err := render(c, status, content); err != nil || status < http.StatusInternalServerError {
		return err
	}
	return refusal
}

// refuse adds to a form why the API refused it, unless a field has a fault already, and returns the status of the page that shows the form
// again. If the outcome is unclear, the form keeps its key, so that it takes effect once if it is sent again; otherwise, it gets a new key.
// Refuse returns errors that a form can't show: a lost session, a forbidden action, a failure of the backoffice itself.
func refuse(page *view.Page, form *view.Form, err error) (int, error) {
	e := fault.From(err)
	switch e.Code {
	case common.CodeUnauthorized, common.CodeForbidden, common.CodeInternal:
		return 0, err
	}
	if unclear(e) {
		form.Unclear(page.Text.Unclear(e.Code, page.Locale.Age(e.RetryAfter)))
		return problem.Status(e), nil
	}
	form.Refuse(page.Text.Problem(e.Code, e.Message))
	for _, f := range e.Fields {
		if form.Faults[f.Field] != "" {
			continue
		}
		why := page.Text.Fault(f.Message)
		if form.Values.Has(f.Field) && form.Get(f.Field) == "" {
			why = page.Text.Required()
		}
		form.Fault(f.Field, why)
	}
	return problem.Status(e), nil
}

// keptForm returns the form that a login form carries, or nil.
func keptForm(values url.Values) *view.Kept {
	path := values.Get("resume")
	if path == "" || localPath(path) != path {
		return nil
	}
	kept := &view.Kept{Path: path}
	for name, all := range values {
		if field, ok := strings.CutPrefix(name, view.KeptPrefix); ok {
			for _, value := range all {
				kept.Fields = append(kept.Fields, view.KeptField{Name: field, Value: value})
			}
		}
	}
	kept.Sort()
	return kept
}
