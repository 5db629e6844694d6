-- +goose Up

CREATE INDEX orders_updated ON orders (updated_at, id);

-- +goose Down
-- Lost: nothing

DROP INDEX orders_updated;
