package process

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/go-sql-driver/mysql"
	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	apicommon "github.com/pedidos-hq/pedidos/gen/common"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/engine"
	"github.com/pedidos-hq/pedidos/e2e/program"
	"github.com/pedidos-hq/pedidos/gen/customers"
)

// TestTraces sends an order through all three services twice under the same key and checks the spans that they export. A
// service exports its remaining spans when it stops.
func TestTraces(t *testing.T) {
	t.Parallel()
	// On MySQL, the first statement begins the transaction, and those whose results nobody needs are sent with COMMIT.
	together := strings.NewReplacer(
		"      orders: BEGIN IMMEDIATE\n", "", "      orders: COMMIT\n", "",
		"InsertOrderLines\n      orders: InsertOrderEvents\n      orders: TakeStock\n      orders: KeepAnswers", "InsertOrderLines, InsertOrderEvents, TakeStock, KeepAnswers",
		"ConfirmOrders\n      orders: InsertOrderEvents\n      orders: KeepAnswers", "ConfirmOrders, InsertOrderEvents, KeepAnswers",
	).Replace(tracePlaced)
	for _, test := range []struct {
		engine       string
		placed       string
		environments func(t *testing.T) (customers, orders []string)
	}{
		{"sqlite", tracePlaced, func(t *testing.T) (customers, orders []string) {
			return []string{"DATA_DIR=" + t.TempDir()}, []string{"DATA_DIR=" + t.TempDir()}
		}},
		{"mysql", together, func(t *testing.T) (customers, orders []string) {
			env := emptyMySQL(t)
			if r := program.Run(t, env, "migrate", "up"); r.Code != 0 {
				t.Fatal(r.Stderr)
			}
			return env, env
		}},
	} {
		t.Run(test.engine, func(t *testing.T) {
			t.Parallel()
			c := collect(t)
			inCustomers, inOrders := test.environments(t)
			env := append(slices.Clip(planted), "OTEL_EXPORTER_OTLP_ENDPOINT="+c.URL, "OTEL_EXPORTER_OTLP_HEADERS=x-tenant=planted-tenant")
			customersAPI, customersURL := program.Serve(t, "customers", append(env, inCustomers...)...)
			ordersAPI, ordersURL := program.Serve(t, "orders", append(append(env, inOrders...), "CUSTOMERS_API_BASE="+customersURL)...)
			orchestratorAPI, orchestratorURL := program.Serve(t, "orchestrator", append(env, "ORDERS_API_BASE="+ordersURL)...)

			s := call.URLs{Customers: customersURL, Orders: ordersURL, Orchestrator: orchestratorURL}.Login(t, plantedPassword)
			buyer, product := s.CreateCustomer(t, "planted.buyer@example.com"), s.CreateProduct(t, "SAW", 2500, 10)
			const first, again = "4bf92f3577b34da6a3ce929d0e0e4736", "00000000000000000000000000000007"
			flags := map[string]string{first: "01", again: "00"} // the caller's sampled flag must have no effect
			for _, trace := range []string{first, again} {
				request := call.OrderRequest("planted-idempotency-key", buyer.ID, product.ID, 3)
				call.Read(s.Orchestrator.CreateAndConfirmOrder(t.Context(), nil, request, within(trace, flags[trace]))).Want(t, http.StatusCreated)
			}
			twice := call.Read(s.Customers.CreateCustomer(t.Context(), nil, customers.CustomerInput{Name: "Buyer", Email: "planted.buyer@example.com"}))
			twice.WantProblem(t, http.StatusConflict, apicommon.CodeEmailTaken, "email")
			search := "planted.buyer@example.com"
			call.Read(s.Customers.ListCustomers(t.Context(), &customers.ListCustomersParams{Search: &search})).Want(t, http.StatusOK)
			for _, path := range []string{"/customers/planted.ü@exämple.com", "/planted%40localhost?to=planted@localhost", "/docs/planted@example.com"} {
				if status, _ := program.Get(t, customersURL+path); status < 400 {
					t.Errorf("%s: %d", path, status)
				}
			}
			for _, p := range []*program.Program{orchestratorAPI, ordersAPI, customersAPI} {
				if code := p.Stop(t, syscall.SIGTERM); code != 0 {
					t.Errorf("%s ended with %d after SIGTERM\n%s", p, code, p.Stderr)
				}
			}

			if got := c.tree(first); got != test.placed {
				t.Errorf("the trace of the order is\n%s\nwant\n%s", got, test.placed)
			}
			if got := c.tree(again); got != traceReplayed {
				t.Errorf("the trace of the repeat is\n%s\nwant\n%s", got, traceReplayed)
			}
			t.Logf("the trace of one order:\n%s", c.tree(first))
			c.checkSecrets(t, "planted", "eyJ", "SAW")
			c.checkStatements(t)
		})
	}
}

