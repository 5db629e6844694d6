package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/engine"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/gen/orchestrator"
	"github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/gen/orders/client"
	ordersservice "github.com/pedidos-hq/pedidos/services/orders"
)

// idemAnswer is what a repeat must get again.
type idemAnswer struct {
	status                      int
	contentType, etag, location string
	body                        string
	replayed                    bool // not compared
}

func (a idemAnswer) StatusCode() int { return a.status }
func (a idemAnswer) GetBody() []byte { return []byte(a.body) }

// idemKeep takes what counts from an answer of the generated client.
func idemKeep(r *http.Response, body []byte) idemAnswer {
	return idemAnswer{
		status: r.StatusCode, body: string(body), contentType: r.Header.Get("Content-Type"), etag: r.Header.Get("ETag"),
		location: r.Header.Get("Location"), replayed: r.Header.Get("Idempotency-Replayed") == "true",
	}
}

// idemWantReplay fails the test where an answer is not the first one again.
func idemWantReplay(t *testing.T, what string, got, first idemAnswer) {
	t.Helper()
	if !got.replayed {
		t.Errorf("%s: no Idempotency-Replayed: got %d: %s", what, got.status, got.body)
	}
	if got.replayed = first.replayed; got != first {
		t.Errorf("%s: got %+v, want %+v", what, got, first)
	}
}

// idemWantFirst ends the test where an answer is not a success, or not that of a first use.
func idemWantFirst(t *testing.T, what string, got idemAnswer, err error, status int) {
	t.Helper()
	ordersWant(t, what, got, err, status)
	if got.replayed {
		t.Fatalf("%s: got a replay: %s", what, got.body)
	}
}

// idemKeys are the two headers; nil is absent.
type idemKeys struct{ header, alias *string }

func idemKey(key string) idemKeys { return idemKeys{header: &key} }

// idemOperation is a POST with an effect. prepare makes something to do it on.
type idemOperation struct {
	name    string
	status  int // of a success
	prepare func(t *testing.T, w *world.World, s *world.Session) idemSubject
}

// idemSubject is something to do once. What takes no *testing.T can run at once with others.
type idemSubject struct {
	send    func(ctx context.Context, s *world.Session, k idemKeys) (idemAnswer, error)
	other   func(ctx context.Context, s *world.Session, k idemKeys) (idemAnswer, error) // another request
	invalid func(ctx context.Context, s *world.Session, k idemKeys, contentType string) (idemAnswer, error)
	effects func(t *testing.T) int           // how often it was done
	later   func(t *testing.T, r idemAnswer) // checks the answer once the key is forgotten
}

const idemInvalid = `{"no_such_field":1}`

