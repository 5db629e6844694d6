package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/gen/orders"
)

func TestOrderCreate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer := s.CreateCustomer(t, "a@example.com")
	drill, hammer, saw := s.CreateProduct(t, "DRILL", 129900, 10), s.CreateProduct(t, "HAMMER", 45900, 10), s.CreateProduct(t, "SAW", 0, 10)

	// Unsorted, with three lines of the drill.
	var placed orders.Order
	r := s.TryOrder(t.Context(), "", buyer.ID, saw.ID, 1, drill.ID, 2, hammer.ID, 3, drill.ID, 1, drill.ID, 4).Want(t, http.StatusCreated, &placed)
	want := []orders.OrderLine{
		{ProductID: drill.ID, SKU: "DRILL", Name: "Product DRILL", Qty: 7, UnitPriceCents: 129900, SubtotalCents: 909300},
		{ProductID: hammer.ID, SKU: "HAMMER", Name: "Product HAMMER", Qty: 3, UnitPriceCents: 45900, SubtotalCents: 137700},
		{ProductID: saw.ID, SKU: "SAW", Name: "Product SAW", Qty: 1, UnitPriceCents: 0, SubtotalCents: 0},
	}
	if !slices.Equal(placed.Items, want) || placed.TotalCents != 909300+137700 {
		t.Errorf("placed %s, want the lines %+v", r.Body, want)
	}
	if placed.Status != orders.StatusCreated || placed.CustomerID != buyer.ID || placed.Customer.Name != buyer.Name ||
		placed.Customer.Email != buyer.Email || placed.ConfirmedAt != nil || placed.CanceledAt != nil || placed.CancelReason != nil {
		t.Errorf("placed %s, want CREATED and nothing else, for %+v", r.Body, buyer)
	}
	if got, want := r.Header.Get("Location"), fmt.Sprintf("/orders/%d", placed.ID); got != want {
		t.Errorf("Location: got %s, want %s", got, want)
	}
	read := call.Read(s.Orders.GetOrder(t.Context(), placed.ID)).Want(t, http.StatusOK)
	if !bytes.Equal(read.Body, r.Body) || read.Header.Get("ETag") != r.Header.Get("ETag") {
		t.Errorf("get: got %s %s, want what was placed: %s %s", read.Header.Get("ETag"), read.Body, r.Header.Get("ETag"), r.Body)
	}
	s.WantStock(t, drill.ID, 3)
	s.WantStock(t, hammer.ID, 7)
	s.WantStock(t, saw.ID, 9)

	// A later change of the price and the name does not affect the order.
	s.ChangeProduct(t, drill.ID, orders.ProductChange{PriceCents: new(int64(1)), Name: new("Other")})
	confirmed := s.ConfirmOrder(t, placed.ID, "k")
	if !slices.Equal(confirmed.Items, want) || confirmed.TotalCents != placed.TotalCents {
		t.Errorf("after a change of price: got %+v, want the lines %+v", confirmed, want)
	}
	if later := s.CreateOrder(t, buyer.ID, drill.ID, 2); later.TotalCents != 2 {
		t.Errorf("order after the change of price: got a total of %d, want 2", later.TotalCents)
	}
	audit(t, w)
}

func TestOrderShortage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer := s.CreateCustomer(t, "a@example.com")
	a, b, c := s.CreateProduct(t, "A", 1, 5), s.CreateProduct(t, "B", 1, 0), s.CreateProduct(t, "C", 1, 5)

	// The two lines of a exceed its stock together, b is sold out, c has exactly enough.
	r := s.TryOrder(t.Context(), "", buyer.ID, b.ID, 1, a.ID, 3, c.ID, 5, a.ID, 3)
	p := r.WantProblem(t, http.StatusConflict, common.CodeInsufficientStock)
	want := []common.Shortage{{ProductID: a.ID, Requested: 6, Available: 5}, {ProductID: b.ID, Requested: 1, Available: 0}}
	if p.Shortages == nil || !slices.Equal(*p.Shortages, want) {
		t.Errorf("shortages: got %s, want %+v", r.Body, want)
	}
	for product, stock := range map[int64]int64{a.ID: 5, b.ID: 0, c.ID: 5} {
		s.WantStock(t, product, stock)
	}
	s.WantOrders(t, 0)
	s.CreateOrder(t, buyer.ID, a.ID, 5, c.ID, 5) // the last unit can be sold
	s.WantStock(t, a.ID, 0)
	audit(t, w)
}

func TestOrderUnknown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, known := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 1, 5)

	r := s.TryOrder(t.Context(), "", buyer.ID, known.ID+2, 1, known.ID, 1, known.ID+1, 1, known.ID+2, 1)
	p := r.WantProblem(t, http.StatusNotFound, common.CodeProductNotFound, "items")
	if len(*p.Errors) != 2 {
		t.Errorf("got %s, want one error for each product", r)
	}
	for _, id := range []int64{known.ID + 1, known.ID + 2} {
		if want := (common.FieldError{Field: "items", Message: fmt.Sprintf("there is no product %d", id)}); !slices.Contains(*p.Errors, want) {
			t.Errorf("unknown products: got %s, want %+v among the errors", r.Body, want)
		}
	}
	s.TryOrder(t.Context(), "", buyer.ID+1, known.ID, 1).WantProblem(t, http.StatusNotFound, common.CodeCustomerNotFound, "customer_id")
	s.TryOrder(t.Context(), "", 1<<53-1, 1<<53-1, 1).WantProblem(t, http.StatusNotFound, common.CodeCustomerNotFound, "customer_id")
	s.WantStock(t, known.ID, 5)
	s.WantOrders(t, 0)

	for _, id := range []int64{1, 1<<53 - 1} {
		call.Read(s.Orders.GetOrder(t.Context(), id)).WantProblem(t, http.StatusNotFound, common.CodeOrderNotFound)
		s.TryConfirm(t.Context(), fmt.Sprint("k", id), id).WantProblem(t, http.StatusNotFound, common.CodeOrderNotFound)
		s.TryCancel(t.Context(), "", id).WantProblem(t, http.StatusNotFound, common.CodeOrderNotFound)
	}
	for _, id := range []string{"0", "-1", "x", "9007199254740992"} {
		for _, path := range []string{"/confirm", "/cancel"} {
			s.Send(t, "orders", http.MethodPost, "/orders/"+id+path, "", "Idempotency-Key", "k").WantInvalid(t, "id")
		}
		s.Send(t, "orders", http.MethodGet, "/orders/"+id, "").WantInvalid(t, "id")
	}
}