// TestTraceOfAPage opens a page of the backoffice and checks that its trace has the spans of the services that it calls.
func TestTraceOfAPage(t *testing.T) {
	t.Parallel()
	c := collect(t)
	env := append(slices.Clip(planted), "OTEL_EXPORTER_OTLP_ENDPOINT="+c.URL, "OTEL_EXPORTER_OTLP_HEADERS=x-tenant=planted-tenant")
	customersAPI, customersURL := program.Serve(t, "customers", append(env, "DATA_DIR="+t.TempDir())...)
	ordersAPI, ordersURL := program.Serve(t, "orders", append(env, "DATA_DIR="+t.TempDir(), "CUSTOMERS_API_BASE="+customersURL)...)
	backoffice, backofficeURL := program.Serve(t, "backoffice",
		append(env, "CUSTOMERS_API_BASE="+customersURL, "ORDERS_API_BASE="+ordersURL, "ORCHESTRATOR_API_BASE=http://127.0.0.1:1")...)

	browser := call.URLs{}.Browser(t)
	session := call.StartSession(t, browser, backofficeURL, "", plantedPassword)
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	call.Send(t, browser, http.MethodGet, backofficeURL+"/products", nil,
		"Cookie", session.Name+"="+session.Value, "traceparent", "00-"+trace+"-00f067aa0ba902b7-01").Want(t, http.StatusOK)
	browser.CloseIdleConnections()
	for _, p := range []*program.Program{backoffice, ordersAPI, customersAPI} {
		p.Hide(session.Value)
		if code := p.Stop(t, syscall.SIGTERM); code != 0 {
			t.Errorf("%s ended with %d after SIGTERM\n%s", p, code, p.Stderr)
		}
	}
	got := c.tree(trace)
	for _, want := range []string{"\nbackoffice: GET /products ", "\n    customers: POST /auth/token ", "\n    customers: GET /auth/me ", "\n    orders: GET /products "} {
		if !strings.Contains(got, want) {
			t.Errorf("the trace lacks %q:\n%s", want, got)
		}
	}
	c.checkSecrets(t, "planted", "eyJ", session.Value)
}

// TestCallersDoNotControlSampling checks that the sampled flag of a caller does not override a sampler that drops all traces.
func TestCallersDoNotControlSampling(t *testing.T) {
	t.Parallel()
	for _, sampler := range []string{"parentbased_traceidratio", "parentbased_always_off"} {
		c := collect(t)
		p, url := program.Serve(t, "customers", append(slices.Clip(planted), "DATA_DIR="+t.TempDir(), "OTEL_EXPORTER_OTLP_ENDPOINT="+c.URL,
			"OTEL_EXPORTER_OTLP_HEADERS=x-tenant=planted-tenant", "OTEL_TRACES_SAMPLER="+sampler, "OTEL_TRACES_SAMPLER_ARG=0")...)
		client := call.URLs{Customers: url}.Client(t, "")
		call.Read(client.Customers.GetCustomer(t.Context(), 1, within("4bf92f3577b34da6a3ce929d0e0e4736", "01"))).Want(t, http.StatusUnauthorized)
		client.HangUp()
		if code := p.Stop(t, syscall.SIGTERM); code != 0 {
			t.Errorf("%s ended with %d after SIGTERM\n%s", p, code, p.Stderr)
		}
		if got := c.tree("4bf92f3577b34da6a3ce929d0e0e4736"); got != "\n" {
			t.Errorf("%s 0: the caller's flag made the service export\n%s", sampler, got)
		}
	}
}

// tracePlaced has a line for each span, with its service, its name and some of its attributes.
const tracePlaced = `
orchestrator: POST /orchestrator/create-and-confirm-order breaker=closed 201
  orchestrator: HTTP POST 201
    orders: POST /orders idempotency=first customer_cache=miss breaker=closed 201
      orders: HTTP GET 200
        customers: GET /internal/customers/{id} 200
          customers: GetCustomer
      orders: BEGIN IMMEDIATE
      orders: ClaimKeys
      orders: LockProductsForOrder
      orders: InsertOrders
      orders: InsertOrderLines
      orders: InsertOrderEvents
      orders: TakeStock
      orders: KeepAnswers
      orders: COMMIT
  orchestrator: HTTP POST 200
    orders: POST /orders/{id}/confirm idempotency=first 200
      orders: BEGIN IMMEDIATE
      orders: ClaimKeys
      orders: LockOrders
      orders: ListOrderLines
      orders: ConfirmOrders
      orders: InsertOrderEvents
      orders: KeepAnswers
      orders: COMMIT
`

const traceReplayed = `
orchestrator: POST /orchestrator/create-and-confirm-order breaker=closed 201
  orchestrator: HTTP POST 201
    orders: POST /orders idempotency=replayed 201
      orders: FindKeys
  orchestrator: HTTP POST 200
    orders: POST /orders/{id}/confirm idempotency=replayed 200
      orders: FindKeys
`

