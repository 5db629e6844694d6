package orders

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/pedidos-hq/pedidos/gen/ordersdb"
)

// maxProductSums limits the memory of productSales to about 16 MB: a sum has 32 bytes. It holds a year of 1,000 products.
const maxProductSums = 500_000

// productSales adds up the sales of products by day. It remembers the sums of a day until an order of that day is placed, confirmed or
// canceled. The counts of orders by status tell, because orders are never deleted, their lines never change, and a status only moves
// from CREATED to CONFIRMED to CANCELED.
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
	counts   [3]int64 // of the orders of the day, by status
	products []ordersdb.SalesByProductRow
}

func newProductSales() (*productSales, error) {
	days, err := otter.New(&otter.Options[salesDay, productSums]{
		MaximumWeight: maxProductSums,
		Weigher:       func(_ salesDay, sums productSums) uint32 { return uint32(len(sums.products)) + 1 },
	})
	return &productSales{days}, err
}

// sums returns the sums of a period, the largest amount first.
func (s *productSales) sums(ctx context.Context, q *ordersdb.Queries, days period, status string) ([]ordersdb.SalesByProductRow, error) {
	all := map[int64]ordersdb.SalesByProductRow{}
	for day := days.first; !day.After(days.last); day = day.AddDate(0, 0, 1) {
		products, err := s.ofDay(ctx, q, salesDay{days.midnight(day), days.midnight(day.AddDate(0, 0, 1)), status})
		if err != nil {
			return nil, err
		}
		for _, p := range products {
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
	return sums, nil
}

func (s *productSales) ofDay(ctx context.Context, q *ordersdb.Queries, day salesDay) ([]ordersdb.SalesByProductRow, error) {
	n, err := q.CountByStatus(ctx, ordersdb.CountByStatusParams{PlacedFrom: day.from, PlacedBefore: day.before})
	if err != nil {
		return nil, err
	}
	counts := [...]int64{n.Created, n.Confirmed, n.Canceled}
	if known, ok := s.days.GetIfPresent(day); ok && known.counts == counts {
		return known.products, nil
	}
	products, err := q.SalesByProduct(ctx, ordersdb.SalesByProductParams{PlacedFrom: day.from, PlacedBefore: day.before, Status: day.status})
	if err != nil {
		return nil, err
	}
	s.days.Set(day, productSums{counts, products})
	return products, nil
}