// TestOrderOfDeletedCustomer changes and deletes a customer. Its orders must keep their copy of the customer.
func TestOrderOfDeletedCustomer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, other, p := s.CreateCustomer(t, "a@example.com"), s.CreateCustomer(t, "b@example.com"), s.CreateProduct(t, "A", 1, 10)
	placed := s.CreateOrder(t, buyer.ID, p.ID, 1)
	s.CreateOrder(t, other.ID, p.ID, 1)

	s.ChangeCustomer(t, buyer.ID, customers.CustomerChange{Name: new("New name"), Email: new("new@example.com")})
	if later := s.CreateOrder(t, buyer.ID, p.ID, 1); later.Customer.Name != "New name" || later.Customer.Email != "new@example.com" {
		t.Errorf("order after the change of name: got %+v, want the new name", later.Customer)
	}
	s.DeleteCustomer(t, buyer.ID)
	s.TryOrder(t.Context(), "", buyer.ID, p.ID, 1).WantProblem(t, http.StatusNotFound, common.CodeCustomerNotFound, "customer_id")
	s.WantStock(t, p.ID, 7)

	var list orders.OrderPage
	call.Read(s.Orders.ListOrders(t.Context(), &orders.ListOrdersParams{CustomerID: &buyer.ID})).Want(t, http.StatusOK, &list)
	if got := orderIDs(list.Data); !slices.Equal(got, []int64{placed.ID + 2, placed.ID}) {
		t.Errorf("orders of the deleted customer: got %v, want %v", got, []int64{placed.ID + 2, placed.ID})
	}
	if got := s.GetOrder(t, placed.ID); got.Customer != placed.Customer || got.Customer.Name != buyer.Name {
		t.Errorf("the order's customer: got %+v, want it as it was: %+v", got.Customer, placed.Customer)
	}
	s.ConfirmOrder(t, placed.ID, "k")
	s.CancelOrder(t, placed.ID)
}

func TestOrderTotal(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer := s.CreateCustomer(t, "a@example.com")
	large, rest := s.CreateProduct(t, "LARGE", 1e11, 1e9), s.CreateProduct(t, "REST", 99_254_740_991, 1e9)

	// 90071 × 10^11 + 99254740991 = 2^53 - 1
	placed := s.CreateOrder(t, buyer.ID, large.ID, 90071, rest.ID, 1)
	if want := int64(1<<53 - 1); placed.TotalCents != want {
		t.Errorf("total: got %d, want %d", placed.TotalCents, want)
	}
	s.ChangeProduct(t, rest.ID, orders.ProductChange{PriceCents: new(int64(99_254_740_992))})
	for name, lines := range map[string][]int64{
		"one cent over":           {large.ID, 90071, rest.ID, 1},
		"one cent over, backward": {rest.ID, 1, large.ID, 90071},
		"one line":                {large.ID, 90072},
		"more than 64 bits":       slices.Repeat([]int64{large.ID, 1e6}, 100), // 10^19
	} {
		t.Log(name)
		s.TryOrder(t.Context(), "", buyer.ID, lines...).WantProblem(t, http.StatusUnprocessableEntity, common.CodeTotalTooLarge)
	}
	s.WantStock(t, large.ID, 1e9-90071)
	s.WantStock(t, rest.ID, 1e9-1)
	s.WantOrders(t, 1)
	audit(t, w)
}

func TestOrderLines(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer := s.CreateCustomer(t, "a@example.com")
	var hundred []int64
	for i := range 100 {
		hundred = append([]int64{s.CreateProduct(t, fmt.Sprintf("P-%d", i), int64(i), 1e9).ID, 1e6}, hundred...)
	}
	placed := s.CreateOrder(t, buyer.ID, hundred...)
	if len(placed.Items) != 100 || !slices.IsSortedFunc(placed.Items, func(a, b orders.OrderLine) int { return int(a.ProductID - b.ProductID) }) {
		t.Errorf("100 lines: got %+v, want 100 by product", placed.Items)
	}
	if got := s.GetOrder(t, placed.ID); !slices.Equal(got.Items, placed.Items) {
		t.Errorf("100 lines, read: got %+v, want %+v", got.Items, placed.Items)
	}
	merged := s.CreateOrder(t, buyer.ID, slices.Repeat([]int64{hundred[0], 1e6}, 100)...)
	if len(merged.Items) != 1 || merged.Items[0].Qty != 1e8 {
		t.Errorf("100 lines of one product: got %+v, want one of %d", merged.Items, int64(1e8))
	}
	audit(t, w)

	for name, test := range map[string]struct {
		body   string
		fields []string
	}{
		"101 lines":      {`{"customer_id":1,"items":[` + strings.Repeat(`{"product_id":1,"qty":1},`, 100) + `{"product_id":1,"qty":1}]}`, []string{"items"}},
		"no lines":       {`{"customer_id":1,"items":[]}`, []string{"items"}},
		"lines are null": {`{"customer_id":1,"items":null}`, []string{"items"}},
		"nothing":        {`{}`, []string{"customer_id", "items"}},
		"no body":        {``, []string{"body"}},
		"qty too small":  {`{"customer_id":1,"items":[{"product_id":1,"qty":0},{"product_id":1,"qty":-1}]}`, []string{"items[0].qty", "items[1].qty"}},
		"qty too large":  {`{"customer_id":1,"items":[{"product_id":1,"qty":1},{"product_id":1,"qty":1000001}]}`, []string{"items[1].qty"}},
		"qty in parts":   {`{"customer_id":1,"items":[{"product_id":1,"qty":1.5}]}`, []string{"items[0].qty"}},
		"no qty":         {`{"customer_id":1,"items":[{"product_id":1}]}`, []string{"items[0].qty"}},
		"id 0":           {`{"customer_id":0,"items":[{"product_id":0,"qty":1}]}`, []string{"customer_id", "items[0].product_id"}},
		"own price":      {`{"customer_id":1,"items":[{"product_id":1,"qty":1,"unit_price_cents":1}]}`, []string{"items[0].unit_price_cents"}},
		"own status":     {`{"customer_id":1,"items":[{"product_id":1,"qty":1}],"status":"CONFIRMED"}`, []string{"status"}},
	} {
		t.Log(name)
		call.Read(s.Orders.CreateOrderWithBody(t.Context(), nil, "application/json", strings.NewReader(test.body))).WantInvalid(t, test.fields...)
	}
	s.WantOrders(t, 2)
}

