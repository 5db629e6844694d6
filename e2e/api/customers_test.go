package api

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/gen/orders"
)

func TestCustomerCreate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	for _, input := range []customers.CustomerInput{
		{Name: "ACME Ferretería", Email: "Compras@ACME.example", Phone: new("+54 11 5555-0101")},
		{Name: "ñ", Email: "a@b"},
		{Name: "株式会社 “Ñandú” 🛠 <b>&amp;</b> ' OR 1=1 --", Email: `"x';--%_\!"@ñ.example`, Phone: new("(0) 1.2-3")},
		{Name: strings.Repeat("é", 200), Email: strings.Repeat("e", 242) + "@acme.exampl", Phone: new(strings.Repeat("1", 32))},
	} {
		before := w.Clock.Now()
		var created customers.Customer
		r := call.Read(s.Customers.CreateCustomer(t.Context(), nil, input)).Want(t, http.StatusCreated, &created)
		if created.Name != input.Name || created.Email != input.Email || optional(created.Phone) != optional(input.Phone) {
			t.Errorf("created %s, want %+v", r.Body, input)
		}
		if created.CreatedAt != created.UpdatedAt || created.CreatedAt.Before(before) || created.CreatedAt.After(w.Clock.Now()) {
			t.Errorf("created at %s, updated at %s, want now", created.CreatedAt, created.UpdatedAt)
		}
		if want := fmt.Sprintf("/customers/%d", created.ID); r.Header.Get("Location") != want || r.Header.Get("ETag") != `"1"` {
			t.Errorf("created with Location %q and ETag %q, want %q and \"1\"", r.Header.Get("Location"), r.Header.Get("ETag"), want)
		}
		if r.Replayed() {
			t.Error("the first response has Idempotency-Replayed")
		}
		read := call.Send(t, w.HTTP("customers"), http.MethodGet, w.CustomersURL+r.Header.Get("Location"), nil, "Authorization", "Bearer "+s.Token)
		if read.Status != http.StatusOK || read.Header.Get("ETag") != r.Header.Get("ETag") || !bytes.Equal(bytes.TrimSpace(read.Body), bytes.TrimSpace(r.Body)) {
			t.Errorf("GET %s: got %s %v, want what was created, %s", r.Header.Get("Location"), read, read.Header, r.Body)
		}
	}
}

func TestCustomerBadInput(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	there := s.CreateCustomer(t, "there@acme.example")
	plain := w.HTTP("customers")
	for _, test := range []struct {
		body   string
		fields []string
	}{
		{`{}`, []string{"email", "name"}},
		{`{"name":"N"}`, []string{"email"}},
		{`{"name":"","email":""}`, []string{"email", "name"}},
		{`{"name":null,"email":null}`, []string{"email", "name"}},
		{`{"name":" N","email":"n@acme.example"}`, []string{"name"}},
		{`{"name":"N\t","email":"n@acme.example"}`, []string{"name"}},
		{`{"name":"a\nb","email":"n@acme.example"}`, []string{"name"}},
		{`{"name":"a\u0000b","email":"n@acme.example"}`, []string{"name"}},
		{`{"name":"` + strings.Repeat("é", 201) + `","email":"n@acme.example"}`, []string{"name"}},
		{`{"name":"N","email":"acme.example"}`, []string{"email"}},
		{`{"name":"N","email":"a@b@c"}`, []string{"email"}},
		{`{"name":"N","email":"a b@c"}`, []string{"email"}},
		{`{"name":"N","email":"@c"}`, []string{"email"}},
		{`{"name":"N","email":"` + strings.Repeat("e", 250) + `@acme"}`, []string{"email"}},
		{`{"name":"N","email":"n@acme.example","phone":"11\n22"}`, []string{"phone"}},
		{`{"name":"N","email":"n@acme.example","phone":12345}`, []string{"phone"}},
		{`{"name":"N","email":"n@acme.example","phone":"` + strings.Repeat("1", 33) + `"}`, []string{"phone"}},
		{`{"name":"N","email":"n@acme.example","id":7}`, []string{"id"}},
		{`{"name":"N","email":"n@acme.example","active_email":null}`, []string{"active_email"}},
		{`{"name":7,"email":{},"phone":[],"x":1}`, []string{"email", "name", "phone", "x"}},
	} {
		t.Run(test.body[:min(len(test.body), 60)], func(t *testing.T) {
			t.Parallel()
			call.Send(t, plain, http.MethodPost, w.CustomersURL+"/customers", strings.NewReader(test.body), call.JSON(s.Token)...).WantInvalid(t, test.fields...)
			if test.body == `{}` || test.body == `{"name":"N"}` { // a change may leave out fields
				return
			}
			url := fmt.Sprintf("%s/customers/%d", w.CustomersURL, there.ID)
			for _, method := range []string{http.MethodPut, http.MethodPatch} {
				call.Send(t, plain, method, url, strings.NewReader(test.body), call.JSON(s.Token)...).WantInvalid(t, test.fields...)
			}
		})
	}
}

