-- The invariants: what these queries return is broken.

-- name: AuditStock :many
SELECT p.id, p.stock,
       CAST((SELECT COALESCE(SUM(a.delta), 0) FROM stock_adjustments a WHERE a.product_id = p.id) AS SIGNED) AS adjusted,
       CAST((SELECT COALESCE(SUM(l.qty), 0) FROM order_lines l JOIN orders o ON o.id = l.order_id
             WHERE l.product_id = p.id AND o.status <> 'CANCELED') AS SIGNED) AS taken
FROM products p
WHERE p.stock <> (SELECT COALESCE(SUM(a.delta), 0) FROM stock_adjustments a WHERE a.product_id = p.id)
               - (SELECT COALESCE(SUM(l.qty), 0) FROM order_lines l JOIN orders o ON o.id = l.order_id
                  WHERE l.product_id = p.id AND o.status <> 'CANCELED')
ORDER BY p.id;

-- name: AuditTotals :many
SELECT o.id, o.total_cents,
       CAST((SELECT COALESCE(SUM(l.subtotal_cents), 0) FROM order_lines l WHERE l.order_id = o.id) AS SIGNED) AS lines_cents
FROM orders o
WHERE o.total_cents <> (SELECT COALESCE(SUM(l.qty * l.unit_price_cents), 0) FROM order_lines l WHERE l.order_id = o.id)
   OR o.total_cents <> (SELECT COALESCE(SUM(l.subtotal_cents), 0) FROM order_lines l WHERE l.order_id = o.id)
ORDER BY o.id;