func TestOrderRoles(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	admin := w.Login("admin")
	buyer, p := admin.CreateCustomer(t, "a@example.com"), admin.CreateProduct(t, "A", 1, 10)
	for name, test := range map[string]struct {
		session                   *call.Client
		list, get, create, change int
	}{
		"admin":             {admin, 200, 200, 201, 200},
		"service":           {w.With(world.ServiceToken), 401, 200, 201, 200},
		"old service token": {w.With(world.OldToken), 401, 200, 201, 200},
		"viewer":            {w.Login("viewer"), 200, 200, 403, 403},
		"no token":          {w.With(""), 401, 401, 401, 401},
		"bad token":         {w.With("x.y.z"), 401, 401, 401, 401},
	} {
		order := admin.CreateOrder(t, buyer.ID, p.ID, 1)
		o := test.session.Orders
		call.Read(o.ListOrders(t.Context(), nil)).Want(t, test.list)
		call.Read(o.GetOrder(t.Context(), order.ID)).Want(t, test.get)
		call.Read(o.CreateOrder(t.Context(), nil, orders.OrderInput{CustomerID: buyer.ID, Items: call.Lines(p.ID, 1)})).Want(t, test.create)
		call.Read(o.ConfirmOrder(t.Context(), order.ID, &orders.ConfirmOrderParams{IdempotencyKey: fmt.Sprintf("k-%d", order.ID)}, orders.Confirmation{})).Want(t, test.change)
		call.Read(o.CancelOrder(t.Context(), order.ID, nil, orders.Cancellation{})).Want(t, test.change)
		want := orders.StatusCreated
		if test.change == http.StatusOK {
			want = orders.StatusCanceled
		}
		if got := admin.GetOrder(t, order.ID).Status; got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

func TestOrderConfirm(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 1, 10)

	first := s.CreateOrder(t, buyer.ID, p.ID, 1)
	confirmed := s.ConfirmOrder(t, first.ID, "k-1")
	if confirmed.Status != orders.StatusConfirmed || confirmed.ConfirmedAt == nil || confirmed.ConfirmedAt.Before(first.CreatedAt.Time) ||
		confirmed.CanceledAt != nil || confirmed.ID != first.ID {
		t.Errorf("confirmed %+v, want CONFIRMED at a time after %s", confirmed, first.CreatedAt)
	}
	var as orders.Order
	again := s.TryConfirm(t.Context(), "k-2", first.ID).Want(t, http.StatusOK, &as)
	read := call.Read(s.Orders.GetOrder(t.Context(), first.ID)).Want(t, http.StatusOK)
	if *as.ConfirmedAt != *confirmed.ConfirmedAt || !bytes.Equal(again.Body, read.Body) || again.Header.Get("ETag") != read.Header.Get("ETag") ||
		again.Replayed() {
		t.Errorf("confirmed again with another key: got %s, want it as it was: %s", again.Body, read.Body)
	}
	s.WantStock(t, p.ID, 9)

	second := s.CreateOrder(t, buyer.ID, p.ID, 1)
	s.CancelOrder(t, second.ID)
	s.TryConfirm(t.Context(), "k-3", second.ID).WantProblem(t, http.StatusConflict, common.CodeOrderCanceled)
}

// Confirm and cancel accept no body, an empty one, or an object, since clients differ.
func TestOrderChangeBodies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 1, 100)
	for name, test := range map[string]struct {
		contentType     string // "" means none
		body            string // "" is none
		confirm, cancel string // the field at fault; "" is none
	}{
		"no body":                     {"", "", "", ""},
		"empty body, JSON":            {"application/json", "", "", ""},
		"empty body, JSON in UTF-8":   {"application/json; charset=utf-8", "", "", ""},
		"empty object":                {"application/json", "{}", "", ""},
		"empty object, blanks around": {"application/json", " {\n}\n", "", ""},
		"null":                        {"application/json", "null", "body", "body"},
		"a list":                      {"application/json", "[]", "body", "body"},
		"not JSON":                    {"application/json", "{", "body", "body"},
		"two objects":                 {"application/json", "{}{}", "body", "body"},
		"reason":                      {"application/json", `{"reason":"x"}`, "reason", ""},
		"empty reason":                {"application/json", `{"reason":""}`, "reason", "reason"},
		"other field":                 {"application/json", `{"status":"CONFIRMED"}`, "status", "status"},
	} {
		order := s.CreateOrder(t, buyer.ID, p.ID, 1)
		for _, change := range []struct{ operation, field string }{{"confirm", test.confirm}, {"cancel", test.cancel}} {
			t.Log(change.operation, "with", name)
			headers := []string{"Authorization", "Bearer " + s.Token, "Idempotency-Key", fmt.Sprintf("%s-%d", change.operation, order.ID)}
			if test.contentType != "" {
				headers = append(headers, "Content-Type", test.contentType)
			}
			r := call.Send(t, w.HTTP("orders"), http.MethodPost, fmt.Sprintf("%s/orders/%d/%s", w.OrdersURL, order.ID, change.operation), strings.NewReader(test.body), headers...)
			if change.field == "" {
				r.Want(t, http.StatusOK)
			} else {
				r.WantInvalid(t, change.field)
			}
		}
	}
	audit(t, w)
}

