-- Sample customers and products. Each statement only adds rows that are missing, so the file can be run again.

INSERT INTO customers (name, email, phone, active_email, search_text, version, created_at, updated_at)
SELECT 'ACME Ferretería', 'compras@acme.example', '+54 11 5555-0101', 'compras@acme.example',
       'acme ferreteria
compras@acme.example', 1, '2026-01-01 00:00:00.000000', '2026-01-01 00:00:00.000000'
WHERE NOT EXISTS (SELECT 1 FROM customers WHERE email = 'compras@acme.example');

INSERT INTO customers (name, email, phone, active_email, search_text, version, created_at, updated_at)
SELECT 'Construcciones del Sur', 'pedidos@delsur.example', NULL, 'pedidos@delsur.example',
       'construcciones del sur
pedidos@delsur.example', 1, '2026-01-01 00:00:00.000000', '2026-01-01 00:00:00.000000'
WHERE NOT EXISTS (SELECT 1 FROM customers WHERE email = 'pedidos@delsur.example');

INSERT INTO products (sku, name, search_text, price_cents, stock, version, created_at, updated_at)
SELECT 'DRILL-18V', 'Cordless drill 18 V', 'drill-18v
cordless drill 18 v', 129900, 50, 1,
       '2026-01-01 00:00:00.000000', '2026-01-01 00:00:00.000000'
WHERE NOT EXISTS (SELECT 1 FROM products WHERE sku = 'DRILL-18V');

INSERT INTO products (sku, name, search_text, price_cents, stock, version, created_at, updated_at)
SELECT 'HAMMER-16', 'Claw hammer 16 oz', 'hammer-16
claw hammer 16 oz', 45900, 200, 1,
       '2026-01-01 00:00:00.000000', '2026-01-01 00:00:00.000000'
WHERE NOT EXISTS (SELECT 1 FROM products WHERE sku = 'HAMMER-16');

INSERT INTO products (sku, name, search_text, price_cents, stock, version, created_at, updated_at)
SELECT 'SCREWS-BOX', 'Box of 500 screws', 'screws-box
box of 500 screws', 8900, 1000, 1,
       '2026-01-01 00:00:00.000000', '2026-01-01 00:00:00.000000'
WHERE NOT EXISTS (SELECT 1 FROM products WHERE sku = 'SCREWS-BOX');

INSERT INTO stock_adjustments (product_id, delta, caller, created_at, from_stock, to_stock, reason)
SELECT p.id, p.stock, 'seed', '2026-01-01 00:00:00.000000', 0, p.stock, 'first stock'
FROM products p
WHERE p.sku IN ('DRILL-18V', 'HAMMER-16', 'SCREWS-BOX')
  AND NOT EXISTS (SELECT 1 FROM stock_adjustments a WHERE a.product_id = p.id);
