-- The sales queries add up the orders that were placed at or after placed_from and before placed_before, and have the status or, if it
-- is empty, are not CANCELED. Their index has all columns of orders that they read.

-- name: Sales :one
SELECT /*+ INDEX(orders orders_created) */ COUNT(*) AS orders, CAST(COALESCE(SUM(total_cents * 1e0), 0) AS DOUBLE) AS total_cents
FROM orders
WHERE created_at >= sqlc.arg(placed_from) AND created_at < sqlc.arg(placed_before)
  AND status <> 'CANCELED' AND (status = sqlc.arg(status) OR sqlc.arg(status) = '');

-- name: SalesByCustomer :many
SELECT /*+ INDEX(orders orders_created) */ customer_id, COUNT(*) AS orders, CAST(SUM(total_cents * 1e0) AS DOUBLE) AS total_cents, CAST(MAX(id) AS SIGNED) AS last_order
FROM orders
WHERE created_at >= sqlc.arg(placed_from) AND created_at < sqlc.arg(placed_before)
  AND status <> 'CANCELED' AND (status = sqlc.arg(status) OR sqlc.arg(status) = '')
GROUP BY customer_id
ORDER BY total_cents DESC, customer_id
LIMIT ?;

-- name: SalesByProduct :many
SELECT /*+ INDEX(o orders_created) */ l.product_id, COUNT(*) AS orders, CAST(SUM(l.qty) AS SIGNED) AS units, CAST(SUM(l.subtotal_cents * 1e0) AS DOUBLE) AS total_cents
FROM orders o
JOIN order_lines l ON l.order_id = o.id
WHERE o.created_at >= sqlc.arg(placed_from) AND o.created_at < sqlc.arg(placed_before)
  AND o.status <> 'CANCELED' AND (o.status = sqlc.arg(status) OR sqlc.arg(status) = '')
GROUP BY l.product_id;

-- name: CountByStatus :one
SELECT /*+ INDEX(orders orders_created) */
       CAST(COALESCE(SUM(status = 'CREATED'), 0) AS SIGNED) AS created,
       CAST(COALESCE(SUM(status = 'CONFIRMED'), 0) AS SIGNED) AS confirmed,
       CAST(COALESCE(SUM(status = 'CANCELED'), 0) AS SIGNED) AS canceled
FROM orders
WHERE created_at >= sqlc.arg(placed_from) AND created_at < sqlc.arg(placed_before);

-- name: CustomerNames :many
SELECT customer_id, customer_name
FROM orders
WHERE id IN (sqlc.slice(ids));

-- Stock counts the products that are not archived. The sums are floating-point numbers, exact up to 2^53 and without overflow.

-- name: Stock :one
SELECT COUNT(*) AS products,
       CAST(COALESCE(SUM(stock < reorder_level), 0) AS SIGNED) AS low,
       CAST(COALESCE(SUM(stock = 0), 0) AS SIGNED) AS gone,
       CAST(COALESCE(SUM(stock * 1e0), 0) AS DOUBLE) AS units,
       CAST(COALESCE(SUM(stock * 1e0 * price_cents), 0) AS DOUBLE) AS value_cents
FROM products
WHERE archived_at IS NULL;

-- name: CountOrders :one
SELECT /*+ INDEX(orders orders_by_status) */ COUNT(*)
FROM orders
WHERE status = sqlc.arg(status) AND created_at >= sqlc.arg(placed_from) AND created_at < sqlc.arg(placed_before);

-- OlderOrderBehind returns the id of the order at an offset among the orders of a status placed before placed_before, oldest first.

-- name: OlderOrderBehind :one
SELECT /*+ INDEX(orders orders_by_status) */ id
FROM orders
WHERE status = sqlc.arg(status) AND created_at < sqlc.arg(placed_before)
ORDER BY created_at, id
LIMIT 1 OFFSET ?;
