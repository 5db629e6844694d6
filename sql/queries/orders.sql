-- name: ListOrderEvents :many
SELECT version, from_status, to_status, caller, caller_id, caller_name, reason, created_at
FROM order_events
WHERE order_id = sqlc.arg(order_id) AND version > sqlc.arg(after_version)
ORDER BY version
LIMIT ?;

-- name: GetOrder :one
SELECT *
FROM orders
WHERE id = ?;

-- name: LockOrders :many
SELECT *
FROM orders
WHERE id IN (sqlc.slice(ids))
ORDER BY id
FOR UPDATE;

-- LockFreeOrders locks orders, and fails if another transaction has locked one of them.

-- name: LockFreeOrders :many
SELECT id
FROM orders
WHERE id IN (sqlc.slice(ids))
FOR UPDATE NOWAIT;

-- name: ListOrderLines :many
SELECT *
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

-- StaleOrders returns the oldest unconfirmed orders after a position. It locks none of them, so each may change at any time.

-- name: StaleOrders :many
SELECT /*+ INDEX(orders orders_by_status) */ id, created_at
FROM orders
WHERE status = 'CREATED' AND created_at < sqlc.arg(created_before)
  AND created_at >= sqlc.arg(after_time) AND (created_at > sqlc.arg(after_time) OR id > sqlc.arg(after_id))
ORDER BY created_at, id
LIMIT ?;

-- OrderBehind returns the creation time at which a search window ends: an offset of orders after a position, whatever their
-- customer and status.

-- name: OrderBehind :one
SELECT /*+ INDEX(orders orders_created) */ created_at
FROM orders
WHERE created_at >= sqlc.arg(created_from) AND created_at <= sqlc.arg(before_time)
  AND (created_at < sqlc.arg(before_time) OR id < sqlc.arg(before_id))
ORDER BY created_at DESC, id DESC
LIMIT 1 OFFSET ?;

-- ListOrders and the three queries after it are one list with different filters, newest first: the orders created at or after
-- created_from and before the position (before_time, before_id). Each query has an index that returns its rows in order. The hint
-- names it, because MySQL's estimates sometimes favor another index and a sort; to SQLite, the hint is a comment.

-- name: ListOrders :many
SELECT /*+ INDEX(orders orders_created) */ *
FROM orders
WHERE created_at >= sqlc.arg(created_from) AND created_at <= sqlc.arg(before_time)
  AND (created_at < sqlc.arg(before_time) OR id < sqlc.arg(before_id))
  AND search_text LIKE sqlc.arg(pattern) ESCAPE '!'
ORDER BY created_at DESC, id DESC
LIMIT ?;

-- name: ListOrdersByStatus :many
SELECT /*+ INDEX(orders orders_by_status) */ *
FROM orders
WHERE status = sqlc.arg(status)
  AND created_at >= sqlc.arg(created_from) AND created_at <= sqlc.arg(before_time)
  AND (created_at < sqlc.arg(before_time) OR id < sqlc.arg(before_id))
  AND search_text LIKE sqlc.arg(pattern) ESCAPE '!'
ORDER BY created_at DESC, id DESC
LIMIT ?;

-- name: ListOrdersByCustomer :many
SELECT /*+ INDEX(orders orders_customer) */ *
FROM orders
WHERE customer_id = sqlc.arg(customer_id)
  AND created_at >= sqlc.arg(created_from) AND created_at <= sqlc.arg(before_time)
  AND (created_at < sqlc.arg(before_time) OR id < sqlc.arg(before_id))
  AND search_text LIKE sqlc.arg(pattern) ESCAPE '!'
ORDER BY created_at DESC, id DESC
LIMIT ?;

-- name: ListOrdersByCustomerAndStatus :many
SELECT /*+ INDEX(orders orders_customer_status) */ *
FROM orders
WHERE customer_id = sqlc.arg(customer_id) AND status = sqlc.arg(status)
  AND created_at >= sqlc.arg(created_from) AND created_at <= sqlc.arg(before_time)
  AND (created_at < sqlc.arg(before_time) OR id < sqlc.arg(before_id))
  AND search_text LIKE sqlc.arg(pattern) ESCAPE '!'
ORDER BY created_at DESC, id DESC
LIMIT ?;

-- ListOrdersByProduct returns the orders of a product with ids below before_id and from until_id on, the highest first. Absent
-- filters are empty, 0 or %.

-- name: ListOrdersByProduct :many
SELECT /*+ JOIN_PREFIX(l) INDEX(l order_lines_product) */ o.*
FROM order_lines l
JOIN orders o ON o.id = l.order_id
WHERE l.product_id = sqlc.arg(product_id) AND l.order_id < sqlc.arg(before_id) AND l.order_id >= sqlc.arg(until_id)
  AND (o.status = sqlc.arg(status) OR sqlc.arg(status) = '')
  AND (o.customer_id = sqlc.arg(customer_id) OR sqlc.arg(customer_id) = 0)
  AND o.created_at >= sqlc.arg(created_from) AND o.created_at < sqlc.arg(created_before)
  AND o.search_text LIKE sqlc.arg(pattern) ESCAPE '!'
ORDER BY l.order_id DESC
LIMIT ?;

-- OrderOfProductBehind returns the id at which a window of ListOrdersByProduct ends: an offset of the product's orders.

-- name: OrderOfProductBehind :one
SELECT order_id
FROM order_lines
WHERE product_id = sqlc.arg(product_id) AND order_id < sqlc.arg(before_id)
ORDER BY order_id DESC
LIMIT 1 OFFSET ?;

-- ListOrdersByUpdate returns the orders that changed after the position (after_time, after_id) and up to until_time, in the order of
-- their changes. Absent filters are empty, 0 or %.

-- name: ListOrdersByUpdate :many
SELECT /*+ INDEX(orders orders_updated) */ *
FROM orders
WHERE updated_at >= sqlc.arg(after_time) AND (updated_at > sqlc.arg(after_time) OR id > sqlc.arg(after_id)) AND updated_at <= sqlc.arg(until_time)
  AND (status = sqlc.arg(status) OR sqlc.arg(status) = '')
  AND (customer_id = sqlc.arg(customer_id) OR sqlc.arg(customer_id) = 0)
  AND (sqlc.arg(product_id) = 0 OR EXISTS (SELECT 1 FROM order_lines l WHERE l.order_id = orders.id AND l.product_id = sqlc.arg(product_id)))
  AND created_at >= sqlc.arg(created_from) AND created_at < sqlc.arg(created_before)
  AND search_text LIKE sqlc.arg(pattern) ESCAPE '!'
ORDER BY updated_at, id
LIMIT ?;

-- OrderUpdatedBehind returns the time at which a window of ListOrdersByUpdate ends: an offset of orders after a position.

-- name: OrderUpdatedBehind :one
SELECT /*+ INDEX(orders orders_updated) */ updated_at
FROM orders
WHERE updated_at >= sqlc.arg(after_time) AND (updated_at > sqlc.arg(after_time) OR id > sqlc.arg(after_id))
ORDER BY updated_at, id
LIMIT 1 OFFSET ?;

-- name: OldestCreatedOrders :many
SELECT /*+ INDEX(orders orders_by_status) */ *
FROM orders
WHERE status = 'CREATED'
ORDER BY created_at, id
LIMIT ?;
