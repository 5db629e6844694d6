package orders_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/services/internal/apitest"
	"github.com/pedidos-hq/pedidos/services/orders"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

// keyed is a shop with two requests for an operation that takes an idempotency key.
type keyed struct {
	*shop
	first, other request
	effects      func() int // returns how often the operation took effect
}

// request is a POST. An empty token or URL stands for that of the shop's administrator.
type request struct{ url, token, path, body string }

// response is a response as received.
type response struct {
	status int
	header http.Header
	body   []byte
}

func (r response) StatusCode() int { return r.status }
func (r response) GetBody() []byte { return r.body }

func (r response) replayed() bool { return r.header.Get("Idempotency-Replayed") == "true" }

// send sends a request under a key.
func (s *shop) send(key string, r request) (response, error) {
	if r.url == "" {
		r.url = s.url
	}
	if r.token == "" {
		r.token = s.admin
	}
	out, err := http.NewRequestWithContext(context.Background(), http.MethodPost, r.url+r.path, strings.NewReader(r.body))
	if err != nil {
		return response{}, err
	}
	out.Header.Set("Authorization", "Bearer "+r.token)
	out.Header.Set("Content-Type", "application/json")
	out.Header.Set("Idempotency-Key", key)
	in, err := http.DefaultClient.Do(out)
	if err != nil {
		return response{}, err
	}
	defer func() { _ = in.Body.Close() }()
	body, err := io.ReadAll(in.Body)
	return response{in.StatusCode, in.Header, body}, err
}

// mustSend is like send but fails the test if there is no answer.
func (s *shop) mustSend(key string, r request) response {
	s.t.Helper()
	answer, err := s.send(key, r)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer
}

// atOnce sends requests concurrently.
func (s *shop) atOnce(n int, of func(i int) (key string, r request)) []response {
	s.t.Helper()
	answers, errs := make([]response, n), make([]error, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { answers[i], errs[i] = s.send(of(i)) })
	}
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		s.t.Fatal(err)
	}
	return answers
}

// wantReplay checks that an answer repeats the first one, byte for byte.
func wantReplay(t *testing.T, got, first response) {
	t.Helper()
	if !got.replayed() {
		t.Error("the repeat has no Idempotency-Replayed: true")
	}
	if got.status != first.status || !bytes.Equal(got.body, first.body) {
		t.Errorf("the repeat got %d %s, the first request %d %s", got.status, got.body, first.status, first.body)
	}
	for _, name := range []string{"Content-Type", "ETag", "Location", "Retry-After"} {
		if got.header.Get(name) != first.header.Get(name) {
			t.Errorf("the repeat got %s %q, the first request %q", name, got.header.Get(name), first.header.Get(name))
		}
	}
}

// forEachKeyed runs a test for each operation that takes an idempotency key.
func forEachKeyed(t *testing.T, test func(t *testing.T, k keyed)) {
	t.Helper()
	for _, operation := range []struct {
		name    string
		prepare func(s *shop) keyed
	}{
		{"create product", func(s *shop) keyed {
			return keyed{
				first: request{path: "/products", body: `{"sku":"DRILL","name":"Drill","price_cents":100,"stock":5}`},
				other: request{path: "/products", body: `{"sku":"SAW","name":"Saw","price_cents":100,"stock":5}`},
				effects: func() int {
					r, err := s.ListProductsWithResponse(s.t.Context(), nil)
					apitest.WantStatus(s.t, r, err, http.StatusOK)
					return len(r.JSON200.Data)
				},
			}
		}},
		{"create order", func(s *shop) keyed {
			product := s.product(100, 1000)
			body := `{"customer_id":1,"items":[{"product_id":%d,"qty":%d}]}`
			return keyed{
				first:   request{path: "/orders", body: fmt.Sprintf(body, product, 1)},
				other:   request{path: "/orders", body: fmt.Sprintf(body, product, 2)},
				effects: func() int { return len(s.orders()) },
			}
		}},
		{"confirm order", func(s *shop) keyed {
			product := s.product(100, 1000)
			return keyed{
				first:   request{path: fmt.Sprintf("/orders/%d/confirm", s.place(product, 1).ID)},
				other:   request{path: fmt.Sprintf("/orders/%d/confirm", s.place(product, 1).ID)},
				effects: func() int { return s.changesTo(api.StatusConfirmed) },
			}
		}},
		{"cancel order", func(s *shop) keyed {
			path := fmt.Sprintf("/orders/%d/cancel", s.place(s.product(100, 1000), 1).ID)
			return keyed{
				first:   request{path: path, body: `{"reason":"late"}`},
				other:   request{path: path, body: `{"reason":"wrong"}`},
				effects: func() int { return s.changesTo(api.StatusCanceled) },
			}
		}},
	} {
		t.Run(operation.name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			k := operation.prepare(s)
			k.shop = s
			test(t, k)
			s.wantSound()
		})
	}
}

