package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/orchestrator"
	"github.com/pedidos-hq/pedidos/gen/orders"
	ordersservice "github.com/pedidos-hq/pedidos/services/orders"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

// history returns the changes of an order as text.
func history(t *testing.T, s *call.Client, id int64) (all []string) {
	t.Helper()
	var r orders.OrderEventPage
	call.Read(s.Orders.ListOrderHistory(t.Context(), id, nil)).Want(t, http.StatusOK, &r)
	if r.NextCursor != nil {
		t.Errorf("history of order %d: got a second page", id)
	}
	for _, e := range r.Data {
		all = append(all, describeEvent(e))
	}
	return all
}

func describeEvent(e orders.OrderEvent) string {
	from, caller, reason := orders.OrderStatus("-"), "-", "-"
	if e.From != nil {
		from = *e.From
	}
	if e.Caller != nil {
		caller = *e.Caller
	}
	if e.Reason != nil {
		reason = *e.Reason
	}
	return fmt.Sprintf("%s %s %s: %s", from, e.To, caller, reason)
}

func wantHistory(t *testing.T, s *call.Client, id int64, want ...string) {
	t.Helper()
	if got := history(t, s, id); !slices.Equal(got, want) {
		t.Errorf("history of order %d: got %q, want %q", id, got, want)
	}
}

func TestOrderHistory(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s, second := w.Login("admin"), w.Login("second")
	buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 5, 100)
	placed := func() int64 { return s.CreateOrder(t, buyer.ID, p.ID, 1).ID }

	created := placed()
	wantHistory(t, s, created, "- CREATED user:admin: -")

	confirmed := placed()
	second.ConfirmOrder(t, confirmed, "k")
	second.ConfirmOrder(t, confirmed, "k")  // a replay
	s.ConfirmOrder(t, confirmed, "another") // confirmed already
	wantHistory(t, s, confirmed, "- CREATED user:admin: -", "CREATED CONFIRMED user:second: -")

	canceled := placed()
	call.Read(s.Orders.CancelOrder(t.Context(), canceled, nil, orders.Cancellation{Reason: new("out of season")})).Want(t, http.StatusOK)
	s.CancelOrder(t, canceled)
	wantHistory(t, s, canceled, "- CREATED user:admin: -", "CREATED CANCELED user:admin: out of season")

	both := placed()
	s.ConfirmOrder(t, both, "k-2")
	second.CancelOrder(t, both)
	s.TryConfirm(t.Context(), "k-3", both).WantProblem(t, http.StatusConflict, common.CodeOrderCanceled)
	wantHistory(t, s, both, "- CREATED user:admin: -", "CREATED CONFIRMED user:admin: -", "CONFIRMED CANCELED user:second: -")

	// The orchestrator sends the service token for callers without a token.
	var byService orchestrator.Confirmed
	w.With(world.ServiceToken).Orchestrate(t.Context(), orchestrator.OrderRequest{
		CustomerID: buyer.ID, IdempotencyKey: "k", Items: []orchestrator.OrderRequestLine{{ProductID: p.ID, Qty: 1}},
	}).Want(t, http.StatusCreated, &byService)
	wantHistory(t, s, byService.Data.Order.ID, "- CREATED service: -", "CREATED CONFIRMED service: -")

	// The changes have the times of the order.
	o := s.GetOrder(t, both)
	var list orders.OrderEventPage
	call.Read(w.Login("viewer").Orders.ListOrderHistory(t.Context(), both, nil)).Want(t, http.StatusOK, &list)
	for i, want := range []common.Time{o.CreatedAt, *o.ConfirmedAt, *o.CanceledAt} {
		if got := list.Data[i].CreatedAt; !got.Equal(want.Time) {
			t.Errorf("change %d: got %s, want %s", i+1, got, want)
		}
	}

	// Page by page.
	var paged []string
	for page := (&orders.ListOrderHistoryParams{Limit: new(int32(1))}); ; {
		var r orders.OrderEventPage
		call.Read(s.Orders.ListOrderHistory(t.Context(), both, page)).Want(t, http.StatusOK, &r)
		for _, e := range r.Data {
			paged = append(paged, describeEvent(e))
		}
		if page.Cursor = r.NextCursor; page.Cursor == nil {
			break
		}
	}
	if want := history(t, s, both); !slices.Equal(paged, want) {
		t.Errorf("page by page: got %q, want %q", paged, want)
	}
	audit(t, w)
}

