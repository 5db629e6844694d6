-- +goose Up

ALTER TABLE products
  ADD COLUMN reorder_level BIGINT      NOT NULL DEFAULT 0,
  ADD COLUMN archived_at   DATETIME(6) NULL;

-- +goose Down
-- Lost: the reorder levels, and which products are archived

ALTER TABLE products DROP COLUMN reorder_level, DROP COLUMN archived_at;
