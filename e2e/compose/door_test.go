package compose

import (
	"bufio"
	"bytes"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/load"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/contract"
	"github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/gen/orchestrator"
)

// serviceToken is the default of docker-compose.yml. The routes below /internal accept it.
const serviceToken = "local-service-token"

func (p *project) testDoor(t *testing.T) {
	t.Run("flow", func(t *testing.T) { testFlow(t, "door", call.At(p.door)) })
	t.Run("docs", p.testDocs)
	t.Run("pages", p.testPages)
	t.Run("nothing else", p.testNothingElse)
	t.Run("contract", p.testDoorContract)
	t.Run("who calls", p.testForwarded)
	t.Run("log", p.testDoorLog)
	t.Run("services down", p.testServicesDown)
	t.Run("for others", p.testPublic)
}

// testNothingElse requests paths that are not public, and other spellings of them, byte for byte. The requests carry the
// service token and name an existing customer, so a service that received them would answer them.
func (p *project) testNothingElse(t *testing.T) {
	for _, line := range []string{
		"GET /dev HTTP/1.1",
		"GET /dev/ HTTP/1.1",
		"GET // HTTP/1.1",
		"GET /health HTTP/1.1",
		"GET /ready HTTP/1.1",
		"GET /login HTTP/1.1",
		"GET /dev/ready HTTP/1.1",
		"GET /dev/docs HTTP/1.1",
		"GET /metrics HTTP/1.1",
		"GET /debug/pprof/ HTTP/1.1",
		"GET /config/ HTTP/1.1",
		"GET /internal/customers/1 HTTP/1.1",
		"GET //internal/customers/1 HTTP/1.1",
		"GET /Internal/customers/1 HTTP/1.1",
		"GET /%69nternal/customers/1 HTTP/1.1",
		"GET /./internal/customers/1 HTTP/1.1",
		"GET /customers/../internal/customers/1 HTTP/1.1",
		"GET /customers/%2e%2e/internal/customers/1 HTTP/1.1",
		"GET /customers/..%2finternal/customers/1 HTTP/1.1",
		"GET /customers/..%5cinternal/customers/1 HTTP/1.1",
		`GET /customers\..\internal\customers\1 HTTP/1.1`,
		"GET /customers/1;/../../internal/customers/1 HTTP/1.1",
		"GET /customers/1%00 HTTP/1.1",
		"GET /docs/../internal/customers/1 HTTP/1.1",
		"GET /docs/%2e%2e/internal/customers/1 HTTP/1.1",
		"GET /openapi.json/ HTTP/1.1",
		"GET /openapi/orders.json HTTP/1.1",
		"GET /openapi.json/../internal/customers/1 HTTP/1.1",
		"GET /internal/customers/%2e%2e%2f%2e%2e%2fcustomers HTTP/1.1", // /customers, once decoded and cleaned
		"GET /internal/../customers HTTP/1.1",
		"GET /CUSTOMERS HTTP/1.1",
		"GET /customers/ HTTP/1.1",
		"GET //customers HTTP/1.1",
		"GET http://customers-api:3001/internal/customers/1 HTTP/1.1",
		"GET http://127.0.0.1:2020/ready HTTP/1.1",
		"GET http:internal/customers/1 HTTP/1.1",
		"CONNECT customers-api:3001 HTTP/1.1",
		"CONNECT /internal/customers/1 HTTP/1.1",
		"TRACE /internal/customers/1 HTTP/1.1",
		"GET /internal/customers/1 HTTP/1.0",
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			p.raw(t, line).WantProblem(t, http.StatusNotFound, common.CodeNotFound)
		})
	}
	// The service refuses the methods that a path does not allow. Its response repeats nothing of the request.
	for _, line := range []string{"TRACE /customers HTTP/1.1", "CONNECT /customers HTTP/1.1", "PURGE /orders/1 HTTP/1.1", "POST /docs HTTP/1.1", "POST /openapi.json HTTP/1.1"} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			r := p.raw(t, line)
			if r.WantProblem(t, http.StatusMethodNotAllowed, common.CodeMethodNotAllowed); r.Header.Get("Allow") == "" {
				t.Errorf("got %s %v, want Allow", r, r.Header)
			}
		})
	}
}

