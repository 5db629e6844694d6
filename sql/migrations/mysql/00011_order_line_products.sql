-- +goose Up

-- The SKU and name of the product at the time of the order; NULL in rows from earlier versions.
ALTER TABLE order_lines
  ADD COLUMN sku  VARCHAR(64)  NULL,
  ADD COLUMN name VARCHAR(200) NULL;

-- +goose Down
-- Lost: of every order line the SKU and name at the time of the order

ALTER TABLE order_lines DROP COLUMN sku, DROP COLUMN name;