// movements returns the stock movements of a product as text: all changes except those by orders.
func movements(t *testing.T, s *call.Client, product int64, p *orders.ListStockMovementsParams) (all []string, next *string) {
	t.Helper()
	var r orders.StockMovementPage
	call.Read(s.Orders.ListStockMovements(t.Context(), product, p)).Want(t, http.StatusOK, &r)
	for _, m := range r.Data {
		reason := "-"
		if m.Reason != nil {
			reason = *m.Reason
		}
		all = append(all, fmt.Sprintf("%d %d %+d %s: %s", *m.From, *m.To, m.Delta, *m.Caller, reason))
	}
	return all, r.NextCursor
}

func TestStockMovements(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, p, other := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 5, 10), s.CreateProduct(t, "B", 5, 0)
	w.Clock.Advance(time.Minute)
	s.ChangeProduct(t, p.ID, orders.ProductChange{Stock: new(int64(25)), Reason: new("delivery")})
	s.ChangeProduct(t, p.ID, orders.ProductChange{Stock: new(int64(25)), Reason: new("counted")}) // the current stock
	s.ChangeProduct(t, p.ID, orders.ProductChange{Name: new("A"), PriceCents: new(int64(6))})
	o := s.CreateOrder(t, buyer.ID, p.ID, 4)
	w.Login("second").ChangeProduct(t, p.ID, orders.ProductChange{Stock: new(int64(20))})
	s.CancelOrder(t, o.ID)
	changed := s.ChangeProduct(t, p.ID, orders.ProductChange{Stock: new(int64(0)), Reason: new("fire")})

	want := []string{"24 0 -24 user:admin: fire", "21 20 -1 user:second: -", "10 25 +15 user:admin: delivery", "0 10 +10 user:admin: first stock"}
	if got, next := movements(t, w.Login("viewer"), p.ID, nil); !slices.Equal(got, want) || next != nil {
		t.Errorf("got %q, want %q", got, want)
	}
	var paged []string
	for page := (&orders.ListStockMovementsParams{Limit: new(int32(3))}); ; {
		got, next := movements(t, s, p.ID, page)
		paged = append(paged, got...)
		if page.Cursor = next; next == nil {
			break
		}
	}
	if !slices.Equal(paged, want) {
		t.Errorf("page by page: got %q, want %q", paged, want)
	}
	if got, _ := movements(t, s, other.ID, nil); len(got) != 0 {
		t.Errorf("a product that never had stock: got %q", got)
	}
	var r orders.StockMovementPage
	call.Read(s.Orders.ListStockMovements(t.Context(), p.ID, nil)).Want(t, http.StatusOK, &r)
	if first, last := r.Data[3].CreatedAt, r.Data[0].CreatedAt; !first.Equal(p.CreatedAt.Time) || !last.Equal(changed.UpdatedAt.Time) {
		t.Errorf("got the times %s to %s, want %s to %s", first, last, p.CreatedAt, changed.UpdatedAt)
	}

	call.Read(s.Orders.UpdateProduct(t.Context(), p.ID, nil, orders.ProductChange{Reason: new("why not")})).WantInvalid(t, "reason")
	audit(t, w)
}

func TestHistoryRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 5, 10)
	o := s.CreateOrder(t, buyer.ID, p.ID, 1)
	ofAnotherList := "cDox" // p:1, as the list of products writes it

	for name, test := range map[string]struct {
		id     int64
		cursor *string
		limit  *int32
		status int
		field  string
	}{
		"unknown":                  {1 << 40, nil, nil, http.StatusNotFound, ""},
		"id 0":                     {0, nil, nil, http.StatusBadRequest, "id"},
		"limit 0":                  {1, nil, new(int32(0)), http.StatusBadRequest, "limit"},
		"limit 101":                {1, nil, new(int32(101)), http.StatusBadRequest, "limit"},
		"no cursor":                {1, new("x"), nil, http.StatusBadRequest, "cursor"},
		"a cursor of another list": {1, &ofAnotherList, nil, http.StatusBadRequest, "cursor"},
	} {
		t.Log(name)
		fields := []string{test.field}
		code, productCode := common.CodeInvalidInput, common.CodeInvalidInput
		if test.status == http.StatusNotFound {
			fields, code, productCode = nil, common.CodeOrderNotFound, common.CodeProductNotFound
		}
		call.Read(s.Orders.ListOrderHistory(t.Context(), test.id, &orders.ListOrderHistoryParams{Cursor: test.cursor, Limit: test.limit})).WantProblem(t, test.status, code, fields...)
		call.Read(s.Orders.ListStockMovements(t.Context(), test.id, &orders.ListStockMovementsParams{Cursor: test.cursor, Limit: test.limit})).WantProblem(t, test.status, productCode, fields...)
	}
	for _, token := range []string{"", world.ServiceToken} {
		call.Read(w.With(token).Orders.ListOrderHistory(t.Context(), o.ID, nil)).Want(t, http.StatusUnauthorized)
		call.Read(w.With(token).Orders.ListStockMovements(t.Context(), p.ID, nil)).Want(t, http.StatusUnauthorized)
	}
}