func TestOrderCancel(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, a, b := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 1, 10), s.CreateProduct(t, "B", 1, 10)
	for name, test := range map[string]struct {
		confirmed bool
		reason    *string
	}{
		"created":               {false, nil},
		"created with reason":   {false, new("cambió de idea: ¡otra vez! 🔩")},
		"confirmed":             {true, nil},
		"confirmed with reason": {true, new(strings.Repeat("ñ", 500))},
	} {
		order := s.CreateOrder(t, buyer.ID, a.ID, 3, b.ID, 4)
		if test.confirmed {
			order = s.ConfirmOrder(t, order.ID, fmt.Sprintf("k-%d", order.ID))
		}
		s.WantStock(t, a.ID, 7)
		var canceled orders.Order
		r := call.Read(s.Orders.CancelOrder(t.Context(), order.ID, nil, orders.Cancellation{Reason: test.reason})).Want(t, http.StatusOK, &canceled)
		got := canceled
		if got.Status != orders.StatusCanceled || got.CanceledAt == nil || (got.ConfirmedAt != nil) != test.confirmed ||
			optional(got.CancelReason) != optional(test.reason) || !slices.Equal(got.Items, order.Items) {
			t.Errorf("%s: got %s, want it CANCELED for %q", name, r.Body, optional(test.reason))
		}
		s.WantStock(t, a.ID, 10)
		s.WantStock(t, b.ID, 10)

		// A second cancel with another reason changes nothing and returns no units.
		again := call.Read(s.Orders.CancelOrder(t.Context(), order.ID, nil, orders.Cancellation{Reason: new("again")})).Want(t, http.StatusOK)
		if !bytes.Equal(again.Body, r.Body) {
			t.Errorf("%s, again: got %s, want %s", name, again.Body, r.Body)
		}
		s.WantStock(t, a.ID, 10)
		audit(t, w)
	}
	for _, reason := range []string{"", strings.Repeat("x", 501), "a\nb"} {
		order := s.CreateOrder(t, buyer.ID, a.ID, 1)
		call.Read(s.Orders.CancelOrder(t.Context(), order.ID, nil, orders.Cancellation{Reason: &reason})).Want(t, http.StatusBadRequest)
		if got := s.GetOrder(t, order.ID).Status; got != orders.StatusCreated {
			t.Errorf("after the refusal: got %s, want CREATED", got)
		}
	}
}

// Confirm and cancel take If-Match: a stale ETag gets 412 and changes nothing, and a repeat under its key gets the same answer.
func TestOrderIfMatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 1, 100)
	order := s.CreateOrder(t, buyer.ID, p.ID, 1)
	confirm := func(key, match string) call.Response {
		return call.Read(s.Orders.ConfirmOrder(t.Context(), order.ID, &orders.ConfirmOrderParams{IdempotencyKey: key, IfMatch: &match}, orders.Confirmation{}))
	}
	cancel := func(key, match string) call.Response {
		return call.Read(s.Orders.CancelOrder(t.Context(), order.ID, &orders.CancelOrderParams{IdempotencyKey: &key, IfMatch: &match}, orders.Cancellation{}))
	}
	stale := func(got call.Response) {
		t.Helper()
		got.WantProblem(t, http.StatusPreconditionFailed, common.CodePreconditionFailed)
	}
	first := confirm("k1", `"2"`)
	stale(first)
	if o := s.GetOrder(t, order.ID); o.Status != orders.StatusCreated {
		t.Errorf("a stale confirmation made the order %s", o.Status)
	}
	confirm("k2", `"1"`).Want(t, http.StatusOK)
	again := confirm("k1", `"2"`) // it would match now
	if stale(again); !again.Replayed() || !bytes.Equal(again.Body, first.Body) {
		t.Errorf("the repeat got %s %v, want a replay of %s", again, again.Header, first)
	}
	stale(confirm("k3", `"1"`))
	stale(cancel("k4", `"1"`))
	s.WantStock(t, p.ID, 99)
	cancel("k5", `"1", "2"`).Want(t, http.StatusOK)
	s.WantStock(t, p.ID, 100)
	stale(cancel("k6", `"2"`))
	cancel("k7", "*").Want(t, http.StatusOK)
}

// A confirmed order can be canceled until just before its window ends.
func TestOrderCancelWindow(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		configured, window time.Duration
	}{
		"10 minutes by default": {0, 10 * time.Minute},
		"configured":            {90 * time.Second, 90 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, world.Options{CancelWindow: test.configured})
			s := w.Login("second") // whose token needs no key set, so that each request reads the clock as often
			buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 1, 100)

			// The clock ticks with each reading. Count the readings between a request and its canceled_at.
			probe := s.ConfirmOrder(t, s.CreateOrder(t, buyer.ID, p.ID, 1).ID, "probe")
			before := w.Clock.Now()
			lag := s.CancelOrder(t, probe.ID).CanceledAt.Sub(before)

			for _, at := range []struct {
				after time.Duration // since confirmed_at
				ok    bool
			}{
				{0, true}, {test.window - time.Microsecond, true}, {test.window, false}, {test.window + time.Microsecond, false}, {24 * time.Hour, false},
			} {
				s := w.Login("second")
				order := s.ConfirmOrder(t, s.CreateOrder(t, buyer.ID, p.ID, 1).ID, at.after.String())
				stock := s.GetProduct(t, p.ID).Stock
				w.Clock.Advance(order.ConfirmedAt.Add(at.after - lag).Sub(w.Clock.Now()))
				if at.after > time.Hour { // longer than the lifetime of a token
					s = w.Login("second")
				}
				t.Log("cancel after", at.after)
				r := s.TryCancel(t.Context(), "", order.ID)
				if at.ok {
					var canceled orders.Order
					r.Want(t, http.StatusOK, &canceled)
					if got := canceled.CanceledAt.Sub(order.ConfirmedAt.Time); at.after > 0 && got != at.after {
						t.Fatalf("canceled %s after it was confirmed, want %s", got, at.after)
					}
					s.WantStock(t, p.ID, stock+1)
					continue
				}
				r.WantProblem(t, http.StatusConflict, common.CodeCancelWindowOver)
				s.WantStock(t, p.ID, stock)
				if got := s.GetOrder(t, order.ID); got.Status != orders.StatusConfirmed || got.CanceledAt != nil {
					t.Errorf("after the refusal: got %+v, want CONFIRMED", got)
				}
			}

			// An unconfirmed order has no window.
			late := w.Login("admin").CreateOrder(t, buyer.ID, p.ID, 1)
			w.Clock.Advance(365 * 24 * time.Hour)
			w.Login("admin").CancelOrder(t, late.ID)
			audit(t, w)
		})
	}
}

