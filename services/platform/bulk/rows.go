package bulk

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	api "github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/gen/ordersdb"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/search"
)

const (
	intoCustomers   = "customers (name, email, phone, active_email, search_text, version, created_at, updated_at)"
	intoProducts    = "products (sku, name, search_text, price_cents, stock, version, created_at, updated_at)"
	intoAdjustments = "stock_adjustments (product_id, delta, caller, created_at, from_stock, to_stock, reason)"
	intoOrders      = "orders (customer_id, customer_name, customer_email, customer_phone, search_text, status, total_cents, version, cancel_reason, created_at, confirmed_at, canceled_at)"
	intoEvents      = "order_events (order_id, version, from_status, to_status, caller, reason, created_at)"
	intoLines       = "order_lines (order_id, product_id, qty, unit_price_cents, subtotal_cents)"
)

// caller is who adjusted the stock.
const caller = "seed"

func newCustomers(ctx context.Context, db *database.DB, random *rand.Rand, total int) (batches, error) {
	number, err := last(ctx, db, "customers")
	if err != nil {
		return nil, err
	}
	trades := []string{"Ferretería", "Construcciones", "Materiales", "Pinturería", "Electricidad", "Sanitarios", "Corralón", "Herrajes"}
	names := []string{"Núñez", "del Sur", "San Martín", "El Águila", "Peña e Hijos", "Córdoba", "La Estación", "Rivadavia", "Güemes", "Norte"}
	made := 0
	return func(n int) func(database.Conn) error {
		var values []any
		for range n {
			number++
			name := fmt.Sprintf("%s %s %d", choose(random, trades), choose(random, names), number)
			email := fmt.Sprintf("compras@cliente-%d.example", number)
			var phone *string
			if random.IntN(4) > 0 {
				phone = new(fmt.Sprintf("+54 11 %04d-%04d", random.IntN(10_000), random.IntN(10_000)))
			}
			created := at(float64(made)/float64(total) - 1)
			values = append(values, name, email, phone, email, search.Fold(name, email), 1, created, created)
			made++
		}
		return func(conn database.Conn) error {
			_, err := insert(ctx, db, conn, intoCustomers, values)
			return err
		}
	}, nil
}

func newProducts(ctx context.Context, db *database.DB, random *rand.Rand, total int) (batches, error) {
	number, err := last(ctx, db, "products")
	if err != nil {
		return nil, err
	}
	things := []string{"Cordless drill", "Claw hammer", "Box of screws", "Circular saw", "Taladro percutor", "Llave inglesa", "Brocha angular", "Cinta métrica"}
	lines := []string{"Basic", "Pro", "Compact", "Heavy duty", "Económico", "Eléctrico"}
	made := 0
	return func(n int) func(database.Conn) error {
		var values []any
		var stocks []int
		var times []time.Time
		for range n {
			number++
			thing, line := choose(random, things), choose(random, lines)
			sku := fmt.Sprintf("%s-%06d", strings.ToUpper(search.Fold(thing)[:3]), number)
			name := fmt.Sprintf("%s %s %d", thing, line, number)
			stock := 1 + random.IntN(1000)
			created := at(float64(made)/float64(total) - 1)
			values = append(values, sku, name, search.Fold(sku, name), 100+random.IntN(500_000), stock, 1, created, created)
			stocks, times = append(stocks, stock), append(times, created)
			made++
		}
		return func(conn database.Conn) error {
			ids, err := insert(ctx, db, conn, intoProducts, values)
			if err != nil {
				return err
			}
			var adjustments []any
			for i, id := range ids {
				adjustments = append(adjustments, id, stocks[i], caller, times[i], 0, stocks[i], "first stock")
			}
			_, err = insert(ctx, db, conn, intoAdjustments, adjustments)
			return err
		}
	}, nil
}