var idemOperations = []idemOperation{
	{"createProduct", http.StatusCreated, func(t *testing.T, w *world.World, s *world.Session) idemSubject {
		create := func(ctx context.Context, s *world.Session, k idemKeys, stock int64) (idemAnswer, error) {
			r, err := s.Orders.CreateProductWithResponse(ctx, &orders.CreateProductParams{IdempotencyKey: k.header, XIdempotencyKey: k.alias},
				orders.ProductInput{SKU: "IDEM", Name: "x", PriceCents: 1, Stock: stock})
			if err != nil {
				return idemAnswer{}, err
			}
			return idemKeep(r.HTTPResponse, r.Body), nil
		}
		return idemSubject{
			send: func(ctx context.Context, s *world.Session, k idemKeys) (idemAnswer, error) {
				return create(ctx, s, k, 1)
			},
			other: func(ctx context.Context, s *world.Session, k idemKeys) (idemAnswer, error) {
				return create(ctx, s, k, 2)
			},
			invalid: func(ctx context.Context, s *world.Session, k idemKeys, contentType string) (idemAnswer, error) {
				r, err := s.Orders.CreateProductWithBodyWithResponse(ctx, &orders.CreateProductParams{IdempotencyKey: k.header}, contentType, strings.NewReader(idemInvalid))
				if err != nil {
					return idemAnswer{}, err
				}
				return idemKeep(r.HTTPResponse, r.Body), nil
			},
			effects: func(t *testing.T) int {
				r, err := s.Orders.ListProductsWithResponse(t.Context(), &orders.ListProductsParams{Search: new("idem")})
				ordersWant(t, "list", r, err, http.StatusOK)
				return len(r.JSON200.Data)
			},
			later: func(t *testing.T, r idemAnswer) { // the SKU still holds
				ordersRefused(t, "later", r, nil, http.StatusConflict, common.CodeSKUTaken, "sku")
			},
		}
	}},
	{"createOrder", http.StatusCreated, func(t *testing.T, w *world.World, s *world.Session) idemSubject {
		buyer, p := w.Customer(s, "idem@example.com"), w.Product(s, "SOLD", 100, 1000)
		create := func(ctx context.Context, s *world.Session, k idemKeys, qty int64) (idemAnswer, error) {
			r, err := s.Orders.CreateOrderWithResponse(ctx, &orders.CreateOrderParams{IdempotencyKey: k.header, XIdempotencyKey: k.alias},
				orders.OrderInput{CustomerID: buyer.ID, Items: ordersLines(p.ID, qty)})
			if err != nil {
				return idemAnswer{}, err
			}
			return idemKeep(r.HTTPResponse, r.Body), nil
		}
		return idemSubject{
			send: func(ctx context.Context, s *world.Session, k idemKeys) (idemAnswer, error) {
				return create(ctx, s, k, 1)
			},
			other: func(ctx context.Context, s *world.Session, k idemKeys) (idemAnswer, error) {
				return create(ctx, s, k, 2)
			},
			invalid: func(ctx context.Context, s *world.Session, k idemKeys, contentType string) (idemAnswer, error) {
				r, err := s.Orders.CreateOrderWithBodyWithResponse(ctx, &orders.CreateOrderParams{IdempotencyKey: k.header}, contentType, strings.NewReader(idemInvalid))
				if err != nil {
					return idemAnswer{}, err
				}
				return idemKeep(r.HTTPResponse, r.Body), nil
			},
			effects: func(t *testing.T) int { // as the orders have it, and as the stock has it
				n := ordersCount(t, s)
				ordersWantStock(t, s, p.ID, 1000-int64(n))
				return n
			},
			later: func(t *testing.T, r idemAnswer) { // a new order
				idemWantFirst(t, "later", r, nil, http.StatusCreated)
			},
		}
	}},
	{"confirmOrder", http.StatusOK, func(t *testing.T, w *world.World, s *world.Session) idemSubject {
		buyer, p := w.Customer(s, "idem@example.com"), w.Product(s, "SOLD", 100, 1000)
		order, second := w.Order(s, buyer.ID, p.ID, 1), w.Order(s, buyer.ID, p.ID, 1)
		confirm := func(ctx context.Context, s *world.Session, k idemKeys, id int64) (idemAnswer, error) {
			r, err := s.Orders.ConfirmOrderWithResponse(ctx, id, &orders.ConfirmOrderParams{IdempotencyKey: k.header, XIdempotencyKey: k.alias}, orders.Confirmation{})
			if err != nil {
				return idemAnswer{}, err
			}
			return idemKeep(r.HTTPResponse, r.Body), nil
		}
		return idemSubject{
			send: func(ctx context.Context, s *world.Session, k idemKeys) (idemAnswer, error) {
				return confirm(ctx, s, k, order.ID)
			},
			other: func(ctx context.Context, s *world.Session, k idemKeys) (idemAnswer, error) {
				return confirm(ctx, s, k, second.ID)
			},
			invalid: func(ctx context.Context, s *world.Session, k idemKeys, contentType string) (idemAnswer, error) {
				r, err := s.Orders.ConfirmOrderWithBodyWithResponse(ctx, order.ID, &orders.ConfirmOrderParams{IdempotencyKey: k.header}, contentType, strings.NewReader(idemInvalid))
				if err != nil {
					return idemAnswer{}, err
				}
				return idemKeep(r.HTTPResponse, r.Body), nil
			},
			effects: func(t *testing.T) int { return idemChanges(t, s, order.ID, second.ID) },
			later:   func(t *testing.T, r idemAnswer) { idemAsItIs(t, w, order.ID, r) },
		}
	}},
	{"cancelOrder", http.StatusOK, func(t *testing.T, w *world.World, s *world.Session) idemSubject {
		buyer, p := w.Customer(s, "idem@example.com"), w.Product(s, "SOLD", 100, 1000)
		order := w.Order(s, buyer.ID, p.ID, 1)
		cancel := func(ctx context.Context, s *world.Session, k idemKeys, reason string) (idemAnswer, error) {
			r, err := s.Orders.CancelOrderWithResponse(ctx, order.ID, &orders.CancelOrderParams{IdempotencyKey: k.header, XIdempotencyKey: k.alias},
				orders.Cancellation{Reason: &reason})
			if err != nil {
				return idemAnswer{}, err
			}
			return idemKeep(r.HTTPResponse, r.Body), nil
		}
		return idemSubject{
			send: func(ctx context.Context, s *world.Session, k idemKeys) (idemAnswer, error) {
				return cancel(ctx, s, k, "one")
			},
			other: func(ctx context.Context, s *world.Session, k idemKeys) (idemAnswer, error) {
				return cancel(ctx, s, k, "other")
			},
			invalid: func(ctx context.Context, s *world.Session, k idemKeys, contentType string) (idemAnswer, error) {
				r, err := s.Orders.CancelOrderWithBodyWithResponse(ctx, order.ID, &orders.CancelOrderParams{IdempotencyKey: k.header}, contentType, strings.NewReader(idemInvalid))
				if err != nil {
					return idemAnswer{}, err
				}
				return idemKeep(r.HTTPResponse, r.Body), nil
			},
			effects: func(t *testing.T) int { return idemChanges(t, s, order.ID) },
			later:   func(t *testing.T, r idemAnswer) { idemAsItIs(t, w, order.ID, r) },
		}
	}},
}

