package idempotency

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/pedidos-hq/pedidos/services/platform/database"
)

// Entry is a stored idempotency record. Until the transaction that inserted it commits, its status is 0.
type Entry struct {
	Caller, Key string
	Fingerprint []byte
	Status      int
	Headers     string // a JSON object
	Body        []byte
	CreatedAt   time.Time
	ExpiresAt   time.Time
}

func (e Entry) answer() (Answer, error) {
	a := Answer{Status: e.Status, Body: e.Body, Replayed: true}
	if err := json.Unmarshal([]byte(e.Headers), &a.Header); err != nil {
		return Answer{}, fmt.Errorf("decode stored headers: %w", err)
	}
	return a, nil
}

// Store is a table of entries. Each service has its own table.
type Store struct{ Table string }

// Claims returns an Inserter that inserts entries. It fails with a duplicate key if one of the keys exists.
func (s Store) Claims(entries []Entry) *database.Inserter {
	return rows("ClaimKeys", "INSERT INTO "+s.Table, entries)
}

// Answers returns an Inserter that replaces entries.
func (s Store) Answers(entries []Entry) *database.Inserter {
	return rows("KeepAnswers", "REPLACE INTO "+s.Table, entries)
}

func rows(name, into string, entries []Entry) *database.Inserter {
	rows := database.NewInserter(name, into, "caller", "idem_key", "fingerprint", "status", "headers", "body", "created_at", "expires_at")
	for _, e := range entries {
		rows.Add(e.Caller, e.Key, e.Fingerprint, e.Status, e.Headers, e.Body, e.CreatedAt, e.ExpiresAt)
	}
	return rows
}

// Find returns the existing entries of the caller's keys, in any order and without CreatedAt.
func (s Store) Find(ctx context.Context, conn database.Conn, caller string, keys ...string) ([]Entry, error) {
	return s.query(ctx, conn, "-- name: FindKeys :many\nSELECT caller, idem_key, fingerprint, status, headers, body, expires_at\nFROM "+s.Table+
		"\nWHERE caller = ? AND idem_key IN ("+database.Placeholders(len(keys))+")", arguments(caller, keys)...)
}

// Expired returns up to limit entries that have expired at or after from, in this order, with their callers and keys. It omits those
// that are locked; TiDB ignores SKIP LOCKED.
func (s Store) Expired(ctx context.Context, conn database.Conn, from, now time.Time, limit int) ([]Entry, error) {
	return s.query(ctx, conn, "-- name: ExpiredKeys :many\nSELECT caller, idem_key, '', 0, '', '', expires_at FROM "+s.Table+
		" WHERE expires_at >= ? AND expires_at <= ? ORDER BY expires_at LIMIT ?\nFOR UPDATE SKIP LOCKED", from, now, limit)
}

func (s Store) query(ctx context.Context, conn database.Conn, query string, args ...any) (found []Entry, err error) {
	rows, err := conn.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var e Entry
		if err := rows.Scan(&e.Caller, &e.Key, &e.Fingerprint, &e.Status, &e.Headers, &e.Body, &e.ExpiresAt); err != nil {
			return nil, fmt.Errorf("read keys: %w", err)
		}
		found = append(found, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	return found, nil
}

// DropExpired deletes the given keys of the caller that have expired, and returns their number.
func (s Store) DropExpired(ctx context.Context, conn database.Conn, caller string, keys []string, now time.Time) (int64, error) {
	result, err := conn.ExecContext(ctx, "-- name: DropExpiredKeys :exec\nDELETE FROM "+s.Table+
		" WHERE caller = ? AND idem_key IN ("+database.Placeholders(len(keys))+") AND expires_at <= ?", append(arguments(caller, keys), now)...)
	if err != nil {
		return 0, fmt.Errorf("drop expired keys: %w", err)
	}
	return result.RowsAffected()
}

func arguments(caller string, keys []string) []any {
	args := []any{caller}
	for _, key := range keys {
		args = append(args, key)
	}
	return args
}
