package process

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pedidos-hq/pedidos/e2e/call"
	"github.com/pedidos-hq/pedidos/e2e/document"
	"github.com/pedidos-hq/pedidos/e2e/program"
	"github.com/pedidos-hq/pedidos/gen/common"
)

// TestRotation changes JWT_SECRET and SERVICE_TOKEN by the steps of docs/operations.md. The services restart one at a time.
// After each restart, every service must accept all unexpired access tokens and the calls of the others. Tokens of the old
// secret count as expired when the last step begins; after it they are refused.
func TestRotation(t *testing.T) {
	t.Parallel()
	section := document.Section(t, "../../docs/operations.md", "### JWT_SECRET and SERVICE_TOKEN")
	var steps []string
	for _, found := range regexp.MustCompile("(?m)^\\d\\. `([a-z,]+)`:").FindAllStringSubmatch(section, -1) {
		steps = append(steps, found[1])
	}
	if len(steps) != 3 {
		t.Fatalf("the document has the steps %q, want three", steps)
	}
	for _, order := range [][]string{{"customers", "orders", "orchestrator"}, {"orchestrator", "orders", "customers"}} {
		t.Run(strings.Join(order, ", "), func(t *testing.T) {
			t.Parallel()
			d := newDeployment(t)
			for _, service := range []string{"customers", "orders", "orchestrator"} {
				d.start(t, service, "old")
			}
			d.product = d.urls.Login(t, plantedPassword).CreateProduct(t, "SAW", 2500, 1000).ID
			d.login(t)
			d.check(t, "before the first step")
			first := d.tokens[0]
			for i, step := range steps {
				if i == len(steps)-1 {
					d.tokens = slices.DeleteFunc(d.tokens, func(token token) bool { return token.secret == "old" })
				}
				for _, service := range order {
					d.restart(t, service, step)
					d.login(t)
					d.check(t, fmt.Sprintf("%q, %s was restarted", step, service))
				}
			}
			d.checkRefused(t, first)
		})
	}
}

// deployment is the three services as processes, each with its own data and a fixed port.
type deployment struct {
	urls    call.URLs
	env     map[string][]string
	running map[string]*program.Program
	product int64

	signing string  // the secret that customers-api signs with
	tokens  []token // the ones that must be accepted
	buyers  int
}

// token is an access token and the name of the secret that signed it.
type token struct{ text, secret string }

func newDeployment(t *testing.T) *deployment {
	t.Helper()
	port := map[string]string{}
	url := map[string]string{}
	for _, service := range []string{"customers", "orders", "orchestrator"} {
		port[service] = program.ClosedPort(t)
		url[service] = "http://127.0.0.1:" + port[service]
	}
	return &deployment{
		urls: call.URLs{Customers: url["customers"], Orders: url["orders"], Orchestrator: url["orchestrator"]},
		env: map[string][]string{
			"customers":    {"PORT=" + port["customers"], "DATA_DIR=" + t.TempDir(), "ADMIN_PASSWORD=" + plantedPassword},
			"orders":       {"PORT=" + port["orders"], "DATA_DIR=" + t.TempDir(), "CUSTOMERS_API_BASE=" + url["customers"]},
			"orchestrator": {"PORT=" + port["orchestrator"], "ALLOW_ANONYMOUS=true", "ORDERS_API_BASE=" + url["orders"]},
		},
		running: map[string]*program.Program{},
	}
}

// start starts a service with the secrets that a step of the document lists.
func (d *deployment) start(t *testing.T, service, step string) {
	t.Helper()
	secret := func(kind string) string {
		var list []string
		for name := range strings.SplitSeq(step, ",") {
			list = append(list, name+"-"+kind+"-of-more-than-32-characters")
		}
		return strings.Join(list, ",")
	}
	env := append(slices.Clone(d.env[service]), "JWT_SECRET="+secret("jwt-secret"), "SERVICE_TOKEN="+secret("service-token"))
	d.running[service], _ = program.Serve(t, service, env...)
	if service == "customers" {
		d.signing, _, _ = strings.Cut(step, ",")
	}
}

func (d *deployment) restart(t *testing.T, service, step string) {
	t.Helper()
	d.running[service].Interrupt(t)
	d.start(t, service, step)
}

// login adds a new token to d.tokens.
func (d *deployment) login(t *testing.T) {
	t.Helper()
	d.tokens = append(d.tokens, token{d.urls.Token(t, plantedPassword), d.signing})
}

// check expects customers-api and orders-api to accept every token. Each order is for a new customer, so that orders-api has
// to call customers-api. It also places an anonymous order, for which the orchestrator sends its service token.
func (d *deployment) check(t *testing.T, when string) {
	t.Helper()
	t.Log(when)
	for _, token := range d.tokens {
		c := d.urls.Client(t, token.text)
		d.buyers++
		buyer := c.CreateCustomer(t, fmt.Sprintf("buyer-%d@example.com", d.buyers))
		c.CreateOrder(t, buyer.ID, d.product, 1)
		anyone := d.urls.Client(t, "")
		anyone.CreateAndConfirm(t, fmt.Sprintf("order-%d", d.buyers), buyer.ID, d.product, 1)
		c.HangUp()
		anyone.HangUp()
	}
}

// checkRefused expects the services to refuse an access token and a service token of the old secrets.
func (d *deployment) checkRefused(t *testing.T, old token) {
	t.Helper()
	c := d.urls.Client(t, old.text)
	service := d.urls.Client(t, "old-service-token-of-more-than-32-characters")
	for _, r := range []call.Response{
		call.Read(c.Customers.ListCustomers(t.Context(), nil)),
		call.Read(c.Orders.ListOrders(t.Context(), nil)),
		call.Read(service.Customers.GetCustomerInternal(t.Context(), 1)),
	} {
		r.WantProblem(t, http.StatusUnauthorized, common.CodeUnauthorized)
	}
}
