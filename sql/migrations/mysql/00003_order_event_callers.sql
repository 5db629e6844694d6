-- +goose Up

-- The id and name of the user or integrator; NULL in rows from earlier versions.
ALTER TABLE order_events
  ADD COLUMN caller_id   BIGINT       NULL,
  ADD COLUMN caller_name VARCHAR(100) NULL;

-- +goose Down
-- Lost: of every change of an order the id and name of its caller

ALTER TABLE order_events DROP COLUMN caller_id, DROP COLUMN caller_name;
