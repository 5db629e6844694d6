package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/contract"
	customersserver "github.com/pedidos-hq/pedidos/gen/customers/server"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/server"
	"github.com/pedidos-hq/pedidos/services/platform/telemetry"
)

const maxBody = 1 << 20 // from the description of 413 in the contract

func TestIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer := s.CreateCustomer(t, "compras@acme.example")
	product := s.CreateProduct(t, "DRILL", 100, 10)
	order := s.CreateOrder(t, buyer.ID, product.ID, 1)
	if buyer.ID != 1 || product.ID != 1 || order.ID != 1 {
		t.Fatalf("got customer %d, product %d and order %d, want 1 each, as the table below assumes", buyer.ID, product.ID, order.ID)
	}
	people := newPeople(t, w, s)
	operations := allOperations(t, w)
	for _, test := range []struct {
		id   string
		want int // status of a GET
	}{
		{"1", http.StatusOK},
		{"%31", http.StatusOK}, // the same path (RFC 3986, 6.2.2.2)
		{"5", http.StatusNotFound},
		{"9007199254740991", http.StatusNotFound}, // 2^53 - 1
		{"9007199254740992", http.StatusBadRequest},
		{"9223372036854775807", http.StatusBadRequest}, // 2^63 - 1
		{"9223372036854775808", http.StatusBadRequest},
		{"18446744073709551617", http.StatusBadRequest}, // 2^64 + 1
		{strings.Repeat("1", 5000), http.StatusBadRequest},
		{"0", http.StatusBadRequest},
		{"-1", http.StatusBadRequest},
		{"-9223372036854775809", http.StatusBadRequest},
		{"abc", http.StatusBadRequest},
		{"1a", http.StatusBadRequest},
		{"1.5", http.StatusBadRequest},
		{"1.0", http.StatusBadRequest},
		{"1e0", http.StatusBadRequest},
		{"0x1", http.StatusBadRequest},
		{"1_0", http.StatusBadRequest},
		{"01", http.StatusBadRequest}, // a resource has only one path
		{"+1", http.StatusBadRequest},
		{"%2B1", http.StatusBadRequest},
		{"%20", http.StatusBadRequest},
		{"1%20", http.StatusBadRequest},
		{"1%0A", http.StatusBadRequest},
		{"1%00", http.StatusBadRequest},
		{"1%2F", http.StatusBadRequest},
		{"%FF", http.StatusBadRequest},
		{"%D9%A1", http.StatusBadRequest}, // the digit one in Arabic
		{"1,2", http.StatusBadRequest},
		{"1;2", http.StatusBadRequest},
		{"null", http.StatusBadRequest},
		{"..", http.StatusBadRequest},
		{"1%20OR%201=1", http.StatusBadRequest},
	} {
		t.Run(test.id[:min(len(test.id), 40)], func(t *testing.T) {
			t.Parallel()
			for _, o := range operations {
				if !strings.Contains(o.path, "/7") {
					continue
				}
				if o.method != http.MethodGet && test.want != http.StatusBadRequest {
					continue // it would succeed
				}
				token := o.token(s.Token, people)
				headers := []string{"Authorization", "Bearer " + token}
				var body io.Reader
				if example := o.example(t); example != nil {
					body, headers = encode(t, example), o.headers(token)
				}
				url := o.service.url + strings.Replace(o.path, "7", test.id, 1)
				a := call.Send(t, o.service.client, o.method, url, body, headers...)
				if test.want != http.StatusBadRequest {
					if a.Status != test.want {
						t.Errorf("%s: got %s, want %d", o.OperationID, a, test.want)
					}
					continue
				}
				a.WantInvalid(t, "id")
			}
		})
	}
}

func TestUnknownPaths(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	token := w.Login("admin").Token
	for _, s := range allServices(t, w) {
		for _, path := range []string{
			"//", "/nope", "/health/", "/health/x", "//health", "/HEALTH", "/docs/", "/docs/a/b.js", "/.env", "/metrics", "/debug/pprof/",
			"/customers/", "/customers/1/", "/customers/1/2", "/internal/customers/1/", "/internal", "/auth", "/auth/login/",
			"/products/1/x", "/orders/1/", "/orders/1/ship", "/orders/1/confirm/", "/orders//confirm", "/orchestrator", "/dev//", "/dev/dev", "/dev/dev/health", "/prod/health",
			"/health%2F", "/%2e%2e/health", "/nope%0d%0aX-Injected:%20yes",
		} {
			for _, headers := range [][]string{nil, {"Authorization", "Bearer " + token}} {
				a := call.Send(t, s.client, http.MethodGet, s.url+path, nil, headers...)
				if a.WantProblem(t, http.StatusNotFound, common.CodeNotFound); a.Header.Get("X-Injected") != "" {
					t.Errorf("got %s with the header X-Injected", a)
				}
			}
		}
		if s.name == "orchestrator" {
			continue
		}
		for _, path := range []string{"/dev", "/dev/", "/dev/health"} { // only the orchestrator has the prefix
			call.Send(t, s.client, http.MethodGet, s.url+path, nil).WantProblem(t, http.StatusNotFound, common.CodeNotFound)
		}
	}
}

