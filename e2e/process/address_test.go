package process

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/program"
)

// TestUpListensOnlyOnHost checks every address that up listens on, including the one of the metrics.
func TestUpListensOnlyOnHost(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ env, args []string }{
		"default":               {},
		"HOST":                  {env: []string{"HOST=127.0.0.5"}},
		"--host":                {args: []string{"--host", "127.0.0.5"}},
		"--host overrides HOST": {env: []string{"HOST=0.0.0.0"}, args: []string{"--host", "127.0.0.5"}},
		"--host, IPv6":          {args: []string{"--host", "::1"}},
		"--host, a name":        {args: []string{"--host", "localhost"}},
		"all addresses, asked":  {args: []string{"--host", "0.0.0.0"}, env: planted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			admin := program.ClosedPort(t)
			s := program.Up(t, append(test.env, "ADMIN_PORT="+admin), t.TempDir(), append(program.FreePorts(), test.args...)...)
			at := s.AwaitMatch(t, s.Stderr, regexp.MustCompile(`"msg":"metrics and profiles","address":"([^"]+)"`))[1]
			metrics, err := netip.ParseAddrPort(at)
			if err != nil {
				t.Fatal(err)
			}
			for _, base := range []string{s.Customers, s.Orders, s.Orchestrator, s.Backoffice} {
				u, err := url.Parse(base)
				if err != nil {
					t.Fatal(err)
				}
				here, err := netip.ParseAddr(u.Hostname())
				if err != nil {
					t.Fatalf("the greeting prints %s, want an IP address: at a name, another process may answer", base)
				}
				if metrics.Addr() != here && !metrics.Addr().IsUnspecified() || metrics.Addr().IsUnspecified() != strings.HasPrefix(name, "all") {
					t.Errorf("the metrics are on %s, the services on %s", metrics, here)
				}
				if status, _ := program.Get(t, base+"/ready"); status != http.StatusOK {
					t.Errorf("%s/ready: %d", base, status)
				}
			}
		})
	}
}

// TestUpCallsItsOwnAddresses listens on the ports of up on the IPv6 loopback address. The services in up must call each
// other only at the addresses that they listen on.
func TestUpCallsItsOwnAddresses(t *testing.T) {
	t.Parallel()
	ports := program.FixedPorts(t)
	for _, port := range ports {
		_, number, _ := strings.Cut(port, "=")
		impostor, err := net.Listen("tcp", "[::1]:"+number)
		if err != nil {
			t.Logf("cannot listen on ::1: %v", err)
			continue
		}
		defer impostor.Close()
		go func() {
			for {
				conn, err := impostor.Accept()
				if err != nil {
					return
				}
				t.Errorf("%s was called", impostor.Addr())
				_ = conn.Close()
			}
		}()
	}
	s := program.Up(t, nil, t.TempDir(), ports...)
	c := s.Login(t, call.LocalPassword)
	buyer, product := c.CreateCustomer(t, "buyer@example.com"), c.CreateProduct(t, "SAW", 2500, 10)
	c.CreateOrder(t, buyer.ID, product.ID, 1)
	for _, name := range []string{"CUSTOMERS_API_BASE", "ORDERS_API_BASE"} {
		s.AwaitMatch(t, s.Stderr, regexp.MustCompile(`"`+name+`":"http://127\.0\.0\.1:\d+"`))
	}
	s.Interrupt(t)
}
