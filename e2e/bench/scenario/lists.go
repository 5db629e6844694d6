package scenario

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/bench/drive"
	"github.com/pedidos-hq/pedidos/gen/orders"
)

// filtered returns the scenarios of lists of orders with conditions.
func filtered() (all []Scenario) {
	for _, f := range []struct {
		name string
		path func(*Shop, *rand.Rand) string
	}{
		{"list-status", func(_ *Shop, r *rand.Rand) string {
			return "/orders?status=" + string(pick(r, []orders.OrderStatus{orders.StatusCreated, orders.StatusConfirmed, orders.StatusCanceled}))
		}},
		{"list-customer", func(s *Shop, r *rand.Rand) string {
			return fmt.Sprintf("/orders?customer_id=%d", pick(r, s.customers).ID)
		}},
		{"list-dates", func(s *Shop, r *rand.Rand) string { return "/orders?" + s.week(r) }},
		{"list-together", func(s *Shop, r *rand.Rand) string {
			return fmt.Sprintf("/orders?status=CONFIRMED&customer_id=%d&%s", pick(r, s.customers).ID, s.week(r))
		}},
		{"list-product", func(s *Shop, r *rand.Rand) string { return fmt.Sprintf("/orders?product_id=%d", pick(r, s.products)) }},
		{"list-updated", func(s *Shop, r *rand.Rand) string {
			since := s.Until.AddDate(0, 0, -1-r.IntN(360))
			return "/orders?updated_since=" + url.QueryEscape(since.Format(time.RFC3339))
		}},
		{"search-sku", func(s *Shop, r *rand.Rand) string { return "/orders?search=" + url.QueryEscape(pick(r, s.skus)) }},
		{"search-number", func(s *Shop, r *rand.Rand) string { return fmt.Sprintf("/orders?search=%d", pick(r, s.orders)) }},
		{"search-unknown", func(*Shop, *rand.Rand) string { return "/orders?search=" + nobody }},
		{"get-any", func(s *Shop, r *rand.Rand) string { return orderPath(s.anyOrder(r)) }},
		{"history", func(s *Shop, r *rand.Rand) string { return orderPath(s.anyOrder(r)) + "/history" }},
	} {
		all = append(all, Scenario{Name: f.name, Against: "list", Grown: true, start: func(ctx context.Context, s *Shop, l *Load) (client, error) {
			if err := s.browse(ctx); err != nil {
				return nil, err
			}
			if err := s.remember(ctx); err != nil {
				return nil, err
			}
			return func(number int) (drive.Operation, error) {
				c, random := l.caller(s.Orders, s.token), l.random(number)
				return func() error { return c.Get(f.path(s, random)) }, nil
			}, nil
		}})
	}
	return all
}

// nobody is in the name of no customer.
const nobody = "xqzwvk"

// anyOrder returns the id of any order, new or old. Generated ids have no gaps.
func (s *Shop) anyOrder(random *rand.Rand) int64 {
	if id := 1 + random.Int64N(slices.Max(s.orders)); id < slices.Min(s.orders) {
		return id
	}
	return pick(random, s.orders)
}

// week returns the filter of a random week of the generated orders.
func (s *Shop) week(random *rand.Rand) string {
	from := s.Until.AddDate(0, 0, -7-random.IntN(350))
	return "from=" + from.Format(time.DateOnly) + "&to=" + from.AddDate(0, 0, 6).Format(time.DateOnly)
}

// export reads all orders, newest first, a page of 100 in each operation, as an export does.
func export(ctx context.Context, s *Shop, l *Load) (client, error) {
	if err := s.logIn(ctx); err != nil {
		return nil, err
	}
	return func(int) (drive.Operation, error) {
		c := l.caller(s.Orders, s.token)
		first := fmt.Sprintf("/orders?limit=%d", page)
		next := first
		return func() error {
			if err := c.Get(next); err != nil {
				return err
			}
			cursor, err := c.nextCursor()
			next = first
			if cursor != "" {
				next += "&cursor=" + url.QueryEscape(cursor)
			}
			return err
		}, nil
	}, nil
}

// nextCursor returns the cursor in the last answer, which is after the data of its page, or "".
func (c *caller) nextCursor() (cursor string, err error) {
	body := string(c.response.Body())
	at := strings.LastIndex(body, `"next_cursor":`)
	if at < 0 {
		return "", nil
	}
	value, _, _ := strings.Cut(body[at+len(`"next_cursor":`):], "}")
	var found *string
	if err := json.Unmarshal([]byte(value), &found); err != nil || found == nil {
		return "", err
	}
	return *found, nil
}