func TestUnknownMethods(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	token := w.Login("admin").Token
	for _, s := range allServices(t, w) {
		for _, path := range s.doc.Paths.InMatchingOrder() {
			known := append(slices.Collect(maps.Keys(s.doc.Paths.Value(path).Operations())), http.MethodOptions)
			slices.Sort(known)
			for _, prefix := range s.prefixes() {
				url := s.url + prefix + examplePath(path)
				for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE", "get"} {
					if slices.Contains(known, method) && method != http.MethodOptions {
						continue
					}
					a := call.Send(t, s.client, method, url, nil, "Authorization", "Bearer "+token)
					allow := strings.Split(a.Header.Get("Allow"), ", ")
					slices.Sort(allow)
					if !slices.Equal(allow, known) {
						t.Errorf("%s %s: got Allow %q, want %q", method, url, allow, known)
					}
					switch method {
					case http.MethodOptions:
						if a.Status != http.StatusNoContent || len(a.Body) > 0 {
							t.Errorf("%s %s: got %s, want 204", method, url, a)
						}
					case http.MethodHead:
						if a.Status != http.StatusMethodNotAllowed {
							t.Errorf("%s %s: got %s, want 405", method, url, a)
						}
					default:
						a.WantProblem(t, http.StatusMethodNotAllowed, common.CodeMethodNotAllowed)
					}
				}
			}
		}
	}
}

// TestBodies sends bodies that are not exactly one unambiguous JSON object. Every operation must refuse them.
func TestBodies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	token := w.Login("admin").Token
	for _, o := range allOperations(t, w) {
		if o.RequestBody == nil {
			continue
		}
		t.Run(o.OperationID, func(t *testing.T) {
			t.Parallel()
			example := encode(t, o.example(t)).String()
			empty := strings.TrimSuffix(example, "}")
			comma := ","
			if empty == "{" {
				comma = ""
			}
			for _, test := range []struct {
				name, body string
				fields     []string
			}{
				{"more after it", example + "{}", []string{"body"}},
				{"text after it", example + " x", []string{"body"}},
				{"a comma after it", example + ",", []string{"body"}},
				{"a comment", example + "// no", []string{"body"}},
				{"cut off", empty, []string{"body"}},
				{"a comma too much", empty + ",}", []string{"body"}},
				{"text", "x", []string{"body"}},
				{"a blank", " ", []string{"body"}},
				{"an array", "[" + example + "]", []string{"body"}},
				{"a string", `"x"`, []string{"body"}},
				{"a number", "1", []string{"body"}},
				{"true", "true", []string{"body"}},
				{"null", "null", []string{"body"}},
				{"NaN", "NaN", []string{"body"}},
				{"single quotes", "{'a':1}", []string{"body"}},
				{"a byte order mark", "\xef\xbb\xbf" + example, []string{"body"}},
				{"UTF-16", "\xfe\xff\x00{\x00}", []string{"body"}},
				{"bytes that are not UTF-8", empty + comma + "\"x\":\"\xff\"}", []string{"body"}},
				{"an overlong encoding", empty + comma + "\"x\":\"\xc0\xaf\"}", []string{"body"}},
				{"half a surrogate pair", empty + comma + `"x":"\ud800"}`, []string{"body"}},
				{"a member twice", empty + comma + `"x":1,"x":1}`, []string{"body"}},
				{"a member twice, once escaped", empty + comma + `"x":1,"\u0078":2}`, []string{"body"}},
				{"a member twice, deep", empty + comma + `"x":{"y":[{"z":1,"z":2}]}}`, []string{"body"}},
				{"an unknown member", empty + comma + `"x":1}`, []string{"x"}},
				{"an unknown member, null", empty + comma + `"x":null}`, []string{"x"}},
				{"__proto__", empty + comma + `"__proto__":{}}`, []string{"__proto__"}},
				{"10,000 levels", strings.Repeat("[", 10000) + strings.Repeat("]", 10000), []string{"body"}},
				{"10,001 levels", strings.Repeat("[", 10001) + strings.Repeat("]", 10001), []string{"body"}},
				{"10,000 levels, not closed", strings.Repeat(`{"x":`, 10000), []string{"body"}},
				{"500,000 levels", strings.Repeat("[", 500000) + strings.Repeat("]", 500000), []string{"body"}},
				{"9,000 levels in a member", empty + comma + `"x":` + strings.Repeat(`{"y":`, 9000) + "1" + strings.Repeat("}", 9000) + "}", []string{"x"}},
			} {
				t.Run(test.name, func(t *testing.T) {
					call.Send(t, o.service.client, o.method, o.url(), strings.NewReader(test.body), o.headers(token)...).WantInvalid(t, test.fields...)
				})
			}
			a := call.Send(t, o.service.client, o.method, o.url(), nil, o.headers(token)...)
			if o.RequestBody.Value.Required {
				a.WantInvalid(t, "body")
			} else if slices.Contains(a.Problem(t).Fields(), "body") {
				t.Errorf("no body, where it is optional: got %s", a)
			}
			// A case-insensitive decoder would accept this as the member itself.
			for name, value := range o.example(t) {
				twice := o.example(t)
				twice[strings.ToUpper(name)] = value
				a := call.Send(t, o.service.client, o.method, o.url(), encode(t, twice), o.headers(token)...)
				a.WantInvalid(t, strings.ToUpper(name))
			}
		})
	}
}

