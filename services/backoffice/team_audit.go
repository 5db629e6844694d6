package backoffice

import (
	"net/http"
	"strings"

	api "github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/services/backoffice/view"
)

func (s *service) auditRoutes() []route {
	return []route{{name: "auditLog", method: http.MethodGet, path: "/team/audit", needs: []string{"listAudit"}, handle: s.auditLog}}
}

func (s *service) auditLog(v *visit) error {
	filters := view.ReadForm(v.QueryParams())
	params := &api.ListAuditParams{
		Actor: optional(actor(filters.Get("actor"))), Action: optional(filters.Get("action")),
		From: apiTime(v.day(filters, "from", 0)), To: apiTime(v.day(filters, "to", 1)), Cursor: v.cursor(),
	}
	if !filters.OK() {
		return v.render(http.StatusBadRequest, view.AuditLog(v.page, filters, nil, view.Pager{}))
	}
	r, err := s.customers.ListAuditWithResponse(v.ctx(), params)
	list, err := read(r, err)
	return v.answerList(filters, err, view.AuditLog(v.page, filters, list.Data, view.NewPager("/team/audit", v.QueryParams(), list.NextCursor)))
}

// actor returns the caller that a filter names. A name without a prefix is a user name.
func actor(text string) string {
	if text == "" || strings.Contains(text, ":") || text == "command" || text == "start" {
		return text
	}
	return "user:" + text
}
