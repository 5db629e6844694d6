package api

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/orders"
)

func TestProductCreate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")

	in := orders.ProductInput{SKU: "SAW-190", Name: "Sierra 190 mm", PriceCents: 89900, Stock: 25}
	created, err := s.Orders.CreateProductWithResponse(t.Context(), nil, in)
	ordersWant(t, "create", created, err, http.StatusCreated)
	p := created.JSON201
	if p.SKU != in.SKU || p.Name != in.Name || p.PriceCents != in.PriceCents || p.Stock != in.Stock || p.CreatedAt != p.UpdatedAt {
		t.Errorf("created %s, want %+v and two equal times", created.Body, in)
	}
	if got, want := created.Headers201.Location, fmt.Sprintf("/products/%d", p.ID); got != want {
		t.Errorf("Location: got %s, want %s", got, want)
	}
	read, err := s.Orders.GetProductWithResponse(t.Context(), p.ID)
	ordersWant(t, "get", read, err, http.StatusOK)
	if !bytes.Equal(read.Body, created.Body) || read.Headers200.ETag != created.Headers201.ETag {
		t.Errorf("get: got %s %s, want what was created: %s %s", read.Headers200.ETag, read.Body, created.Headers201.ETag, created.Body)
	}
	ordersAudit(t, w)
}

// The largest and the smallest that the contract allows.
func TestProductBounds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	for _, in := range []orders.ProductInput{
		{SKU: "0", Name: "x", PriceCents: 0, Stock: 0},
		{SKU: strings.Repeat("Z", 64), Name: strings.Repeat("ñ", 200), PriceCents: 1e11, Stock: 1e9},
		{SKU: "a.b_c-d", Name: `"%_!\' ü 漢字 🔩`, PriceCents: 1, Stock: 1},
	} {
		created, err := s.Orders.CreateProductWithResponse(t.Context(), nil, in)
		ordersWant(t, "create "+in.SKU, created, err, http.StatusCreated)
		p := ordersProduct(t, s, created.JSON201.ID)
		if got := (orders.ProductInput{SKU: p.SKU, Name: p.Name, PriceCents: p.PriceCents, Stock: p.Stock}); got != in {
			t.Errorf("got %+v, want %+v", got, in)
		}
	}
	ordersAudit(t, w)
}

func TestProductPatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	for name, test := range map[string]struct {
		change orders.ProductChange
		want   func(*orders.Product)
	}{
		"name":       {orders.ProductChange{Name: new("Taladro")}, func(p *orders.Product) { p.Name = "Taladro" }},
		"price":      {orders.ProductChange{PriceCents: new(int64(7))}, func(p *orders.Product) { p.PriceCents = 7 }},
		"free":       {orders.ProductChange{PriceCents: new(int64(0))}, func(p *orders.Product) { p.PriceCents = 0 }},
		"stock":      {orders.ProductChange{Stock: new(int64(99))}, func(p *orders.Product) { p.Stock = 99 }},
		"sold-out":   {orders.ProductChange{Stock: new(int64(0))}, func(p *orders.Product) { p.Stock = 0 }},
		"same-stock": {orders.ProductChange{Stock: new(int64(10))}, func(*orders.Product) {}},
		"all": {
			orders.ProductChange{Name: new("Todo"), PriceCents: new(int64(1e11)), Stock: new(int64(1e9))},
			func(p *orders.Product) { p.Name, p.PriceCents, p.Stock = "Todo", 1e11, 1e9 },
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := s.CreateProduct(t, name, 100, 10)
			changed, err := s.Orders.UpdateProductWithResponse(t.Context(), before.ID, nil, test.change)
			ordersWant(t, "patch", changed, err, http.StatusOK)
			want := before
			test.want(&want)
			want.UpdatedAt = changed.JSON200.UpdatedAt
			if *changed.JSON200 != want || !want.UpdatedAt.After(before.UpdatedAt.Time) {
				t.Errorf("got %s, want %+v, updated after %s", changed.Body, want, before.UpdatedAt)
			}
			if got := changed.Headers200.ETag; got != `"2"` {
				t.Errorf(`ETag: got %s, want "2"`, got)
			}
			if got := ordersProduct(t, s, before.ID); got != want {
				t.Errorf("get: got %+v, want %+v", got, want)
			}
			ordersAudit(t, w)
		})
	}
}

func TestProductRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	drill := s.CreateProduct(t, "DRILL", 100, 10)
	create := func(body string) ordersReply {
		r, err := s.Orders.CreateProductWithBodyWithResponse(t.Context(), nil, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	patch := func(body string) ordersReply {
		r, err := s.Orders.UpdateProductWithBodyWithResponse(t.Context(), drill.ID, nil, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for _, test := range []struct {
		send   func(string) ordersReply
		body   string
		fields []string
	}{
		{create, `{}`, []string{"sku", "name", "price_cents"}},
		{create, `{"sku":"","name":"","price_cents":-1,"stock":-1}`, []string{"sku", "name", "price_cents", "stock"}},
		{create, `{"sku":"A","name":"x","price_cents":100000000001,"stock":1000000001}`, []string{"price_cents", "stock"}},
		{create, `{"sku":"A","name":"x","price_cents":1.5,"stock":"1"}`, []string{"price_cents", "stock"}},
		{create, `{"sku":"A","name":"x","price_cents":1,"stock":9223372036854775808}`, []string{"stock"}},
		{create, `{"sku":"A","name":"x","price_cents":null,"stock":1}`, []string{"price_cents"}},
		{create, `{"sku":" A","name":"x ","price_cents":1,"stock":1}`, []string{"sku", "name"}},
		{create, `{"sku":"-A","name":"x\ty","price_cents":1,"stock":1}`, []string{"sku", "name"}},
		{create, fmt.Sprintf(`{"sku":"%065d","name":"%0201d","price_cents":1,"stock":1}`, 0, 0), []string{"sku", "name"}},
		{create, `{"sku":"A","name":"x","price_cents":1,"stock":1,"colour":"red"}`, []string{"colour"}},
		{create, `[]`, []string{"body"}},
		{create, `{"sku":"A"`, []string{"body"}},
		{create, ``, []string{"body"}},
		{patch, `{}`, []string{"body"}},
		{patch, `{"sku":"OTHER"}`, []string{"sku"}},
		{patch, `{"colour":"red"}`, []string{"colour"}},
		{patch, `{"name":""}`, []string{"name"}},
		{patch, `{"name":null}`, []string{"name"}},
		{patch, `{"price_cents":-1}`, []string{"price_cents"}},
		{patch, `{"price_cents":100000000001}`, []string{"price_cents"}},
		{patch, `{"stock":-1}`, []string{"stock"}},
		{patch, `{"stock":1000000001}`, []string{"stock"}},
		{patch, `{"stock":1,"stock":2}`, []string{"body"}},
		{patch, ``, []string{"body"}},
	} {
		ordersRefused(t, test.body, test.send(test.body), nil, http.StatusBadRequest, common.CodeInvalidInput, test.fields...)
	}
	if got := ordersProduct(t, s, drill.ID); got != drill {
		t.Errorf("after all refusals: got %+v, want %+v", got, drill)
	}
	page, err := s.Orders.ListProductsWithResponse(t.Context(), nil)
	ordersWant(t, "list", page, err, http.StatusOK)
	if got := len(page.JSON200.Data); got != 1 {
		t.Errorf("after all refusals: got %d products, want 1: %s", got, page.Body)
	}
	if r, err := s.Orders.CreateProductWithBodyWithResponse(t.Context(), nil, "application/json", strings.NewReader(`{"sku":"NONE","name":"x","price_cents":1}`)); err != nil || r.JSON201 == nil || r.JSON201.Stock != 0 {
		t.Errorf("a product without stock: got %v %s, want 0 in stock", err, r.Body)
	}
}

func TestProductUnknown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	for _, id := range []int64{1, 1<<63 - 1} {
		get, err := s.Orders.GetProductWithResponse(t.Context(), id)
		ordersRefused(t, "get", get, err, http.StatusNotFound, common.CodeProductNotFound)
		patch, err := s.Orders.UpdateProductWithResponse(t.Context(), id, &orders.UpdateProductParams{IfMatch: new("*")}, orders.ProductChange{Stock: new(int64(1))})
		ordersRefused(t, "patch", patch, err, http.StatusNotFound, common.CodeProductNotFound)
	}
	for _, id := range []string{"0", "-1", "x", "1.5", "9223372036854775808"} {
		get := ordersRaw(t, w, s, http.MethodGet, "/products/"+id, nil, nil)
		ordersRefused(t, "get "+id, get, nil, http.StatusBadRequest, common.CodeInvalidInput, "id")
		patch := ordersRaw(t, w, s, http.MethodPatch, "/products/"+id, map[string]string{"Content-Type": "application/json"}, []byte(`{"stock":1}`))
		ordersRefused(t, "patch "+id, patch, nil, http.StatusBadRequest, common.CodeInvalidInput, "id")
	}
}

func TestProductIfMatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer := s.CreateCustomer(t, "a@example.com")
	for name, test := range map[string]struct {
		header *string
		sold   bool // since the ETag "1" was read
		status int
	}{
		"current":        {new(`"1"`), false, http.StatusOK},
		"one-of-several": {new(`"7", "1"`), false, http.StatusOK},
		"any":            {new(`*`), true, http.StatusOK},
		"absent":         {nil, true, http.StatusOK},
		"stale":          {new(`"1"`), true, http.StatusPreconditionFailed},
		"stale-several":  {new(`"1", "3"`), true, http.StatusPreconditionFailed},
		"weak":           {new(`W/"1"`), false, http.StatusPreconditionFailed},
		"unquoted":       {new(`1`), false, http.StatusPreconditionFailed},
	} {
		t.Run(name, func(t *testing.T) {
			p := s.CreateProduct(t, name, 100, 10)
			if test.sold {
				s.CreateOrder(t, buyer.ID, p.ID, 3)
			}
			before := ordersProduct(t, s, p.ID)
			r, err := s.Orders.UpdateProductWithResponse(t.Context(), p.ID, &orders.UpdateProductParams{IfMatch: test.header},
				orders.ProductChange{Stock: new(int64(50)), PriceCents: new(int64(1))})
			if test.status == http.StatusOK {
				ordersWant(t, "patch", r, err, http.StatusOK)
				ordersWantStock(t, s, p.ID, 50)
				return
			}
			ordersRefused(t, "patch", r, err, test.status, common.CodePreconditionFailed)
			if got := ordersProduct(t, s, p.ID); got != before {
				t.Errorf("after the refusal: got %+v, want %+v", got, before)
			}
			ordersAudit(t, w)
		})
	}
}

// A patch that was made from a representation before the sale would sell the sold units twice.
func TestProductETagChangesWithEverySale(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "P", 100, 10)
	seen := map[string]string{}
	look := func(when string) {
		t.Helper()
		r, err := s.Orders.GetProductWithResponse(t.Context(), p.ID)
		ordersWant(t, when, r, err, http.StatusOK)
		if before, ok := seen[r.Headers200.ETag]; ok {
			t.Errorf("%s: got the ETag %s of %q", when, r.Headers200.ETag, before)
		}
		seen[r.Headers200.ETag] = when
	}
	look("new")
	order := s.CreateOrder(t, buyer.ID, p.ID, 1)
	look("sold")
	ordersCanceled(t, s, order.ID)
	look("given back")
	ordersPatched(t, s, p.ID, orders.ProductChange{Name: new("Other")})
	look("renamed")
}

