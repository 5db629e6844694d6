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
	var product orders.Product
	created := call.Read(s.Orders.CreateProduct(t.Context(), nil, in)).Want(t, http.StatusCreated, &product)
	p := product
	if p.SKU != in.SKU || p.Name != in.Name || p.PriceCents != in.PriceCents || p.Stock != in.Stock || p.CreatedAt != p.UpdatedAt {
		t.Errorf("created %s, want %+v and two equal times", created.Body, in)
	}
	if got, want := created.Header.Get("Location"), fmt.Sprintf("/products/%d", p.ID); got != want {
		t.Errorf("Location: got %s, want %s", got, want)
	}
	read := call.Read(s.Orders.GetProduct(t.Context(), p.ID)).Want(t, http.StatusOK)
	if !bytes.Equal(read.Body, created.Body) || read.Header.Get("ETag") != created.Header.Get("ETag") {
		t.Errorf("get: got %s %s, want what was created: %s %s", read.Header.Get("ETag"), read.Body, created.Header.Get("ETag"), created.Body)
	}
	audit(t, w)
}

// The largest and smallest values that the contract allows.
func TestProductBounds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	for _, in := range []orders.ProductInput{
		{SKU: "0", Name: "x", PriceCents: 0, Stock: 0},
		{SKU: strings.Repeat("Z", 64), Name: strings.Repeat("ñ", 200), PriceCents: 1e11, Stock: 1e9},
		{SKU: "a.b_c-d", Name: `"%_!\' ü 漢字 🔩`, PriceCents: 1, Stock: 1},
	} {
		var created orders.Product
		call.Read(s.Orders.CreateProduct(t.Context(), nil, in)).Want(t, http.StatusCreated, &created)
		p := s.GetProduct(t, created.ID)
		if got := (orders.ProductInput{SKU: p.SKU, Name: p.Name, PriceCents: p.PriceCents, Stock: p.Stock}); got != in {
			t.Errorf("got %+v, want %+v", got, in)
		}
	}
	audit(t, w)
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
			var product orders.Product
			changed := call.Read(s.Orders.UpdateProduct(t.Context(), before.ID, nil, test.change)).Want(t, http.StatusOK, &product)
			want := before
			test.want(&want)
			want.UpdatedAt = product.UpdatedAt
			if product != want || !want.UpdatedAt.After(before.UpdatedAt.Time) {
				t.Errorf("got %s, want %+v, updated after %s", changed.Body, want, before.UpdatedAt)
			}
			if got := changed.Header.Get("ETag"); got != `"2"` {
				t.Errorf(`ETag: got %s, want "2"`, got)
			}
			if got := s.GetProduct(t, before.ID); got != want {
				t.Errorf("get: got %+v, want %+v", got, want)
			}
			audit(t, w)
		})
	}
}

func TestProductRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	drill := s.CreateProduct(t, "DRILL", 100, 10)
	create := func(body string) call.Response {
		return call.Read(s.Orders.CreateProductWithBody(t.Context(), nil, "application/json", strings.NewReader(body)))
	}
	patch := func(body string) call.Response {
		return call.Read(s.Orders.UpdateProductWithBody(t.Context(), drill.ID, nil, "application/json", strings.NewReader(body)))
	}
	for _, test := range []struct {
		send   func(string) call.Response
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
		test.send(test.body).WantInvalid(t, test.fields...)
	}
	if got := s.GetProduct(t, drill.ID); got != drill {
		t.Errorf("after all refusals: got %+v, want %+v", got, drill)
	}
	var productPage orders.ProductPage
	page := call.Read(s.Orders.ListProducts(t.Context(), nil)).Want(t, http.StatusOK, &productPage)
	if got := len(productPage.Data); got != 1 {
		t.Errorf("after all refusals: got %d products, want 1: %s", got, page.Body)
	}
	var empty orders.Product
	if r := create(`{"sku":"NONE","name":"x","price_cents":1}`).Want(t, http.StatusCreated, &empty); empty.Stock != 0 {
		t.Errorf("got %s, want 0 in stock", r)
	}
}

