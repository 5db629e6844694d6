package server

import (
	_ "embed" // the page
	"html"
	"maps"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/swaggest/swgui/v5/static"
	"github.com/vearutop/statigz"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/problem"
)

//go:embed docs.html
var docs string

// addDocs adds the page of the contract, Swagger UI. The page is not a template, nor swgui's, which is one: templates find
// methods by their names, and for that the linker would keep all of them.
func addDocs(e *echo.Echo, prefix, title string) {
	page := strings.NewReplacer("{title}", html.EscapeString(title), "{prefix}", prefix).Replace(docs)
	e.GET(prefix+"/docs", func(c echo.Context) error { return c.HTML(http.StatusOK, page) })
	e.GET(prefix+"/docs/:asset", assets(http.StripPrefix(prefix+"/docs", statigz.FileServer(static.FS))))
}

// assets serves the parts of the page; one that is not there is a problem as everywhere.
func assets(files http.Handler) echo.HandlerFunc {
	return func(c echo.Context) error {
		w := &missing{ResponseWriter: c.Response().Writer}
		before := w.Header().Clone()
		files.ServeHTTP(w, c.Request())
		if w.is {
			clear(w.Header()) // what belongs to a file does not belong to a problem
			maps.Copy(w.Header(), before)
			return problem.New(common.CodeNotFound, "There is no such file.")
		}
		c.Response().Committed = true
		return nil
	}
}

// missing holds a 404 back.
type missing struct {
	http.ResponseWriter
	is bool
}

func (m *missing) WriteHeader(status int) {
	if status == http.StatusNotFound {
		m.is = true
		return
	}
	m.ResponseWriter.WriteHeader(status)
}

func (m *missing) Write(p []byte) (int, error) {
	if m.is {
		return len(p), nil
	}
	return m.ResponseWriter.Write(p)
}