// Numbers must be integers, and all parts of a service must agree on which numbers are.
func TestNumbers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	s := w.Login("admin")
	buyer := s.CreateCustomer(t, "compras@acme.example")
	product := s.CreateProduct(t, "DRILL", 100, 1000000)
	patch := fmt.Sprintf("%s/products/%d", w.OrdersURL, s.CreateProduct(t, "SAW", 100, 1).ID) // a second product, whose stock becomes 0
	for _, at := range []struct {
		name, service, method, url, body, field string
		least, most                             int64
	}{
		{"price", "orders", http.MethodPatch, patch, `{"price_cents":N}`, "price_cents", 0, 100000000000},
		{"stock", "orders", http.MethodPatch, patch, `{"stock":N}`, "stock", 0, 1000000000},
		{"customer of an order", "orders", http.MethodPost, w.OrdersURL + "/orders", fmt.Sprintf(`{"customer_id":N,"items":[{"product_id":%d,"qty":1}]}`, product.ID), "customer_id", 1, 0},
		{"line of an order", "orders", http.MethodPost, w.OrdersURL + "/orders", fmt.Sprintf(`{"customer_id":%d,"items":[{"product_id":%[2]d,"qty":1},{"product_id":%[2]d,"qty":N}]}`, buyer.ID, product.ID), "items[1].qty", 1, 0},
		{"line of an orchestrated order", "orchestrator", http.MethodPost, w.OrchestratorURL + "/orchestrator/create-and-confirm-order", fmt.Sprintf(`{"idempotency_key":"k","customer_id":%d,"items":[{"product_id":%d,"qty":N}]}`, buyer.ID, product.ID), "items[0].qty", 1, 0},
	} {
		t.Run(at.name, func(t *testing.T) {
			t.Parallel()
			client := w.HTTP(at.service)
			send := func(t *testing.T, number string) call.Response {
				t.Helper()
				return call.Send(t, client, at.method, at.url, strings.NewReader(strings.Replace(at.body, "N", number, 1)), call.JSON(s.Token)...)
			}
			for _, number := range []string{
				"1.0", "1e2", "1E+2", "100e-2", "0.5", "1e-1", "1.00000000000000000000001", "0.99999999999999999999",
				"-1", "9223372036854775808", "-9223372036854775809", "18446744073709551617", "1e400", "-1e400", strings.Repeat("9", 400),
				`"1"`, `"1.0"`, `""`, "true", "null", "[1]", `{"value":1}`,
			} {
				t.Run(number[:min(len(number), 30)], func(t *testing.T) {
					a := send(t, number)
					a.WantInvalid(t, at.field)
					for _, inside := range []string{"Unmarshal", "json.", "float64", "offset"} {
						if strings.Contains(string(a.Body), inside) {
							t.Errorf("got %s, want a message without the internal %q", a, inside)
						}
					}
				})
			}
			for _, number := range []string{"01", "+1", ".5", "1.", "0x1", "1_000", "Infinity", "١"} { // not JSON
				t.Run(number, func(t *testing.T) { send(t, number).WantInvalid(t, "body") })
			}
			good := []string{fmt.Sprint(at.least)}
			if at.most > 0 {
				good = append(good, fmt.Sprint(at.most), "-0")
			}
			for _, number := range good {
				if a := send(t, number); a.Status/100 != 2 {
					t.Errorf("%s: got %s, want it to be taken", number, a)
				}
			}
			if at.most > 0 {
				send(t, fmt.Sprint(at.most+1)).WantInvalid(t, at.field)
			}
		})
	}
}

func TestBodySize(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	token := w.Login("admin").Token
	people := newPeople(t, w, w.With(token))
	for _, o := range allOperations(t, w) {
		t.Run(o.service.name+" "+o.OperationID, func(t *testing.T) {
			t.Parallel()
			auth := o.token(token, people)
			if o.RequestBody == nil { // bodies are ignored, large ones too
				a := call.Send(t, o.service.client, o.method, o.url(), strings.NewReader(strings.Repeat(" ", maxBody+1)), call.JSON(auth)...)
				if a.Status == http.StatusRequestEntityTooLarge || a.Status >= 500 {
					t.Errorf("a large body, where bodies are ignored: got %s", a)
				}
				return
			}
			example := encode(t, o.example(t)).String()
			padded := func(n int) string { return example + strings.Repeat(" ", n-len(example)) }
			for name, inChunks := range map[string]bool{"with its length": false, "in chunks": true} {
				send := func(body string) call.Response {
					var r io.Reader = strings.NewReader(body)
					if inChunks {
						r = chunked{r}
					}
					return call.Send(t, o.service.client, o.method, o.url(), r, call.JSON(token)...)
				}
				if a := send(padded(maxBody)); a.Status == http.StatusRequestEntityTooLarge || strings.Contains(string(a.Body), `"body"`) {
					t.Errorf("1 MiB %s: got %s, want the body to be taken", name, a)
				}
				send(padded(maxBody+1)).WantProblem(t, http.StatusRequestEntityTooLarge, common.CodeBodyTooLarge)
			}
		})
	}
}

func TestContentType(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	token := w.Login("admin").Token
	for _, o := range allOperations(t, w) {
		if o.RequestBody == nil {
			continue
		}
		t.Run(o.OperationID, func(t *testing.T) {
			t.Parallel()
			for contentType, ok := range map[string]bool{
				"application/json":                    true,
				"application/json; charset=utf-8":     true,
				"application/json;charset=UTF-8":      true,
				"Application/JSON":                    true,
				"":                                    false,
				"text/plain":                          false,
				"text/json":                           false,
				"application/jsonp":                   false,
				"application/problem+json":            false,
				"application/x-www-form-urlencoded":   false,
				"multipart/form-data; boundary=x":     false,
				"application/json, text/plain":        false,
				"text/plain; x=application/json":      false,
				"*/*":                                 false,
				"application/json; charset=utf-8; x=": false,
			} {
				headers := []string{"Authorization", "Bearer " + token}
				if contentType != "" {
					headers = append(headers, "Content-Type", contentType)
				}
				a := call.Send(t, o.service.client, o.method, o.url(), encode(t, o.example(t)), headers...)
				if ok {
					if a.Status == http.StatusUnsupportedMediaType || a.Status >= 500 {
						t.Errorf("%q: got %s, want it to be taken", contentType, a)
					}
					continue
				}
				a.WantProblem(t, http.StatusUnsupportedMediaType, common.CodeUnsupportedMediaType)
			}
		})
	}
}