func TestCustomerEmailIsUnique(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	first := s.CreateCustomer(t, "compras@acme.example")
	second := s.CreateCustomer(t, "ñandú@acme.example")

	for _, email := range []string{"compras@acme.example", "COMPRAS@Acme.Example", "Ñandú@acme.example", "ÑANDÚ@ACME.EXAMPLE"} {
		r := call.Read(s.Customers.CreateCustomer(t.Context(), nil, customers.CustomerInput{Name: "N", Email: email}))
		r.WantProblem(t, http.StatusConflict, common.CodeEmailTaken, "email")
	}
	// Addresses that differ in an accent differ.
	s.CreateCustomer(t, "nandu@acme.example")

	for _, test := range []struct {
		id    int64
		email string
		want  int
	}{
		{second.ID, "compras@acme.example", http.StatusConflict},
		{second.ID, "Compras@ACME.example", http.StatusConflict},
		{first.ID, "ÑANDÚ@acme.example", http.StatusConflict},
		{first.ID, "compras@acme.example", http.StatusOK}, // its own
		{first.ID, "COMPRAS@ACME.EXAMPLE", http.StatusOK}, // its own, in upper case
		{first.ID, "nueva@acme.example", http.StatusOK},
		{second.ID, "compras@acme.example", http.StatusOK}, // no longer taken
		{first.ID, "Compras@acme.example", http.StatusConflict},
	} {
		get := func() call.Response {
			return call.Read(s.Customers.GetCustomer(t.Context(), test.id)).Want(t, http.StatusOK)
		}
		before := get()
		r := call.Read(s.Customers.ReplaceCustomer(t.Context(), test.id, nil, customers.CustomerChange{Name: new("Renamed"), Email: &test.email}))
		if test.want == http.StatusOK {
			var changed customers.Customer
			if r.Want(t, http.StatusOK, &changed); changed.Email != test.email {
				t.Errorf("got %s, want the address %s", r, test.email)
			}
			continue
		}
		r.WantProblem(t, test.want, common.CodeEmailTaken, "email")
		if after := get(); !after.Same(before) {
			t.Errorf("after the refusal: got %s, want %s", after, before)
		}
	}
}

