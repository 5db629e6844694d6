-- +goose Up

-- The id and name of the user or integrator; NULL in rows from earlier versions.
ALTER TABLE stock_adjustments ADD COLUMN caller_id INTEGER NULL;
ALTER TABLE stock_adjustments ADD COLUMN caller_name TEXT NULL;

-- +goose Down
-- Lost: of every movement of stock the id and name of its caller

ALTER TABLE stock_adjustments DROP COLUMN caller_name;
ALTER TABLE stock_adjustments DROP COLUMN caller_id;