func TestProductSKU(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	create := func(sku string) (ordersReply, error) {
		return s.Orders.CreateProductWithResponse(t.Context(), nil, orders.ProductInput{SKU: sku, Name: "x", PriceCents: 1, Stock: 1})
	}
	for _, sku := range []string{"abc", "ABC", "Abc"} { // three products: case counts
		r, err := create(sku)
		ordersWant(t, "create "+sku, r, err, http.StatusCreated)
	}
	r, err := create("ABC")
	ordersRefused(t, "create ABC again", r, err, http.StatusConflict, common.CodeSKUTaken, "sku")
	ordersAudit(t, w)
}

func TestProductSearch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	for sku, name := range map[string]string{
		"DRILL-18V": "Taladro sin cable", "HAMMER_16": "MARTILLO de uña", "SAW.190": "Sierra 100% acero", "BOX-1": "Caja, ¡100 piezas!", "STR-1": "Straße",
	} {
		r, err := s.Orders.CreateProductWithResponse(t.Context(), nil, orders.ProductInput{SKU: sku, Name: name, PriceCents: 1, Stock: 1})
		ordersWant(t, "create "+sku, r, err, http.StatusCreated)
	}
	for search, want := range map[string][]string{
		"drill":      {"DRILL-18V"},
		"DRILL-18v":  {"DRILL-18V"},
		"martillo":   {"HAMMER_16"},
		"UNA":        {"HAMMER_16"},
		"uña":        {"HAMMER_16"},
		"sín CÁBLE":  {"DRILL-18V"},
		"strasse":    {"STR-1"},
		"100":        {"SAW.190", "BOX-1"},
		"%":          {"SAW.190"},
		"100%":       {"SAW.190"},
		"_":          {"HAMMER_16"},
		"!":          {"BOX-1"},
		"1_":         {},
		"%a%":        {},
		`\`:          {},
		"'":          {},
		"-1":         {"DRILL-18V", "BOX-1", "STR-1"},
		" ":          {"DRILL-18V", "HAMMER_16", "SAW.190", "BOX-1"},
		"no such":    {},
		"18vTaladro": {}, // a match does not reach over both fields
	} {
		r, err := s.Orders.ListProductsWithResponse(t.Context(), &orders.ListProductsParams{Search: &search})
		ordersWant(t, "search "+search, r, err, http.StatusOK)
		got := []string{}
		for _, p := range r.JSON200.Data {
			got = append(got, p.SKU)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) || r.JSON200.NextCursor != nil {
			t.Errorf("search %q: got %q, want %q on the only page: %s", search, got, want, r.Body)
		}
	}
	hammer, err := s.Orders.ListProductsWithResponse(t.Context(), &orders.ListProductsParams{Search: new("hammer")})
	ordersWant(t, "search", hammer, err, http.StatusOK)
	ordersPatched(t, s, hammer.JSON200.Data[0].ID, orders.ProductChange{Name: new("Maza")})
	for search, want := range map[string]int{"martillo": 0, "maza": 1, "hammer_": 1} {
		r, err := s.Orders.ListProductsWithResponse(t.Context(), &orders.ListProductsParams{Search: &search})
		ordersWant(t, "search "+search, r, err, http.StatusOK)
		if got := len(r.JSON200.Data); got != want {
			t.Errorf("search %q after the change of name: got %d, want %d: %s", search, got, want, r.Body)
		}
	}
}

func TestProductPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	var all []int64
	for i := range 21 {
		all = append(all, s.CreateProduct(t, fmt.Sprintf("P-%d", i), 1, 1).ID)
	}
	walk := func(p orders.ListProductsParams, between func()) (ids []int64, sizes []int) {
		for {
			r, err := s.Orders.ListProductsWithResponse(t.Context(), &p)
			ordersWant(t, "list", r, err, http.StatusOK)
			for _, product := range r.JSON200.Data {
				ids = append(ids, product.ID)
			}
			sizes = append(sizes, len(r.JSON200.Data))
			if len(sizes) > 100 {
				t.Fatalf("list: no end after %d pages: %v", len(sizes), ids)
			}
			if p.Cursor = r.JSON200.NextCursor; p.Cursor == nil {
				return ids, sizes
			}
			between()
		}
	}
	for _, test := range []struct {
		limit *int32
		sizes []int
	}{
		{nil, []int{20, 1}},
		{new(int32(10)), []int{10, 10, 1}},
		{new(int32(7)), []int{7, 7, 7}}, // no empty page at the end
		{new(int32(21)), []int{21}},
		{new(int32(100)), []int{21}},
		{new(int32(1)), slices.Repeat([]int{1}, 21)},
	} {
		ids, sizes := walk(orders.ListProductsParams{Limit: test.limit}, func() {})
		if !slices.Equal(ids, all) || !slices.Equal(sizes, test.sizes) {
			t.Errorf("pages: got %v of sizes %v, want %v of sizes %v", ids, sizes, all, test.sizes)
		}
	}
	added := false
	ids, _ := walk(orders.ListProductsParams{Limit: new(int32(15)), Search: new("p-")}, func() {
		if !added {
			added = true
			all = append(all, s.CreateProduct(t, "P-NEW", 1, 1).ID)
		}
	})
	if !slices.Equal(ids, all) {
		t.Errorf("pages with a new product in between: got %v, want %v", ids, all)
	}
}

func TestProductListRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "P", 1, 10)
	s.CreateOrder(t, buyer.ID, p.ID, 1)
	s.CreateOrder(t, buyer.ID, p.ID, 1)
	page, err := s.Orders.ListOrdersWithResponse(t.Context(), &orders.ListOrdersParams{Limit: new(int32(1))})
	ordersWant(t, "list orders", page, err, http.StatusOK)
	for query, field := range map[string]string{
		"limit=0": "limit", "limit=101": "limit", "limit=x": "limit",
		"cursor=x": "cursor", "cursor=***": "cursor", "cursor=" + *page.JSON200.NextCursor: "cursor",
		"search=%0A": "search", "search=" + strings.Repeat("x", 101): "search",
		"status=CREATED": "status", "page=2": "page",
	} {
		r := ordersRaw(t, w, s, http.MethodGet, "/products?"+query, nil, nil)
		ordersWant(t, query, r, nil, http.StatusBadRequest)
		if !bytes.Contains(r.body, []byte(`"field":"`+field+`"`)) {
			t.Errorf("%s: got %s, want errors about %s", query, r.body, field)
		}
	}
}

func TestProductRoles(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	admin, viewer := w.Login("admin"), w.Login("viewer")
	p := admin.CreateProduct(t, "P", 1, 10)
	for name, test := range map[string]struct {
		session     *call.Client
		read, write int
	}{
		"viewer":   {viewer, http.StatusOK, http.StatusForbidden},
		"no token": {w.With(""), http.StatusUnauthorized, http.StatusUnauthorized},
		"no JWT":   {w.With("x.y.z"), http.StatusUnauthorized, http.StatusUnauthorized},
		"service":  {w.With(world.ServiceToken), http.StatusUnauthorized, http.StatusUnauthorized},
	} {
		o := test.session.Orders
		get, err := o.GetProductWithResponse(t.Context(), p.ID)
		ordersWant(t, name+" gets", get, err, test.read)
		list, err := o.ListProductsWithResponse(t.Context(), nil)
		ordersWant(t, name+" lists", list, err, test.read)
		create, err := o.CreateProductWithResponse(t.Context(), nil, orders.ProductInput{SKU: "Q", Name: "x", PriceCents: 1, Stock: 1})
		ordersWant(t, name+" creates", create, err, test.write)
		patch, err := o.UpdateProductWithResponse(t.Context(), p.ID, nil, orders.ProductChange{Stock: new(int64(99))})
		ordersWant(t, name+" patches", patch, err, test.write)
	}
	ordersWantStock(t, admin, p.ID, 10)
}

// 413 and 415, on every operation of orders-api that takes a body.
func TestOrdersBodyForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "P", 1, 10)
	order := s.CreateOrder(t, buyer.ID, p.ID, 1)
	for _, operation := range []struct{ method, path string }{
		{http.MethodPost, "/products"},
		{http.MethodPatch, fmt.Sprintf("/products/%d", p.ID)},
		{http.MethodPost, "/orders"},
		{http.MethodPost, fmt.Sprintf("/orders/%d/confirm", order.ID)},
		{http.MethodPost, fmt.Sprintf("/orders/%d/cancel", order.ID)},
	} {
		send := func(contentType string, body []byte) ordersAnswer {
			header := map[string]string{"Content-Type": contentType, "Idempotency-Key": "k"}
			return ordersRaw(t, w, s, operation.method, operation.path, header, body)
		}
		what := operation.method + " " + operation.path
		large := []byte(`{"name":"` + strings.Repeat("x", 1<<20) + `"}`)
		ordersRefused(t, what, send("application/json", large), nil, http.StatusRequestEntityTooLarge, common.CodeBodyTooLarge)
		for _, contentType := range []string{"text/plain", "application/xml", "application/x-www-form-urlencoded", ""} {
			ordersRefused(t, what, send(contentType, []byte(`{}`)), nil, http.StatusUnsupportedMediaType, common.CodeUnsupportedMediaType)
		}
	}
	if got := ordersGet(t, s, order.ID); got.Status != orders.StatusCreated {
		t.Errorf("after all refusals: got %s, want CREATED", got.Status)
	}
}