// TestCustomerChange sends some of the fields with PUT and PATCH. The others must not change.
func TestCustomerChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	create := func(in customers.CustomerInput) (created customers.Customer) {
		call.Read(s.Customers.CreateCustomer(t.Context(), nil, in)).Want(t, http.StatusCreated, &created)
		return created
	}
	created := create(customers.CustomerInput{Name: "ACME", Email: "a@acme.example", Phone: new("ext. 7, ask for Ana")})
	if optional(created.Phone) != "ext. 7, ask for Ana" {
		t.Errorf("created %+v, want it with its phone", created)
	}
	path := fmt.Sprintf("/customers/%d", created.ID)
	version := 1
	for _, method := range []string{http.MethodPut, http.MethodPatch} {
		for _, test := range []struct{ body, name, email, phone string }{
			{`{"name":"ACME","email":"a@acme.example","phone":"7"}`, "ACME", "a@acme.example", "7"},
			{`{"name":"ACME S.A."}`, "ACME S.A.", "a@acme.example", "7"},
			{`{"email":"b@acme.example"}`, "ACME S.A.", "b@acme.example", "7"},
			{`{"phone":"whenever"}`, "ACME S.A.", "b@acme.example", "whenever"},
			{`{"phone":"whenever"}`, "ACME S.A.", "b@acme.example", "whenever"}, // equal values are a change too
			{`{"phone":null}`, "ACME S.A.", "b@acme.example", "none"},
			{`{"phone":"x"}`, "ACME S.A.", "b@acme.example", "x"},
			{`{"phone":""}`, "ACME S.A.", "b@acme.example", "none"},
		} {
			var got customers.Customer
			r := s.Send(t, "customers", method, path, test.body).Want(t, http.StatusOK, &got)
			version++
			if got.ID != created.ID || got.Name != test.name || got.Email != test.email || optional(got.Phone) != test.phone {
				t.Errorf("got %s, want %+v", r, test)
			}
			if got.CreatedAt != created.CreatedAt || !got.UpdatedAt.After(created.UpdatedAt.Time) {
				t.Errorf("got %s, want created_at %s and a later updated_at", r, created.CreatedAt)
			}
			read := call.Read(s.Customers.GetCustomer(t.Context(), got.ID)).Want(t, http.StatusOK)
			if !bytes.Equal(read.Body, r.Body) || read.Header.Get("ETag") != fmt.Sprintf(`"%d"`, version) {
				t.Errorf("got %s with ETag %s, want version %d: %s", read, read.Header.Get("ETag"), version, r.Body)
			}
		}
		for _, body := range []string{`{}`, `{"name":null}`, `{"name":""}`, `{"phone":7}`, `{"id":2}`} {
			s.Send(t, "customers", method, path, body).Want(t, http.StatusBadRequest)
		}
	}
	if c := create(customers.CustomerInput{Name: "N", Email: "c@acme.example", Phone: new("")}); c.Phone != nil {
		t.Errorf("created %+v, want no phone", c)
	}
	id := created.ID
	other := s.CreateCustomer(t, "other@acme.example")
	for what, test := range map[string]struct {
		id     int64
		match  *string
		change customers.CustomerChange
		want   int
	}{
		"of another": {id, nil, customers.CustomerChange{Email: &other.Email}, http.StatusConflict},
		"unknown":    {other.ID + 1, nil, customers.CustomerChange{Name: new("N")}, http.StatusNotFound},
		"stale":      {id, new(`"1"`), customers.CustomerChange{Name: new("N")}, http.StatusPreconditionFailed},
		"fresh":      {other.ID, new(`"1"`), customers.CustomerChange{Name: new("N")}, http.StatusOK},
	} {
		t.Log(what)
		call.Read(s.Customers.UpdateCustomer(t.Context(), test.id, &customers.UpdateCustomerParams{IfMatch: test.match}, test.change)).Want(t, test.want)
	}
	unknown := call.Read(s.Customers.ReplaceCustomer(t.Context(), other.ID+1, &customers.ReplaceCustomerParams{IfMatch: new(`"1"`)}, customers.CustomerChange{Name: new("N")}))
	unknown.WantProblem(t, http.StatusNotFound, common.CodeCustomerNotFound)
}

func TestCustomerIfMatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	for i, test := range []struct {
		ifMatch string // the customer is at "2"
		want    int
	}{
		{`"2"`, http.StatusOK},
		{` "2" `, http.StatusOK},
		{`*`, http.StatusOK},
		{`"1", "2"`, http.StatusOK},
		{`"1","2","3"`, http.StatusOK},
		{`"1"`, http.StatusPreconditionFailed},
		{`"3"`, http.StatusPreconditionFailed},
		{`"1", "3"`, http.StatusPreconditionFailed},
		{`W/"2"`, http.StatusPreconditionFailed}, // If-Match compares strongly (RFC 9110, 13.1.1)
		{`"1", W/"2"`, http.StatusPreconditionFailed},
		{`2`, http.StatusPreconditionFailed},
		{`"02"`, http.StatusPreconditionFailed},
		{`"2`, http.StatusPreconditionFailed},
		{strings.Repeat(`"x", `, 120), http.StatusBadRequest},
		{"\"2\"\x80", http.StatusBadRequest},
	} {
		t.Run(test.ifMatch[:min(len(test.ifMatch), 20)], func(t *testing.T) {
			t.Parallel()
			customer := s.CreateCustomer(t, fmt.Sprintf("%d@acme.example", i))
			second, third := customers.CustomerChange{Name: new("Second")}, customers.CustomerChange{Name: new("Third")}
			before := call.Read(s.Customers.ReplaceCustomer(t.Context(), customer.ID, nil, second)).Want(t, http.StatusOK)
			if before.Header.Get("ETag") != `"2"` {
				t.Fatalf("got %s with ETag %s, want version 2", before, before.Header.Get("ETag"))
			}
			r := call.Read(s.Customers.ReplaceCustomer(t.Context(), customer.ID, &customers.ReplaceCustomerParams{IfMatch: &test.ifMatch}, third))
			want := before.Body
			switch test.want {
			case http.StatusOK:
				want = r.Want(t, http.StatusOK).Body
			case http.StatusPreconditionFailed:
				r.WantProblem(t, http.StatusPreconditionFailed, common.CodePreconditionFailed)
			default:
				r.WantInvalid(t, "If-Match")
			}
			after := call.Read(s.Customers.GetCustomer(t.Context(), customer.ID)).Want(t, http.StatusOK)
			if !bytes.Equal(after.Body, want) {
				t.Errorf("afterwards: got %s, want %s", after, want)
			}
		})
	}
}

func TestCustomerDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	kept := s.CreateCustomer(t, "kept@acme.example")
	deleted := s.CreateCustomer(t, "compras@acme.example")

	if r := call.Read(s.Customers.DeleteCustomer(t.Context(), deleted.ID, nil)).Want(t, http.StatusNoContent); len(r.Body) != 0 {
		t.Errorf("got %s, want no body", r)
	}
	service := w.With(world.ServiceToken)
	for _, r := range []call.Response{
		call.Read(s.Customers.GetCustomer(t.Context(), deleted.ID)),
		call.Read(s.Customers.ReplaceCustomer(t.Context(), deleted.ID, nil, customers.CustomerChange{Name: new("N")})),
		call.Read(s.Customers.DeleteCustomer(t.Context(), deleted.ID, nil)),
		call.Read(service.Customers.GetCustomerInternal(t.Context(), deleted.ID)),
	} {
		r.WantProblem(t, http.StatusNotFound, common.CodeCustomerNotFound)
	}
	for _, params := range []*customers.ListCustomersParams{nil, {Search: new("acme")}} {
		if list := customerIDs(t, s, params); !slices.Equal(list, []int64{kept.ID}) {
			t.Errorf("list: got %d, want %d alone", list, kept.ID)
		}
	}
	reused := s.CreateCustomer(t, "Compras@acme.example")
	if reused.ID <= deleted.ID {
		t.Errorf("got customer %d for the reused address, want an id after %d", reused.ID, deleted.ID)
	}
	s.DeleteCustomer(t, reused.ID)
	if last := s.CreateCustomer(t, "compras@acme.example"); last.ID <= reused.ID {
		t.Errorf("got customer %d, want an id after %d", last.ID, reused.ID)
	}
}

func TestCustomerPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	if list := customerIDs(t, s, nil); len(list) != 0 {
		t.Errorf("list without customers: got %d, want none", list)
	}
	var all []int64
	for i := range 7 {
		// Neither names nor addresses sort like the ids.
		all = append(all, s.CreateCustomer(t, fmt.Sprintf("%c@acme.example", 'm'+rune(i*5%7))).ID)
	}
	gone := all[3]
	s.DeleteCustomer(t, gone)
	all = slices.Delete(all, 3, 4)

	for limit := int32(1); limit <= 7; limit++ {
		var sizes []int
		pages := customerPages(t, s, customers.ListCustomersParams{Limit: &limit})
		for _, page := range pages {
			sizes = append(sizes, len(page))
		}
		if got := slices.Concat(pages...); !slices.Equal(got, all) {
			t.Errorf("limit %d: got %d, want %d, each once and in the order of the ids", limit, got, all)
		}
		// A full page that ends with the last customer is the last page.
		if want := (len(all) + int(limit) - 1) / int(limit); len(pages) != want {
			t.Errorf("limit %d: got pages of %d, want %d pages", limit, sizes, want)
		}
	}

	// Adding or deleting a customer between two pages does not repeat or skip others.
	limit := int32(2)
	var first customers.CustomerPage
	call.Read(s.Customers.ListCustomers(t.Context(), &customers.ListCustomersParams{Limit: &limit})).Want(t, http.StatusOK, &first)
	if first.NextCursor == nil {
		t.Fatalf("got %+v, want more than a page", first)
	}
	s.DeleteCustomer(t, all[1])
	late := s.CreateCustomer(t, "late@acme.example")
	rest := customerIDs(t, s, &customers.ListCustomersParams{Cursor: first.NextCursor})
	if want := append(slices.Clone(all[2:]), late.ID); !slices.Equal(rest, want) {
		t.Errorf("after the first page: got %d, want %d", rest, want)
	}
}

func TestCustomerPageSize(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	for i := range 21 {
		s.CreateCustomer(t, fmt.Sprintf("%d@acme.example", i))
	}
	for _, test := range []struct {
		limit *int32
		want  int
		more  bool
	}{{nil, 20, true}, {new(int32(20)), 20, true}, {new(int32(21)), 21, false}, {new(int32(100)), 21, false}} {
		var page customers.CustomerPage
		r := call.Read(s.Customers.ListCustomers(t.Context(), &customers.ListCustomersParams{Limit: test.limit})).Want(t, http.StatusOK, &page)
		if len(page.Data) != test.want || (page.NextCursor != nil) != test.more {
			t.Errorf("got %s, want %d customers and more to come: %t", r, test.want, test.more)
		}
	}
}

func TestCustomerListBadInput(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	for i := range 2 {
		s.CreateProduct(t, fmt.Sprintf("SKU-%d", i), 100, 1)
	}
	var products orders.ProductPage
	call.Read(s.Orders.ListProducts(t.Context(), &orders.ListProductsParams{Limit: new(int32(1))})).Want(t, http.StatusOK, &products)
	for _, test := range []struct{ query, field string }{
		{"limit=0", "limit"},
		{"limit=101", "limit"},
		{"limit=-1", "limit"},
		{"limit=abc", "limit"},
		{"limit=1.0", "limit"},
		{"limit=1e1", "limit"},
		{"limit=%2B1", "limit"},
		{"limit=01", "limit"},
		{"limit=4294967297", "limit"}, // 1 if truncated to 32 bits
		{"limit=99999999999999999999", "limit"},
		{"cursor=%21", "cursor"},
		{"cursor=nonsense", "cursor"},
		{"cursor=1", "cursor"},
		{"cursor=Yzox%3D", "cursor"},                      // a cursor of this list, padded
		{"cursor=YzowMQ", "cursor"},                       // c:01
		{"cursor=Yzot", "cursor"},                         // c:-
		{"cursor=YzotMQ", "cursor"},                       // c:-1
		{"cursor=YzoxOjE", "cursor"},                      // c:1:1
		{"cursor=YzoxJzstLQ", "cursor"},                   // c:1';--
		{"cursor=Yzo5MjIzMzcyMDM2ODU0Nzc1ODA4", "cursor"}, // c:2^63
		{"cursor=" + strings.Repeat("A", 201), "cursor"},
		{"cursor=" + *products.NextCursor, "cursor"}, // of another list
		{"search=%00", "search"},
		{"search=a%0Ab", "search"},
		{"search=" + strings.Repeat("%C3%A9", 101), "search"},
	} {
		t.Run(test.query[:min(len(test.query), 40)], func(t *testing.T) {
			t.Parallel()
			a := call.Send(t, w.HTTP("customers"), http.MethodGet, w.CustomersURL+"/customers?"+test.query, nil, "Authorization", "Bearer "+s.Token)
			a.WantInvalid(t, test.field)
		})
	}
}

