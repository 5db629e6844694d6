-- +goose Up

ALTER TABLE products ADD COLUMN reorder_level INTEGER NOT NULL DEFAULT 0;
ALTER TABLE products ADD COLUMN archived_at DATETIME NULL;

-- +goose Down
-- Lost: the reorder levels, and which products are archived

ALTER TABLE products DROP COLUMN archived_at;
ALTER TABLE products DROP COLUMN reorder_level;
