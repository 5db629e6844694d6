package backoffice

import (
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/server"
)

// route is a page, or a form that a page sends, for people who are logged in.
type route struct {
	name, method, path string
	needs              []string // operations and fields of the contracts, such as updateProduct.name, all of which the role must allow
	handle             func(*visit) error
	long               bool // as server.Page.Long
}

// Route describes a route for people who are logged in, for tests.
type Route struct {
	Method, Path string   // Path as in Echo, such as /orders/:id
	Needs        []string // operations and fields of the contracts, all of which the role must allow
}

// Routes returns the routes that need a login.
func Routes() (all []Route) {
	for _, r := range new(service).routes() {
		all = append(all, Route{r.method, r.path, r.needs})
	}
	return all
}

// routes returns the routes that need a login. They name operations instead of roles, whose x-roles decide.
func (s *service) routes() []route {
	return slices.Concat(s.homeRoutes(), s.orderRoutes(), s.newOrderRoutes(), s.productRoutes(), s.customerRoutes(), s.teamRoutes(), s.accountRoutes())
}

// pages returns all routes.
func (s *service) pages() []server.Page {
	all := []server.Page{
		{Name: "login", Method: http.MethodGet, Path: "/login", Handle: s.showLogin},
		{Name: "createSession", Method: http.MethodPost, Path: "/login", Handle: s.logIn},
		{Name: "endSession", Method: http.MethodPost, Path: "/logout", Handle: s.logOut},
		{Name: "setup", Method: http.MethodGet, Path: "/setup", Handle: s.showSetup},
		{Name: "setPassword", Method: http.MethodPost, Path: "/setup", Handle: s.setPassword},
		{Name: "preferences", Method: http.MethodPost, Path: "/preferences", Handle: s.setPreferences},
		{Name: "static", Method: http.MethodGet, Path: "/static/:hash/:name", Handle: s.static},
		{Name: "getHealth", Method: http.MethodGet, Path: "/health", Handle: s.health},
		{Name: "getReady", Method: http.MethodGet, Path: "/ready", Handle: s.health},
	}
	for _, r := range s.routes() {
		all = append(all, server.Page{Name: r.name, Method: r.method, Path: r.path, Handle: s.admit(r), Long: r.long})
	}
	return all
}

// may returns a function that reports whether a role may use an operation or a field of the contracts.
func (s *service) may(role auth.Role) func(string) bool {
	return func(what string) bool { return slices.Contains(s.permissions[what], role) }
}

// health answers that the process runs. The backoffice is ready even if an API is not, because its pages say which is missing.
func (s *service) health(c echo.Context) error {
	return c.JSON(http.StatusOK, map[string]string{"status": "ok"})
}

func (s *service) static(c echo.Context) error {
	file, ok := s.files.Find(c.Request().URL.Path)
	if !ok {
		return echo.ErrNotFound
	}
	c.Response().Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	return c.Blob(http.StatusOK, file.Type, file.Content)
}
