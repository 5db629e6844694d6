package backoffice

import (
	"net/http"
	"strings"
	"time"

	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/services/backoffice/view"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

func (s *service) auditRoutes() []route {
	return []route{{name: "auditLog", method: http.MethodGet, path: "/team/audit", needs: []string{"listAudit"}, handle: s.auditLog}}
}

func (s *service) auditLog(v *visit) error {
	filters := view.ReadForm(v.QueryParams())
	r, err := s.customers.ListAuditWithResponse(v.ctx(), &api.ListAuditParams{
		Actor: optional(actor(filters.Get("actor"))), Action: optional(filters.Get("action")),
		From: v.startOfDay(filters.Get("from"), 0), To: v.startOfDay(filters.Get("to"), 1), Cursor: v.query("cursor"),
	})
	list, err := read(r, err)
	if fault.Is(err, common.CodeInvalidInput) {
		return v.refuse(filters, err, view.AuditLog(v.page, filters, nil, view.Pager{}))
	}
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, view.AuditLog(v.page, filters, list.Data, view.NewPager("/team/audit", v.QueryParams(), list.NextCursor)))
}

// actor returns the caller that is typed in the filter, where a name alone is a user name.
func actor(text string) string {
	if text == "" || strings.Contains(text, ":") || text == "command" || text == "start" {
		return text
	}
	return "user:" + text
}

// startOfDay returns the time at which a day begins for the person, or the one some days later. It returns any other text as it is, so
// that the API says what is wrong with it, and nil for none.
func (v *visit) startOfDay(text string, later int) *common.DayOrTime {
	day, err := time.ParseInLocation(time.DateOnly, text, v.zone())
	if err != nil {
		return optional(text)
	}
	return new(day.AddDate(0, 0, later).Format(time.RFC3339))
}

// zone returns the time zone of the person.
func (v *visit) zone() *time.Location {
	if zone := loadZone(v.page.Locale.ZoneName()); zone != nil {
		return zone
	}
	return time.UTC
}