// emptyMySQL creates a database and a user for it. The user's password is random, so that a search of the output finds only
// the password.
func emptyMySQL(t *testing.T) (env []string) {
	t.Helper()
	at := engine.EmptyMySQL(t)
	config := mysql.NewConfig()
	config.Net, config.Addr, config.User, config.Passwd = "tcp", net.JoinHostPort(at.Host, strconv.Itoa(at.Port)), at.User, at.Password
	connector, err := mysql.NewConnector(config)
	if err != nil {
		t.Fatal(err)
	}
	server := sql.OpenDB(connector)
	defer server.Close()
	user, password := "user"+rand.Text()[:20], "planted-db-password-"+rand.Text()
	for _, statement := range []string{
		"CREATE USER '" + user + "' IDENTIFIED BY '" + password + "'",
		"GRANT ALL ON `" + at.Name + "`.* TO '" + user + "'",
	} {
		if _, err := server.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	return []string{
		"DB_HOST=" + at.Host, fmt.Sprintf("DB_PORT=%d", at.Port), "DB_NAME=" + at.Name, "DB_USER=" + user, "DB_PASSWORD=" + password,
	}
}

func within(trace, flags string) func(context.Context, *http.Request) error {
	return func(_ context.Context, r *http.Request) error {
		r.Header.Set("traceparent", "00-"+trace+"-00f067aa0ba902b7-"+flags)
		return nil
	}
}

// collector is an OTLP collector that keeps the spans it receives.
type collector struct {
	*httptest.Server
	mu    sync.Mutex
	spans []*span
	text  strings.Builder // all spans, without their IDs
}

type span struct {
	*otlp.Span
	service string
}

func collect(t *testing.T) *collector {
	t.Helper()
	c := &collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := c.take(r); err != nil {
			t.Errorf("%s %s: %v", r.Method, r.URL, err)
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *collector) take(r *http.Request) error {
	if r.URL.Path != "/v1/traces" || r.Header.Get("x-tenant") != "planted-tenant" {
		return fmt.Errorf("unexpected path or headers: %v", r.Header)
	}
	body, err := io.ReadAll(r.Body)
	if err == nil && r.Header.Get("Content-Encoding") == "gzip" {
		var z *gzip.Reader
		if z, err = gzip.NewReader(bytes.NewReader(body)); err == nil {
			body, err = io.ReadAll(z)
		}
	}
	if err != nil {
		return err
	}
	var sent coltrace.ExportTraceServiceRequest
	if err := proto.Unmarshal(body, &sent); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, resource := range sent.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			for _, s := range scope.Spans {
				c.spans = append(c.spans, &span{s, attribute(resource.Resource.Attributes, "service.name")})
				fmt.Fprintln(&c.text, resource.Resource, s.Name, s.Attributes, s.Events, s.Status)
			}
		}
	}
	return nil
}

// tree returns a trace as text with a line for each span, indented below its parent, in the order of their starts.
func (c *collector) tree(trace string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	slices.SortStableFunc(c.spans, func(a, b *span) int { return int(a.StartTimeUnixNano) - int(b.StartTimeUnixNano) })
	text := "\n"
	var walk func(parent, indent string)
	walk = func(parent, indent string) {
		for _, s := range c.spans {
			if hex.EncodeToString(s.TraceId) != trace || hex.EncodeToString(s.ParentSpanId) != parent {
				continue
			}
			text += indent + s.service + ": " + s.Name
			for _, name := range []string{"idempotency", "customer_cache", "breaker"} {
				if value := attribute(s.Attributes, "pedidos."+name); value != "" {
					text += " " + name + "=" + value
				}
			}
			if status := attribute(s.Attributes, "http.response.status_code"); status != "" {
				text += " " + status
			}
			text += "\n"
			walk(hex.EncodeToString(s.SpanId), indent+"  ")
		}
	}
	walk("00f067aa0ba902b7", "")
	return text
}

// checkSecrets expects none of the secrets in any exported span.
func (c *collector) checkSecrets(t *testing.T, secrets ...string) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	sent := c.text.String()
	for _, secret := range secrets {
		if at := strings.Index(sent, secret); at >= 0 {
			t.Errorf("a span contains %s: %s", secret, sent[max(0, at-200):min(len(sent), at+200)])
		}
	}
}

// checkStatements expects spans with the text of their statements.
func (c *collector) checkStatements(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if sent := c.text.String(); !strings.Contains(sent, "FROM customers") || !strings.Contains(sent, "INSERT INTO orders ") {
		t.Error("no span contains the text of its statement")
	}
}

func attribute(all []*common.KeyValue, name string) string {
	for _, a := range all {
		if a.Key == name {
			if n, ok := a.Value.Value.(*common.AnyValue_IntValue); ok {
				return fmt.Sprint(n.IntValue)
			}
			return a.Value.GetStringValue()
		}
	}
	return ""
}
