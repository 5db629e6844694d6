package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/pedidos-hq/pedidos/e2e/bench/basket"
	"github.com/pedidos-hq/pedidos/e2e/bench/drive"
	"github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/gen/orders"
)

// prepared is the number of request bodies that a load generates in advance.
const prepared = 4096

// create places orders with the given number of lines of random products, each under a new key.
func create(lines int) func(context.Context, *Shop, *Load) (client, error) {
	return func(ctx context.Context, s *Shop, l *Load) (client, error) {
		baskets, err := s.baskets(ctx, l.seed, lines)
		if err != nil {
			return nil, err
		}
		return place(s, l, baskets)
	}
}

// hot places orders of one product only.
func hot(ctx context.Context, s *Shop, l *Load) (client, error) {
	baskets, err := s.hotBaskets(ctx, l.seed)
	if err != nil {
		return nil, err
	}
	return place(s, l, baskets)
}

// pairs places orders of one line, in pairs of clients that send the same requests with the same keys concurrently, to different
// replicas if there are several.
func pairs(ctx context.Context, s *Shop, l *Load) (client, error) {
	baskets, err := s.baskets(ctx, l.seed, 1)
	if err != nil {
		return nil, err
	}
	bodies, err := orderBodies(baskets)
	if err != nil {
		return nil, err
	}
	return func(number int) (drive.Operation, error) {
		return l.place(s.replica(number), s.token, number/2, bodies), nil
	}, nil
}

func place(s *Shop, l *Load, baskets []basket.Basket) (client, error) {
	bodies, err := orderBodies(baskets)
	if err != nil {
		return nil, err
	}
	return func(number int) (drive.Operation, error) {
		return l.place(s.replica(number), s.token, number, bodies), nil
	}, nil
}

// place returns an operation that places random orders, with the keys and the random numbers of a client.
func (l *Load) place(base, token string, number int, bodies [][]byte) drive.Operation {
	c, keys, random := l.caller(base, token), l.keys(number), l.random(number)
	return func() error {
		return c.Post("/orders", keys.Next(), pick(random, bodies), http.StatusCreated)
	}
}

// createConfirm places an order of one line and confirms it, in one operation.
func createConfirm(ctx context.Context, s *Shop, l *Load) (client, error) {
	bodies, err := s.bodies(ctx, l)
	if err != nil {
		return nil, err
	}
	return func(number int) (drive.Operation, error) {
		c, keys, random := l.caller(s.replica(number), s.token), l.keys(number), l.random(number)
		return func() error {
			if err := c.Post("/orders", keys.Next(), pick(random, bodies), http.StatusCreated); err != nil {
				return err
			}
			return c.Post(c.Location()+"/confirm", keys.Next(), nil, http.StatusOK)
		}, nil
	}, nil
}

// orchestrated does the same as createConfirm with one call of the orchestrator.
func orchestrated(ctx context.Context, s *Shop, l *Load) (client, error) {
	bodies, err := s.bodies(ctx, l)
	if err != nil {
		return nil, err
	}
	return func(number int) (drive.Operation, error) {
		c, keys, random := l.caller(s.Orchestrator, s.token), l.keys(number), l.random(number)
		var body []byte
		return func() error {
			order := pick(random, bodies)
			body = append(body[:0], order[:len(order)-1]...) // without the closing brace
			body = append(body, `,"idempotency_key":"`...)
			body = append(body, keys.Next()...)
			body = append(body, `"}`...)
			return c.Post("/orchestrator/create-and-confirm-order", nil, body, http.StatusCreated)
		}, nil
	}, nil
}

// replay repeats requests that are already answered.
func replay(ctx context.Context, s *Shop, l *Load) (client, error) {
	bodies, err := s.bodies(ctx, l)
	if err != nil {
		return nil, err
	}
	bodies = bodies[:100]
	used := l.keys(-1)
	known := make([][]byte, len(bodies))
	first := l.caller(s.Orders, s.token)
	for i := range bodies {
		known[i] = slices.Clone(used.Next())
		if err := first.Post("/orders", known[i], bodies[i], http.StatusCreated); err != nil {
			return nil, err
		}
	}
	return func(number int) (drive.Operation, error) {
		c, random := l.caller(s.Orders, s.token), l.random(number)
		return func() error {
			i := random.IntN(len(known))
			if err := c.Post("/orders", known[i], bodies[i], http.StatusCreated); err != nil {
				return err
			}
			if !c.Replayed() {
				return errors.New("201 not replayed")
			}
			return nil
		}, nil
	}, nil
}

// get reads random orders among the newest by id.
func get(ctx context.Context, s *Shop, l *Load) (client, error) { return getFrom(ctx, s.Orders, s, l) }

// bareGet reads the same orders from floor.Handler.
func bareGet(ctx context.Context, s *Shop, l *Load) (client, error) {
	return getFrom(ctx, s.Bare, s, l)
}