// raw sends a request line that HTTP clients would normalize. The response must be a problem document.
func (p *project) raw(t *testing.T, line string) call.Response {
	t.Helper()
	at, err := url.Parse(p.door)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", at.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "%s\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer %s\r\n\r\n", line, serviceToken)
	r := call.Read(http.ReadResponse(bufio.NewReader(conn), nil))
	r.Problem(t)
	if strings.Contains(string(r.Body), serviceToken) {
		t.Errorf("the response contains the token of the request: %s", r)
	}
	return r
}

// testPages opens pages through the door and without it. Behind the door, pages and API share paths: a request that asks for HTML gets
// the page.
func (p *project) testPages(t *testing.T) {
	const html = "text/html,application/xhtml+xml,*/*;q=0.8"
	browser := call.At(p.door).Browser(t)
	token := call.At(p.door).Token(t, call.LocalPassword)
	for name, base := range map[string]string{"door": p.door, "backoffice": p.backoffice} {
		send := func(method, path, body string, headers ...string) call.Response {
			t.Helper()
			return call.Send(t, browser, method, base+path, strings.NewReader(body), append([]string{"Accept", html}, headers...)...)
		}
		for _, path := range []string{"/", "/orders", "/customers/1", "/nowhere/else"} {
			want := "/login?next=" + url.QueryEscape(path)
			if r := send(http.MethodGet, path, ""); path != "/nowhere/else" && (r.Status != http.StatusSeeOther || r.Header.Get("Location") != want) ||
				path == "/nowhere/else" && (r.Status != http.StatusNotFound || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/html")) {
				t.Errorf("%s: GET %s: got %s %v, want the login or, for no page, the page that says so", name, path, r, r.Header)
			}
		}
		login := send(http.MethodGet, "/login", "").Want(t, http.StatusOK)
		for _, file := range regexp.MustCompile(`/static/[^"]+`).FindAllString(string(login.Body), -1) {
			if r := call.Send(t, browser, http.MethodGet, base+file, nil); r.Status != http.StatusOK || r.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" {
				t.Errorf("%s: GET %s: got %d %v, want a file to keep", name, file, r.Status, r.Header)
			}
		}
		cookie := call.StartSession(t, browser, base, "", call.LocalPassword)
		if page := send(http.MethodGet, "/customers", "", "Cookie", cookie.Name+"="+cookie.Value); page.Status != http.StatusOK || !strings.Contains(string(page.Body), "compras@acme.example") {
			t.Errorf("%s: GET /customers after the login: got %s, want the page", name, page)
		}
		if r := send(http.MethodPost, "/logout", "", "Cookie", cookie.Name+"="+cookie.Value, "Sec-Fetch-Site", "cross-site"); r.Status != http.StatusForbidden {
			t.Errorf("%s: a form of another site: got %s, want 403", name, r)
		}
	}
	if cookie := call.StartSession(t, browser, p.door, "pedidos.example", call.LocalPassword); !strings.HasPrefix(cookie.Name, "__Host-") || !cookie.Secure {
		t.Errorf("for another host the login sets %q, want a cookie that only HTTPS can have set", cookie)
	}
	call.Send(t, browser, http.MethodGet, p.door+"/openapi.json", nil, "Accept", html).Want(t, http.StatusOK)
	for _, path := range []string{"/health", "/ready?x"} {
		call.Send(t, browser, http.MethodGet, p.door+path, nil, "Accept", html).WantProblem(t, http.StatusNotFound, common.CodeNotFound)
	}
	for accept, headers := range map[string][]string{html: {"Authorization", "Bearer " + token}, "*/*": {}, "application/json": {}} {
		r := call.Send(t, browser, http.MethodGet, p.door+"/orders", nil, append(headers, "Accept", accept)...)
		if !strings.Contains(r.Header.Get("Content-Type"), "json") {
			t.Errorf("a program that accepts %s: got %s %v, want the API", accept, r, r.Header)
		}
	}
}

