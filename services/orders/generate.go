package orders

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	api "github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/gen/ordersdb"
	"github.com/pedidos-hq/pedidos/services/platform/bulk"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/search"
)

// ErrNothingToOrder reports that there are no customers or no products to generate orders with.
var ErrNothingToOrder = errors.New("orders need customers and products, and there are none")

// generator is the caller of generated changes.
const generator = "seed"

// GenerateProducts adds total generated products. The same random numbers add the same products to the same database.
func GenerateProducts(ctx context.Context, db *database.DB, random *rand.Rand, year bulk.Year, total int, progress bulk.Progress) error {
	number, err := bulk.LastID(ctx, db, "products")
	if err != nil {
		return err
	}
	things := []string{"Cordless drill", "Claw hammer", "Box of screws", "Circular saw", "Taladro percutor", "Llave inglesa", "Brocha angular", "Cinta métrica"}
	lines := []string{"Basic", "Pro", "Compact", "Heavy duty", "Económico", "Eléctrico"}
	made := 0
	next := func(n int) func(database.Conn) error {
		rows := database.NewInserter("InsertProducts", "INSERT INTO products",
			"sku", "name", "search_text", "price_cents", "stock", "reorder_level", "version", "created_at", "updated_at")
		var stocks []int
		var times []time.Time
		for range n {
			number++
			thing, line := bulk.Choose(random, things), bulk.Choose(random, lines)
			sku := fmt.Sprintf("%s-%06d", strings.ToUpper(search.Fold(thing)[:3]), number)
			name := fmt.Sprintf("%s %s %d", thing, line, number)
			stock := 1 + random.IntN(1000)
			created := year.At(float64(made)/float64(total) - 1)
			rows.Add(sku, name, search.Fold(sku, name), 100+random.IntN(500_000), stock, 20, 1, created, created)
			stocks, times = append(stocks, stock), append(times, created)
			made++
		}
		return func(conn database.Conn) error {
			ids, err := rows.InsertWithIDs(ctx, db, conn)
			if err != nil {
				return err
			}
			adjustments := newAdjustments()
			for i, id := range ids {
				adjustments.Add(id, stocks[i], generator, times[i], 0, stocks[i], "first stock")
			}
			return adjustments.Insert(ctx, conn)
		}
	}
	return bulk.Fill(ctx, db, "products", total, next, progress)
}

// GenerateOrders adds total generated orders of the given customers. It does not change the stock, because it also records
// deliveries of the ordered units.
func GenerateOrders(ctx context.Context, db *database.DB, customers []Customer, random *rand.Rand, year bulk.Year, total int, progress bulk.Progress) error {
	products, err := firstProducts(ctx, db)
	if err != nil {
		return err
	}
	if len(customers) == 0 || len(products) == 0 {
		return ErrNothingToOrder
	}
	stock := map[int64]int64{}
	for _, p := range products {
		stock[p.ID] = p.Stock
	}
	made := 0
	next := func(n int) func(database.Conn) error {
		rows := database.NewInserter("InsertOrders", "INSERT INTO orders",
			"customer_id", "customer_name", "customer_email", "customer_phone", "search_text", "status", "total_cents",
			"version", "cancel_reason", "created_at", "confirmed_at", "canceled_at")
		var baskets [][]ordersdb.OrderLine
		var lives []ordersdb.Order
		first := year.At(float64(made) / float64(total))
		taken := map[int64]int64{}
		for range n {
			o := life(random, year.At((float64(made)+random.Float64())/float64(total)))
			basket := fillBasket(random, products)
			for _, l := range basket {
				o.TotalCents += l.SubtotalCents
				if o.CanceledAt == nil {
					taken[l.ProductID] += l.Qty
				}
			}
			c := bulk.ChooseSkewed(random, customers)
			rows.Add(c.ID, c.Name, c.Email, c.Phone, search.Fold(c.Name, c.Email), o.Status, o.TotalCents,
				o.Version, o.CancelReason, o.CreatedAt, o.ConfirmedAt, o.CanceledAt)
			baskets, lives = append(baskets, basket), append(lives, o)
			made++
		}
		// Deliveries equal to the orders keep the stock unchanged, so no product is written.
		deliveries := newAdjustments()
		for _, product := range slices.Sorted(maps.Keys(taken)) {
			deliveries.Add(product, taken[product], generator, first, stock[product], stock[product]+taken[product], "delivery")
		}
		return func(conn database.Conn) error {
			if err := deliveries.Insert(ctx, conn); err != nil {
				return err
			}
			ids, err := rows.InsertWithIDs(ctx, db, conn)
			if err != nil {
				return err
			}
			lines := database.NewInserter("InsertOrderLines", "INSERT INTO order_lines",
				"order_id", "product_id", "qty", "unit_price_cents", "subtotal_cents", "sku", "name")
			events := database.NewInserter("InsertOrderEvents", "INSERT INTO order_events",
				"order_id", "version", "from_status", "to_status", "caller", "reason", "created_at")
			for i, basket := range baskets {
				addHistory(events, ids[i], lives[i])
				for _, l := range basket {
					lines.Add(ids[i], l.ProductID, l.Qty, l.UnitPriceCents, l.SubtotalCents, l.SKU, l.Name)
				}
			}
			if err := lines.Insert(ctx, conn); err != nil {
				return err
			}
			return events.Insert(ctx, conn)
		}
	}
	return bulk.Fill(ctx, db, "orders", total, next, progress)
}

