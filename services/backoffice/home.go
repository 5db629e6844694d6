package backoffice

import (
	"net/http"

	"github.com/pedidos-hq/pedidos/services/backoffice/view"
)

func (s *service) homeRoutes() []route {
	return []route{{name: "home", method: http.MethodGet, path: "/", needs: []string{"listOrders"}, handle: s.home}}
}

func (s *service) home(v *visit) error { return v.render(http.StatusOK, view.Home(v.page)) }