// TestAuditOfHistory checks that the audit reports missing, extra and inconsistent changes.
func TestAuditOfHistory(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ statement, want string }{
		"a change is missing":      {"DELETE FROM order_events WHERE order_id = 1 AND version = 2", "order 1: its history does not lead to CONFIRMED"},
		"all changes are missing":  {"DELETE FROM order_events WHERE order_id = 1", "order 1: its history does not lead to CONFIRMED"},
		"it ends elsewhere":        {"UPDATE order_events SET to_status = 'CANCELED' WHERE order_id = 1 AND version = 2", "order 1: its history does not lead to CONFIRMED"},
		"it does not follow":       {"UPDATE order_events SET from_status = 'CONFIRMED' WHERE order_id = 1 AND version = 2", "order 1: its history does not lead to CONFIRMED"},
		"it starts with something": {"UPDATE order_events SET from_status = 'CREATED' WHERE order_id = 1 AND version = 1", "order 1: its history does not lead to CONFIRMED"},
		"the order has moved on":   {"UPDATE orders SET version = 3 WHERE id = 1", "order 1: its history does not lead to CONFIRMED"},
		"a movement is wrong":      {"UPDATE stock_adjustments SET to_stock = 99", "product 1: stock movements with a wrong number of units: 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, world.Options{})
			s := w.Login("admin")
			buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 5, 10)
			s.ConfirmOrder(t, s.CreateOrder(t, buyer.ID, p.ID, 1).ID, "k")
			s.CreateOrder(t, buyer.ID, p.ID, 1)
			audit(t, w)
			tamper(t, w, test.statement)
			var found []string
			broken, err := ordersservice.Audit(t.Context(), w.DB, func(finding string) { found = append(found, finding) })
			if err != nil || broken != 1 || !strings.HasPrefix(strings.Join(found, "\n"), test.want) {
				t.Errorf("got %d, %v: %q, want %q", broken, err, found, test.want)
			}
		})
	}
}

func tamper(t *testing.T, w *world.World, statement string) {
	t.Helper()
	err := w.DB.Tx(t.Context(), func(conn database.Conn) error {
		_, err := conn.ExecContext(t.Context(), statement)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// errUndo rolls a transaction back.
var errUndo = errors.New("undo")

// Any number of concurrent sweepers cancel exactly the stale orders, each once.
func TestStaleOrders(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 5, 1000)
	const stale = 70 // more than one batch
	var ids []int64
	for range stale {
		ids = append(ids, s.CreateOrder(t, buyer.ID, p.ID, 2).ID)
	}
	confirmed, canceled := s.CreateOrder(t, buyer.ID, p.ID, 1), s.CreateOrder(t, buyer.ID, p.ID, 1)
	s.ConfirmOrder(t, confirmed.ID, "k")
	s.CancelOrder(t, canceled.ID)
	w.Clock.Advance(48 * time.Hour)
	s = w.Login("admin")
	young := s.CreateOrder(t, buyer.ID, p.ID, 3)

	sweep := func(age time.Duration) int64 {
		n, err := ordersservice.CancelStale(t.Context(), w.DB, age, w.Clock.Now)
		if err != nil {
			t.Error(err)
		}
		return n
	}
	if n := sweep(72 * time.Hour); n != 0 {
		t.Errorf("no order is that old: got %d orders canceled, want 0", n)
	}
	counts := make(chan int64, 4)
	for range cap(counts) {
		go func() { counts <- sweep(47 * time.Hour) }()
	}
	total := int64(0)
	for range cap(counts) {
		total += <-counts
	}
	total += sweep(47 * time.Hour) // a sweeper skips orders that another one has locked
	if total != stale {
		t.Errorf("got %d orders canceled, want %d", total, stale)
	}
	for _, id := range ids {
		if o := s.GetOrder(t, id); o.Status != orders.StatusCanceled || *o.CancelReason != "not confirmed within 47h0m0s" {
			t.Errorf("order %d: got %s", id, o.Status)
		}
		wantHistory(t, s, id, "- CREATED user:admin: -", "CREATED CANCELED sweeper: not confirmed within 47h0m0s")
	}
	for id, want := range map[int64]orders.OrderStatus{
		confirmed.ID: orders.StatusConfirmed, canceled.ID: orders.StatusCanceled, young.ID: orders.StatusCreated,
	} {
		if got := s.GetOrder(t, id).Status; got != want {
			t.Errorf("order %d: got %s, want %s", id, got, want)
		}
	}
	s.WantStock(t, p.ID, 1000-1-3)
	audit(t, w)
}

// Two sweepers find the same orders, and then one of the orders is confirmed. Each sweeper acts on what is still stale.
func TestStaleOrderChangesMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 5, 100)
	confirmed, older := s.CreateOrder(t, buyer.ID, p.ID, 1), s.CreateOrder(t, buyer.ID, p.ID, 2)
	w.Clock.Advance(10 * time.Minute)
	newer := s.CreateOrder(t, buyer.ID, p.ID, 4)
	w.Clock.Advance(time.Hour)
	s = w.Login("admin")

	// sweep calls meanwhile after it has found the stale orders, and before it locks them: at the second time that it reads the clock.
	sweep := func(age time.Duration, meanwhile func()) {
		t.Helper()
		reads := 0
		n, err := ordersservice.CancelStale(t.Context(), w.DB, age, func() time.Time {
			if reads++; reads == 2 {
				meanwhile()
			}
			return w.Clock.Now()
		})
		if n != 1 || err != nil || reads != 2 {
			t.Errorf("older than %s: %d orders were canceled, %v, after %d readings of the clock, want 1 and 2", age, n, err, reads)
		}
	}
	sweep(time.Minute, func() {
		sweep(65*time.Minute, func() { s.ConfirmOrder(t, confirmed.ID, "k") })
	})

	wantHistory(t, s, confirmed.ID, "- CREATED user:admin: -", "CREATED CONFIRMED user:admin: -")
	wantHistory(t, s, older.ID, "- CREATED user:admin: -", "CREATED CANCELED sweeper: not confirmed within 1h5m0s")
	wantHistory(t, s, newer.ID, "- CREATED user:admin: -", "CREATED CANCELED sweeper: not confirmed within 1m0s")
	s.WantStock(t, p.ID, 99)
	audit(t, w)
}

