package orders

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/maypok86/otter/v2"

	api "github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/gen/ordersdb"
)

// maxProductSums limits the memory of productSales to about 16 MB: a sum has 32 bytes. It holds a year of 1,000 products.
const maxProductSums = 500_000

// productSales adds up the sales of products by day. It remembers the sums of a day until an order of that day is placed, confirmed or
// canceled. It detects this by the counts of orders by status: orders are never deleted, their lines never change, and no order returns
// to an earlier status.
type productSales struct {
	days *otter.Cache[salesDay, productSums]
}

// salesDay is a day, and the status of the orders that count, or "".
type salesDay struct {
	from, before time.Time
	status       string
}

// productSums has the sums of the products of a day.
type productSums struct {
	counts   ordersdb.CountByStatusRow
	products []ordersdb.SalesByProductRow
}

func newProductSales() (*productSales, error) {
	days, err := otter.New(&otter.Options[salesDay, productSums]{
		MaximumWeight: maxProductSums,
		Weigher:       func(_ salesDay, sums productSums) uint32 { return uint32(len(sums.products)) + 1 },
	})
	return &productSales{days}, err
}

// sums returns the sums of the products in a period, the largest amount first, and those of the period.
func (s *productSales) sums(ctx context.Context, q *ordersdb.Queries, days period, status string) (_ []ordersdb.SalesByProductRow, total api.SalesFigures, err error) {
	all := map[int64]ordersdb.SalesByProductRow{}
	units, cents := int64(0), 0.0
	for day := days.first; !day.After(days.last); day = day.AddDate(0, 0, 1) {
		sums, err := s.ofDay(ctx, q, salesDay{days.midnight(day), days.midnight(day.AddDate(0, 0, 1)), status})
		if err != nil {
			return nil, total, err
		}
		total.Orders += sums.orders(status)
		for _, p := range sums.products {
			units += p.Units
			cents += p.TotalCents
			sum := all[p.ProductID]
			all[p.ProductID] = ordersdb.SalesByProductRow{
				ProductID: p.ProductID, Orders: sum.Orders + p.Orders, Units: sum.Units + p.Units, TotalCents: sum.TotalCents + p.TotalCents,
			}
		}
	}
	sums := make([]ordersdb.SalesByProductRow, 0, len(all))
	for _, sum := range all {
		sums = append(sums, sum)
	}
	slices.SortFunc(sums, func(a, b ordersdb.SalesByProductRow) int {
		return cmp.Or(cmp.Compare(b.TotalCents, a.TotalCents), cmp.Compare(a.ProductID, b.ProductID))
	})
	total.Units, total.TotalCents = &units, bounded(cents)
	return sums, total, nil
}

func (s *productSales) ofDay(ctx context.Context, q *ordersdb.Queries, day salesDay) (productSums, error) {
	counts, err := q.CountByStatus(ctx, ordersdb.CountByStatusParams{PlacedFrom: day.from, PlacedBefore: day.before})
	if err != nil {
		return productSums{}, err
	}
	if known, ok := s.days.GetIfPresent(day); ok && known.counts == counts {
		return known, nil
	}
	products, err := q.SalesByProduct(ctx, ordersdb.SalesByProductParams{PlacedFrom: day.from, PlacedBefore: day.before, Status: day.status})
	if err != nil {
		return productSums{}, err
	}
	sums := productSums{counts, products}
	s.days.Set(day, sums)
	return sums, nil
}

// orders returns the number of orders of the day that count.
func (s productSums) orders(status string) int64 {
	switch status {
	case string(api.StatusCreated):
		return s.counts.Created
	case string(api.StatusConfirmed):
		return s.counts.Confirmed
	}
	return s.counts.Created + s.counts.Confirmed
}