// testDoorContract checks responses through the door, and the door's own responses, against the contracts.
func (p *project) testDoorContract(t *testing.T) {
	token := call.At(p.door).Token(t, call.LocalPassword)
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	send := func(service, method, path, body string, headers ...string) call.Response {
		t.Helper()
		headers = append(headers, "Authorization", "Bearer "+token, "Content-Type", "application/json", "traceparent", "00-"+trace+"-00f067aa0ba902b7-01")
		return call.Send(t, world.HTTP(t, service, http.DefaultTransport), method, p.door+path, strings.NewReader(body), headers...)
	}
	for _, test := range []struct {
		name, service, method, path, body string
		status                            int
		code                              common.ProblemCode
	}{
		{"the contract", "public", "GET", "/openapi.json", "", 200, ""},
		{"the page", "public", "GET", "/docs", "", 200, ""},
		{"a part of the page", "public", "GET", "/docs/docs.js", "", 200, ""},
		{"a part of no page", "public", "GET", "/docs/nothing", "", 404, common.CodeNotFound},
		{"a list, by the contract of the door", "public", "GET", "/orders?limit=1", "", 200, ""},
		{"not an id, by the contract of the door", "public", "GET", "/customers/x", "", 400, common.CodeInvalidInput},
		{"a list", "customers", "GET", "/customers?limit=1", "", 200, ""},
		{"products", "orders", "GET", "/products", "", 200, ""},
		{"not an id", "orders", "GET", "/orders/x", "", 400, common.CodeInvalidInput},
		{"none", "orders", "GET", "/orders/999999/history", "", 404, common.CodeOrderNotFound},
		{"no such path", "customers", "GET", "/nowhere", "", 404, common.CodeNotFound},
		{"other method", "customers", "PATCH", "/customers", "{}", 405, common.CodeMethodNotAllowed},
		{"large body", "customers", "POST", "/customers", strings.Repeat(" ", 1<<20+1), 413, common.CodeBodyTooLarge},
		{"largest body", "customers", "POST", "/customers", strings.Repeat(" ", 1<<20), 400, common.CodeInvalidInput},
		{"large body", "orchestrator", "POST", "/dev/orchestrator/create-and-confirm-order", strings.Repeat(" ", 2<<20), 413, common.CodeBodyTooLarge},
	} {
		r := send(test.service, test.method, test.path, test.body).Want(t, test.status)
		if test.code == "" {
			continue
		}
		if doc := r.Problem(t); doc.Code != test.code || doc.TraceID != trace {
			t.Errorf("%s: got %s, want the code %s and the trace id that was sent", test.name, r, test.code)
		}
	}

	for _, headers := range [][]string{nil, {"Range", "bytes=0-9"}, {"If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT"}, {"If-None-Match", "*"}} {
		if r := send("public", "GET", "/openapi.json", "", headers...).Want(t, http.StatusOK); !bytes.Equal(r.Body, contract.Public) {
			t.Errorf("with %q: got a contract of %d bytes, want that of gen/contract/public.json", headers, len(r.Body))
		}
	}

	// A repeat gets the same bytes, so the door must not generate a correlation id.
	order := `{"customer_id":1,"items":[{"product_id":1,"qty":1}],"idempotency_key":"contract"}`
	first := send("orchestrator", "POST", "/orchestrator/create-and-confirm-order", order).Want(t, http.StatusCreated)
	again := send("orchestrator", "POST", "/orchestrator/create-and-confirm-order", order)
	if id := first.Header.Get("X-Correlation-Id"); id == "" || id != again.Header.Get("X-Correlation-Id") {
		t.Errorf("got %s %v and %s %v, want the same correlation id", first, first.Header, again, again.Header)
	}
	if answer := send("orchestrator", "POST", "/orchestrator/create-and-confirm-order", order, "X-Correlation-Id", "run-7"); answer.Header.Get("X-Correlation-Id") != "run-7" {
		t.Errorf("got %v, want the id that was sent", answer.Header)
	}
}