// idemChanges counts the changes of orders by their versions.
func idemChanges(t *testing.T, s *world.Session, ids ...int64) (n int) {
	t.Helper()
	for _, id := range ids {
		r, err := s.Orders.GetOrderWithResponse(t.Context(), id)
		ordersWant(t, "get", r, err, http.StatusOK)
		version, err := strconv.Atoi(strings.Trim(r.Headers200.ETag, `"`))
		if err != nil {
			t.Fatalf("ETag: %v", err)
		}
		n += version - 1
	}
	return n
}

// idemAsItIs checks that an answer is the order as it is.
func idemAsItIs(t *testing.T, w *world.World, id int64, r idemAnswer) {
	t.Helper()
	read, err := w.Login("admin").Orders.GetOrderWithResponse(t.Context(), id)
	ordersWant(t, "get", read, err, http.StatusOK)
	if r.replayed || r.body != string(read.Body) {
		t.Errorf("later: got %+v, want the order as it is: %s", r, read.Body)
	}
}

// The rules of idempotency, by their number in the design, on every operation that takes a key.
func TestIdempotency(t *testing.T) {
	t.Parallel()
	for _, rule := range []struct {
		name    string
		check   func(t *testing.T, w *world.World, o idemOperation, x idemSubject)
		options world.Options
	}{
		{"rule 1: what is not a key is refused", idemRule1Refused, world.Options{}},
		{"rule 1: bare, quoted or in the alias, it is one key", idemRule1Spellings, world.Options{}},
		{"rule 2: a key is its caller's", idemRule2Caller, world.Options{}},
		{"rule 2: another request under the key is refused", idemRule2Fingerprint, world.Options{}},
		{"rule 3: a repeat gets the same bytes", idemRule3, world.Options{}},
		{"rule 4: of many at once, one happens", idemRule4, world.Options{}},
		{"rule 5: what never began is not stored", idemRule5, world.Options{}},
		{"rule 5: a 503 is not stored", idemRule5Unavailable, world.Options{Timeout: 2 * time.Second}},
		{"rule 6: a key lives 24 hours", idemRule6, world.Options{}},
	} {
		for _, operation := range idemOperations {
			t.Run(rule.name+"/"+operation.name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, rule.options)
				rule.check(t, w, operation, operation.prepare(t, w, w.Login("admin")))
				ordersAudit(t, w)
			})
		}
	}
}

func idemRule1Refused(t *testing.T, w *world.World, o idemOperation, x idemSubject) {
	s := w.Login("admin")
	for name, keys := range map[string]struct {
		keys  idemKeys
		field string
	}{
		"empty":                  {idemKey(""), "Idempotency-Key"},
		"blank":                  {idemKey(" "), "Idempotency-Key"},
		"empty, quoted":          {idemKey(`""`), "Idempotency-Key"},
		"256 characters":         {idemKey(strings.Repeat("k", 256)), "Idempotency-Key"},
		"256 characters, quoted": {idemKey(`"` + strings.Repeat("k", 256) + `"`), "Idempotency-Key"},
		"blank inside":           {idemKey("a b"), "Idempotency-Key"},
		"blank inside, quoted":   {idemKey(`"a b"`), "Idempotency-Key"},
		"not ASCII":              {idemKey("ñ"), "Idempotency-Key"},
		"quote not closed":       {idemKey(`"a`), "Idempotency-Key"},
		"text after the quote":   {idemKey(`"a"b`), "Idempotency-Key"},
		"two strings":            {idemKey(`"a", "b"`), "Idempotency-Key"},
		"unknown escape":         {idemKey(`"a\n"`), "Idempotency-Key"},
		"alias, empty":           {idemKeys{alias: new("")}, "X-Idempotency-Key"},
		"alias that differs":     {idemKeys{new("a"), new("b")}, "X-Idempotency-Key"},
	} {
		r, err := x.send(t.Context(), s, keys.keys)
		ordersWant(t, name, r, err, http.StatusBadRequest)
		if !strings.Contains(r.body, `"field":"`+keys.field+`"`) {
			t.Errorf("%s: got %s, want an error about %s", name, r.body, keys.field)
		}
	}
	if o.name == "confirmOrder" {
		r, err := x.send(t.Context(), s, idemKeys{})
		ordersRefused(t, "no key", r, err, http.StatusBadRequest, common.CodeInvalidInput, "Idempotency-Key")
	}
	if n := x.effects(t); n != 0 {
		t.Errorf("after the refusals: got %d effects, want 0", n)
	}
}

