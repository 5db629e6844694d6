-- +goose Up

DROP INDEX IF EXISTS users_role;
CREATE INDEX IF NOT EXISTS users_by_role ON users (role, state, id);

-- +goose Down
-- Lost: nothing

DROP INDEX users_by_role;
CREATE INDEX users_role ON users (role, state, id);
