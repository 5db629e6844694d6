package customers

import (
	"context"
	"time"

	"github.com/pedidos-hq/pedidos/gen/customersdb"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/idempotency"
)

// keys is the service's table of idempotency keys.
type keys struct{}

func (keys) Find(ctx context.Context, conn database.Conn, caller, key string) (idempotency.Entry, error) {
	row, err := customersdb.New(conn).GetKey(ctx, customersdb.GetKeyParams{Caller: caller, IdemKey: key})
	return idempotency.Entry{
		Fingerprint: row.Fingerprint, Status: row.Status, Headers: row.Headers, Body: row.Body, ExpiresAt: row.ExpiresAt,
	}, err
}

func (keys) DropExpired(ctx context.Context, conn database.Conn, caller, key string, now time.Time) error {
	return customersdb.New(conn).DropExpiredKey(ctx, customersdb.DropExpiredKeyParams{Caller: caller, IdemKey: key, Now: now})
}

func (keys) Claim(ctx context.Context, rows database.Conn, e idempotency.Entry) error {
	return customersdb.New(rows).ClaimKey(ctx, customersdb.ClaimKeyParams{
		Caller: e.Caller, IdemKey: e.Key, Fingerprint: e.Fingerprint, CreatedAt: e.CreatedAt, ExpiresAt: e.ExpiresAt,
	})
}

func (keys) Answer(ctx context.Context, rows database.Conn, e idempotency.Entry) error {
	return customersdb.New(rows).AnswerKey(ctx, customersdb.AnswerKeyParams{
		Caller: e.Caller, IdemKey: e.Key, Fingerprint: e.Fingerprint, Status: e.Status, Headers: e.Headers, Body: e.Body,
		CreatedAt: e.CreatedAt, ExpiresAt: e.ExpiresAt,
	})
}

func (keys) Expired(ctx context.Context, conn database.Conn, now time.Time, most int) ([]idempotency.Entry, error) {
	rows, err := customersdb.New(conn).LockExpiredKeys(ctx, customersdb.LockExpiredKeysParams{Now: now, Limit: int32(most)})
	entries := make([]idempotency.Entry, len(rows))
	for i, row := range rows {
		entries[i].Caller, entries[i].Key = row.Caller, row.IdemKey
	}
	return entries, err
}

func (keys) Taken(ctx context.Context, conn database.Conn, caller string, keys []string) ([]string, error) {
	return customersdb.New(conn).TakenKeys(ctx, customersdb.TakenKeysParams{Caller: caller, IdemKeys: keys})
}

func (keys) Drop(ctx context.Context, conn database.Conn, caller string, keys []string) error {
	return customersdb.New(conn).DropKeys(ctx, customersdb.DropKeysParams{Caller: caller, IdemKeys: keys})
}