func orderIDs(list []orders.Order) (ids []int64) {
	for _, o := range list {
		ids = append(ids, o.ID)
	}
	return ids
}

// walkOrders returns the IDs on all pages of a list. It calls between after each page except the last.
func walkOrders(t *testing.T, s *call.Client, p orders.ListOrdersParams, between func()) (ids []int64) {
	t.Helper()
	for {
		var orderPage orders.OrderPage
		r := call.Read(s.Orders.ListOrders(t.Context(), &p)).Want(t, http.StatusOK, &orderPage)
		if n := len(orderPage.Data); p.Limit != nil && n > int(*p.Limit) || n == 0 && p.Cursor != nil {
			t.Fatalf("list: got a page of %d at a limit of %d: %s", n, *p.Limit, r.Body)
		}
		ids = append(ids, orderIDs(orderPage.Data)...)
		if p.Cursor = orderPage.NextCursor; p.Cursor == nil {
			return ids
		}
		if len(ids) > 1000 {
			t.Fatalf("list: no end after %d orders: %v…", len(ids), ids[:10])
		}
		between()
	}
}

// Compares every combination of filters, at several page sizes, with a filter over all orders.
func TestOrderListFilters(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyers := []int64{s.CreateCustomer(t, "a@example.com").ID, s.CreateCustomer(t, "b@example.com").ID}
	p := s.CreateProduct(t, "A", 1, 1000)
	var all []orders.Order // newest first
	add := func(i int) {
		o := s.CreateOrder(t, buyers[i%3%2], p.ID, 1)
		switch i % 4 {
		case 1:
			o = s.ConfirmOrder(t, o.ID, fmt.Sprint(i))
		case 3:
			o = s.CancelOrder(t, o.ID)
		}
		all = append([]orders.Order{o}, all...)
		w.Clock.Advance(time.Duration(i) * time.Second)
	}
	for i := range 11 {
		add(i)
	}
	from, to := all[8].CreatedAt.Time, all[2].CreatedAt.Time
	unknown := int64(99)
	for _, status := range []*orders.OrderStatus{nil, new(orders.StatusCreated), new(orders.StatusConfirmed), new(orders.StatusCanceled)} {
		for _, customer := range []*int64{nil, &buyers[0], &buyers[1], &unknown} {
			for _, from := range []*time.Time{nil, &from} {
				for _, to := range []*time.Time{nil, &to} {
					filter := orders.ListOrdersParams{Status: status, CustomerID: customer, From: dayOrTime(from), To: dayOrTime(to)}
					var want []int64
					for _, o := range all {
						if (status == nil || o.Status == *status) && (customer == nil || o.CustomerID == *customer) &&
							(from == nil || !o.CreatedAt.Before(*from)) && (to == nil || o.CreatedAt.Before(*to)) {
							want = append(want, o.ID)
						}
					}
					for _, limit := range []*int32{nil, new(int32(1)), new(int32(2)), new(int32(3))} {
						filter.Limit = limit
						if got := walkOrders(t, s, filter, func() {}); !slices.Equal(got, want) {
							asked, _ := json.Marshal(filter)
							t.Errorf("list %s: got %v, want %v", asked, got, want)
						}
					}
				}
			}
		}
	}
	// Orders placed between two pages are newer than both. They must not shift or repeat later orders.
	for _, filter := range []orders.ListOrdersParams{
		{}, {Status: new(orders.StatusCreated)}, {CustomerID: &buyers[0]}, {CustomerID: &buyers[0], Status: new(orders.StatusCreated)}, {From: dayOrTime(&from)},
	} {
		want := walkOrders(t, s, filter, func() {})
		filter.Limit = new(int32(2))
		if got := walkOrders(t, s, filter, func() { add(0) }); !slices.Equal(got, want) {
			asked, _ := json.Marshal(filter)
			t.Errorf("list %s with new orders in between: got %v, want %v", asked, got, want)
		}
	}
}

// Orders of one microsecond are sorted by id. A page boundary between them must not lose or repeat one.
func TestOrderListSameInstant(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 1, 1000)
	var want []int64
	var at common.Time
	start := w.Clock.Now()
	for range 5 {
		w.Clock.Advance(start.Sub(w.Clock.Now()))
		o := s.CreateOrder(t, buyer.ID, p.ID, 1)
		if len(want) > 0 && o.CreatedAt != at {
			t.Fatalf("order at %s, want it at %s like the previous one", o.CreatedAt, at)
		}
		want, at = append([]int64{o.ID}, want...), o.CreatedAt
	}
	after := at.Add(time.Microsecond)
	for _, filter := range []orders.ListOrdersParams{{}, {CustomerID: &buyer.ID}, {Status: new(orders.StatusCreated)}, {From: dayOrTime(&at.Time), To: dayOrTime(&after)}} {
		for limit := range int32(5) {
			filter.Limit = new(limit + 1)
			if got := walkOrders(t, s, filter, func() {}); !slices.Equal(got, want) {
				t.Errorf("limit %d: got %v, want %v", limit+1, got, want)
			}
		}
	}
}

