package api

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/engine"
	"github.com/pedidos-hq/pedidos/e2e/world"
	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/gen/ordersdb"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

// Rule 4: who waits for an answer under the same key waits for a bounded time, then gets 409 with Retry-After. That the
// first then fails leaves the key to the next try. The embedded engine has one writer, so there the wait is for that.
func TestRequestInProgress(t *testing.T) {
	t.Parallel()
	if engine.Name() != "mysql" {
		t.Skip("about MySQL alone")
	}
	w := newWorld(t, world.Options{Timeout: 20 * time.Second})
	s := w.Login("admin")
	buyer, p := w.Customer(s, "buyer@example.com"), w.Product(s, "SOLD", 100, 10)
	claimed, release, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	failed := errors.New("the first fails")
	go func() {
		done <- w.DB.Tx(context.WithoutCancel(t.Context()), func(conn database.Conn) error {
			err := ordersdb.New(conn).ClaimKey(context.WithoutCancel(t.Context()), ordersdb.ClaimKeyParams{
				Caller: "user:admin", IdemKey: "k", Fingerprint: make([]byte, 32), CreatedAt: w.Clock.Now(), ExpiresAt: w.Clock.Now().Add(time.Hour),
			})
			close(claimed)
			<-release
			return errors.Join(err, failed)
		})
	}()
	<-claimed
	place := func() (*http.Response, ordersReply, error) {
		r, err := s.Orders.CreateOrderWithResponse(t.Context(), &orders.CreateOrderParams{IdempotencyKey: new("k")},
			orders.OrderInput{CustomerID: buyer.ID, Items: ordersLines(p.ID, 2)})
		if err != nil {
			return nil, nil, err
		}
		return r.HTTPResponse, r, nil
	}
	answer, r, err := place()
	close(release)
	if err := <-done; !errors.Is(err, failed) {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	ordersRefused(t, "meanwhile", r, err, http.StatusConflict, common.CodeRequestInProgress)
	if answer.Header.Get("Retry-After") == "" {
		t.Error("the 409 has no Retry-After")
	}
	_, r, err = place()
	ordersWant(t, "afterwards", r, err, http.StatusCreated)
	ordersWantStock(t, s, p.ID, 8)
}
