package orders_test

import (
	"math"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/services/internal/apitest"
	"github.com/pedidos-hq/pedidos/services/platform/page"
)

// orderTimes are the times of the orders of calendarShop. The id of an order is its position here, starting at 1.
var orderTimes = []string{
	"2026-01-14T23:59:59.999999Z",
	"2026-01-15T00:00:00Z",
	"2026-01-15T12:00:00.000001Z",
	"2026-01-15T12:00:00.000001Z",
	"2026-01-15T23:59:59.999999Z",
	"2026-01-16T00:00:00Z",
}

func calendarShop(t *testing.T) *shop {
	t.Helper()
	s := newShop(t)
	product := s.product(100, 100)
	for _, text := range orderTimes {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		s.clock.Set(at)
		s.place(product, 1)
	}
	return s
}

func TestListOrdersBounds(t *testing.T) {
	t.Parallel()
	s := calendarShop(t)
	for _, test := range []struct {
		name     string
		from, to string // not sent if empty
		want     []int64
	}{
		{"all", "", "", []int64{6, 5, 4, 3, 2, 1}},
		{"from a day", "2026-01-15", "", []int64{6, 5, 4, 3, 2}},
		{"to a day, which is included", "", "2026-01-15", []int64{5, 4, 3, 2, 1}},
		{"one day", "2026-01-15", "2026-01-15", []int64{5, 4, 3, 2}},
		{"two days", "2026-01-15", "2026-01-16", []int64{6, 5, 4, 3, 2}},
		{"from a time, which is included", "2026-01-15T12:00:00.000001Z", "", []int64{6, 5, 4, 3}},
		{"to a time, which is not", "", "2026-01-15T12:00:00.000001Z", []int64{2, 1}},
		{"an empty range", "2026-01-15T12:00:00.000001Z", "2026-01-15T12:00:00.000001Z", []int64{}},
		{"one microsecond", "2026-01-15T12:00:00.000001Z", "2026-01-15T12:00:00.000002Z", []int64{4, 3}},
		{"from a nanosecond later", "2026-01-15T12:00:00.000001001Z", "", []int64{6, 5}},
		{"to a nanosecond later", "", "2026-01-15T12:00:00.000001001Z", []int64{4, 3, 2, 1}},
		{"in another zone", "2026-01-14T21:00:00-03:00", "2026-01-15T21:00:00-03:00", []int64{5, 4, 3, 2}},
		{"a time on the last day", "2026-01-15T23:00:00Z", "2026-01-15", []int64{5}},
		{"before all", "", "2026-01-13", []int64{}},
		{"after all", "2026-01-17", "", []int64{}},
		{"the whole calendar", "0000-01-01", "9999-12-31", []int64{6, 5, 4, 3, 2, 1}},
	} {
		r, err := s.ListOrdersWithResponse(t.Context(), &api.ListOrdersParams{From: given(test.from), To: given(test.to)})
		apitest.WantStatus(t, r, err, http.StatusOK)
		if got := ids(r.JSON200.Data); !slices.Equal(got, test.want) || r.JSON200.NextCursor != nil {
			t.Errorf("%s: got %v, want %v on the only page", test.name, got, test.want)
		}
		if got := s.walk(api.ListOrdersParams{From: given(test.from), To: given(test.to)}); !slices.Equal(got, test.want) {
			t.Errorf("%s, in pages of one: got %v, want %v", test.name, got, test.want)
		}
	}
}

