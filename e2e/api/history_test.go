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

// historyOf is the changes of an order, in words.
func historyOf(t *testing.T, s *call.Client, id int64) (all []string) {
	t.Helper()
	r, err := s.Orders.ListOrderHistoryWithResponse(t.Context(), id, nil)
	ordersWant(t, "history", r, err, http.StatusOK)
	if r.JSON200.NextCursor != nil {
		t.Errorf("history of order %d: got a second page", id)
	}
	for _, e := range r.JSON200.Data {
		all = append(all, historyEvent(e))
	}
	return all
}

func historyEvent(e orders.OrderEvent) string {
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

func historyWant(t *testing.T, s *call.Client, id int64, want ...string) {
	t.Helper()
	if got := historyOf(t, s, id); !slices.Equal(got, want) {
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
	historyWant(t, s, created, "- CREATED user:admin: -")

	confirmed := placed()
	ordersConfirmed(t, second, confirmed, "k")
	ordersConfirmed(t, second, confirmed, "k")  // a replay
	ordersConfirmed(t, s, confirmed, "another") // confirmed already
	historyWant(t, s, confirmed, "- CREATED user:admin: -", "CREATED CONFIRMED user:second: -")

	canceled := placed()
	r, err := s.Orders.CancelOrderWithResponse(t.Context(), canceled, nil, orders.Cancellation{Reason: new("out of season")})
	ordersWant(t, "cancel", r, err, http.StatusOK)
	ordersCanceled(t, s, canceled)
	historyWant(t, s, canceled, "- CREATED user:admin: -", "CREATED CANCELED user:admin: out of season")

	both := placed()
	ordersConfirmed(t, s, both, "k-2")
	ordersCanceled(t, second, both)
	refused, err := s.Orders.ConfirmOrderWithResponse(t.Context(), both, &orders.ConfirmOrderParams{IdempotencyKey: "k-3"}, orders.Confirmation{})
	ordersRefused(t, "confirm what is canceled", refused, err, http.StatusConflict, common.CodeOrderCanceled)
	historyWant(t, s, both, "- CREATED user:admin: -", "CREATED CONFIRMED user:admin: -", "CONFIRMED CANCELED user:second: -")

	// The service token, which the orchestrator sends for callers without one of their own.
	byService, err := w.With(world.ServiceToken).Orchestrator.CreateAndConfirmOrderWithResponse(t.Context(), nil, orchestrator.OrderRequest{
		CustomerID: buyer.ID, IdempotencyKey: "k", Items: []orchestrator.OrderRequestLine{{ProductID: p.ID, Qty: 1}},
	})
	ordersWant(t, "orchestrate", byService, err, http.StatusCreated)
	historyWant(t, s, byService.JSON201.Data.Order.ID, "- CREATED service: -", "CREATED CONFIRMED service: -")

	// The times are those of the order.
	o := ordersGet(t, s, both)
	list, err := w.Login("viewer").Orders.ListOrderHistoryWithResponse(t.Context(), both, nil)
	ordersWant(t, "history, as a viewer", list, err, http.StatusOK)
	for i, want := range []common.Time{o.CreatedAt, *o.ConfirmedAt, *o.CanceledAt} {
		if got := list.JSON200.Data[i].CreatedAt; !got.Equal(want.Time) {
			t.Errorf("change %d: got %s, want %s", i+1, got, want)
		}
	}

	// Page by page.
	var paged []string
	for page := (&orders.ListOrderHistoryParams{Limit: new(int32(1))}); ; {
		r, err := s.Orders.ListOrderHistoryWithResponse(t.Context(), both, page)
		ordersWant(t, "page", r, err, http.StatusOK)
		for _, e := range r.JSON200.Data {
			paged = append(paged, historyEvent(e))
		}
		if page.Cursor = r.JSON200.NextCursor; page.Cursor == nil {
			break
		}
	}
	if want := historyOf(t, s, both); !slices.Equal(paged, want) {
		t.Errorf("page by page: got %q, want %q", paged, want)
	}
	ordersAudit(t, w)
}

// movementsOf is what people did to the stock of a product, in words.
func movementsOf(t *testing.T, s *call.Client, product int64, p *orders.ListStockMovementsParams) (all []string, next *string) {
	t.Helper()
	r, err := s.Orders.ListStockMovementsWithResponse(t.Context(), product, p)
	ordersWant(t, "movements", r, err, http.StatusOK)
	for _, m := range r.JSON200.Data {
		reason := "-"
		if m.Reason != nil {
			reason = *m.Reason
		}
		all = append(all, fmt.Sprintf("%d %d %+d %s: %s", *m.From, *m.To, m.Delta, *m.Caller, reason))
	}
	return all, r.JSON200.NextCursor
}

func TestStockMovements(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, p, other := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 5, 10), s.CreateProduct(t, "B", 5, 0)
	w.Clock.Advance(time.Minute)
	ordersPatched(t, s, p.ID, orders.ProductChange{Stock: new(int64(25)), Reason: new("delivery")})
	ordersPatched(t, s, p.ID, orders.ProductChange{Stock: new(int64(25)), Reason: new("counted")}) // as many as there are
	ordersPatched(t, s, p.ID, orders.ProductChange{Name: new("A"), PriceCents: new(int64(6))})
	o := s.CreateOrder(t, buyer.ID, p.ID, 4)
	ordersPatched(t, w.Login("second"), p.ID, orders.ProductChange{Stock: new(int64(20))})
	ordersCanceled(t, s, o.ID)
	changed := ordersPatched(t, s, p.ID, orders.ProductChange{Stock: new(int64(0)), Reason: new("fire")})

	want := []string{"24 0 -24 user:admin: fire", "21 20 -1 user:second: -", "10 25 +15 user:admin: delivery", "0 10 +10 user:admin: first stock"}
	if got, next := movementsOf(t, w.Login("viewer"), p.ID, nil); !slices.Equal(got, want) || next != nil {
		t.Errorf("got %q, want %q", got, want)
	}
	var paged []string
	for page := (&orders.ListStockMovementsParams{Limit: new(int32(3))}); ; {
		got, next := movementsOf(t, s, p.ID, page)
		paged = append(paged, got...)
		if page.Cursor = next; next == nil {
			break
		}
	}
	if !slices.Equal(paged, want) {
		t.Errorf("page by page: got %q, want %q", paged, want)
	}
	if got, _ := movementsOf(t, s, other.ID, nil); len(got) != 0 {
		t.Errorf("a product that never had stock: got %q", got)
	}
	r, err := s.Orders.ListStockMovementsWithResponse(t.Context(), p.ID, nil)
	ordersWant(t, "movements", r, err, http.StatusOK)
	if first, last := r.JSON200.Data[3].CreatedAt, r.JSON200.Data[0].CreatedAt; !first.Equal(p.CreatedAt.Time) || !last.Equal(changed.UpdatedAt.Time) {
		t.Errorf("got the times %s to %s, want %s to %s", first, last, p.CreatedAt, changed.UpdatedAt)
	}

	bad, err := s.Orders.UpdateProductWithResponse(t.Context(), p.ID, nil, orders.ProductChange{Reason: new("why not")})
	ordersRefused(t, "a reason without a stock", bad, err, http.StatusBadRequest, common.CodeInvalidInput, "reason")
	ordersAudit(t, w)
}

func TestHistoryRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 5, 10)
	o := s.CreateOrder(t, buyer.ID, p.ID, 1)
	list, err := s.Orders.ListProductsWithResponse(t.Context(), &orders.ListProductsParams{Limit: new(int32(1))})
	ordersWant(t, "products", list, err, http.StatusOK)
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
		fields := []string{test.field}
		code, productCode := common.CodeInvalidInput, common.CodeInvalidInput
		if test.status == http.StatusNotFound {
			fields, code, productCode = nil, common.CodeOrderNotFound, common.CodeProductNotFound
		}
		h, err := s.Orders.ListOrderHistoryWithResponse(t.Context(), test.id, &orders.ListOrderHistoryParams{Cursor: test.cursor, Limit: test.limit})
		ordersRefused(t, "history: "+name, h, err, test.status, code, fields...)
		m, err := s.Orders.ListStockMovementsWithResponse(t.Context(), test.id, &orders.ListStockMovementsParams{Cursor: test.cursor, Limit: test.limit})
		ordersRefused(t, "movements: "+name, m, err, test.status, productCode, fields...)
	}
	for name, token := range map[string]string{"no token": "", "the service token": world.ServiceToken} {
		h, err := w.With(token).Orders.ListOrderHistoryWithResponse(t.Context(), o.ID, nil)
		ordersWant(t, "history: "+name, h, err, http.StatusUnauthorized)
		m, err := w.With(token).Orders.ListStockMovementsWithResponse(t.Context(), p.ID, nil)
		ordersWant(t, "movements: "+name, m, err, http.StatusUnauthorized)
	}
}

