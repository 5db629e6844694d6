package scenario

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/bench/drive"
	"github.com/pedidos-hq/pedidos/gen/customers"
	customersclient "github.com/pedidos-hq/pedidos/gen/customers/client"
)

// backofficePages returns a scenario for each page that operators read all day, and for the lists of administrators.
func backofficePages() (all []Scenario) {
	for _, p := range []struct {
		name  string
		paths func(*Shop) []string
	}{
		{"home", path("/")},
		{"orders", path("/orders")},
		{"orders-filtered", func(s *Shop) []string {
			return []string{fmt.Sprintf("/orders?status=CREATED&from=%s&to=%s", s.Until.AddDate(0, 0, -150).Format(time.DateOnly), s.Until.AddDate(0, 0, -121).Format(time.DateOnly))}
		}},
		{"orders-searched", func(s *Shop) (all []string) {
			for _, c := range s.customers {
				all = append(all, "/orders?search="+url.QueryEscape(strings.Fields(c.Name)[0]))
			}
			return all
		}},
		{"order", func(s *Shop) (all []string) {
			for _, id := range s.orders[:min(len(s.orders), most)] {
				all = append(all, orderPath(id))
			}
			return all
		}},
		{"new-order", path("/orders/new")},
		{"products", path("/products")},
		{"product", func(s *Shop) (all []string) {
			for _, id := range s.products {
				all = append(all, fmt.Sprintf("/products/%d", id))
			}
			return all
		}},
		{"customers", path("/customers")},
		{"customer", func(s *Shop) (all []string) {
			for _, c := range s.customers {
				all = append(all, fmt.Sprintf("/customers/%d", c.ID))
			}
			return all
		}},
		{"team", path("/team")},
		{"integrators", path("/team/integrators")},
		{"audit-log", path("/team/audit")},
		{"account", path("/account")},
	} {
		all = append(all, Scenario{Name: "page-" + p.name, Grown: true, start: readPages(p.paths)})
	}
	return all
}

func path(p string) func(*Shop) []string { return func(*Shop) []string { return []string{p} } }

// readPages reads random pages of the backoffice among the given ones.
func readPages(paths func(*Shop) []string) func(context.Context, *Shop, *Load) (client, error) {
	return func(ctx context.Context, s *Shop, l *Load) (client, error) {
		if err := errors.Join(s.browse(ctx), s.remember(ctx), s.openSession(ctx)); err != nil {
			return nil, err
		}
		all := paths(s)
		return func(number int) (drive.Operation, error) {
			c, random := l.caller(s.Backoffice, ""), l.random(number)
			c.SetCookie("pedidos_session", s.session)
			return func() error { return c.Get(pick(random, all)) }, nil
		}, nil
	}
}

// openSession opens a session of the backoffice, once.
func (s *Shop) openSession(ctx context.Context) error {
	if s.session != "" {
		return nil
	}
	c, err := customersclient.NewClientWithResponses(s.Customers)
	if err != nil {
		return err
	}
	r, err := c.CreateSessionWithResponse(ctx, nil, customers.Credentials{Username: s.User, Password: s.Password})
	if err != nil || r.JSON201 == nil {
		return refused("open a session", r, err)
	}
	s.session = r.JSON201.Token
	return nil
}