// testForwarded checks the client address that customers-api logs: that of the connection to the door, the backoffice or
// customers-api, whichever the client has called. None of them must trust the X-Forwarded-For of the client.
func (p *project) testForwarded(t *testing.T) {
	for i, test := range []struct{ called, url, method, path, operation string }{
		{"door", p.door, http.MethodGet, "/customers", "listCustomers"},
		{"customers-api", p.urls.Customers, http.MethodGet, "/customers", "listCustomers"},
		{"door", p.door, http.MethodPost, "/login", "createSession"},
		{"backoffice", p.backoffice, http.MethodPost, "/login", "createSession"},
	} {
		trace := fmt.Sprintf("%032x", i+1)
		headers := []string{"X-Forwarded-For", "203.0.113.7, 203.0.113.8", "traceparent", "00-" + trace + "-00f067aa0ba902b7-01"}
		if test.path == "/login" {
			headers = append(headers, "Accept", "text/html", "Content-Type", "application/x-www-form-urlencoded")
		}
		call.Send(t, http.DefaultClient, test.method, test.url+test.path, strings.NewReader("username=nobody&password=not-a-password"), headers...)
		var line string
		await(t, "the log line of "+test.operation+" through "+test.called, func() bool {
			line = regexp.MustCompile(`.*"operationId":"` + test.operation + `".*"trace_id":"` + trace + `".*`).FindString(p.compose(t, "logs", "--no-log-prefix", "customers-api"))
			return line != ""
		})
		gateways := p.container(t, test.called).NetworkSettings.Networks // the address of this machine inside the containers
		if test.called != "door" {
			delete(gateways, p.name+"_door")
		}
		var logged struct{ IP string }
		if err := json.Unmarshal([]byte(line), &logged); err != nil {
			t.Fatal(err)
		}
		known := false
		for _, network := range gateways {
			known = known || network.Gateway == logged.IP
		}
		if !known {
			t.Errorf("%s of %s: logged the client address %q, want a gateway of %v", test.operation, test.called, logged.IP, gateways)
		}
	}
}

// testDoorLog checks that the log of the door is JSON, has ids, and contains no secrets or personal data.
func (p *project) testDoorLog(t *testing.T) {
	for i, path := range []string{"/customers", "/nowhere", "/docs/nothing", "/customers/some@body.example", "/orders/eyJhbGciOiJIUzI1NiJ9"} {
		call.Send(t, http.DefaultClient, http.MethodGet, p.door+path+"?search=somebody@example.com", nil,
			"Authorization", "Bearer what-a-token-is", "Idempotency-Key", "what-a-key-is", "X-Correlation-Id", fmt.Sprint("logged-", i))
	}
	var log string
	await(t, "the log lines of the requests", func() bool {
		log = p.compose(t, "logs", "--no-log-prefix", "door")
		all := true
		for _, part := range []string{"logged-0", `"uri":"/nowhere"`, `"uri":"/docs/nothing"`, `"uri":"/customers/some"`, "logged-4"} {
			all = all && strings.Contains(log, part)
		}
		return all
	})
	for _, secret := range []string{"somebody", "body.example", "what-a-token-is", "what-a-key-is", "eyJ", "search="} {
		if strings.Contains(log, secret) {
			t.Errorf("the door logs the secret %q", secret)
		}
	}
	for line := range strings.Lines(log) {
		if !json.Valid([]byte(line)) {
			t.Errorf("the door logs %q, which is not JSON", line)
		}
	}
	if !strings.Contains(log, `"correlation_id":"logged-0"`) || !strings.Contains(log, `"trace_id":`) {
		t.Error("the log lacks correlation_id or trace_id")
	}
}

