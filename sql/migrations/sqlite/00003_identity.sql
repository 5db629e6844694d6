-- +goose Up

ALTER TABLE order_events ADD COLUMN caller_id INTEGER NULL;
ALTER TABLE order_events ADD COLUMN caller_name TEXT NULL;
ALTER TABLE stock_adjustments ADD COLUMN caller_id INTEGER NULL;
ALTER TABLE stock_adjustments ADD COLUMN caller_name TEXT NULL;

-- People who log in.
CREATE TABLE users (
  id               INTEGER  NOT NULL PRIMARY KEY AUTOINCREMENT,
  username         TEXT     NOT NULL,
  username_key     TEXT     NOT NULL UNIQUE, -- username in lower case (Unicode case folding)
  name             TEXT     NOT NULL,
  role             TEXT     NOT NULL CHECK (role IN ('viewer', 'operator', 'manager', 'admin')),
  state            TEXT     NOT NULL CHECK (state IN ('active', 'disabled')),
  password_hash    TEXT     NULL, -- argon2id, in PHC string format; NULL until a password is set
  setup_hash       BLOB     NULL UNIQUE, -- SHA-256 of the setup token; NULL once used
  setup_expires_at DATETIME NULL,
  version          INTEGER  NOT NULL,
  created_at       DATETIME NOT NULL,
  updated_at       DATETIME NOT NULL,
  last_login_at    DATETIME NULL
);

CREATE TABLE user_sessions (
  id         INTEGER  NOT NULL PRIMARY KEY AUTOINCREMENT,
  user_id    INTEGER  NOT NULL REFERENCES users (id),
  hash       BLOB     NOT NULL UNIQUE, -- SHA-256 of the secret
  address    TEXT     NOT NULL,
  user_agent TEXT     NULL,
  created_at DATETIME NOT NULL,
  used_at    DATETIME NOT NULL, -- to the minute
  expires_at DATETIME NOT NULL
);

CREATE INDEX user_sessions_user ON user_sessions (user_id, id);
CREATE INDEX user_sessions_used ON user_sessions (used_at);
CREATE INDEX user_sessions_expires ON user_sessions (expires_at);

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

-- The keys that sign access tokens. The private keys are derived from the kid and SIGNING_SECRET, and stored nowhere.
CREATE TABLE signing_keys (
  generation INTEGER  NOT NULL PRIMARY KEY,
  kid        TEXT     NOT NULL,
  created_at DATETIME NOT NULL,
  signs_from DATETIME NOT NULL, -- until then, other services learn of the key
  expires_at DATETIME NULL -- NULL for the newest
);

-- Who changed users, integrators, API keys, sessions and signing keys. Rows are never changed.
CREATE TABLE audit_log (
  id             INTEGER  NOT NULL PRIMARY KEY AUTOINCREMENT,
  actor          TEXT     NOT NULL,
  actor_name     TEXT     NULL,
  action         TEXT     NOT NULL,
  target         TEXT     NOT NULL,
  changes        TEXT     NOT NULL, -- JSON array
  address        TEXT     NULL,
  correlation_id TEXT     NULL,
  created_at     DATETIME NOT NULL
);

CREATE INDEX audit_log_actor ON audit_log (actor, id);
CREATE INDEX audit_log_action ON audit_log (action, id);
CREATE INDEX audit_log_created ON audit_log (created_at, id);

-- +goose Down
-- Lost: all users, integrators, API keys and sessions, the audit log; of every change of an order or of stock, the id and name of its caller

DROP TABLE audit_log;
DROP TABLE signing_keys;
DROP TABLE api_keys;
DROP TABLE integrators;
DROP TABLE user_sessions;
DROP TABLE users;
ALTER TABLE stock_adjustments DROP COLUMN caller_name;
ALTER TABLE stock_adjustments DROP COLUMN caller_id;
ALTER TABLE order_events DROP COLUMN caller_name;
ALTER TABLE order_events DROP COLUMN caller_id;
