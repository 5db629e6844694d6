-- +goose Up

-- The name is that of MySQL. SQLite can't rename an index.
DROP INDEX IF EXISTS orders_status;
CREATE INDEX IF NOT EXISTS orders_by_status ON orders (status, created_at, id);

-- +goose Down
-- Lost: nothing

DROP INDEX orders_by_status;
CREATE INDEX orders_status ON orders (status, created_at, id);
