-- AuditBounds returns the largest ids. The queries over orders, lines and products read ranges of ids, so that the size of each result is
-- bounded.

-- name: AuditBounds :one
SELECT CAST((SELECT COALESCE(MAX(id), 0) FROM products) AS SIGNED) AS last_product,
       CAST((SELECT COALESCE(MAX(id), 0) FROM orders) AS SIGNED) AS last_order;

-- name: AuditOrders :many
SELECT o.id, o.status, o.total_cents, o.confirmed_at, o.canceled_at,
       COUNT(l.order_id) AS line_count,
       CAST(COALESCE(SUM(l.subtotal_cents), 0) AS SIGNED) AS lines_cents,
       CAST(COALESCE(SUM(l.subtotal_cents <> l.qty * l.unit_price_cents), 0) AS SIGNED) AS wrong_lines
FROM orders o
LEFT JOIN order_lines l ON l.order_id = o.id
WHERE o.id > sqlc.arg(after_id) AND o.id <= sqlc.arg(last_id)
GROUP BY o.id
HAVING COUNT(l.order_id) = 0
    OR o.total_cents <> COALESCE(SUM(l.subtotal_cents), 0)
    OR COALESCE(SUM(l.subtotal_cents <> l.qty * l.unit_price_cents), 0) > 0
    OR (o.status = 'CREATED' AND o.confirmed_at IS NOT NULL)
    OR (o.status = 'CONFIRMED' AND o.confirmed_at IS NULL)
    OR (o.status = 'CANCELED') <> (o.canceled_at IS NOT NULL)
ORDER BY o.id;

-- AuditHistory returns the orders with an inconsistent history. Every version of an order must have an event, each event must
-- start with the status in which the previous one ended, and the last must end in the status of the order.

-- name: AuditHistory :many
SELECT o.id, o.status, o.version, COUNT(e.version) AS events
FROM orders o
LEFT JOIN order_events e ON e.order_id = o.id
LEFT JOIN order_events p ON p.order_id = e.order_id AND p.version = e.version - 1
WHERE o.id > sqlc.arg(after_id) AND o.id <= sqlc.arg(last_id)
GROUP BY o.id
HAVING COUNT(e.version) <> o.version
    OR COALESCE(SUM(COALESCE(e.from_status, '') <> COALESCE(p.to_status, '')), 0) > 0
    OR COALESCE(SUM(e.version = o.version AND e.to_status = o.status), 0) <> 1
ORDER BY o.id;

-- name: AuditTaken :many
SELECT l.product_id, CAST(SUM(l.qty) AS SIGNED) AS units
FROM orders o
JOIN order_lines l ON l.order_id = o.id
WHERE o.id > sqlc.arg(after_id) AND o.id <= sqlc.arg(last_id) AND o.status <> 'CANCELED'
GROUP BY l.product_id;

-- name: AuditSales :one
SELECT COUNT(*) AS orders, CAST(COALESCE(SUM(total_cents * 1e0), 0) AS DOUBLE) AS total_cents
FROM orders
WHERE id > sqlc.arg(after_id) AND id <= sqlc.arg(last_id) AND status <> 'CANCELED';

-- name: AuditFirstPlaced :one
SELECT created_at
FROM orders
ORDER BY created_at, id
LIMIT 1;

-- name: AuditLastPlaced :one
SELECT created_at
FROM orders
ORDER BY created_at DESC, id DESC
LIMIT 1;

-- name: AuditStock :many
SELECT p.id, p.stock, CAST(COALESCE(SUM(a.delta), 0) AS SIGNED) AS adjusted,
       CAST(COALESCE(SUM(a.to_stock - a.from_stock <> a.delta), 0) AS SIGNED) AS wrong_movements
FROM products p
LEFT JOIN stock_adjustments a ON a.product_id = p.id
WHERE p.id > sqlc.arg(after_id) AND p.id <= sqlc.arg(last_id)
GROUP BY p.id
ORDER BY p.id;