// The audit misses a change that was not recorded, one too many, and one that does not follow from the one before.
func TestAuditOfHistory(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ statement, want string }{
		"a change is missing":      {"DELETE FROM order_events WHERE order_id = 1 AND version = 2", "order 1: its history does not lead to CONFIRMED"},
		"all changes are missing":  {"DELETE FROM order_events WHERE order_id = 1", "order 1: its history does not lead to CONFIRMED"},
		"it ends elsewhere":        {"UPDATE order_events SET to_status = 'CANCELED' WHERE order_id = 1 AND version = 2", "order 1: its history does not lead to CONFIRMED"},
		"it does not follow":       {"UPDATE order_events SET from_status = 'CONFIRMED' WHERE order_id = 1 AND version = 2", "order 1: its history does not lead to CONFIRMED"},
		"it starts with something": {"UPDATE order_events SET from_status = 'CREATED' WHERE order_id = 1 AND version = 1", "order 1: its history does not lead to CONFIRMED"},
		"the order has moved on":   {"UPDATE orders SET version = 3 WHERE id = 1", "order 1: its history does not lead to CONFIRMED"},
		"a movement is wrong":      {"UPDATE stock_adjustments SET to_stock = 99", "product 1: stock movements whose units are not what they lead from and to: 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, world.Options{})
			s := w.Login("admin")
			buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 5, 10)
			ordersConfirmed(t, s, s.CreateOrder(t, buyer.ID, p.ID, 1).ID, "k")
			s.CreateOrder(t, buyer.ID, p.ID, 1)
			ordersAudit(t, w)
			historyTamper(t, w, test.statement)
			var found []string
			broken, err := ordersservice.Audit(t.Context(), w.DB, func(sentence string) { found = append(found, sentence) })
			if err != nil || broken != 1 || !strings.HasPrefix(strings.Join(found, "\n"), test.want) {
				t.Errorf("got %d, %v: %q, want %q", broken, err, found, test.want)
			}
		})
	}
}

