-- +goose Up

CREATE TABLE api_keys (
  id            INTEGER  NOT NULL PRIMARY KEY AUTOINCREMENT,
  integrator_id INTEGER  NOT NULL REFERENCES integrators (id),
  name          TEXT     NOT NULL,
  hash          BLOB     NOT NULL, -- SHA-256 of the secret
  created_by    TEXT     NOT NULL,
  created_at    DATETIME NOT NULL,
  expires_at    DATETIME NULL,
  last_used_at  DATETIME NULL, -- to the minute
  revoked_at    DATETIME NULL
);

CREATE INDEX api_keys_integrator ON api_keys (integrator_id, id);

-- +goose Down
-- Lost: all API keys

DROP TABLE api_keys;