func TestProductUnknown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	for _, id := range []int64{1, 1<<53 - 1} {
		call.Read(s.Orders.GetProduct(t.Context(), id)).WantProblem(t, http.StatusNotFound, common.CodeProductNotFound)
		call.Read(s.Orders.UpdateProduct(t.Context(), id, &orders.UpdateProductParams{IfMatch: new("*")}, orders.ProductChange{Stock: new(int64(1))})).WantProblem(t, http.StatusNotFound, common.CodeProductNotFound)
	}
	for _, id := range []string{"0", "-1", "x", "1.5", "9007199254740992"} {
		s.Send(t, "orders", http.MethodGet, "/products/"+id, "").WantInvalid(t, "id")
		s.Send(t, "orders", http.MethodPatch, "/products/"+id, `{"stock":1}`).WantInvalid(t, "id")
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
			before := s.GetProduct(t, p.ID)
			r := call.Read(s.Orders.UpdateProduct(t.Context(), p.ID, &orders.UpdateProductParams{IfMatch: test.header},
				orders.ProductChange{Stock: new(int64(50)), PriceCents: new(int64(1))}))
			if test.status == http.StatusOK {
				r.Want(t, http.StatusOK)
				s.WantStock(t, p.ID, 50)
				return
			}
			r.WantProblem(t, test.status, common.CodePreconditionFailed)
			if got := s.GetProduct(t, p.ID); got != before {
				t.Errorf("after the refusal: got %+v, want %+v", got, before)
			}
			audit(t, w)
		})
	}
}

// A patch based on a representation from before a sale would restore the sold units.
func TestProductETagChangesWithEverySale(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer, p := s.CreateCustomer(t, "a@example.com"), s.CreateProduct(t, "P", 100, 10)
	seen := map[string]string{}
	look := func(when string) {
		t.Helper()
		r := call.Read(s.Orders.GetProduct(t.Context(), p.ID)).Want(t, http.StatusOK)
		if before, ok := seen[r.Header.Get("ETag")]; ok {
			t.Errorf("%s: got the ETag %s of %q", when, r.Header.Get("ETag"), before)
		}
		seen[r.Header.Get("ETag")] = when
	}
	look("new")
	order := s.CreateOrder(t, buyer.ID, p.ID, 1)
	look("sold")
	s.CancelOrder(t, order.ID)
	look("given back")
	s.ChangeProduct(t, p.ID, orders.ProductChange{Name: new("Other")})
	look("renamed")
}

func TestProductSKU(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	for _, sku := range []string{"abc", "ABC", "Abc"} { // three products: SKUs are case-sensitive
		s.CreateProduct(t, sku, 1, 1)
	}
	again := orders.ProductInput{SKU: "ABC", Name: "x", PriceCents: 1, Stock: 1}
	call.Read(s.Orders.CreateProduct(t.Context(), nil, again)).WantProblem(t, http.StatusConflict, common.CodeSKUTaken, "sku")
	audit(t, w)
}