func TestOrderListTimes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 1, 1000)
	var placed [3]orders.Order
	for i := range placed {
		placed[i] = s.CreateOrder(t, buyer.ID, p.ID, 1)
	}
	old, mid, recent := placed[0].ID, placed[1].ID, placed[2].ID
	at := placed[1].CreatedAt.Time
	east, west := time.FixedZone("", 2*60*60), time.FixedZone("", -(9*60+30)*60)
	write := func(t time.Time) string { return t.Format(time.RFC3339Nano) }
	day := func(t time.Time) string { return t.Format(time.DateOnly) }
	for name, test := range map[string]struct {
		from, to string
		want     []int64
	}{
		"from is inclusive":                 {write(at), "", []int64{recent, mid}},
		"to is exclusive":                   {"", write(at), []int64{old}},
		"east of Greenwich":                 {write(at.In(east)), "", []int64{recent, mid}},
		"west of Greenwich":                 {"", write(at.In(west)), []int64{old}},
		"from, a nanosecond later":          {write(at.Add(1)), "", []int64{recent}},
		"to, a nanosecond later":            {"", write(at.Add(1)), []int64{mid, old}},
		"from, a nanosecond earlier":        {write(at.Add(-1)), "", []int64{recent, mid}},
		"to, a nanosecond earlier":          {"", write(at.Add(-1)), []int64{old}},
		"both in one microsecond":           {write(at.Add(1)), write(at.Add(2)), nil},
		"exactly one":                       {write(at), write(at.Add(time.Microsecond)), []int64{mid}},
		"exactly one, offsets that differ":  {write(at.In(east)), write(at.Add(1).In(west)), []int64{mid}},
		"the same instant":                  {write(at), write(at.In(east)), nil},
		"the whole of time":                 {"0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", []int64{recent, mid, old}},
		"before all":                        {"", "0001-01-01T00:00:00Z", nil},
		"after all":                         {"9999-12-31T23:59:59Z", "", nil},
		"the day of all":                    {day(at), day(at), []int64{recent, mid, old}},
		"from the day on":                   {day(at), "", []int64{recent, mid, old}},
		"from the day after":                {day(at.AddDate(0, 0, 1)), "", nil},
		"until the day before":              {"", day(at.AddDate(0, 0, -1)), nil},
		"a month of days":                   {day(at.AddDate(0, 0, -30)), day(at), []int64{recent, mid, old}},
		"from a day to a time":              {day(at), write(at), []int64{old}},
		"from a time to a day":              {write(at), day(at), []int64{recent, mid}},
		"until the last day":                {"", "9999-12-31", []int64{recent, mid, old}},
		"from the beginning to before 1970": {"0000-01-01T00:00:00Z", "1969-12-31T23:59:59+02:00", nil},
	} {
		query := url.Values{}
		for key, value := range map[string]string{"from": test.from, "to": test.to} {
			if value != "" {
				query.Set(key, value)
			}
		}
		var page orders.OrderPage
		r := s.Send(t, "orders", http.MethodGet, "/orders?"+query.Encode(), "").Want(t, http.StatusOK, &page)
		if !slices.Equal(orderIDs(page.Data), test.want) {
			t.Errorf("%s: got %s, want the orders %v", name, r, test.want)
		}
		// The generated client gets the same result.
		var params orders.ListOrdersParams
		if test.from != "" {
			params.From = &test.from
		}
		if test.to != "" {
			params.To = &test.to
		}
		if got := walkOrders(t, s, params, func() {}); !slices.Equal(got, test.want) {
			t.Errorf("%s, by the generated client: got %v, want %v", name, got, test.want)
		}
	}
}

func TestOrderListRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	for query, field := range map[string]string{
		"from=2026-01-15T09:30:00.000000001Z&to=2026-01-15T09:30:00Z":      "from",
		"from=2026-01-15T09:30:00Z&to=2026-01-15T11:29:59%2B02:00":         "from",
		"from=2026-01-15T09:30:00Z&to=2026-01-15T09:00:00Z&status=CREATED": "from",
		"from=2026-01-15&to=2026-01-14":                                    "from",
		"from=2026-01-15T00:00:00.1Z&to=2026-01-14":                        "from",
		"from=2026-01-15&to=2026-01-14T23:59:59Z":                          "from",
		"from=2026-02-30": "from", "to=2026-13-01": "to", "to=2026-00-10": "to",
		"from=2026-1-15": "from", "from=2026-01-15Z": "from", "from=20260115": "from", "from=2026-01": "from",
		"from=2026-01-15+09:30:00Z":     "from",
		"from=2026-01-15T09:30:00":      "from", // no offset
		"from=2026-02-30T00:00:00Z":     "from",
		"from=2026-01-15T24:00:00Z":     "from",
		"from=2026-01-15T09:30:00+0200": "from",
		"from=1768469400":               "from",
		"from=2026-01-15T9:30:00Z":      "from",
		"from=2026-01-15T09:30:00,5Z":   "from",
		"to=yesterday":                  "to",
		"status=created":                "status",
		"status=PAID":                   "status",
		"status=CREATED,CONFIRMED":      "status",
		"customer_id=0":                 "customer_id",
		"customer_id=x":                 "customer_id",
		"limit=0":                       "limit",
		"limit=101":                     "limit",
		"cursor=x":                      "cursor",
		"cursor=bzoxOjI6Mw":             "cursor", // o:1:2:3
		"cursor=cDox":                   "cursor", // p:1, of the list of products
		"cursor=bzotMTox":               "cursor", // o:-1:1
		"status=CREATED&status=CREATED": "status",
	} {
		s.Send(t, "orders", http.MethodGet, "/orders?"+query, "").WantInvalid(t, field)
	}
	for _, list := range []string{"cursor=bzo5MjIzMzcyMDM2ODU0Nzc1ODA3OjE", "updated_since=2026-01-01&cursor=dTo5MjIzMzcyMDM2ODU0Nzc1ODA3OjE"} {
		s.Send(t, "orders", http.MethodGet, "/orders?"+list, "").Want(t, http.StatusOK) // o: and u:9223372036854775807:1, after all times
	}
}

