package orders

import (
	"context"
	"time"

	"github.com/pedidos-hq/pedidos/gen/ordersdb"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/idempotency"
)

// keys is the service's table of idempotency keys.
type keys struct{}

func (keys) Find(ctx context.Context, conn database.Conn, caller, key string) (idempotency.Entry, error) {
	row, err := ordersdb.New(conn).GetKey(ctx, ordersdb.GetKeyParams{Caller: caller, IdemKey: key})
	return idempotency.Entry{
		Fingerprint: row.Fingerprint, Status: row.Status, Headers: row.Headers, Body: row.Body, ExpiresAt: row.ExpiresAt,
	}, err
}

func (keys) DropExpired(ctx context.Context, conn database.Conn, caller, key string, now time.Time) error {
	return ordersdb.New(conn).DropExpiredKey(ctx, ordersdb.DropExpiredKeyParams{Caller: caller, IdemKey: key, Now: now})
}

func (keys) Claim(ctx context.Context, conn database.Conn, e idempotency.Entry) error {
	return ordersdb.New(conn).ClaimKey(ctx, ordersdb.ClaimKeyParams{
		Caller: e.Caller, IdemKey: e.Key, Fingerprint: e.Fingerprint, CreatedAt: e.CreatedAt, ExpiresAt: e.ExpiresAt,
	})
}

func (keys) Answer(ctx context.Context, conn database.Conn, e idempotency.Entry) error {
	return ordersdb.New(conn).AnswerKey(ctx, ordersdb.AnswerKeyParams{
		Status: e.Status, Headers: e.Headers, Body: e.Body, Caller: e.Caller, IdemKey: e.Key,
	})
}

func (keys) Sweep(ctx context.Context, conn database.Conn, now time.Time) (int64, error) {
	return ordersdb.New(conn).SweepKeys(ctx, now)
}