func TestProductSearch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	for sku, name := range map[string]string{
		"DRILL-18V": "Taladro sin cable", "HAMMER_16": "MARTILLO de uña", "SAW.190": "Sierra 100% acero", "BOX-1": "Caja, ¡100 piezas!", "STR-1": "Straße",
	} {
		call.Read(s.Orders.CreateProduct(t.Context(), nil, orders.ProductInput{SKU: sku, Name: name, PriceCents: 1, Stock: 1})).Want(t, http.StatusCreated)
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
		"18vTaladro": {}, // a match does not span both fields
	} {
		var productPage orders.ProductPage
		r := call.Read(s.Orders.ListProducts(t.Context(), &orders.ListProductsParams{Search: &search})).Want(t, http.StatusOK, &productPage)
		got := []string{}
		for _, p := range productPage.Data {
			got = append(got, p.SKU)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) || productPage.NextCursor != nil {
			t.Errorf("search %q: got %q, want %q on the only page: %s", search, got, want, r.Body)
		}
	}
	var hammer orders.ProductPage
	call.Read(s.Orders.ListProducts(t.Context(), &orders.ListProductsParams{Search: new("hammer")})).Want(t, http.StatusOK, &hammer)
	s.ChangeProduct(t, hammer.Data[0].ID, orders.ProductChange{Name: new("Maza")})
	for search, want := range map[string]int{"martillo": 0, "maza": 1, "hammer_": 1} {
		var rBody orders.ProductPage
		r := call.Read(s.Orders.ListProducts(t.Context(), &orders.ListProductsParams{Search: &search})).Want(t, http.StatusOK, &rBody)
		if got := len(rBody.Data); got != want {
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
			var r orders.ProductPage
			call.Read(s.Orders.ListProducts(t.Context(), &p)).Want(t, http.StatusOK, &r)
			for _, product := range r.Data {
				ids = append(ids, product.ID)
			}
			sizes = append(sizes, len(r.Data))
			if len(sizes) > 100 {
				t.Fatalf("list: no end after %d pages: %v", len(sizes), ids)
			}
			if p.Cursor = r.NextCursor; p.Cursor == nil {
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
	var page orders.OrderPage
	call.Read(s.Orders.ListOrders(t.Context(), &orders.ListOrdersParams{Limit: new(int32(1))})).Want(t, http.StatusOK, &page)
	for query, field := range map[string]string{
		"limit=0": "limit", "limit=101": "limit", "limit=x": "limit",
		"cursor=x": "cursor", "cursor=***": "cursor", "cursor=" + *page.NextCursor: "cursor",
		"search=%0A": "search", "search=" + strings.Repeat("x", 101): "search",
		"status=CREATED": "status", "page=2": "page",
	} {
		s.Send(t, "orders", http.MethodGet, "/products?"+query, "").WantInvalid(t, field)
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
		t.Log(name)
		o := test.session.Orders
		call.Read(o.GetProduct(t.Context(), p.ID)).Want(t, test.read)
		call.Read(o.ListProducts(t.Context(), nil)).Want(t, test.read)
		call.Read(o.CreateProduct(t.Context(), nil, orders.ProductInput{SKU: "Q", Name: "x", PriceCents: 1, Stock: 1})).Want(t, test.write)
		call.Read(o.UpdateProduct(t.Context(), p.ID, nil, orders.ProductChange{Stock: new(int64(99))})).Want(t, test.write)
	}
	admin.WantStock(t, p.ID, 10)
}

// Every operation of orders-api that takes a body answers 413 and 415.
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
		send := func(contentType, body string) call.Response {
			return call.Send(t, w.HTTP("orders"), operation.method, w.OrdersURL+operation.path, strings.NewReader(body),
				"Authorization", "Bearer "+s.Token, "Content-Type", contentType, "Idempotency-Key", "k")
		}
		large := `{"name":"` + strings.Repeat("x", 1<<20) + `"}`
		send("application/json", large).WantProblem(t, http.StatusRequestEntityTooLarge, common.CodeBodyTooLarge)
		for _, contentType := range []string{"text/plain", "application/xml", "application/x-www-form-urlencoded", ""} {
			send(contentType, `{}`).WantProblem(t, http.StatusUnsupportedMediaType, common.CodeUnsupportedMediaType)
		}
	}
	if got := s.GetOrder(t, order.ID); got.Status != orders.StatusCreated {
		t.Errorf("after all refusals: got %s, want CREATED", got.Status)
	}
}

// The contract has room for the largest shortage, that of a stock_delta.
func TestLargestShortage(t *testing.T) {
	t.Parallel()
	s := newWorld(t, world.Options{}).Login("admin")
	product := s.CreateProduct(t, "DRILL", 100, 5)
	change := orders.ProductChange{StockDelta: new(int64(-1_000_000_000))}
	p := call.Read(s.Orders.UpdateProduct(t.Context(), product.ID, nil, change)).WantProblem(t, http.StatusConflict, common.CodeInsufficientStock)
	if want := (common.Shortage{ProductID: product.ID, Requested: 1_000_000_000, Available: 5}); len(*p.Shortages) != 1 || (*p.Shortages)[0] != want {
		t.Errorf("got %+v, want %+v", *p.Shortages, want)
	}
}
