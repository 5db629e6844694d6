package api

import (
	"bytes"
	"encoding/json"
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
	"github.com/pedidos-hq/pedidos/gen/customers/client"
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
		r, err := s.Customers.CreateCustomerWithResponse(t.Context(), nil, input)
		if err != nil || r.JSON201 == nil {
			t.Fatalf("create %+v: %v %s", input, err, r.Body)
		}
		created := *r.JSON201
		if created.Name != input.Name || created.Email != input.Email || customersPhone(created.Phone) != customersPhone(input.Phone) {
			t.Errorf("created %s, want %+v", r.Body, input)
		}
		if created.CreatedAt != created.UpdatedAt || created.CreatedAt.Before(before) || created.CreatedAt.After(w.Clock.Now()) {
			t.Errorf("created at %s, updated at %s, want now", created.CreatedAt, created.UpdatedAt)
		}
		if want := fmt.Sprintf("/customers/%d", created.ID); r.Headers201.Location != want || r.Headers201.ETag != `"1"` {
			t.Errorf("created with Location %q and ETag %q, want %q and \"1\"", r.Headers201.Location, r.Headers201.ETag, want)
		}
		if r.Headers201.IdempotencyReplayed != nil {
			t.Error("the first answer says that it was replayed")
		}
		read := edgeSend(t, w.HTTP("customers"), http.MethodGet, w.CustomersURL+r.Headers201.Location, nil, "Authorization", "Bearer "+s.Token)
		if read.Status != http.StatusOK || read.Header.Get("ETag") != r.Headers201.ETag || !bytes.Equal(bytes.TrimSpace(read.Body), bytes.TrimSpace(r.Body)) {
			t.Errorf("GET %s: got %s %v, want what was created, %s", r.Headers201.Location, read, read.Header, r.Body)
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
			edgeInvalid(t, edgeSend(t, plain, http.MethodPost, w.CustomersURL+"/customers", strings.NewReader(test.body), edgeJSON(s.Token)...), test.fields...)
			if test.body == `{}` || test.body == `{"name":"N"}` { // a change may leave out fields
				return
			}
			url := fmt.Sprintf("%s/customers/%d", w.CustomersURL, there.ID)
			for _, method := range []string{http.MethodPut, http.MethodPatch} {
				edgeInvalid(t, edgeSend(t, plain, method, url, strings.NewReader(test.body), edgeJSON(s.Token)...), test.fields...)
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
		r, err := s.Customers.CreateCustomerWithResponse(t.Context(), nil, customers.CustomerInput{Name: "N", Email: email})
		if err != nil || r.ApplicationProblemJSON409 == nil {
			t.Errorf("create another %s: got %v %s, want 409", email, err, r.Body)
			continue
		}
		if p := r.ApplicationProblemJSON409; p.Code != common.CodeEmailTaken || !slices.Equal(customersFields(p), []string{"email"}) {
			t.Errorf("create another %s: got %s, want email_taken that names email", email, r.Body)
		}
	}
	// Accents are not case.
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
		{first.ID, "COMPRAS@ACME.EXAMPLE", http.StatusOK}, // its own, in another case
		{first.ID, "nueva@acme.example", http.StatusOK},
		{second.ID, "compras@acme.example", http.StatusOK}, // free by now
		{first.ID, "Compras@acme.example", http.StatusConflict},
	} {
		before, err := s.Customers.GetCustomerWithResponse(t.Context(), test.id)
		if err != nil {
			t.Fatal(err)
		}
		r, err := s.Customers.ReplaceCustomerWithResponse(t.Context(), test.id, nil, customers.CustomerChange{Name: new("Renamed"), Email: &test.email})
		if err != nil || r.StatusCode() != test.want {
			t.Errorf("customer %d to %s: got %v %s, want %d", test.id, test.email, err, r.Body, test.want)
			continue
		}
		if r.JSON200 != nil {
			if r.JSON200.Email != test.email {
				t.Errorf("customer %d to %s: got %s", test.id, test.email, r.Body)
			}
			continue
		}
		if p := r.ApplicationProblemJSON409; p.Code != common.CodeEmailTaken || !slices.Equal(customersFields(p), []string{"email"}) {
			t.Errorf("customer %d to %s: got %s, want email_taken that names email", test.id, test.email, r.Body)
		}
		if after, err := s.Customers.GetCustomerWithResponse(t.Context(), test.id); err != nil || !bytes.Equal(after.Body, before.Body) || after.Headers200.ETag != before.Headers200.ETag {
			t.Errorf("customer %d after a refusal: got %v %s, want %s", test.id, err, after.Body, before.Body)
		}
	}
}