// A parameter that the operation does not have is refused, so that callers notice the mistake.
func TestQueries(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	token := w.Login("admin").Token
	people := newPeople(t, w, w.With(token))
	for _, o := range allOperations(t, w) {
		t.Run(o.service.name+" "+o.OperationID, func(t *testing.T) {
			t.Parallel()
			auth := o.token(token, people)
			send := func(query string) call.Response {
				headers := []string{"Authorization", "Bearer " + auth}
				if o.RequestBody == nil {
					return call.Send(t, o.service.client, o.method, o.url()+"?"+query, nil, headers...)
				}
				return call.Send(t, o.service.client, o.method, o.url()+"?"+query, encode(t, o.example(t)), call.JSON(auth)...)
			}
			if o.Responses.Value("400") == nil { // health and similar operations ignore queries
				for _, query := range []string{"t=1", "%zz", "a;b"} {
					if a := send(query); a.Status != http.StatusOK {
						t.Errorf("?%s: got %s, want 200", query, a)
					}
				}
				return
			}
			for query, fields := range map[string][]string{
				"unknown=1":           {"unknown"},
				"unknown":             {"unknown"},
				"unknown=1&unknown=2": {"unknown"},
				"b=1&a=2&c":           {"a", "b", "c"},
				"unknown%5B%5D=1":     {"unknown[]"},
				"%FF=1":               {"\uFFFD"},
				"%zz":                 {"query"},
				"unknown=%":           {"query"},
				"a=1;b=2":             {"query"},
			} {
				send(query).WantInvalid(t, fields...)
			}
			for _, parameter := range o.Parameters {
				if p := parameter.Value; p.In == openapi3.ParameterInQuery {
					send(p.Name+"=1&"+p.Name+"=1").WantInvalid(t, p.Name)
					send(strings.ToUpper(p.Name)+"=1").WantInvalid(t, strings.ToUpper(p.Name))
					send(p.Name+"=%FF").WantInvalid(t, p.Name)
					send(p.Name+"=%zz").WantInvalid(t, "query")
				}
			}
		})
	}
}

// An empty parameter of a list counts as absent, since forms send empty fields.
func TestEmptyQueries(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{ReportAge: time.Hour}) // the same report has the same bytes
	s := w.Login("admin")
	buyer, product := s.CreateCustomer(t, "compras@acme.example"), s.CreateProduct(t, "DRILL", 100, 10)
	order := s.CreateOrder(t, buyer.ID, product.ID, 1)
	if buyer.ID != 1 || product.ID != 1 || order.ID != 1 {
		t.Fatalf("got customer %d, product %d and order %d, want 1 each", buyer.ID, product.ID, order.ID)
	}
	newPeople(t, w, s)
	lists := 0
	for _, o := range allOperations(t, w) {
		if o.Parameters.GetByInAndName(openapi3.ParameterInQuery, "limit") == nil {
			continue
		}
		lists++
		get := func(query string) call.Response {
			url := o.service.url + strings.Replace(o.path, "7", "1", 1)
			return call.Send(t, o.service.client, http.MethodGet, url+query, nil, "Authorization", "Bearer "+s.Token)
		}
		want := get("")
		if want.Status != http.StatusOK || bytes.Contains(want.Body, []byte(`"data":[]`)) {
			t.Fatalf("%s: got %s, want an entry", o.OperationID, want)
		}
		var all []string
		for _, parameter := range o.Parameters {
			if p := parameter.Value; p.In == openapi3.ParameterInQuery {
				all = append(all, p.Name+"=")
				for _, query := range []string{"?" + p.Name + "=", "?" + p.Name, "?" + p.Name + "=&limit=100", "?limit=100&" + p.Name} {
					if p.Name == "limit" && strings.Contains(query, "100") {
						continue
					}
					if a := get(query); a.Status != http.StatusOK || !bytes.Equal(a.Body, want.Body) {
						t.Errorf("%s%s: got %s, want %s", o.OperationID, query, a, want)
					}
				}
			}
		}
		if a := get("?" + strings.Join(all, "&")); !bytes.Equal(a.Body, want.Body) {
			t.Errorf("%s?%s: got %s, want %s", o.OperationID, strings.Join(all, "&"), a, want)
		}
		get("?limit=&limit=").WantInvalid(t, "limit")
		get("?unknown=").WantInvalid(t, "unknown")
	}
	if lists != 11 {
		t.Errorf("%d lists, want 11", lists)
	}
}

