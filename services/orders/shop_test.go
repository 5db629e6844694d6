package orders_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	pedidos "github.com/pedidos-hq/pedidos/gen"
	api "github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/gen/orders/client"
	"github.com/pedidos-hq/pedidos/services/internal/apitest"
	"github.com/pedidos-hq/pedidos/services/orders"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/problem"
)

const (
	buyer        = 1 // the only customer of customers-api
	cancelWindow = 10 * time.Minute
	keyTTL       = 24 * time.Hour
)

// shop is orders-api with a new database.
type shop struct {
	*client.ClientWithResponses // with the token of admin

	t         *testing.T
	clock     *apitest.Clock
	db        *database.DB
	file      string
	url       string
	admin     string // token
	customers string // URL of customers-api
	tokens    *auth.Issuer
	products  int // created
}

func newShop(t *testing.T) *shop {
	t.Helper()
	customers := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/1") {
			write(w, http.StatusOK, "application/json", ana)
			return
		}
		write(w, http.StatusNotFound, problem.ContentType, unknown)
	}))
	t.Cleanup(customers.Close)
	clock := apitest.NewClock()
	s := &shop{t: t, clock: clock, tokens: apitest.NewTokens(clock), customers: customers.URL}
	s.db, s.file = apitest.NewDB(t)
	s.url = s.serve(s.db, customers.URL)
	s.admin = s.token("admin", auth.Admin)
	s.ClientWithResponses = s.as(s.admin)
	return s
}

// serve starts another orders-api and returns its URL.
func (s *shop) serve(db *database.DB, customers string) (url string) {
	s.t.Helper()
	p := apitest.NewProcess(s.t, s.clock)
	p.Config.CustomersAPIBase, p.Config.UpstreamTimeout = customers, 10*time.Second
	p.Config.CustomerCacheTTL, p.Config.CustomerCacheUnknownTTL = time.Hour, time.Hour
	p.Config.CancelWindow, p.Config.IdempotencyTTL = cancelWindow, keyTTL
	handler, err := orders.New(p, db)
	return apitest.Serve(s.t, handler, err)
}

func (s *shop) token(user string, role auth.Role) string {
	s.t.Helper()
	return apitest.Token(s.t, s.tokens, user, role)
}

// as returns a client with the token of another caller.
func (s *shop) as(token string) *client.ClientWithResponses {
	s.t.Helper()
	c, err := client.NewClientWithResponses(s.url, client.WithRequestEditorFn(pedidos.Bearer(token)))
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// product creates a product and returns its id.
func (s *shop) product(price, stock int64) int64 {
	s.t.Helper()
	s.products++
	r, err := s.CreateProductWithResponse(s.t.Context(), nil, api.ProductInput{
		SKU: fmt.Sprintf("SKU-%d", s.products), Name: "A product", PriceCents: price, Stock: stock,
	})
	apitest.WantStatus(s.t, r, err, http.StatusCreated)
	return r.JSON201.ID
}

// place places an order of the buyer and returns it.
func (s *shop) place(product, qty int64) api.Order {
	s.t.Helper()
	r, err := s.CreateOrderWithResponse(s.t.Context(), nil, order(line(product, qty)))
	apitest.WantStatus(s.t, r, err, http.StatusCreated)
	return *r.JSON201
}

// confirm confirms an order.
func (s *shop) confirm(id int64) api.Order {
	s.t.Helper()
	r, err := s.tryConfirm(id)
	apitest.WantStatus(s.t, r, err, http.StatusOK)
	return *r.JSON200
}

func (s *shop) tryConfirm(id int64) (*client.ConfirmOrderResponse, error) {
	key := fmt.Sprintf("confirm-%d-%s", id, s.clock.Now())
	return s.ConfirmOrderWithResponse(s.t.Context(), id, &api.ConfirmOrderParams{IdempotencyKey: strings.ReplaceAll(key, " ", "")}, api.Confirmation{})
}

// cancel cancels an order.
func (s *shop) cancel(id int64) api.Order {
	s.t.Helper()
	r, err := s.tryCancel(id)
	apitest.WantStatus(s.t, r, err, http.StatusOK)
	return *r.JSON200
}

func (s *shop) tryCancel(id int64) (*client.CancelOrderResponse, error) {
	return s.CancelOrderWithResponse(s.t.Context(), id, nil, api.Cancellation{})
}

// orders returns all orders, newest first.
func (s *shop) orders() []api.Order {
	s.t.Helper()
	r, err := s.ListOrdersWithResponse(s.t.Context(), &api.ListOrdersParams{Limit: new(int32(100))})
	apitest.WantStatus(s.t, r, err, http.StatusOK)
	return r.JSON200.Data
}

// wantStock checks the stock of a product.
func (s *shop) wantStock(product, want int64) {
	s.t.Helper()
	r, err := s.GetProductWithResponse(s.t.Context(), product)
	apitest.WantStatus(s.t, r, err, http.StatusOK)
	if r.JSON200.Stock != want {
		s.t.Errorf("product %d has a stock of %d, want %d", product, r.JSON200.Stock, want)
	}
}

// wantSound checks the invariants of the database.
func (s *shop) wantSound() {
	s.t.Helper()
	if _, err := orders.Audit(s.t.Context(), s.db, func(sentence string) { s.t.Error("audit:", sentence) }); err != nil {
		s.t.Fatal(err)
	}
}

func order(lines ...api.OrderLineInput) api.OrderInput {
	return api.OrderInput{CustomerID: buyer, Items: lines}
}

func line(product, qty int64) api.OrderLineInput {
	return api.OrderLineInput{ProductID: product, Qty: qty}
}