func newOrders(ctx context.Context, db *database.DB, random *rand.Rand, total int) (batches, error) {
	customers, products, err := toOrder(ctx, db)
	if err != nil {
		return nil, err
	}
	stock := map[int64]int64{}
	for _, p := range products {
		stock[p.ID] = p.Stock
	}
	made := 0
	return func(n int) func(database.Conn) error {
		var values []any
		var baskets [][]ordersdb.OrderLine
		var lives []ordersdb.Order
		first := at(float64(made) / float64(total))
		taken := map[int64]int64{}
		for range n {
			o := life(random, at((float64(made)+random.Float64())/float64(total)))
			basket := fillBasket(random, products)
			for _, l := range basket {
				o.TotalCents += l.SubtotalCents
				if o.CanceledAt == nil {
					taken[l.ProductID] += l.Qty
				}
			}
			c := pick(random, customers)
			values = append(values, c.ID, c.Name, c.Email, c.Phone, search.Fold(c.Name, c.Email), o.Status, o.TotalCents,
				o.Version, o.CancelReason, o.CreatedAt, o.ConfirmedAt, o.CanceledAt)
			baskets, lives = append(baskets, basket), append(lives, o)
			made++
		}
		// As much is delivered as is ordered: the stock stays what it is, and no product is written.
		var deliveries []any
		for _, product := range slices.Sorted(maps.Keys(taken)) {
			deliveries = append(deliveries, product, taken[product], caller, first, stock[product], stock[product]+taken[product], "delivery")
		}
		return func(conn database.Conn) error {
			if _, err := insert(ctx, db, conn, intoAdjustments, deliveries); err != nil {
				return err
			}
			ids, err := insert(ctx, db, conn, intoOrders, values)
			if err != nil {
				return err
			}
			var lines, events []any
			for i, basket := range baskets {
				events = append(events, history(ids[i], lives[i])...)
				for _, l := range basket {
					lines = append(lines, ids[i], l.ProductID, l.Qty, l.UnitPriceCents, l.SubtotalCents)
				}
			}
			if _, err = insert(ctx, db, conn, intoLines, lines); err != nil {
				return err
			}
			_, err = insert(ctx, db, conn, intoEvents, events)
			return err
		}
	}, nil
}

// life is what became of an order: most are confirmed, some are canceled, before or after that.
func life(random *rand.Rand, created time.Time) ordersdb.Order {
	o := ordersdb.Order{Status: string(api.StatusCreated), Version: 1, CreatedAt: created}
	fate := random.IntN(100)
	moment := created
	later := func(atMost time.Duration) *time.Time {
		o.Version++
		moment = moment.Add(time.Duration(random.Int64N(int64(atMost))).Truncate(time.Microsecond))
		return new(moment)
	}
	if fate < 80 {
		o.Status, o.ConfirmedAt = string(api.StatusConfirmed), later(2*time.Hour)
	}
	if fate < 5 || fate >= 95 {
		o.Status, o.CanceledAt = string(api.StatusCanceled), later(10*time.Minute) // the window of the services' default
		if fate%2 == 0 {
			o.CancelReason = new("Ordered by mistake")
		}
	}
	return o
}

// history is the rows of an order's changes.
func history(id int64, o ordersdb.Order) []any {
	version, status := 1, string(api.StatusCreated)
	rows := []any{id, version, nil, status, caller, nil, o.CreatedAt}
	change := func(to api.OrderStatus, reason *string, at *time.Time) {
		if at == nil {
			return
		}
		version++
		rows = append(rows, id, version, status, string(to), caller, reason, *at)
		status = string(to)
	}
	change(api.StatusConfirmed, nil, o.ConfirmedAt)
	change(api.StatusCanceled, o.CancelReason, o.CanceledAt)
	return rows
}

// fillBasket makes one to five lines, in the order of their products.
func fillBasket(random *rand.Rand, products []ordersdb.ListProductsRow) (lines []ordersdb.OrderLine) {
	for range 1 + random.IntN(5) {
		p, qty := pick(random, products), 1+random.Int64N(20)
		if slices.ContainsFunc(lines, func(l ordersdb.OrderLine) bool { return l.ProductID == p.ID }) {
			continue
		}
		lines = append(lines, ordersdb.OrderLine{ProductID: p.ID, Qty: qty, UnitPriceCents: p.PriceCents, SubtotalCents: qty * p.PriceCents})
	}
	slices.SortFunc(lines, func(a, b ordersdb.OrderLine) int { return cmp.Compare(a.ProductID, b.ProductID) })
	return lines
}

func choose(random *rand.Rand, words []string) string { return words[random.IntN(len(words))] }
