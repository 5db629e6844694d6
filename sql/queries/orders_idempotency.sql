-- name: ClaimKey :exec
INSERT INTO orders_idempotency (caller, idem_key, fingerprint, status, headers, body, created_at, expires_at)
VALUES (?, ?, ?, 0, '', '', ?, ?);

-- name: AnswerKey :exec
REPLACE INTO orders_idempotency (caller, idem_key, fingerprint, status, headers, body, created_at, expires_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- name: GetKey :one
SELECT fingerprint, status, headers, body, expires_at
FROM orders_idempotency
WHERE caller = ? AND idem_key = ?;

-- name: TakenKeys :many
SELECT idem_key
FROM orders_idempotency
WHERE caller = ? AND idem_key IN (sqlc.slice(idem_keys));

-- name: DropExpiredKey :exec
DELETE FROM orders_idempotency
WHERE caller = ? AND idem_key = ? AND expires_at <= sqlc.arg(now);

-- Those that another sweeper or request has locked are left to it.

-- name: LockExpiredKeys :many
SELECT caller, idem_key
FROM orders_idempotency
WHERE expires_at <= sqlc.arg(now)
ORDER BY expires_at
LIMIT ?
FOR UPDATE SKIP LOCKED;

-- name: DropKeys :exec
DELETE FROM orders_idempotency
WHERE caller = ? AND idem_key IN (sqlc.slice(idem_keys));
