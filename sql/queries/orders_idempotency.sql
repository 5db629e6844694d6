-- name: ClaimKey :exec
INSERT INTO orders_idempotency (caller, idem_key, fingerprint, status, headers, body, created_at, expires_at)
VALUES (?, ?, ?, 0, '', '', ?, ?);

-- name: AnswerKey :exec
UPDATE orders_idempotency
SET status = ?, headers = ?, body = ?
WHERE caller = ? AND idem_key = ?;

-- name: GetKey :one
SELECT fingerprint, status, headers, body, expires_at
FROM orders_idempotency
WHERE caller = ? AND idem_key = ?;

-- name: DropExpiredKey :exec
DELETE FROM orders_idempotency
WHERE caller = ? AND idem_key = ? AND expires_at <= sqlc.arg(now);

-- name: SweepKeys :execrows
DELETE FROM orders_idempotency
WHERE expires_at <= sqlc.arg(now);