// Messages describe the expected value instead of quoting a regular expression.
func TestMessages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	token := w.Login("admin").Token
	for _, test := range []struct{ service, method, path, body, header, field, message string }{
		{"customers", "POST", "/customers", `{"name":"Norte\u00a0","email":"a@x.example"}`, "", "name", "must have no surrounding white space and no control characters, such as ACME Ferretería"},
		{"customers", "POST", "/customers", `{"name":"\u2028Norte","email":"a@x.example"}`, "", "name", "must have no surrounding white space and no control characters, such as ACME Ferretería"},
		{"customers", "POST", "/customers", `{"name":"Norte\ufeff","email":"a@x.example"}`, "", "name", "must have no surrounding white space and no control characters, such as ACME Ferretería"},
		{"customers", "POST", "/customers", `{"name":"N","email":"a\u00a0@x.example"}`, "", "email", "must be an e-mail address, such as compras@acme.example"},
		{"customers", "GET", "/customers?search=%00", "", "", "search", "must not contain control characters"},
		{"customers", "GET", "/customers?cursor=!", "", "", "cursor", "must be the next_cursor of another page, unchanged"},
		{"customers", "GET", "/docs/a%20b", "", "", "asset", "must be a file name, such as swagger-ui.css"},
		{"orders", "POST", "/products", `{"name":"N\u3000","sku":"A","price_cents":1,"stock":1}`, "", "name", "must have no surrounding white space and no control characters, such as Cordless drill 18 V"},
		{"orders", "POST", "/products", `{"name":"N","sku":"-","price_cents":1,"stock":1}`, "", "sku", "must start with a letter or digit and have only letters, digits, dots, hyphens and underscores, such as DRILL-18V"},
		{"orders", "PATCH", "/products/1", `{"stock":1,"reason":"\u0000"}`, "", "reason", "must not contain control characters"},
		{"orders", "PATCH", "/products/1", `{"stock":100000000001}`, "", "stock", "must be at most 1000000000"},
		{"orders", "POST", "/orders", `{"customer_id":1,"items":null}`, "", "items", "must have at least 1 item"},
		{"orders", "POST", "/orders", `{"customer_id":1,"items":[]}`, "", "items", "must have at least 1 item"},
		{"orders", "POST", "/orders", `{"customer_id":null,"items":[{"product_id":1,"qty":1}]}`, "", "customer_id", "must not be null"},
		{"orders", "POST", "/orders/1/confirm", "", "", "Idempotency-Key", "is required"},
		{"orders", "POST", "/orders/1/confirm", "", "\u00e9", "Idempotency-Key", "must contain only visible ASCII characters, such as order-0001"},
		{"orchestrator", "POST", "/orchestrator/create-and-confirm-order", `{"customer_id":1,"items":[{"product_id":1,"qty":1}],"idempotency_key":"a b"}`, "", "idempotency_key", "must contain only visible ASCII characters, such as erp-2026-000123"},
		{"orchestrator", "POST", "/orchestrator/create-and-confirm-order", `{"customer_id":1,"items":[{"product_id":1,"qty":1}],"idempotency_key":"k","correlation_id":"a b"}`, "", "correlation_id", "must contain only letters, digits and . _ : / + = @ -, such as erp-run-42"},
	} {
		headers := call.JSON(token)
		if test.header != "" {
			headers = append(headers, "Idempotency-Key", test.header)
		}
		base := w.URLs().Of(test.service)
		a := call.Send(t, w.HTTP(test.service), test.method, base+test.path, strings.NewReader(test.body), headers...)
		want := []common.FieldError{{Field: test.field, Message: test.message}}
		if p := a.WantInvalid(t, test.field); !slices.Equal(*p.Errors, want) {
			t.Errorf("got %s, want %+v alone", a, want)
		}
	}
}

// A repeated header is ambiguous, so it is refused.
func TestHeadersTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	token := w.Login("admin").Token
	for _, o := range allOperations(t, w) {
		for _, parameter := range o.Parameters {
			if p := parameter.Value; p.In == openapi3.ParameterInHeader && p.Name != "User-Agent" { // Go's client sends only one
				headers := append(call.JSON(token), p.Name, "1", p.Name, "1")
				if !strings.HasSuffix(p.Name, "Idempotency-Key") {
					headers = append(headers, "Idempotency-Key", "k")
				}
				var body io.Reader
				if example := o.example(t); example != nil {
					body = encode(t, example)
				}
				call.Send(t, o.service.client, o.method, o.url(), body, headers...).WantInvalid(t, p.Name)
			}
		}
	}
}

// TestFaults closes the database. The cause must be logged once and not appear in a response.
func TestFaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	token := w.Login("admin").Token
	services := allServices(t, w)
	for _, s := range services {
		if a := call.Send(t, s.client, http.MethodGet, s.url+"/ready", nil); a.Status != http.StatusOK {
			t.Errorf("%s: ready: got %s, want 200", s.name, a)
		}
	}
	people := newPeople(t, w, w.With(token))
	if err := w.DB.Close(); err != nil {
		t.Fatal(err)
	}
	for i, o := range allOperations(t, w) {
		if o.service.name == "orchestrator" || o.Responses.Value("503") == nil || o.OperationID == "getKeySet" { // which is in memory
			continue
		}
		headers := append(call.JSON(o.token(token, people)), "Idempotency-Key", "k")
		trace := fmt.Sprintf("%032x", i+1)
		headers = append(headers, "traceparent", "00-"+trace+"-00f067aa0ba902b7-01")
		var body io.Reader
		if example := o.example(t); example != nil {
			if o.OperationID == "setPassword" {
				example["token"] = people.setup
			}
			body = encode(t, example)
		}
		a := call.Send(t, o.service.client, o.method, o.url(), body, headers...)
		if a.Status != http.StatusInternalServerError && a.Status != http.StatusServiceUnavailable {
			t.Errorf("%s: got %s, want 500 or 503", o.OperationID, a)
		}
		if p := a.Problem(t); p.TraceID != trace || p.Errors != nil {
			t.Errorf("%s: got %s, want the trace id %s and no field", o.OperationID, a, trace)
		}
		if retry := a.Header.Get("Retry-After"); (retry != "") != (a.Status == http.StatusServiceUnavailable) {
			t.Errorf("%s: got %s with Retry-After %q", o.OperationID, a, retry)
		}
		for _, cause := range []string{"sql", "SQL", "closed", "customersdb", "services/", ".go", ".db", "goroutine", "INSERT", "SELECT", "services/"} {
			if strings.Contains(string(a.Body), cause) {
				t.Errorf("%s: got %s, which shows its cause: %q", o.OperationID, a, cause)
			}
		}
		if lines := w.Log.Lines(`"level":"ERROR"`, trace); len(lines) != 1 || o.OperationID != "createOrder" && !strings.Contains(lines[0], "database is closed") {
			t.Errorf("%s: logged %q, want its cause once", o.OperationID, lines)
		}
		if lines := w.Log.Lines(`"level":"WARN"`, trace); len(lines) != 0 {
			t.Errorf("%s: logged %q as well", o.OperationID, lines)
		}
	}
	for _, s := range services {
		if a := call.Send(t, s.client, http.MethodGet, s.url+"/health", nil); a.Status != http.StatusOK {
			t.Errorf("%s: health without a database: got %s, want 200", s.name, a)
		}
		a := call.Send(t, s.client, http.MethodGet, s.url+"/ready", nil)
		a.Want(t, http.StatusServiceUnavailable)
		if a.Problem(t); a.Header.Get("Retry-After") == "" {
			t.Errorf("%s: ready without a database: got %s without Retry-After", s.name, a)
		}
	}
}

