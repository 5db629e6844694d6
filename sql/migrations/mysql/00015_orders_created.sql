-- +goose Up

-- The columns after id are for the sales report, which then reads no rows of the table.
ALTER TABLE orders DROP INDEX orders_created, ADD INDEX orders_created (created_at, id, status, customer_id, total_cents);

-- +goose Down
-- Lost: nothing

ALTER TABLE orders DROP INDEX orders_created, ADD INDEX orders_created (created_at, id);
