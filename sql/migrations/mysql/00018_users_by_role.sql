-- +goose Up

-- As in the migration before.
ALTER TABLE users RENAME INDEX users_role TO users_by_role;

-- +goose Down
-- Lost: nothing

ALTER TABLE users RENAME INDEX users_by_role TO users_role;