// A cursor is a position in time. With another filter, the list continues from there.
func TestOrderListCursorUnderAnotherFilter(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 1, 1000)
	var placed [6]orders.Order
	for i := range placed {
		placed[i] = s.CreateOrder(t, buyer.ID, p.ID, 1)
	}
	s.ConfirmOrder(t, placed[0].ID, "a")
	s.ConfirmOrder(t, placed[4].ID, "b")
	var first orders.OrderPage
	call.Read(s.Orders.ListOrders(t.Context(), &orders.ListOrdersParams{Limit: new(int32(3))})).Want(t, http.StatusOK, &first)
	cursor := first.NextCursor // after placed[3]
	for name, test := range map[string]struct {
		filter orders.ListOrdersParams
		want   []int64
	}{
		"none":             {orders.ListOrdersParams{}, []int64{placed[2].ID, placed[1].ID, placed[0].ID}},
		"status":           {orders.ListOrdersParams{Status: new(orders.StatusConfirmed)}, []int64{placed[0].ID}},
		"customer":         {orders.ListOrdersParams{CustomerID: new(buyer.ID + 1)}, nil},
		"to before cursor": {orders.ListOrdersParams{To: dayOrTime(&placed[2].CreatedAt.Time)}, []int64{placed[1].ID, placed[0].ID}},
		"to after cursor":  {orders.ListOrdersParams{To: dayOrTime(&placed[5].CreatedAt.Time)}, []int64{placed[2].ID, placed[1].ID, placed[0].ID}},
		"from":             {orders.ListOrdersParams{From: dayOrTime(&placed[2].CreatedAt.Time)}, []int64{placed[2].ID}},
		"from past cursor": {orders.ListOrdersParams{From: dayOrTime(&placed[5].CreatedAt.Time)}, nil},
	} {
		test.filter.Cursor = cursor
		var r orders.OrderPage
		call.Read(s.Orders.ListOrders(t.Context(), &test.filter)).Want(t, http.StatusOK, &r)
		if got := orderIDs(r.Data); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}

// Times always have six fractional digits and a Z.
func TestOrderTimes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 1, 1000)
	order := s.CreateOrder(t, buyer.ID, p.ID, 1)
	s.ConfirmOrder(t, order.ID, "k")
	s.CancelOrder(t, order.ID)
	one := call.Read(s.Orders.GetOrder(t.Context(), order.ID)).Want(t, http.StatusOK)
	list := call.Read(s.Orders.ListOrders(t.Context(), nil)).Want(t, http.StatusOK)
	product := call.Read(s.Orders.GetProduct(t.Context(), p.ID)).Want(t, http.StatusOK)
	exact := regexp.MustCompile(`"(created|confirmed|canceled|updated)_at":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"`)
	for want, body := range map[int][]byte{4: one.Body, 2: product.Body} {
		if got := len(exact.FindAll(body, -1)); got != want {
			t.Errorf("got %d times with six digits and Z, want %d: %s", got, want, body)
		}
	}
	if !bytes.Contains(list.Body, bytes.TrimSpace(one.Body)) {
		t.Errorf("the order in the list: got %s, want it as GET returns it: %s", list.Body, one.Body)
	}
}

// While customers-api is down, cached customers can order. Orders of others get 503 with Retry-After and have no effect.
func TestOrderCustomersDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{Known: time.Hour})
	s := w.Login("admin")
	known, other, p := s.CreateCustomer(t, "a@example.com"), s.CreateCustomer(t, "b@example.com"), s.CreateProduct(t, "A", 1, 10)
	s.CreateOrder(t, known.ID, p.ID, 1)
	first := s.TryOrder(t.Context(), "replay", known.ID, p.ID, 1).Want(t, http.StatusCreated)

	w.Pause("customers")
	s.CreateOrder(t, known.ID, p.ID, 1)
	down := s.TryOrder(t.Context(), "k", other.ID, p.ID, 1)
	down.WantProblem(t, http.StatusServiceUnavailable, common.CodeCustomersUnavailable)
	if down.Header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After: got %q, want 1", down.Header.Get("Retry-After"))
	}
	if bytes.Contains(down.Body, []byte("127.0.0.1")) || bytes.Contains(down.Body, []byte("EOF")) {
		t.Errorf("the response reveals its cause: %s", down.Body)
	}
	s.WantStock(t, p.ID, 7)
	s.WantOrders(t, 3)
	again := s.TryOrder(t.Context(), "replay", known.ID, p.ID, 1).Want(t, http.StatusCreated)
	if !bytes.Equal(again.Body, first.Body) {
		t.Errorf("repeat: got %s, want %s", again.Body, first.Body)
	}

	w.Resume("customers")
	s.CreateOrder(t, other.ID, p.ID, 1)
	s.WantStock(t, p.ID, 6)
	audit(t, w)
}

// Without the database, every response is 503 and does not reveal the cause.
func TestOrdersDatabaseDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	call.Read(s.Orders.GetReady(t.Context())).Want(t, http.StatusOK)
	if err := w.DB.Close(); err != nil {
		t.Fatal(err)
	}
	call.Read(s.Orders.GetReady(t.Context())).WantProblem(t, http.StatusServiceUnavailable, common.CodeUnavailable)
	call.Read(s.Orders.GetHealth(t.Context())).Want(t, http.StatusOK)
}

