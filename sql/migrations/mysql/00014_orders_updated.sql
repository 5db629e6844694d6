-- +goose Up

ALTER TABLE orders ADD INDEX orders_updated (updated_at, id);

-- +goose Down
-- Lost: nothing

ALTER TABLE orders DROP INDEX orders_updated;