// TestCustomerChange sends some of the fields, by PUT and by PATCH; the others stay.
func TestCustomerChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	created, err := s.Customers.CreateCustomerWithResponse(t.Context(), nil, customers.CustomerInput{Name: "ACME", Email: "a@acme.example", Phone: new("ext. 7, ask for Ana")})
	if err != nil || created.JSON201 == nil || customersPhone(created.JSON201.Phone) != "ext. 7, ask for Ana" {
		t.Fatalf("create: %v %s", err, created.Body)
	}
	version := 1
	for _, method := range []string{http.MethodPut, http.MethodPatch} {
		for _, test := range []struct{ body, name, email, phone string }{
			{`{"name":"ACME","email":"a@acme.example","phone":"7"}`, "ACME", "a@acme.example", "7"},
			{`{"name":"ACME S.A."}`, "ACME S.A.", "a@acme.example", "7"},
			{`{"email":"b@acme.example"}`, "ACME S.A.", "b@acme.example", "7"},
			{`{"phone":"whenever"}`, "ACME S.A.", "b@acme.example", "whenever"},
			{`{"phone":"whenever"}`, "ACME S.A.", "b@acme.example", "whenever"}, // nothing new is a change too
			{`{"phone":null}`, "ACME S.A.", "b@acme.example", "none"},
			{`{"phone":"x"}`, "ACME S.A.", "b@acme.example", "x"},
			{`{"phone":""}`, "ACME S.A.", "b@acme.example", "none"},
		} {
			what := method + " " + test.body
			r := customersRaw(t, w, s, method, created.JSON201.ID, test.body)
			version++
			var got customers.Customer
			if err := json.Unmarshal(r.body, &got); err != nil || r.StatusCode() != http.StatusOK {
				t.Fatalf("%s: got %s, %v", what, r.body, err)
			}
			if got.ID != created.JSON201.ID || got.Name != test.name || got.Email != test.email || customersPhone(got.Phone) != test.phone {
				t.Errorf("%s: got %s, want %+v", what, r.body, test)
			}
			if got.CreatedAt != created.JSON201.CreatedAt || !got.UpdatedAt.After(created.JSON201.UpdatedAt.Time) {
				t.Errorf("%s: got %s, want created_at %s and a later updated_at", what, r.body, created.JSON201.CreatedAt)
			}
			read, err := s.Customers.GetCustomerWithResponse(t.Context(), got.ID)
			if err != nil || !bytes.Equal(read.Body, r.body) || read.Headers200.ETag != fmt.Sprintf(`"%d"`, version) {
				t.Errorf("%s, read back: got %v %s %s, want %s", what, err, read.Body, read.Headers200.ETag, r.body)
			}
		}
		for _, body := range []string{`{}`, `{"name":null}`, `{"name":""}`, `{"phone":7}`, `{"id":2}`} {
			if r := customersRaw(t, w, s, method, created.JSON201.ID, body); r.StatusCode() != http.StatusBadRequest {
				t.Errorf("%s %s: got %s, want 400", method, body, r.body)
			}
		}
	}
	if r, err := s.Customers.CreateCustomerWithResponse(t.Context(), nil, customers.CustomerInput{Name: "N", Email: "c@acme.example", Phone: new("")}); err != nil || r.JSON201 == nil || r.JSON201.Phone != nil {
		t.Errorf("create with an empty phone: got %v %s, want null", err, r.Body)
	}
	id := created.JSON201.ID
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
		r, err := s.Customers.UpdateCustomerWithResponse(t.Context(), test.id, &customers.UpdateCustomerParams{IfMatch: test.match}, test.change)
		if err != nil || r.StatusCode() != test.want {
			t.Errorf("%s: got %v %s, want %d", what, err, r.Body, test.want)
		}
	}
	unknown, err := s.Customers.ReplaceCustomerWithResponse(t.Context(), other.ID+1, &customers.ReplaceCustomerParams{IfMatch: new(`"1"`)}, customers.CustomerChange{Name: new("N")})
	if err != nil || unknown.ApplicationProblemJSON404 == nil || unknown.ApplicationProblemJSON404.Code != common.CodeCustomerNotFound {
		t.Errorf("replace an unknown customer: got %v %s, want customer_not_found", err, unknown.Body)
	}
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
			before, err := s.Customers.ReplaceCustomerWithResponse(t.Context(), customer.ID, nil, customers.CustomerChange{Name: new("Second")})
			if err != nil || before.JSON200 == nil || before.Headers200.ETag != `"2"` {
				t.Fatalf("replace: %v %s", err, before.Body)
			}
			r, err := s.Customers.ReplaceCustomerWithResponse(t.Context(), customer.ID,
				&customers.ReplaceCustomerParams{IfMatch: &test.ifMatch}, customers.CustomerChange{Name: new("Third")})
			if err != nil || r.StatusCode() != test.want {
				t.Fatalf("got %v %s, want %d", err, r.Body, test.want)
			}
			want := before.Body
			switch test.want {
			case http.StatusOK:
				want = r.Body
			case http.StatusPreconditionFailed:
				if r.ApplicationProblemJSON412.Code != common.CodePreconditionFailed {
					t.Errorf("got %s, want precondition_failed", r.Body)
				}
			default:
				if !slices.Equal(customersFields(r.ApplicationProblemJSON400), []string{"If-Match"}) {
					t.Errorf("got %s, want an error that names If-Match", r.Body)
				}
			}
			after, err := s.Customers.GetCustomerWithResponse(t.Context(), customer.ID)
			if err != nil || !bytes.Equal(after.Body, want) {
				t.Errorf("after it: got %v %s, want %s", err, after.Body, want)
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

	r, err := s.Customers.DeleteCustomerWithResponse(t.Context(), deleted.ID)
	if err != nil || r.StatusCode() != http.StatusNoContent || len(r.Body) != 0 {
		t.Fatalf("delete: got %v %s %s, want 204", err, r.Status(), r.Body)
	}
	get, err := s.Customers.GetCustomerWithResponse(t.Context(), deleted.ID)
	if err != nil || get.ApplicationProblemJSON404 == nil || get.ApplicationProblemJSON404.Code != common.CodeCustomerNotFound {
		t.Errorf("get: got %v %s, want customer_not_found", err, get.Body)
	}
	put, err := s.Customers.ReplaceCustomerWithResponse(t.Context(), deleted.ID, nil, customers.CustomerChange{Name: new("N")})
	if err != nil || put.ApplicationProblemJSON404 == nil {
		t.Errorf("replace: got %v %s, want 404", err, put.Body)
	}
	again, err := s.Customers.DeleteCustomerWithResponse(t.Context(), deleted.ID)
	if err != nil || again.ApplicationProblemJSON404 == nil {
		t.Errorf("delete again: got %v %s, want 404", err, again.Body)
	}
	internal, err := w.With(world.ServiceToken).Customers.GetCustomerInternalWithResponse(t.Context(), deleted.ID)
	if err != nil || internal.ApplicationProblemJSON404 == nil {
		t.Errorf("get as a service: got %v %s, want 404", err, internal.Body)
	}
	for _, params := range []*customers.ListCustomersParams{nil, {Search: new("acme")}} {
		if list := customersList(t, s.Customers, params); !slices.Equal(list, []int64{kept.ID}) {
			t.Errorf("list: got %d, want %d alone", list, kept.ID)
		}
	}
	reused := s.CreateCustomer(t, "Compras@acme.example")
	if reused.ID <= deleted.ID {
		t.Errorf("the e-mail address is of customer %d now, want a new id after %d", reused.ID, deleted.ID)
	}
	if r, err := s.Customers.DeleteCustomerWithResponse(t.Context(), reused.ID); err != nil || r.StatusCode() != http.StatusNoContent {
		t.Errorf("delete the second customer of an address: got %v %s, want 204", err, r.Body)
	}
	if last := s.CreateCustomer(t, "compras@acme.example"); last.ID <= reused.ID {
		t.Errorf("got customer %d, want a new id after %d", last.ID, reused.ID)
	}
}

func TestCustomerPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	if list := customersList(t, s.Customers, nil); len(list) != 0 {
		t.Errorf("list before there is a customer: got %d, want none", list)
	}
	var all []int64
	for i := range 7 {
		// Neither the names nor the addresses are in the order of the ids.
		all = append(all, s.CreateCustomer(t, fmt.Sprintf("%c@acme.example", 'm'+rune(i*5%7))).ID)
	}
	gone := all[3]
	if r, err := s.Customers.DeleteCustomerWithResponse(t.Context(), gone); err != nil || r.StatusCode() != http.StatusNoContent {
		t.Fatalf("delete: %v %s", err, r.Body)
	}
	all = slices.Delete(all, 3, 4)

	for limit := int32(1); limit <= 7; limit++ {
		var sizes []int
		pages := customersPages(t, s.Customers, customers.ListCustomersParams{Limit: &limit})
		for _, page := range pages {
			sizes = append(sizes, len(page))
		}
		if got := slices.Concat(pages...); !slices.Equal(got, all) {
			t.Errorf("limit %d: got %d, want %d, each once and in the order of the ids", limit, got, all)
		}
		// A page that holds the last customer is the last page, full or not.
		if want := (len(all) + int(limit) - 1) / int(limit); len(pages) != want {
			t.Errorf("limit %d: got pages of %d, want %d pages", limit, sizes, want)
		}
	}

	// What comes and goes between two pages does not make others come twice or not at all.
	limit := int32(2)
	first, err := s.Customers.ListCustomersWithResponse(t.Context(), &customers.ListCustomersParams{Limit: &limit})
	if err != nil || first.JSON200 == nil || first.JSON200.NextCursor == nil {
		t.Fatalf("first page: %v %s", err, first.Body)
	}
	if r, err := s.Customers.DeleteCustomerWithResponse(t.Context(), all[1]); err != nil || r.StatusCode() != http.StatusNoContent {
		t.Fatalf("delete: %v %s", err, r.Body)
	}
	late := s.CreateCustomer(t, "late@acme.example")
	rest := customersList(t, s.Customers, &customers.ListCustomersParams{Cursor: first.JSON200.NextCursor})
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
		r, err := s.Customers.ListCustomersWithResponse(t.Context(), &customers.ListCustomersParams{Limit: test.limit})
		if err != nil || r.JSON200 == nil || len(r.JSON200.Data) != test.want || (r.JSON200.NextCursor != nil) != test.more {
			t.Errorf("limit %v: got %v %s, want %d customers and more to come: %t", test.limit, err, r.Body, test.want, test.more)
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
	products, err := s.Orders.ListProductsWithResponse(t.Context(), &orders.ListProductsParams{Limit: new(int32(1))})
	if err != nil || products.JSON200 == nil || products.JSON200.NextCursor == nil {
		t.Fatalf("list products: %v %s", err, products.Body)
	}
	for _, test := range []struct{ query, field string }{
		{"limit=0", "limit"},
		{"limit=101", "limit"},
		{"limit=-1", "limit"},
		{"limit=abc", "limit"},
		{"limit=1.0", "limit"},
		{"limit=1e1", "limit"},
		{"limit=%2B1", "limit"},
		{"limit=01", "limit"},
		{"limit=4294967297", "limit"}, // 1, if 32 bits were all that is read
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
		{"cursor=" + *products.JSON200.NextCursor, "cursor"}, // of another list
		{"search=%00", "search"},
		{"search=a%0Ab", "search"},
		{"search=" + strings.Repeat("%C3%A9", 101), "search"},
	} {
		t.Run(test.query[:min(len(test.query), 40)], func(t *testing.T) {
			t.Parallel()
			a := edgeSend(t, w.HTTP("customers"), http.MethodGet, w.CustomersURL+"/customers?"+test.query, nil, "Authorization", "Bearer "+s.Token)
			edgeInvalid(t, a, test.field)
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
		r, err := s.Customers.CreateCustomerWithResponse(t.Context(), nil, customers.CustomerInput{Name: name, Email: email})
		if err != nil || r.JSON201 == nil {
			t.Fatalf("create %s: %v %s", name, err, r.Body)
		}
		ids[name] = r.JSON201.ID
	}
	for _, test := range []struct {
		search string
		want   []string
	}{
		{"ferreteria", []string{"Ferretería Ñandú", "Ferreteria Sur"}},
		{"FERRETERÍA", []string{"Ferretería Ñandú", "Ferreteria Sur"}},
		{"Ferreteri\u0301a", []string{"Ferretería Ñandú", "Ferreteria Sur"}}, // the accent as a character of its own
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
		{"Ferreteria Sur VENTAS", nil}, // the name and the address are two texts
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
			if got := customersList(t, s.Customers, &customers.ListCustomersParams{Search: &test.search}); !slices.Equal(got, want) {
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
		pages := customersPages(t, s.Customers, customers.ListCustomersParams{Search: new("ACME"), Limit: &limit})
		if got := slices.Concat(pages...); !slices.Equal(got, want) || len(pages) != (len(want)+int(limit)-1)/int(limit) {
			t.Errorf("limit %d: got %d, want %d", limit, pages, want)
		}
	}
	// The search follows the customer.
	if r, err := s.Customers.ReplaceCustomerWithResponse(t.Context(), want[0], nil, customers.CustomerChange{Name: new("Moved"), Email: new("moved@other.example")}); err != nil || r.JSON200 == nil {
		t.Fatalf("replace: %v %s", err, r.Body)
	}
	if got := customersList(t, s.Customers, &customers.ListCustomersParams{Search: new("acme")}); !slices.Equal(got, want[1:]) {
		t.Errorf("search after a change: got %d, want %d", got, want[1:])
	}
	if got := customersList(t, s.Customers, &customers.ListCustomersParams{Search: new("moved")}); !slices.Equal(got, want[:1]) {
		t.Errorf("search after a change: got %d, want %d", got, want[:1])
	}
}

// customersRaw changes a customer by the bytes of body.
func customersRaw(t *testing.T, w *world.World, s *call.Client, method string, id int64, body string) ordersAnswer {
	t.Helper()
	return apiRaw(t, w, s, "customers", method, fmt.Sprintf("%s/customers/%d", w.CustomersURL, id), map[string]string{"Content-Type": "application/json"}, []byte(body))
}

func customersPhone(phone *string) string {
	if phone == nil {
		return "none"
	}
	return *phone
}

// TestCustomerWalk walks through the pages while others insert: each customer of before is there, once.
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
				r, err := s.Customers.CreateCustomerWithResponse(t.Context(), nil, customers.CustomerInput{Name: "N", Email: fmt.Sprintf("during-%d-%d@example.com", n, i)})
				if err != nil || r.JSON201 == nil {
					t.Errorf("create: %v %s", err, r.Body)
					return
				}
			}
		})
	}
	seen := map[int64]int{}
	params := customers.ListCustomersParams{Limit: new(int32(3))}
	for len(seen) < 200 { // the walk would go on for as long as others insert
		r, err := s.Customers.ListCustomersWithResponse(t.Context(), &params)
		if err != nil || r.JSON200 == nil {
			t.Fatalf("list: %v %s", err, r.Body)
		}
		for _, c := range r.JSON200.Data {
			seen[c.ID]++
		}
		if params.Cursor = r.JSON200.NextCursor; params.Cursor == nil {
			break
		}
	}
	close(over)
	inserting.Wait()
	for _, id := range before {
		if seen[id] != 1 {
			t.Errorf("customer %d was there before the walk, and is in it %d times", id, seen[id])
		}
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("customer %d is in the walk %d times", id, n)
		}
	}
}

// customersPages are the ids on each page of a list.
func customersPages(t *testing.T, c *client.ClientWithResponses, params customers.ListCustomersParams) [][]int64 {
	t.Helper()
	return customersWalk(t, func(cursor *string) ([]int64, *string, error) {
		if cursor != nil {
			params.Cursor = cursor
		}
		r, err := c.ListCustomersWithResponse(t.Context(), &params)
		if err != nil {
			return nil, nil, err
		}
		if r.JSON200 == nil {
			return nil, nil, errUnexpected(r.Status(), r.Body)
		}
		var ids []int64
		for _, customer := range r.JSON200.Data {
			ids = append(ids, customer.ID)
		}
		return ids, r.JSON200.NextCursor, nil
	})
}

// customersList are the ids on all pages of a list.
func customersList(t *testing.T, c *client.ClientWithResponses, params *customers.ListCustomersParams) []int64 {
	t.Helper()
	if params == nil {
		params = &customers.ListCustomersParams{}
	}
	return slices.Concat(customersPages(t, c, *params)...)
}