// The sweeper skips an order that another transaction has locked, without waiting for it.
func TestStaleOrderInUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	if w.DB.Engine() != "mysql" {
		t.Skip("the embedded engine has one writer: no order is locked while the sweeper runs")
	}
	s := w.Login("admin")
	buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 5, 10)
	used, left := s.CreateOrder(t, buyer.ID, p.ID, 1), s.CreateOrder(t, buyer.ID, p.ID, 1)
	w.Clock.Advance(time.Hour)
	err := w.DB.Tx(t.Context(), func(conn database.Conn) error {
		if _, err := conn.ExecContext(t.Context(), "SELECT id FROM orders WHERE id = ? FOR UPDATE", used.ID); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second) // below the lock wait timeout of MySQL
		defer cancel()
		if n, err := ordersservice.CancelStale(ctx, w.DB, time.Minute, w.Clock.Now); n != 1 || err != nil {
			t.Errorf("got %d orders canceled, %v, want 1", n, err)
		}
		return errUndo
	})
	if !errors.Is(err, errUndo) {
		t.Fatal(err)
	}
	s = w.Login("admin")
	for id, want := range map[int64]orders.OrderStatus{used.ID: orders.StatusCreated, left.ID: orders.StatusCanceled} {
		if got := s.GetOrder(t, id).Status; got != want {
			t.Errorf("order %d: got %s, want %s", id, got, want)
		}
	}
}

// Sweeping deletes several batches of expired keys of two callers, and no valid key.
func TestSweepManyKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	const many = 450
	insert := func(caller string, n int, expires time.Time) {
		err := w.DB.Tx(t.Context(), func(conn database.Conn) error {
			for i := range n {
				_, err := conn.ExecContext(t.Context(), "INSERT INTO orders_idempotency (caller, idem_key, fingerprint, status, headers, body, created_at, expires_at) VALUES (?, ?, '', 201, '{}', '', ?, ?)",
					caller, fmt.Sprintf("key-%d", i), expires, expires)
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	now := w.Clock.Now()
	insert("user:a", many, now.Add(-time.Minute))
	insert("user:b", many, now.Add(-time.Hour))
	insert("user:c", 3, now.Add(time.Hour))
	for i, want := range []int64{2 * many, 0} {
		n, err := ordersservice.SweepKeys(t.Context(), w.DB, w.Clock.Now)
		if err != nil || n != want {
			t.Errorf("sweep %d: got %d keys, %v, want %d", i+1, n, err, want)
		}
	}
	w.Clock.Advance(2 * time.Hour)
	if n, err := ordersservice.SweepKeys(t.Context(), w.DB, w.Clock.Now); err != nil || n != 3 {
		t.Errorf("later: got %d keys, %v, want 3", n, err)
	}
}