// testServicesDown stops the services and checks that the door answers 503, to programs as the contracts say, and to people with a
// page.
func (p *project) testServicesDown(t *testing.T) {
	p.each(t, apis, "stop")
	const order = `{"customer_id":1,"items":[{"product_id":1,"qty":1}],"idempotency_key":"down"}`
	var asked sync.WaitGroup // concurrent, since the door waits a while for a service to return
	for _, test := range []struct{ service, method, path, body, correlation string }{
		{"customers", "POST", "/auth/login", `{"username":"admin","password":"pedidos-local"}`, "run-7"},
		{"customers", "GET", "/customers/1", "", "run-7"},
		{"orders", "GET", "/orders", "", "run-7"},
		{"orders", "POST", "/orders/1/confirm", "", "run-7"},
		{"orchestrator", "POST", "/orchestrator/create-and-confirm-order", order, "run-7"},
		{"orchestrator", "POST", "/dev/orchestrator/create-and-confirm-order", order, `no "id`},
		{"", "GET", "/orders", "", "run-7"},
		{"", "POST", "/orders/new", "key=down", "run-7"},
	} {
		asked.Go(func() {
			if test.service == "" {
				r := call.Try(t.Context(), http.DefaultClient, test.method, p.door+test.path, strings.NewReader(test.body), "Accept", "text/html")
				if r.Status != http.StatusServiceUnavailable || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/html") ||
					r.Header.Get("Retry-After") == "" || !strings.Contains(string(r.Body), "Recargar") {
					t.Errorf("%s %s in a browser: got %s %v, want a page for people", test.method, test.path, r, r.Header)
				}
				return
			}
			client := http.DefaultClient
			if test.correlation == "run-7" { // the other one violates the contract
				client = world.HTTP(t, test.service, http.DefaultTransport)
			}
			r := call.Try(t.Context(), client, test.method, p.door+test.path, strings.NewReader(test.body),
				"X-Correlation-Id", test.correlation, "Idempotency-Key", "down", "Content-Type", "application/json")
			var doc call.Problem
			if err := r.Decode(http.StatusServiceUnavailable, &doc); err != nil {
				t.Error(err)
				return
			}
			if test.service == "orchestrator" {
				if doc.Error == nil || doc.Error.Code != doc.Code || doc.Error.Step != orchestrator.StepValidateInput {
					t.Errorf("got %s, want a failure at validate_input", r)
				}
				if doc.CorrelationID == "" || (doc.CorrelationID == test.correlation) != (test.correlation == "run-7") {
					t.Errorf("the failure has the correlation id %q, for %q", doc.CorrelationID, test.correlation)
				}
			}
			if doc.Code != common.CodeUnavailable || r.Header.Get("Retry-After") != "1" {
				t.Errorf("got %s %v, want unavailable with Retry-After: 1", r, r.Header)
			}
		})
	}
	asked.Wait()
	p.each(t, apis, "start")
	p.awaitHealthy(t, running...)
}

