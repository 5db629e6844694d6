-- name: InsertProduct :execlastid
INSERT INTO products (sku, name, search_text, price_cents, stock, reorder_level, version, created_at, updated_at)
VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?);

-- name: GetProduct :one
SELECT *
FROM products
WHERE id = ?;

-- name: LockProduct :one
SELECT *
FROM products
WHERE id = ?
FOR UPDATE;

-- name: LockProductsForOrder :many
SELECT id, sku, name, price_cents, stock, archived_at
FROM products
WHERE id IN (sqlc.slice(ids))
ORDER BY id
FOR UPDATE;

-- LockFreeProducts locks products, and fails if another transaction has locked one of them.

-- name: LockFreeProducts :many
SELECT id
FROM products
WHERE id IN (sqlc.slice(ids))
FOR UPDATE NOWAIT;

-- ListProducts and the two queries after it are one list: the products in a range of ids, that match the pattern, have fewer units in
-- stock than stock_below and, if low is 1, than their reorder level, and have an archived flag (0 or 1) between archived_from and archived_to.

-- name: ListProducts :many
SELECT *
FROM products
WHERE id > sqlc.arg(after_id) AND id <= sqlc.arg(until_id) AND search_text LIKE sqlc.arg(pattern) ESCAPE '!'
  AND stock < sqlc.arg(stock_below) AND (stock < reorder_level) >= CAST(sqlc.arg(low) AS SIGNED)
  AND (archived_at IS NOT NULL) >= CAST(sqlc.arg(archived_from) AS SIGNED) AND (archived_at IS NOT NULL) <= CAST(sqlc.arg(archived_to) AS SIGNED)
ORDER BY id
LIMIT ?;

-- name: ListProductsByIDs :many
SELECT *
FROM products
WHERE id IN (sqlc.slice(ids)) AND id > sqlc.arg(after_id) AND search_text LIKE sqlc.arg(pattern) ESCAPE '!'
  AND stock < sqlc.arg(stock_below) AND (stock < reorder_level) >= CAST(sqlc.arg(low) AS SIGNED)
  AND (archived_at IS NOT NULL) >= CAST(sqlc.arg(archived_from) AS SIGNED) AND (archived_at IS NOT NULL) <= CAST(sqlc.arg(archived_to) AS SIGNED)
ORDER BY id
LIMIT ?;

-- name: ListProductsBySKUs :many
SELECT /*+ INDEX(products products_sku) */ *
FROM products
WHERE sku IN (sqlc.slice(skus)) AND id > sqlc.arg(after_id) AND search_text LIKE sqlc.arg(pattern) ESCAPE '!'
  AND stock < sqlc.arg(stock_below) AND (stock < reorder_level) >= CAST(sqlc.arg(low) AS SIGNED)
  AND (archived_at IS NOT NULL) >= CAST(sqlc.arg(archived_from) AS SIGNED) AND (archived_at IS NOT NULL) <= CAST(sqlc.arg(archived_to) AS SIGNED)
ORDER BY id
LIMIT ?;

-- name: ProductTitles :many
SELECT id, sku, name
FROM products
WHERE id IN (sqlc.slice(ids));

-- name: ProductBySKU :one
SELECT id
FROM products
WHERE sku = ?;

-- ProductBehind returns the id at which a search window ends: an offset of rows after another id.

-- name: ProductBehind :one
SELECT id
FROM products
WHERE id > sqlc.arg(after_id)
ORDER BY id
LIMIT 1 OFFSET ?;

-- name: UpdateProduct :exec
UPDATE products
SET name = ?, search_text = ?, price_cents = ?, stock = ?, reorder_level = ?, archived_at = ?, version = version + 1, updated_at = ?
WHERE id = ?;

-- TakeStock takes the units of stored order lines from stock, as GiveBackStock returns them, so that stock and lines cannot
-- differ. The units of all products are added up once.

-- name: TakeStock :exec
UPDATE products
SET stock = stock - (
      SELECT taken.units
      FROM (SELECT product_id, SUM(qty) AS units FROM order_lines WHERE order_id IN (sqlc.slice(order_ids)) GROUP BY product_id) AS taken
      WHERE taken.product_id = products.id),
    version = version + 1, updated_at = sqlc.arg(now)
WHERE id IN (sqlc.slice(product_ids));

-- name: GiveBackStock :exec
UPDATE products
SET stock = stock + (
      SELECT taken.units
      FROM (SELECT product_id, SUM(qty) AS units FROM order_lines WHERE order_id IN (sqlc.slice(order_ids)) GROUP BY product_id) AS taken
      WHERE taken.product_id = products.id),
    version = version + 1, updated_at = sqlc.arg(now)
WHERE id IN (sqlc.slice(product_ids));

-- name: InsertStockAdjustment :exec
INSERT INTO stock_adjustments (product_id, delta, caller, caller_id, caller_name, created_at, from_stock, to_stock, reason)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: ListStockAdjustments :many
SELECT id, delta, caller, caller_id, caller_name, created_at, from_stock, to_stock, reason
FROM stock_adjustments
WHERE product_id = sqlc.arg(product_id) AND id < sqlc.arg(before_id)
ORDER BY id DESC
LIMIT ?;
