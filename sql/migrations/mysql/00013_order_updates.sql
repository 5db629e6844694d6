-- +goose Up

-- The time of the last change, derived from the others, so that rows from any version have it.
ALTER TABLE orders ADD COLUMN updated_at DATETIME(6)
  GENERATED ALWAYS AS (GREATEST(created_at, COALESCE(confirmed_at, created_at), COALESCE(canceled_at, created_at))) VIRTUAL NOT NULL;

-- +goose Down
-- Lost: nothing

ALTER TABLE orders DROP COLUMN updated_at;