// The orchestrator is ready if orders-api is.
func TestReadyFollowsOrders(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	get := func(path string) call.Response {
		return call.Send(t, w.HTTP("orchestrator"), http.MethodGet, w.OrchestratorURL+path, nil)
	}
	for _, path := range []string{"/ready", "/dev/ready", "/health"} {
		if a := get(path); a.Status != http.StatusOK {
			t.Errorf("GET %s: got %s, want 200", path, a)
		}
	}
	w.Stop("orders")
	for _, path := range []string{"/ready", "/dev/ready"} {
		a := get(path)
		if a.WantProblem(t, http.StatusServiceUnavailable, common.CodeOrdersUnavailable); a.Header.Get("Retry-After") == "" {
			t.Errorf("GET %s without orders-api: got %s and Retry-After %q, want orders_unavailable and a time", path, a, a.Header.Get("Retry-After"))
		}
	}
	if a := get("/health"); a.Status != http.StatusOK {
		t.Errorf("health without orders-api: got %s, want 200", a)
	}
	a := call.Send(t, w.HTTP("customers"), http.MethodGet, w.CustomersURL+"/ready", nil)
	if a.Status != http.StatusOK {
		t.Errorf("customers-api without orders-api: got %s, want 200", a)
	}
}

// panicking is a service whose methods all panic, since the embedded interface is nil.
type panicking struct {
	customersserver.ServerInterface
}

func registerPanicking[R customersserver.EchoRouter](router R, prefix string) {
	customersserver.RegisterHandlersWithBaseURL(router, panicking{}, prefix)
}

func TestPanic(t *testing.T) {
	t.Parallel()
	log := &world.Log{}
	handler, err := server.New(server.Config{
		Title: "panicking", Contract: contract.Customers, Log: telemetry.NewLogger(log, false, slog.LevelDebug),
		Schemes: map[string]auth.Scheme{
			"bearerAuth": func(context.Context, string) (auth.Caller, error) {
				return auth.Caller{Name: "user:x", Role: auth.Admin}, nil
			},
			"sessionToken": auth.ServiceTokens(""),
			"serviceToken": auth.ServiceTokens(""),
		},
	}, registerPanicking)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	for i, path := range []string{"/health", "/customers", "/customers/7"} {
		trace := fmt.Sprintf("%032x", i+1)
		a := call.Send(t, s.Client(), http.MethodGet, s.URL+path, nil, "Authorization", "Bearer x", "traceparent", "00-"+trace+"-00f067aa0ba902b7-01")
		if p := a.WantProblem(t, http.StatusInternalServerError, common.CodeInternal); p.TraceID != trace {
			t.Errorf("GET %s: got %s %v, want a problem document", path, a, a.Header)
		}
		for _, cause := range []string{"nil pointer", "panic", "goroutine", ".go"} {
			if strings.Contains(string(a.Body), cause) {
				t.Errorf("GET %s: got %s, which shows its cause: %q", path, a, cause)
			}
		}
		if lines := log.Lines(`"level":"ERROR"`, trace); len(lines) != 1 || !strings.Contains(lines[0], "nil pointer") || !strings.Contains(lines[0], "goroutine") {
			t.Errorf("GET %s: logged %q, want the panic with its location, once", path, lines)
		}
		if lines := log.Lines(`"msg":"request"`, trace, `"status":500`); len(lines) != 1 {
			t.Errorf("GET %s: logged %q, want one access line", path, lines)
		}
	}
}