func TestCustomerSearch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	ids := map[string]int64{}
	for name, email := range map[string]string{
		"Ferretería Ñandú":        "compras@ferre.example",
		"Ferreteria Sur":          "VENTAS@Sur.example",
		"100% Café_Bar":           "cafe@bar.example",
		"100 Cafeteras":           "c@feteras.example",
		"Straße & Söhne":          "s@sohne.example",
		`Wow! \o/ Óptica`:         "óptica@wow.example",
		"ÅNGSTRÖM Éclair ΣΊΣΥΦΟΣ": "angstrom@x.example",
	} {
		var created customers.Customer
		call.Read(s.Customers.CreateCustomer(t.Context(), nil, customers.CustomerInput{Name: name, Email: email})).Want(t, http.StatusCreated, &created)
		ids[name] = created.ID
	}
	for _, test := range []struct {
		search string
		want   []string
	}{
		{"ferreteria", []string{"Ferretería Ñandú", "Ferreteria Sur"}},
		{"FERRETERÍA", []string{"Ferretería Ñandú", "Ferreteria Sur"}},
		{"Ferreteri\u0301a", []string{"Ferretería Ñandú", "Ferreteria Sur"}}, // with a combining accent
		{"retería ñ", []string{"Ferretería Ñandú"}},
		{"nandu", []string{"Ferretería Ñandú"}},
		{"ventas@sur", []string{"Ferreteria Sur"}},
		{"@FERRE", []string{"Ferretería Ñandú"}},
		{"optica@", []string{`Wow! \o/ Óptica`}},
		{"strasse", []string{"Straße & Söhne"}},
		{"STRASSE & SOHNE", []string{"Straße & Söhne"}},
		{"ångström", []string{"ÅNGSTRÖM Éclair ΣΊΣΥΦΟΣ"}},
		{"σίσυφος", []string{"ÅNGSTRÖM Éclair ΣΊΣΥΦΟΣ"}},
		{"%", []string{"100% Café_Bar"}},
		{"_", []string{"100% Café_Bar"}},
		{"100_", nil},
		{"c%e", nil},
		{"!", []string{`Wow! \o/ Óptica`}},
		{`\`, []string{`Wow! \o/ Óptica`}},
		{`\%`, nil},
		{"!%", nil},
		{"Wow! ", []string{`Wow! \o/ Óptica`}},
		{"'", nil},
		{"Ferreteria Sur VENTAS", nil}, // a match does not span the name and the address
		{"SurVENTAS", nil},
		{"nothing has this", nil},
	} {
		t.Run(strings.ReplaceAll(test.search, "/", "|"), func(t *testing.T) {
			t.Parallel()
			var want []int64
			for _, name := range test.want {
				want = append(want, ids[name])
			}
			slices.Sort(want)
			if got := customerIDs(t, s, &customers.ListCustomersParams{Search: &test.search}); !slices.Equal(got, want) {
				t.Errorf("got %d, want %d of %v", got, want, ids)
			}
		})
	}
}

func TestCustomerSearchPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	var want []int64
	for i := range 9 {
		if i%2 == 0 {
			want = append(want, s.CreateCustomer(t, fmt.Sprintf("%d@ácme.example", i)).ID)
		} else {
			s.CreateCustomer(t, fmt.Sprintf("%d@other.example", i))
		}
	}
	for limit := int32(1); limit <= 6; limit++ {
		pages := customerPages(t, s, customers.ListCustomersParams{Search: new("ACME"), Limit: &limit})
		if got := slices.Concat(pages...); !slices.Equal(got, want) || len(pages) != (len(want)+int(limit)-1)/int(limit) {
			t.Errorf("limit %d: got %d, want %d", limit, pages, want)
		}
	}
	// The search finds the current values.
	s.ChangeCustomer(t, want[0], customers.CustomerChange{Name: new("Moved"), Email: new("moved@other.example")})
	if got := customerIDs(t, s, &customers.ListCustomersParams{Search: new("acme")}); !slices.Equal(got, want[1:]) {
		t.Errorf("search after a change: got %d, want %d", got, want[1:])
	}
	if got := customerIDs(t, s, &customers.ListCustomersParams{Search: new("moved")}); !slices.Equal(got, want[:1]) {
		t.Errorf("search after a change: got %d, want %d", got, want[:1])
	}
}

// TestCustomerWalk reads all pages during inserts. Each customer from before must be listed once.
func TestCustomerWalk(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	var before []int64
	for i := range 40 {
		before = append(before, s.CreateCustomer(t, fmt.Sprintf("before-%d@example.com", i)).ID)
	}
	over := make(chan struct{})
	var inserting sync.WaitGroup
	for n := range 4 {
		inserting.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-over:
					return
				default:
				}
				r := call.Read(s.Customers.CreateCustomer(t.Context(), nil, customers.CustomerInput{Name: "N", Email: fmt.Sprintf("during-%d-%d@example.com", n, i)}))
				if r.Status != http.StatusCreated {
					t.Errorf("got %s, want 201", r)
					return
				}
			}
		})
	}
	seen := map[int64]int{}
	params := customers.ListCustomersParams{Limit: new(int32(3))}
	for len(seen) < 200 { // without a bound, it lasts as long as the inserts
		var page customers.CustomerPage
		call.Read(s.Customers.ListCustomers(t.Context(), &params)).Want(t, http.StatusOK, &page)
		for _, c := range page.Data {
			seen[c.ID]++
		}
		if params.Cursor = page.NextCursor; params.Cursor == nil {
			break
		}
	}
	close(over)
	inserting.Wait()
	for _, id := range before {
		if seen[id] != 1 {
			t.Errorf("customer %d, created before the walk, was listed %d times, want once", id, seen[id])
		}
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("customer %d was listed %d times, want at most once", id, n)
		}
	}
}

// customerPages returns the IDs on each page of a list.
func customerPages(t *testing.T, s *call.Client, params customers.ListCustomersParams) (pages [][]int64) {
	t.Helper()
	for range 1000 {
		var page customers.CustomerPage
		call.Read(s.Customers.ListCustomers(t.Context(), &params)).Want(t, http.StatusOK, &page)
		var ids []int64
		for _, customer := range page.Data {
			ids = append(ids, customer.ID)
		}
		pages = append(pages, ids)
		if params.Cursor = page.NextCursor; params.Cursor == nil {
			return pages
		}
	}
	t.Fatal("the list has no end after 1000 pages")
	return nil
}

// customerIDs returns the IDs on all pages of a list.
func customerIDs(t *testing.T, s *call.Client, params *customers.ListCustomersParams) []int64 {
	t.Helper()
	if params == nil {
		params = &customers.ListCustomersParams{}
	}
	return slices.Concat(customerPages(t, s, *params)...)
}