func newAdjustments() *database.Inserter {
	return database.NewInserter("InsertStockAdjustments", "INSERT INTO stock_adjustments",
		"product_id", "delta", "caller", "created_at", "from_stock", "to_stock", "reason")
}

// firstProducts returns the products of generated orders, a limited number because they are kept in memory.
func firstProducts(ctx context.Context, db *database.DB) (products []ordersdb.Product, err error) {
	const most, pageSize = 100_000, 10_000
	err = db.Read(ctx, func(conn database.Conn) (err error) {
		products, err = bulk.Walk(most, func(p ordersdb.Product) int64 { return p.ID }, func(after int64) ([]ordersdb.Product, error) {
			return ordersdb.New(conn).ListProducts(ctx, ordersdb.ListProductsParams{StockBelow: math.MaxInt64, AfterID: after, UntilID: math.MaxInt64, Pattern: "%", Limit: pageSize})
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list products: %w", err)
	}
	return products, nil
}

// life generates an order without lines. Most are confirmed, and some are canceled before or after confirmation.
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
		o.Status, o.CanceledAt = string(api.StatusCanceled), later(10*time.Minute) // the default cancel window
		if fate%2 == 0 {
			o.CancelReason = new("Ordered by mistake")
		}
	}
	return o
}

// addHistory adds the events that led to an order.
func addHistory(events *database.Inserter, id int64, o ordersdb.Order) {
	version, status := 1, string(api.StatusCreated)
	events.Add(id, version, nil, status, generator, nil, o.CreatedAt)
	change := func(to api.OrderStatus, reason *string, at *time.Time) {
		if at == nil {
			return
		}
		version++
		events.Add(id, version, status, string(to), generator, reason, *at)
		status = string(to)
	}
	change(api.StatusConfirmed, nil, o.ConfirmedAt)
	change(api.StatusCanceled, o.CancelReason, o.CanceledAt)
}

// fillBasket generates one to five lines, sorted by product.
func fillBasket(random *rand.Rand, products []ordersdb.Product) (lines []ordersdb.OrderLine) {
	for range 1 + random.IntN(5) {
		p, qty := bulk.ChooseSkewed(random, products), 1+random.Int64N(20)
		if slices.ContainsFunc(lines, func(l ordersdb.OrderLine) bool { return l.ProductID == p.ID }) {
			continue
		}
		lines = append(lines, ordersdb.OrderLine{
			ProductID: p.ID, SKU: &p.SKU, Name: &p.Name, Qty: qty, UnitPriceCents: p.PriceCents, SubtotalCents: qty * p.PriceCents,
		})
	}
	slices.SortFunc(lines, func(a, b ordersdb.OrderLine) int { return cmp.Compare(a.ProductID, b.ProductID) })
	return lines
}