func idemRule1Spellings(t *testing.T, _ *world.World, o idemOperation, _ idemSubject) {
	for name, spellings := range map[string][]idemKeys{
		"plain":          {idemKey("k-1"), idemKey(`"k-1"`), {alias: new("k-1")}, {alias: new(`"k-1"`)}, {new("k-1"), new(`"k-1"`)}},
		"quoted first":   {idemKey(`"k-2"`), idemKey("k-2")},
		"alias first":    {{alias: new("k-3")}, idemKey("k-3")},
		"quotes inside":  {idemKey(`"a\"b\\c"`), idemKey(`a"b\c`)},
		"255 characters": {idemKey(strings.Repeat("~", 255)), idemKey(`"` + strings.Repeat("~", 255) + `"`)},
		"255 escaped":    {idemKey(`"` + strings.Repeat(`\\`, 255) + `"`), idemKey(strings.Repeat(`\`, 255))},
		"one character":  {idemKey("!"), idemKey(`"!"`)},
	} {
		w := newWorld(t, world.Options{})
		s := w.Login("admin")
		x := o.prepare(t, w, s)
		first, err := x.send(t.Context(), s, spellings[0])
		idemWantFirst(t, name, first, err, o.status)
		for _, spelling := range spellings[1:] {
			again, err := x.send(t.Context(), s, spelling)
			ordersWant(t, name, again, err, o.status)
			idemWantReplay(t, name, again, first)
		}
	}
}

func idemRule2Caller(t *testing.T, w *world.World, o idemOperation, x idemSubject) {
	admin := w.Login("admin")
	first, err := x.send(t.Context(), admin, idemKey("k"))
	idemWantFirst(t, "first caller", first, err, o.status)
	callers := map[string]*world.Session{"second user": w.Login("second")}
	if o.name != "createProduct" {
		callers["service"] = w.With(world.ServiceToken)
	}
	for name, s := range callers {
		r, err := x.send(t.Context(), s, idemKey("k"))
		if err != nil || r.replayed || r.body == first.body && o.status == http.StatusCreated {
			t.Errorf("%s, the same key: %v: got the first caller's answer: %+v", name, err, r)
		}
		again, err := x.send(t.Context(), s, idemKey("k"))
		ordersWant(t, name, again, err, r.status)
		idemWantReplay(t, name+", again", again, r)
	}
	// Another token of the same user is the same caller.
	again, err := x.send(t.Context(), w.Login("admin"), idemKey("k"))
	ordersWant(t, "first caller, new token", again, err, o.status)
	idemWantReplay(t, "first caller, new token", again, first)
}

func idemRule2Fingerprint(t *testing.T, w *world.World, o idemOperation, x idemSubject) {
	s := w.Login("admin")
	first, err := x.send(t.Context(), s, idemKey("k"))
	idemWantFirst(t, "first", first, err, o.status)
	for range 2 {
		r, err := x.other(t.Context(), s, idemKey("k"))
		ordersRefused(t, "another request", r, err, http.StatusUnprocessableEntity, common.CodeIdempotencyKeyReused, "Idempotency-Key")
		if r.replayed {
			t.Errorf("another request: got Idempotency-Replayed with %s", r.body)
		}
	}
	if n := x.effects(t); n != 1 {
		t.Errorf("got %d effects, want 1", n)
	}
	again, err := x.send(t.Context(), s, idemKey("k"))
	ordersWant(t, "the first request again", again, err, o.status)
	idemWantReplay(t, "the first request again", again, first)

	// The path counts as well: the key of one operation is no key of another.
	elsewhere, err := s.Orders.ConfirmOrderWithResponse(t.Context(), 1<<62, &orders.ConfirmOrderParams{IdempotencyKey: new("k")}, orders.Confirmation{})
	ordersRefused(t, "another operation", elsewhere, err, http.StatusUnprocessableEntity, common.CodeIdempotencyKeyReused, "Idempotency-Key")
}

func idemRule3(t *testing.T, w *world.World, o idemOperation, x idemSubject) {
	s := w.Login("admin")
	first, err := x.send(t.Context(), s, idemKey("k"))
	idemWantFirst(t, "first", first, err, o.status)
	if first.etag == "" || first.contentType != "application/json" || (first.location == "") != (o.status == http.StatusOK) {
		t.Errorf("first: got %+v, want ETag, Content-Type and, with 201, Location", first)
	}
	for range 3 {
		w.Clock.Advance(time.Minute)
		again, err := x.send(t.Context(), s, idemKey("k"))
		ordersWant(t, "repeat", again, err, o.status)
		idemWantReplay(t, "repeat", again, first)
	}
	if n := x.effects(t); n != 1 {
		t.Errorf("got %d effects, want 1", n)
	}
}

func idemRule4(t *testing.T, w *world.World, o idemOperation, x idemSubject) {
	s := w.Login("admin")
	const n = 16
	var answers [n]idemAnswer
	var errs [n]error
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { answers[i], errs[i] = x.send(t.Context(), s, idemKey("k")) })
	}
	all.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	var firsts []idemAnswer
	for _, a := range answers {
		if !a.replayed {
			firsts = append(firsts, a)
		}
	}
	if len(firsts) != 1 {
		t.Fatalf("got %d answers without Idempotency-Replayed, want 1: %+v", len(firsts), firsts)
	}
	idemWantFirst(t, "the one", firsts[0], nil, o.status)
	for _, a := range answers {
		if a.replayed {
			idemWantReplay(t, "the others", a, firsts[0])
		}
	}
	if n := x.effects(t); n != 1 {
		t.Errorf("got %d effects, want 1", n)
	}
}

func idemRule5(t *testing.T, w *world.World, o idemOperation, x idemSubject) {
	s := w.Login("admin")
	bad, err := x.invalid(t.Context(), s, idemKey("k"), "application/json")
	ordersWant(t, "bad input", bad, err, http.StatusBadRequest)
	bad, err = x.invalid(t.Context(), s, idemKey("k"), "text/plain")
	ordersWant(t, "bad type", bad, err, http.StatusUnsupportedMediaType)
	bad, err = x.send(t.Context(), w.With(""), idemKey("k"))
	ordersWant(t, "no token", bad, err, http.StatusUnauthorized)
	bad, err = x.send(t.Context(), w.Login("viewer"), idemKey("k"))
	ordersWant(t, "viewer", bad, err, http.StatusForbidden)
	if n := x.effects(t); n != 0 {
		t.Errorf("after the refusals: got %d effects, want 0", n)
	}
	good, err := x.send(t.Context(), s, idemKey("k"))
	idemWantFirst(t, "the same key, corrected", good, err, o.status)
}

// Another transaction keeps the database busy for longer than a request may take.
func idemRule5Unavailable(t *testing.T, w *world.World, o idemOperation, x idemSubject) {
	s := w.Login("admin")
	release := engine.Busy(t, w.DB)
	r, err := x.send(t.Context(), s, idemKey("k"))
	release()
	ordersRefused(t, "while the database is busy", r, err, http.StatusServiceUnavailable, common.CodeUnavailable)
	if n := x.effects(t); n != 0 {
		t.Errorf("after the 503: got %d effects, want 0", n)
	}
	good, err := x.send(t.Context(), s, idemKey("k"))
	idemWantFirst(t, "the same key, later", good, err, o.status)
}

func idemRule6(t *testing.T, w *world.World, o idemOperation, x idemSubject) {
	sweep := func() int64 {
		n, err := ordersservice.SweepKeys(t.Context(), w.DB, w.Clock.Now)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	first, err := x.send(t.Context(), w.Login("admin"), idemKey("k"))
	idemWantFirst(t, "first", first, err, o.status)
	w.Clock.Advance(24*time.Hour - time.Minute)
	if n := sweep(); n != 0 {
		t.Errorf("a minute before the end: %d keys were swept, want 0", n)
	}
	again, err := x.send(t.Context(), w.Login("admin"), idemKey("k"))
	ordersWant(t, "a minute before the end", again, err, o.status)
	idemWantReplay(t, "a minute before the end", again, first)

	w.Clock.Advance(time.Minute)
	s := w.Login("admin")
	later, err := x.send(t.Context(), s, idemKey("k"))
	ordersWant(t, "after 24 hours", later, err, later.status)
	x.later(t, later)
	again, err = x.send(t.Context(), s, idemKey("k")) // the key has begun anew
	ordersWant(t, "after 24 hours, again", again, err, later.status)
	idemWantReplay(t, "after 24 hours, again", again, later)

	w.Clock.Advance(24 * time.Hour)
	if n := sweep(); n != 1 {
		t.Errorf("after the end: %d keys were swept, want 1", n)
	}
}

// Rule 3: a refusal for what the shop is like is an answer, too, and is kept when the shop has changed. Another key
// asks anew.
func TestIdempotencyOfRefusals(t *testing.T) {
	t.Parallel()
	type shop struct {
		w       *world.World
		s       *world.Session
		buyer   customers.Customer
		product orders.Product // 100 cents, 2 in stock
	}
	place := func(x *shop, customer, product, qty int64) func(context.Context, string) (idemAnswer, error) {
		return func(ctx context.Context, key string) (idemAnswer, error) {
			r, err := x.s.Orders.CreateOrderWithResponse(ctx, &orders.CreateOrderParams{IdempotencyKey: &key},
				orders.OrderInput{CustomerID: customer, Items: ordersLines(product, qty)})
			if err != nil {
				return idemAnswer{}, err
			}
			return idemKeep(r.HTTPResponse, r.Body), nil
		}
	}
	confirm := func(x *shop, id int64) func(context.Context, string) (idemAnswer, error) {
		return func(ctx context.Context, key string) (idemAnswer, error) {
			r, err := x.s.Orders.ConfirmOrderWithResponse(ctx, id, &orders.ConfirmOrderParams{IdempotencyKey: &key}, orders.Confirmation{})
			if err != nil {
				return idemAnswer{}, err
			}
			return idemKeep(r.HTTPResponse, r.Body), nil
		}
	}
	cancel := func(x *shop, id int64) func(context.Context, string) (idemAnswer, error) {
		return func(ctx context.Context, key string) (idemAnswer, error) {
			r, err := x.s.Orders.CancelOrderWithResponse(ctx, id, &orders.CancelOrderParams{IdempotencyKey: &key}, orders.Cancellation{})
			if err != nil {
				return idemAnswer{}, err
			}
			return idemKeep(r.HTTPResponse, r.Body), nil
		}
	}
	type sender = func(context.Context, string) (idemAnswer, error)
	for name, test := range map[string]struct {
		prepare func(t *testing.T, x *shop) (send sender, change func())
		status  int
		code    common.ProblemCode
		fields  []string
		later   int // status under another key, once the shop has changed
	}{
		"createOrder, stock is short and then filled up": {func(t *testing.T, x *shop) (sender, func()) {
			return place(x, x.buyer.ID, x.product.ID, 3), func() { ordersPatched(t, x.s, x.product.ID, orders.ProductChange{Stock: new(int64(3))}) }
		}, http.StatusConflict, common.CodeInsufficientStock, nil, http.StatusCreated},
		"createOrder, the customer comes later": {func(t *testing.T, x *shop) (sender, func()) {
			return place(x, x.buyer.ID+1, x.product.ID, 1), func() { x.w.Customer(x.s, "later@example.com") }
		}, http.StatusNotFound, common.CodeCustomerNotFound, []string{"customer_id"}, http.StatusCreated},
		"createOrder, the product comes later": {func(t *testing.T, x *shop) (sender, func()) {
			return place(x, x.buyer.ID, x.product.ID+1, 1), func() { x.w.Product(x.s, "LATER", 1, 1) }
		}, http.StatusNotFound, common.CodeProductNotFound, []string{"items"}, http.StatusCreated},
		"createOrder, the total is too large and then smaller": {func(t *testing.T, x *shop) (sender, func()) {
			gold := x.w.Product(x.s, "GOLD", 1e11, 1e9)
			return place(x, x.buyer.ID, gold.ID, 1e6), func() { ordersPatched(t, x.s, gold.ID, orders.ProductChange{PriceCents: new(int64(1))}) }
		}, http.StatusUnprocessableEntity, common.CodeTotalTooLarge, nil, http.StatusCreated},
		"createProduct, the SKU is taken": {func(_ *testing.T, x *shop) (sender, func()) {
			return func(ctx context.Context, key string) (idemAnswer, error) {
				r, err := x.s.Orders.CreateProductWithResponse(ctx, &orders.CreateProductParams{IdempotencyKey: &key},
					orders.ProductInput{SKU: x.product.SKU, Name: "x", PriceCents: 1, Stock: 1})
				if err != nil {
					return idemAnswer{}, err
				}
				return idemKeep(r.HTTPResponse, r.Body), nil
			}, func() {}
		}, http.StatusConflict, common.CodeSKUTaken, []string{"sku"}, http.StatusConflict},
		"confirmOrder, the order comes later": {func(_ *testing.T, x *shop) (sender, func()) {
			return confirm(x, 1), func() { x.w.Order(x.s, x.buyer.ID, x.product.ID, 1) }
		}, http.StatusNotFound, common.CodeOrderNotFound, nil, http.StatusOK},
		"confirmOrder, the order is canceled": {func(t *testing.T, x *shop) (sender, func()) {
			order := x.w.Order(x.s, x.buyer.ID, x.product.ID, 1)
			ordersCanceled(t, x.s, order.ID)
			return confirm(x, order.ID), func() {}
		}, http.StatusConflict, common.CodeOrderCanceled, nil, http.StatusConflict},
		"cancelOrder, the order comes later": {func(_ *testing.T, x *shop) (sender, func()) {
			return cancel(x, 1), func() { x.w.Order(x.s, x.buyer.ID, x.product.ID, 1) }
		}, http.StatusNotFound, common.CodeOrderNotFound, nil, http.StatusOK},
		"cancelOrder, the window is over": {func(t *testing.T, x *shop) (sender, func()) {
			order := x.w.Order(x.s, x.buyer.ID, x.product.ID, 1)
			ordersConfirmed(t, x.s, order.ID, "confirm")
			x.w.Clock.Advance(11 * time.Minute)
			return cancel(x, order.ID), func() {}
		}, http.StatusConflict, common.CodeCancelWindowOver, nil, http.StatusConflict},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, world.Options{})
			x := &shop{w: w, s: w.Login("admin")}
			x.buyer, x.product = w.Customer(x.s, "a@example.com"), w.Product(x.s, "A", 100, 2)
			send, change := test.prepare(t, x)

			const n = 8 // at once
			var answers [n]idemAnswer
			var errs [n]error
			var all sync.WaitGroup
			for i := range n {
				all.Go(func() { answers[i], errs[i] = send(t.Context(), "k") })
			}
			all.Wait()
			if err := errors.Join(errs[:]...); err != nil {
				t.Fatal(err)
			}
			var first idemAnswer
			firsts := 0
			for _, a := range answers {
				if !a.replayed {
					first, firsts = a, firsts+1
				}
			}
			if firsts != 1 {
				t.Fatalf("got %d answers without Idempotency-Replayed, want 1: %+v", firsts, answers)
			}
			ordersRefused(t, "first", first, nil, test.status, test.code, test.fields...)
			if first.contentType != "application/problem+json" {
				t.Errorf("first: got the Content-Type %s, want application/problem+json", first.contentType)
			}
			change()
			again, err := send(t.Context(), "k")
			ordersWant(t, "repeat", again, err, test.status)
			for _, a := range append(answers[:], again) {
				if a.replayed {
					idemWantReplay(t, "repeat", a, first)
				}
			}
			later, err := send(t.Context(), "k-2")
			idemWantFirst(t, "another key", later, err, test.later)
			ordersAudit(t, w)
		})
	}
}

// Rule 2: it is the request that counts, not how its JSON is written.
func TestIdempotencyFingerprint(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, a, b := w.Customer(s, "a@example.com"), w.Product(s, "A", 1, 100), w.Product(s, "B", 1, 100)
	order := w.Order(s, buyer.ID, a.ID, 1)
	post := func(path, key, contentType, body string) idemAnswer {
		header := map[string]string{"Idempotency-Key": key}
		var raw []byte
		if contentType != "" {
			header["Content-Type"], raw = contentType, []byte(body)
		}
		r := ordersRaw(t, w, s, http.MethodPost, path, header, raw)
		return idemKeep(&http.Response{StatusCode: r.status, Header: r.header}, r.body)
	}
	line := func(product int64) string { return fmt.Sprintf(`{"product_id":%d,"qty":1}`, product) }
	create := fmt.Sprintf(`{"customer_id":%d,"items":[%s,%s]}`, buyer.ID, line(a.ID), line(b.ID))
	confirm, cancel := fmt.Sprintf("/orders/%d/confirm", order.ID), fmt.Sprintf("/orders/%d/cancel", order.ID)
	type request struct{ contentType, body string }
	for _, test := range []struct {
		path        string
		first       request
		same, other []request
	}{
		{
			"/orders", request{"application/json", create},
			[]request{
				{"application/json; charset=utf-8", create},
				{"application/json", " " + strings.ReplaceAll(create, ",", " ,\n") + "\n"},
				{"application/json", fmt.Sprintf(`{"items":[{"qty":1,"product_id":%d},%s],"customer_id":%d}`, a.ID, line(b.ID), buyer.ID)},
			},
			[]request{
				{"application/json", fmt.Sprintf(`{"customer_id":%d,"items":[%s,%s]}`, buyer.ID, line(b.ID), line(a.ID))},
				{"application/json", fmt.Sprintf(`{"customer_id":%d,"items":[%s]}`, buyer.ID, line(a.ID))},
				{"application/json", fmt.Sprintf(`{"customer_id":%d,"items":[%s,%s]}`, buyer.ID+1, line(a.ID), line(b.ID))},
			},
		},
		{confirm, request{"", ""}, []request{{"application/json", ""}, {"application/json", "{}"}, {"application/json", " { } "}}, nil},
		{
			cancel, request{"", ""}, []request{{"application/json", ""}, {"application/json", "{}"}},
			[]request{{"application/json", `{"reason":"x"}`}},
		},
	} {
		first := post(test.path, test.path, test.first.contentType, test.first.body)
		if first.status/100 != 2 || first.replayed {
			t.Fatalf("%s: got %+v, want a first success", test.path, first)
		}
		for _, same := range test.same {
			idemWantReplay(t, test.path+" "+same.body, post(test.path, test.path, same.contentType, same.body), first)
		}
		for _, other := range test.other {
			ordersRefused(t, test.path+" "+other.body, post(test.path, test.path, other.contentType, other.body), nil,
				http.StatusUnprocessableEntity, common.CodeIdempotencyKeyReused, "Idempotency-Key")
		}
	}
}

// Without a key each request counts, and a header that comes twice is no key.
func TestIdempotencyKeyHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, p := w.Customer(s, "a@example.com"), w.Product(s, "A", 1, 100)
	w.Order(s, buyer.ID, p.ID, 1)
	w.Order(s, buyer.ID, p.ID, 1)
	var twice client.RequestEditorFn = func(_ context.Context, r *http.Request) error {
		r.Header.Add("Idempotency-Key", "b")
		return nil
	}
	r, err := s.Orders.CreateOrderWithResponse(t.Context(), &orders.CreateOrderParams{IdempotencyKey: new("a")},
		orders.OrderInput{CustomerID: buyer.ID, Items: ordersLines(p.ID, 1)}, twice)
	ordersWant(t, "two keys", r, err, http.StatusBadRequest)
	for _, key := range []string{"k", "K"} { // the case of a key counts
		r, err := s.Orders.CreateOrderWithResponse(t.Context(), &orders.CreateOrderParams{IdempotencyKey: &key},
			orders.OrderInput{CustomerID: buyer.ID, Items: ordersLines(p.ID, 1)})
		ordersWant(t, key, r, err, http.StatusCreated)
		if r.Headers201.IdempotencyReplayed != nil {
			t.Errorf("key %s: got a replay of %s", key, r.Body)
		}
	}
	if n := ordersCount(t, s); n != 4 {
		t.Errorf("got %d orders, want 4", n)
	}
}

// Rule 7: the orchestrator's steps have keys of their own, made of the caller's.
func TestIdempotencyRule7(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, p := w.Customer(s, "a@example.com"), w.Product(s, "A", 1, 100)
	// The same key was used with orders-api itself.
	r, err := ordersPlace(t, s, "k", buyer.ID, ordersLines(p.ID, 1))
	ordersWant(t, "place", r, err, http.StatusCreated)
	request := orchestrator.OrderRequest{
		CustomerID: buyer.ID, Items: []orchestrator.OrderRequestLine{{ProductID: p.ID, Qty: 1}},
		IdempotencyKey: "k", CorrelationID: new("run-1"),
	}
	first, err := s.Orchestrator.CreateAndConfirmOrderWithResponse(t.Context(), nil, request)
	ordersWant(t, "orchestrate", first, err, http.StatusCreated)
	const n = 16
	var bodies [n][]byte
	var errs [n]error
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			again, err := s.Orchestrator.CreateAndConfirmOrderWithResponse(t.Context(), nil, request)
			if err == nil && (again.Headers201 == nil || again.Headers201.IdempotencyReplayed == nil) {
				err = fmt.Errorf("no Idempotency-Replayed with %s", again.Body)
			}
			if errs[i] = err; err == nil {
				bodies[i] = again.Body
			}
		})
	}
	all.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	for _, body := range bodies {
		if !bytes.Equal(body, first.Body) {
			t.Errorf("repeat: got %s, want %s", body, first.Body)
		}
	}
	// Another caller's key is another key, and so is another key of the same caller.
	other, err := w.Login("second").Orchestrator.CreateAndConfirmOrderWithResponse(t.Context(), nil, request)
	ordersWant(t, "another caller", other, err, http.StatusCreated)
	request.IdempotencyKey = "K"
	another, err := s.Orchestrator.CreateAndConfirmOrderWithResponse(t.Context(), nil, request)
	ordersWant(t, "another key", another, err, http.StatusCreated)
	ids := map[int64]bool{first.JSON201.Data.Order.ID: true, other.JSON201.Data.Order.ID: true, another.JSON201.Data.Order.ID: true}
	if len(ids) != 3 || ordersCount(t, s) != 4 {
		t.Errorf("got the orders %v of %d, want three of four", ids, ordersCount(t, s))
	}
	ordersAudit(t, w)
}
