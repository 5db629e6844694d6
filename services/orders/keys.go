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

func (keys) Claim(ctx context.Context, rows database.Conn, e idempotency.Entry) error {
	return ordersdb.New(rows).ClaimKey(ctx, ordersdb.ClaimKeyParams{
		Caller: e.Caller, IdemKey: e.Key, Fingerprint: e.Fingerprint, CreatedAt: e.CreatedAt, ExpiresAt: e.ExpiresAt,
	})
}

func (keys) Answer(ctx context.Context, rows database.Conn, e idempotency.Entry) error {
	return ordersdb.New(rows).AnswerKey(ctx, ordersdb.AnswerKeyParams{
		Caller: e.Caller, IdemKey: e.Key, Fingerprint: e.Fingerprint, Status: e.Status, Headers: e.Headers, Body: e.Body,
		CreatedAt: e.CreatedAt, ExpiresAt: e.ExpiresAt,
	})
}

func (keys) Expired(ctx context.Context, conn database.Conn, now time.Time, most int) ([]idempotency.Entry, error) {
	rows, err := ordersdb.New(conn).LockExpiredKeys(ctx, ordersdb.LockExpiredKeysParams{Now: now, Limit: int32(most)})
	entries := make([]idempotency.Entry, len(rows))
	for i, row := range rows {
		entries[i].Caller, entries[i].Key = row.Caller, row.IdemKey
	}
	return entries, err
}

func (keys) Taken(ctx context.Context, conn database.Conn, caller string, keys []string) ([]string, error) {
	return ordersdb.New(conn).TakenKeys(ctx, ordersdb.TakenKeysParams{Caller: caller, IdemKeys: keys})
}

func (keys) Drop(ctx context.Context, conn database.Conn, caller string, keys []string) error {
	return ordersdb.New(conn).DropKeys(ctx, ordersdb.DropKeysParams{Caller: caller, IdemKeys: keys})
}
