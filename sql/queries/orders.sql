-- name: InsertOrder :execlastid
INSERT INTO orders (customer_id, customer_name, customer_email, customer_phone, search_text, status, total_cents, version, created_at)
VALUES (?, ?, ?, ?, ?, 'CREATED', ?, 1, ?);

-- name: InsertOrderLine :exec
INSERT INTO order_lines (order_id, product_id, qty, unit_price_cents, subtotal_cents)
VALUES (?, ?, ?, ?, ?);

-- name: InsertOrderEvent :exec
INSERT INTO order_events (order_id, version, from_status, to_status, caller, reason, created_at)
VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: ListOrderEvents :many
SELECT version, from_status, to_status, caller, reason, created_at
FROM order_events
WHERE order_id = sqlc.arg(order_id) AND version > sqlc.arg(after_version)
ORDER BY version
LIMIT ?;

-- name: GetOrder :one
SELECT id, customer_id, customer_name, customer_email, customer_phone, search_text, status, total_cents, version, cancel_reason,
       created_at, confirmed_at, canceled_at
FROM orders
WHERE id = ?;

-- name: LockOrders :many
SELECT id, customer_id, customer_name, customer_email, customer_phone, search_text, status, total_cents, version, cancel_reason,
       created_at, confirmed_at, canceled_at
FROM orders
WHERE id IN (sqlc.slice(ids))
ORDER BY id
FOR UPDATE;

-- Which orders nobody has locked. What is done does not rest on the answer.

-- name: FreeOrders :many
SELECT id
FROM orders
WHERE id IN (sqlc.slice(ids))
FOR UPDATE SKIP LOCKED;

-- name: ListOrderLines :many
SELECT order_id, product_id, qty, unit_price_cents, subtotal_cents
FROM order_lines
WHERE order_id IN (sqlc.slice(order_ids))
ORDER BY order_id, product_id;

-- name: ConfirmOrders :exec
UPDATE orders
SET status = 'CONFIRMED', confirmed_at = sqlc.arg(now), version = version + 1
WHERE id IN (sqlc.slice(ids));

-- name: CancelOrders :exec
UPDATE orders
SET status = 'CANCELED', canceled_at = sqlc.arg(now), cancel_reason = sqlc.arg(reason), version = version + 1
WHERE id IN (sqlc.slice(ids));

-- Those that another sweeper or request has locked are left to it.

-- name: LockStaleOrders :many
SELECT /*+ INDEX(orders orders_status) */
       id, customer_id, customer_name, customer_email, customer_phone, search_text, status, total_cents, version, cancel_reason,
       created_at, confirmed_at, canceled_at
FROM orders
WHERE status = 'CREATED' AND created_at < sqlc.arg(created_before)
  AND created_at >= sqlc.arg(after_time) AND (created_at > sqlc.arg(after_time) OR id > sqlc.arg(after_id))
ORDER BY created_at, id
LIMIT ?
FOR UPDATE SKIP LOCKED;

-- When the order was created that is so many behind a position, whatever its customer and status: where a window of a search
-- ends.

-- name: OrderBehind :one
SELECT /*+ INDEX(orders orders_created) */ created_at
FROM orders
WHERE created_at >= sqlc.arg(created_from) AND created_at <= sqlc.arg(before_time)
  AND (created_at < sqlc.arg(before_time) OR id < sqlc.arg(before_id))
ORDER BY created_at DESC, id DESC
LIMIT 1 OFFSET ?;

-- The four lists below are one list with other filters: each has an index that gives its rows in order. The hint names
-- it, since MySQL, going by estimates, would at times sort the rows of another; to SQLite it is a comment. A page holds
-- what was created from created_from on and before the position (before_time, before_id), newest first.

-- name: ListOrders :many
SELECT /*+ INDEX(orders orders_created) */
       id, customer_id, customer_name, customer_email, customer_phone, search_text, status, total_cents, version, cancel_reason,
       created_at, confirmed_at, canceled_at
FROM orders
WHERE created_at >= sqlc.arg(created_from) AND created_at <= sqlc.arg(before_time)
  AND (created_at < sqlc.arg(before_time) OR id < sqlc.arg(before_id))
  AND search_text LIKE sqlc.arg(pattern) ESCAPE '!'
ORDER BY created_at DESC, id DESC
LIMIT ?;

-- name: ListOrdersByStatus :many
SELECT /*+ INDEX(orders orders_status) */
       id, customer_id, customer_name, customer_email, customer_phone, search_text, status, total_cents, version, cancel_reason,
       created_at, confirmed_at, canceled_at
FROM orders
WHERE status = sqlc.arg(status)
  AND created_at >= sqlc.arg(created_from) AND created_at <= sqlc.arg(before_time)
  AND (created_at < sqlc.arg(before_time) OR id < sqlc.arg(before_id))
  AND search_text LIKE sqlc.arg(pattern) ESCAPE '!'
ORDER BY created_at DESC, id DESC
LIMIT ?;

-- name: ListOrdersByCustomer :many
SELECT /*+ INDEX(orders orders_customer) */
       id, customer_id, customer_name, customer_email, customer_phone, search_text, status, total_cents, version, cancel_reason,
       created_at, confirmed_at, canceled_at
FROM orders
WHERE customer_id = sqlc.arg(customer_id)
  AND created_at >= sqlc.arg(created_from) AND created_at <= sqlc.arg(before_time)
  AND (created_at < sqlc.arg(before_time) OR id < sqlc.arg(before_id))
  AND search_text LIKE sqlc.arg(pattern) ESCAPE '!'
ORDER BY created_at DESC, id DESC
LIMIT ?;

-- name: ListOrdersByCustomerAndStatus :many
SELECT /*+ INDEX(orders orders_customer_status) */
       id, customer_id, customer_name, customer_email, customer_phone, search_text, status, total_cents, version, cancel_reason,
       created_at, confirmed_at, canceled_at
FROM orders
WHERE customer_id = sqlc.arg(customer_id) AND status = sqlc.arg(status)
  AND created_at >= sqlc.arg(created_from) AND created_at <= sqlc.arg(before_time)
  AND (created_at < sqlc.arg(before_time) OR id < sqlc.arg(before_id))
  AND search_text LIKE sqlc.arg(pattern) ESCAPE '!'
ORDER BY created_at DESC, id DESC
LIMIT ?;
