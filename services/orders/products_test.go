package orders_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/gen/orders/client"
	"github.com/pedidos-hq/pedidos/services/internal/apitest"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
)

func TestSKUIsUnique(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	create := func(sku string) (*client.CreateProductResponse, error) {
		return s.CreateProductWithResponse(t.Context(), nil, api.ProductInput{SKU: sku, Name: "Drill"})
	}
	r, err := create("DRILL")
	apitest.WantStatus(t, r, err, http.StatusCreated)
	r, err = create("DRILL")
	apitest.WantProblem(t, r, err, common.CodeSKUTaken, "sku")
	r, err = create("drill") // SKUs are case-sensitive
	apitest.WantStatus(t, r, err, http.StatusCreated)
}

func TestUpdateProduct(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	id := s.product(100, 5)
	update := func(change api.ProductChange) (*client.UpdateProductResponse, error) {
		return s.UpdateProductWithResponse(t.Context(), id, nil, change)
	}
	want := api.Product{SKU: "SKU-1", Name: "A product", PriceCents: 100, Stock: 5}
	for _, test := range []struct {
		change api.ProductChange
		apply  func(*api.Product)
	}{
		{api.ProductChange{Name: new("Drill")}, func(p *api.Product) { p.Name = "Drill" }},
		{api.ProductChange{PriceCents: new(int64(0))}, func(p *api.Product) { p.PriceCents = 0 }},
		{api.ProductChange{Stock: new(int64(0)), Reason: new("stolen")}, func(p *api.Product) { p.Stock = 0 }},
		{api.ProductChange{Stock: new(int64(0))}, func(*api.Product) {}},
		{api.ProductChange{Stock: new(int64(12))}, func(p *api.Product) { p.Stock = 12 }},
	} {
		test.apply(&want)
		r, err := update(test.change)
		apitest.WantStatus(t, r, err, http.StatusOK)
		if got := r.JSON200; got.SKU != want.SKU || got.Name != want.Name || got.PriceCents != want.PriceCents || got.Stock != want.Stock {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	s.wantMovements(id, "0 to 12 by user:admin", "5 to 0 by user:admin: stolen", "0 to 5 by user:admin: first stock")
	s.wantSound()

	r, err := update(api.ProductChange{Name: new("Saw"), Reason: new("renamed")})
	apitest.WantProblem(t, r, err, common.CodeInvalidInput, "reason")
	r, err = update(api.ProductChange{Stock: new(int64(-1))})
	apitest.WantProblem(t, r, err, common.CodeInvalidInput, "stock")
	r, err = s.UpdateProductWithResponse(t.Context(), id+1, nil, api.ProductChange{Name: new("Saw")})
	apitest.WantProblem(t, r, err, common.CodeProductNotFound)
}

func TestUpdateProductChecksIfMatch(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	id := s.product(100, 5)
	read, err := s.GetProductWithResponse(t.Context(), id)
	apitest.WantStatus(t, read, err, http.StatusOK)
	update := func(stock int64) (*client.UpdateProductResponse, error) {
		return s.UpdateProductWithResponse(t.Context(), id, &api.UpdateProductParams{IfMatch: &read.Headers200.ETag}, api.ProductChange{Stock: &stock})
	}
	r, err := update(7)
	apitest.WantStatus(t, r, err, http.StatusOK)
	if r.Headers200.ETag == read.Headers200.ETag {
		t.Error("the change kept the ETag")
	}
	r, err = update(9)
	apitest.WantProblem(t, r, err, common.CodePreconditionFailed)
	s.wantStock(id, 7)
}

// wantMovements checks the manual changes of a product's stock, newest first, read in pages of one.
func (s *shop) wantMovements(product int64, want ...string) {
	s.t.Helper()
	var got []string
	params := &api.ListStockMovementsParams{Limit: new(int32(1))}
	for len(got) <= len(want) {
		r, err := s.ListStockMovementsWithResponse(s.t.Context(), product, params)
		apitest.WantStatus(s.t, r, err, http.StatusOK)
		for _, m := range r.JSON200.Data {
			text := fmt.Sprintf("%d to %d by %s", *m.From, *m.To, *m.Caller)
			if m.Reason != nil {
				text += ": " + *m.Reason
			}
			got = append(got, text)
		}
		if params.Cursor = r.JSON200.NextCursor; params.Cursor == nil {
			break
		}
	}
	if !slices.Equal(got, want) {
		s.t.Errorf("the movements of product %d are %q, want %q", product, got, want)
	}
}

func TestOnlyServicesNameAnotherCaller(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	product := s.product(100, 5)
	params := &api.CreateOrderParams{IdempotencyKey: new("k"), XCaller: new(api.CallerAnonymous)}
	for _, token := range []string{s.admin, s.token("eva", auth.Viewer)} {
		r, err := s.as(token).CreateOrderWithResponse(t.Context(), params, order(line(product, 1)))
		apitest.WantProblem(t, r, err, common.CodeForbidden)
	}
	service := s.as(apitest.ServiceToken)
	named, err := service.CreateOrderWithResponse(t.Context(), params, order(line(product, 1)))
	apitest.WantStatus(t, named, err, http.StatusCreated)
	own, err := service.CreateOrderWithResponse(t.Context(), &api.CreateOrderParams{IdempotencyKey: new("k")}, order(line(product, 1)))
	apitest.WantStatus(t, own, err, http.StatusCreated)
	s.wantHistory(named.JSON201.ID, "CREATED by anonymous")
	s.wantHistory(own.JSON201.ID, "CREATED by service")
}
