-- +goose Up

-- The id and name of the user or integrator; NULL in rows from earlier versions.
ALTER TABLE order_events ADD COLUMN caller_id INTEGER NULL;
ALTER TABLE order_events ADD COLUMN caller_name TEXT NULL;

-- +goose Down
-- Lost: of every change of an order the id and name of its caller

ALTER TABLE order_events DROP COLUMN caller_name;
ALTER TABLE order_events DROP COLUMN caller_id;