func getFrom(ctx context.Context, base string, s *Shop, l *Load) (client, error) {
	if err := s.remember(ctx); err != nil {
		return nil, err
	}
	return func(number int) (drive.Operation, error) {
		c, random := l.caller(base, s.token), l.random(number)
		return func() error { return c.Get(orderPath(pick(random, s.orders))) }, nil
	}, nil
}

// list reads the first page of orders.
func list(ctx context.Context, s *Shop, l *Load) (client, error) {
	if err := s.logIn(ctx); err != nil {
		return nil, err
	}
	return pages(s, l, "/orders"), nil
}

// depth reads the page after the newest Depth orders.
func depth(ctx context.Context, s *Shop, l *Load) (client, error) {
	if err := s.remember(ctx); err != nil {
		return nil, err
	}
	return pages(s, l, "/orders?cursor="+url.QueryEscape(s.cursor)), nil
}

// search searches orders by a word that is common in the names of customers.
func search(ctx context.Context, s *Shop, l *Load) (client, error) {
	return searchBy(ctx, s, l, func(c customers.Customer) string {
		return slices.MaxFunc(strings.Fields(c.Name), func(a, b string) int { return len(a) - len(b) })
	})
}

// searchCustomer searches the orders of one customer by email.
func searchCustomer(ctx context.Context, s *Shop, l *Load) (client, error) {
	return searchBy(ctx, s, l, func(c customers.Customer) string { return c.Email })
}

func searchBy(ctx context.Context, s *Shop, l *Load, text func(customers.Customer) string) (client, error) {
	if err := s.browse(ctx); err != nil {
		return nil, err
	}
	var paths []string
	for _, c := range s.customers {
		paths = append(paths, "/orders?search="+url.QueryEscape(text(c)))
	}
	return pages(s, l, paths...), nil
}

// pages reads random paths among the given ones.
func pages(s *Shop, l *Load, paths ...string) client {
	return func(number int) (drive.Operation, error) {
		c, random := l.caller(s.Orders, s.token), l.random(number)
		return func() error { return c.Get(pick(random, paths)) }, nil
	}
}

// mixed is 50 % reads of an order by id, 20 % reads of the first page and 30 % writes. A third of the writes confirm the order
// that the client placed last, if it is not yet confirmed; all others place an order.
func mixed(ctx context.Context, s *Shop, l *Load) (client, error) {
	if err := s.remember(ctx); err != nil {
		return nil, err
	}
	bodies, err := s.bodies(ctx, l)
	if err != nil {
		return nil, err
	}
	return func(number int) (drive.Operation, error) {
		c, keys, random := l.caller(s.Orders, s.token), l.keys(number), l.random(number)
		placed := "" // path of the last order, until it is confirmed
		return func() error {
			switch n := random.IntN(10); {
			case n < 5:
				return c.Get(orderPath(pick(random, s.orders)))
			case n < 7:
				return c.Get("/orders")
			case n < 8 && placed != "":
				last := placed
				placed = ""
				return c.Post(last+"/confirm", keys.Next(), nil, http.StatusOK)
			}
			err := c.Post("/orders", keys.Next(), pick(random, bodies), http.StatusCreated)
			if err == nil {
				placed = c.Location()
			}
			return err
		}, nil
	}, nil
}

// login logs the administrator in.
func login(_ context.Context, s *Shop, l *Load) (client, error) {
	body, err := json.Marshal(customers.Credentials{Username: s.User, Password: s.Password})
	if err != nil {
		return nil, err
	}
	return func(int) (drive.Operation, error) {
		c := l.caller(s.Customers, "")
		return func() error { return c.Post("/auth/login", nil, body, http.StatusOK) }, nil
	}, nil
}

// bodies returns request bodies for orders of one line.
func (s *Shop) bodies(ctx context.Context, l *Load) ([][]byte, error) {
	baskets, err := s.baskets(ctx, l.seed, 1)
	if err != nil {
		return nil, err
	}
	return orderBodies(baskets)
}

func orderBodies(baskets []basket.Basket) ([][]byte, error) {
	bodies := make([][]byte, len(baskets))
	for i, b := range baskets {
		var err error
		if bodies[i], err = json.Marshal(orders.OrderInput{CustomerID: b.Customer.ID, Items: b.Lines}); err != nil {
			return nil, err
		}
	}
	return bodies, nil
}

// replica returns the orders-api of a client.
func (s *Shop) replica(number int) string {
	if len(s.Replicas) == 0 {
		return s.Orders
	}
	return s.Replicas[number%len(s.Replicas)]
}

func orderPath(id int64) string { return "/orders/" + strconv.FormatInt(id, 10) }

func pick[T any](random *rand.Rand, all []T) T { return all[random.IntN(len(all))] }