func TestCORS(t *testing.T) {
	t.Parallel()
	const origin = "https://shop.example"
	// CORS headers are a setting and not in the contract, so this uses a plain client.
	for _, test := range []struct {
		name    string
		origins []string
		origin  string
		want    string
	}{
		{"off, as it is by default", nil, origin, ""},
		{"on, for this origin", []string{"https://other.example", origin}, origin, origin},
		{"on, for others", []string{"https://other.example"}, origin, ""},
		{"on, for one that begins like it", []string{origin}, origin + ".evil.example", ""},
		{"on, for https", []string{origin}, "http://shop.example", ""},
		{"on, for no null", []string{origin}, "null", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, world.Options{Origins: test.origins})
			now := w.Clock.Now().Unix()
			token := signToken(world.JWTSecret, "HS256", map[string]any{
				"sub": "admin", "role": "admin", "iss": "pedidos", "aud": "pedidos", "iat": now, "exp": now + 60, "jti": "x",
			})
			for _, s := range allServices(t, w) {
				path := map[string]string{"customers": "/customers", "orders": "/orders", "orchestrator": "/dev/orchestrator/create-and-confirm-order"}[s.name]
				preflight := call.Send(t, http.DefaultClient, http.MethodOptions, s.url+path, nil, "Origin", test.origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization,content-type,idempotency-key")
				if preflight.Status != http.StatusNoContent {
					t.Errorf("%s: preflight: got %s, want 204", s.name, preflight)
				}
				answers := map[string]call.Response{
					"preflight": preflight,
					"200":       call.Send(t, http.DefaultClient, http.MethodGet, s.url+"/health", nil, "Origin", test.origin),
					"401":       call.Send(t, http.DefaultClient, http.MethodPost, s.url+path, nil, "Origin", test.origin, "Authorization", "Basic x"),
					"400":       call.Send(t, http.DefaultClient, http.MethodPost, s.url+path, strings.NewReader(`{}`), append(call.JSON(token), "Origin", test.origin)...),
					"404":       call.Send(t, http.DefaultClient, http.MethodGet, s.url+"/nope", nil, "Origin", test.origin),
					"no file":   call.Send(t, http.DefaultClient, http.MethodGet, s.url+"/docs/nope.js", nil, "Origin", test.origin),
				}
				for name, a := range answers {
					if got := a.Header.Get("Access-Control-Allow-Origin"); got != test.want {
						t.Errorf("%s: %s: got Access-Control-Allow-Origin %q, want %q", s.name, name, got, test.want)
					}
					if a.Header.Get("Access-Control-Allow-Credentials") != "" {
						t.Errorf("%s: %s: got %v, want no credentials: tokens are sent by the page itself", s.name, name, a.Header)
					}
					for header := range a.Header {
						if test.want == "" && strings.HasPrefix(header, "Access-Control-") {
							t.Errorf("%s: %s: got the header %s, want none of CORS", s.name, name, header)
						}
					}
					if len(test.origins) > 0 && !strings.Contains(strings.Join(a.Header.Values("Vary"), ","), "Origin") {
						t.Errorf("%s: %s: got Vary %q, want Origin in it: the answer depends on it", s.name, name, a.Header.Values("Vary"))
					}
				}
				if test.want == "" {
					continue
				}
				if methods := preflight.Header.Get("Access-Control-Allow-Methods"); !strings.Contains(methods, "POST") {
					t.Errorf("%s: preflight: got the methods %q, want POST among them", s.name, methods)
				}
				allowed := strings.ToLower(preflight.Header.Get("Access-Control-Allow-Headers"))
				for _, name := range []string{"authorization", "content-type", "idempotency-key", "x-idempotency-key", "if-match", "traceparent", "x-correlation-id"} {
					if !slices.Contains(strings.Split(strings.ReplaceAll(allowed, " ", ""), ","), name) {
						t.Errorf("%s: preflight: got the headers %q, want %s among them", s.name, allowed, name)
					}
				}
				exposed := strings.ToLower(answers["200"].Header.Get("Access-Control-Expose-Headers"))
				for _, name := range []string{"etag", "location", "retry-after", "idempotency-replayed", "www-authenticate", "x-correlation-id"} {
					if !slices.Contains(strings.Split(strings.ReplaceAll(exposed, " ", ""), ","), name) {
						t.Errorf("%s: got %q exposed, want %s among them", s.name, exposed, name)
					}
				}
			}
		})
	}
}

func TestTraceID(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	for _, s := range allServices(t, w) {
		for _, test := range []struct {
			traceparent string
			taken       bool
		}{
			{"00-" + trace + "-00f067aa0ba902b7-01", true},
			{"00-" + trace + "-00f067aa0ba902b7-00", true},
			{"", false},
			{"00-00000000000000000000000000000000-00f067aa0ba902b7-01", false},
			{"00-" + trace + "-0000000000000000-01", false},
			{"00-" + strings.ToUpper(trace) + "-00f067aa0ba902b7-01", false},
			{"ff-" + trace + "-00f067aa0ba902b7-01", false},
			{trace, false},
			{strings.Repeat("0", 1000), false},
		} {
			var headers []string
			if test.traceparent != "" {
				headers = []string{"traceparent", test.traceparent}
			}
			seen := map[string]bool{}
			for _, path := range []string{"/nope", "/docs/nope.js"} {
				p := call.Send(t, s.client, http.MethodGet, s.url+path, nil, headers...).WantProblem(t, http.StatusNotFound, common.CodeNotFound)
				if (p.TraceID == trace) != test.taken || len(p.TraceID) != 32 || strings.Trim(p.TraceID, "0") == "" {
					t.Errorf("%s: traceparent %q: got the trace id %q, want it to be the sender's: %t", s.name, test.traceparent, p.TraceID, test.taken)
				}
				seen[p.TraceID] = true
				if lines := w.Log.Lines(`"msg":"request"`, `"path":"`+path+`"`, `"trace_id":"`+p.TraceID+`"`); len(lines) == 0 {
					t.Errorf("%s: traceparent %q: the trace id %s is not in the log", s.name, test.traceparent, p.TraceID)
				}
			}
			if !test.taken && len(seen) != 2 {
				t.Errorf("%s: traceparent %q: two requests got one trace id, want one each", s.name, test.traceparent)
			}
		}
	}
}

