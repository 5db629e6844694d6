-- name: InsertCustomer :execlastid
INSERT INTO customers (name, email, phone, active_email, search_text, version, created_at, updated_at)
VALUES (?, ?, ?, ?, ?, 1, ?, ?);

-- name: GetCustomer :one
SELECT *
FROM customers
WHERE id = ? AND deleted_at IS NULL;

-- name: LockCustomer :one
SELECT *
FROM customers
WHERE id = ? AND deleted_at IS NULL
FOR UPDATE;

-- name: ListCustomers :many
SELECT *
FROM customers
WHERE id > sqlc.arg(after_id) AND id <= sqlc.arg(until_id) AND deleted_at IS NULL AND search_text LIKE sqlc.arg(pattern) ESCAPE '!'
ORDER BY id
LIMIT ?;

-- CustomerBehind returns the id at which a search window ends: an offset of rows after another id.

-- name: CustomerBehind :one
SELECT id
FROM customers
WHERE id > sqlc.arg(after_id)
ORDER BY id
LIMIT 1 OFFSET ?;

-- name: UpdateCustomer :exec
UPDATE customers
SET name = ?, email = ?, phone = ?, active_email = ?, search_text = ?, version = version + 1, updated_at = ?
WHERE id = ?;

-- name: DeleteCustomer :execrows
UPDATE customers
SET deleted_at = sqlc.arg(deleted_at), active_email = NULL, version = version + 1
WHERE id = sqlc.arg(id) AND deleted_at IS NULL;
