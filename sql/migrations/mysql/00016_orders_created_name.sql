-- +goose Up

ALTER TABLE orders RENAME INDEX orders_created_wide TO orders_created;

-- +goose Down
-- Lost: nothing

ALTER TABLE orders RENAME INDEX orders_created TO orders_created_wide;