// changesTo counts the changes of all orders to a status.
func (s *shop) changesTo(status api.OrderStatus) (n int) {
	s.t.Helper()
	for _, o := range s.orders() {
		r, err := s.ListOrderHistoryWithResponse(s.t.Context(), o.ID, nil)
		apitest.WantStatus(s.t, r, err, http.StatusOK)
		for _, event := range r.JSON200.Data {
			if event.To == status {
				n++
			}
		}
	}
	return n
}

func TestRepeatGetsTheFirstAnswer(t *testing.T) {
	t.Parallel()
	forEachKeyed(t, func(t *testing.T, k keyed) {
		first := k.mustSend("k", k.first)
		if first.status/100 != 2 || first.replayed() || k.effects() != 1 {
			t.Fatalf("the first request got %d %v %s and took effect %d times", first.status, first.header, first.body, k.effects())
		}
		for range 2 {
			k.clock.Advance(time.Minute)
			wantReplay(t, k.mustSend("k", k.first), first)
		}
		wantReplay(t, k.mustSend(`"k"`, k.first), first) // the key as a structured field
		if n := k.effects(); n != 1 {
			t.Errorf("the request took effect %d times", n)
		}
	})
}

func TestKeyWithAnotherRequestIsRefused(t *testing.T) {
	t.Parallel()
	forEachKeyed(t, func(t *testing.T, k keyed) {
		first := k.mustSend("k", k.first)
		apitest.WantProblem(t, k.mustSend("k", k.other), nil, common.CodeIdempotencyKeyReused, "Idempotency-Key")
		if n := k.effects(); n != 1 {
			t.Errorf("the requests took effect %d times, want 1", n)
		}
		wantReplay(t, k.mustSend("k", k.first), first)
	})
}

func TestKeysBelongToTheirCaller(t *testing.T) {
	t.Parallel()
	forEachKeyed(t, func(t *testing.T, k keyed) {
		k.mustSend("k", k.first)
		k.other.token = k.token("eva", auth.Admin)
		if r := k.mustSend("k", k.other); r.status/100 != 2 || r.replayed() {
			t.Errorf("another caller with the same key got %d %v %s", r.status, r.header, r.body)
		}
	})
}

func TestOneKeyAtOnceTakesEffectOnce(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		processes int
	}{{"in one process", 1}, {"in two processes", 2}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			forEachKeyed(t, func(t *testing.T, k keyed) {
				urls := []string{k.url}
				for len(urls) < test.processes {
					urls = append(urls, k.serve(apitest.OpenDB(t, k.file, database.Options{}), k.customers))
				}
				answers := k.atOnce(20, func(i int) (string, request) {
					r := k.first
					r.url = urls[i%len(urls)]
					return "k", r
				})
				first := slices.IndexFunc(answers, func(r response) bool { return !r.replayed() })
				if first < 0 {
					t.Fatal("all answers are replays")
				}
				if status := answers[first].status; status/100 != 2 {
					t.Fatalf("the first answer is %d %s", status, answers[first].body)
				}
				for i, r := range answers {
					if i != first {
						wantReplay(t, r, answers[first])
					}
				}
				if n := k.effects(); n != 1 {
					t.Errorf("the request took effect %d times", n)
				}
			})
		})
	}
}

func TestKeyExpires(t *testing.T) {
	t.Parallel()
	forEachKeyed(t, func(t *testing.T, k keyed) {
		sweep := func(want int64) {
			t.Helper()
			if n, err := orders.SweepKeys(t.Context(), k.db, k.clock.Now); err != nil || n != want {
				t.Errorf("SweepKeys = %d, %v, want %d", n, err, want)
			}
		}
		first := k.mustSend("k", k.first)
		k.clock.Advance(keyTTL - time.Microsecond)
		sweep(0)
		wantReplay(t, k.mustSend("k", k.first), first)

		k.clock.Advance(time.Microsecond)
		// An expired key counts as new, swept or not, and gets a full lifetime.
		second := k.mustSend("k", k.other)
		if second.replayed() || second.status == http.StatusUnprocessableEntity {
			t.Errorf("after its expiry the key got %d %v %s", second.status, second.header, second.body)
		}
		k.clock.Advance(keyTTL - time.Microsecond)
		sweep(0)
		wantReplay(t, k.mustSend("k", k.other), second)
		k.clock.Advance(time.Microsecond)
		sweep(1)
		if third := k.mustSend("k", k.first); third.replayed() || third.status == http.StatusUnprocessableEntity {
			t.Errorf("after the sweep the key got %d %v %s", third.status, third.header, third.body)
		}
	})
}

