package orders_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/services/internal/apitest"
	"github.com/pedidos-hq/pedidos/services/orders"
)

func TestConfirmOrder(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	product := s.product(100, 9)
	placed := s.place(product, 2)
	s.clock.Advance(time.Minute)
	confirmed := s.confirm(placed.ID)
	if confirmed.Status != api.StatusConfirmed || confirmed.ConfirmedAt == nil || !confirmed.ConfirmedAt.Equal(s.clock.Now()) {
		t.Errorf("got %s at %v, want CONFIRMED at %s", confirmed.Status, confirmed.ConfirmedAt, s.clock.Now())
	}
	s.clock.Advance(time.Minute)
	if again := s.confirm(placed.ID); !again.ConfirmedAt.Equal(confirmed.ConfirmedAt.Time) {
		t.Errorf("a second confirmation moved confirmed_at from %s to %s", confirmed.ConfirmedAt, again.ConfirmedAt)
	}
	canceled := s.cancel(s.place(product, 1).ID)
	r, err := s.tryConfirm(canceled.ID)
	apitest.WantProblem(t, r, err, common.CodeOrderCanceled)
	s.wantStock(product, 7)
	s.wantSound()
}

func TestCancelOrder(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		confirmed bool
		after     time.Duration // time since the order, or since its confirmation
		ok        bool
	}{
		{"at once", false, 0, true},
		{"a year later", false, 365 * 24 * time.Hour, true},
		{"confirmed, at once", true, 0, true},
		{"confirmed, at the end of the window", true, cancelWindow - time.Microsecond, true},
		{"confirmed, when the window is over", true, cancelWindow, false},
		{"confirmed, a year later", true, 365 * 24 * time.Hour, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			product := s.product(100, 9)
			id := s.place(product, 2).ID
			if test.confirmed {
				s.clock.Advance(time.Hour) // the window starts at the confirmation
				s.confirm(id)
			}
			s.clock.Advance(test.after)
			r, err := s.tryCancel(id)
			if !test.ok {
				apitest.WantProblem(t, r, err, common.CodeCancelWindowOver)
				s.wantStock(product, 7)
				s.wantSound()
				return
			}
			apitest.WantStatus(t, r, err, http.StatusOK)
			canceled := *r.JSON200
			if canceled.Status != api.StatusCanceled || canceled.CanceledAt == nil || !canceled.CanceledAt.Equal(s.clock.Now()) {
				t.Errorf("got %s at %v, want CANCELED at %s", canceled.Status, canceled.CanceledAt, s.clock.Now())
			}
			s.wantStock(product, 9)
			s.clock.Advance(365 * 24 * time.Hour)
			if again := s.cancel(id); !again.CanceledAt.Equal(canceled.CanceledAt.Time) {
				t.Errorf("a second cancellation moved canceled_at from %s to %s", canceled.CanceledAt, again.CanceledAt)
			}
			s.wantStock(product, 9)
			s.wantSound()
		})
	}
}

func TestCancelStale(t *testing.T) {
	t.Parallel()
	const age = time.Hour
	s := newShop(t)
	product := s.product(100, 100)
	confirmed, canceled := s.place(product, 1), s.place(product, 1)
	s.confirm(confirmed.ID)
	s.cancel(canceled.ID)
	var stale []api.Order
	for range 45 { // more than two transactions cancel
		stale = append(stale, s.place(product, 1))
	}
	s.clock.Advance(time.Microsecond)
	fresh := s.place(product, 1)

	sweep := func(want int64) {
		t.Helper()
		if n, err := orders.CancelStale(t.Context(), s.db, age, s.clock.Now); err != nil || n != want {
			t.Errorf("CancelStale = %d, %v, want %d", n, err, want)
		}
	}
	s.clock.Advance(age - time.Microsecond) // no order is older than the age
	sweep(0)
	s.clock.Advance(time.Microsecond)
	sweep(int64(len(stale)))
	sweep(0)
	s.wantStock(product, 98)
	want := map[int64]api.OrderStatus{fresh.ID: api.StatusCreated, confirmed.ID: api.StatusConfirmed, canceled.ID: api.StatusCanceled}
	for _, o := range stale {
		want[o.ID] = api.StatusCanceled
	}
	for _, o := range s.orders() {
		if o.Status != want[o.ID] {
			t.Errorf("order %d is %s, want %s", o.ID, o.Status, want[o.ID])
		}
	}
	s.wantHistory(stale[0].ID, "CREATED by user:admin", "CANCELED by sweeper: not confirmed within 1h0m0s")
	s.wantHistory(canceled.ID, "CREATED by user:admin", "CANCELED by user:admin")
	s.wantSound()
}

func TestOrderHistory(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	id := s.place(s.product(100, 9), 2).ID
	s.confirm(id)
	s.confirm(id)
	r, err := s.as(apitest.ServiceToken).CancelOrderWithResponse(t.Context(), id, nil, api.Cancellation{Reason: new("wrong address")})
	apitest.WantStatus(t, r, err, http.StatusOK)
	s.wantHistory(id, "CREATED by user:admin", "CONFIRMED by user:admin", "CANCELED by service: wrong address")
}

// wantHistory checks the changes of an order, each as "STATUS by caller: reason", read in pages of one.
func (s *shop) wantHistory(id int64, want ...string) {
	s.t.Helper()
	var got []string
	params := &api.ListOrderHistoryParams{Limit: new(int32(1))}
	for len(got) <= len(want) {
		r, err := s.ListOrderHistoryWithResponse(s.t.Context(), id, params)
		apitest.WantStatus(s.t, r, err, http.StatusOK)
		for _, e := range r.JSON200.Data {
			text := fmt.Sprintf("%s by %s", e.To, *e.Caller)
			if e.Reason != nil {
				text += ": " + *e.Reason
			}
			got = append(got, text)
		}
		if params.Cursor = r.JSON200.NextCursor; params.Cursor == nil {
			break
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		s.t.Errorf("the history of order %d is %q, want %q", id, got, want)
	}
}