func historyTamper(t *testing.T, w *world.World, statement string) {
	t.Helper()
	err := w.DB.Tx(t.Context(), func(conn database.Conn) error {
		_, err := conn.ExecContext(t.Context(), statement)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// errUndo takes a transaction back.
var errUndo = errors.New("undo")

// Stale orders are canceled, by any number of sweepers at once, and nothing else is.
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
	ordersConfirmed(t, s, confirmed.ID, "k")
	ordersCanceled(t, s, canceled.ID)
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
		t.Errorf("before their time: %d orders were canceled", n)
	}
	counts := make(chan int64, 4)
	for range cap(counts) {
		go func() { counts <- sweep(47 * time.Hour) }()
	}
	total := int64(0)
	for range cap(counts) {
		total += <-counts
	}
	total += sweep(47 * time.Hour) // what one of them had locked while the others looked
	if total != stale {
		t.Errorf("got %d orders canceled, want %d", total, stale)
	}
	for _, id := range ids {
		if o := ordersGet(t, s, id); o.Status != orders.StatusCanceled || *o.CancelReason != "not confirmed within 47h0m0s" {
			t.Errorf("order %d: got %s", id, o.Status)
		}
		historyWant(t, s, id, "- CREATED user:admin: -", "CREATED CANCELED sweeper: not confirmed within 47h0m0s")
	}
	for id, want := range map[int64]orders.OrderStatus{
		confirmed.ID: orders.StatusConfirmed, canceled.ID: orders.StatusCanceled, young.ID: orders.StatusCreated,
	} {
		if got := ordersGet(t, s, id).Status; got != want {
			t.Errorf("order %d: got %s, want %s", id, got, want)
		}
	}
	ordersWantStock(t, s, p.ID, 1000-1-3)
	ordersAudit(t, w)
}

// An order that is being confirmed is left alone, and does not hold the sweeper up.
func TestStaleOrderInUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	if w.DB.Engine() != "mysql" {
		t.Skip("the embedded engine has one writer: nothing is in use while the sweeper works")
	}
	s := w.Login("admin")
	buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 5, 10)
	used, left := s.CreateOrder(t, buyer.ID, p.ID, 1), s.CreateOrder(t, buyer.ID, p.ID, 1)
	w.Clock.Advance(time.Hour)
	err := w.DB.Tx(t.Context(), func(conn database.Conn) error {
		if _, err := conn.ExecContext(t.Context(), "SELECT id FROM orders WHERE id = ? FOR UPDATE", used.ID); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second) // less than MySQL waits for a lock
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
		if got := ordersGet(t, s, id).Status; got != want {
			t.Errorf("order %d: got %s, want %s", id, got, want)
		}
	}
}

// Keys are swept in batches: more than one of them, of two callers, and none that still counts.
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