// 64 clients buy one product with 500 units. Every unit must be sold exactly once.
func TestOrderRaceForStock(t *testing.T) {
	t.Parallel()
	const clients, units = 64, 500
	w := newWorld(t, world.Options{Known: time.Hour, Timeout: time.Minute})
	s := w.Login("admin")
	buyer := s.CreateCustomer(t, "a@example.com")
	scarce := s.CreateProduct(t, "SCARCE", 3, units)
	plenty := []orders.Product{s.CreateProduct(t, "B", 5, 1e6), s.CreateProduct(t, "C", 7, 1e6)}

	done := make(chan struct{})
	var watcher, buyers sync.WaitGroup
	watcher.Go(func() { // readers must never see a negative stock
		for {
			select {
			case <-done:
				return
			default:
			}
			var seen orders.Product
			r := call.Read(s.Orders.GetProduct(t.Context(), scarce.ID))
			if err := r.Decode(http.StatusOK, &seen); err != nil || seen.Stock < 0 || seen.Stock > units {
				t.Errorf("while they buy: %v: got %s, want 0 to %d in stock", err, r, units)
				return
			}
		}
	})
	var mu sync.Mutex
	var sold, placed, refused int64
	for client := range clients {
		random := rand.New(rand.NewPCG(uint64(client), 1))
		buyers.Go(func() {
			for most := int64(5); most > 0; { // down to single units, so that all are sold
				qty := 1 + random.Int64N(most)
				lines := call.Lines(scarce.ID, qty, plenty[0].ID, 1, plenty[1].ID, 2)
				random.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
				r := call.Read(s.Orders.CreateOrder(t.Context(), nil, orders.OrderInput{CustomerID: buyer.ID, Items: lines}))
				var refusal call.Problem
				switch {
				case r.Status == http.StatusCreated:
					mu.Lock()
					sold, placed = sold+qty, placed+1
					mu.Unlock()
				case r.Decode(http.StatusConflict, &refusal) == nil && refusal.Shortages != nil:
					short := (*refusal.Shortages)[0]
					if short.ProductID != scarce.ID || short.Requested != qty || short.Available >= qty {
						t.Errorf("shortage: got %+v, asked for %d", short, qty)
					}
					mu.Lock()
					refused++
					mu.Unlock()
					most = min(most-1, short.Available)
				default:
					t.Errorf("got %s, want an order or a shortage", r)
					return
				}
			}
		})
	}
	buyers.Wait()
	close(done)
	watcher.Wait()

	if left := s.GetProduct(t, scarce.ID).Stock; left != 0 || sold != units {
		t.Errorf("got %d sold and %d left of %d, want all sold", sold, left, units)
	}
	s.WantStock(t, plenty[0].ID, 1e6-placed)
	s.WantStock(t, plenty[1].ID, 1e6-2*placed)
	if got := len(walkOrders(t, s, orders.ListOrdersParams{Limit: new(int32(100))}, func() {})); int64(got) != placed {
		t.Errorf("got %d orders, want the %d that were answered with 201", got, placed)
	}
	if refused < clients/2 {
		t.Errorf("got only %d refusals: the requests did not compete", refused)
	}
	audit(t, w)
}

// Concurrent confirms and cancels of one order. The order must end up canceled, and the responses must agree on whether it
// was confirmed before.
func TestOrderRaceConfirmCancel(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{Known: time.Hour})
	s := w.Login("admin")
	buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 1, 100)
	for round := range 16 {
		order := s.CreateOrder(t, buyer.ID, p.ID, 3)
		var confirms, cancels [2]call.Response
		var all sync.WaitGroup
		for i := range 2 {
			all.Go(func() { confirms[i] = s.TryConfirm(t.Context(), fmt.Sprintf("race-%d-%d", round, i), order.ID) })
			all.Go(func() { cancels[i] = s.TryCancel(t.Context(), "", order.ID) })
		}
		all.Wait()
		final := s.GetOrder(t, order.ID)
		if final.Status != orders.StatusCanceled || final.CanceledAt == nil {
			t.Fatalf("round %d: got %+v, want CANCELED", round, final)
		}
		for i := range 2 {
			var canceled, confirmed orders.Order
			cancels[i].Want(t, http.StatusOK, &canceled)
			if *canceled.CanceledAt != *final.CanceledAt {
				t.Errorf("round %d: got canceled at %s, want %s", round, canceled.CanceledAt, final.CanceledAt)
			}
			if confirms[i].Status == http.StatusOK {
				confirms[i].Want(t, http.StatusOK, &confirmed)
				if final.ConfirmedAt == nil || *confirmed.ConfirmedAt != *final.ConfirmedAt {
					t.Errorf("round %d: got %s, but the order is %+v", round, confirms[i], final)
				}
			} else {
				confirms[i].WantProblem(t, http.StatusConflict, common.CodeOrderCanceled)
			}
		}
		if final.ConfirmedAt != nil && confirms[0].Status != http.StatusOK && confirms[1].Status != http.StatusOK {
			t.Errorf("round %d: the order was confirmed at %s, but no response says so", round, final.ConfirmedAt)
		}
		s.WantStock(t, p.ID, 100)
	}
	audit(t, w)
}

// A search finds orders by the name and e-mail address that the customer had at the time, in any letter case, together with
// the other filters, and across pages.
func TestOrderSearch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	jose, other := s.CreateCustomer(t, "jose%nandu@example.com"), s.CreateCustomer(t, "other@example.com")
	p := s.CreateProduct(t, "SOLD", 100, 1000)
	var want []int64 // newest first
	for range 3 {
		want = append([]int64{s.CreateOrder(t, jose.ID, p.ID, 1).ID}, want...)
		s.CreateOrder(t, other.ID, p.ID, 1)
	}
	s.ChangeCustomer(t, jose.ID, customers.CustomerChange{Name: new("Somebody else"), Email: new("else@example.com")})
	for _, test := range []struct {
		search string
		status *orders.OrderStatus
		buyer  *int64
		want   []int64
	}{
		{"JOSÉ%ñ", nil, nil, want}, {"%", nil, nil, want}, {"customer jose", nil, &jose.ID, want},
		{"jose", new(orders.StatusCreated), &jose.ID, want}, {"jose", new(orders.StatusCreated), nil, want},
		{"jose", new(orders.StatusConfirmed), nil, nil}, {"jose", nil, &other.ID, nil}, {"somebody", nil, nil, nil}, {"_", nil, nil, nil},
	} {
		var got []int64
		params := orders.ListOrdersParams{Search: &test.search, Status: test.status, CustomerID: test.buyer, Limit: new(int32(2))}
		for {
			var r orders.OrderPage
			call.Read(s.Orders.ListOrders(t.Context(), &params)).Want(t, http.StatusOK, &r)
			for _, o := range r.Data {
				got = append(got, o.ID)
			}
			if params.Cursor = r.NextCursor; params.Cursor == nil {
				break
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("search %q: got %v, want %v", test.search, got, test.want)
		}
	}
}

// dayOrTime formats a time for the filters of the list.
func dayOrTime(t *time.Time) *orders.DayOrTime {
	if t == nil {
		return nil
	}
	return new(t.Format(time.RFC3339Nano))
}
