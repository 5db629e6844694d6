package api

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/orders"
)

// productSKUs returns the SKUs of all pages of a list, which it reads in pages of two.
func productSKUs(t *testing.T, s *call.Client, p orders.ListProductsParams) (skus []string) {
	t.Helper()
	for p.Limit = new(int32(2)); ; {
		var page orders.ProductPage
		call.Read(s.Orders.ListProducts(t.Context(), &p)).Want(t, http.StatusOK, &page)
		for _, product := range page.Data {
			skus = append(skus, product.SKU)
		}
		if p.Cursor = page.NextCursor; p.Cursor == nil {
			return skus
		}
	}
}

func TestProductFilters(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	ids := map[string]int64{}
	for _, p := range []orders.ProductInput{
		{SKU: "A", Name: "Hammer", Stock: 0, ReorderLevel: 5},
		{SKU: "B", Name: "Hammer, large", Stock: 4, ReorderLevel: 5},
		{SKU: "C", Name: "Saw", Stock: 5, ReorderLevel: 5},
		{SKU: "D", Name: "Saw, large", Stock: 100},
		{SKU: "E", Name: "Hammer, old", Stock: 1, ReorderLevel: 5},
	} {
		var created orders.Product
		call.Read(s.Orders.CreateProduct(t.Context(), nil, p)).Want(t, http.StatusCreated, &created)
		if created.ReorderLevel != p.ReorderLevel || created.ArchivedAt != nil {
			t.Errorf("created %+v, want the reorder level %d and no archived_at", created, p.ReorderLevel)
		}
		ids[p.SKU] = created.ID
	}
	archived := s.ChangeProduct(t, ids["E"], orders.ProductChange{Archived: new(true)})
	if archived.ArchivedAt == nil {
		t.Fatalf("archived %+v, want archived_at", archived)
	}
	if again := s.ChangeProduct(t, ids["E"], orders.ProductChange{Archived: new(true)}); *again.ArchivedAt != *archived.ArchivedAt {
		t.Errorf("archived again: got %v, want the first time %v", again.ArchivedAt, archived.ArchivedAt)
	}

	include, only := orders.ArchivedInclude, orders.ArchivedOnly
	some := []int64{ids["D"], ids["A"], ids["E"], 999}
	for name, test := range map[string]struct {
		params orders.ListProductsParams
		want   []string
	}{
		"all":                     {orders.ListProductsParams{}, []string{"A", "B", "C", "D"}},
		"with archived ones":      {orders.ListProductsParams{Archived: &include}, []string{"A", "B", "C", "D", "E"}},
		"archived ones":           {orders.ListProductsParams{Archived: &only}, []string{"E"}},
		"low stock":               {orders.ListProductsParams{LowStock: new(true)}, []string{"A", "B"}},
		"low stock is not false":  {orders.ListProductsParams{LowStock: new(false)}, []string{"A", "B", "C", "D"}},
		"low stock, archived too": {orders.ListProductsParams{LowStock: new(true), Archived: &include}, []string{"A", "B", "E"}},
		"stock below":             {orders.ListProductsParams{StockBelow: new(int64(5))}, []string{"A", "B"}},
		"stock below and search":  {orders.ListProductsParams{StockBelow: new(int64(6)), Search: new("saw")}, []string{"C"}},
		"ids":                     {orders.ListProductsParams{Ids: &some}, []string{"A", "D"}},
		"ids, archived too":       {orders.ListProductsParams{Ids: &some, Archived: &include}, []string{"A", "D", "E"}},
		"ids and search":          {orders.ListProductsParams{Ids: &some, Search: new("saw")}, []string{"D"}},
		"SKUs":                    {orders.ListProductsParams{SKU: &[]string{"C", "a", "B", "X"}}, []string{"B", "C"}},
		"SKUs with low stock":     {orders.ListProductsParams{SKU: &[]string{"C", "B"}, LowStock: new(true)}, []string{"B"}},
	} {
		if got := productSKUs(t, s, test.params); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
	for query, field := range map[string]string{
		"ids=1,x": "ids", "ids=0": "ids[0]", "ids=1,,2": "ids", "ids=1,": "ids", "ids=1,02": "ids", "sku=-": "sku[0]", "ids=1&sku=A": "sku", "stock_below=0": "stock_below", "low_stock=1": "low_stock", "archived=all": "archived",
	} {
		s.Send(t, "orders", http.MethodGet, "/products?"+query, "").WantInvalid(t, field)
	}
}

func TestArchivedProducts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, a, b := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "A", 100, 10), s.CreateProduct(t, "B", 100, 10)
	placed := s.CreateOrder(t, buyer.ID, a.ID, 1)
	s.ChangeProduct(t, a.ID, orders.ProductChange{Archived: new(true)})
	s.TryOrder(t.Context(), "k", buyer.ID, b.ID, 1, a.ID, 1).WantProblem(t, http.StatusConflict, common.CodeProductArchived, "items")
	s.TryOrder(t.Context(), "", buyer.ID, a.ID, 1, 999, 1).WantProblem(t, http.StatusNotFound, common.CodeProductNotFound, "items")
	s.WantStock(t, b.ID, 10)

	// The order of before keeps the product, and gives its unit back.
	s.ConfirmOrder(t, placed.ID, "c")
	s.CancelOrder(t, placed.ID)
	s.WantStock(t, a.ID, 10)

	if p := s.ChangeProduct(t, a.ID, orders.ProductChange{Archived: new(false)}); p.ArchivedAt != nil {
		t.Errorf("got %+v, want no archived_at", p)
	}
	s.CreateOrder(t, buyer.ID, a.ID, 1)
	s.TryOrder(t.Context(), "k", buyer.ID, b.ID, 1, a.ID, 1).WantProblem(t, http.StatusConflict, common.CodeProductArchived, "items")
	audit(t, w)
}