func TestRefusalsAreKept(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	product := s.product(100, 1)
	canceled := s.cancel(s.place(product, 1).ID)
	confirmed := s.confirm(s.place(product, 1).ID)
	s.clock.Advance(cancelWindow)
	body := func(customer, product int64) string {
		return fmt.Sprintf(`{"customer_id":%d,"items":[{"product_id":%d,"qty":1}]}`, customer, product)
	}
	for _, test := range []struct {
		code    common.ProblemCode
		fields  []string
		request request
	}{
		{common.CodeInsufficientStock, nil, request{path: "/orders", body: body(buyer, product)}},
		{common.CodeProductNotFound, []string{"items"}, request{path: "/orders", body: body(buyer, product+1)}},
		{common.CodeCustomerNotFound, []string{"customer_id"}, request{path: "/orders", body: body(buyer+1, product)}},
		{common.CodeSKUTaken, []string{"sku"}, request{path: "/products", body: `{"sku":"SKU-1","name":"Drill","price_cents":100}`}},
		{common.CodeOrderCanceled, nil, request{path: fmt.Sprintf("/orders/%d/confirm", canceled.ID)}},
		{common.CodeCancelWindowOver, nil, request{path: fmt.Sprintf("/orders/%d/cancel", confirmed.ID)}},
		{common.CodeOrderNotFound, nil, request{path: "/orders/99/confirm"}},
		{common.CodeOrderNotFound, nil, request{path: "/orders/99/cancel"}},
	} {
		key := test.request.path + string(test.code)
		first := s.mustSend(key, test.request)
		apitest.WantProblem(t, first, nil, test.code, test.fields...)
		if first.replayed() {
			t.Errorf("%s: the first answer is a replay", test.code)
		}
		wantReplay(t, s.mustSend(key, test.request), first)
	}

	// A refusal remains the answer of its key after the reason for it is gone.
	short := request{path: "/orders", body: body(buyer, product)}
	r, err := s.UpdateProductWithResponse(t.Context(), product, nil, api.ProductChange{Stock: new(int64(1))})
	apitest.WantStatus(t, r, err, http.StatusOK)
	again := s.mustSend(short.path+string(common.CodeInsufficientStock), short)
	apitest.WantProblem(t, again, nil, common.CodeInsufficientStock)
	apitest.WantStatus(t, s.mustSend("another-key", short), nil, http.StatusCreated)
	s.wantSound()
}

func TestRequestsThatNeverBeganLeaveTheirKey(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	product := s.product(100, 10)
	alone := s.serve(s.db, "http://127.0.0.1:1") // without customers-api
	valid := request{path: "/orders", body: fmt.Sprintf(`{"customer_id":1,"items":[{"product_id":%d,"qty":1}]}`, product)}
	for _, test := range []struct {
		name    string
		request request
		code    common.ProblemCode
		fields  []string
	}{
		{"bad input", request{path: "/orders", body: `{"customer_id":1,"items":[]}`}, common.CodeInvalidInput, []string{"items"}},
		{"no valid token", request{path: "/orders", body: valid.body, token: "x"}, common.CodeUnauthorized, nil},
		{"a role that may not", request{path: "/orders", body: valid.body, token: s.token("admin", auth.Viewer)}, common.CodeForbidden, nil},
		{"no answer from customers-api", request{path: "/orders", body: valid.body, url: alone}, common.CodeCustomersUnavailable, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			key := strings.ReplaceAll(test.name, " ", "-")
			for range 2 {
				r := s.mustSend(key, test.request)
				apitest.WantProblem(t, r, nil, test.code, test.fields...)
				if r.replayed() {
					t.Error("the refusal was stored")
				}
			}
			if r := s.mustSend(key, valid); r.status != http.StatusCreated || r.replayed() {
				t.Errorf("a valid request with the key got %d %v %s", r.status, r.header, r.body)
			}
		})
	}
	s.wantSound()
}

// Orders that share a transaction have separate answers.
func TestKeysOfOrdersPlacedTogether(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	scarce, plenty := s.product(100, 5), s.product(100, 1000)
	send := func(i int) (string, request) {
		item := func(product int64) string { return fmt.Sprintf(`{"product_id":%d,"qty":1}`, product) }
		items := []string{item(scarce), item(scarce) + "," + item(plenty), item(plenty), item(99)}[i%4]
		return fmt.Sprintf("k-%d", i), request{path: "/orders", body: `{"customer_id":1,"items":[` + items + `]}`}
	}
	first := s.atOnce(40, send)
	placed := 0
	for i, r := range first {
		switch i % 4 {
		case 0, 1: // the stock is enough for 5 of these 20
			if r.status == http.StatusCreated {
				placed++
			} else {
				apitest.WantProblem(t, r, nil, common.CodeInsufficientStock)
			}
		case 2:
			apitest.WantStatus(t, r, nil, http.StatusCreated)
		case 3:
			apitest.WantProblem(t, r, nil, common.CodeProductNotFound, "items")
		}
	}
	if placed != 5 {
		t.Errorf("%d orders took one of the 5 units, want 5", placed)
	}
	s.wantStock(scarce, 0)
	for i, r := range s.atOnce(40, send) {
		wantReplay(t, r, first[i])
	}
	if n := len(s.orders()); n != 15 {
		t.Errorf("there are %d orders, want 15", n)
	}
	s.wantSound()
}
