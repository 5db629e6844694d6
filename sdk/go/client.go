package pedidos

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Config configures a Client. Only an address is required.
type Config struct {
	// URL is the address of Pedidos, such as https://pedidos.example, where one front door serves all three services. A path and a slash
	// at the end are allowed.
	URL string
	// CustomersURL, OrdersURL and OrchestratorURL are the addresses of the services that are not at URL.
	CustomersURL, OrdersURL, OrchestratorURL string

	// APIKey is the key of an integrator. Programs use one.
	APIKey string
	// Username and Password are those of a user. The client logs in when it needs to, and again before the access token expires.
	Username, Password string

	// HTTPClient sends the requests. By default, a request without a response fails after 15 seconds.
	HTTPClient *http.Client
	// MaxAttempts is the number of requests of one call, 8 by default. The waits between 8 attempts are about 10 seconds together. 1 means
	// that nothing is retried.
	MaxAttempts int
	// MaxWait is the longest Retry-After that a call waits for, 30 seconds by default. If Pedidos asks for more, the call fails at once.
	MaxWait time.Duration
}

// Client calls Pedidos. It is safe for concurrent use; create one and share it.
type Client struct {
	Customers   Customers
	Products    Products
	Orders      Orders
	Reports     Reports
	Users       Users
	Integrators Integrators
	Account     Account
	Audit       Audit

	bases       [3]string // by service
	http        *http.Client
	credentials *credentials
	maxAttempts int
	maxWait     time.Duration
}

// New returns a client. It sends no request.
func New(config Config) (*Client, error) {
	c := &Client{
		http: config.HTTPClient, maxAttempts: cmp.Or(config.MaxAttempts, 8), maxWait: cmp.Or(config.MaxWait, 30*time.Second),
		credentials: &credentials{turn: make(chan struct{}, 1), apiKey: config.APIKey, username: config.Username, password: config.Password},
	}
	for s, own := range [...]string{customers: config.CustomersURL, orders: config.OrdersURL, orchestrator: config.OrchestratorURL} {
		base, err := url.Parse(cmp.Or(own, config.URL))
		if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" || base.RawQuery != "" || base.User != nil {
			return nil, fmt.Errorf("pedidos: the address of the %s service must be a URL such as https://pedidos.example", service(s))
		}
		c.bases[s] = strings.TrimRight(base.String(), "/")
	}
	switch {
	case config.APIKey != "" && config.Username+config.Password != "":
		return nil, errors.New("pedidos: Config has both an APIKey and a Username or Password")
	case (config.Username == "") != (config.Password == ""):
		return nil, errors.New("pedidos: Config has a Username without a Password, or the reverse")
	case config.MaxAttempts < 0 || config.MaxWait < 0:
		return nil, errors.New("pedidos: MaxAttempts and MaxWait must not be negative")
	}
	if c.http == nil {
		c.http = newHTTPClient()
	}
	c.Customers, c.Products, c.Orders, c.Reports = Customers{c}, Products{c}, Orders{c}, Reports{c}
	c.Users, c.Integrators, c.Account, c.Audit = Users{c}, Integrators{c}, Account{c}, Audit{c}
	return c, nil
}

// newHTTPClient returns a client that keeps the connections of concurrent calls, and gives the token to no other address.
func newHTTPClient() *http.Client {
	transport, ok := http.DefaultTransport.(*http.Transport)
	if !ok { // the program has replaced it
		transport = &http.Transport{Proxy: http.ProxyFromEnvironment}
	}
	transport = transport.Clone()
	transport.MaxIdleConnsPerHost = 64
	return &http.Client{
		Transport:     transport,
		Timeout:       15 * time.Second, // a service answers within 10
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// service is one of the services of Pedidos.
type service int

const (
	customers service = iota
	orders
	orchestrator
)

func (s service) String() string { return [...]string{"customers", "orders", "orchestrator"}[s] }
