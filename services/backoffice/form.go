package backoffice

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/backoffice/view"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/problem"
)

// readForm returns the form that a request sends.
func readForm(c echo.Context) (*view.Form, error) {
	values, err := c.FormParams()
	tooLarge := (*http.MaxBytesError)(nil)
	switch {
	case errors.As(err, &tooLarge):
		return nil, fault.New(common.CodeBodyTooLarge, "The form is too large.")
	case err != nil:
		return nil, fault.Invalid(common.FieldError{Field: "form", Message: "can't be read"})
	}
	return view.ReadForm(values), nil
}

// refuse notes on a form why the API refuses it, and returns the status of the page that shows the form again. If the outcome is unclear,
// the form keeps its key, so that sending it again is safe; otherwise, it gets a new one. It returns errors that concern no form.
func refuse(page *view.Page, form *view.Form, err error) (int, error) {
	e := fault.From(err)
	switch e.Code {
	case common.CodeUnauthorized, common.CodeForbidden, common.CodeInternal:
		return 0, err
	}
	switch {
	case unclear(e):
		form.Unclear(page.Text.Unclear(e.Code, page.Locale.Age(e.RetryAfter)))
	default:
		form.Refuse(page.Text.Problem(e.Code, e.Message))
		for _, f := range e.Fields {
			why := page.Text.Fault(e.Code, f.Message)
			if form.Values.Has(f.Field) && form.Get(f.Field) == "" {
				why = page.Text.Required()
			}
			form.Fault(f.Field, why)
		}
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
