-- +goose Up

-- Programs that call with API keys.
CREATE TABLE integrators (
  id         INTEGER  NOT NULL PRIMARY KEY AUTOINCREMENT,
  name       TEXT     NOT NULL,
  name_key   TEXT     NOT NULL UNIQUE, -- name in lower case (Unicode case folding)
  role       TEXT     NOT NULL CHECK (role IN ('viewer', 'operator', 'manager', 'admin')),
  state      TEXT     NOT NULL CHECK (state IN ('active', 'disabled')),
  version    INTEGER  NOT NULL,
  created_at DATETIME NOT NULL,
  updated_at DATETIME NOT NULL
);

-- +goose Down
-- Lost: all integrators

DROP TABLE integrators;
