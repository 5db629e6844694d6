-- +goose Up

-- The SKU and name of the product at the time of the order; NULL in rows from earlier versions.
ALTER TABLE order_lines ADD COLUMN sku TEXT NULL;
ALTER TABLE order_lines ADD COLUMN name TEXT NULL;

-- +goose Down
-- Lost: of every order line the SKU and name at the time of the order

ALTER TABLE order_lines DROP COLUMN name;
ALTER TABLE order_lines DROP COLUMN sku;
