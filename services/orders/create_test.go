package orders_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/services/internal/apitest"
)

// maxTotal is the largest total that the contract allows.
const maxTotal = 1<<53 - 1

// stocked is a product of a test. Its id is its position in the catalogue, starting at 1.
type stocked struct{ price, stock int64 }

func TestCreateOrder(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		catalogue []stocked
		items     []api.OrderLineInput
		want      []api.OrderLine
		total     int64
	}{
		{
			"lines are priced and come by product",
			[]stocked{{100, 9}, {250, 9}, {0, 9}},
			[]api.OrderLineInput{line(3, 1), line(2, 2), line(1, 3)},
			[]api.OrderLine{priced(1, 3, 100), priced(2, 2, 250), priced(3, 1, 0)}, 800,
		},
		{
			"lines of one product merge",
			[]stocked{{100, 9}, {250, 9}},
			[]api.OrderLineInput{line(2, 1), line(1, 1), line(2, 3), line(2, 5)},
			[]api.OrderLine{priced(1, 1, 100), priced(2, 9, 250)}, 2350,
		},
		{
			"all of the stock",
			[]stocked{{100, 9}},
			[]api.OrderLineInput{line(1, 9)},
			[]api.OrderLine{priced(1, 9, 100)}, 900,
		},
		{
			"the largest total",
			[]stocked{{1e11, 1e9}, {maxTotal - 90_071*1e11, 1}},
			[]api.OrderLineInput{line(1, 90_071), line(2, 1)},
			[]api.OrderLine{priced(1, 90_071, 1e11), priced(2, 1, maxTotal-90_071*1e11)}, maxTotal,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.stock(test.catalogue)
			r, err := s.CreateOrderWithResponse(t.Context(), nil, order(test.items...))
			apitest.WantStatus(t, r, err, http.StatusCreated)
			if got := r.JSON201; !slices.Equal(got.Items, test.want) || got.TotalCents != test.total {
				t.Errorf("got lines %+v, total %d, want %+v, %d", got.Items, got.TotalCents, test.want, test.total)
			}
			for _, l := range test.want {
				s.wantStock(l.ProductID, test.catalogue[l.ProductID-1].stock-l.Qty)
			}
			s.wantSound()
		})
	}
}

func TestCreateOrderRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		catalogue []stocked
		items     []api.OrderLineInput
		code      common.ProblemCode
		unknown   []string          // messages about items
		shortages []common.Shortage // by product
	}{
		{
			name:      "all unknown products, and no shortage beside them",
			catalogue: []stocked{{100, 0}},
			items:     []api.OrderLineInput{line(9, 1), line(1, 1), line(8, 1), line(9, 1)},
			code:      common.CodeProductNotFound,
			unknown:   []string{"there is no product 8", "there is no product 9"},
		},
		{
			name:      "all shortages, of merged lines",
			catalogue: []stocked{{100, 5}, {100, 0}, {100, 5}},
			items:     []api.OrderLineInput{line(2, 1), line(1, 3), line(3, 5), line(1, 3)},
			code:      common.CodeInsufficientStock,
			shortages: []common.Shortage{{ProductID: 1, Requested: 6, Available: 5}, {ProductID: 2, Requested: 1, Available: 0}},
		},
		{
			name:      "a total one cent too large",
			catalogue: []stocked{{1e11, 1e9}, {maxTotal - 90_071*1e11 + 1, 1}},
			items:     []api.OrderLineInput{line(1, 90_071), line(2, 1)},
			code:      common.CodeTotalTooLarge,
		},
		{
			name:      "a subtotal of more than 63 bits",
			catalogue: []stocked{{1e11, 1e9}},
			items:     slices.Repeat([]api.OrderLineInput{line(1, 1e6)}, 100),
			code:      common.CodeTotalTooLarge,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.stock(test.catalogue)
			r, err := s.CreateOrderWithResponse(t.Context(), nil, order(test.items...))
			p := apitest.WantProblem(t, r, err, test.code, slices.Repeat([]string{"items"}, len(test.unknown))...)
			for i, message := range test.unknown {
				if got := (*p.Errors)[i].Message; got != message {
					t.Errorf("got the message %q, want %q", got, message)
				}
			}
			if len(test.shortages) > 0 && (p.Shortages == nil || !slices.Equal(*p.Shortages, test.shortages)) {
				t.Errorf("got the shortages %+v, want %+v", p.Shortages, test.shortages)
			}
			for i, product := range test.catalogue {
				s.wantStock(int64(i+1), product.stock)
			}
			if n := len(s.orders()); n != 0 {
				t.Errorf("the refusal left %d orders", n)
			}
		})
	}
}

func TestOrderKeepsItsCustomerAndPrice(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	product := s.product(100, 9)
	placed := s.place(product, 2)
	if want := (api.OrderCustomer{Name: "Ana", Email: "ana@example.com"}); placed.Customer != want || placed.CustomerID != buyer {
		t.Errorf("got the customer %d %+v, want %+v", placed.CustomerID, placed.Customer, want)
	}
	r, err := s.UpdateProductWithResponse(t.Context(), product, nil, api.ProductChange{PriceCents: new(int64(999))})
	apitest.WantStatus(t, r, err, http.StatusOK)
	if got := s.confirm(placed.ID); got.TotalCents != 200 || !slices.Equal(got.Items, placed.Items) {
		t.Errorf("after a change of price the order is %+v, want it unchanged: %+v", got, placed)
	}
	s.wantSound()
}

// stock creates the products of a catalogue.
func (s *shop) stock(catalogue []stocked) {
	s.t.Helper()
	for _, p := range catalogue {
		s.product(p.price, p.stock)
	}
}

// priced is a line of an order at a price.
func priced(product, qty, price int64) api.OrderLine {
	return api.OrderLine{
		ProductID: product, SKU: fmt.Sprintf("SKU-%d", product), Name: "A product",
		Qty: qty, UnitPriceCents: price, SubtotalCents: qty * price,
	}
}