func TestStockDelta(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	p := s.CreateProduct(t, "A", 100, 10)
	path := fmt.Sprintf("/products/%d", p.ID)
	for _, test := range []struct {
		delta, want int64
	}{{5, 15}, {-15, 0}, {0, 0}, {1_000_000_000, 1_000_000_000}, {-1_000_000_000, 0}, {7, 7}} {
		if got := s.ChangeProduct(t, p.ID, orders.ProductChange{StockDelta: &test.delta, Reason: new("count")}); got.Stock != test.want {
			t.Errorf("%+d: got a stock of %d, want %d", test.delta, got.Stock, test.want)
		}
	}
	short := s.Send(t, "orders", http.MethodPatch, path, `{"stock_delta":-8}`)
	short.WantProblem(t, http.StatusConflict, common.CodeInsufficientStock)
	var doc common.Problem
	short.Want(t, http.StatusConflict, &doc)
	if want := (common.Shortage{ProductID: p.ID, Requested: 8, Available: 7}); doc.Shortages == nil || !slices.Equal(*doc.Shortages, []common.Shortage{want}) {
		t.Errorf("got %s, want the shortage %+v", short, want)
	}
	s.Send(t, "orders", http.MethodPatch, path, `{"stock_delta":999999994}`).WantInvalid(t, "stock_delta")
	s.Send(t, "orders", http.MethodPatch, path, `{"stock_delta":1,"stock":1}`).WantInvalid(t, "stock_delta")
	s.Send(t, "orders", http.MethodPatch, path, `{"stock_delta":1000000001}`).WantInvalid(t, "stock_delta")
	s.Send(t, "orders", http.MethodPatch, path, `{"reason":"x"}`).WantInvalid(t, "reason")
	s.WantStock(t, p.ID, 7)

	var movements orders.StockMovementPage
	call.Read(s.Orders.ListStockMovements(t.Context(), p.ID, nil)).Want(t, http.StatusOK, &movements)
	var deltas []int64
	for _, m := range movements.Data {
		deltas = append(deltas, m.Delta)
	}
	if want := []int64{7, -1_000_000_000, 1_000_000_000, -15, 5, 10}; !slices.Equal(deltas, want) {
		t.Errorf("got the movements %d, want %d: no movement for a change by 0", deltas, want)
	}
	audit(t, w)
}