// testPublic reads the public configuration. It must require its own secrets, refuse anonymous callers, publish only port
// 443, and disable the settings for local use.
func (p *project) testPublic(t *testing.T) {
	public := p.with("COMPOSE_FILE=docker-compose.yml:deploy/caddy/public.yaml", "LOCAL=true", "SAMPLE_DATA=true")
	variables := []string{
		"DOOR_HOST", "SERVICE_TOKEN", "MYSQL_ROOT_PASSWORD", "DB_PASSWORD", "DB_CUSTOMERS_PASSWORD", "DB_ORDERS_PASSWORD",
	}
	for _, variable := range variables {
		public = public.with(variable + "=value-of-" + variable)
	}
	for _, variable := range []string{"SIGNING_SECRET", "ADMIN_PASSWORD"} { // customers-api decides whether it needs them
		if got := public.config(t).Services["customers-api"].Environment[variable]; got != "" {
			t.Errorf("without %s, customers-api has the value %q", variable, got)
		}
		public = public.with(variable + "=value-of-" + variable)
	}
	for _, variable := range variables {
		if _, err := public.with(variable+"=").try(t, "config"); err == nil || !strings.Contains(err.Error(), variable+" is missing a value") {
			t.Errorf("without %s: got %v, want an error that names it", variable, err)
		}
	}
	config := public.config(t)
	if ports := config.Services["door"].Ports; len(ports) != 1 || ports[0].Published != "443" || ports[0].HostIP != "" {
		t.Errorf("the door publishes %+v, want port 443 on all addresses", ports)
	}
	for service, want := range map[string]map[string]string{
		"mysql":   {"MYSQL_ROOT_PASSWORD": "value-of-MYSQL_ROOT_PASSWORD", "MYSQL_PASSWORD": "value-of-DB_PASSWORD"},
		"migrate": {"LOCAL": "false", "DB_PASSWORD": "value-of-DB_PASSWORD"},
		"seed":    {"LOCAL": "false", "DB_PASSWORD": "value-of-DB_PASSWORD", "SAMPLE_DATA": "false"},
		"customers-api": {
			"CORS_ORIGINS": "", "LOCAL": "false", "DB_PASSWORD": "value-of-DB_CUSTOMERS_PASSWORD",
			"ADMIN_PASSWORD": "value-of-ADMIN_PASSWORD", "SIGNING_SECRET": "value-of-SIGNING_SECRET", "JWT_SECRET": "", "SERVICE_TOKEN": "value-of-SERVICE_TOKEN",
		},
		"orders-api": {
			"CUSTOMERS_PUBLIC_URL": "", "LOCAL": "false", "DB_PASSWORD": "value-of-DB_ORDERS_PASSWORD",
			"SIGNING_SECRET": "", "JWT_SECRET": "", "SERVICE_TOKEN": "value-of-SERVICE_TOKEN",
		},
		"orchestrator": {"CUSTOMERS_PUBLIC_URL": "", "LOCAL": "false", "ALLOW_ANONYMOUS": "false", "SERVICE_TOKEN": "value-of-SERVICE_TOKEN"},
		"backoffice":   {"LOCAL": "false", "SERVICE_TOKEN": ""},
	} {
		got, ok := config.Services[service]
		if !ok {
			t.Errorf("the service %s is missing", service)
		}
		for name, value := range want {
			if got := got.Environment[name]; got != value {
				t.Errorf("%s has %s=%q, want %q", service, name, got, value)
			}
		}
		for _, port := range got.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s publishes %+v, want 127.0.0.1 only", service, port)
			}
		}
	}
}

// each runs a docker command, such as stop, for services but not for their dependencies.
func (p *project) each(t *testing.T, services []string, command string) {
	t.Helper()
	args := []string{command}
	for _, service := range services {
		args = append(args, p.name+"-"+service+"-1")
	}
	if _, err := p.docker(t.Context(), args...); err != nil {
		t.Fatal(err)
	}
}

// testReplicas runs two replicas of each service behind the door, which has a host name and therefore HTTPS.
func (p *project) testReplicas(t *testing.T) {
	two := p.with("COMPOSE_FILE=docker-compose.yml:deploy/caddy/replicas.yaml", "DOOR_HOST=localhost")
	two.compose(t, "up", "--detach")
	for _, service := range apis {
		for _, number := range replicas {
			two.awaitReplica(t, service, number)
		}
	}
	urls := call.At("https://localhost:" + p.door[strings.LastIndex(p.door, ":")+1:])
	urls.Roots = x509.NewCertPool() // for localhost the door issues its own certificate
	if root := two.compose(t, "exec", "-T", "door", "cat", "/data/pki/authorities/local/root.crt"); !urls.Roots.AppendCertsFromPEM([]byte(root)) {
		t.Fatalf("the root of the door is no certificate: %s", root)
	}
	if answer, err := http.Get(p.door + "/customers"); err != nil || answer.StatusCode != http.StatusBadRequest {
		t.Errorf("without HTTPS: got %v %v, want 400", answer, err)
	}
	t.Run("flow", func(t *testing.T) { testFlow(t, "https", urls) })
	t.Run("restarts", func(t *testing.T) { two.testRollingRestart(t, urls) })
	t.Run("logs", two.testLogs)
}

var (
	apis     = []string{"customers-api", "orders-api", "orchestrator", "backoffice"}
	replicas = []int{1, 2}
)

