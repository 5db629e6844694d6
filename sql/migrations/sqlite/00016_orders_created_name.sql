-- +goose Up

-- On MySQL, this renames the index of the migration before.

-- +goose Down
-- Lost: nothing