func TestListOrdersCursor(t *testing.T) {
	t.Parallel()
	s := calendarShop(t)
	at := func(text string, id int64) *string {
		parsed, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return new(page.Cursor("o", page.Position{parsed.UnixMicro(), id}))
	}
	for _, test := range []struct {
		name   string
		params api.ListOrdersParams
		want   []int64
	}{
		{"behind an order of the same time", api.ListOrdersParams{Cursor: at(orderTimes[3], 4)}, []int64{3, 2, 1}},
		{"behind the last", api.ListOrdersParams{Cursor: at(orderTimes[0], 1)}, []int64{}},
		{"after to", api.ListOrdersParams{Cursor: at(orderTimes[5], 6), To: new("2026-01-14")}, []int64{1}},
		{"before to", api.ListOrdersParams{Cursor: at(orderTimes[1], 2), To: new("2026-01-15")}, []int64{1}},
		{"before from", api.ListOrdersParams{Cursor: at(orderTimes[1], 2), From: new("2026-01-15")}, []int64{}},
		{"beyond the calendar", api.ListOrdersParams{Cursor: new(page.Cursor("o", page.Position{math.MaxInt64, 1}))}, []int64{6, 5, 4, 3, 2, 1}},
	} {
		r, err := s.ListOrdersWithResponse(t.Context(), &test.params)
		apitest.WantStatus(t, r, err, http.StatusOK)
		if got := ids(r.JSON200.Data); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}

func TestListOrdersFilters(t *testing.T) {
	t.Parallel()
	s := calendarShop(t)
	s.confirm(5)
	s.cancel(2)
	s.cancel(4)
	for _, test := range []struct {
		name   string
		params api.ListOrdersParams
		want   []int64
	}{
		{"status", api.ListOrdersParams{Status: new(api.StatusCanceled)}, []int64{4, 2}},
		{"customer", api.ListOrdersParams{CustomerID: new(int64(buyer))}, []int64{6, 5, 4, 3, 2, 1}},
		{"another customer", api.ListOrdersParams{CustomerID: new(int64(buyer + 1))}, []int64{}},
		{"customer and status", api.ListOrdersParams{CustomerID: new(int64(buyer)), Status: new(api.StatusCreated)}, []int64{6, 3, 1}},
		{"status and time", api.ListOrdersParams{Status: new(api.StatusCreated), To: new("2026-01-15")}, []int64{3, 1}},
		{"name", api.ListOrdersParams{Search: new("AN")}, []int64{6, 5, 4, 3, 2, 1}},
		{"e-mail address and status", api.ListOrdersParams{Search: new("ana@"), Status: new(api.StatusConfirmed)}, []int64{5}},
		{"no such name", api.ListOrdersParams{Search: new("bruno")}, []int64{}},
	} {
		if got := s.walk(test.params); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}

func TestListOrdersRefuses(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	for _, test := range []struct {
		name   string
		params api.ListOrdersParams
		field  string
	}{
		{"from after to", api.ListOrdersParams{From: new("2026-01-16"), To: new("2026-01-15")}, "from"},
		{"a time after to", api.ListOrdersParams{From: new("2026-01-15T00:00:00.000001Z"), To: new("2026-01-15T00:00:00Z")}, "from"},
		{"a time on the day after to", api.ListOrdersParams{From: new("2026-01-16T00:00:00Z"), To: new("2026-01-15")}, "from"},
		{"no such day", api.ListOrdersParams{From: new("2026-02-29")}, "from"},
		{"no such hour", api.ListOrdersParams{To: new("2026-01-15T24:00:00Z")}, "to"},
		{"no zone", api.ListOrdersParams{To: new("2026-01-15T12:00:00")}, "to"},
		{"the cursor of products", api.ListOrdersParams{Cursor: new(page.Cursor("p", page.Position{1}))}, "cursor"},
		{"a cursor without an id", api.ListOrdersParams{Cursor: new(page.Cursor("o", page.Position{1}))}, "cursor"},
		{"no cursor at all", api.ListOrdersParams{Cursor: new("x")}, "cursor"},
		{"a limit of none", api.ListOrdersParams{Limit: new(int32(0))}, "limit"},
		{"a limit too large", api.ListOrdersParams{Limit: new(int32(101))}, "limit"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, err := s.ListOrdersWithResponse(t.Context(), &test.params)
			apitest.WantProblem(t, r, err, common.CodeInvalidInput, test.field)
		})
	}
}

// walk lists orders in pages of one and returns their ids.
func (s *shop) walk(params api.ListOrdersParams) []int64 {
	s.t.Helper()
	all := []int64{}
	params.Limit = new(int32(1))
	for range 2 * len(orderTimes) {
		r, err := s.ListOrdersWithResponse(s.t.Context(), &params)
		apitest.WantStatus(s.t, r, err, http.StatusOK)
		all = append(all, ids(r.JSON200.Data)...)
		if params.Cursor = r.JSON200.NextCursor; params.Cursor == nil {
			return all
		}
	}
	s.t.Fatalf("the list does not end: %v", all)
	return nil
}

func ids(orders []api.Order) []int64 {
	all := make([]int64, len(orders))
	for i, o := range orders {
		all[i] = o.ID
	}
	return all
}

// given returns a parameter, or nil if text is empty.
func given(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
