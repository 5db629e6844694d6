package hostile

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/program"
	"github.com/pedidos-hq/pedidos/gen/common"
)

// TestRebinding sends the requests of a DNS rebinding attack: a page whose name resolves to this machine can make the
// operator's browser send any path and body to up, but with the page's name in the Host header.
func TestRebinding(t *testing.T) {
	t.Parallel()
	admin := program.ClosedPort(t)
	s := program.Up(t, []string{"ADMIN_PORT=" + admin, "HOST=127.0.0.5"}, t.TempDir(), program.FreePorts()...)
	port := s.Customers[strings.LastIndex(s.Customers, ":")+1:]
	login := `{"username":"admin","password":"` + call.LocalPassword + `"}`
	order := `{"customer_id":1,"items":[{"product_id":1,"qty":1}],"idempotency_key":"rebinding"}`
	post := func(path, host, body string) string {
		return fmt.Sprintf("POST %s HTTP/1.1\r\n%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", path, host, len(body), body)
	}
	get := func(path, host string) string { return fmt.Sprintf("GET %s HTTP/1.1\r\n%s\r\n", path, host) }

	for _, host := range []string{
		"evil.example", "evil.example:" + port, "localhost.evil.example", "127.0.0.1.evil.example", "evil-localhost", "127.0.0.6", "127.1",
		"2130706433", "0.0.0.0", "[::]", "[::1", "[fe80::1]", "localhost:localhost:80", "localhost,evil.example", "xn--lcalhost-54a",
	} {
		header := "Host: " + host + "\r\n"
		for _, attack := range []struct{ base, text string }{
			{s.Customers, post("/auth/login", header, login)},
			{s.Customers, get("/health", header)},
			{s.Customers, get("/docs", header)},
			{s.Customers, get("/docs/docs.js", header)},
			{s.Orders, get("/openapi.json", header)},
			{s.Orders, get("/nope", header)},
			{s.Orders, "OPTIONS /orders HTTP/1.1\r\nOrigin: http://" + host + "\r\nAccess-Control-Request-Method: POST\r\n" + header + "\r\n"},
			{s.Orders, "OPTIONS * HTTP/1.1\r\n" + header + "\r\n"},
			{s.Orchestrator, post("/orchestrator/create-and-confirm-order", header, order)},
			{s.Orchestrator, post("/dev/orchestrator/create-and-confirm-order", header, order)},
			{"http://127.0.0.5:" + admin, get("/metrics", header)},
			{"http://127.0.0.5:" + admin, get("/debug/pprof/", header)},
			{"http://127.0.0.5:" + admin, get("/nope", header)},
		} {
			a := exchange(t, attack.base, attack.text)
			if strings.Contains(attack.text, "create-and-confirm-order") { // the orchestrator's failures have another shape
				if a.Status != http.StatusMisdirectedRequest || !strings.Contains(string(a.Body), "misdirected_request") {
					t.Errorf("%s: got %s, want 421", clip(attack.text), a)
				}
				continue
			}
			if a.Status == http.StatusBadRequest && strings.ContainsAny(host, ",[") { // not a valid host
				continue
			}
			a.WantProblem(t, http.StatusMisdirectedRequest, common.CodeMisdirectedRequest)
		}
	}
	for what, text := range map[string]string{
		"a whole URL":        "GET http://evil.example/health HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"no Host":            "GET /health HTTP/1.0\r\n\r\n",
		"an empty Host":      "GET /health HTTP/1.1\r\nHost: \r\n\r\n",
		"X-Forwarded-Host":   "GET /health HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: localhost\r\n\r\n",
		"a tunnel":           "CONNECT evil.example:80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"a host with a user": "GET http://localhost@evil.example/health HTTP/1.1\r\nHost: localhost\r\n\r\n",
	} {
		t.Log(what)
		exchange(t, s.Customers, text).WantProblem(t, http.StatusMisdirectedRequest, common.CodeMisdirectedRequest)
	}

	for _, host := range []string{
		"localhost", "LOCALHOST:" + port, "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:" + port, "[0:0:0:0:0:0:0:1]", "127.0.0.5:" + port,
	} {
		header := "Host: " + host + "\r\n"
		if a := exchange(t, s.Customers, post("/auth/login", header, login)); a.Status != http.StatusOK {
			t.Errorf("Host %s: login answered %d %s", host, a.Status, a.Body)
		}
		if a := exchange(t, "http://127.0.0.5:"+admin, get("/metrics", header)); a.Status != http.StatusOK {
			t.Errorf("Host %s: metrics answered %d %s", host, a.Status, a.Body)
		}
	}
	if c := s.Login(t, call.LocalPassword); len(c.AllOrders(t, 0)) != 0 {
		t.Errorf("the attacks created orders: %+v", c.AllOrders(t, 0))
	}
	s.Interrupt(t)
}

// TestHostsOfADeployment checks that a single service, or up on all addresses, accepts any Host, as proxies and the names of
// a network determine it.
func TestHostsOfADeployment(t *testing.T) {
	t.Parallel()
	_, base := program.Serve(t, "orchestrator", "ORDERS_API_BASE=http://127.0.0.1:1")
	up := program.Up(t, []string{
		"JWT_SECRET=planted-jwt-secret-of-more-than-32-bytes", "SERVICE_TOKEN=planted-service-token", "ADMIN_PASSWORD=planted-password",
	}, t.TempDir(), append(program.FreePorts(), "--host", "0.0.0.0")...)
	for _, at := range []string{base, up.Customers} {
		u, err := url.Parse(at)
		if err != nil {
			t.Fatal(err)
		}
		for _, host := range []string{"api.example.com", "orders:3002", u.Host} {
			if a := exchange(t, at, "GET /health HTTP/1.1\r\nHost: "+host+"\r\n\r\n"); a.Status != http.StatusOK {
				t.Errorf("Host %s: health answered %d %s", host, a.Status, a.Body)
			}
		}
	}
}