// testRollingRestart restarts the replicas one by one while clients send requests through the door. No request may fail or
// take effect twice, not even one without an idempotency key.
func (p *project) testRollingRestart(t *testing.T, urls call.URLs) {
	client := urls.Login(t, call.LocalPassword)
	l := load.New(t, load.Config{Name: "replicas", Callers: 4, Once: true, Patience: timeout}, client)
	u := newUnkeyed(t, client)
	browser := urls.Browser(t)
	cookie := call.StartSession(t, browser, urls.Customers, "", call.LocalPassword)
	u.page = func() call.Response {
		return call.Try(t.Context(), browser, http.MethodGet, urls.Customers+"/orders", nil, "Accept", "text/html", "Cookie", cookie.Name+"="+cookie.Value)
	}
	l.Start(t)
	u.start(t)
	const some = 100 // requests
	for _, number := range replicas {
		for _, service := range apis {
			l.AwaitMore(t, some)
			if _, err := p.docker(t.Context(), "restart", fmt.Sprintf("%s-%s-%d", p.name, service, number)); err != nil {
				t.Fatal(err)
			}
			p.awaitReplica(t, service, number)
		}
	}
	l.AwaitMore(t, some)
	u.pause(t)
	l.Pause(t)
	counts := l.Counts()
	t.Logf("with keys: %d requests sent, %d answered at the first try; without: %d sent, %d failed",
		counts.Requests, counts.Acknowledged, u.sent, len(u.failed))
	l.CheckAll(t)
	t.Log(l.Counts())
}

// unkeyed is a caller without idempotency keys. If the door sends a request twice, it takes effect twice.
type unkeyed struct {
	client  *call.Client
	buyer   int64
	product int64
	sent    int
	placed  int
	page    func() call.Response // of the backoffice
	failed  []string
	stop    chan struct{}
	done    chan struct{}
}

func newUnkeyed(t *testing.T, client *call.Client) *unkeyed {
	t.Helper()
	return &unkeyed{
		client: client, stop: make(chan struct{}), done: make(chan struct{}),
		buyer: client.CreateCustomer(t, "unkeyed@example.com").ID, product: client.CreateProduct(t, "UNKEYED", 100, 1_000_000).ID,
	}
}

func (u *unkeyed) start(t *testing.T) {
	go func() {
		defer close(u.done)
		for {
			select {
			case <-u.stop:
				return
			case <-t.Context().Done():
				return
			default:
				u.round(t)
			}
		}
	}()
}

// round places an order, creates and reads a customer, whose address must be unique, and opens a page.
func (u *unkeyed) round(t *testing.T) {
	expect := func(want int, r call.Response) {
		u.sent++
		if r.Status != want {
			u.failed = append(u.failed, r.String())
		}
	}
	expect(http.StatusCreated, u.client.TryOrder(t.Context(), "", u.buyer, u.product, 1))
	added := call.Read(u.client.Customers.CreateCustomer(t.Context(), nil,
		customers.CustomerInput{Name: "Unkeyed", Email: fmt.Sprintf("unkeyed-%d@example.com", u.sent)}))
	expect(http.StatusCreated, added)
	u.placed++
	expect(http.StatusOK, u.page())
	var customer customers.Customer
	if added.Decode(http.StatusCreated, &customer) != nil {
		return
	}
	expect(http.StatusOK, call.Read(u.client.Customers.GetCustomer(t.Context(), customer.ID)))
}

// pause stops the caller and checks that each of its orders was placed exactly once.
func (u *unkeyed) pause(t *testing.T) {
	t.Helper()
	close(u.stop)
	<-u.done
	for _, failed := range u.failed[:min(len(u.failed), 20)] {
		t.Errorf("a request without a key failed: %s", failed)
	}
	if all := u.client.AllOrders(t, u.buyer); len(all) != u.placed {
		t.Errorf("got %d orders, placed %d without a key", len(all), u.placed)
	}
	if left := u.client.GetProduct(t, u.product).Stock; left != int64(1_000_000-u.placed) {
		t.Errorf("got %d units in stock, sold %d of 1,000,000", left, u.placed)
	}
}