func TestAccessLog(t *testing.T) {
	t.Parallel()
	w := newWorld(t, world.Options{})
	admin := w.Login("admin")
	plain := w.HTTP("customers")
	for i, test := range []struct {
		name, method, url, body, token     string
		operation, caller, level, wantPath string
		status                             int
	}{
		{"a list", "GET", w.CustomersURL + "/customers?search=x", "", admin.Token, "listCustomers", "user:admin", "INFO", "/customers", 200},
		{"created", "POST", w.CustomersURL + "/customers", `{"name":"N","email":"n@acme.example"}`, admin.Token, "createCustomer", "user:admin", "INFO", "/customers", 201},
		{"bad input", "POST", w.CustomersURL + "/customers", `{}`, admin.Token, "createCustomer", "user:admin", "INFO", "/customers", 400},
		{"not there", "DELETE", w.CustomersURL + "/customers/77", "", admin.Token, "deleteCustomer", "user:admin", "INFO", "/customers/77", 404},
		{"as a service", "GET", w.CustomersURL + "/internal/customers/77", "", world.ServiceToken, "getCustomerInternal", "service", "INFO", "/internal/customers/77", 404},
		{"as nobody", "GET", w.CustomersURL + "/customers", "", "", "listCustomers", "", "INFO", "/customers", 401},
		{"a forged token", "GET", w.CustomersURL + "/customers", "", "planted-token", "listCustomers", "", "INFO", "/customers", 401},
		{"a wrong password", "POST", w.CustomersURL + "/auth/login", `{"username":"admin","password":"planted-password"}`, "", "login", "", "INFO", "/auth/login", 401},
		{"a right password", "POST", w.CustomersURL + "/auth/login", `{"username":"admin","password":"` + world.AdminPassword + `"}`, "", "login", "", "INFO", "/auth/login", 200},
		{"a password in a broken body", "POST", w.CustomersURL + "/auth/login", `{"username":"admin","password":"planted-password"`, "", "login", "", "INFO", "/auth/login", 400},
		{"a password in the query", "POST", w.CustomersURL + "/auth/login?password=planted-password", `{"username":"admin","password":"x"}`, "", "login", "", "INFO", "/auth/login", 400},
		{"a token in the query", "GET", w.CustomersURL + "/customers?access_token=planted-token", "", admin.Token, "listCustomers", "user:admin", "INFO", "/customers", 400},
		{"an address in the path", "GET", w.CustomersURL + "/customers/planted@acme.example", "", admin.Token, "getCustomer", "user:admin", "INFO", "/customers/p…@acme.example", 400},
		{"a token in the path", "GET", w.CustomersURL + "/customers/" + admin.Token, "", admin.Token, "getCustomer", "user:admin", "INFO", "/customers/eyJ…", 400},
		{"an unknown path", "GET", w.CustomersURL + "/nope", "", admin.Token, "", "", "INFO", "/nope", 404},
		{"a path below an operation", "GET", w.CustomersURL + "/customers/1/x", "", admin.Token, "", "", "INFO", "/customers/1/x", 404},
		{"another method", "PATCH", w.CustomersURL + "/customers", "", admin.Token, "", "", "INFO", "/customers", 405},
		{"health", "GET", w.CustomersURL + "/health", "", "", "getHealth", "", "DEBUG", "/health", 200}, // called every few seconds, so logged at debug level
	} {
		trace := fmt.Sprintf("%032x", i+1)
		headers := []string{"traceparent", "00-" + trace + "-00f067aa0ba902b7-01", "X-Correlation-Id", "erp-" + trace}
		if test.token != "" {
			headers = append(headers, "Authorization", "Bearer "+test.token)
		}
		var body io.Reader
		if test.body != "" {
			body, headers = strings.NewReader(test.body), append(headers, "Content-Type", "application/json")
		}
		if a := call.Send(t, plain, test.method, test.url, body, headers...); a.Status != test.status {
			t.Errorf("%s: got %s, want %d", test.name, a, test.status)
		}
		lines := w.Log.Lines(trace)
		if len(lines) != 1 {
			t.Errorf("%s: logged %q, want one line", test.name, lines)
			continue
		}
		var line struct {
			Time, Level, Msg, OperationID, Method, Path, Caller, IP string
			Status, Bytes                                           int64
			DurationMS                                              float64 `json:"duration_ms"`
			TraceID                                                 string  `json:"trace_id"`
			CorrelationID                                           string  `json:"correlation_id"`
		}
		if err := json.Unmarshal([]byte(lines[0]), &line); err != nil {
			t.Fatalf("%s: %v in %s", test.name, err, lines[0])
		}
		if line.Msg != "request" || line.Level != test.level || line.OperationID != test.operation || line.Method != test.method || line.Path != test.wantPath ||
			line.Caller != test.caller || line.Status != int64(test.status) || line.TraceID != trace || line.IP != "127.0.0.1" || line.DurationMS <= 0 {
			t.Errorf("%s: logged %s, want %+v", test.name, lines[0], test)
		}
		if got, want := line.CorrelationID, "erp-"+trace; test.operation != "" && test.status != http.StatusUnauthorized && got != want {
			t.Errorf("%s: logged the correlation id %q, want %q", test.name, got, want)
		}
	}
	// An invalid correlation id is not logged.
	a := call.Send(t, plain, http.MethodGet, w.CustomersURL+"/health", nil, "X-Correlation-Id", `planted" level=ERROR`)
	if a.Status != http.StatusOK {
		t.Errorf("an invalid correlation id: got %s, want 200", a)
	}
	for _, secret := range []string{
		"planted", world.AdminPassword, world.ViewerPassword, world.ServiceToken, world.OldToken, world.JWTSecret,
		admin.Token, strings.Split(admin.Token, ".")[2], "Bearer",
	} {
		if lines := w.Log.Lines(secret); len(lines) > 0 {
			t.Errorf("the log contains the secret %q: %q", secret, lines)
		}
	}
}

func encode(t *testing.T, v any) *bytes.Buffer {
	t.Helper()
	encoded, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.NewBuffer(encoded)
}
